//! Secrets in the environment of Envoy's process, whatever bytes they have.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use byok_testkit::carrier::expose_variables;
use byok_testkit::gateway::{Gateway, Upstream, connection_manager_of};
use byok_testkit::site::{DEPLOYMENT_KEY, PROXY_KEY, address, arrived, ask, assert_clean, gateway_listener, value};
use serde_json::{Value, json};

/// The listener `gateway`, its proxy key and its deployment key in these variables of Envoy's.
fn listener(proxy_key: &str, deployment_key: &str) -> Value {
    let configuration = json!({
        "consumers": [ { "name": "team-a", "keys": [ { "id": "1", "environment_variable": proxy_key } ] } ],
        "providers": { "anthropic": { "deployment_key": { "environment_variable": deployment_key } } },
    });
    let mut listener = gateway_listener(&configuration.to_string());
    expose_variables(&mut connection_manager_of(&mut listener)["http_filters"][0], &VARIABLES.map(|(name, _)| name));
    listener
}

const VARIABLES: [(&str, &[u8]); 8] = [
    ("KEY", PROXY_KEY.as_bytes()),
    ("KEY_OF_A_FILE", b"\n\t proxy-EXAMPLE-a \r\n"),
    ("DEPLOYMENT", DEPLOYMENT_KEY.as_bytes()),
    ("DEPLOYMENT_OF_A_FILE", b"\r\nsk-ant-api03-EXAMPLE-deployment\n"),
    ("TWO_LINES", b"sk-EXAMPLE-first\nsk-EXAMPLE-second"),
    ("LINE_ENDS", b"\r\n\n"),
    ("NOT_TEXT", b"sk-EXAMPLE-\xFF"),
    ("NOTHING_BUT_FF", b"\xFF"),
];

fn start(upstream: &Upstream, listener: Value) -> Gateway {
    Gateway::start_with(&[("upstream", upstream)], &[listener], |_, options| {
        let variables = VARIABLES.map(|(name, value)| (name.to_owned(), OsString::from_vec(value.to_vec())));
        options.environment.extend(variables);
    })
}

#[test]
fn line_ends_around_a_secret_are_no_part_of_it() {
    let upstream = Upstream::start();
    let gateway = start(&upstream, listener("KEY_OF_A_FILE", "DEPLOYMENT_OF_A_FILE"));
    let answer = ask(address(&gateway), &format!("POST /v1/messages\nx-api-key: {PROXY_KEY}"));
    assert_eq!(answer.status, 200, "{}", gateway.explanation());
    let message = arrived(&upstream);
    assert_clean(&message);
    assert_eq!(value(&message, "x-api-key").as_deref(), Some(DEPLOYMENT_KEY));
}

#[test]
fn a_variable_that_holds_no_secret_is_refused_where_it_is_named() {
    const PROXY: &str = "consumers[0].keys[0].environment_variable: expected ";
    const DEPLOYMENT: &str = "providers.anthropic.deployment_key.environment_variable: expected ";
    let upstream = Upstream::start();
    for (listener, at) in [
        (listener("NOT_TEXT", "DEPLOYMENT"), PROXY),
        (listener("NOTHING_BUT_FF", "DEPLOYMENT"), PROXY),
        (listener("LINE_ENDS", "DEPLOYMENT"), PROXY),
        (listener("KEY", "NOT_TEXT"), DEPLOYMENT),
        (listener("KEY", "NOTHING_BUT_FF"), DEPLOYMENT),
        (listener("KEY", "LINE_ENDS"), DEPLOYMENT),
        (listener("KEY", "TWO_LINES"), DEPLOYMENT),
    ] {
        let mut gateway = start(&upstream, listener);
        assert!(gateway.addresses().is_empty(), "{at}");
        let errors: Vec<_> = gateway.module_log().into_iter().filter(|line| line.level == "error").collect();
        assert!(!errors.is_empty() && errors.iter().all(|line| line.text.starts_with(at)), "{at}: {errors:?}");
        assert!(gateway.envoy.is_running(), "{}", gateway.explanation());
        let log = gateway.envoy.log();
        for sign in ["panicked", "Function: ", "sk-EXAMPLE", "sk-ant-api03", PROXY_KEY] {
            assert!(!log.contains(sign), "Envoy's log has `{sign}`: {}", gateway.explanation());
        }
    }
}

/// A variable that is not text and that nobody asks for does not disturb the others.
#[test]
fn a_proxy_key_of_two_lines_is_a_key_that_no_header_can_carry() {
    let upstream = Upstream::start();
    let gateway = start(&upstream, listener("TWO_LINES", "DEPLOYMENT"));
    for key in ["sk-EXAMPLE-first", "sk-EXAMPLE-second", "sk-EXAMPLE-first sk-EXAMPLE-second"] {
        let answer = ask(address(&gateway), &format!("POST /v1/messages\nx-api-key: {key}"));
        assert_eq!(answer.status, 401, "{key}; {}", gateway.explanation());
    }
    assert!(upstream.take().is_empty());
}
