//! Texts with backslashes, as they are meant.
//!
//! Not here: where such a text ends. Invariant: a text never grows, what is no escape stays as it is
//! written, and no two texts become one.

use memchr::memchr;

/// The escapes of JSON: the letter behind the backslash, and what is meant. `u` is known always.
pub const JSON: &[(u8, u8)] =
    &[(b'"', b'"'), (b'\\', b'\\'), (b'/', b'/'), (b'b', 8), (b'f', 12), (b'n', b'\n'), (b'r', b'\r'), (b't', b'\t')];

/// The escapes of `key="value"`.
pub const PAIRS: &[(u8, u8)] = &[(b'"', b'"'), (b'\\', b'\\'), (b'n', b'\n'), (b't', b'\t')];

/// Appends a text, its escapes as they are meant. Half of a surrogate pair, which is no character, becomes
/// the three bytes that it would have (WTF-8): no character has these.
pub fn unescape(text: &[u8], known: &[(u8, u8)], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(at);
        out.extend_from_slice(plain);
        let length = match escape.get(1) {
            Some(b'u') => unicode(escape, out),
            Some(letter) => known.iter().find(|(from, _)| from == letter).map(|(_, to)| {
                out.push(*to);
                2
            }),
            None => None,
        };
        if length.is_none() {
            out.push(b'\\');
        }
        rest = escape.get(length.unwrap_or(1)..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// Appends the character that `\uXXXX` means, or two of them. How long they are, if that is how the
/// text begins.
fn unicode(escape: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let first = code_unit(escape)?;
    let second = escape.get(UNIT..).and_then(code_unit).filter(|_| (0xd800..0xdc00).contains(&first));
    let pair = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
    match pair.or_else(|| char::from_u32(first.into())) {
        Some(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.extend([0xe0 | (first >> 12) as u8, 0x80 | (first >> 6 & 0x3f) as u8, 0x80 | (first & 0x3f) as u8]),
    }
    Some(if pair.is_some() { 2 * UNIT } else { UNIT })
}

/// How long `\uXXXX` is.
const UNIT: usize = 6;

/// The number in `\uXXXX`, if that is how the text begins.
fn code_unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(br"\u")?.first_chunk::<4>()?;
    let mut unit = 0;
    for digit in digits {
        unit = unit << 4 | char::from(*digit).to_digit(16)? as u16;
    }
    Some(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn meant(text: &[u8], known: &[(u8, u8)]) -> Vec<u8> {
        let mut out = b"before".to_vec();
        unescape(text, known, &mut out);
        out.split_off(6)
    }

    #[test]
    fn each_escape_is_told() {
        let cases: &[(&[u8], &[u8], &[u8])] = &[
            (b"", b"", b""),
            (b"plain", b"plain", b"plain"),
            (br#"\"\\\/\b\f\n\r\t"#, b"\"\\/\x08\x0c\n\r\t", b"\"\\\\/\\b\\f\n\\r\t"),
            (br"\u0041\u00e9\u20AC", "Aé€".as_bytes(), "Aé€".as_bytes()),
            (br"\ud83d\ude00", "😀".as_bytes(), "😀".as_bytes()),
            (br"\ufffd", "\u{fffd}".as_bytes(), "\u{fffd}".as_bytes()),
            (br"\ud83dx", b"\xed\xa0\xbdx", b"\xed\xa0\xbdx"),
            (br"\ud83d\u0041", b"\xed\xa0\xbdA", b"\xed\xa0\xbdA"),
            (br"\ude00\ud83d", b"\xed\xb8\x80\xed\xa0\xbd", b"\xed\xb8\x80\xed\xa0\xbd"),
            (br"\ud83d\ud83d\ude00", b"\xed\xa0\xbd\xf0\x9f\x98\x80", b"\xed\xa0\xbd\xf0\x9f\x98\x80"),
            (br"\u12", br"\u12", br"\u12"),
            (br"\u12g4\n", b"\\u12g4\n", b"\\u12g4\n"),
            (br"\x41\", br"\x41\", br"\x41\"),
            (b"\\u0000\xff", b"\0\xff", b"\0\xff"),
        ];
        for (text, json, pairs) in cases {
            assert_eq!(&meant(text, JSON), json, "{}", text.escape_ascii());
            assert_eq!(&meant(text, PAIRS), pairs, "{}", text.escape_ascii());
        }
    }

    fn any_unit() -> impl Strategy<Value = u16> {
        prop_oneof![any::<u16>(), 0xd7feu16..0xe002, prop::sample::select(&[0xd83d, 0xde00, 0xdc00, 0xfffd, 0x41][..])]
    }

    proptest! {
        #[test]
        fn texts_never_grow(text in proptest::collection::vec(prop_oneof![Just(b'\\'), Just(b'u'), Just(b'd'), Just(b'8'), any::<u8>()], 0..60)) {
            prop_assert!(meant(&text, JSON).len() <= text.len());
            prop_assert!(meant(&text, PAIRS).len() <= text.len());
        }

        #[test]
        fn texts_of_units_are_one_text_only_if_their_units_are(
            one in proptest::collection::vec(any_unit(), 0..4),
            other in proptest::collection::vec(any_unit(), 0..4),
        ) {
            let text = |units: &[u16]| {
                let escaped: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
                meant(escaped.as_bytes(), JSON)
            };
            prop_assert_eq!(text(&one) == text(&other), one == other);
        }

        #[test]
        fn texts_of_json_are_those_of_serde(text in any::<String>()) {
            let written = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(meant(&written.as_bytes()[1..written.len() - 1], JSON), text.as_bytes());
            let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            prop_assert_eq!(meant(escaped.as_bytes(), JSON), text.as_bytes());
        }
    }
}
