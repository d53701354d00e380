//! JSON, with the place of every value: raw values are parts of the text itself.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{DEEPEST, Entry, Node, Position, Style, SyntaxError, Value};

pub(super) fn read(text: &str) -> Result<Node, SyntaxError> {
    let lines = Lines::of(text);
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| syntax_error(&error))?;
    node(raw, &lines, 0)
}

fn node(raw: &RawValue, lines: &Lines<'_>, depth: usize) -> Result<Node, SyntaxError> {
    let text = raw.get();
    let at = lines.position(text);
    if depth > DEEPEST {
        return Err(SyntaxError { at, message: "nested too deeply".to_owned() });
    }
    let broken = |error: serde_json::Error| SyntaxError { at, message: without_position(&error) };
    let value = match text.bytes().next() {
        Some(b'{') => {
            let fields: Fields<'_> = serde_json::from_str(text).map_err(broken)?;
            let entry = |(name, value): (&RawValue, &RawValue)| {
                let name_at = lines.position(name.get());
                let name = serde_json::from_str(name.get()).map_err(broken)?;
                Ok(Entry { name, name_at, value: node(value, lines, depth + 1)? })
            };
            Value::Map(fields.0.into_iter().map(entry).collect::<Result<_, _>>()?)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(broken)?;
            Value::List(items.into_iter().map(|item| node(item, lines, depth + 1)).collect::<Result<_, _>>()?)
        }
        Some(b'"') => Value::Text(serde_json::from_str(text).map_err(broken)?, Style::Inline),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') => Value::Null,
        _ => Value::Number(serde_json::from_str(text).map_err(broken)?),
    };
    Ok(Node { at, value })
}

/// The fields of an object, in order, names that repeat included.
struct Fields<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

/// Where the lines of a text begin.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// Returns where a part of the text begins.
    fn position(&self, part: &str) -> Position {
        let offset = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count());
        Position { line, column: column + 1 }
    }
}

fn syntax_error(error: &serde_json::Error) -> SyntaxError {
    // Column 0 is the end of the line before.
    let at = Position { line: error.line().max(1), column: error.column().max(1) };
    SyntaxError { at, message: format!("expected JSON: {}", without_position(error)) }
}

fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_knows_its_place() {
        let node = read("{ \"a\": [1,\n  {\"é\": \"x\", \"b\": null}] }").unwrap();
        let list = node.get("a").unwrap();
        assert_eq!((list.at.line, list.at.column), (1, 8));
        let inner = &list.items()[1];
        assert_eq!((inner.at.line, inner.at.column), (2, 3));
        let last = &inner.entries()[1];
        assert_eq!((last.name_at.line, last.name_at.column), (2, 14));
        assert_eq!(node.to_json(), r#"{"a":[1,{"é":"x","b":null}]}"#);
    }

    #[test]
    fn names_that_repeat_are_kept() {
        assert_eq!(read(r#"{"a":1,"a":2}"#).unwrap().to_json(), r#"{"a":1,"a":2}"#);
    }

    #[test]
    fn broken_or_bottomless_text_is_an_error() {
        let error = read("{ \"a\":\n x }").unwrap_err();
        assert_eq!((error.at.line, error.message.as_str()), (2, "expected JSON: expected value"));
        assert!(read(&"[".repeat(100_000)).is_err());
        assert!(read(&format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))).is_err());
    }
}
