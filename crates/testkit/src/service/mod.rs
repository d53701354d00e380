//! A verification service, and an Envoy whose filter asks it.

mod issuer;
mod scene;

pub use issuer::{Gate, Issuer, json, knows, path_for};
pub use scene::{ALICE, CONFIGURED, DEPLOYMENT_KEY, HOST, SERVICE_KEY, Scene, ask, configuration, request, send, site};
