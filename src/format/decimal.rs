//! Decimal numbers as texts write them.
//!
//! Not here: what a number stands for. Invariant: nothing is rounded, and texts of one number give the
//! same one.

use std::cmp::Ordering;

/// A number: its digits behind a point, times a power of ten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    is_negative: bool,
    /// Without zeros in front of them and at their end, so that 0 has none.
    digits: Vec<u8>,
    /// How many digits stand before the point. There may be fewer digits, or it may be below 0: zeros
    /// are in between.
    point: i64,
}

/// The most digits before the point of a number that is written out, and zeros behind it: no number of
/// 64 bits has more, and no instant.
const MOST_DIGITS: i64 = 20;

/// The most digits of an exponent, which has 64 bits.
const LONGEST_EXPONENT: usize = 18;

impl Decimal {
    /// The number of a text: digits, perhaps a sign before them, perhaps a point and digits behind.
    pub fn plain(text: &[u8]) -> Option<Self> {
        let (is_negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let point = memchr::memchr(b'.', digits);
        let (whole, part) = match point {
            Some(at) => (&digits[..at], &digits[at + 1..]),
            None => (digits, &digits[..0]),
        };
        let are_digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
        if whole.is_empty() || (point.is_some() && part.is_empty()) || !are_digits(whole) || !are_digits(part) {
            return None;
        }
        let mut digits = [whole, part].concat();
        let Some(first) = digits.iter().position(|digit| *digit != b'0') else {
            return Some(Decimal { is_negative: false, digits: Vec::new(), point: 0 });
        };
        digits.truncate(digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1));
        digits.drain(..first);
        Some(Decimal { is_negative, digits, point: whole.len() as i64 - first as i64 })
    }

    /// The same, perhaps with an exponent of up to 18 digits behind it, as JSON may write numbers:
    /// `1.7e9`.
    pub fn scientific(text: &[u8]) -> Option<Self> {
        let Some(at) = memchr::memchr2(b'e', b'E', text) else { return Decimal::plain(text) };
        let number = Decimal::plain(&text[..at])?;
        let (sign, digits) = match &text[at + 1..] {
            [b'-', rest @ ..] => (-1, rest),
            [b'+', rest @ ..] => (1, rest),
            rest => (1, rest),
        };
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        let are_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        if !are_digits || digits.len() - zeros > LONGEST_EXPONENT {
            return None;
        }
        let exponent = digits[zeros..].iter().fold(0, |number, digit| 10 * number + i64::from(digit - b'0'));
        let point = if number.digits.is_empty() { 0 } else { number.point + sign * exponent };
        Some(Decimal { point, ..number })
    }

    /// It as a whole number of 64 bits, if it is one.
    pub fn whole(&self) -> Option<u64> {
        if self.is_negative || self.point > MOST_DIGITS || self.digits.len() as i64 > self.point {
            return None;
        }
        let digit = |at: i64| self.digits.get(at as usize).map_or(0, |digit| u64::from(digit - b'0'));
        (0..self.point).try_fold(0u64, |number, at| number.checked_mul(10)?.checked_add(digit(at)))
    }

    /// It in seconds as nanoseconds; finer digits are left out.
    pub fn nanos(&self) -> Option<i64> {
        let point = self.point.checked_add(9)?;
        let kept = self.digits.len().min(usize::try_from(point).unwrap_or(0));
        let digits = self.digits[..kept].to_vec();
        let whole = Decimal { is_negative: false, digits, point: point.max(0) }.whole()?;
        let nanos = i64::try_from(whole).ok()?;
        Some(if self.is_negative { -nanos } else { nanos })
    }

    /// It without an exponent; `None` if that has more digits than any stamp.
    pub fn written(&self) -> Option<Vec<u8>> {
        if self.point.abs() > MOST_DIGITS {
            return None;
        }
        let zeros = |count: i64| std::iter::repeat_n(b'0', usize::try_from(count).unwrap_or(0));
        let known = self.digits.len().min(usize::try_from(self.point).unwrap_or(0));
        let mut text: Vec<u8> = self.is_negative.then_some(b'-').into_iter().collect();
        text.extend(zeros(i64::from(self.point <= 0)));
        text.extend_from_slice(&self.digits[..known]);
        text.extend(zeros(self.point - known as i64));
        if known < self.digits.len() {
            text.push(b'.');
            text.extend(zeros(-self.point));
            text.extend_from_slice(&self.digits[known..]);
        }
        Some(text)
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitude = match (self.digits.is_empty(), other.digits.is_empty()) {
            (false, false) => (self.point, &self.digits).cmp(&(other.point, &other.digits)),
            (mine, theirs) => theirs.cmp(&mine),
        };
        match (self.is_negative, other.is_negative) {
            (false, false) => magnitude,
            (true, true) => magnitude.reverse(),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<Decimal> {
        Decimal::scientific(text.as_bytes())
    }

    #[test]
    fn numbers_with_an_exponent_are_those_that_they_mean() {
        for (text, written, whole) in [
            ("1.7e9", "1700000000", Some(1_700_000_000)),
            ("1.7E+9", "1700000000", Some(1_700_000_000)),
            ("-1.7e9", "-1700000000", None),
            ("1e3", "1000", Some(1_000)),
            ("1000.0", "1000", Some(1_000)),
            ("1500e-2", "15", Some(15)),
            ("1501e-2", "15.01", None),
            ("0.5e1", "5", Some(5)),
            ("5e-3", "0.005", None),
            ("-5e-3", "-0.005", None),
            ("1e00000000000000000000001", "10", Some(10)),
            ("0e999999999999999999", "0", Some(0)),
            ("-0.0e-7", "0", Some(0)),
            ("18446744073709551615e0", "18446744073709551615", Some(u64::MAX)),
            ("1844674407370955161.5e1", "18446744073709551615", Some(u64::MAX)),
            ("1844674407370955161.6e1", "18446744073709551616", None),
        ] {
            let number = read(text).unwrap();
            assert_eq!(String::from_utf8(number.written().unwrap()).unwrap(), written, "{text}");
            assert_eq!(number.whole(), whole, "{text}");
        }
        for (text, other) in [("1e999999", "9e99999"), ("0.1", "1e-999999999"), ("1e-5", "0"), ("0", "-1e-5")] {
            assert!(read(text) > read(other) && read(other) < read(text), "{text} {other}");
            assert_eq!(read("1e999999").and_then(|number| number.whole()), None);
            assert_eq!(read("1e-999999").and_then(|number| number.written()), None);
        }
        for text in
            ["", "e", "e5", "1e", "1e+", "1e+-5", "1e5.0", "1e5e5", "1.e5", ".5e5", "1e1234567890123456789", "1 e5"]
        {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(Decimal::plain(b"1e5"), None);
    }

    proptest! {
        #[test]
        fn numbers_compare_as_numbers(one in -2000i64..2000, other in -2000i64..2000, zeros in 0usize..3) {
            let text = |number: i64| {
                let sign = if number < 0 { "-" } else { "" };
                format!("{sign}{}{}.{:03}{}", "0".repeat(zeros), number.abs() / 100, number.abs() % 100 * 10, "0".repeat(zeros))
            };
            let read = |number| Decimal::plain(text(number).as_bytes()).unwrap();
            prop_assert_eq!(read(one).cmp(&read(other)), one.cmp(&other));
        }

        #[test]
        fn numbers_with_an_exponent_are_exact(
            number in prop_oneof![-2000i64..2000, any::<i64>()],
            other in prop_oneof![-2000i64..2000, any::<i64>()],
            (places, exponent) in (0usize..9, -9i32..9),
            (small, plus) in any::<(bool, bool)>(),
        ) {
            // In units of 10^-18, which all of them are whole numbers of.
            let exact = |number: i64| i128::from(number) * 10i128.pow((exponent - places as i32 + 18) as u32);
            let text = |number: i64| {
                let digits = format!("{:0width$}", number.unsigned_abs(), width = places + 1);
                let (whole, part) = digits.split_at(digits.len() - places);
                let point = if part.is_empty() { "" } else { "." };
                let (sign, e) = (if number < 0 { "-" } else { "" }, if small { 'e' } else { 'E' });
                let plus = if plus && exponent >= 0 { "+" } else { "" };
                format!("{sign}{whole}{point}{part}{e}{plus}{exponent}")
            };
            let in_range = |number: i64| i128::from(number).checked_mul(10i128.pow((exponent - places as i32 + 18) as u32)).is_some();
            prop_assume!(in_range(number) && in_range(other));
            let (mine, theirs) = (read(&text(number)).unwrap(), read(&text(other)).unwrap());
            prop_assert_eq!(mine.cmp(&theirs), exact(number).cmp(&exact(other)));
            let unit = 10i128.pow(18);
            let whole = (exact(number) % unit == 0).then(|| u64::try_from(exact(number) / unit).ok()).flatten();
            prop_assert_eq!(mine.whole(), whole, "{}", text(number));
            if let Some(written) = mine.written() {
                prop_assert_eq!(Decimal::plain(&written), Some(mine), "{}", text(number));
            }
        }
    }
}
