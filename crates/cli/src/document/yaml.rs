//! YAML with the positions of all values. Bare words are resolved as by Kubernetes and Envoy, that is as in YAML 1.1.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::{DEEPEST, Entry, MOST_NODES, Node, Position, Style, SyntaxError, Value};

/// How many bytes aliases and anchors may copy in total.
const MOST_COPIED: usize = 64 << 20;
/// The approximate size of a value without its text, in bytes.
const SIZE_OF_NODE: usize = size_of::<Entry>();

pub(crate) fn read(text: &str) -> Result<Vec<Node>, SyntaxError> {
    let mut builder = Builder::default();
    // Event by event: `Parser::load` recurses as deep as the document nests.
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| syntax_error(&error))?;
        builder.on_event(event, span)?;
    }
    Ok(builder.documents)
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    copied: usize,
}

/// A list or map that is not complete yet.
struct Open {
    at: Position,
    anchor: usize,
    children: Children,
}

enum Children {
    Items(Vec<Node>),
    Entries { complete: Vec<Entry>, name: Option<Name> },
}

/// The name of a field whose value comes next.
struct Name {
    text: String,
    at: Position,
    end: Position,
}

impl Builder {
    fn on_event(&mut self, event: Event<'_>, span: Span) -> Result<(), SyntaxError> {
        let [at, end] = [span.start, span.end].map(|marker| Position::new(marker.line(), marker.col() + 1));
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if let Some(name) = self.awaited_name() {
                    *name = Some(Name { text: text.into_owned(), at, end });
                    return Ok(());
                }
                let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                let value = match style {
                    ScalarStyle::Plain if !is_text => plain(&text),
                    ScalarStyle::Literal => Value::Text(text.into_owned(), Style::Block),
                    _ => Value::Text(text.into_owned(), Style::Inline),
                };
                self.add(Node { at, end, value }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.begin(at, anchor, Children::Items(Vec::new())),
            Event::MappingStart(anchor, _) => {
                self.begin(at, anchor, Children::Entries { complete: Vec::new(), name: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(end),
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else { return Err(broken(at, "an alias names nothing")) };
                self.copied = self.copied.saturating_add(size(node));
                if self.copied > MOST_COPIED {
                    return Err(broken(at, "aliases make it too large"));
                }
                let node = node.clone();
                self.add(node, 0)
            }
            // The scope of an anchor is its document.
            Event::DocumentEnd => {
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Returns the slot for the name of a field, if a name comes next.
    fn awaited_name(&mut self) -> Option<&mut Option<Name>> {
        match self.open.last_mut() {
            Some(Open { children: Children::Entries { name, .. }, .. }) if name.is_none() => Some(name),
            _ => None,
        }
    }

    fn begin(&mut self, at: Position, anchor: usize, children: Children) -> Result<(), SyntaxError> {
        if self.awaited_name().is_some() {
            return Err(broken(at, "expected a text for a name"));
        }
        if self.open.len() >= DEEPEST {
            return Err(broken(at, "nested too deeply"));
        }
        self.open.push(Open { at, anchor, children });
        Ok(())
    }

    fn end(&mut self, end: Position) -> Result<(), SyntaxError> {
        let Some(Open { at, anchor, children }) = self.open.pop() else { return Ok(()) };
        let value = match children {
            Children::Items(items) => Value::List(items),
            Children::Entries { complete, .. } => Value::Map(complete),
        };
        self.add(Node { at, end, value }, anchor)
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), SyntaxError> {
        let at = node.at;
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(broken(at, "too many values"));
        }
        if anchor > 0 {
            self.copied = self.copied.saturating_add(size(&node));
            if self.copied > MOST_COPIED {
                return Err(broken(at, "anchors make it too large"));
            }
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.children) {
            None => self.documents.push(node),
            Some(Children::Items(items)) => items.push(node),
            Some(Children::Entries { complete, name }) => match name.take() {
                Some(Name { text, at, end }) => {
                    complete.push(Entry { name: text, name_at: at, name_end: end, value: node });
                }
                None => return Err(broken(at, "expected a text for a name")),
            },
        }
        Ok(())
    }
}

fn broken(at: Position, message: &str) -> SyntaxError {
    SyntaxError { at, message: message.to_owned() }
}

/// Returns the approximate size of a copy, in bytes.
fn size(node: &Node) -> usize {
    let inner: usize = match &node.value {
        Value::List(items) => items.iter().map(size).sum(),
        Value::Map(entries) => entries.iter().map(|entry| entry.name.len() + size(&entry.value)).sum(),
        Value::Text(text, _) => text.len(),
        _ => 0,
    };
    SIZE_OF_NODE + inner
}

/// Resolves a plain scalar.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        "on" | "On" | "ON" | "yes" | "Yes" | "YES" => return Value::BareWord(true),
        "off" | "Off" | "OFF" | "no" | "No" | "NO" => return Value::BareWord(false),
        _ => {}
    }
    let digits = text.strip_prefix('+').unwrap_or(text);
    match serde_json::from_str(digits) {
        Ok(number) => Value::Number(number),
        Err(_) => Value::Text(text.to_owned(), Style::Inline),
    }
}

fn syntax_error(error: &ScanError) -> SyntaxError {
    let at = Position::new(error.marker().line().max(1), error.marker().col() + 1);
    SyntaxError { at, message: format!("expected YAML: {}", error.info()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::relocation;

    fn json_of(text: &str) -> Vec<String> {
        read(text).unwrap().iter().map(Node::to_json).collect()
    }

    #[test]
    fn documents_bare_words_and_aliases_are_read() {
        assert_eq!(
            json_of("a: on\nb: 'on'\nc: 1.0\n---\n- 08\n- ~\n- x y\n"),
            [r#"{"a":true,"b":"on","c":1.0}"#, r#"["08",null,"x y"]"#]
        );
        assert_eq!(json_of("a: &x {b: 1}\nc: *x\n"), [r#"{"a":{"b":1},"c":{"b":1}}"#]);
    }

    #[test]
    fn positions_in_a_block_map_to_lines_of_the_file() {
        let file = "top:\n  value: |\n\n    {\n      \"a\": 1 }\n";
        let node = &read(file).unwrap()[0];
        let holder = node.at(&["top", "value"]).unwrap();
        let to_file = relocation(file, holder);
        let inner = super::super::json(holder.text().unwrap()).unwrap();
        let at = to_file(inner.entries()[0].name_at);
        assert_eq!((at.line, at.column), (5, 7));
        let at = to_file(inner.at);
        assert_eq!((at.line, at.column), (4, 5));
    }

    #[test]
    fn what_is_broken_or_explodes_is_an_error() {
        assert!(read("a: [1\nb: 2").is_err());
        assert!(read("? [a]\n: b").is_err());
        let bomb: String =
            (1..30).map(|level| format!("- &a{level} [{}]\n", format!("*a{},", level - 1).repeat(9))).collect();
        assert!(read(&format!("- &a0 [x]\n{bomb}")).is_err());
        assert!(read(&"[".repeat(100_000)).is_err());
        assert_eq!(read("a: &x 1\n---\nb: *x\n").unwrap_err().at.line, 3);
    }

    #[test]
    fn the_stack_does_not_grow_with_the_document() {
        for open in ["- ", "? ", "[", "{a: "] {
            assert!(read(&open.repeat(200_000)).is_err(), "{open}");
        }
    }

    #[test]
    fn what_aliases_copy_is_bounded_in_bytes() {
        let text = "x".repeat(1 << 20);
        let aliases = |count: usize| format!("- &a {text}\n{}", "- *a\n".repeat(count));
        assert!(read(&aliases(60)).is_ok());
        let error = read(&aliases(70)).unwrap_err();
        assert_eq!((error.at.line, error.message.as_str()), (64, "aliases make it too large"));
        let anchors: String = (0..90).map(|level| format!("[&a{level} ")).collect();
        let error = read(&format!("{anchors}{text}{}", "]".repeat(90))).unwrap_err();
        assert_eq!(error.message, "anchors make it too large");
    }
}
