//! What is compared: one row of the table each.

use std::path::Path;

use serde_json::{Value, json};

use crate::ext_authz::ExtAuthz;
use crate::filters::{self, api_key_auth, credential_injector, header_mutation, lua, wasm, whole_job_lua};
use crate::floor::Floor;
use crate::keys::{self, CLIENT_KEY, DEPLOYMENT_KEY, proxy_key};
use crate::noop::NoOp;
use crate::requests::Credentials;

/// The row that all others are held against.
pub(super) const BASELINE: &str = "none";

/// The variants whose latency is measured.
pub(super) const WITH_LATENCY: [&str; 7] =
    [BASELINE, "api-key-auth", "envoy-filters", "whole-job-lua", "ext-authz", "wasm", "native"];

/// How many keys the variants know that don't say otherwise.
pub(super) const KEYS: usize = 10;

/// More keys in turn would not fit the generator's own cache.
const KEYS_IN_TURN: usize = 1000;

/// A listener, the requests that it is sent, and what must come of them.
pub(super) struct Variant {
    /// The name of the listener, and the one for `--only`.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// Whether the filter is in it.
    pub(super) is_ours: bool,
    pub(super) filters: Vec<Value>,
    /// The process beside Envoy, where the filters need one.
    pub(super) service: Option<Service>,
    /// The fields of the access log, where there is one.
    pub(super) access_log: Option<Value>,
    /// Sent in turn.
    pub(super) requests: Vec<Credentials>,
    /// What becomes of the first of them; of the others, the same status.
    pub(super) expected: Expected,
    /// Further requests on which the job shows; they are not measured.
    pub(super) checks: Vec<(Credentials, Expected)>,
}

pub(super) struct Service {
    pub(super) pid: u32,
    /// Envoy's cluster of it.
    pub(super) cluster: Value,
}

pub(super) enum Expected {
    /// 200, with these credentials for the upstream and this consumer in the filter state.
    Upstream { proxy_key: Option<String>, provider_key: &'static str, consumer: Option<String> },
    /// 401, with this in its body.
    Refusal { body: &'static str },
}

/// The modules and the service that the variants are made of.
pub(super) struct Subjects<'a> {
    pub(super) module: &'a Path,
    pub(super) no_op: &'a NoOp,
    pub(super) floor: &'a Floor,
    pub(super) ext_authz: &'a ExtAuthz,
}

pub(super) fn all(subjects: &Subjects<'_>) -> Vec<Variant> {
    let ours = in_wasm(subjects.module).into_iter().chain(in_native());
    let ours = ours.map(|variant| Variant { is_ours: true, ..variant });
    without_the_filter(subjects).into_iter().chain(ours).collect()
}

fn without_the_filter(subjects: &Subjects<'_>) -> Vec<Variant> {
    let plain = |name, title, filters| Variant { filters, ..upstream(name, title, byok_requests(KEYS), CLIENT_KEY) };
    let untouched = |name, title, filters| Variant {
        expected: passed(Some(proxy_key(0)), CLIENT_KEY, None),
        ..plain(name, title, filters)
    };
    let module = |name, title, module| untouched(name, title, vec![wasm(name, module, "")]);
    let service = Service { pid: subjects.ext_authz.pid(), cluster: subjects.ext_authz.cluster() };
    let by_envoy = "Client authentication failed";
    let by_hand = "unknown key";
    vec![
        untouched(BASELINE, "no filter", Vec::new()),
        plain("api-key-auth", "Envoy's `api_key_auth`, header hidden", vec![api_key_auth(KEYS)]).refusing(by_envoy),
        plain(
            "envoy-filters",
            "`api_key_auth`, `header_mutation`, `credential_injector`",
            vec![api_key_auth(KEYS), header_mutation(), credential_injector()],
        )
        .refusing(by_envoy)
        .injecting(None),
        Variant {
            requests: byok_requests(1),
            ..plain("lua", "Lua: compares one key, removes two headers", vec![lua()]).refusing(by_hand)
        },
        plain("whole-job-lua", "Lua that does the whole job on clear-text keys", vec![whole_job_lua(KEYS)])
            .refusing(by_hand)
            .injecting(None)
            .with_keys_anywhere(None),
        Variant {
            service: Some(service),
            ..plain("ext-authz", "`ext_authz`: gRPC to a service in Rust, both processes", vec![filters::ext_authz()])
                .refusing(by_hand)
                .injecting(None)
                .with_keys_anywhere(None)
        },
        module("no-op", "no-op wasm, built the usual way", subjects.no_op.as_built()),
        module("no-op-packaged", "no-op wasm, with the exports alone that it needs", subjects.no_op.packaged()),
        Variant {
            expected: passed(None, CLIENT_KEY, Some(keys::consumer(0))),
            ..module("floor", "the filter's host calls in wasm, and nothing else", subjects.floor.path())
        },
        Variant { access_log: Some(access_log(&[])), ..untouched("none-log", "no filter, access log", Vec::new()) },
    ]
}

fn in_wasm(module: &Path) -> Vec<Variant> {
    let filter = |name, keys| vec![wasm(name, module, &keys::configuration(keys))];
    let byok = |name, title, keys| ours(name, title, keys, filter(name, keys));
    let with_parts = |name, title, parts: &[&str]| {
        let configuration = keys::configuration_with_filter_state(KEYS, parts);
        of_parts(name, title, parts, vec![wasm(name, module, &configuration)])
    };
    vec![
        byok("wasm", "byok-filter in wasm, client's key (BYOK)", KEYS),
        with_parts("wasm-one-part", "wasm, BYOK, `filter_state: [\"consumer\"]`", &["consumer"]),
        with_parts("wasm-no-parts", "wasm, BYOK, `filter_state: []`", &[]),
        Variant {
            filters: filter("deployment", KEYS),
            expected: passed(None, DEPLOYMENT_KEY, Some(keys::consumer(0))),
            ..upstream("deployment", "wasm, deployment key", deployment_requests(KEYS), DEPLOYMENT_KEY)
        },
        Variant {
            filters: filter("refusal", KEYS),
            expected: Expected::Refusal { body: REFUSED },
            // The keys after the last one that is configured.
            ..upstream(
                "refusal",
                "wasm, refusal (unknown key)",
                (KEYS..2 * KEYS).map(|number| both_keys(proxy_key(number))).collect(),
                CLIENT_KEY,
            )
        },
        byok("keys-1000", "wasm, BYOK, 1,000 keys", 1000),
        byok("keys-100000", "wasm, BYOK, 100,000 keys", 100_000),
        Variant {
            access_log: Some(access_log(&FILTER_STATE)),
            ..byok("wasm-log", "wasm, BYOK, access log with filter state", KEYS)
        },
    ]
}

fn in_native() -> Vec<Variant> {
    let byok = |name, title, keys| ours(name, title, keys, vec![filters::native(name, &keys::configuration(keys))]);
    let configuration = keys::configuration_with_filter_state(KEYS, &[]);
    vec![
        byok("native", "byok-filter, native, client's key (BYOK)", KEYS),
        of_parts(
            "native-no-parts",
            "native, BYOK, `filter_state: []`",
            &[],
            vec![filters::native("native-no-parts", &configuration)],
        ),
        byok("native-keys-100000", "native, BYOK, 100,000 keys", 100_000),
    ]
}

/// What the body of the filter's 401 says.
const REFUSED: &str = "authentication_error";

/// A variant of the filter in either carrier.
fn ours(name: &'static str, title: &'static str, keys: usize, filters: Vec<Value>) -> Variant {
    let consumer = || Some(keys::consumer(0));
    Variant {
        filters,
        expected: passed(None, CLIENT_KEY, consumer()),
        ..upstream(name, title, byok_requests(keys), CLIENT_KEY)
    }
    .refusing(REFUSED)
    .injecting(consumer())
    .with_keys_anywhere(consumer())
}

/// The same that sets only some parts of the decision as filter state.
fn of_parts(name: &'static str, title: &'static str, parts: &[&str], filters: Vec<Value>) -> Variant {
    let consumer = || parts.contains(&"consumer").then(|| keys::consumer(0));
    Variant {
        filters,
        expected: passed(None, CLIENT_KEY, consumer()),
        ..upstream(name, title, byok_requests(KEYS), CLIENT_KEY)
    }
    .refusing(REFUSED)
    .injecting(consumer())
    .with_keys_anywhere(consumer())
}

impl Variant {
    /// Lets an unknown key be refused with that in the body.
    fn refusing(mut self, body: &'static str) -> Self {
        self.checks.push((both_keys("byok-bench-unknown-key".to_owned()), Expected::Refusal { body }));
        self
    }

    /// Lets the deployment key be sent where the client sends no key.
    fn injecting(mut self, consumer: Option<String>) -> Self {
        let credentials = vec![("x-litellm-api-key", proxy_key(0))];
        self.checks.push((credentials, passed(None, DEPLOYMENT_KEY, consumer)));
        self
    }

    /// Lets the proxy key be found in the two other headers, too.
    fn with_keys_anywhere(mut self, consumer: Option<String>) -> Self {
        let bearer = ("authorization", format!("Bearer {}", proxy_key(0)));
        let client_key = ("x-api-key", CLIENT_KEY.to_owned());
        self.checks.push((vec![bearer, client_key], passed(None, CLIENT_KEY, consumer.clone())));
        self.checks.push((vec![("x-api-key", proxy_key(0))], passed(None, DEPLOYMENT_KEY, consumer)));
        self
    }
}

/// Returns a variant without filters from whose requests the proxy key goes.
fn upstream(
    name: &'static str,
    title: &'static str,
    requests: Vec<Credentials>,
    provider_key: &'static str,
) -> Variant {
    Variant {
        name,
        title,
        is_ours: false,
        filters: Vec::new(),
        service: None,
        access_log: None,
        requests,
        expected: passed(None, provider_key, None),
        checks: Vec::new(),
    }
}

fn passed(proxy_key: Option<String>, provider_key: &'static str, consumer: Option<String>) -> Expected {
    Expected::Upstream { proxy_key, provider_key, consumer }
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
