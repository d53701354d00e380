//! Every JSON block is a configuration that loads.

use byok_core::Policy;

use crate::markdown::blocks;

/// Answers for every variable, with a value of its own.
pub(crate) fn environment(name: &str) -> Option<String> {
    Some(format!("EXAMPLE-{name}"))
}

#[test]
fn every_json_block_loads_without_a_warning() {
    for block in blocks("json") {
        match Policy::from_json(block.text.as_bytes(), &environment) {
            Ok(loaded) => assert_eq!(loaded.warnings, [], "{}", block.at),
            Err(errors) => panic!("{}: {errors:?}", block.at),
        }
    }
}

#[test]
fn the_configuration_in_12_lines_has_12_lines() {
    assert_eq!(blocks("json")[0].text.lines().count(), 12);
}

#[test]
fn a_yaml_block_with_a_filter_in_it_is_taken_from_the_example() {
    let example = crate::markdown::file("envoy/envoy.yaml");
    let excerpts: Vec<_> = blocks("yaml").into_iter().filter(|block| block.text.starts_with(' ')).collect();
    assert_eq!(excerpts.len(), 2);
    for block in excerpts {
        assert!(example.contains(&block.text), "{}: not in envoy/envoy.yaml", block.at);
    }
}
