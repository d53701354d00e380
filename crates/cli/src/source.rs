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
/// What stands for a value, or for a part of a line that is left out.
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
        let start = left.len();
        let width = match subject.len() {
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

    /// Writes what stands between names and values: punctuation.
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
