//! Refusals: why, with which status, and in the words of the API that the client speaks.

use serde::Serialize;

use crate::policy::{KeySource, Policy};
use crate::provider::{ClientPlace, Provider};
use crate::record::Record;
use crate::request::RequestHeaders;
use crate::upstream::path_without_credentials;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenyReason {
    /// Two different values stand where one credential belongs.
    AmbiguousCredential,
    /// Two readings of the path reach different routes.
    AmbiguousPath,
    /// No key source holds anything.
    MissingApiKey,
    /// No candidate is a key.
    UnknownApiKey,
    /// The key's `expires_at` has come.
    ExpiredApiKey,
    /// The key's `not_before` is still to come.
    NotYetValidApiKey,
    /// The key is switched off.
    DisabledApiKey,
    /// The route is for other consumers.
    ConsumerNotAllowed,
    /// The consumer may not reach the route's provider.
    ProviderNotAllowed,
    /// The client must bring its own key and did not.
    MissingProviderKey,
    /// Envoy's cluster may not receive the provider's credentials.
    ClusterNotAllowed,
    /// The verification service did not say whether it is a key.
    VerificationUnavailable,
}

impl DenyReason {
    /// Returns the token that logs, counters and filter state show.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AmbiguousCredential => "ambiguous_credential",
            Self::AmbiguousPath => "ambiguous_path",
            Self::MissingApiKey => "missing_api_key",
            Self::UnknownApiKey => "unknown_api_key",
            Self::ExpiredApiKey => "expired_api_key",
            Self::NotYetValidApiKey => "not_yet_valid_api_key",
            Self::DisabledApiKey => "disabled_api_key",
            Self::ConsumerNotAllowed => "consumer_not_allowed",
            Self::ProviderNotAllowed => "provider_not_allowed",
            Self::MissingProviderKey => "missing_provider_key",
            Self::ClusterNotAllowed => "cluster_not_allowed",
            Self::VerificationUnavailable => "verification_unavailable",
        }
    }

    /// Returns the HTTP status; 401 and not 403 for a bad key, as clients renew their key on it.
    pub fn status(self) -> u16 {
        match self {
            Self::AmbiguousCredential | Self::AmbiguousPath => 400,
            Self::MissingApiKey
            | Self::UnknownApiKey
            | Self::ExpiredApiKey
            | Self::NotYetValidApiKey
            | Self::DisabledApiKey
            | Self::MissingProviderKey => 401,
            Self::ConsumerNotAllowed | Self::ProviderNotAllowed | Self::ClusterNotAllowed => 403,
            Self::VerificationUnavailable => 503,
        }
    }
}

/// The error format that the clients of an API understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Anthropic,
    OpenAi,
    Google,
    LiteLlm,
}

/// The answer to a refused request.
#[derive(Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The response headers.
    pub headers: Vec<(&'static str, String)>,
    /// JSON in the provider's dialect; on gRPC the bare message.
    pub body: Vec<u8>,
    /// What Envoy logs as `%RESPONSE_CODE_DETAILS%`: `byok_` and the reason token.
    pub details: String,
    /// The value to set `:path` to before the reply, so that no access log shows a credential of its query; `None` where
    /// it has none.
    pub path: Option<Vec<u8>>,
}

impl Refusal {
    pub(crate) fn new(reason: DenyReason, policy: &Policy, record: &Record<'_>, request: &RequestHeaders<'_>) -> Self {
        let status = reason.status();
        let provider = record.provider;
        let message = message(reason, policy, provider, record.auth_source);
        let grpc = request.is_grpc();
        let body = if grpc {
            with_request_id(message, request.id()).into_bytes()
        } else {
            provider.profile.dialect.body(reason, message, request.id())
        };
        let content_type = if grpc { "text/plain" } else { "application/json" };
        let mut headers = vec![("content-type", content_type.to_owned())];
        if status == 401 {
            headers.push(("www-authenticate", format!("Bearer realm=\"{}\"", policy.realm)));
        }
        if status == 503 {
            headers.push(("retry-after", RETRY_AFTER_SECONDS.to_owned()));
        }
        let details = format!("byok_{}", reason.as_str());
        Self { status, headers, body, details, path: path_without_credentials(policy, request) }
    }
}

/// Soon: what is not answered is not remembered either.
const RETRY_AFTER_SECONDS: &str = "1";

/// Says what is wrong and where it was looked for; names of places alone, nothing that stands in them.
fn message(reason: DenyReason, policy: &Policy, provider: &Provider, auth_source: Option<&KeySource>) -> String {
    let source = auth_source.map_or("the request", |source| &source.label);
    let what = match reason {
        DenyReason::AmbiguousCredential => "two different values stand where one credential belongs".to_owned(),
        DenyReason::AmbiguousPath => {
            return "the path has more than one reading: send it without escapes, semicolons, empty or dot segments"
                .to_owned();
        }
        DenyReason::MissingApiKey => "no proxy key was sent".to_owned(),
        DenyReason::UnknownApiKey => format!("the proxy key in {source} is not known"),
        DenyReason::ExpiredApiKey => format!("the proxy key in {source} has expired"),
        DenyReason::NotYetValidApiKey => format!("the proxy key in {source} is not valid yet"),
        DenyReason::DisabledApiKey => format!("the proxy key in {source} is disabled"),
        DenyReason::ConsumerNotAllowed => format!("the proxy key in {source} may not use this route"),
        DenyReason::VerificationUnavailable => format!("the proxy key in {source} can't be checked right now"),
        DenyReason::ProviderNotAllowed => {
            format!("the proxy key in {source} may not use the provider {}", provider.name)
        }
        DenyReason::MissingProviderKey => {
            let places = client_places(provider);
            return format!(
                "this route needs a key of your own for the provider {}, beside the proxy key; looked at {}",
                provider.name,
                places.join(", ")
            );
        }
        DenyReason::ClusterNotAllowed => {
            return format!("the upstream of this route may not receive credentials of the provider {}", provider.name);
        }
    };
    let looked_at: Vec<String> =
        policy.key_sources.iter().map(|source| described(&source.label, source.scheme.as_deref())).collect();
    format!("{what}; looked at {}", looked_at.join(", "))
}

/// Names the places of a client's credential: of its API key first, then further ones of its OAuth token.
fn client_places(provider: &Provider) -> Vec<String> {
    let place = |place: &ClientPlace| described(&place.location.to_string(), place.scheme.as_deref());
    let profile = &provider.profile;
    let mut places: Vec<String> = profile.client_places.iter().map(place).collect();
    for location in &profile.oauth_places {
        if !profile.client_places.iter().any(|place| place.location == *location) {
            places.push(described(&location.to_string(), Some("Bearer")));
        }
    }
    places
}

fn described(place: &str, scheme: Option<&str>) -> String {
    scheme.map_or_else(|| place.to_owned(), |scheme| format!("{place} ({scheme})"))
}

fn with_request_id(message: String, id: Option<&str>) -> String {
    match id {
        Some(id) => format!("{message} (request id: {id})"),
        None => message,
    }
}

impl Dialect {
    fn body(self, reason: DenyReason, message: String, request_id: Option<&str>) -> Vec<u8> {
        let status = reason.status();
        let body = match self {
            Self::Anthropic => json(&AnthropicBody {
                r#type: "error",
                error: AnthropicError {
                    r#type: match status {
                        400 => "invalid_request_error",
                        401 => "authentication_error",
                        403 => "permission_error",
                        _ => "api_error",
                    },
                    message,
                },
                request_id,
            }),
            Self::OpenAi => json(&Enveloped {
                error: OpenAiError {
                    message: with_request_id(message, request_id),
                    r#type: if status == 503 { "server_error" } else { "invalid_request_error" },
                    param: None,
                    code: if status == 401 { "invalid_api_key" } else { reason.as_str() },
                },
            }),
            Self::Google => json(&Enveloped {
                error: GoogleError {
                    code: status,
                    message: with_request_id(message, request_id),
                    status: match status {
                        400 => "INVALID_ARGUMENT",
                        401 => "UNAUTHENTICATED",
                        403 => "PERMISSION_DENIED",
                        _ => "UNAVAILABLE",
                    },
                },
            }),
            Self::LiteLlm => json(&Enveloped {
                error: OpenAiError {
                    message: with_request_id(message, request_id),
                    r#type: match status {
                        400 => "bad_request_error",
                        503 => "internal_server_error",
                        _ => "auth_error",
                    },
                    param: None,
                    code: &status.to_string(),
                },
            }),
        };
        // Strings and numbers always serialise.
        body.unwrap_or_default()
    }
}

fn json(body: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(body)
}

#[derive(Serialize)]
struct AnthropicBody<'a> {
    r#type: &'static str,
    error: AnthropicError,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

#[derive(Serialize)]
struct AnthropicError {
    r#type: &'static str,
    message: String,
}

#[derive(Serialize)]
struct Enveloped<E> {
    error: E,
}

#[derive(Serialize)]
struct OpenAiError<'a> {
    message: String,
    r#type: &'static str,
    param: Option<&'static str>,
    code: &'a str,
}

#[derive(Serialize)]
struct GoogleError {
    code: u16,
    message: String,
    status: &'static str,
}
