//! `verification_service`: who is asked about keys that the configuration does not list.

use std::time::Duration;

use super::Environment;
use super::consumers::header_secret;
use super::names::{EXPECTED_HEADER, EXPECTED_TOKEN, credential_header, is_name, is_token};
use crate::config::diagnostics::Diagnostics;
use crate::config::path::Path;
use crate::config::wire;
use crate::http::is_visible_ascii;
use crate::model::{SendAs, VerificationService};
use crate::providers::never_looked_up;

const PATH: Path<'static> = Path::Top("verification_service");

/// Checks the service; what is left out has a default that suits a LiteLLM in the same cluster.
pub(super) fn check(
    wire: wire::VerificationService,
    environment: Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<VerificationService> {
    let path = PATH;
    if !is_name(&wire.cluster) {
        diagnostics.error(path.field("cluster"), "expected the name of a cluster");
    }
    let authority = wire.authority.unwrap_or_else(|| wire.cluster.clone());
    if !is_name(&authority) {
        diagnostics.error(path.field("authority"), "expected a host name");
    }
    if !wire.path.starts_with('/') || !is_visible_ascii(wire.path.as_bytes()) || wire.path.contains('#') {
        diagnostics.error(path.field("path"), "expected a path that starts with /");
    }
    if wire.consumer_from.as_ref().is_some_and(|pointer| !pointer.starts_with('/')) {
        diagnostics.error(path.field("consumer_from"), "expected a JSON pointer, such as /info/key_alias");
    }
    let service_key =
        wire.service_key.and_then(|key| header_secret(key, path.field("service_key"), environment, diagnostics));
    let send_as = send_as(wire.send_as, diagnostics);
    if service_key.is_some() && matches!(&send_as, Some(SendAs::Header(name, _)) if **name == *"authorization") {
        diagnostics
            .error(path.field("service_key"), "expected the candidate in another header: both go into authorization");
    }
    let mut duration = |field: &'static str, text: Option<Box<str>>, default: Duration| {
        let read = text.map_or(Some(default), |text| duration(&text));
        if read.is_none() {
            diagnostics.error(path.field(field), "expected a time up to one day, such as 500ms, 2s, 5m");
        }
        read
    };
    let timeout = duration("timeout", wire.timeout, Duration::from_secs(2));
    let cache_ttl = duration("cache_ttl", wire.cache_ttl, Duration::from_secs(60));
    let negative_cache_ttl = duration("negative_cache_ttl", wire.negative_cache_ttl, Duration::from_secs(5));
    let stale_if_error = duration("stale_if_error", wire.stale_if_error, Duration::ZERO);
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        diagnostics.error(path.field("timeout"), "must be greater than 0");
    }
    let mut count = |field: &'static str, number: Option<f64>, default: usize, most: usize| {
        let read = number.map_or(Some(default), |number| whole(number, most));
        if read.is_none() {
            diagnostics.error(path.field(field), &format!("expected a whole number from 1 to {most}"));
        }
        read
    };
    let cache_max_entries = count("cache_max_entries", wire.cache_max_entries, 10_000, 1_000_000);
    let max_in_flight = count("max_in_flight", wire.max_in_flight, 100, 100_000);
    Some(VerificationService {
        authority,
        cluster: wire.cluster,
        path: wire.path,
        service_key,
        consumer_from: wire.consumer_from,
        cache_max_entries: cache_max_entries?,
        max_in_flight: max_in_flight?,
        timeout: timeout?,
        cache_ttl: cache_ttl?,
        negative_cache_ttl: negative_cache_ttl?,
        stale_if_error: stale_if_error?,
        send_as: send_as?,
        never_sent: never_looked_up(),
    })
}

fn send_as(wire: wire::SendAs, diagnostics: &mut Diagnostics) -> Option<SendAs> {
    let path = PATH.field("send_as");
    match (wire.sha256_query, wire.header, wire.scheme) {
        (Some(parameter), None, None) => {
            let fits = is_token(&parameter) && !parameter.contains(['&', '#', '%', '+']);
            if !fits {
                diagnostics.error(path.field("sha256_query"), "expected the name of a parameter");
            }
            fits.then_some(SendAs::Sha256Query(parameter))
        }
        (None, Some(header), scheme) => {
            let name = credential_header(&header);
            if name.is_none() {
                diagnostics.error(path.field("header"), EXPECTED_HEADER);
            }
            if scheme.as_deref().is_some_and(|scheme| !is_token(scheme)) {
                diagnostics.error(path.field("scheme"), EXPECTED_TOKEN);
            }
            name.map(|name| SendAs::Header(name, scheme.map(Into::into)))
        }
        _ => {
            diagnostics.error(path, "expected either sha256_query or header, the latter with or without scheme");
            None
        }
    }
}

/// Reads a whole number with its unit: `ms`, `s`, `m` or `h`.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let duration = Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(milliseconds)?);
    (duration <= Duration::from_secs(86_400)).then_some(duration)
}

/// Takes a JSON number for a count: some control planes write every number as a double.
fn whole(number: f64, most: usize) -> Option<usize> {
    let in_range = number.fract() == 0.0 && (1.0..=most as f64).contains(&number);
    in_range.then_some(number as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit_and_is_at_most_a_day() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("2s"), Some(Duration::from_secs(2)));
        assert_eq!(duration("24h"), Some(Duration::from_secs(86_400)));
        for text in ["", "2", "s", "-1s", "1.5s", "25h", "2 s", "99999999999999999999s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_count_may_be_written_as_a_double() {
        assert_eq!(whole(100.0, 1_000), Some(100));
        for number in [0.0, 1.5, -1.0, 1_001.0, f64::NAN] {
            assert_eq!(whole(number, 1_000), None, "{number}");
        }
    }
}
