//! Numbers of the common kind as stamps: up to eighteen digits, or seconds with up to nine decimals.
//!
//! Not here: what numbers mean (`model::stamp`). Invariant: what is read here is what `Units::read`
//! says.

use super::eight::{digits, eight};
use super::tail::fraction;
use crate::format::decimal::Decimal;
use crate::model::time::SECOND;
use crate::model::{TimeUnit, Timestamp, Unfit, Units};

/// The instant of a number.
#[inline]
pub fn number(text: &[u8], units: Units) -> Result<Timestamp, Unfit> {
    match common(text, units) {
        Some(time) => Ok(time),
        None => units.read(text),
    }
}

/// The instant of a number that is written with an exponent: `1.7e9`. What it comes to tells its unit.
#[cold]
pub fn scientific(text: &[u8], units: Units) -> Result<Timestamp, Unfit> {
    let has_exponent = text.first() != Some(&b'+') && memchr::memchr2(b'e', b'E', text).is_some();
    let number = Decimal::scientific(text).filter(|_| has_exponent);
    units.read(&number.and_then(|number| number.written()).ok_or(Unfit::NoStamp)?)
}

/// The nanoseconds that a number of seconds means.
#[inline]
pub fn seconds(text: &[u8]) -> Result<i64, Unfit> {
    match common_seconds(text) {
        Some(nanos) => Ok(nanos),
        None => Units::all(TimeUnit::Seconds).read(text).map(Timestamp::nanos),
    }
}

/// The same of up to seven digits, perhaps with up to nine decimals.
#[inline(always)]
fn common_seconds(text: &[u8]) -> Option<i64> {
    const POWERS: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];
    let (count @ 1..8, number) = digits(eight(text, 0)) else { return None };
    let whole = (number / POWERS.get(8 - count)?) as i64 * SECOND;
    match text.get(count) {
        None => Some(whole),
        Some(b'.') => fraction(text, count).filter(|(_, end)| *end == text.len()).map(|(nanos, _)| whole + nanos),
        Some(_) => None,
    }
}

/// The most digits of a number that surely fits.
const MOST_DIGITS: usize = 18;

/// The instant, if it is of the common kind.
#[inline(always)]
fn common(text: &[u8], units: Units) -> Option<Timestamp> {
    let (8, eight_digits) = digits(eight(text, 0)) else { return None };
    let (mut whole, mut at) = (eight_digits as i64, 8);
    while let Some(digit) = text.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        if at == MOST_DIGITS {
            return None;
        }
        whole = 10 * whole + i64::from(digit);
        at += 1;
    }
    match text.get(at) {
        None => units.instant(whole),
        Some(b'.') if units.of(whole.unsigned_abs()) == TimeUnit::Seconds => {
            let (nanos, end) = fraction(text, at)?;
            let time = whole.checked_mul(SECOND)?.checked_add(nanos).map(Timestamp::from_nanos);
            time.filter(|_| end == text.len())
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn numbers_are_what_the_model_says(text in "-?[0-9]{0,20}([.,][0-9]{0,11})?x?", unit in 0usize..5) {
            let units = TimeUnit::ALL.get(unit).map_or(Units::AUTO, |unit| Units::all(*unit));
            prop_assert_eq!(number(text.as_bytes(), units), units.read(text.as_bytes()), "{}", text);
        }

        #[test]
        fn seconds_are_what_the_model_says(text in "-?[0-9]{0,9}([.,][0-9]{0,11})?x?") {
            let model = Units::all(TimeUnit::Seconds).read(text.as_bytes()).map(Timestamp::nanos);
            prop_assert_eq!(seconds(text.as_bytes()), model, "{}", text);
        }

        #[test]
        fn every_instant_is_read_from_its_seconds_with_an_exponent(
            nanos in prop_oneof![any::<i64>(), -5_000_000_000i64..5_000_000_000],
            shift in -25i32..25,
        ) {
            let expected = Ok(Timestamp::from_nanos(nanos));
            let sign = if nanos < 0 { "-" } else { "" };
            // Its digits with the point at another place.
            let digits = format!("{:060}", u128::from(nanos.unsigned_abs()));
            let digits = format!("{digits}{}", "0".repeat(40));
            let (whole, part) = digits.split_at((51 + shift) as usize);
            let text = format!("{sign}{whole}.{part}e{}", -shift);
            prop_assert_eq!(scientific(text.as_bytes(), Units::all(TimeUnit::Seconds)), expected, "{}", text);
        }

        #[test]
        fn common_numbers_are_what_the_model_says(text in "[0-9]{8,19}(\\.[0-9]{1,10}0?)?", unit in 0usize..5) {
            let units = TimeUnit::ALL.get(unit).map_or(Units::AUTO, |unit| Units::all(*unit));
            prop_assert_eq!(number(text.as_bytes(), units), units.read(text.as_bytes()), "{}", text);
        }
    }

    #[test]
    fn numbers_with_an_exponent_are_exact_or_no_stamps() {
        use Unfit::{NoStamp, TooEarly, TooLate};
        for (text, nanos) in [
            ("1.7e9", Ok(1_700_000_000 * SECOND)),
            ("1.7E+9", Ok(1_700_000_000 * SECOND)),
            ("1.70000000012345678e9", Ok(1_700_000_000_123_456_780)),
            ("1.7000000001234567891e9", Err(NoStamp)),
            ("1.70000000025e12", Ok(1_700_000_000_250_000_000)),
            ("1700000000250e-3", Ok(1_700_000_000_250_000_000)),
            ("1.7e18", Ok(1_700_000_000 * SECOND)),
            ("-1.5e0", Ok(-1_500_000_000)),
            ("1e-9", Ok(1)),
            ("1e-10", Err(NoStamp)),
            ("123e-9", Ok(123)),
            ("1e10", Err(TooLate)),
            ("-1e10", Err(TooEarly)),
            ("1e19", Err(NoStamp)),
            ("1e999999999", Err(NoStamp)),
            ("1e-999999999", Err(NoStamp)),
            ("0e999999999", Ok(0)),
            ("+1.7e9", Err(NoStamp)),
            ("1.7e", Err(NoStamp)),
            ("1700000000", Err(NoStamp)),
            ("1.7e9 ", Err(NoStamp)),
        ] {
            assert_eq!(scientific(text.as_bytes(), Units::AUTO), nanos.map(Timestamp::from_nanos), "{text}");
        }
    }

    #[test]
    fn the_common_kind_is_told() {
        for text in ["1700000000", "1700000000.123456", "12345678", "170000000000000000", "9223372036.854775807"] {
            assert_eq!(common(text.as_bytes(), Units::AUTO), Units::AUTO.read(text.as_bytes()).ok(), "{text}");
        }
        for text in ["1234567", "-1700000000", "1700000000.", "1700000000.1234567891", "9223372036.854775808"] {
            assert_eq!(common(text.as_bytes(), Units::AUTO), None, "{text}");
        }
        assert_eq!(common(b"1700000000123.5", Units::AUTO), None);
        assert_eq!(
            ["0.004173", "0", "1234567", "7.123456789"].map(|text| common_seconds(text.as_bytes())),
            [Some(4_173_000), Some(0), Some(1_234_567 * SECOND), Some(7_123_456_789),]
        );
        assert_eq!(["", "-", "1,5", "12345678", "1.", "1.5s"].map(|text| common_seconds(text.as_bytes())), [None; 6]);
    }
}
