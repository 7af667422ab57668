//! How compressed data and archives begin.
//!
//! Not here: what comes of an input that begins so (`source::codec`). Invariant: no line of a log
//! begins as one of these does.

/// A form of compressed data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Magic {
    /// The bytes that it begins with.
    pub bytes: &'static [u8],
    /// What it is called.
    pub name: &'static str,
    /// The program that writes what is in it to standard output, if there is one for the form alone.
    pub reader: Option<&'static str>,
}

/// All forms that are known.
pub const TABLE: &[Magic] = &[
    Magic { bytes: b"\x1f\x8b", name: "gzip", reader: Some("zcat") },
    ZSTD,
    Magic { bytes: b"\xfd7zXZ\0", name: "xz", reader: Some("xzcat") },
    Magic { bytes: b"BZh", name: "bzip2", reader: Some("bzcat") },
    Magic { bytes: b"PK\x03\x04", name: "zip", reader: None },
    Magic { bytes: b"\x04\x22\x4d\x18", name: "lz4", reader: Some("lz4cat") },
    Magic { bytes: b"7z\xbc\xaf", name: "7-Zip", reader: None },
    Magic { bytes: b"\x1f\x9d", name: "compress", reader: None },
];

const ZSTD: Magic = Magic { bytes: b"\x28\xb5\x2f\xfd", name: "zstd", reader: Some("zstdcat") };

/// What a frame that holds nothing begins with, behind its first byte: of zstd, and of lz4.
const SKIPPED: &[u8] = b"\x2a\x4d\x18";

/// The form of data that begins like this; `None` if it is none of them.
pub fn of(head: &[u8]) -> Option<&'static Magic> {
    if is_skipped(head) {
        return Some(&ZSTD);
    }
    TABLE.iter().find(|magic| head.starts_with(magic.bytes))
}

/// Whether it begins with a frame of zstd or lz4 that holds nothing.
pub fn is_skipped(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, rest @ ..] if rest.starts_with(SKIPPED))
}

/// Whether more bytes may make it begin like one of them.
pub fn may_be(head: &[u8]) -> bool {
    let skipped =
        || matches!(head, [0x50..=0x5f, rest @ ..] if rest.len() < SKIPPED.len() && SKIPPED.starts_with(rest));
    head.is_empty()
        || skipped()
        || TABLE.iter().any(|magic| magic.bytes.len() > head.len() && magic.bytes.starts_with(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_begins_as_another_does_and_none_as_a_line_of_a_log() {
        for (at, magic) in TABLE.iter().enumerate() {
            assert_eq!(of(magic.bytes), Some(magic));
            assert_eq!(of(&[magic.bytes, b"more"].concat()), Some(magic));
            assert_eq!(of(&magic.bytes[..magic.bytes.len() - 1]), None);
            assert!(TABLE[..at].iter().all(|other| !magic.bytes.starts_with(other.bytes)));
        }
        assert_eq!([of(b""), of(b"1700000000 a b"), of(b"-1 a b")], [None; 3]);
    }

    #[test]
    fn what_may_yet_be_a_form_is_each_beginning_of_one_and_nothing_else() {
        let skipped = [0x57, 0x2a, 0x4d, 0x18];
        for bytes in TABLE.iter().map(|magic| magic.bytes).chain([&skipped[..]]) {
            for length in 0..bytes.len() {
                assert!(may_be(&bytes[..length]), "{length} of {bytes:?}");
            }
            assert!(!may_be(bytes) && of(bytes).is_some(), "{bytes:?}");
        }
        assert!(is_skipped(&skipped) && !is_skipped(&skipped[..3]) && !is_skipped(b"\x60\x2a\x4d\x18"));
        assert!([&b"1"[..], b"BX", b"\x1f\x8c", b"P*L"].iter().all(|head| !may_be(head)));
    }
}
