//! Where a field is in a JSON object, as people write it.
//!
//! Not here: finding it. Invariant: a path that was parsed has at least one part, and no more than
//! `MOST_PARTS`.

use std::fmt;

/// The most parts of a path.
pub const MOST_PARTS: usize = 64;

/// Where a field is in a JSON object.
///
/// `a.b.c` is any grouping of its parts: nested objects, keys with points in them, or both. It does
/// not lead into arrays. A text that begins with a slash is a JSON Pointer (RFC 6901): `/a/b/0`, with
/// `~1` for a slash and `~0` for a tilde; each of its parts is one key, or the index into an array.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldPath {
    parts: Vec<String>,
    is_pointer: bool,
}

/// Why a text is no path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadPath {
    /// It is empty.
    Empty,
    /// A tilde in a JSON Pointer is neither `~0` nor `~1`.
    BadEscape,
    /// It has more parts than a path may have.
    TooLong,
}

impl fmt::Display for BadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadPath::Empty => f.write_str("a path is not empty"),
            BadPath::BadEscape => f.write_str("in a path that begins with '/', '~' is written '~0', and '/' is '~1'"),
            BadPath::TooLong => write!(f, "a path has at most {MOST_PARTS} parts"),
        }
    }
}

impl std::error::Error for BadPath {}

impl FieldPath {
    /// Reads a path.
    pub fn parse(text: &str) -> Result<Self, BadPath> {
        if text.is_empty() {
            return Err(BadPath::Empty);
        }
        let pointer = text.strip_prefix('/');
        let parts: Result<Vec<String>, BadPath> = match pointer {
            Some(pointer) => pointer.split('/').take(MOST_PARTS + 1).map(unescaped).collect(),
            None => Ok(text.split('.').take(MOST_PARTS + 1).map(str::to_owned).collect()),
        };
        let parts = parts?;
        if parts.len() > MOST_PARTS {
            return Err(BadPath::TooLong);
        }
        Ok(FieldPath { parts, is_pointer: pointer.is_some() })
    }

    /// The field of an object that has exactly this key, points or not.
    pub fn key(key: &str) -> Self {
        FieldPath { parts: vec![key.to_owned()], is_pointer: true }
    }

    /// How many parts it has.
    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    /// The keys that may come behind its first `done` parts, each with how many parts are done then.
    pub(super) fn keys(&self, done: usize) -> impl Iterator<Item = (String, usize)> {
        let last = if self.is_pointer { (done + 1).min(self.len()) } else { self.len() };
        (done + 1..=last).map(move |end| (self.parts[done..end].join("."), end))
    }

    /// The index into an array that may come behind its first `done` parts.
    pub(super) fn index(&self, done: usize) -> Option<u32> {
        let part = self.parts.get(done).filter(|_| self.is_pointer)?;
        // An index is written in one way only.
        part.parse().ok().filter(|index: &u32| index.to_string() == *part)
    }
}

/// A part of a JSON Pointer, as it is meant.
fn unescaped(part: &str) -> Result<String, BadPath> {
    let mut tildes = part.split('~');
    let mut out = tildes.next().unwrap_or_default().to_owned();
    for rest in tildes {
        let (meant, rest) = match rest.split_at_checked(1) {
            Some(("0", rest)) => ('~', rest),
            Some(("1", rest)) => ('/', rest),
            _ => return Err(BadPath::BadEscape),
        };
        out.push(meant);
        out.push_str(rest);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_path_is_told() {
        let parts = |text| FieldPath::parse(text).map(|path| (path.is_pointer, path.parts.join("|")));
        type Expected<'a> = Result<(bool, &'a str), BadPath>;
        let cases: &[(&str, Expected<'_>)] = &[
            ("a", Ok((false, "a"))),
            ("a.b.c", Ok((false, "a|b|c"))),
            ("a..", Ok((false, "a||"))),
            ("/a/b.c/0", Ok((true, "a|b.c|0"))),
            ("/", Ok((true, ""))),
            ("/a~1b~0~01", Ok((true, "a/b~~1"))),
            ("", Err(BadPath::Empty)),
            ("/a~", Err(BadPath::BadEscape)),
            ("/~2", Err(BadPath::BadEscape)),
            ("/~é", Err(BadPath::BadEscape)),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|(is_pointer, parts)| (is_pointer, parts.to_owned()));
            assert_eq!(parts(text), expected, "{text}");
        }
        assert!(FieldPath::parse(&"a.".repeat(MOST_PARTS - 1)).is_ok());
        assert_eq!(FieldPath::parse(&"a.".repeat(MOST_PARTS)), Err(BadPath::TooLong));
        assert_eq!(FieldPath::parse(&"/a".repeat(MOST_PARTS + 1)), Err(BadPath::TooLong));
        assert_eq!(FieldPath::key("a.b"), FieldPath::parse("/a.b").unwrap());
    }

    #[test]
    fn keys_are_all_groupings_and_indices_are_those_of_pointers() {
        let path = FieldPath::parse("a.b.0").unwrap();
        let keys = |done| path.keys(done).map(|(key, end)| format!("{key} {end}")).collect::<Vec<_>>();
        assert_eq!(keys(0), ["a 1", "a.b 2", "a.b.0 3"]);
        assert_eq!(keys(2), ["0 3"]);
        assert_eq!(keys(3), [""; 0]);
        assert_eq!(path.index(2), None);
        let pointer = FieldPath::parse("/a.b/0/01/-/4294967296").unwrap();
        assert_eq!(pointer.keys(0).collect::<Vec<_>>(), [("a.b".to_owned(), 1)]);
        assert_eq!((0..6).map(|done| pointer.index(done)).collect::<Vec<_>>(), [None, Some(0), None, None, None, None]);
    }
}
