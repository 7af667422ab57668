//! The numbers of a line beside its time and hosts: what its measures are, and how many connections it
//! stands for.
//!
//! They travel as bytes before the hosts of their record, so that whoever passes records on, drops some
//! or puts them in another order need not know of them. Not here: which slots they have (`bind`).
//! Invariant: what is read is what was written under the same layout, and a line that has no whole
//! number of 64 bits adds nothing and says so.

use std::str::FromStr;

use crate::format::decimal::Decimal;
use crate::model::{Amount, MOST_MEASURES, MeasureSet, PerMeasure, Timestamp};

/// A measure: its name, and the fields whose numbers add up to it. Without fields, it is the measure of
/// that name that the format knows, else the field of that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// What it is called in reports.
    pub name: String,
    /// The fields, if they are given.
    pub fields: Vec<String>,
}

/// What a format says of numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NumberRules {
    /// The measures that are asked for.
    pub asked: Vec<Measure>,
    /// Those that the format knows by name. Of several of one name, the first counts that a log can
    /// have.
    pub known: Vec<Measure>,
    /// Texts that stand for 0 in these.
    pub zeros: Vec<Vec<u8>>,
    /// The field that says how many connections a line stands for: of several, the first that a log can
    /// have.
    pub weight: Vec<String>,
}

/// Names of columns that reports have by themselves.
pub const RESERVED: &[&str] = &[
    "as_server",
    "as_source",
    "before",
    "clients",
    "connections",
    "end",
    "fall",
    "first_seen",
    "from",
    "host",
    "hosts",
    "in",
    "last_seen",
    "out",
    "pairs",
    "percent",
    "report",
    "rise",
    "running_percent",
    "server",
    "servers",
    "service",
    "services",
    "source",
    "sources",
    "start",
    "to",
    "window_start",
    "window_end",
    "revision",
    "provisional",
];

/// How the columns begin that reports have for each measure by themselves.
const RESERVED_BEGINNINGS: [&str; 2] = ["percent_of_", "running_percent_of_"];

/// Bytes that the name of a measure may have.
const LONGEST: usize = 64;

/// Fields that may add up to one.
const MOST_FIELDS: usize = 16;

impl FromStr for Measure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, fields) = match text.split_once('=') {
            Some((name, fields)) => (name.trim(), fields.split('+').map(|field| field.trim().to_owned()).collect()),
            None => (text.trim(), Vec::new()),
        };
        let is_odd = |c: char| c.is_control() || c.is_whitespace() || "+=,'\"".contains(c);
        if name.is_empty() || name.len() > LONGEST || name.contains(is_odd) || fields.iter().any(String::is_empty) {
            return Err(format!(
                "'{text}' is no measure: expected one that the format knows, a field, or NAME=FIELD+FIELD"
            ));
        }
        if RESERVED.contains(&name) || RESERVED_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) {
            return Err(format!(
                "'{name}' is a column that reports have already; give another name, e.g. {name}_sum={name}"
            ));
        }
        if fields.len() > MOST_FIELDS {
            return Err(format!("'{name}' is the sum of more than {MOST_FIELDS} fields"));
        }
        Ok(Measure { name: name.to_owned(), fields })
    }
}

/// Whether measures can have these names: sums, and behind them the two times or none.
pub fn are_measure_names(names: &[String]) -> bool {
    let sums = &names[..MeasureSet::of(names).sums()];
    let is_good = |at: usize| is_measure_name(&sums[at]) && !sums[..at].contains(&sums[at]);
    MeasureSet::of(names).len() == names.len() && (0..sums.len()).all(is_good)
}

/// Whether a text may be the name of a sum.
fn is_measure_name(text: &str) -> bool {
    text.parse::<Measure>().is_ok_and(|measure| measure.fields.is_empty() && measure.name == text)
}

impl NumberRules {
    /// Errors with why not all that is asked for can be summed.
    pub fn check(&self) -> Result<(), String> {
        if self.asked.len() > MOST_MEASURES {
            return Err(format!("at most {MOST_MEASURES} measures can be summed in one run"));
        }
        let is_twice = |at: &usize| self.asked[..*at].iter().any(|other| other.name == self.asked[*at].name);
        match (0..self.asked.len()).find(is_twice) {
            Some(at) => Err(format!("'{}' is asked for twice; give one of them another name", self.asked[at].name)),
            None => Ok(()),
        }
    }

    /// The ways in which a measure can be had, each the fields that add up to it, in the order in which
    /// they are tried.
    pub fn ways(&self, asked: &Measure) -> Vec<Vec<String>> {
        let of = |measure: &Measure| match measure.fields.is_empty() {
            true => vec![measure.name.clone()],
            false => measure.fields.clone(),
        };
        let known = self.known.iter().filter(|known| asked.fields.is_empty() && known.name == asked.name);
        let known: Vec<Vec<String>> = known.map(of).collect();
        if known.is_empty() { vec![of(asked)] } else { known }
    }

    /// What else may be said where a field is not there: the measures that the format knows.
    pub fn hint(&self) -> String {
        let mut names: Vec<&str> = self.known.iter().map(|known| known.name.as_str()).collect();
        names.dedup();
        if names.is_empty() { String::new() } else { format!("; the measures of the format are {}", names.join(", ")) }
    }
}

/// Which numbers stand before the hosts of a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordLayout {
    /// How many measures, up to `MOST_MEASURES`.
    measures: usize,
    /// Whether a record may stand for several connections.
    weighted: bool,
    /// Whether it is kept when a record was. No bytes say that.
    times: bool,
}

/// The numbers of a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordNumbers {
    /// How many connections it stands for, above 0, and its measures.
    pub amount: Amount,
    /// 1 for each measure of which something is missing in the line.
    pub missing: PerMeasure,
    /// Whether the line should have a weight and has none.
    pub is_unweighted: bool,
    /// Whether the fields of one measure add up to more than 64 bits can say.
    pub is_beyond: bool,
}

const NUMBER: usize = size_of::<u64>();

/// The bits of what is to be said of a record, behind those of its measures.
const UNWEIGHTED: u8 = 1 << MOST_MEASURES;
const BEYOND: u8 = UNWEIGHTED << 1;

impl RecordLayout {
    /// Whether there are no numbers, so that each record is one connection and nothing else.
    #[inline]
    pub fn is_empty(self) -> bool {
        !self.has_bytes() && !self.times
    }

    fn has_bytes(self) -> bool {
        self.measures > 0 || self.weighted
    }

    /// The same, with the time of each record kept or not.
    pub fn with_times(self, times: bool) -> Self {
        RecordLayout { times, ..self }
    }

    /// Whether a record may stand for several connections.
    pub fn is_weighted(self) -> bool {
        self.weighted
    }

    /// Multiplies the numbers at the end of a text, of a line that stands for so many alike. What passes
    /// 64 bits is told when it is read.
    pub fn repeat(self, text: &mut [u8], times: u64) {
        let length = (self.measures + usize::from(self.weighted)) * NUMBER + 1;
        let bytes = text.len().checked_sub(length).and_then(|start| text.get_mut(start..));
        let Some((mask, bytes)) = bytes.filter(|_| self.has_bytes()).and_then(<[u8]>::split_last_mut) else { return };
        for number in bytes.as_chunks_mut::<NUMBER>().0 {
            let product = u64::from_le_bytes(*number).checked_mul(times);
            *mask |= if product.is_none() { BEYOND } else { 0 };
            *number = product.unwrap_or(u64::MAX).to_le_bytes();
        }
    }

    /// The numbers that end before byte `end` of a text; those of one connection if there are none.
    #[inline]
    pub fn read(self, text: &[u8], end: usize, time: Timestamp) -> RecordNumbers {
        let mut numbers = RecordNumbers { amount: 1.into(), ..RecordNumbers::default() };
        if self.times {
            numbers.amount.sums = numbers.amount.sums.seen_at(time);
        }
        let length = (self.measures + usize::from(self.weighted)) * NUMBER + 1;
        let bytes = end.checked_sub(length).and_then(|start| text.get(start..end));
        let Some((mask, bytes)) = bytes.filter(|_| self.has_bytes()).and_then(<[u8]>::split_last) else {
            return numbers;
        };
        let mut each = bytes.chunks_exact(NUMBER).map(|bytes| bytes.try_into().map_or(0, u64::from_le_bytes));
        for (at, sum) in numbers.amount.sums.0.iter_mut().enumerate().take(self.measures) {
            *sum = each.next().unwrap_or(0);
            numbers.missing.0[at] = u64::from(mask >> at & 1);
        }
        numbers.amount.connections = each.next().filter(|_| self.weighted).unwrap_or(1);
        (numbers.is_unweighted, numbers.is_beyond) = (mask & UNWEIGHTED != 0, mask & BEYOND != 0);
        numbers
    }
}

/// Where the numbers of a line stand.
#[derive(Debug, Default)]
pub struct BoundNumbers {
    /// For each measure the slots of the fields that add up to it, in the order in which they are tried.
    pub measures: Vec<Vec<Vec<usize>>>,
    /// The slot of the weight.
    pub weight: Option<usize>,
    /// Whether numbers may be written with an exponent, or with a point and zeros, as those of JSON.
    pub are_of_json: bool,
}

impl BoundNumbers {
    /// What is written of each record.
    pub fn layout(&self) -> RecordLayout {
        RecordLayout { measures: self.measures.len(), weighted: self.weight.is_some(), times: false }
    }

    /// Gives its fields other slots.
    pub fn renumber(&mut self, new: impl Fn(usize) -> usize) {
        self.measures.iter_mut().flatten().flatten().for_each(|slot| *slot = new(*slot));
        self.weight = self.weight.map(new);
    }

    /// Appends the numbers of a line whose fields `field` gives.
    pub fn write<'a>(&self, field: impl Fn(usize) -> Option<&'a [u8]>, into: &mut Vec<u8>) {
        let mut mask = 0;
        for (at, ways) in self.measures.iter().enumerate() {
            // The first of which anything is there.
            let is_there = |way: &&Vec<usize>| way.iter().any(|slot| field(*slot).is_some());
            let way = ways.iter().find(is_there).map_or(&[][..], Vec::as_slice);
            let mut sum = Some(0u64);
            mask |= u8::from(way.is_empty()) << at;
            for slot in way {
                match field(*slot).and_then(|text| self.whole_number(text)) {
                    Some(number) => sum = sum.and_then(|sum| sum.checked_add(number)),
                    None => mask |= 1 << at,
                }
            }
            mask |= if sum.is_none() { BEYOND } else { 0 };
            into.extend_from_slice(&sum.unwrap_or(u64::MAX).to_le_bytes());
        }
        if let Some(slot) = self.weight {
            let weight = field(slot).and_then(|text| self.whole_number(text)).filter(|weight| *weight > 0);
            mask |= if weight.is_none() { UNWEIGHTED } else { 0 };
            into.extend_from_slice(&weight.unwrap_or(1).to_le_bytes());
        }
        if !self.layout().is_empty() {
            into.push(mask);
        }
    }

    fn whole_number(&self, text: &[u8]) -> Option<u64> {
        match whole_number(text) {
            None if self.are_of_json => Decimal::scientific(text.trim_ascii())?.whole(),
            number => number,
        }
    }
}

/// A whole number of 64 bits, as digits; a plus may stand before it.
pub(super) fn whole_number(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(fields: &[Option<&str>], bound: &BoundNumbers) -> RecordNumbers {
        let mut text = b"before".to_vec();
        bound.write(|slot| fields[slot].map(str::as_bytes), &mut text);
        bound.layout().read(&text, text.len(), Timestamp::MIN)
    }

    #[test]
    fn what_is_no_whole_number_adds_nothing_and_is_told() {
        let bound = BoundNumbers {
            measures: vec![vec![vec![0, 1]], vec![vec![2], vec![1]]],
            weight: Some(3),
            are_of_json: false,
        };
        let most = u64::MAX.to_string();
        for (fields, sums, missing, weight) in [
            ([Some("1"), Some("+2"), Some("3"), Some("4")], [3, 3], [0, 0], Some(4)),
            ([Some("1"), Some("-"), None, Some("0")], [1, 0], [1, 1], None),
            ([None, Some("2"), None, None], [2, 2], [1, 0], None),
            ([None, None, None, Some("x")], [0, 0], [1, 1], None),
            ([Some("1.5"), Some("18446744073709551616"), Some("1e3"), Some("1")], [0, 0], [1, 1], Some(1)),
            ([Some(" 7 "), Some("0"), Some(&most), Some("1")], [7, u64::MAX], [0, 0], Some(1)),
        ] {
            let found = written(&fields, &bound);
            assert_eq!(found.amount.sums, PerMeasure::of(&sums), "{fields:?}");
            assert_eq!(found.missing, PerMeasure::of(&missing), "{fields:?}");
            assert_eq!((found.amount.connections, found.is_unweighted), (weight.unwrap_or(1), weight.is_none()));
            assert!(!found.is_beyond);
        }
        assert!(written(&[Some(&most), Some("1"), Some("1"), Some("1")], &bound).is_beyond);
    }

    #[test]
    fn numbers_of_json_are_whole_however_they_are_written() {
        let bound = BoundNumbers { measures: vec![vec![vec![0]]], weight: Some(1), are_of_json: true };
        for (text, number) in [
            ("1e3", Some(1_000)),
            ("1.7e9", Some(1_700_000_000)),
            ("1.7E+9", Some(1_700_000_000)),
            (" 12.0 ", Some(12)),
            ("2500e-2", Some(25)),
            ("1.8446744073709551615e19", Some(u64::MAX)),
            ("1.8446744073709551616e19", None),
            ("9007199254740993e0", Some(9_007_199_254_740_993)),
            ("1.5", None),
            ("25e-1", None),
            ("-1e3", None),
            ("1e999999999", None),
            ("1e", None),
            ("-", None),
        ] {
            let found = written(&[Some(text), Some(text)], &bound);
            assert_eq!(
                (found.amount.sums.0[0], found.missing.0[0]),
                (number.unwrap_or(0), u64::from(number.is_none())),
                "{text}"
            );
            assert_eq!(
                (found.amount.connections, found.is_unweighted),
                (number.unwrap_or(1), number.is_none()),
                "{text}"
            );
        }
    }

    #[test]
    fn without_numbers_a_record_is_one_connection() {
        let mut text = b"x".to_vec();
        BoundNumbers::default().write(|_| None, &mut text);
        assert_eq!(text, b"x");
        assert_eq!(
            RecordLayout::default().read(&text, 1, Timestamp::MIN),
            RecordNumbers { amount: 1.into(), ..RecordNumbers::default() }
        );
    }

    #[test]
    fn measures_are_spelled_in_one_of_two_ways() {
        let read = |text: &str| text.parse::<Measure>();
        assert_eq!(read("bytes").unwrap(), Measure { name: "bytes".into(), fields: vec![] });
        assert_eq!(
            read(" b = x + y.z ").unwrap(),
            Measure { name: "b".into(), fields: vec!["x".into(), "y.z".into()] }
        );
        for wrong in ["", "=", "a=", "a=b+", "a b", "a,b", "=b", "connections", "a+b", &"x".repeat(65)] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let rules = |asked: &[&str]| NumberRules {
            asked: asked.iter().map(|text| read(text).unwrap()).collect(),
            known: ["bytes=a+b", "bytes=c", "packets"].map(|text| read(text).unwrap()).to_vec(),
            ..NumberRules::default()
        };
        assert_eq!(rules(&["bytes"]).ways(&read("bytes").unwrap()), [vec!["a", "b"], vec!["c"]]);
        assert_eq!(rules(&[]).ways(&read("bytes=d").unwrap()), [["d"]]);
        assert_eq!(rules(&[]).ways(&read("x").unwrap()), [["x"]]);
        assert!(rules(&["a", "b", "c", "d"]).check().is_ok());
        assert!(rules(&["a", "b", "c", "d", "e"]).check().unwrap_err().contains("at most 4"));
        assert!(rules(&["a", "b", "a=c"]).check().unwrap_err().contains("'a' is asked for twice"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            numbers in proptest::collection::vec(any::<u64>(), 0..MOST_MEASURES),
            weight in proptest::option::of(1u64..),
            before in proptest::collection::vec(any::<u8>(), 0..9),
        ) {
            let texts: Vec<String> = numbers.iter().chain(&weight).map(u64::to_string).collect();
            let measures = (0..numbers.len()).map(|slot| vec![vec![slot]]).collect();
            let bound = BoundNumbers { measures, weight: weight.map(|_| numbers.len()), are_of_json: false };
            let mut text = before;
            bound.write(|slot| Some(texts[slot].as_bytes()), &mut text);
            let found = bound.layout().read(&text, text.len(), Timestamp::MIN);
            prop_assert_eq!(found.amount, Amount { connections: weight.unwrap_or(1), sums: PerMeasure::of(&numbers) });
            prop_assert_eq!((found.missing, found.is_beyond), (PerMeasure::default(), false));
        }

        #[test]
        fn what_is_repeated_is_what_as_many_lines_come_to(
            numbers in proptest::collection::vec(prop_oneof![0u64..99, any::<u64>()], 0..MOST_MEASURES),
            weighted: bool,
            times in 1u64..9,
        ) {
            let layout = RecordLayout { measures: numbers.len(), weighted, times: false };
            let texts: Vec<String> = numbers.iter().map(u64::to_string).chain(["2".to_owned()]).collect();
            let measures = (0..numbers.len()).map(|slot| vec![vec![slot]]).collect();
            let bound = BoundNumbers { measures, weight: weighted.then_some(numbers.len()), are_of_json: false };
            let mut text = b"before".to_vec();
            bound.write(|slot| Some(texts[slot].as_bytes()), &mut text);
            layout.repeat(&mut text, times);
            let found = layout.read(&text, text.len(), Timestamp::MIN);
            let products: Option<Vec<u64>> = numbers.iter().map(|number| number.checked_mul(times)).collect();
            prop_assert_eq!(found.is_beyond, products.is_none());
            if let Some(products) = products {
                let connections = if weighted { 2 * times } else { 1 };
                prop_assert_eq!(found.amount, Amount { connections, sums: PerMeasure::of(&products) });
            }
            prop_assert!(text.starts_with(b"before"));
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in proptest::collection::vec(any::<u8>(), 0..60), end in 0usize..80) {
            RecordLayout { measures: 4, weighted: true, times: false }.read(&text, end, Timestamp::MIN);
        }
    }
}
