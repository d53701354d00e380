//! The steps of a decision, for whoever explains it. They are recorded by the evaluation itself, so there is no second one
//! that could differ.

use crate::model::{CredentialKind, DenyReason, Identity, Key, KeySource, Location, RoutePolicy};
use crate::secret::KeyDigest;

/// Receives the steps of one evaluation.
pub trait Trace<'a> {
    /// Whether values after the deciding one are judged too, so that a report is complete.
    const EXHAUSTIVE: bool;

    /// Records a step; the closure is not called where nothing is recorded.
    fn record(&mut self, step: impl FnOnce() -> Step<'a>);
}

/// Records nothing, at no cost.
pub struct NoTrace;

impl<'a> Trace<'a> for NoTrace {
    const EXHAUSTIVE: bool = false;

    fn record(&mut self, _: impl FnOnce() -> Step<'a>) {}
}

/// Records all steps, in order.
#[derive(Debug, Default)]
pub struct Steps<'a>(pub Vec<Step<'a>>);

impl<'a> Trace<'a> for Steps<'a> {
    const EXHAUSTIVE: bool = true;

    fn record(&mut self, step: impl FnOnce() -> Step<'a>) {
        self.0.push(step());
    }
}

/// One step of an evaluation. Secrets are identified by their digests.
#[derive(Debug)]
pub enum Step<'a> {
    /// A route was selected.
    Route {
        /// The number of the entry; `None` if no entry matches.
        entry: Option<usize>,
        /// What applies.
        policy: &'a RoutePolicy,
    },
    /// The path has more than one reading.
    AmbiguousPath {
        /// As it was sent, without its query.
        raw: &'a [u8],
        /// As the most permissive server would read it.
        normalized: Vec<u8>,
        /// Whether it is refused because the result depends on the order in which servers decode and resolve.
        depends_on_order: bool,
    },
    /// Locations have two different values.
    ConflictingValues {
        /// All of them.
        locations: Vec<&'a Location>,
    },
    /// A key source was read.
    KeyCandidate {
        /// Which one.
        source: &'a KeySource,
        /// Identifies its value.
        digest: Option<KeyDigest>,
        /// What was found.
        outcome: CandidateOutcome<'a>,
    },
    /// An identity was considered.
    Identity {
        /// Which one.
        identity: &'a Identity,
        /// What was found.
        outcome: IdentityOutcome<'a>,
    },
    /// It was checked whether the caller may do what the request asks for.
    Authorization(Result<(), DenyReason>),
    /// A value was considered as the client's own credential.
    ClientCredential {
        /// Where it is.
        location: &'a Location,
        /// What it is.
        kind: CredentialKind,
        /// Identifies it.
        digest: KeyDigest,
        /// What was found.
        verdict: ClientCredentialVerdict,
    },
    /// It was decided whether the deployment key is sent.
    DeploymentKey {
        /// Whether the caller has one.
        exists: bool,
        /// Whether it goes upstream.
        is_sent: bool,
    },
    /// Envoy's cluster was checked.
    Cluster {
        /// The one that Envoy has chosen, if that was read.
        cluster: Option<&'a [u8]>,
        /// Whether it may receive the provider's credentials.
        is_allowed: bool,
    },
}

/// What a key source has.
#[derive(Clone, Copy, Debug)]
pub enum CandidateOutcome<'a> {
    /// No value.
    Absent,
    /// A provider credential by its prefix, which is never a proxy key.
    ProviderCredential,
    /// A value that is not checked in this mode.
    NotChecked,
    /// A valid key: the caller is its consumer.
    Verified(&'a Key, KnownBy),
    /// Another valid key; the one of an earlier source counts.
    AlsoValid(&'a Key, KnownBy),
    /// A key that is not valid now.
    Invalid(&'a Key, KnownBy, DenyReason),
    /// Not a configured key, and nobody else is asked.
    Unknown,
    /// Not a configured key, and nothing about which the service may be asked.
    NeverLookedUp,
    /// Not a configured key: the service is to be asked.
    LookupNeeded,
    /// The service says that it is no key.
    NotAKey,
    /// The service did not say.
    Unavailable,
}

/// What Envoy says about the caller.
#[derive(Clone, Copy, Debug)]
pub enum IdentityOutcome<'a> {
    /// Nothing: the property is absent, or is not text.
    Absent,
    /// No consumer lists its values.
    Unlisted,
    /// The caller is a consumer by it.
    Verified(&'a Key),
    /// It stands for a consumer too; an earlier identity counts.
    EarlierCounts(&'a Key),
    /// It stands for a consumer; the request has a configured key, which counts.
    KeyCounts(&'a Key),
}

/// Who knows a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownBy {
    /// The configuration lists it.
    Configuration,
    /// The verification service says so.
    Service,
}

/// Whether a value is used as the client's own credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCredentialVerdict {
    /// It goes upstream.
    Selected,
    /// It could, but an earlier one does.
    NotNeeded,
    /// Nothing is known about the caller: the value could be a proxy key.
    CallerUnknown,
    /// The first run of a redirected request did not keep it for this provider.
    NotKeptForProvider,
    /// The policy lets no API key of the client's pass.
    ByokOff,
    /// The policy lets no OAuth token pass.
    OauthOff,
    /// It is the caller's proxy key.
    ProxyKey,
    /// It is the credential by which Envoy has authenticated the caller.
    IdentityCredential,
    /// It starts like another API's credential, or like a placeholder.
    WrongFormat,
    /// It is a list, a quoted string, or not visible ASCII.
    NotSingleToken,
    /// In the header that the API wants it in, it would overwrite the proxy key that is kept for the next hop.
    OverwritesProxyKey,
    /// It is a configured proxy key, of whichever consumer.
    ConfiguredKey,
}
