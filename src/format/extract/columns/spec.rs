//! How a line of columns is cut.
//!
//! Not here: cutting it. Invariant: plain data.

/// What stands between columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Separator {
    /// Runs of spaces and tabs; those at the beginning and at the end of the line separate nothing.
    Blanks,
    /// One byte; where two stand side by side, there is an empty column between them.
    Byte(u8),
    /// A text. An empty one separates nothing.
    Text(Vec<u8>),
}

/// What may stand around a column, so that separators in it are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Quotes {
    /// Nothing: a quote is a byte like any other.
    #[default]
    None,
    /// `"a ""b"""`, as in CSV: a quote in it is doubled.
    Csv,
    /// `[...]` or `"...\"..."`, as in logs of web servers: the column is what is within, with its
    /// backslashes.
    Web,
}

/// How columns are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnsSpec {
    /// What stands between them.
    pub separator: Separator,
    /// What may stand around them.
    pub quotes: Quotes,
    /// Whether blanks around each of them do not belong to it. Those within quotes do.
    pub trim: bool,
    /// Whether a separator may stand behind the last one: an empty column at the end is none, unless
    /// it is the only one or in quotes.
    pub trailing: bool,
}
