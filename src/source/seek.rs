//! Which bytes of a file can hold a window, found by a few small reads, if its lines are almost
//! sorted by time.
//!
//! Pure: the bytes and what stamps they hold come from functions. What is found rests on the
//! declared disorder alone: a block of lines whose highest stamp lies more than that before the
//! window is, with all before it, outside; and one whose lowest stamp lies more than that behind it
//! is, with all behind it. Searching by halves only finds good blocks. Blocks that contradict the
//! bound are noticed here; lines that do, by whoever reads them.

use std::io;

use crate::model::Timestamp;
use crate::model::order::{Extent, joined};

/// Bytes of a probe: some dozens of lines, so that a single stray stamp decides nothing.
const PROBE: usize = 4 << 10;

/// Bytes that a probe grows to while it holds no whole line.
const WIDEST: usize = 256 << 10;

/// Probes that are spread over a file, whatever its size.
const SPREAD: u64 = 32;

/// The number of bytes below which it is not worthwhile to search on.
const GRAIN: u64 = 64 << 10;

/// Bytes up to which a file is read whole: the probes would read as much.
const SMALL: u64 = SPREAD * PROBE as u64;

/// What is sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The first instant of the window.
    pub first: Timestamp,
    /// The last one.
    pub last: Timestamp,
    /// The declared disorder in nanoseconds.
    pub disorder: i64,
}

/// The bytes to read, and how they were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// First byte, where a line begins.
    pub from: u64,
    /// One past the last, where a line ends.
    pub to: u64,
    /// Of all probes, in their order.
    pub extent: Option<Extent>,
    /// Of the probes before `from`, and of those from `to` on.
    pub outside: (Option<Extent>, Option<Extent>),
    /// Small reads that were made.
    pub probes: u32,
    /// Why these bytes.
    pub reason: Reason,
}

impl Found {
    /// No bytes, for this reason.
    pub fn nothing(reason: Reason) -> Self {
        Found { from: 0, to: 0, extent: None, outside: (None, None), probes: 0, reason }
    }

    /// The byte before which to stop reading a file of `size` bytes: one that is wanted to its end
    /// may still grow.
    pub fn stop(&self, size: u64) -> u64 {
        if self.to == size { u64::MAX } else { self.to }
    }
}

/// Why some bytes of a file are read and others are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The rest cannot hold the window.
    Pruned,
    /// All of it can.
    NothingToSkip,
    /// Its lines are further out of order than declared.
    NotSorted,
    /// It is compressed, and was last written before the window.
    Old,
}

/// The bytes of a file, by offset; may give fewer than asked for, and none only at the end.
pub type ReadAt<'a> = dyn Fn(u64, &mut [u8]) -> io::Result<usize> + 'a;

/// What a block of whole lines says, given the offset of its first byte.
pub trait StampReader {
    /// The extent of its stamps that are not in the future.
    fn extent(&self, bytes: &[u8], from: u64) -> Option<Extent>;
}

/// A block of whole lines that was looked at.
#[derive(Debug, Clone, Copy)]
struct Probe {
    from: u64,
    to: u64,
    extent: Extent,
}

/// Finds the bytes of a file of `size` bytes that can hold what is wanted. Errors are those of
/// reading.
pub fn seek(read: &ReadAt<'_>, size: u64, wanted: &Wanted, stamps: &dyn StampReader) -> io::Result<Found> {
    let mut search = ProbeSearch { read, size, stamps, probes: Vec::new(), reads: 0 };
    let mut found =
        Found { from: 0, to: size, extent: None, outside: (None, None), probes: 0, reason: Reason::NothingToSkip };
    if size <= SMALL {
        return Ok(found);
    }
    search.spread()?;
    // Where the file ends, so that one that lies before the window is not read at all.
    search.probe(size.saturating_sub(PROBE as u64 - 1))?;
    let before = |probe: &Probe| probe.extent.highest < wanted.first.minus(wanted.disorder);
    let behind = |probe: &Probe| probe.extent.lowest > wanted.last.plus(wanted.disorder);
    search.halve(&before)?;
    search.halve(&|probe| !behind(probe))?;
    found.probes = search.reads;
    search.probes.sort_by_key(|probe| probe.from);
    let extent =
        |from: u64, to: u64| joined_apart(search.probes.iter().filter(|probe| from <= probe.from && probe.to <= to));
    found.extent = extent(0, size);
    if found.extent.is_some_and(|extent| extent.disorder > wanted.disorder) {
        return Ok(Found { reason: Reason::NotSorted, ..found });
    }
    found.from = search.probes.iter().filter(|probe| before(probe)).map(|probe| probe.to).max().unwrap_or(0);
    let to = search.probes.iter().filter(|probe| behind(probe)).map(|probe| probe.from).min().unwrap_or(size);
    found.to = to.max(found.from);
    found.outside = (extent(0, found.from), extent(found.to, size));
    let all = found.from == 0 && found.to == size;
    found.reason = if all { Reason::NothingToSkip } else { Reason::Pruned };
    Ok(found)
}

/// Where the first line begins that begins at `at` or behind it; `size` if none does. Errors are
/// those of reading.
pub fn line_start(read: &ReadAt<'_>, size: u64, at: u64) -> io::Result<u64> {
    if at == 0 || at >= size {
        return Ok(at.min(size));
    }
    let (mut from, mut bytes) = (at - 1, vec![0; GRAIN as usize]);
    while from < size {
        let filled = read(from, &mut bytes)?;
        match memchr::memchr(b'\n', &bytes[..filled]) {
            Some(newline) => return Ok(from + newline as u64 + 1),
            None if filled == 0 => break,
            None => from += filled as u64,
        }
    }
    Ok(size)
}

/// Where the last line ends that has its newline, of the first `size` bytes; 0 if none has. Errors
/// are those of reading.
pub fn lines_end(read: &ReadAt<'_>, size: u64) -> io::Result<u64> {
    let (mut end, mut bytes) = (size, vec![0; GRAIN as usize]);
    while end > 0 {
        let from = end.saturating_sub(GRAIN);
        let block = &mut bytes[..(end - from) as usize];
        let mut filled = 0;
        while filled < block.len() {
            match read(from + filled as u64, &mut block[filled..])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                more => filled += more,
            }
        }
        if let Some(newline) = memchr::memrchr(b'\n', block) {
            return Ok(from + newline as u64 + 1);
        }
        end = from;
    }
    Ok(0)
}

/// The highest stamp of a file, by reading its end: as much of it as it takes for the disorder to
/// say that no stamp before it is higher. `None` if that would be most of the file, or if its lines
/// are not sorted as declared.
pub fn latest(read: &ReadAt<'_>, size: u64, disorder: i64, stamps: &dyn StampReader) -> io::Result<Option<Timestamp>> {
    let mut search = ProbeSearch { read, size, stamps, probes: Vec::new(), reads: 0 };
    if size <= SMALL {
        return Ok(None);
    }
    search.spread()?;
    let mut length = GRAIN;
    while length < size / 2 {
        let end = search.tail(length)?;
        // A line with stamp s says that none before it has one above s and the disorder.
        if let Some(end) = end.filter(|end| end.highest >= end.lowest.plus(disorder)) {
            let before = joined_apart(search.probes.iter());
            let all = before.map_or(end, |before| before.then(end));
            return Ok((all.disorder <= disorder).then_some(end.highest));
        }
        length *= 4;
    }
    Ok(None)
}

/// The extent of probes in their order. Of two that share lines, only the first has a say: lines do
/// not follow themselves.
fn joined_apart<'a>(probes: impl Iterator<Item = &'a Probe>) -> Option<Extent> {
    let mut end = 0;
    joined(probes.map(|probe| {
        let apart = probe.from >= end;
        end = end.max(probe.to);
        apart.then_some(probe.extent)
    }))
}

struct ProbeSearch<'a> {
    read: &'a ReadAt<'a>,
    size: u64,
    stamps: &'a dyn StampReader,
    probes: Vec<Probe>,
    reads: u32,
}

impl ProbeSearch<'_> {
    /// Looks at lines all over the file.
    fn spread(&mut self) -> io::Result<()> {
        for at in 0..SPREAD {
            let at = u128::from(self.size) * u128::from(at) / u128::from(SPREAD);
            self.probe(u64::try_from(at).unwrap_or(0))?;
        }
        Ok(())
    }

    /// The extent of the lines in the last `length` bytes, block by block. `None` if one line is
    /// longer than a block.
    fn tail(&mut self, length: u64) -> io::Result<Option<Extent>> {
        let mut at = self.size - length;
        // Probes of the same lines have nothing to add.
        self.probes.retain(|probe| probe.to <= at);
        let mut extent = None;
        let mut bytes = vec![0; WIDEST];
        let mut skip = true;
        while at < self.size {
            self.reads += 1;
            let filled = (self.read)(at, &mut bytes)?;
            let first = if skip { memchr::memchr(b'\n', &bytes[..filled]).map(|newline| newline + 1) } else { Some(0) };
            let ended = at + filled as u64 >= self.size;
            let last =
                if ended { Some(filled) } else { memchr::memrchr(b'\n', &bytes[..filled]).map(|newline| newline + 1) };
            let (Some(first), Some(last)) = (first, last.filter(|last| *last > 0)) else { return Ok(None) };
            let block = self.stamps.extent(&bytes[first.min(last)..last], at + first as u64);
            extent = joined([extent, block]);
            (at, skip) = (at + last as u64, false);
        }
        Ok(extent)
    }

    /// Halves the space between the last probe that is `low` and the first that is not, until that
    /// is not worth it.
    fn halve(&mut self, low: &dyn Fn(&Probe) -> bool) -> io::Result<()> {
        let mut from = self.probes.iter().filter(|probe| low(probe)).map(|probe| probe.to).max().unwrap_or(0);
        let mut to = self.probes.iter().filter(|probe| !low(probe)).map(|probe| probe.from).min().unwrap_or(self.size);
        while to.saturating_sub(from) > GRAIN {
            let middle = from + (to - from) / 2;
            match self.probe(middle)? {
                Some(probe) if low(&probe) && probe.to > from => from = probe.to,
                _ => to = middle,
            }
        }
        Ok(())
    }

    /// Looks at the lines that begin behind `at`. `None` if there are no lines, or none with a
    /// stamp.
    fn probe(&mut self, at: u64) -> io::Result<Option<Probe>> {
        let Some((bytes, from)) = self.lines(at)? else { return Ok(None) };
        let Some(extent) = self.stamps.extent(&bytes, from) else { return Ok(None) };
        let probe = Probe { from, to: from + bytes.len() as u64, extent };
        self.probes.push(probe);
        Ok(Some(probe))
    }

    /// Whole lines of the file, the first that begin behind `at` (at the start of the file, at it),
    /// and where they begin.
    fn lines(&mut self, at: u64) -> io::Result<Option<(Vec<u8>, u64)>> {
        let mut length = PROBE;
        loop {
            // The byte before tells whether a line begins at `at`.
            let start = at.saturating_sub(1);
            let mut bytes = vec![0; length];
            let mut filled = 0;
            while filled < length {
                self.reads += 1;
                match (self.read)(start + filled as u64, &mut bytes[filled..])? {
                    0 => break,
                    read => filled += read,
                }
            }
            let ended = filled < length;
            bytes.truncate(filled);
            let first = if at == 0 { Some(0) } else { memchr::memchr(b'\n', &bytes).map(|newline| newline + 1) };
            let last =
                if ended { Some(bytes.len()) } else { memchr::memrchr(b'\n', &bytes).map(|newline| newline + 1) };
            if let (Some(first), Some(last)) = (first, last)
                && first < last
            {
                return Ok(Some((bytes[first..last].to_vec(), start + first as u64)));
            }
            if ended || length >= WIDEST {
                return Ok(None);
            }
            length *= 4;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn whole_lines_end_behind_the_last_newline_however_far_before_the_end_that_is() {
        let blocks = [0, 1, 5, GRAIN as usize - 1, GRAIN as usize, GRAIN as usize + 1, 3 * GRAIN as usize];
        for (before, after) in blocks.iter().flat_map(|before| blocks.map(|after| (*before, after))) {
            let line = [vec![b'x'; before], b"\n".to_vec(), vec![b'y'; after]].concat();
            for (bytes, expected) in [(&line[..], before as u64 + 1), (&line[..before], 0), (&line[before + 1..], 0)] {
                // Reads may be short, and see bytes behind those that count.
                let read = |at: u64, into: &mut [u8]| {
                    let all = [bytes, b"\n\n"].concat();
                    let length = into.len().min(40_000).min(all.len() - at as usize);
                    into[..length].copy_from_slice(&all[at as usize..][..length]);
                    Ok(length)
                };
                assert_eq!(lines_end(&read, bytes.len() as u64).unwrap(), expected, "{before} {after}");
            }
        }
        assert!(lines_end(&|_, _| Ok(0), 9).is_err(), "it is shorter than it was");
    }

    /// Lines are `<seconds>\n`.
    struct Plain;

    impl StampReader for Plain {
        fn extent(&self, bytes: &[u8], _: u64) -> Option<Extent> {
            let lines = std::str::from_utf8(bytes).unwrap().lines();
            joined(lines.map(|line| line.parse().ok().map(|stamp| Extent::of(Timestamp::from_seconds(stamp)))))
        }
    }

    /// A text as a file that gives its bytes in small pieces, as a slow device may.
    fn file(text: &str) -> impl Fn(u64, &mut [u8]) -> io::Result<usize> {
        move |at: u64, into: &mut [u8]| {
            let rest = text.as_bytes().get(at as usize..).unwrap_or_default();
            let length = rest.len().min(into.len()).min(1000);
            into[..length].copy_from_slice(&rest[..length]);
            Ok(length)
        }
    }

    fn found(text: &str, first: i64, last: i64, disorder: i64) -> Found {
        let (first, last) = (Timestamp::from_seconds(first), Timestamp::from_seconds(last));
        let wanted = Wanted { first, last, disorder: disorder * crate::model::time::SECOND };
        seek(&file(text), text.len() as u64, &wanted, &Plain).unwrap()
    }

    fn log(lines: i64, step: i64, disorder: i64) -> String {
        let late = |at: i64| if disorder == 0 { 0 } else { (at * 7_919) % (disorder + 1) };
        (0..lines).map(|at| format!("{}\n", 1_000_000 + at * step - late(at))).collect()
    }

    proptest! {
        #[test]
        fn no_line_of_the_window_is_left_out(
            lines in 0i64..60_000,
            disorder in 0i64..500,
            first in 0i64..70_000,
            length in 0i64..70_000,
        ) {
            let text = log(lines, 1, disorder);
            let (first, last) = (1_000_000 + first, 1_000_000 + first + length);
            let found = found(&text, first, last, disorder);
            prop_assert_ne!(found.reason, Reason::NotSorted);
            let inside = |stamp: &str| (first..=last).contains(&stamp.parse::<i64>().unwrap());
            let (from, to) = (found.from as usize, found.to as usize);
            prop_assert!(from == 0 || text[..from].ends_with('\n'));
            prop_assert!(!text[..from].lines().any(inside) && !text[to..].lines().any(inside));
            // And not much more than the window is read.
            let wanted: usize = text.lines().filter(|line| {
                let stamp = line.parse::<i64>().unwrap();
                first - 2 * disorder <= stamp && stamp <= last + 2 * disorder
            }).map(|line| line.len() + 1).sum();
            prop_assert!(to - from <= wanted + (2 * GRAIN).max(SMALL) as usize + 2 * PROBE, "{} of {wanted}", to - from);
        }
    }

    #[test]
    fn the_highest_stamp_is_found_at_the_end_or_not_at_all() {
        let latest = |text: &str, disorder: i64| {
            let nanos = disorder * crate::model::time::SECOND;
            latest(&file(text), text.len() as u64, nanos, &Plain).unwrap()
        };
        let text = log(200_000, 1, 300);
        let highest = text.lines().map(|line| line.parse::<i64>().unwrap()).max().unwrap();
        assert_eq!(latest(&text, 300), Some(Timestamp::from_seconds(highest)));
        // Declared so large that half of the file would have to be read; or too small; or nothing
        // to go by.
        assert_eq!(latest(&text, 150_000), None);
        assert_eq!(latest(&text, 100), None);
        assert_eq!((latest("", 0), latest(&log(100, 1, 0), 0)), (None, None));
        // The higher log stands before the other.
        assert_eq!(latest(&(log(100_000, 2, 0) + &log(100_000, 1, 0)), 300), None);
    }

    #[test]
    fn files_outside_the_window_are_not_read() {
        let text = log(200_000, 1, 10);
        let before = found(&text, 2_000_000, 3_000_000, 10);
        assert_eq!((before.from, before.to, before.reason), (text.len() as u64, text.len() as u64, Reason::Pruned));
        let behind = found(&text, 0, 900_000, 10);
        assert_eq!((behind.from, behind.to, behind.reason), (0, 0, Reason::Pruned));
        assert!(behind.probes < 200, "{}", behind.probes);
    }

    #[test]
    fn files_that_are_not_sorted_are_noticed() {
        let sorted = log(200_000, 1, 0);
        let lines: Vec<&str> = sorted.lines().collect();
        let reversed: String = lines.iter().rev().map(|line| format!("{line}\n")).collect();
        let twice = sorted.clone() + &sorted;
        let restarted = log(100_000, 1, 0) + &log(100_000, 2, 0);
        for text in [reversed, twice, restarted] {
            let found = found(&text, 1_150_000, 1_160_000, 100);
            assert_eq!((found.from, found.to, found.reason), (0, text.len() as u64, Reason::NotSorted));
        }
    }

    #[test]
    fn files_without_stamps_or_lines_are_read_whole() {
        for text in ["", "\n", "no stamps here\n", &"x".repeat(500_000)] {
            let found = found(text, 0, 10, 0);
            assert_eq!((found.from, found.to, found.reason), (0, text.len() as u64, Reason::NothingToSkip));
        }
    }

    #[test]
    fn a_window_that_holds_everything_skips_nothing() {
        let text = log(100_000, 1, 0);
        assert_eq!(found(&text, 0, 9_000_000, 0).reason, Reason::NothingToSkip);
    }
}
