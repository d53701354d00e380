//! The pages name every profile that there is, and every header that can be no key source: the core says which.

use byok_core::Policy;

use crate::markdown::{quoted, table};

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
    let readme = crate::markdown::file("docs/keys.md");
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
