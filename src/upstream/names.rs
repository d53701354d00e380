//! Sets of header names that do not go upstream, and how a name is held against them.

use crate::policy::Location;

/// Headers that carry credentials at some provider or gateway, whatever the configuration says.
const WELL_KNOWN: &[&str] = &[
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "ocp-apim-subscription-key",
    "x-litellm-api-key",
    "litellm_user_api_key",
    "proxy-authorization",
    "x-amz-security-token",
];

/// LiteLLM forwards a header under this prefix to the provider, without the prefix.
const PASS_PREFIX: &[u8] = b"x-pass-";

/// How a header name stands to a set of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is one of them.
    Named,
    /// It reads like one to somebody downstream: `_` for `-`.
    Twin,
}

/// Header names, found under `_` for `-` too: CGI, WSGI and some proxies do not tell the two apart.
#[derive(Debug, Default)]
struct NameSet {
    /// With `-` for every `_`, sorted; the name itself behind it.
    names: Vec<(Box<[u8]>, Box<str>)>,
}

impl NameSet {
    fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names: Vec<_> = names.into_iter().map(|name| (dashed(name.as_bytes()).into(), name.into())).collect();
        names.sort_unstable();
        names.dedup();
        Self { names }
    }

    fn standing(&self, name: &[u8]) -> Option<Standing> {
        let from = self.names.partition_point(|(dashed, _)| dashed.iter().copied().lt(dashed_bytes(name)));
        let mut alike = self
            .names
            .iter()
            .skip(from)
            .take_while(|(dashed, _)| dashed.iter().copied().eq(dashed_bytes(name)))
            .peekable();
        alike.peek()?;
        Some(if alike.any(|(_, exact)| exact.as_bytes() == name) { Standing::Named } else { Standing::Twin })
    }
}

fn dashed_bytes(name: &[u8]) -> impl Iterator<Item = u8> {
    name.iter().map(|byte| if *byte == b'_' { b'-' } else { *byte })
}

fn dashed(name: &[u8]) -> Vec<u8> {
    dashed_bytes(name).collect()
}

/// Every place that may carry a credential on any route: nothing stays there but what was chosen to.
#[derive(Debug)]
pub(crate) struct CredentialPlaces {
    headers: NameSet,
    query: Vec<Box<str>>,
    cookies: Vec<Box<str>>,
}

impl CredentialPlaces {
    /// Adds the places of key sources and providers to the well-known ones.
    pub(crate) fn new(places: impl Iterator<Item = Location>) -> Self {
        let mut headers: Vec<Box<str>> = WELL_KNOWN.iter().map(|name| (*name).into()).collect();
        let mut query: Vec<Box<str>> = Vec::new();
        let mut cookies: Vec<Box<str>> = Vec::new();
        for place in places {
            match place {
                Location::Header(name) => headers.push(name),
                Location::Query(name) => query.push(name),
                Location::Cookie(name) => cookies.push(name),
            }
        }
        Self { headers: NameSet::new(headers.iter().map(|name| &**name)), query, cookies }
    }

    /// Tells a place from its twins: those with `_` for `-` or `x-pass-` before them, which never stay.
    pub(crate) fn standing(&self, name: &[u8]) -> Option<Standing> {
        let passed = name
            .split_at_checked(PASS_PREFIX.len())
            .filter(|(head, _)| dashed_bytes(head).eq(PASS_PREFIX.iter().copied()));
        let behind_prefix = passed.and_then(|(_, rest)| self.headers.standing(rest)).map(|_| Standing::Twin);
        self.headers.standing(name).or(behind_prefix)
    }

    pub(crate) fn query(&self) -> &[Box<str>] {
        &self.query
    }

    pub(crate) fn cookies(&self) -> &[Box<str>] {
        &self.cookies
    }
}

/// The headers that tell the upstream who is calling; inbound copies never pass.
#[derive(Debug)]
pub(crate) struct IdentityHeaders {
    pub(crate) consumer: Option<Box<str>>,
    pub(crate) key_id: Option<Box<str>>,
    pub(crate) credential_source: Option<Box<str>>,
    pub(crate) provider: Option<Box<str>>,
    inbound: NameSet,
}

impl IdentityHeaders {
    /// The customary names, removed even where the configuration sets no identity header.
    pub(crate) const CUSTOMARY: [&str; 4] =
        ["x-consumer-username", "x-credential-identifier", "x-byok-credential-source", "x-byok-provider"];

    pub(crate) fn new(
        consumer: Option<Box<str>>,
        key_id: Option<Box<str>>,
        credential_source: Option<Box<str>>,
        provider: Option<Box<str>>,
    ) -> Self {
        let configured = [&consumer, &key_id, &credential_source, &provider];
        let inbound = NameSet::new(configured.into_iter().flatten().map(|name| &**name).chain(Self::CUSTOMARY));
        Self { consumer, key_id, credential_source, provider, inbound }
    }

    pub(crate) fn contains(&self, name: &[u8]) -> bool {
        self.inbound.standing(name).is_some()
    }
}

/// Further headers that the operator keeps from the upstream.
#[derive(Debug, Default)]
pub(crate) struct StripList {
    pub(crate) names: Vec<Box<str>>,
    pub(crate) prefixes: Vec<Box<str>>,
}

impl StripList {
    pub(crate) fn contains(&self, name: &[u8]) -> bool {
        self.names.iter().any(|entry| entry.as_bytes() == name)
            || self.prefixes.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_from_its_twins() {
        let own = Location::Header("x_own-key".into());
        let places = CredentialPlaces::new([own].into_iter());
        for (name, standing) in [
            ("x-api-key", Some(Standing::Named)),
            ("x_api_key", Some(Standing::Twin)),
            ("x-api_key", Some(Standing::Twin)),
            ("x-pass-x-api-key", Some(Standing::Twin)),
            ("x_pass_x-api_key", Some(Standing::Twin)),
            ("litellm_user_api_key", Some(Standing::Named)),
            ("x_own-key", Some(Standing::Named)),
            ("x_own_key", Some(Standing::Twin)),
            ("x-pass-x_own-key", Some(Standing::Twin)),
            ("x-api-keys", None),
            ("x-pass-accept", None),
            ("api", None),
            ("", None),
        ] {
            assert_eq!(places.standing(name.as_bytes()), standing, "{name}");
        }
    }
}
