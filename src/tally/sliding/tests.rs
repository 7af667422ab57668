//! Sums held against views that join the panes each time.

use proptest::prelude::*;

use super::*;
use crate::model::time::SECOND;
use crate::model::{PerMeasure, Timestamp, Window};
use crate::tally::aggregates::{Layout, Pairs};
use crate::tally::{Aggregates, Budget, HostTotal, Shape, Side, Tally};

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

type Plain = BTreeMap<(Vec<u8>, Vec<u8>), (u64, u64, PerMeasure)>;
type PlainHosts = BTreeMap<Vec<u8>, (u64, u64, PerMeasure)>;

/// The pairs of a view, the hosts of either side, and connections with their pair or not.
fn plain(view: &Aggregates) -> (Plain, [PlainHosts; 2], u64, u64) {
    let mut pairs = Plain::new();
    view.for_each_pair(|pair| {
        let key = (pair.from.bytes().to_vec(), pair.to.bytes().to_vec());
        assert_eq!(pairs.insert(key, (pair.connections, pair.before, pair.sums)), None, "a pair came twice");
    })
    .unwrap();
    let hosts = [Side::From, Side::To].map(|side| {
        let mut hosts = BTreeMap::new();
        view.for_each_host(side, |total| {
            let known = hosts.insert(total.host.bytes().to_vec(), (total.connections, total.peers, total.sums));
            assert_eq!(known, None, "a host came twice");
        })
        .unwrap();
        hosts
    });
    (pairs, hosts, view.total(), view.overflow().of_both())
}

fn add(tally: &mut Tally, pane: i64, (from, to): (u16, u16)) {
    // Names that come and go, so that their numbers are given to others.
    let bucket = pane * PANE + i64::from(from) % PANE;
    let (source, server) = (format!("{}-{from}", pane / 3), format!("server-{to}"));
    if tally.measures().is_empty() {
        return tally.add(bucket, source.as_bytes(), server.as_bytes(), 1);
    }
    let sums = PerMeasure::of(&[u64::from(from) * 100 + u64::from(to), pane.unsigned_abs()]);
    tally.add_amount(bucket, source.as_bytes(), server.as_bytes(), Amount { connections: 1, sums });
}

/// The names of two measures, or of none.
fn measures(are_any: bool) -> Vec<String> {
    ["bytes", "packets"].iter().filter(|_| are_any).map(|name| (*name).to_owned()).collect()
}

/// Hosts of either side with their connections, in the quickest way that there is.
fn connections(view: &Aggregates) -> [BTreeMap<Vec<u8>, u64>; 2] {
    [Side::From, Side::To].map(|side| {
        let mut hosts = BTreeMap::new();
        let is_at_hand = view.for_each_host_at_hand(side, |host, connections| {
            assert_eq!(hosts.insert(host.bytes().to_vec(), connections), None, "a host came twice");
        });
        if !is_at_hand {
            let add = |total: HostTotal<'_>| _ = hosts.insert(total.host.bytes().to_vec(), total.connections);
            view.for_each_host(side, add).unwrap();
        }
        hosts
    })
}

/// A view that nobody has looked into yet, and what is to be found there.
struct Unread {
    view: Aggregates,
    expected: Expected,
    /// The panes in which nothing changes until then.
    panes: Range<i64>,
    asks: Asks,
}

type Expected = (Plain, [PlainHosts; 2], u64, u64);

/// What somebody asks a view for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Asks {
    Connections,
    Pairs,
    Both,
}

impl Unread {
    fn read(&self) {
        if self.asks != Asks::Pairs {
            let by_side = |hosts: &PlainHosts| hosts.iter().map(|(host, total)| (host.clone(), total.0)).collect();
            assert_eq!(connections(&self.view), self.expected.1.each_ref().map(by_side));
        }
        if self.asks != Asks::Connections {
            assert_eq!(plain(&self.view), self.expected);
        }
    }
}

/// The tables in which the pairs of a view lie.
fn address(view: &Aggregates) -> *const Pane {
    match view.pairs() {
        Pairs::Counted(counted) => Arc::as_ptr(counted.window()),
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
        Event::Look { .. } => {}
    }
}

proptest! {
    #[test]
    fn whatever_happens_between_two_looks_each_is_that_at_all_panes(
        events in events(), panes in 3i64..8, previous: bool, sums: bool,
    ) {
        let budget = Arc::<Budget>::default();
        let mut tally = Tally::new(SHAPE, Arc::clone(&budget)).measuring(&measures(sums));
        // The twin joins the panes each time.
        let mut twin = Tally::new(SHAPE, Arc::default()).measuring(&measures(sums));
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
                event => [&mut tally, &mut twin].into_iter().for_each(|tally| happens(&event, tally, first, panes)),
            }
        }
        for (view, expected) in held {
            prop_assert_eq!(plain(&view), expected, "a view that is held has changed");
        }
        drop(tally.drain());
        prop_assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_view_of_closed_panes_says_the_same_whenever_it_is_asked_and_for_whatever(
        events in events(), asks in proptest::collection::vec(asks(), 60), panes in 3i64..8, previous: bool, (latest, sums) in any::<(bool, bool)>(),
    ) {
        let empty = || Tally::new(SHAPE, Arc::default()).measuring(&measures(sums));
        let (mut tally, mut twin) = (empty(), empty());
        let (mut first, mut unread) = (0, Vec::<Unread>::new());
        for (event, asks) in events.into_iter().zip(asks) {
            match event {
                Event::Look { by, hold } => {
                    first += by;
                    let layout = layout(first, panes, previous);
                    let Some(view) = tally.next_closed_view(&layout) else { continue };
                    let expected = plain(&twin.open_view(&layout));
                    let since = if previous { first - panes } else { first };
                    unread.push(Unread { view, expected, panes: since..first + panes, asks });
                    if !hold {
                        let read = if latest { unread.pop() } else { Some(unread.remove(0)) };
                        read.iter().for_each(Unread::read);
                    }
                }
                Event::Add(pane, _) => unread.extract_if(.., |view| view.panes.contains(&(first + pane))).for_each(|view| view.read()),
                _ => {}
            }
            if !matches!(event, Event::Look { .. }) {
                [&mut tally, &mut twin].into_iter().for_each(|tally| happens(&event, tally, first, panes));
            }
        }
        unread.iter().for_each(Unread::read);
        drop((unread, tally.drain(), twin.drain()));
        prop_assert_eq!((tally.budget().used(), twin.budget().used()), (0, 0));
    }
}

fn asks() -> impl Strategy<Value = Asks> {
    prop_oneof![Just(Asks::Connections), Just(Asks::Pairs), Just(Asks::Both)]
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
    tally.sums.0[0].lock().pairs.as_ref().map_or(0, |kept| kept.sum.pane.bytes())
}

#[test]
fn a_sum_moves_on_in_place_and_is_copied_only_if_the_last_view_is_held() {
    let tally = filled(20, None);
    let look = |tally: &Tally, first| {
        let view = tally.next_view(&layout(first, 6, false)).unwrap();
        assert_eq!(plain(&view), plain(&tally.view(&layout(first, 6, false))));
        view
    };
    // Only from the second on there is a sum.
    assert!(tally.next_view(&layout(0, 6, false)).is_none());
    assert_eq!(kept_bytes(&tally), 0);
    let (kept, bytes) = (address(&look(&tally, 1)), kept_bytes(&tally));
    assert_eq!([2, 3, 5].map(|first| address(&look(&tally, first))), [kept; 3]);
    assert!(kept_bytes(&tally) >= bytes);
    let held = look(&tally, 6);
    let before = plain(&held);
    assert_ne!(address(&look(&tally, 7)), kept);
    assert_eq!((address(&held), plain(&held)), (kept, before));
    assert!(kept_bytes(&tally) >= bytes);
    // With three of six panes in common, adding all of them costs no more.
    assert!(tally.next_view(&layout(10, 6, false)).is_none());
    assert_eq!(kept_bytes(&tally), 0);
}

#[test]
fn a_sum_moves_on_while_what_it_is_made_of_is_saved() {
    let tally = filled(20, None);
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
fn e10_where_memory_is_limited_no_sum_is_kept_however_much_is_left() {
    let tally = filled(20, Some(1 << 30));
    let used = tally.budget().used();
    for first in 0..4 {
        let layout = layout(first, 6, true);
        assert!(tally.next_view(&layout).is_none() && tally.next_closed_view(&layout).is_none());
    }
    assert_eq!((kept_bytes(&tally), tally.budget().used()), (0, used));
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

#[test]
fn what_nobody_asks_for_is_not_summed() {
    let tally = filled(20, None);
    let kept = |first, asks| {
        let view = tally.next_closed_view(&layout(first, 6, false));
        view.iter().for_each(asks);
        let sum = tally.sums.0[0].lock();
        (sum.connections.is_some(), sum.pairs.is_some())
    };
    let connections = |view: &Aggregates| assert!(view.for_each_host_at_hand(Side::To, |_, _| {}));
    let pairs = |view: &Aggregates| {
        view.for_each_pair(|_| {}).unwrap();
        assert!(!view.for_each_host_at_hand(Side::To, |_, _| {}), "the totals are there already");
    };
    assert_eq!(kept(0, &connections as &dyn Fn(&_)), (false, false), "it does not pay yet");
    assert_eq!(kept(1, &|_| {}), (false, false));
    assert_eq!(kept(2, &connections), (true, false));
    assert_eq!(kept(3, &pairs), (true, true));
}

#[test]
fn a_sum_is_made_anew_if_a_pane_that_leaves_it_has_changed_since_it_was_added() {
    let mut tally = filled(20, None);
    (0..2).for_each(|first| {
        tally.next_closed_view(&layout(first, 6, false)).iter().for_each(|view| {
            connections(view);
            plain(view);
        })
    });
    // A pair that the other panes have, too: there is enough of it to take off.
    tally.add(PANE, b"7", b"server", 1);
    let layout = layout(2, 6, false);
    let (view, expected) = (tally.next_closed_view(&layout).unwrap(), plain(&tally.view(&layout)));
    Unread { view, expected, panes: 2..8, asks: Asks::Both }.read();
}
