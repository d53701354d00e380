//! Identity headers that a client sends itself, in every way that HTTP has of sending them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use byok_testkit::corpus::{Message, escape};
use byok_testkit::gateway::{
    Gateway, PATIENCE, Response, Upstream, connection_manager_of, exchange_http1, exchange_http2,
    exchange_http2_with_trailers,
};
use byok_testkit::site::{PROXY_KEY, address, arrived, assert_clean, gateway_listener, start, value};
use serde_json::json;

const CONFIGURATION: &str = r#"{
    "consumers": [ { "name": "team-a", "keys": [ { "id": "1", "value": "proxy-EXAMPLE-a" } ] } ],
    "providers": { "anthropic": { "deployment_key": { "value": "sk-ant-api03-EXAMPLE-deployment" } } },
    "identity_headers": {
        "consumer": "x-consumer-username", "key_id": "x-credential-identifier",
        "credential_source": "x-byok-credential-source", "provider": "x-byok-provider" }
}"#;

/// What the upstream must be told, whatever the client says.
const IDENTITY: [(&str, &str); 4] = [
    ("x-consumer-username", "team-a"),
    ("x-credential-identifier", "1"),
    ("x-byok-credential-source", "deployment"),
    ("x-byok-provider", "anthropic"),
];

const FORGED: &str = "forged";
const HOST: &[(&str, &[u8])] = &[("host", b"llm.example.com")];

/// Panics where the upstream is sent any identity but the one that the filter has verified.
fn assert_identity(message: &Message, forgery: &str) {
    assert_clean(message);
    for (name, expected) in IDENTITY {
        assert_eq!(value(message, name).as_deref(), Some(expected), "{forgery}: {message}");
        let alike = |own: &[u8]| {
            own.to_ascii_lowercase().iter().map(|&byte| if byte == b'_' { b'-' } else { byte }).eq(name.bytes())
        };
        let lines = message.lines.iter().filter(|(own, _)| alike(own)).count();
        assert_eq!(lines, 1, "{forgery}: {message}");
    }
}

/// A request with a good key and these lines.
fn request(lines: &[(String, Vec<u8>)]) -> Message {
    let key = [(b"x-api-key".to_vec(), PROXY_KEY.as_bytes().to_vec())];
    let lines = lines.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.clone()));
    Message { method: b"POST".to_vec(), path: Some(b"/v1/messages".to_vec()), lines: lines.chain(key).collect() }
}

#[test]
fn no_spelling_of_an_identity_header_reaches_the_upstream_over_http1_and_http2() {
    let upstream = Upstream::start();
    let (gateway, address) = start(&upstream, gateway_listener(CONFIGURATION));
    for (name, _) in IDENTITY {
        let mixed: String =
            name.char_indices().map(|(at, char)| if at % 2 == 0 { char.to_ascii_uppercase() } else { char }).collect();
        let names = [
            name.to_owned(),
            name.to_ascii_uppercase(),
            mixed.replacen('-', "_", 1),
            mixed,
            name.replace('-', "_"),
            name.replacen('-', "_", 1),
            name.to_ascii_uppercase().replace('-', "_"),
        ];
        let values = [FORGED.as_bytes(), b"", b"team-a", b"f\xFFrged", b"forged, team-a"];
        for name in &names {
            for value in values {
                let line = (name.clone(), value.to_vec());
                for lines in [
                    vec![line.clone()],
                    vec![line.clone(), line.clone()],
                    vec![line.clone(), (name.clone(), b"x".to_vec())],
                ] {
                    let forgery = format!("{} times {name}: {}", lines.len(), escape(value));
                    for exchange in [exchange_http1, exchange_http2] {
                        let answer = exchange(address, &request(&lines), HOST);
                        let answer = answer.unwrap_or_else(|error| panic!("{forgery}: {error}"));
                        assert_eq!(answer.status, 200, "{forgery}; {}", gateway.explanation());
                        assert_identity(&arrived(&upstream), &forgery);
                    }
                }
            }
        }
        let all: Vec<_> = names.iter().map(|name| (name.clone(), FORGED.into())).collect();
        for exchange in [exchange_http1, exchange_http2] {
            assert_eq!(exchange(address, &request(&all), HOST).expect("an answer").status, 200);
            assert_identity(&arrived(&upstream), "all at once");
        }
    }
}

/// A folded line is a part of the value before it (RFC 9112, 5.2), never a header of its own.
#[test]
fn a_folded_line_and_a_broken_line_end_forge_nothing() {
    let upstream = Upstream::start();
    let (gateway, address) = start(&upstream, gateway_listener(CONFIGURATION));
    for (name, _) in IDENTITY {
        for lines in [
            format!("{name}:\r\n forged\r\n"),
            format!("{name}: for\r\n\tged\r\n"),
            format!("x-anything: a\r\n {name}: forged\r\n"),
            format!("x-anything: a\r\n\t{name}: forged\r\n {name}: forged\r\n"),
            format!("x-anything: a\n{name}: forged\r\n"),
            format!("x-anything: a\r{name}: forged\r\n"),
            format!("x-anything: a\r\r\n{name}: forged\r\n"),
            format!("{name}:forged\r\n"),
            format!("{name}:\t forged \t\r\n"),
        ] {
            let answer = raw(address, &head(&lines));
            match status(&answer) {
                200 => assert_identity(&arrived(&upstream), &lines.escape_debug().to_string()),
                400 => assert!(upstream.take().is_empty(), "{lines:?}"),
                status => panic!("{lines:?}: {status}; {}", gateway.explanation()),
            }
        }
        // What is no name is refused before any filter sees it.
        for lines in [
            format!("{name} : forged\r\n"),
            format!("{name}\t: forged\r\n"),
            format!("{name}\0: forged\r\n"),
            format!(" {name}: forged\r\n"),
        ] {
            let answer = raw(
                address,
                &format!(
                    "POST /v1/messages HTTP/1.1\r\n{lines}{}",
                    &head("")["POST /v1/messages HTTP/1.1\r\n".len()..]
                ),
            );
            assert_eq!(status(&answer), 400, "{lines:?}: {answer}");
            assert!(upstream.take().is_empty(), "{lines:?}");
        }
    }
}

/// `connection` names headers that end at the next hop (RFC 9110, 7.6.1). Envoy obeys before the filter sets its own,
/// and sends no such list on.
#[test]
fn connection_makes_no_later_hop_drop_what_the_filter_sets() {
    let upstream = Upstream::start();
    let (gateway, address) = start(&upstream, gateway_listener(CONFIGURATION));
    let identity = IDENTITY.map(|(name, _)| name).join(", ");
    for lines in [
        format!("connection: {identity}\r\n"),
        format!("connection: close, {identity}\r\n"),
        format!("connection: keep-alive, {identity}, authorization\r\nkeep-alive: timeout=5\r\n"),
        format!("Connection: TE, {identity}\r\nte: trailers\r\n"),
        format!("connection: close\r\nconnection: {identity}\r\n"),
        format!("proxy-connection: {identity}\r\n"),
        format!("connection: X-Consumer-Username\r\nx-consumer-username: {FORGED}\r\n"),
        format!("keep-alive: {identity}\r\ntrailer: {identity}\r\n"),
    ] {
        let answer = raw(address, &head(&lines));
        assert_eq!(status(&answer), 200, "{lines}: {answer}; {}", gateway.explanation());
        let message = arrived(&upstream);
        assert_identity(&message, &lines);
        for name in ["connection", "keep-alive", "proxy-connection"] {
            assert_eq!(value(&message, name), None, "{lines}: {message}");
        }
    }
    // A key that the client itself nominates is gone before the filter looks for it: refused, not passed without one.
    let answer = raw(address, &head("connection: x-api-key\r\n"));
    assert_eq!(status(&answer), 401, "{answer}");
    assert!(upstream.take().is_empty());

    // HTTP/2 has no such headers (RFC 9113, 8.2.2): Envoy resets the stream.
    for name in ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"] {
        let answer = exchange_http2(address, &request(&[(name.to_owned(), identity.clone().into())]), HOST);
        assert!(answer.as_ref().map_or(true, |answer| answer.status == 400), "{name}: {answer:?}");
        assert!(upstream.take().is_empty(), "{name}");
    }
}

/// Envoy does not take an offer to change to HTTP/2, and does not send it on.
#[test]
fn an_upgrade_to_h2c_is_an_ordinary_request() {
    let upstream = Upstream::start();
    let (gateway, address) = start(&upstream, gateway_listener(CONFIGURATION));
    let settings = "http2-settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n";
    for lines in [
        format!("connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\n{settings}"),
        format!("connection: upgrade, http2-settings, x-consumer-username\r\nupgrade: H2C\r\n{settings}"),
        format!("connection: Upgrade\r\nupgrade: h2c\r\n{settings}x-consumer-username: {FORGED}\r\n"),
    ] {
        let answer = raw(address, &head(&lines));
        assert_eq!(status(&answer), 200, "{lines}: {answer}; {}", gateway.explanation());
        let message = arrived(&upstream);
        assert_identity(&message, &lines);
        for name in ["connection", "upgrade"] {
            assert_eq!(value(&message, name), None, "{lines}: {message}");
        }
        let refused = raw(address, &head(&lines).replace(PROXY_KEY, "guess"));
        assert_eq!(status(&refused), 401, "{lines}: {refused}");
        assert!(upstream.take().is_empty(), "{lines}");
    }
}

#[test]
fn trailers_are_dropped_unless_envoy_is_told_to_pass_them_to_http1() {
    let upstream = Upstream::start();
    let (gateway, address) = start(&upstream, gateway_listener(CONFIGURATION));
    for exchange in [trailers_over_http1, trailers_over_http2] {
        assert_eq!(exchange(address), 200, "{}", gateway.explanation());
        assert_identity(&arrived(&upstream), "trailers");
        assert_eq!(upstream.take_trailers(), []);
    }
}

/// The limit that SECURITY.md states: the filter decides on headers, and what comes after the body passes it.
#[test]
fn where_envoy_passes_trailers_the_filter_does_not_clean_them() {
    let upstream = Upstream::start();
    let mut listener = gateway_listener(CONFIGURATION);
    connection_manager_of(&mut listener)["http_protocol_options"] = json!({ "enable_trailers": true });
    let gateway = Gateway::start_with(&[("upstream", &upstream)], &[listener], |bootstrap, _| {
        let cluster = &mut bootstrap["static_resources"]["clusters"][0];
        cluster["typed_extension_protocol_options"] = json!({ "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": { "http_protocol_options": { "enable_trailers": true } },
        } });
    });
    let address = address(&gateway);
    for exchange in [trailers_over_http1, trailers_over_http2] {
        assert_eq!(exchange(address), 200, "{}", gateway.explanation());
        assert_identity(&arrived(&upstream), "trailers");
        let expected = TRAILERS.map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec()));
        assert_eq!(upstream.take_trailers(), expected);
    }
}

const TRAILERS: [(&str, &[u8]); 2] = [("x-consumer-username", b"forged"), ("x-api-key", b"EXAMPLE")];

fn trailers_over_http1(address: SocketAddr) -> u16 {
    let head = head("transfer-encoding: chunked\r\n");
    let trailers = TRAILERS.map(|(name, value)| format!("{name}: {}\r\n", escape(value))).concat();
    status(&raw(address, &format!("{head}4\r\nbody\r\n0\r\n{trailers}\r\n")))
}

fn trailers_over_http2(address: SocketAddr) -> u16 {
    let answer: std::io::Result<Response> = exchange_http2_with_trailers(address, &request(&[]), HOST, &TRAILERS);
    answer.expect("an answer").status
}

/// The head of a request with a good key and these lines.
fn head(lines: &str) -> String {
    format!("POST /v1/messages HTTP/1.1\r\nhost: llm.example.com\r\nx-api-key: {PROXY_KEY}\r\n{lines}\r\n")
}

/// Sends text as it is and returns the head of the answer.
fn raw(address: SocketAddr, text: &str) -> String {
    let mut connection = TcpStream::connect(address).expect("Envoy listens");
    connection.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    connection.write_all(text.as_bytes()).expect("Envoy reads");
    let mut said = Vec::new();
    while !said.windows(4).any(|four| four == b"\r\n\r\n") {
        let mut part = [0; 4096];
        let size = connection.read(&mut part).expect("an answer in time");
        assert_ne!(size, 0, "no answer to {text:?}");
        said.extend_from_slice(&part[..size]);
    }
    String::from_utf8_lossy(&said).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no status in {answer}"))
}
