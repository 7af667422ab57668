//! Which bytes of a block are of a kind, as a mask: bit `i` speaks of byte `i`.
//!
//! `wide` turns each into a few instructions of the processor (SSE2 is part of every x86-64, NEON
//! of every AArch64), so nothing is chosen at run time. The tests hold the masks against a loop.
//! Not here: what the masks are used for.
//!
//! What is at most a limit is told by a subtraction that stops at zero: of the ways to compare bytes
//! without a sign it takes the fewest instructions.

use wide::{u8x16, u8x32, u8x64};

/// Bytes of the narrow block: more than most stamps have.
pub const NARROW: usize = 16;

/// Bytes of the middle block: more than most pairs of host names have.
pub const MIDDLE: usize = 32;

/// Bytes of the wide block.
pub const WIDE: usize = 64;

/// Which bytes equal `byte`.
#[inline]
pub fn equal(bytes: &[u8; WIDE], byte: u8) -> u64 {
    u8x64::new(*bytes).simd_eq(u8x64::splat(byte)).to_bitmask()
}

/// Which bytes are at most `limit`.
#[inline]
pub fn at_most(bytes: &[u8; MIDDLE], limit: u8) -> u32 {
    u8x32::new(*bytes).saturating_sub(u8x32::splat(limit)).simd_eq(u8x32::ZERO).to_bitmask()
}

/// Which bytes of a wide block are at most `limit`.
#[inline]
pub fn at_most_wide(bytes: &[u8; WIDE], limit: u8) -> u64 {
    u8x64::new(*bytes).saturating_sub(u8x64::splat(limit)).simd_eq(u8x64::ZERO).to_bitmask()
}

/// Which bytes are ASCII digits.
#[inline]
pub fn digits(bytes: &[u8; NARROW]) -> u32 {
    (u8x16::new(*bytes) - u8x16::splat(b'0')).simd_le(u8x16::splat(9)).to_bitmask()
}

/// For each place of a block, the bytes that may stand there: the lowest, and how far they may lie
/// above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mould<const SIZE: usize> {
    /// The lowest byte of each place.
    pub lowest: [u8; SIZE],
    /// How far a byte may lie above the lowest of its place; no further than there are bytes.
    pub spread: [u8; SIZE],
}

impl<const SIZE: usize> Mould<SIZE> {
    /// Whether each byte is one that may stand in its place. The block is one of whole narrow ones.
    #[inline(always)]
    pub fn fits(&self, bytes: &[u8; SIZE]) -> bool {
        bytes.as_chunks::<NARROW>().0.iter().zip(self.lowest.as_chunks().0).zip(self.spread.as_chunks().0).all(
            |((bytes, lowest), spread)| {
                let above = u8x16::new(*bytes) - u8x16::new(*lowest);
                above.saturating_sub(u8x16::new(*spread)).simd_eq(u8x16::ZERO).to_bitmask() == 0xffff
            },
        )
    }
}

/// The block that begins at `start`, if there are enough bytes for one.
#[inline]
pub fn block<const SIZE: usize>(bytes: &[u8], start: usize) -> Option<&[u8; SIZE]> {
    bytes.get(start..start.checked_add(SIZE)?)?.first_chunk()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mask(bytes: &[u8], is_of_kind: impl Fn(u8) -> bool) -> u64 {
        let bits = bytes.iter().enumerate().map(|(at, byte)| u64::from(is_of_kind(*byte)) << at);
        bits.fold(0, |mask, bit| mask | bit)
    }

    proptest! {
        #[test]
        fn masks_agree_with_a_loop(low: [u8; 32], high: [u8; 32], byte: u8) {
            let bytes: [u8; WIDE] = std::array::from_fn(|at| if at < 32 { low[at] } else { high[at - 32] });
            for byte in [byte, bytes[7], bytes[63]] {
                prop_assert_eq!(equal(&bytes, byte), mask(&bytes, |b| b == byte));
                prop_assert_eq!(u64::from(at_most(&low, byte)), mask(&low, |b| b <= byte));
                prop_assert_eq!(at_most_wide(&bytes, byte), mask(&bytes, |b| b <= byte));
                let narrow = block(&bytes, 5).unwrap();
                prop_assert_eq!(u64::from(digits(narrow)), mask(narrow, |b| b.is_ascii_digit()));
            }
        }
    }

    #[test]
    fn each_place_of_a_mould_has_its_own_bytes() {
        let mould: Mould<MIDDLE> = Mould {
            lowest: std::array::from_fn(|lane| 8 * lane as u8),
            spread: std::array::from_fn(|lane| lane as u8 % 8),
        };
        assert!(mould.fits(&mould.lowest));
        for lane in 0..MIDDLE {
            for byte in 0..=u8::MAX {
                let mut bytes = mould.lowest;
                bytes[lane] = byte;
                let fits = mould.lowest[lane] <= byte && byte - mould.lowest[lane] <= mould.spread[lane];
                assert_eq!(mould.fits(&bytes), fits, "{byte} in lane {lane}");
            }
        }
    }

    #[test]
    fn every_byte_is_told_in_every_lane() {
        for byte in 0..=u8::MAX {
            for lane in 0..NARROW {
                let mut bytes = [b'5'; NARROW];
                bytes[lane] = byte;
                assert_eq!(u64::from(digits(&bytes)), mask(&bytes, |b| b.is_ascii_digit()), "{byte} in lane {lane}");
            }
            for lane in 0..MIDDLE {
                let mut bytes = [b'5'; MIDDLE];
                bytes[lane] = byte;
                assert_eq!(u64::from(at_most(&bytes, b' ')), mask(&bytes, |b| b <= b' '), "{byte} in lane {lane}");
            }
        }
        assert_eq!(block(&[1; 20], 4), Some(&[1; NARROW]));
        assert_eq!((block::<NARROW>(&[1; 20], 5), block::<NARROW>(&[1; 20], 21)), (None, None));
    }
}
