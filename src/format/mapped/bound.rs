//! What a definition comes to for the columns of an input.
//!
//! Not here: how it is made (`bind`), and how lines are read with it (`mapped`). Invariant: it says of
//! every line of the input the same.

use std::sync::Arc;

use super::condition::Condition;
use super::definition::{Definition, FieldRules};
use super::naming::Naming;
use super::numbers::BoundNumbers;
use super::template::SlotTemplate;
use crate::format::extract::Extractor;
use crate::format::stamps::StampRules;
use crate::model::time::SECOND;

/// What a definition comes to for the columns of an input.
#[derive(Debug)]
pub struct Bound {
    pub definition: Arc<Definition>,
    /// The names of its columns, where the input says them.
    pub columns: Option<Vec<String>>,
    /// The line that says them, which may come again.
    pub header: Vec<u8>,
    /// What lines have that say other ones.
    pub naming: Option<Naming>,
    pub fields: BoundFields,
    pub stamps: StampRules,
    pub time: Vec<BoundTime>,
    /// Who, and to whom.
    pub hosts: [Vec<SlotTemplate>; 2],
    pub conditions: BoundConditions,
    /// What is summed, and how many connections a line is.
    pub numbers: BoundNumbers,
}

/// Where fields are, and what they are not.
#[derive(Debug)]
pub struct BoundFields {
    pub extractor: Extractor,
    /// Whether they are those of JSON.
    pub is_json: bool,
    /// Texts that stand for no value.
    pub unset: UnsetTexts,
    /// The names of those that are looked for, by slot.
    pub names: Vec<String>,
    /// Where the last column is that a line needs, if lines may have more.
    pub last: Option<usize>,
}

/// What lines have to meet.
#[derive(Debug, Default)]
pub struct BoundConditions {
    /// To be of the form.
    pub form: Vec<BoundCondition>,
    /// To be records.
    pub only: Vec<BoundCondition>,
    /// To count.
    pub wanted: Vec<BoundCondition>,
    /// To tell the format.
    pub known_by: Vec<BoundCondition>,
}

/// A condition, and the slot of the field of each of its tests; a field that there can't be has
/// none.
#[derive(Debug)]
pub struct BoundCondition {
    pub condition: Condition,
    pub slots: Vec<Option<usize>>,
}

/// Where a stamp stands.
#[derive(Debug)]
pub struct BoundTime {
    pub stamp: SlotTemplate,
    pub plus: Option<usize>,
}

/// Slots of what an envelope says, behind those of the fields: its time, host and program, and how many
/// messages alike a line stands for.
pub const OF_ENVELOPE: [&str; 4] = ["envelope.time", "envelope.host", "envelope.program", "envelope.repeats"];

/// The place of the last of them.
pub const REPEATS: usize = 3;

/// By how much the stamps of a log may be later than it was written to, since its zone need not be
/// the one that it is read in.
pub const ZONES_APART: i64 = 24 * 3_600 * SECOND;

/// Texts that stand for no value.
#[derive(Debug, Default)]
pub struct UnsetTexts {
    texts: Vec<Vec<u8>>,
    /// A bit for each length that one has; 63 stands for all from there on.
    lengths: u64,
}

impl BoundFields {
    /// How many are looked for; what an envelope says stands behind them.
    #[inline(always)]
    pub fn slots(&self) -> usize {
        self.names.len()
    }
}

impl UnsetTexts {
    /// These.
    pub fn of(texts: &[Vec<u8>]) -> Self {
        let lengths = texts.iter().fold(0, |lengths, text| lengths | UnsetTexts::bit(text));
        UnsetTexts { texts: texts.to_vec(), lengths }
    }

    /// Whether a text is one of them.
    #[inline(always)]
    pub fn has(&self, value: &[u8]) -> bool {
        self.lengths & UnsetTexts::bit(value) != 0 && self.texts.iter().any(|text| text == value)
    }

    #[inline(always)]
    fn bit(text: &[u8]) -> u64 {
        1 << text.len().min(63)
    }
}

impl Bound {
    /// Whether the field of a slot is one of a measure that the format knows by name.
    pub fn knows_measure_of(&self, slot: usize) -> bool {
        let Some(name) = self.fields.names.get(slot) else { return false };
        // A measure of one field may be called as that.
        let mut known = self.definition.numbers.known.iter();
        known.any(|known| known.fields.contains(name) || (known.fields.is_empty() && known.name == *name))
    }

    /// Whether a line says something of the log, and is no record.
    pub fn is_comment(&self, message: &[u8]) -> bool {
        let FieldRules::Columns(rules) = &self.definition.fields else { return false };
        let is_comment = rules.comment.as_ref().is_some_and(|comment| message.starts_with(comment));
        (is_comment && !rules.are_contradicted_by(message)) || (!self.header.is_empty() && message == &self.header[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_stand_for_none_are_told_whatever_their_length() {
        let long = vec![b'x'; 70];
        let texts = UnsetTexts::of(&[b"-".to_vec(), b"(empty)".to_vec(), long.clone()]);
        for (text, is_unset) in
            [(&b"-"[..], true), (b"(empty)", true), (b"+", false), (b"", false), (b"(empty]", false)]
        {
            assert_eq!(texts.has(text), is_unset, "{text:?}");
        }
        assert!(texts.has(&long) && !texts.has(&long[1..]) && !UnsetTexts::default().has(b""));
        assert!(UnsetTexts::of(&[Vec::new()]).has(b""));
    }
}
