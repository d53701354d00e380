//! All mistakes of a configuration at once: the filter stops at the first error of form, the tool takes that part
//! out and lets the filter read the rest.

use crate::cli::document::{Found, Located, Node, Position, Value, path_of};
use crate::cli::finding::Finding;
use crate::config::{self, ConfigError, Loaded, Shown, Step};
use crate::policy::Policy;

/// More errors help nobody: as many of form are shown, and as many of what the filter then says.
const MOST: usize = 50;
/// As many bytes are read again, in all, to find further errors of form.
const MOST_READ: usize = 256 << 20;

/// What the filter says about a configuration, and the rest of what it would say later.
pub(in crate::cli) struct Verdict {
    pub(in crate::cli) errors: Vec<Finding>,
    /// Present where there is no error.
    pub(in crate::cli) loaded: Option<Loaded>,
    /// Whether an error may hide others.
    pub(super) more_may_follow: bool,
}

pub(in crate::cli) fn examine(root: &Node, environment: &dyn Fn(&str) -> Option<String>) -> Verdict {
    let mut rest = Rest { whole: root, tree: root.clone(), errors: Vec::new(), removed: Vec::new() };
    rest.take_out_repeats();
    let mut json = rest.tree.to_json();
    let most = (MOST_READ / json.len().max(1)).clamp(1, MOST);
    while let Some((error, steps)) = config::error_of_form(json.as_bytes()) {
        if rest.errors.len() >= most || !rest.take_out(&error, &steps) {
            return Verdict { errors: rest.errors, loaded: None, more_may_follow: true };
        }
        json = rest.tree.to_json();
    }
    let of_form = rest.errors.len();
    let mut verdict = Verdict { errors: rest.errors, loaded: None, more_may_follow: of_form >= MOST };
    match Policy::from_json(json, environment) {
        Ok(loaded) => verdict.loaded = (of_form == 0).then_some(loaded),
        Err(further) => {
            let (original, reduced) = (Located::new(root), Located::new(&rest.tree));
            verdict.more_may_follow |= further.len() > MOST;
            for error in further.into_iter().take(MOST) {
                let error = translated(error, &reduced, root);
                if rest.removed.iter().any(|removed| removed.may_cause(&error, &original)) {
                    verdict.more_may_follow = true;
                } else {
                    let at = original.position(&error.path);
                    verdict.errors.push(Finding::error(error.path, error.message, Some(at)));
                }
            }
        }
    }
    verdict
}

/// A configuration without the parts that are wrong.
struct Rest<'a> {
    whole: &'a Node,
    /// The same, with parts taken out.
    tree: Node,
    errors: Vec<Finding>,
    removed: Vec<Removed>,
}

/// A part that was taken out.
struct Removed {
    steps: Vec<usize>,
    /// A field that nobody knows and that is no misspelt one: without it the rest is what it was.
    stray: bool,
    /// The path of the object around it; `None` for the whole.
    object: Option<String>,
    /// Whether other fields refer to it.
    referred_to: bool,
}

/// The fields that other fields refer to.
const REFERRED_TO: [&str; 5] = ["consumers", "providers", "mode", "key_sources", "verification_service"];

impl Rest<'_> {
    /// Takes out the first error of form; returns whether there was anything to take out.
    fn take_out(&mut self, error: &ConfigError, steps: &[Step]) -> bool {
        let message = error.message.rsplit_once(" (line ").map_or(&*error.message, |(message, _)| message);
        let steps = with_removed(&self.tree, steps);
        let Some((last, above)) = steps.split_last() else {
            self.errors.push(Finding::error("", message, Some(self.whole.at)));
            return false;
        };
        let node = node_at(self.whole, &steps);
        let entry = node_at(self.whole, above).and_then(|holder| holder.entries().get(*last));
        let unknown = message.starts_with("unknown field");
        let meant = entry.filter(|_| unknown).and_then(|entry| similar(&entry.name, message));
        // What lacks a field because that was taken out is no second mistake.
        let is_field = |removed: &Removed| removed.steps.split_last().is_some_and(|(_, object)| *object == *steps);
        let robbed = message.starts_with("missing field") && self.removed.iter().any(is_field);
        if !robbed {
            let at = if unknown { entry.map(|entry| entry.name_at) } else { node.map(|node| node.at) };
            let help = meant.as_ref().map(|name| format!("did you mean `{name}`?"));
            let help = help.or_else(|| node.and_then(help_for));
            self.errors.push(Finding { help, ..Finding::error(path_of(self.whole, &steps), message, at) });
        }
        self.tree.remove(&steps);
        let removed = Removed::new(self.whole, steps, unknown && meant.is_none());
        self.removed.push(removed);
        true
    }

    /// Takes out names that an object has before.
    fn take_out_repeats(&mut self) {
        let (whole, errors) = (self.whole, &mut self.errors);
        without_repeats(&mut self.tree, &mut Vec::new(), &mut |holder, name, at| {
            if errors.len() < MOST {
                let message = format!("duplicate field `{}`", Shown(name));
                errors.push(Finding::error(path_of(whole, holder), message, Some(at)));
            }
        });
    }
}

impl Removed {
    fn new(whole: &Node, steps: Vec<usize>, stray: bool) -> Self {
        let is_map = |length: &usize| steps.get(..*length).and_then(|to| node_at(whole, to)).is_some_and(Node::is_map);
        let object = (1..steps.len()).rev().find(is_map).and_then(|length| steps.get(..length));
        let object = object.map(|object| path_of(whole, object));
        let first = steps.first().and_then(|first| whole.entries().get(*first)).map_or("", |entry| &entry.name);
        let referred_to = REFERRED_TO.iter().any(|name| strsim::jaro_winkler(name, first) > 0.85);
        Self { steps, stray, object, referred_to }
    }

    /// Whether an error may be there only because this part was taken out.
    fn may_cause(&self, error: &ConfigError, original: &Located<'_>) -> bool {
        const OF_WHAT_IS_MISSING: [&str; 3] = ["expected the name of a", "expected at least one", "expected mode"];
        if self.stray {
            return false;
        }
        let beside = self.object.as_ref().and_then(|object| error.path.strip_prefix(&**object));
        beside.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            || (self.referred_to
                && (OF_WHAT_IS_MISSING.iter().any(|start| error.message.starts_with(start))
                    || !original.contains(&error.path)))
    }
}

fn without_repeats(node: &mut Node, steps: &mut Vec<usize>, report: &mut impl FnMut(&[usize], &str, Position)) {
    if let Value::Map(entries) = &mut node.value {
        let mut seen = std::collections::HashSet::new();
        let first: Vec<bool> = entries.iter().map(|entry| seen.insert(&*entry.name)).collect();
        for (entry, _) in entries.iter_mut().zip(first).filter(|(_, first)| !first) {
            report(steps, &entry.name, entry.name_at);
            entry.value.value = Value::Removed;
        }
    }
    let children: Vec<&mut Node> = match &mut node.value {
        Value::List(items) => items.iter_mut().collect(),
        Value::Map(entries) => entries.iter_mut().map(|entry| &mut entry.value).collect(),
        _ => Vec::new(),
    };
    for (step, child) in children.into_iter().enumerate() {
        steps.push(step);
        without_repeats(child, steps, report);
        steps.pop();
    }
}

/// Returns the steps in a tree in which what was taken out still has its number.
fn with_removed(tree: &Node, steps: &[Step]) -> Vec<usize> {
    let mut node = Some(tree);
    let mut found = Vec::new();
    for step in steps {
        let (Step::Item(number) | Step::Field(number, _)) = step;
        let count = node.map_or(0, |node| node.items().len() + node.entries().len());
        let kept = |step: &usize| node.and_then(|node| node.child(*step)).is_some_and(|child| !child.is_removed());
        let Some(step) = (0..count).filter(kept).nth(*number) else { break };
        node = node.and_then(|node| node.child(step));
        found.push(step);
    }
    found
}

fn node_at<'a>(root: &'a Node, steps: &[usize]) -> Option<&'a Node> {
    steps.iter().try_fold(root, |node, step| node.child(*step))
}

fn help_for(node: &Node) -> Option<String> {
    let bare = matches!(node.value, Value::BareWord(_));
    bare.then(|| "YAML reads a bare on, off, yes or no as a boolean: put it in quotes".to_owned())
}

/// Returns the field, of those that a message lists, that was probably meant.
fn similar(name: &str, message: &str) -> Option<String> {
    let listed = message.split('`').skip(1).step_by(2);
    let near = listed.map(|known| (strsim::jaro_winkler(name, known), known)).filter(|(likeness, _)| *likeness > 0.85);
    near.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, known)| known.to_owned())
}

/// Returns the error with paths in the whole configuration, where indices count what was taken out.
fn translated(error: ConfigError, reduced: &Located<'_>, whole: &Node) -> ConfigError {
    let in_whole = |path: &str| {
        let Found { steps, rest } = reduced.find(path);
        path_of(whole, &steps) + rest
    };
    // A message may end with the path of another part.
    let message = match error.message.rsplit_once(' ') {
        Some((text, other)) if reduced.contains(other) => format!("{text} {}", in_whole(other)),
        _ => error.message,
    };
    ConfigError { path: in_whole(&error.path), message }
}
