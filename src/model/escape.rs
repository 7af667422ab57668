//! Bytes from logs made printable: what may reach a terminal, and nothing else.
//!
//! Invariant: the result holds only printable characters, and two different byte strings never look
//! alike: every byte shown as `\xNN` is that byte, and a backslash that would read as one is itself
//! escaped.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// The bytes as text, with everything that a terminal could act on, or an eye could not see, as
/// `\xNN`.
pub fn printable(bytes: &[u8]) -> Cow<'_, str> {
    escaped(bytes, is_hostile)
}

/// A message in which bytes of names are escaped already: only what a terminal could act on is
/// escaped here, and a backslash stays as it is.
pub fn harmless(message: &str) -> Cow<'_, str> {
    if !message.chars().any(is_hostile) {
        return Cow::Borrowed(message);
    }
    let mut out = String::with_capacity(message.len() + 16);
    for c in message.chars() {
        match is_hostile(c) {
            true => push_hex(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes()),
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// The bytes as text that may hold any character, for media with escapes of their own: only bytes
/// that are not text are shown as `\xNN`, and so is a backslash that would read as one.
pub fn exact(bytes: &[u8]) -> Cow<'_, str> {
    escaped(bytes, |_| false)
}

/// As `printable`, with tabs as they are: a line of a log that may be read again.
pub fn printable_line(bytes: &[u8]) -> Cow<'_, str> {
    escaped(bytes, |c| is_hostile(c) && c != '\t')
}

/// A word as it is given to a shell: as it was typed, except for what could act on a terminal.
pub fn shell_word(word: impl AsRef<[u8]>) -> String {
    let word = word.as_ref();
    let shown = std::str::from_utf8(word).map_or_else(|_| printable(word), harmless);
    let is_plain = |c: char| c.is_alphanumeric() || "_-./:@%+,=~".contains(c);
    if !shown.is_empty() && shown.chars().all(is_plain) {
        return shown.into_owned();
    }
    format!("'{}'", shown.replace('\'', r"'\''"))
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

/// A text as a TOML string, whatever it holds.
pub fn toml_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The bytes that `printable`, `printable_line` or `exact` shows as `text`.
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

/// Whether a character must not reach a terminal, a page or a spreadsheet as it is, since it acts
/// on one, reorders or hides text, or is not to be seen: all that is neither a letter, a mark, a
/// number, a punctuation, a symbol nor the space, and those among them that are drawn as nothing.
pub fn is_hostile(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    let is_visible =
        !matches!(c.general_category_group(), GeneralCategoryGroup::Other | GeneralCategoryGroup::Separator);
    !is_visible || is_blank(c)
}

/// Letters, marks and symbols that are drawn as nothing: those that Unicode lets programs ignore
/// (`Default_Ignorable_Code_Point`), and those that are blank.
fn is_blank(c: char) -> bool {
    matches!(c,
        // The combining grapheme joiner, fillers of Hangul, vowels of Khmer that are inherent.
        '\u{034f}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{17b4}' | '\u{17b5}'
        // Selectors of variants.
        | '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'
        // Braille with no dot, a musical note with no head, blanks and joiners of old scripts, a
        // stand-in for an object.
        | '\u{2800}' | '\u{1d159}' | '\u{13441}' | '\u{13442}' | '\u{16fe4}' | '\u{2d7f}' | '\u{1107f}' | '\u{fffc}')
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
    fn any_text_survives_toml() {
        for text in ["", "a\"b", "a\\b", "\u{1b}\n\t\u{7f}", "täst"] {
            let table: toml::Table = format!("x = {}", toml_text(text)).parse().unwrap();
            assert_eq!(table["x"].as_str(), Some(text));
        }
    }

    #[test]
    fn ordinary_names_are_left_alone() {
        for name in ["alpha", "täst", "DOMAIN\\host", "数", "a b"] {
            assert_eq!(printable(name.as_bytes()), name);
        }
    }

    #[test]
    fn a_message_is_harmless_and_names_in_it_are_escaped_once() {
        let shown = |name: &[u8]| harmless(&format!("{}: cannot open", printable(name))).into_owned();
        assert_eq!(shown(b"a\xffb"), "a\\xffb: cannot open");
        assert_eq!(shown(b"a\\xffb"), "a\\x5cxffb: cannot open");
        assert_eq!(harmless("a\x1b[2J\u{202e}"), "a\\x1b[2J\\xe2\\x80\\xae");
        assert_eq!(shell_word("h\\xff"), "'h\\xff'");
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

    proptest! {
        #[test]
        fn any_bytes_are_had_back_from_what_is_shown_of_them(
            bytes in proptest::collection::vec(prop_oneof![
                any::<u8>().prop_map(|byte| vec![byte]),
                any::<char>().prop_map(|c| c.to_string().into_bytes()),
                proptest::sample::select(vec!["\\", "\\x", "\\x5", "\\x5c", "\t", "\r", "\n", "f", "\u{34f}", "\u{2800}"])
                    .prop_map(|text| text.as_bytes().to_vec()),
            ], 0..12).prop_map(|parts| parts.concat()),
        ) {
            let (shown, line) = (printable(&bytes), printable_line(&bytes));
            prop_assert!(!shown.chars().any(is_hostile) && !line.chars().any(|c| is_hostile(c) && c != '\t'));
            prop_assert_eq!(&super::bytes(&shown), &bytes);
            prop_assert_eq!(&super::bytes(&line), &bytes);
            prop_assert_eq!(&super::bytes(&exact(&bytes)), &bytes);
        }
    }

    /// Against what the standard library knows of characters, which has a table of its own.
    #[test]
    fn s1_of_all_of_unicode_only_what_is_seen_is_left_as_it_is() {
        let (major, ..) = char::UNICODE_VERSION;
        let is_newer = unicode_properties::UNICODE_VERSION.0 > u64::from(major);
        let mut unknown = 0;
        for c in ('\0'..=char::MAX).filter(|&c| !is_hostile(c)) {
            assert!(!c.is_control() && (c == ' ' || !c.is_whitespace()), "{c:?}");
            // Behind a letter, where a mark may stand.
            let shown: String = format!("a{c}").escape_debug().collect();
            if !matches!(c, '\\' | '"' | '\'') && shown != format!("a{c}") {
                assert!(is_newer, "{c:?} is not printable");
                unknown += 1;
            }
        }
        // Those of a new version of Unicode.
        assert!(unknown < 20_000, "{unknown}");
    }

    /// Those that are drawn as nothing though they are letters, marks or symbols have no width.
    #[cfg(feature = "live")]
    #[test]
    fn s1_what_has_no_width_is_a_mark_or_is_hostile() {
        use ratatui::prelude::Line;
        let mut seen = 0;
        for c in ('\0'..=char::MAX).filter(|&c| !is_hostile(c) && Line::raw(format!("a{c}")).width() == 1) {
            // Vowels and final consonants of Hangul join the letter before them, and some letters
            // of India the one behind them; both are seen.
            let joins = matches!(c,
                '\u{1160}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7ff}'
                | '\u{d4e}' | '\u{a8fa}' | '\u{111c2}' | '\u{111c3}' | '\u{113d1}' | '\u{1193f}' | '\u{11941}'
                | '\u{11a84}'..='\u{11a89}' | '\u{11d46}' | '\u{11f02}');
            assert!(joins || c.general_category_group() == GeneralCategoryGroup::Mark, "{c:?}");
            seen += 1;
        }
        assert!(seen > 1000);
    }

    #[test]
    fn s1_what_hides_or_reorders_is_hostile_and_what_people_write_is_not() {
        let hostile = "\u{ad}\u{61c}\u{180e}\u{200b}\u{200f}\u{2028}\u{202a}\u{202e}\u{2060}\u{2066}\u{2069}\u{206f}\
                       \u{feff}\u{fff9}\u{fffb}\u{e0000}\u{e007f}\u{34f}\u{115f}\u{1160}\u{3164}\u{ffa0}\u{17b4}\
                       \u{180b}\u{180f}\u{fe0f}\u{e0100}\u{e01ef}\u{2800}\u{1d159}\u{1d173}\u{1bca0}\u{13430}\
                       \u{13441}\u{16fe4}\u{fffc}\u{e000}\u{10ffff}\u{fdd0}\u{378}\u{a0}\u{3000}\u{1680}";
        for c in hostile.chars() {
            assert!(is_hostile(c), "{c:?}");
            assert_eq!(printable(c.encode_utf8(&mut [0; 4]).as_bytes()).len(), 4 * c.len_utf8());
        }
        for text in
            ["täst", "t\u{e4}st", "ta\u{308}st", "数据库", "მზე", "हिन्दी", "한국어", "😀", "＝１", "€", "ﬀ", "\u{fffd}"]
        {
            assert_eq!(printable(text.as_bytes()), text);
        }
    }
}
