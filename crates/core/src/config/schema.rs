//! The configuration's JSON schema, made from the structs that the filter reads it into.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::de::{HexDigest, Named, Words};
use super::wire;
use crate::model::{Byok, Mode};
use crate::providers::{CUSTOM, PROFILES};

/// What a consumer, a key id or a provider may be called.
pub(super) const NAME: &str = "^[!-~]{1,128}$";
/// The beginning of a key.
pub(super) const VISIBLE: &str = "^[!-~]+$";
/// A token (RFC 9110, 5.6.2): the name of a header or cookie, a scheme.
pub(super) const TOKEN: &str = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
/// A time with its unit.
pub(super) const DURATION: &str = "^[0-9]+(ms|s|m|h)$";

/// Returns the schema, draft 2020-12.
///
/// Every configuration that the filter accepts is valid by it. The schema does not express the rules between fields, which
/// the filter checks too: names that refer to nothing or repeat, secrets that repeat or are not set, modes in which nobody
/// can pass.
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<wire::Configuration>();
    schema.insert("title".to_owned(), "byok-filter".into());
    let mut schema = schema.to_value();
    drop_null_defaults(&mut schema);
    schema
}

/// A default of `null` only says that the field may be left out.
fn drop_null_defaults(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(drop_null_defaults),
        Value::Object(fields) => {
            fields.retain(|name, value| name != "default" || !value.is_null());
            fields.values_mut().for_each(drop_null_defaults);
        }
        _ => {}
    }
}

/// Says that exactly one of these fields has a value.
pub(super) fn one_of(fields: &[&str]) -> Value {
    let alone = |field: &&str| json!({ "required": [field], "properties": { *field: { "type": "string" } } });
    fields.iter().map(alone).collect()
}

/// The names of the profiles.
pub(super) fn apis() -> Value {
    let names = PROFILES.iter().map(|(name, _)| *name).chain([CUSTOM]);
    names.map(Value::from).chain([Value::Null]).collect()
}

fn words<T: Words>() -> Schema {
    let words: Vec<&str> = T::WORDS.iter().map(|(word, _)| *word).collect();
    json_schema!({ "type": "string", "enum": words })
}

impl JsonSchema for Mode {
    fn schema_name() -> Cow<'static, str> {
        "Mode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        words::<Self>()
    }
}

impl JsonSchema for Byok {
    fn schema_name() -> Cow<'static, str> {
        "Byok".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        words::<Self>()
    }
}

impl JsonSchema for HexDigest {
    fn schema_name() -> Cow<'static, str> {
        "HexDigest".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9A-Fa-f]{64}$" })
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}ByName", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<T>() })
    }
}
