//! The pure core of byok-filter: verifies proxy keys and keeps them apart from the provider credentials of LLM clients.
//!
//! ```text
//! configuration ──► Policy ──┐
//!        request headers ────┴──► decide() ──► Decision: header edits, a refusal, or a lookup
//! ```
//!
//! It knows no host, clock or log. A carrier reads the headers, calls [`decide()`] and applies the [`Decision`]; whoever
//! explains a decision calls [`decide_traced()`] and receives its [`Step`]s.

pub mod config;
mod decide;
pub mod http;
mod lookup;
pub mod model;
mod providers;
mod reply;
mod secret;
mod time;

pub use config::{ConfigError, Loaded, Secrets, Warning};
pub use decide::{
    CandidateOutcome, ClientCredentialVerdict, Context, CounterKey, Decision, EditReason, Effect, HeaderMutation,
    IdentityOutcome, KnownBy, NoTrace, RedirectState, Step, Steps, Trace, decide, decide_traced,
};
pub use http::RequestHeaders;
pub use lookup::{
    Completed, LookupEvent, LookupRequest, LookupStart, MAX_RESPONSE_BYTES, MAX_WAITING, NextStep, SingleFlight,
};
pub use model::{DenyReason, Lookup, LookupResult, LookupResults, Policy, RequestIdentities, VerificationService};
pub use reply::Reply;
pub use secret::{KeyDigest, Secret};
pub use time::Timestamp;
