//! The text of a file as diagnostics quote it: field names and punctuation are shown, values and comments are not.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::Range;

use byok_core::config::Shown;

use crate::document::{Node, Position, Value};

/// About how many characters a line shows on each side of the position in question.
const CONTEXT: usize = 50;
/// How many characters between two values are looked at.
const LONGEST_GAP: usize = 80;
/// Replaces a value, or a part of a line that is left out.
const MASK: &str = "…";

/// A file with the extents of its field names and values.
///
/// What is not known to be a field name or punctuation is masked, so that a mistake about an extent can't show a value.
pub(crate) struct Source<'a> {
    lines: Vec<&'a str>,
    /// In order and without overlap, on the wanted lines alone.
    tokens: Vec<Token<'a>>,
    /// A column of a line and its offset in bytes: the next one wanted is probably near.
    last: Cell<(u32, u32, usize)>,
}

#[derive(Clone, Copy)]
struct Token<'a> {
    start: Position,
    end: Position,
    /// A field name; `None` for a value.
    name: Option<&'a str>,
}

/// A document that is embedded as a string in another.
pub(crate) struct Embedded {
    /// Where the string is.
    pub(crate) holder: Position,
    pub(crate) document: Node,
    /// Maps a position in the string to one in the file; `None` if none can be mapped.
    pub(crate) to_file: Option<Box<dyn Fn(Position) -> Position>>,
}

/// One line with masked values.
#[derive(Debug, PartialEq)]
pub(crate) struct Excerpt {
    pub(crate) line: String,
    /// The bytes of `line` that the diagnostic is about.
    pub(crate) span: Range<usize>,
}

impl Embedded {
    /// Maps a position in the string to one in the file.
    pub(crate) fn position(&self, at: Position) -> Position {
        self.to_file.as_ref().map_or(self.holder, |to_file| to_file(at))
    }
}

impl<'a> Source<'a> {
    /// Prepares excerpts of the lines with the wanted positions.
    pub(crate) fn new(
        text: &'a str,
        documents: &'a [Node],
        embedded: &'a [Embedded],
        wanted: impl Iterator<Item = Position>,
    ) -> Self {
        let wanted: BTreeSet<u32> = wanted.map(|position| position.line).collect();
        let mapped = || embedded.iter().filter_map(|embedded| Some((embedded, embedded.to_file.as_ref()?)));
        let holders: BTreeSet<Position> = mapped().map(|(embedded, _)| embedded.holder).collect();
        let mut tokens = Vec::new();
        let mut add = |token: Token<'a>| {
            let is_wanted = wanted.range(token.start.line..=token.end.line.max(token.start.line)).next().is_some();
            if is_wanted && token.start < token.end && !(token.name.is_none() && holders.contains(&token.start)) {
                tokens.push(token);
            }
        };
        documents.iter().for_each(|document| collect(document, &mut add));
        for (embedded, to_file) in mapped() {
            collect(&embedded.document, &mut |Token { start, end, name }| {
                add(Token { start: to_file(start), end: to_file(end), name });
            });
        }
        tokens.sort_by_key(|token| token.start);
        // What an alias copies is there several times.
        let mut end = Position::START;
        tokens.retain(|token| {
            let follows = token.start >= end;
            end = end.max(token.end);
            follows
        });
        Self { lines: text.split('\n').collect(), tokens, last: Cell::new((0, 1, 0)) }
    }

    /// Returns the line of a position, with about fifty characters before and after it.
    pub(crate) fn excerpt(&self, at: Position) -> Option<Excerpt> {
        let line = self.lines.get(at.line.checked_sub(1)? as usize)?.trim_end_matches('\r');
        let tokens = self.on_line(at.line);
        let focus = tokens.partition_point(|token| token.start <= at).checked_sub(1);
        let focus = focus.filter(|index| tokens.get(*index).is_some_and(|token| at < token.end));
        let (before, token, after) = match focus {
            Some(index) => (tokens.get(..index)?, tokens.get(index), tokens.get(index + 1..)?),
            None => {
                let next = tokens.partition_point(|token| token.start <= at);
                (tokens.get(..next)?, None, tokens.get(next..)?)
            }
        };
        let extent = token.map_or(at.column..at.column, |token| columns(token, at.line));
        let left = self.left(line, at.line, before, extent.start);
        let subject = token.map(|token| self.shown(line, token, at.line)).unwrap_or_default();
        let right = self.right(line, at.line, after, extent.end);
        let start = left.len() + (subject.len() - subject.trim_start().len());
        let width = match subject.trim_start().len() {
            0 => right.chars().next().filter(|next| !next.is_whitespace()).map_or(0, char::len_utf8),
            width => width,
        };
        let line = left + &subject + &right;
        Some(Excerpt { line: line.trim_end().to_owned(), span: start..start + width })
    }

    /// Returns the tokens that have a part on a line.
    fn on_line(&self, line: u32) -> &[Token<'a>] {
        let start = self.tokens.partition_point(|token| token.end <= Position { line, column: 1 });
        let end = self.tokens.partition_point(|token| token.start.line <= line);
        self.tokens.get(start..end).unwrap_or_default()
    }

    /// Writes what is left of a column, as much as there is room for.
    fn left(&self, line: &str, number: u32, tokens: &[Token<'_>], column: u32) -> String {
        let (mut text, mut column) = (String::new(), column);
        for token in tokens.iter().rev() {
            let extent = columns(token, number);
            text.insert_str(0, &self.gap(line, number, extent.end..column));
            text.insert_str(0, &self.shown(line, token, number));
            column = extent.start;
            let width = text.chars().count();
            if column > 1 && (width > 2 * CONTEXT || (width > CONTEXT && token.name.is_some())) {
                return format!("{MASK} {text}");
            }
        }
        self.gap(line, number, 1..column) + &text
    }

    /// Writes what is right of a column, as much as there is room for.
    fn right(&self, line: &str, number: u32, tokens: &[Token<'_>], column: u32) -> String {
        let (mut text, mut column) = (String::new(), column);
        for token in tokens {
            let extent = columns(token, number);
            text += &self.gap(line, number, column..extent.start);
            if text.chars().count() > CONTEXT {
                return text.trim_end().to_owned() + " " + MASK;
            }
            text += &self.shown(line, token, number);
            column = extent.end;
        }
        text + &self.gap(line, number, column..u32::MAX)
    }

    /// Writes what is between names and values: punctuation.
    fn gap(&self, line: &str, number: u32, columns: Range<u32>) -> String {
        let mut shown = String::new();
        let length = columns.end.saturating_sub(columns.start) as usize;
        for character in self.from(line, number, columns.start).chars().take(length.min(LONGEST_GAP)) {
            match character {
                // A comment.
                '#' => break,
                character if character.is_whitespace() => shown.push(' '),
                '{' | '}' | '[' | ']' | ',' | ':' | '-' | '?' | '|' | '>' | '&' | '*' => shown.push(character),
                // A quote that belongs to a name or a value.
                '"' | '\'' => {}
                _ if shown.ends_with(MASK) => {}
                _ => shown.push_str(MASK),
            }
        }
        shown
    }

    fn shown(&self, line: &str, token: &Token<'_>, number: u32) -> String {
        let quote = (token.start.line == number)
            .then(|| self.from(line, number, token.start.column).chars().next())
            .flatten()
            .filter(|character| matches!(character, '"' | '\''))
            .map(String::from)
            .unwrap_or_default();
        match token.name.map(|name| Shown(name).to_string()) {
            Some(name) if name.starts_with('"') => name,
            Some(name) => format!("{quote}{name}{quote}"),
            None if token.start.line < number => {
                let indentation = line.len() - line.trim_start_matches(' ').len();
                " ".repeat(indentation.min(LONGEST_GAP)) + MASK
            }
            None => format!("{quote}{MASK}{quote}"),
        }
    }

    /// Returns the rest of a line from a column on.
    fn from<'t>(&self, line: &'t str, number: u32, column: u32) -> &'t str {
        let (last_number, mut at, mut offset) = self.last.get();
        if last_number != number {
            (at, offset) = (1, 0);
        }
        let (before, after) = line.split_at_checked(offset).unwrap_or(("", line));
        if column < at {
            let back = before.chars().rev().take((at - column) as usize);
            offset -= back.map(char::len_utf8).sum::<usize>();
        } else {
            let forward = after.chars().take((column - at) as usize);
            offset += forward.map(char::len_utf8).sum::<usize>();
        }
        at = column;
        // Beyond the end of the line, columns are not those of characters.
        self.last.set(if offset < line.len() { (number, at, offset) } else { (number, 1, 0) });
        line.get(offset..).unwrap_or_default()
    }
}

/// Returns the columns that a token covers on a line.
fn columns(token: &Token<'_>, line: u32) -> Range<u32> {
    let start = if token.start.line < line { 1 } else { token.start.column };
    let end = if token.end.line > line { u32::MAX } else { token.end.column };
    start..end
}

/// Finds the names and values of a document.
fn collect<'a>(node: &'a Node, add: &mut impl FnMut(Token<'a>)) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| collect(item, add)),
        Value::Map(entries) => {
            for entry in entries {
                add(Token { start: entry.name_at, end: entry.name_end, name: Some(&entry.name) });
                collect(&entry.value, add);
            }
        }
        _ => add(Token { start: node.at, end: node.end, name: None }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{self, documents};

    /// Returns the excerpt of each position, with carets below.
    fn excerpts(file: &str, text: &str, positions: &[(u32, u32)]) -> String {
        let documents = documents(file, text).unwrap();
        let positions = positions.iter().map(|&(line, column)| Position { line, column });
        let source = Source::new(text, &documents, &[], positions.clone());
        positions.map(|at| drawn(&source, at)).collect::<Vec<_>>().join("\n")
    }

    fn drawn(source: &Source<'_>, at: Position) -> String {
        let Excerpt { line, span } = source.excerpt(at).unwrap();
        let [before, until] = [..span.start, ..span.end].map(|part| line.get(part).unwrap().chars().count());
        format!("{line}\n{}{}", " ".repeat(before), "^".repeat(until - before))
    }

    #[test]
    fn names_are_shown_and_values_are_not() {
        assert_eq!(
            excerpts(
                "a.json",
                r#"{ "a" : [1, "secret", {"b":null}], "sk-EXAMPLE": true }"#,
                &[(1, 13), (1, 1), (1, 36)]
            ),
            r#"
{ "a" : […, "…", {"b":…}], "?": … }
            ^^^
{ "a" : […, "…", {"b":…}], "?": … }
^
{ "a" : […, "…", {"b":…}], "?": … }
                           ^^^"#
                .trim_start_matches('\n')
        );
        assert_eq!(
            excerpts("a.yaml", "a: {'b': se cret, c: \"x\"}  # secret: x", &[(1, 10)]),
            "a: {'b': …, c: \"…\"}\n         ^"
        );
    }

    #[test]
    fn values_of_several_lines_comments_tags_and_anchors_are_masked() {
        let text = r#"# secret: x
a: &secret
  b: !secret |+
    secret: {one}
    two
  c: se
    cret: no
"#
        .replace("cret: no", "cret no\r")
            + r#"f: [*secret, é: secret, secret]
'd': 'se
  cret' # x
? e
: >2
  secret
"#;
        let excerpt_of = |line: u32| excerpts("a.yaml", &text, &[(line, 3)]);
        let shown: Vec<String> = (1..=u32::try_from(text.lines().count()).unwrap()).map(excerpt_of).collect();
        assert!(!shown.concat().contains("cret"), "{shown:#?}");
        assert_eq!(shown[2], "  b: …\n  ^");
        assert_eq!(shown[3], "    …\n    ^");
    }

    #[test]
    fn of_a_long_line_the_part_around_the_position_is_shown() {
        let fields: Vec<String> = (1000..9999).map(|number| format!("\"field-{number}\": \"é\"")).collect();
        let text = format!("{{ {} }}", fields.join(", "));
        let at = documents("a.json", &text).unwrap()[0].get("field-5000").unwrap().at;
        let shown = excerpts("a.json", &text, &[(1, at.column)]);
        assert!(shown.starts_with(r#"… "field-4998": "…", "field-4999": "…", "field-5000": "…", "#), "{shown}");
        let (line, carets) = shown.split_once('\n').unwrap();
        assert!(line.ends_with(" …") && line.chars().count() < 140, "{shown}");
        assert_eq!(carets.find('^'), Some(54));
    }

    #[test]
    fn the_names_of_an_embedded_configuration_are_shown() {
        let text = "value: |\n\n    {\n      \"a\": \"secret\", \"b\":\n    [ 1 ] }\nc: |\n  secret\n";
        let documents = documents("a.yaml", text).unwrap();
        let holder = documents[0].get("value").unwrap();
        let document = document::json(holder.text().unwrap()).unwrap();
        let to_file = document::relocation(text, holder);
        let at = to_file(document.get("a").unwrap().at);
        let embedded = [Embedded { holder: holder.at, document, to_file: Some(Box::new(to_file)) }];
        let c = Position { line: 7, column: 3 };
        let source = Source::new(text, &documents, &embedded, [at, c].into_iter());
        assert_eq!(drawn(&source, at), "      \"a\": \"…\", \"b\":\n           ^^^");
        assert_eq!(drawn(&source, c), "  …\n  ^");
    }

    #[test]
    fn a_position_beyond_the_text_has_no_excerpt_or_an_empty_one() {
        let source = Source::new("a: 1", &[], &[], std::iter::empty());
        assert_eq!(source.excerpt(Position { line: 2, column: 1 }), None);
        let masked = Excerpt { line: "…: …".to_owned(), span: 8..8 };
        assert_eq!(source.excerpt(Position { line: 1, column: 99 }), Some(masked));
    }
}
