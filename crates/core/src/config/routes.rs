//! `routes`: which requests are held against what.

use std::sync::Arc;

use super::findings::Findings;
use super::names::{
    EXPECTED_HOST, EXPECTED_NO_STAR, EXPECTED_PATH, EXPECTED_TOKEN, EXPECTED_UPPER_CASE, Names, canonical_path, host,
    is_miscased_method, is_token,
};
use super::path::Path;
use super::wire;
use crate::policy::{Consumer, Mode};
use crate::provider::Provider;
use crate::route::{HostMatch, PathMatch, Route, RouteMatch};
use crate::verify::is_service_name;

/// Checks all routes against the consumers and providers that there are.
pub(super) fn check(
    routes: Vec<wire::Route>,
    top_mode: Mode,
    consumers: &[Arc<Consumer>],
    providers: &[Arc<Provider>],
    has_service: bool,
    findings: &mut Findings,
) -> Vec<Route> {
    let all = Path::Top("routes");
    let names: Names<'_> = consumers.iter().map(|consumer| &*consumer.name).collect();
    let check_one = |(index, wire): (usize, wire::Route)| {
        let path = all.item(index);
        let mode = wire.mode.unwrap_or(top_mode);
        let provider = wire.provider.as_ref().and_then(|name| providers.iter().find(|known| *known.name == **name));
        if wire.provider.is_some() && provider.is_none() {
            findings.error(path.field("provider"), "expected the name of a provider");
        }
        for (at, name) in wire.consumers.iter().flatten().enumerate() {
            let of_service = has_service && is_service_name(name);
            if !of_service && !names.contains(&**name) {
                findings.error(path.field("consumers").item(at), "expected the name of a consumer");
            }
        }
        if wire.consumers.is_some() && mode != Mode::On {
            findings.error(
                path.field("consumers"),
                "expected mode \"on\" beside it: in another, callers pass who did not verify",
            );
        }
        let matcher = check_match(wire.r#match, path.field("match"), findings);
        Route {
            matcher,
            mode: wire.mode,
            provider: provider.cloned(),
            byok: wire.byok,
            hide_credentials: wire.hide_credentials,
            consumers: wire.consumers,
        }
    };
    routes.into_iter().enumerate().map(check_one).collect()
}

fn check_match(wire: wire::Match, path: Path<'_>, findings: &mut Findings) -> RouteMatch {
    if wire.path.is_some() && wire.path_prefix.is_some() {
        findings.error(path, "expected one of path, path_prefix, not both");
    }
    if wire.path.is_none() && wire.path_prefix.is_none() && wire.host.is_none() && wire.methods.is_none() {
        findings.error(path, "expected at least one of path, path_prefix, host, methods");
    }
    let exact = wire.path.and_then(|text| checked_path(&text, path.field("path"), findings));
    let prefix = wire.path_prefix.and_then(|text| checked_path(&text, path.field("path_prefix"), findings));
    let host = wire.host.and_then(|text| checked(host_match(&text), path.field("host"), EXPECTED_HOST, findings));
    if wire.methods.as_ref().is_some_and(Vec::is_empty) {
        findings.error(path.field("methods"), "expected at least one method");
    }
    for (at, method) in wire.methods.iter().flatten().enumerate() {
        if !is_token(method) {
            findings.error(path.field("methods").item(at), EXPECTED_TOKEN);
        } else if is_miscased_method(method) {
            findings.error(path.field("methods").item(at), EXPECTED_UPPER_CASE);
        }
    }
    RouteMatch { path: exact.map(PathMatch::Exact).or(prefix.map(PathMatch::Prefix)), host, methods: wire.methods }
}

fn checked_path(text: &str, path: Path<'_>, findings: &mut Findings) -> Option<Box<str>> {
    let expected = if text.contains('*') { EXPECTED_NO_STAR } else { EXPECTED_PATH };
    checked(canonical_path(text).filter(|path| !path.contains('*')), path, expected, findings)
}

fn checked<T>(value: Option<T>, path: Path<'_>, expected: &str, findings: &mut Findings) -> Option<T> {
    if value.is_none() {
        findings.error(path, expected);
    }
    value
}

fn host_match(text: &str) -> Option<HostMatch> {
    match text.strip_prefix("*.") {
        Some(below) => host(below).map(|below| HostMatch::Below(format!(".{below}").into())),
        None => host(text).map(HostMatch::Exact),
    }
}
