//! Two filters with different configurations in one chain: neither takes the other's word for who is calling.

use std::net::SocketAddr;

use byok_testkit::carrier::{Carrier, carrier, set_configuration, set_name};
use byok_testkit::gateway::{Gateway, Upstream, connection_manager_of};
use byok_testkit::site::{arrived, ask, gateway_listener, start, value};
use serde_json::{Value, json};

/// A consumer of the same name, with a key of the same id, in a header of its own.
fn configuration(header: &str, secret: &str) -> Value {
    json!({
        "key_sources": [ { "header": header } ],
        "consumers": [ { "name": "team-a", "keys": [ { "id": "1", "value": secret } ] } ],
    })
}

/// A gateway with these filters, one after the other.
fn chain(upstream: &Upstream, first: &Value, second: &Value) -> (Gateway, SocketAddr) {
    let mut listener = gateway_listener(&first.to_string());
    let mut filter = connection_manager_of(&mut listener)["http_filters"][0].clone();
    set_name(&mut filter, "second");
    set_configuration(&mut filter, second);
    connection_manager_of(&mut listener)["http_filters"].as_array_mut().expect("filters").insert(1, filter);
    start(upstream, listener)
}

#[test]
fn a_caller_whom_the_first_filter_verified_needs_a_key_of_the_second_too() {
    let upstream = Upstream::start();
    let (first, second) =
        (configuration("x-first-key", "proxy-EXAMPLE-1"), configuration("x-second-key", "proxy-EXAMPLE-2"));
    let (gateway, address) = chain(&upstream, &first, &second);
    let refused = ask(address, "POST /v1/messages\nx-first-key: proxy-EXAMPLE-1");
    assert_eq!(refused.status, 401, "{}", gateway.explanation());
    assert!(upstream.take().is_empty());

    let passed = ask(address, "POST /v1/messages\nx-first-key: proxy-EXAMPLE-1\nx-second-key: proxy-EXAMPLE-2");
    assert_eq!(passed.status, 200, "{}", gateway.explanation());
    let message = arrived(&upstream);
    assert_eq!((value(&message, "x-first-key"), value(&message, "x-second-key")), (None, None));
    assert_eq!(gateway.rows(2)[1].record["auth_source"], "x-second-key", "the last filter's record counts");
}

#[test]
fn a_first_filter_that_only_cleans_does_not_make_the_second_refuse_its_own_keys() {
    let upstream = Upstream::start();
    let mut first = configuration("x-first-key", "proxy-EXAMPLE-1");
    first["mode"] = "off".into();
    let (gateway, address) = chain(&upstream, &first, &configuration("x-second-key", "proxy-EXAMPLE-2"));
    let passed = ask(address, "POST /v1/messages\nx-second-key: proxy-EXAMPLE-2");
    assert_eq!(passed.status, 200, "{}", gateway.explanation());
    let refused = ask(address, "POST /v1/messages\nx-second-key: guess");
    assert_eq!(refused.status, 401, "{}", gateway.explanation());
}

#[test]
fn a_filter_that_differs_in_the_values_of_its_variables_alone_is_another_one() {
    if carrier() == Carrier::Native {
        // All filters of a process have the same variables.
        return;
    }
    let upstream = Upstream::start();
    let configuration = json!({
        "key_sources": [ { "header": "x-key" } ],
        "consumers": [ { "name": "team-a", "keys": [ { "id": "1", "environment_variable": "KEY" } ] } ],
    });
    let mut listener = gateway_listener(&configuration.to_string());
    let filters = &mut connection_manager_of(&mut listener)["http_filters"];
    let with_key = |filter: &Value, name: &str, key: &str| {
        let mut filter = filter.clone();
        filter["name"] = name.into();
        let vm = &mut filter["typed_config"]["config"]["vm_config"];
        vm["environment_variables"] = json!({ "key_values": { "KEY": key } });
        vm["vm_id"] = name.into();
        filter
    };
    let second = with_key(&filters[0], "second", "proxy-EXAMPLE-2");
    filters[0] = with_key(&filters[0], "first", "proxy-EXAMPLE-1");
    filters.as_array_mut().expect("filters").insert(1, second);
    let (gateway, address) = start(&upstream, listener);
    let refused = ask(address, "POST /v1/messages\nx-key: proxy-EXAMPLE-1");
    assert_eq!(refused.status, 401, "{}", gateway.explanation());
    assert!(upstream.take().is_empty());
}
