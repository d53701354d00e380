//! What is compared: one row of the table each.

use std::path::Path;

use serde_json::{Value, json};

use crate::filters::{api_key_auth, credential_injector, header_mutation, lua, wasm};
use crate::keys::{self, CLIENT_KEY, DEPLOYMENT_KEY, proxy_key};
use crate::noop::NoOp;
use crate::requests::Credentials;

/// The row that all others are held against.
pub(super) const BASELINE: &str = "none";

/// How many keys the variants know that don't say otherwise.
pub(super) const KEYS: usize = 10;

/// More keys in turn would not fit the generator's own cache.
const KEYS_IN_TURN: usize = 1000;

/// A listener, the requests that it is sent, and what must come of them.
pub(super) struct Variant {
    /// The name of the listener, and the one for `--only`.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) filters: Vec<Value>,
    /// The fields of the access log, where there is one.
    pub(super) access_log: Option<Value>,
    /// Sent in turn.
    pub(super) requests: Vec<Credentials>,
    /// What becomes of the first of them; of the others, the same status.
    pub(super) expected: Expected,
}

pub(super) enum Expected {
    /// 200, with these credentials for the upstream and this consumer in the filter state.
    Upstream { proxy_key: Option<String>, provider_key: &'static str, consumer: Option<String> },
    /// 401, with this in its body.
    Refusal { body: &'static str },
}

pub(super) fn all(module: &Path, no_op: &NoOp) -> Vec<Variant> {
    let ours = |name, keys| vec![wasm(name, module, &keys::configuration(keys))];
    let byok = |name, title, keys| {
        let consumer = Some(keys::consumer(0));
        Variant { filters: ours(name, keys), ..passing(name, title, byok_requests(keys), None, CLIENT_KEY, consumer) }
    };
    let native =
        |name, title, filters| Variant { filters, ..passing(name, title, byok_requests(KEYS), None, CLIENT_KEY, None) };
    let untouched = |name, title, filters| {
        let proxy_key = Some(proxy_key(0));
        Variant { filters, ..passing(name, title, byok_requests(KEYS), proxy_key, CLIENT_KEY, None) }
    };
    vec![
        untouched(BASELINE, "no filter", Vec::new()),
        native("api-key-auth", "Envoy's `api_key_auth`, header hidden", vec![api_key_auth(KEYS)]),
        native(
            "native",
            "`api_key_auth`, `header_mutation`, `credential_injector`",
            vec![api_key_auth(KEYS), header_mutation(), credential_injector()],
        ),
        Variant {
            requests: byok_requests(1),
            ..native("lua", "Lua: compares one key, removes two headers", vec![lua()])
        },
        untouched("no-op", "no-op wasm, built the usual way", vec![wasm("no-op", no_op.as_built(), "")]),
        untouched(
            "no-op-packaged",
            "no-op wasm, with the exports alone that it needs",
            vec![wasm("no-op-packaged", no_op.packaged(), "")],
        ),
        byok("byok", "byok-filter, client's key (BYOK)", KEYS),
        Variant {
            filters: ours("deployment", KEYS),
            ..passing(
                "deployment",
                "byok-filter, deployment key",
                deployment_requests(KEYS),
                None,
                DEPLOYMENT_KEY,
                Some(keys::consumer(0)),
            )
        },
        Variant {
            filters: ours("refusal", KEYS),
            expected: Expected::Refusal { body: "authentication_error" },
            // The keys after the last one that is configured.
            requests: (KEYS..2 * KEYS).map(|number| both_keys(proxy_key(number))).collect(),
            ..byok("refusal", "byok-filter, refusal (unknown key)", KEYS)
        },
        byok("keys-1000", "byok-filter, BYOK, 1,000 keys", 1000),
        byok("keys-100000", "byok-filter, BYOK, 100,000 keys", 100_000),
        Variant { access_log: Some(access_log(&[])), ..untouched("none-log", "no filter, access log", Vec::new()) },
        Variant {
            access_log: Some(access_log(&FILTER_STATE)),
            ..byok("byok-log", "byok-filter, BYOK, access log with filter state", KEYS)
        },
    ]
}

/// Returns a variant without filters whose requests go on.
fn passing(
    name: &'static str,
    title: &'static str,
    requests: Vec<Credentials>,
    proxy_key: Option<String>,
    provider_key: &'static str,
    consumer: Option<String>,
) -> Variant {
    let expected = Expected::Upstream { proxy_key, provider_key, consumer };
    Variant { name, title, filters: Vec::new(), access_log: None, requests, expected }
}

/// Spread over all keys, so that a larger table of keys shows what it costs.
fn byok_requests(keys: usize) -> Vec<Credentials> {
    in_turn(keys).map(both_keys).collect()
}

/// As long as the requests of the others: what is compared is the filters, not the parsing of a header.
fn deployment_requests(keys: usize) -> Vec<Credentials> {
    in_turn(keys).map(|key| vec![("x-litellm-api-key", key), ("x-filler", CLIENT_KEY.to_owned())]).collect()
}

fn in_turn(keys: usize) -> impl Iterator<Item = String> {
    (0..keys).step_by(keys.div_ceil(KEYS_IN_TURN).max(1)).map(proxy_key)
}

fn both_keys(proxy_key: String) -> Credentials {
    vec![("x-litellm-api-key", proxy_key), ("x-api-key", CLIENT_KEY.to_owned())]
}

const FILTER_STATE: [&str; 7] =
    ["decision", "reason", "auth_source", "consumer", "key_id", "provider", "credential_source"];

fn access_log(filter_state: &[&str]) -> Value {
    let mut fields = json!({
        "status": "%RESPONSE_CODE%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "path": "%PATH(NQ)%",
    });
    for name in filter_state {
        if let Some(fields) = fields.as_object_mut() {
            fields.insert((*name).to_owned(), json!(format!("%FILTER_STATE(wasm.byok.{name}:PLAIN)%")));
        }
    }
    fields
}
