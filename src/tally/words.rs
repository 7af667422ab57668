//! Short texts as words of eight bytes, which are compared and hashed in a few instructions.
//!
//! Loops over words count up by hand: so they are unrolled wherever they are inlined, which chains
//! of iterators are not always.
//!
//! Not here: whose texts they are (`host`: names; `ops::count::at_hand`: two hosts and what is
//! between them). Invariant: texts of one length are the same if their words are, whatever follows
//! them in memory: behind a text its words are zero.

/// Bytes of a word.
pub const WORD: usize = 8;

/// The most words of a text.
const MOST: usize = 8;

/// By the length of a text: the bits of its words.
const BITS: [[u64; MOST]; WORD * MOST + 1] = {
    let mut bits = [[0; MOST]; WORD * MOST + 1];
    let mut length = 0;
    while length < WORD * MOST {
        length += 1;
        bits[length] = bits[length - 1];
        bits[length][(length - 1) / WORD] |= 0xff << (8 * ((length - 1) % WORD));
    }
    bits
};

/// The words of the text of this length at `start`, if they can hold it and `bytes` goes on far
/// enough to be read by words.
#[inline(always)]
pub fn words_at<const WORDS: usize>(bytes: &[u8], start: usize, length: usize) -> Option<[u64; WORDS]> {
    if length > WORD * WORDS {
        return None;
    }
    let bits = BITS.get(length)?;
    let words: &[[u8; WORD]; WORDS] =
        bytes.get(start..start.checked_add(WORD * WORDS)?)?.as_chunks().0.first_chunk()?;
    let (mut masked, mut at) = ([0; WORDS], 0);
    while at < WORDS {
        masked[at] = u64::from_le_bytes(words[at]) & bits[at];
        at += 1;
    }
    Some(masked)
}

/// The words of a text that they can hold.
pub fn words_of<const WORDS: usize>(text: &[u8]) -> [u64; WORDS] {
    let mut words = [[0; WORD]; WORDS];
    for (word, part) in words.iter_mut().zip(text.chunks(WORD)) {
        word[..part.len()].copy_from_slice(part);
    }
    words.map(u64::from_le_bytes)
}

/// Whether words are the same. All are compared, since a branch for each would cost more.
#[inline(always)]
pub fn are_equal<const WORDS: usize>(one: &[u64; WORDS], other: &[u64; WORDS]) -> bool {
    let (mut different, mut at) = (0, 0);
    while at < WORDS {
        different |= one[at] ^ other[at];
        at += 1;
    }
    different == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Eight bytes of the text for each word, the first one lowest.
    fn simple<const WORDS: usize>(text: &[u8]) -> Option<[u64; WORDS]> {
        let byte = |at: usize| u64::from(text.get(at).copied().unwrap_or(0));
        let word = |word: usize| (0..WORD).fold(0, |sum, at| sum | byte(WORD * word + at) << (8 * at));
        (text.len() <= WORD * WORDS).then(|| std::array::from_fn(word))
    }

    fn agree<const WORDS: usize>(text: &[u8], behind: &[u8]) {
        let bytes = [b"xyz", text, behind].concat();
        let found = words_at::<WORDS>(&bytes, 3, text.len());
        let expected = simple::<WORDS>(text).filter(|_| text.len() + behind.len() >= WORD * WORDS);
        assert_eq!(found, expected, "{text:?} before {behind:?}");
        if let Some(words) = simple::<WORDS>(text) {
            assert_eq!(words_of::<WORDS>(text), words);
            if let Some(last) = text.len().checked_sub(1) {
                let mut other = text.to_vec();
                other[last] ^= 1;
                assert!(are_equal(&words, &words_of(text)) && !are_equal(&words, &words_of(&other)));
            }
        }
    }

    proptest! {
        #[test]
        fn words_are_those_of_the_text_whatever_is_behind_it(
            text in proptest::collection::vec(any::<u8>(), 0..71), behind in proptest::collection::vec(any::<u8>(), 0..70),
        ) {
            agree::<2>(&text, &behind);
            agree::<4>(&text, &behind);
            agree::<8>(&text, &behind);
        }
    }
}
