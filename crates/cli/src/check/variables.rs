//! The environment variables for a check: those that the document passes to the filter, those that are set here, and a
//! placeholder for the rest.

use std::cell::RefCell;
use std::collections::BTreeSet;

use byok_core::KeyDigest;

use super::embedding::Variables;
use crate::Environment;
use crate::diagnostic::Diagnostic;
use crate::document::{Node, Position, path_of};

/// The environment of the filter; records which variables are not set.
pub(crate) struct FilterEnvironment<'a> {
    environment: &'a Environment,
    variables: &'a Variables,
    unset: RefCell<BTreeSet<String>>,
}

impl<'a> FilterEnvironment<'a> {
    pub(crate) fn new(environment: &'a Environment, variables: &'a Variables) -> Self {
        Self { environment, variables, unset: RefCell::default() }
    }

    /// Returns the variable's value, or a placeholder if it is not set here.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        if let Variables::Passed { written, .. } = self.variables
            && let Some(value) = written.get(name)
        {
            return Some(value.clone());
        }
        let set = (self.environment.variable)(name).filter(|value| !value.trim().is_empty());
        Some(set.unwrap_or_else(|| {
            self.unset.borrow_mut().insert(name.to_owned());
            format!("unset:{}", KeyDigest::of(name.as_bytes()).to_hex())
        }))
    }

    /// Returns the names of the variables that have a placeholder.
    pub(crate) fn unset(&self) -> Vec<String> {
        self.unset.borrow().iter().cloned().collect()
    }

    /// Returns an error for each variable that the filter does not receive, and a warning for each that is not set here.
    pub(crate) fn diagnostics(&self, configuration: &Node) -> Vec<Diagnostic> {
        let mut named = Vec::new();
        names(configuration, "environment_variable", &mut Vec::new(), &mut named);
        let unset = self.unset.borrow();
        let diagnostic = |(steps, at, name): (Vec<usize>, Position, &str)| {
            self.diagnostic(path_of(configuration, &steps), name, unset.contains(name), Some(at))
        };
        named.into_iter().filter_map(diagnostic).collect()
    }

    fn diagnostic(&self, path: String, name: &str, unset: bool, at: Option<Position>) -> Option<Diagnostic> {
        match self.variables {
            Variables::Passed { written, .. } if written.contains_key(name) => Some(Diagnostic::warning(
                path,
                "is set in clear text beside the configuration, which Envoy's /config_dump shows",
                at,
            )),
            Variables::Passed { from_host, field, .. } if !from_host.contains(name) => {
                let expected = "expected the name of an environment variable that the filter is given";
                Some(Diagnostic::error(path, expected, at).with_help(format!("add the name to {field}")))
            }
            _ => unset
                .then(|| Diagnostic::warning(path, "is not set here; the filter does not load unless it is set", at)),
        }
    }
}

/// Returns the paths of the secrets that Envoy is to deliver.
pub(super) fn sds_secrets(configuration: &Node) -> Vec<(String, Position)> {
    let mut named = Vec::new();
    names(configuration, "sds_secret", &mut Vec::new(), &mut named);
    named.into_iter().map(|(steps, at, _)| (path_of(configuration, &steps), at)).collect()
}

/// Collects the values of a field, and the steps to them.
fn names<'a>(node: &'a Node, field: &str, steps: &mut Vec<usize>, named: &mut Vec<(Vec<usize>, Position, &'a str)>) {
    let named_here = node.entries().iter().map(|entry| entry.value.text().filter(|_| entry.name == field));
    let children = node.items().iter().map(|item| (item, None));
    let children = children.chain(node.entries().iter().map(|entry| &entry.value).zip(named_here));
    for (step, (child, name)) in children.enumerate() {
        steps.push(step);
        match name {
            Some(name) => named.push((steps.clone(), child.at, name)),
            None => names(child, field, steps, named),
        }
        steps.pop();
    }
}
