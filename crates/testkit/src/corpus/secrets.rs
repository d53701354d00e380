//! What must be read in no log: every word that a client or the environment could have meant as a secret.

use std::collections::BTreeSet;

use serde_json::Value;

use super::message::escape;
use super::{Case, Corpus};

/// Headers whose values are no secrets and may be configured words.
const HARMLESS: [&str; 12] = [
    "accept",
    "connection",
    "content-type",
    "expect",
    "host",
    "te",
    "upgrade",
    "user-agent",
    "x-request-id",
    "anthropic-beta",
    "anthropic-version",
    "content-length",
];
/// Shorter words stand in ordinary text.
const SHORTEST: usize = 5;

/// The words of the request, the environment and the configuration that no log may show.
pub fn secrets_of(corpus: &Corpus, case: &Case) -> BTreeSet<Vec<u8>> {
    let mut secrets = clear_text_of(corpus, &case.configuration.json);
    for (name, value) in &case.request.lines {
        let name = escape(&name.to_ascii_lowercase());
        if !HARMLESS.contains(&name.as_str()) {
            secrets.extend(words(value));
        }
    }
    let path = case.request.path.as_deref().unwrap_or_default();
    if let Some(at) = path.iter().position(|&byte| byte == b'?') {
        let values = path[at + 1..].split(|&byte| byte == b'&').filter_map(|pair| {
            let at = pair.iter().position(|&byte| byte == b'=')?;
            Some(&pair[at + 1..])
        });
        secrets.extend(values.flat_map(words));
    }
    // A forged identity or a public name may be a word of the record, which is no secret.
    secrets.retain(|word| {
        word.len() >= SHORTEST
            && !word.eq_ignore_ascii_case(b"Bearer")
            && !case.record.values().flatten().any(|part| part.as_bytes() == word)
    });
    secrets
}

/// Panics where a log line shows a secret.
pub fn assert_no_secret_in<'l>(logs: impl IntoIterator<Item = &'l str>, secrets: &BTreeSet<Vec<u8>>, whose: &str) {
    for line in logs {
        for secret in secrets {
            let shown = line.as_bytes().windows(secret.len()).any(|window| window == secret.as_slice());
            assert!(!shown, "{whose}: a log line shows the secret `{}`: {line}", escape(secret));
        }
    }
}

/// The secrets that a configuration holds or names.
pub fn clear_text_of(corpus: &Corpus, json: &str) -> BTreeSet<Vec<u8>> {
    let mut secrets: BTreeSet<Vec<u8>> =
        corpus.environment.values().map(|value| value.trim().as_bytes().to_vec()).collect();
    if let Ok(json) = serde_json::from_str(json) {
        collect_values(&json, &mut secrets);
    }
    secrets.retain(|word| word.len() >= SHORTEST);
    secrets
}

fn collect_values(json: &Value, secrets: &mut BTreeSet<Vec<u8>>) {
    match json {
        Value::Array(items) => items.iter().for_each(|item| collect_values(item, secrets)),
        Value::Object(fields) => {
            for (name, field) in fields {
                match field.as_str() {
                    Some(text) if name == "value" || name == "sha256" => drop(secrets.insert(text.as_bytes().to_vec())),
                    _ => collect_values(field, secrets),
                }
            }
        }
        _ => {}
    }
}

fn words(value: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let parts = value.split(|byte| b" \t,;=\"".contains(byte)).map(<[u8]>::to_vec);
    std::iter::once(value.to_vec()).chain(parts)
}
