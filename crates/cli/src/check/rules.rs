//! The filter's words for rules about single values, which it checks only once a document has the right form.
//!
//! A test compares them with the filter's own.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

/// Returns what the filter says about a value of a field that breaks a rule of the schema; `None` if it says nothing.
pub(super) fn message(field: &str, error: &ValidationError<'_>, schema: Option<&Value>) -> Option<String> {
    let message = match (error.kind(), field) {
        (Kind::Pattern { pattern }, field) => of_pattern(field, pattern, error.instance())?,
        (Kind::MinItems { .. }, "clusters") => "expected at least one cluster",
        (Kind::MinItems { .. }, "methods") => "expected at least one method",
        (Kind::MinLength { .. }, "clusters") => "expected the name of a cluster",
        (Kind::Maximum { .. } | Kind::Minimum { .. }, _) => {
            return Some(format!("expected a whole number from 1 to {}", schema?.get("maximum")?));
        }
        (Kind::OneOfNotValid { .. } | Kind::OneOfMultipleValid { .. }, _) => {
            return one_of(error.instance(), schema?);
        }
        _ => return None,
    };
    Some(message.to_owned())
}

fn of_pattern(field: &str, pattern: &str, value: &Value) -> Option<&'static str> {
    Some(match field {
        "name" | "id" => "expected 1 to 128 visible ASCII characters",
        "sha256" => "expected 64 hex digits",
        "header" => "expected a header name",
        "scheme" => "expected a token of visible ASCII characters",
        "query" | "sha256_query" => "expected the name of a parameter",
        "cookie" => "expected the name of a cookie",
        "client_key_prefixes" => "expected the beginning of a key, of visible ASCII characters",
        "cluster" => "expected the name of a cluster",
        "authority" => "expected a host name",
        "consumer_from" => "expected a JSON pointer, such as /info/key_alias",
        "timeout" | "cache_ttl" | "negative_cache_ttl" => "expected a time up to one day, such as 500ms, 2s, 5m",
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
fn one_of(object: &Value, schema: &Value) -> Option<String> {
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
