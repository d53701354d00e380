//! What goes upstream: the header edits that leave of all credentials the chosen ones.

mod names;
#[cfg(not(target_family = "wasm"))]
mod reasons;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

pub(crate) use names::{CredentialPlaces, IdentityHeaders, StripList};
#[cfg(not(target_family = "wasm"))]
pub(crate) use reasons::reason;

use crate::policy::{Location, Policy};
use crate::provider::{ClientCredential, Slot};
use crate::record::{CredentialSource, Reason, Record};
use crate::request::{HeaderName, RequestHeaders, cookies, query, trim};
use crate::secret::Secret;

/// Subprotocol by which browsers send an OpenAI key with a WebSocket.
const WEBSOCKET_KEY_PREFIX: &[u8] = b"openai-insecure-api-key.";

/// The beta without which Anthropic's API takes no OAuth token.
const OAUTH_BETA: &[u8] = b"oauth-2025-04-20";

/// One edit of the request's headers; it acts on all lines of a name.
#[derive(PartialEq, Eq)]
pub enum HeaderMutation<'a> {
    /// Removes the header.
    Remove {
        /// The name, in lower case.
        name: Cow<'a, [u8]>,
    },
    /// Makes this the header's only line.
    Set {
        /// The name, in lower case.
        name: Cow<'a, [u8]>,
        /// The value.
        value: Cow<'a, [u8]>,
    },
}

/// Which credentials are in the request, and which of them go on.
pub(crate) struct Credentials<'a> {
    /// The proxy key: removed by its value wherever it stands.
    pub(crate) proxy_key: Option<Cow<'a, [u8]>>,
    /// The auth source, where the next hop needs the proxy key.
    pub(crate) kept: Option<&'a Location>,
    pub(crate) client: Option<ClientCredential<'a>>,
    pub(crate) deployment: Option<(&'a Slot, &'a Secret)>,
}

/// Returns the edits after which the request carries the chosen credentials and no other.
pub(crate) fn mutations<'a>(
    policy: &'a Policy,
    request: &RequestHeaders<'a>,
    credentials: &Credentials<'a>,
    record: &Record<'a>,
) -> Vec<HeaderMutation<'a>> {
    let mut edits = Edits(Vec::new());
    edits.cut_query(policy, request, credentials);
    edits.cut_cookies(policy, request, credentials);
    edits.cut_websocket_keys(request, credentials);
    edits.reduce_connection(request);
    edits.merge_preserved_lines(request, credentials);
    edits.add_credentials(policy, request, credentials);
    edits.add_identity(&policy.identity_headers, record);
    edits.strip(policy, request, credentials);
    edits.0
}

/// Returns `:path` without any credential, or `None` where it has none: what an access log may show of a refused request.
pub(crate) fn path_without_credentials(policy: &Policy, request: &RequestHeaders<'_>) -> Option<Vec<u8>> {
    query::without(request.path()?, &mut |parameter| policy.credential_places.contains_parameter(parameter))
}

impl<'a> Credentials<'a> {
    /// Says whose provider credential goes upstream; the key of a gateway in between pays for nothing
    /// that the client's credential pays for.
    pub(crate) fn source(&self) -> CredentialSource {
        match (&self.client, self.deployment) {
            (Some(client), _) if client.is_oauth => CredentialSource::ClientOauth,
            (Some(_), _) => CredentialSource::Client,
            (None, Some(_)) => CredentialSource::Deployment,
            (None, None) => CredentialSource::None,
        }
    }

    /// Returns the places in which a credential stays as it came.
    fn kept_places(&self) -> impl Iterator<Item = &'a Location> {
        let client = self.client.as_ref().filter(|client| client.rewritten.is_none()).map(|client| client.found_in);
        self.kept.into_iter().chain(client)
    }

    /// Whether a header's value is the proxy key, or a scheme, blanks and the proxy key.
    fn is_proxy_key(&self, value: &[u8]) -> bool {
        let key = self.proxy_key.as_deref().filter(|key| value.len() >= key.len());
        key.and_then(|key| trim(value).strip_suffix(key)).is_some_and(|before| {
            let scheme = trim(before);
            let has_blank = scheme.iter().any(|byte| matches!(byte, b' ' | b'\t'));
            before.is_empty() || (scheme.len() < before.len() && !has_blank)
        })
    }
}

/// The edits so far: a later one replaces an earlier one of the same name.
struct Edits<'a>(Vec<HeaderMutation<'a>>);

impl<'a> Edits<'a> {
    fn remove(&mut self, name: impl Into<Cow<'a, [u8]>>) {
        self.put(HeaderMutation::Remove { name: name.into() });
    }

    fn set(&mut self, name: impl Into<Cow<'a, [u8]>>, value: impl Into<Cow<'a, [u8]>>) {
        self.put(HeaderMutation::Set { name: name.into(), value: value.into() });
    }

    fn set_or_remove(&mut self, name: &'a [u8], value: Vec<u8>) {
        if value.is_empty() { self.remove(name) } else { self.set(name, value) }
    }

    fn put(&mut self, edit: HeaderMutation<'a>) {
        match self.0.iter_mut().find(|earlier| earlier.name() == edit.name()) {
            Some(earlier) => *earlier = edit,
            None => self.0.push(edit),
        }
    }

    fn cut_query(&mut self, policy: &'a Policy, request: &RequestHeaders<'a>, credentials: &Credentials<'a>) {
        let Some(path) = request.path() else { return };
        let mut kept = FirstOf::new(credentials.kept_places().filter_map(|place| match place {
            Location::Query(name) => Some(&**name),
            _ => None,
        }));
        let rest = query::without(path, &mut |parameter| {
            if kept.take(|name| parameter.is_named(name) && !parameter.value().is_empty()) {
                return false;
            }
            policy.credential_places.contains_parameter(parameter)
                || credentials.proxy_key.as_ref().is_some_and(|key| parameter.carries(key))
        });
        if let Some(rest) = rest {
            self.set(&b":path"[..], rest);
        }
    }

    fn cut_cookies(&mut self, policy: &'a Policy, request: &RequestHeaders<'a>, credentials: &Credentials<'a>) {
        let mut kept = FirstOf::new(credentials.kept_places().filter_map(|place| match place {
            Location::Cookie(name) => Some(&**name),
            _ => None,
        }));
        let rest = cookies::without(request.values(b"cookie"), |cookie| {
            if kept.take(|name| cookie.is_named(name) && !cookie.value().is_empty()) {
                return false;
            }
            policy.credential_places.cookies().iter().any(|name| cookie.is_named(name))
                || credentials.proxy_key.as_deref() == Some(cookie.value())
        });
        if let Some(rest) = rest {
            self.set_or_remove(b"cookie", rest);
        }
    }

    fn cut_websocket_keys(&mut self, request: &RequestHeaders<'a>, credentials: &Credentials<'a>) {
        let name = b"sec-websocket-protocol";
        let items = request.values(name).flat_map(|line| line.split(|byte| *byte == b',')).map(trim);
        let is_key = |item: &&[u8]| {
            let head = item.split_at_checked(WEBSOCKET_KEY_PREFIX.len()).map(|(head, _)| head);
            head.is_some_and(|head| head.eq_ignore_ascii_case(WEBSOCKET_KEY_PREFIX)) || credentials.is_proxy_key(item)
        };
        let (keys, protocols): (Vec<&[u8]>, Vec<&[u8]>) = items.partition(is_key);
        if !keys.is_empty() {
            self.set_or_remove(name, protocols.join(&b", "[..]));
        }
    }

    /// Leaves of `connection` on an upgrade `upgrade` alone: the next hop removes every header that is listed there
    /// ([RFC 9110, 7.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1)), identity and credential headers too.
    /// On other requests Envoy has removed `connection` before any filter.
    fn reduce_connection(&mut self, request: &RequestHeaders<'a>) {
        const UPGRADE: &[u8] = b"upgrade";
        let mut options = request.values(b"connection").flat_map(|line| line.split(|byte| *byte == b',')).map(trim);
        if options.any(|option| !option.eq_ignore_ascii_case(UPGRADE)) {
            self.set(&b"connection"[..], UPGRADE);
        }
    }

    /// Makes one line of the equal lines in a place that is preserved.
    fn merge_preserved_lines(&mut self, request: &RequestHeaders<'a>, credentials: &Credentials<'a>) {
        for name in credentials.kept_places().filter_map(Location::header) {
            if let Some(value) = request.value(name.as_bytes()).filter(|_| request.values(name.as_bytes()).count() > 1)
            {
                self.set(name.as_bytes(), value);
            }
        }
    }

    /// Removes the headers that may not go upstream, and from all others the lines that are the proxy key.
    ///
    /// Runs last: what was set before stays. That is a small number of headers, whatever the client sent.
    fn strip(&mut self, policy: &'a Policy, request: &RequestHeaders<'a>, credentials: &Credentials<'a>) {
        let count_of_set = self.0.len();
        let mut with_proxy_key: HashMap<&'a [u8], Vec<u8>> = HashMap::new();
        for (name, value) in request.named_lines() {
            let HeaderName { bytes, .. } = name;
            let is_set = |edits: &Self| edits.0.iter().take(count_of_set).any(|edit| edit.name() == bytes);
            let stays = |edits: &Self| {
                bytes.starts_with(b":")
                    || is_set(edits)
                    || credentials.kept_places().any(|place| place.is_header(bytes))
            };
            let stripped = policy.credential_places.contains(name)
                || policy.identity_headers.contains(name)
                || policy.strip_list.contains(bytes);
            if stripped {
                let repeats = self.0.last().is_some_and(|edit| edit.name() == bytes);
                if !repeats && !stays(self) {
                    self.0.push(HeaderMutation::Remove { name: bytes.into() });
                }
            } else if credentials.is_proxy_key(value)
                && !matches!(bytes, b"cookie" | b"sec-websocket-protocol")
                && !stays(self)
            {
                with_proxy_key.entry(bytes).or_default();
            }
        }
        if !with_proxy_key.is_empty() {
            self.remove_proxy_key_lines(with_proxy_key, request, credentials);
        }
    }

    /// Sets each of these headers to its other lines, or removes it where it has none.
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
            match headers.remove(name) {
                None => {}
                Some(others) if others.is_empty() => self.0.push(HeaderMutation::Remove { name: name.into() }),
                Some(others) => self.0.push(HeaderMutation::Set { name: name.into(), value: others.into() }),
            }
        }
    }

    fn add_credentials(&mut self, policy: &'a Policy, request: &RequestHeaders<'a>, credentials: &Credentials<'a>) {
        if let Some((header, value)) = credentials.client.as_ref().and_then(|client| client.rewritten.as_ref()) {
            self.set(header.as_bytes(), value.clone());
        }
        if credentials.client.as_ref().is_some_and(|client| client.is_oauth) {
            self.add_oauth_beta(policy, request, credentials);
        }
        if let Some((slot, key)) = credentials.deployment {
            self.set(slot.header.as_bytes(), slot.value(key));
        }
    }

    fn add_oauth_beta(&mut self, policy: &Policy, request: &RequestHeaders<'a>, credentials: &Credentials<'a>) {
        let name = b"anthropic-beta";
        let listed = |line: &[u8]| line.split(|byte| *byte == b',').any(|beta| trim(beta) == OAUTH_BETA);
        let stripped = policy.strip_list.contains(name);
        if !stripped && request.values(name).any(listed) {
            return;
        }
        let others = request.values(name).filter(|value| !stripped && !credentials.is_proxy_key(value));
        let betas: Vec<&[u8]> = others.filter(|value| !value.is_empty()).chain([OAUTH_BETA]).collect();
        self.set(&name[..], betas.join(&b","[..]));
    }

    /// Says who is calling, where that is verified; the provider always, for Envoy's routes to match on.
    fn add_identity(&mut self, headers: &'a IdentityHeaders, record: &Record<'a>) {
        let of_verified = |value: &'a str| (record.reason == Reason::Verified).then_some(value);
        let entries = [
            (&headers.consumer, record.consumer),
            (&headers.key_id, record.key_id),
            (&headers.credential_source, of_verified(record.credential_source.as_str())),
            (&headers.provider, Some(&*record.provider.name)),
        ];
        for (header, value) in entries {
            if let (Some(header), Some(value)) = (header, value) {
                self.set(header.as_bytes(), value.as_bytes());
            }
        }
    }
}

/// Shows what is done to which header; the value may be a secret.
impl fmt::Debug for HeaderMutation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let edit = match self {
            Self::Remove { .. } => "Remove",
            Self::Set { .. } => "Set",
        };
        f.debug_tuple(edit).field(&String::from_utf8_lossy(self.name())).finish()
    }
}

impl HeaderMutation<'_> {
    pub(crate) fn name(&self) -> &[u8] {
        match self {
            Self::Remove { name } | Self::Set { name, .. } => name,
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
