//! Configurations that hold, and what the test knows about them.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::{ACTIVE, DISABLED, EXPIRED, SECOND};
use crate::invariants::{Facts, ProxyKey};

const PROFILES: [&str; 7] = ["anthropic", "openai", "azure_openai", "gemini", "bedrock", "litellm", "custom"];
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
        select(&["on", "on", "auto", "off"][..]),
        prop::bool::weighted(0.1),
        any::<bool>(),
        option::of(any::<bool>()),
        key_sources(),
        any::<[bool; 4]>(),
        any::<bool>(),
    );
    (top, providers(), routes(), option::of(byok()), any::<bool>()).prop_map(
        |((mode, shadow, flag, hide, sources, identity, listed), providers, routes, consumer_byok, own_key)| {
            let routes: Vec<Value> = routes.into_iter().filter(|route| names_known(route, &providers)).collect();
            let mut team_a = json!({ "name": "team-a", "keys": [
                { "id": "active", "value": ACTIVE },
                { "id": "disabled", "value": DISABLED, "disabled": true },
                { "id": "expired", "value": EXPIRED, "expires_at": "1969-12-31T00:00:00Z" } ] });
            set(&mut team_a, "byok", consumer_byok);
            if own_key {
                team_a["deployment_keys"] = json!({ providers[0].0: { "value": DEPLOYMENT_KEY_OF_A } });
            }
            let team_b = json!({ "name": "team-b", "keys": [ { "id": "second", "value": SECOND } ] });
            let written: BTreeMap<&str, &Value> = providers.iter().map(|(name, entry)| (*name, entry)).collect();
            let mut json = json!({
                "mode": mode,
                "shadow": shadow,
                "forward_llm_provider_auth_headers": flag,
                "consumers": [team_a, team_b],
                "providers": written,
                "default_provider": providers[0].0,
                "routes": routes,
                "identity_headers": identity_headers(identity),
            });
            set(&mut json, "hide_credentials", hide);
            set(&mut json, "key_sources", sources);
            if listed {
                json["strip_request_headers"] = json!(["x-listed"]);
            }
            Setting { facts: facts(&json), json }
        },
    )
}

fn key_sources() -> impl Strategy<Value = Option<Vec<Value>>> {
    let all = vec![
        json!({ "header": "x-litellm-api-key" }),
        json!({ "header": "authorization", "scheme": "Bearer" }),
        json!({ "header": "x-api-key" }),
        json!({ "header": "x-own-key" }),
        json!({ "header": "x-token", "scheme": "Token" }),
        json!({ "query": "key" }),
        json!({ "query": "api_key" }),
        json!({ "cookie": "session" }),
    ];
    option::of(subsequence(all, 1..=8).prop_shuffle())
}

fn providers() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let names = subsequence(&PROFILES[..], 1..=3).prop_shuffle();
    (names, vec(provider(), 3)).prop_map(|(names, entries)| {
        let entry = |(name, mut entry): (&'static str, Value)| {
            if name == "custom" {
                entry["headers"] =
                    json!([{ "header": "x-corp-key" }, { "header": "authorization", "scheme": "Bearer" }]);
            }
            (name, entry)
        };
        names.into_iter().zip(entries).map(entry).collect()
    })
}

fn provider() -> impl Strategy<Value = Value> {
    (option::of(byok()), option::of(any::<bool>()), any::<bool>(), any::<bool>()).prop_map(
        |(byok, oauth, any_key, deployment)| {
            let mut entry = json!({});
            set(&mut entry, "byok", byok);
            set(&mut entry, "oauth", oauth);
            if any_key {
                entry["client_key_prefixes"] = json!([]);
            }
            if deployment {
                entry["deployment_key"] = json!({ "value": DEPLOYMENT_KEY });
            }
            entry
        },
    )
}

fn routes() -> impl Strategy<Value = Vec<Value>> {
    let route = |prefix: &str, field: &str, value: &str| json!({ "match": { "path_prefix": prefix }, (field): value });
    let all = vec![
        route("/auto", "mode", "auto"),
        route("/off", "mode", "off"),
        route("/openai", "provider", "openai"),
        route("/gemini", "provider", "gemini"),
        route("/litellm", "provider", "litellm"),
    ];
    let changes = vec((option::of(byok()), option::weighted(0.2, any::<bool>())), 5);
    (subsequence(all, 0..=5), changes).prop_map(|(routes, changes)| {
        let changed = |(mut route, (byok, hide)): (Value, (Option<&'static str>, Option<bool>))| {
            set(&mut route, "byok", byok);
            set(&mut route, "hide_credentials", hide);
            route
        };
        routes.into_iter().zip(changes).map(changed).collect()
    })
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

fn names_known(route: &Value, providers: &[(&str, Value)]) -> bool {
    route["provider"].as_str().is_none_or(|name| providers.iter().any(|(known, _)| *known == name))
}

fn set<T: Into<Value>>(object: &mut Value, field: &str, value: Option<T>) {
    if let Some(value) = value {
        object[field] = value.into();
    }
}

/// Reads off a configuration what must hold under it.
fn facts(json: &Value) -> Facts {
    let routes = json["routes"].as_array().expect("routes");
    let providers = json["providers"].as_object().expect("providers");
    let text = |value: &Value| PROFILES.into_iter().find(|profile| value.as_str() == Some(profile)).unwrap_or_default();
    let modes = std::iter::once(json).chain(routes).filter_map(|level| level["mode"].as_str());
    let modes =
        modes.map(|mode| ["on", "auto", "off"].into_iter().find(|known| *known == mode).expect("a mode")).collect();
    let key = |secret: &str, consumer, id, holds| ProxyKey { secret: secret.into(), consumer, id, holds };
    let (further_places, schemes) = sources(json);
    let hides_by_default = !providers.contains_key("litellm");
    let hides = json["hide_credentials"].as_bool().or(hides_by_default.then_some(true));
    let same_everywhere = routes.iter().all(|route| route["hide_credentials"].is_null());
    let says = ["consumer", "key_id", "credential_source", "provider"];
    let identity = |says: &'static str| Some((json["identity_headers"][says].as_str()?.to_owned(), says));
    Facts {
        modes,
        shadow: json["shadow"] == true,
        keys: vec![
            key(ACTIVE, "team-a", "active", true),
            key(SECOND, "team-b", "second", true),
            key(DISABLED, "team-a", "disabled", false),
            key(EXPIRED, "team-a", "expired", false),
        ],
        deployment_keys: vec![DEPLOYMENT_KEY.into(), DEPLOYMENT_KEY_OF_A.into()],
        profiles: providers.keys().map(|name| (name.clone(), text(&name.as_str().into()))).collect(),
        further_places,
        schemes,
        hides: hides.filter(|_| same_everywhere),
        byok_off: never_used(json, routes, providers),
        identity_headers: says.into_iter().filter_map(identity).collect(),
    }
}

/// Whether no level lets a client credential pass.
fn never_used(json: &Value, routes: &[Value], providers: &serde_json::Map<String, Value>) -> bool {
    let off = |level: &Value| level["byok"].is_null() || level["byok"] == "off";
    let flag_off = json["forward_llm_provider_auth_headers"] == false;
    let provider_off = |entry: &Value| off(entry) && (flag_off || entry["byok"] == "off") && entry["oauth"] != true;
    off(&json["consumers"][0]) && routes.iter().all(off) && providers.values().all(provider_off)
}

/// The places that the configuration adds, and the schemes of key sources.
fn sources(json: &Value) -> (Vec<String>, BTreeMap<String, &'static str>) {
    let mut places = vec!["x-corp-key".to_owned()];
    places.retain(|_| !json["providers"]["custom"].is_null());
    if !json["providers"]["gemini"].is_null() {
        places.push("query:key".to_owned());
    }
    let mut schemes = BTreeMap::new();
    match json["key_sources"].as_array() {
        None => drop(schemes.insert("authorization".to_owned(), "Bearer")),
        Some(sources) => {
            for source in sources {
                let named = |kind: &str| source[kind].as_str().map(str::to_owned);
                let query = named("query").map(|name| format!("query:{name}"));
                let cookie = named("cookie").map(|name| format!("cookie:{name}"));
                let place = named("header").or(query).or(cookie).expect("a place");
                match source["scheme"].as_str() {
                    Some("Bearer") => drop(schemes.insert(place.clone(), "Bearer")),
                    Some(_) => drop(schemes.insert(place.clone(), "Token")),
                    None => {}
                }
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
    }
    (places, schemes)
}
