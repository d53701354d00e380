//! Whose provider credential the request carries, and whether the proxy key stays.

use std::borrow::Cow;

use super::authorize::Authorized;
use super::{ClientCredentialVerdict, Context, Step, Trace};
use crate::http::{RequestHeaders, carries, query, starts_with_any, strip_scheme};
use crate::model::{
    Beta, Byok, CredentialKind, CredentialRule, CredentialSource, DenyReason, Location, Policy, ProxyKeyHandling,
    UpstreamHeader, after, subprotocols,
};
use crate::secret::{KeyDigest, Secret};

/// The credentials of a request, and which of them go upstream.
pub(super) struct Credentials<'a> {
    /// The proxy key: removed by its value everywhere.
    pub(super) proxy_key: Option<Cow<'a, [u8]>>,
    /// The auth source, if the next hop needs the proxy key.
    pub(super) preserved: Option<&'a Location>,
    pub(super) client: Option<ClientCredential<'a>>,
    pub(super) deployment: Option<DeploymentCredential<'a>>,
}

/// A provider credential of the operator's.
pub(super) struct DeploymentCredential<'a> {
    pub(super) header: &'a UpstreamHeader,
    pub(super) key: &'a Secret,
    pub(super) beta: Option<Beta>,
}

/// A provider credential that the client sent.
pub(super) struct ClientCredential<'a> {
    pub(super) kind: CredentialKind,
    pub(super) location: &'a Location,
    /// The header to send it in, if it does not stay as it came.
    pub(super) sent_as: Option<&'a UpstreamHeader>,
    pub(super) secret: Cow<'a, [u8]>,
    pub(super) beta: Option<Beta>,
}

impl<'a> Credentials<'a> {
    /// Returns whose provider credential goes upstream. The key of a gateway in between pays for nothing that the
    /// client's credential pays for.
    pub(super) fn source(&self) -> CredentialSource {
        match (&self.client, &self.deployment) {
            (Some(client), _) if client.kind == CredentialKind::OauthToken => CredentialSource::ClientOauth,
            (Some(_), _) => CredentialSource::Client,
            (None, Some(_)) => CredentialSource::Deployment,
            (None, None) => CredentialSource::None,
        }
    }

    /// Returns the locations in which a credential stays as it came.
    pub(super) fn preserved_locations(&self) -> impl Iterator<Item = &'a Location> {
        let client = self.client.as_ref().filter(|client| client.sent_as.is_none()).map(|client| client.location);
        self.preserved.into_iter().chain(client)
    }
}

/// Selects what pays for the request, and decides whether the proxy key stays.
///
/// # Errors
/// The client must send its own credential and did not.
pub(super) fn select_credentials<'a, T: Trace<'a>>(
    policy: &'a Policy,
    authorized: &Authorized<'a>,
    request: &RequestHeaders<'a>,
    context: &Context<'_>,
    trace: &mut T,
) -> Result<Credentials<'a>, DenyReason> {
    let route = authorized.route();
    let provider = &*route.provider;
    // Only a caller with a consumer is given a key that the operator pays for.
    let deployment_key = authorized.consumer().and_then(|consumer| provider.deployment_key_for(consumer));
    let hides = match route.proxy_key {
        ProxyKeyHandling::Hide => true,
        ProxyKeyHandling::Keep => false,
        ProxyKeyHandling::HideIfVerified => authorized.caller().key.is_some(),
        ProxyKeyHandling::HideIfReplaced => deployment_key.is_some(),
    };
    let of_identities = context.identities.credentials(policy, request);
    let is_of_identity = |key: &Cow<'_, [u8]>| of_identities.contains(key);
    let hides = hides || authorized.caller().proxy_key.as_ref().is_some_and(is_of_identity);
    let preserved = if hides { None } else { authorized.caller().proxy_key_location() };

    let checks = Checks { policy, authorized, preserved, of_identities: &of_identities };
    let client = client_credential(&checks, request, context, trace);
    if route.client_credentials_of(authorized.consumer()).byok == Byok::Required && client.is_none() {
        return Err(DenyReason::MissingProviderKey);
    }

    let is_its_turn = provider.is_gateway || client.is_none();
    let deployment = deployment_key.filter(|_| is_its_turn).map(|key| {
        let (header, beta) = provider.header_for(key);
        DeploymentCredential { header, key, beta }
    });
    let overwrites_proxy_key = |deployment: &DeploymentCredential<'_>| {
        preserved.is_some_and(|preserved| preserved.is_header(deployment.header.name.as_bytes()))
    };
    let deployment = deployment.filter(|deployment| !overwrites_proxy_key(deployment));
    trace.record(|| Step::DeploymentKey { exists: deployment_key.is_some(), is_sent: deployment.is_some() });
    Ok(Credentials { proxy_key: authorized.caller().proxy_key.clone(), preserved, client, deployment })
}

/// What a client's credential is held against.
struct Checks<'c, 'a> {
    policy: &'a Policy,
    authorized: &'c Authorized<'a>,
    /// Where the proxy key stays.
    preserved: Option<&'a Location>,
    /// The credentials by which Envoy has authenticated the caller.
    of_identities: &'c [Cow<'a, [u8]>],
}

/// Returns the first credential that the provider's rules find and that may go upstream.
fn client_credential<'a, T: Trace<'a>>(
    checks: &Checks<'_, 'a>,
    request: &RequestHeaders<'a>,
    context: &Context<'_>,
    trace: &mut T,
) -> Option<ClientCredential<'a>> {
    let authorized = checks.authorized;
    let provider = &*authorized.route().provider;
    let is_known = authorized.caller().auth_source.is_some();
    let redirect = context.redirect.as_ref();
    let none_may_go = if redirect.is_some_and(|state| !state.kept_client_credential_for(&provider.name)) {
        Some(ClientCredentialVerdict::NotKeptForProvider)
    } else {
        None
    };
    let no_key_travels = authorized.route().key_sources.is_empty();
    let mut selected: Option<ClientCredential<'a>> = None;
    for rule in &provider.credential_rules {
        if !T::EXHAUSTIVE && (selected.is_some() || none_may_go.is_some()) {
            break;
        }
        // Without a proxy key on the request, any value could be one, unless its prefix or the operator says otherwise.
        let is_distinguishable = is_known || rule.kind == CredentialKind::OauthToken || no_key_travels;
        if !T::EXHAUSTIVE && !is_distinguishable {
            continue;
        }
        let Some(credential) = find(rule, request) else { continue };
        let unknown = (!is_distinguishable).then_some(ClientCredentialVerdict::CallerUnknown);
        let verdict = none_may_go.or(unknown).unwrap_or_else(|| checks.judge(&credential, rule));
        let is_first = verdict == ClientCredentialVerdict::Selected && selected.is_none();
        trace.record(|| Step::ClientCredential {
            location: credential.location,
            kind: credential.kind,
            digest: KeyDigest::of(&credential.secret),
            verdict: match verdict {
                ClientCredentialVerdict::Selected if !is_first => ClientCredentialVerdict::NotNeeded,
                verdict => verdict,
            },
        });
        if is_first {
            selected = Some(credential);
        }
    }
    selected
}

impl Checks<'_, '_> {
    /// The costly check, a digest, comes last.
    fn judge(&self, credential: &ClientCredential<'_>, rule: &CredentialRule) -> ClientCredentialVerdict {
        let (policy, authorized) = (self.policy, self.authorized);
        let route = authorized.route();
        let secret = &credential.secret;
        if !route.client_credentials_of(authorized.consumer()).allows(credential.kind) {
            return match credential.kind {
                CredentialKind::ApiKey => ClientCredentialVerdict::ByokOff,
                CredentialKind::OauthToken => ClientCredentialVerdict::OauthOff,
            };
        }
        if self.of_identities.iter().any(|own| carries(own, secret)) {
            return ClientCredentialVerdict::IdentityCredential;
        }
        // A key source without a scheme takes another place's scheme for part of the key.
        if authorized.caller().proxy_key.as_deref().is_some_and(|key| carries(key, secret)) {
            return ClientCredentialVerdict::ProxyKey;
        }
        let is_oauth_token = || starts_with_any(secret, policy.never_candidates);
        let is_api_key = || !is_oauth_token() && route.provider.accepts_key_format(rule, secret);
        if credential.kind == CredentialKind::ApiKey && !is_api_key() {
            return ClientCredentialVerdict::WrongFormat;
        }
        if !is_single_token(secret) {
            return ClientCredentialVerdict::NotSingleToken;
        }
        let is_overwritten =
            |preserved: &Location| credential.sent_as.is_some_and(|header| preserved.is_header(header.name.as_bytes()));
        if self.preserved.is_some_and(is_overwritten) {
            return ClientCredentialVerdict::OverwritesProxyKey;
        }
        if policy.keys.contains_secret(secret) {
            return ClientCredentialVerdict::ConfiguredKey;
        }
        ClientCredentialVerdict::Selected
    }
}

/// Returns the credential that a rule finds in a request, whether it may go upstream or not.
fn find<'a>(rule: &'a CredentialRule, request: &RequestHeaders<'a>) -> Option<ClientCredential<'a>> {
    let (secret, has_scheme) = match &rule.location {
        Location::Header(name) => {
            let (secret, has_scheme) = secret_in(rule, request.value(name.as_bytes())?)?;
            (Cow::Borrowed(secret), has_scheme)
        }
        Location::Query(name) => {
            let named = query::parameters(request.path()?).filter(|parameter| parameter.is_named(name));
            (named.map(query::Parameter::value).find(|value| !value.is_empty())?, false)
        }
        Location::WebSocketProtocol(prefix) => {
            let mut secrets = subprotocols(request).filter_map(|item| after(prefix, item));
            (Cow::Borrowed(secrets.find(|secret| !secret.is_empty())?), false)
        }
        Location::Cookie(_) => return None,
    };
    let scheme = rule.scheme.as_deref().filter(|_| has_scheme).unwrap_or_default();
    let stays = |header: &&UpstreamHeader| {
        let sent_with = header.scheme.as_deref().unwrap_or_default();
        rule.location.is_header(header.name.as_bytes()) && scheme.eq_ignore_ascii_case(sent_with)
    };
    Some(ClientCredential {
        kind: rule.kind,
        location: &rule.location,
        sent_as: rule.sent_as.as_ref().filter(|header| !stays(header)),
        secret,
        beta: rule.beta,
    })
}

/// Returns the secret of a header's value, and whether the rule's scheme precedes it.
fn secret_in<'a>(rule: &CredentialRule, value: &'a [u8]) -> Option<(&'a [u8], bool)> {
    let after_scheme = rule.scheme.as_deref().and_then(|scheme| strip_scheme(scheme, value));
    let (secret, has_scheme) = match (rule.kind, &rule.scheme) {
        (CredentialKind::OauthToken, _) => (after_scheme.unwrap_or(value), after_scheme.is_some()),
        (CredentialKind::ApiKey, Some(_)) => (after_scheme?, true),
        // A scheme alone is no credential, even if any value would do.
        (CredentialKind::ApiKey, None) if strip_scheme("Bearer", value).is_some_and(<[u8]>::is_empty) => return None,
        (CredentialKind::ApiKey, None) => (value, false),
    };
    let is_one = !secret.is_empty() && (rule.kind == CredentialKind::ApiKey || rule.accepts(secret));
    is_one.then_some((secret, has_scheme))
}

/// Whether a value is one token that no server takes for a list or a quoted string.
fn is_single_token(secret: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b',' | b';' | b'"' | b'\'');
    // All bytes are looked at, even after one that does not fit: such a loop is compiled to vector instructions.
    !secret.is_empty() && secret.iter().fold(true, |all, byte| all & fits(byte))
}
