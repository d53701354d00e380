//! JSON paths as findings write them, and the part of a document that one names.

use std::collections::HashMap;

use super::{Node, Position, Value};

/// Every part of a tree by its path, written as errors of the configuration write theirs.
pub(in crate::cli) struct Located {
    places: HashMap<String, Place>,
    by_position: HashMap<Position, String>,
}

/// Where a part stands, and how to reach it: indices into entries and items, from the top.
#[derive(Clone)]
struct Place {
    at: Position,
    name_at: Position,
    steps: Vec<usize>,
}

impl Located {
    /// Notes all parts; `shown` writes a path as the configuration's errors do.
    pub(in crate::cli) fn new(root: &Node, shown: fn(&str) -> String) -> Self {
        let mut places = HashMap::new();
        note(root, root.at, String::new(), Vec::new(), shown, &mut places);
        let by_position = places.iter().map(|(path, place)| (place.at, path.clone())).collect();
        Self { places, by_position }
    }

    /// Returns the path of what begins there.
    pub(in crate::cli) fn path_at(&self, at: Position) -> Option<&str> {
        self.by_position.get(&at).map(String::as_str)
    }

    /// Returns where the value of a path begins, or the nearest part around it.
    pub(in crate::cli) fn position(&self, path: &str) -> Option<Position> {
        self.nearest(path).map(|place| place.at)
    }

    /// Returns where the name of a path's last part stands.
    pub(in crate::cli) fn name_position(&self, path: &str) -> Option<Position> {
        self.nearest(path).map(|place| place.name_at)
    }

    pub(in crate::cli) fn contains(&self, path: &str) -> bool {
        self.places.contains_key(path)
    }

    /// Returns the way to a path's part, as indices from the top.
    pub(in crate::cli) fn steps(&self, path: &str) -> Option<&[usize]> {
        self.places.get(path).map(|place| place.steps.as_slice())
    }

    fn nearest(&self, path: &str) -> Option<&Place> {
        let mut path = path;
        loop {
            if let Some(place) = self.places.get(path) {
                return Some(place);
            }
            let shorter = path.rfind(['.', '[']).and_then(|end| path.get(..end));
            match shorter {
                Some(shorter) => path = shorter,
                None => return self.places.get(""),
            }
        }
    }
}

fn note(
    node: &Node,
    name_at: Position,
    path: String,
    steps: Vec<usize>,
    shown: fn(&str) -> String,
    places: &mut HashMap<String, Place>,
) {
    let then = |index: usize| steps.iter().copied().chain([index]).collect::<Vec<_>>();
    match &node.value {
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                note(item, item.at, format!("{path}[{index}]"), then(index), shown, places);
            }
        }
        Value::Map(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                let dot = if path.is_empty() { "" } else { "." };
                let path = format!("{path}{dot}{}", entry.name);
                note(&entry.value, entry.name_at, path, then(index), shown, places);
            }
        }
        _ => {}
    }
    let key = if path.is_empty() { path } else { shown(&path) };
    places.entry(key).or_insert(Place { at: node.at, name_at, steps });
}
