//! The configuration as it is written: field for field, nothing checked that one field alone does not show.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::policy::{Byok, Mode};
use crate::secret::KeyDigest;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Configuration {
    pub(super) mode: Mode,
    pub(super) shadow: bool,
    pub(super) key_sources: Option<Vec<KeySource>>,
    pub(super) consumers: Vec<Consumer>,
    pub(super) verification_service: Option<IgnoredAny>,
    pub(super) forward_llm_provider_auth_headers: bool,
    pub(super) providers: Option<Named<Provider>>,
    pub(super) default_provider: Option<String>,
    pub(super) routes: Vec<Route>,
    pub(super) hide_credentials: Option<bool>,
    pub(super) strip_request_headers: Vec<String>,
    pub(super) identity_headers: IdentityHeaders,
    pub(super) realm: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct KeySource {
    pub(super) header: Option<String>,
    pub(super) scheme: Option<String>,
    pub(super) query: Option<String>,
    pub(super) cookie: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Consumer {
    pub(super) name: String,
    pub(super) providers: Option<Vec<String>>,
    pub(super) byok: Option<Byok>,
    #[serde(default)]
    pub(super) deployment_keys: Named<DeploymentKey>,
    #[serde(default)]
    pub(super) keys: Vec<Key>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    pub(super) id: Box<str>,
    pub(super) sha256: Option<HexDigest>,
    pub(super) environment_variable: Option<Box<str>>,
    pub(super) value: Option<Box<str>>,
    pub(super) not_before: Option<Box<str>>,
    pub(super) expires_at: Option<Box<str>>,
    #[serde(default)]
    pub(super) disabled: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Provider {
    pub(super) api: Option<String>,
    pub(super) byok: Option<Byok>,
    pub(super) oauth: Option<bool>,
    pub(super) client_key_prefixes: Option<Vec<Box<str>>>,
    pub(super) clusters: Option<Vec<Box<str>>>,
    pub(super) deployment_key: Option<DeploymentKey>,
    pub(super) headers: Option<Vec<CredentialHeader>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CredentialHeader {
    pub(super) header: String,
    pub(super) scheme: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DeploymentKey {
    pub(super) environment_variable: Option<String>,
    pub(super) value: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Route {
    pub(super) r#match: Match,
    pub(super) mode: Option<Mode>,
    pub(super) provider: Option<String>,
    pub(super) byok: Option<Byok>,
    pub(super) consumers: Option<Vec<Box<str>>>,
    pub(super) hide_credentials: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Match {
    pub(super) path: Option<String>,
    pub(super) path_prefix: Option<String>,
    pub(super) host: Option<String>,
    pub(super) methods: Option<Vec<Box<str>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct IdentityHeaders {
    pub(super) consumer: Option<String>,
    pub(super) key_id: Option<String>,
    pub(super) credential_source: Option<String>,
    pub(super) provider: Option<String>,
}

/// Digits that are decoded as they are read: a hundred thousand keys never stand in memory as text.
pub(super) struct HexDigest(pub(super) Option<KeyDigest>);

impl<'de> Deserialize<'de> for HexDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;

        impl Visitor<'_> for Digits {
            type Value = HexDigest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("64 hex digits")
            }

            fn visit_str<E: de::Error>(self, digits: &str) -> Result<HexDigest, E> {
                Ok(HexDigest(KeyDigest::from_hex(digits)))
            }
        }

        deserializer.deserialize_str(Digits)
    }
}

/// A JSON object whose names the operator chooses, in the order in which they stand.
pub(super) struct Named<T>(pub(super) Vec<(Box<str>, T)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with each name once")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
                let mut entries: Vec<(Box<str>, T)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<Box<str>, T>()? {
                    if entries.iter().any(|(earlier, _)| *earlier == name) {
                        return Err(de::Error::invalid_value(de::Unexpected::Map, &self));
                    }
                    entries.push((name, value));
                }
                Ok(Named(entries))
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}
