//! Bytes from logs made printable: what may reach a terminal, and nothing else.
//!
//! Invariant: the result holds only printable characters, and two different byte strings never look alike:
//! every byte shown as `\xNN` is that byte, and a backslash that would read as one is itself escaped.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The bytes as text, with everything that a terminal could act on, or an eye could not see, as `\xNN`.
pub fn printable(bytes: &[u8]) -> Cow<'_, str> {
    escaped(bytes, is_hostile)
}

/// The bytes as text that may hold any character, for media with escapes of their own: only bytes that are no text are
/// shown as `\xNN`, and a backslash that would read as one.
pub fn exact(bytes: &[u8]) -> Cow<'_, str> {
    escaped(bytes, |_| false)
}

fn escaped(bytes: &[u8], is_hostile: impl Fn(char) -> bool) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && !text.chars().any(&is_hostile)
        && !text.contains("\\x")
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        for (at, c) in chunk.valid().char_indices() {
            let escape_code = c == '\\' && chunk.valid()[at + 1..].starts_with('x');
            if is_hostile(c) || escape_code {
                push_hex(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                out.push(c);
            }
        }
        push_hex(&mut out, chunk.invalid());
    }
    Cow::Owned(out)
}

/// The bytes that `printable` shows as `text`.
pub fn bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = rest.get(..4).filter(|four| four.starts_with(b"\\x") && four[2..].iter().all(u8::is_ascii_hexdigit));
        let byte = hex.and_then(|four| u8::from_str_radix(std::str::from_utf8(&four[2..]).ok()?, 16).ok());
        match byte {
            Some(byte) => {
                out.push(byte);
                rest = &rest[4..];
            }
            None => {
                out.push(first);
                rest = tail;
            }
        }
    }
    out
}

/// Whether a character must not reach a terminal, a page or a spreadsheet as it is: control characters (C0, DEL,
/// C1), white space that is not the space, and the invisible ones that reorder or hide text.
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn push_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(out, "\\x{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_names_are_left_alone() {
        for name in ["alpha", "täst", "DOMAIN\\host", "数", "a b"] {
            assert_eq!(printable(name.as_bytes()), name);
        }
    }

    #[test]
    fn s1_control_bidi_and_invalid_bytes_are_shown_in_hex() {
        assert_eq!(printable(b"a\x1b[2J"), "a\\x1b[2J");
        assert_eq!(printable("a\u{202e}b".as_bytes()), "a\\xe2\\x80\\xaeb");
        assert_eq!(printable(b"\xff\x9b"), "\\xff\\x9b");
        assert_eq!(printable("\u{9b}".as_bytes()), "\\xc2\\x9b");
        assert_eq!(printable(b"\x07\r\n"), "\\x07\\x0d\\x0a");
        assert_eq!(printable("a\u{a0}b".as_bytes()), "a\\xc2\\xa0b");
        assert_eq!(exact("a\u{a0}\u{1b}b".as_bytes()), "a\u{a0}\u{1b}b");
    }

    #[test]
    fn a_name_that_spells_an_escape_is_told_from_the_byte() {
        assert_ne!(printable(b"\\xff"), printable(b"\xff"));
        assert_eq!(printable(b"\\xff"), "\\x5cxff");
    }

    proptest! {
        #[test]
        fn different_bytes_never_look_alike(
            a in proptest::collection::vec(prop_oneof![Just(b'\\'), Just(b'x'), Just(b'f'), any::<u8>()], 0..6),
            b in proptest::collection::vec(prop_oneof![Just(b'\\'), Just(b'x'), Just(b'f'), any::<u8>()], 0..6),
        ) {
            prop_assert_eq!(a == b, printable(&a) == printable(&b));
            prop_assert!(!printable(&a).chars().any(is_hostile));
            prop_assert_eq!(a == b, exact(&a) == exact(&b));
            prop_assert_eq!(&bytes(&printable(&a)), &a);
            prop_assert_eq!(bytes(&exact(&a)), a);
        }
    }

    #[test]
    fn s1_every_character_that_hides_or_reorders_is_hostile() {
        let ends = "\u{ad}\u{61c}\u{180e}\u{200b}\u{200f}\u{2028}\u{202a}\u{202e}\u{2060}\u{2066}\u{2069}\u{206f}\
                    \u{feff}\u{fff9}\u{fffb}\u{e0000}\u{e007f}";
        for c in ends.chars() {
            assert!(is_hostile(c), "{c:?}");
        }
    }
}
