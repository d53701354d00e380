//! Modes that a client can choose, since it chooses the host and the method.

use super::diagnostics::Diagnostics;
use super::path::Path;
use crate::model::{Mode, PathMatch, Policy, Route};

/// So many later routes are looked at for what decides in place of one, so that the work does not grow with the square
/// of the routes.
const MOST_LATER: usize = 1_000;

/// Warns of weaker modes that a host or a method alone decides, whether a client names it or leaves it out.
pub(super) fn warn(policy: &Policy, diagnostics: &mut Diagnostics) {
    let mode_of = |route: &Route| route.policy.mode;
    let chosen_by_path = |route: &&Route| route.matcher.host.is_none() && route.matcher.methods.is_none();
    // The strictest mode that paths or the top level choose after the route, from the last one back.
    let mut strictest = policy.default_route.mode;
    let mut named: Vec<bool> = Vec::with_capacity(policy.routes.len());
    for route in policy.routes.iter().rev() {
        named.push(route.matcher.path.is_none() && is_weaker(mode_of(route), strictest));
        if chosen_by_path(&route) && is_weaker(strictest, mode_of(route)) {
            strictest = mode_of(route);
        }
    }
    let all = Path::Top("routes");
    for ((index, route), named) in policy.routes.iter().enumerate().zip(named.into_iter().rev()) {
        let field = match (&route.matcher.host, &route.matcher.methods) {
            (Some(_), _) => "host",
            // A preflight carries no credential, and is answered without one.
            (None, Some(methods)) if methods.iter().any(|method| **method != *"OPTIONS") => "methods",
            _ => continue,
        };
        let instead = || {
            let mut later = policy.routes.iter().skip(index + 1).take(MOST_LATER).filter(chosen_by_path);
            later
                .find(|later| covers_path(later.matcher.path.as_ref(), route.matcher.path.as_ref()))
                .map_or(policy.default_route.mode, mode_of)
        };
        let message = if named {
            "is chosen by the client, and the mode here is weaker"
        } else if is_weaker(instead(), mode_of(route)) {
            "is chosen by the client, and another one leads to a weaker mode"
        } else {
            continue;
        };
        diagnostics.warn(all.item(index).field("match").field(field), message);
    }
}

fn is_weaker(mode: Mode, than: Mode) -> bool {
    matches!((mode, than), (Mode::Auto | Mode::Off, Mode::On) | (Mode::Off, Mode::Auto))
}

/// Whether every path that the one matches is matched by the other, a missing one included.
pub fn covers_path(by: Option<&PathMatch>, path: Option<&PathMatch>) -> bool {
    match (by, path) {
        (None, _) => true,
        // Requests without a path, too, match a route without one.
        (Some(_), None) => false,
        (Some(PathMatch::Exact(_)), Some(_)) => by == path,
        (Some(PathMatch::Prefix(prefix)), Some(PathMatch::Exact(path) | PathMatch::Prefix(path))) => {
            path.strip_prefix(&**prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
    }
}
