//! The filter: one configuration, shared by all workers, and one request under it.

use std::ops::Deref;
use std::sync::Arc;

use byok_core::{
    Context, Decision, Effect, HeaderMutation, KeyDigest, LookupResults, Policy, RedirectState, Reply, RequestHeaders,
    RequestIdentities, Timestamp, decide,
};

use crate::alarm::Alarm;
use crate::counters::Counters;
use crate::grpc;
use crate::host::{Config, HostError, Level, Stream, log};
use crate::lookups::{Asked, Lookups, Response, now};
use crate::property::Property;
use crate::rotation::{self, First, Rotation};

/// What precedes the names of the filter's entries in Envoy's filter state, whatever carries the filter.
const FILTER_STATE: &str = "wasm.";

/// One configuration.
pub(crate) struct Filter {
    /// Envoy's name of the filter, before each log line.
    name: String,
    policy: PolicySource,
    /// Whether requests are only watched.
    shadow: bool,
    /// By the policy's identities: where Envoy names the caller.
    properties: Vec<Property>,
    redirect_state: String,
    pub(crate) counters: Counters,
    /// `None` without a verification service.
    lookups: Option<Lookups>,
    /// Makes [`Filter::on_main_thread`] be called.
    alarm: Alarm,
}

/// Where the policy of a request comes from.
enum PolicySource {
    Fixed(Box<Policy>),
    /// It changes with the secrets that Envoy delivers.
    Rotating(Box<Rotation>),
}

/// The policy that a step of a request is decided by.
enum CurrentPolicy<'a> {
    Fixed(&'a Policy),
    Rotating(Arc<Policy>),
}

impl PolicySource {
    /// Returns the policy of now; `None` if a secret has not been delivered yet.
    fn current(&self) -> Option<CurrentPolicy<'_>> {
        match self {
            Self::Fixed(policy) => Some(CurrentPolicy::Fixed(policy)),
            Self::Rotating(rotation) => rotation.policy().map(CurrentPolicy::Rotating),
        }
    }
}

impl Deref for CurrentPolicy<'_> {
    type Target = Policy;

    fn deref(&self) -> &Policy {
        match self {
            Self::Fixed(policy) => policy,
            Self::Rotating(policy) => policy,
        }
    }
}

/// One request.
#[derive(Default)]
pub(crate) struct Request {
    waits: Option<Waits>,
}

struct Waits {
    ticket: u32,
    /// The key that is looked up.
    digest: KeyDigest,
    /// The results for other keys of the request.
    results: LookupResults,
}

/// What becomes of a request for now.
#[derive(PartialEq, Eq)]
pub(crate) enum Flow {
    /// It continues.
    Continue,
    /// It has been answered.
    Replied,
    /// It waits for a lookup.
    Paused,
}

impl Filter {
    /// Reads a configuration; logs what is wrong with it, and returns `None`, if it is not valid.
    pub(crate) fn load(config: Config, name: String, json: Vec<u8>) -> Option<Self> {
        let say = |level, text: &dyn std::fmt::Display| log(level, || format!("{name}: {text}"));
        let First { policy, warnings, subscriptions } = match rotation::load(config, json) {
            Ok(first) => first,
            Err(errors) => {
                errors.iter().for_each(|error| say(Level::Error, error));
                return None;
            }
        };
        warnings.iter().for_each(|warning| say(Level::Warn, warning));
        let properties = match Property::of_all(&policy) {
            Ok(properties) => properties,
            Err(error) => {
                say(Level::Error, &error);
                return None;
            }
        };
        let service = policy.verification_service.is_some();
        let lookups = if service { Some(Lookups::new(config, name.clone()).ok()?) } else { None };
        let counters = Counters::define(config, service).ok()?;
        let redirect_state = format!("{FILTER_STATE}{}", policy.redirect_state_property());
        let shadow = policy.shadow;
        let policy = match subscriptions {
            None => PolicySource::Fixed(Box::new(policy)),
            Some(subscriptions) => PolicySource::Rotating(Box::new(Rotation::new(name.clone(), policy, subscriptions))),
        };
        let alarm = Alarm::start(config.scheduler().ok()?);
        if let PolicySource::Rotating(_) = policy {
            alarm.set();
        }
        Some(Self { name, policy, shadow, properties, redirect_state, counters, lookups, alarm })
    }

    /// Decides about a request.
    pub(crate) fn on_request(&self, request: &mut Request, stream: Stream<'_>) -> Result<Flow, HostError> {
        self.advance(request, stream, LookupResults::default())
    }

    /// Continues a request that waits, if the result is known.
    pub(crate) fn on_woken(&self, request: &mut Request, stream: Stream<'_>) -> Result<Flow, HostError> {
        let Some(lookups) = &self.lookups else { return Ok(Flow::Paused) };
        let Some(result) = request.waits.as_ref().and_then(|waits| lookups.take(waits.ticket)) else {
            return Ok(Flow::Paused);
        };
        let Some(Waits { digest, mut results, .. }) = request.waits.take() else { return Ok(Flow::Paused) };
        results.insert(digest, result);
        self.advance(request, stream, results)
    }

    /// Forgets a request that has gone.
    pub(crate) fn cancel(&self, request: &mut Request) {
        if let (Some(lookups), Some(waits)) = (&self.lookups, request.waits.take()) {
            lookups.cancel(waits.ticket, waits.digest);
        }
    }

    /// Tells Envoy of the requests that were counted, sees whether secrets have changed, and makes the calls to the
    /// verification service; on the main thread.
    pub(crate) fn on_main_thread(&self) {
        self.alarm.reset();
        self.counters.tell();
        if let PolicySource::Rotating(rotation) = &self.policy {
            // Envoy does not say when a secret changes: the main thread looks again and again.
            self.alarm.set();
            rotation.refresh();
        }
        let Some(lookups) = &self.lookups else { return };
        let policy = self.policy.current();
        if let Some(service) = policy.as_ref().and_then(|policy| policy.verification_service.as_ref()) {
            lookups.send_unsent(service, &self.counters);
        }
    }

    /// Reads the response to a call, `None` if there is none; on the main thread.
    pub(crate) fn on_response(&self, id: u64, response: Option<Response<'_>>) {
        let policy = self.policy.current();
        let service = policy.as_ref().and_then(|policy| policy.verification_service.as_ref());
        if let (Some(lookups), Some(service)) = (&self.lookups, service) {
            lookups.on_response(id, response, service, &self.counters);
        }
    }

    /// Takes a request as far as it gets without waiting.
    fn advance(&self, request: &mut Request, stream: Stream<'_>, results: LookupResults) -> Result<Flow, HostError> {
        let Some(policy) = self.policy.current() else {
            return Ok(self.without_policy(stream));
        };
        stream.with_headers(|headers| self.decide(&policy, request, stream, &headers, results))?
    }

    /// Nobody is let in before every secret is there: without a deployment key, the caller's own might go where it must not.
    fn without_policy(&self, stream: Stream<'_>) -> Flow {
        if self.shadow {
            return Flow::Continue;
        }
        refuse(stream, 503, b"a secret has not been delivered yet", "byok_secret_not_delivered");
        Flow::Replied
    }

    fn decide(
        &self,
        policy: &Policy,
        request: &mut Request,
        stream: Stream<'_>,
        headers: &RequestHeaders<'_>,
        mut results: LookupResults,
    ) -> Result<Flow, HostError> {
        loop {
            let reads_clock = policy.reads_clock() || !results.is_empty();
            let context = Context {
                now: if reads_clock { now() } else { Timestamp::default() },
                cluster: if policy.reads_cluster() { stream.cluster() } else { None },
                identities: self.identities(policy, stream),
                redirect: self.redirect_state(stream),
                lookups: results,
            };
            let lookup = match decide(policy, headers, &context) {
                Decision::Allow { effect, edits } => {
                    self.record(policy, stream, &effect)?;
                    if !self.shadow {
                        stream.keep(&self.redirect_state, effect.to_redirect_state().into_bytes())?;
                    }
                    apply(stream, &edits)?;
                    return Ok(Flow::Continue);
                }
                Decision::Deny { effect, reason } => {
                    self.record(policy, stream, &effect)?;
                    self.send(stream, Reply::new(reason, policy, &effect, headers), headers.is_grpc())?;
                    return Ok(Flow::Replied);
                }
                Decision::Lookup(lookup) => lookup,
            };
            let service = policy.verification_service.as_ref().ok_or(HostError)?;
            let lookups = self.lookups.as_ref().ok_or(HostError)?;
            let digest = lookup.digest;
            let asked = lookups.ask(&lookup, service, &self.counters, || stream.scheduler())?;
            results = context.lookups;
            match asked {
                Asked::Result(result) => results.insert(digest, result),
                Asked::Waits(ticket) => {
                    request.waits = Some(Waits { ticket, digest, results });
                    return Ok(Flow::Paused);
                }
            }
        }
    }

    fn identities(&self, policy: &Policy, stream: Stream<'_>) -> RequestIdentities {
        let mut properties = self.properties.iter();
        RequestIdentities::read(policy, |_| properties.next().map(|one| one.values(stream)).unwrap_or_default())
    }

    /// Returns what the run before an internal redirect found. A state that is not understood says that the caller is not
    /// known.
    fn redirect_state(&self, stream: Stream<'_>) -> Option<RedirectState> {
        let state = if self.shadow { None } else { stream.kept(&self.redirect_state) }?;
        Some(RedirectState::parse(state).unwrap_or_default())
    }

    fn record(&self, policy: &Policy, stream: Stream<'_>, effect: &Effect<'_>) -> Result<(), HostError> {
        let mut key = String::from(FILTER_STATE);
        for (name, value) in effect.filter_state(policy) {
            key.truncate(FILTER_STATE.len());
            key.push_str(name);
            stream.set_filter_state(&key, value.as_bytes())?;
        }
        self.counters.request(effect);
        self.alarm.set();
        Ok(())
    }

    fn send(&self, stream: Stream<'_>, mut reply: Reply, is_grpc: bool) -> Result<(), HostError> {
        if let Some(path) = &reply.path {
            stream.set_request_header(b":path", Some(path))?;
        }
        if is_grpc {
            reply.headers.push((GRPC_STATUS, grpc::status(reply.status).to_owned()));
        }
        log(Level::Debug, || format!("{}: refused: {}", self.name, reply.details));
        stream.send_response(reply.status, &reply.headers, &reply.body, &reply.details);
        Ok(())
    }

    /// Refuses a request that the filter has failed on.
    pub(crate) fn on_panic(&self, stream: Stream<'_>) {
        self.counters.panic();
        log(Level::Error, || format!("{}: the filter failed, and the request was refused", self.name));
        fail_closed(stream);
    }
}

/// Refuses a request that could not be decided.
pub(crate) fn fail_closed(stream: Stream<'_>) {
    refuse(stream, 500, b"the request could not be checked", "byok_host_error");
}

/// Refuses a request that no policy has decided.
fn refuse(stream: Stream<'_>, status: u16, body: &[u8], details: &str) {
    let mut headers = vec![("content-type", "text/plain".to_owned())];
    if stream.with_headers(|headers| headers.is_grpc()).unwrap_or_default() {
        headers.push((GRPC_STATUS, grpc::status(status).to_owned()));
    }
    stream.send_response(status, &headers, body, details);
}

const GRPC_STATUS: &str = "grpc-status";

/// Makes the edits in order. Names and values may be parts of the request's headers, which the first edit invalidates: they
/// are copied before it.
fn apply(stream: Stream<'_>, edits: &[HeaderMutation<'_>]) -> Result<(), HostError> {
    if edits.is_empty() {
        return Ok(());
    }
    let value = |edit: &HeaderMutation<'_>| edit.value.as_ref().map_or(0, |value| value.len());
    let mut bytes = Vec::with_capacity(edits.iter().map(|edit| edit.name.len() + value(edit)).sum());
    for edit in edits {
        bytes.extend_from_slice(&edit.name);
        bytes.extend_from_slice(edit.value.as_deref().unwrap_or_default());
    }
    let mut rest = &bytes[..];
    for edit in edits {
        let (name, after_name) = rest.split_at_checked(edit.name.len()).ok_or(HostError)?;
        let (bytes, after) = after_name.split_at_checked(value(edit)).ok_or(HostError)?;
        rest = after;
        stream.set_request_header(name, edit.value.is_some().then_some(bytes))?;
    }
    stream.clear_route_cache();
    Ok(())
}
