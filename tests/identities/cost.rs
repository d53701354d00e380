//! What identities cost a request where none is configured: nothing.

use std::collections::BTreeMap;

use byok_testkit::host::{Context, Program};
use byok_testkit::module;

const WITHOUT: &str =
    r#"{ "consumers": [ { "name": "team-a", "keys": [ { "id": "1", "value": "proxy-EXAMPLE-a" } ] } ] }"#;
const WITH_TWO: &str = r#"{
    "identities": [
        { "name": "mtls", "property": ["connection", "uri_san_peer_certificate"] },
        { "name": "jwt", "property": ["metadata", "filter_metadata", "envoy.filters.http.jwt_authn", "sub"] } ],
    "consumers": [ { "name": "team-a", "identities": [ { "mtls": "a" }, { "jwt": "a" } ],
        "keys": [ { "id": "1", "value": "proxy-EXAMPLE-a" } ] } ] }"#;

/// The properties that a request makes the module read.
fn properties_read(configuration: &str) -> usize {
    let program = Program::compile(&module::bytes());
    let mut vm = program.start(&BTreeMap::new()).expect("the module starts");
    assert_eq!(vm.configure(configuration), Ok(true), "{:?}", vm.take_logs());
    vm.take_calls();
    let lines = [(":method", "GET"), (":path", "/v1/models"), ("x-api-key", "proxy-EXAMPLE-a")];
    let headers = lines.map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).to_vec();
    let (passes, _) = vm.request(Context { headers, ..Context::default() }).expect("no trap");
    assert!(passes);
    vm.take_calls().into_iter().filter(|call| *call == "proxy_get_property").count()
}

#[test]
fn no_property_is_read_for_identities_that_are_not_configured() {
    // The state of an internal redirect is the one that is read always.
    assert_eq!(properties_read(WITHOUT), 1);
    assert_eq!(properties_read(WITH_TWO), 3);
}
