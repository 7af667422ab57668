//! The sum of the panes of a window that slides: for the next window, the panes that come are added
//! to it and those that go are taken off, so that a step costs the panes that change and not the
//! window.
//!
//! A sum is kept once two windows in a row have most of their panes in common. The view of a window
//! shares it; if that is still held when the next window is asked for, the sum is copied first. A
//! pane that has changed since it was added is noticed, as counts only add up and it holds more
//! connections by now; then the sum is made anew. Numbers of hosts that were given to others do no
//! harm: what was added under a number is taken off under it.
//!
//! Not here: what a view is made of (`counts`). Invariant: a sum that is given is that of all panes
//! that there are of the window, and nobody changes it as long as it is held.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::pane::Pane;

/// The panes of the last window that was asked for, and their sum if it is kept.
#[derive(Debug, Default)]
pub(super) struct RunningSum {
    /// From the first pane to before the end.
    last: Range<i64>,
    kept: Option<KeptSum>,
}

/// A sum, and the panes that it is made of.
#[derive(Debug)]
struct KeptSum {
    sum: Arc<Pane>,
    panes: BTreeMap<i64, AddedPane>,
}

/// A pane that was added to a sum.
#[derive(Debug)]
struct AddedPane {
    pane: Arc<Pane>,
    /// What it held then.
    connections: u64,
}

/// What sums are made from, while nobody counts.
pub(super) struct SumOver<'a> {
    /// All panes that there are.
    pub panes: &'a BTreeMap<i64, Arc<Pane>>,
    /// The connections of a pane.
    pub connections: &'a dyn Fn(i64) -> u64,
    /// Makes a pane that is empty.
    pub empty: &'a dyn Fn() -> Pane,
}

impl RunningSum {
    /// The sum of the panes of the next window. `None` if nothing is gained by keeping one.
    pub fn next(&mut self, window: Range<i64>, over: &SumOver<'_>) -> Option<Arc<Pane>> {
        let last = std::mem::replace(&mut self.last, window.clone());
        let before = self.kept.take();
        if !slides(&last, &window) {
            return None;
        }
        let kept = before.and_then(|kept| kept.moved(&window, over)).unwrap_or_else(|| KeptSum::of(&window, over));
        Some(Arc::clone(&self.kept.insert(kept).sum))
    }
}

/// Whether a window has most of its panes in common with the last one, and enough of them for a sum
/// to pay.
fn slides(last: &Range<i64>, window: &Range<i64>) -> bool {
    let panes = window.end - window.start;
    let common = last.end.min(window.end) - last.start.max(window.start);
    panes > 2 && common > panes / 2
}

impl KeptSum {
    /// The sum of the panes of a window, added one after the other.
    fn of(window: &Range<i64>, over: &SumOver<'_>) -> Self {
        let mut kept = KeptSum { sum: Arc::new((over.empty)()), panes: BTreeMap::new() };
        kept.add(window, over);
        kept
    }

    /// This sum as that of another window; `None` if that has to be made anew.
    fn moved(self, window: &Range<i64>, over: &SumOver<'_>) -> Option<Self> {
        // Of a pane that was dropped, the number may stand for another one.
        let stays = |(number, added): &(i64, AddedPane)| {
            window.contains(number) && over.panes.get(number).is_some_and(|pane| Arc::ptr_eq(pane, &added.pane))
        };
        let (panes, going): (BTreeMap<_, _>, BTreeMap<_, _>) = self.panes.into_iter().partition(stays);
        if panes.iter().any(|(&number, added)| (over.connections)(number) != added.connections) {
            return None;
        }
        let mut sum = self.sum;
        if Arc::get_mut(&mut sum).is_none() {
            sum = Arc::new(sum.copied());
        }
        for AddedPane { pane, connections } in going.into_values() {
            if sum.take_off(&pane) != Some(connections) {
                return None;
            }
        }
        let mut kept = KeptSum { sum, panes };
        kept.add(window, over);
        (!kept.sum.is_mostly_empty()).then_some(kept)
    }

    /// Adds the panes of a window that are not in the sum yet.
    fn add(&mut self, window: &Range<i64>, over: &SumOver<'_>) {
        for (&number, pane) in over.panes.range(window.clone()) {
            self.panes.entry(number).or_insert_with(|| {
                self.sum.absorb(pane);
                AddedPane { pane: Arc::clone(pane), connections: (over.connections)(number) }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::time::SECOND;
    use crate::model::{Timestamp, Window};
    use crate::tally::aggregates::{Layout, Pairs};
    use crate::tally::{Aggregates, Budget, Shape, Tally};

    /// Buckets of a pane.
    const PANE: i64 = 2;

    const SHAPE: Shape = Shape { pane: PANE, shards: 2 };

    /// What may happen to a tally between two looks.
    #[derive(Debug, Clone)]
    enum Event {
        /// Connections of a pane, from the start of the window.
        Add(i64, Vec<(u16, u16)>),
        /// The window moves on, or back, and is looked at; the view may be held until the end.
        Look {
            by: i64,
            open: bool,
            hold: bool,
        },
        /// What is before the window, and a window before it, goes.
        Drop,
        /// Only the window itself is kept.
        KeepOnly,
        Sweep,
        /// A state is saved, and counting goes on meanwhile.
        SetAside,
        Join,
        Drain,
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let pairs = || proptest::collection::vec((0u16..400, 0u16..4), 1..80);
        let event = prop_oneof![
            // Most records are of the panes that come, and few of those that were there.
            6 => (0i64..9, pairs()).prop_map(|(pane, pairs)| Event::Add(pane + 4, pairs)),
            1 => (-6i64..6, pairs()).prop_map(|(pane, pairs)| Event::Add(pane, pairs)),
            8 => (0i64..3, any::<bool>(), prop::bool::weighted(0.2)).prop_map(|(by, open, hold)| Event::Look { by, open, hold }),
            1 => (-3i64..12, any::<bool>(), any::<bool>()).prop_map(|(by, open, hold)| Event::Look { by, open, hold }),
            3 => Just(Event::Drop),
            1 => Just(Event::KeepOnly),
            3 => Just(Event::Sweep),
            1 => Just(Event::SetAside),
            1 => Just(Event::Join),
            1 => Just(Event::Drain),
        ];
        proptest::collection::vec(event, 0..60)
    }

    fn layout(first: i64, panes: i64, previous: bool) -> Layout {
        let window = Window::half_open(Timestamp::from_seconds(0), Timestamp::from_seconds(1));
        Layout { window, first_bucket: first * PANE, buckets: panes * PANE, grain: SECOND, previous }
    }

    type Plain = BTreeMap<(Vec<u8>, Vec<u8>), (u64, u64)>;

    fn plain(view: &Aggregates) -> (Plain, u64, u64) {
        let mut pairs = Plain::new();
        view.for_each_pair(|pair| {
            let key = (pair.from.bytes().to_vec(), pair.to.bytes().to_vec());
            assert_eq!(pairs.insert(key, (pair.connections, pair.before)), None, "a pair came twice");
        })
        .unwrap();
        (pairs, view.total(), view.overflow())
    }

    fn add(tally: &mut Tally, pane: i64, (from, to): (u16, u16)) {
        // Names that come and go, so that their numbers are given to others.
        let bucket = pane * PANE + i64::from(from) % PANE;
        tally.add(bucket, format!("{}-{from}", pane / 3).as_bytes(), format!("server-{to}").as_bytes(), 1);
    }

    /// The tables in which the pairs of a view lie.
    fn address(view: &Aggregates) -> *const Pane {
        match view.pairs() {
            Pairs::Counted(counted) => Arc::as_ptr(&counted.window),
            Pairs::Stored(_) => std::ptr::null(),
        }
    }

    proptest! {
        #[test]
        fn whatever_happens_between_two_looks_each_is_that_at_all_panes(
            events in events(), panes in 3i64..8, previous: bool, limit in proptest::option::weighted(0.2, Just(6_000usize)),
        ) {
            let budget = Arc::new(Budget::new(limit));
            let mut tally = Tally::new(SHAPE, Arc::clone(&budget));
            let (mut first, mut held) = (0, Vec::new());
            for event in events {
                match event {
                    Event::Add(pane, pairs) => pairs.into_iter().for_each(|pair| add(&mut tally, first + pane, pair)),
                    Event::Look { by, open, hold } => {
                        first += by;
                        let layout = layout(first, panes, previous);
                        // Two copies of the panes do not fit where memory is limited: the first goes
                        // before the second is made.
                        let expected = plain(&if open { tally.open_view(&layout) } else { tally.view(&layout) });
                        let view = tally.next_view(&layout, open);
                        prop_assert_eq!(&plain(&view), &expected);
                        if hold && limit.is_none() {
                            // Nothing is counted into a window that is not open.
                            held.extend(open.then_some((view, expected)));
                        }
                    }
                    Event::Drop => tally.drop_before((first - panes) * PANE),
                    Event::KeepOnly => tally.keep_only(&[(first * PANE, (first + panes) * PANE)]),
                    Event::Sweep => tally.sweep(),
                    Event::SetAside => tally.panes().iter().for_each(|(_, pane)| _ = pane.set_aside()),
                    Event::Join => tally.panes().iter().for_each(|(_, pane)| pane.join()),
                    Event::Drain => drop(tally.drain()),
                }
            }
            for (view, expected) in held {
                prop_assert_eq!(plain(&view), expected, "a view that is held has changed");
            }
            drop(tally.drain());
            prop_assert_eq!(budget.used(), 0);
        }
    }

    /// A tally with these many panes of 200 pairs each, half of them in all panes; pane 1 has more.
    fn filled(panes: i64, limit: Option<usize>) -> Tally {
        let mut tally = Tally::new(SHAPE, Arc::new(Budget::new(limit)));
        for (pane, from) in (0..panes).flat_map(|pane| (0..200u16).map(move |from| (pane, from))) {
            let name = if from < 100 { format!("{from}") } else { format!("{pane}-{from}") };
            tally.add(pane * PANE, name.as_bytes(), b"server", 1);
        }
        (0..1_000u16).for_each(|from| tally.add(PANE, &from.to_le_bytes(), b"server", 1));
        tally
    }

    /// The bytes of the sum that is kept, which become fewer only where it is made anew.
    fn kept_bytes(tally: &Tally) -> usize {
        tally.sums[0].kept.as_ref().map_or(0, |kept| kept.sum.bytes())
    }

    #[test]
    fn a_sum_moves_on_in_place_and_is_copied_only_if_the_last_view_is_held() {
        let mut tally = filled(20, None);
        let look = |tally: &mut Tally, first| {
            let view = tally.next_view(&layout(first, 6, false), false);
            assert_eq!(plain(&view), plain(&tally.view(&layout(first, 6, false))));
            view
        };
        // The first is joined; from the second on there is a sum.
        drop(look(&mut tally, 0));
        assert_eq!(kept_bytes(&tally), 0);
        let (kept, bytes) = (address(&look(&mut tally, 1)), kept_bytes(&tally));
        assert_eq!([2, 3, 5].map(|first| address(&look(&mut tally, first))), [kept; 3]);
        assert!(kept_bytes(&tally) >= bytes);
        let held = look(&mut tally, 6);
        let before = plain(&held);
        assert_ne!(address(&look(&mut tally, 7)), kept);
        assert_eq!((address(&held), plain(&held)), (kept, before));
        assert!(kept_bytes(&tally) >= bytes);
        // With three of six panes in common, adding all of them costs no more.
        drop(look(&mut tally, 10));
        assert_eq!(kept_bytes(&tally), 0);
    }

    #[test]
    fn a_sum_moves_on_while_what_it_is_made_of_is_saved() {
        let mut tally = filled(20, None);
        let mut bytes = [0; 3];
        for (first, bytes) in (0..).zip(&mut bytes) {
            drop(tally.next_view(&layout(first, 6, false), false));
            tally.panes().iter().for_each(|(_, pane)| _ = pane.set_aside());
            *bytes = kept_bytes(&tally);
        }
        assert!(bytes[1] > 0 && bytes[2] >= bytes[1], "{bytes:?}");
    }

    #[test]
    fn a_pane_that_has_the_number_of_one_that_was_dropped_is_another() {
        let mut tally = filled(20, None);
        (0..2).for_each(|first| drop(tally.next_view(&layout(first, 6, false), false)));
        tally.drop_before(5 * PANE);
        // As many connections as there were, of another pair.
        tally.add(4 * PANE, b"another", b"server", 200);
        let layout = layout(2, 6, false);
        assert_eq!(plain(&tally.next_view(&layout, false)), plain(&tally.view(&layout)));
    }

    #[test]
    fn where_memory_is_limited_no_sum_is_kept() {
        let mut tally = filled(20, Some(1 << 30));
        let before = tally.budget().used();
        (0..10).for_each(|first| drop(tally.next_view(&layout(first, 6, true), false)));
        assert_eq!(tally.budget().used(), before);
    }

    #[test]
    fn a_sum_of_which_little_is_left_gives_its_memory_back() {
        let mut tally = Tally::new(SHAPE, Arc::default());
        (0..40_000u32).for_each(|from| tally.add(6 * PANE, &from.to_le_bytes(), b"server", 1));
        (0..20).for_each(|pane| tally.add(pane * PANE, b"a", b"server", 1));
        let mut used = 0;
        for first in 0..10 {
            drop(tally.next_view(&layout(first, 6, false), false));
            tally.drop_before(first * PANE);
            let kept = kept_bytes(&tally);
            used = if first < 7 { used.max(kept) } else { kept };
        }
        assert!(used < 64 << 10, "{used} bytes are kept");
    }
}
