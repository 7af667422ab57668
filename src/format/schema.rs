//! How the lines of one input are read: a format that is bound to it.
//!
//! Not here: which format that is (`detect`, `asked`). Invariant: it travels with the batches of its
//! input, and does not change on the way.

use super::line::FormatVisitor;
use super::listed::PLAIN;
use super::mapped::presets::shown_name;
use super::mapped::watched::WatchedFields;
use super::mapped::{Mapped, RecordLayout, ZONES_APART};
use super::plain::Plain;
use crate::model::{Timestamp, Units};

/// A format that is bound to one input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schema {
    /// Lines of `plain`.
    Plain(Plain),
    /// Lines of a format that is data.
    Mapped(Mapped),
}

impl Schema {
    /// Does work that is compiled for each kind of format. To choose costs once a batch.
    #[inline]
    pub fn visit<V: FormatVisitor>(&self, visitor: V) -> V::Output {
        match self {
            Schema::Plain(format) => visitor.visit(format),
            Schema::Mapped(format) => visitor.visit(format),
        }
    }

    /// The line that says the names of the columns, if the input has one.
    pub fn header(&self) -> &[u8] {
        match self {
            Schema::Plain(_) => &[],
            Schema::Mapped(format) => format.columns().1,
        }
    }

    /// Whether it is that of `plain`.
    pub fn is_plain(&self) -> bool {
        matches!(self, Schema::Plain(_))
    }

    /// By how many nanoseconds the stamps of an input may be later than it was written to, if its clock
    /// was right.
    pub fn ahead(&self) -> i64 {
        match self {
            Schema::Plain(_) => 0,
            Schema::Mapped(_) => ZONES_APART,
        }
    }

    /// When the input was last written to, as far as its stamps need to know: those without a year are
    /// not later.
    pub fn latest(&self) -> Option<Timestamp> {
        match self {
            Schema::Plain(_) => None,
            Schema::Mapped(format) => Some(format.latest()),
        }
    }

    /// Whether lines are written when what they count by has happened, so that they are nearly in order.
    pub fn is_written_in_order(&self) -> bool {
        match self {
            Schema::Plain(_) => true,
            Schema::Mapped(format) => !format.definition().counts_starts(),
        }
    }

    /// Whether any line of the input may name columns.
    pub fn may_name_columns(&self) -> bool {
        match self {
            Schema::Plain(_) => false,
            Schema::Mapped(format) => format.may_name_columns(),
        }
    }

    /// The fields of which somebody wants to know whether any record has them.
    pub fn watched(&self) -> Option<&WatchedFields> {
        match self {
            Schema::Plain(_) => None,
            Schema::Mapped(format) => format.watched(),
        }
    }

    /// Which numbers records have beside their hosts.
    pub fn record_layout(&self) -> RecordLayout {
        match self {
            Schema::Plain(_) => RecordLayout::default(),
            Schema::Mapped(format) => format.record_layout(),
        }
    }

    /// The name of the format, for people.
    pub fn name(&self) -> String {
        match self {
            Schema::Plain(_) => PLAIN.to_owned(),
            Schema::Mapped(format) => shown_name(format.definition()),
        }
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
    /// Shows whole lines to `f`, in pieces that are each read in one way, with where a piece begins:
    /// until `f` has seen enough. Whether it has not. Behind them lines are read by these rules.
    pub fn each_piece(&mut self, bytes: &[u8], mut f: impl FnMut(&[u8], usize, &LineRules) -> bool) -> bool {
        let (mut start, mut from) = (0, 0);
        loop {
            let next = self.bound_anew(bytes, from);
            let end = next.as_ref().map_or(bytes.len(), |(at, _)| *at);
            if !f(&bytes[start..end], start, self) {
                return false;
            }
            let Some((at, anew)) = next else { return true };
            (start, from, *self) = (at, at + 1, anew);
        }
    }

    /// Whether a line of these names other columns.
    pub fn names_others(&self, bytes: &[u8]) -> bool {
        self.bound_anew(bytes, 0).is_some()
    }

    /// Where in `bytes`, at `from` or behind it, the next line begins that names other columns, and
    /// how lines are read from there on; `None` if there is none.
    fn bound_anew(&self, bytes: &[u8], from: usize) -> Option<(usize, Self)> {
        match &self.schema {
            Schema::Plain(_) => None,
            Schema::Mapped(format) => format
                .bound_anew(bytes, from)
                .map(|(at, anew)| (at, LineRules { schema: Schema::Mapped(anew), max_line: self.max_line })),
        }
    }

    /// The same for an input that was last written to then.
    pub fn up_to(&self, latest: Timestamp) -> Self {
        match &self.schema {
            Schema::Plain(_) => self.clone(),
            Schema::Mapped(format) => LineRules { schema: Schema::Mapped(format.up_to(latest)), ..*self },
        }
    }

    /// Lines of `plain`, where each stamp tells its own unit.
    pub const fn plain(max_line: usize) -> Self {
        LineRules { schema: Schema::Plain(Plain { units: Units::AUTO }), max_line }
    }
}
