//! Tallies files with sums, and of lines that stand for several connections.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;

use super::tests::{Folder, header, question, small};
use super::*;
use crate::error::Error;
use crate::model::{Amount, Measured, PerMeasure, Timestamp};
use crate::tally::aggregates::Layout;
use crate::tally::{Shape, Tally};

use super::tests::Part1;

/// A record: second, source, server, weight, sum.
type Record = (i64, u8, u8, u64, u64);

fn names(count: usize) -> Vec<String> {
    ["bytes", "packets"][..count].iter().map(|name| (*name).to_owned()).collect()
}

fn amount((_, _, _, connections, sum): Record) -> Amount {
    Amount { connections, sums: PerMeasure::of(&[sum, sum / 2]) }
}

/// A file of records, with so many measures.
fn bytes(input: u8, records: &[Record], measures: usize, is_weighted: bool) -> Vec<u8> {
    let mut tally = Tally::new(Shape { pane: 4, shards: 2 }, Arc::default()).measuring(&names(measures));
    for record in records {
        let mut amount = amount(*record);
        amount.sums = PerMeasure::of(&amount.sums.0[..measures]);
        tally.add_amount(record.0, &[b's', b'0' + record.1], &[b'd', b'0' + record.2], amount);
    }
    let layout =
        Layout { window: question().window(), first_bucket: 0, buckets: 4, grain: 1_000_000_000, previous: true };
    let view = tally.last_view(&layout);
    let lines = records.iter().map(|record| (record.0, record.1, record.2)).collect();
    let part = Part1 { input, from: 0, to: 9, skipped: false, lines };
    let mut header = header(&part);
    header.buckets = view.buckets().iter().enumerate().map(|(at, it)| (at as u64, it.connections)).collect();
    header.buckets.retain(|_, connections| *connections > 0);
    let measured = (0..4).map(|at| (at as u64, view.measured_in(at)));
    let header = header.with_numbers(HeaderNumbers::new(&names(measures), measured, is_weighted));
    assert_eq!(header.check(), Ok(()));
    let mut out = Vec::new();
    write(&mut out, &header, &view).unwrap();
    out
}

type Plain = BTreeMap<(usize, Vec<u8>, Vec<u8>), Amount>;

fn pairs(paths: &[PathBuf]) -> Result<Plain, Error> {
    let mut out = Plain::new();
    Files::open(paths)?.for_each::<Error>(&mut |part, from, to, amount| {
        assert_eq!(out.insert((part as usize, from.to_vec(), to.to_vec()), amount), None);
        Ok(())
    })?;
    Ok(out)
}

proptest! {
    #[test]
    fn sums_add_up_in_any_order_and_without_any_a_file_is_as_before(
        parts in proptest::collection::vec(
            proptest::collection::vec((-4i64..4, 0u8..4, 0u8..3, 1u64..200, 0u64..1 << 40), 0..20), 1..5),
        measures in 0usize..=2,
        weighted: bool,
    ) {
        let mut folder = Folder::new();
        let parts: Vec<Vec<Record>> = parts.into_iter()
            .map(|part| part.into_iter().map(|it| if weighted { it } else { (it.0, it.1, it.2, 1, it.4) }).collect())
            .collect();
        let files: Vec<PathBuf> =
            (0..).zip(&parts).map(|(input, part)| folder.file(&bytes(input, part, measures, weighted))).collect();
        let mut expected = Plain::new();
        for record in parts.iter().flatten() {
            let key = (usize::from(record.0 < 0), vec![b's', b'0' + record.1], vec![b'd', b'0' + record.2]);
            let mut amount = amount(*record);
            amount.sums = PerMeasure::of(&amount.sums.0[..measures]);
            *expected.entry(key).or_default() += amount;
        }
        prop_assert_eq!(pairs(&files).unwrap(), expected);
        let at_once = std::fs::read(folder.merged(&files)).unwrap();
        let reversed: Vec<PathBuf> = files.iter().rev().cloned().collect();
        let one_by_one = reversed.into_iter().reduce(|one, other| folder.merged(&[one, other])).unwrap();
        prop_assert_eq!(std::fs::read(one_by_one).unwrap(), at_once.clone());
        let format = u32::from_le_bytes(at_once[8..12].try_into().unwrap());
        prop_assert_eq!(format == 4, measures > 0 || weighted);
    }
}

#[test]
fn files_with_other_sums_are_refused_by_name() {
    let mut folder = Folder::new();
    let mut file = |input, measures| folder.file(&bytes(input, &[(0, 1, 1, 1, 5)], measures, false));
    let files = [file(0, 0), file(1, 1), file(2, 2)];
    for (one, other, said) in
        [(0, 1, "one sums nothing, and the other bytes"), (1, 2, "one sums bytes, and the other bytes, packets")]
    {
        let error = pairs(&[files[one].clone(), files[other].clone()]).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_sum_that_leaves_its_64_bits_is_refused() {
    let mut folder = Folder::new();
    let most = [0, 1].map(|input| folder.file(&bytes(input, &[(0, 1, 1, 1, u64::MAX - 3)], 1, false)));
    assert!(pairs(&most[..1]).is_ok());
    let error = pairs(&most).unwrap_err().to_string();
    assert!(error.contains("more than a number of 64 bits"), "{error}");
    let most = [0, 1].map(|input| folder.file(&bytes(input, &[(0, 1, 1, u64::MAX - 3, 1)], 0, true)));
    assert!(pairs(&most).unwrap_err().to_string().contains("more than a number of 64 bits"));
}

/// Makes good numbers wrong.
type Change<'a> = &'a dyn Fn(&mut HeaderNumbers);

#[test]
fn what_a_header_says_of_numbers_is_checked() {
    let measured =
        |sum: u64, missing: u64| Measured { sums: PerMeasure::of(&[sum]), missing: PerMeasure::of(&[missing]) };
    let good = HeaderNumbers { measures: names(1), buckets: BTreeMap::from([(0, measured(7, 1))]), is_weighted: false };
    let check = |change: Change<'_>| {
        let mut numbers = good.clone();
        change(&mut numbers);
        header(&small()).with_numbers(Some(numbers)).check()
    };
    assert_eq!(check(&|_| {}), Ok(()));
    let wrong: [(Change<'_>, &str); 8] = [
        (&|it| it.measures.clear(), "it has format 4, and nothing"),
        (&|it| it.measures = vec!["a=b".to_owned()], "the names of its measures"),
        (&|it| it.measures = vec!["a".to_owned(); 2], "the names of its measures"),
        (&|it| it.measures = (0..5).map(|at| at.to_string()).collect(), "the names of its measures"),
        (&|it| _ = it.buckets.insert(3, measured(1, 0)), "it has sums of buckets without connections"),
        (&|it| _ = it.buckets.insert(1, measured(0, 0)), "it has sums of buckets without connections"),
        (&|it| _ = it.buckets.insert(0, measured(1, 4)), "its sums, or the records without one"),
        (&|it| _ = it.buckets.insert(1, measured(u64::MAX, 0)), "its sums, or the records without one"),
    ];
    for (change, said) in wrong {
        let problem = check(change).unwrap_err();
        assert!(problem.starts_with(said), "{problem}");
    }
    // Times are those of the window, in their order.
    let question = header(&small()).question;
    let seen = |first: Timestamp, last: Timestamp| {
        let mut sums = PerMeasure::default().seen_at(first);
        sums += PerMeasure::default().seen_at(last);
        sums
    };
    let check = |sums: PerMeasure| {
        let buckets = BTreeMap::from([(0, Measured { sums, ..Measured::default() })]);
        let measures = crate::model::SEEN.map(str::to_owned).to_vec();
        header(&small()).with_numbers(Some(HeaderNumbers { measures, buckets, is_weighted: false })).check()
    };
    let (start, end) = (question.start, question.end);
    assert_eq!((check(seen(start, end)), check(seen(start, start))), (Ok(()), Ok(())));
    assert!(check(seen(start.plus(-1), end)).is_err() && check(seen(start, end.plus(1))).is_err());
    let header = header(&small()).with_numbers(Some(good.clone()));
    assert_eq!(header.check_sums([PerMeasure::of(&[7]), PerMeasure::default()]), Ok(()));
    assert!(header.check_sums([PerMeasure::of(&[6]), PerMeasure::default()]).is_err());
}
