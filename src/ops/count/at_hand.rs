//! The pairs that a worker has counted of late, by the text of a record from its first host to its
//! last: in ordinary logs one look-up takes the place of two, and asks nobody.
//!
//! It holds the numbers of hosts and no counts, so it may forget whatever it likes. Where too few
//! records find their pair, as in a log of millions of them, it steps aside for a while.
//! Invariant: all numbers are those of one numbering of the tally (`Tally::numbering`); once there
//! is another, all are forgotten.

use std::sync::Arc;

use crate::batch::Record;
use crate::model::lanes::{Lanes as _, on_widest_lanes};
use crate::tally::hash::TextHash;
use crate::tally::words::{are_equal, words_at};
use crate::tally::{Budget, HostId};

/// A pair of hosts: who connected, and to whom.
pub(super) type HostPair = (HostId, HostId);

/// Pairs at hand.
#[derive(Debug, Default)]
pub(super) struct PairsAtHand {
    hash: TextHash,
    numbering: u64,
    /// Texts of up to 32 bytes.
    short: PairPlaces<4>,
    /// Longer texts, of up to 64.
    long: PairPlaces<8>,
    trial: Trial,
    /// What was taken, and from where.
    memory: Option<(Arc<Budget>, usize)>,
}

/// Pairs by texts of so many words, none until the first is put in. A pair is in one of the `REACH`
/// places from that of its hash on.
type PairPlaces<const WORDS: usize> = Option<Box<[PlaceAtHand<WORDS>; PLACES]>>;

/// A pair and its text.
#[derive(Debug, Clone, Copy)]
struct PlaceAtHand<const WORDS: usize> {
    text: PairText<WORDS>,
    pair: HostPair,
}

/// What a record says from its first host to its last.
#[derive(Debug, Clone, Copy)]
struct PairText<const WORDS: usize> {
    words: [u64; WORDS],
    /// The length, and where in it the first host ends and the second begins: there may be blanks
    /// within hosts. 0 in a free place.
    shape: u32,
}

/// Whether looking pairs up at hand is worth it.
#[derive(Debug, Default)]
struct Trial {
    /// Records of this trial.
    records: usize,
    /// Of these, those whose text no place can hold. They were missed for next to nothing.
    unfit: usize,
    /// Pairs that were put in.
    learned: usize,
    /// Records that are still to pass before the next one.
    rest: usize,
}

/// Places for a size of texts: some times as many as pairs of which a worker sees each often.
const PLACES: usize = 8192;

/// Places that a pair may be in. Behind a free one there is none of them, as none is ever freed.
const REACH: usize = 8;

/// Records of a trial whose text a place can hold.
const TRIAL: usize = 16 << 10;

/// Pairs that may be put in during a trial. Each costs about what three found ones save.
const LEARNED: usize = TRIAL / 4;

/// Records that pass without a look at what is at hand once it does not pay: so many that trials
/// cost next to nothing.
const REST: usize = 64 * TRIAL;

/// Times the memory of new places that has to be left.
const PLENTY: usize = 8;

impl<const WORDS: usize> PairText<WORDS> {
    /// The text of a record, if the words can hold it and `bytes` goes on far enough.
    #[inline(always)]
    fn of(bytes: &[u8], record: &Record) -> Option<Self> {
        let Record { from, to, .. } = record;
        if from.1 > to.0 {
            return None;
        }
        let length = to.1 - from.0;
        let words = words_at(bytes, from.0 as usize, length as usize)?;
        Some(PairText { words, shape: length << 16 | (to.0 - from.0) << 8 | (from.1 - from.0) })
    }

    fn is_free(&self) -> bool {
        self.shape == 0
    }

    #[inline(always)]
    fn is(&self, other: &Self) -> bool {
        are_equal(&self.words, &other.words) & (self.shape == other.shape)
    }
}

impl PairsAtHand {
    /// Whether it is worth looking here.
    pub fn is_awake(&self) -> bool {
        self.trial.rest == 0
    }

    /// Calls `found` with the pair of each of the records that has it at hand, and `missed` with the
    /// others, each by its place among them.
    #[inline(never)]
    pub fn find_each(
        &self,
        bytes: &[u8],
        records: &[Record],
        mut found: impl FnMut(HostPair, usize),
        mut missed: impl FnMut(usize),
    ) {
        on_widest_lanes!(lanes => lanes.within(
            #[inline(always)]
            || {
                let (hash, short) = (self.hash, self.short.as_deref());
                for (at, record) in records.iter().enumerate() {
                    match find(&hash, short, bytes, record).unwrap_or_else(|| self.find_long(bytes, record)) {
                        Some(pair) => found(*pair, at),
                        None => missed(at),
                    }
                }
            }
        ));
    }

    /// The pair of a record whose text is not a short one, if it is at hand.
    #[inline(never)]
    fn find_long(&self, bytes: &[u8], record: &Record) -> Option<&HostPair> {
        on_widest_lanes!(lanes => lanes.within(
            #[inline(always)]
            || find(&self.hash, self.long.as_deref(), bytes, record)?
        ))
    }

    /// Puts the pair of a record in.
    #[inline(never)]
    pub fn put(&mut self, bytes: &[u8], record: &Record, pair: HostPair, budget: &Arc<Budget>) {
        if let Some(text) = PairText::of(bytes, record) {
            self.make_places(|at_hand| &mut at_hand.short, budget);
            put(&mut self.short, self.hash.of(&text.words), PlaceAtHand { text, pair }, &mut self.trial);
        } else if let Some(text) = PairText::of(bytes, record) {
            self.make_places(|at_hand| &mut at_hand.long, budget);
            put(&mut self.long, self.hash.of(&text.words), PlaceAtHand { text, pair }, &mut self.trial);
        } else {
            self.trial.unfit += 1;
        }
    }

    /// Makes places if there are none yet and plenty of memory is left; else it steps aside.
    fn make_places<const WORDS: usize>(
        &mut self,
        places: impl Fn(&mut Self) -> &mut PairPlaces<WORDS>,
        budget: &Arc<Budget>,
    ) {
        if places(self).is_some() {
            return;
        }
        let bytes = size_of::<[PlaceAtHand<WORDS>; PLACES]>();
        if !budget.has(PLENTY * bytes) || !budget.take(bytes) {
            self.trial.rest = REST;
            return;
        }
        let before = self.memory.take().map_or(0, |(_, bytes)| bytes);
        self.memory = Some((Arc::clone(budget), before + bytes));
        let free = PlaceAtHand { text: PairText { words: [0; WORDS], shape: 0 }, pair: (HostId(0), HostId(0)) };
        *places(self) = vec![free; PLACES].into_boxed_slice().try_into().ok();
    }

    /// Forgets all if numbers may have come to mean other names.
    pub fn keep_to(&mut self, numbering: u64) {
        if numbering != self.numbering {
            self.forget();
            (self.numbering, self.trial) = (numbering, Trial::default());
        }
    }

    /// Takes note of records that were counted, whether they were looked for here or not.
    pub fn pass(&mut self, records: usize) {
        let Trial { records: tried, unfit, learned, rest } = &mut self.trial;
        if *rest > 0 {
            *rest = rest.saturating_sub(records);
            return;
        }
        *tried += records;
        if *learned > LEARNED {
            self.forget();
            self.trial = Trial { rest: REST, ..Trial::default() };
        } else if *tried >= TRIAL + *unfit {
            self.trial = Trial::default();
        }
    }

    fn forget(&mut self) {
        (self.short, self.long) = (None, None);
        if let Some((budget, bytes)) = self.memory.take() {
            budget.give_back(bytes);
        }
    }
}

impl Drop for PairsAtHand {
    fn drop(&mut self) {
        self.forget();
    }
}

/// The places in which a text of this hash may be.
#[inline(always)]
fn reach(hash: u64) -> impl Iterator<Item = usize> {
    (0..REACH).map(move |step| ((hash >> 32) as usize + step) % PLACES)
}

/// The pair of a record, if it is in one of the places; `None` if its text does not fit one.
#[inline(always)]
fn find<'p, const WORDS: usize>(
    hash: &TextHash,
    places: Option<&'p [PlaceAtHand<WORDS>; PLACES]>,
    bytes: &[u8],
    record: &Record,
) -> Option<Option<&'p HostPair>> {
    let text = PairText::of(bytes, record)?;
    let Some(places) = places else { return Some(None) };
    let hash = hash.of(&text.words);
    // Nearly all are in their first place.
    let first = &places[(hash >> 32) as usize % PLACES];
    Some(if first.text.is(&text) { Some(&first.pair) } else { find_behind(hash, places, bytes, record) })
}

/// As `find`, in the places behind the first. It reads the text once more, so that as a rule it is
/// held in registers only.
#[inline(never)]
fn find_behind<'p, const WORDS: usize>(
    hash: u64,
    places: &'p [PlaceAtHand<WORDS>; PLACES],
    bytes: &[u8],
    record: &Record,
) -> Option<&'p HostPair> {
    let text = PairText::of(bytes, record)?;
    let behind = reach(hash).skip(1).map(|at| &places[at]).take_while(|place| !place.text.is_free());
    behind.filter(|place| place.text.is(&text)).map(|place| &place.pair).next()
}

/// Puts a pair into the first of its places that is free or has its text; if there is none, into
/// one after the other.
fn put<const WORDS: usize>(places: &mut PairPlaces<WORDS>, hash: u64, place: PlaceAtHand<WORDS>, trial: &mut Trial) {
    let Some(places) = places else { return };
    let is_its_own = |at: &usize| places[*at].text.is_free() || places[*at].text.is(&place.text);
    let at = reach(hash).find(is_its_own).or_else(|| reach(hash).nth(trial.learned % REACH));
    if let Some(at) = at {
        places[at] = place;
        trial.learned += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::model::Timestamp;

    /// A record of a text whose first host ends at `ends`, and whose second begins behind `gap`
    /// bytes more.
    fn record(text: &[u8], ends: usize, gap: usize) -> Record {
        let (ends, begins) = (3 + ends as u32, 3 + (ends + gap) as u32);
        Record { time: Timestamp::from_nanos(0), from: (3, ends), to: (begins, 3 + text.len() as u32) }
    }

    /// The pair of a record, if it is at hand.
    fn find(at_hand: &PairsAtHand, bytes: &[u8], record: &Record) -> Option<HostPair> {
        let pair = Cell::new(None);
        at_hand.find_each(bytes, &[*record], |found, _| pair.set(Some(found)), |_| pair.set(None));
        pair.get()
    }

    fn texts() -> impl Strategy<Value = Vec<(Vec<u8>, usize, usize)>> {
        let length = prop_oneof![3usize..6, 15usize..19, 30usize..35, 62usize..67];
        let text = (length, 0u8..3, prop_oneof![Just(0u8), Just(b' '), Just(b'a')])
            .prop_map(|(length, last, of)| [vec![of; length - 1], vec![last]].concat());
        proptest::collection::vec((text, 1usize..2, 0usize..2), 1..200)
    }

    proptest! {
        #[test]
        fn what_is_found_at_hand_is_what_was_put_in(texts in texts(), behind in 0usize..70) {
            let (mut at_hand, mut oracle, budget) = (PairsAtHand::default(), BTreeMap::new(), Arc::default());
            for (at, (text, ends, gap)) in texts.iter().enumerate() {
                let bytes = [b"\n1 ", &text[..], &vec![b'x'; behind]].concat();
                let record = record(text, *ends, *gap);
                // Texts of zeros have one hash whatever their length, so that some give way.
                let found = find(&at_hand, &bytes, &record);
                prop_assert!(found.is_none_or(|found| oracle.get(&(text, ends, gap)) == Some(&found)));
                let block = if text.len() <= 32 { 32 } else { 64 };
                let fits = text.len() <= 64 && text.len() + behind >= block;
                let pair = (HostId(at as u32), HostId(7));
                at_hand.put(&bytes, &record, pair, &budget);
                oracle.insert((text, ends, gap), pair);
                prop_assert_eq!(find(&at_hand, &bytes, &record), Some(pair).filter(|_| fits));
            }
            drop(at_hand);
            prop_assert_eq!(budget.used(), 0);
        }
    }

    fn put(at_hand: &mut PairsAtHand, pair: u32, budget: &Arc<Budget>) -> bool {
        let text = format!("host-{pair:08} to");
        let bytes = format!("\n1 {text}\n{}", "x".repeat(64)).into_bytes();
        let record = record(text.as_bytes(), 13, 1);
        let found = find(at_hand, &bytes, &record);
        assert!(found.is_none_or(|found| found == (HostId(pair), HostId(1))));
        if found.is_none() {
            at_hand.put(&bytes, &record, (HostId(pair), HostId(1)), budget);
        }
        at_hand.pass(1);
        found.is_some()
    }

    #[test]
    fn some_thousand_pairs_stay_at_hand() {
        let (mut at_hand, budget) = (PairsAtHand::default(), Arc::default());
        for pairs in [1_456, 3_000] {
            (0..pairs).for_each(|pair| _ = put(&mut at_hand, pair, &budget));
            let missed = (0..20 * pairs).filter(|at| !put(&mut at_hand, at % pairs, &budget)).count();
            assert!(missed < pairs as usize / 4, "{missed} of {pairs} pairs, twenty times");
            assert!(at_hand.is_awake());
        }
    }

    #[test]
    fn it_steps_aside_where_no_pair_comes_again_and_tries_again_later() {
        let (mut at_hand, budget) = (PairsAtHand::default(), Arc::<Budget>::default());
        let steps = (0..)
            .take_while(|pair| {
                put(&mut at_hand, *pair, &budget);
                at_hand.is_awake()
            })
            .count();
        assert!(steps < 2 * LEARNED, "{steps} pairs were tried");
        assert_eq!(budget.used(), 0);
        at_hand.pass(REST - 1);
        assert!(!at_hand.is_awake());
        at_hand.pass(1);
        assert!(at_hand.is_awake() && !put(&mut at_hand, 0, &budget) && put(&mut at_hand, 0, &budget));
    }

    #[test]
    fn texts_that_no_place_can_hold_do_not_keep_it_awake() {
        let (mut at_hand, budget) = (PairsAtHand::default(), Arc::default());
        let text = [b'x'; 70];
        let longer = |at_hand: &mut PairsAtHand| {
            at_hand.put(&[b"\n1 ", &text[..]].concat(), &record(&text, 30, 1), (HostId(0), HostId(1)), &budget);
            at_hand.pass(1);
        };
        (0..8 * TRIAL).for_each(|_| longer(&mut at_hand));
        assert!(at_hand.is_awake(), "they cost next to nothing");
        let steps = (0..2 * LEARNED as u32)
            .take_while(|pair| {
                put(&mut at_hand, *pair, &budget);
                (0..7).for_each(|_| longer(&mut at_hand));
                at_hand.is_awake()
            })
            .count();
        assert!(steps < 2 * LEARNED, "no pair came again, and yet all of them were put in");
    }

    #[test]
    fn e10_it_takes_no_memory_that_is_short() {
        let (mut at_hand, budget) = (PairsAtHand::default(), Arc::new(Budget::new(Some(1 << 20))));
        put(&mut at_hand, 0, &budget);
        assert_eq!((budget.used(), at_hand.is_awake()), (0, false));
    }
}
