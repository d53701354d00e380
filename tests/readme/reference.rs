//! The reference lists every field that there is: the core says which, when it is asked for one that there is not.

use byok_core::Policy;

use crate::markdown::{quoted, table};

/// An object of the configuration, and a document that has an unknown field in it.
const OBJECTS: &[(&str, &str)] = &[
    ("the configuration", r#"{ "?": 1 }"#),
    ("key_sources[]", r#"{ "key_sources": [ { "?": 1 } ] }"#),
    ("identities[]", r#"{ "identities": [ { "?": 1 } ] }"#),
    ("consumers[]", r#"{ "consumers": [ { "?": 1 } ] }"#),
    ("consumers[].keys[]", r#"{ "consumers": [ { "keys": [ { "?": 1 } ] } ] }"#),
    ("providers.<name>", r#"{ "providers": { "a": { "?": 1 } } }"#),
    ("providers.<name>.headers[]", r#"{ "providers": { "a": { "headers": [ { "?": 1 } ] } } }"#),
    ("providers.<name>.deployment_key", r#"{ "providers": { "a": { "deployment_key": { "?": 1 } } } }"#),
    ("routes[]", r#"{ "routes": [ { "?": 1 } ] }"#),
    ("routes[].match", r#"{ "routes": [ { "match": { "?": 1 } } ] }"#),
    ("verification_service", r#"{ "verification_service": { "?": 1 } }"#),
    ("verification_service.send_as", r#"{ "verification_service": { "send_as": { "?": 1 } } }"#),
    ("identity_headers", r#"{ "identity_headers": { "?": 1 } }"#),
];

#[test]
fn every_field_is_in_its_table() {
    for (object, document) in OBJECTS {
        let rows = table(&format!("field of `{object}`"));
        let mut described: Vec<String> = rows.iter().flat_map(|row| quoted(&row[0])).collect();
        let mut known = quoted(&only_error(document));
        described.sort();
        known.sort();
        assert_eq!(described, known, "{object}");
    }
}

#[test]
fn every_profile_is_in_its_table() {
    let error = only_error(r#"{ "mode": "off", "providers": { "a": { "api": "?" } } }"#);
    let (_, names) = error.split_once("expected one of ").unwrap();
    let known: Vec<String> = names.split(", ").map(str::to_owned).collect();
    let described: Vec<String> = table("profile").iter().flat_map(|row| quoted(&row[0])).collect();
    assert_eq!(described, known);
}

#[test]
fn every_header_that_is_no_key_source_is_named() {
    let readme = crate::markdown::file("README.md");
    let (_, rest) = readme.split_once("These headers can be no key source: ").expect("a list of headers");
    let (list, _) = rest.split_once("\n\n").unwrap();
    for header in quoted(list) {
        let document =
            format!(r#"{{ "mode": "off", "hide_credentials": true, "key_sources": [ {{ "header": "{header}" }} ] }}"#);
        assert_eq!(only_error(&document), "key_sources[0].header: expected a header name", "{header}");
    }
}

fn only_error(document: &str) -> String {
    let errors = Policy::from_json(document.as_bytes(), &|_| None).expect_err(document);
    let [error] = &errors[..] else { panic!("{document}: {errors:?}") };
    error.to_string()
}
