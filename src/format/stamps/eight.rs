//! Eight bytes of a text at once: digits and signs at fixed places, and numbers of up to eight
//! digits.
//!
//! Not here: which places those are (`form`, `tail`). Invariant: bytes that are not there are
//! zeros, and no zero is a digit.

/// In each byte, 1, and the highest bit.
const ONES: u64 = u64::MAX / 255;
const HIGHEST_BITS: u64 = ONES << 7;

/// The digit zero in each byte.
const ZEROS: u64 = ONES * b'0' as u64;

/// Eight bytes of a text from a place on, the first in the lowest byte; zeros where it has ended.
#[inline(always)]
pub fn eight(text: &[u8], at: usize) -> u64 {
    if let Some((bytes, _)) = text.get(at..).and_then(|text| text.split_first_chunk()) {
        return u64::from_le_bytes(*bytes);
    }
    match text.last_chunk() {
        // Those of the last eight that stand from there on.
        Some(bytes) if at < text.len() => u64::from_le_bytes(*bytes) >> (8 * (at + 8 - text.len())),
        _ => eight_of_few(text.get(at..).unwrap_or_default()),
    }
}

#[cold]
fn eight_of_few(text: &[u8]) -> u64 {
    text.iter().rev().fold(0, |bytes, byte| bytes << 8 | u64::from(*byte))
}

/// What eight bytes have to be: a digit where the template has a zero, and elsewhere the same.
#[derive(Debug, Clone, Copy)]
pub struct DigitTemplate {
    same: u64,
    /// What has to be added to a byte that differs by more than it may to set its highest bit.
    limits: u64,
}

impl DigitTemplate {
    /// From how it looks.
    pub const fn of(bytes: &[u8; 8]) -> Self {
        let (mut limits, mut at) = ([0x7f; 8], 0);
        while at < 8 {
            if bytes[at] == b'0' {
                limits[at] = 0x7f - 9;
            }
            at += 1;
        }
        DigitTemplate { same: u64::from_le_bytes(*bytes), limits: u64::from_le_bytes(limits) }
    }

    /// The numbers that the digits of such bytes write, two by two: the byte of a digit is ten
    /// times it and the next.
    #[inline(always)]
    pub fn pairs(self, bytes: u64) -> Option<[u32; 8]> {
        let digits = bytes ^ self.same;
        let is_wrong = (digits.wrapping_add(self.limits) | digits) & HIGHEST_BITS != 0;
        if is_wrong {
            return None;
        }
        Some((digits * 10 + (digits >> 8)).to_le_bytes().map(u32::from))
    }
}

/// How many digits eight bytes begin with, and these with zeros behind them, up to eight, as a
/// number.
#[inline(always)]
pub fn digits(bytes: u64) -> (usize, u64) {
    let digits = bytes ^ ZEROS;
    // What is wrong above the first wrong byte does not matter, so carries do not either.
    let wrong = (digits.wrapping_add(ONES * (0x7f - 9)) | digits) & HIGHEST_BITS;
    let count = wrong.trailing_zeros() / 8;
    let kept = u64::MAX.checked_shr(64 - 8 * count).unwrap_or(0);
    (count as usize, number(digits & kept))
}

/// The number of eight digits, each in its byte.
#[inline(always)]
const fn number(digits: u64) -> u64 {
    let twos = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (twos * 100 + (twos >> 16)) & 0x0000_ffff_0000_ffff;
    (fours & 0xffff) * 10_000 + (fours >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_there_is_zeros() {
        for text in [&b""[..], b"1", b"1234567", b"12345678", b"123456789"] {
            for at in 0..20 {
                let mut expected = [0; 8];
                let there = text.get(at..).unwrap_or_default();
                let there = &there[..there.len().min(8)];
                expected[..there.len()].copy_from_slice(there);
                assert_eq!(eight(text, at).to_le_bytes(), expected, "{} {at}", text.escape_ascii());
            }
        }
        assert_eq!(eight(b"123456789", usize::MAX), 0);
    }

    proptest! {
        #[test]
        fn digits_are_told_and_counted(bytes in prop::collection::vec(prop_oneof![4 => b'0'..=b'9', 1 => any::<u8>()], 8)) {
            let chunk = eight(&bytes, 0);
            let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let text = format!("{:0<8}", std::str::from_utf8(&bytes[..count]).unwrap());
            prop_assert_eq!(digits(chunk), (count, text.parse().unwrap()));
        }

        #[test]
        fn a_template_tells_digits_from_signs(
            bytes in (prop::collection::vec(b'0'..=b'9', 8), 0usize..9, any::<u8>()).prop_map(|(mut bytes, at, byte)| {
                (bytes[2], bytes[5]) = (b':', b':');
                if let Some(changed) = bytes.get_mut(at) { *changed = byte }
                bytes
            }),
        ) {
            let is_digit = |at: usize| bytes[at].is_ascii_digit();
            let is_right = [0, 1, 3, 4, 6, 7].into_iter().all(is_digit) && bytes[2] == b':' && bytes[5] == b':';
            let found = DigitTemplate::of(b"00:00:00").pairs(eight(&bytes, 0));
            prop_assert_eq!(found.is_some(), is_right);
            let Some(found) = found else { return Ok(()) };
            for at in [0, 3, 6] {
                prop_assert_eq!(found[at], u32::from(10 * (bytes[at] - b'0') + bytes[at + 1] - b'0'));
            }
        }
    }
}
