//! Whether the header of a saved state that was read is one that a run saves: a checksum says that
//! nothing changed by accident, and not who wrote it.
//!
//! Invariant: of what passes, every number can be worked with as it is: lengths of time are above
//! 0, a window has as many buckets as a configuration may ask for, windows, buckets and panes are
//! those of instants that there are, and each is there once. Whether the counts add up is `check`
//! in `header`.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use super::beside::Beside;
use super::value::{Delays, Snapshot};
use super::windows::SavedWindows;
use crate::codec::{Decoder, Encoder};
use crate::model::window::MAX_BUCKETS;
use crate::model::{Grid, Guard, InputId, Timestamp};
use crate::ops::close::{SHARDS, Windows};
use crate::ops::progress::{LAST_BYTE, Position};
use crate::source::follow::{FileRecord, HEAD, PassedOver, START};

/// The most inputs that a run may come to have: nobody has that many files.
const MAX_INPUTS: u32 = 1 << 31;

/// How often a window may have been issued.
const MAX_REVISION: u32 = 1 << 31;

/// The most that the clock of silences may say: some thirty thousand years.
const MAX_CLOCK: Duration = Duration::from_secs(1 << 40);

/// Bytes that a path may have.
const MAX_PATH: usize = 4096;

impl Snapshot {
    /// Reads it, and holds it against what a run saves that counts with these delays.
    pub fn read(decoder: &mut Decoder<'_>, delays: &Delays) -> io::Result<Self> {
        let beside = Beside::read(decoder)?;
        let mut header: Snapshot = decoder.get()?;
        if u64::from(header.counts.numbers) > decoder.left() {
            return Err(wrong(format!("it has {} bytes for {} names", decoder.left(), header.counts.numbers)));
        }
        beside.put(decoder.version(), &mut header).map_err(wrong)?;
        header.sound(delays).map_err(wrong)?;
        Ok(header)
    }

    /// Errors with why it would be refused once it is read: sheets are read without what is saved
    /// beside them.
    pub(crate) fn as_read(&self, delays: &Delays) -> Result<(), String> {
        let mut bytes = Vec::new();
        let written = self.put(&mut Encoder::new(&mut bytes));
        let read = written.and_then(|()| {
            let mut decoder = Decoder::new(&bytes[..], bytes.len() as u64).of_version(self.format());
            let beside = Beside::read(&mut decoder)?;
            let mut read: Snapshot = decoder.get()?;
            beside.put(decoder.version(), &mut read).map_err(wrong)?;
            Ok(read)
        });
        read.map_err(|error| error.to_string())?.sound(delays)
    }

    /// Errors with what no run saves.
    fn sound(&self, delays: &Delays) -> Result<(), String> {
        if self.clock > MAX_CLOCK {
            return Err("its clock says more than can have passed".to_owned());
        }
        check_grid(&self.grid, self.counts.grain)?;
        self.progress.check(delays.lateness)?;
        self.check_windows()?;
        self.check_counts()?;
        let lines = self.progress.balance().lines_read;
        self.measures.as_ref().map_or(Ok(()), |measures| measures.check(lines, &self.counts.buckets))?;
        self.check_files()?;
        self.agrees(delays)
    }

    fn check_windows(&self) -> Result<(), String> {
        let windows = [Timestamp::MIN, Timestamp::MAX].map(|time| self.grid.first_ending_after(time));
        // The one before the first, and the one behind the last, are named too.
        let is_window = |k: i64| (windows[0].saturating_sub(1)..=windows[1].saturating_add(1)).contains(&k);
        let SavedWindows { first, next, issued, gaps, again, settled } = &self.windows;
        let runs = || gaps.iter().chain(again);
        let named = [*first, *next, settled.before()].into_iter().flatten();
        let named = named.chain(issued.iter().map(|(k, _)| *k)).chain(runs().flat_map(|run| [run.0, run.1]));
        if let Some(k) = named.into_iter().find(|k| !is_window(*k)) {
            return Err(format!("window {k} lies beyond all instants"));
        }
        let are_in_order =
            |runs: &[(i64, i64)]| runs.is_sorted_by(|a, b| a < b) && runs.iter().all(|run| run.0 <= run.1);
        if !issued.is_sorted_by(|a, b| a.0 < b.0) || !are_in_order(gaps) || !are_in_order(again) {
            return Err("its windows are not in order".to_owned());
        }
        if issued.iter().any(|(_, issued)| issued.revision > MAX_REVISION) {
            return Err("a window in it was issued more often than can be".to_owned());
        }
        Ok(())
    }

    fn check_counts(&self) -> Result<(), String> {
        let buckets = self.cut();
        let ends = [Timestamp::MIN, Timestamp::MAX].map(|time| buckets.of(time));
        if !self.counts.buckets.is_sorted_by(|a, b| a.0 < b.0) || !self.counts.panes.is_sorted_by(|a, b| a.0 < b.0) {
            return Err("its buckets or panes are not in order".to_owned());
        }
        if let Some((bucket, _)) = self.counts.buckets.iter().find(|(bucket, _)| !(ends[0]..=ends[1]).contains(bucket))
        {
            return Err(format!("bucket {bucket} lies beyond all instants"));
        }
        let shape = Windows::Every(self.grid).shape(&buckets, 0);
        let panes = ends.map(|bucket| bucket.div_euclid(shape.pane));
        if let Some((pane, ..)) = self.counts.panes.iter().find(|(pane, ..)| !(panes[0]..=panes[1]).contains(pane)) {
            return Err(format!("pane {pane} lies beyond all instants"));
        }
        let counted = self.counts.buckets.iter().try_fold(0u64, |sum, (_, count)| sum.checked_add(*count));
        let overflow = self.counts.panes.iter().try_fold(0u64, |sum, (_, overflow, _)| sum.checked_add(*overflow));
        let lines = self.progress.balance().lines_read;
        let most = lines.checked_add(self.more());
        let sums = [counted, overflow, Some(self.counts.overflowed)];
        if most.is_none() || sums.iter().any(|sum| sum.is_none() || *sum > most) {
            return Err("it has more connections than lines".to_owned());
        }
        if overflow > self.counts.overflowed.checked_add(self.more()) {
            return Err("it has more connections without a pair than there were".to_owned());
        }
        match self.counts.panes.iter().any(|(.., shards)| !(1..=SHARDS as u64).contains(shards)) {
            true => Err("a pane in it has no shards, or too many".to_owned()),
            false => Ok(()),
        }
    }

    fn check_files(&self) -> Result<(), String> {
        let inputs = &self.progress.inputs;
        if self.next_input > MAX_INPUTS || self.next_input != self.progress.next_input() {
            return Err("the number of its next input does not follow those that were given out".to_owned());
        }
        let mut known = BTreeSet::new();
        for file in &self.files {
            let at = inputs.binary_search_by_key(&file.id, |(id, _)| *id);
            let is_good = at.is_ok_and(|at| known.insert(file.id) && check_file(file, &inputs[at], self.clock));
            if !is_good {
                return Err(format!("what it says of the file of input {} cannot be", file.id.0));
            }
        }
        match inputs.iter().find(|(id, _)| !known.contains(id)) {
            None => Ok(()),
            Some((id, _)) => Err(format!("it does not say which file input {} is", id.0)),
        }
    }

    /// Errors with what no run saves of files that are passed over.
    pub(super) fn check_passed_over(&self) -> Result<(), String> {
        let mut known = BTreeSet::new();
        let is_good = |file: &PassedOver| {
            let PassedOver { device, inode, born: _, size, modified } = file;
            is_stat(*modified, *size) && known.insert((*device, *inode))
        };
        match self.passed_over.iter().all(is_good) {
            true => Ok(()),
            false => Err("what it says of the files that are passed over cannot be".to_owned()),
        }
    }
}

/// Whether a file can begin with these bytes, when so many have that hash.
fn is_head(start: &[u8], head: &Guard) -> bool {
    let (bytes, is_whole) = (head.bytes as usize, head.bytes as usize <= START);
    bytes <= HEAD && start.len() == bytes.min(START) && (!is_whole || head.holds(start))
}

/// Whether a time of a file and its size are some that a file system gives.
fn is_stat(modified: (i64, i64), size: u64) -> bool {
    (0..1_000_000_000).contains(&modified.1) && size <= LAST_BYTE
}

fn check_file(file: &FileRecord, (_, position): &(InputId, Position), clock: Duration) -> bool {
    let FileRecord { name, modified, start, head, size_seen, position: next, tail, lost, active, moved, away, .. } =
        file;
    let FileRecord { departed, missed, .. } = file;
    (*next, *tail, *lost) == (position.next, position.tail, position.lost())
        && !name.is_empty()
        && name.len() <= MAX_PATH
        && !name.contains(&0)
        && is_stat(*modified, *size_seen)
        && is_head(start, head)
        && (*departed || (*missed, *away) == (0, Duration::ZERO))
        && [active, moved, away].into_iter().all(|time| *time <= clock)
}

fn check_grid(grid: &Grid, grain: i64) -> Result<(), String> {
    let Grid { anchor: _, length, period, first: _ } = *grid;
    if length <= 0 || period <= 0 || grain <= 0 {
        return Err("a length of time in it is not above 0".to_owned());
    }
    if length % grain != 0 || period % grain != 0 || length / grain > MAX_BUCKETS {
        return Err(format!("its windows of {length} ns every {period} ns cannot be cut into buckets of {grain} ns"));
    }
    Ok(())
}

fn wrong(problem: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::time::SECOND;
    use crate::ops::close::Closer;
    use crate::ops::count::Buckets;
    use crate::ops::progress::CountProgress;
    use crate::snapshot::Issued;
    use crate::snapshot::value::SavedCounts;
    use crate::stage::aggregator::following::windows::LiveWindows;

    const GRID: Grid =
        Grid { anchor: Timestamp::from_seconds(0), length: 20 * SECOND, period: 10 * SECOND, first: None };

    /// A file of which nothing is counted.
    pub(crate) fn file(id: u32) -> FileRecord {
        FileRecord {
            name: b"a.log".to_vec(),
            device: 1,
            inode: 2,
            modified: (5, 6),
            start: b"17 a b".to_vec(),
            head: Guard::of(b"17 a b"),
            size_seen: 7,
            ..FileRecord::new(InputId(id))
        }
    }

    /// A state of two files, of which nothing is counted.
    fn good() -> Snapshot {
        let buckets = Buckets { anchor: GRID.anchor, grain: SECOND, last: i64::MAX };
        let mut progress = CountProgress::new([], true);
        [2, 5].into_iter().for_each(|id| progress.register(InputId(id)));
        Snapshot {
            grid: GRID,
            bounds: (Timestamp::MIN, Timestamp::MIN),
            windows: LiveWindows::new(Closer::new(GRID, buckets, false), 0, None).saved(),
            progress: progress.saved(),
            files: vec![file(2), file(5)],
            clock: Duration::from_secs(9),
            next_input: 6,
            counts: SavedCounts { grain: SECOND, buckets: Vec::new(), overflowed: 0, panes: Vec::new(), numbers: 0 },
            passed_over: Vec::new(),
            schemas: Vec::new(),
            measures: None,
        }
    }

    const ISSUED: Issued = Issued { revision: 0, connections: 0 };

    type Forgery = (fn(&mut Snapshot), &'static str);

    const FORGERIES: [Forgery; 34] = [
        (|it| it.grid.length = 0, "a length of time in it is not above 0"),
        (|it| it.grid.period = -1, "a length of time in it is not above 0"),
        (|it| it.counts.grain = 0, "a length of time in it is not above 0"),
        (|it| it.counts.grain = 3 * SECOND, "its windows of 20000000000 ns every 10000000000 ns cannot be cut"),
        (|it| it.grid.period = 10 * SECOND + 1, "its windows of 20000000000 ns every"),
        (|it| (it.grid.length, it.grid.period) = (200_001 * SECOND, SECOND), "its windows of 200001000000000 ns"),
        (|it| it.windows.next = Some(i64::MAX), "window 9223372036854775807 lies beyond all instants"),
        (|it| it.windows.first = Some(i64::MIN), "window -9223372036854775808 lies beyond all instants"),
        (|it| it.clock = Duration::MAX, "its clock says more than can have passed"),
        (|it| it.windows.gaps = vec![(0, 1 << 40)], "window 1099511627776 lies beyond all instants"),
        (|it| it.windows.gaps = vec![(3, 2)], "its windows are not in order"),
        (|it| it.windows.gaps = vec![(3, 4), (1, 2)], "its windows are not in order"),
        (|it| it.windows.again = vec![(1 << 40, 1 << 40)], "window 1099511627776 lies beyond all instants"),
        (|it| it.windows.issued = vec![(1 << 40, ISSUED)], "window 1099511627776 lies beyond all instants"),
        (|it| it.windows.issued = vec![(2, ISSUED), (2, ISSUED)], "its windows are not in order"),
        (|it| it.windows.again = vec![(2, 2), (1, 1)], "its windows are not in order"),
        (|it| it.windows.issued = vec![(2, Issued { revision: u32::MAX, ..ISSUED })], "a window in it was issued more"),
        (|it| it.counts.buckets = vec![(2, 0), (1, 0)], "its buckets or panes are not in order"),
        (|it| it.counts.panes = vec![(2, 0, 1), (2, 0, 1)], "its buckets or panes are not in order"),
        (|it| it.counts.buckets = vec![(i64::MAX, 0)], "bucket 9223372036854775807 lies beyond all instants"),
        (|it| it.counts.panes = vec![(i64::MIN, 0, 1)], "pane -9223372036854775808 lies beyond all instants"),
        (|it| it.counts.buckets = vec![(1, u64::MAX), (2, 1)], "it has more connections than lines"),
        (|it| it.counts.panes = vec![(1, u64::MAX, 1), (2, 1, 1)], "it has more connections than lines"),
        (|it| it.counts.overflowed = 1, "it has more connections than lines"),
        (|it| it.counts.panes = vec![(1, 0, 0)], "a pane in it has no shards, or too many"),
        (|it| it.counts.panes = vec![(1, 0, 65)], "a pane in it has no shards, or too many"),
        (|it| it.next_input = 5, "the number of its next input does not follow"),
        (|it| it.next_input = 7, "the number of its next input does not follow"),
        (|it| it.next_input = u32::MAX, "the number of its next input does not follow"),
        (|it| it.counts.panes = vec![(1, 1, 1)], "it has more connections than lines"),
        (|it| it.files[0].id = InputId(3), "what it says of the file of input 3 cannot be"),
        (|it| it.files.push(it.files[0].clone()), "what it says of the file of input 2 cannot be"),
        (|it| drop(it.files.pop()), "it does not say which file input 5 is"),
        (|it| it.counts.numbers = 9, "it has 0 bytes for 9 names"),
    ];

    const FILES: [fn(&mut FileRecord); 18] = [
        |it| it.position = 1,
        |it| it.tail = Guard::of(b"x"),
        |it| it.lost = 1,
        |it| it.name.clear(),
        |it| it.name = vec![b'x'; 4097],
        |it| it.name.push(0),
        |it| it.modified.1 = 1_000_000_000,
        |it| it.start = vec![b'x'; 65],
        |it| it.start[0] = b'x',
        |it| it.start.truncate(2),
        |it| it.head.bytes = 1_025,
        |it| it.head.hash += 1,
        |it| it.missed = 1,
        |it| it.size_seen = u64::MAX,
        |it| it.active = Duration::MAX,
        |it| it.moved = Duration::MAX,
        |it| it.away = Duration::MAX,
        |it| (it.departed, it.away) = (true, Duration::from_secs(10)),
    ];

    fn read(header: &Snapshot) -> Result<Snapshot, String> {
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes).put(header).unwrap();
        let delays = Delays { lateness: 0, grace: 0 };
        Snapshot::read(&mut Decoder::new(&bytes[..], bytes.len() as u64), &delays).map_err(|error| error.to_string())
    }

    #[test]
    fn g5_a_header_that_no_run_saves_is_refused() {
        assert!(read(&good()).is_ok());
        for (at, (change, reason)) in FORGERIES.into_iter().enumerate() {
            let mut header = good();
            change(&mut header);
            let problem = read(&header).expect_err(reason);
            assert!(problem.starts_with(reason), "{at}: {problem}");
        }
        for (at, change) in FILES.into_iter().enumerate() {
            let mut header = good();
            change(&mut header.files[0]);
            assert_eq!(
                read(&header).expect_err("a forgery passed"),
                "what it says of the file of input 2 cannot be",
                "{at}"
            );
        }
    }
}
