//! Values as bytes and back, one after the other: the only file that knows which encoding that is
//! (bincode 2 with its standard configuration: numbers of variable length, the lowest byte first).
//!
//! Not here: whether the bytes are those that were written; that is known before anything is
//! decoded. Invariant: whatever the bytes say, decoding neither panics nor touches more memory than
//! they can stand for; and what is decoded are the bytes that encoding gives, so that a value has
//! one form.

use std::io::{self, BufRead, BufReader, Read, Write};

use bincode::config::{Configuration, Limit, LittleEndian, Varint, standard};
use bincode::de::read::Reader;
use bincode::de::{Decode, Decoder as _, DecoderImpl};
use bincode::error::{DecodeError, EncodeError};
use bincode::serde::{Compat, encode_into_std_write};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes that are read at a time.
const BUFFER: usize = 64 << 10;

/// Writes values one after the other.
pub struct Encoder<'a> {
    out: &'a mut dyn Write,
}

impl<'a> Encoder<'a> {
    /// Writes to `out`, which should be buffered: each number is a write.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Encoder { out }
    }

    /// Writes a value. Errors when the writer does, or with `InvalidData` for a value that has no
    /// encoding.
    pub fn put<T: Serialize + ?Sized>(&mut self, value: &T) -> io::Result<()> {
        match encode_into_std_write(value, &mut self.out, standard()) {
            Ok(_) => Ok(()),
            Err(EncodeError::Io { inner, .. }) => Err(inner),
            Err(other) => Err(invalid(format!("a value has no encoding: {other}"))),
        }
    }
}

/// Reads values in the order in which they were written.
pub struct Decoder<'a> {
    input: Bounded<'a>,
    version: u32,
}

/// The limit of the configuration, which is a constant of its type. What is left of the input is
/// the limit that counts: the difference is claimed before a value is decoded.
const CEILING: usize = isize::MAX as usize;

type Config = Configuration<LittleEndian, Varint, Limit<CEILING>>;

/// A number is counted against the limit by its size in memory, a `u128` at most, and may take one
/// byte.
const CLAIMED_PER_BYTE: u64 = 16;

impl<'a> Decoder<'a> {
    /// Reads from `input`, at most `length` bytes.
    pub fn new(input: impl Read + 'a, length: u64) -> Self {
        let input: Box<dyn Read + 'a> = Box::new(input);
        let input = BufReader::with_capacity(BUFFER, input);
        Decoder { input: Bounded { input, left: length, given: Vec::new() }, version: 0 }
    }

    /// The same, of values that are written as this version of their format says.
    pub fn of_version(self, version: u32) -> Self {
        Decoder { version, ..self }
    }

    /// The version of the format; 0 if nobody has said it.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Reads a value; `T` is what was put there. Errors when the reader does, or with `InvalidData`
    /// where the bytes are not a `T`, or not in the form that `put` writes: a number could have
    /// several forms, and a table any order. The elements of a sequence must take at least a byte
    /// each: otherwise a few bytes could ask for any number of them.
    pub fn get<T: Serialize + DeserializeOwned>(&mut self) -> io::Result<T> {
        self.input.forget();
        let limit = self.input.left.saturating_mul(CLAIMED_PER_BYTE);
        let limit = usize::try_from(limit).unwrap_or(CEILING).min(CEILING);
        let mut decoder = DecoderImpl::new(&mut self.input, Config::default(), ());
        let value = decoder.claim_bytes_read(CEILING - limit).and_then(|()| Compat::<T>::decode(&mut decoder));
        let Compat(value) = value.map_err(undecodable)?;
        let mut written = Same(&self.input.given);
        match encode_into_std_write(&value, &mut written, standard()) {
            Ok(_) if written.0.is_empty() => Ok(value),
            _ => Err(invalid("it holds a value in another form than this program writes".to_owned())),
        }
    }

    /// Bytes that have not been read.
    pub fn left(&self) -> u64 {
        self.input.left
    }
}

/// An input that ends after a number of bytes.
struct Bounded<'a> {
    input: BufReader<Box<dyn Read + 'a>>,
    left: u64,
    /// What was read of it since the last value.
    given: Vec<u8>,
}

impl Bounded<'_> {
    fn forget(&mut self) {
        self.given.clear();
        self.given.shrink_to(BUFFER);
    }
}

impl Reader for Bounded<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> Result<(), DecodeError> {
        let length = bytes.len() as u64;
        // Checked before the bytes are touched: memory that is only reserved costs nothing.
        if length > self.left {
            return Err(DecodeError::UnexpectedEnd { additional: bytes.len() });
        }
        self.input.read_exact(bytes).map_err(|inner| DecodeError::Io { inner, additional: bytes.len() })?;
        self.left -= length;
        self.given.extend_from_slice(bytes);
        Ok(())
    }

    fn peek_read(&mut self, length: usize) -> Option<&[u8]> {
        if length as u64 <= self.left { self.input.buffer().get(..length) } else { None }
    }

    fn consume(&mut self, length: usize) {
        self.given.extend_from_slice(&self.input.buffer()[..length]);
        BufRead::consume(&mut self.input, length);
        self.left -= length as u64;
    }
}

/// Takes these bytes and no others.
struct Same<'a>(&'a [u8]);

impl Write for Same<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.strip_prefix(bytes).ok_or(io::ErrorKind::InvalidData)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn undecodable(error: DecodeError) -> io::Error {
    match error {
        DecodeError::Io { inner, .. } if inner.kind() != io::ErrorKind::UnexpectedEof => inner,
        DecodeError::Io { .. } | DecodeError::UnexpectedEnd { .. } => invalid("it ends within a value".to_owned()),
        DecodeError::LimitExceeded => invalid("a length in it reaches beyond its end".to_owned()),
        other => invalid(format!("it holds what no value of this program is: {other}")),
    }
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    enum Part {
        Nothing,
        Span { from: u64, to: u64 },
        Name(String),
        Bytes(Vec<u8>),
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Whole {
        flag: Option<bool>,
        numbers: (u8, i64, u128, char),
        parts: Vec<Part>,
        table: BTreeMap<String, [i32; 3]>,
    }

    fn part() -> impl Strategy<Value = Part> {
        prop_oneof![
            Just(Part::Nothing),
            any::<(u64, u64)>().prop_map(|(from, to)| Part::Span { from, to }),
            any::<String>().prop_map(Part::Name),
            any::<Vec<u8>>().prop_map(Part::Bytes),
        ]
    }

    fn whole() -> impl Strategy<Value = Whole> {
        let parts = proptest::collection::vec(part(), 0..8);
        let table = proptest::collection::btree_map(any::<String>(), any::<[i32; 3]>(), 0..4);
        (any::<Option<bool>>(), any::<(u8, i64, u128, char)>(), parts, table)
            .prop_map(|(flag, numbers, parts, table)| Whole { flag, numbers, parts, table })
    }

    /// Bytes that numbers of several lengths begin with, and small ones.
    fn hostile() -> impl Strategy<Value = u8> {
        prop_oneof![6 => 0u8..3, 1 => 250u8..=255, 1 => any::<u8>()]
    }

    #[test]
    fn g5_a_number_has_one_form_and_a_table_one_order() {
        assert_eq!(decoded::<u64>(&[250]).unwrap(), 250);
        assert_eq!(decoded::<u64>(&[251, 251, 0]).unwrap(), 251);
        for long in [&[251, 250, 0][..], &[252, 5, 0, 0, 0], &[253, 255, 255, 0, 0, 0, 0, 0, 0]] {
            let error = decoded::<u64>(long).unwrap_err();
            assert_eq!(error.to_string(), "it holds a value in another form than this program writes");
            // Where it is a length, or the number of a variant, too.
            assert!(decoded::<String>(&[long, &[b'x'; 300]].concat()).is_err());
            assert!(decoded::<Part>(long).is_err());
        }
        let table = |keys: &[u8]| {
            [&[keys.len() as u8][..], &keys.iter().flat_map(|key| [*key, 7]).collect::<Vec<_>>()].concat()
        };
        assert_eq!(decoded::<BTreeMap<u8, u8>>(&table(&[1, 2])).unwrap().len(), 2);
        assert!(decoded::<BTreeMap<u8, u8>>(&table(&[2, 1])).is_err());
        assert!(decoded::<BTreeMap<u8, u8>>(&table(&[1, 1])).is_err());
    }

    fn encoded<T: Serialize>(value: &T) -> Vec<u8> {
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes).put(value).unwrap();
        bytes
    }

    fn decoded<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
        Decoder::new(bytes, bytes.len() as u64).get()
    }

    proptest! {
        #[test]
        fn what_is_put_is_what_is_got(values in proptest::collection::vec(whole(), 0..5)) {
            let mut bytes = Vec::new();
            let mut encoder = Encoder::new(&mut bytes);
            for value in &values {
                encoder.put(value).unwrap();
            }
            let mut decoder = Decoder::new(&bytes[..], bytes.len() as u64);
            for value in &values {
                prop_assert_eq!(&decoder.get::<Whole>().unwrap(), value);
            }
            prop_assert_eq!(decoder.left(), 0);
            prop_assert!(decoder.get::<u8>().is_err());
        }

        #[test]
        fn g5_what_is_got_is_what_would_be_put(bytes in proptest::collection::vec(hostile(), 0..60)) {
            let mut decoder = Decoder::new(&bytes[..], bytes.len() as u64);
            let mut again = Vec::new();
            while let Ok(value) = decoder.get::<(Option<u64>, Vec<u16>, BTreeMap<u8, i64>)>() {
                Encoder::new(&mut again).put(&value).unwrap();
            }
            prop_assert!(bytes.starts_with(&again));
        }

        #[test]
        fn d13_any_bytes_decode_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut decoder = Decoder::new(&bytes[..], bytes.len() as u64);
            while decoder.get::<Whole>().is_ok() {}
            let _ = decoded::<Vec<String>>(&bytes);
            let _ = decoded::<BTreeMap<Vec<u8>, f64>>(&bytes);
        }

        #[test]
        fn d13_a_changed_byte_decodes_or_is_refused(value in whole(), at in any::<usize>(), byte in any::<u8>()) {
            let mut bytes = encoded(&value);
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = decoded::<Whole>(&bytes);
        }

        #[test]
        fn a_value_of_small_numbers_is_not_taken_for_a_hostile_one(values in proptest::collection::vec(0u128..200, 0..50)) {
            // Each counts 16 bytes against the limit and takes one.
            prop_assert_eq!(decoded::<Vec<u128>>(&encoded(&values)).unwrap(), values);
        }
    }

    #[test]
    fn d13_a_hostile_length_is_refused_before_it_is_allocated() {
        for length in [1 << 20, 1 << 40, 1 << 60, u64::MAX] {
            let mut bytes = encoded(&length);
            bytes.extend([0; 100]);
            for error in [
                decoded::<String>(&bytes).unwrap_err(),
                decoded::<serde_bytes_like::ByteBuffer>(&bytes).map(|_| ()).unwrap_err(),
            ] {
                assert_eq!(error.kind(), io::ErrorKind::InvalidData);
                assert!(error.to_string().contains("reaches beyond its end"), "{length}: {error}");
            }
            // These are allocated as they arrive, after a first megabyte at most.
            assert!(decoded::<Vec<u64>>(&bytes).is_err());
            assert!(decoded::<BTreeMap<u64, u64>>(&bytes).is_err());
        }
    }

    #[test]
    fn d13_a_length_that_is_a_little_too_large_is_refused() {
        for length in 101..1_700u64 {
            let mut bytes = encoded(&length);
            bytes.extend([b'x'; 100]);
            assert_eq!(decoded::<String>(&bytes).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn every_cut_of_a_value_is_refused() {
        let value = Whole {
            flag: Some(true),
            numbers: (1, -2, 1 << 100, 'ä'),
            parts: vec![Part::Span { from: 300, to: 70_000 }, Part::Name("host".into()), Part::Bytes(vec![7; 9])],
            table: BTreeMap::from([("key".to_owned(), [1, 2, 3])]),
        };
        let bytes = encoded(&value);
        assert_eq!(decoded::<Whole>(&bytes).unwrap(), value);
        for length in 0..bytes.len() {
            assert_eq!(decoded::<Whole>(&bytes[..length]).unwrap_err().kind(), io::ErrorKind::InvalidData);
            // Neither does it read beyond what it was told to.
            assert!(Decoder::new(&bytes[..], length as u64).get::<Whole>().is_err());
        }
    }

    #[test]
    fn errors_of_reader_and_writer_come_through() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::from(io::ErrorKind::ConnectionReset))
            }
        }
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert_eq!(Decoder::new(Broken, 9).get::<u64>().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(Encoder::new(&mut Broken).put("x").unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    /// Bytes as serde knows them, which `Vec<u8>` is not: read as a whole.
    mod serde_bytes_like {
        use serde::de::{Deserialize, Deserializer, Visitor};

        pub struct ByteBuffer;

        impl serde::Serialize for ByteBuffer {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(&[])
            }
        }

        impl<'de> Deserialize<'de> for ByteBuffer {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Any;
                impl Visitor<'_> for Any {
                    type Value = ByteBuffer;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("bytes")
                    }
                    fn visit_byte_buf<E>(self, _: Vec<u8>) -> Result<ByteBuffer, E> {
                        Ok(ByteBuffer)
                    }
                }
                deserializer.deserialize_byte_buf(Any)
            }
        }
    }
}
