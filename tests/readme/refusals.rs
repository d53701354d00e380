//! The refusals' table names every reason, and each with its status.

use byok_core::DenyReason;

use crate::markdown::{quoted, table};

const REASONS: &[DenyReason] = &[
    DenyReason::AmbiguousPath,
    DenyReason::AmbiguousCredential,
    DenyReason::MissingApiKey,
    DenyReason::UnknownApiKey,
    DenyReason::ExpiredApiKey,
    DenyReason::NotYetValidApiKey,
    DenyReason::DisabledApiKey,
    DenyReason::VerificationUnavailable,
    DenyReason::ConsumerNotAllowed,
    DenyReason::ProviderNotAllowed,
    DenyReason::MissingProviderKey,
    DenyReason::ClusterNotAllowed,
];

#[test]
fn every_reason_is_in_the_table() {
    let described: Vec<(String, Vec<String>)> =
        table("status").into_iter().map(|row| (row[0].clone(), quoted(&row[1]))).collect();
    let known: Vec<(String, Vec<String>)> =
        REASONS.iter().map(|reason| (reason.status().to_string(), vec![reason.as_str().to_owned()])).collect();
    assert_eq!(described, known);
}
