//! A file written: the counts of a window, in one pass.
//!
//! Not here: the order of the bytes (`layout`, `header`). Invariant: pairs are written in the order
//! of their names, so that equal counts make equal files.

use std::io::{self, BufWriter, Write};

use super::frame::{FULL, FrameKind, FrameWriter};
use super::header::TalliesHeader;
use super::layout::{BUFFER, CountedWindow, FileTotals, MAGIC};
use crate::codec::Encoder;
use crate::model::{Amount, LaterNumbers, MeasureSet};
use crate::spill::{PairWriter, Ranking};
use crate::tally::aggregates::Pairs;
use crate::tally::pane::Pane;
use crate::tally::{Aggregates, Side};

/// Writes a file: the header, then the pairs of each part, in their order and with counts above 0.
pub(super) struct TalliesWriter<W: Write> {
    frames: FrameWriter<W>,
    part: CountedWindow,
    pairs: PairWriter<Vec<u8>>,
    totals: FileTotals,
    measures: MeasureSet,
}

impl<W: Write> TalliesWriter<W> {
    pub(super) fn new(mut out: W, header: &TalliesHeader) -> io::Result<Self> {
        out.write_all(&MAGIC)?;
        out.write_all(&header.format().to_le_bytes())?;
        let mut frames = FrameWriter::new(out);
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes);
        encoder.put(header)?;
        header.made.iter().try_for_each(|made| encoder.put(made))?;
        // What stands behind them needs them, whatever they are.
        let later = header.numbers.as_ref().map(|_| LaterNumbers::all_of(&header.lines));
        later.or_else(|| LaterNumbers::of(&header.lines)).iter().try_for_each(|later| encoder.put(later))?;
        header.numbers.iter().try_for_each(|numbers| encoder.put(numbers))?;
        bytes.chunks(FULL).try_for_each(|payload| frames.write(FrameKind::Header, payload))?;
        Ok(TalliesWriter {
            frames,
            part: CountedWindow::Window,
            pairs: PairWriter::new(Vec::new()).with_measures(MeasureSet::of(header.measures())),
            totals: FileTotals::default(),
            measures: MeasureSet::of(header.measures()),
        })
    }

    /// Adds a pair, which comes after those before it.
    pub(super) fn push(&mut self, part: CountedWindow, from: &[u8], to: &[u8], amount: Amount) -> io::Result<()> {
        if part != self.part {
            self.end_part()?;
            self.part = part;
        }
        self.totals.add(part, amount)?;
        self.pairs.push(from, to, amount)?;
        let waiting = self.pairs.get_mut();
        while waiting.len() >= FULL {
            self.frames.write(part.kind(), &waiting[..FULL])?;
            waiting.drain(..FULL);
        }
        Ok(())
    }

    pub(super) fn end_part(&mut self) -> io::Result<()> {
        let empty = PairWriter::new(Vec::new()).with_measures(self.measures);
        let mut pairs = std::mem::replace(&mut self.pairs, empty);
        let rest = pairs.get_mut();
        if rest.is_empty() { Ok(()) } else { self.frames.write(self.part.kind(), rest) }
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.end_part()?;
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes);
        encoder.put(&self.totals)?;
        if !self.measures.is_empty() {
            encoder.put(&self.totals.sums)?;
        }
        self.frames.write(FrameKind::End, &bytes)?;
        Ok(self.frames.into_inner())
    }
}

/// Writes the counts of a window as a file; all of it reaches the writer, or an error.
pub fn write(out: impl Write, header: &TalliesHeader, view: &Aggregates) -> io::Result<()> {
    let mut writer = TalliesWriter::new(BufWriter::with_capacity(BUFFER, out), header)?;
    match view.pairs() {
        Pairs::Counted(counted) => {
            let ranking = Ranking::of(&counted.names);
            let panes: [Option<&Pane>; 2] = [Some(counted.window()), counted.previous().map(|pane| &**pane)];
            for (part, pane) in CountedWindow::ALL.into_iter().zip(panes) {
                let Some(pane) = pane else { continue };
                ranking.for_each_amount(pane, Side::From, |from, to, amount| writer.push(part, from, to, amount))?;
            }
        }
        Pairs::Stored(stored) => {
            for part in CountedWindow::ALL {
                let mut pushed = Ok(());
                stored.for_each(Side::From, &mut |from, to, amounts| {
                    let amount = amounts[part as usize];
                    if amount.connections > 0 && pushed.is_ok() {
                        pushed = writer.push(part, from, to, amount);
                    }
                })?;
                pushed?;
            }
        }
    }
    writer.finish()?.flush()
}
