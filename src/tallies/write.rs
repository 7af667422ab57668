//! A file written: the counts of a window, in one pass.
//!
//! Not here: the order of the bytes (`layout`, `header`). Invariant: pairs are written in the order
//! of their names, so that equal counts make equal files.

use std::io::{self, BufWriter, Write};

use super::frame::{FULL, FrameKind, FrameWriter};
use super::header::TalliesHeader;
use super::layout::{BUFFER, CountedWindow, FileTotals, MAGIC};
use crate::codec::Encoder;
use crate::model::LaterNumbers;
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
        LaterNumbers::of(&header.lines).iter().try_for_each(|later| encoder.put(later))?;
        bytes.chunks(FULL).try_for_each(|payload| frames.write(FrameKind::Header, payload))?;
        Ok(TalliesWriter {
            frames,
            part: CountedWindow::Window,
            pairs: PairWriter::new(Vec::new()),
            totals: FileTotals::default(),
        })
    }

    /// Adds a pair, which comes after those before it.
    pub(super) fn push(&mut self, part: CountedWindow, from: &[u8], to: &[u8], count: u64) -> io::Result<()> {
        if part != self.part {
            self.end_part()?;
            self.part = part;
        }
        self.totals.add(part, count)?;
        self.pairs.push(from, to, count)?;
        let waiting = self.pairs.get_mut();
        while waiting.len() >= FULL {
            self.frames.write(part.kind(), &waiting[..FULL])?;
            waiting.drain(..FULL);
        }
        Ok(())
    }

    pub(super) fn end_part(&mut self) -> io::Result<()> {
        let mut pairs = std::mem::replace(&mut self.pairs, PairWriter::new(Vec::new()));
        let rest = pairs.get_mut();
        if rest.is_empty() { Ok(()) } else { self.frames.write(self.part.kind(), rest) }
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.end_part()?;
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes).put(&self.totals)?;
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
                ranking.for_each_sorted(pane, Side::From, |from, to, count| writer.push(part, from, to, count))?;
            }
        }
        Pairs::Stored(stored) => {
            for part in CountedWindow::ALL {
                let mut pushed = Ok(());
                stored.for_each(Side::From, &mut |from, to, counts| {
                    let count = counts[part as usize];
                    if count > 0 && pushed.is_ok() {
                        pushed = writer.push(part, from, to, count);
                    }
                })?;
                pushed?;
            }
        }
    }
    writer.finish()?.flush()
}
