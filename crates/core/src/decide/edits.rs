//! What goes upstream: the header edits after which a request carries the selected credentials and no other.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use super::credentials::{Credentials, DeploymentCredential};
use super::record::Effect;
use crate::http::{HeaderName, RequestHeaders, carries, cookies, query, trim};
use crate::model::{IdentityHeaders, Location, Policy, Reason, after, subprotocols};

/// One edit of the request's headers. It applies to all lines of a name.
#[derive(PartialEq, Eq)]
pub struct HeaderMutation<'a> {
    /// The name, in lower case.
    pub name: Cow<'a, [u8]>,
    /// The value of the only line that is left, or `None` if the header is removed. It may be a secret.
    pub value: Option<Cow<'a, [u8]>>,
    /// Why the edit is made.
    pub why: EditReason,
}

/// Why an edit is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditReason {
    /// A credential location, whose credential was not selected.
    CredentialLocation,
    /// An inbound identity header.
    InboundIdentity,
    /// The configured strip list.
    StripList,
    /// It scopes a credential of the client's, which does not go upstream.
    Companion,
    /// The proxy key, by its value.
    ProxyKeyValue,
    /// Credentials in the query, or the proxy key by its value.
    QueryCredentials,
    /// Credentials among the cookies, or the proxy key by its value.
    CookieCredentials,
    /// Credentials among the subprotocols of a WebSocket.
    Subprotocols,
    /// Names of headers that the next hop would remove.
    ConnectionOptions,
    /// Equal lines of a selected credential become one.
    EqualLines,
    /// The client's own credential, in the header that the API wants it in.
    ClientCredential,
    /// A beta that goes upstream with an OAuth token, and never without.
    Beta,
    /// The deployment key.
    DeploymentKey,
    /// `identity_headers.consumer`
    Consumer,
    /// `identity_headers.key_id`
    KeyId,
    /// `identity_headers.credential_source`
    CredentialSource,
    /// `identity_headers.provider`
    Provider,
    /// `identity_headers.labels`
    Label,
}

/// Shows what is done to which header, and why.
impl fmt::Debug for HeaderMutation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let edit = if self.value.is_some() { "Set" } else { "Remove" };
        f.debug_tuple(edit).field(&String::from_utf8_lossy(&self.name)).field(&self.why).finish()
    }
}

/// Returns the edits after which the request carries the selected credentials and no other, at most one per name.
pub(super) fn edits<'a>(
    policy: &'a Policy,
    request: &RequestHeaders<'a>,
    credentials: &Credentials<'a>,
    effect: &Effect<'a>,
) -> Vec<HeaderMutation<'a>> {
    let mut edits = Edits(Vec::new());
    edits.cut_query(policy, request, credentials);
    edits.cut_cookies(policy, request, credentials);
    edits.cut_subprotocols(policy, request, credentials);
    edits.reduce_connection(request);
    edits.merge_equal_lines(request, credentials);
    edits.add_credentials(credentials);
    edits.set_betas(policy, request, credentials);
    edits.add_identity(&policy.identity_headers, effect);
    edits.strip(policy, request, credentials, effect);
    edits.0
}

/// Returns `:path` without any credential, or `None` if it has none: what an access log may show of a refused request.
pub(crate) fn path_without_credentials(policy: &Policy, request: &RequestHeaders<'_>) -> Option<Vec<u8>> {
    query::without(request.path()?, &mut |parameter| policy.credential_locations.contains_parameter(parameter))
}

impl<'a> Credentials<'a> {
    /// Whether a header's value is the proxy key, or a scheme, perhaps repeated, and the proxy key.
    fn is_proxy_key(&self, value: &[u8]) -> bool {
        self.proxy_key.as_deref().is_some_and(|key| carries(value, key))
    }
}

/// The edits so far: a later one replaces an earlier one of the same name.
struct Edits<'a>(Vec<HeaderMutation<'a>>);

impl<'a> Edits<'a> {
    fn set(&mut self, name: impl Into<Cow<'a, [u8]>>, value: impl Into<Cow<'a, [u8]>>, why: EditReason) {
        let edit = HeaderMutation { name: name.into(), value: Some(value.into()), why };
        match self.0.iter_mut().find(|earlier| earlier.name == edit.name) {
            Some(earlier) => *earlier = edit,
            None => self.0.push(edit),
        }
    }

    /// Adds an edit of a header that has none yet: it is removed if the value is empty.
    fn push(&mut self, name: &'a [u8], value: Vec<u8>, why: EditReason) {
        let value = (!value.is_empty()).then_some(Cow::Owned(value));
        self.0.push(HeaderMutation { name: name.into(), value, why });
    }

    fn cut_query(&mut self, policy: &'a Policy, request: &RequestHeaders<'a>, credentials: &Credentials<'a>) {
        let Some(path) = request.path() else { return };
        let mut preserved = FirstOf::new(credentials.preserved_locations().filter_map(|location| match location {
            Location::Query(name) => Some(&**name),
            _ => None,
        }));
        let rest = query::without(path, &mut |parameter| {
            if preserved.take(|name| parameter.is_named(name) && !parameter.value().is_empty()) {
                return false;
            }
            policy.credential_locations.contains_parameter(parameter)
                || credentials.proxy_key.as_ref().is_some_and(|key| parameter.carries(key))
        });
        if let Some(rest) = rest {
            self.push(b":path", rest, EditReason::QueryCredentials);
        }
    }

    fn cut_cookies(&mut self, policy: &'a Policy, request: &RequestHeaders<'a>, credentials: &Credentials<'a>) {
        let mut preserved = FirstOf::new(credentials.preserved_locations().filter_map(|location| match location {
            Location::Cookie(name) => Some(&**name),
            _ => None,
        }));
        let rest = cookies::without(request.values(b"cookie"), |cookie| {
            if preserved.take(|name| cookie.is_named(name) && !cookie.value().is_empty()) {
                return false;
            }
            policy.credential_locations.cookies().iter().any(|name| cookie.is_named(name))
                || credentials.proxy_key.as_deref() == Some(cookie.value())
        });
        if let Some(rest) = rest {
            self.push(b"cookie", rest, EditReason::CookieCredentials);
        }
    }

    fn cut_subprotocols(&mut self, policy: &Policy, request: &RequestHeaders<'a>, credentials: &Credentials<'a>) {
        let name = b"sec-websocket-protocol";
        let mut preserved = FirstOf::new(credentials.preserved_locations().filter_map(|location| match location {
            Location::WebSocketProtocol(prefix) => Some(&**prefix),
            _ => None,
        }));
        let is_credential = |item: &&[u8]| {
            if preserved.take(|prefix| after(prefix, item).is_some_and(|secret| !secret.is_empty())) {
                return false;
            }
            policy.credential_locations.contains_subprotocol(item) || credentials.is_proxy_key(item)
        };
        let (cut, others): (Vec<&[u8]>, Vec<&[u8]>) = subprotocols(request).partition(is_credential);
        if !cut.is_empty() {
            self.push(name, others.join(&b", "[..]), EditReason::Subprotocols);
        }
    }

    /// Leaves of `connection` on an upgrade `upgrade` alone: the next hop removes every header that is listed there
    /// ([RFC 9110, 7.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1)), identity and credential headers too.
    /// On other requests Envoy has removed `connection` before any filter
    /// (<https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/upgrades>).
    fn reduce_connection(&mut self, request: &RequestHeaders<'a>) {
        const UPGRADE: &[u8] = b"upgrade";
        let mut options = request.values(b"connection").flat_map(|line| line.split(|byte| *byte == b',')).map(trim);
        if options.any(|option| !option.eq_ignore_ascii_case(UPGRADE)) {
            self.set(&b"connection"[..], UPGRADE, EditReason::ConnectionOptions);
        }
    }

    /// Makes one line of the equal lines of a credential that stays.
    fn merge_equal_lines(&mut self, request: &RequestHeaders<'a>, credentials: &Credentials<'a>) {
        for name in credentials.preserved_locations().filter_map(Location::header) {
            let has_several = request.values(name.as_bytes()).nth(1).is_some();
            if let Some(value) = request.value(name.as_bytes()).filter(|_| has_several) {
                self.set(name.as_bytes(), value, EditReason::EqualLines);
            }
        }
    }

    fn add_credentials(&mut self, credentials: &Credentials<'a>) {
        if let Some(client) = &credentials.client
            && let Some(header) = client.sent_as
        {
            self.set(header.name.as_bytes(), header.value(&client.secret), EditReason::ClientCredential);
        }
        if let Some(DeploymentCredential { header, key, .. }) = &credentials.deployment {
            self.set(header.name.as_bytes(), header.value_of(key), EditReason::DeploymentKey);
        }
    }

    /// Makes an item that only an OAuth token needs go upstream with such a token, and never without.
    fn set_betas(&mut self, policy: &Policy, request: &RequestHeaders<'a>, credentials: &Credentials<'a>) {
        let of_client = credentials.client.as_ref().and_then(|client| client.beta);
        let of_deployment = credentials.deployment.as_ref().and_then(|deployment| deployment.beta);
        for beta in policy.oauth_betas {
            let is_needed = of_client.or(of_deployment) == Some(*beta);
            let (name, item) = (beta.header.as_bytes(), beta.item.as_bytes());
            let is_stripped = policy.strip_list.contains(name);
            let is_item = |listed: &&[u8]| trim(listed) == item;
            let is_listed = !is_stripped
                && request.values(name).any(|line| line.split(|byte| *byte == b',').any(|listed| is_item(&listed)));
            if is_listed == is_needed {
                continue;
            }
            let lines = request.values(name).filter(|line| !is_stripped && !credentials.is_proxy_key(line));
            let items = lines.flat_map(|line| line.split(|byte| *byte == b',')).map(trim);
            let others = items.filter(|listed| !listed.is_empty() && !is_item(listed));
            let items: Vec<&[u8]> = others.chain(is_needed.then_some(item)).collect();
            if items.is_empty() {
                self.push(name, Vec::new(), EditReason::Beta);
            } else {
                self.set(name, items.join(&b","[..]), EditReason::Beta);
            }
        }
    }

    /// Tells the upstream who is calling, if that is verified, and the provider always, for Envoy's routes to match on.
    fn add_identity(&mut self, headers: &'a IdentityHeaders, effect: &Effect<'a>) {
        let is_known = matches!(effect.reason, Reason::Verified | Reason::Anonymous);
        let credential_source = is_known.then_some(effect.credential_source.as_str());
        let entries = [
            (&headers.consumer, effect.consumer, EditReason::Consumer),
            (&headers.key_id, effect.key_id, EditReason::KeyId),
            (&headers.credential_source, credential_source, EditReason::CredentialSource),
            (&headers.provider, Some(&*effect.route.provider.name), EditReason::Provider),
        ];
        for (header, value, why) in entries {
            if let (Some(header), Some(value)) = (header, value) {
                self.set(header.as_bytes(), value.as_bytes(), why);
            }
        }
        for (name, header) in &headers.labels {
            if let Some(label) = effect.labels.iter().find(|label| label.name() == &**name) {
                self.set(header.as_bytes(), label.value.as_bytes(), EditReason::Label);
            }
        }
    }

    /// Removes the headers that may not go upstream, and from all others the lines that are the proxy key.
    ///
    /// Runs last: what was set before stays. That is a small number of headers, whatever the client sent.
    fn strip(
        &mut self,
        policy: &'a Policy,
        request: &RequestHeaders<'a>,
        credentials: &Credentials<'a>,
        effect: &Effect<'a>,
    ) {
        let drops_companions = credentials.client.is_none();
        let count_of_set = self.0.len();
        let mut with_proxy_key: HashMap<&'a [u8], Vec<u8>> = HashMap::new();
        for (name, value) in request.named_lines() {
            let HeaderName { bytes, .. } = name;
            let why = if policy.credential_locations.contains(name) {
                EditReason::CredentialLocation
            } else if policy.identity_headers.contains(name) {
                EditReason::InboundIdentity
            } else if policy.strip_list.contains(bytes) {
                EditReason::StripList
            } else if drops_companions && effect.route.provider.companions.contains(name) {
                EditReason::Companion
            } else if credentials.is_proxy_key(value) && !matches!(bytes, b"cookie" | b"sec-websocket-protocol") {
                EditReason::ProxyKeyValue
            } else {
                continue;
            };
            let is_set = self.0.iter().take(count_of_set).any(|edit| *edit.name == *bytes);
            let stays = credentials.preserved_locations().any(|location| location.is_header(bytes));
            if bytes.starts_with(b":") || is_set || stays {
                continue;
            }
            if why == EditReason::ProxyKeyValue {
                with_proxy_key.entry(bytes).or_default();
            } else if self.0.last().is_none_or(|last| *last.name != *bytes) {
                self.push(bytes, Vec::new(), why);
            }
        }
        if !with_proxy_key.is_empty() {
            self.remove_proxy_key_lines(with_proxy_key, request, credentials);
        }
    }

    /// Sets each of these headers to its other lines, or removes it if it has none.
    fn remove_proxy_key_lines(
        &mut self,
        mut headers: HashMap<&'a [u8], Vec<u8>>,
        request: &RequestHeaders<'a>,
        credentials: &Credentials<'a>,
    ) {
        for (name, value) in request.lines() {
            if let Some(others) = headers.get_mut(name).filter(|_| !credentials.is_proxy_key(value)) {
                let value = trim(value);
                if !others.is_empty() && !value.is_empty() {
                    others.extend_from_slice(b", ");
                }
                others.extend_from_slice(value);
            }
        }
        for (name, _) in request.lines() {
            if let Some(others) = headers.remove(name) {
                self.push(name, others, EditReason::ProxyKeyValue);
            }
        }
    }
}

/// Names of which the first occurrence stays and every further one goes.
struct FirstOf<'a>(Vec<&'a str>);

impl<'a> FirstOf<'a> {
    fn new(names: impl Iterator<Item = &'a str>) -> Self {
        Self(names.collect())
    }

    fn take(&mut self, is_it: impl Fn(&str) -> bool) -> bool {
        let found = self.0.iter().position(|name| is_it(name));
        found.map(|at| self.0.swap_remove(at)).is_some()
    }
}
