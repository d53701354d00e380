//! An Envoy proxy-wasm filter that verifies proxy keys and keeps them apart from the provider
//! credentials of LLM clients.
//!
//! ```text
//! Envoy worker ──► filter (thin shell, wasm only) ──► decide() (pure core) ──► Decision ──► filter applies it
//!    headers as bytes, one host call                 no host, no clock, no log      few header edits, or a local reply
//! ```
//!
//! [`Policy::from_json`] checks a configuration once; [`decide()`] holds each request against it.

mod authenticate;
#[cfg(not(target_family = "wasm"))]
pub mod cli;
mod config;
mod decide;
mod earlier;
#[cfg(all(target_arch = "wasm32", target_os = "wasi"))]
mod filter;
mod policy;
mod provider;
mod record;
mod refusal;
mod request;
mod route;
mod secret;
mod timestamp;
mod upstream;
mod verify;

pub use config::{ConfigError, Loaded, Warning};
pub use decide::{Circumstances, Decision, decide};
pub use earlier::EarlierPass;
pub use policy::{Key, Policy};
pub use record::{CounterKey, Record};
pub use refusal::{DenyReason, Refusal};
pub use request::RequestHeaders;
pub use secret::{KeyDigest, Secret};
pub use timestamp::Timestamp;
pub use upstream::HeaderMutation;
pub use verify::{Answer, Answers, Asked, Inquiries, MAX_WAITING, Question, ServiceRequest, VerificationService};
