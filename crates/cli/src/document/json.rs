//! JSON with the positions of all values, in one pass over a text that `serde_json` accepts.

use serde::de::IgnoredAny;

use super::{DEEPEST, Entry, MOST_NODES, Node, Position, Style, SyntaxError, Value};

pub(crate) fn read(text: &str) -> Result<Node, SyntaxError> {
    // `IgnoredAny` does not recurse.
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| syntax_error(&error))?;
    let mut reader = Reader { rest: text, at: Position::START, nodes: 0 };
    reader.skip_whitespace();
    reader.value(0)
}

struct Reader<'a> {
    rest: &'a str,
    /// Where the rest begins.
    at: Position,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Node, SyntaxError> {
        let at = self.at;
        self.nodes += 1;
        if depth > DEEPEST {
            return Err(self.broken("nested too deeply"));
        }
        if self.nodes > MOST_NODES {
            return Err(self.broken("too many values"));
        }
        let value = match self.next() {
            Some(b'{') => Value::Map(self.entries(depth)?),
            Some(b'[') => Value::List(self.items(depth)?),
            Some(b'"') => Value::Text(self.string()?, Style::Inline),
            _ => self.word()?,
        };
        Ok(Node { at, end: self.at, value })
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<Entry>, SyntaxError> {
        let mut entries = Vec::new();
        while self.advance(b'}') {
            let name_at = self.at;
            let name = self.string()?;
            let name_end = self.at;
            self.skip_whitespace();
            self.consume(1);
            self.skip_whitespace();
            entries.push(Entry { name, name_at, name_end, value: self.value(depth + 1)? });
            self.skip_whitespace();
        }
        Ok(entries)
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Node>, SyntaxError> {
        let mut items = Vec::new();
        while self.advance(b']') {
            items.push(self.value(depth + 1)?);
            self.skip_whitespace();
        }
        Ok(items)
    }

    /// Moves from a bracket or comma to the value or name after it, or past the closing bracket.
    fn advance(&mut self, end: u8) -> bool {
        if self.next() != Some(end) {
            self.consume(1);
            self.skip_whitespace();
        }
        let has_next = self.next().is_some_and(|byte| byte != end);
        if !has_next {
            self.consume(1);
        }
        has_next
    }

    fn string(&mut self) -> Result<String, SyntaxError> {
        let mut escaped = false;
        let end = self.rest.bytes().skip(1).position(|byte| {
            let is_end = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            is_end
        });
        self.parsed(end.map_or(self.rest.len(), |end| end + 2))
    }

    /// Reads a number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<Value, SyntaxError> {
        let end = self.rest.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(self.rest.len());
        Ok(match self.next() {
            Some(b't') => self.literal(end, Value::Bool(true)),
            Some(b'f') => self.literal(end, Value::Bool(false)),
            Some(b'n') => self.literal(end, Value::Null),
            _ => Value::Number(self.parsed(end)?),
        })
    }

    fn literal(&mut self, bytes: usize, value: Value) -> Value {
        self.consume(bytes);
        value
    }

    fn parsed<T: serde::Deserialize<'a>>(&mut self, bytes: usize) -> Result<T, SyntaxError> {
        let at = self.at;
        serde_json::from_str(self.consume(bytes)).map_err(|error| SyntaxError { at, message: without_position(&error) })
    }

    fn next(&self) -> Option<u8> {
        self.rest.bytes().next()
    }

    fn skip_whitespace(&mut self) {
        let bytes = self.rest.len() - self.rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.consume(bytes);
    }

    /// Consumes that many bytes, which end at a character boundary.
    fn consume(&mut self, bytes: usize) -> &'a str {
        let (consumed, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        for character in consumed.chars() {
            if character == '\n' {
                self.at = Position { line: self.at.line + 1, column: 1 };
            } else {
                self.at.column += 1;
            }
        }
        self.rest = rest;
        consumed
    }

    fn broken(&self, message: &str) -> SyntaxError {
        SyntaxError { at: self.at, message: message.to_owned() }
    }
}

fn syntax_error(error: &serde_json::Error) -> SyntaxError {
    // Column 0 is the end of the line before.
    let at = Position::new(error.line().max(1), error.column().max(1));
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
    fn every_kind_of_value_is_read() {
        for text in ["[]", "{}", r#"[[],{},"",-1.5,true,false,null]"#, r#"{"a":{"b":[{}]},"\"]":"\\"}"#, "7"] {
            assert_eq!(read(text).unwrap().to_json(), text);
        }
        assert_eq!(read(" [ 1 ,\r\n\t{ \"a\" : [ ] } ] ").unwrap().to_json(), r#"[1,{"a":[]}]"#);
    }

    #[test]
    fn half_of_a_pair_of_surrogates_is_an_error() {
        assert_eq!(read("[1,\n \"\\ud800\"]").unwrap_err().at, Position { line: 2, column: 2 });
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
