//! Lines that are written alike: told at a glance, by what the batch and the lines before have
//! shown.
//!
//! Most logs write each line in one way: stamps of one length, one kind of separator behind them,
//! one kind of line end. And neighbours share the front of their stamps. So a stamp is not read
//! character by character: it is held against a *mould*, which says for each place which bytes may
//! stand there. A line that fits the mould of those outside is outside; one that fits the other has
//! eight digits left to read, since those before them are known.
//!
//! Not here: lines that are written in any other way. Invariant: what is told at a glance is what
//! reading the line part by part tells; whichever way a batch is written, no line is another's.

use super::digits::{eight_digits, number};
use super::fields::{gap_of_pair, host_ranges, is_separator, odd_bytes};
use crate::format::line::{HostRanges, Likeness};
use crate::model::lanes::{Mould, NARROW, WIDE, block, digits};
use crate::model::{Timestamp, Units};

/// Digits that are read of a stamp; those before them are known.
const READ: usize = 8;

/// How many lines of a batch are asked how they are written.
const ASKED: usize = 8;

/// Bytes behind the start of a line that are looked at: its stamp, a separator and its hosts.
const REACH: usize = NARROW + WIDE;

/// How most lines of a batch are written, and what the lines before have shown.
#[derive(Debug, Clone, Copy)]
pub struct Alike {
    units: Units,
    /// The digits of a stamp, from eight to fifteen.
    digits: usize,
    /// Bytes between the second host and the newline: one if lines end with a carriage return.
    carriage: usize,
    /// Texts of that many digits: a stamp below the first is below all that are kept, and not in the
    /// future; one above the second is above them, and not in the future if below the third.
    bounds: [[u8; NARROW]; 3],
    /// Any stamp of that many digits.
    stamps: Mould,
    /// Those like that of the last line that was outside.
    outside: Mould,
    /// Those with the same front as that of the last line that was read.
    fronted: Mould,
    /// The instant of the lowest stamp with that front, and nanoseconds in a unit.
    front: i64,
    unit: i64,
}

impl Alike {
    /// How `lines` are written, if any of the first is of the common kind.
    pub fn of(lines: &[u8], units: Units, keep: (Timestamp, Timestamp), present: Timestamp) -> Option<Self> {
        let (digits, separator, carriage) = first_lines(lines).find_map(written)?;
        // A stamp with zeros at its front may be in another unit.
        let unit = units.of(10u64.pow(digits as u32 - 1));
        let lowest_digit = if units.of(0) == unit { b'0' } else { b'1' };
        let mut stamps = Mould { lowest: [0; NARROW], spread: [u8::MAX; NARROW] };
        stamps.lowest[..digits].fill(b'0');
        stamps.spread[..digits].fill(9);
        (stamps.lowest[0], stamps.spread[0]) = (lowest_digit, b'9' - lowest_digit);
        (stamps.lowest[digits], stamps.spread[digits]) = (separator, 0);
        let last = (Timestamp::MAX.nanos() / unit.nanos()).min(10i64.pow(digits as u32) - 1);
        let text = |stamp: i64| {
            let mut text = [0; NARROW];
            text[..digits].copy_from_slice(format!("{:0digits$}", stamp.clamp(0, last)).as_bytes());
            text
        };
        let present = unit.last_stamp(present);
        let stamps_of = [unit.first_stamp(keep.0).min(present), unit.last_stamp(keep.1), present];
        Some(Alike {
            units,
            digits,
            carriage,
            bounds: stamps_of.map(text),
            stamps,
            outside: stamps,
            fronted: stamps,
            front: 0,
            unit: unit.nanos(),
        })
    }

    /// The stamps around this one that are all outside and not in the future: with the same
    /// characters up to where it leaves a bound, there a digit of a range, and any behind.
    fn outside_around(&self, text: &[u8; NARROW]) -> Option<Mould> {
        let [lowest, highest, present] = &self.bounds;
        let leaves = |bound: &[u8; NARROW]| (0..self.digits).find(|&at| text[at] != bound[at]);
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
    fn around(&self, text: &[u8; NARROW], at: usize, from: u8, to: u8) -> Option<Mould> {
        let mut mould = self.stamps;
        mould.lowest[..at].copy_from_slice(&text[..at]);
        mould.spread[..at].fill(0);
        let from = from.max(mould.lowest[at]);
        (mould.lowest[at], mould.spread[at]) = (from, to.checked_sub(from)?);
        Some(mould)
    }

    /// The instant of the line that begins with `block`, if its stamp has the known front.
    #[inline(always)]
    fn time(&self, block: &[u8; NARROW]) -> Option<Timestamp> {
        if !self.fronted.fits(block) {
            return None;
        }
        let last_digits = block[(self.digits - READ) % READ..].first_chunk()?;
        let stamp = eight_digits(u64::from_le_bytes(*last_digits)) as i64;
        Some(Timestamp::from_nanos(self.front + stamp * self.unit))
    }
}

impl Likeness for Alike {
    fn learn_outside(&mut self, bytes: &[u8], start: usize) -> bool {
        let text = block(bytes, start).filter(|text| self.stamps.fits(text));
        let mould = text.and_then(|text| self.outside_around(text));
        self.outside = mould.unwrap_or(self.outside);
        mould.is_some()
    }

    fn learn_front(&mut self, bytes: &[u8], start: usize) -> bool {
        let Some(text) = block(bytes, start).filter(|text| self.stamps.fits(text)) else { return false };
        let front = self.digits - READ;
        let mut lowest = *text;
        lowest[front..self.digits].fill(b'0');
        let stamp = number(&lowest, self.digits);
        let ends = (self.units.instant(stamp), self.units.instant(stamp + 99_999_999));
        let (Some(first), Some(_)) = ends else { return false };
        self.front = first.nanos();
        self.fronted = self.stamps;
        self.fronted.lowest[..front].copy_from_slice(&text[..front]);
        self.fronted.spread[..front].fill(0);
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
    fn record(&self, bytes: &[u8], start: usize, end: usize) -> Option<(Timestamp, HostRanges)> {
        let line: &[u8; REACH] = block(bytes, start)?;
        let time = self.time(line.first_chunk()?)?;
        let behind = self.digits + 1;
        let block: &[u8; WIDE] = line[behind % NARROW..].first_chunk()?;
        let hosts = start + behind;
        let length = (end - self.carriage).wrapping_sub(hosts);
        let gap = gap_of_pair(block, length, odd_bytes(block, length))?;
        // An odd byte other than the end's would be part of the second host.
        if self.carriage > 0 && block[length % WIDE] != b'\r' {
            return None;
        }
        Some((time, host_ranges(hosts, gap, hosts + length)))
    }
}

/// The first of some lines, each with what is behind it.
fn first_lines(lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    let starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', lines).map(|newline| newline + 1));
    starts.take(ASKED).map(|start| &lines[start..])
}

/// The digits of the stamp at the front of a line, the separator behind it, and how many bytes end
/// the line before its newline, if the line is of the common kind.
fn written(line: &[u8]) -> Option<(usize, u8, usize)> {
    let front = line.first_chunk::<NARROW>()?;
    let length = digits(front).trailing_ones() as usize;
    let common = (READ..NARROW).contains(&length) && is_separator(front[length]);
    let end = memchr::memchr(b'\n', line).unwrap_or(line.len());
    common.then(|| (length, front[length], usize::from(line[..end].ends_with(b"\r"))))
}

#[cfg(test)]
mod tests {
    use super::super::Plain;
    use super::*;
    use crate::format::line::{LineFormat, Stamp};
    use crate::model::TimeUnit;
    use proptest::prelude::*;

    /// What is learned of a log in seconds, for a window of an hour.
    fn alike(log: &[u8]) -> Alike {
        let at = Timestamp::from_seconds;
        Alike::of(log, Units::AUTO, (at(1_699_996_400), at(1_700_000_000)), at(1_700_003_600)).unwrap()
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
            alike.record(&line, 0, end).map(|(time, hosts)| {
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
            &format!("1700000000 {long}. {longer}"),
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
        let at = Timestamp::from_seconds;
        let mut alike =
            Alike::of(b"9223372036 first line\n", Units::AUTO, (at(0), at(1_700_000_000)), Timestamp::MAX).unwrap();
        assert!(alike.learn_outside(&within("9000000000 a b"), 0) && !alike.is_outside(&within("9223372037 a b"), 0));
        assert!(!alike.learn_outside(&within("9223372037 a b"), 0) && !alike.learn_front(&within("9223372036 a b"), 0));
        assert!(alike.learn_front(&within("9123456789 a b"), 0));
    }

    fn stamp() -> impl Strategy<Value = i64> {
        prop_oneof![
            1 => -20i64..200_000_000,
            6 => 1_699_999_000i64..1_700_001_000,
            3 => 1_700_000_000_000i64..1_700_000_900_000,
            1 => any::<i64>()
        ]
    }

    fn line() -> impl Strategy<Value = String> {
        let hosts = prop_oneof![
            4 => Just(" a b\n"), 2 => Just("\ta\tb\r\n"), 1 => Just(" a.longer.name.example.org another.name.example.net\n"),
            1 => Just(" a b \n"), 1 => Just(" a\n"), 1 => Just("x a b\n"), 1 => Just("\n"), 1 => Just(".5 a b\n"),
        ];
        (0usize..20, stamp(), hosts)
            .prop_map(|(zeros, stamp, hosts)| format!("{}{stamp}{hosts}", if zeros < 3 { &"000"[..zeros] } else { "" }))
    }

    proptest! {
        #[test]
        fn what_is_told_at_a_glance_is_so_by_parsing(
            bounds in proptest::array::uniform3(stamp()),
            unit in 0usize..5,
            lines in proptest::collection::vec(line(), 1..20),
            learned in (0usize..20, 0usize..20),
        ) {
            let units = TimeUnit::ALL.map(Units::all).into_iter().chain([Units::AUTO]).nth(unit).unwrap();
            let plain = Plain { units };
            let [mut lowest, mut highest, present] = bounds.map(|stamp| units.instant(stamp).unwrap_or(Timestamp::MAX));
            if lowest > highest {
                (lowest, highest) = (highest, lowest);
            }
            let text = lines.concat() + &"the end of it all\n".repeat(8);
            let Some(mut alike) = Alike::of(text.as_bytes(), units, (lowest, highest), present) else { return Ok(()) };
            let bytes = text.as_bytes();
            let starts: Vec<usize> = lines.iter().scan(0, |at, line| { *at += line.len(); Some(*at - line.len()) }).collect();
            let is_outside = |start: usize| {
                let end = start + text[start..].find('\n').unwrap();
                match plain.stamp(bytes, start, end) {
                    Stamp::At(time, _) => (time < lowest || highest < time) && time <= present,
                    _ => false,
                }
            };
            let (outside, front) = (starts[learned.0 % starts.len()], starts[learned.1 % starts.len()]);
            let knows_outside = is_outside(outside) && alike.learn_outside(bytes, outside);
            prop_assert!(!knows_outside || alike.is_outside(bytes, outside));
            let knows_front = alike.learn_front(bytes, front);
            for start in starts {
                let end = start + text[start..].find('\n').unwrap();
                prop_assert!(!(knows_outside && alike.is_outside(bytes, start)) || is_outside(start));
                let parsed = match plain.stamp(bytes, start, end) {
                    Stamp::At(time, at) => Some((time, plain.hosts(bytes, at, end))),
                    _ => None,
                };
                if knows_front && let Some(time) = alike.stamp(bytes, start) {
                    prop_assert_eq!(Some(time), parsed.map(|(time, _)| time));
                }
                if knows_front && let Some((time, hosts)) = alike.record(bytes, start, end) {
                    prop_assert_eq!(Some((time, Ok(hosts))), parsed);
                }
            }
        }
    }
}
