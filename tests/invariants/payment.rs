//! Who pays, by the documentation: the first credential of the client's that fits, else the deployment key.

use byok_testkit::corpus::Line;

use super::caller::Caller;
use super::facts::{Facts, Level, Provider};
use super::places::{self, Place, behind, is_oauth_token, place, value_at};
use super::vendors::belongs_to_another;

/// A credential that must go upstream.
pub(super) struct Payment {
    /// The place in which it goes.
    pub(super) place: String,
    /// All of the value there.
    pub(super) value: Vec<u8>,
}

/// The client's credential that pays for a request.
pub(super) fn of_client(
    facts: &Facts,
    level: &Level,
    provider: &Provider,
    caller: &Caller,
    kept: Option<&str>,
    request: &[Line],
) -> Option<Payment> {
    let bearer = place("authorization", "Bearer");
    let tokens = [bearer.clone(), place("x-api-key", "Bearer")].into_iter().filter(|_| provider.api.oauth);
    let tokens = tokens.filter_map(|at| {
        let value = value_at(request, &at.at)?;
        let secret = behind(&value, "Bearer");
        let stays = at == bearer && secret.is_some();
        let secret = secret.unwrap_or(&value).to_vec();
        let fits = is_oauth_token(&secret) && oauth_passes(facts, level, provider, caller);
        fits.then(|| (at.at, value, secret, (!stays).then(|| bearer.clone())))
    });
    // Without a proxy key on the request, any value could be one.
    let known = !caller.source.is_empty() || level.sources.is_empty();
    let keys = provider.places.iter().filter(|_| known && byok(facts, level, provider, caller) != "off");
    let keys = keys.filter_map(|(at, moved)| {
        let value = value_at(request, &at.at)?;
        let secret = if at.scheme.is_empty() { Some(&*value) } else { behind(&value, &at.scheme) }?.to_vec();
        let moved = moved.clone().filter(|moved| !is_same(moved, at));
        key_fits(provider, &secret).then(|| (at.at.clone(), value, secret, moved))
    });
    // A source without a scheme takes another place's for part of the key.
    let own = [caller.key.as_deref(), caller.of_identity.as_deref()];
    let is_the_callers = |secret: &[u8]| own.iter().flatten().any(|key| places::carries(key, secret));
    let is_proxy_key = |secret: &[u8]| is_the_callers(secret) || facts.keys.iter().any(|key| key.secret == secret);
    let overwrites = |moved: &Option<Place>| moved.as_ref().is_some_and(|moved| Some(&*moved.at) == kept);
    let mut fitting = tokens
        .chain(keys)
        .filter(|(_, _, secret, moved)| is_single_token(secret) && !is_proxy_key(secret) && !overwrites(moved));
    let (at, value, secret, moved) = fitting.next()?;
    Some(match moved {
        Some(moved) => sent(&moved, &secret),
        None => Payment { place: at, value },
    })
}

/// The deployment key that pays, or goes beside the client's credential to a gateway.
pub(super) fn of_operator(
    facts: &Facts,
    provider: &Provider,
    caller: &Caller,
    kept: Option<&str>,
    client_pays: bool,
) -> Option<Payment> {
    let key = deployment_key(facts, provider, caller).filter(|_| !client_pays || provider.api.name == "litellm")?;
    let is_login = provider.api.name == "anthropic" && is_oauth_token(key);
    let at = if is_login { &place("authorization", "Bearer") } else { &provider.deployment };
    (Some(&*at.at) != kept).then(|| sent(at, key))
}

/// The deployment key that a caller is entitled to: nobody's whom no key and no `anonymous` makes a consumer.
pub(super) fn deployment_key<'a>(facts: &'a Facts, provider: &'a Provider, caller: &Caller) -> Option<&'a [u8]> {
    let consumer = facts.consumers.get(caller.consumer.as_ref()?);
    consumer
        .and_then(|consumer| consumer.deployment_keys.get(&provider.name))
        .or(provider.deployment_key.as_ref())
        .map(Vec::as_slice)
}

/// Consumer, route, provider, flag, in this order.
pub(super) fn byok<'a>(facts: &'a Facts, level: &'a Level, provider: &'a Provider, caller: &Caller) -> &'a str {
    overridden(facts, level, caller).unwrap_or(&provider.byok)
}

pub(super) fn oauth_passes(facts: &Facts, level: &Level, provider: &Provider, caller: &Caller) -> bool {
    let begins = |one: &str| one.starts_with("sk-ant-oat") || "sk-ant-oat".starts_with(one);
    let by_default = provider.named.is_empty() || provider.named.iter().any(|prefix| begins(prefix));
    match provider.oauth {
        Some(says) => says && overridden(facts, level, caller) != Some("off"),
        None => by_default && byok(facts, level, provider, caller) != "off",
    }
}

/// Tells whether an API key may go to a provider by its form.
pub(super) fn key_fits(provider: &Provider, secret: &[u8]) -> bool {
    let long_enough = provider.prefixes.is_empty() && secret.len() >= 16;
    let starts_right = || provider.prefixes.iter().any(|prefix| secret.starts_with(prefix.as_bytes()));
    !is_oauth_token(secret)
        && !belongs_to_another(secret, provider.api.vendor, &provider.named)
        && (long_enough || starts_right())
}

/// Tells whether no server takes a secret for a list or a quoted string.
pub(super) fn is_single_token(secret: &[u8]) -> bool {
    !secret.is_empty() && secret.iter().all(|byte| byte.is_ascii_graphic() && !b",;\"'".contains(byte))
}

fn overridden<'a>(facts: &'a Facts, level: &'a Level, caller: &Caller) -> Option<&'a str> {
    let of_consumer = caller.consumer.as_ref().and_then(|name| facts.consumers.get(name)?.byok.as_deref());
    of_consumer.or(level.byok.as_deref())
}

fn is_same(one: &Place, other: &Place) -> bool {
    one.at == other.at && one.scheme.eq_ignore_ascii_case(&other.scheme)
}

fn sent(at: &places::Place, secret: &[u8]) -> Payment {
    let scheme = if at.scheme.is_empty() { Vec::new() } else { format!("{} ", at.scheme).into_bytes() };
    Payment { place: at.at.clone(), value: [&*scheme, secret].concat() }
}
