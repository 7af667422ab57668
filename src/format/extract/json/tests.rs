//! JSON against serde_json.

use super::*;
use crate::format::extract::{ExtractScratch, Extractor, MisfitKind};
use proptest::prelude::*;
use serde::de::IgnoredAny;

type Values = Result<Vec<Option<Vec<u8>>>, Misfit>;

fn path(text: &str) -> FieldPath {
    FieldPath::parse(text).unwrap()
}

fn values(paths: &[&str], line: &[u8]) -> Values {
    let paths: Vec<FieldPath> = paths.iter().map(|text| path(text)).collect();
    let mut fields = Fields::default();
    Extractor::Json(JsonFields::new(&paths)).extract(line, &mut fields, &mut ExtractScratch::default())?;
    Ok((0..paths.len()).map(|slot| fields.get(slot, line).map(<[u8]>::to_vec)).collect())
}

fn texts(texts: &[Option<&str>]) -> Values {
    Ok(texts.iter().map(|text| text.map(|text| text.as_bytes().to_vec())).collect())
}

/// How deep a text is nested: brackets and braces outside of its quotes.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_quotes, mut is_escaped) = (0usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_quotes => is_escaped = true,
            b'"' => in_quotes = !in_quotes,
            b'[' | b'{' if !in_quotes => depth += 1,
            b']' | b'}' if !in_quotes => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Whether serde_json takes a line as an object.
fn is_object(line: &[u8]) -> bool {
    let text = String::from_utf8_lossy(line);
    let begins = text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{');
    // Numbers of any size, and halves of surrogate pairs, are JSON by RFC 8259.
    begins && serde_json::from_str::<IgnoredAny>(&text).is_ok() && depth(&text) <= 128
}

#[test]
fn each_kind_of_line_is_told() {
    use MisfitKind::{NotAnObject, NotJson};
    let x = |text| texts(&[Some(text)]);
    let cases: &[(&str, Values)] = &[
        (r#"{"x":"text"}"#, x("text")),
        (" {\t\"x\" :\r\"a\" ,\n \"y\": [ ] } ", x("a")),
        (r#"{"x":""}"#, x("")),
        (r#"{"x":-0.5e+10}"#, x("-0.5e+10")),
        (r#"{"x":0}"#, x("0")),
        (r#"{"x":1e999}"#, x("1e999")),
        (r#"{"x":123456789012345678901234567890}"#, x("123456789012345678901234567890")),
        (r#"{"x":true,"y":false,"z":null}"#, x("true")),
        (r#"{"x":false}"#, x("false")),
        (r#"{"x":null}"#, texts(&[None])),
        (r#"{}"#, texts(&[None])),
        (r#"{"x":{"y": [1, {}] }}"#, x(r#"{"y": [1, {}] }"#)),
        (r#"{"x":[ 1,"]"]}"#, x(r#"[ 1,"]"]"#)),
        (r#"{"x":1,"x":"2"}"#, x("2")),
        (r#"{"x":1,"x":null}"#, texts(&[None])),
        (r#"{"y":{"x":1},"z":[{"x":2}]}"#, texts(&[None])),
        (r#"{"\u0078":"\u00e9\n"}"#, x("é\n")),
        (r#"{"x\u0000":1}"#, texts(&[None])),
        (
            r#"{"x":"\ud83d\ude00 \ud83d \ude00"}"#,
            Ok(vec![Some(b"\xf0\x9f\x98\x80 \xed\xa0\xbd \xed\xb8\x80".to_vec())]),
        ),
        ("{\"x\":\"a\x7fb\"}", x("a\x7fb")),
        ("", Err(NotJson.at(0))),
        (" ", Err(NotJson.at(1))),
        ("[1]", Err(NotAnObject.at(0))),
        (" \"x\"", Err(NotAnObject.at(1))),
        ("5", Err(NotAnObject.at(0))),
        ("null", Err(NotAnObject.at(0))),
        ("2024-01-02 x", Err(NotJson.at(4))),
        ("hello", Err(NotJson.at(0))),
        ("{", Err(NotJson.at(1))),
        (r#"{"x"#, Err(NotJson.at(3))),
        (r#"{"x""#, Err(NotJson.at(4))),
        (r#"{"x":"#, Err(NotJson.at(5))),
        (r#"{"x":1"#, Err(NotJson.at(6))),
        (r#"{"x":1,"#, Err(NotJson.at(7))),
        (r#"{"x":1,}"#, Err(NotJson.at(7))),
        (r#"{"x":[1,]}"#, Err(NotJson.at(8))),
        (r#"{"x":[1}"#, Err(NotJson.at(7))),
        (r#"{"x":{]"#, Err(NotJson.at(6))),
        (r#"{"x":1]"#, Err(NotJson.at(6))),
        (r#"{"x":1}}"#, Err(NotJson.at(7))),
        (r#"{"x":1} {}"#, Err(NotJson.at(8))),
        (r#"{x:1}"#, Err(NotJson.at(1))),
        (r#"{"x" 1}"#, Err(NotJson.at(5))),
        (r#"{"x":01}"#, Err(NotJson.at(6))),
        (r#"{"x":-}"#, Err(NotJson.at(6))),
        (r#"{"x":+1}"#, Err(NotJson.at(5))),
        (r#"{"x":.5}"#, Err(NotJson.at(5))),
        (r#"{"x":5.}"#, Err(NotJson.at(7))),
        (r#"{"x":5e}"#, Err(NotJson.at(7))),
        (r#"{"x":5e+}"#, Err(NotJson.at(8))),
        (r#"{"x":NaN}"#, Err(NotJson.at(5))),
        (r#"{"x":nul}"#, Err(NotJson.at(5))),
        (r#"{"x":truee}"#, Err(NotJson.at(9))),
        (r#"{"x":"\x"}"#, Err(NotJson.at(7))),
        (r#"{"x":"\u12g4"}"#, Err(NotJson.at(10))),
        (r#"{"x":"\u12"#, Err(NotJson.at(10))),
        (r#"{"x":"\"#, Err(NotJson.at(7))),
        ("{\"x\":\"a\tb\"}", Err(NotJson.at(7))),
        ("{\"x\":\"a\0b\"}", Err(NotJson.at(7))),
        ("{\"x\":1\0}", Err(NotJson.at(6))),
        ("\u{feff}{}", Err(NotJson.at(0))),
    ];
    for (line, expected) in cases {
        assert_eq!(&values(&["x"], line.as_bytes()), expected, "{}", line.escape_debug());
        assert_eq!(is_object(line.as_bytes()), expected.is_ok(), "serde on {}", line.escape_debug());
    }
}

#[test]
fn bytes_in_texts_need_not_be_utf8() {
    assert_eq!(values(&["x"], b"{\"x\":\"\xff\xc3\"}"), Ok(vec![Some(b"\xff\xc3".to_vec())]));
    assert_eq!(values(&["x"], b"{\"x\":\"\xff\\n\"}"), Ok(vec![Some(b"\xff\n".to_vec())]));
    assert_eq!(values(&["x"], b"{\"x\":\xff}"), Err(MisfitKind::NotJson.at(5)));
}

#[test]
fn paths_lead_through_any_grouping() {
    let zeek = br#"{"ts":1.5,"id.orig_h":"192.0.2.1","id":{"resp_h":"192.0.2.2"},"tags":["a",{"b":7}]}"#;
    let found = values(&["id.orig_h", "id.resp_h", "/id.orig_h", "/id/resp_h", "/id.resp_h", "/id/orig_h"], zeek);
    let (from, to) = (Some("192.0.2.1"), Some("192.0.2.2"));
    assert_eq!(found, texts(&[from, to, from, to, None, None]));
    let found = values(&["/tags/1/b", "/tags/0", "tags.1.b", "/tags/2", "/tags/00", "id", "/tags/-"], zeek);
    assert_eq!(found, texts(&[Some("7"), Some("a"), None, None, None, Some(r#"{"resp_h":"192.0.2.2"}"#), None]));
    let line = br#"{"src_ip":"192.0.2.1","flow":{"src_ip":"192.0.2.9","a":{"end":1},"end":"e"},"x":{"flow.end":2}}"#;
    assert_eq!(values(&["src_ip", "flow.end", "/", "x.flow.end"], line), texts(&[from, Some("e"), None, Some("2")]));
}

#[test]
fn the_last_place_counts() {
    let a_b = |line: &str| values(&["a.b"], line.as_bytes());
    assert_eq!(a_b(r#"{"a":{"b":1},"a.b":2}"#), texts(&[Some("2")]));
    assert_eq!(a_b(r#"{"a.b":2,"a":{"b":1}}"#), texts(&[Some("1")]));
    assert_eq!(a_b(r#"{"a":{"b":"\n"},"a":{"b":"\t"}}"#), texts(&[Some("\t")]));
    assert_eq!(a_b(r#"{"a":{"b":1},"a":{}}"#), texts(&[Some("1")]));
    assert_eq!(a_b(r#"{"a":{"b":1},"a":{"b":null}}"#), texts(&[None]));
}

#[test]
fn nesting_ends_somewhere() {
    let nested = |open: &str, close: &str, depth: usize| {
        format!("{{\"x\":{}1{}}}", open.repeat(depth - 1), close.repeat(depth - 1))
    };
    for (open, close) in [("[", "]"), ("{\"x\":", "}"), ("[ ", " ]")] {
        assert!(values(&["x"], nested(open, close, 128).as_bytes()).is_ok());
        let deep = values(&["x"], nested(open, close, 129).as_bytes());
        assert_eq!(deep, Err(MisfitKind::TooDeep.at("{\"x\":".len() + 127 * open.len())));
        assert!(values(&["y"], nested(open, close, 100_000).as_bytes()).is_err());
    }
    let path = "x.".repeat(63) + "x";
    let mixed = nested("{\"x\":", "}", 64);
    assert_eq!(values(&[&path, "/x/x"], mixed.as_bytes()).unwrap()[0], Some(b"1".to_vec()));
    let unclosed = "[".repeat(1_000_000);
    assert_eq!(values(&["x"], unclosed.as_bytes()), Err(MisfitKind::TooDeep.at(128)));
}

#[test]
fn long_texts_and_many_are_read() {
    let plain = format!(r#"{{"y":"{0}","x":"{0}"}}"#, "é".repeat(500_000));
    assert_eq!(values(&["x"], plain.as_bytes()), texts(&[Some(&"é".repeat(500_000))]));
    let escaped = format!(r#"{{"x":"{}"}}"#, r#"\"\\"#.repeat(250_000));
    assert_eq!(values(&["x"], escaped.as_bytes()), texts(&[Some(&r#""\"#.repeat(250_000))]));
    let many = format!(r#"{{"x":[{}2]}}"#, "1,".repeat(500_000));
    assert_eq!(values(&["/x/500000"], many.as_bytes()), texts(&[Some("2")]));
    let digits = format!(r#"{{"x":{}.{}}}"#, "7".repeat(100), "3".repeat(100));
    assert_eq!(values(&["x"], digits.as_bytes()).unwrap()[0].as_ref().map(Vec::len), Some(201));
    let key = "k".repeat(1_000_000);
    assert_eq!(values(&[&key, "x"], format!(r#"{{"{key}":1}}"#).as_bytes()), texts(&[Some("1"), None]));
}

/// A value as it is written.
#[derive(Debug, Clone)]
enum Tree {
    Null,
    /// A number, `true` or `false`.
    Word(&'static str),
    /// A text and how it is written.
    Text(String, String),
    Array(Vec<Tree>, &'static str),
    /// Its keys, how these are written, and their values.
    Object(Vec<(String, String, Tree)>, &'static str),
}

impl Tree {
    fn write(&self) -> String {
        let list = |open: &str, all: Vec<String>, blank: &str, close: &str| {
            format!("{open}{blank}{}{blank}{close}", all.join(&format!("{blank},{blank}")))
        };
        match self {
            Tree::Null => "null".to_owned(),
            Tree::Word(word) => (*word).to_owned(),
            Tree::Text(_, written) => format!("\"{written}\""),
            Tree::Array(all, blank) => list("[", all.iter().map(Tree::write).collect(), blank, "]"),
            Tree::Object(all, blank) => {
                let pair =
                    |(_, key, value): &(String, String, Tree)| format!("\"{key}\"{blank}:{blank}{}", value.write());
                list("{", all.iter().map(pair).collect(), blank, "}")
            }
        }
    }

    /// All values that a dotted path leads to, from left to right; the parts that are left of it.
    fn dotted<'a>(&'a self, parts: &[&str], found: &mut Vec<&'a Tree>) {
        if parts.is_empty() {
            found.push(self);
        } else if let Tree::Object(all, _) = self {
            for (key, _, value) in all {
                for end in (1..=parts.len()).filter(|end| parts[..*end].join(".") == *key) {
                    value.dotted(&parts[end..], found);
                }
            }
        }
    }

    /// The same of a pointer.
    fn pointed<'a>(&'a self, parts: &[&str], found: &mut Vec<&'a Tree>) {
        let Some((part, rest)) = parts.split_first() else { return found.push(self) };
        match self {
            Tree::Object(all, _) => {
                all.iter().filter(|(key, ..)| key == part).for_each(|(_, _, value)| value.pointed(rest, found));
            }
            Tree::Array(all, _) => {
                let at = all.iter().enumerate().find(|(at, _)| at.to_string() == *part);
                at.into_iter().for_each(|(_, value)| value.pointed(rest, found));
            }
            _ => {}
        }
    }

    fn value(&self, path: &str) -> Option<Vec<u8>> {
        let mut found = Vec::new();
        match path.strip_prefix('/') {
            Some(pointer) => self.pointed(&pointer.split('/').collect::<Vec<_>>(), &mut found),
            None => self.dotted(&path.split('.').collect::<Vec<_>>(), &mut found),
        }
        match found.last()? {
            Tree::Null => None,
            Tree::Text(text, _) => Some(text.clone().into_bytes()),
            other => Some(other.write().into_bytes()),
        }
    }
}

const PATHS: [&str; 12] =
    ["a", "a.b", "a.b.c", "b", "b.c", "/a/b", "/a.b", "/a/0", "/b/1/c", "long_key_of_mine", "a.long_key_of_mine", "a"];

fn blank() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["", "", "", " ", "\r\n\t "][..])
}

/// A text and a way to write it.
fn text(text: impl Strategy<Value = String>) -> impl Strategy<Value = (String, String)> {
    (text, 0u8..4).prop_map(|(text, way)| {
        let unit = |unit: u16| format!("\\u{unit:04X}");
        let written = match way {
            0 => text.encode_utf16().map(unit).collect(),
            _ => serde_json::to_string(&text).unwrap().trim_matches('"').to_owned(),
        };
        // A quote at an end of the text is trimmed with what is around it.
        let is_whole = serde_json::from_str::<String>(&format!("\"{written}\"")).is_ok_and(|read| read == text);
        let written = if is_whole { written } else { text.encode_utf16().map(unit).collect() };
        (text, written)
    })
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        prop::sample::select(&["true", "false", "0", "-1.5e3", "1234567890123456", "12345678901234567890.5"][..])
            .prop_map(Tree::Word),
        text("[a\"\\\\\n\0é😀]{0,6}|x{0,150}".prop_map(String::from))
            .prop_map(|(text, written)| Tree::Text(text, written)),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            1 => (proptest::collection::vec(inner.clone(), 0..4), blank()).prop_map(|(all, blank)| Tree::Array(all, blank)),
            2 => object(inner),
        ]
    })
}

fn object(value: impl Strategy<Value = Tree>) -> impl Strategy<Value = Tree> {
    let keys = &["a", "b", "c", "a.b", "b.c", "a.b.c", "0", "", "long_key_of_mine", "long_key_of_mind"][..];
    let key = text(prop::sample::select(keys).prop_map(str::to_owned));
    let pair = (key, value).prop_map(|((key, written), value)| (key, written, value));
    (proptest::collection::vec(pair, 0..6), blank()).prop_map(|(all, blank)| Tree::Object(all, blank))
}

/// Whether a value found by serde_json is what was found here.
fn is_alike(value: &serde_json::Value, found: Option<&[u8]>) -> bool {
    use serde_json::Value;
    match (value, found) {
        (Value::Null, None) => true,
        (Value::String(text), Some(found)) => text.as_bytes() == found,
        (other, Some(found)) => serde_json::from_slice::<Value>(found).is_ok_and(|found| found == *other),
        (_, None) => false,
    }
}

proptest! {
    #[test]
    fn fields_are_those_of_a_tree(tree in object(tree())) {
        let line = tree.write();
        let expected = PATHS.iter().map(|path| tree.value(path)).collect();
        prop_assert_eq!(values(&PATHS, line.as_bytes()), Ok(expected), "{}", line);
    }

    #[test]
    fn pointers_lead_where_those_of_serde_do(tree in object(tree())) {
        let line = tree.write();
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        // Where no key is repeated.
        prop_assume!(value.to_string().matches(':').count() == line.matches(':').count());
        let pointers = ["/a", "/a/b", "/a.b", "/a/0", "/b/1/c", "/", "/0"];
        for (pointer, found) in pointers.iter().zip(values(&pointers, line.as_bytes()).unwrap()) {
            let expected = value.pointer(pointer).unwrap_or(&serde_json::Value::Null);
            prop_assert!(is_alike(expected, found.as_deref()), "{} in {}: {:?}", pointer, line, found);
        }
    }

    #[test]
    fn what_serde_refuses_is_refused(
        tree in object(tree()),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0u8..4, any::<u8>()), 0..4),
    ) {
        let mut line = tree.write().into_bytes();
        for (at, change, byte) in changes {
            let at = at.index(line.len().max(1)).min(line.len());
            let bytes = b"{}[]\",:\\ 0e.-tn\0\n\xff\x1fu";
            let byte = bytes[usize::from(byte) % bytes.len()];
            match change {
                0 => line.insert(at, byte),
                1 => line.truncate(at),
                _ if line.is_empty() => {}
                2 => drop(line.remove(at.min(line.len() - 1))),
                _ => {
                    let at = at.min(line.len() - 1);
                    line[at] = byte;
                }
            }
        }
        let found = values(&PATHS, &line);
        prop_assert_eq!(found.is_ok(), is_object(&line), "{}", line.escape_ascii());
        prop_assert!(found.err().is_none_or(|misfit| misfit.at <= line.len()));
    }

    #[test]
    fn tokens_in_any_order_are_told(parts in proptest::collection::vec(prop::sample::select(&[
        "{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "1", "null", "\"", "\\\"", " ",
    ][..]), 0..14)) {
        let line = parts.concat();
        for line in [format!("{{{line}}}"), format!("{{\"a\":{line}}}"), line] {
            prop_assert_eq!(values(&PATHS, line.as_bytes()).is_ok(), is_object(line.as_bytes()), "{}", line);
        }
    }
}
