//! Files in one file: sections, each of which a line `== NAME` opens and the next one ends.
//!
//! A section stands as it is, or escaped where a text cannot hold it, which `== NAME, escaped`
//! says. There `\xNN` is a byte, `\xNN{N}` so many of them, `\\` a backslash, and a backslash at
//! the end of the last line says that no newline follows. Names are escaped too.

use logparser::internals::model::escape::is_hostile;

/// The sections of a file, by their names and in their order.
pub type Sections = Vec<(String, Vec<u8>)>;

pub fn parse(text: &str) -> Sections {
    let mut found: Vec<(String, bool, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("== ") {
            Some(opening) => {
                let opening = opening.trim_end_matches('\n');
                let name = opening.strip_suffix(", escaped");
                let plain = String::from_utf8(unescaped(name.unwrap_or(opening))).unwrap();
                found.push((plain, name.is_some(), String::new()));
            }
            None => found.last_mut().expect("a section before anything else").2.push_str(line),
        }
    }
    let bytes = |is_escaped, text: String| if is_escaped { unescaped(&text) } else { text.into_bytes() };
    found.into_iter().map(|(name, is_escaped, text)| (name, bytes(is_escaped, text))).collect()
}

pub fn render(sections: &Sections) -> String {
    let mut text = String::new();
    for (name, bytes) in sections {
        let name = escaped(name.as_bytes()).replace('\t', "\\x09");
        let name = name.trim_end_matches("\\\n");
        match as_text(bytes) {
            Some(plain) => text += &format!("== {name}\n{plain}"),
            None => text += &format!("== {name}, escaped\n{}", escaped(bytes)),
        }
    }
    text
}

/// A section that can stand as it is: whole lines of what is seen, without blanks at their ends.
fn as_text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_seen = !text.contains(|c| !['\t', '\n'].contains(&c) && is_hostile(c));
    let is_whole = text.is_empty() || text.ends_with('\n');
    let opens = |line: &str| line.starts_with("== ") || line.ends_with([' ', '\t']);
    (is_seen && is_whole && !text.lines().any(opens)).then_some(text)
}

fn escaped(bytes: &[u8]) -> String {
    /// So many bytes and more that are alike are counted.
    const MANY: usize = 16;
    let (mut text, mut at, mut is_behind_one) = (String::new(), 0, false);
    while at < bytes.len() {
        let (byte, rest) = (bytes[at], &bytes[at..]);
        let blanks = rest.iter().take_while(|byte| [b' ', b'\t'].contains(byte)).count();
        let ends_a_line = blanks > 0 && matches!(rest.get(blanks), None | Some(b'\n'));
        let opens = rest.starts_with(b"== ") && (at == 0 || bytes[at - 1] == b'\n');
        let alike = rest.iter().take_while(|other| **other == byte).count();
        // A brace behind an escaped byte would be read as its number.
        let is_number = byte == b'{' && is_behind_one;
        let is_shown = !ends_a_line && !opens && !is_number;
        let mut length = 1;
        is_behind_one = false;
        match byte {
            b'\\' => text += "\\\\",
            b'\n' => text.push('\n'),
            b' '..=b'~' | b'\t' if is_shown => text.push(byte.into()),
            _ if alike >= MANY => {
                text += &format!("\\x{byte:02x}{{{alike}}}");
                length = alike;
            }
            _ => {
                text += &format!("\\x{byte:02x}");
                is_behind_one = true;
            }
        }
        at += length;
    }
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        text += "\\\n";
    }
    text
}

fn unescaped(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let behind = &rest[at + 1..];
        match behind.as_bytes()[0] {
            b'\\' => bytes.push(b'\\'),
            b'\n' => {}
            mark => {
                assert_eq!(mark, b'x', "an escape that is none: {behind}");
                let byte = u8::from_str_radix(&behind[1..3], 16).unwrap();
                let count = behind[3..].strip_prefix('{').map(|count| count.split_once('}').unwrap().0);
                bytes.extend(std::iter::repeat_n(byte, count.map_or(1, |count| count.parse().unwrap())));
                rest = &behind[3 + count.map_or(0, |count| count.len() + 2)..];
                continue;
            }
        }
        rest = &behind[1..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

#[test]
fn any_bytes_are_read_as_they_were_written() {
    let parts: [&[u8]; 14] = [
        b"a",
        b"\n",
        b" ",
        b"\t",
        b"== x\n",
        b"\\",
        b"\\x41",
        b"{3}",
        b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"\xff",
        b"\r",
        "\u{e4}".as_bytes(),
        "\u{202e}".as_bytes(),
        b", escaped",
    ];
    let mut random = super::Random::new(1);
    for _ in 0..20_000 {
        let mut section = || (0..random.below(8)).flat_map(|_| random.pick(&parts).to_vec()).collect::<Vec<u8>>();
        let sections = vec![("a.log".to_owned(), section()), ("tab\t\u{e4}.log".to_owned(), section())];
        let text = render(&sections);
        assert_eq!(parse(&text), sections, "{text}");
        let is_seen = |c| c == '\n' || c == '\t' || !is_hostile(c);
        assert!(text.chars().all(is_seen) && (text.ends_with('\n')), "{text:?}");
    }
    let text = render(&vec![("a".to_owned(), b"x\\\n".to_vec()), ("b".to_owned(), b"\0x".to_vec())]);
    assert_eq!(text, "== a\nx\\\n== b, escaped\n\\x00x\\\n");
}
