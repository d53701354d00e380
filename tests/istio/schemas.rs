//! JSON schemas of the kinds in `envoy/istio`, made of what Istio and Kubernetes publish in Go modules.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::tools;

/// Where the schemas come from.
pub(super) const SOURCES: [&str; 2] = [ISTIO, KUBERNETES];

/// What kubeconform calls the schema of a kind.
pub(super) const FILE_TEMPLATE: &str = "{{.ResourceKind}}_{{.ResourceAPIVersion}}.json";

const ISTIO: &str = "istio.io/api@v1.31.1";
const KUBERNETES: &str = "k8s.io/client-go@v0.34.1";

/// Writes a schema for each kind, one that refuses fields it does not know.
pub(super) fn write(directory: &Path) -> Result<()> {
    let definitions = tools::go_module(ISTIO)?.join("kubernetes/customresourcedefinitions.gen.yaml");
    let definitions =
        fs::read_to_string(&definitions).with_context(|| format!("could not read {}", definitions.display()))?;
    for definition in serde_yaml_ng::Deserializer::from_str(&definitions) {
        let definition = Value::deserialize(definition).context("Istio's resource definitions are not YAML")?;
        for version in definition.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten() {
            custom_resource(directory, &definition, version).context("a resource definition of another form")?;
        }
    }

    let published = tools::go_module(KUBERNETES)?.join("openapi/openapitest/testdata");
    built_in(directory, &published.join("api__v1_openapi.json"), "io.k8s.api.core.v1.Secret", "v1")?;
    built_in(directory, &published.join("apis__apps__v1_openapi.json"), "io.k8s.api.apps.v1.Deployment", "apps/v1")
}

fn custom_resource(directory: &Path, definition: &Value, version: &Value) -> Option<()> {
    let text = |value: &'_ Value, pointer| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let kind = text(definition, "/spec/names/kind")?;
    let (group, name) = (text(definition, "/spec/group")?, text(version, "/name")?);
    let mut schema = version.pointer("/schema/openAPIV3Schema")?.clone();
    let properties = schema.pointer_mut("/properties")?.as_object_mut()?;
    // A definition leaves out what all resources have.
    properties.insert("apiVersion".to_owned(), json!({ "const": format!("{group}/{name}") }));
    properties.insert("kind".to_owned(), json!({ "const": kind }));
    properties.insert("metadata".to_owned(), json!({ "type": "object", "required": ["name"] }));
    schema.as_object_mut()?.insert("required".to_owned(), json!(["apiVersion", "kind", "metadata", "spec"]));
    close(&mut schema);
    save(directory, &kind, &name, &schema).ok()
}

/// Saves a schema of a Kubernetes API's OpenAPI document, together with all that it refers to.
fn built_in(directory: &Path, document: &Path, name: &str, api_version: &str) -> Result<()> {
    let file = File::open(document).with_context(|| format!("could not read {}", document.display()))?;
    let mut schema: Value = serde_json::from_reader(std::io::BufReader::new(file))?;
    close(&mut schema);
    let known = schema.pointer_mut(&format!("/components/schemas/{name}/properties/apiVersion"));
    *known.with_context(|| format!("{} has no {name}", document.display()))? = json!({ "const": api_version });
    let kind = name.rsplit('.').next().unwrap_or(name);
    let schema = json!({ "$ref": format!("#/components/schemas/{name}"), "components": schema.pointer("/components") });
    save(directory, kind, api_version.rsplit('/').next().unwrap_or(api_version), &schema)
}

fn save(directory: &Path, kind: &str, version: &str, schema: &Value) -> Result<()> {
    let file = format!("{}_{version}.json", kind.to_lowercase());
    Ok(fs::write(directory.join(file), schema.to_string())?)
}

/// Makes a field that a schema does not name an error, as the API server does with strict field validation.
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
