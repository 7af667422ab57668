//! Keys that are looked up in lines, by their lengths and bytes.
//!
//! Not here: where a key is in a line. Invariant: a key is found if and only if all its bytes are
//! the same.

/// A set of keys, each with a number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// Which lengths there are; the last bit stands for all from there on.
    lengths: u64,
    keys: Vec<KeyBytes>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct KeyBytes {
    length: usize,
    /// The first bytes.
    head: u64,
    /// The others.
    rest: Box<[u8]>,
    number: u32,
}

/// Bytes that are compared at once.
const HEAD: usize = size_of::<u64>();

impl Keys {
    /// Adds a key, which is not among them.
    pub fn add(&mut self, key: &[u8], number: u32) {
        self.lengths |= length_bit(key.len());
        let rest = key.get(HEAD..).unwrap_or_default().into();
        self.keys.push(KeyBytes { length: key.len(), head: head(key, 0, key.len()), rest, number });
    }

    /// The number of the key `bytes[start..end]`.
    #[inline(always)]
    pub fn get(&self, bytes: &[u8], start: usize, end: usize) -> Option<u32> {
        let length = end - start;
        if self.lengths & length_bit(length) == 0 {
            return None;
        }
        let head = head(bytes, start, length);
        let alike = |key: &&KeyBytes| key.head == head && key.length == length;
        let rest = || bytes.get(start + HEAD..end).unwrap_or_default();
        let found = self.keys.iter().find(|key| alike(key) && (length <= HEAD || *key.rest == *rest()))?;
        Some(found.number)
    }
}

#[inline(always)]
fn length_bit(length: usize) -> u64 {
    1 << length.min(63)
}

/// The first bytes of a key of some length, zeros behind it.
#[inline(always)]
fn head(bytes: &[u8], start: usize, length: usize) -> u64 {
    let unused = 8 * (HEAD - length.min(HEAD)) as u32;
    match bytes.get(start..).and_then(<[u8]>::first_chunk) {
        Some(eight) => u64::from_le_bytes(*eight) & u64::MAX.checked_shr(unused).unwrap_or(0),
        None => {
            let bytes = bytes.iter().skip(start).take(length.min(HEAD));
            bytes.rev().fold(0, |head, byte| head << 8 | u64::from(*byte))
        }
    }
}

/// Whether a text is at this place of the bytes.
#[inline(always)]
pub fn is_at<const N: usize>(bytes: &[u8], at: usize, text: &[u8; N]) -> bool {
    bytes.get(at..).and_then(<[u8]>::first_chunk) == Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_are_found_by_all_their_bytes(
            keys in proptest::collection::btree_set("[ab\0]{0,12}", 0..12),
            before in "[ab\0]{0,3}",
            key in "[ab\0]{0,12}",
            after in "[ab\0]{0,12}",
        ) {
            let mut set = Keys::default();
            for (number, key) in keys.iter().enumerate() {
                set.add(key.as_bytes(), number as u32);
            }
            let line = format!("{before}{key}{after}");
            let found = set.get(line.as_bytes(), before.len(), before.len() + key.len());
            prop_assert_eq!(found, keys.iter().position(|other| *other == key).map(|number| number as u32));
        }
    }

    #[test]
    fn long_keys_are_told_apart() {
        let mut keys = Keys::default();
        let long = [b'x'; 100];
        keys.add(&long, 1);
        keys.add(&long[..99], 2);
        keys.add(b"", 3);
        assert_eq!(keys.get(&long, 0, 100), Some(1));
        assert_eq!(keys.get(&long, 0, 99), Some(2));
        assert_eq!(keys.get(&long, 0, 98), None);
        assert_eq!(keys.get(&long, 100, 100), Some(3));
    }
}
