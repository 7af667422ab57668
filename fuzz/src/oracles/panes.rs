//! The tally against maps: pairs by pane, totals by bucket, whatever is added, dropped and swept in
//! whatever order.

use std::collections::{BTreeMap, BTreeSet};

use logparser::internals::tally::Shape;
use logparser::internals::tally::{Budget, Tally};

use super::Draw;

type Name = Vec<u8>;

#[derive(Default)]
struct Model {
    pairs: BTreeMap<(i64, Name, Name), u64>,
    buckets: BTreeMap<i64, u64>,
}

fn name(number: usize) -> Name {
    // Of each length that is stored in another way, and some that only the end tells apart.
    let length = [1, 2, 7, 8, 9, 15, 16, 17, 40, 300][number % 10];
    let mut name = vec![b'h'; length];
    name[length - 1] = b'a' + (number / 10) as u8;
    name
}

fn check(tally: &Tally, model: &Model) {
    let hosts = tally.hosts().read();
    let name = |id| hosts.names().get(id).expect("a pair has names").to_vec();
    let mut pairs = BTreeMap::new();
    for (number, pane) in tally.panes() {
        pane.for_each(|from, to, count| {
            assert_eq!(pairs.insert((number, name(from), name(to)), count), None, "a pair came twice");
            assert_eq!(pane.get(from, to), count);
        });
    }
    assert_eq!(pairs, model.pairs);
    assert_eq!(*tally.buckets(), model.buckets);
    let needed: BTreeSet<&Name> = model.pairs.keys().flat_map(|(_, from, to)| [from, to]).collect();
    assert!(needed.iter().all(|name| hosts.find(name).is_some()));
}

pub fn run(data: &[u8]) {
    let mut draw = Draw::new(data);
    let pane = 1 + draw.below(4) as i64;
    let shape = Shape { pane, shards: 1 + draw.below(5) };
    let mut tally = Tally::new(shape, std::sync::Arc::new(Budget::default()));
    let (mut model, mut first) = (Model::default(), -20);
    while !draw.is_done() {
        match draw.byte() % 16 {
            0 => {
                first += draw.below(3) as i64 * pane;
                let first_pane = first.div_euclid(pane);
                let bucket = first_pane * pane;
                tally.drop_before(bucket);
                model.pairs.retain(|(number, ..), _| *number >= first_pane);
                model.buckets.retain(|known, _| *known >= bucket);
            }
            1 => tally.sweep(),
            2 => {
                let (_, panes) = tally.drain();
                assert_eq!(panes.iter().map(|(_, pane)| pane.len()).sum::<usize>(), model.pairs.len());
                model.pairs.clear();
            }
            3 => check(&tally, &model),
            _ => {
                let bucket = first + draw.below(12) as i64;
                let (from, to) = (name(draw.below(100)), name(draw.below(30)));
                let count = (1 + u64::from(draw.byte())) << (draw.byte() % 40);
                tally.add(bucket, &from, &to, count);
                *model.pairs.entry((bucket.div_euclid(pane), from, to)).or_default() += count;
                *model.buckets.entry(bucket).or_default() += count;
            }
        }
    }
    check(&tally, &model);
}
