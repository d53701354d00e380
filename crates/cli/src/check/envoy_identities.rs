//! Identities against what is in front of the filter: whether anything writes them, and whether that is the client's own word.

use byok_core::Policy;
use byok_core::model::Identity;

use crate::document::{Node, Value};

/// A warning about an identity.
pub(crate) struct Doubt {
    /// The path of the field in the filter's configuration.
    pub(crate) path: String,
    pub(crate) message: String,
    pub(crate) help: &'static str,
}

/// Where the filter is in an Envoy configuration.
#[derive(Clone, Copy, Default)]
pub(crate) struct Surroundings<'a> {
    /// Envoy's connection manager.
    pub(crate) connection_manager: Option<&'a Node>,
    /// The filter chain of the listener.
    pub(crate) filter_chain: Option<&'a Node>,
}

/// Checks the identities of a policy; `plugin` is the part of the document that configures the filter.
pub(crate) fn check(policy: &Policy, surroundings: Surroundings<'_>, plugin: &Node) -> Vec<Doubt> {
    let in_front = surroundings.connection_manager.and_then(|manager| InFront::of(plugin, manager));
    let mut doubts = Vec::new();
    for (index, identity) in policy.identities.iter().enumerate() {
        let path = |field: &str| format!("identities[{index}].{field}");
        let parts: Vec<&str> = identity.property.iter().map(|part| &**part).collect();
        let doubt = match (&*parts, &in_front) {
            (["connection", ..], _) => surroundings.filter_chain.and_then(of_certificate),
            (["metadata", _, namespace, key, ..], Some(in_front)) => of_metadata(namespace, key, in_front),
            (["filter_state", key, ..], Some(in_front)) => of_filter_state(key, in_front),
            _ => None,
        };
        doubts.extend(doubt.map(|(message, help)| Doubt { path: path("property"), message, help }));
        let forwards = in_front.iter().flat_map(|in_front| in_front.filters(JWT)).any(forwards_tokens);
        if forwards && identity.credential.is_none() && parts.contains(&JWT_AUTHN) {
            doubts.push(forwarded(identity, path("credential")));
        }
    }
    doubts
}

/// The HTTP filters in front of this one.
struct InFront<'a> {
    filters: Vec<&'a Node>,
    /// The connection manager's routes, whose `typed_per_filter_config` replaces what a filter is configured with.
    routes: Option<&'a Node>,
}

impl<'a> InFront<'a> {
    fn of(plugin: &Node, manager: &'a Node) -> Option<Self> {
        let filters = manager.get("http_filters")?.items().iter();
        let filters = filters.take_while(|filter| !contains(filter, plugin)).collect();
        Some(Self { filters, routes: manager.get("route_config") })
    }

    fn filters(&self, extension: &str) -> impl Iterator<Item = &'a Node> {
        self.filters.iter().copied().filter(move |filter| is_filter(filter, extension))
    }

    /// The configurations of an extension: those of its filters, and those that routes have for them.
    fn configurations(&self, extension: &str) -> Vec<&'a Node> {
        let mut found: Vec<_> = self.filters(extension).collect();
        if let (Some(routes), false) = (self.routes, found.is_empty()) {
            visit(routes, &mut |node| found.extend(is_type(node, extension).then_some(node)));
        }
        found
    }
}

const JWT_AUTHN: &str = "envoy.filters.http.jwt_authn";
const JWT: &str = "jwt_authn";

/// Filters that may write dynamic metadata of any namespace, from whatever they are programmed to read.
const WRITE_ANYTHING: [&str; 6] = ["lua", "ext_proc", "golang", "dynamic_modules", "composite", "match_delegate"];
/// Filters that write what a client has sent, each with the field of a rule that writes. Where a rule names no namespace, it is
/// the filter's own.
const COPY_FROM_REQUEST: [(&str, [&str; 2]); 2] = [
    ("header_to_metadata", ["on_header_present", "on_header_missing"]),
    ("json_to_metadata", ["on_present", "on_missing"]),
];

fn of_metadata(namespace: &str, key: &str, in_front: &InFront<'_>) -> Option<(String, &'static str)> {
    for (copier, fields) in COPY_FROM_REQUEST {
        let own = format!("envoy.filters.http.{copier}");
        let writes = |rule: &Node| match rule.text_of("metadata_namespace") {
            "" => own == namespace,
            other => other == namespace,
        };
        let copies = |filter: &&Node| fields.iter().any(|field| has(filter, field, &writes));
        if in_front.configurations(copier).iter().any(copies) {
            let message = format!("is the client's own word: {copier} writes it from the request");
            return Some((message, "let another namespace take what clients send"));
        }
    }
    let may_write = |filter: &&Node| {
        has(filter, "metadata_namespace", &|value| value.text() == Some(namespace))
            || WRITE_ANYTHING.iter().any(|name| is_filter(filter, name))
    };
    let is_written = in_front.filters.iter().any(may_write);
    if namespace == JWT_AUTHN && in_front.filters(JWT).next().is_some() {
        return of_token(key, is_written, in_front);
    }
    let last = namespace.rsplit('.').next().unwrap_or(namespace);
    let is_named = |filter: &&Node| filter.text_of("name") == namespace || is_filter(filter, last);
    let message = "authenticates nobody: no filter in front of this one writes it".to_owned();
    let help = "put the filter that authenticates callers before byok-filter";
    (!is_written && !in_front.filters.iter().any(is_named)).then_some((message, help))
}

/// A claim of a token that `jwt_authn` takes; `is_written` says that another filter may write it
/// (<https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/jwt_authn/v3/config.proto>).
fn of_token(key: &str, is_written: bool, in_front: &InFront<'_>) -> Option<(String, &'static str)> {
    if in_front.filters(JWT).any(|filter| has(filter, "extract_only_without_validation", &|_| true)) {
        let message = "is the client's own word: jwt_authn takes claims from tokens that it does not verify";
        return Some((message.to_owned(), "require a provider instead of extract_only_without_validation"));
    }
    let is_key = |value: &Node| value.text() == Some(key);
    let writes =
        |filter: &Node| ["payload_in_metadata", "header_in_metadata"].iter().any(|field| has(filter, field, &is_key));
    let message = "authenticates nobody: no provider of jwt_authn writes this key";
    let help = "set payload_in_metadata of the provider to the key after the filter's name";
    (!is_written && !in_front.filters(JWT).any(writes)).then(|| (message.to_owned(), help))
}

/// Commands of a format that repeat what a client has sent
/// (<https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter>). The first is the beginning
/// of `REQ`, `REQUEST_HEADER` and, in the first message of TLS, `REQUESTED_SERVER_NAME`.
const REPEAT_REQUEST: [&str; 5] = ["%REQ", "%PATH", "%QUERY_PARAM", "%CEL(request.", "%CEL(request["];

fn of_filter_state(key: &str, in_front: &InFront<'_>) -> Option<(String, &'static str)> {
    let repeats = |node: &Node| {
        let mut found = false;
        visit(node, &mut |node| {
            found |= node.text().is_some_and(|text| REPEAT_REQUEST.iter().any(|command| text.contains(command)));
        });
        found
    };
    let mut copies = false;
    for configuration in in_front.configurations("set_filter_state") {
        visit(configuration, &mut |node| copies |= node.text_of("object_key") == key && repeats(node));
    }
    let message = "is the client's own word: set_filter_state writes it from the request".to_owned();
    copies.then_some((message, "let another key take what clients send"))
}

/// Fields that say what a certificate is verified by. Without any, Envoy does not ask clients for one, whatever
/// `require_client_certificate` says
/// (<https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/security/ssl#certificate-verification>).
const VERIFY: [&str; 7] = [
    "trusted_ca",
    "ca_certificate_provider_instance",
    "verify_certificate_spki",
    "verify_certificate_hash",
    "custom_validator_config",
    "validation_context_sds_secret_config",
    "validation_context_certificate_provider_instance",
];

fn of_certificate(filter_chain: &Node) -> Option<(String, &'static str)> {
    const HELP: &str = "set validation_context with trusted_ca in the listener's TLS context";
    let nobody = |why: &str| Some((format!("authenticates nobody: the listener {why}"), HELP));
    let Some(socket) = filter_chain.get("transport_socket") else { return nobody("has no TLS") };
    if has(socket, "trust_chain_verification", &|value| value.text() == Some("ACCEPT_UNTRUSTED")) {
        let message = "is the client's own word: the listener accepts certificates that it can't verify";
        return Some((message.to_owned(), "remove trust_chain_verification: ACCEPT_UNTRUSTED"));
    }
    if !VERIFY.iter().any(|field| has(socket, field, &|_| true)) {
        return nobody("does not ask for client certificates");
    }
    None
}

fn forwarded(identity: &Identity, path: String) -> Doubt {
    let message = format!(
        "is not set: the token behind the identity {} may go upstream, as jwt_authn forwards it",
        identity.name
    );
    Doubt {
        path,
        message,
        help: "set it to where the token travels: {\"header\": \"authorization\", \"scheme\": \"Bearer\"}",
    }
}

fn forwards_tokens(filter: &Node) -> bool {
    has(filter, "forward", &Node::is_true)
}

/// Whether a filter is the extension of that name, by its name or by the type of its configuration.
fn is_filter(filter: &Node, extension: &str) -> bool {
    let mut found = filter.text_of("name").rsplit('.').next() == Some(extension);
    visit(filter, &mut |node| found |= is_type(node, extension));
    found
}

fn is_type(node: &Node, extension: &str) -> bool {
    ["@type", "type_url"].iter().any(|field| node.text_of(field).contains(&format!(".http.{extension}.")))
}

/// Whether a part of the document has a field of that name anywhere, with a value that fits.
fn has(node: &Node, field: &str, fits: &dyn Fn(&Node) -> bool) -> bool {
    let mut found = false;
    visit(node, &mut |node| found |= node.get(field).is_some_and(fits));
    found
}

/// Visits a part of the document, and all of its parts.
fn visit<'a>(node: &'a Node, visitor: &mut dyn FnMut(&'a Node)) {
    visitor(node);
    match &node.value {
        Value::Map(entries) => entries.iter().for_each(|entry| visit(&entry.value, visitor)),
        Value::List(items) => items.iter().for_each(|item| visit(item, visitor)),
        _ => {}
    }
}

fn contains(node: &Node, wanted: &Node) -> bool {
    let mut found = false;
    visit(node, &mut |node| found |= std::ptr::eq(node, wanted));
    found
}
