//! The configuration as it is written: field for field, nothing checked that one field alone does not show.

use serde::Deserialize;

use super::forms::{HexDigest, Named, objects};
use crate::policy::{Byok, Mode};

objects!(
    Configuration,
    KeySource,
    Consumer,
    Key,
    Provider,
    CredentialHeader,
    SecretSource,
    Route,
    Match,
    IdentityHeaders,
    VerificationService,
    SendAs
);

#[derive(Default, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct Configuration {
    pub(super) mode: Mode,
    pub(super) shadow: bool,
    pub(super) key_sources: Option<Vec<KeySource>>,
    pub(super) consumers: Vec<Consumer>,
    pub(super) verification_service: Option<VerificationService>,
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
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct KeySource {
    pub(super) header: Option<String>,
    pub(super) scheme: Option<String>,
    pub(super) query: Option<String>,
    pub(super) cookie: Option<String>,
}

#[derive(Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct Consumer {
    pub(super) name: String,
    pub(super) providers: Option<Vec<String>>,
    pub(super) byok: Option<Byok>,
    #[serde(default)]
    pub(super) deployment_keys: Named<SecretSource>,
    #[serde(default)]
    pub(super) keys: Vec<Key>,
}

#[derive(Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
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
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct Provider {
    pub(super) api: Option<String>,
    pub(super) byok: Option<Byok>,
    pub(super) oauth: Option<bool>,
    pub(super) client_key_prefixes: Option<Vec<Box<str>>>,
    pub(super) clusters: Option<Vec<Box<str>>>,
    pub(super) deployment_key: Option<SecretSource>,
    pub(super) headers: Option<Vec<CredentialHeader>>,
}

#[derive(Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct CredentialHeader {
    pub(super) header: String,
    pub(super) scheme: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct SecretSource {
    pub(super) environment_variable: Option<String>,
    pub(super) value: Option<String>,
}

#[derive(Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct Route {
    pub(super) r#match: Match,
    pub(super) mode: Option<Mode>,
    pub(super) provider: Option<String>,
    pub(super) byok: Option<Byok>,
    pub(super) consumers: Option<Vec<Box<str>>>,
    pub(super) hide_credentials: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct Match {
    pub(super) path: Option<String>,
    pub(super) path_prefix: Option<String>,
    pub(super) host: Option<String>,
    pub(super) methods: Option<Vec<Box<str>>>,
}

#[derive(Default, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct IdentityHeaders {
    pub(super) consumer: Option<String>,
    pub(super) key_id: Option<String>,
    pub(super) credential_source: Option<String>,
    pub(super) provider: Option<String>,
}

#[derive(Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct VerificationService {
    pub(super) cluster: Box<str>,
    pub(super) authority: Option<Box<str>>,
    pub(super) path: Box<str>,
    pub(super) send_as: SendAs,
    pub(super) service_key: Option<SecretSource>,
    pub(super) timeout: Option<Box<str>>,
    pub(super) cache_ttl: Option<Box<str>>,
    pub(super) negative_cache_ttl: Option<Box<str>>,
    pub(super) cache_max_entries: Option<f64>,
    pub(super) max_in_flight: Option<f64>,
    pub(super) consumer_from: Option<Box<str>>,
}

#[derive(Default, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct SendAs {
    pub(super) sha256_query: Option<Box<str>>,
    pub(super) header: Option<String>,
    pub(super) scheme: Option<String>,
}
