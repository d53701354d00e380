//! All errors of form at once, by the JSON schema of the configuration, in the words of the filter.

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use byok_core::config::{self, ConfigError, Shown};
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{JsonType, ValidationError, Validator};
use serde_json::Value as Json;

use super::examine::{MAX_ERRORS, diagnostic, did_you_mean, similar};
use super::words::{expected_field, message};
use crate::diagnostic::Diagnostic;
use crate::document::{Located, Node, Value, path_of};

static SCHEMA: LazyLock<Json> = LazyLock::new(config::schema);

/// Whether the configuration has a field of that name at its top.
pub(super) fn is_field(name: &str) -> bool {
    SCHEMA.get("properties").is_some_and(|fields| fields.get(name).is_some())
}

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
    errors.extend(of_schema(root, located));
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

/// Returns what the schema says, in the filter's words.
fn of_schema(root: &Node, located: &Located<'_>) -> Vec<Diagnostic> {
    static VALIDATOR: LazyLock<Option<Validator>> = LazyLock::new(|| jsonschema::draft202012::new(&SCHEMA).ok());
    let mut collector = Collector { root, located, errors: Vec::new(), seen: BTreeSet::new() };
    if let Some(validator) = &*VALIDATOR {
        validator.iter_errors(&root.to_value()).for_each(|error| collector.add(&error));
    }
    collector.errors
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
    errors: Vec<Diagnostic>,
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
                // More than are reported are not looked for.
                let room = MAX_ERRORS - self.errors.len();
                unexpected.iter().take(room).for_each(|name| self.add_unknown(error, name));
            }
            _ => {
                let schema = schema_around(error.evaluation_path());
                let steps = steps_to(self.root, error.instance_path());
                let path = path_of(self.root, &steps);
                if let Some(message) = message(schema, error, &field(error.instance_path())) {
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
        let message = expected_field(properties);
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

/// Returns the name of the field that has a value, itself or in a list; empty for the whole.
fn field(path: &Location) -> String {
    let name = |segment| match segment {
        LocationSegment::Property(name) => Some(name.into_owned()),
        LocationSegment::Index(_) => None,
    };
    path.iter().filter_map(name).next_back().unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use byok_core::{Loaded, Policy, Secrets};
    use serde_json::json;

    use super::*;
    use crate::document;

    const EVERY_FIELD: &str = include_str!("../../../../tests/cli/files/every-field.json");

    /// Calls the function with each configuration that has another value, or another field, in one place.
    fn each_mistake(mut check: impl FnMut(&str)) {
        let configuration: Json = serde_json::from_str(EVERY_FIELD).unwrap();
        let mut pointers = vec![String::new()];
        collect(&configuration, "", &mut pointers);
        let wrong = [
            json!(null),
            json!(true),
            json!(-1),
            json!(1.5),
            json!(""),
            json!("x"),
            json!("é *"),
            json!("of"),
            json!([]),
            json!([{}]),
            json!([1]),
            json!({}),
            json!({ "x": { "y": [1] } }),
        ];
        for pointer in &pointers {
            for wrong in &wrong {
                let mut changed = configuration.clone();
                *changed.pointer_mut(pointer).unwrap() = wrong.clone();
                check(&changed.to_string());
            }
            let mut changed = configuration.clone();
            if let Some(fields) = changed.pointer_mut(pointer).unwrap().as_object_mut() {
                fields.insert("modes".to_owned(), json!(1));
                check(&changed.to_string());
                let first = configuration.pointer(pointer).unwrap().as_object().unwrap().keys().next().unwrap();
                changed.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(first);
                check(&changed.to_string());
            }
        }
    }

    fn collect(value: &Json, to: &str, pointers: &mut Vec<String>) {
        let parts: Vec<(String, &Json)> = match value {
            Json::Object(fields) => fields.iter().map(|(name, part)| (format!("{to}/{name}"), part)).collect(),
            Json::Array(items) => items.iter().enumerate().map(|(at, part)| (format!("{to}/{at}"), part)).collect(),
            _ => return,
        };
        for (pointer, part) in parts {
            collect(part, &pointer, pointers);
            pointers.push(pointer);
        }
    }

    /// Loads a configuration whose secrets are all there.
    fn load(json: &str) -> Result<Loaded, Vec<ConfigError>> {
        let secrets = Secrets {
            variable: &|_| Some("proxy-EXAMPLE-2".to_owned()),
            sds_secret: Some(&|name, _| Some(format!("delivered-EXAMPLE-{name}"))),
        };
        Policy::load(json, secrets)
    }

    fn words_of_schema(json: &str) -> Vec<(String, String)> {
        let root = document::json(json).unwrap();
        let errors = of_schema(&root, &Located::new(&root));
        errors.into_iter().map(|error| (error.path, error.message)).collect()
    }

    #[test]
    fn the_example_has_every_field_of_the_schema() {
        assert!(load(EVERY_FIELD).is_ok());
        let mut objects = vec![&*SCHEMA];
        objects.extend(SCHEMA["$defs"].as_object().unwrap().values());
        let fields = objects.iter().filter_map(|object| object.get("properties")?.as_object()).flatten();
        for (field, _) in fields.filter(|(field, _)| *field != "sha256_query") {
            assert!(EVERY_FIELD.contains(&format!("\"{field}\": ")), "{field}");
        }
    }

    #[test]
    fn the_filters_error_of_form_is_among_those_of_the_schema() {
        let mut seen = 0;
        each_mistake(|json| {
            let Some((of_filter, _)) = config::error_of_form(json.as_bytes()) else { return };
            let path = if of_filter.path == WHOLE { String::new() } else { of_filter.path };
            let expected = (path, without_position(&of_filter.message).to_owned());
            let words = words_of_schema(json);
            assert!(words.contains(&expected), "{expected:?} is not among {words:?} for {json}");
            seen += 1;
        });
        assert!(seen > 500, "{seen}");
    }

    #[test]
    fn of_a_configuration_with_the_right_form_the_schema_says_only_what_the_filter_says() {
        let mut seen = BTreeSet::new();
        each_mistake(|json| {
            if config::error_of_form(json.as_bytes()).is_some() {
                return;
            }
            let of_filter = load(json).err().unwrap_or_default();
            for (path, message) in words_of_schema(json) {
                let said = of_filter.iter().any(|error| error.path == path && error.message == message);
                assert!(said, "{path}: {message} is not among {of_filter:?} for {json}");
                seen.insert(message);
            }
        });
        assert!(seen.len() >= 15, "{seen:#?}");
    }
}
