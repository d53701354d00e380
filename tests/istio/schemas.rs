//! JSON schemas of the kinds in `envoy/istio` and `envoy/gateway`, made of what Istio, Envoy Gateway and Kubernetes publish in Go
//! modules.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use serde_json::{Value, json};

/// A schema for each kind and version, which refuses unknown fields.
pub(crate) struct Schemas(BTreeMap<(String, String), Value>);

impl Schemas {
    /// Reads the schemas from the directories in `ISTIO_API`, `ENVOY_GATEWAY_SOURCE` and `KUBERNETES_CLIENT`.
    pub(crate) fn load() -> Self {
        let mut schemas = Self(BTreeMap::new());
        schemas.add_custom_resources(&directory("ISTIO_API").join("kubernetes/customresourcedefinitions.gen.yaml"));
        let charts = directory("ENVOY_GATEWAY_SOURCE").join("charts/gateway-crds-helm/templates/generated");
        for kind in ["envoyextensionpolicies", "envoyproxies"] {
            schemas.add_custom_resources(&charts.join(format!("gateway.envoyproxy.io_{kind}.yaml")));
        }
        let published = directory("KUBERNETES_CLIENT").join("openapi/openapitest/testdata");
        schemas.add_built_in(&published.join("api__v1_openapi.json"), "io.k8s.api.core.v1.Secret", "v1");
        schemas.add_built_in(
            &published.join("apis__apps__v1_openapi.json"),
            "io.k8s.api.apps.v1.Deployment",
            "apps/v1",
        );
        schemas
    }

    /// Returns everything that is wrong with a resource.
    pub(crate) fn errors(&self, resource: &Value) -> Vec<String> {
        let text = |field: &str| resource[field].as_str().unwrap_or_default().to_owned();
        let kind = (text("apiVersion"), text("kind"));
        let Some(schema) = self.0.get(&kind) else { return vec![format!("there is no schema of {kind:?}")] };
        let validator = jsonschema::validator_for(schema).expect("a schema");
        let errors = validator.iter_errors(resource);
        errors.map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    fn add_custom_resources(&mut self, file: &Path) {
        // The chart installs a definition under a condition, on lines of their own.
        let text = read(file);
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("{{")).collect();
        for definition in serde_yaml_ng::Deserializer::from_str(&lines.join("\n")) {
            let definition = Value::deserialize(definition).expect("YAML");
            for version in definition.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten() {
                self.add_custom_resource(&definition, version).expect("a resource definition");
            }
        }
    }

    fn add_custom_resource(&mut self, definition: &Value, version: &Value) -> Option<()> {
        let text = |value: &Value, pointer| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let kind = text(definition, "/spec/names/kind")?;
        let api_version = format!("{}/{}", text(definition, "/spec/group")?, text(version, "/name")?);
        let mut schema = version.pointer("/schema/openAPIV3Schema")?.clone();
        let properties = schema.pointer_mut("/properties")?.as_object_mut()?;
        // A definition leaves out what all resources have.
        properties.insert("apiVersion".to_owned(), json!({ "const": api_version }));
        properties.insert("kind".to_owned(), json!({ "const": kind }));
        properties.insert("metadata".to_owned(), json!({ "type": "object", "required": ["name"] }));
        schema.as_object_mut()?.insert("required".to_owned(), json!(["apiVersion", "kind", "metadata", "spec"]));
        close(&mut schema);
        self.0.insert((api_version, kind), schema);
        Some(())
    }

    /// Adds a schema of a Kubernetes API's OpenAPI document, together with all that it refers to.
    fn add_built_in(&mut self, document: &Path, name: &str, api_version: &str) {
        let mut document: Value = serde_json::from_str(&read(document)).expect("JSON");
        close(&mut document);
        let known = document.pointer_mut(&format!("/components/schemas/{name}/properties/apiVersion"));
        *known.expect("a schema of that name") = json!({ "const": api_version });
        let kind = name.rsplit('.').next().unwrap_or(name).to_owned();
        let reference = format!("#/components/schemas/{name}");
        self.0
            .insert((api_version.to_owned(), kind), json!({ "$ref": reference, "components": document["components"] }));
    }
}

fn directory(variable: &str) -> PathBuf {
    let directory =
        std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set: run `make test-istio`"));
    PathBuf::from(directory)
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Makes an unknown field an error, as the API server does with strict field validation.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let open = object.contains_key("additionalProperties")
                || object.contains_key("x-kubernetes-preserve-unknown-fields");
            if object.get("properties").is_some_and(Value::is_object) && !open {
                object.insert("additionalProperties".to_owned(), false.into());
            }
            object.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

#[test]
fn unknown_fields_are_refused_unless_the_schema_keeps_them() {
    let mut schema = json!({ "properties": {
        "strict": { "properties": { "a": {} } },
        "open": { "x-kubernetes-preserve-unknown-fields": true, "properties": { "a": {} } },
        "map": { "additionalProperties": { "type": "string" } },
    } });
    close(&mut schema);
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["properties"]["strict"]["additionalProperties"], false);
    assert!(schema["properties"]["open"].get("additionalProperties").is_none());
    assert_eq!(schema["properties"]["map"]["additionalProperties"]["type"], "string");
}
