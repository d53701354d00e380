//! YAML, with the place of every value. Bare words are read as Kubernetes and Envoy do, that is as YAML 1.1.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, SpannedEventReceiver};

use super::{DEEPEST, Entry, MOST_NODES, Node, Position, Style, SyntaxError, Value};

pub(super) fn read(text: &str) -> Result<Vec<Node>, SyntaxError> {
    let mut builder = Builder::default();
    let parsed = Parser::new_from_str(text).load(&mut builder, true);
    match (builder.broken, parsed) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(syntax_error(&error)),
        (None, Ok(())) => Ok(builder.documents),
    }
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    broken: Option<SyntaxError>,
}

/// A list or map that is not complete yet.
struct Open {
    at: Position,
    anchor: usize,
    children: Children,
}

enum Children {
    Items(Vec<Node>),
    Entries { complete: Vec<Entry>, name: Option<(String, Position)> },
}

impl<'input> SpannedEventReceiver<'input> for Builder {
    fn on_event(&mut self, event: Event<'input>, span: Span) {
        if self.broken.is_some() {
            return;
        }
        let at = Position { line: span.start.line(), column: span.start.col() + 1 };
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if let Some(name) = self.awaited_name() {
                    *name = Some((text.into_owned(), at));
                    return;
                }
                let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                let value = match style {
                    ScalarStyle::Plain if !is_text => plain(&text),
                    ScalarStyle::Literal => Value::Text(text.into_owned(), Style::Block),
                    _ => Value::Text(text.into_owned(), Style::Inline),
                };
                self.add(Node { at, value }, anchor, 1);
            }
            Event::SequenceStart(anchor, _) => self.begin(at, anchor, Children::Items(Vec::new())),
            Event::MappingStart(anchor, _) => {
                self.begin(at, anchor, Children::Entries { complete: Vec::new(), name: None });
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => {
                    let size = size(&node);
                    self.add(node, 0, size);
                }
                None => self.fail(at, "an alias names nothing"),
            },
            _ => {}
        }
    }
}

impl Builder {
    /// Returns where the name of a field goes, if one comes next.
    fn awaited_name(&mut self) -> Option<&mut Option<(String, Position)>> {
        match self.open.last_mut() {
            Some(Open { children: Children::Entries { name, .. }, .. }) if name.is_none() => Some(name),
            _ => None,
        }
    }

    fn begin(&mut self, at: Position, anchor: usize, children: Children) {
        if self.awaited_name().is_some() {
            return self.fail(at, "expected a text for a name");
        }
        if self.open.len() >= DEEPEST {
            return self.fail(at, "nested too deeply");
        }
        self.open.push(Open { at, anchor, children });
    }

    fn end(&mut self) {
        let Some(Open { at, anchor, children }) = self.open.pop() else { return };
        let value = match children {
            Children::Items(items) => Value::List(items),
            Children::Entries { complete, .. } => Value::Map(complete),
        };
        self.add(Node { at, value }, anchor, 1);
    }

    fn add(&mut self, node: Node, anchor: usize, size: usize) {
        self.nodes += size;
        if self.nodes > MOST_NODES {
            return self.fail(node.at, "aliases make it too large");
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.children) {
            None => self.documents.push(node),
            Some(Children::Items(items)) => items.push(node),
            Some(Children::Entries { complete, name }) => match name.take() {
                Some((name, name_at)) => complete.push(Entry { name, name_at, value: node }),
                None => self.fail(node.at, "expected a text for a name"),
            },
        }
    }

    fn fail(&mut self, at: Position, message: &str) {
        self.broken = Some(SyntaxError { at, message: message.to_owned() });
    }
}

/// Counts a value and all in it, so that aliases of aliases are bounded.
fn size(node: &Node) -> usize {
    let inner: usize = match &node.value {
        Value::List(items) => items.iter().map(size).sum(),
        Value::Map(entries) => entries.iter().map(|entry| size(&entry.value)).sum(),
        _ => 0,
    };
    inner + 1
}

/// Reads a word without quotes.
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
    let at = Position { line: error.marker().line().max(1), column: error.marker().col() + 1 };
    SyntaxError { at, message: format!("expected YAML: {}", error.info()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::document::relocation;

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
    fn a_block_knows_where_its_lines_stand() {
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
    }
}
