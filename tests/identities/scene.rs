//! Listeners in which Envoy authenticates callers before the filter.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use byok_testkit::corpus::Message;
use byok_testkit::gateway::{
    Gateway, Response, Site, Upstream, connection_manager_of, exchange_http1, listener, until,
};
use serde_json::{Value, json};

use crate::token::{ISSUER, jwks};

pub(crate) const CLIENT_KEY: &str = "sk-ant-api03-EXAMPLE-client";
pub(crate) const PROXY_KEY: &str = "proxy-EXAMPLE-a";

/// An Envoy with one listener, and its upstream.
pub(crate) struct Scene {
    pub(crate) gateway: Gateway,
    pub(crate) upstream: Upstream,
}

impl Scene {
    /// Starts the listener of a configuration, which the function changes.
    pub(crate) fn start(configuration: &Value, change: impl FnOnce(&mut Value)) -> Self {
        Self::start_with(Upstream::start(), configuration, &[], change)
    }

    /// Starts it with an upstream that the test scripts, and further clusters.
    pub(crate) fn start_with(
        upstream: Upstream,
        configuration: &Value,
        clusters: &[(&str, &Upstream)],
        change: impl FnOnce(&mut Value),
    ) -> Self {
        let configuration = configuration.to_string();
        let environment = BTreeMap::new();
        let site = Site {
            name: "gateway",
            configuration: &configuration,
            environment: &environment,
            cluster: Some("upstream"),
        };
        let mut listener = listener(&site);
        change(&mut listener);
        let clusters: Vec<_> = clusters.iter().copied().chain([("upstream", &upstream)]).collect();
        let gateway = Gateway::start(&clusters, &[listener]);
        Self { gateway, upstream }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        let addresses = self.gateway.addresses();
        *addresses.get("gateway").unwrap_or_else(|| panic!("no listener; {}", self.gateway.explanation()))
    }

    /// Sends header lines and returns the answer, what has reached the upstream, and the record.
    pub(crate) fn ask(&self, lines: &[(&str, &str)]) -> Outcome {
        let answer = exchange_http1(self.address(), &request(lines), &[("host", b"llm.example.com")]);
        let answer = answer.unwrap_or_else(|error| panic!("no answer: {error}; {}", self.gateway.explanation()));
        self.outcome(answer)
    }

    pub(crate) fn outcome(&self, answer: Response) -> Outcome {
        let row = until(|| self.gateway.rows(1).into_iter().find(|row| row.connection.1 == answer.client));
        let record = row.expect("a row in the access log").record;
        Outcome { status: answer.status, upstream: self.upstream.take().pop(), record }
    }
}

/// What came of a request.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: u16,
    pub(crate) upstream: Option<Message>,
    record: BTreeMap<String, String>,
}

impl Outcome {
    pub(crate) fn part(&self, name: &str) -> &str {
        self.record.get(name).map_or("-", String::as_str)
    }

    /// The values of a header that have reached the upstream.
    pub(crate) fn sent(&self, header: &str) -> Vec<String> {
        let message = self.upstream.as_ref().unwrap_or_else(|| panic!("nothing has reached the upstream: {self:?}"));
        message.values(header).map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    /// Panics where the request has not passed as that consumer, by that auth source.
    pub(crate) fn assert_passed(&self, consumer: &str, auth_source: &str) {
        assert_eq!(
            (self.status, self.part("consumer"), self.part("auth_source")),
            (200, consumer, auth_source),
            "{self:?}"
        );
    }

    /// Panics where the request was not refused for this reason.
    pub(crate) fn assert_refused(&self, status: u16, reason: &str) {
        assert_eq!((self.status, self.part("reason")), (status, reason), "{self:?}");
        assert!(self.upstream.is_none(), "{self:?}");
    }
}

pub(crate) fn request(lines: &[(&str, &str)]) -> Message {
    let lines: String = lines.iter().map(|(name, value)| format!("\n{name}: {value}")).collect();
    Message::parse(&format!("POST /v1/messages{lines}")).expect("a request")
}

/// Puts `jwt_authn` in front of the filter. A token that is missing or wrong is the filter's business: it may be a key.
pub(crate) fn check_tokens(listener: &mut Value) {
    let jwt = json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": { "company": {
                "issuer": ISSUER,
                "local_jwks": { "inline_string": jwks() },
                "forward": true,
                "payload_in_metadata": "company",
            } },
            "rules": [ { "match": { "prefix": "/" }, "requires": { "requires_any": { "requirements": [
                { "provider_name": "company" }, { "allow_missing_or_failed": {} } ] } } } ],
        },
    });
    let filters = connection_manager_of(listener)["http_filters"].as_array_mut().expect("filters");
    filters.insert(0, jwt);
}
