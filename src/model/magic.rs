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
    Magic { bytes: b"\x28\xb5\x2f\xfd", name: "zstd", reader: Some("zstdcat") },
    Magic { bytes: b"\xfd7zXZ\0", name: "xz", reader: Some("xzcat") },
    Magic { bytes: b"BZh", name: "bzip2", reader: Some("bzcat") },
    Magic { bytes: b"PK\x03\x04", name: "zip", reader: None },
    Magic { bytes: b"\x04\x22\x4d\x18", name: "lz4", reader: None },
    Magic { bytes: b"7z\xbc\xaf", name: "7-Zip", reader: None },
    Magic { bytes: b"\x1f\x9d", name: "compress", reader: None },
];

/// The form of data that begins like this; `None` if it is none of them.
pub fn of(head: &[u8]) -> Option<&'static Magic> {
    TABLE.iter().find(|magic| head.starts_with(magic.bytes))
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
}
