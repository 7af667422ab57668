//! A share in per cent, to two decimals.
//!
//! Not here: of what it is a share. Invariant: it is the exact share, rounded once to hundredths of
//! a per cent, a half upwards, without floating point; so it is the same in every medium.

use std::fmt;

/// A share in per cent, in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u64);

impl Percent {
    /// What a part is of a whole; of nothing, everything is nothing.
    pub fn of(part: u64, whole: u64) -> Self {
        if whole == 0 {
            return Percent(0);
        }
        // At most 2^64 times 2^14 and a little: no sum is near 128 bits.
        let (part, whole) = (u128::from(part), u128::from(whole));
        Percent(u64::try_from((part * 20_000 + whole) / (2 * whole)).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:02}", self.0 / 100, self.0 % 100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shares_have_two_decimals_and_a_half_is_rounded_upwards() {
        for (part, whole, expected) in [
            (0, 7, "0.00"),
            (1, 3, "33.33"),
            (2, 3, "66.67"),
            (7, 7, "100.00"),
            (1, 20_000, "0.01"),
            (1, 20_001, "0.00"),
            (3, 20_000, "0.02"),
            (19_999, 20_000, "100.00"),
            (19_998, 20_000, "99.99"),
            (3, 2, "150.00"),
            (0, 0, "0.00"),
            (5, 0, "0.00"),
            (u64::MAX, u64::MAX, "100.00"),
            (u64::MAX / 2, u64::MAX, "50.00"),
        ] {
            assert_eq!(Percent::of(part, whole).to_string(), expected, "{part} of {whole}");
        }
        assert_eq!(Percent::of(u64::MAX, 1), Percent(u64::MAX), "beyond what there is, the most that there is");
    }

    proptest! {
        #[test]
        fn a_share_is_nowhere_more_than_half_a_hundredth_off(part: u64, whole in 1u64..) {
            let part = part.min(whole);
            let hundredths = u128::from(Percent::of(part, whole).0);
            // Twice the difference between the share and its hundredths, times the whole.
            let (exact, rounded) = (u128::from(part) * 20_000, hundredths * 2 * u128::from(whole));
            prop_assert!(exact < rounded + u128::from(whole) && rounded <= exact + u128::from(whole));
        }
    }
}
