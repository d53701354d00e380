//! The filter's words for rules about single values, which it checks only once a document has the right form.
//!
//! A test compares them with the filter's own.

use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

/// Returns what the filter says about a value of the field that breaks a rule of the schema.
pub(super) fn message(field: &str, rule: &ValidationErrorKind, value: &Value) -> Option<String> {
    let message = match (rule, field) {
        (ValidationErrorKind::Pattern { .. }, field) => pattern(field, value)?,
        (ValidationErrorKind::MinItems { .. }, "clusters") => "expected at least one cluster",
        (ValidationErrorKind::MinItems { .. }, "methods") => "expected at least one method",
        (ValidationErrorKind::MinLength { .. }, "clusters") => "expected the name of a cluster",
        (ValidationErrorKind::Maximum { .. } | ValidationErrorKind::Minimum { .. }, "cache_max_entries") => {
            "expected a whole number from 1 to 1000000"
        }
        (ValidationErrorKind::Maximum { .. } | ValidationErrorKind::Minimum { .. }, "max_in_flight") => {
            "expected a whole number from 1 to 100000"
        }
        _ => return None,
    };
    Some(message.to_owned())
}

fn pattern(field: &str, value: &Value) -> Option<&'static str> {
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
        "path" | "path_prefix" if value.as_str().is_some_and(|path| path.contains('*')) => {
            "expected a path without *: path_prefix matches whole segments by itself"
        }
        "path" | "path_prefix" => {
            "expected a path that starts with / and has no query, escape, backslash, semicolon, empty or dot segment"
        }
        _ => return None,
    })
}
