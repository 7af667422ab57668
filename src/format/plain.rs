//! `<timestamp> <from> <to>`, separated by runs of spaces or tabs.
//!
//! White space before the stamp and after the second host is ignored, and so is a carriage return
//! at the line's end. A stamp is a number, with a minus before it if it is before 1970, and perhaps
//! with a point and decimals. Hosts are any other bytes but zero.
//!
//! Lines outside the window are told at a glance: stamps of one length order as their texts do, so
//! the first eight characters decide without parsing. Which length that is, each batch is asked;
//! the answer does not depend on it.

use super::line::{Fence, HostRanges, LineFormat, Stamp};
use crate::model::lanes::{MIDDLE, NARROW, at_most, block, digits, digits_from};
use crate::model::{Cause, Timestamp, Unfit, Units};
use crate::options::{OptionSpec, Options};

/// The format that `logparser` has always read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plain {
    /// How its stamps tell their unit.
    pub units: Units,
}

impl LineFormat for Plain {
    const NAME: &'static str = "plain";
    const HELP: &'static str = "a Unix time, who connected, and to whom, with blanks between them";
    const OPTIONS: &'static [OptionSpec] = &[];
    const EXAMPLE: &'static str = "1700000000 sierra Delta";

    fn open(_: &Options, units: Units) -> Self {
        Plain { units }
    }

    #[inline(always)]
    fn stamp(&self, bytes: &[u8], start: usize, end: usize) -> Stamp {
        match common_stamp(bytes, start, self.units) {
            Some((time, at)) => Stamp::At(time, at),
            None => slow_stamp(bytes, start, end, self.units),
        }
    }

    #[inline(always)]
    fn common(
        &self,
        bytes: &[u8],
        start: usize,
        end: usize,
        keep: (Timestamp, Timestamp),
    ) -> Option<(Timestamp, HostRanges)> {
        let (time, at) = common_stamp(bytes, start, self.units)?;
        if time < keep.0 || time > keep.1 {
            return None;
        }
        Some((time, common_hosts(bytes, at + 1, end)?))
    }

    fn fence(&self, lines: &[u8], keep: (Timestamp, Timestamp), present: Timestamp) -> Option<Fence> {
        let units = self.units;
        let length = length_of_stamps(lines, units);
        // Stamps of one length order as their texts do. The first eight digits decide for nearly
        // all lines.
        let unit = units.of(10u64.pow(length as u32 - 1));
        let stamps = [unit.first_stamp(keep.0), unit.last_stamp(keep.1), unit.last_stamp(present)];
        let texts = stamps.map(|stamp| stamp.to_string());
        let alike = texts.iter().all(|text| text.len() == length && text.as_bytes()[0].is_ascii_digit());
        // A window that begins in the future has stamps before it that are in the future too.
        let in_order = keep.0 <= keep.1 && keep.1 <= present;
        if !alike || !in_order {
            return None;
        }
        let bounds = texts.map(|text| head(text.as_bytes()));
        // With zeros at its start, a stamp of this length may be in another unit.
        let mut lowest = [b'0'; NARROW];
        lowest[0] += u8::from(units.of(0) != unit);
        Some(Fence { length, bounds, lowest })
    }

    #[inline(always)]
    fn is_outside(&self, bytes: &[u8], start: usize, fence: &Fence) -> bool {
        let Some(block) = block::<NARROW>(bytes, start) else { return false };
        let (&[head, _], _) = block.as_chunks::<8>() else { return false };
        let head = u64::from_be_bytes(head);
        let [lowest, highest, present] = fence.bounds;
        if head >= lowest && (head <= highest || head >= present) {
            return false;
        }
        // So many digits, and no more: a stamp of the length of the bounds. (A colon, which is no
        // less than a lowest digit of 1, was beyond all bounds.)
        digits_from(block, &fence.lowest).trailing_ones() as usize == fence.length
            && is_separator(block[fence.length % NARROW])
    }

    #[inline(always)]
    fn hosts(&self, bytes: &[u8], at: usize, end: usize) -> Result<HostRanges, Cause> {
        let end = if end > at && bytes[end - 1] == b'\r' { end - 1 } else { end };
        common_hosts(bytes, at + 1, end).map_or_else(|| slow_hosts(bytes, at, end), Ok)
    }
}

/// The stamp at `start` and where it ends, if it is of the common kind: eight to fifteen digits and
/// a separator.
#[inline(always)]
fn common_stamp(bytes: &[u8], start: usize, units: Units) -> Option<(Timestamp, usize)> {
    let block = block(bytes, start)?;
    // Digits reach no further than the line does: neither a newline nor the end of the bytes is
    // one.
    let length = digits(block).trailing_ones() as usize;
    // Almost every line of almost every log passes: seconds have ten digits, milliseconds thirteen.
    let common = (8..NARROW).contains(&length) && is_separator(block[length]);
    if !common {
        return None;
    }
    let time = if length == SECONDS { units.short(ten_digits(block)) } else { units.instant(number(block, length)) };
    Some((time?, start + length))
}

/// The digits of the first common stamp of some lines, or of seconds.
fn length_of_stamps(lines: &[u8], units: Units) -> usize {
    let starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', lines).map(|newline| newline + 1));
    let mut lengths = starts.take(8).filter_map(|start| Some(common_stamp(lines, start, units)?.1 - start));
    lengths.next().unwrap_or(SECONDS)
}

/// The first eight characters of a text, in their order.
fn head(text: &[u8]) -> u64 {
    text.first_chunk().map_or(0, |head| u64::from_be_bytes(*head))
}

/// The hosts of a line that go from `start` to `end`, if they are of the common kind: two names of
/// ordinary bytes with one separator between them, and nothing behind.
#[inline(always)]
fn common_hosts(bytes: &[u8], start: usize, end: usize) -> Option<HostRanges> {
    let block = block(bytes, start)?;
    let length = end.checked_sub(start).filter(|length| *length < MIDDLE)?;
    let low = at_most(block, b' ') & ((1 << length) - 1);
    let gap = low.trailing_zeros() as usize;
    let common = low.is_power_of_two() && gap > 0 && gap + 1 < length && is_separator(block[gap % MIDDLE]);
    common.then(|| HostRanges { from: (start, start + gap), to: (start + gap + 1, end) })
}

/// The hosts of a line that is not the common kind: long names, runs of separators, odd bytes, or
/// malformed. `end` is before a carriage return.
#[cold]
fn slow_hosts(bytes: &[u8], at: usize, end: usize) -> Result<HostRanges, Cause> {
    let from = field(bytes, at, end)?;
    let to = field(bytes, from.1, end)?;
    if to.1 < end && skip_separators(bytes, to.1, end) < end {
        return Err(Cause::TooManyFields);
    }
    Ok(HostRanges { from, to })
}

#[inline]
fn is_separator(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// The digits of a stamp in seconds, from 2001 to 2286.
const SECONDS: usize = 10;

/// Ten to the power of each number of digits behind the first eight.
const TENS: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// The number that the first ten bytes write, all digits. Of seconds two digits are left behind
/// eight: less work than for any number.
#[inline(always)]
fn ten_digits(block: &[u8; NARROW]) -> i64 {
    let (&[head, [tens, ones, ..]], _) = block.as_chunks::<8>() else { return 0 };
    let rest = 10 * u64::from(tens) + u64::from(ones) - 11 * u64::from(b'0');
    (100 * eight_digits(u64::from_le_bytes(head)) + rest) as i64
}

/// The number that the first `length` bytes write, all digits, at least eight and below sixteen.
#[inline]
fn number(block: &[u8; NARROW], length: usize) -> i64 {
    let (&[head, tail], _) = block.as_chunks::<8>() else { return 0 };
    let more = length % 8;
    // The digits move to the end of the eight, and zero bytes come before them; twice, since a
    // shift by all 64 bits at once is not allowed.
    let tail = u64::from_le_bytes(tail) << 8 << (56 - 8 * more);
    (eight_digits(u64::from_le_bytes(head)) * TENS[more] + eight_digits(tail)) as i64
}

/// The number that eight digits write, the first in the lowest byte. A zero byte counts as the
/// digit 0.
///
/// Pairs, then fours, then all eight are joined, each step one multiplication. The trick is
/// folklore; see Lemire, "Quickly parsing eight digits" (2018).
#[inline]
fn eight_digits(word: u64) -> u64 {
    let ones = word & 0x0f0f_0f0f_0f0f_0f0f;
    let pairs = (ones.wrapping_mul(10) + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100) + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    (fours.wrapping_mul(10_000) + (fours >> 32)) & 0xffff_ffff
}

/// The stamp of a line that is not the common kind: blank, indented, negative, long, with a
/// fraction, alone on its line, or bad.
#[cold]
fn slow_stamp(bytes: &[u8], start: usize, end: usize, units: Units) -> Stamp {
    let end = if end > start && bytes[end - 1] == b'\r' { end - 1 } else { end };
    let start = skip_separators(bytes, start, end);
    if start == end {
        return Stamp::Blank;
    }
    let at = field_end(bytes, start, end);
    let whole = at == end || is_separator(bytes[at]);
    match units.read(&bytes[start..at]) {
        _ if !whole => Stamp::Bad,
        Ok(time) => Stamp::At(time, at),
        Err(Unfit::TooEarly) => Stamp::TooEarly(at),
        Err(Unfit::TooLate) => Stamp::TooLate(at),
        Err(Unfit::NoStamp) => Stamp::Bad,
    }
}

/// The next field after the separators at `at`. Where no separator stands the line has ended too
/// early; where one does and nothing follows, a host was announced and is empty.
#[inline]
fn field(bytes: &[u8], at: usize, end: usize) -> Result<(usize, usize), Cause> {
    if at == end {
        return Err(Cause::TooFewFields);
    }
    let start = skip_separators(bytes, at, end);
    if start == end {
        return Err(Cause::EmptyHost);
    }
    let stop = field_end(bytes, start, end);
    if stop < end && bytes[stop] == 0 {
        return Err(Cause::Nul);
    }
    Ok((start, stop))
}

#[inline]
fn skip_separators(bytes: &[u8], mut at: usize, end: usize) -> usize {
    while at < end && is_separator(bytes[at]) {
        at += 1;
    }
    at
}

/// The first separator or zero byte from `at` on, or `end`.
#[inline]
fn field_end(bytes: &[u8], mut at: usize, end: usize) -> usize {
    // Eight bytes at a time, past the line's end where the chunk goes on: the newline there stops
    // the search too.
    while let Some(eight) = bytes.get(at..at + 8) {
        let Ok(eight) = <[u8; 8]>::try_from(eight) else { break };
        let word = u64::from_le_bytes(eight);
        // The high bit of each byte below 0x21. A borrow can only spoil bytes above a true hit; the
        // lowest is exact.
        let low = word.wrapping_sub(0x2121_2121_2121_2121) & !word & 0x8080_8080_8080_8080;
        if low == 0 {
            at += 8;
            continue;
        }
        at += low.trailing_zeros() as usize / 8;
        if at >= end || matches!(bytes[at], b' ' | b'\t' | 0) {
            return at.min(end);
        }
        at += 1;
    }
    while at < end && !matches!(bytes[at], b' ' | b'\t' | 0) {
        at += 1;
    }
    at.min(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TimeUnit;
    use proptest::prelude::*;

    const AUTO: Plain = Plain { units: Units::AUTO };

    type Parsed<'a> = Result<(Timestamp, &'a [u8], &'a [u8]), Option<Cause>>;

    /// A parsed line; `Err(None)` is a blank one. Parsed as part of a chunk, with bytes around it.
    fn parse<'a>(chunk: &'a [u8], line: std::ops::Range<usize>) -> Parsed<'a> {
        match AUTO.stamp(chunk, line.start, line.end) {
            Stamp::Blank => Err(None),
            Stamp::Bad | Stamp::TooEarly(_) | Stamp::TooLate(_) => Err(Some(Cause::BadStamp)),
            Stamp::At(stamp, at) => {
                let hosts = AUTO.hosts(chunk, at, line.end).map_err(Some)?;
                Ok((stamp, &chunk[hosts.from.0..hosts.from.1], &chunk[hosts.to.0..hosts.to.1]))
            }
        }
    }

    /// The instant of a stamp, by its characters: the digits before the point say how many of those
    /// behind it count.
    fn instant(text: &str) -> Option<Timestamp> {
        let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let are_digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        let places =
            [9, 6, 3, 0][[11, 14, 17].iter().filter(|most| whole.trim_start_matches('0').len() > **most).count()];
        let padded = format!("{part:0<places$}");
        if !are_digits(whole) || !are_digits(part) || padded[places..].chars().any(|c| c != '0') {
            return None;
        }
        format!("{sign}{whole}{}", &padded[..places]).parse().ok().map(Timestamp::from_nanos)
    }

    /// The same, by splitting.
    fn oracle(line: &[u8]) -> Parsed<'_> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let fields: Vec<&[u8]> = line.split(|b| is_separator(*b)).filter(|field| !field.is_empty()).collect();
        let Some(stamp) = fields.first() else { return Err(None) };
        let stamp = std::str::from_utf8(stamp).ok().and_then(instant).ok_or(Some(Cause::BadStamp))?;
        // The first fault from the left is the one that is named.
        for field in fields.iter().skip(1).take(2) {
            if field.contains(&0) {
                return Err(Some(Cause::Nul));
            }
        }
        let announced = line.last().is_some_and(|b| is_separator(*b));
        match fields.len() {
            3 => Ok((stamp, fields[1], fields[2])),
            1 | 2 if announced => Err(Some(Cause::EmptyHost)),
            1 | 2 => Err(Some(Cause::TooFewFields)),
            _ => Err(Some(Cause::TooManyFields)),
        }
    }

    #[test]
    fn each_kind_of_line_is_told() {
        use Cause::{BadStamp, EmptyHost, Nul, TooFewFields, TooManyFields};
        let at = Timestamp::from_seconds;
        let cases: &[(&[u8], Parsed<'_>)] = &[
            (b"1700000000 a b", Ok((at(1_700_000_000), b"a", b"b"))),
            (b"1700000000\ta\t\t b\r", Ok((at(1_700_000_000), b"a", b"b"))),
            (b"  17 a b  ", Ok((at(17), b"a", b"b"))),
            (b"-5 a b", Ok((at(-5), b"a", b"b"))),
            (b"9223372036854775807 a b", Ok((Timestamp::MAX, b"a", b"b"))),
            (b"1700000000000 a b", Ok((at(1_700_000_000), b"a", b"b"))),
            (b"1700000000.5 a b", Ok((at(1_700_000_000).plus(500_000_000), b"a", b"b"))),
            (b"-0.25\ta b", Ok((at(0).plus(-250_000_000), b"a", b"b"))),
            (b"5 \xff\xfe b\x01c", Ok((at(5), b"\xff\xfe", b"b\x01c"))),
            (b"9999999999 a b", Err(Some(BadStamp))),
            (b"1700000000.0000000001 a b", Err(Some(BadStamp))),
            (b"1700000000. a b", Err(Some(BadStamp))),
            (b"1700000000\0 a b", Err(Some(BadStamp))),
            (b"", Err(None)),
            (b" \t\r", Err(None)),
            (b"9223372036854775808 a b", Err(Some(BadStamp))),
            (b"99999999999999999999999 a b", Err(Some(BadStamp))),
            (b"x a b", Err(Some(BadStamp))),
            (b"+5 a b", Err(Some(BadStamp))),
            (b"- a b", Err(Some(BadStamp))),
            (b"1700000000", Err(Some(TooFewFields))),
            (b"1700000000 a", Err(Some(TooFewFields))),
            (b"1700000000 ", Err(Some(EmptyHost))),
            (b"1700000000 a ", Err(Some(EmptyHost))),
            (b"1700000000 a b c", Err(Some(TooManyFields))),
            (b"1700000000 a\0 b", Err(Some(Nul))),
            (b"1700000000 a \0", Err(Some(Nul))),
        ];
        for (line, expected) in cases {
            assert_eq!(&parse(line, 0..line.len()), expected, "{}", line.escape_ascii());
            assert_eq!(&oracle(line), expected, "the oracle on {}", line.escape_ascii());
        }
    }

    #[test]
    fn stamps_beyond_all_instants_are_told() {
        let stamp = |line: &[u8]| AUTO.stamp(line, 0, line.len());
        assert_eq!(stamp(b"9223372036 a b 12345678"), Stamp::At(Timestamp::from_seconds(9_223_372_036), 10));
        assert_eq!(stamp(b"9223372037 a b 12345678"), Stamp::TooLate(10));
        assert_eq!(stamp(b"-9223372037 a b"), Stamp::TooEarly(11));
        assert_eq!(stamp(b"9223372036.9 a b"), Stamp::TooLate(12));
        assert_eq!(stamp(b"99999999999999999999999 a b"), Stamp::Bad);
    }

    #[test]
    fn most_lines_outside_are_seen_at_a_glance() {
        let at = |(lowest, highest)| (Timestamp::from_seconds(lowest), Timestamp::from_seconds(highest));
        let fence = |lines: &[u8], keep, present| AUTO.fence(lines, at(keep), Timestamp::from_seconds(present));
        let seconds = fence(b"", (1_699_996_400, 1_700_000_000), 1_700_003_600).unwrap();
        let outside = |line: &[u8], fence| AUTO.is_outside(&[line, b"                "].concat(), 0, fence);
        let is_outside = |line: &[u8]| outside(line, &seconds);
        for line in [&b"1699996299 a b\n"[..], b"1000000000\ta b\n", b"1700000100 a b\n", b"1700003499 a b\n"] {
            assert!(is_outside(line), "{}", line.escape_ascii());
        }
        for line in [
            &b"1699996400 a b\n"[..],
            b"1700000001 a b\n",
            b"1700000000 a b\n",
            b"1700003600 a b\n",
            b"9999999999 a b\n",
            b"100000000 a b\n",
            b"10000000000 a b\n",
            b"-100000000 a b\n",
            b"1000000000x a b\n",
            b"1000000000\n",
            b"\n",
        ] {
            assert!(!is_outside(line), "{}", line.escape_ascii());
        }
        assert_eq!(fence(b"", (-5, 1_700_000_000), 1_700_000_000), None);
        assert_eq!(fence(b"", (999_999_999, 1_700_000_000), 1_700_000_000), None);
        assert_eq!(fence(b"", (1_900_000_000, 1_700_000_000), 1_700_000_000), None);
        // Of a log in milliseconds, lines in milliseconds are; one with zeros before it may be in
        // seconds.
        let millis = fence(b"# a log\n1700000000000 a b\n", (1_699_996_400, 1_700_000_000), 1_700_003_600).unwrap();
        assert!(outside(b"1699996299000 a b\n", &millis) && outside(b"1700000100000 a b\n", &millis));
        assert!(!outside(b"0001699999999 a b\n", &millis) && !outside(b"1699996299 a b\n", &millis));
    }

    #[test]
    fn digits_are_joined_to_their_number() {
        for text in ["12345678", "00000000", "99999999", "00000001", "10000000"] {
            let word = u64::from_le_bytes(text.as_bytes().try_into().unwrap());
            assert_eq!(eight_digits(word), text.parse::<u64>().unwrap());
        }
        let block = b"1234567890987654";
        assert_eq!(ten_digits(block), 1_234_567_890);
        for length in 8..NARROW {
            let text = std::str::from_utf8(&block[..length]).unwrap();
            assert_eq!(number(block, length), text.parse::<i64>().unwrap());
        }
    }

    fn line() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![
            Just(b' '),
            Just(b'\t'),
            Just(b'\r'),
            Just(0u8),
            Just(b'a'),
            Just(b'7'),
            Just(1u8),
            Just(b'-'),
            Just(b'.'),
            Just(0xffu8)
        ];
        (
            prop_oneof![
                Just(""),
                Just("1700000000 "),
                Just("12345678"),
                Just(" 5\t"),
                Just("1700000000."),
                Just("99999999")
            ],
            proptest::collection::vec(byte, 0..24),
        )
            .prop_map(|(head, tail)| [head.as_bytes(), &tail].concat())
    }

    fn stamp() -> impl Strategy<Value = i64> {
        prop_oneof![
            -20i64..200_000_000,
            1_699_999_000i64..1_700_001_000,
            1_700_000_000_000i64..1_700_000_900_000,
            any::<i64>()
        ]
    }

    proptest! {
        #[test]
        fn what_is_outside_at_a_glance_is_so_by_parsing(
            bounds in proptest::array::uniform3(stamp()),
            stamp in stamp(),
            zeros in 0usize..4,
            unit in 0usize..5,
            tail in prop_oneof![Just(" a b\n"), Just("\tsome longer hosts\n"), Just("5 a b"), Just("x a b\n"), Just("")],
        ) {
            let units = TimeUnit::ALL.map(Units::all).into_iter().chain([Units::AUTO]).nth(unit).unwrap();
            let plain = Plain { units };
            let bounds = bounds.map(|stamp| units.instant(stamp).unwrap_or(Timestamp::MAX));
            let [lowest, highest, present] = bounds;
            let line = format!("{}{stamp}{tail}{}", &"000"[..zeros], "0 filler of a next line\n");
            let Some(fence) = plain.fence(line.as_bytes(), (lowest, highest), present) else { return Ok(()) };
            if plain.is_outside(line.as_bytes(), 0, &fence) {
                let end = line.find('\n').unwrap_or(line.len());
                let Stamp::At(parsed, _) = plain.stamp(line.as_bytes(), 0, end) else { panic!("no stamp: {line}") };
                prop_assert!((parsed < lowest || highest < parsed) && parsed <= present, "{parsed} {bounds:?}");
            }
        }

        #[test]
        fn parsing_agrees_with_splitting(line in line(), before in 0usize..3, after in 0usize..12) {
            let chunk = [&b"\n\n\n"[..before], &line, &b"\n22 x y\n11 z"[..after]].concat();
            prop_assert_eq!(parse(&chunk, before..before + line.len()), oracle(&line));
        }
    }
}
