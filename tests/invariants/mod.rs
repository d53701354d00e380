//! What must hold of every decision, said without the filter's own code: names, places and forms are spelled out anew.
#![allow(dead_code, reason = "each test uses its part")]

mod places;
pub(crate) mod servers;

use std::collections::BTreeMap;

use byok_testkit::corpus::Line;

pub(crate) use places::carries;

/// What the test has configured.
pub(crate) struct Facts {
    /// The modes that occur, on routes too.
    pub(crate) modes: Vec<&'static str>,
    pub(crate) shadow: bool,
    /// All configured proxy keys.
    pub(crate) keys: Vec<ProxyKey>,
    /// All configured deployment keys.
    pub(crate) deployment_keys: Vec<Vec<u8>>,
    /// The profile of each provider, by name.
    pub(crate) profiles: BTreeMap<String, &'static str>,
    /// Places that the configuration adds: headers, `query:NAME`, `cookie:NAME`.
    pub(crate) further_places: Vec<String>,
    /// Key sources that take values of one scheme alone.
    pub(crate) schemes: BTreeMap<String, &'static str>,
    /// Whether the proxy key must be hidden, where that is the same for all requests.
    pub(crate) hides: Option<bool>,
    /// Whether client credentials are never used.
    pub(crate) byok_off: bool,
    /// Identity headers by configured name, with what they say.
    pub(crate) identity_headers: Vec<(String, &'static str)>,
}

/// A configured proxy key.
pub(crate) struct ProxyKey {
    pub(crate) secret: Vec<u8>,
    pub(crate) consumer: &'static str,
    pub(crate) id: &'static str,
    /// Neither disabled nor out of date.
    pub(crate) holds: bool,
}

/// What the filter has made of a request.
pub(crate) struct Observed {
    pub(crate) record: BTreeMap<&'static str, String>,
    /// The header map that goes on.
    pub(crate) upstream: Option<Vec<Line>>,
    /// Everything that a refused client is told.
    pub(crate) told: Vec<u8>,
}

/// A value by which the test's requests forge identities.
pub(crate) const FORGED: &[u8] = b"forged";

impl Facts {
    /// Says which invariant is broken, if any.
    pub(crate) fn check(&self, request: &[Line], observed: &Observed) -> Result<(), String> {
        self.no_secret_is_told(request, observed)?;
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
        self.nobody_passes_without_a_key(request, observed)?;
        let proxy_key = self.proxy_key(request, observed)?;
        self.proxy_key_stays_here(proxy_key.as_deref(), upstream, observed)?;
        self.no_configured_key_in_a_credential_place(proxy_key.as_deref(), upstream)?;
        self.one_credential(request, proxy_key.as_deref(), upstream, observed)?;
        no_websocket_key(upstream)?;
        self.no_forged_identity(upstream, observed)?;
        self.nothing_else_changes(proxy_key.as_deref(), request, upstream)
    }

    /// No answer and no record shows what a client sent as a secret, or what the operator configured.
    fn no_secret_is_told(&self, request: &[Line], observed: &Observed) -> Result<(), String> {
        let told = |secret: &[u8]| {
            let windows = |text: &[u8]| secret.len() > 4 && text.windows(secret.len()).any(|window| window == secret);
            windows(&observed.told) || observed.record.values().any(|value| windows(value.as_bytes()))
        };
        let sent = request.iter().filter(|(name, _)| self.is_place(name));
        let scheme = |secret: &&[u8]| self.schemes.values().any(|scheme| scheme.as_bytes() == *secret);
        let sent = sent.filter_map(|(_, value)| places::secret_of(value)).filter(|secret| !scheme(secret));
        let configured = self.keys.iter().map(|key| key.secret.as_slice());
        let deployment = self.deployment_keys.iter().map(Vec::as_slice);
        match sent.chain(configured).chain(deployment).find(|secret| told(secret)) {
            Some(secret) => Err(format!("`{}` is shown", String::from_utf8_lossy(secret))),
            None => Ok(()),
        }
    }

    /// No key that verifies, no pass in mode `on`.
    fn nobody_passes_without_a_key(&self, request: &[Line], observed: &Observed) -> Result<(), String> {
        let sent_one = || self.keys.iter().any(|key| key.holds && places::holds_anywhere(request, &key.secret));
        match observed.part("reason") {
            "verified" if sent_one() => Ok(()),
            "verified" => Err("verified without a key".to_owned()),
            "unverified" if self.modes == ["on"] => Err("unverified in mode on".to_owned()),
            "unverified" => Ok(()),
            other => Err(format!("passed because of {other}")),
        }
    }

    /// The key that verified, or, unverified, what stands in the auth source.
    fn proxy_key(&self, request: &[Line], observed: &Observed) -> Result<Option<Vec<u8>>, String> {
        let source = observed.part("auth_source");
        let there = places::values_at(request, source);
        if observed.part("reason") == "unverified" {
            let scheme = self.schemes.get(source).copied();
            return Ok(there.iter().find_map(|value| places::candidate(value, scheme)));
        }
        let named = |key: &&ProxyKey| {
            key.consumer == observed.part("consumer") && key.id == observed.part("key_id") && key.holds
        };
        let key = self.keys.iter().find(named).ok_or("the record names no key that holds")?;
        if there.iter().any(|value| carries(value, &key.secret)) {
            Ok(Some(key.secret.clone()))
        } else {
            Err(format!("the key that verified does not stand in {source}"))
        }
    }

    /// The proxy key of the request reaches the upstream nowhere, a kept auth source aside.
    fn proxy_key_stays_here(
        &self,
        proxy_key: Option<&[u8]>,
        upstream: &[Line],
        observed: &Observed,
    ) -> Result<(), String> {
        let Some(proxy_key) = proxy_key else { return Ok(()) };
        let source = observed.part("auth_source");
        for place in places::places_of(upstream, proxy_key) {
            if self.hides == Some(true) || place != source {
                return Err(format!("the proxy key goes upstream in {place}"));
            }
        }
        let must_stay = self.hides == Some(false) && observed.part("reason") == "verified";
        if must_stay && !places::places_of(upstream, proxy_key).any(|place| place == source) {
            return Err(format!("the proxy key is hidden from {source}"));
        }
        Ok(())
    }

    /// No other configured key stands in a credential place.
    fn no_configured_key_in_a_credential_place(
        &self,
        proxy_key: Option<&[u8]>,
        upstream: &[Line],
    ) -> Result<(), String> {
        for (place, value) in self.credentials(upstream) {
            // A kept one is held against the auth source already.
            if proxy_key.is_some_and(|key| carries(&value, key)) {
                continue;
            }
            if let Some(key) = self.keys.iter().find(|key| carries(&value, &key.secret)) {
                return Err(format!("a key of {} goes upstream in {place}", key.consumer));
            }
        }
        Ok(())
    }

    /// At most one client credential goes upstream, one that may, and the record says which.
    fn one_credential(
        &self,
        request: &[Line],
        proxy_key: Option<&[u8]>,
        upstream: &[Line],
        observed: &Observed,
    ) -> Result<(), String> {
        let is_proxy_key = |value: &[u8]| proxy_key.is_some_and(|key| carries(value, key));
        let is_deployment = |value: &[u8]| self.deployment_keys.iter().any(|key| carries(value, key));
        let profile = self.profiles.get(observed.part("provider")).copied().unwrap_or_default();
        let credentials = self.credentials(upstream).filter(|(_, value)| !is_proxy_key(value));
        let (deployment, client): (Vec<_>, Vec<_>) = credentials.partition(|(_, value)| is_deployment(value));
        if client.len() > 1 || deployment.len() > 1 {
            let places: Vec<&str> = client.iter().chain(&deployment).map(|(place, _)| place.as_str()).collect();
            return Err(format!("several credentials go upstream: {places:?}"));
        }
        if !deployment.is_empty() && observed.part("reason") != "verified" {
            return Err("an unverified caller is given a deployment key".to_owned());
        }
        if !deployment.is_empty() && !client.is_empty() && profile != "litellm" {
            return Err("a deployment key beside the client's".to_owned());
        }
        let expected = match (client.first(), deployment.len()) {
            (Some((_, value)), _) if is_oauth(value) => "client_oauth",
            (Some(_), _) => "client",
            (None, 1) => "deployment",
            (None, _) => "none",
        };
        let source = observed.part("credential_source");
        if source != expected {
            return Err(format!("the record says {source}, what goes upstream {expected}"));
        }
        match client.first() {
            Some((place, value)) => self.may_go(place, value, profile, request, observed),
            None => Ok(()),
        }
    }

    /// What stands in credential places: place and value.
    fn credentials(&self, lines: &[Line]) -> impl Iterator<Item = (String, Vec<u8>)> {
        let headers = lines.iter().filter(|(name, _)| self.is_place(name));
        let headers = headers.map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.clone()));
        let others = self.further_places.iter().filter(|place| place.contains(':'));
        let others =
            others.flat_map(|place| places::values_at(lines, place).into_iter().map(|value| (place.clone(), value)));
        headers.chain(others).collect::<Vec<_>>().into_iter()
    }

    fn may_go(
        &self,
        place: &str,
        value: &[u8],
        profile: &str,
        request: &[Line],
        observed: &Observed,
    ) -> Result<(), String> {
        let secret = places::secret_of(value).unwrap_or_default();
        let value = String::from_utf8_lossy(value);
        if place.contains(':') && (profile, place) != ("gemini", "query:key") {
            return Err(format!("`{value}` stays in {place}"));
        }
        if observed.part("auth_source") == "none" {
            return Err(format!("`{value}` goes on though nobody knows what authenticated"));
        }
        if self.byok_off {
            return Err(format!("`{value}` goes on though byok is off"));
        }
        if is_oauth(secret) && !["anthropic", "litellm"].contains(&profile) {
            return Err(format!("an OAuth token goes to {profile}"));
        }
        if secret.starts_with(b"sk-ant-") && !["anthropic", "litellm", "custom"].contains(&profile) {
            return Err(format!("an Anthropic key goes to {profile}"));
        }
        if !places::holds_anywhere(request, secret) {
            return Err(format!("`{value}` was never sent"));
        }
        let visible = secret.iter().all(|byte| byte.is_ascii_graphic() && !b",;\"'".contains(byte));
        if visible { Ok(()) } else { Err(format!("`{value}` is no single token")) }
    }

    /// An inbound identity header never survives; what is set is true.
    fn no_forged_identity(&self, upstream: &[Line], observed: &Observed) -> Result<(), String> {
        let verified = observed.part("reason") == "verified";
        for (name, value) in upstream.iter().filter(|(name, _)| self.is_identity(name)) {
            let name = String::from_utf8_lossy(name).into_owned();
            let says = self.identity_headers.iter().find(|(own, _)| *own == name).map(|(_, says)| *says);
            let Some(says) = says else { return Err(format!("{name} survives")) };
            if observed.part(says).as_bytes() != value.as_slice() {
                return Err(format!("{name} does not say the {says}"));
            }
            if !verified && says != "provider" {
                return Err(format!("{name} is set for an unverified caller"));
            }
        }
        Ok(())
    }

    /// What is no credential, no identity and not the proxy key passes byte for byte, in its order.
    fn nothing_else_changes(
        &self,
        proxy_key: Option<&[u8]>,
        request: &[Line],
        upstream: &[Line],
    ) -> Result<(), String> {
        const CUT_OR_MERGED: [&[u8]; 5] =
            [b":path", b"cookie", b"sec-websocket-protocol", b"anthropic-beta", b"x-listed"];
        let is_proxy_key = |value: &[u8]| proxy_key.is_some_and(|key| carries(value, key));
        let plain = |name: &[u8]| !self.is_place(name) && !self.is_identity(name) && !CUT_OR_MERGED.contains(&name);
        let by_name = |lines: &[Line]| {
            let mut names: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
            for (name, value) in lines.iter().filter(|(name, value)| plain(name) && !is_proxy_key(value)) {
                names.entry(name.clone()).or_default().push(value.clone());
            }
            names
        };
        let (mut before, mut after) = (by_name(request), by_name(upstream));
        // What is left of a header of which one line was the proxy key becomes one line.
        for (name, _) in request.iter().filter(|(name, value)| plain(name) && is_proxy_key(value)) {
            let words = |lines: Option<Vec<Vec<u8>>>| {
                let lines = lines.unwrap_or_default().join(&b","[..]);
                let words = lines.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
                words.filter(|word| !word.is_empty()).map(<[u8]>::to_vec).collect::<Vec<_>>()
            };
            if words(before.remove(name)) != words(after.remove(name)) {
                return Err(format!("beside the proxy key {} changes", String::from_utf8_lossy(name)));
            }
        }
        if before == after { Ok(()) } else { Err(format!("other headers change: {before:?} became {after:?}")) }
    }

    fn is_place(&self, name: &[u8]) -> bool {
        places::is_credential_place(name, &self.further_places)
    }

    fn is_identity(&self, name: &[u8]) -> bool {
        let name = places::dashed(name);
        places::IDENTITY.contains(&&*name)
            || self.identity_headers.iter().any(|(own, _)| places::dashed(own.as_bytes()) == name)
    }
}

impl Observed {
    pub(crate) fn part(&self, name: &str) -> &str {
        self.record.get(name).map_or("-", String::as_str)
    }
}

/// No OpenAI key goes on as a subprotocol.
fn no_websocket_key(upstream: &[Line]) -> Result<(), String> {
    let lines = upstream.iter().filter(|(name, _)| name == b"sec-websocket-protocol");
    let mut items = lines.flat_map(|(_, value)| value.split(|byte| *byte == b','));
    if items.any(|item| item.trim_ascii().starts_with(b"openai-insecure-api-key.")) {
        return Err("a key goes on as a WebSocket subprotocol".to_owned());
    }
    Ok(())
}

fn is_oauth(value: &[u8]) -> bool {
    places::secret_of(value).is_some_and(|secret| secret.starts_with(b"sk-ant-oat"))
}
