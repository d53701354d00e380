//! Files as trees of values with their positions: JSON and YAML, several documents per file.

mod json;
mod path;
mod yaml;

use std::fmt;

pub(crate) use path::{Located, path_of};

/// A position in a file; line and column count from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Position {
    /// The first character of a file.
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// Converts what a reader of JSON or YAML counts; files have at most 64 MiB.
    fn new(line: usize, column: usize) -> Self {
        Self { line: u32::try_from(line).unwrap_or(u32::MAX), column: u32::try_from(column).unwrap_or(u32::MAX) }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A value and its extent.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// The first character of the value.
    pub(crate) at: Position,
    /// Just after the last one.
    pub(crate) end: Position,
    pub(crate) value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// A bare `on`, `off`, `yes` or `no`, which is a boolean in YAML 1.1.
    BareWord(bool),
    Number(serde_json::Number),
    Text(String, Style),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// How a string is written, which decides whether positions in it can be mapped to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Plain or in quotes.
    Inline,
    /// As a literal block of lines after `|`.
    Block,
}

/// One field of a map; names may repeat.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) name_at: Position,
    pub(crate) name_end: Position,
    pub(crate) value: Node,
}

/// Why a text is not a document.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub(crate) at: Position,
    pub(crate) message: String,
}

/// How deeply values may nest.
const DEEPEST: usize = 100;
/// How many values a file may have, once aliases are replaced by what they refer to.
const MOST_NODES: usize = 5_000_000;

/// Reads all documents of a file.
///
/// # Errors
/// Returns the first error of syntax.
pub(crate) fn documents(file: &str, text: &str) -> Result<Vec<Node>, SyntaxError> {
    let is_json = text.trim_start().starts_with('{');
    match (is_json.then(|| json::read(text)), file.ends_with(".json")) {
        (Some(Ok(document)), _) => Ok(vec![document]),
        (Some(Err(error)), true) => Err(error),
        (None, true) => json::read(text).map(|document| vec![document]),
        _ => yaml::read(text),
    }
}

/// Reads a configuration that is embedded in another document as a string.
///
/// # Errors
/// Returns the first error of syntax; its position is one in the text.
pub(crate) fn json(text: &str) -> Result<Node, SyntaxError> {
    json::read(text)
}

impl Node {
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    pub(crate) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text, _) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_true(&self) -> bool {
        matches!(self.value, Value::Bool(true) | Value::BareWord(true))
    }

    /// Returns the field of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.name == name).map(|entry| &entry.value)
    }

    /// Returns what is reached by one name after the other.
    pub(crate) fn at(&self, names: &[&str]) -> Option<&Node> {
        names.iter().try_fold(self, |node, name| node.get(name))
    }

    /// Returns the text of a field, empty where there is none.
    pub(crate) fn text_of(&self, name: &str) -> &str {
        self.get(name).and_then(Node::text).unwrap_or_default()
    }

    /// Returns the value that one step leads to, an index into entries or items.
    pub(crate) fn child(&self, step: usize) -> Option<&Node> {
        match &self.value {
            Value::List(items) => items.get(step),
            Value::Map(entries) => entries.get(step).map(|entry| &entry.value),
            _ => None,
        }
    }

    /// Writes the value as JSON; repeated names stay repeated.
    pub(crate) fn to_json(&self) -> String {
        let mut json = String::new();
        self.write(&mut json);
        json
    }

    /// Converts the value; of entries with the same name the first counts.
    pub(crate) fn to_value(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) | Value::BareWord(value) => (*value).into(),
            Value::Number(number) => number.clone().into(),
            Value::Text(text, _) => text.as_str().into(),
            Value::List(items) => items.iter().map(Node::to_value).collect(),
            Value::Map(entries) => {
                let mut fields = serde_json::Map::new();
                for entry in entries {
                    fields.entry(entry.name.as_str()).or_insert_with(|| entry.value.to_value());
                }
                fields.into()
            }
        }
    }

    fn write(&self, json: &mut String) {
        let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
        match &self.value {
            Value::Null => json.push_str("null"),
            Value::Bool(value) | Value::BareWord(value) => json.push_str(if *value { "true" } else { "false" }),
            Value::Number(number) => json.push_str(&number.to_string()),
            Value::Text(text, _) => json.push_str(&quoted(text)),
            Value::List(items) => {
                json.push('[');
                for (index, item) in items.iter().enumerate() {
                    json.push_str(if index == 0 { "" } else { "," });
                    item.write(json);
                }
                json.push(']');
            }
            Value::Map(entries) => {
                json.push('{');
                for (index, entry) in entries.iter().enumerate() {
                    json.push_str(if index == 0 { "" } else { "," });
                    json.push_str(&quoted(&entry.name));
                    json.push(':');
                    entry.value.write(json);
                }
                json.push('}');
            }
        }
    }
}

/// Returns a mapping from positions in a string value to positions in the file.
///
/// Only the lines of a literal block can be mapped one to one; every position in another string is that of the string.
pub(crate) fn relocation(file: &str, holder: &Node) -> impl Fn(Position) -> Position + use<> {
    let at = holder.at;
    let block = match &holder.value {
        Value::Text(text, Style::Block) => {
            let indent =
                |line: &str| u32::try_from(line.len() - line.trim_start_matches(' ').len()).unwrap_or(u32::MAX);
            let (first, within) = text
                .lines()
                .zip(1..)
                .find(|(line, _)| !line.trim().is_empty())
                .map_or((0, 0), |(line, number)| (number, indent(line)));
            // The position of a block is that of its first line with content.
            let outside = file.lines().nth(at.line.saturating_sub(1) as usize).map_or(0, indent);
            Some((first, outside.saturating_sub(within)))
        }
        _ => None,
    };
    move |position| match block {
        Some((first, indent)) => Position {
            line: at.line.saturating_add(position.line).saturating_sub(first),
            column: indent.saturating_add(position.column),
        },
        None => at,
    }
}
