//! What only the native module has: how it is linked, and what Envoy does not show it.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops where it fails")]
#![cfg(target_os = "linux")]

mod secrets;

use std::process::Command;

use byok_testkit::carrier::set_configuration;
use byok_testkit::gateway::{Gateway, Upstream, connection_manager_of};
use byok_testkit::module;
use byok_testkit::site::{BYOK, gateway_listener};
use serde_json::json;

/// An Envoy that is too old must not find out during a request.
#[test]
fn a_process_without_envoys_callbacks_does_not_load_the_module_and_names_one() {
    let output = Command::new("true").env("LD_PRELOAD", module::native_path()).output().expect("a process");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "the module was loaded: {said}");
    assert!(said.contains("undefined symbol: envoy_dynamic_module_callback_"), "{said}");
}

#[test]
fn an_identity_that_envoy_does_not_show_to_modules_is_refused_when_the_configuration_is_loaded() {
    let upstream = Upstream::start();
    let metadata = ["metadata", "filter_metadata", "envoy.filters.http.jwt_authn"];
    let keys: [&[&str]; 2] = [&["company", "sub"], &["company", "team", "name"]];
    for keys in keys {
        let property: Vec<&str> = metadata.iter().chain(keys).copied().collect();
        let configuration = json!({
            "identities": [ { "name": "jwt", "property": property } ],
            "consumers": [ { "name": "team-a", "identities": [ { "jwt": "alice" } ] } ] });
        let mut listener = gateway_listener(BYOK);
        set_configuration(&mut connection_manager_of(&mut listener)["http_filters"][0], &configuration);
        let gateway = Gateway::start(&[("upstream", &upstream)], &[listener]);
        assert!(gateway.addresses().is_empty(), "{property:?} is accepted");
        let errors: Vec<_> = gateway.module_log().into_iter().filter(|line| line.level == "error").collect();
        let expected = "identities[0].property: expected one that Envoy shows to a dynamic module: ";
        assert!(errors.len() == 1 && errors[0].text.starts_with(expected), "{errors:?}");
    }
}
