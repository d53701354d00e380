//! Applies the edits of a decision, as the shell has Envoy do it.

use byok_filter::HeaderMutation;

use crate::corpus::Line;

/// The headers after the edits, which act on all lines of a name, one after the other.
pub(crate) fn edited(mut lines: Vec<Line>, mutations: &[HeaderMutation<'_>]) -> Vec<Line> {
    for mutation in mutations {
        match mutation {
            HeaderMutation::Remove { name } => lines.retain(|(own, _)| **own != **name),
            HeaderMutation::Set { name, value } => {
                lines.retain(|(own, _)| **own != **name);
                lines.push((name.to_vec(), value.to_vec()));
            }
        }
    }
    lines
}
