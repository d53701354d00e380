//! What became of every value that stands where a client credential might: the same rules, told one by one.

use std::borrow::Cow;

use super::{CredentialRules, api_key, is_one_token, oauth_token};
use crate::authenticate::{ANTHROPIC_OAUTH_PREFIX, Caller};
use crate::policy::{Byok, KeyRing, Location};
use crate::provider::Provider;
use crate::request::RequestHeaders;

/// Why a value is, or is not, the client's credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It may go upstream; the first that fits does.
    Fits,
    /// The policy lets no client key pass.
    ByokOff,
    /// The policy lets no OAuth token pass.
    OauthOff,
    /// It looks like another API's, or like a dummy.
    NotOfThisApi,
    /// It reads as a list or a quoted string, or holds other bytes.
    NotOneToken,
    /// Sent as this API wants it, it would overwrite the proxy key that is kept.
    OverwritesKeptKey,
    /// It is the caller's proxy key.
    ProxyKey,
    /// It is a configured proxy key, whosever.
    AnotherProxyKey,
}

/// Returns each value in the provider's places with its standing, in the order in which they are considered.
pub(crate) fn considered<'a>(
    provider: &'a Provider,
    rules: CredentialRules,
    request: &RequestHeaders<'a>,
    caller: &Caller<'_>,
    kept: Option<&Location>,
    keys: &KeyRing,
) -> Vec<(&'a Location, Cow<'a, [u8]>, Standing)> {
    let tokens = provider.profile.oauth_places.iter().filter_map(|location| oauth_token(location, request));
    // A token is told of once, not again as a key that is none.
    let has_told =
        |secret: &[u8]| secret.starts_with(ANTHROPIC_OAUTH_PREFIX) && !provider.profile.oauth_places.is_empty();
    let api_keys = provider.profile.client_places.iter().filter_map(|place| api_key(place, request));
    let api_keys = api_keys.filter(|credential| !has_told(&credential.secret));
    tokens
        .chain(api_keys)
        .map(|credential| {
            let standing = if credential.is_oauth && !rules.oauth {
                Standing::OauthOff
            } else if !credential.is_oauth && rules.byok == Byok::Off {
                Standing::ByokOff
            } else if caller.proxy_key.as_ref() == Some(&credential.secret) {
                Standing::ProxyKey
            } else if keys.lists(&credential.secret) {
                Standing::AnotherProxyKey
            } else if !credential.is_oauth && !provider.takes(&credential.secret) {
                Standing::NotOfThisApi
            } else if !is_one_token(&credential.secret) {
                Standing::NotOneToken
            } else if !credential.can_be_sent_beside(kept) {
                Standing::OverwritesKeptKey
            } else {
                Standing::Fits
            };
            (credential.found_in, credential.secret, standing)
        })
        .collect()
}
