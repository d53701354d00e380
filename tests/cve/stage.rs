//! Envoy with the filter before a LiteLLM, whose part a recording upstream plays.

use std::io;
use std::net::SocketAddr;

use byok_testkit::corpus::Message;
use byok_testkit::gateway::{Gateway, Response, Upstream, connection_manager_of, exchange_http1, exchange_http2};
use byok_testkit::site::{PROXY_KEY, gateway_listener, start};

/// LiteLLM checks the key again, as in `envoy/litellm.yaml`; what it serves to everybody is open here too.
const BEFORE_LITELLM: &str = r#"{
    "providers": { "litellm": { "byok": "preferred" } },
    "routes": [
        { "match": { "path": "/health/liveliness" }, "mode": "off" },
        { "match": { "path_prefix": "/.well-known" }, "mode": "off" }
    ],
    "consumers": [ { "name": "team-a", "keys": [ { "id": "1", "value": "proxy-EXAMPLE-a" } ] } ]
}"#;

/// A running gateway.
pub(crate) struct Stage {
    gateway: Gateway,
    address: SocketAddr,
    litellm: Upstream,
}

/// What answered instead of the next hop.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refused {
    ByTheFilter(u16),
    /// Envoy takes the request for malformed; no filter sees it.
    ByEnvoy,
}

type Exchange = fn(SocketAddr, &Message, &[(&str, &[u8])]) -> io::Result<Response>;

const PROTOCOLS: [Exchange; 2] = [exchange_http1, exchange_http2];
const HOST: &[(&str, &[u8])] = &[("host", b"llm.example.com")];

impl Stage {
    pub(crate) fn start() -> Self {
        let litellm = Upstream::start();
        let mut listener = gateway_listener(BEFORE_LITELLM);
        // Else each malformed request takes the second for which Envoy leaves its connection open.
        connection_manager_of(&mut listener)["delayed_close_timeout"] = "0.01s".into();
        let (gateway, address) = start(&litellm, listener);
        let stage = Self { gateway, address, litellm };
        assert_eq!(stage.arrived("GET /health/liveliness").len(), 2, "the open route is open");
        stage
    }

    /// Sends a request, in the notation of the corpus, over HTTP/1.1 and over HTTP/2; panics where anything of it
    /// reaches the next hop. Returns who refused each.
    pub(crate) fn refused(&self, request: &str) -> [Refused; 2] {
        let refused = PROTOCOLS.map(|exchange| self.sent(exchange, request));
        let arrived = self.litellm.take();
        assert!(arrived.is_empty(), "{request}\nreaches the next hop: {arrived:?}");
        refused.map(|who| who.unwrap_or_else(|status| panic!("{request}\nis answered {status}, by whom?")))
    }

    /// Does as [`Stage::refused`] does; panics where the filter is not the one who refuses.
    pub(crate) fn refused_by_filter(&self, request: &str) {
        for refused in self.refused(request) {
            assert!(matches!(refused, Refused::ByTheFilter(_)), "{request}\nis refused, {refused:?}");
        }
    }

    /// Sends a request with a valid key over both protocols; panics where it does not reach the next hop.
    pub(crate) fn reaches_with_a_key(&self, request: &str) {
        let request = with_a_key(request);
        assert_eq!(self.arrived(&request).len(), 2, "{request}\n{}", self.gateway.explanation());
    }

    /// Sends a request over both protocols, and returns what arrives of it.
    pub(crate) fn arrived(&self, request: &str) -> Vec<Message> {
        for exchange in PROTOCOLS {
            let _ = self.sent(exchange, request);
        }
        self.litellm.take()
    }

    /// Says who refused a request, or with which status somebody else answered.
    fn sent(&self, exchange: Exchange, request: &str) -> Result<Refused, u16> {
        let request = Message::parse(request).expect("a request");
        // Over HTTP/2 Envoy may reset the stream of a malformed request instead of answering it.
        let Ok(answer) = exchange(self.address, &request, HOST) else { return Ok(Refused::ByEnvoy) };
        match (answer.status, answer.body.starts_with(b"{\"error\":{\"message\":")) {
            (400 | 401, true) => Ok(Refused::ByTheFilter(answer.status)),
            (400, false) => Ok(Refused::ByEnvoy),
            (status, _) => Err(status),
        }
    }
}

/// The same request with a valid key, where LiteLLM looks first.
pub(crate) fn with_a_key(request: &str) -> String {
    let lines: Vec<&str> = request.lines().filter(|line| !line.starts_with("x-litellm-api-key:")).collect();
    format!("{}\nx-litellm-api-key: {PROXY_KEY}", lines.join("\n"))
}
