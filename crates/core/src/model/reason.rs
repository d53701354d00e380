//! Tokens of the interface: what filter state, counters, logs and answers call a decision. Each is spelled once, here.

/// Whether the request continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecisionToken {
    /// It does.
    Allow,
    /// It does not.
    Deny,
    /// It does, because the filter only watches.
    ShadowDeny,
}

impl DecisionToken {
    /// Returns the token.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::ShadowDeny => "shadow_deny",
        }
    }
}

/// Why the request continues, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A proxy key was verified.
    Verified,
    /// The mode lets callers pass without one, as a configured consumer.
    Anonymous,
    /// The mode lets callers pass without one.
    Unverified,
    /// It is refused.
    Denied(DenyReason),
}

impl Reason {
    /// Returns the token.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Anonymous => "anonymous",
            Self::Unverified => "unverified",
            Self::Denied(reason) => reason.as_str(),
        }
    }
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenyReason {
    /// Two different values where only one credential may be.
    AmbiguousCredential,
    /// The path has more than one reading.
    AmbiguousPath,
    /// No key source has a value.
    MissingApiKey,
    /// No candidate is a key.
    UnknownApiKey,
    /// The key's `expires_at` has passed.
    ExpiredApiKey,
    /// The key's `not_before` is still to come.
    NotYetValidApiKey,
    /// The key is disabled.
    DisabledApiKey,
    /// The route is for other consumers.
    ConsumerNotAllowed,
    /// The consumer may not use the route's provider.
    ProviderNotAllowed,
    /// The client must send its own provider key and did not.
    MissingProviderKey,
    /// Envoy's cluster may not receive the provider's credentials.
    ClusterNotAllowed,
    /// The verification service did not say whether it is a key.
    VerificationUnavailable,
}

impl DenyReason {
    /// Returns the token.
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

    /// Returns the HTTP status. A bad key is 401 and not 403, since clients renew their key on 401.
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

/// Whose provider credential goes upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialSource {
    /// The client's own API key.
    Client,
    /// The client's own OAuth token.
    ClientOauth,
    /// The operator's.
    Deployment,
    /// None does.
    None,
}

impl CredentialSource {
    /// Returns the token.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::ClientOauth => "client_oauth",
            Self::Deployment => "deployment",
            Self::None => "none",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Access logs, dashboards and alerts are written against these words.
    #[test]
    fn tokens_are_interface() {
        let reasons = [
            (DenyReason::AmbiguousCredential, "ambiguous_credential", 400),
            (DenyReason::AmbiguousPath, "ambiguous_path", 400),
            (DenyReason::MissingApiKey, "missing_api_key", 401),
            (DenyReason::UnknownApiKey, "unknown_api_key", 401),
            (DenyReason::ExpiredApiKey, "expired_api_key", 401),
            (DenyReason::NotYetValidApiKey, "not_yet_valid_api_key", 401),
            (DenyReason::DisabledApiKey, "disabled_api_key", 401),
            (DenyReason::ConsumerNotAllowed, "consumer_not_allowed", 403),
            (DenyReason::ProviderNotAllowed, "provider_not_allowed", 403),
            (DenyReason::MissingProviderKey, "missing_provider_key", 401),
            (DenyReason::ClusterNotAllowed, "cluster_not_allowed", 403),
            (DenyReason::VerificationUnavailable, "verification_unavailable", 503),
        ];
        for (reason, token, status) in reasons {
            assert_eq!((reason.as_str(), reason.status()), (token, status));
            assert_eq!(Reason::Denied(reason).as_str(), token);
        }
        let others = [Reason::Verified, Reason::Anonymous, Reason::Unverified].map(Reason::as_str);
        assert_eq!(others, ["verified", "anonymous", "unverified"]);
        let decisions = [DecisionToken::Allow, DecisionToken::Deny, DecisionToken::ShadowDeny];
        assert_eq!(decisions.map(DecisionToken::as_str), ["allow", "deny", "shadow_deny"]);
        let sources = [
            CredentialSource::Client,
            CredentialSource::ClientOauth,
            CredentialSource::Deployment,
            CredentialSource::None,
        ];
        assert_eq!(sources.map(CredentialSource::as_str), ["client", "client_oauth", "deployment", "none"]);
    }
}
