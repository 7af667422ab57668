//! Formats: a line to a record, one format a file, in one table.
//!
//! To add one: write its file beside the others, and add its line to `formats!`.
//! Not here: which records count (`ops::select`). Invariant: no bytes make a format panic.

pub mod foreign;
mod plain;

pub use plain::Plain;

use crate::model::lanes::NARROW;
use crate::model::{Cause, Timestamp, Units};

/// A format of lines. Without state: all that a line means stands in the line.
pub trait LineFormat {
    /// The name by which it is asked for.
    const NAME: &'static str;
    /// A line of it.
    const EXAMPLE: &'static str;

    /// The stamp of the line `bytes[start..end]`, and where it ends. What follows is not looked at, so that lines
    /// outside the window cost no more than their stamp. `bytes` may go on after the line.
    fn stamp(bytes: &[u8], start: usize, end: usize, units: Units) -> Stamp;

    /// What `is_outside` compares with, for stamps to keep from `keep.0` to `keep.1` and none in the future up to
    /// `present`; `None` if this format has no quick way. Of `lines`, the first show which kind of stamp is worth it;
    /// whichever it is, no line is another's.
    fn fence(_lines: &[u8], _keep: (Timestamp, Timestamp), _present: Timestamp, _units: Units) -> Option<Fence> {
        None
    }

    /// Whether the line that begins at `start` is, at a glance, one with a stamp outside the fence and not in the
    /// future. If in doubt it is not: then its stamp is parsed.
    fn is_outside(_bytes: &[u8], _start: usize, _fence: &Fence) -> bool {
        false
    }

    /// The stamp and the hosts of the line `bytes[start..end]`, if it is of the common kind and its stamp is one to keep.
    /// If in doubt it is not: then it is parsed part by part, with the same result.
    fn common(
        _bytes: &[u8],
        _start: usize,
        _end: usize,
        _units: Units,
        _keep: (Timestamp, Timestamp),
    ) -> Option<(Timestamp, HostRanges)> {
        None
    }

    /// The hosts of a line whose stamp ended at `at`: where they begin and end in `bytes`.
    fn hosts(bytes: &[u8], at: usize, end: usize) -> Result<HostRanges, Cause>;
}

/// What the beginning of a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// An instant, and where its stamp ends.
    At(Timestamp, usize),
    /// Nothing but white space in the line.
    Blank,
    /// Before the first instant there is, and where the stamp ends.
    TooEarly(usize),
    /// After the last instant there is, and where the stamp ends.
    TooLate(usize),
    /// No stamp.
    Bad,
}

/// Bounds on stamps in a form that lines can be held against without parsing them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    /// Characters of a stamp that can be held against it.
    pub length: usize,
    /// The beginnings of the bounds: of the lowest stamp to keep, the highest, and the highest that is not in the future.
    pub bounds: [u64; 3],
    /// The lowest digit that may stand in each place.
    pub lowest: [u8; NARROW],
}

/// Where the two hosts of a line stand: first byte and one past the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostRanges {
    /// Who connected.
    pub from: (usize, usize),
    /// To whom.
    pub to: (usize, usize),
}

/// Work that is written once and compiled for each format, so that choosing a format costs once a batch.
pub trait FormatVisitor {
    /// What the work gives.
    type Output;
    /// Does the work for one format.
    fn visit<F: LineFormat>(self) -> Self::Output;
}

macro_rules! formats {
    ($($format:ty),+) => {
        /// The names of all formats.
        pub const NAMES: &[&str] = &[$(<$format>::NAME),+];

        /// Does the work for the format of this name; `None` if there is no such format.
        pub fn dispatch<V: FormatVisitor>(name: &str, visitor: V) -> Option<V::Output> {
            $(if name == <$format>::NAME {
                return Some(visitor.visit::<$format>());
            })+
            None
        }
    };
}

formats!(Plain);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::names::foreign_byte;
    use proptest::prelude::*;

    struct Parse<'a>(&'a [u8]);

    impl FormatVisitor for Parse<'_> {
        type Output = Option<Result<HostRanges, Cause>>;
        fn visit<F: LineFormat>(self) -> Self::Output {
            match F::stamp(self.0, 0, self.0.len(), Units::AUTO) {
                Stamp::At(_, at) => Some(F::hosts(self.0, at, self.0.len())),
                _ => None,
            }
        }
    }

    struct Common<'a>(&'a [u8]);

    impl FormatVisitor for Common<'_> {
        type Output = Option<(Timestamp, HostRanges)>;
        fn visit<F: LineFormat>(self) -> Self::Output {
            F::common(self.0, 0, self.0.len(), Units::AUTO, (Timestamp::MIN, Timestamp::MAX))
        }
    }

    struct Example;

    impl FormatVisitor for Example {
        type Output = &'static str;
        fn visit<F: LineFormat>(self) -> &'static str {
            F::EXAMPLE
        }
    }

    #[test]
    fn names_are_unique_and_examples_parse() {
        for (at, name) in NAMES.iter().enumerate() {
            assert!(!NAMES[..at].contains(name), "{name} twice");
            let example = dispatch(name, Example).unwrap();
            assert!(matches!(dispatch(name, Parse(example.as_bytes())), Some(Some(Ok(_)))), "{name}: {example}");
        }
        assert!(dispatch("no such format", Example).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_without_panic(line in proptest::collection::vec(any::<u8>(), 0..60)) {
            for name in NAMES {
                let _ = dispatch(name, Common(&line));
                if let Some(Some(Ok(hosts))) = dispatch(name, Parse(&line)) {
                    prop_assert!(hosts.from.0 < hosts.from.1 && hosts.from.1 <= hosts.to.0);
                    prop_assert!(hosts.to.0 < hosts.to.1 && hosts.to.1 <= line.len());
                    // What is read back is held to the same.
                    for (from, to) in [hosts.from, hosts.to] {
                        let foreign = foreign_byte(&line[from..to]);
                        prop_assert!(foreign.is_none_or(|byte| byte == b'\n'), "{:?}", foreign);
                    }
                }
            }
        }
    }
}
