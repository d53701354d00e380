//! JSON paths as findings write them, and the part of a document that one names.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ptr;

use super::{Node, Position, Value};
use crate::config::Shown;

/// Returns the path that the steps take from the top, indices into entries and items, as the configuration's errors
/// write paths.
pub(in crate::cli) fn path_of(root: &Node, steps: &[usize]) -> String {
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

/// Finds parts of a tree by their paths.
pub(in crate::cli) struct Located<'a> {
    root: &'a Node,
    /// Whether nothing was taken out of the tree.
    is_whole: bool,
    /// The entries of maps that were looked into, by their names as paths show them.
    entries: RefCell<HashMap<*const Node, HashMap<String, usize>>>,
}

/// How far a path leads.
pub(in crate::cli) struct Found<'p> {
    /// Indices into entries and items, from the top.
    pub(in crate::cli) steps: Vec<usize>,
    /// What of the path names nothing; empty where the whole path does.
    pub(in crate::cli) rest: &'p str,
}

impl<'a> Located<'a> {
    pub(in crate::cli) fn new(root: &'a Node) -> Self {
        Self { root, is_whole: is_whole(root), entries: RefCell::default() }
    }

    /// Returns where the value of a path begins, or the nearest part around it.
    pub(in crate::cli) fn position(&self, path: &str) -> Position {
        let Found { steps, .. } = self.find(path);
        steps.iter().try_fold(self.root, |node, step| node.child(*step)).unwrap_or(self.root).at
    }

    pub(in crate::cli) fn contains(&self, path: &str) -> bool {
        self.find(path).rest.is_empty()
    }

    /// Follows a path as far as it leads; what was taken out does not count.
    pub(in crate::cli) fn find<'p>(&self, path: &'p str) -> Found<'p> {
        let mut found = Found { steps: Vec::new(), rest: path };
        let mut node = self.root;
        while let Some((part, rest)) = first_part(found.rest) {
            let Some(step) = self.step(node, part) else { break };
            let Some(child) = node.child(step) else { break };
            found.steps.push(step);
            (node, found.rest) = (child, rest);
        }
        found
    }

    fn step(&self, node: &Node, part: Part<'_>) -> Option<usize> {
        match (&node.value, part) {
            (Value::List(_), Part::Item(index)) if self.is_whole => Some(index),
            (Value::List(items), Part::Item(index)) => {
                // Nothing but what was taken out shifts the numbers.
                let kept = items.iter().enumerate().filter(|(_, item)| !item.is_removed());
                kept.map(|(step, _)| step).nth(index)
            }
            (Value::Map(entries), Part::Name(name)) => {
                let mut known = self.entries.borrow_mut();
                let names = known.entry(ptr::from_ref(node)).or_insert_with(|| {
                    let kept = entries.iter().enumerate().filter(|(_, entry)| !entry.value.is_removed());
                    // Of those that are shown alike the first counts.
                    kept.rev().map(|(step, entry)| (Shown(&entry.name).to_string(), step)).collect()
                });
                names.get(name).copied()
            }
            _ => None,
        }
    }
}

fn is_whole(node: &Node) -> bool {
    !node.is_removed() && node.items().iter().all(is_whole) && node.entries().iter().all(|entry| is_whole(&entry.value))
}

enum Part<'p> {
    Item(usize),
    /// As it is shown.
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
    use crate::cli::document::json;

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
            let found = located.find(path);
            assert_eq!((found.steps.as_slice(), found.rest), (steps, ""), "{path}");
        }
        let found = located.find("a[1].x.y[0]");
        assert_eq!((found.steps.as_slice(), found.rest), (&[0, 1][..], ".x.y[0]"));
        assert_eq!(located.find("a[2]").rest, "[2]");
    }

    #[test]
    fn what_was_taken_out_does_not_count() {
        let mut root = json(r#"{ "a": [1, 2, 3], "b": 4, "b": 5 }"#).unwrap();
        root.remove(&[0, 1]);
        root.remove(&[1]);
        let located = Located::new(&root);
        assert_eq!(located.find("a[1]").steps, [0, 2]);
        assert_eq!(located.find("b").steps, [2]);
    }
}
