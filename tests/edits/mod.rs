//! Applies the edits of a decision, as the carrier has Envoy do it.
#![allow(dead_code, reason = "each runner uses its part")]

use byok_core::HeaderMutation;
use byok_testkit::corpus::Line;

/// Returns the headers after the edits, each of which applies to all lines of a name.
pub(crate) fn edited(mut lines: Vec<Line>, edits: &[HeaderMutation<'_>]) -> Vec<Line> {
    for edit in edits {
        lines.retain(|(own, _)| **own != *edit.name);
        lines.extend(edit.value.as_ref().map(|value| (edit.name.to_vec(), value.to_vec())));
    }
    lines
}
