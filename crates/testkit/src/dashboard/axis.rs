//! Ticks at round values.

/// An axis from zero.
pub(super) struct Axis {
    /// The value at its end.
    pub(super) end: f64,
    step: f64,
}

impl Axis {
    /// Returns an axis with room for `greatest` and no more than `ticks` ticks above zero.
    pub(super) fn new(greatest: f64, ticks: u32) -> Self {
        let at_least = greatest.max(1e-9) / f64::from(ticks);
        let power = 10_f64.powf(at_least.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0]
            .into_iter()
            .map(|round| round * power)
            .find(|step| *step >= at_least * 0.999_999);
        let step = step.unwrap_or(10.0 * power);
        Self { end: step * (greatest / step - 1e-9).ceil().max(1.0), step }
    }

    /// Returns each tick with its label.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let count = (self.end / self.step).round() as u32;
        let decimals =
            [0, 1, 2].into_iter().find(|decimals| is_whole(self.step * 10_f64.powi(*decimals))).unwrap_or(3) as usize;
        (0..=count)
            .map(|tick| f64::from(tick) * self.step)
            .map(|value| (value, format!("{value:.decimals$}")))
            .collect()
    }
}

fn is_whole(value: f64) -> bool {
    (value - value.round()).abs() < 1e-9
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(greatest: f64) -> Vec<String> {
        Axis::new(greatest, 4).ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_and_the_greatest_value_is_below_the_last() {
        assert_eq!(labels(17.3), ["0", "5", "10", "15", "20"]);
        assert_eq!(labels(0.9), ["0.00", "0.25", "0.50", "0.75", "1.00"]);
        assert_eq!(labels(4.0), ["0", "1", "2", "3", "4"]);
        assert!(Axis::new(0.0, 4).end > 0.0);
    }
}
