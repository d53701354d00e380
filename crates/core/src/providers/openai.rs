//! The [OpenAI API](https://platform.openai.com/docs/api-reference/authentication) and those that follow it: a bearer token.

use super::{Profile, anthropic, bearer, bearer_header};
use crate::model::Dialect;

/// The subprotocol by which browsers send a key with a WebSocket
/// (<https://platform.openai.com/docs/guides/realtime-websocket>).
pub(super) const WEBSOCKET_PREFIX: &str = "openai-insecure-api-key.";

pub(super) fn profile() -> Profile {
    Profile {
        rules: vec![bearer(&["sk-"])],
        foreign_prefixes: &[anthropic::PREFIX],
        deployment_header: bearer_header(),
        is_gateway: false,
        dialect: Dialect::OpenAi,
    }
}
