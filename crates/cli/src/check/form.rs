//! All errors of form at once, by the JSON schema of the configuration, in the words of the filter.

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use byok_core::config::{self, ConfigError, Shown};
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{JsonType, ValidationError, Validator};
use serde_json::Value as Json;

use super::examine::{MAX_ERRORS, diagnostic, did_you_mean, similar};
use super::rules;
use crate::diagnostic::Diagnostic;
use crate::document::{Located, Node, Value, path_of};

static SCHEMA: LazyLock<Json> = LazyLock::new(config::schema);

/// Returns the errors of form, at most [`MAX_ERRORS`]; the filter's own is among them.
pub(super) fn errors(root: &Node, located: &Located<'_>, of_filter: &ConfigError) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    repeated(root, &mut Vec::new(), &mut |object, name, at| {
        if errors.len() < MAX_ERRORS {
            let message = format!("duplicate field `{}`", Shown(name));
            errors.push(Diagnostic::error(path_of(root, object), message, Some(at)));
        }
    });
    let has_repeated = !errors.is_empty();
    let instance = root.to_value();
    if let Ok(validator) = validator() {
        let mut collector = Collector { root, located, errors: &mut errors, seen: BTreeSet::new() };
        validator.iter_errors(&instance).for_each(|error| collector.add(&error));
    }
    // What the schema can't see, if anything.
    let message = without_position(&of_filter.message);
    let path = if of_filter.path == WHOLE { "" } else { &of_filter.path };
    let is_known = errors.iter().any(|error| error.path == path && error.message == message)
        || (has_repeated && is_about_repeated(message));
    if !is_known {
        errors.insert(0, diagnostic(located, path.to_owned(), message.to_owned()));
    }
    errors.truncate(MAX_ERRORS);
    errors
}

/// The path that the filter gives for the whole document.
const WHOLE: &str = "configuration";

fn validator() -> Result<Validator, ValidationError<'static>> {
    jsonschema::draft202012::new(&SCHEMA)
}

/// Cuts off the line and column, which are those of the JSON that the filter was given.
fn without_position(message: &str) -> &str {
    message.rsplit_once(" (line ").map_or(message, |(message, _)| message)
}

fn is_about_repeated(message: &str) -> bool {
    message.starts_with("duplicate field") || message.ends_with("each name once")
}

/// Translates the errors of the schema.
struct Collector<'a, 'r> {
    root: &'a Node,
    located: &'r Located<'a>,
    errors: &'r mut Vec<Diagnostic>,
    seen: BTreeSet<(String, String)>,
}

impl Collector<'_, '_> {
    fn add(&mut self, error: &ValidationError<'_>) {
        if self.errors.len() >= MAX_ERRORS {
            return;
        }
        match error.kind() {
            // Of a value or null, the value was meant.
            ValidationErrorKind::AnyOf { context } => {
                let of_value = context.iter().filter(|branch| !branch.iter().any(is_null_expected));
                of_value.flatten().for_each(|error| self.add(error));
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                unexpected.iter().for_each(|name| self.add_unknown(error, name));
            }
            kind => {
                let schema = schema_around(error.evaluation_path());
                let steps = steps_to(self.root, error.instance_path());
                let path = path_of(self.root, &steps);
                if let Some(message) = message(kind, schema, error, field(error.instance_path()).as_deref()) {
                    self.push(diagnostic(self.located, path, message));
                }
            }
        }
    }

    fn add_unknown(&mut self, error: &ValidationError<'_>, name: &str) {
        let Some(properties) = schema_around(error.evaluation_path()).and_then(|schema| schema.get("properties"))
        else {
            return;
        };
        let known =
            properties.as_object().map(|known| known.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>());
        let expected = match known.unwrap_or_default().as_slice() {
            [one] => one.clone(),
            [one, other] => format!("{one} or {other}"),
            several => format!("one of {}", several.join(", ")),
        };
        let message = format!("unknown field, expected {expected}");
        let mut steps = steps_to(self.root, error.instance_path());
        let object = steps.iter().try_fold(self.root, |node, step| node.child(*step)).unwrap_or(self.root);
        let Some(step) = object.entries().iter().position(|entry| entry.name == name) else { return };
        steps.push(step);
        let at = object.entries().get(step).map(|entry| entry.name_at);
        let help = similar(name, &message).map(did_you_mean);
        self.push(Diagnostic { help, ..Diagnostic::error(path_of(self.root, &steps), message, at) });
    }

    fn push(&mut self, error: Diagnostic) {
        let is_new = self.seen.insert((error.path.clone(), error.message.clone()));
        if is_new && self.errors.len() < MAX_ERRORS {
            self.errors.push(error);
        }
    }
}

/// Returns the filter's words for an error of the schema; `None` if the filter says nothing or says it elsewhere.
fn message(
    kind: &ValidationErrorKind,
    schema: Option<&Json>,
    error: &ValidationError<'_>,
    field: Option<&str>,
) -> Option<String> {
    match kind {
        ValidationErrorKind::Required { property } => Some(format!("missing field `{}`", property.as_str()?)),
        ValidationErrorKind::Type { kind } => expected_type(kind, schema?),
        // Another type is an error of its own.
        ValidationErrorKind::Enum { .. } if error.instance().is_string() => expected_word(schema?),
        kind => rules::message(field?, kind, error.instance()),
    }
}

fn expected_type(kind: &TypeKind, schema: &Json) -> Option<String> {
    let expected = match kind {
        TypeKind::Single(one) => *one,
        TypeKind::Multiple(several) => several.iter().find(|one| *one != JsonType::Null)?,
    };
    let has_values = || schema.get("additionalProperties").is_some_and(Json::is_object);
    let is_digest = || schema.get("pattern").and_then(Json::as_str).is_some_and(|pattern| pattern.contains("{64}"));
    let expected = match expected {
        JsonType::String if schema.get("enum").is_some() && schema.get("type")?.is_string() => {
            return expected_word(schema);
        }
        JsonType::String if is_digest() => "64 hex digits",
        JsonType::String => "a string",
        JsonType::Boolean => "a boolean",
        JsonType::Integer | JsonType::Number => "a number",
        JsonType::Array => "a sequence",
        JsonType::Object if has_values() => "an object with each name once",
        JsonType::Object => "an object",
        JsonType::Null => return None,
    };
    Some(format!("expected {expected}"))
}

/// Names the words of an enumeration: those of the filter's own types in backquotes, as serde writes them.
fn expected_word(schema: &Json) -> Option<String> {
    let quote = if schema.get("type")?.is_string() { "`" } else { "" };
    let words = schema.get("enum")?.as_array()?.iter().filter_map(Json::as_str);
    Some(format!(
        "expected one of {}",
        words.map(|word| format!("{quote}{word}{quote}")).collect::<Vec<_>>().join(", ")
    ))
}

fn is_null_expected(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), ValidationErrorKind::Type { kind: TypeKind::Single(JsonType::Null) })
}

/// Returns the schema that has the keyword at the end of the path.
fn schema_around(path: &Location) -> Option<&'static Json> {
    let steps: Vec<LocationSegment<'_>> = path.iter().collect();
    let (_keyword, above) = steps.split_last()?;
    above.iter().try_fold(&*SCHEMA, |schema, step| match step {
        LocationSegment::Property(name) if name == "$ref" => {
            SCHEMA.pointer(schema.get("$ref")?.as_str()?.strip_prefix('#')?)
        }
        LocationSegment::Property(name) => schema.get(&**name),
        LocationSegment::Index(index) => schema.get(index),
    })
}

/// Returns the indices into entries and items that lead to a value.
fn steps_to(root: &Node, path: &Location) -> Vec<usize> {
    let mut steps = Vec::new();
    let mut node = root;
    for segment in path {
        let step = match (&node.value, segment) {
            (Value::List(_), LocationSegment::Index(index)) => Some(index),
            (Value::Map(entries), LocationSegment::Property(name)) => {
                entries.iter().position(|entry| entry.name == name)
            }
            (Value::Map(entries), LocationSegment::Index(index)) => {
                entries.iter().position(|entry| entry.name == index.to_string())
            }
            _ => None,
        };
        let Some((step, child)) = step.and_then(|step| Some((step, node.child(step)?))) else { break };
        steps.push(step);
        node = child;
    }
    steps
}

/// Returns the field that holds a value, itself or in a list.
fn field(path: &Location) -> Option<String> {
    path.iter()
        .filter_map(|segment| match segment {
            LocationSegment::Property(name) => Some(name.into_owned()),
            LocationSegment::Index(_) => None,
        })
        .last()
}

/// Reports each name that an object has had before, with the steps to the object.
fn repeated(node: &Node, steps: &mut Vec<usize>, report: &mut impl FnMut(&[usize], &str, crate::document::Position)) {
    let mut seen = HashSet::new();
    for entry in node.entries() {
        if !seen.insert(&*entry.name) {
            report(steps, &entry.name, entry.name_at);
        }
    }
    let children = node.items().iter().chain(node.entries().iter().map(|entry| &entry.value));
    for (step, child) in children.enumerate() {
        steps.push(step);
        repeated(child, steps, report);
        steps.pop();
    }
}
