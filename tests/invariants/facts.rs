//! What a configuration says, read off its JSON by the documentation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::identity::Identity;
use super::places::{Place, place};
use super::servers::is_below;
use super::vendors::{Api, WEBSOCKET, api};

/// What the test has configured.
pub(crate) struct Facts {
    pub(super) shadow: bool,
    /// All configured proxy keys.
    pub(super) keys: Vec<ProxyKey>,
    pub(super) consumers: BTreeMap<String, Consumer>,
    pub(super) identity: Option<Identity>,
    pub(super) providers: BTreeMap<String, Provider>,
    /// The routes, and last what applies to all other requests.
    pub(super) levels: Vec<Level>,
    /// All places that the configuration makes credential locations.
    pub(super) places: Vec<String>,
    /// Identity headers by configured name, with what they say.
    pub(super) identity_headers: Vec<(String, &'static str)>,
    pub(super) strip_list: Vec<String>,
}

/// A configured proxy key.
pub(super) struct ProxyKey {
    pub(super) secret: Vec<u8>,
    pub(super) consumer: String,
    pub(super) id: String,
    /// What is recorded of a request with it: `verified` if it is valid.
    pub(super) reason: &'static str,
}

pub(super) struct Consumer {
    pub(super) byok: Option<String>,
    pub(super) providers: Option<Vec<String>>,
    pub(super) deployment_keys: BTreeMap<String, Vec<u8>>,
}

pub(super) struct Provider {
    pub(super) name: String,
    pub(super) api: &'static Api,
    /// Where clients' keys are, in order, and the header that they are moved to.
    pub(super) places: Vec<(Place, Option<Place>)>,
    /// How clients' keys start.
    pub(super) prefixes: Vec<String>,
    /// The prefixes that the operator has named.
    pub(super) named: Vec<String>,
    pub(super) deployment: Place,
    pub(super) deployment_key: Option<Vec<u8>>,
    pub(super) byok: String,
    pub(super) oauth: Option<bool>,
}

/// What applies to the requests of a route.
pub(super) struct Level {
    path_prefix: Option<String>,
    pub(super) mode: String,
    pub(super) provider: String,
    pub(super) sources: Vec<Place>,
    pub(super) anonymous: Option<String>,
    /// `hide_credentials`: `null` where nobody says.
    pub(super) hide: Value,
    pub(super) byok: Option<String>,
    pub(super) consumers: Option<Vec<String>>,
}

impl Facts {
    pub(crate) fn of(json: &Value) -> Self {
        let flag = json["forward_llm_provider_auth_headers"] == true;
        // In the order of the configuration.
        let written = json["providers"].as_object().expect("providers");
        let ordered: Vec<Provider> = written.iter().map(|(name, entry)| provider(name, entry, flag)).collect();
        let top_sources = listed_sources(&json["key_sources"]).unwrap_or_else(|| default_sources(&ordered));
        let default = text(&json["default_provider"]).unwrap_or_else(|| ordered[0].name.clone());
        let level = |entry: &Value, is_top: bool| {
            let or_top = |field: &str| if entry[field].is_null() { json[field].clone() } else { entry[field].clone() };
            Level {
                path_prefix: text(&entry["match"]["path_prefix"]),
                mode: text(&or_top("mode")).unwrap_or_else(|| "on".to_owned()),
                provider: text(&entry["provider"]).unwrap_or_else(|| default.clone()),
                sources: listed_sources(&entry["key_sources"]).unwrap_or_else(|| top_sources.clone()),
                anonymous: text(&or_top("anonymous")),
                hide: or_top("hide_credentials"),
                byok: text(&entry["byok"]).filter(|_| !is_top),
                consumers: texts(&entry["consumers"]).filter(|_| !is_top),
            }
        };
        let routes = json["routes"].as_array().into_iter().flatten();
        let levels: Vec<Level> = routes.map(|route| level(route, false)).chain([level(json, true)]).collect();
        let identity = Identity::of(json, header);
        let of_levels = levels.iter().flat_map(|level| &level.sources);
        let of_providers = ordered.iter().flat_map(Provider::all_places);
        let of_identity = identity.iter().filter_map(|identity| identity.credential.as_ref());
        let places =
            top_sources.iter().chain(of_levels).chain(of_providers).chain(of_identity).map(|place| place.at.clone());
        let places = places.collect::<BTreeSet<_>>().into_iter().collect();
        let consumers = json["consumers"].as_array().into_iter().flatten();
        let says = ["consumer", "key_id", "credential_source", "provider"];
        let identity_header = |says: &'static str| Some((text(&json["identity_headers"][says])?, says));
        Self {
            shadow: json["shadow"] == true,
            keys: consumers.clone().flat_map(keys).collect(),
            consumers: consumers.map(consumer).collect(),
            identity,
            providers: ordered.into_iter().map(|provider| (provider.name.clone(), provider)).collect(),
            levels,
            places,
            identity_headers: says.into_iter().filter_map(identity_header).collect(),
            strip_list: texts(&json["strip_request_headers"]).unwrap_or_default(),
        }
    }

    /// What applies to a path: all servers agree about it, or else the request is refused.
    pub(super) fn level(&self, path: &[u8]) -> &Level {
        let path = path.split(|byte| *byte == b'?').next().unwrap_or_default();
        let applies = |level: &&Level| level.path_prefix.as_deref().is_none_or(|prefix| is_below(path, prefix));
        self.levels.iter().find(applies).expect("the top level applies to all")
    }

    /// Where the credential travels by which Envoy authenticates callers.
    pub(super) fn identity_place(&self) -> Option<&Place> {
        self.identity.as_ref()?.credential.as_ref()
    }

    /// All configured deployment keys.
    pub(super) fn deployment_keys(&self) -> impl Iterator<Item = &Vec<u8>> {
        let of_consumers = self.consumers.values().flat_map(|consumer| consumer.deployment_keys.values());
        self.providers.values().filter_map(|provider| provider.deployment_key.as_ref()).chain(of_consumers)
    }
}

impl Provider {
    /// All places in which this provider has a credential, of whomever.
    pub(super) fn all_places(&self) -> impl Iterator<Item = &Place> {
        let moved = self.places.iter().filter_map(|(_, moved)| moved.as_ref());
        self.places.iter().map(|(place, _)| place).chain(moved).chain([&self.deployment])
    }
}

fn provider(name: &str, entry: &Value, flag: bool) -> Provider {
    let api = api(entry["api"].as_str().unwrap_or(name));
    let sent_as = entry["send_as"].is_object().then(|| header(&entry["send_as"]));
    let own = |(at, moved): &((&str, &str), Option<(&str, &str)>)| {
        (place(at.0, at.1), moved.as_ref().map(|moved| place(moved.0, moved.1)))
    };
    let headers: Option<Vec<Place>> = entry["headers"].as_array().map(|headers| headers.iter().map(header).collect());
    let first = headers.as_ref().map(|headers| headers[0].clone());
    let places = match headers {
        Some(headers) => headers.into_iter().map(|header| (header, None)).collect(),
        None => api.places.iter().map(own).collect::<Vec<_>>(),
    };
    let places = places.into_iter().map(|(at, moved)| (at, sent_as.clone().or(moved))).collect();
    let deployment =
        first.filter(|_| api.name == "custom").unwrap_or_else(|| place(api.deployment.0, api.deployment.1));
    let named = texts(&entry["client_key_prefixes"]);
    Provider {
        name: name.to_owned(),
        api,
        places,
        prefixes: named.clone().unwrap_or_else(|| api.prefixes.iter().map(|prefix| (*prefix).to_owned()).collect()),
        named: named.unwrap_or_default(),
        deployment: sent_as.unwrap_or(deployment),
        deployment_key: secret(&entry["deployment_key"]),
        byok: text(&entry["byok"]).unwrap_or_else(|| if flag { "preferred" } else { "off" }.to_owned()),
        oauth: entry["oauth"].as_bool(),
    }
}

fn consumer(entry: &Value) -> (String, Consumer) {
    let keys = entry["deployment_keys"].as_object().into_iter().flatten();
    let consumer = Consumer {
        byok: text(&entry["byok"]),
        providers: texts(&entry["providers"]),
        deployment_keys: keys.map(|(provider, key)| (provider.clone(), secret(key).expect("a value"))).collect(),
    };
    (text(&entry["name"]).expect("a name"), consumer)
}

fn keys(consumer: &Value) -> impl Iterator<Item = ProxyKey> {
    let key = |key: &Value| ProxyKey {
        secret: secret(key).expect("a value"),
        consumer: text(&consumer["name"]).expect("a name"),
        id: text(&key["id"]).expect("an id"),
        reason: match (key["disabled"] == true, key["expires_at"].is_null()) {
            (true, _) => "disabled_api_key",
            (_, false) => "expired_api_key",
            _ => "verified",
        },
    };
    consumer["keys"].as_array().into_iter().flatten().map(key)
}

/// `x-litellm-api-key`, `authorization`, `x-api-key`, then each provider's own places and further sources.
fn default_sources(providers: &[Provider]) -> Vec<Place> {
    let mut sources = vec![place("x-litellm-api-key", ""), place("authorization", "Bearer"), place("x-api-key", "")];
    for provider in providers {
        let own = provider.places.iter().map(|(at, _)| at.clone());
        let further = provider.api.sources.iter().map(|at| place(at, ""));
        let websocket = (provider.api.name == "openai").then(|| place(WEBSOCKET, ""));
        for source in own.chain(further).chain(websocket) {
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
    }
    sources
}

fn listed_sources(list: &Value) -> Option<Vec<Place>> {
    let source = |source: &Value| {
        let of = |kind: &str| source[kind].as_str().map(|name| place(&format!("{kind}:{name}"), ""));
        let other = of("query").or_else(|| of("cookie")).or_else(|| of("websocket_protocol"));
        other.unwrap_or_else(|| header(source))
    };
    Some(list.as_array()?.iter().map(source).collect())
}

fn header(entry: &Value) -> Place {
    place(entry["header"].as_str().expect("a header"), entry["scheme"].as_str().unwrap_or_default())
}

fn secret(entry: &Value) -> Option<Vec<u8>> {
    entry["value"].as_str().map(|value| value.as_bytes().to_vec())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn texts(value: &Value) -> Option<Vec<String>> {
    Some(value.as_array()?.iter().filter_map(text).collect())
}
