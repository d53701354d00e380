//! The configuration as it is written: field for field, nothing checked that one field alone does not show.
//!
//! What the doc comments say is what the JSON schema says.

use serde::Deserialize;

use super::de::{HexDigest, Named, not_null, objects};
#[cfg(feature = "schema")]
use super::schema;
use crate::model::{Byok, Mode};

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

/// The configuration of byok-filter.
#[derive(Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Configuration"))]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct Configuration {
    /// What becomes of a request whose proxy key does not verify.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "on")))]
    pub(super) mode: Mode,
    /// Only watch: everything is decided and recorded, nothing is changed and nobody refused.
    pub(super) shadow: bool,
    /// Where a proxy key may ride, in this order. Default: `x-litellm-api-key`, `authorization` with `Bearer`, `x-api-key`, then the places of the configured providers.
    #[serde(deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<KeySource>"))]
    pub(super) key_sources: Option<Vec<KeySource>>,
    /// Who may call, and by which keys they are known.
    #[cfg_attr(feature = "schema", schemars(extend("default" = [])))]
    pub(super) consumers: Vec<Consumer>,
    /// Who is asked about keys that are not listed here.
    pub(super) verification_service: Option<VerificationService>,
    /// Whether a client's own provider credential is used: `byok` is `preferred` where nothing else is said, else `off`.
    pub(super) forward_llm_provider_auth_headers: bool,
    /// The upstream APIs, by names of your own. Default: one, `anthropic`.
    #[serde(deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Named<Provider>"))]
    pub(super) providers: Option<Named<Provider>>,
    /// The provider of requests that no route assigns; required where there are several.
    pub(super) default_provider: Option<String>,
    /// The first entry that matches gives a request its mode, provider and policy.
    #[cfg_attr(feature = "schema", schemars(extend("default" = [])))]
    pub(super) routes: Vec<Route>,
    /// Whether the proxy key is kept from the next hop. Default: true; false where the provider is a `litellm` without a deployment key for the caller.
    pub(super) hide_credentials: Option<bool>,
    /// Further headers that do not go upstream: names, or the beginning of one and `*`.
    #[cfg_attr(feature = "schema", schemars(extend("default" = [])))]
    pub(super) strip_request_headers: Vec<String>,
    /// Headers that tell the upstream who is calling.
    #[cfg_attr(feature = "schema", schemars(extend("default" = {})))]
    pub(super) identity_headers: IdentityHeaders,
    /// The realm of the challenge that goes with a 401.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "llm-gateway")))]
    pub(super) realm: Option<String>,
}

/// A place where a proxy key may ride: exactly one of `header`, `query`, `cookie`.
#[derive(Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "KeySource", extend("oneOf" = schema::one_of(&["header", "query", "cookie"]))))]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct KeySource {
    /// The name of a header.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) header: Option<String>,
    /// With `header` alone: only values of this scheme count.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) scheme: Option<String>,
    /// The name of a query parameter.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::NAME)))]
    pub(super) query: Option<String>,
    /// The name of a cookie.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) cookie: Option<String>,
}

/// The named owner of proxy keys.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Consumer"))]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct Consumer {
    /// Visible ASCII; each name once.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::NAME)))]
    pub(super) name: Box<str>,
    /// The names of the providers that it may reach. Default: all.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Box<str>>"))]
    pub(super) providers: Option<Vec<Box<str>>>,
    /// Before what route and provider say.
    pub(super) byok: Option<Byok>,
    /// By provider name: a deployment key in place of the provider's.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = {})))]
    pub(super) deployment_keys: Named<SecretSource>,
    /// Its proxy keys; several may hold at once.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = [])))]
    pub(super) keys: Box<[Key]>,
}

/// A proxy key, given by exactly one of `sha256`, `environment_variable`, `value`.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Key", extend("oneOf" = schema::one_of(&["sha256", "environment_variable", "value"]))))]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct Key {
    /// Each id once a consumer; logs show it.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::NAME)))]
    pub(super) id: Box<str>,
    /// The SHA-256 of the key, 64 hex digits.
    pub(super) sha256: Option<HexDigest>,
    /// The variable that holds the key.
    pub(super) environment_variable: Option<Box<str>>,
    /// The key in clear text; warned about.
    pub(super) value: Option<Box<str>>,
    /// From when it holds, RFC 3339, inclusive.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub(super) not_before: Option<Box<str>>,
    /// Until when it holds, RFC 3339, exclusive.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub(super) expires_at: Option<Box<str>>,
    /// Switches the key off; it stays known.
    #[serde(default)]
    pub(super) disabled: bool,
}

/// An upstream API.
#[derive(Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Provider"))]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct Provider {
    /// The profile. Default: the provider's name.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = schema::apis())))]
    pub(super) api: Option<String>,
    /// Whether a client's own credential is used. Default: by `forward_llm_provider_auth_headers`.
    pub(super) byok: Option<Byok>,
    /// Whether Anthropic OAuth tokens count as client credentials. Default: true unless `byok` is `off`.
    pub(super) oauth: Option<bool>,
    /// A client key that starts with none of them is not one; an empty list takes any value. Default: by profile.
    #[serde(deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Box<str>>", inner(regex(pattern = schema::VISIBLE))))]
    pub(super) client_key_prefixes: Option<Vec<Box<str>>>,
    /// The Envoy clusters that may receive this provider's credentials. Default: all.
    #[serde(deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Box<str>>", length(min = 1), inner(length(min = 1))))]
    pub(super) clusters: Option<Vec<Box<str>>>,
    /// The key that the gateway pays with.
    pub(super) deployment_key: Option<SecretSource>,
    /// With the profile `custom`, and there required: its credential headers, in order.
    #[serde(deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<CredentialHeader>"))]
    pub(super) headers: Option<Vec<CredentialHeader>>,
}

/// A header in which a custom API takes its credential.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CredentialHeader"))]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct CredentialHeader {
    /// The name of the header.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) header: String,
    /// What stands before the credential in it.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) scheme: Option<String>,
}

/// A secret, given by exactly one of `environment_variable`, `value`.
#[derive(Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SecretSource", extend("oneOf" = schema::one_of(&["environment_variable", "value"]))))]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct SecretSource {
    /// The variable that holds the secret.
    pub(super) environment_variable: Option<String>,
    /// The secret in clear text; warned about.
    pub(super) value: Option<String>,
}

/// What holds for the requests that match; what it leaves out, the top level says.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Route"))]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct Route {
    /// Which requests.
    pub(super) r#match: Match,
    /// Default: the top level's.
    pub(super) mode: Option<Mode>,
    /// The name of a provider. Default: `default_provider`.
    pub(super) provider: Option<String>,
    /// Before what the provider says.
    pub(super) byok: Option<Byok>,
    /// The names of the consumers who may pass; with mode `on` alone. Default: all.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Box<str>>"))]
    pub(super) consumers: Option<Vec<Box<str>>>,
    /// Whether the proxy key is kept from the next hop. Default: the top level's.
    pub(super) hide_credentials: Option<bool>,
}

/// Which requests: all that is given must match; at least one, and not both `path` and `path_prefix`.
#[derive(Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Match"))]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct Match {
    /// The whole path; one trailing slash does not count.
    #[serde(deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "String", regex(pattern = "^/[^*]*$")))]
    pub(super) path: Option<String>,
    /// Whole segments at the beginning of the path.
    #[serde(deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "String", regex(pattern = "^/[^*]*$")))]
    pub(super) path_prefix: Option<String>,
    /// A host without port; `*.example.com` takes all names below.
    #[serde(deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub(super) host: Option<String>,
    /// Any of these.
    #[serde(deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Box<str>>", length(min = 1)))]
    pub(super) methods: Option<Vec<Box<str>>>,
}

/// Headers that tell the upstream who is calling; inbound copies never pass.
#[derive(Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "IdentityHeaders"))]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct IdentityHeaders {
    /// The header for the consumer's name, such as `x-consumer-username`.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) consumer: Option<String>,
    /// The header for the key's id, such as `x-credential-identifier`.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) key_id: Option<String>,
    /// The header for what goes upstream: `client`, `client_oauth`, `deployment`, `none`.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) credential_source: Option<String>,
    /// The header for the provider's name, set on every request that passes.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) provider: Option<String>,
}

/// Who is asked about keys that the configuration does not list.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "VerificationService"))]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct VerificationService {
    /// The Envoy cluster of the service.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::NAME)))]
    pub(super) cluster: Box<str>,
    /// The host to ask for. Default: the cluster's name.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::NAME)))]
    pub(super) authority: Option<Box<str>>,
    /// The path, with its query if it has one.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^/")))]
    pub(super) path: Box<str>,
    /// How a question names the key.
    pub(super) send_as: SendAs,
    /// Sent as `authorization: Bearer`.
    pub(super) service_key: Option<SecretSource>,
    /// How long an answer is waited for: a whole number and `ms`, `s`, `m` or `h`.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::DURATION), extend("default" = "2s")))]
    pub(super) timeout: Option<Box<str>>,
    /// How long a yes is good.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::DURATION), extend("default" = "60s")))]
    pub(super) cache_ttl: Option<Box<str>>,
    /// How long a no is good.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::DURATION), extend("default" = "5s")))]
    pub(super) negative_cache_ttl: Option<Box<str>>,
    /// How many answers of either kind a worker keeps.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1_000_000), extend("default" = 10_000)))]
    pub(super) cache_max_entries: Option<f64>,
    /// How many questions a worker has open at once.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100_000), extend("default" = 100)))]
    pub(super) max_in_flight: Option<f64>,
    /// JSON pointer to the consumer's name in the answer.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^/")))]
    pub(super) consumer_from: Option<Box<str>>,
}

/// How a question names the key: `sha256_query`, or `header` with or without `scheme`.
#[derive(Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SendAs", extend("oneOf" = schema::one_of(&["sha256_query", "header"]))))]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct SendAs {
    /// The query parameter for the key's SHA-256: no caller's secret leaves the filter.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) sha256_query: Option<Box<str>>,
    /// The header for the key itself.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) header: Option<String>,
    /// The scheme before it.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) scheme: Option<String>,
}
