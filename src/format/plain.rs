//! `<timestamp> <from> <to>`, separated by runs of spaces or tabs.
//!
//! White space before the stamp and after the second host is ignored, and so is a carriage return at the line's end.
//! A stamp is a whole number, with a minus before it if it is before 1970. Hosts are any other bytes but zero.

use super::{HostRanges, LineFormat, Stamp};
use crate::model::Cause;

/// The format that `logparser` has always read.
pub struct Plain;

impl LineFormat for Plain {
    const NAME: &'static str = "plain";
    const EXAMPLE: &'static str = "1700000000 sierra Delta";

    #[inline]
    fn stamp(bytes: &[u8], start: usize, end: usize) -> Stamp {
        let (value, at) = digits(bytes, start, end);
        let length = at - start;
        // Up to 18 digits always fit; almost every line of almost every log ends here.
        if (1..=18).contains(&length) && at < end && is_separator(bytes[at]) {
            return Stamp::At(value as i64, at);
        }
        slow_stamp(bytes, start, end)
    }

    #[inline]
    fn hosts(bytes: &[u8], at: usize, end: usize) -> Result<HostRanges, Cause> {
        let end = if end > at && bytes[end - 1] == b'\r' { end - 1 } else { end };
        let from = field(bytes, at, end)?;
        let to = field(bytes, from.1, end)?;
        if to.1 < end && skip_separators(bytes, to.1, end) < end {
            return Err(Cause::TooManyFields);
        }
        Ok(HostRanges { from, to })
    }
}

#[inline]
fn is_separator(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// The number that begins at `start`, modulo 2^64, and where its digits end.
#[inline]
fn digits(bytes: &[u8], start: usize, end: usize) -> (u64, usize) {
    let (mut value, mut at) = (0u64, start);
    if let Some(eight) = bytes.get(start..start + 8).filter(|_| start + 8 <= end)
        && let Ok(eight) = <[u8; 8]>::try_from(eight)
        && let Some(number) = eight_digits(u64::from_le_bytes(eight))
    {
        (value, at) = (number, start + 8);
    }
    while at < end {
        let digit = bytes[at].wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    (value, at)
}

/// Eight ASCII digits, first digit in the lowest byte, as a number; `None` if one is not a digit.
///
/// Pairs, then fours, then all eight are joined, each step one multiplication. The trick is folklore; see
/// Lemire, "Quickly parsing eight digits" (2018).
#[inline]
fn eight_digits(word: u64) -> Option<u64> {
    let high = word & 0xf0f0_f0f0_f0f0_f0f0;
    let carried = word.wrapping_add(0x0606_0606_0606_0606) & 0xf0f0_f0f0_f0f0_f0f0;
    if high != 0x3030_3030_3030_3030 || carried != 0x3030_3030_3030_3030 {
        return None;
    }
    let ones = word & 0x0f0f_0f0f_0f0f_0f0f;
    let pairs = (ones.wrapping_mul(10) + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100) + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours.wrapping_mul(10_000) + (fours >> 32)) & 0xffff_ffff)
}

/// The stamp of a line that is not the common kind: blank, indented, negative, long, alone on its line, or bad.
#[cold]
fn slow_stamp(bytes: &[u8], start: usize, end: usize) -> Stamp {
    let end = if end > start && bytes[end - 1] == b'\r' { end - 1 } else { end };
    let start = skip_separators(bytes, start, end);
    if start == end {
        return Stamp::Blank;
    }
    let negative = bytes[start] == b'-';
    let first = start + usize::from(negative);
    let (_, at) = digits(bytes, first, end);
    if at == first || (at < end && !is_separator(bytes[at])) {
        return Stamp::Bad;
    }
    let text = std::str::from_utf8(&bytes[start..at]);
    match text.map(str::parse::<i64>) {
        Ok(Ok(value)) => Stamp::At(value, at),
        _ => Stamp::Bad,
    }
}

/// The next field after the separators at `at`. Where no separator stands the line has ended too early; where one
/// does and nothing follows, a host was announced and is empty.
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
    // Eight bytes at a time, past the line's end where the chunk goes on: the newline there stops the search too.
    while let Some(eight) = bytes.get(at..at + 8) {
        let Ok(eight) = <[u8; 8]>::try_from(eight) else { break };
        let word = u64::from_le_bytes(eight);
        // The high bit of each byte below 0x21. A borrow can only spoil bytes above a true hit; the lowest is exact.
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
    use proptest::prelude::*;

    type Parsed<'a> = Result<(i64, &'a [u8], &'a [u8]), Option<Cause>>;

    /// A parsed line; `Err(None)` is a blank one. Parsed as part of a chunk, with bytes around it.
    fn parse<'a>(chunk: &'a [u8], line: std::ops::Range<usize>) -> Parsed<'a> {
        match Plain::stamp(chunk, line.start, line.end) {
            Stamp::Blank => Err(None),
            Stamp::Bad => Err(Some(Cause::BadStamp)),
            Stamp::At(stamp, at) => {
                let hosts = Plain::hosts(chunk, at, line.end).map_err(Some)?;
                Ok((stamp, &chunk[hosts.from.0..hosts.from.1], &chunk[hosts.to.0..hosts.to.1]))
            }
        }
    }

    /// The same, by splitting.
    fn oracle(line: &[u8]) -> Parsed<'_> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let fields: Vec<&[u8]> = line.split(|b| is_separator(*b)).filter(|field| !field.is_empty()).collect();
        let Some(stamp) = fields.first() else { return Err(None) };
        let text = std::str::from_utf8(stamp).ok().filter(|text| !text.starts_with('+'));
        let stamp = text.and_then(|text| text.parse().ok()).ok_or(Some(Cause::BadStamp))?;
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
        let cases: &[(&[u8], Parsed<'_>)] = &[
            (b"1700000000 a b", Ok((1_700_000_000, b"a", b"b"))),
            (b"1700000000\ta\t\t b\r", Ok((1_700_000_000, b"a", b"b"))),
            (b"  17 a b  ", Ok((17, b"a", b"b"))),
            (b"-5 a b", Ok((-5, b"a", b"b"))),
            (b"9223372036854775807 a b", Ok((i64::MAX, b"a", b"b"))),
            (b"5 \xff\xfe b\x01c", Ok((5, b"\xff\xfe", b"b\x01c"))),
            (b"", Err(None)),
            (b" \t\r", Err(None)),
            (b"9223372036854775808 a b", Err(Some(BadStamp))),
            (b"99999999999999999999999 a b", Err(Some(BadStamp))),
            (b"x a b", Err(Some(BadStamp))),
            (b"1700000000.5 a b", Err(Some(BadStamp))),
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
    fn eight_digits_are_told_from_anything_else() {
        assert_eq!(eight_digits(u64::from_le_bytes(*b"12345678")), Some(12_345_678));
        assert_eq!(eight_digits(u64::from_le_bytes(*b"00000000")), Some(0));
        assert_eq!(eight_digits(u64::from_le_bytes(*b"99999999")), Some(99_999_999));
        for bad in [b"1234567:", b"/2345678", b"1234 678", b"1234567\xb8"] {
            assert_eq!(eight_digits(u64::from_le_bytes(*bad)), None);
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
            Just(0xffu8)
        ];
        (
            prop_oneof![Just(""), Just("1700000000 "), Just("12345678"), Just(" 5\t")],
            proptest::collection::vec(byte, 0..24),
        )
            .prop_map(|(head, tail)| [head.as_bytes(), &tail].concat())
    }

    proptest! {
        #[test]
        fn parsing_agrees_with_splitting(line in line(), before in 0usize..3, after in 0usize..12) {
            let chunk = [&b"\n\n\n"[..before], &line, &b"\n22 x y\n11 z"[..after]].concat();
            prop_assert_eq!(parse(&chunk, before..before + line.len()), oracle(&line));
        }
    }
}
