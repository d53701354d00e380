//! The [OpenAI API](https://platform.openai.com/docs/api-reference/authentication): a bearer token, or the item of a
//! WebSocket's subprotocols.

use super::{Profile, bearer, bearer_header, key_in};
use crate::model::{Dialect, KeySource, Location};

/// The vendor.
pub(super) const VENDOR: &str = "openai";

/// The subprotocol by which browsers send a key with a WebSocket
/// (<https://platform.openai.com/docs/guides/realtime-websocket>; openai/openai-node, `src/realtime/websocket.ts`).
pub(super) const WEBSOCKET_PREFIX: &str = "openai-insecure-api-key.";

/// API keys (gitleaks rule `openai-api-key`, TruffleHog detector `openai`), and the ephemeral keys of the realtime API
/// (<https://platform.openai.com/docs/api-reference/realtime-sessions>; the prefix: openai/openai-node,
/// `src/realtime/websocket.ts`).
const PREFIXES: &[&str] = &["sk-", "ek_"];

pub(super) fn profile() -> Profile {
    Profile {
        rules: vec![bearer(PREFIXES), key_in(Location::WebSocketProtocol(WEBSOCKET_PREFIX.into()), PREFIXES)],
        // Also where the configuration replaces the rules.
        extra_sources: vec![websocket_source()],
        vendor: Some(VENDOR),
        // openai/openai-python, `default_headers` in `src/openai/_client.py`.
        companions: &["openai-organization", "openai-project"],
        deployment_header: bearer_header(),
        is_gateway: false,
        dialect: Dialect::OpenAi,
    }
}

/// The subprotocol as a key source, for this API and those whose clients use it too.
pub(super) fn websocket_source() -> KeySource {
    KeySource::new(Location::WebSocketProtocol(WEBSOCKET_PREFIX.into()), None)
}
