//! Whether a variant does what it is measured for: the benchmark must not measure a path of errors.

use anyhow::{Context as _, Result, ensure};
use byok_testkit::envoy::Envoy;
use serde_json::Value;

use crate::bootstrap::SEEN;
use crate::client::Connection;
use crate::requests::{self, Credentials, PATH};
use crate::variants::{Expected, Variant};

/// Checks what becomes of the variant's request, and of others on which its job shows.
///
/// # Errors
/// Anything else comes of one of them than what is expected.
pub(super) fn verify(envoy: &Envoy, variant: &Variant) -> Result<()> {
    let measured = variant.requests.first().context("there is no request to send")?;
    let checks = variant.checks.iter().map(|(credentials, expected)| (credentials, expected));
    for (number, (credentials, expected)) in [(measured, &variant.expected)].into_iter().chain(checks).enumerate() {
        check(envoy, variant.name, credentials, expected)
            .with_context(|| format!("{} does not do what it is measured for (check {number})", variant.name))?;
    }
    Ok(())
}

fn check(envoy: &Envoy, listener: &str, credentials: &Credentials, expected: &Expected) -> Result<()> {
    let address = envoy.listener(listener)?;
    let measured = Connection::open(address, &requests::http1(PATH, credentials))?;
    let seen = Connection::open(address, &requests::http1(&format!("{SEEN}{PATH}"), credentials))?;
    let (measured, seen) = (measured.first_answer(), seen.first_answer());
    match expected {
        Expected::Upstream { proxy_key, provider_key, consumer } => {
            ensure!(measured.status() == Some(200), "expected 200, got {:?}", measured.status());
            let seen: Value =
                serde_json::from_str(&seen.body()).context("the stand-in for the upstream sent no JSON")?;
            let field = |name: &str| seen.get(name).and_then(Value::as_str);
            ensure!(field("proxy_key") == proxy_key.as_deref(), "the wrong proxy key, or none, reached the upstream");
            ensure!(
                field("provider_key") == Some(provider_key),
                "the wrong provider key, or none, reached the upstream"
            );
            ensure!(field("authorization").is_none(), "the header `authorization` reached the upstream");
            ensure!(field("consumer") == consumer.as_deref(), "the wrong consumer, or none, is in the filter state");
        }
        Expected::Refusal { body } => {
            ensure!(measured.status() == Some(401), "expected 401, got {:?}", measured.status());
            ensure!(measured.body().contains(body), "the refusal's body does not say {body}");
            ensure!(seen.status() == Some(401), "expected 401, got {:?}", seen.status());
        }
    }
    Ok(())
}
