//! A secret or a control character in any place of a configuration is in no error and no warning.

use serde_json::{Value, json};

use crate::model::Policy;

/// What a log must not show, with the part that it is known by.
fn sentinels() -> Vec<(String, &'static str)> {
    let hostile = "\u{1b}]0;x\u{7}\r\nerror: forged\u{85}\u{9b}2J\u{202e}";
    vec![
        ("sk-ant-api03-EXAMPLE.sentinel".to_owned(), "sentinel"),
        ("0a1b2c3d4e".repeat(4), "0a1b2c"),
        (format!("sentinel{}", " of many words".repeat(5)), "sentinel"),
        (format!("{hostile}sk-EXAMPLE-sentinel"), "sentinel"),
        (hostile.to_owned(), "\u{1b}"),
    ]
}

fn configuration() -> Value {
    json!({
        "mode": "auto",
        "hide_credentials": true,
        "key_sources": [{ "header": "authorization", "scheme": "Bearer" }, { "query": "key" }, { "cookie": "k" }],
        "consumers": [{
            "name": "team-a", "providers": ["a"], "byok": "required", "deployment_keys": { "a": { "value": "x" } },
            "keys": [
                { "id": "1", "value": "y", "expires_at": "2027-01-31T00:00:00Z", "disabled": true },
                { "id": "2", "environment_variable": "SET" },
            ],
        }],
        "verification_service": {
            "cluster": "c", "authority": "h", "path": "/", "send_as": { "header": "x", "scheme": "Bearer" },
            "service_key": { "value": "z" }, "timeout": "2s", "max_in_flight": 1, "consumer_from": "/a",
        },
        "default_provider": "a",
        "providers": {
            "a": { "api": "openai", "clusters": ["c"], "client_key_prefixes": ["sk-"], "deployment_key": { "value": "x" } },
            "b": { "api": "custom", "headers": [{ "header": "x-key", "scheme": "Token" }], "byok": "required" },
        },
        "routes": [
            { "match": { "path": "/a", "methods": ["GET"] }, "mode": "off", "provider": "b" },
            { "match": { "host": "h" }, "mode": "on", "consumers": ["team-a"], "byok": "off" },
        ],
        "strip_request_headers": ["x-a", "x-b-*"],
        "identity_headers": { "consumer": "x-consumer", "provider": "x-provider" },
        "realm": "r",
    })
}

#[test]
fn neither_a_secret_nor_a_control_character_is_in_any_error_or_warning() {
    let mut places = vec![String::new()];
    collect(&configuration(), "", &mut places);
    let (mut refused, mut warned) = (0, 0);
    for (sentinel, part) in sentinels() {
        for place in &places {
            for changed in changes(place, &sentinel) {
                for variable in [None, Some("from-environment"), Some(&*sentinel)] {
                    let (errors, warnings) = diagnostics(&changed, variable);
                    for finding in errors.iter().chain(&warnings) {
                        assert!(!finding.contains(part), "{place}: {finding:?}");
                        let unsafe_character = |character: char| !matches!(character, ' '..='~' | '…');
                        assert!(!finding.contains(unsafe_character), "{place}: {finding:?}");
                    }
                    refused += errors.len();
                    warned += warnings.len();
                }
            }
        }
    }
    assert!(refused > 5_000 && warned > 500, "{refused} errors, {warned} warnings");
}

/// The sentinel in one place: as value, in a list, in an object, as the name of a field, as a further field.
fn changes(place: &str, sentinel: &str) -> Vec<Value> {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut changed = configuration();
        change(changed.pointer_mut(place).unwrap());
        changed
    };
    let mut changed: Vec<Value> =
        [json!(sentinel), json!([sentinel]), json!({ sentinel: sentinel }), json!({ sentinel: {} })]
            .iter()
            .map(|value| with(&|at| *at = value.clone()))
            .collect();
    changed.push(with(&|at| {
        if let Value::Object(fields) = at {
            fields.insert(sentinel.to_owned(), json!(null));
        }
    }));
    changed.push(with(&|at| {
        if let Value::Object(fields) = at {
            *fields = std::mem::take(fields).into_iter().map(|(_, value)| (sentinel.to_owned(), value)).collect();
        }
    }));
    changed
}

fn diagnostics(configuration: &Value, variable: Option<&str>) -> (Vec<String>, Vec<String>) {
    let environment = |_: &str| variable.map(str::to_owned);
    match Policy::from_json(configuration.to_string(), &environment) {
        Ok(loaded) => (Vec::new(), loaded.warnings.iter().map(ToString::to_string).collect()),
        Err(errors) => (errors.iter().map(ToString::to_string).collect(), Vec::new()),
    }
}

fn collect(value: &Value, to: &str, places: &mut Vec<String>) {
    let parts: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, part)| (format!("{to}/{name}"), part)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, part)| (format!("{to}/{at}"), part)).collect(),
        _ => return,
    };
    for (place, part) in parts {
        collect(part, &place, places);
        places.push(place);
    }
}
