//! The client's own provider credential: where it stands, whether it counts, where it goes.

#[cfg(not(target_family = "wasm"))]
mod considered;

#[cfg(not(target_family = "wasm"))]
pub(crate) use considered::{Standing, considered};

use std::borrow::Cow;

use super::{ClientPlace, Provider};
use crate::authenticate::{ANTHROPIC_OAUTH_PREFIX, Caller};
use crate::policy::{Byok, Consumer, KeyRing, Location, Policy};
use crate::request::{RequestHeaders, is_visible_ascii, query, secret_behind};
use crate::route::Terms;

/// The header in which Anthropic's API takes an OAuth token.
const OAUTH_HEADER: &str = "authorization";

/// A provider credential that the client sent and that may go upstream.
pub(crate) struct ClientCredential<'a> {
    pub(crate) is_oauth: bool,
    pub(crate) found_in: &'a Location,
    /// The header and value to send it as, where it does not stay as it came.
    pub(crate) rewritten: Option<(&'a str, Cow<'a, [u8]>)>,
    secret: Cow<'a, [u8]>,
}

/// What one request's consumer, route and provider say about client credentials.
#[derive(Clone, Copy)]
pub(crate) struct CredentialRules {
    pub(crate) byok: Byok,
    pub(crate) oauth: bool,
}

impl CredentialRules {
    /// The consumer's word counts before the route's, that before the provider's, that before the flag.
    pub(crate) fn new(policy: &Policy, terms: &Terms<'_>, consumer: Option<&Consumer>) -> Self {
        let for_this_caller = consumer.and_then(|consumer| consumer.byok).or(terms.route_byok);
        let byok = for_this_caller.or(terms.provider.byok).unwrap_or(policy.default_byok);
        let oauth = match terms.provider.oauth {
            Some(true) => for_this_caller != Some(Byok::Off),
            Some(false) => false,
            None => byok != Byok::Off,
        };
        Self { byok, oauth }
    }
}

/// Returns the first credential in the provider's places that fits, is nobody's proxy key, and can be
/// sent without overwriting the proxy key that is `kept` for the next hop.
pub(crate) fn client_credential<'a>(
    provider: &'a Provider,
    rules: CredentialRules,
    request: &RequestHeaders<'a>,
    caller: &Caller<'_>,
    kept: Option<&Location>,
    keys: &KeyRing,
) -> Option<ClientCredential<'a>> {
    let tokens = provider.profile.oauth_places.iter().filter_map(|location| oauth_token(location, request));
    let api_keys = provider.profile.client_places.iter().filter_map(|place| api_key(place, request));
    let tokens = tokens.filter(|_| rules.oauth);
    let api_keys = api_keys.filter(|_| rules.byok != Byok::Off).filter(|credential| provider.takes(&credential.secret));
    tokens
        .chain(api_keys)
        .filter(|credential| is_one_token(&credential.secret))
        .filter(|credential| credential.can_be_sent_beside(kept))
        .filter(|credential| caller.proxy_key.as_ref() != Some(&credential.secret))
        .find(|credential| !keys.lists(&credential.secret))
}

impl ClientCredential<'_> {
    fn can_be_sent_beside(&self, kept: Option<&Location>) -> bool {
        let overwrites =
            |kept: &Location| self.rewritten.as_ref().is_some_and(|(header, _)| kept.is_header(header.as_bytes()));
        !kept.is_some_and(overwrites)
    }
}

fn oauth_token<'a>(location: &'a Location, request: &RequestHeaders<'a>) -> Option<ClientCredential<'a>> {
    let Location::Header(name) = location else { return None };
    let value = request.value(name.as_bytes())?;
    let behind_scheme = secret_behind("Bearer", value);
    let token = behind_scheme.unwrap_or(value);
    if !token.starts_with(ANTHROPIC_OAUTH_PREFIX) {
        return None;
    }
    let stays = **name == *OAUTH_HEADER && behind_scheme.is_some();
    let rewritten = (!stays).then(|| (OAUTH_HEADER, Cow::Owned([b"Bearer ", token].concat())));
    Some(ClientCredential { is_oauth: true, found_in: location, rewritten, secret: Cow::Borrowed(token) })
}

fn api_key<'a>(place: &'a ClientPlace, request: &RequestHeaders<'a>) -> Option<ClientCredential<'a>> {
    let secret = match &place.location {
        Location::Header(name) => {
            let value = request.value(name.as_bytes())?;
            Cow::Borrowed(match &place.scheme {
                Some(scheme) => secret_behind(scheme, value)?,
                // A scheme with nothing behind it is no credential, where any value would do.
                None if secret_behind("Bearer", value).is_some_and(<[u8]>::is_empty) => return None,
                None => value,
            })
        }
        Location::Query(name) => query::parameters(request.path()?)
            .filter(|parameter| parameter.is_named(name))
            .map(query::Parameter::value)
            .find(|value| !value.is_empty())?,
        Location::Cookie(_) => return None,
    };
    let rewritten = place.sent_as.as_deref().map(|header| (header, secret.clone()));
    Some(ClientCredential { is_oauth: false, found_in: &place.location, rewritten, secret })
}

impl Provider {
    /// Whether a client key looks like one of this provider's; OAuth tokens never do.
    fn takes(&self, secret: &[u8]) -> bool {
        let foreign = secret.starts_with(b"sk-ant-") && !self.profile.takes_anthropic_keys;
        !foreign
            && !secret.starts_with(ANTHROPIC_OAUTH_PREFIX)
            && (self.client_key_prefixes.is_empty()
                || self.client_key_prefixes.iter().any(|prefix| secret.starts_with(prefix.as_bytes())))
    }
}

/// Whether a value is one token that no reader takes for a list or a quoted string.
fn is_one_token(secret: &[u8]) -> bool {
    !secret.is_empty()
        && is_visible_ascii(secret)
        && !secret.iter().any(|byte| matches!(byte, b',' | b';' | b'"' | b'\''))
}
