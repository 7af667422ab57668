//! Time-filter: lines to the records of the window, or of all windows of a periodic run.
//!
//! Not here: which records count (`ops/select`, `ops/history`). Invariant: each batch that comes
//! goes out once, with what it adds to the sheet, even if no record of it counts.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::actor::{Exit, Outlet, Transform};
use crate::batch::{Lines, Record, Records};
use crate::error::{ErrorKind, Result};
use crate::format::SeenFields;
use crate::model::balance::OVERSIZED_HEAD;
use crate::model::recycle::{BufferPool, Pooled};
use crate::model::{Cause, Loss, Peaks, Stamps, Timestamp};
use crate::ops::history::{History, Placed, Survey};
use crate::ops::scan::{Block, extent};
use crate::ops::select::{Bounds, Selected, select};
use crate::ops::sequence::{BatchPlace, Sequencer};
use crate::output::rejects::{RejectsFile, late_line, reject_line};

use super::InputNames;
use super::firsts::Firsts;
use super::stats::Stats;

/// Bytes at the beginning of a pipe whose stamps are all noted.
const PASSED_WHOLE: u64 = 1 << 20;

/// Bytes at the end of each chunk behind it whose stamps are.
const PASSED_END: usize = 4 << 10;

/// What all workers of a time-filter share.
pub struct FilterShared {
    /// What to keep.
    pub keep: Keep,
    /// Where malformed lines go.
    pub rejects: Option<Arc<RejectsFile>>,
    /// Where late lines go.
    pub late: Option<Arc<RejectsFile>>,
    /// The names of all inputs, by number.
    pub names: Arc<InputNames>,
    /// Where the vectors of records come from.
    pub pool: BufferPool<Record>,
    /// How far records lie behind others, if that is asked for.
    pub stats: Option<Stats>,
    /// What stamps were passed in pipes, in chunks without a record to keep, if anybody will ask.
    pub passed: Option<Mutex<Stamps>>,
    /// How the inputs begin, and whether any line is a record.
    pub firsts: Firsts,
    /// Of the fields that were asked for by name, which any record has.
    pub fields: Mutex<SeenFields>,
}

impl FilterShared {
    /// Tells what was not written, at the end of the run.
    pub fn settle(&self) {
        self.files().for_each(RejectsFile::settle);
    }

    /// How many lines of a class were to be kept in a file and are not in it.
    pub fn unkept(&self, loss: Loss) -> u64 {
        let file = match loss {
            Loss::Malformed => self.rejects.as_deref(),
            Loss::Late => self.late.as_deref(),
            _ => None,
        };
        file.map_or(0, RejectsFile::unkept)
    }

    fn files(&self) -> impl Iterator<Item = &RejectsFile> {
        [self.rejects.as_deref(), self.late.as_deref()].into_iter().flatten()
    }
}

/// What a time-filter keeps.
pub enum Keep {
    /// The records of one window.
    Once(Bounds),
    /// Those of every window of a periodic run.
    Every(Box<History>, Mutex<Sequencer<Surveyed>>),
}

/// A batch of a periodic run that waits for those before it.
pub struct Surveyed {
    lines: Arc<Lines>,
    records: Pooled<Record>,
    survey: Survey,
}

/// One worker.
pub struct FilterWorker {
    shared: Arc<FilterShared>,
}

impl FilterWorker {
    /// A worker.
    pub fn new(shared: Arc<FilterShared>) -> Self {
        FilterWorker { shared }
    }

    fn once(&self, lines: &Arc<Lines>, bounds: &Bounds) -> Result<Records> {
        let shared = &self.shared;
        let mut records = shared.pool.take();
        let list = shared.rejects.is_some();
        let selected = select(lines, bounds, list, &mut records);
        if let Some(order) = &lines.chunk.order {
            order.note(lines.chunk.span.from, lines.chunk.span.to, selected.extent);
        }
        if records.is_empty() {
            self.pass(lines, bounds.future_after);
        }
        self.finish(lines, records, selected)
    }

    /// Notes the stamps of a chunk of a pipe, which cannot be looked at later: all of them at its
    /// beginning, then those at the end of each chunk.
    fn pass(&self, lines: &Lines, future_after: Timestamp) {
        let chunk = &lines.chunk;
        let Some(passed) = self.shared.passed.as_ref().filter(|_| chunk.streamed) else { return };
        let whole = chunk.span.to <= PASSED_WHOLE;
        let from = if whole { 0 } else { chunk.line_around(chunk.bytes.len().saturating_sub(PASSED_END)).0 };
        let (bytes, from) = (&chunk.bytes[from..], chunk.span.from + from as u64);
        let block = Block { bytes, from, rules: &chunk.rules };
        let found = extent(block, future_after);
        passed.lock().merge(Stamps { extent: found.map(|found| (found.lowest, found.highest)), whole });
    }

    fn place(&self, history: &History, waiting: Surveyed, before: Peaks) -> Result<Records> {
        let Surveyed { lines, mut records, survey } = waiting;
        let placed = history.place(&lines, survey, before, &mut records);
        if records.is_empty() {
            self.pass(&lines, history.bounds.future_after);
        }
        let Placed { selected, late, marks, extent, watermark, at_rest, peaks, ahead } = placed;
        if let Some(file) = self.shared.late.as_ref().filter(|_| !late.is_empty()) {
            let mut block = Vec::new();
            for (start, end) in late {
                late_line(&mut block, &lines.chunk.bytes[start..end]);
            }
            file.append((lines.chunk.span.input, lines.chunk.span.from), &block);
        }
        Ok(Records { marks, extent, watermark, at_rest, peaks, ahead, ..self.finish(&lines, records, selected)? })
    }

    /// Puts a batch together and writes its malformed lines where they are wanted.
    fn finish(&self, lines: &Arc<Lines>, records: Pooled<Record>, selected: Selected) -> Result<Records> {
        let chunk = &lines.chunk;
        if let Some(start) = selected.remains.rebound {
            let name = self.shared.names.get(chunk.span.input);
            let at = chunk.span.from + start as u64;
            let message = format!("{name}: from byte {at} on its lines have other columns; divide it there");
            return Err(ErrorKind::Format(message).into());
        }
        self.shared.firsts.note(chunk, !records.is_empty());
        if let Some(watched) = chunk.rules.schema.watched() {
            self.shared.fields.lock().add(watched, selected.remains.seen);
        }
        if let Some(file) = self.shared.rejects.as_ref().filter(|_| !selected.all_rejected.is_empty()) {
            let name = &self.shared.names.get(chunk.span.input);
            let mut block = Vec::new();
            for (cause, start, end) in selected.all_rejected {
                let line = chunk.oversized.as_deref().unwrap_or(&chunk.bytes[start..end]);
                // The same bytes, whether the line was too long for its chunk or stands in one with
                // others.
                let kept = if cause == Cause::TooLong { OVERSIZED_HEAD.min(chunk.rules.max_line) } else { line.len() };
                let line = &line[..kept.min(line.len())];
                reject_line(&mut block, name, chunk.span.from + start as u64, cause.name(), line);
            }
            file.append((chunk.span.input, chunk.span.from), &block);
        }
        Ok(Records {
            chunk: Arc::clone(chunk),
            records,
            text: selected.remains.text,
            balance: selected.balance,
            rejected: selected.rejected,
            traces: selected.traces,
            marks: Vec::new(),
            watermark: Timestamp::MIN,
            at_rest: Timestamp::MIN,
            peaks: Peaks::default(),
            ahead: 0,
            extent: None,
        })
    }
}

impl Transform for FilterWorker {
    type In = Arc<Lines>;
    type Out = Arc<Records>;

    fn receive(&mut self, lines: Arc<Lines>, outlet: &mut Outlet<Arc<Records>>) -> Result<(), Exit> {
        if let Some(stats) = &self.shared.stats {
            stats.note(&lines);
        }
        match &self.shared.keep {
            Keep::Once(bounds) => outlet.send(Arc::new(self.once(&lines, bounds)?)),
            Keep::Every(history, sequencer) => {
                let mut records = self.shared.pool.take();
                let survey = history.survey(&lines, &mut records);
                let (place, peaks) = (BatchPlace::of(&lines.chunk), *survey.peaks());
                let ready = sequencer.lock().arrive(place, peaks, Surveyed { lines, records, survey });
                for (before, waiting) in ready {
                    outlet.send(Arc::new(self.place(history, waiting, before)?))?;
                }
                Ok(())
            }
        }
    }

    fn finish(&mut self, _outlet: &mut Outlet<Arc<Records>>) -> Result<(), Exit> {
        Ok(self.shared.files().try_for_each(RejectsFile::finish)?)
    }
}
