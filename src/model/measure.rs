//! What is counted of records: connections, and sums of their measures beside them; and when the first
//! and the last of them was.
//!
//! Not here: which measures there are (`format`), and how they are shown (`report`). Invariant: sums
//! that come of records are added with `checked_plus` before they are counted anywhere; all others are
//! parts of such sums, and can not leave their 64 bits. Times are kept as numbers of which the larger
//! one counts, so that they go wherever sums go; they cannot be taken off again.

use std::ops::{AddAssign, SubAssign};

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// The most measures of a run that are summed.
pub const MOST_MEASURES: usize = 4;

/// The names of the two measures that are times.
pub const SEEN: [&str; 2] = ["first_seen", "last_seen"];

/// The places of times, behind those of sums.
const TIMES: [usize; 2] = [MOST_MEASURES, MOST_MEASURES + 1];

/// Places of numbers.
const PLACES: usize = MOST_MEASURES + TIMES.len();

/// A number for each measure: sums in the order in which they were asked for, then times; 0 for those
/// that were not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PerMeasure(pub [u64; PLACES]);

/// Which measures there are: how many sums, and whether times are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MeasureSet {
    sums: usize,
    times: bool,
}

impl MeasureSet {
    /// Of measures with these names, of which times come last.
    pub fn of(names: &[String]) -> Self {
        let times = names.len() >= SEEN.len() && names[names.len() - SEEN.len()..] == SEEN;
        MeasureSet { sums: (names.len() - if times { SEEN.len() } else { 0 }).min(MOST_MEASURES), times }
    }

    /// Some sums, without times.
    pub fn of_sums(sums: usize) -> Self {
        MeasureSet { sums: sums.min(MOST_MEASURES), times: false }
    }

    /// Whether there are none.
    #[inline(always)]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// How many there are.
    #[inline(always)]
    pub fn len(self) -> usize {
        self.sums + if self.times { TIMES.len() } else { 0 }
    }

    /// How many are sums.
    pub fn sums(self) -> usize {
        self.sums
    }

    /// Whether times are kept.
    pub fn has_times(self) -> bool {
        self.times
    }

    /// The place of each in a `PerMeasure`, in the order of their names.
    #[inline(always)]
    pub fn places(self) -> impl Iterator<Item = usize> + Clone {
        (0..self.sums).chain(TIMES.into_iter().filter(move |_| self.times))
    }

    /// The place of the one with this number in the order of names.
    pub fn place(self, at: usize) -> usize {
        if at < self.sums { at } else { MOST_MEASURES + (at - self.sums) }
    }

    /// Whether a number in any other place is not 0.
    pub fn lacks_any_of(self, numbers: &PerMeasure) -> bool {
        let is_known = |place: usize| self.places().any(|known| known == place);
        numbers.0.iter().enumerate().any(|(place, number)| *number > 0 && !is_known(place))
    }
}

/// Two numbers of a place as one.
#[inline(always)]
fn joined(place: usize, one: u64, other: u64) -> u64 {
    if place < MOST_MEASURES { one + other } else { one.max(other) }
}

impl PerMeasure {
    /// A number of each of the first sums.
    pub fn of(numbers: &[u64]) -> Self {
        let mut all = PerMeasure::default();
        all.0.iter_mut().take(MOST_MEASURES).zip(numbers).for_each(|(mine, number)| *mine = *number);
        all
    }

    /// The same, seen at one instant.
    pub fn seen_at(mut self, time: Timestamp) -> Self {
        let [first, last] = TIMES;
        (self.0[first], self.0[last]) = (!number_of(time), number_of(time));
        self
    }

    /// When the first and the last was seen; `None` if none was.
    pub fn seen(&self) -> Option<[Timestamp; 2]> {
        let [first, last] = TIMES.map(|place| self.0[place]);
        (last > 0).then(|| [!first, last].map(time_of))
    }

    /// Whether the first time seen is not behind the last, of numbers that have times or not.
    pub fn has_times_in_order(&self, has_times: bool) -> bool {
        self.seen().map_or(!has_times, |[first, last]| first <= last)
    }

    /// The number at a place.
    pub fn get(&self, place: usize) -> u64 {
        self.0.get(place).copied().unwrap_or(0)
    }

    /// Adds to the number at a place.
    #[inline(always)]
    pub fn add_at(mine: &mut u64, place: usize, more: u64) {
        *mine = joined(place, *mine, more);
    }

    /// The two together; errors with the first sum that does not fit 64 bits.
    pub fn checked_plus(&self, other: &Self) -> Result<Self, usize> {
        let mut sum = *self;
        for (place, (mine, theirs)) in sum.0.iter_mut().zip(other.0).enumerate() {
            *mine = match place < MOST_MEASURES {
                true => mine.checked_add(theirs).ok_or(place)?,
                false => joined(place, *mine, theirs),
            };
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
        for (place, (mine, theirs)) in self.0.iter_mut().zip(other.0).enumerate() {
            *mine = joined(place, *mine, theirs);
        }
    }
}

impl SubAssign for PerMeasure {
    /// Takes sums off. Times stay: of those that are left, they may be other ones.
    #[inline(always)]
    fn sub_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).take(MOST_MEASURES).for_each(|(mine, theirs)| *mine -= theirs);
    }
}

/// An instant as a number above 0 that is larger the later it is. No record has the lowest instant.
fn number_of(time: Timestamp) -> u64 {
    (time.nanos() as u64) ^ (1 << 63)
}

fn time_of(number: u64) -> Timestamp {
    Timestamp::from_nanos((number ^ (1 << 63)) as i64)
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
        Amount { connections, sums: PerMeasure([0; PLACES]) }
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
    /// Of the sums among measures with these names.
    pub fn all(names: &[String], measured: &Measured) -> Vec<Self> {
        let total = |(at, name): (usize, &String)| MeasureTotal {
            name: name.clone(),
            sum: measured.sums.get(at),
            missing: measured.missing.get(at),
        };
        names.iter().take(MeasureSet::of(names).sums()).enumerate().map(total).collect()
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

    #[test]
    fn of_times_the_first_and_the_last_are_kept() {
        let at = |seconds: i64| PerMeasure::of(&[1]).seen_at(Timestamp::from_seconds(seconds));
        assert_eq!(PerMeasure::of(&[1]).seen(), None);
        for order in [[-5, 0, 7], [7, -5, 0], [0, 7, -5]] {
            let mut all = PerMeasure::default();
            order.into_iter().for_each(|seconds| all += at(seconds));
            assert_eq!(all.seen(), Some([-5, 7].map(Timestamp::from_seconds)), "{order:?}");
            assert_eq!(all.checked_plus(&at(9)).unwrap().seen(), Some([-5, 9].map(Timestamp::from_seconds)));
            all -= at(7);
            assert_eq!((all.get(0), all.seen()), (2, Some([-5, 7].map(Timestamp::from_seconds))));
        }
    }

    #[test]
    fn times_that_cannot_be_are_told() {
        let at = |seconds: i64| PerMeasure::default().seen_at(Timestamp::from_seconds(seconds));
        let mut turned = at(5);
        turned.0[TIMES[1]] = at(4).0[TIMES[1]];
        assert_eq!([at(5), turned, PerMeasure::of(&[1])].map(|it| it.has_times_in_order(true)), [true, false, false]);
        assert!(PerMeasure::of(&[1]).has_times_in_order(false));
    }

    #[test]
    fn times_come_behind_the_sums_whichever_there_are() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for (named, sums, places) in [
            (names(&[]), 0, vec![]),
            (names(&["a"]), 1, vec![0]),
            (names(&SEEN), 0, vec![4, 5]),
            (names(&["a", "b", "first_seen", "last_seen"]), 2, vec![0, 1, 4, 5]),
        ] {
            let set = MeasureSet::of(&named);
            assert_eq!((set.sums(), set.places().collect::<Vec<_>>()), (sums, places.clone()));
            assert_eq!((0..set.len()).map(|at| set.place(at)).collect::<Vec<_>>(), places);
            assert_eq!(set.is_empty(), named.is_empty());
        }
    }
}
