//! The reference of the configuration, generated from the JSON Schema; `UPDATE_DOCS=1` writes it.

use std::fmt::Write as _;

use serde_json::Value;

use crate::markdown::file;

const PAGE: &str = "docs/reference/configuration.md";

#[test]
fn the_reference_of_the_configuration_is_generated_from_its_schema() {
    let generated = reference(&byok_core::config::schema());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(format!("{}/{PAGE}", env!("CARGO_MANIFEST_DIR")), &generated).expect("a writable file");
    }
    assert!(
        file(PAGE) == generated,
        "{PAGE} is not that of the schema: UPDATE_DOCS=1 cargo test --test readme generated"
    );
}

fn reference(schema: &Value) -> String {
    let mut page = String::from(
        "# Configuration\n\nJSON, or YAML where the document around it is. Field names are in `snake_case`; an unknown field is an \
         error. This page is generated from the [JSON Schema](../../envoy/byok.schema.json); the [guides](../README.md) say how the \
         fields work together.\n",
    );
    section(&mut page, "Configuration", schema);
    for (name, definition) in schema["$defs"].as_object().expect("definitions") {
        if definition["properties"].is_object() {
            section(&mut page, name, definition);
        }
    }
    page
}

fn section(page: &mut String, name: &str, definition: &Value) {
    let description = definition["description"].as_str().unwrap_or_default();
    let heading = if name == "Configuration" { "Top level" } else { name };
    write!(page, "\n## {heading}\n\n{description}\n\n| field | type | default | |\n|---|---|---|---|\n").expect("text");
    let required: Vec<&str> =
        definition["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (field, schema) in definition["properties"].as_object().expect("fields") {
        let default = match &schema["default"] {
            Value::Null if required.contains(&field.as_str()) => "required".to_owned(),
            Value::Null => "–".to_owned(),
            default => format!("`{default}`"),
        };
        let description = schema["description"].as_str().unwrap_or_default();
        writeln!(page, "| `{field}` | {} | {default} | {description} |", type_of(schema)).expect("text");
    }
}

/// Names the type of a field, with a link where it is an object of its own.
fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return match name {
            "Mode" => "`on`, `optional`, `auto`, `off`".to_owned(),
            "Byok" => "`off`, `preferred`, `required`".to_owned(),
            "Dialect" => "`anthropic`, `openai`, `google`, `litellm`".to_owned(),
            name => format!("[{name}](#{})", name.to_lowercase()),
        };
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        return choices.iter().filter(|one| one["type"] != "null").map(type_of).collect::<Vec<_>>().join(" or ");
    }
    if let Some(words) = schema["enum"].as_array().filter(|words| words.len() < 8) {
        return words
            .iter()
            .filter(|word| !word.is_null())
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", ");
    }
    if schema["additionalProperties"].is_object() {
        return format!("object: name to {}", type_of(&schema["additionalProperties"]));
    }
    if schema["type"] == "array" {
        return format!("list of {}", type_of(&schema["items"]));
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find_map(|kind| kind.as_str().filter(|kind| *kind != "null")),
        kind => kind.as_str(),
    };
    kind.unwrap_or("any").to_owned()
}
