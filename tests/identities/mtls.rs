//! Client certificates that Envoy has checked.

use byok_testkit::certificates::{Authority, Issued};
use serde_json::{Value, json};

use crate::certificates::exchange;
use crate::scene::{CLIENT_KEY, Outcome, PROXY_KEY, Scene, check_tokens};
use crate::token::signed;

const IN_A: &str = "spiffe://example.com/ns/a/agent";
const ELSEWHERE: &str = "spiffe://example.com/ns/other/agent";

fn configuration(allow_unlisted: bool) -> Value {
    json!({
        "forward_llm_provider_auth_headers": true,
        "identities": [
            { "name": "mtls", "property": ["connection", "uri_san_peer_certificate"], "allow_unlisted": allow_unlisted },
            { "name": "jwt", "property": ["metadata", "filter_metadata", "envoy.filters.http.jwt_authn", "company", "sub"],
              "credential": { "header": "authorization", "scheme": "Bearer" } } ],
        "consumers": [
            { "name": "team-a", "identities": [ { "mtls": "spiffe://example.com/ns/a/*" } ] },
            { "name": "team-b", "identities": [ { "jwt": "bob" } ], "keys": [ { "id": "1", "value": PROXY_KEY } ] } ],
    })
}

struct Mesh {
    scene: Scene,
    authority: Authority,
}

impl Mesh {
    fn start(configuration: &Value) -> Self {
        let authority = Authority::new().expect("an authority");
        let server = authority.server("localhost").expect("a certificate");
        let scene = Scene::start(configuration, |listener| {
            check_tokens(listener);
            listener["filter_chains"][0]["transport_socket"] = tls(&authority, &server);
        });
        Self { scene, authority }
    }

    fn ask(&self, client: Option<&Issued>, lines: &[(&str, &str)]) -> Outcome {
        let answer = exchange(self.scene.address(), &self.authority.certificate(), client, lines);
        self.scene.outcome(answer.unwrap_or_else(|error| panic!("{error}; {}", self.scene.gateway.explanation())))
    }

    fn workload(&self, id: &str) -> Issued {
        self.authority.workload(id).expect("a certificate")
    }
}

/// TLS with a client certificate of the authority's, or without one.
fn tls(authority: &Authority, server: &Issued) -> Value {
    let inline = |text: &str| json!({ "inline_string": text });
    json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "tls_certificates": [
                    { "certificate_chain": inline(&server.certificate), "private_key": inline(&server.key) } ],
                "validation_context": { "trusted_ca": inline(&authority.certificate()) },
            },
        },
    })
}

#[test]
fn a_certificate_that_a_consumer_lists_is_enough() {
    let mesh = Mesh::start(&configuration(false));
    let outcome = mesh.ask(Some(&mesh.workload(IN_A)), &[("x-api-key", CLIENT_KEY)]);
    outcome.assert_passed("team-a", "identity:mtls");
    assert_eq!((outcome.part("key_id"), outcome.part("credential_source")), ("mtls", "client"));
    assert_eq!(outcome.sent("x-api-key"), [CLIENT_KEY]);
}

#[test]
fn a_certificate_that_nobody_lists_admits_nobody_unless_unlisted_ones_are_admitted() {
    let mesh = Mesh::start(&configuration(false));
    mesh.ask(Some(&mesh.workload(ELSEWHERE)), &[]).assert_refused(401, "missing_api_key");
    let mesh = Mesh::start(&configuration(true));
    mesh.ask(Some(&mesh.workload(ELSEWHERE)), &[]).assert_passed(&format!("mtls:{ELSEWHERE}"), "identity:mtls");
    mesh.ask(Some(&mesh.workload(IN_A)), &[]).assert_passed("team-a", "identity:mtls");
}

#[test]
fn without_a_certificate_a_key_or_a_token_is_enough_and_the_first_identity_counts() {
    let mesh = Mesh::start(&configuration(false));
    mesh.ask(None, &[]).assert_refused(401, "missing_api_key");
    mesh.ask(None, &[("x-litellm-api-key", PROXY_KEY)]).assert_passed("team-b", "x-litellm-api-key");
    let token = format!("Bearer {}", signed(json!({ "sub": "bob" })));
    mesh.ask(None, &[("authorization", &token)]).assert_passed("team-b", "identity:jwt");
    let outcome = mesh.ask(Some(&mesh.workload(IN_A)), &[("authorization", &token)]);
    outcome.assert_passed("team-a", "identity:mtls");
    // The token of the other identity is removed all the same.
    assert_eq!(outcome.sent("authorization"), [""; 0]);
    let outcome = mesh.ask(Some(&mesh.workload(IN_A)), &[("x-litellm-api-key", PROXY_KEY)]);
    outcome.assert_passed("team-b", "x-litellm-api-key");
}

#[test]
fn a_certificate_of_another_authority_does_not_get_as_far_as_the_filter() {
    let mesh = Mesh::start(&configuration(true));
    let forged = Authority::new().expect("an authority").workload(IN_A).expect("a certificate");
    let answer = exchange(mesh.scene.address(), &mesh.authority.certificate(), Some(&forged), &[]);
    assert!(answer.is_err(), "{answer:?}");
    assert!(mesh.scene.upstream.take().is_empty());
}

#[test]
fn headers_about_certificates_identify_nobody() {
    let mesh = Mesh::start(&configuration(true));
    let certificate = format!("URI={IN_A}");
    for header in ["x-forwarded-client-cert", "uri_san_peer_certificate", "connection.uri_san_peer_certificate"] {
        mesh.ask(None, &[(header, &certificate)]).assert_refused(401, "missing_api_key");
    }
}
