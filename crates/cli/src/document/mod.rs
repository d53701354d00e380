//! Files as trees whose every part knows where it stands: JSON and YAML, several documents in one file.

mod json;
mod path;
mod yaml;

use std::fmt;

pub(super) use path::{Found, Located, path_of};

/// A place in a file; line and column count from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A value and where it begins.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Position,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// A bare `on`, `off`, `yes` or `no`, which readers of YAML 1.1 take for a boolean.
    BareWord(bool),
    Number(serde_json::Number),
    Text(String, Style),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// What was here has been taken out; what comes after it still has its number.
    Removed,
}

/// How a text is written: says where its own lines stand in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// As it is, or in quotes.
    Inline,
    /// As a block of lines behind `|`.
    Block,
}

/// One field of a map; names may repeat.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) name_at: Position,
    pub(super) value: Node,
}

/// A text that is no document.
#[derive(Debug)]
pub(super) struct SyntaxError {
    pub(super) at: Position,
    pub(super) message: String,
}

/// Deeper nesting is no configuration.
const DEEPEST: usize = 100;
/// More values, once aliases are replaced by what they name, are none either.
const MOST_NODES: usize = 5_000_000;

/// Reads all documents of a file.
///
/// # Errors
/// Says what is wrong with the syntax, and where.
pub(super) fn documents(file: &str, text: &str) -> Result<Vec<Node>, SyntaxError> {
    let is_json = text.trim_start().starts_with('{');
    match (is_json.then(|| json::read(text)), file.ends_with(".json")) {
        (Some(Ok(document)), _) => Ok(vec![document]),
        (Some(Err(error)), true) => Err(error),
        (None, true) => json::read(text).map(|document| vec![document]),
        _ => yaml::read(text),
    }
}

/// Reads a configuration that stands as text in another document.
///
/// # Errors
/// Says what is wrong with the syntax, and where in the text.
pub(super) fn json(text: &str) -> Result<Node, SyntaxError> {
    json::read(text)
}

impl Node {
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    pub(super) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text, _) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_true(&self) -> bool {
        matches!(self.value, Value::Bool(true) | Value::BareWord(true))
    }

    /// Returns the field of that name.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.name == name).map(|entry| &entry.value)
    }

    /// Returns what is reached by one name after the other.
    pub(super) fn at(&self, names: &[&str]) -> Option<&Node> {
        names.iter().try_fold(self, |node, name| node.get(name))
    }

    /// Returns the text of a field, empty where there is none.
    pub(super) fn text_of(&self, name: &str) -> &str {
        self.get(name).and_then(Node::text).unwrap_or_default()
    }

    /// Returns the value that one step leads to, an index into entries or items.
    pub(super) fn child(&self, step: usize) -> Option<&Node> {
        match &self.value {
            Value::List(items) => items.get(step),
            Value::Map(entries) => entries.get(step).map(|entry| &entry.value),
            _ => None,
        }
    }

    pub(super) fn is_removed(&self) -> bool {
        matches!(self.value, Value::Removed)
    }

    /// Takes out what the steps lead to, indices into entries and items.
    pub(super) fn remove(&mut self, steps: &[usize]) {
        let reached = steps.iter().try_fold(self, |node, step| match &mut node.value {
            Value::List(items) => items.get_mut(*step),
            Value::Map(entries) => entries.get_mut(*step).map(|entry| &mut entry.value),
            _ => None,
        });
        if let Some(node) = reached {
            node.value = Value::Removed;
        }
    }

    /// Writes the value as JSON, without what was taken out: names that repeat still repeat.
    pub(super) fn to_json(&self) -> String {
        let mut json = String::new();
        self.write(&mut json);
        json
    }

    fn write(&self, json: &mut String) {
        let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
        match &self.value {
            Value::Null | Value::Removed => json.push_str("null"),
            Value::Bool(value) | Value::BareWord(value) => json.push_str(if *value { "true" } else { "false" }),
            Value::Number(number) => json.push_str(&number.to_string()),
            Value::Text(text, _) => json.push_str(&quoted(text)),
            Value::List(items) => {
                json.push('[');
                for (index, item) in items.iter().filter(|item| !item.is_removed()).enumerate() {
                    json.push_str(if index == 0 { "" } else { "," });
                    item.write(json);
                }
                json.push(']');
            }
            Value::Map(entries) => {
                json.push('{');
                for (index, entry) in entries.iter().filter(|entry| !entry.value.is_removed()).enumerate() {
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

/// Returns how a position within a text becomes one in the file, where that text is a value.
pub(super) fn relocation(file: &str, holder: &Node) -> impl Fn(Position) -> Position + use<> {
    let at = holder.at;
    let block = match &holder.value {
        Value::Text(text, Style::Block) => {
            let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
            let (first, within) = text
                .lines()
                .enumerate()
                .find(|(_, line)| !line.trim().is_empty())
                .map_or((0, 0), |(index, line)| (index + 1, indent(line)));
            // A block is placed where its first line with content begins.
            let outside = file.lines().nth(at.line.saturating_sub(1)).map_or(0, indent);
            Some((first, outside.saturating_sub(within)))
        }
        _ => None,
    };
    move |position| match block {
        Some((first, indent)) => {
            Position { line: (at.line + position.line).saturating_sub(first), column: indent + position.column }
        }
        None => at,
    }
}
