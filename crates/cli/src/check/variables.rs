//! The environment that a configuration is checked in: what the document passes on, what is set here, and a
//! stand-in for the rest.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::surroundings::Variables;
use crate::cli::World;
use crate::cli::document::{Node, Position, path_of};
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
    pub(super) fn findings(&self, configuration: &Node) -> Vec<Finding> {
        let mut named = Vec::new();
        names(configuration, &mut Vec::new(), &mut named);
        let unset = self.unset.borrow();
        let finding = |(steps, at, name): (Vec<usize>, Position, &str)| {
            self.finding(path_of(configuration, &steps), name, unset.contains(name), Some(at))
        };
        named.into_iter().filter_map(finding).collect()
    }

    fn finding(&self, path: String, name: &str, unset: bool, at: Option<Position>) -> Option<Finding> {
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

/// Collects the names of variables, and the steps to them.
fn names<'a>(node: &'a Node, steps: &mut Vec<usize>, named: &mut Vec<(Vec<usize>, Position, &'a str)>) {
    let named_here =
        node.entries().iter().map(|entry| entry.value.text().filter(|_| entry.name == "environment_variable"));
    let children = node.items().iter().map(|item| (item, None));
    let children = children.chain(node.entries().iter().map(|entry| &entry.value).zip(named_here));
    for (step, (child, name)) in children.enumerate() {
        steps.push(step);
        match name {
            Some(name) => named.push((steps.clone(), child.at, name)),
            None => names(child, steps, named),
        }
        steps.pop();
    }
}
