//! Whom Envoy has authenticated, by the documentation.

use byok_testkit::corpus::Line;
use serde_json::Value;

use super::places::{Place, secret_at, values_at};

/// The one identity that a configuration of these tests may have.
pub(super) struct Identity {
    pub(super) name: String,
    pub(super) credential: Option<Place>,
    allows_unlisted: bool,
    /// Values, which may end in `*`, with the consumers that list them.
    listed: Vec<(String, String)>,
}

impl Identity {
    pub(super) fn of(json: &Value, credential: impl Fn(&Value) -> Place) -> Option<Self> {
        let identity = json["identities"].get(0)?;
        let name = identity["name"].as_str().expect("a name").to_owned();
        let consumers = json["consumers"].as_array().into_iter().flatten();
        let listed = consumers.flat_map(|consumer| {
            let values =
                consumer["identities"].as_array().into_iter().flatten().filter_map(|entry| entry[&name].as_str());
            values.map(|value| (value.to_owned(), consumer["name"].as_str().expect("a name").to_owned()))
        });
        let listed = listed.collect();
        let credential = Some(&identity["credential"]).filter(|one| one.is_object()).map(credential);
        Some(Self { name, credential, allows_unlisted: identity["allow_unlisted"] == true, listed })
    }

    /// The consumer that a value stands for: the one that lists it, else the one that lists its longest beginning.
    pub(super) fn consumer(&self, value: &str) -> Option<String> {
        let matches = |listed: &str| match listed.strip_suffix('*') {
            Some(start) => value.starts_with(start),
            None => value == listed,
        };
        let rank = |listed: &str| if listed.ends_with('*') { listed.len() } else { usize::MAX };
        let best = self.listed.iter().filter(|(listed, _)| matches(listed)).max_by_key(|(listed, _)| rank(listed));
        let is_name = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
        let own = || (self.allows_unlisted && is_name).then(|| format!("{}:{value}", self.name));
        best.map(|(_, consumer)| consumer.clone()).or_else(own)
    }

    /// The credential of a request that Envoy has verified.
    pub(super) fn credential_in(&self, request: &[Line]) -> Option<Vec<u8>> {
        let place = self.credential.as_ref()?;
        values_at(request, &place.at).iter().find_map(|value| secret_at(value, &place.scheme))
    }
}
