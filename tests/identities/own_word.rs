//! Setups in which an identity is the client's own word, of which `byok check` warns: what is in front of the filter repeats
//! what a client has sent, and the filter can't know.

use byok_testkit::certificates::Authority;
use byok_testkit::corpus::Message;
use byok_testkit::gateway::{connection_manager_of, exchange_http1};
use serde_json::{Value, json};

use crate::certificates::exchange;
use crate::scene::Scene;

const HEADER_TO_METADATA: &str = "type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config";
const SET_FILTER_STATE: &str = "type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config";

/// A configuration that admits whomever a property names.
fn admits(property: &[&str]) -> Value {
    json!({ "identities": [ { "name": "sso", "property": property, "allow_unlisted": true } ] })
}

fn put_in_front(listener: &mut Value, configuration: &Value) {
    let filter = json!({ "name": "copier", "typed_config": configuration });
    connection_manager_of(listener)["http_filters"].as_array_mut().expect("filters").insert(0, filter);
}

fn copies_user(to: &Value) -> Value {
    json!({ "@type": HEADER_TO_METADATA, "request_rules": [ { "header": "x-user", "on_header_present": to } ] })
}

#[test]
fn a_header_in_metadata_names_the_caller_in_the_namespace_of_the_filter_too_where_the_rule_has_none() {
    let metadata = |namespace: &'static str| ["metadata", "filter_metadata", namespace, "user"];
    for (namespace, to) in [
        ("example.sso", json!({ "metadata_namespace": "example.sso", "key": "user" })),
        ("envoy.filters.http.header_to_metadata", json!({ "key": "user" })),
    ] {
        let scene = Scene::start(&admits(&metadata(namespace)), |listener| put_in_front(listener, &copies_user(&to)));
        scene.ask(&[("x-user", "alice")]).assert_passed("sso:alice", "identity:sso");
    }
}

#[test]
fn a_route_can_let_a_header_name_the_caller() {
    let property = ["metadata", "filter_metadata", "example.sso", "user"];
    let scene = Scene::start(&admits(&property), |listener| {
        put_in_front(listener, &json!({ "@type": HEADER_TO_METADATA }));
        let rules = copies_user(&json!({ "metadata_namespace": "example.sso", "key": "user" }));
        let host = &mut connection_manager_of(listener)["route_config"]["virtual_hosts"][0];
        host["typed_per_filter_config"] = json!({ "copier": rules });
    });
    scene.ask(&[("x-user", "alice")]).assert_passed("sso:alice", "identity:sso");
}

#[test]
fn a_format_that_repeats_the_request_names_the_caller() {
    let commands =
        ["REQ(x-user)", "REQUEST_HEADER(x-user)", "QUERY_PARAM(user)", "CEL(request.headers['x-user'])", "PATH(NQ)"];
    for command in commands {
        let scene = Scene::start(&admits(&["filter_state", "example.user"]), |listener| {
            let format = json!({ "text_format_source": { "inline_string": format!("%{command}%") } });
            let state = json!({ "object_key": "example.user", "factory_key": "envoy.string", "format_string": format });
            put_in_front(listener, &json!({ "@type": SET_FILTER_STATE, "on_request_headers": [state] }));
        });
        let message = Message::parse("POST /v1/messages?user=alice\nx-user: alice").expect("a request");
        let answer = exchange_http1(scene.address(), &message, &[("host", b"llm.example.com")]).expect("an answer");
        let expected = if command == "PATH(NQ)" { "sso:/v1/messages" } else { "sso:alice" };
        scene.outcome(answer).assert_passed(expected, "identity:sso");
    }
}

#[test]
fn a_listener_asks_for_certificates_only_where_it_can_verify_them_unless_it_accepts_any() {
    let authority = Authority::new().expect("an authority");
    let server = authority.server("localhost").expect("a certificate");
    let forged = Authority::new().expect("an authority").workload("spiffe://forged").expect("a certificate");
    let inline = |text: &str| json!({ "inline_string": text });
    let trusted_ca = inline(&authority.certificate());
    for (validation, admitted) in [
        (json!({}), false),
        (json!({ "trust_chain_verification": "ACCEPT_UNTRUSTED" }), true),
        (json!({ "trust_chain_verification": "ACCEPT_UNTRUSTED", "trusted_ca": trusted_ca }), true),
    ] {
        let scene = Scene::start(&admits(&["connection", "uri_san_peer_certificate"]), |listener| {
            listener["filter_chains"][0]["transport_socket"] = json!({
                "name": "envoy.transport_sockets.tls",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                    // Without anything to verify a certificate by, this changes nothing.
                    "require_client_certificate": true,
                    "common_tls_context": {
                        "tls_certificates": [
                            { "certificate_chain": inline(&server.certificate), "private_key": inline(&server.key) } ],
                        "validation_context": validation,
                    },
                },
            });
        });
        let answer = exchange(scene.address(), &authority.certificate(), Some(&forged), &[]).expect("an answer");
        let outcome = scene.outcome(answer);
        if admitted {
            outcome.assert_passed("sso:spiffe://forged", "identity:sso");
        } else {
            outcome.assert_refused(401, "missing_api_key");
        }
    }
}
