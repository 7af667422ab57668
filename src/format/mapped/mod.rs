//! Lines whose fields are mapped to a record: a format as data.
//!
//! A line goes through an envelope (what stands around it), an extractor (where its fields are) and
//! the mapping: stamp, conditions, who, to whom. Not here: which columns an input has (`bind`), what
//! formats there are (`presets`). Invariant: what a line means depends on the definition, the names
//! of the columns and the line alone.

mod address;
mod anew;
pub mod bind;
mod bound;
mod condition;
pub mod definition;
mod line_fields;
mod naming;
pub mod numbers;
pub mod presets;
mod quick;
mod template;
mod transform;
pub mod watched;
mod watching;

use std::sync::Arc;

use super::envelope::OpenedLine;
use super::extract::{ExtractScratch, FieldPlace, Fields, Misfit, MisfitKind};
use super::line::{HostRanges, LineFormat, NoRecord, Remains, Stamp};
use super::stamps::StampScratch;
use crate::model::{Cause, Timestamp, Unfit};

use bound::Bound;
pub use bound::ZONES_APART;
pub use definition::{Definition, Flaw};
use line_fields::{LineFields, message};
pub use numbers::{RecordLayout, RecordNumbers};
use quick::{QuickColumns, QuickHosts};
use watched::{SeenBits, WatchedFields};

/// A definition that is bound to one input. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Mapped {
    bound: Arc<Bound>,
    /// What reads most lines, if no more than two hosts and a stamp are asked of them.
    quick: Option<Arc<QuickColumns>>,
    /// Fields of which somebody wants to know whether any record has them.
    watched: Option<Arc<WatchedFields>>,
    /// No stamp without a year is later than this and a day.
    latest: Timestamp,
}

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
    /// The hosts of the line that was read last, if it was one of most.
    quick: Option<QuickHosts>,
    /// Where the first line begins that names other columns.
    rebound: Option<usize>,
    /// What lines have shown of the fields that are watched.
    seen: SeenBits,
    /// Of each record: its numbers, if there are any, the four bytes of where its line begins, who, a
    /// zero, to whom, a zero.
    text: Vec<u8>,
}

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
    /// For an input that was bound so, and last written to at `latest`.
    fn of(bound: Bound, latest: Timestamp) -> Self {
        Mapped { quick: QuickColumns::of(&bound).map(Arc::new), bound: Arc::new(bound), watched: None, latest }
    }

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
        Mapped { latest, ..self.clone() }
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
        is_read && scratch.of_line(&self.bound, line).meet(&self.bound.conditions.known_by)
    }

    /// The fields of which somebody wants to know whether any record has them.
    pub fn watched(&self) -> Option<&WatchedFields> {
        self.watched.as_deref()
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

impl MappedScratch {
    /// The fields of the line that was read last.
    #[inline(always)]
    fn of_line<'a>(&'a self, bound: &'a Bound, line: &'a [u8]) -> LineFields<'a> {
        LineFields::new(bound, &self.fields, &self.opened, &self.unescaped, line)
    }
}

/// A line without its carriage return, and without the mark that a file which it begins may have.
#[inline(always)]
fn trimmed(bytes: &[u8], start: usize, end: usize) -> &[u8] {
    let line = &bytes[start..end];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line)
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

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
            Err(_) if line.iter().all(u8::is_ascii_whitespace) => return Err(Stamp::Blank),
            Err(found) => return Err(Stamp::Bad(found.what.into())),
        };
        let message = message(opened, line, unescaped);
        if self.is_comment(message) {
            return Err(Stamp::Other);
        }
        if message.iter().all(u8::is_ascii_whitespace) {
            return Err(if line.len() == message.len() { Stamp::Blank } else { Stamp::Other });
        }
        self.fields.extractor.extract(message, fields, extract).map_err(|found| misfit(message, found))?;
        if self.fields.last.is_some_and(|last| fields.place(last) == FieldPlace::Absent) {
            return Err(misfit(message, Misfit { what: MisfitKind::TooFewFields, at: message.len() }));
        }
        let line = LineFields::new(self, fields, opened, unescaped, line);
        // Its columns make no record.
        if self.time.is_empty() || !line.meet(&self.conditions.form) {
            return Err(Stamp::Bad(Cause::NotOfTheForm));
        }
        if line.meet(&self.conditions.only) { Ok(()) } else { Err(Stamp::Other) }
    }

    /// The stamp of the line that was read last.
    #[inline]
    fn stamp(&self, scratch: &mut MappedScratch, line: &[u8], latest: Timestamp) -> Result<Timestamp, Stamp> {
        let MappedScratch { fields, opened, unescaped, stamps, stamp, .. } = scratch;
        let found = LineFields::new(self, fields, opened, unescaped, line).stamp(stamp);
        let Some((text, plus)) = found else { return Err(Stamp::Bad(Cause::NoStamp)) };
        let read = match self.stamps.read(text, latest.plus(ZONES_APART), stamps) {
            Err(Unfit::NoStamp) if self.fields.is_json => self.stamps.read_scientific(text),
            read => read,
        };
        match read {
            Ok(time) => time.checked_plus(plus).ok_or(Stamp::TooLate(0)),
            Err(Unfit::TooEarly) => Err(Stamp::TooEarly(0)),
            Err(Unfit::TooLate) => Err(Stamp::TooLate(0)),
            Err(Unfit::NoStamp) => Err(Stamp::Bad(Cause::BadStamp)),
        }
    }
}

impl LineFormat for Mapped {
    type Scratch = MappedScratch;

    fn stamp(&self, scratch: &mut MappedScratch, bytes: &[u8], start: usize, end: usize) -> Stamp {
        let line = trimmed(bytes, start, end);
        scratch.quick = None;
        if let Some(quick) = &self.quick
            && let Some((time, hosts)) = quick.read(&self.bound, &mut scratch.stamps, line, self.latest)
        {
            scratch.quick = Some(hosts);
            return Stamp::At(time, start);
        }
        let read = self.bound.read(scratch, line).and_then(|()| self.bound.stamp(scratch, line, self.latest));
        if let Some(watched) = &self.watched {
            let (mut seen, fields) = (scratch.seen, scratch.of_line(&self.bound, line));
            watched.note_stamp(&mut seen, &read, |slot| fields.get(slot).is_some());
            scratch.seen = seen;
        }
        match read {
            Ok(time) => Stamp::At(time, start),
            Err(Stamp::TooEarly(_)) => Stamp::TooEarly(start),
            Err(Stamp::TooLate(_)) => Stamp::TooLate(start),
            Err(other) => {
                if matches!(other, Stamp::Other | Stamp::Bad(_)) && self.names_other_columns(line) {
                    scratch.rebound = scratch.rebound.or(Some(start));
                }
                other
            }
        }
    }

    fn hosts(&self, scratch: &mut MappedScratch, bytes: &[u8], at: usize, end: usize) -> Result<HostRanges, NoRecord> {
        let line = trimmed(bytes, at, end);
        let before = scratch.text.len();
        if let Some(hosts) = scratch.quick {
            if let Some(ranges) = QuickColumns::put_hosts(&self.bound, line, hosts, at, &mut scratch.text) {
                return Ok(ranges);
            }
            // Of such a line it is known that it has fields.
            scratch.quick = None;
            scratch.text.truncate(before);
            self.bound.read(scratch, line).map_err(|_| NoRecord::Malformed(Cause::NotOfTheForm))?;
        }
        if let Some(watched) = &self.watched {
            let (mut seen, fields) = (scratch.seen, scratch.of_line(&self.bound, line));
            watched.note(&mut seen, |slot| fields.get(slot).is_some());
            scratch.seen = seen;
        }
        let mut text = std::mem::take(&mut scratch.text);
        let fields = scratch.of_line(&self.bound, line);
        // Only of a record it can be said that it is not asked for.
        let is_wanted = || fields.meet(&self.bound.conditions.wanted);
        let hosts = fields
            .put_hosts(at, &mut text)
            .and_then(|hosts| if is_wanted() { Ok(hosts) } else { Err(NoRecord::Filtered) });
        if hosts.is_err() {
            text.truncate(before);
        }
        scratch.text = text;
        hosts
    }

    fn is_well_formed(&self, scratch: &mut MappedScratch, bytes: &[u8], at: usize, end: usize) -> bool {
        let seen = scratch.seen;
        let is_record = self.hosts(scratch, bytes, at, end).is_ok();
        scratch.seen = seen;
        is_record
    }

    fn take(scratch: &mut MappedScratch) -> Remains {
        Remains {
            text: std::mem::take(&mut scratch.text),
            rebound: scratch.rebound.take(),
            unclear: std::mem::take(&mut scratch.stamps.unclear),
            seen: std::mem::take(&mut scratch.seen),
        }
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
