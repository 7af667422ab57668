//! Lines that are written alike: told at a glance, by what the batch and the lines before have
//! shown.
//!
//! Most logs write each line in one way: stamps of one length, one kind of separator behind them,
//! one kind of line end. And neighbours share the front of their stamps. So a stamp is not read
//! character by character: it is held against a *mould*, which says for each place which bytes may
//! stand there. A line that fits the mould of those outside is outside; one that fits the other has
//! eight digits of its whole part left to read, since those before them are known.
//!
//! Not here: lines that are written in any other way. Invariant: what is told at a glance is what
//! reading the line part by part tells; whichever way a batch is written, no line is another's.

use super::digits::eight_digits;
use super::fields::{before_carriage, gap_of_long_pair, gap_of_pair, host_ranges, odd_bytes, slow_hosts};
use super::shape::{LineShape, READ};
use crate::format::line::{HostRanges, Likeness};
use crate::model::lanes::{Lanes, MIDDLE, Mould, NARROW, WIDE, block};
use crate::model::{Timestamp, Units};

/// Bytes behind the start of a line that are looked at: its stamp, a separator and its hosts.
const REACH: usize = MIDDLE + WIDE;

/// How many instants the digits that are read at once can tell apart.
const READABLE: i64 = 10i64.pow(READ as u32);

/// What is known of lines whose stamps, with a separator behind, fit a block of `SIZE` bytes: a
/// narrow one if they are whole numbers.
#[derive(Debug, Clone, Copy)]
pub struct Alike<const SIZE: usize> {
    shape: LineShape,
    /// Whole parts as texts: a stamp below the first is below all that are kept, and not in the
    /// future; one above the second is above them, and not in the future if below the third.
    bounds: [[u8; NARROW]; 3],
    /// Any stamp.
    stamps: Mould<SIZE>,
    /// Those like that of the last line that was outside.
    outside: Mould<SIZE>,
    /// Those with the same front as that of the last line that was read.
    fronted: Mould<SIZE>,
    /// The instant of the lowest stamp with that front.
    front: i64,
    steps: StampSteps,
}

/// What digits stand for, in nanoseconds.
#[derive(Debug, Clone, Copy)]
struct StampSteps {
    /// One in the last digit of the whole part.
    whole: i64,
    /// One in the last of the first eight digits behind it.
    fraction: i64,
    /// One in the ninth.
    ninth: i64,
}

impl StampSteps {
    /// Of stamps that are written so.
    fn of(shape: &LineShape, units: Units) -> Option<Self> {
        let unit = units.of(10u64.pow(shape.digits() as u32 - 1)).nanos();
        let fractions = 10i64.pow(shape.fraction as u32);
        let (whole, last) = if shape.point { (unit, unit / fractions) } else { (unit.checked_mul(fractions)?, unit) };
        let (fraction, ninth) = match shape.fraction {
            0 => (0, 0),
            1..=READ => (last, 0),
            _ => (10 * last, last),
        };
        // Digits that are finer than nanoseconds are not read here.
        (last > 0).then_some(StampSteps { whole, fraction, ninth })
    }
}

impl<const SIZE: usize> Alike<SIZE> {
    /// Of lines that are written so.
    pub fn of(shape: LineShape, units: Units, keep: (Timestamp, Timestamp), present: Timestamp) -> Option<Self> {
        let steps = StampSteps::of(&shape, units)?;
        let LineShape { whole, separator, .. } = shape;
        // A stamp with zeros at its front may be in another unit.
        let may_begin_with_zero = units.of(0) == units.of(10u64.pow(shape.digits() as u32 - 1));
        let digit = (b'0', 9);
        let places = std::iter::repeat_n(digit, whole)
            .chain(shape.point.then_some((b'.', 0)))
            .chain(std::iter::repeat_n(digit, shape.fraction))
            .chain([(separator, 0)]);
        let mut stamps = Mould { lowest: [0; SIZE], spread: [u8::MAX; SIZE] };
        for (at, (lowest, spread)) in places.enumerate() {
            (*stamps.lowest.get_mut(at)?, *stamps.spread.get_mut(at)?) = (lowest, spread);
        }
        if !may_begin_with_zero {
            (stamps.lowest[0], stamps.spread[0]) = (b'1', 8);
        }
        // A stamp below the one that an instant has, or that comes before it, means an earlier one.
        let last = (Timestamp::MAX.nanos() / steps.whole).min(10i64.pow(whole as u32) - 1);
        let stamp = |time: Timestamp| time.nanos().div_euclid(steps.whole).clamp(0, last);
        let text = |stamp: i64| {
            let mut text = [0; NARROW];
            text[..whole].copy_from_slice(format!("{stamp:0whole$}").as_bytes());
            text
        };
        let bounds = [stamp(keep.0).min(stamp(present)), stamp(keep.1), stamp(present)].map(text);
        Some(Alike { shape, bounds, stamps, outside: stamps, fronted: stamps, front: 0, steps })
    }

    /// The stamps around this one that are all outside and not in the future: with the same
    /// characters up to where it leaves a bound, there a digit of a range, and any behind.
    fn outside_around(&self, text: &[u8; SIZE]) -> Option<Mould<SIZE>> {
        let [lowest, highest, present] = &self.bounds;
        let leaves = |bound: &[u8; NARROW]| (0..self.shape.whole).find(|&at| text[at] != bound[at]);
        let below = leaves(lowest).filter(|&at| text[at] < lowest[at]);
        if let Some(at) = below {
            return self.around(text, at, b'0', lowest[at] - 1);
        }
        let above = leaves(highest).filter(|&at| text[at] > highest[at])?;
        let past = leaves(present).filter(|&at| text[at] < present[at])?;
        let from = if above >= past { highest[above] + 1 } else { b'0' };
        let to = if past >= above { present[past] - 1 } else { b'9' };
        self.around(text, above.max(past), from, to)
    }

    /// Stamps with the same characters as this one before `at`, there a digit of a range, and any
    /// behind.
    fn around(&self, text: &[u8; SIZE], at: usize, from: u8, to: u8) -> Option<Mould<SIZE>> {
        let mut mould = self.stamps;
        mould.lowest[..at].copy_from_slice(&text[..at]);
        mould.spread[..at].fill(0);
        let from = from.max(mould.lowest[at]);
        (mould.lowest[at], mould.spread[at]) = (from, to.checked_sub(from)?);
        Some(mould)
    }

    /// The instant of the line that begins with `text`, if its stamp has the known front.
    #[inline(always)]
    fn time(&self, text: &[u8; SIZE]) -> Option<Timestamp> {
        if !self.fronted.fits(text) {
            return None;
        }
        let read = |at: usize| text[at..].first_chunk().map(|digits| u64::from_le_bytes(*digits));
        let whole = eight_digits(read((self.shape.whole - READ) % READ)?) as i64;
        let mut nanos = self.front + whole * self.steps.whole;
        if SIZE > NARROW {
            let (at, fraction) = (self.shape.fraction_at() % NARROW, self.shape.fraction);
            // The digits move to the end of the eight, and zero bytes come before them.
            let word = read(at)? << (8 * READ.saturating_sub(fraction) % 64);
            let ninth = i64::from(text[at + READ] & 0x0f);
            nanos += eight_digits(word) as i64 * self.steps.fraction + ninth * self.steps.ninth;
        }
        Some(Timestamp::from_nanos(nanos))
    }
}

impl<const SIZE: usize> Likeness for Alike<SIZE> {
    fn learn_outside(&mut self, bytes: &[u8], start: usize) -> bool {
        let text = block(bytes, start).filter(|text| self.stamps.fits(text));
        let mould = text.and_then(|text| self.outside_around(text));
        self.outside = mould.unwrap_or(self.outside);
        mould.is_some()
    }

    fn learn_front(&mut self, bytes: &[u8], start: usize) -> bool {
        let Some(text) = block::<SIZE>(bytes, start).filter(|text| self.stamps.fits(text)) else { return false };
        let front = &text[..self.shape.whole - READ];
        let number = front.iter().fold(0, |number, digit| 10 * number + i64::from(digit - b'0'));
        let instant = |number: i64| number.checked_mul(READABLE)?.checked_mul(self.steps.whole);
        let (Some(first), Some(_)) = (instant(number), instant(number + 1)) else { return false };
        self.front = first;
        self.fronted = self.stamps;
        self.fronted.lowest[..front.len()].copy_from_slice(front);
        self.fronted.spread[..front.len()].fill(0);
        true
    }

    #[inline(always)]
    fn is_outside(&self, bytes: &[u8], start: usize) -> bool {
        block(bytes, start).is_some_and(|text| self.outside.fits(text))
    }

    #[inline(always)]
    fn stamp(&self, bytes: &[u8], start: usize) -> Option<Timestamp> {
        self.time(block(bytes, start)?)
    }

    #[inline(always)]
    fn record(&self, lanes: impl Lanes, bytes: &[u8], start: usize, end: usize) -> Option<(Timestamp, HostRanges)> {
        let line: &[u8; REACH] = block(bytes, start)?;
        let time = self.time(line.first_chunk()?)?;
        let behind = self.shape.length() + 1;
        let block: &[u8; WIDE] = line[behind % MIDDLE..].first_chunk()?;
        let hosts = start + behind;
        let length = (end - self.shape.carriage).wrapping_sub(hosts);
        let gap = if length < WIDE {
            gap_of_pair(block, length, odd_bytes(lanes, block, length))?
        } else {
            gap_of_long_pair(lanes, bytes, hosts, length)?
        };
        // An odd byte other than the end's would be part of the second host.
        if self.shape.carriage > 0 && bytes.get(hosts + length) != Some(&b'\r') {
            return None;
        }
        Some((time, host_ranges(hosts, gap, hosts + length)))
    }

    fn spread_record(&self, bytes: &[u8], start: usize, end: usize) -> Option<(Timestamp, HostRanges)> {
        let time = self.stamp(bytes, start)?;
        Some((time, slow_hosts(bytes, start + self.shape.length(), before_carriage(bytes, start, end)).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Plain;
    use super::*;
    use crate::format::line::{LineFormat, Stamp};
    use crate::model::TimeUnit;
    use crate::model::lanes::{Baseline, on_widest_lanes};
    use proptest::prelude::*;

    /// What is learned of a log in seconds, for a window of an hour.
    fn alike(log: &[u8]) -> Alike<NARROW> {
        let (at, shape) = (Timestamp::from_seconds, LineShape::first(log).unwrap());
        Alike::of(shape, Units::AUTO, (at(1_699_996_400), at(1_700_000_000)), at(1_700_003_600)).unwrap()
    }

    /// A line in the middle of a log.
    fn within(line: &str) -> Vec<u8> {
        format!("{line}\n{}", "another line\n".repeat(10)).into_bytes()
    }

    #[test]
    fn a_line_outside_tells_others() {
        let learn = |log: &str, line: &str| {
            let mut alike = alike(log.as_bytes());
            alike.learn_outside(&within(line), 0).then_some(alike)
        };
        let seconds = "1700000000 first line\n";
        let told = |known: &str, line: &str| learn(seconds, known).unwrap().is_outside(&within(line), 0);
        assert!(told("1699996399 a b", "1699996390 a b") && told("1600000000 a b", "1680000000 a b"));
        assert!(told("1700000001 a b", "1700000009 a b") && told("1700001000 a b", "1700002999 longer than most"));
        assert!(told("1700003590 a b", "1700003500 a b"));
        assert!(!told("1699996399 a b", "1699996400 a b") && !told("1700000001 a b", "1700000000 a b"));
        assert!(!told("1700003590 a b", "1700003600 a b") && !told("1600000000 a b", "1600000000\ta b"));
        assert!(!told("1600000000 a b", "160000000 a b") && !told("1600000000 a b", "16000000000 a b"));
        assert!(!told("1600000000 a b", "160000000x a b") && !told("1600000000 a b", "1600000000"));
        for line in ["1699996400 a b", "1700000000 a b", "1700003600 a b", "9999999999 a b", "-1 a b", ""] {
            assert!(learn(seconds, line).is_none(), "{line}");
        }
        // Milliseconds with zeros before them may be seconds.
        let millis = "1700000000000 first line\n";
        assert!(learn(millis, "1699996399999 a b").is_some() && learn(millis, "0001699999999 a b").is_none());
        assert!(!learn(millis, "1600000000000 a b").unwrap().is_outside(&within("0600000000000 a b"), 0));
    }

    #[test]
    fn a_record_tells_others() {
        let record = |log: &str, line: &str| {
            let mut alike = alike(log.as_bytes());
            let line = within(line);
            let end = line.iter().position(|byte| *byte == b'\n').unwrap();
            assert!(alike.learn_front(log.as_bytes(), 0));
            alike.record(Baseline, &line, 0, end).map(|(time, hosts)| {
                let host = |(from, to)| String::from_utf8_lossy(&line[from..to]).into_owned();
                (time.nanos() / 1_000_000, host(hosts.from), host(hosts.to))
            })
        };
        let found = |time, from: &str, to: &str| Some((time, from.to_owned(), to.to_owned()));
        let (seconds, rest) = ("1600000000 first line\n", "more\n".repeat(20));
        let seconds = &(seconds.to_owned() + &rest);
        let (long, longer) = ("a-host.of-31-bytes.example.org.", "another.of-31-bytes.example.org");
        assert_eq!(record(seconds, "1699999999 a b"), found(1_699_999_999_000, "a", "b"));
        assert_eq!(record(seconds, &format!("1600000001 {long} {longer}")), found(1_600_000_001_000, long, longer));
        assert_eq!(record(seconds, "1600000000 a\tb"), found(1_600_000_000_000, "a", "b"));
        for other in [
            "1700000000  a b",
            "1700000000 a  b",
            "1700000000 a b ",
            "1700000000 a b c",
            "1700000000 a",
            "1700000000 a ",
            "1700000000\ta b",
            "1700000000 a b\r",
            "1700000000 a\0 b",
            "1700000000 a b\x01",
            "2700000000 a b",
            "170000000 a b",
            &format!("1700000000 {long}{long}. {longer}{longer}"),
            &format!("1700000000 {long}{long} {longer} {long}"),
        ] {
            assert_eq!(record(seconds, other), None, "{other:?}");
        }
        let carriage = &format!("1600000000000\tfirst\tline\r\n{rest}");
        assert_eq!(record(carriage, "1600000000001\ta\tb\r"), found(1_600_000_000_001, "a", "b"));
        for other in ["1600000000001\ta\tbc", "1600000000001\ta\tb\x01", "1600000000001\ta\tb ", "1600000000001\ta\t\r"]
        {
            assert_eq!(record(carriage, other), None, "{other:?}");
        }
    }

    #[test]
    fn no_stamp_beyond_all_instants_is_known() {
        let (at, shape) = (Timestamp::from_seconds, LineShape::first(b"9223372036 a b\n").unwrap());
        let mut alike = Alike::<NARROW>::of(shape, Units::AUTO, (at(0), at(1_700_000_000)), Timestamp::MAX).unwrap();
        assert!(alike.learn_outside(&within("9000000000 a b"), 0) && !alike.is_outside(&within("9223372037 a b"), 0));
        assert!(!alike.learn_outside(&within("9223372037 a b"), 0) && !alike.learn_front(&within("9223372036 a b"), 0));
        assert!(alike.learn_front(&within("9123456789 a b"), 0));
    }

    #[test]
    fn digits_behind_seconds_are_read() {
        for (stamp, nanos) in [
            ("1700000000.25", 1_700_000_000_250_000_000i64),
            ("1700000000.12345678", 1_700_000_000_123_456_780),
            ("1700000000.123456789", 1_700_000_000_123_456_789),
            ("1700000000000.5", 1_700_000_000_000_500_000),
            ("1700000000123456", 1_700_000_000_123_456_000),
            ("1700000000123456789", 1_700_000_000_123_456_789),
        ] {
            let line = within(&format!("{stamp} a b"));
            let shape = LineShape::first(&line).unwrap();
            let all = (Timestamp::MIN, Timestamp::MAX);
            let mut alike = Alike::<MIDDLE>::of(shape, Units::AUTO, all, Timestamp::MAX).unwrap();
            assert!(alike.learn_front(&line, 0), "{stamp}");
            assert_eq!(alike.stamp(&line, 0), Some(Timestamp::from_nanos(nanos)), "{stamp}");
        }
        for stamp in ["1700000000.1234567891", "1700000000000.1234567", "1700000000.", "17000000001234567890"] {
            let shape = LineShape::first(&within(&format!("{stamp} a b")));
            let alike =
                |shape| Alike::<MIDDLE>::of(shape, Units::AUTO, (Timestamp::MIN, Timestamp::MAX), Timestamp::MAX);
            assert!(shape.and_then(alike).is_none(), "{stamp}");
        }
    }

    fn stamp() -> impl Strategy<Value = i64> {
        prop_oneof![
            1 => -20i64..200_000_000,
            6 => 1_699_999_000i64..1_700_001_000,
            3 => 1_700_000_000_000i64..1_700_000_900_000,
            1 => any::<i64>()
        ]
    }

    /// The lines of a log, most of them with stamps that are written in one way.
    fn lines() -> impl Strategy<Value = Vec<String>> {
        let behind = proptest::sample::select(&["", "", "", ".5", ".250000", ".123456789", "123456", "123456789"][..]);
        behind.prop_flat_map(|behind| {
            let hosts = prop_oneof![
                6 => Just(" a b\n"),
                2 => Just("\ta\tb\r\n"),
                1 => Just(" a.longer.name.example.org another.name.example.net\n"),
                1 => Just(" a b \n"),
                1 => Just(" a\n"),
                1 => Just("x a b\n"),
                1 => Just("\n"),
                1 => Just(".5 a b\n"),
            ];
            let line = (0usize..20, stamp(), hosts).prop_map(move |(zeros, stamp, hosts)| {
                format!("{}{stamp}{behind}{hosts}", if zeros < 3 { &"000"[..zeros] } else { "" })
            });
            proptest::collection::vec(line, 1..20)
        })
    }

    /// Holds what is told at a glance against parsing, after what two lines have taught.
    fn hold(
        mut alike: impl Likeness,
        plain: &Plain,
        (lowest, highest, present): (Timestamp, Timestamp, Timestamp),
        (text, starts): (&[u8], &[usize]),
        (outside, front): (usize, usize),
    ) -> Result<(), TestCaseError> {
        let end = |start: usize| start + text[start..].iter().position(|byte| *byte == b'\n').unwrap();
        let parse = |start: usize| match plain.stamp(&mut (), text, start, end(start)) {
            Stamp::At(time, at) => Some((time, plain.hosts(&mut (), text, at, end(start)))),
            _ => None,
        };
        let is_outside =
            |start: usize| parse(start).is_some_and(|(time, _)| (time < lowest || highest < time) && time <= present);
        let knows_outside = is_outside(outside) && alike.learn_outside(text, outside);
        prop_assert!(!knows_outside || alike.is_outside(text, outside));
        let knows_front = alike.learn_front(text, front);
        prop_assert!(!knows_front || alike.stamp(text, front).is_some());
        for &start in starts {
            prop_assert!(!(knows_outside && alike.is_outside(text, start)) || is_outside(start));
            if knows_front && let Some(time) = alike.stamp(text, start) {
                prop_assert_eq!(Some(time), parse(start).map(|(time, _)| time));
            }
            if !knows_front {
                continue;
            }
            let record = alike.record(Baseline, text, start, end(start));
            let spread = alike.spread_record(text, start, end(start));
            for (time, hosts) in record.into_iter().chain(spread) {
                prop_assert_eq!(Some((time, Ok(hosts))), parse(start));
            }
            prop_assert!(record.is_none() || spread == record);
            prop_assert_eq!(on_widest_lanes!(lanes => alike.record(lanes, text, start, end(start))), record);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn what_is_told_at_a_glance_is_so_by_parsing(
            bounds in proptest::array::uniform3((stamp(), 0i64..1_000_000_000)),
            unit in 0usize..5,
            lines in lines(),
            learned in (0usize..20, 0usize..20),
        ) {
            let units = TimeUnit::ALL.map(Units::all).into_iter().chain([Units::AUTO]).nth(unit).unwrap();
            let [mut lowest, mut highest, present] = bounds.map(|(stamp, nanos)| {
                units.instant(stamp).and_then(|time| time.checked_plus(nanos)).unwrap_or(Timestamp::MAX)
            });
            if lowest > highest {
                (lowest, highest) = (highest, lowest);
            }
            let text = lines.concat() + &"the end of it all\n".repeat(8);
            let starts: Vec<usize> = lines.iter().scan(0, |at, line| { *at += line.len(); Some(*at - line.len()) }).collect();
            let learned = (starts[learned.0 % starts.len()], starts[learned.1 % starts.len()]);
            let Some(shape) = LineShape::first(text.as_bytes()) else { return Ok(()) };
            let (plain, log) = (Plain { units }, (text.as_bytes(), &starts[..]));
            if shape.fraction == 0 && let Some(alike) = Alike::<NARROW>::of(shape, units, (lowest, highest), present) {
                hold(alike, &plain, (lowest, highest, present), log, learned)?;
            }
            if let Some(alike) = Alike::<MIDDLE>::of(shape, units, (lowest, highest), present) {
                hold(alike, &plain, (lowest, highest, present), log, learned)?;
            }
        }
    }
}
