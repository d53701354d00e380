//! JSON paths as diagnostics show them, and the values that they refer to.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ptr;

use byok_core::config::Shown;

use super::{Node, Position, Value};

/// Returns the path of the value that the steps lead to, indices into entries and items, in the form that the filter's
/// errors have.
pub(crate) fn path_of(root: &Node, steps: &[usize]) -> String {
    let mut path = String::new();
    let mut node = Some(root);
    for step in steps {
        match node.map(|node| &node.value) {
            Some(Value::List(_)) => path.push_str(&format!("[{step}]")),
            Some(Value::Map(entries)) => {
                let name = entries.get(*step).map_or("", |entry| &entry.name);
                path.push_str(if path.is_empty() { "" } else { "." });
                path.push_str(&Shown(name).to_string());
            }
            _ => {}
        }
        node = node.and_then(|node| node.child(*step));
    }
    path
}

/// Finds the positions of JSON paths in a document.
pub(crate) struct Located<'a> {
    root: &'a Node,
    /// Entries of the maps visited so far, by their names as paths show them.
    entries: RefCell<HashMap<*const Node, HashMap<String, usize>>>,
}

impl<'a> Located<'a> {
    pub(crate) fn new(root: &'a Node) -> Self {
        Self { root, entries: RefCell::default() }
    }

    /// Returns where the value of a path begins, or the nearest value around it.
    pub(crate) fn position(&self, path: &str) -> Position {
        self.node(path).at
    }

    /// Returns the value of a path, or the nearest one around it.
    pub(crate) fn node(&self, path: &str) -> &'a Node {
        self.find(path).0
    }

    /// Follows a path as far as it leads; returns the value there and the rest of the path.
    fn find<'p>(&self, path: &'p str) -> (&'a Node, &'p str) {
        let mut found = (self.root, path);
        while let Some((part, rest)) = first_part(found.1) {
            let Some(child) = self.step(found.0, part).and_then(|step| found.0.child(step)) else { break };
            found = (child, rest);
        }
        found
    }

    fn step(&self, node: &Node, part: Part<'_>) -> Option<usize> {
        match (&node.value, part) {
            (Value::List(_), Part::Item(index)) => Some(index),
            (Value::Map(entries), Part::Name(name)) => {
                let mut known = self.entries.borrow_mut();
                let names = known.entry(ptr::from_ref(node)).or_insert_with(|| {
                    // Of several names that are shown alike the first counts.
                    let numbered = entries.iter().enumerate().rev();
                    numbered.map(|(step, entry)| (Shown(&entry.name).to_string(), step)).collect()
                });
                names.get(name).copied()
            }
            _ => None,
        }
    }
}

enum Part<'p> {
    Item(usize),
    /// As paths show it.
    Name(&'p str),
}

/// Splits the first part from a path.
fn first_part(path: &str) -> Option<(Part<'_>, &str)> {
    if let Some(rest) = path.strip_prefix('[') {
        let (index, rest) = rest.split_once(']')?;
        return Some((Part::Item(index.parse().ok()?), rest));
    }
    let path = path.strip_prefix('.').unwrap_or(path);
    let end = match path.strip_prefix('"') {
        Some(quoted) => end_of_quoted(quoted)? + 2,
        None => path.find(['.', '[']).unwrap_or(path.len()),
    };
    let (name, rest) = path.split_at_checked(end)?;
    (!name.is_empty()).then_some((Part::Name(name), rest))
}

fn end_of_quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let is_end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        is_end
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::json;

    #[test]
    fn every_part_is_found_by_its_path() {
        let root = json(r#"{ "a": [1, { "b.c": 2, "\"]\\": [[3]], "": 4, "sk-EXAMPLE": 5 }], "d": {} }"#).unwrap();
        let located = Located::new(&root);
        for (steps, path) in [
            (&[0][..], "a"),
            (&[0, 0], "a[0]"),
            (&[0, 1, 0], r#"a[1]."b.c""#),
            (&[0, 1, 1], r#"a[1]."\"]\\""#),
            (&[0, 1, 1, 0, 0], r#"a[1]."\"]\\"[0][0]"#),
            (&[0, 1, 2], "a[1].\"\""),
            (&[0, 1, 3], "a[1].?"),
            (&[1], "d"),
            (&[], ""),
        ] {
            assert_eq!(path_of(&root, steps), path);
            let (found, rest) = located.find(path);
            let expected = steps.iter().fold(&root, |node, step| node.child(*step).unwrap());
            assert!(std::ptr::eq(found, expected) && rest.is_empty(), "{path}");
        }
        assert_eq!(located.find("a[1].x.y[0]").1, ".x.y[0]");
        assert_eq!(located.find("a[2]").1, "[2]");
    }
}
