//! Formats: a line to a record, one format a file, in one table.
//!
//! To add one: write its file beside the others, and add its line to `formats!`.
//! Not here: which records count (`ops::select`). Invariant: no bytes make a format panic.

pub mod foreign;
mod line;
mod plain;

pub use line::{Fence, FormatVisitor, HostRanges, LineFormat, Stamp};
pub use plain::Plain;

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
    use crate::model::{Cause, Timestamp, Units};
    use crate::tally::names::foreign_byte;
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
