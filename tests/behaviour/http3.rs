//! HTTP/3: a second listener of the same Envoy is the client, so that no other HTTP/3 stack is needed.

use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;

use byok_testkit::gateway::{Gateway, Upstream, connection_manager_of};
use byok_testkit::site::{BYOK, CLIENT_KEY, PROXY_KEY, arrived, ask, assert_clean, gateway_listener, value};
use serde_json::{Value, json};

#[test]
fn a_request_over_http3_is_decided_alike() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (certificate, key) = certificate(directory.path());
    let port = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
    let upstream = Upstream::start();

    let listeners = [over_quic(gateway_listener(BYOK), port, &certificate, &key), client()];
    let gateway = Gateway::start_with(&[("upstream", &upstream)], &listeners, |bootstrap, _| {
        let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().expect("clusters");
        clusters.push(quic_cluster(port, &certificate));
    });
    let addresses = gateway.addresses();
    let address = *addresses.get("client").unwrap_or_else(|| panic!("{addresses:?}; {}", gateway.explanation()));

    let answer =
        ask(address, &format!("POST /v1/messages\nauthorization: bearer {PROXY_KEY}\nx-api-key: {CLIENT_KEY}"));
    assert_eq!(answer.status, 200, "{}", gateway.explanation());
    let message = arrived(&upstream);
    assert_clean(&message);
    assert_eq!(value(&message, "x-api-key").as_deref(), Some(CLIENT_KEY));
    assert_eq!(value(&message, "authorization"), None);

    let answer = ask(address, "POST /v1/messages\nx-litellm-api-key: guess");
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), Some(r#"Bearer realm="llm-gateway""#));
    let answer = ask(address, &format!("POST /v1/messages\nx-api-key: {PROXY_KEY}\nx-api-key: other"));
    assert_eq!(answer.status, 400);
    assert!(upstream.take().is_empty());

    let rows = gateway.rows(3);
    assert!(rows.iter().all(|row| row.protocol == "HTTP/3"), "{rows:?}");
}

/// A certificate for llm.example.com and its key, made for this run.
fn certificate(directory: &Path) -> (String, String) {
    let file = |name: &str| directory.join(name).to_string_lossy().into_owned();
    let (certificate, key) = (file("certificate.pem"), file("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=llm.example.com", "-addext", "subjectAltName=DNS:llm.example.com"])
        .args(["-keyout", &key, "-out", &certificate])
        .output()
        .expect("openssl is on PATH");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (certificate, key)
}

fn over_quic(mut listener: Value, port: u16, certificate: &str, key: &str) -> Value {
    listener["address"] = udp(port);
    listener["udp_listener_config"] = json!({ "quic_options": {} });
    listener["filter_chains"][0]["transport_socket"] = json!({
        "name": "envoy.transport_sockets.quic",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.quic.v3.QuicDownstreamTransport",
            "downstream_tls_context": { "common_tls_context": { "tls_certificates": [
                { "certificate_chain": { "filename": certificate }, "private_key": { "filename": key } } ] } },
        },
    });
    connection_manager_of(&mut listener)["codec_type"] = "HTTP3".into();
    listener
}

/// A listener without the filter that sends everything on over HTTP/3.
fn client() -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
        "name": "client",
        "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } },
        "filter_chains": [ { "filters": [ {
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": "client",
                "http_filters": [ {
                    "name": "envoy.filters.http.router",
                    "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
                } ],
                "route_config": { "virtual_hosts": [ {
                    "name": "all", "domains": ["*"],
                    "routes": [ { "match": { "prefix": "/" }, "route": { "cluster": "over_http3" } } ],
                } ] },
            },
        } ] } ],
    })
}

fn quic_cluster(port: u16, certificate: &str) -> Value {
    json!({
        "name": "over_http3",
        "connect_timeout": "5s",
        "type": "STATIC",
        "load_assignment": { "cluster_name": "over_http3", "endpoints": [ { "lb_endpoints": [
            { "endpoint": { "address": udp(port) } } ] } ] },
        "transport_socket": {
            "name": "envoy.transport_sockets.quic",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.quic.v3.QuicUpstreamTransport",
                "upstream_tls_context": {
                    "sni": "llm.example.com",
                    "common_tls_context": { "validation_context": { "trusted_ca": { "filename": certificate } } },
                },
            },
        },
        "typed_extension_protocol_options": { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": { "http3_protocol_options": {} },
        } },
    })
}

fn udp(port: u16) -> Value {
    json!({ "socket_address": { "protocol": "UDP", "address": "127.0.0.1", "port_value": port } })
}
