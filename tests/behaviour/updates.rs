//! A new configuration while Envoy serves.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use byok_testkit::gateway::{Upstream, until};
use byok_testkit::site::{BYOK, PROXY_KEY, address, ask, gateway_listener, start};

const NEW_KEY: &str = "proxy-EXAMPLE-b";

#[test]
fn an_update_that_does_not_hold_leaves_the_old_configuration_serving() {
    let upstream = Upstream::start();
    let (mut gateway, address) = start(&upstream, gateway_listener(BYOK));
    let wrong = r#"{ "consumers": [ { "name": "a", "keys": [ { "id": "1", "value": "proxy-EXAMPLE-b" } ] },
                                    { "name": "b", "keys": [ { "id": "1", "sha256": "proxy-EXAMPLE-c" } ] } ] }"#;
    gateway.update(&[gateway_listener(wrong)]);
    let expected = "consumers[1].keys[0].sha256: expected 64 hex digits";
    let said = until(|| gateway.module_log().into_iter().find(|line| line.level == "error"));
    let said = said.unwrap_or_else(|| panic!("no error in the log; {}", gateway.explanation()));
    assert!(said.text.starts_with(expected), "{}", said.text);
    assert!(!gateway.envoy.log().contains("proxy-EXAMPLE-c\""), "the log shows the value");

    let rejected =
        || gateway.envoy.admin_get("/stats?filter=lds.update_rejected").ok().filter(|stats| stats.contains(": 1"));
    assert!(until(rejected).is_some(), "{}", gateway.explanation());
    assert_eq!(ask(address, &request(PROXY_KEY)).status, 200);
    assert_eq!(ask(address, &request(NEW_KEY)).status, 401);
}

#[test]
fn a_good_update_takes_over_without_a_dropped_request_and_every_request_is_counted() {
    let upstream = Upstream::start();
    let (mut gateway, address_before) = start(&upstream, gateway_listener(BYOK));
    let updated = BYOK.replace(
        r#"{ "id": "1", "value": "proxy-EXAMPLE-a" }"#,
        r#"{ "id": "1", "value": "proxy-EXAMPLE-a" }, { "id": "2", "value": "proxy-EXAMPLE-b" }"#,
    );
    let done = AtomicBool::new(false);
    let mut tried = 0;
    let (served, took_over) = thread::scope(|scope| {
        let traffic = scope.spawn(|| {
            let mut served = 0;
            while !done.load(Ordering::Relaxed) {
                assert_eq!(ask(address_before, &request(PROXY_KEY)).status, 200, "after {served} requests");
                served += 1;
            }
            served
        });
        thread::sleep(Duration::from_millis(100));
        gateway.update(&[gateway_listener(&updated)]);
        let took_over = until(|| {
            tried += 1;
            (ask(address_before, &request(NEW_KEY)).status == 200).then_some(())
        });
        thread::sleep(Duration::from_millis(100));
        done.store(true, Ordering::Relaxed);
        (traffic.join().expect("no dropped request"), took_over)
    });
    assert!(took_over.is_some(), "{}", gateway.explanation());
    assert!(served > 0);
    assert_eq!(address(&gateway), address_before);
    let count = |counters: &BTreeMap<String, u64>| counters.values().sum::<u64>();
    let counted = gateway.counters_that(|counters| count(counters) == served + tried);
    assert_eq!(count(&counted), served + tried, "{counted:?}");
}

fn request(key: &str) -> String {
    format!("POST /v1/messages\nx-litellm-api-key: {key}")
}
