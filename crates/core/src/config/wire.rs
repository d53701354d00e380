//! The configuration as it is written. Only what a single field shows is checked here.
//!
//! The doc comments are the descriptions of the JSON schema.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::de::{HexDigest, HideCredentials, Named, not_null, object_as_text, objects};
#[cfg(feature = "schema")]
use super::schema;
use crate::model::{Byok, Dialect, Mode};

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
    Identity,
    IdentityHeaders,
    VerificationService,
    SendAs
);

/// The configuration of byok-filter.
#[derive(Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Configuration"))]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct Configuration {
    /// How callers are authenticated: `on` refuses a request without a valid proxy key, `optional` one with a key that is not valid, `auto` one with a known key that is not valid, `off` checks nothing.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "on")))]
    pub(super) mode: Mode,
    /// The consumer whose policy applies to callers without a valid key, where the mode lets them pass.
    pub(super) anonymous: Option<Box<str>>,
    /// Decide and record everything, but change nothing and refuse nobody.
    pub(super) shadow: bool,
    /// Where proxy keys are looked for, in this order. Default: `x-litellm-api-key`, `authorization` with `Bearer`, `x-api-key`, then the locations of the configured providers' own keys.
    #[serde(deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<KeySource>"))]
    pub(super) key_sources: Option<Vec<KeySource>>,
    /// Callers that Envoy itself authenticates, such as by a client certificate or a token: where it names them. A valid proxy key wins over an identity.
    #[cfg_attr(feature = "schema", schemars(extend("default" = [])))]
    pub(super) identities: Vec<Identity>,
    /// Who may call, and with which keys.
    #[cfg_attr(feature = "schema", schemars(extend("default" = [])))]
    pub(super) consumers: Vec<Consumer>,
    /// Who is asked about keys that the configuration does not list.
    pub(super) verification_service: Option<VerificationService>,
    /// Whether clients' own provider credentials are used: the default of `byok` is `preferred` if true, otherwise `off`.
    pub(super) forward_llm_provider_auth_headers: bool,
    /// The upstream APIs, by names of your choice. Default: one, `anthropic`.
    #[serde(deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Named<Provider>"))]
    pub(super) providers: Option<Named<Provider>>,
    /// The provider of requests to which no route assigns one; required if there are several.
    pub(super) default_provider: Option<String>,
    /// The first entry that matches determines a request's mode, provider and policy.
    #[cfg_attr(feature = "schema", schemars(extend("default" = [])))]
    pub(super) routes: Vec<Route>,
    /// Whether the proxy key is removed before the next hop. Default: true; false if the provider is a `litellm` without a deployment key for the caller.
    pub(super) hide_credentials: Option<HideCredentials>,
    /// Further request headers to remove: names, or the beginning of names followed by `*`.
    #[cfg_attr(feature = "schema", schemars(extend("default" = [])))]
    pub(super) strip_request_headers: Vec<String>,
    /// Headers that tell the upstream who is calling.
    #[cfg_attr(feature = "schema", schemars(extend("default" = {})))]
    pub(super) identity_headers: IdentityHeaders,
    /// The parts of a decision to set as filter state, such as `consumer` or `label.tier`: each is a call into Envoy on every request. Default: all.
    #[serde(deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Box<str>>"))]
    pub(super) filter_state: Option<Vec<Box<str>>>,
    /// Where Envoy gets the secrets from that are named by `sds_secret`: an `envoy.config.core.v3.ConfigSource`, in which `{name}` stands for the name of the secret. Default: they are static secrets of the bootstrap. In the native module only.
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Map<String, serde_json::Value>"))]
    #[serde(deserialize_with = "object_as_text")]
    pub(super) sds_config: Option<Box<RawValue>>,
    /// The realm in the `www-authenticate` header of a 401.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "llm-gateway")))]
    pub(super) realm: Option<String>,
    /// The URL of the protected resource metadata (RFC 9728), sent in the `www-authenticate` header of a 401.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^https?://")))]
    pub(super) resource_metadata: Option<String>,
}

/// Where a proxy key may be presented: exactly one of `header`, `query`, `cookie`, `websocket_protocol`.
#[derive(Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "KeySource", extend("oneOf" = schema::one_of(&["header", "query", "cookie", "websocket_protocol"]))))]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct KeySource {
    /// The name of a header.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) header: Option<String>,
    /// With `header` only: the authentication scheme; values with another one are ignored.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) scheme: Option<String>,
    /// The name of a query parameter.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::NAME)))]
    pub(super) query: Option<String>,
    /// The name of a cookie.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) cookie: Option<String>,
    /// The prefix of an item of `sec-websocket-protocol`; the key is what follows.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) websocket_protocol: Option<String>,
}

/// Where Envoy names a caller that it has authenticated.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Identity"))]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct Identity {
    /// A unique name; the key id of the callers.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) name: Box<str>,
    /// The path of an attribute of the client certificate (`connection`), of dynamic metadata (`metadata`, `filter_metadata`) or of filter state (`filter_state`), part by part.
    pub(super) property: Box<[Box<str>]>,
    /// Where the credential travels that Envoy has verified; it never goes upstream.
    pub(super) credential: Option<KeySource>,
    /// Whether callers pass that no consumer lists; each is a consumer of its own, named after the identity and the value.
    #[serde(default)]
    pub(super) allow_unlisted: bool,
}

/// A named owner of proxy keys and identities.
//
// There may be a hundred thousand, and of their keys: what few of them have takes the room of a pointer.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Consumer"))]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct Consumer {
    /// A unique name of visible ASCII characters.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::NAME)))]
    pub(super) name: Box<str>,
    /// The names of the providers that it may use. Default: all.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Box<str>>"))]
    pub(super) providers: Option<Box<[Box<str>]>>,
    /// Overrides `byok` of route and provider.
    pub(super) byok: Option<Byok>,
    /// By provider name: replaces the provider's deployment key.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Named<SecretSource>", extend("default" = {})))]
    pub(super) deployment_keys: Option<Box<Named<SecretSource>>>,
    /// Up to 8 words about it, by name, which are recorded in filter state and can be sent upstream.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Named<Box<str>>", extend("default" = {})))]
    pub(super) labels: Option<Box<Named<Box<str>>>>,
    /// The callers that Envoy authenticates as this consumer: each has the name of an identity and a value, which may end in `*`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = [])))]
    pub(super) identities: Box<[Named<Box<str>>]>,
    /// Its proxy keys; several may be valid at once.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = [])))]
    pub(super) keys: Box<[Key]>,
}

/// A proxy key, given by exactly one of `sha256`, `environment_variable`, `sds_secret`, `value`.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Key", extend("oneOf" = schema::one_of(&["sha256", "environment_variable", "sds_secret", "value"]))))]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct Key {
    /// Unique within the consumer; shown in logs.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::NAME)))]
    pub(super) id: Box<str>,
    /// The SHA-256 of the key: 64 hex digits, with or without `sha256:` before them.
    pub(super) sha256: Option<HexDigest>,
    /// The environment variable that contains the key.
    pub(super) environment_variable: Option<Box<Box<str>>>,
    /// The name of a secret that Envoy delivers and rotates, in the native module: see `sds_config`.
    pub(super) sds_secret: Option<Box<Box<str>>>,
    /// The key in clear text; causes a warning.
    pub(super) value: Option<Box<Box<str>>>,
    /// When it becomes valid (RFC 3339, inclusive).
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub(super) not_before: Option<Box<Box<str>>>,
    /// When it expires (RFC 3339, exclusive).
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub(super) expires_at: Option<Box<Box<str>>>,
    /// Refuses the key, and still records whose it is.
    #[serde(default)]
    pub(super) disabled: bool,
}

/// An upstream API.
#[derive(Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Provider"))]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct Provider {
    /// The profile of the API. Default: the provider's name.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = schema::apis())))]
    pub(super) api: Option<String>,
    /// Whether clients' own credentials are used. Default: see `forward_llm_provider_auth_headers`.
    pub(super) byok: Option<Byok>,
    /// Whether Anthropic OAuth tokens are client credentials. Default: true unless `byok` is `off`.
    pub(super) oauth: Option<bool>,
    /// How a client's own key may start; an empty list accepts any value. Default: depends on the profile.
    #[serde(deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Box<str>>", inner(regex(pattern = schema::VISIBLE))))]
    pub(super) client_key_prefixes: Option<Vec<Box<str>>>,
    /// The Envoy clusters that may receive this provider's credentials. Default: all.
    #[serde(deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Box<str>>", length(min = 1), inner(length(min = 1))))]
    pub(super) clusters: Option<Vec<Box<str>>>,
    /// The key with which the gateway pays.
    pub(super) deployment_key: Option<SecretSource>,
    /// The headers in which clients send their own credential, in order; replaces the profile's. Required with `custom`.
    #[serde(deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<CredentialHeader>"))]
    pub(super) headers: Option<Vec<CredentialHeader>>,
    /// The header in which the credential goes upstream, whoever pays. Default: depends on the profile.
    pub(super) send_as: Option<CredentialHeader>,
    /// The format of errors. Default: depends on the profile.
    pub(super) dialect: Option<Dialect>,
}

/// A header in which an API expects its credential.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CredentialHeader"))]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct CredentialHeader {
    /// The name of the header.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) header: String,
    /// The authentication scheme that precedes the credential.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) scheme: Option<String>,
}

/// A secret, given by exactly one of `environment_variable`, `sds_secret`, `value`.
#[derive(Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SecretSource", extend("oneOf" = schema::one_of(&["environment_variable", "sds_secret", "value"]))))]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct SecretSource {
    /// The environment variable that contains the secret.
    pub(super) environment_variable: Option<String>,
    /// The name of a secret that Envoy delivers and rotates, in the native module: see `sds_config`.
    pub(super) sds_secret: Option<String>,
    /// The secret in clear text; causes a warning.
    pub(super) value: Option<String>,
}

/// What applies to the requests that match. Fields that are left out default to the top level's.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Route"))]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct Route {
    /// Which requests the entry is for.
    pub(super) r#match: Match,
    /// Default: the top level's.
    pub(super) mode: Option<Mode>,
    /// The name of a provider. Default: `default_provider`.
    pub(super) provider: Option<String>,
    /// Where proxy keys are looked for. Default: the top level's.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<KeySource>"))]
    pub(super) key_sources: Option<Vec<KeySource>>,
    /// The consumer whose policy applies to callers without a valid key. Default: the top level's.
    pub(super) anonymous: Option<Box<str>>,
    /// Overrides the provider's `byok`.
    pub(super) byok: Option<Byok>,
    /// The names of the consumers that may pass; only with mode `on`. Default: all.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Box<str>>"))]
    pub(super) consumers: Option<Vec<Box<str>>>,
    /// Whether the proxy key is removed before the next hop. Default: the top level's.
    pub(super) hide_credentials: Option<HideCredentials>,
}

/// Conditions, all of which must match: at least one, and not both `path` and `path_prefix`.
#[derive(Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Match"))]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct Match {
    /// The whole path; one trailing slash is ignored.
    #[serde(deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "String", regex(pattern = "^/[^*]*$")))]
    pub(super) path: Option<String>,
    /// Whole segments at the beginning of the path.
    #[serde(deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "String", regex(pattern = "^/[^*]*$")))]
    pub(super) path_prefix: Option<String>,
    /// A host without port; `*.example.com` matches all names below.
    #[serde(deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub(super) host: Option<String>,
    /// Any of these.
    #[serde(deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Box<str>>", length(min = 1)))]
    pub(super) methods: Option<Vec<Box<str>>>,
}

/// Headers that tell the upstream who is calling. Inbound headers of these names are always removed.
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
    /// The header for whose credential goes upstream: `client`, `client_oauth`, `deployment`, `none`.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) credential_source: Option<String>,
    /// The header for the provider's name, set on every request that passes.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) provider: Option<String>,
    /// By the name of a label: the header for its value.
    #[cfg_attr(feature = "schema", schemars(extend("default" = {})))]
    pub(super) labels: Named<Box<str>>,
}

/// Who is asked about keys that the configuration does not list.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "VerificationService"))]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct VerificationService {
    /// The Envoy cluster of the service.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::NAME)))]
    pub(super) cluster: Box<str>,
    /// The `:authority` of the requests. Default: the cluster's name.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::NAME)))]
    pub(super) authority: Option<Box<str>>,
    /// The path, with its query if it has one.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^/")))]
    pub(super) path: Box<str>,
    /// How a request identifies the key.
    pub(super) send_as: SendAs,
    /// Sent as `authorization: Bearer`.
    pub(super) service_key: Option<SecretSource>,
    /// How long a call may take: a whole number followed by `ms`, `s`, `m` or `h`.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::DURATION), extend("default" = "2s")))]
    pub(super) timeout: Option<Box<str>>,
    /// How long a key that the service knows stays valid without asking again.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::DURATION), extend("default" = "60s")))]
    pub(super) cache_ttl: Option<Box<str>>,
    /// How long a key that the service does not know is refused without asking again.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::DURATION), extend("default" = "5s")))]
    pub(super) negative_cache_ttl: Option<Box<str>>,
    /// How much longer a key that was valid stays so while the service is unavailable; never past its own expiry.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::DURATION), extend("default" = "0s")))]
    pub(super) stale_if_error: Option<Box<str>>,
    /// How many results of either kind a worker caches.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1_000_000), extend("default" = 10_000)))]
    pub(super) cache_max_entries: Option<f64>,
    /// How many calls, for which requests wait, a worker has under way at once. A fifth, of two or more at least one, is
    /// reserved for keys that were valid before.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100_000), extend("default" = 100)))]
    pub(super) max_in_flight: Option<f64>,
    /// JSON pointer to the consumer's name in the response.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^/")))]
    pub(super) consumer_from: Option<Box<str>>,
}

/// How a request identifies the key: `sha256_query`, or `header` with or without `scheme`.
#[derive(Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SendAs", extend("oneOf" = schema::one_of(&["sha256_query", "header"]))))]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub(super) struct SendAs {
    /// The query parameter for the key's SHA-256, so that no caller's secret leaves the filter.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) sha256_query: Option<Box<str>>,
    /// The header for the key itself.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) header: Option<String>,
    /// The authentication scheme that precedes it.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = schema::TOKEN)))]
    pub(super) scheme: Option<String>,
}
