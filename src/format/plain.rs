//! `<timestamp> <from> <to>`, separated by runs of spaces or tabs.
//!
//! White space before the stamp and after the second host is ignored, and so is a carriage return
//! at the line's end. A stamp is a number, with a minus before it if it is before 1970, and perhaps
//! with a point and decimals. Hosts are any other bytes but zero.
//!
//! Not here: lines that are written alike, which are told without parsing each (`alike`).

mod alike;
mod digits;
mod fields;
mod shape;

use super::line::{HostRanges, Likeness, LikenessVisitor, LineFormat, NoRecord, Stamp, Unlike};
use crate::model::lanes::{MIDDLE, NARROW, block, digits};
use crate::model::{Cause, Timestamp, Unfit, Units};

use alike::Alike;
use digits::{SECONDS, number, ten_digits};
use fields::{before_carriage, common_hosts, field_end, is_separator, skip_separators, slow_hosts};
use shape::LineShape;

/// The format that `logparser` has always read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plain {
    /// How its stamps tell their unit.
    pub units: Units,
}

impl LineFormat for Plain {
    type Scratch = ();

    #[inline(always)]
    fn stamp(&self, (): &mut (), bytes: &[u8], start: usize, end: usize) -> Stamp {
        match common_stamp(bytes, start, self.units) {
            Some((time, at)) => Stamp::At(time, at),
            None => match pointed_stamp(bytes, start, self.units) {
                Some((time, at)) => Stamp::At(time, at),
                None => slow_stamp(bytes, start, end, self.units),
            },
        }
    }

    fn alike<V: LikenessVisitor>(
        &self,
        lines: &[u8],
        keep: (Timestamp, Timestamp),
        present: Timestamp,
        visitor: V,
    ) -> V::Output {
        let Some(shape) = LineShape::first(lines) else { return visitor.visit(Unlike) };
        match shape.fraction {
            0 => visit(Alike::<NARROW>::of(shape, self.units, keep, present), visitor),
            _ => visit(Alike::<MIDDLE>::of(shape, self.units, keep, present), visitor),
        }
    }

    #[inline(always)]
    fn hosts(&self, (): &mut (), bytes: &[u8], at: usize, end: usize) -> Result<HostRanges, NoRecord> {
        let end = before_carriage(bytes, at, end);
        common_hosts(bytes, at + 1, end).map_or_else(|| Ok(slow_hosts(bytes, at, end)?), Ok)
    }
}

/// Does work with what tells lines at a glance, if anything does.
fn visit<V: LikenessVisitor>(alike: Option<impl Likeness>, visitor: V) -> V::Output {
    match alike {
        Some(alike) => visitor.visit(alike),
        None => visitor.visit(Unlike),
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

/// The stamp at `start` and where it ends, if it is of the second kind: as many digits, a point, up
/// to nine decimals, and a separator.
#[inline(never)]
fn pointed_stamp(bytes: &[u8], start: usize, units: Units) -> Option<(Timestamp, usize)> {
    let whole = block(bytes, start)?;
    let length = digits(whole).trailing_ones() as usize;
    if !(8..NARROW).contains(&length) || whole[length] != b'.' {
        return None;
    }
    let behind = start + length + 1;
    let part = block(bytes, behind)?;
    let decimals = digits(part).trailing_ones();
    if !(1..=9).contains(&decimals) || !is_separator(part[decimals as usize]) {
        return None;
    }
    let whole = number(whole, length);
    let unit = units.of(whole.unsigned_abs()).nanos();
    let part = part[..decimals as usize].iter().fold(0, |number, digit| 10 * number + i64::from(digit - b'0'));
    // A part of a nanosecond is for the slow way to refuse.
    let step = unit / 10i64.pow(decimals);
    let nanos = whole.checked_mul(unit)?.checked_add(part * step)?;
    (step > 0).then(|| (Timestamp::from_nanos(nanos), behind + decimals as usize))
}

/// The stamp of a line that is not the common kind: blank, indented, negative, long, with a
/// fraction, alone on its line, or bad.
#[cold]
fn slow_stamp(bytes: &[u8], start: usize, end: usize, units: Units) -> Stamp {
    let end = before_carriage(bytes, start, end);
    let start = skip_separators(bytes, start, end);
    if start == end {
        return Stamp::Blank;
    }
    // Of a line that is common but for white space before it.
    if let Some((time, at)) = common_stamp(bytes, start, units) {
        return Stamp::At(time, at);
    }
    let at = field_end(bytes, start, end);
    let whole = at == end || is_separator(bytes[at]);
    match units.read(&bytes[start..at]) {
        _ if !whole => Stamp::Bad(Cause::BadStamp),
        Ok(time) => Stamp::At(time, at),
        Err(Unfit::TooEarly) => Stamp::TooEarly(at),
        Err(Unfit::TooLate) => Stamp::TooLate(at),
        Err(Unfit::NoStamp) => Stamp::Bad(Cause::BadStamp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AUTO: Plain = Plain { units: Units::AUTO };

    type Parsed<'a> = Result<(Timestamp, &'a [u8], &'a [u8]), Option<Cause>>;

    /// A parsed line; `Err(None)` is a blank one. Parsed as part of a chunk, with bytes around it.
    fn parse<'a>(chunk: &'a [u8], line: std::ops::Range<usize>) -> Parsed<'a> {
        match AUTO.stamp(&mut (), chunk, line.start, line.end) {
            Stamp::Blank => Err(None),
            Stamp::TooEarly(_) | Stamp::TooLate(_) => Err(Some(Cause::BadStamp)),
            Stamp::Bad(cause) => Err(Some(cause)),
            Stamp::Other => panic!("plain knows no lines of another kind"),
            Stamp::At(stamp, at) => {
                let hosts = AUTO.hosts(&mut (), chunk, at, line.end).map_err(NoRecord::cause)?;
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
        let stamp = |line: &[u8]| AUTO.stamp(&mut (), line, 0, line.len());
        assert_eq!(stamp(b"9223372036 a b 12345678"), Stamp::At(Timestamp::from_seconds(9_223_372_036), 10));
        assert_eq!(stamp(b"9223372037 a b 12345678"), Stamp::TooLate(10));
        assert_eq!(stamp(b"-9223372037 a b"), Stamp::TooEarly(11));
        assert_eq!(stamp(b"9223372036.9 a b"), Stamp::TooLate(12));
        assert_eq!(stamp(b"99999999999999999999999 a b"), Stamp::Bad(Cause::BadStamp));
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

    proptest! {
        #[test]
        fn parsing_agrees_with_splitting(line in line(), before in 0usize..3, after in 0usize..12) {
            let chunk = [&b"\n\n\n"[..before], &line, &b"\n22 x y\n11 z"[..after]].concat();
            prop_assert_eq!(parse(&chunk, before..before + line.len()), oracle(&line));
        }
    }
}
