//! The environment that a configuration is checked in: what the document passes on, what is set here, and a
//! stand-in for the rest.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::surroundings::Variables;
use crate::cli::World;
use crate::cli::document::{Located, Node, Value};
use crate::cli::finding::Finding;
use crate::secret::KeyDigest;

/// Answers for the environment of the filter and notes what it lacks.
pub(in crate::cli) struct Environment<'a> {
    world: &'a World,
    variables: &'a Variables,
    unset: RefCell<BTreeSet<String>>,
}

impl<'a> Environment<'a> {
    pub(in crate::cli) fn new(world: &'a World, variables: &'a Variables) -> Self {
        Self { world, variables, unset: RefCell::default() }
    }

    /// Returns the variable's value; where it is not set here, one that stands for it.
    pub(in crate::cli) fn value(&self, name: &str) -> Option<String> {
        if let Variables::Passed { written, .. } = self.variables
            && let Some(value) = written.get(name)
        {
            return Some(value.clone());
        }
        let set = (self.world.environment)(name).filter(|value| !value.trim().is_empty());
        Some(set.unwrap_or_else(|| {
            self.unset.borrow_mut().insert(name.to_owned());
            format!("unset:{}", KeyDigest::of(name.as_bytes()).to_hex())
        }))
    }

    /// Returns the names of the variables that something stood in for.
    pub(in crate::cli) fn unset(&self) -> Vec<String> {
        self.unset.borrow().iter().cloned().collect()
    }

    /// Says which variables the filter will not see, or does not see here.
    pub(super) fn findings(&self, configuration: &Node, located: &Located) -> Vec<Finding> {
        let mut named = Vec::new();
        names(configuration, String::new(), &mut named);
        let unset = self.unset.borrow();
        named.iter().filter_map(|(path, name)| self.finding(path, name, unset.contains(name), located)).collect()
    }

    fn finding(&self, path: &str, name: &str, unset: bool, located: &Located) -> Option<Finding> {
        let at = located.position(path);
        match self.variables {
            Variables::Passed { written, .. } if written.contains_key(name) => Some(Finding::warning(
                path,
                "is written in clear text beside the filter, which Envoy's /config_dump shows",
                at,
            )),
            Variables::Passed { from_host, field, .. } if !from_host.contains(name) => {
                let help = Some(format!("add its name to {field}"));
                Some(Finding {
                    help,
                    ..Finding::error(path, "expected the name of an environment variable that the filter is given", at)
                })
            }
            _ => unset
                .then(|| Finding::warning(path, "is not set here; the filter does not load where it is not set", at)),
        }
    }
}

/// Collects the paths at which variables are named.
fn names(node: &Node, path: String, named: &mut Vec<(String, String)>) {
    match &node.value {
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                names(item, format!("{path}[{index}]"), named);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                let dot = if path.is_empty() { "" } else { "." };
                let path = format!("{path}{dot}{}", entry.name);
                match entry.value.text() {
                    Some(name) if entry.name == "environment_variable" => named.push((path, name.to_owned())),
                    _ => names(&entry.value, path, named),
                }
            }
        }
        _ => {}
    }
}
