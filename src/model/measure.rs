//! What is counted of records: connections, and sums of their measures beside them.
//!
//! Not here: which measures there are (`format`), and how they are shown (`report`). Invariant: sums
//! that come of records are added with `checked_plus` before they are counted anywhere; all others are
//! parts of such sums, and can not leave their 64 bits.

use std::ops::{AddAssign, SubAssign};

use serde::{Deserialize, Serialize};

/// The most measures of a run.
pub const MOST_MEASURES: usize = 4;

/// A number for each measure, in the order in which they were asked for; 0 for those that were not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PerMeasure(pub [u64; MOST_MEASURES]);

impl PerMeasure {
    /// A number of each of the first measures.
    pub fn of(numbers: &[u64]) -> Self {
        let mut all = PerMeasure::default();
        all.0.iter_mut().zip(numbers).for_each(|(mine, number)| *mine = *number);
        all
    }

    /// The number of one measure.
    pub fn get(&self, measure: usize) -> u64 {
        self.0.get(measure).copied().unwrap_or(0)
    }

    /// The sum of two; errors with the first measure of which it does not fit 64 bits.
    pub fn checked_plus(&self, other: &Self) -> Result<Self, usize> {
        let mut sum = *self;
        for (measure, (mine, theirs)) in sum.0.iter_mut().zip(other.0).enumerate() {
            *mine = mine.checked_add(theirs).ok_or(measure)?;
        }
        Ok(sum)
    }

    /// Whether no number is above that of another.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).all(|(mine, theirs)| *mine <= theirs)
    }
}

impl AddAssign for PerMeasure {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine += theirs);
    }
}

impl SubAssign for PerMeasure {
    #[inline(always)]
    fn sub_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine -= theirs);
    }
}

/// Connections, and the sums of their measures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Amount {
    /// How many connections.
    pub connections: u64,
    /// What their measures come to.
    pub sums: PerMeasure,
}

impl Amount {
    /// The sum of two, if all of it fits 64 bits.
    pub fn checked_plus(&self, other: &Self) -> Option<Self> {
        let connections = self.connections.checked_add(other.connections)?;
        Some(Amount { connections, sums: self.sums.checked_plus(&other.sums).ok()? })
    }
}

impl From<u64> for Amount {
    /// Connections that nothing is summed of.
    #[inline(always)]
    fn from(connections: u64) -> Self {
        Amount { connections, sums: PerMeasure([0; MOST_MEASURES]) }
    }
}

impl AddAssign for Amount {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        self.connections += other.connections;
        self.sums += other.sums;
    }
}

impl SubAssign for Amount {
    #[inline(always)]
    fn sub_assign(&mut self, other: Self) {
        self.connections -= other.connections;
        self.sums -= other.sums;
    }
}

/// What is counted of a pair at a time: connections alone, for which there is no code that sums, or an
/// amount.
pub trait Countable: Copy {
    /// Whether it has sums.
    const HAS_SUMS: bool;

    /// Of these connections and sums.
    fn of(connections: u64, sums: impl FnOnce() -> PerMeasure) -> Self;

    /// Connections and sums.
    fn amount(self) -> Amount;
}

impl Countable for u64 {
    const HAS_SUMS: bool = false;

    #[inline(always)]
    fn of(connections: u64, _: impl FnOnce() -> PerMeasure) -> Self {
        connections
    }

    #[inline(always)]
    fn amount(self) -> Amount {
        self.into()
    }
}

impl Countable for Amount {
    const HAS_SUMS: bool = true;

    #[inline(always)]
    fn of(connections: u64, sums: impl FnOnce() -> PerMeasure) -> Self {
        Amount { connections, sums: sums() }
    }

    #[inline(always)]
    fn amount(self) -> Amount {
        self
    }
}

/// What the measures of some records come to, and of how many of them each is not known: their lines
/// have no whole number there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// The sums.
    pub sums: PerMeasure,
    /// How many records add nothing to each, or only a part of what they should.
    pub missing: PerMeasure,
}

impl Measured {
    /// The sum of two, if all of it fits 64 bits.
    pub fn checked_plus(&self, other: &Self) -> Option<Self> {
        let (sums, missing) = (self.sums.checked_plus(&other.sums), self.missing.checked_plus(&other.missing));
        Some(Measured { sums: sums.ok()?, missing: missing.ok()? })
    }
}

impl AddAssign for Measured {
    fn add_assign(&mut self, other: Self) {
        self.sums += other.sums;
        self.missing += other.missing;
    }
}

/// What the measures of all that a run counts come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunTotal {
    /// Of all that was counted, that between windows too.
    pub amount: Amount,
    /// Of what counts.
    pub measured: Measured,
    /// Connections of what counts, beyond one for each line.
    pub more: u64,
    /// Lines that should say how many connections they stand for, and do not.
    pub unweighted: u64,
    /// Whether lines may stand for several connections.
    pub is_weighted: bool,
}

/// One measure of a window or of a run, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasureTotal {
    /// Its name.
    pub name: String,
    /// Its sum.
    pub sum: u64,
    /// Of how many records it is not known.
    pub missing: u64,
}

impl MeasureTotal {
    /// Of measures with these names.
    pub fn all(names: &[String], measured: &Measured) -> Vec<Self> {
        let total = |(at, name): (usize, &String)| MeasureTotal {
            name: name.clone(),
            sum: measured.sums.get(at),
            missing: measured.missing.get(at),
        };
        names.iter().enumerate().map(total).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_that_does_not_fit_says_of_which_measure() {
        let one = PerMeasure::of(&[1, u64::MAX]);
        assert_eq!(one.checked_plus(&PerMeasure::of(&[2])), Ok(PerMeasure::of(&[3, u64::MAX])));
        assert_eq!(one.checked_plus(&PerMeasure::of(&[2, 1])), Err(1));
        assert!(PerMeasure::of(&[1]).is_within(&one) && !one.is_within(&PerMeasure::of(&[1])));
        let most = Amount { connections: u64::MAX, ..Amount::default() };
        assert_eq!(most.checked_plus(&1.into()), None);
        assert_eq!(Amount::from(2).checked_plus(&3.into()), Some(5.into()));
    }
}
