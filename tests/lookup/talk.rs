//! The core and a service in conversation, without cache and carrier.

use std::collections::BTreeMap;

use byok_core::{
    Context, Decision, KeyDigest, LookupRequest, LookupResults, Policy, RedirectState, Reply, RequestHeaders,
    Timestamp, decide,
};
use byok_testkit::corpus::{Line, Message};

use crate::edits::edited;

pub(crate) const CONFIGURED: &str = "proxy-EXAMPLE-configured";
pub(crate) const OUTDATED: &str = "proxy-EXAMPLE-outdated";
pub(crate) const SERVICE_KEY: &str = "sk-EXAMPLE-service";
pub(crate) const CLIENT_KEY: &str = "sk-ant-api03-EXAMPLE-client";

/// A service asked by digest, beside two consumers with a key each; `more` goes in front of the other fields.
pub(crate) fn policy(more: &str, service: &str) -> Policy {
    loaded(more, "/key/info", service)
}

/// A service at a path of its own.
pub(crate) fn policy_at(path: &str, service: &str) -> Policy {
    loaded("", path, service)
}

fn loaded(more: &str, path: &str, service: &str) -> Policy {
    let digest = |key: &str| KeyDigest::of(key.as_bytes()).to_hex();
    let json = format!(
        r#"{{ {more} "consumers": [
                {{ "name": "team-a", "keys": [ {{ "id": "1", "sha256": "{}" }} ] }},
                {{ "name": "team-b", "keys": [
                    {{ "id": "2", "sha256": "{}", "expires_at": "2020-01-01T00:00:00Z" }} ] }} ],
             "verification_service": {{ "cluster": "issuer", "path": "{path}", {service} }} }}"#,
        digest(CONFIGURED),
        digest(OUTDATED),
    );
    let environment = |name: &str| (name == "ISSUER_API_KEY").then(|| SERVICE_KEY.to_owned());
    let loaded = Policy::from_json(json.as_bytes(), &environment);
    loaded.unwrap_or_else(|errors| panic!("{errors:?} in {json}")).policy
}

pub(crate) const BY_DIGEST: &str = r#""send_as": { "sha256_query": "key" }"#;

/// What a service says of a key: status and body.
pub(crate) type Says = (&'static str, &'static str);

/// What came of a request, and what was asked on the way.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) asked: Vec<Vec<(String, String)>>,
    pub(crate) refused: Option<Refused>,
    pub(crate) record: BTreeMap<String, String>,
    pub(crate) upstream: Vec<Line>,
    pub(crate) state: String,
}

#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl End {
    pub(crate) fn part(&self, name: &str) -> &str {
        self.record.get(name).map_or("-", String::as_str)
    }

    /// Decision and reason.
    pub(crate) fn verdict(&self) -> (&str, &str) {
        (self.part("decision"), self.part("reason"))
    }
}

/// Sends a request, in the notation of the corpus, to a service that knows some keys; of all others it says 404.
pub(crate) fn talk(policy: &Policy, request: &str, known: &[(&str, Says)]) -> End {
    talk_after(policy, request, known, None)
}

pub(crate) fn talk_after(policy: &Policy, request: &str, known: &[(&str, Says)], redirect: Option<&str>) -> End {
    let lines = lines(request);
    let headers = RequestHeaders::from_lines(lines.iter().map(|(name, value)| (&**name, &**value)));
    let service = policy.verification_service.as_ref().expect("a service");
    let mut asked = Vec::new();
    let mut said = Vec::new();
    // No request has more candidates than this.
    for _ in 0..20 {
        let mut lookups = LookupResults::default();
        for (digest, says) in &said {
            let (status, body): &Says = says;
            lookups.insert(*digest, service.read_response(*digest, status.as_bytes(), body.as_bytes()));
        }
        let now: Timestamp = std::time::SystemTime::now().into();
        let redirect = redirect.map(|state| RedirectState::parse(state.as_bytes()).expect("a state"));
        let context = Context { now, redirect, lookups, ..Context::default() };
        let decision = decide(policy, &headers, &context);
        let (effect, refusal, edits) = match &decision {
            Decision::Lookup(lookup) => {
                let request = LookupRequest::new(service, lookup);
                asked.push(
                    request.expose().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
                );
                let says = known.iter().find(|(key, _)| KeyDigest::of(key.as_bytes()) == lookup.digest);
                said.push((lookup.digest, says.map_or(("404", ""), |(_, says)| *says)));
                continue;
            }
            Decision::Allow { effect, edits } => (effect, None, &**edits),
            Decision::Deny { effect, reason } => (effect, Some(Reply::new(*reason, policy, effect, &headers)), &[][..]),
        };
        let entries = effect.entries();
        return End {
            asked,
            refused: refusal.map(|refusal| Refused {
                status: refusal.status,
                headers: refusal.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
                body: String::from_utf8_lossy(&refusal.body).into_owned(),
            }),
            record: entries.map(|(name, value)| (name.trim_start_matches("byok.").into(), value.into())).collect(),
            state: effect.to_redirect_state(),
            upstream: edited(lines.clone(), edits),
        };
    }
    panic!("the service is asked for ever: {asked:?}");
}

fn lines(request: &str) -> Vec<Line> {
    let message = Message::parse(request).expect("a request");
    let pseudo = [(b":method".to_vec(), message.method), (b":authority".to_vec(), b"llm.example.com".to_vec())];
    let path = message.path.map(|path| (b":path".to_vec(), path));
    pseudo.into_iter().chain(path).chain(message.lines).collect()
}
