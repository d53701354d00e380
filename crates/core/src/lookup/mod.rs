//! Lookups at the verification service: what to send, what a response means, which results are still valid, and which
//! requests wait for which. The carrier makes the calls.

mod cache;
mod request;
mod response;
mod single_flight;

pub use request::LookupRequest;
pub use single_flight::{LookupStart, MAX_WAITING, SingleFlight};

use cache::ResultCache;
