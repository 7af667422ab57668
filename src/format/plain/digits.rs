//! The numbers that digits write, many digits at a time.
//!
//! Not here: which bytes are digits (`model::lanes`). Invariant: of digits, the number is exact; of
//! other bytes it is any number, without a panic.

use crate::model::lanes::NARROW;

/// The digits of a stamp in seconds, from 2001 to 2286.
pub const SECONDS: usize = 10;

/// Ten to the power of each number of digits behind the first eight.
const TENS: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// The number that the first ten bytes write, all digits. Of seconds two digits are left behind
/// eight: less work than for any number.
#[inline(always)]
pub fn ten_digits(block: &[u8; NARROW]) -> i64 {
    let (&[head, [tens, ones, ..]], _) = block.as_chunks::<8>() else { return 0 };
    let rest = 10 * u64::from(tens) + u64::from(ones) - 11 * u64::from(b'0');
    (100 * eight_digits(u64::from_le_bytes(head)) + rest) as i64
}

/// The number that the first `length` bytes write, all digits, at least eight and below sixteen.
#[inline]
pub fn number(block: &[u8; NARROW], length: usize) -> i64 {
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
#[inline(always)]
pub fn eight_digits(word: u64) -> u64 {
    let ones = word & 0x0f0f_0f0f_0f0f_0f0f;
    let pairs = (ones.wrapping_mul(10 * 0x100 + 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100 * 0x1_0000 + 1) >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000 * 0x1_0000_0000 + 1) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
