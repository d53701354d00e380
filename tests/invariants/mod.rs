//! What must hold of every decision, said without the filter's own code: names, places and forms are spelled out anew.
#![allow(dead_code, reason = "each test uses its part")]

mod caller;
mod facts;
mod identity;
mod payment;
mod places;
mod rest;
pub(crate) mod servers;
mod vendors;

use std::collections::BTreeMap;

use byok_testkit::corpus::Line;

use caller::{Caller, caller, is_ambiguous};
use facts::{Level, Provider};
use places::is_oauth_token;

pub(crate) use facts::Facts;
pub(crate) use places::carries;

/// What the filter has made of a request.
pub(crate) struct Observed {
    pub(crate) record: BTreeMap<String, String>,
    /// The header map that goes on.
    pub(crate) upstream: Option<Vec<Line>>,
    /// Everything that a refused client is told.
    pub(crate) told: Vec<u8>,
}

/// A value by which the test's requests forge identities.
pub(crate) const FORGED: &[u8] = b"forged";

/// One request, with what applies to it.
struct Exchange<'a> {
    facts: &'a Facts,
    level: &'a Level,
    provider: &'a Provider,
    caller: &'a Caller,
    request: &'a [Line],
    upstream: &'a [Line],
    observed: &'a Observed,
}

impl Facts {
    /// Says which invariant is broken, if any.
    ///
    /// `identity` is what Envoy says about the caller, where the configuration has an identity.
    pub(crate) fn check(&self, request: &[Line], identity: Option<&str>, observed: &Observed) -> Result<(), String> {
        self.no_secret_is_told(request, observed)?;
        let level = self.level(places::path(request));
        let provider = &self.providers[&level.provider];
        let caller = caller(self, level, request, identity);
        self.reason_is_true(level, provider, &caller, request, observed)?;
        let Some(upstream) = &observed.upstream else {
            return match observed.part("decision") {
                "deny" => Ok(()),
                other => Err(format!("refused, and recorded as {other}")),
            };
        };
        if self.shadow {
            return if upstream == request { Ok(()) } else { Err("the shadow changes the request".to_owned()) };
        }
        if observed.part("decision") != "allow" {
            return Err(format!("passed, and recorded as {}", observed.part("decision")));
        }
        let exchange = Exchange { facts: self, level, provider, caller: &caller, request, upstream, observed };
        exchange.nobody_passes_without_a_key()?;
        exchange.proxy_key_stays_here()?;
        exchange.no_configured_key_in_a_credential_place()?;
        exchange.one_credential()?;
        exchange.companions_go_with_the_clients_credential_alone()?;
        exchange.the_beta_goes_with_an_oauth_token_alone()?;
        exchange.no_forged_identity()?;
        exchange.nothing_else_changes()
    }

    /// No answer and no record shows what a client sent as a secret, or what the operator configured.
    fn no_secret_is_told(&self, request: &[Line], observed: &Observed) -> Result<(), String> {
        let told = |secret: &[u8]| {
            let is = |window: &[u8]| window[0] == secret[0] && window == secret;
            let windows = |text: &[u8]| secret.len() > 4 && text.windows(secret.len()).any(is);
            windows(&observed.told) || observed.record.values().any(|value| windows(value.as_bytes()))
        };
        let scheme = |secret: &[u8]| [&b"Bearer"[..], b"Basic", b"Token"].contains(&secret);
        let sent =
            self.credentials(request).into_iter().filter_map(|(_, value)| Some(places::secret_of(&value)?.to_vec()));
        let configured = self.keys.iter().map(|key| key.secret.clone()).chain(self.deployment_keys().cloned());
        match sent.filter(|secret| !scheme(secret)).chain(configured).find(|secret| told(secret)) {
            Some(secret) => Err(format!("`{}` is shown", String::from_utf8_lossy(&secret))),
            None => Ok(()),
        }
    }

    /// Whoever passes or not, does so for the reason that the documentation gives, and as whom it says.
    fn reason_is_true(
        &self,
        level: &Level,
        provider: &Provider,
        caller: &Caller,
        request: &[Line],
        observed: &Observed,
    ) -> Result<(), String> {
        let path = places::path(request).split(|byte| *byte == b'?').next().unwrap_or_default();
        let has = |part: &str| path.windows(part.len()).any(|window| window == part.as_bytes());
        if observed.part("reason") == "ambiguous_path" {
            let is_odd = ["%", "//", "\\", ";", "/."].into_iter().any(has);
            return if is_odd { Ok(()) } else { Err("a plain path is ambiguous".to_owned()) };
        }
        let consumer = caller.consumer.as_ref();
        let not_among = |list: &Option<Vec<String>>, name: Option<&String>| {
            list.as_ref().is_some_and(|list| name.is_none_or(|name| !list.contains(name)))
        };
        let ambiguous = is_ambiguous(self, level, provider, request);
        let expected = if ambiguous {
            "ambiguous_credential"
        } else if !caller.passes() {
            caller.reason
        } else if not_among(&level.consumers, consumer) {
            "consumer_not_allowed"
        } else if consumer.is_some_and(|name| {
            self.consumers.get(name).is_some_and(|one| not_among(&one.providers, Some(&level.provider)))
        }) {
            "provider_not_allowed"
        } else if payment::byok(self, level, provider, caller) == "required"
            && payment::of_client(self, level, provider, caller, self.kept(level, provider, caller), request).is_none()
        {
            "missing_provider_key"
        } else {
            caller.reason
        };
        let or_dash = |part: &Option<String>| part.clone().filter(|_| !ambiguous).unwrap_or_else(|| "-".to_owned());
        let source = if ambiguous || caller.source.is_empty() { "none" } else { &caller.source };
        for (part, expected) in [
            ("reason", expected),
            ("provider", &level.provider),
            ("auth_source", source),
            ("consumer", &or_dash(&caller.consumer)),
            ("key_id", &or_dash(&caller.key_id)),
        ] {
            if observed.part(part) != expected {
                return Err(format!("{part}: expected {expected}, got {}", observed.part(part)));
            }
        }
        Ok(())
    }

    /// Where the proxy key must stay for the next hop, if anywhere.
    fn kept<'a>(&self, level: &Level, provider: &Provider, caller: &'a Caller) -> Option<&'a str> {
        let hides = match (level.hide.as_bool(), level.hide.as_str()) {
            (Some(hides), _) => hides,
            (_, Some("verified")) => caller.reason == "verified",
            _ => provider.api.name != "litellm" || payment::deployment_key(self, provider, caller).is_some(),
        };
        let is_of_envoy = caller.key.is_some() && caller.key == caller.of_identity;
        (!hides && caller.key.is_some() && !is_of_envoy).then_some(&*caller.source)
    }

    /// Returns the values of all credential locations, with their location.
    fn credentials(&self, lines: &[Line]) -> Vec<Line> {
        let headers = lines.iter().filter(|(name, _)| self.is_place(name)).cloned();
        let of = |kind: &str, name: &[u8]| [kind.as_bytes(), b":", name].concat();
        let parameters = places::parameters(lines).into_iter();
        let parameters = parameters.filter(|(name, _)| places::is_credential_parameter(name, &self.places));
        let parameters = parameters.map(|(name, value)| (of("query", &name), value));
        let cookies = places::cookies(lines).into_iter().map(|(name, value)| (of("cookie", &name), value));
        let cookies = cookies.filter(|(name, _)| self.places.iter().any(|place| place.as_bytes() == name));
        let subprotocols = places::subprotocols(lines).into_iter().filter_map(|item| {
            let prefix = places::credential_prefix(&item, &self.places)?;
            Some((of("websocket_protocol", prefix.as_bytes()), item[prefix.len()..].to_vec()))
        });
        headers.chain(parameters).chain(cookies).chain(subprotocols).collect()
    }

    fn is_place(&self, name: &[u8]) -> bool {
        places::is_credential_place(name, &self.places)
    }

    fn is_identity(&self, name: &[u8]) -> bool {
        places::IDENTITY.iter().any(|known| places::reads_like(name, known))
            || self.identity_headers.iter().any(|(own, _)| places::reads_like(name, own))
    }
}

impl Exchange<'_> {
    fn is_proxy_key(&self, value: &[u8]) -> bool {
        self.caller.key.as_deref().is_some_and(|key| carries(value, key))
    }

    /// No key that verifies, no pass in mode `on`; with one that does not, none in `optional`; with a known one that does
    /// not, none in `auto`.
    fn nobody_passes_without_a_key(&self) -> Result<(), String> {
        let sources = self.level.sources.iter().map(|source| &*source.at);
        let values: Vec<Vec<u8>> = sources.flat_map(|at| places::values_at(self.request, at)).collect();
        let valid = |key: &&facts::ProxyKey| key.reason == "verified";
        let sent = |key: &facts::ProxyKey| values.iter().any(|value| carries(value, &key.secret));
        match (self.observed.part("reason"), &*self.level.mode) {
            ("verified", "on" | "optional" | "auto") if self.facts.keys.iter().filter(valid).any(sent) => Ok(()),
            ("verified", "on" | "optional" | "auto") if self.caller.is_identified => Ok(()),
            ("verified", _) => Err("verified without a key".to_owned()),
            ("unverified" | "anonymous", "on") => Err("passes without a key in mode on".to_owned()),
            ("unverified" | "anonymous", "optional") if self.caller.key.is_some() => {
                Err("passes with an unknown key in mode optional".to_owned())
            }
            ("unverified" | "anonymous", "optional" | "auto") if self.caller_is_configured() => {
                Err("passes with a configured key that is not valid".to_owned())
            }
            ("anonymous", _) if self.level.anonymous.is_none() => Err("anonymous where nobody says so".to_owned()),
            ("unverified" | "anonymous", _) => Ok(()),
            (other, _) => Err(format!("passed because of {other}")),
        }
    }

    fn caller_is_configured(&self) -> bool {
        self.facts.keys.iter().any(|key| Some(&key.secret) == self.caller.key.as_ref())
    }

    /// The proxy key of the request reaches the upstream nowhere, a kept auth source aside, where it must be.
    fn proxy_key_stays_here(&self) -> Result<(), String> {
        let Some(key) = &self.caller.key else { return Ok(()) };
        let kept = self.kept();
        let places = places::places_of(self.upstream, key, &self.facts.places);
        if let Some(place) = places.iter().find(|place| Some(&***place) != kept) {
            return Err(format!("the proxy key goes upstream in {place}"));
        }
        match (kept, places.len()) {
            (Some(source), 0) => Err(format!("the proxy key is hidden from {source}")),
            (_, 0 | 1) => Ok(()),
            _ => Err("the proxy key goes upstream twice".to_owned()),
        }
    }

    fn kept(&self) -> Option<&str> {
        self.facts.kept(self.level, self.provider, self.caller)
    }

    /// No other configured key stands in a credential place.
    fn no_configured_key_in_a_credential_place(&self) -> Result<(), String> {
        for (place, value) in self.facts.credentials(self.upstream) {
            // A kept one is held against the auth source already.
            if self.is_proxy_key(&value) {
                continue;
            }
            if let Some(key) = self.facts.keys.iter().find(|key| carries(&value, &key.secret)) {
                return Err(format!("a key of {} goes upstream in {}", key.consumer, String::from_utf8_lossy(&place)));
            }
        }
        Ok(())
    }

    /// At most one client credential goes upstream, one that may, and the first that may; a deployment key goes where it
    /// belongs, for callers who are entitled to one; and the record says which.
    fn one_credential(&self) -> Result<(), String> {
        let is_deployment = |value: &[u8]| self.facts.deployment_keys().any(|key| carries(value, key));
        let credentials = self.facts.credentials(self.upstream).into_iter();
        let credentials = credentials.filter(|(_, value)| !self.is_proxy_key(value));
        let (deployment, client): (Vec<_>, Vec<_>) = credentials.partition(|(_, value)| is_deployment(value));
        if client.len() > 1 || deployment.len() > 1 {
            let places: Vec<_> =
                client.iter().chain(&deployment).map(|(place, _)| String::from_utf8_lossy(place)).collect();
            return Err(format!("several credentials go upstream: {places:?}"));
        }
        let (client, deployment) = (client.first(), deployment.first());
        let reason = self.observed.part("reason");
        if deployment.is_some() && !["verified", "anonymous"].contains(&reason) {
            return Err("an unverified caller is given a deployment key".to_owned());
        }
        if deployment.is_some() && client.is_some() && self.provider.api.name != "litellm" {
            return Err("a deployment key beside the client's".to_owned());
        }
        let byok = payment::byok(self.facts, self.level, self.provider, self.caller);
        if client.is_none() && byok == "required" {
            return Err("nobody's own key where one is required".to_owned());
        }
        let expected = match (client, deployment) {
            (Some((_, value)), _) if places::secret_of(value).is_some_and(is_oauth_token) => "client_oauth",
            (Some(_), _) => "client",
            (None, Some(_)) => "deployment",
            (None, None) => "none",
        };
        let source = self.observed.part("credential_source");
        if source != expected {
            return Err(format!("the record says {source}, what goes upstream {expected}"));
        }
        if let Some((place, value)) = client {
            self.may_go(&String::from_utf8_lossy(place), value)?;
        }
        let kept = self.kept();
        let by_client = payment::of_client(self.facts, self.level, self.provider, self.caller, kept, self.request);
        let by_operator = payment::of_operator(self.facts, self.provider, self.caller, kept, by_client.is_some());
        for (found, expected, whose) in [(client, by_client, "client's"), (deployment, by_operator, "operator's")] {
            let expected = expected.map(|payment| (payment.place.into_bytes(), payment.value));
            if found != expected.as_ref() {
                let shown = |one: Option<&Line>| {
                    one.map(|(place, value)| {
                        format!("{}: {}", String::from_utf8_lossy(place), String::from_utf8_lossy(value))
                    })
                };
                return Err(format!("the {whose}: expected {:?}, got {:?}", shown(expected.as_ref()), shown(found)));
            }
        }
        Ok(())
    }

    fn may_go(&self, place: &str, value: &[u8]) -> Result<(), String> {
        let (level, provider) = (self.level, self.provider);
        let mut schemes = provider.all_places().filter(|own| own.at == place && !own.scheme.is_empty());
        let behind = |own: &places::Place| places::behind(value, &own.scheme).filter(|secret| !secret.is_empty());
        let secret = schemes.find_map(behind).or_else(|| places::secret_of(value)).unwrap_or_default();
        let value = String::from_utf8_lossy(value);
        let is_of_token = is_oauth_token(secret) && place == "authorization";
        if !is_of_token && provider.all_places().all(|own| own.at != place) {
            return Err(format!("`{value}` stays in {place}"));
        }
        if place.starts_with("query:") && !["gemini", "vertex"].contains(&provider.api.name)
            || place.starts_with("cookie:")
            || place.starts_with("websocket_protocol:") && provider.api.name != "openai"
        {
            return Err(format!("`{value}` stays in {place}"));
        }
        if self.caller.source.is_empty() && !is_oauth_token(secret) && !level.sources.is_empty() {
            return Err(format!("`{value}` is forwarded though it could be the proxy key"));
        }
        let byok = payment::byok(self.facts, level, provider, self.caller);
        if is_oauth_token(secret) {
            if !["anthropic", "litellm"].contains(&provider.api.name) {
                return Err(format!("an OAuth token goes to {}", provider.api.name));
            }
            if !payment::oauth_passes(self.facts, level, provider, self.caller) {
                return Err(format!("`{value}` is forwarded though no OAuth token may"));
            }
        } else if byok == "off" {
            return Err(format!("`{value}` is forwarded though byok is off"));
        } else if vendors::belongs_to_another(secret, provider.api.vendor, &provider.named) {
            return Err(format!("`{value}` goes to {}", provider.api.name));
        } else if !payment::key_fits(provider, secret) {
            return Err(format!("`{value}` is no key of {}", provider.api.name));
        }
        if places::places_of(self.request, secret, &self.facts.places).is_empty() {
            return Err(format!("`{value}` was never sent"));
        }
        if self.caller.of_identity.as_deref() == Some(secret) {
            return Err(format!("`{value}` is forwarded though Envoy has authenticated the caller by it"));
        }
        if payment::is_single_token(secret) { Ok(()) } else { Err(format!("`{value}` is no single token")) }
    }
}

impl Observed {
    pub(crate) fn part(&self, name: &str) -> &str {
        self.record.get(name).map_or("-", String::as_str)
    }
}
