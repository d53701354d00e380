//! Configurations that hold, and what the test knows about them.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::{ACTIVE, DISABLED, EXPIRED, LOOKALIKE, OAUTH_TOKEN, SECOND};
use crate::invariants::Facts;

const PROFILES: [&str; 15] = [
    "anthropic",
    "anthropic_compatible",
    "foundry",
    "openai",
    "openai_compatible",
    "chatgpt",
    "azure_openai",
    "gemini",
    "vertex",
    "bedrock",
    "litellm",
    "custom",
    "groq",
    "elevenlabs",
    "deepgram",
];
const DEPLOYMENT_KEY: &str = "deployment-EXAMPLE";
const DEPLOYMENT_KEY_OF_A: &str = "deployment-EXAMPLE-of-team-a";

/// A configuration and what must hold under it.
pub(crate) struct Setting {
    pub(crate) json: Value,
    pub(crate) facts: Facts,
}

impl std::fmt::Debug for Setting {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:#}", self.json)
    }
}

/// Any configuration that holds.
pub(crate) fn setting() -> impl Strategy<Value = Setting> {
    let top = (
        select(&["on", "on", "optional", "auto", "off"][..]),
        prop::bool::weighted(0.1),
        any::<bool>(),
        option::of(hide()),
        option::of(key_sources()),
        option::weighted(0.2, anonymous()),
        any::<[bool; 4]>(),
        any::<bool>(),
        option::weighted(0.3, identity()),
    );
    (top, providers(), routes(), consumers()).prop_map(
        |(
            (mode, shadow, flag, hide, sources, anonymous, identity_header, listed, identity),
            providers,
            routes,
            consumers,
        )| {
            let routes: Vec<Value> =
                routes.into_iter().filter_map(|route| with_provider(route, mode, &providers)).collect();
            let written: BTreeMap<&str, &Value> = providers.iter().map(|(name, entry)| (*name, entry)).collect();
            let mut json = json!({
                "mode": mode,
                "shadow": shadow,
                "forward_llm_provider_auth_headers": flag,
                "consumers": consumers.iter().map(|consumer| of_first(consumer, providers[0].0)).collect::<Vec<_>>(),
                "providers": written,
                "default_provider": providers[0].0,
                "routes": routes,
                "identity_headers": identity_headers(identity_header),
            });
            set(&mut json, "hide_credentials", hide);
            set(&mut json, "anonymous", anonymous);
            // Nobody could pass in mode `on` without a source.
            set(&mut json, "key_sources", sources.filter(|sources| mode != "on" || !sources.is_empty()));
            if listed {
                json["strip_request_headers"] = json!(["x-listed"]);
            }
            if let Some(identity) = identity {
                json["identities"] = json!([identity]);
                json["consumers"][0]["identities"] = json!([{ "sso": "alice" }, { "sso": "b*" }]);
                json["consumers"][1]["identities"] = json!([{ "sso": "bob*" }]);
            }
            Setting { facts: Facts::of(&json), json }
        },
    )
}

fn key_sources() -> impl Strategy<Value = Vec<Value>> {
    let all = vec![
        json!({ "header": "x-litellm-api-key" }),
        json!({ "header": "authorization", "scheme": "Bearer" }),
        json!({ "header": "x-api-key" }),
        json!({ "header": "x-own-key" }),
        json!({ "header": "x-token", "scheme": "Token" }),
        json!({ "header": "authorization", "scheme": "Token" }),
        json!({ "header": "authorization" }),
        json!({ "query": "key" }),
        json!({ "query": "api_key" }),
        json!({ "cookie": "session" }),
        json!({ "websocket_protocol": "openai-insecure-api-key." }),
        json!({ "websocket_protocol": "own-key." }),
    ];
    prop_oneof![9 => subsequence(all, 1..=8).prop_shuffle(), 1 => Just(Vec::new())]
}

/// An identity, with or without a credential.
fn identity() -> impl Strategy<Value = Value> {
    let credential = select(vec![
        Value::Null,
        json!({ "header": "authorization", "scheme": "Bearer" }),
        json!({ "header": "x-api-key" }),
        json!({ "header": "x-sso" }),
    ]);
    (credential, any::<bool>()).prop_map(|(credential, allows_unlisted)| {
        json!({ "name": "sso", "property": ["connection", "uri_san_peer_certificate"],
            "credential": credential, "allow_unlisted": allows_unlisted })
    })
}

fn anonymous() -> impl Strategy<Value = &'static str> {
    select(&["team-b", "guest"][..])
}

fn hide() -> impl Strategy<Value = Value> {
    select(vec![json!(true), json!(false), json!("verified")])
}

/// A team with keys of all kinds, a second one, and a consumer without keys; `first` stands for the first provider.
fn consumers() -> impl Strategy<Value = Vec<Value>> {
    let team_a = json!({ "name": "team-a", "keys": [
        { "id": "active", "value": ACTIVE },
        { "id": "disabled", "value": DISABLED, "disabled": true },
        { "id": "lookalike", "value": LOOKALIKE },
        { "id": "expired", "value": EXPIRED, "expires_at": "1969-12-31T00:00:00Z" } ] });
    let team_b = json!({ "name": "team-b", "keys": [ { "id": "second", "value": SECOND } ] });
    let guest = json!({ "name": "guest" });
    let own = (option::weighted(0.3, byok()), prop::bool::weighted(0.3), prop::bool::weighted(0.1));
    vec(own, 3).prop_map(move |own| {
        let with = |(mut consumer, (byok, key, limited)): (Value, (Option<&'static str>, bool, bool))| {
            set(&mut consumer, "byok", byok);
            if key {
                consumer["deployment_keys"] = json!({ "first": { "value": DEPLOYMENT_KEY_OF_A } });
            }
            if limited {
                consumer["providers"] = json!(["first"]);
            }
            consumer
        };
        [team_a.clone(), team_b.clone(), guest.clone()].into_iter().zip(own).map(with).collect()
    })
}

/// The consumer, with the name of the first provider where that is meant.
fn of_first(consumer: &Value, first: &str) -> Value {
    let mut consumer = consumer.clone();
    if let Some(key) = consumer["deployment_keys"]["first"].take().as_object() {
        consumer["deployment_keys"] = json!({ first: key });
    } else if let Some(object) = consumer.as_object_mut() {
        object.remove("deployment_keys");
    }
    if consumer["providers"].is_array() {
        consumer["providers"] = json!([first]);
    }
    consumer
}

fn providers() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let names = subsequence(&PROFILES[..], 1..=3).prop_shuffle();
    (names, vec(provider(), 3)).prop_map(|(names, entries)| {
        let entry = |(name, mut entry): (&'static str, Value)| {
            if name == "custom" && entry["headers"].is_null() {
                entry["headers"] =
                    json!([{ "header": "x-corp-key" }, { "header": "authorization", "scheme": "Bearer" }]);
            }
            if let Some(object) = entry.as_object_mut() {
                object.retain(|field, value| !value.is_null() && (name != "litellm" || field != "send_as"));
            }
            // A LiteLLM's own key goes there.
            if name == "litellm"
                && let Some(headers) = entry.get_mut("headers").and_then(Value::as_array_mut)
            {
                headers.retain(|header| header["header"] != "x-litellm-api-key");
                if headers.is_empty() {
                    headers.push(json!({ "header": "x-corp-key" }));
                }
            }
            (name, entry)
        };
        names.into_iter().zip(entries).map(entry).collect()
    })
}

fn provider() -> impl Strategy<Value = Value> {
    let headers = vec![
        json!({ "header": "x-corp-key" }),
        json!({ "header": "authorization", "scheme": "Bearer" }),
        json!({ "header": "authorization", "scheme": "Token" }),
        json!({ "header": "x-api-key" }),
        json!({ "header": "x-litellm-api-key" }),
    ];
    let sent_as = [&[json!({ "header": "x-sent-key" }), json!({ "header": "authorization" })], &headers[..]].concat();
    let prefixes = select(vec![
        json!([]),
        json!(["sk-"]),
        json!(["sk-ant-"]),
        json!(["sk-ant-admin01-", "15-"]),
        json!(["sk-p", "AIzaEX"]),
        json!(["sk-or-v1-", "github_pat_", "s"]),
    ]);
    let deployment_key =
        prop_oneof![3 => Just(DEPLOYMENT_KEY.to_owned()), 1 => Just(format!("{OAUTH_TOKEN}-deployment"))];
    (
        option::of(byok()),
        option::of(any::<bool>()),
        option::weighted(0.4, prefixes),
        option::of(deployment_key),
        option::weighted(0.2, subsequence(headers, 1..=3).prop_shuffle()),
        option::weighted(0.2, select(sent_as)),
        option::weighted(0.2, select(&["anthropic", "openai", "google", "litellm"][..])),
    )
        .prop_map(|(byok, oauth, prefixes, deployment_key, headers, sent_as, dialect)| {
            let mut entry = json!({});
            set(&mut entry, "byok", byok);
            set(&mut entry, "oauth", oauth);
            set(&mut entry, "client_key_prefixes", prefixes);
            set(&mut entry, "headers", headers);
            set(&mut entry, "send_as", sent_as);
            set(&mut entry, "dialect", dialect);
            if let Some(key) = deployment_key {
                entry["deployment_key"] = json!({ "value": key });
            }
            entry
        })
}

fn routes() -> impl Strategy<Value = Vec<Value>> {
    let route = |prefix: &str, fields: Value| json!({ "match": { "path_prefix": prefix }, "fields": fields });
    let all = vec![
        route("/auto", json!({ "mode": "auto" })),
        route("/off", json!({ "mode": "off" })),
        route("/optional", json!({ "mode": "optional" })),
        route("/anonymous", json!({ "mode": "off", "anonymous": "guest" })),
        route("/network", json!({ "mode": "off", "key_sources": [] })),
        route("/sources", json!({ "key_sources": [{ "header": "x-own-key" }, { "query": "session" }] })),
        route("/consumers", json!({ "mode": "on", "consumers": ["team-a"] })),
        route("/second", json!({ "provider": "second" })),
        route("/openai", json!({ "provider": "openai" })),
        route("/litellm", json!({ "provider": "litellm" })),
    ];
    let change = (
        option::weighted(0.3, byok()),
        option::weighted(0.3, hide()),
        option::weighted(0.2, anonymous()),
        option::weighted(0.2, key_sources()),
        option::weighted(0.2, select(&["optional", "auto", "off"][..])),
    );
    (subsequence(all, 0..=10), vec(change, 10)).prop_map(|(routes, changes)| {
        let changed = |(route, (byok, hide, anonymous, sources, mode)): (Value, (_, _, _, Option<Vec<Value>>, _))| {
            let mut changed = json!({ "match": route["match"] });
            set(&mut changed, "byok", byok as Option<&'static str>);
            set(&mut changed, "hide_credentials", hide as Option<Value>);
            set(&mut changed, "anonymous", anonymous as Option<&'static str>);
            set(&mut changed, "key_sources", sources);
            set(&mut changed, "mode", mode as Option<&'static str>);
            for (field, value) in route["fields"].as_object().into_iter().flatten() {
                changed[field] = value.clone();
            }
            changed
        };
        routes.into_iter().zip(changes).map(changed).collect()
    })
}

/// The route, if its provider is configured and its mode lets anybody pass; `second` stands for the second provider.
fn with_provider(mut route: Value, top_mode: &str, providers: &[(&str, Value)]) -> Option<Value> {
    if route["provider"] == "second" {
        route["provider"] = json!(providers.get(1)?.0);
    }
    let is_known = |name: &str| providers.iter().any(|(known, _)| *known == name);
    if !route["provider"].as_str().is_none_or(is_known) {
        return None;
    }
    let mode = route["mode"].as_str().unwrap_or(top_mode).to_owned();
    // An entry of mode `on` has a source, whatever the top level has.
    if mode == "on" && route["key_sources"].as_array().is_none_or(Vec::is_empty) {
        route["key_sources"] = json!([{ "header": "x-litellm-api-key" }, { "header": "x-api-key" }]);
    }
    Some(route)
}

fn byok() -> impl Strategy<Value = &'static str> {
    select(&["off", "preferred", "required"][..])
}

fn identity_headers(chosen: [bool; 4]) -> Value {
    let names = [
        ("consumer", "x-gateway-consumer"),
        ("key_id", "x-credential-identifier"),
        ("credential_source", "x-byok-credential-source"),
        ("provider", "x-byok-provider"),
    ];
    let chosen = names.iter().zip(chosen).filter(|(_, chosen)| *chosen);
    Value::Object(chosen.map(|((says, name), _)| ((*says).to_owned(), json!(name))).collect())
}

fn set<T: Into<Value>>(object: &mut Value, field: &str, value: Option<T>) {
    if let Some(value) = value {
        object[field] = value.into();
    }
}
