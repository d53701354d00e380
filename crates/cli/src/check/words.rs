//! The filter's words for an error of the schema. Tests compare them with the filter's own.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value as Json;

use super::examine::similar;

/// Returns the filter's words for an error of the schema; `None` if the filter says nothing or says it elsewhere.
pub(super) fn message(schema: Option<&Json>, error: &ValidationError<'_>, field: &str) -> Option<String> {
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str()?;
            (!is_misspelt(name, error.instance(), schema?)).then(|| format!("missing field `{name}`"))
        }
        ValidationErrorKind::Type { kind } => expected_type(kind, schema?),
        ValidationErrorKind::Enum { options } if options.as_array()?.iter().any(Json::is_boolean) => {
            Some(expected_boolean_or_word(options))
        }
        // Another type is an error of its own.
        ValidationErrorKind::Enum { .. } if error.instance().is_string() => expected_word(schema?),
        _ => of_rule(field, error, schema),
    }
}

/// Returns what the filter says about a field that is none of these, as serde writes it.
pub(super) fn expected_field(properties: &Json) -> String {
    let known: Vec<String> =
        properties.as_object().into_iter().flatten().map(|(name, _)| format!("`{name}`")).collect();
    let expected = match known.as_slice() {
        [one] => one.clone(),
        [one, other] => format!("{one} or {other}"),
        several => format!("one of {}", several.join(", ")),
    };
    format!("unknown field, expected {expected}")
}

/// How many fields of an object are compared with one that is missing.
const MAX_COMPARED: usize = 1_000;

/// Whether an object has a field that is unknown and was probably meant to be this one.
fn is_misspelt(name: &str, object: &Json, schema: &Json) -> bool {
    let expected = format!("expected `{name}`");
    let known = schema.get("properties").and_then(Json::as_object);
    let is_unknown = |found: &str| known.is_some_and(|known| !known.contains_key(found));
    let fields = object.as_object().into_iter().flatten().take(MAX_COMPARED);
    fields.map(|(found, _)| found).any(|found| is_unknown(found) && similar(found, &expected).is_some())
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

/// Names the values of a field that is a boolean or a word.
fn expected_boolean_or_word(options: &Json) -> String {
    let shown = |option: &Json| option.as_str().map_or_else(|| option.to_string(), |word| format!("`{word}`"));
    let named = options.as_array().into_iter().flatten().filter(|option| !option.is_null());
    let options: Vec<String> = named.map(shown).collect();
    match options.split_last() {
        Some((last, others)) => format!("expected {} or {last}", others.join(", ")),
        None => "expected a boolean".to_owned(),
    }
}

/// Returns what the filter says about a value of a field that breaks a rule of the schema; `None` if it says nothing.
fn of_rule(field: &str, error: &ValidationError<'_>, schema: Option<&Json>) -> Option<String> {
    let message = match (error.kind(), field) {
        (ValidationErrorKind::Pattern { pattern }, field) => of_pattern(field, pattern, error.instance())?,
        (ValidationErrorKind::MinItems { .. }, "clusters") => "expected at least one cluster",
        (ValidationErrorKind::MinItems { .. }, "methods") => "expected at least one method",
        (ValidationErrorKind::MinLength { .. }, "clusters") => "expected the name of a cluster",
        (ValidationErrorKind::Maximum { .. } | ValidationErrorKind::Minimum { .. }, _) => {
            return Some(format!("expected a whole number from 1 to {}", schema?.get("maximum")?));
        }
        (ValidationErrorKind::OneOfNotValid { .. } | ValidationErrorKind::OneOfMultipleValid { .. }, _) => {
            return one_of(error.instance(), schema?);
        }
        _ => return None,
    };
    Some(message.to_owned())
}

fn of_pattern(field: &str, pattern: &str, value: &Json) -> Option<&'static str> {
    Some(match field {
        "name" if pattern.starts_with("^[!#") => "expected a token of visible ASCII characters",
        "name" | "id" => "expected 1 to 128 visible ASCII characters",
        "sha256" => "expected 64 hex digits",
        "header" => "expected a header name",
        "scheme" => "expected a token of visible ASCII characters",
        "query" | "sha256_query" => "expected the name of a parameter",
        "cookie" => "expected the name of a cookie",
        "websocket_protocol" => "expected the beginning of a subprotocol",
        "resource_metadata" => "expected a URL that starts with https:// or http://",
        "client_key_prefixes" => "expected the beginning of a key, of visible ASCII characters",
        "cluster" => "expected the name of a cluster",
        "authority" => "expected a host name",
        "consumer_from" => "expected a JSON pointer, such as /info/key_alias",
        "timeout" | "cache_ttl" | "negative_cache_ttl" | "stale_if_error" => {
            "expected a time up to one day, such as 500ms, 2s, 5m"
        }
        "consumer" | "key_id" | "credential_source" | "provider" => {
            "expected the name of a header that carries no credential"
        }
        "path" if pattern == "^/" => "expected a path that starts with /",
        "path" | "path_prefix" if value.as_str().is_some_and(|path| path.contains('*')) => {
            "expected a path without *: path_prefix matches whole segments by itself"
        }
        "path" | "path_prefix" => {
            "expected a path that starts with / and has no query, escape, backslash, semicolon, empty or dot segment"
        }
        _ => return None,
    })
}

/// Names the fields of which exactly one must have a value, unless another error is the reason why none has.
fn one_of(object: &Json, schema: &Json) -> Option<String> {
    let branches = schema.get("oneOf")?.as_array()?;
    let names: Vec<&str> = branches.iter().filter_map(|branch| branch.pointer("/required/0")?.as_str()).collect();
    let known = schema.get("properties")?.as_object()?;
    let has_other_error = object.as_object()?.iter().any(|(name, value)| {
        !known.contains_key(name) || (names.contains(&&**name) && !value.is_string() && !value.is_null())
    });
    (!has_other_error).then(|| match *names {
        ["sha256_query", "header"] => {
            "expected either sha256_query or header, the latter with or without scheme".to_owned()
        }
        _ => format!("expected exactly one of {}", names.join(", ")),
    })
}
