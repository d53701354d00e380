//! The manifest for Tetrate's catalogue of extensions.

use byok_core::{Policy, Secrets};
use serde_json::Value;

fn manifest() -> Value {
    let file = byok_testkit::root().join("envoy/built-on-envoy/manifest.yaml");
    serde_yaml_ng::from_str(&std::fs::read_to_string(file).expect("a manifest")).expect("YAML")
}

fn schema_errors(schema: &str, document: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).expect("a schema")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_manifest_is_of_this_version_and_its_examples_load() {
    let manifest = manifest();
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
    let schema = byok_testkit::root().join("envoy/built-on-envoy/config.schema.json");
    let examples = manifest["examples"].as_array().expect("examples");
    for example in examples {
        let code = example["code"].as_str().expect("a command");
        let argument =
            code.split("--config '").nth(1).and_then(|rest| rest.split('\'').next()).expect("a configuration");
        let configuration = serde_json::from_str(argument).expect("JSON");
        assert_eq!(schema_errors(schema.to_str().expect("UTF-8"), &configuration), [""; 0]);
        // The catalogue's launcher gives a module no environment variables.
        let nothing = Secrets { variable: &|_: &str| None, sds_secret: None };
        let loaded = Policy::load(argument.as_bytes(), nothing).expect("a configuration");
        assert_eq!(loaded.warnings, []);
    }
    assert!(!examples.is_empty());
}

#[test]
#[ignore = "needs the schema of Tetrate's catalogue: CATALOGUE_SCHEMA=extensions/manifest.schema.json"]
fn the_catalogue_takes_the_manifest() {
    let schema = std::env::var("CATALOGUE_SCHEMA").expect("CATALOGUE_SCHEMA names the catalogue's schema");
    assert_eq!(schema_errors(&schema, &manifest()), [""; 0]);
    let mut wrong = manifest();
    wrong["type"] = "wasi".into();
    assert_ne!(schema_errors(&schema, &wrong), [""; 0]);
}
