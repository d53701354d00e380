//! HTTP as filters see it: header lines that may repeat, paths that servers read differently, queries, cookies, schemes.
//! All of it is bytes.

pub mod cookies;
mod headers;
mod name;
pub mod path;
pub mod query;
mod scheme;

pub use headers::RequestHeaders;
pub(crate) use name::NameSketch;
pub use name::{HeaderName, reads_like};
pub use scheme::{carries, is_visible_ascii, strip_scheme, trim};
pub(crate) use scheme::{starts_with, starts_with_any};
