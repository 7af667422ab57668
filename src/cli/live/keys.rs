//! Bytes from a terminal to keys.
//!
//! Invariant: any bytes are taken, in any pieces, and nothing is waited for: what may be the start
//! of a key is kept until more comes, or until `settle` says that nothing did.

/// A key that the view knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A character.
    Char(char),
    /// Return.
    Enter,
    /// Escape by itself.
    Escape,
    /// Backspace.
    Backspace,
    /// Tab.
    Tab,
    /// Tab with shift.
    BackTab,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Home.
    Home,
    /// End.
    End,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-Z.
    Suspend,
}

const ESCAPE: u8 = 0x1b;

/// The most bytes of a control sequence.
const LONGEST: usize = 32;

/// Finds the keys in a stream of bytes.
#[derive(Debug, Default)]
pub struct KeyDecoder {
    pending: Vec<u8>,
}

impl KeyDecoder {
    /// Takes bytes, and gives the keys that are complete with them.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Key> {
        self.pending.extend_from_slice(bytes);
        let (mut keys, mut at) = (Vec::new(), 0);
        while let Some((key, used)) = first(&self.pending[at..]) {
            keys.extend(key);
            at += used;
        }
        self.pending.drain(..at);
        keys
    }

    /// Whether there is the start of a key.
    pub fn is_waiting(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Nothing has come for a while: an escape that did not begin a sequence is the Escape key.
    pub fn settle(&mut self) -> Option<Key> {
        let escape = self.pending == [ESCAPE];
        self.pending.clear();
        escape.then_some(Key::Escape)
    }
}

/// The first key of some bytes, if it is one that is known, and the bytes that it takes; `None` if
/// more have to come.
fn first(bytes: &[u8]) -> Option<(Option<Key>, usize)> {
    let key = match *bytes.first()? {
        ESCAPE => return escaped(bytes),
        0x03 => Some(Key::Interrupt),
        0x1a => Some(Key::Suspend),
        b'\r' | b'\n' => Some(Key::Enter),
        b'\t' => Some(Key::Tab),
        0x08 | 0x7f => Some(Key::Backspace),
        0x20..=0x7e => Some(Key::Char(bytes[0] as char)),
        0x80.. => return character(bytes),
        _ => None,
    };
    Some((key, 1))
}

/// A key that begins with an escape: `ESC [` or `ESC O`, parameters, and one byte that says which
/// (ECMA-48, 5.4).
fn escaped(bytes: &[u8]) -> Option<(Option<Key>, usize)> {
    if !matches!(*bytes.get(1)?, b'[' | b'O') {
        return Some((Some(Key::Escape), 1));
    }
    let Some(length) = bytes[2..].iter().position(|byte| !(0x20..=0x3f).contains(byte)) else {
        return (bytes.len() > LONGEST).then_some((None, bytes.len()));
    };
    let (parameters, last) = (&bytes[2..2 + length], bytes[2 + length]);
    let key = match last {
        b'A' => Some(Key::Up),
        b'B' => Some(Key::Down),
        b'C' => Some(Key::Right),
        b'D' => Some(Key::Left),
        b'H' => Some(Key::Home),
        b'F' => Some(Key::End),
        b'Z' => Some(Key::BackTab),
        b'M' if bytes[1] == b'O' => Some(Key::Enter),
        b'~' => match parameters.split(|byte| *byte == b';').next() {
            Some(b"1" | b"7") => Some(Key::Home),
            Some(b"4" | b"8") => Some(Key::End),
            Some(b"5") => Some(Key::PageUp),
            Some(b"6") => Some(Key::PageDown),
            _ => None,
        },
        _ => None,
    };
    // What cannot stand in a sequence, such as another escape, ends it and stands for itself.
    let used = if (0x40..=0x7e).contains(&last) { 3 + length } else { 2 + length };
    Some((key, used))
}

/// A character that is not ASCII.
fn character(bytes: &[u8]) -> Option<(Option<Key>, usize)> {
    let four = &bytes[..bytes.len().min(4)];
    let text = match std::str::from_utf8(four) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() > 0 => std::str::from_utf8(&four[..error.valid_up_to()]).unwrap_or_default(),
        // The start of a character, or bytes that are not text.
        Err(error) => return Some((None, error.error_len()?)),
    };
    let c = text.chars().next()?;
    Some((Some(Key::Char(c)), c.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut decoder = KeyDecoder::default();
        let mut keys = decoder.feed(bytes);
        keys.extend(decoder.settle());
        keys
    }

    #[test]
    fn keys_are_what_terminals_send_for_them() {
        for (bytes, key) in [
            (&b"q"[..], Key::Char('q')),
            ("ä".as_bytes(), Key::Char('ä')),
            (b"\r", Key::Enter),
            (b"\x1b", Key::Escape),
            (b"\x7f", Key::Backspace),
            (b"\x03", Key::Interrupt),
            (b"\x1b[A", Key::Up),
            (b"\x1bOB", Key::Down),
            (b"\x1b[1;5C", Key::Right),
            (b"\x1b[Z", Key::BackTab),
            (b"\x1b[5~", Key::PageUp),
            (b"\x1b[6~", Key::PageDown),
            (b"\x1b[1~", Key::Home),
            (b"\x1b[F", Key::End),
        ] {
            assert_eq!(keys(bytes), [key], "{bytes:?}");
        }
        assert_eq!(keys(b"\x1bq"), [Key::Escape, Key::Char('q')]);
        assert_eq!(keys(b"\x1b\x1b[B"), [Key::Escape, Key::Down]);
        assert_eq!(
            keys(b"\x1b[200~a\x00\xffb\x1b[\x1bc"),
            [Key::Char('a'), Key::Char('b'), Key::Escape, Key::Char('c')]
        );
    }

    #[test]
    fn a_key_may_come_in_pieces() {
        let mut decoder = KeyDecoder::default();
        assert_eq!(decoder.feed(b"\x1b"), []);
        assert!(decoder.is_waiting());
        assert_eq!(decoder.feed(b"["), []);
        assert_eq!(decoder.feed(b"Aq"), [Key::Up, Key::Char('q')]);
        assert!(!decoder.is_waiting());
        assert_eq!(decoder.feed(&[0xe2, 0x82]), []);
        assert_eq!(decoder.feed(&[0xac]), [Key::Char('€')]);
        assert_eq!(decoder.feed(b"\x1b[1;"), []);
        assert_eq!(decoder.settle(), None);
        assert_eq!(decoder.feed(b"q"), [Key::Char('q')]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_and_little_is_kept(
            bytes in proptest::collection::vec(prop_oneof![Just(ESCAPE), Just(b'['), any::<u8>()], 0..200),
        ) {
            let mut decoder = KeyDecoder::default();
            let whole = decoder.feed(&bytes);
            prop_assert!(decoder.pending.len() <= LONGEST + 2);
            decoder.settle();
            let mut again = KeyDecoder::default();
            let pieces: Vec<Key> = bytes.iter().flat_map(|byte| again.feed(&[*byte])).collect();
            // Only a sequence that is too long may be cut elsewhere.
            if !bytes.windows(LONGEST).any(|window| window.iter().all(|byte| (0x20..=0x3f).contains(byte))) {
                prop_assert_eq!(whole, pieces);
            }
            prop_assert_eq!(decoder.feed(b"q"), [Key::Char('q')]);
        }
    }
}
