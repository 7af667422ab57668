//! Which bytes of a block are of a kind, as a mask: bit `i` speaks of byte `i`.
//!
//! There are two ways to the same masks (`Lanes`): `Baseline`, with what every processor of its
//! kind has (SSE2 is part of every x86-64, NEON of every AArch64), and AVX2, which most x86-64 have.
//! Which one a loop is run with is decided here, by `on_widest_lanes!` when the program runs, and
//! nowhere else. The tests hold both against a loop. Not here: what the masks are used for.
//!
//! What is at most a limit is told by a subtraction that stops at zero: of the ways to compare bytes
//! without a sign it takes the fewest instructions.

#[cfg(target_arch = "x86_64")]
use fearless_simd::{Level, Simd as _, SimdBase as _, SimdInt as _, SimdMask as _, x86::Avx2};
use wide::{u8x16, u8x32, u8x64};

/// Bytes of the narrow block: more than most stamps have.
pub const NARROW: usize = 16;

/// Bytes of the middle block: more than most pairs of host names have.
pub const MIDDLE: usize = 32;

/// Bytes of the wide block.
pub const WIDE: usize = 64;

/// A way to the masks of blocks.
pub trait Lanes: Copy {
    /// Does work with code that is compiled for these lanes, as far as it is inlined.
    fn within<R>(self, work: impl FnOnce() -> R) -> R;

    /// Which bytes equal `byte`.
    fn equal(self, bytes: &[u8; WIDE], byte: u8) -> u64;

    /// Which bytes are at most `limit`.
    fn at_most(self, bytes: &[u8; MIDDLE], limit: u8) -> u32;

    /// Which bytes of a wide block are at most `limit`.
    fn at_most_wide(self, bytes: &[u8; WIDE], limit: u8) -> u64;
}

/// The lanes of every processor.
#[derive(Debug, Clone, Copy)]
pub struct Baseline;

impl Lanes for Baseline {
    #[inline(always)]
    fn within<R>(self, work: impl FnOnce() -> R) -> R {
        work()
    }

    #[inline(always)]
    fn equal(self, bytes: &[u8; WIDE], byte: u8) -> u64 {
        u8x64::new(*bytes).simd_eq(u8x64::splat(byte)).to_bitmask()
    }

    #[inline(always)]
    fn at_most(self, bytes: &[u8; MIDDLE], limit: u8) -> u32 {
        u8x32::new(*bytes).saturating_sub(u8x32::splat(limit)).simd_eq(u8x32::ZERO).to_bitmask()
    }

    #[inline(always)]
    fn at_most_wide(self, bytes: &[u8; WIDE], limit: u8) -> u64 {
        u8x64::new(*bytes).saturating_sub(u8x64::splat(limit)).simd_eq(u8x64::ZERO).to_bitmask()
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for Avx2 {
    #[inline(always)]
    fn within<R>(self, work: impl FnOnce() -> R) -> R {
        self.vectorize(work)
    }

    #[inline(always)]
    fn equal(self, bytes: &[u8; WIDE], byte: u8) -> u64 {
        let bytes = fearless_simd::u8x64::from_slice(self, bytes);
        bytes.simd_eq(byte).to_bitmask()
    }

    #[inline(always)]
    fn at_most(self, bytes: &[u8; MIDDLE], limit: u8) -> u32 {
        let bytes = fearless_simd::u8x32::from_slice(self, bytes);
        bytes.saturating_sub(limit).simd_eq(0).to_bitmask() as u32
    }

    #[inline(always)]
    fn at_most_wide(self, bytes: &[u8; WIDE], limit: u8) -> u64 {
        let bytes = fearless_simd::u8x64::from_slice(self, bytes);
        bytes.saturating_sub(limit).simd_eq(0).to_bitmask()
    }
}

/// Wider lanes than those of every processor, if this one has them.
#[cfg(target_arch = "x86_64")]
pub fn wider() -> Option<impl Lanes> {
    Level::new().as_avx2()
}

/// Wider lanes than those of every processor: there are none.
#[cfg(not(target_arch = "x86_64"))]
pub fn wider() -> Option<impl Lanes> {
    None::<Baseline>
}

/// Does work, which is compiled for all lanes, on the widest that this processor has.
macro_rules! on_widest_lanes {
    ($lanes:ident => $work:expr) => {
        match $crate::model::lanes::wider() {
            Some($lanes) => $work,
            None => {
                let $lanes = $crate::model::lanes::Baseline;
                $work
            }
        }
    };
}

pub(crate) use on_widest_lanes;

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
    ///
    /// A plain loop, as iterators over parts are calls where code is compiled in many units.
    #[inline(always)]
    pub fn fits(&self, bytes: &[u8; SIZE]) -> bool {
        let mut at = 0;
        while at < SIZE {
            let parts = (block(bytes, at), block(&self.lowest, at), block(&self.spread, at));
            let (Some(bytes), Some(lowest), Some(spread)) = parts else { return false };
            let above = u8x16::new(*bytes) - u8x16::new(*lowest);
            if above.saturating_sub(u8x16::new(*spread)).simd_eq(u8x16::ZERO).to_bitmask() != 0xffff {
                return false;
            }
            at += NARROW;
        }
        true
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

    fn agrees_with_a_loop(lanes: impl Lanes, bytes: &[u8; WIDE], byte: u8) {
        assert_eq!(lanes.equal(bytes, byte), mask(bytes, |b| b == byte));
        assert_eq!(lanes.at_most_wide(bytes, byte), mask(bytes, |b| b <= byte));
        let half = block(bytes, 17).unwrap();
        assert_eq!(u64::from(lanes.at_most(half, byte)), mask(half, |b| b <= byte));
    }

    proptest! {
        #[test]
        fn masks_agree_with_a_loop(low: [u8; 32], high: [u8; 32], byte: u8) {
            let bytes: [u8; WIDE] = std::array::from_fn(|at| if at < 32 { low[at] } else { high[at - 32] });
            for byte in [byte, bytes[7], bytes[63]] {
                agrees_with_a_loop(Baseline, &bytes, byte);
                on_widest_lanes!(lanes => agrees_with_a_loop(lanes, &bytes, byte));
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
                let low = Baseline.at_most(&bytes, b' ');
                assert_eq!(u64::from(low), mask(&bytes, |b| b <= b' '), "{byte} in lane {lane}");
                let wider = on_widest_lanes!(lanes => lanes.at_most(&bytes, b' '));
                assert_eq!(wider, low, "{byte} in lane {lane}");
            }
        }
        assert_eq!(block(&[1; 20], 4), Some(&[1; NARROW]));
        assert_eq!((block::<NARROW>(&[1; 20], 5), block::<NARROW>(&[1; 20], 21)), (None, None));
    }
}
