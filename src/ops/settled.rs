//! What is done with: the connections of windows whose results cannot change any more.
//!
//! Counts that were forgotten too early look like counts that never were. So the code that closes
//! windows adds up what they held before it is dropped, and compares the sum, with what is still
//! there, with the balance sheet. Invariant (`check`): connections settled + in open buckets =
//! counted. That a bucket is settled says that all windows that hold it have closed, and that
//! nothing more is counted into it.

use serde::{Deserialize, Serialize};

use crate::tally::Tally;

use super::close::Closer;

/// The connections that are settled, by the windows that hold them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The first window that is not settled, once any has closed. What is before it is.
    before: Option<i64>,
    /// The connections before it.
    connections: u64,
}

impl Settled {
    /// The first window that is not settled, once any has closed.
    pub fn before(&self) -> Option<i64> {
        self.before
    }

    /// The connections that are settled.
    pub fn connections(&self) -> u64 {
        self.connections
    }

    /// Settles all windows before `open`, of which the tally still has everything.
    pub fn advance(&mut self, open: i64, closer: &Closer, tally: &Tally) {
        if self.before.is_none_or(|before| before < open) {
            self.connections += sum(closer, tally, self.first_open(closer), first_bucket(closer, open));
            self.before = Some(open);
        }
    }

    /// Errors with what is wrong unless all that is `counted` is settled or still there.
    pub fn check(&self, closer: &Closer, tally: &Tally, counted: u64) -> Result<(), String> {
        let open = sum(closer, tally, self.first_open(closer), i64::MAX);
        if self.connections.checked_add(open) == Some(counted) {
            return Ok(());
        }
        let settled = self.connections;
        Err(format!("{settled} connections in windows that are done with and {open} in open ones, {counted} counted"))
    }

    fn first_open(&self, closer: &Closer) -> i64 {
        self.before.map_or(i64::MIN, |before| first_bucket(closer, before))
    }
}

fn first_bucket(closer: &Closer, k: i64) -> i64 {
    closer.layout(closer.grid().window(k)).first_bucket
}

/// The connections in buckets that a window holds. Those between windows are kept for comparisons,
/// and do not count.
fn sum(closer: &Closer, tally: &Tally, from: i64, end: i64) -> u64 {
    let buckets = tally.buckets().range(from..end.max(from));
    buckets.filter(|(bucket, _)| closer.covers(**bucket)).map(|(_, connections)| connections).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::time::SECOND;
    use crate::model::{Grid, Timestamp};
    use crate::ops::close::Windows;

    fn closer(length: i64, period: i64, previous: bool) -> (Closer, Tally) {
        let (length, period) = (length * SECOND, period * SECOND);
        let grid = Grid { anchor: Timestamp::from_seconds(0), length, period, first: None };
        let buckets = Windows::Every(grid).buckets(SECOND);
        let tally = Tally::new(Windows::Every(grid).shape(&buckets, 0), Default::default());
        (Closer::new(grid, buckets, previous), tally)
    }

    proptest! {
        #[test]
        fn whatever_is_dropped_in_order_is_settled_and_whatever_else_is_dropped_is_noticed(
            (length, period, previous) in (1i64..12, 1i64..12, any::<bool>()),
            stamps in proptest::collection::vec(0i64..100, 1..60),
            early in 0i64..3,
        ) {
            let (mut closer, mut tally) = closer(length, period, previous);
            let covered: Vec<i64> = stamps.into_iter().filter(|at| closer.grid().covers(Timestamp::from_seconds(*at))).collect();
            prop_assume!(!covered.is_empty());
            covered.iter().for_each(|at| tally.add(*at, b"a", b"b", 1));
            let counted = covered.len() as u64;
            let time = |at: Option<&i64>| Timestamp::from_seconds(*at.unwrap());
            let extent = Some((time(covered.iter().min()), time(covered.iter().max())));
            let mut settled = Settled::default();
            prop_assert_eq!(settled.check(&closer, &tally, counted), Ok(()));
            while let Some(window) = closer.due(Timestamp::MAX, extent) {
                let (_, needed) = closer.close(window, 1);
                let next = closer.next().unwrap();
                settled.advance(next, &closer, &tally);
                // As if a window further on were the lowest that is needed.
                let dropped = if early > 0 { closer.first_needed(next + early) } else { needed };
                let kept = tally.connections(first_bucket(&closer, next), i64::MAX);
                let covered = sum(&closer, &tally, first_bucket(&closer, next), i64::MAX);
                tally.drop_before(dropped);
                let lost = covered - sum(&closer, &tally, first_bucket(&closer, next), i64::MAX);
                prop_assert!(early > 0 || lost == 0, "{} of {} are gone", lost, kept);
                prop_assert_eq!(settled.check(&closer, &tally, counted).is_err(), lost > 0);
                if lost > 0 {
                    return Ok(());
                }
            }
            prop_assert_eq!(settled.check(&closer, &tally, counted), Ok(()));
        }
    }

    #[test]
    fn what_was_settled_once_is_not_settled_again() {
        let (closer, mut tally) = closer(10, 10, false);
        tally.add(3, b"a", b"b", 2);
        tally.add(13, b"a", b"b", 5);
        let mut settled = Settled::default();
        for (open, expected) in [(1, 2), (1, 2), (0, 2), (2, 7)] {
            settled.advance(open, &closer, &tally);
            assert_eq!(settled.connections(), expected);
            assert_eq!(settled.check(&closer, &tally, 7), Ok(()));
        }
        let error = settled.check(&closer, &tally, 8).unwrap_err();
        assert_eq!(error, "7 connections in windows that are done with and 0 in open ones, 8 counted");
    }
}
