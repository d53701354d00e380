//! Whether the service as a whole answers, and how often something is done while it does not.

use std::time::Duration;

use crate::time::Timestamp;

/// How often the service is asked again while keys pass in spite of its failures.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// How often it is reported that the service refuses the filter itself.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// What one worker knows of the service.
#[derive(Default)]
pub(super) struct Outage {
    /// When the service last gave a clear answer, about whichever key.
    answered_at: Option<Timestamp>,
    probes: Periodic,
    reports: Periodic,
}

impl Outage {
    /// Remembers a clear answer: the service is available again.
    pub(super) fn end(&mut self, now: Timestamp) {
        self.answered_at = Some(now);
    }

    /// Whether the service has given no clear answer since a failure.
    pub(super) fn lasts_since(&self, failed_at: Timestamp) -> bool {
        self.answered_at.is_none_or(|answered_at| answered_at < failed_at)
    }

    /// Whether the service is to be asked again for no request in particular.
    pub(super) fn is_probe_due(&mut self, now: Timestamp) -> bool {
        self.probes.is_due(PROBE_EVERY, now)
    }

    /// Counts a call that has failed as a probe.
    pub(super) fn put_off_probe(&mut self, now: Timestamp) {
        self.probes.done_at = Some(now);
    }

    /// Whether it is to be reported that the service refuses the filter itself.
    pub(super) fn is_report_due(&mut self, now: Timestamp) -> bool {
        self.reports.is_due(REPORT_EVERY, now)
    }
}

/// Something that is done now and then.
#[derive(Default)]
struct Periodic {
    done_at: Option<Timestamp>,
}

impl Periodic {
    /// Whether it is done now. A clock that is set back puts nothing off.
    fn is_due(&mut self, period: Duration, now: Timestamp) -> bool {
        let is_due = self.done_at.is_none_or(|done_at| now < done_at || done_at.after(period) <= now);
        if is_due {
            self.done_at = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::default().after(Duration::from_secs(seconds))
    }

    #[test]
    fn an_outage_lasts_until_the_service_answers() {
        let mut outage = Outage::default();
        assert!(outage.lasts_since(at(10)));
        outage.end(at(20));
        assert!(!outage.lasts_since(at(10)) && !outage.lasts_since(at(20)));
        assert!(outage.lasts_since(at(21)));
    }

    #[test]
    fn a_refusal_of_the_filter_is_reported_once_a_minute_whatever_the_clock_does() {
        let mut outage = Outage::default();
        let reported: Vec<bool> = [100, 101, 159, 160, 161, 50, 51].map(|now| outage.is_report_due(at(now))).into();
        assert_eq!(reported, [true, false, false, true, false, true, false]);
    }
}
