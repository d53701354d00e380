//! Requests that become something else: WebSocket, CONNECT, and bodies that wait for leave.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use byok_testkit::gateway::{PATIENCE, Upstream};
use byok_testkit::site::{BYOK, PROXY_KEY, arrived, assert_clean, gateway_listener, start, value};

#[test]
fn a_websocket_is_opened_with_a_key_and_carries_both_ways() {
    let upstream = Upstream::start();
    let (_gateway, address) = start(&upstream, gateway_listener(BYOK));
    let head = format!(
        "GET /v1/realtime HTTP/1.1\r\nhost: llm.example.com\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: realtime, openai-insecure-api-key.sk-EXAMPLE\r\nx-litellm-api-key: {PROXY_KEY}\r\n\r\n"
    );
    let said = converse(address, &head, "HTTP/1.1 101", "frame");
    assert!(said.ends_with("frame"), "{said}");
    let message = arrived(&upstream);
    assert_clean(&message);
    assert_eq!(value(&message, "sec-websocket-protocol").as_deref(), Some("realtime"));
    assert_eq!(value(&message, "sec-websocket-key").as_deref(), Some("dGhlIHNhbXBsZSBub25jZQ=="));
    assert_eq!(value(&message, "upgrade").as_deref(), Some("websocket"));

    let refused = converse(address, &head.replace(PROXY_KEY, "guess"), "HTTP/1.1 401", "");
    assert!(refused.contains("www-authenticate: Bearer"), "{refused}");
    assert!(upstream.take().is_empty());
}

#[test]
fn a_tunnel_is_opened_with_a_key_and_carries_both_ways() {
    let upstream = Upstream::start();
    let (_gateway, address) = start(&upstream, gateway_listener(BYOK));
    let head = format!(
        "CONNECT llm.example.com:443 HTTP/1.1\r\nhost: llm.example.com:443\r\n\
         proxy-authorization: Basic RVhBTVBMRQ==\r\nauthorization: Bearer {PROXY_KEY}\r\n\r\n"
    );
    let said = converse(address, &head, "HTTP/1.1 200", "bytes");
    assert!(said.ends_with("bytes"), "{said}");
    let message = arrived(&upstream);
    assert_clean(&message);
    assert_eq!(message.method, b"CONNECT");
    assert!(!message.has("proxy-authorization"), "{message}");

    converse(address, &head.replace(PROXY_KEY, "guess"), "HTTP/1.1 401", "");
    assert!(upstream.take().is_empty());
}

/// Envoy says 100 before any filter is asked; the body waits for the verdict all the same.
#[test]
fn expect_continue_is_answered_and_the_verdict_follows() {
    let upstream = Upstream::start();
    let (_gateway, address) = start(&upstream, gateway_listener(BYOK));
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: llm.example.com\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\
         x-litellm-api-key: {PROXY_KEY}\r\n\r\n"
    );
    let mut connection = opened(address, &head);
    read_until(&mut connection, "HTTP/1.1 100 Continue\r\n\r\n");
    connection.write_all(b"body").expect("a body is taken");
    read_until(&mut connection, "HTTP/1.1 200 OK");
    assert_clean(&arrived(&upstream));

    let mut connection = opened(address, &head.replace(PROXY_KEY, "guess"));
    read_until(&mut connection, "HTTP/1.1 401 Unauthorized");
    assert!(upstream.take().is_empty());
}

/// Sends a head, waits for the answer's start, sends more, and reads to the end where there is more.
fn converse(address: SocketAddr, head: &str, expected: &str, more: &str) -> String {
    let mut connection = opened(address, head);
    let mut said = read_until(&mut connection, expected);
    while !said.contains("\r\n\r\n") {
        said.push_str(&read_some(&mut connection));
    }
    if !more.is_empty() {
        connection.write_all(more.as_bytes()).expect("a tunnel takes bytes");
        while !said.ends_with(more) {
            said.push_str(&read_some(&mut connection));
        }
    }
    said
}

fn opened(address: SocketAddr, head: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address).expect("Envoy listens");
    connection.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    connection.write_all(head.as_bytes()).expect("Envoy reads");
    connection
}

fn read_until(connection: &mut TcpStream, expected: &str) -> String {
    let mut said = String::new();
    while !said.contains(expected) {
        said.push_str(&read_some(connection));
    }
    said
}

fn read_some(connection: &mut TcpStream) -> String {
    let mut part = [0; 4096];
    let size = connection.read(&mut part).expect("more to read in time");
    assert_ne!(size, 0, "the connection ended early");
    String::from_utf8_lossy(&part[..size]).into_owned()
}
