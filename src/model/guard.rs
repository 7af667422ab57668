//! A hash of some bytes of a file, to tell later whether they still stand there.
//!
//! Not here: reading the bytes. Invariant: two guards are equal only if their bytes are, as far as
//! 64 bits can tell.

use std::hash::Hasher;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

/// How many bytes, and what they hash to. The hash is the same in every run: it is part of saved
/// states.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// Bytes that were hashed.
    pub bytes: u32,
    /// Their XXH64 with seed 0; 0 for no bytes.
    pub hash: u64,
}

impl Guard {
    /// The guard of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Guard::default();
        }
        let mut hasher = XxHash64::with_seed(0);
        hasher.write(bytes);
        Guard { bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX), hash: hasher.finish() }
    }

    /// Whether these are the bytes that it was made of.
    pub fn holds(&self, bytes: &[u8]) -> bool {
        *self == Guard::of(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_holds_for_its_bytes_only_and_is_the_same_in_every_version() {
        let guard = Guard::of(b"17 a b\n");
        assert!(guard.holds(b"17 a b\n") && !guard.holds(b"17 a c\n") && !guard.holds(b"17 a b"));
        // XXH64 of "abc" with seed 0, as the reference implementation gives it.
        assert_eq!(Guard::of(b"abc").hash, 0x44BC_2CF5_AD77_0999);
        assert!(Guard::default().holds(b""));
    }
}
