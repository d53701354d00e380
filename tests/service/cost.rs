//! What the service costs a request that does not need it: nothing.

use std::collections::BTreeMap;

use byok_testkit::corpus::Message;
use byok_testkit::host::{Context, Program, Vm};
use byok_testkit::module;

const CLIENT_KEY: &str = "sk-ant-api03-EXAMPLE-client";
const CONFIGURED: &str = "proxy-EXAMPLE-configured";

const WITHOUT: &str = r#"{
    "forward_llm_provider_auth_headers": true,
    "consumers": [ { "name": "team-a", "keys": [ { "id": "1", "value": "proxy-EXAMPLE-configured" } ] } ]
}"#;

fn with_service() -> String {
    let service = r#""verification_service": {
        "cluster": "issuer", "path": "/key/info", "send_as": { "sha256_query": "key" } },"#;
    WITHOUT.replacen('{', &format!("{{ {service}"), 1)
}

fn started(program: &Program, configuration: &str) -> Vm {
    let mut vm = program.start(&BTreeMap::new()).expect("the module starts");
    assert_eq!(vm.configure(configuration), Ok(true), "{:?}", vm.take_logs());
    vm
}

/// Sends a request with this key beside a client's own; tells whether it goes on.
fn send(vm: &mut Vm, key: &str) -> bool {
    let message = Message::parse(&format!("POST /v1\nx-litellm-api-key: {key}\nx-api-key: {CLIENT_KEY}"));
    let message = message.expect("a request");
    let pseudo = [(b":method".to_vec(), message.method), (b":path".to_vec(), message.path.expect("a path"))];
    let headers = pseudo.into_iter().chain(message.lines).collect();
    let (goes_on, _) = vm.request(Context { headers, ..Context::default() }).expect("no trap");
    goes_on
}

#[test]
fn a_configured_key_takes_the_same_calls_of_the_host_with_and_without_a_service() {
    let program = Program::compile(&module::bytes());
    let calls = |configuration: &str| {
        let mut vm = started(&program, configuration);
        // The first request of a kind names its counter.
        assert!(send(&mut vm, CONFIGURED));
        vm.take_calls();
        assert!(send(&mut vm, CONFIGURED));
        assert_eq!(vm.take_tick_periods(), [0; 0]);
        vm.take_calls()
    };
    let without = calls(WITHOUT);
    assert_eq!(calls(&with_service()), without);
    let headers = "proxy_get_header_map_pairs";
    assert_eq!(without.iter().filter(|call| **call == headers).count(), 1, "{without:?}");
    for never in ["proxy_get_current_time_nanoseconds", "proxy_set_tick_period_milliseconds", "proxy_http_call"] {
        assert!(!without.contains(&never), "{without:?}");
    }
}

#[test]
fn a_refused_key_costs_no_tick_without_a_service_and_one_for_many_with_it() {
    let program = Program::compile(&module::bytes());
    let mut vm = started(&program, WITHOUT);
    assert!(!send(&mut vm, "guess"));
    assert_eq!(vm.take_tick_periods(), [0; 0]);

    let mut vm = started(&program, &with_service());
    for key in ["guess-a", "guess-b", "guess-a", "guess-c"] {
        assert!(!send(&mut vm, key));
    }
    // Armed once: arming again would put it off.
    assert_eq!(vm.take_tick_periods(), [1]);
    // Everybody has gone: nothing is asked, or the host would trap, and the tick ends.
    vm.tick().expect("no trap");
    assert_eq!(vm.take_tick_periods(), [0]);
    assert!(!send(&mut vm, "guess-a"));
    assert_eq!(vm.take_tick_periods(), [1]);
}

#[test]
fn the_module_has_no_callback_that_envoy_would_call_for_nothing() {
    let program = Program::compile(&module::bytes());
    assert_eq!(
        program.exports(),
        [
            "_initialize",
            "memory",
            "proxy_abi_version_0_2_1",
            "proxy_on_configure",
            "proxy_on_context_create",
            "proxy_on_delete",
            "proxy_on_http_call_response",
            "proxy_on_memory_allocate",
            "proxy_on_request_headers",
            "proxy_on_tick",
            "proxy_on_vm_start",
        ]
    );
}
