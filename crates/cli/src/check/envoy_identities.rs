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
    let filters = surroundings.connection_manager.and_then(|manager| manager.get("http_filters"));
    let before: Option<Vec<&Node>> =
        filters.map(|filters| filters.items().iter().take_while(|filter| !contains(filter, plugin)).collect());
    let mut doubts = Vec::new();
    for (index, identity) in policy.identities.iter().enumerate() {
        let path = |field: &str| format!("identities[{index}].{field}");
        let parts: Vec<&str> = identity.property.iter().map(|part| &**part).collect();
        let doubt = match (&*parts, &before) {
            (["connection", ..], _) => surroundings.filter_chain.and_then(of_certificate),
            (["metadata", _, namespace, ..], Some(before)) => of_metadata(namespace, before),
            (["filter_state", key, ..], Some(before)) => of_filter_state(key, before),
            _ => None,
        };
        doubts.extend(doubt.map(|(message, help)| Doubt { path: path("property"), message, help }));
        let forwards = before.iter().flatten().any(|filter| is_jwt(filter) && has(filter, "forward", &Node::is_true));
        if forwards && identity.credential.is_none() && parts.contains(&JWT_AUTHN) {
            doubts.push(forwarded(identity, path("credential")));
        }
    }
    doubts
}

const JWT_AUTHN: &str = "envoy.filters.http.jwt_authn";

/// Filters that may write dynamic metadata of any namespace, from whatever they are programmed to read.
const WRITE_ANYTHING: [&str; 6] = ["lua", "ext_proc", "golang", "dynamic_modules", "composite", "match_delegate"];
/// Filters that write what a client has sent.
const COPY_FROM_REQUEST: [&str; 2] = ["header_to_metadata", "json_to_metadata"];

fn of_metadata(namespace: &str, before: &[&Node]) -> Option<(String, &'static str)> {
    let writes = |filter: &Node| has(filter, "metadata_namespace", &|value| value.text() == Some(namespace));
    for copier in COPY_FROM_REQUEST {
        if before.iter().any(|filter| is_filter(filter, copier) && writes(filter)) {
            let message = format!("is the client's own word: {copier} writes it from the request");
            return Some((message, "let another namespace take what clients send"));
        }
    }
    let last = namespace.rsplit('.').next().unwrap_or(namespace);
    let is_writer = |filter: &&Node| {
        filter.text_of("name") == namespace
            || is_filter(filter, last)
            || writes(filter)
            || WRITE_ANYTHING.iter().any(|name| is_filter(filter, name))
    };
    let message = "authenticates nobody: no filter in front of this one writes it".to_owned();
    (!before.iter().any(is_writer)).then_some((message, "put the filter that authenticates callers before byok-filter"))
}

fn of_filter_state(key: &str, before: &[&Node]) -> Option<(String, &'static str)> {
    let is_key = |value: &Node| value.text() == Some(key);
    let reads_request = |value: &Node| value.text().is_some_and(|text| text.contains("%REQ"));
    let copies = |filter: &&Node| {
        is_filter(filter, "set_filter_state")
            && has(filter, "object_key", &is_key)
            && (has(filter, "inline_string", &reads_request) || has(filter, "text_format", &reads_request))
    };
    let message = "is the client's own word: set_filter_state writes it from the request".to_owned();
    before.iter().any(copies).then_some((message, "let another key take what clients send"))
}

/// Without an authority to check it by, Envoy takes any certificate
/// (<https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/security/ssl#certificate-verification>).
fn of_certificate(filter_chain: &Node) -> Option<(String, &'static str)> {
    const HELP: &str = "set validation_context with trusted_ca in the listener's TLS context";
    let Some(socket) = filter_chain.get("transport_socket") else {
        return Some(("authenticates nobody: the listener has no TLS".to_owned(), HELP));
    };
    let verifies = ["validation_context", "validation_context_sds_secret_config", "combined_validation_context"]
        .iter()
        .any(|field| has(socket, field, &|_| true));
    let accepts_any = has(socket, "trust_chain_verification", &|value| value.text() == Some("ACCEPT_UNTRUSTED"));
    let message = "is the client's own word: the listener does not verify client certificates".to_owned();
    (!verifies || accepts_any).then_some((message, HELP))
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

fn is_jwt(filter: &Node) -> bool {
    is_filter(filter, "jwt_authn")
}

/// Whether a filter is the extension of that name, by its name or by the type of its configuration.
fn is_filter(filter: &Node, extension: &str) -> bool {
    let is_type = |value: &Node| value.text().is_some_and(|text| text.contains(&format!(".http.{extension}.")));
    filter.text_of("name").rsplit('.').next() == Some(extension) || has(filter, "@type", &is_type)
}

/// Whether a part of the document has a field of that name anywhere, with a value that fits.
fn has(node: &Node, field: &str, fits: &dyn Fn(&Node) -> bool) -> bool {
    match &node.value {
        Value::Map(entries) => {
            entries.iter().any(|entry| (entry.name == field && fits(&entry.value)) || has(&entry.value, field, fits))
        }
        Value::List(items) => items.iter().any(|item| has(item, field, fits)),
        _ => false,
    }
}

fn contains(node: &Node, wanted: &Node) -> bool {
    std::ptr::eq(node, wanted)
        || match &node.value {
            Value::Map(entries) => entries.iter().any(|entry| contains(&entry.value, wanted)),
            Value::List(items) => items.iter().any(|item| contains(item, wanted)),
            _ => false,
        }
}
