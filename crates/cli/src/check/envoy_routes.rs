//! Envoy routes that undo `clusters`: those that match on what the filter changes, so that the request goes to another
//! cluster than the one that the filter has checked, and those that mirror requests to other clusters.

use std::collections::BTreeMap;

use byok_core::Policy;
use byok_core::model::{AllowList, Provider};

use crate::diagnostic::Diagnostic;
use crate::document::Node;

/// Checks the routes of a connection manager against a policy that binds providers to clusters.
pub(crate) fn check(policy: &Policy, connection_manager: &Node) -> Vec<Diagnostic> {
    if !policy.reads_cluster() {
        return Vec::new();
    }
    let mut mirrors = Mirrors::default();
    let of_all = connection_manager.at(&["route_config", MIRRORS]);
    let hosts = connection_manager.at(&["route_config", "virtual_hosts"]).map(Node::items).unwrap_or_default();
    let mut diagnostics = Vec::new();
    for (host_index, host) in hosts.iter().enumerate() {
        let routes = host.get("routes").map(Node::items).unwrap_or_default();
        for (index, route) in routes.iter().enumerate() {
            let path = format!("route_config.virtual_hosts[{host_index}].routes[{index}]");
            check_route(policy, route, &path, &mut diagnostics);
            // The nearest list counts.
            let levels = [
                (route.at(&["route", MIRRORS]), format!("{path}.route.{MIRRORS}")),
                (host.get(MIRRORS), format!("route_config.virtual_hosts[{host_index}].{MIRRORS}")),
                (of_all, format!("route_config.{MIRRORS}")),
            ];
            let nearest =
                levels.iter().find_map(|(list, path)| Some((list.filter(|list| !list.items().is_empty())?, path)));
            if let Some((list, path)) = nearest {
                mirrors.check(policy, route, list, path);
            }
        }
    }
    diagnostics.extend(mirrors.diagnostics.into_values());
    diagnostics
}

const MIRRORS: &str = "request_mirror_policies";

/// Mirrors, which send copies of requests to another cluster, with the filter's changes.
#[derive(Default)]
struct Mirrors {
    /// By path, since one list may apply to many routes.
    diagnostics: BTreeMap<String, Diagnostic>,
}

impl Mirrors {
    /// Checks one list against the providers whose requests the route may send.
    fn check(&mut self, policy: &Policy, route: &Node, list: &Node, path: &str) {
        for (at, mirror) in list.items().iter().enumerate() {
            let cluster = Some(mirror.text_of("cluster")).filter(|cluster| !cluster.is_empty());
            let allowed = policy
                .providers
                .iter()
                .filter(|provider| may_send(route, provider))
                .all(|provider| cluster.is_some_and(|cluster| provider.clusters.allows(Some(cluster.as_bytes()))));
            if !allowed {
                let path = format!("{path}[{at}]");
                let message = "sends a copy of each request, including the provider credential, to a cluster that is not one of the provider's clusters";
                let help = "remove the mirror, or add its cluster to clusters if it may receive the credential";
                let warning = Diagnostic::warning(path.clone(), message, Some(mirror.at)).with_help(help);
                self.diagnostics.insert(path, warning);
            }
        }
    }
}

/// Whether the route may send requests to a provider with clusters.
fn may_send(route: &Node, provider: &Provider) -> bool {
    let weighted = route.at(&["route", "weighted_clusters", "clusters"]).map(Node::items).unwrap_or_default();
    let weighted = weighted.iter().map(|cluster| cluster.text_of("name"));
    let named: Vec<&str> = route.at(&["route", "cluster"]).and_then(Node::text).into_iter().chain(weighted).collect();
    let receives = |cluster: &&str| provider.clusters.allows(Some(cluster.as_bytes()));
    matches!(provider.clusters, AllowList::Only(_)) && (named.is_empty() || named.iter().any(receives))
}

fn check_route(policy: &Policy, route: &Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let in_match = |field: &str| route.at(&["match", field]).map(Node::items).unwrap_or_default();
    for (at, header) in in_match("headers").iter().enumerate() {
        let name = header.text_of("name").to_ascii_lowercase();
        let path = format!("{path}.match.headers[{at}]");
        if is_changed(policy, &name) {
            diagnostics.push(unsound(path, "a header that the filter does not change", header));
        } else if !name.starts_with(':') && matches_any_value(header) {
            diagnostics.push(Diagnostic::warning(
                path,
                "matches any value: a header that carries the proxy key is removed, and another route may match after that",
                Some(header.at),
            ));
        }
    }
    for (at, parameter) in in_match("query_parameters").iter().enumerate() {
        let name = parameter.text_of("name");
        if policy.credential_locations.contains_parameter_named(name) {
            let path = format!("{path}.match.query_parameters[{at}]");
            diagnostics.push(unsound(path, "a query parameter that the filter does not remove", parameter));
        }
    }
    for (at, cookie) in in_match("cookies").iter().enumerate() {
        let name = cookie.text_of("name");
        if policy.credential_locations.cookies().iter().any(|cut| **cut == *name) {
            let path = format!("{path}.match.cookies[{at}]");
            diagnostics.push(unsound(path, "a cookie that the filter does not remove", cookie));
        }
    }
    let cluster_header = route.at(&["route", "cluster_header"]);
    let by_header =
        cluster_header.filter(|node| is_changed(policy, &node.text().unwrap_or_default().to_ascii_lowercase()));
    if let Some(node) = by_header {
        diagnostics.push(unsound(
            format!("{path}.route.cluster_header"),
            "a header that the filter does not change",
            node,
        ));
    }
}

/// Whether the filter may remove or set the header.
fn is_changed(policy: &Policy, name: &str) -> bool {
    let cuts_cookies = !policy.credential_locations.cookies().is_empty() && name == "cookie";
    let bytes = name.as_bytes();
    let cuts_query = !policy.credential_locations.query().is_empty() && name == ":path";
    policy.credential_locations.contains(bytes)
        || policy.identity_headers.contains(bytes)
        || policy.strip_list.contains(bytes)
        || cuts_cookies
        || cuts_query
}

/// Whether a matcher of Envoy's matches any value, or an absent header.
fn matches_any_value(header: &Node) -> bool {
    const BY_VALUE: [&str; 7] = [
        "string_match",
        "exact_match",
        "prefix_match",
        "suffix_match",
        "contains_match",
        "safe_regex_match",
        "range_match",
    ];
    let has = |field: &str| header.get(field).is_some();
    let inverted = header.get("invert_match").is_some_and(Node::is_true);
    inverted || has("present_match") || !BY_VALUE.iter().any(|field| has(field))
}

fn unsound(path: String, expected: &str, at: &Node) -> Diagnostic {
    let message = format!(
        "expected {expected}, since a provider has clusters: the filter checks the cluster before the change, and Envoy selects it after"
    );
    let help = "match on the header of identity_headers.provider and remove clusters, or match on something else";
    Diagnostic::error(path, message, Some(at.at)).with_help(help)
}
