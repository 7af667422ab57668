//! The batches that travel between stages: chunk, lines, records.
//!
//! Not here: what is made of them (`ops`), and how they travel (`actor`). Each batch shares the one
//! before it, so the bytes are never copied and return to their pool with the last user.
//! Invariant: a chunk holds whole lines only, or it stands for one over-long line, or for bytes
//! that are skipped, and holds no bytes.

use std::any::Any;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::format::{LineRules, Mapped, RecordLayout, RecordNumbers};
use crate::model::balance::{Balance, Rejected, SHOWN_BYTES};
use crate::model::guard::Guard;
use crate::model::loss::{Loss, LossSite, Traces};
use crate::model::order::OrderMeter;
use crate::model::peaks::Peaks;
use crate::model::recycle::Pooled;
use crate::model::span::Span;
use crate::model::time::Timestamp;

/// A block of an input's bytes, cut at a line end. Only at the end of an input, or of what a
/// followed one has before it is renamed or deleted, a chunk may end without a newline.
pub struct Chunk {
    /// Where the bytes come from.
    pub span: Span,
    /// Its place among the chunks of its input that this run has read, from 0.
    pub number: u64,
    /// The bytes: all of the span, or none if the span is one over-long line or skipped.
    pub bytes: Pooled<u8>,
    /// The start of the over-long line that this chunk stands for.
    pub oversized: Option<Vec<u8>>,
    /// How its lines are read.
    pub rules: LineRules,
    /// What the chunk adds to the balance sheet by itself: its bytes, and news of its input.
    pub balance: Balance,
    /// Whether the size of the input is known only by reading it, so that its bytes are those read.
    pub streamed: bool,
    /// Where the extent of the chunk's stamps has to be noted, since bytes of the input are
    /// skipped.
    pub order: Option<Arc<OrderMeter>>,
    /// Whether the input ends here. Every input has exactly one last chunk, which may be empty.
    pub last: bool,
    /// Whether bytes that it skips were not looked at: there may be records among them.
    pub unseen: bool,
    /// What is said of an input that goes on.
    pub live: Option<Live>,
    /// What has to live as long as the bytes, such as the permit to hold them.
    pub guard: Option<Box<dyn Any + Send + Sync>>,
}

impl Chunk {
    /// Notes what was lost before the chunk, or what the chunk says was not read.
    pub fn note_losses(&self, traces: &mut Traces) {
        for loss in [Loss::Unread, Loss::Unknown].into_iter().filter(|loss| loss.count(&self.balance) > 0) {
            traces.note(loss, LossSite { input: self.span.input, at: self.span.from, head: Vec::new() });
        }
    }

    /// The place of the line `start..end` of the chunk, for showing.
    pub fn place_of(&self, start: usize, end: usize) -> LossSite {
        let head = self.bytes[start..end.min(start + SHOWN_BYTES)].to_vec();
        LossSite { input: self.span.input, at: self.span.from + start as u64, head }
    }

    /// Where the line around a byte of the chunk begins and ends.
    pub fn line_around(&self, at: usize) -> (usize, usize) {
        let start = memchr::memrchr(b'\n', &self.bytes[..at]).map_or(0, |newline| newline + 1);
        (start, memchr::memchr(b'\n', &self.bytes[at..]).map_or(self.bytes.len(), |newline| at + newline))
    }
}

/// What a chunk of a followed input says beside its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Live {
    /// The guard of the last bytes of the input before the end of the chunk: they have to stand
    /// there when it is read on.
    pub tail: Guard,
    /// Whether nothing has come for so long that the input does not hold windows back any more. The
    /// next chunk ends that.
    pub idle: bool,
    /// Stamps beyond this were in the future when the bytes were read.
    pub future_after: Timestamp,
}

/// A chunk with its line ends: line `i` is the bytes from one past end `i - 1` (or 0) to end `i`.
pub struct Lines {
    /// The bytes.
    pub chunk: Arc<Chunk>,
    /// Ascending offsets into the bytes: of each newline, and of the end of a line that has none.
    pub ends: Pooled<u32>,
}

/// One connection: when, and the byte ranges, in the chunk or in the text of its batch, of who
/// connected to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// When.
    pub time: Timestamp,
    /// Offsets of the host that connected: first byte, one past the last.
    pub from: (u32, u32),
    /// Offsets of the host that was connected to.
    pub to: (u32, u32),
}

/// The records of one chunk, with everything that must be counted in the same step as they are.
pub struct Records {
    /// The bytes that the records point into; its span is what the aggregator adds to its ledger.
    pub chunk: Arc<Chunk>,
    /// The records to tally.
    pub records: Pooled<Record>,
    /// The bytes that their hosts are in, if they are not those of the chunk (`format::Mapped`).
    pub text: Vec<u8>,
    /// What the chunk adds to the balance sheet.
    pub balance: Balance,
    /// The first malformed lines of the chunk.
    pub rejected: Vec<Rejected>,
    /// What is known of other losses of the chunk.
    pub traces: Traces,
    /// Instants at which the input's watermark passed a window's end, in order. Only in periodic
    /// runs.
    pub marks: Vec<Mark>,
    /// The input's watermark after this chunk. Only in periodic runs.
    pub watermark: Timestamp,
    /// The same if nothing more comes: then stamps that have run ahead of all others count for it
    /// too.
    pub at_rest: Timestamp,
    /// The highest stamps of the input up to the end of this chunk. Only in periodic runs.
    pub peaks: Peaks,
    /// How many of them have run ahead, and have not moved the watermark.
    pub ahead: u64,
    /// The lowest and the highest stamp that count. Only in periodic runs.
    pub extent: Option<(Timestamp, Timestamp)>,
}

impl Records {
    /// The bytes that the offsets of the records are in.
    #[inline]
    pub fn host_bytes(&self) -> &[u8] {
        if self.text.is_empty() { &self.chunk.bytes } else { &self.text }
    }

    /// Which numbers the records have beside their hosts.
    pub fn record_layout(&self) -> RecordLayout {
        self.chunk.rules.schema.record_layout()
    }

    /// The numbers of a record in that layout, or in the same one with times.
    pub fn numbers(&self, layout: RecordLayout, record: &Record) -> RecordNumbers {
        Mapped::numbers(layout, &self.text, record.from.0 as usize, record.time)
    }

    /// Where the line of a record begins and ends in the chunk.
    pub fn line_of(&self, record: &Record) -> (usize, usize) {
        let from = record.from.0 as usize;
        self.chunk.line_around(if self.text.is_empty() { from } else { Mapped::line_start(&self.text, from) })
    }

    /// The place of the line of a record, for showing.
    pub fn place_of(&self, record: &Record) -> LossSite {
        let (start, end) = self.line_of(record);
        self.chunk.place_of(start, end)
    }
}

/// A point in an input at which its watermark passed one or more window ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The watermark from here on.
    pub watermark: Timestamp,
    /// What the chunk adds to the balance sheet up to and with the line that moved the watermark.
    pub balance: Balance,
}

impl Record {
    /// The bytes of `(from, to)` in `range` of the chunk.
    #[inline]
    pub fn slice(bytes: &[u8], range: (u32, u32)) -> &[u8] {
        &bytes[range.0 as usize..range.1 as usize]
    }

    /// The lowest and the highest stamp of some records; the highest and the lowest there can be if
    /// there are none.
    #[inline]
    pub fn extent(records: &[Record]) -> (Timestamp, Timestamp) {
        let none = (Timestamp::MAX, Timestamp::MIN);
        records.iter().fold(none, |(low, high), record| (low.min(record.time), high.max(record.time)))
    }
}

impl Lines {
    /// Lines in the chunk, an over-long one included.
    pub fn count(&self) -> u64 {
        self.ends.len() as u64 + u64::from(self.chunk.oversized.is_some())
    }
}
