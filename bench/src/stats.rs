//! Medians and spreads of measurements that are noisy.

/// The middle of some measurements, and how far they lie apart.
#[derive(Clone, Copy)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Spread {
    /// From the least to the greatest: for a few measurements.
    pub(super) fn of_all(values: impl IntoIterator<Item = f64>) -> Self {
        Self::between(values, 0.0, 1.0)
    }

    /// Between the quartiles: for many measurements, of which a few are always far off.
    pub(super) fn of_middle_half(values: impl IntoIterator<Item = f64>) -> Self {
        Self::between(values, 0.25, 0.75)
    }

    fn between(values: impl IntoIterator<Item = f64>, low: f64, high: f64) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self { median: quantile(&values, 0.5), low: quantile(&values, low), high: quantile(&values, high) }
    }
}

/// Returns the value below which that share of the sorted values lies; not a number if there is none.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share * (sorted.len().max(1) - 1) as f64;
    let at = |index: f64| sorted.get(index as usize).copied().unwrap_or(f64::NAN);
    let (below, above) = (at(position.floor()), at(position.ceil()));
    below + (above - below) * position.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_in_any_order() {
        let odd = Spread::of_all([3.0, 1.0, 10.0]);
        assert_eq!((odd.median, odd.low, odd.high), (3.0, 1.0, 10.0));
        assert_eq!(Spread::of_all([4.0, 1.0, 2.0, 3.0]).median, 2.5);
        assert!(Spread::of_all([]).median.is_nan());
    }

    #[test]
    fn the_middle_half_leaves_out_what_is_far_off() {
        let spread = Spread::of_middle_half([1.0, 2.0, 3.0, 4.0, 1000.0]);
        assert_eq!((spread.median, spread.low, spread.high), (3.0, 2.0, 4.0));
    }

    #[test]
    fn a_quantile_lies_between_its_neighbours() {
        let values: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(quantile(&values, 0.99), 99.0);
        assert_eq!(quantile(&[1.0, 2.0], 0.25), 1.25);
    }
}
