//! Formats: how lines are written, one a file, in one table.
//!
//! A format is opened from its checked options. What it opens to is bound to each input once, as
//! how its lines are read, and travels with the batches of the input. To add one: write its file
//! beside the others, and add its line to `formats!`.
//! Not here: which records count (`ops::select`). Invariant: no bytes make a format panic.

pub mod foreign;
mod line;
mod plain;

pub use line::{FormatVisitor, HostRanges, Likeness, LikenessVisitor, LineFormat, Stamp};
pub use plain::Plain;

use crate::model::Units;
use crate::options::{OptionSpec, Options};

/// A format with what people and the configuration need to know of it.
#[derive(Debug, Clone, Copy)]
pub struct FormatEntry {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// One line for people.
    pub help: &'static str,
    /// Its options.
    pub options: &'static [OptionSpec],
    /// A line of it, as its defaults have it.
    pub example: &'static str,
    /// Opens it with its checked options, and with how stamps tell their unit.
    pub open: fn(&Options, Units) -> Schema,
}

macro_rules! formats {
    ($($format:ident),+ $(,)?) => {
        /// All formats, in the order in which they are listed.
        pub const TABLE: &[FormatEntry] = &[$(FormatEntry {
            name: $format::NAME,
            help: $format::HELP,
            options: $format::OPTIONS,
            example: $format::EXAMPLE,
            open: |options, units| Schema::$format($format::open(options, units)),
        }),+];

        /// A format that is bound to one input.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Schema {
            $(#[doc = concat!("Lines of `", stringify!($format), "`.")] $format($format)),+
        }

        impl Schema {
            /// Does work that is compiled for each format. To choose costs once a batch.
            #[inline]
            pub fn visit<V: FormatVisitor>(&self, visitor: V) -> V::Output {
                match self {
                    $(Schema::$format(format) => visitor.visit(format)),+
                }
            }
        }
    };
}

formats! {
    Plain,
}

/// The format where none is asked for.
pub const DEFAULT: &FormatEntry = &TABLE[0];

/// The format of this name.
pub fn entry(name: &str) -> Option<&'static FormatEntry> {
    TABLE.iter().find(|entry| entry.name == name)
}

/// The names of all formats.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|entry| entry.name)
}

/// A format as it was asked for, of no input yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    name: &'static str,
    units: Units,
    schema: Schema,
}

impl Format {
    /// Opens a format with its checked options, and with how stamps tell their unit.
    pub fn open(entry: &FormatEntry, options: &Options, units: Units) -> Self {
        Format { name: entry.name, units, schema: (entry.open)(options, units) }
    }

    /// Opens a format with its defaults; each stamp tells its own unit.
    pub fn with_defaults(entry: &FormatEntry) -> Self {
        Format::open(entry, &Options::defaults(entry.options), Units::AUTO)
    }

    /// The name by which it was asked for.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How stamps tell their unit.
    pub fn units(&self) -> Units {
        self.units
    }

    /// How the lines of one input are read, which may have so many bytes. To be asked once for each.
    pub fn bind(&self, max_line: usize) -> LineRules {
        LineRules { schema: self.schema.clone(), max_line }
    }
}

/// How the lines of one input are read. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRules {
    /// The format, bound to the input.
    pub schema: Schema,
    /// Bytes that a line may have, its newline not included; a longer one is malformed.
    pub max_line: usize,
}

impl LineRules {
    /// Lines of `plain`, where each stamp tells its own unit.
    pub const fn plain(max_line: usize) -> Self {
        LineRules { schema: Schema::Plain(Plain { units: Units::AUTO }), max_line }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::lanes::Baseline;
    use crate::model::{Cause, Timestamp};
    use crate::tally::names::foreign_byte;
    use proptest::prelude::*;

    struct Parse<'a>(&'a [u8]);

    impl FormatVisitor for Parse<'_> {
        type Output = Option<Result<HostRanges, Cause>>;
        fn visit<F: LineFormat>(self, format: &F) -> Self::Output {
            match format.stamp(self.0, 0, self.0.len()) {
                Stamp::At(_, at) => Some(format.hosts(self.0, at, self.0.len())),
                _ => None,
            }
        }
    }

    /// All that a likeness says of a line, after it has learned from it.
    struct AtAGlance<'a>(&'a [u8]);

    impl FormatVisitor for AtAGlance<'_> {
        type Output = Option<(Timestamp, HostRanges)>;
        fn visit<F: LineFormat>(self, format: &F) -> Self::Output {
            format.alike(self.0, (Timestamp::MIN, Timestamp::MAX), Timestamp::MAX, self)
        }
    }

    impl LikenessVisitor for AtAGlance<'_> {
        type Output = Option<(Timestamp, HostRanges)>;
        fn visit(self, mut alike: impl Likeness) -> Self::Output {
            let _ = (alike.learn_outside(self.0, 0), alike.is_outside(self.0, 0));
            let _ = (alike.learn_front(self.0, 0), alike.stamp(self.0, 0));
            alike.record(Baseline, self.0, 0, self.0.len())
        }
    }

    fn opened(entry: &FormatEntry) -> Schema {
        Format::with_defaults(entry).bind(0).schema
    }

    #[test]
    fn names_are_unique_and_examples_parse() {
        for (at, FormatEntry { name, example, help, .. }) in TABLE.iter().enumerate() {
            assert!(names().take(at).all(|other| other != *name), "{name} twice");
            assert!(matches!(opened(&TABLE[at]).visit(Parse(example.as_bytes())), Some(Ok(_))), "{name}: {example}");
            assert!(entry(name).is_some() && !help.is_empty());
        }
        assert!(entry("no such format").is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_without_panic(line in proptest::collection::vec(any::<u8>(), 0..60)) {
            for schema in TABLE.iter().map(opened) {
                let _ = schema.visit(AtAGlance(&line));
                if let Some(Ok(hosts)) = schema.visit(Parse(&line)) {
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
