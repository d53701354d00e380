//! Large bodies wait as long as their head does: held back, neither let through nor refused for their size.

use std::thread;
use std::time::Duration;

use byok_testkit::carrier::allow_stop_iteration;
use byok_testkit::corpus::Message;
use byok_testkit::gateway::{connection_manager_of, exchange_http1, exchange_http2};
use byok_testkit::service::{ALICE, CONFIGURED, HOST, Issuer, Scene, configuration, knows, site};
use serde_json::{Value, json};

const LARGE: usize = 20 << 20;

#[test]
fn twenty_megabytes_wait_for_the_verdict_and_nothing_of_a_refused_request_goes_upstream() {
    let knows = knows(&[("key", ALICE)]);
    let issuer = Issuer::start(move |call| {
        // Time for the body to come.
        thread::sleep(Duration::from_millis(150));
        knows(call)
    });
    let configuration = configuration(json!({ "cache_ttl": "0s", "negative_cache_ttl": "0s" }));
    let sites = [site("plain", &configuration), stopping(site("stopping", &configuration))];
    let scene = Scene::with_sites(&issuer, &sites);
    let mut calls = 0;
    for name in ["plain", "stopping"] {
        let address = scene.address_of(name);
        for (protocol, exchange) in [("HTTP/1.1", exchange_http1 as Exchange), ("HTTP/2", exchange_http2)] {
            for size in [10, LARGE] {
                for (key, status) in [("key", 200), ("guess", 401), (CONFIGURED, 200)] {
                    let case = format!("{name}, {protocol}, {size} bytes, {key}");
                    let arrived_before = scene.stat("cluster.upstream.upstream_rq_total");
                    let answer = exchange(address, &upload(key, size), HOST);
                    let answer = answer.unwrap_or_else(|error| panic!("{case}: {error}"));
                    assert_eq!(answer.status, status, "{case}; {}", scene.gateway.explanation());
                    let arrived = scene.stat("cluster.upstream.upstream_rq_total") - arrived_before;
                    assert_eq!(arrived, u64::from(status == 200), "{case}");
                    assert_eq!(scene.upstream.take().len() as u64, arrived, "{case}: whole requests");
                    calls += usize::from(key != CONFIGURED);
                }
            }
        }
    }
    assert_eq!(issuer.calls(), calls);
    assert_eq!(scene.stat("http.test.downstream_rq_too_large"), 0);
}

type Exchange =
    fn(std::net::SocketAddr, &Message, &[(&str, &[u8])]) -> std::io::Result<byok_testkit::gateway::Response>;

fn upload(key: &str, size: usize) -> Message {
    let request = format!("POST /v1/messages\nx-litellm-api-key: {key}\ncontent-length: {size}");
    Message::parse(&request).expect("a request")
}

/// Lets a filter stop headers alone, as some set-ups do.
fn stopping(mut listener: Value) -> Value {
    allow_stop_iteration(&mut connection_manager_of(&mut listener)["http_filters"][0]);
    listener
}
