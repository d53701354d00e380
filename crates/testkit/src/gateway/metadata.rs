//! What Envoy says about a caller, for cases that set it: a filter in front of ours writes dynamic metadata from headers of
//! the test's own, as `jwt_authn` does from a token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::carrier::carrier;
use crate::corpus::{Case, IdentityValue, identities_of};

/// Returns the filter that writes the identities of a configuration, if it has any in dynamic metadata.
pub(super) fn filter(configuration: &str) -> Option<Value> {
    let rules: Vec<Value> = identities_of(configuration)
        .iter()
        .filter_map(|(name, property)| {
            let [_, _, namespace, key, ..] = &dynamic_metadata(property)?[..] else { return None };
            let value =
                json!({ "metadata_namespace": namespace, "key": key, "type": "PROTOBUF_VALUE", "encode": "BASE64" });
            Some(json!({ "header": header(name), "on_header_present": value, "remove": true }))
        })
        .collect();
    (!rules.is_empty()).then(|| {
        json!({
            "name": "envoy.filters.http.header_to_metadata",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config",
                "request_rules": rules,
            },
        })
    })
}

/// Returns the headers that make the filter write the identities of a case.
///
/// # Panics
/// An identity of the case is not in dynamic metadata.
pub fn identity_headers(case: &Case) -> Vec<(String, Vec<u8>)> {
    let identities = identities_of(&case.configuration.json);
    let of = |name: &String| identities.iter().find(|(known, _)| known == name).map(|(_, property)| property);
    let header_of = |(name, value): (&String, &IdentityValue)| {
        let property = of(name).and_then(|property| dynamic_metadata(property));
        let nested = property.as_ref().and_then(|property| property.get(4..));
        let nested = nested.unwrap_or_else(|| panic!("{}: {name} is not in dynamic metadata", case.at));
        let value = nested.iter().rev().fold(encoded(value), |value, part| structure(part, &value));
        (header(name), STANDARD.encode(value).into_bytes())
    };
    case.identities.iter().map(header_of).collect()
}

fn header(identity: &str) -> String {
    format!("x-test-identity-{identity}")
}

fn dynamic_metadata(property: &[String]) -> Option<Vec<String>> {
    let is_one = property.first().is_some_and(|part| part == "metadata");
    is_one.then(|| carrier().readable(property))
}

// `google.protobuf.Value`: string_value is field 3, struct_value 5, list_value 6.

fn encoded(value: &IdentityValue) -> Vec<u8> {
    match value {
        IdentityValue::Text(text) => field(3, text.as_bytes()),
        IdentityValue::List(items) => {
            let items: Vec<u8> = items.iter().flat_map(|item| field(1, &field(3, item.as_bytes()))).collect();
            field(6, &items)
        }
    }
}

fn structure(key: &str, value: &[u8]) -> Vec<u8> {
    let entry = [field(1, key.as_bytes()), field(2, value)].concat();
    field(5, &field(1, &entry))
}

/// Writes a field that has a length (<https://protobuf.dev/programming-guides/encoding/#structure>).
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length > 0x7f {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(content);
    bytes
}
