//! The sum of the panes of a window that slides: for the next window, the panes that come are added
//! to it and those that go are taken off, so that a step costs the panes that change and not the
//! window. The totals of hosts are kept running with it.
//!
//! A sum is kept once two windows in a row have most of their panes in common. The view of a window
//! shares it; if that is still held when the next window is asked for, the sum is copied first. A
//! pane that has changed since it was added is noticed, as counts only add up and it holds more
//! connections by now; then the sum is made anew. Numbers of hosts that were given to others do no
//! harm: what was added under a number is taken off under it.
//!
//! Sums are expendable: before anybody is refused memory, they are dropped, and they are made only
//! where there is enough to join the panes each time.
//!
//! Not here: what a view is made of (`counts`). Invariant: a sum that is given is that of all panes
//! that there are of the window, and nobody changes it as long as it is held.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use parking_lot::Mutex;

use super::budget::{Budget, Expendable};
use super::pane::Pane;
use super::totals::Totals;

/// The sums of the last window that was asked for, and of the one before it.
#[derive(Debug, Default)]
pub(super) struct RunningSums([Mutex<RunningSum>; 2]);

/// The panes of the last window that was asked for, and their sum if it is kept.
#[derive(Debug, Default)]
struct RunningSum {
    /// From the first pane to before the end.
    last: Range<i64>,
    kept: Option<KeptSum>,
}

/// A sum, and the panes that it is made of.
#[derive(Debug)]
struct KeptSum {
    sum: Arc<Pane>,
    totals: Arc<Totals>,
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
    /// The hosts of all pairs have numbers below this.
    pub hosts: usize,
    /// Makes a pane that is empty.
    pub empty: &'a dyn Fn() -> Pane,
    /// Where its memory comes from.
    pub budget: &'a Budget,
}

impl RunningSums {
    /// The sum of the panes of the next window, numbered 0, or of the one before it, numbered 1; and
    /// the totals of its hosts. `None` if nothing is gained by keeping one, or it cannot be kept.
    pub fn next(&self, which: usize, window: Range<i64>, over: &SumOver<'_>) -> Option<(Arc<Pane>, Arc<Totals>)> {
        let (last, before) = {
            let mut sum = self.0[which].lock();
            (std::mem::replace(&mut sum.last, window.clone()), sum.kept.take())
        };
        if !slides(&last, &window) {
            return None;
        }
        let moved = before.and_then(|kept| kept.moved(&window, over));
        let kept = moved.or_else(|| KeptSum::of(&window, over))?;
        let shared = (Arc::clone(&kept.sum), Arc::clone(&kept.totals));
        self.0[which].lock().kept = Some(kept);
        over.budget.note_kept();
        Some(shared)
    }
}

impl Expendable for RunningSums {
    fn drop_all(&self) {
        self.0.iter().for_each(|sum| sum.lock().kept = None);
    }
}

/// Whether a window has most of its panes in common with the last one, and enough of them for a sum
/// to pay.
fn slides(last: &Range<i64>, window: &Range<i64>) -> bool {
    let panes = window.end - window.start;
    let common = last.end.min(window.end) - last.start.max(window.start);
    panes > 2 && common > panes / 2
}

impl SumOver<'_> {
    /// The memory of the panes of a window, which is what joining them may take.
    fn bytes(&self, window: &Range<i64>) -> usize {
        self.panes.range(window.clone()).map(|(_, pane)| pane.bytes()).sum()
    }
}

impl KeptSum {
    /// The sum of the panes of a window, added one after the other, if there is memory for it.
    fn of(window: &Range<i64>, over: &SumOver<'_>) -> Option<Self> {
        if over.budget.limit().is_some() && !over.budget.has_beside(over.bytes(window)) {
            return None;
        }
        let (sum, totals) = (Arc::new((over.empty)()), Arc::new(Totals::new(over.hosts)));
        KeptSum { sum, totals, panes: BTreeMap::new() }.with(window, over)
    }

    /// This sum as that of another window; `None` if that has to be made anew.
    fn moved(mut self, window: &Range<i64>, over: &SumOver<'_>) -> Option<Self> {
        // Of a pane that was dropped, the number may stand for another one.
        let stays = |(number, added): &(i64, AddedPane)| {
            window.contains(number) && over.panes.get(number).is_some_and(|pane| Arc::ptr_eq(pane, &added.pane))
        };
        let (panes, going): (BTreeMap<_, _>, BTreeMap<_, _>) = self.panes.into_iter().partition(stays);
        if panes.iter().any(|(&number, added)| (over.connections)(number) != added.connections) {
            return None;
        }
        if Arc::get_mut(&mut self.sum).is_none() {
            self.sum = Arc::new(self.sum.copied()?);
        }
        let totals = Arc::make_mut(&mut self.totals);
        for AddedPane { pane, connections } in going.into_values() {
            let taken = self.sum.take_off(&pane, |from, to, count, is_gone| totals.take_off(from, to, count, is_gone));
            if taken != Some(connections) {
                return None;
            }
        }
        let kept = KeptSum { panes, ..self }.with(window, over)?;
        // Where memory is limited, joining the panes must not take less.
        let is_too_large = || over.budget.limit().is_some() && kept.sum.bytes() > over.bytes(window);
        (!kept.sum.is_mostly_empty() && !is_too_large()).then_some(kept)
    }

    /// This sum with the panes of a window that are not in it yet, if there is memory for that.
    fn with(mut self, window: &Range<i64>, over: &SumOver<'_>) -> Option<Self> {
        let totals = Arc::make_mut(&mut self.totals);
        totals.reach(over.hosts);
        for (&number, pane) in over.panes.range(window.clone()) {
            if self.panes.contains_key(&number) {
                continue;
            }
            let overflowed = self.sum.overflowed() + pane.overflowed();
            self.sum.absorb(pane, |from, to, count, is_new| totals.add(from, to, count, is_new));
            if self.sum.overflowed() != overflowed {
                return None;
            }
            let connections = (over.connections)(number);
            self.panes.insert(number, AddedPane { pane: Arc::clone(pane), connections });
        }
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::time::SECOND;
    use crate::model::{Timestamp, Window};
    use crate::tally::aggregates::{Layout, Pairs};
    use crate::tally::{Aggregates, Budget, Shape, Side, Tally};

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
            hold: bool,
        },
        /// Somebody takes memory, and gives it back.
        Take(usize),
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
            8 => (0i64..3, prop::bool::weighted(0.2)).prop_map(|(by, hold)| Event::Look { by, hold }),
            1 => (-3i64..12, any::<bool>()).prop_map(|(by, hold)| Event::Look { by, hold }),
            2 => (0usize..300_000).prop_map(Event::Take),
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
    type PlainHosts = BTreeMap<Vec<u8>, (u64, u64)>;

    /// The pairs of a view, the hosts of either side, and connections with their pair or not.
    fn plain(view: &Aggregates) -> (Plain, [PlainHosts; 2], u64, u64) {
        let mut pairs = Plain::new();
        view.for_each_pair(|pair| {
            let key = (pair.from.bytes().to_vec(), pair.to.bytes().to_vec());
            assert_eq!(pairs.insert(key, (pair.connections, pair.before)), None, "a pair came twice");
        })
        .unwrap();
        let hosts = [Side::From, Side::To].map(|side| {
            let mut hosts = BTreeMap::new();
            view.for_each_host(side, |total| {
                let known = hosts.insert(total.host.bytes().to_vec(), (total.connections, total.peers));
                assert_eq!(known, None, "a host came twice");
            })
            .unwrap();
            hosts
        });
        (pairs, hosts, view.total(), view.overflow())
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

    fn happens(event: &Event, tally: &mut Tally, first: i64, panes: i64) {
        match event {
            Event::Add(pane, pairs) => pairs.iter().for_each(|pair| add(tally, first + pane, *pair)),
            Event::Drop => tally.drop_before((first - panes) * PANE),
            Event::KeepOnly => tally.keep_only(&[(first * PANE, (first + panes) * PANE)]),
            Event::Sweep => tally.sweep(),
            Event::SetAside => tally.panes().iter().for_each(|(_, pane)| _ = pane.set_aside()),
            Event::Join => tally.panes().iter().for_each(|(_, pane)| pane.join()),
            Event::Drain => drop(tally.drain()),
            Event::Look { .. } | Event::Take(_) => {}
        }
    }

    proptest! {
        #[test]
        fn whatever_happens_between_two_looks_each_is_that_at_all_panes(
            events in events(), panes in 3i64..8, previous: bool, limit in proptest::option::of(20_000usize..300_000),
        ) {
            let budget = Arc::new(Budget::new(limit));
            let mut tally = Tally::new(SHAPE, Arc::clone(&budget));
            // The twin has all the memory that it wants, and joins the panes each time.
            let mut twin = Tally::new(SHAPE, Arc::default());
            let (mut first, mut held) = (0, Vec::new());
            for event in events {
                match event {
                    Event::Look { by, hold } => {
                        first += by;
                        let layout = layout(first, panes, previous);
                        let Some(view) = tally.next_view(&layout) else { continue };
                        let expected = plain(&twin.open_view(&layout));
                        prop_assert_eq!(&plain(&view), &expected);
                        held.extend(hold.then_some((view, expected)));
                    }
                    Event::Take(bytes) => {
                        if budget.take(bytes) {
                            budget.give_back(bytes);
                        } else {
                            let used = budget.used();
                            tally.sums.drop_all();
                            prop_assert_eq!(budget.used(), used, "bytes were refused, and a sum was kept");
                        }
                    }
                    event => [&mut tally, &mut twin].into_iter().for_each(|tally| happens(&event, tally, first, panes)),
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
        tally.sums.0[0].lock().kept.as_ref().map_or(0, |kept| kept.sum.bytes())
    }

    #[test]
    fn a_sum_moves_on_in_place_and_is_copied_only_if_the_last_view_is_held() {
        let mut tally = filled(20, None);
        let look = |tally: &mut Tally, first| {
            let view = tally.next_view(&layout(first, 6, false)).unwrap();
            assert_eq!(plain(&view), plain(&tally.view(&layout(first, 6, false))));
            view
        };
        // Only from the second on there is a sum.
        assert!(tally.next_view(&layout(0, 6, false)).is_none());
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
        assert!(tally.next_view(&layout(10, 6, false)).is_none());
        assert_eq!(kept_bytes(&tally), 0);
    }

    #[test]
    fn a_sum_moves_on_while_what_it_is_made_of_is_saved() {
        let mut tally = filled(20, None);
        let mut bytes = [0; 3];
        for (first, bytes) in (0..).zip(&mut bytes) {
            drop(tally.next_view(&layout(first, 6, false)));
            tally.panes().iter().for_each(|(_, pane)| _ = pane.set_aside());
            *bytes = kept_bytes(&tally);
        }
        assert!(bytes[1] > 0 && bytes[2] >= bytes[1], "{bytes:?}");
    }

    #[test]
    fn a_pane_that_has_the_number_of_one_that_was_dropped_is_another() {
        let mut tally = filled(20, None);
        (0..2).for_each(|first| drop(tally.next_view(&layout(first, 6, false))));
        tally.drop_before(5 * PANE);
        // As many connections as there were, of another pair.
        tally.add(4 * PANE, b"another", b"server", 200);
        let layout = layout(2, 6, false);
        assert_eq!(plain(&tally.next_view(&layout).unwrap()), plain(&tally.view(&layout)));
    }

    #[test]
    fn e10_a_sum_goes_before_a_pair_is_refused_its_memory() {
        let mut tally = filled(20, Some(1 << 20));
        let before = tally.budget().used();
        (0..2).for_each(|first| drop(tally.next_view(&layout(first, 6, true))));
        let kept = kept_bytes(&tally);
        assert!(kept > 0 && tally.budget().used() >= before + kept);
        // As much is left as is kept, but for a byte.
        let bytes = (1 << 20) - tally.budget().used() + kept - 1;
        assert!(tally.budget().take(bytes));
        assert_eq!((kept_bytes(&tally), tally.budget().used()), (0, before + bytes));
        // Whoever asks whether there is memory is answered as if there were no sum.
        tally.budget().give_back(bytes);
        (2..4).for_each(|first| drop(tally.next_view(&layout(first, 6, true))));
        assert!(kept_bytes(&tally) > 0 && tally.budget().has((1 << 20) - before));
        assert_eq!(kept_bytes(&tally), 0);
    }

    #[test]
    fn e10_no_sum_is_made_where_the_panes_could_not_be_joined() {
        let mut tally = filled(20, Some(1 << 20));
        let left = (1 << 20) - tally.budget().used();
        // Their sums would fit, as half of their pairs are in all of them. How many bytes tables take
        // depends on their keys.
        let needed: Vec<usize> = (3..10).map(|first| tally.bytes_to_join(&layout(first, 6, false))).collect();
        let (least, most) = (*needed.iter().min().unwrap(), *needed.iter().max().unwrap());
        assert!(tally.budget().take(left - (least - 1)));
        assert!((3..10).all(|first| tally.next_view(&layout(first, 6, false)).is_none()));
        tally.budget().give_back(most - least + 1_000);
        assert!((3..5).any(|first| tally.next_view(&layout(first, 6, false)).is_some()));
    }

    #[test]
    fn e10_where_memory_is_limited_a_sum_takes_no_more_than_joining_the_panes() {
        let mut tally = Tally::new(SHAPE, Arc::new(Budget::new(Some(1 << 20))));
        (0..1_500u32).for_each(|from| tally.add(6 * PANE, &from.to_le_bytes(), b"server", 1));
        (0..20).for_each(|pane| tally.add(pane * PANE, b"a", b"server", 1));
        let mut most = 0;
        for first in 0..10 {
            let layout = layout(first, 6, false);
            drop(tally.next_view(&layout));
            let kept = kept_bytes(&tally);
            assert!(kept <= tally.bytes_to_join(&layout), "{kept} bytes are kept of the window from {first} on");
            most = most.max(kept);
        }
        assert!(most > 16 << 10, "no sum is kept");
    }

    #[test]
    fn a_sum_of_which_little_is_left_gives_its_memory_back() {
        let mut tally = Tally::new(SHAPE, Arc::default());
        (0..40_000u32).for_each(|from| tally.add(6 * PANE, &from.to_le_bytes(), b"server", 1));
        (0..20).for_each(|pane| tally.add(pane * PANE, b"a", b"server", 1));
        let mut used = 0;
        for first in 0..10 {
            drop(tally.next_view(&layout(first, 6, false)));
            tally.drop_before(first * PANE);
            let kept = kept_bytes(&tally);
            used = if first < 7 { used.max(kept) } else { kept };
        }
        assert!(used < 64 << 10, "{used} bytes are kept");
    }
}
