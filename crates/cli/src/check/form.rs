//! All mistakes of a configuration at once: the filter stops at the first error of form, the tool takes that part
//! out and lets the filter read the rest.

use crate::cli::document::{Located, Node, Value};
use crate::cli::finding::Finding;
use crate::config::{self, ConfigError, Loaded, shown};
use crate::policy::Policy;

/// More errors of form help nobody.
const MOST: usize = 50;

/// What the filter says about a configuration, and the rest of what it would say later.
pub(in crate::cli) struct Verdict {
    pub(in crate::cli) errors: Vec<Finding>,
    /// Present where there is no error.
    pub(in crate::cli) loaded: Option<Loaded>,
    /// Whether an error may hide others.
    pub(super) more_may_follow: bool,
}

pub(in crate::cli) fn examine(root: &Node, environment: &dyn Fn(&str) -> Option<String>) -> Verdict {
    let original = Located::new(root, shown);
    let mut rest = Rest { tree: root.clone(), errors: Vec::new(), removed: Vec::new() };
    rest.take_out_repeats(&original);
    while rest.errors.len() < MOST {
        let Some(error) = config::error_of_form(rest.tree.to_json().as_bytes()) else { break };
        if !rest.take_out(&error, &original) {
            break;
        }
    }
    let mut errors = rest.errors;
    let of_form = errors.len();
    let mut loaded = None;
    let mut hidden = false;
    match Policy::from_json(rest.tree.to_json().as_bytes(), environment) {
        Ok(policy) if of_form == 0 => loaded = Some(policy),
        Ok(_) => {}
        Err(further) if rest.removed.is_empty() => errors.extend(further.iter().map(|error| finding(error, &original))),
        Err(further) => {
            let reduced = Located::new(&rest.tree, shown);
            for error in further {
                let error = translated(error, &reduced, &original);
                if follows_from(&rest.removed, &error, &original) {
                    hidden = true;
                } else {
                    errors.push(finding(&error, &original));
                }
            }
        }
    }
    Verdict { errors, loaded, more_may_follow: hidden || of_form >= MOST }
}

fn finding(error: &ConfigError, document: &Located) -> Finding {
    Finding::error(error.path.clone(), error.message.clone(), document.position(&error.path))
}

/// A configuration without the parts that are wrong.
struct Rest {
    tree: Node,
    errors: Vec<Finding>,
    removed: Vec<Removed>,
}

struct Removed {
    /// The part's path in the whole configuration.
    path: String,
    /// A field that nobody knows and that is no misspelt one: without it the rest is what it was.
    stray: bool,
}

/// The fields that other fields refer to.
const REFERRED_TO: [&str; 5] = ["consumers", "providers", "mode", "key_sources", "verification_service"];

impl Rest {
    /// Takes out the first error of form; returns whether there was anything to take out.
    fn take_out(&mut self, error: &ConfigError, original: &Located) -> bool {
        let reduced = Located::new(&self.tree, shown);
        let message = error.message.rsplit_once(" (line ").map_or(&*error.message, |(message, _)| message);
        let Some(steps) = reduced.steps(&error.path).filter(|steps| !steps.is_empty()) else {
            let path = if error.path == "configuration" { String::new() } else { error.path.clone() };
            self.errors.push(Finding::error(path.clone(), message, original.position(&path)));
            return false;
        };
        let path = path_in(original, &reduced, &error.path);
        let unknown = message.starts_with("unknown field");
        let meant = if unknown { similar(&path, message) } else { None };
        // What lacks a field because that was taken out is no second mistake.
        let robbed = message.starts_with("missing field")
            && self.removed.iter().any(|removed| is_field_of(&removed.path, &path));
        if !robbed {
            let at = if unknown { original.name_position(&path) } else { original.position(&path) };
            let help = meant.as_ref().map(|name| format!("did you mean `{name}`?"));
            let help = help.or_else(|| node_at(&self.tree, steps).and_then(help_for));
            self.errors.push(Finding { help, ..Finding::error(path.clone(), message, at) });
        }
        let steps = steps.to_vec();
        self.tree.remove(&steps);
        self.removed.push(Removed { path, stray: unknown && meant.is_none() });
        true
    }

    /// Takes out names that stand in an object before.
    fn take_out_repeats(&mut self, original: &Located) {
        let errors = &mut self.errors;
        without_repeats(&mut self.tree, &mut |holder, name, at| {
            let path = original.path_at(holder).unwrap_or_default();
            errors.push(Finding::error(path, format!("duplicate field `{}`", shown(name)), Some(at)));
        });
    }
}

fn without_repeats(
    node: &mut Node,
    report: &mut impl FnMut(crate::cli::document::Position, &str, crate::cli::document::Position),
) {
    let holder = node.at;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| without_repeats(item, report)),
        Value::Map(entries) => {
            let mut seen = std::collections::HashSet::new();
            entries.retain(|entry| {
                let first = seen.insert(entry.name.clone());
                if !first {
                    report(holder, &entry.name, entry.name_at);
                }
                first
            });
            entries.iter_mut().for_each(|entry| without_repeats(&mut entry.value, report));
        }
        _ => {}
    }
}

fn node_at<'a>(root: &'a Node, steps: &[usize]) -> Option<&'a Node> {
    steps.iter().try_fold(root, |node, step| match &node.value {
        Value::List(items) => items.get(*step),
        Value::Map(entries) => entries.get(*step).map(|entry| &entry.value),
        _ => None,
    })
}

fn help_for(node: &Node) -> Option<String> {
    let bare = matches!(node.value, Value::BareWord(_));
    bare.then(|| "YAML reads a bare on, off, yes or no as a boolean: put it in quotes".to_owned())
}

/// Returns the field, of those that a message lists, that was probably meant.
fn similar(path: &str, message: &str) -> Option<String> {
    let name = path.rsplit('.').next()?;
    let listed = message.split('`').skip(1).step_by(2);
    let near = listed.map(|known| (strsim::jaro_winkler(name, known), known)).filter(|(likeness, _)| *likeness > 0.85);
    near.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, known)| known.to_owned())
}

/// Returns the path that a part has in the whole configuration, where indices count what was taken out.
fn path_in(original: &Located, reduced: &Located, path: &str) -> String {
    let same = reduced.position(path).filter(|_| reduced.contains(path)).and_then(|at| original.path_at(at));
    match same {
        Some(path) => path.to_owned(),
        None => match path.rsplit_once('.') {
            Some((parent, field)) => format!("{}.{field}", path_in(original, reduced, parent)),
            None => path.to_owned(),
        },
    }
}

fn translated(error: ConfigError, reduced: &Located, original: &Located) -> ConfigError {
    let path = path_in(original, reduced, &error.path);
    // A message may end with the path of another part.
    let message = match error.message.rsplit_once(' ') {
        Some((text, other)) if reduced.contains(other) => format!("{text} {}", path_in(original, reduced, other)),
        _ => error.message,
    };
    ConfigError { path, message }
}

fn is_field_of(field: &str, object: &str) -> bool {
    field.strip_prefix(object).is_some_and(|rest| rest.strip_prefix('.').is_some_and(|name| !name.contains(['.', '['])))
}

/// Whether an error may be there only because something was taken out.
fn follows_from(removed: &[Removed], error: &ConfigError, original: &Located) -> bool {
    const OF_WHAT_IS_MISSING: [&str; 3] = ["expected the name of a", "expected at least one", "expected mode"];
    let of_what_is_missing = OF_WHAT_IS_MISSING.iter().any(|start| error.message.starts_with(start));
    removed.iter().filter(|removed| !removed.stray).any(|removed| {
        let first = removed.path.split(['.', '[']).next().unwrap_or_default();
        let referred_to = REFERRED_TO.iter().any(|name| strsim::jaro_winkler(name, first) > 0.85);
        let object = removed.path.rsplit_once('.').map(|(object, _)| object);
        let beside = object.and_then(|object| error.path.strip_prefix(object));
        let beside = beside.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        beside || (referred_to && (of_what_is_missing || !original.contains(&error.path)))
    })
}
