//! What an extractor finds: where the fields of a line are, or why it has none.
//!
//! Not here: the ways to find them. Invariant: a place lies within the line, or within the bytes that
//! were unescaped.

/// Where the text of a field is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FieldPlace {
    /// Nowhere: the line does not have the field.
    #[default]
    Absent,
    /// In the line: the first byte, and one past the last.
    Line(u32, u32),
    /// Among the bytes that had to be unescaped: the first, and one past the last.
    Unescaped(u32, u32),
}

impl FieldPlace {
    /// A place in a line. Lines are shorter than 4 GiB.
    #[inline(always)]
    pub(crate) fn line(start: usize, end: usize) -> Self {
        FieldPlace::Line(start as u32, end as u32)
    }

    /// The bytes of the field; `None` if it is absent.
    #[inline]
    pub fn of<'a>(self, line: &'a [u8], unescaped: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            FieldPlace::Absent => None,
            FieldPlace::Line(start, end) => line.get(start as usize..end as usize),
            FieldPlace::Unescaped(start, end) => unescaped.get(start as usize..end as usize),
        }
    }
}

/// What an extractor finds: a place for each field that was asked for, by slot, and the bytes of
/// those that had to be unescaped. It is meant to be kept from line to line, as it keeps its memory.
#[derive(Debug, Default, Clone)]
pub struct Fields {
    pub(super) places: Vec<FieldPlace>,
    pub(super) unescaped: Vec<u8>,
}

impl Fields {
    /// Forgets what was found: all of so many slots are absent.
    #[inline]
    pub fn reset(&mut self, slots: usize) {
        if self.places.len() == slots {
            self.places.fill(FieldPlace::Absent);
        } else {
            self.places.clear();
            self.places.resize(slots, FieldPlace::Absent);
        }
        self.unescaped.clear();
    }

    /// The field of a slot, found in this line; `None` if it is absent.
    #[inline]
    pub fn get<'a>(&'a self, slot: usize, line: &'a [u8]) -> Option<&'a [u8]> {
        self.place(slot).of(line, &self.unescaped)
    }

    /// Where the field of a slot is.
    #[inline]
    pub fn place(&self, slot: usize) -> FieldPlace {
        self.places.get(slot).copied().unwrap_or_default()
    }

    /// Sets the place of a slot, if there is such a slot.
    #[inline(always)]
    pub(crate) fn set(&mut self, slot: u32, place: FieldPlace) {
        if let Some(old) = self.places.get_mut(slot as usize) {
            *old = place;
        }
    }

    /// Unescapes a field: `write` appends its bytes. The place where they are now.
    pub(crate) fn unescape(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> FieldPlace {
        unescape(&mut self.unescaped, write)
    }
}

/// Unescapes a field: `write` appends its bytes. The place where they are now.
pub(crate) fn unescape(unescaped: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> FieldPlace {
    let start = unescaped.len();
    write(unescaped);
    FieldPlace::Unescaped(start as u32, unescaped.len() as u32)
}

/// Why a line is not of the form: a fixed text, and at which byte of the line that shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misfit {
    /// What is wrong.
    pub what: MisfitKind,
    /// The byte of the line at which that shows; its length if the line ends too early.
    pub at: usize,
}

/// What is wrong with a line that is not of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MisfitKind {
    /// It has fewer columns than there should be.
    TooFewFields,
    /// It has more columns than there should be.
    TooManyFields,
    /// A quote or a bracket is opened and not closed.
    UnclosedQuote,
    /// Something stands between a closing quote and the separator.
    TextAfterQuote,
    /// It is no JSON text.
    NotJson,
    /// It is a JSON text, but no object.
    NotAnObject,
    /// Its objects and arrays are nested too deep.
    TooDeep,
    /// It has no `key=`.
    NoPairs,
    /// The pattern does not match.
    NoMatch,
    /// It does not begin as lines of syslog do.
    NotSyslog,
    /// It does not begin as lines of a container's log do.
    NotCri,
    /// It is an object without a text `log`.
    NoMessage,
    /// It is a part of a line that was too long for the program that wrote it.
    PartOfALine,
    /// It is longer than places can tell.
    TooLong,
}

impl MisfitKind {
    /// The name in messages.
    pub const fn text(self) -> &'static str {
        match self {
            MisfitKind::TooFewFields => "too few fields",
            MisfitKind::TooManyFields => "too many fields",
            MisfitKind::UnclosedQuote => "unclosed quote",
            MisfitKind::TextAfterQuote => "text after a closing quote",
            MisfitKind::NotJson => "not JSON",
            MisfitKind::NotAnObject => "not a JSON object",
            MisfitKind::TooDeep => "JSON nested too deep",
            MisfitKind::NoPairs => "no key=value",
            MisfitKind::NoMatch => "no match of the pattern",
            MisfitKind::NotSyslog => "not syslog",
            MisfitKind::NotCri => "not a line of a container's log",
            MisfitKind::NoMessage => "no text 'log'",
            MisfitKind::PartOfALine => "part of a longer line",
            MisfitKind::TooLong => "line too long",
        }
    }

    /// At this byte of the line.
    pub(crate) const fn at(self, at: usize) -> Misfit {
        Misfit { what: self, at }
    }
}
