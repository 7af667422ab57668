//! Pairs against a plain loop.

use super::*;
use crate::format::extract::{ExtractScratch, Extractor};
use proptest::prelude::*;

type Pairs = Result<Vec<(Vec<u8>, Vec<u8>)>, Misfit>;

type Values = Result<Vec<Option<Vec<u8>>>, Misfit>;

/// The values of these keys.
fn values(names: &[&str], line: &[u8]) -> Values {
    let mut fields = Fields::default();
    Extractor::KeyVal(KeyVal::new(names)).extract(line, &mut fields, &mut ExtractScratch::default())?;
    Ok((0..names.len()).map(|slot| fields.get(slot, line).map(<[u8]>::to_vec)).collect())
}

/// All pairs, byte by byte.
fn oracle(line: &[u8]) -> Pairs {
    let is_blank = |at: usize| line.get(at).is_none_or(|byte| matches!(byte, b' ' | b'\t'));
    let mut pairs = Vec::new();
    let mut at = 0;
    while at < line.len() {
        let start = at;
        while !is_blank(at) && line[at] != b'=' {
            at += 1;
        }
        let key = &line[start..at];
        if is_blank(at) || key.is_empty() {
            while !is_blank(at) {
                at += 1;
            }
            at += 1;
            continue;
        }
        at += 1;
        let mut value = Vec::new();
        if line.get(at) == Some(&b'"') {
            let quote = at;
            at += 1;
            while *line.get(at).ok_or(MisfitKind::UnclosedQuote.at(quote))? != b'"' {
                let (bytes, length) = character(&line[at..]);
                value.extend(bytes);
                at += length;
            }
            at += 1;
        } else {
            while !is_blank(at) {
                value.push(line[at]);
                at += 1;
            }
        }
        pairs.push((key.to_vec(), value));
    }
    if pairs.is_empty() { Err(MisfitKind::NoPairs.at(line.len())) } else { Ok(pairs) }
}

/// The first character of a text in quotes as it is meant, and how long it is as it is written.
fn character(text: &[u8]) -> (Vec<u8>, usize) {
    let unit = |text: &[u8]| {
        let digits = std::str::from_utf8(text.get(..6)?).ok()?.strip_prefix("\\u")?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).unwrap())
    };
    // Half of a surrogate pair has the bytes that Python gives it with 'surrogatepass'.
    let half = |unit: u16| vec![0xed, 0x80 | (unit >> 6 & 0x3f) as u8, 0x80 | (unit & 0x3f) as u8];
    let utf8 = |units: &[u16]| String::from_utf16(units).map_or_else(|_| half(units[0]), String::into_bytes);
    match (text[0], text.get(1)) {
        (b'\\', Some(b'"' | b'\\')) => (vec![text[1]], 2),
        (b'\\', Some(b'n')) => (b"\n".to_vec(), 2),
        (b'\\', Some(b't')) => (b"\t".to_vec(), 2),
        (b'\\', Some(b'u')) => match (unit(text), text.get(6..).and_then(unit)) {
            (Some(first @ 0xd800..0xdc00), Some(second @ 0xdc00..0xe000)) => (utf8(&[first, second]), 12),
            (Some(first), _) => (utf8(&[first]), 6),
            (None, _) => (b"\\u".to_vec(), 2),
        },
        (byte, _) => (vec![byte], 1),
    }
}

#[test]
fn each_kind_of_line_is_told() {
    use MisfitKind::{NoPairs, UnclosedQuote};
    let ab =
        |a: Option<&str>, b: Option<&str>| Ok([a, b].map(|text| text.map(|text| text.as_bytes().to_vec())).to_vec());
    let cases: &[(&[u8], Values)] = &[
        (b"a=1 b=2", ab(Some("1"), Some("2"))),
        (b"\tfree text: [ 123.45] a=  SYN b=x=y  ", ab(Some(""), Some("x=y"))),
        (b"a=1 [a=2 b=3] a=4 b=5", ab(Some("1"), Some("3]"))),
        (b"A=1 aa=2 a =3 =4 ab=5 xb=6", ab(None, None)),
        (b"==a=1 b=2", ab(None, Some("2"))),
        (br#"a="x \"y\" \\ \n\t\u00e9\ud83d\ude00 z" b=2"#, ab(Some("x \"y\" \\ \n\té😀 z"), Some("2"))),
        (br#"a="\ud83d z" b="#, Ok(vec![Some(b"\xed\xa0\xbd z".to_vec()), Some(Vec::new())])),
        (br#"a="" b="\x41\r""#, ab(Some(""), Some(r"\x41\r"))),
        (br#"a="1"b="2" "#, ab(Some("1"), Some("2"))),
        (br#"[a="1" b="2"] c"#, ab(None, Some("2"))),
        (br#"a="1", b=2"#, ab(Some("1"), Some("2"))),
        (br#"a=1" b="x=y" c"#, ab(Some("1\""), Some("x=y"))),
        (b"a=", ab(Some(""), None)),
        (b"a=\0\xff b=\0", Ok(vec![Some(b"\0\xff".to_vec()), Some(b"\0".to_vec())])),
        (b"", Err(NoPairs.at(0))),
        (b"some words = ==x", Err(NoPairs.at(16))),
        (br#"b=1 a="x"#, Err(UnclosedQuote.at(6))),
        (br#"c="x\""#, Err(UnclosedQuote.at(2))),
        (br#"c="x\"#, Err(UnclosedQuote.at(2))),
        (br#"c=""#, Err(UnclosedQuote.at(2))),
    ];
    for (line, expected) in cases {
        assert_eq!(&values(&["a", "b"], line), expected, "{}", line.escape_ascii());
    }
}

#[test]
fn the_first_of_a_repeated_key_counts_in_all_its_slots() {
    let line = b"IN=eth0 OUT= SRC=192.0.2.1 DST=192.0.2.2 PROTO=ICMP [SRC=192.0.2.2 DST=192.0.2.3 PROTO=UDP ]";
    let expected = ["192.0.2.2", "", "192.0.2.2", "ICMP"].map(|text| Some(text.as_bytes().to_vec()));
    assert_eq!(values(&["DST", "OUT", "DST", "PROTO"], line), Ok(expected.to_vec()));
    assert_eq!(values(&[], line), Ok(Vec::new()));
}

#[test]
fn what_is_aside_has_the_keys_of_something_else() {
    let read = |line: &[u8]| {
        let mut fields = Fields::default();
        let pairs = Extractor::KeyVal(KeyVal::new(&["a", "b"]).with_aside(Some(b"[a=")));
        pairs.extract(line, &mut fields, &mut ExtractScratch::default())?;
        Ok([0, 1].map(|slot| fields.get(slot, line).map(|text| String::from_utf8(text.to_vec()).unwrap())))
    };
    let both = |a: Option<&str>, b: Option<&str>| Ok([a, b].map(|text| text.map(str::to_owned)));
    for (line, expected) in [
        (&b"a=1 [a=2 b=3 ] b=4"[..], both(Some("1"), Some("4"))),
        (b"a=1 [a=2 b=3] b=4", both(Some("1"), Some("4"))),
        (b"a=1 [a=2 c=x]y b=3 ]\tb=4", both(Some("1"), Some("4"))),
        (b"a=1 [a=2 ] [a=3 b=5 ] b=4", both(Some("1"), Some("4"))),
        (b"a=1 [a=2 b=3", both(Some("1"), None)),
        (b"[a=2] a=1", both(Some("1"), None)),
        // Other brackets are those of a text before the pairs.
        (b"[x]a=9 [ 1.5] [DROP] a=1 [b=2", both(Some("1"), None)),
        (b"[a=1 b=2]", Err(MisfitKind::NoPairs.at(9))),
        (b"a=1 [a=\"2", Err(MisfitKind::UnclosedQuote.at(7))),
    ] {
        assert_eq!(read(line), expected, "{}", line.escape_ascii());
    }
}

#[test]
fn long_values_are_read() {
    let line = [&b"a=\""[..], &br#"x\" "#.repeat(300_000), b"\" b=", &[b'y'; 1_000_000]].concat();
    let expected = vec![Some(b"x\" ".repeat(300_000)), Some(vec![b'y'; 1_000_000])];
    assert_eq!(values(&["a", "b"], &line), Ok(expected));
}

fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        prop::sample::select(
            &[
                "a=",
                "b=",
                "long_key_of_mine=",
                "a=\"",
                "\"",
                "\\",
                " ",
                "\t",
                "=",
                "x",
                "\\u00e9",
                "\\ud83d\\ude00",
                "\\ude00"
            ][..]
        )
        .prop_map(|part| part.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..3),
        (0usize..80).prop_map(|length| vec![b'y'; length]),
    ];
    proptest::collection::vec(part, 0..16).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn pairs_are_those_of_a_loop(line in any_line()) {
        let names = ["a", "long_key_of_mine", "b", "a"];
        let expected = oracle(&line).map(|pairs| {
            let value = |name: &str| pairs.iter().find(|(key, _)| key == name.as_bytes()).map(|(_, value)| value.clone());
            names.map(value).to_vec()
        });
        prop_assert_eq!(values(&names, &line), expected);
    }
}
