//! Names that no pane holds are dropped while others count.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use logparser::Timestamp;
use logparser::internals::batch::Record;
use logparser::internals::ops::count::{Buckets, Counter, count};
use logparser::internals::tally::Shape;
use logparser::internals::tally::sweep::{ALWAYS_KEPT, Sweep};
use logparser::internals::tally::{Budget, Tally};
use parking_lot::RwLock;

use crate::support::Random;

const BUCKETS: Buckets = Buckets { anchor: Timestamp::from_nanos(0), grain: 1, last: i64::MAX };

type Pairs = BTreeMap<(i64, String, String), u64>;

fn tally() -> Tally {
    let tally = Tally::new(Shape { pane: 1, shards: 8 }, Arc::<Budget>::default());
    let kept = |host| tally.hosts().write().intern_within(format!("kept{host}").as_bytes(), tally.budget());
    (0..ALWAYS_KEPT).for_each(|host| _ = kept(host).unwrap());
    tally
}

/// Counts lines of a bucket and two hosts as one batch.
fn count_batch(lines: &[(i64, String, String)], tally: &Tally, counter: &mut Counter) {
    let mut bytes = Vec::new();
    let mut range = |name: &str| {
        bytes.extend_from_slice(name.as_bytes());
        ((bytes.len() - name.len()) as u32, bytes.len() as u32)
    };
    let record = |(bucket, from, to): &(i64, String, String)| Record {
        time: Timestamp::from_nanos(*bucket),
        from: range(from),
        to: range(to),
    };
    let records: Vec<Record> = lines.iter().map(record).collect();
    assert!(count(&records, &bytes, &BUCKETS, tally, counter).is_empty());
}

/// The pairs of a tally by name. No host of a pair is without one.
fn pairs(tally: &Tally) -> Pairs {
    let hosts = tally.hosts().read();
    let name = |id| String::from_utf8(hosts.names().get(id).expect("a name").to_vec()).unwrap();
    let mut pairs = Pairs::new();
    for (number, pane) in tally.panes() {
        pane.for_each(|from, to, count| {
            assert_eq!(pairs.insert((number, name(from), name(to)), count), None, "a pair came twice");
        });
    }
    pairs
}

fn mark_all(sweep: &mut Sweep) {
    while sweep.mark_some() {}
}

#[test]
fn a_name_that_comes_back_while_others_are_dropped_stays() {
    let (mut tally, mut counter) = (tally(), Counter::default());
    let line = |bucket, host: u32| (bucket, format!("host{host}"), "server".to_owned());
    let old: Vec<_> = (0..1_000).map(|host| line(0, host)).collect();
    count_batch(&old, &tally, &mut counter);
    counter.hand_over(i64::MAX, &mut tally);
    tally.drop_before(1);
    let mut sweep = tally.start_sweep();
    mark_all(&mut sweep);
    // Of each table of names, some come back before it is their turn.
    let back: Vec<_> = (0..1_000).step_by(3).map(|host| line(1, host)).collect();
    count_batch(&back, &tally, &mut counter);
    let new: Vec<_> = (1_000..1_500).map(|host| line(1, host)).collect();
    while tally.drop_some(&mut sweep) {
        // Numbers that have just become free are given out again while the sweep goes on.
        count_batch(&new, &tally, &mut counter);
    }
    let found = pairs(&tally);
    assert_eq!(found.len(), back.len() + new.len());
    assert!(back.iter().all(|line| found[line] == 1));
    assert_eq!(tally.hosts().read().names().len(), ALWAYS_KEPT + 1 + back.len() + new.len());
}

#[test]
fn workers_that_count_while_names_are_dropped_lose_none() {
    const WORKERS: usize = 3;
    const PANES: i64 = 100;
    const KEPT: i64 = 4;
    let (tally, ended, first) = (RwLock::new(tally()), AtomicBool::new(false), AtomicI64::new(0));
    let work = |seed: u64| {
        let (mut random, mut counter, mut counted) = (Random::new(seed), Counter::default(), Pairs::new());
        for batch in 0..PANES * 20 {
            let bucket = batch / 20;
            // Some hosts are of their time only, and come back later.
            let mut host = || match random.below(3) {
                0 => format!("for-some-time-{}", bucket as u64 / 4 % 4 * 1_000 + random.below(200)),
                _ => format!("h{}", random.below(300)),
            };
            let lines: Vec<_> = (0..50).map(|_| (bucket, host(), host())).collect();
            count_batch(&lines, &tally.read(), &mut counter);
            lines.into_iter().for_each(|line| *counted.entry(line).or_default() += 1);
            first.fetch_max(bucket, Ordering::Relaxed);
        }
        (counter, counted)
    };
    let drop_names = || {
        let mut sweeps = 0;
        while !ended.load(Ordering::Relaxed) {
            let mut sweep = {
                let mut tally = tally.write();
                tally.keep_only(&[(first.load(Ordering::Relaxed) - KEPT, i64::MAX)]);
                tally.start_sweep()
            };
            mark_all(&mut sweep);
            while tally.write().drop_some(&mut sweep) {
                std::thread::yield_now();
            }
            sweeps += 1;
        }
        sweeps
    };
    let (done, sweeps) = std::thread::scope(|scope| {
        let sweeper = scope.spawn(drop_names);
        let workers: Vec<_> = (0..WORKERS).map(|seed| scope.spawn(move || work(seed as u64))).collect();
        let done: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
        ended.store(true, Ordering::Relaxed);
        (done, sweeper.join().unwrap())
    });
    let (mut tally, mut expected) = (tally.into_inner(), Pairs::new());
    for (mut counter, counted) in done.into_iter().map(Result::unwrap) {
        counter.hand_over(i64::MAX, &mut tally);
        counted.into_iter().for_each(|(pair, count)| *expected.entry(pair).or_default() += count);
    }
    let kept = PANES - KEPT;
    tally.drop_before(kept);
    expected.retain(|(bucket, ..), _| *bucket >= kept);
    assert!(sweeps > 1, "{sweeps} sweeps");
    assert_eq!(pairs(&tally), expected);
    tally.sweep();
    assert_eq!(pairs(&tally), expected);
    let budget = Arc::clone(tally.budget());
    drop(tally.drain());
    assert_eq!(budget.used(), 0);
}
