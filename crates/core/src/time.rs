//! Points in time, in milliseconds: enough for key dates, and a comparison costs nothing.

use std::time::{Duration, SystemTime};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Lies before every other one.
    pub const MIN: Self = Self(i64::MIN);
    /// Lies after every other one.
    pub const MAX: Self = Self(i64::MAX);

    /// Returns the time that lies this much later.
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(milliseconds(duration)))
    }

    /// Reads an RFC 3339 date and time; what is finer than a millisecond is cut off.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let nanoseconds = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos();
        i64::try_from(nanoseconds.div_euclid(1_000_000)).ok().map(Self)
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => Self(milliseconds(since)),
            Err(before) => Self(-milliseconds(before.duration())),
        }
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_fractions_are_understood() {
        assert_eq!(Timestamp::from_rfc3339("1970-01-01T01:00:00.0019+01:00"), Some(Timestamp(1)));
        assert_eq!(Timestamp::from_rfc3339("2027-01-31T00:00:00Z"), Some(Timestamp(1_801_353_600_000)));
    }

    #[test]
    fn a_date_without_time_or_offset_is_none() {
        for text in ["2027-01-31", "2027-01-31T00:00:00", "2027-02-30T00:00:00Z", ""] {
            assert_eq!(Timestamp::from_rfc3339(text), None, "{text}");
        }
    }
}
