//! Lines whose fields are mapped to a record: a format as data.
//!
//! A line goes through an envelope (what stands around it), an extractor (where its fields are) and
//! the mapping: stamp, conditions, who, to whom. Not here: which columns an input has (`bind`), what
//! formats there are (`presets`). Invariant: what a line means depends on the definition, the names
//! of the columns and the line alone.

mod anew;
pub mod bind;
mod condition;
pub mod definition;
pub mod numbers;
pub mod presets;
mod template;
mod transform;

use std::sync::Arc;

use super::envelope::OpenedLine;
use super::extract::{ExtractScratch, Extractor, FieldPlace, Fields, Misfit, MisfitKind};
use super::line::{HostRanges, LineFormat, NoRecord, Remains, Stamp};
use super::stamps::{StampRules, StampScratch};
use crate::model::time::SECOND;
use crate::model::{Cause, Timestamp, Unfit, Units};

use condition::Condition;
pub use definition::{Definition, Flaw};
use numbers::BoundNumbers;
pub use numbers::{RecordLayout, RecordNumbers};
use template::SlotTemplate;

/// A definition that is bound to one input. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Mapped {
    bound: Arc<Bound>,
    /// No stamp without a year is later than this and a day.
    latest: Timestamp,
}

/// What a definition comes to for the columns of an input.
#[derive(Debug)]
struct Bound {
    definition: Arc<Definition>,
    /// The names of its columns, where the input says them.
    columns: Option<Vec<String>>,
    /// The line that says them, which may come again.
    header: Vec<u8>,
    extractor: Extractor,
    /// How many fields are looked for.
    slots: usize,
    /// Where the last column is that a line needs, if lines may have more.
    last: Option<usize>,
    stamps: StampRules,
    time: Vec<BoundTime>,
    /// Who, and to whom.
    hosts: [Vec<SlotTemplate>; 2],
    conditions: BoundConditions,
    /// What is summed, and how many connections a line is.
    numbers: BoundNumbers,
}

/// What lines have to meet.
#[derive(Debug)]
struct BoundConditions {
    /// To be of the form.
    form: Vec<BoundCondition>,
    /// To be records.
    only: Vec<BoundCondition>,
    /// To count.
    wanted: Vec<BoundCondition>,
    /// To tell the format.
    known_by: Vec<BoundCondition>,
}

/// A condition, and the slot of the field of each of its tests; a field that there can't be has
/// none.
#[derive(Debug)]
struct BoundCondition {
    condition: Condition,
    slots: Vec<Option<usize>>,
}

/// Where a stamp stands.
#[derive(Debug)]
struct BoundTime {
    stamp: SlotTemplate,
    plus: Option<usize>,
}

/// Slots of what an envelope says, behind those of the fields: its time, host and program.
const OF_ENVELOPE: [&str; 3] = ["envelope.time", "envelope.host", "envelope.program"];

/// What is found of one line, and the hosts of all records so far.
#[derive(Debug, Default)]
pub struct MappedScratch {
    fields: Fields,
    extract: ExtractScratch,
    /// Where what the envelope says is.
    opened: OpenedLine,
    /// The message, where the envelope had to unescape it.
    unescaped: Vec<u8>,
    stamps: StampScratch,
    stamp: Vec<u8>,
    /// Where the first line begins that names other columns.
    rebound: Option<usize>,
    /// Of each record: its numbers, if there are any, the four bytes of where its line begins, who, a
    /// zero, to whom, a zero.
    text: Vec<u8>,
}

/// By how much the stamps of a log may be later than it was written to, since its zone need not be
/// the one that it is read in.
pub const ZONES_APART: i64 = 24 * 3_600 * SECOND;

/// Bytes before the host that connected.
const LINE_START: usize = size_of::<u32>();

impl PartialEq for Mapped {
    fn eq(&self, other: &Self) -> bool {
        let (mine, theirs) = (&self.bound, &other.bound);
        self.latest == other.latest
            && mine.columns == theirs.columns
            && mine.stamps == theirs.stamps
            && mine.definition == theirs.definition
    }
}

impl Eq for Mapped {}

impl Mapped {
    /// What it was bound from.
    pub fn definition(&self) -> &Definition {
        &self.bound.definition
    }

    /// The names of the columns, where the input says them, and the line that did.
    pub fn columns(&self) -> (Option<&[String]>, &[u8]) {
        (self.bound.columns.as_deref(), &self.bound.header)
    }

    /// When the input was last written to.
    pub fn latest(&self) -> Timestamp {
        self.latest
    }

    /// The same for an input that was last written to then: no stamp without a year is more than a
    /// day later.
    pub fn up_to(&self, latest: Timestamp) -> Self {
        Mapped { bound: Arc::clone(&self.bound), latest }
    }

    /// Whether the names of its columns, which the input says itself, tell the format.
    pub fn is_known_by_columns(&self) -> bool {
        let Bound { header, conditions, .. } = &*self.bound;
        !header.is_empty() && conditions.known_by.iter().all(|one| one.slots.iter().any(Option::is_some))
    }

    /// Whether a line has what tells the format.
    pub fn is_known_by(&self, line: &[u8]) -> bool {
        let mut scratch = MappedScratch::default();
        // Lines of another kind tell it too.
        let is_read = !matches!(self.bound.read(&mut scratch, line), Err(Stamp::Bad(_) | Stamp::Blank));
        is_read && LineFields { bound: &self.bound, scratch: &scratch, line }.meet(&self.bound.conditions.known_by)
    }

    /// Which numbers its records have.
    pub fn record_layout(&self) -> RecordLayout {
        self.bound.numbers.layout()
    }

    /// The numbers of a record in a layout, by where the host that connected begins and by its time.
    #[inline]
    pub fn numbers(layout: RecordLayout, text: &[u8], from: usize, time: Timestamp) -> RecordNumbers {
        layout.read(text, from.saturating_sub(LINE_START), time)
    }

    /// Where the line of a record begins in its chunk, by where the host that connected begins.
    pub fn line_start(text: &[u8], from: usize) -> usize {
        let bytes = from.checked_sub(LINE_START).and_then(|at| text.get(at..from)?.try_into().ok());
        bytes.map_or(0, |bytes| u32::from_le_bytes(bytes) as usize)
    }
}

/// A line without its carriage return.
fn trimmed(bytes: &[u8], start: usize, end: usize) -> &[u8] {
    let line = &bytes[start..end];
    line.strip_suffix(b"\r").unwrap_or(line)
}

impl Bound {
    /// Finds the fields of a line. Errors with what it is if it is no record.
    fn read(&self, scratch: &mut MappedScratch, line: &[u8]) -> Result<(), Stamp> {
        let MappedScratch { fields, extract, opened, unescaped, .. } = scratch;
        unescaped.clear();
        let misfit = |message: &[u8], misfit: Misfit| {
            let is_other = self.definition.other.iter().any(|pattern| pattern.is_match(message));
            if is_other { Stamp::Other } else { Stamp::Bad(misfit.what.into()) }
        };
        *opened = match self.definition.envelope.open(line, unescaped) {
            Ok(opened) => opened,
            Err(found) => return Err(Stamp::Bad(found.what.into())),
        };
        let message = message(opened, line, unescaped);
        if self.is_comment(message) {
            return Err(Stamp::Other);
        }
        if message.iter().all(u8::is_ascii_whitespace) {
            return Err(if line.len() == message.len() { Stamp::Blank } else { Stamp::Other });
        }
        fields.reset(self.slots);
        self.extractor.extract(message, fields, extract).map_err(|found| misfit(message, found))?;
        if self.last.is_some_and(|last| fields.place(last) == FieldPlace::Absent) {
            return Err(misfit(message, Misfit { what: MisfitKind::TooFewFields, at: message.len() }));
        }
        let line = LineFields { bound: self, scratch, line };
        if !line.meet(&self.conditions.form) {
            return Err(Stamp::Bad(Cause::NotOfTheForm));
        }
        if line.meet(&self.conditions.only) { Ok(()) } else { Err(Stamp::Other) }
    }

    /// Whether a text stands for no value.
    fn is_unset(&self, value: &[u8]) -> bool {
        self.definition.unset.iter().any(|unset| unset == value)
    }

    /// Whether a line says something of the log, and is no record.
    fn is_comment(&self, message: &[u8]) -> bool {
        let definition::FieldRules::Columns(rules) = &self.definition.fields else { return false };
        rules.comment.as_ref().is_some_and(|comment| message.starts_with(comment))
            || (!self.header.is_empty() && message == &self.header[..])
    }

    /// The stamp of the line that was read last.
    fn stamp(&self, scratch: &mut MappedScratch, line: &[u8], latest: Timestamp) -> Result<Timestamp, Stamp> {
        let mut text = std::mem::take(&mut scratch.stamp);
        let found = LineFields { bound: self, scratch, line }.stamp(&mut text);
        let instant = match found {
            Some(plus) => self.instant(scratch, (&text, plus), latest),
            None => Err(Stamp::Bad(Cause::NoStamp)),
        };
        text.clear();
        scratch.stamp = text;
        instant
    }

    /// The instant of a stamp and of nanoseconds behind it.
    fn instant(
        &self,
        scratch: &mut MappedScratch,
        (text, plus): (&[u8], i64),
        latest: Timestamp,
    ) -> Result<Timestamp, Stamp> {
        match self.stamps.read(text, latest.plus(ZONES_APART), &mut scratch.stamps) {
            Ok(time) => time.checked_plus(plus).ok_or(Stamp::TooLate(0)),
            Err(Unfit::TooEarly) => Err(Stamp::TooEarly(0)),
            Err(Unfit::TooLate) => Err(Stamp::TooLate(0)),
            Err(Unfit::NoStamp) => Err(Stamp::Bad(Cause::BadStamp)),
        }
    }
}

fn message<'a>(opened: &OpenedLine, line: &'a [u8], unescaped: &'a [u8]) -> &'a [u8] {
    opened.message.of(line, unescaped).unwrap_or_default()
}

/// Whether a field of JSON is an object or a list, which is no text.
#[inline]
fn is_nested(message: &[u8], place: FieldPlace) -> bool {
    // What was unescaped is a text, and so is what stands in quotes, whatever it begins with.
    let FieldPlace::Line(start, _) = place else { return false };
    let start = start as usize;
    matches!(message.get(start), Some(b'{' | b'[')) && (start == 0 || message[start - 1] != b'"')
}

/// The fields of the line that was read last.
struct LineFields<'a> {
    bound: &'a Bound,
    scratch: &'a MappedScratch,
    line: &'a [u8],
}

impl<'a> LineFields<'a> {
    /// The value of a field; `None` if the line does not have it.
    #[inline]
    fn get(&self, slot: usize) -> Option<&'a [u8]> {
        let MappedScratch { fields, opened, unescaped, .. } = self.scratch;
        let value = match slot.checked_sub(self.bound.slots) {
            None => {
                let message = message(opened, self.line, unescaped);
                let is_json = self.bound.definition.fields == definition::FieldRules::Json;
                fields.get(slot, message).filter(|_| !is_json || !is_nested(message, fields.place(slot)))
            }
            Some(0) => opened.time.of(self.line, unescaped),
            Some(1) => opened.host.of(self.line, unescaped),
            Some(_) => opened.program.of(self.line, unescaped),
        };
        value.filter(|value| !self.bound.is_unset(value))
    }

    /// Whether the line meets all conditions.
    #[inline]
    fn meet(&self, all: &[BoundCondition]) -> bool {
        let value = |slot: Option<usize>| slot.and_then(|slot| self.get(slot));
        all.iter().all(|one| one.condition.is_met(|at| value(one.slots[at])))
    }

    /// Writes the text of the stamp. Gives the nanoseconds that are to be added to it; `None` if
    /// there is no stamp.
    fn stamp(&self, text: &mut Vec<u8>) -> Option<i64> {
        let found = self.bound.time.iter().find(|time| time.stamp.write(|slot| self.get(slot), text))?;
        let Some(plus) = found.plus.and_then(|slot| self.get(slot)) else { return Some(0) };
        Units::all(crate::model::TimeUnit::Seconds).read(plus).ok().map(Timestamp::nanos)
    }
}

impl LineFormat for Mapped {
    type Scratch = MappedScratch;

    fn stamp(&self, scratch: &mut MappedScratch, bytes: &[u8], start: usize, end: usize) -> Stamp {
        let line = trimmed(bytes, start, end);
        match self.bound.read(scratch, line).and_then(|()| self.bound.stamp(scratch, line, self.latest)) {
            Ok(time) => Stamp::At(time, start),
            Err(Stamp::TooEarly(_)) => Stamp::TooEarly(start),
            Err(Stamp::TooLate(_)) => Stamp::TooLate(start),
            Err(other) => {
                if other == Stamp::Other && self.bound.names_other_columns(line) {
                    scratch.rebound = scratch.rebound.or(Some(start));
                }
                other
            }
        }
    }

    fn hosts(&self, scratch: &mut MappedScratch, bytes: &[u8], at: usize, end: usize) -> Result<HostRanges, NoRecord> {
        let line = trimmed(bytes, at, end);
        let before = scratch.text.len();
        let mut text = std::mem::take(&mut scratch.text);
        let hosts = {
            let fields = LineFields { bound: &self.bound, scratch, line };
            if fields.meet(&self.bound.conditions.wanted) {
                put_hosts(&self.bound, &fields, at, &mut text)
            } else {
                Err(NoRecord::Filtered)
            }
        };
        if hosts.is_err() {
            text.truncate(before);
        }
        scratch.text = text;
        hosts
    }

    fn take(scratch: &mut MappedScratch) -> Remains {
        Remains {
            text: std::mem::take(&mut scratch.text),
            rebound: scratch.rebound.take(),
            unclear: std::mem::take(&mut scratch.stamps.unclear),
        }
    }
}

/// Appends the hosts of a line.
fn put_hosts(bound: &Bound, fields: &LineFields<'_>, at: usize, text: &mut Vec<u8>) -> Result<HostRanges, NoRecord> {
    bound.numbers.write(|slot| fields.get(slot), text);
    text.extend_from_slice(&(at as u32).to_le_bytes());
    let mut put = |templates: &[SlotTemplate]| {
        let start = text.len();
        let is_there = templates.iter().any(|template| {
            let is_there = template.write(|slot| fields.get(slot), text)
                && (template.is_text() || !bound.is_unset(&text[start..]));
            if !is_there {
                text.truncate(start);
            }
            is_there
        });
        if !is_there {
            return Err(NoRecord::Malformed(Cause::EmptyHost));
        }
        let end = text.len();
        if memchr::memchr2(0, b'\n', &text[start..end]).is_some() {
            return Err(NoRecord::Malformed(Cause::Nul));
        }
        text.push(0);
        Ok((start, end))
    };
    let [from, to] = &bound.hosts;
    let hosts = HostRanges { from: put(from)?, to: put(to)? };
    // Offsets have 32 bits: of a chunk that is as large as can be, texts may be longer than it.
    match u32::try_from(text.len()) {
        Ok(_) => Ok(hosts),
        Err(_) => Err(NoRecord::Malformed(Cause::TooLong)),
    }
}

impl From<MisfitKind> for Cause {
    fn from(kind: MisfitKind) -> Self {
        match kind {
            MisfitKind::TooFewFields => Cause::TooFewFields,
            MisfitKind::TooManyFields => Cause::TooManyFields,
            MisfitKind::PartOfALine => Cause::PartOfLine,
            _ => Cause::NotOfTheForm,
        }
    }
}
