//! The answer to a refused request, in the dialect of the API that the client speaks.

use serde::Serialize;

use crate::decide::{Effect, path_without_credentials};
use crate::http::RequestHeaders;
use crate::model::{AuthSource, CredentialKind, CredentialRule, DenyReason, Dialect, KeySource, Policy, Provider};

/// The answer to a refused request.
#[derive(Debug)]
pub struct Reply {
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

impl Reply {
    /// Renders the answer to a request that is refused.
    pub fn new(reason: DenyReason, policy: &Policy, effect: &Effect<'_>, request: &RequestHeaders<'_>) -> Self {
        let status = reason.status();
        let provider = &*effect.route.provider;
        let message = message(reason, effect);
        let grpc = request.is_grpc();
        let body = if grpc {
            with_request_id(message, request.id()).into_bytes()
        } else {
            provider.dialect.body(reason, message, request.id())
        };
        let content_type = if grpc { "text/plain" } else { "application/json" };
        let mut headers = vec![("content-type", content_type.to_owned())];
        if status == 401 {
            headers.push(("www-authenticate", challenge(policy)));
        }
        if status == 503 {
            headers.push(("retry-after", RETRY_AFTER_SECONDS.to_owned()));
        }
        let details = format!("byok_{}", reason.as_str());
        Self { status, headers, body, details, path: path_without_credentials(policy, request) }
    }
}

/// The service may answer the next time: such a result is not cached.
const RETRY_AFTER_SECONDS: &str = "1";

/// Returns the challenge of a 401
/// ([RFC 6750, 3](https://www.rfc-editor.org/rfc/rfc6750#section-3),
/// [RFC 9728, 5.1](https://www.rfc-editor.org/rfc/rfc9728#section-5.1)).
fn challenge(policy: &Policy) -> String {
    let realm = format!("Bearer realm=\"{}\"", policy.realm);
    match &policy.resource_metadata {
        Some(url) => format!("{realm}, resource_metadata=\"{url}\""),
        None => realm,
    }
}

/// Says what is wrong and which locations were read: their names, never a value.
fn message(reason: DenyReason, effect: &Effect<'_>) -> String {
    let provider = &*effect.route.provider;
    let source = match effect.auth_source {
        Some(AuthSource::Identity(identity)) => format!("the identity {}", identity.name),
        Some(AuthSource::Key(source)) => format!("the proxy key in {}", source.label),
        None => "the proxy key in the request".to_owned(),
    };
    let what = match reason {
        DenyReason::AmbiguousCredential => "two different values where only one credential may be".to_owned(),
        DenyReason::AmbiguousPath => {
            return "the path has more than one reading: send it without escapes, semicolons, empty or dot segments"
                .to_owned();
        }
        DenyReason::MissingApiKey => "no proxy key was sent".to_owned(),
        DenyReason::UnknownApiKey => format!("{source} is not known"),
        DenyReason::ExpiredApiKey => format!("{source} has expired"),
        DenyReason::NotYetValidApiKey => format!("{source} is not valid yet"),
        DenyReason::DisabledApiKey => format!("{source} is disabled"),
        DenyReason::ConsumerNotAllowed => format!("{source} may not use this route"),
        DenyReason::VerificationUnavailable => format!("{source} can't be checked right now"),
        DenyReason::ProviderNotAllowed => {
            format!("{source} may not use the provider {}", provider.name)
        }
        DenyReason::MissingProviderKey => {
            let locations = client_locations(provider);
            return format!(
                "this route needs a key of your own for the provider {}, beside the proxy key; looked at {}",
                provider.name,
                locations.join(", ")
            );
        }
        DenyReason::ClusterNotAllowed => {
            return format!("the upstream of this route may not receive credentials of the provider {}", provider.name);
        }
    };
    let looked_at: Vec<String> = effect.route.key_sources.iter().map(ToString::to_string).collect();
    format!("{what}; looked at {}", looked_at.join(", "))
}

/// Names the locations of a client's credential: those of its API key first, then further ones of its OAuth token.
fn client_locations(provider: &Provider) -> Vec<String> {
    let of_kind = |kind| provider.credential_rules.iter().filter(move |rule| rule.kind == kind);
    let api_keys = || of_kind(CredentialKind::ApiKey);
    let is_new = |rule: &&CredentialRule| !api_keys().any(|api_key| api_key.location == rule.location);
    let location = |rule: &CredentialRule| KeySource::new(rule.location.clone(), rule.scheme.clone()).to_string();
    api_keys().chain(of_kind(CredentialKind::OauthToken).filter(is_new)).map(location).collect()
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
