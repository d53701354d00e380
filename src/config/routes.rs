//! `routes`: which requests are held against what.

use std::sync::Arc;

use super::findings::Findings;
use super::names::{
    EXPECTED_HOST, EXPECTED_NO_STAR, EXPECTED_PATH, EXPECTED_TOKEN, EXPECTED_UPPER_CASE, canonical_path, host,
    is_miscased_method, is_token,
};
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
    let check_one = |(index, wire): (usize, wire::Route)| {
        let path = format!("routes[{index}]");
        let mode = wire.mode.unwrap_or(top_mode);
        let provider = wire.provider.as_ref().and_then(|name| providers.iter().find(|known| *known.name == **name));
        if wire.provider.is_some() && provider.is_none() {
            findings.error(format_args!("{path}.provider"), "expected the name of a provider");
        }
        for (at, name) in wire.consumers.iter().flatten().enumerate() {
            let of_service = has_service && is_service_name(name);
            if !of_service && !consumers.iter().any(|consumer| consumer.name == *name) {
                findings.error(format_args!("{path}.consumers[{at}]"), "expected the name of a consumer");
            }
        }
        if wire.consumers.is_some() && mode != Mode::On {
            findings.error(
                format_args!("{path}.consumers"),
                "expected mode \"on\" beside it: in another, callers pass who did not verify",
            );
        }
        let matcher = check_match(wire.r#match, &format!("{path}.match"), findings);
        if matcher.host.is_some() && matcher.path.is_none() && is_weaker(mode, top_mode) {
            findings.warn(format_args!("{path}.match.host"), "is chosen by the client, and the mode here is weaker");
        }
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

fn check_match(wire: wire::Match, path: &str, findings: &mut Findings) -> RouteMatch {
    if wire.path.is_some() && wire.path_prefix.is_some() {
        findings.error(path, "expected one of path, path_prefix, not both");
    }
    if wire.path.is_none() && wire.path_prefix.is_none() && wire.host.is_none() && wire.methods.is_none() {
        findings.error(path, "expected at least one of path, path_prefix, host, methods");
    }
    let exact = wire.path.and_then(|text| checked_path(&text, format_args!("{path}.path"), findings));
    let prefix = wire.path_prefix.and_then(|text| checked_path(&text, format_args!("{path}.path_prefix"), findings));
    let host =
        wire.host.and_then(|text| checked(host_match(&text), format_args!("{path}.host"), EXPECTED_HOST, findings));
    if wire.methods.as_ref().is_some_and(Vec::is_empty) {
        findings.error(format_args!("{path}.methods"), "expected at least one method");
    }
    for (at, method) in wire.methods.iter().flatten().enumerate() {
        if !is_token(method) {
            findings.error(format_args!("{path}.methods[{at}]"), EXPECTED_TOKEN);
        } else if is_miscased_method(method) {
            findings.error(format_args!("{path}.methods[{at}]"), EXPECTED_UPPER_CASE);
        }
    }
    RouteMatch { path: exact.map(PathMatch::Exact).or(prefix.map(PathMatch::Prefix)), host, methods: wire.methods }
}

fn checked_path(text: &str, path: impl std::fmt::Display, findings: &mut Findings) -> Option<Box<str>> {
    let expected = if text.contains('*') { EXPECTED_NO_STAR } else { EXPECTED_PATH };
    checked(canonical_path(text).filter(|path| !path.contains('*')), path, expected, findings)
}

fn checked<T>(value: Option<T>, path: impl std::fmt::Display, expected: &str, findings: &mut Findings) -> Option<T> {
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

fn is_weaker(mode: Mode, than: Mode) -> bool {
    matches!((mode, than), (Mode::Auto | Mode::Off, Mode::On) | (Mode::Off, Mode::Auto))
}
