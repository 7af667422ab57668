//! Looks at the stamps of an input before, or beside, the run itself: the highest, the lowest.
//!
//! Not here: which bytes are looked at (`source/seek`, `pipeline/probe`). Invariant: a line counts
//! for its stamp only if it is a record as `select` judges it.

use crate::format::detect::{Detected, detect};
use crate::format::{FormatVisitor, Head, LineFormat, LineRules, NoRecord, Stamp, StampContext, UnclearStamps};
use crate::model::peaks::ENOUGH;
use crate::model::{Cause, Extent, Peaks, Timestamp};

use super::split::first_line;

/// A block of whole lines, and what has to be known of it to read them as the run does.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Where in the input they begin.
    pub from: u64,
    /// How its lines are read.
    pub rules: &'a LineRules,
}

impl Block<'_> {
    /// What the line `start..end` begins with; that is no stamp if it is too long.
    fn start<F: LineFormat>(&self, format: &F, scratch: &mut F::Scratch, start: usize, end: usize) -> Stamp {
        if end - start > self.rules.max_line {
            return Stamp::Bad(Cause::TooLong);
        }
        let skip = if start == 0 { first_line(self.bytes, self.from).min(end) } else { start };
        format.stamp(scratch, self.bytes, skip, end)
    }

    /// The stamp of the line `start..end`, if it has one, and where it ends.
    fn stamp<F: LineFormat>(
        &self,
        format: &F,
        scratch: &mut F::Scratch,
        start: usize,
        end: usize,
    ) -> Option<(Timestamp, usize)> {
        match self.start(format, scratch, start, end) {
            Stamp::At(time, at) => Some((time, at)),
            Stamp::Blank | Stamp::Other | Stamp::Bad(_) | Stamp::TooEarly(_) | Stamp::TooLate(_) => None,
        }
    }

    /// Calls `f` with where each line starts and ends, until it says that it has seen enough.
    fn each_line(&self, mut f: impl FnMut(usize, usize) -> bool) {
        let mut start = 0;
        while start < self.bytes.len() {
            let end = memchr::memchr(b'\n', &self.bytes[start..]).map_or(self.bytes.len(), |at| start + at);
            if !f(start, end) {
                return;
            }
            start = end + 1;
        }
    }
}

/// Whether any line of a block is of its format: a record, of whatever instant, the future and what is
/// beyond all instants included, or known to be of another kind.
pub fn has_record(block: Block<'_>) -> bool {
    struct Any<'a>(Block<'a>);
    impl FormatVisitor for Any<'_> {
        type Output = bool;
        fn visit<F: LineFormat>(self, format: &F) -> bool {
            let (mut found, mut scratch) = (false, F::Scratch::default());
            self.0.each_line(|start, end| {
                found = match self.0.start(format, &mut scratch, start, end) {
                    Stamp::At(_, at) | Stamp::TooEarly(at) | Stamp::TooLate(at) => {
                        let hosts = format.hosts(&mut scratch, self.0.bytes, at, end);
                        matches!(hosts, Ok(_) | Err(NoRecord::Filtered))
                    }
                    Stamp::Other => true,
                    Stamp::Blank | Stamp::Bad(_) => false,
                };
                !found
            });
            found
        }
    }
    block.rules.schema.visit(Any(block))
}

/// Whether the first line that is not blank is a record in any format.
pub fn begins_with_record(bytes: &[u8]) -> bool {
    let line = bytes.split_inclusive(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty());
    let is_plain = |line: &[u8]| has_record(Block { bytes: line, from: 0, rules: &LineRules::plain(line.len()) });
    let is_told = || matches!(detect(&Head::of(bytes, true), &StampContext::default()), Ok(Detected::Defined(_)));
    line.is_some_and(|line| is_plain(line) || is_told())
}

/// Calls `f` with the stamp of each line that has one, and a way to learn whether the rest of the
/// line is well-formed. Goes on for as long as `f` says so.
fn each_stamp<F: LineFormat>(
    format: &F,
    block: Block<'_>,
    mut f: impl FnMut(Timestamp, &mut dyn FnMut() -> bool) -> bool,
) {
    let mut scratch = F::Scratch::default();
    block.each_line(|start, end| match block.stamp(format, &mut scratch, start, end) {
        Some((time, at)) => f(time, &mut || {
            let is_record = format.hosts(&mut scratch, block.bytes, at, end).is_ok();
            // Nobody asks for the hosts themselves.
            F::take(&mut scratch);
            is_record
        }),
        None => true,
    });
}

/// Calls `f` with the stamp of each well-formed line.
pub fn each_record(block: Block<'_>, f: impl FnMut(Timestamp)) {
    struct Each<'a, F>(Block<'a>, F);
    impl<G: FnMut(Timestamp)> FormatVisitor for Each<'_, G> {
        type Output = ();
        fn visit<F: LineFormat>(mut self, format: &F) {
            each_stamp(format, self.0, |time, well_formed| {
                if well_formed() {
                    (self.1)(time);
                }
                true
            });
        }
    }
    block.rules.schema.visit(Each(block, f));
}

/// The stamps of the last well-formed lines in a block that are not in the future, as many as are
/// believed: where an input has come to, for choosing which to read next.
pub fn last_stamps(block: Block<'_>, future_after: Timestamp) -> Peaks {
    of_last(block, future_after, ENOUGH)
}

/// The stamp of the last well-formed line in a block.
pub fn last_stamp(block: Block<'_>) -> Option<Timestamp> {
    of_last(block, Timestamp::MAX, 1).highest()
}

/// The stamps of so many of the last well-formed lines in a block that are not in the future.
fn of_last(block: Block<'_>, future_after: Timestamp, most: usize) -> Peaks {
    struct Latest<'a>(Block<'a>, Timestamp, usize);
    impl FormatVisitor for Latest<'_> {
        type Output = Peaks;
        fn visit<F: LineFormat>(self, format: &F) -> Peaks {
            let bytes = self.0.bytes;
            let mut end = bytes.strip_suffix(b"\n").unwrap_or(bytes).len();
            let (mut peaks, mut found, mut scratch) = (Peaks::default(), 0, F::Scratch::default());
            while found < self.2 {
                let start = memchr::memrchr(b'\n', &bytes[..end]).map_or(0, |at| at + 1);
                if let Some((time, at)) = self.0.stamp(format, &mut scratch, start, end)
                    && time <= self.1
                    && format.hosts(&mut scratch, bytes, at, end).is_ok()
                {
                    peaks.add(time);
                    found += 1;
                }
                let Some(before) = start.checked_sub(1) else { break };
                end = before;
            }
            peaks
        }
    }
    block.rules.schema.visit(Latest(block, future_after, most))
}

/// Stamps in a block that clocks which were set make unclear.
pub fn unclear_stamps(block: Block<'_>) -> UnclearStamps {
    struct Unclear<'a>(Block<'a>);
    impl FormatVisitor for Unclear<'_> {
        type Output = UnclearStamps;
        fn visit<F: LineFormat>(self, format: &F) -> UnclearStamps {
            let (mut scratch, mut unclear) = (F::Scratch::default(), UnclearStamps::default());
            self.0.each_line(|start, end| {
                self.0.start(format, &mut scratch, start, end);
                unclear.add(F::take(&mut scratch).unclear);
                true
            });
            unclear
        }
    }
    block.rules.schema.visit(Unclear(block))
}

/// The extent of the stamps in a block of whole lines, those in the future aside.
pub fn extent(block: Block<'_>, future_after: Timestamp) -> Option<Extent> {
    struct MeasureExtent<'a>(Block<'a>, Timestamp);
    impl FormatVisitor for MeasureExtent<'_> {
        type Output = Option<Extent>;
        fn visit<F: LineFormat>(self, format: &F) -> Option<Extent> {
            let mut extent: Option<Extent> = None;
            each_stamp(format, self.0, |time, well_formed| {
                if time <= self.1 {
                    Extent::add(&mut extent, time, well_formed);
                }
                true
            });
            extent
        }
    }
    block.rules.schema.visit(MeasureExtent(block, future_after))
}

/// The highest stamp of an input that is not in the future, block by block.
#[derive(Debug, Clone, Copy)]
pub struct Highest {
    /// Stamps beyond this are in the future.
    pub future_after: Timestamp,
    /// The highest so far.
    pub found: Option<Timestamp>,
    /// The highest so far of lines that are malformed behind it, or well-formed.
    pub any: Option<Timestamp>,
}

/// The lowest stamp of an input that is not late, block by block.
#[derive(Debug, Clone, Copy)]
pub struct Lowest {
    /// Stamps beyond this are in the future.
    pub future_after: Timestamp,
    /// The declared disorder in nanoseconds.
    pub lateness: i64,
    /// How far a handful of stamps may lie ahead of all others and still make them late, in
    /// nanoseconds.
    pub max_jump: i64,
    /// The first and the last instant that count.
    pub bounds: (Timestamp, Timestamp),
    /// The highest stamps so far.
    pub peaks: Peaks,
    /// The lowest that counts so far.
    pub found: Option<Timestamp>,
}

impl Highest {
    /// Looks at a block of whole lines.
    pub fn look(&mut self, block: Block<'_>) {
        block.rules.schema.visit(StampLook { block, state: self });
    }
}

impl Lowest {
    /// Looks at a block of whole lines.
    pub fn look(&mut self, block: Block<'_>) {
        block.rules.schema.visit(StampLook { block, state: self });
    }

    /// Whether no lower stamp can come that is not late.
    pub fn is_settled(&self) -> bool {
        match (self.found, self.peaks.trusted(self.max_jump)) {
            (Some(lowest), Some(trusted)) => lowest <= trusted.minus(self.lateness),
            _ => false,
        }
    }

    fn note(&mut self, time: Timestamp, well_formed: &mut dyn FnMut() -> bool) -> bool {
        if time > self.future_after {
            return true;
        }
        let late = self.peaks.trusted(self.max_jump).is_some_and(|trusted| time < trusted.minus(self.lateness));
        let counts = !late && self.bounds.0 <= time && time <= self.bounds.1;
        let lower = counts && self.found.is_none_or(|found| time < found);
        if (lower || self.peaks.takes(time)) && well_formed() {
            self.found = if lower { Some(time) } else { self.found };
            self.peaks.add(time);
        }
        !self.is_settled()
    }
}

struct StampLook<'a, S> {
    block: Block<'a>,
    state: &'a mut S,
}

impl FormatVisitor for StampLook<'_, Highest> {
    type Output = ();
    fn visit<F: LineFormat>(self, format: &F) {
        each_stamp(format, self.block, |time, well_formed| {
            if Some(time) > self.state.found && time <= self.state.future_after {
                self.state.any = self.state.any.max(Some(time));
                if well_formed() {
                    self.state.found = Some(time);
                }
            }
            true
        });
    }
}

impl FormatVisitor for StampLook<'_, Lowest> {
    type Output = ();
    fn visit<F: LineFormat>(self, format: &F) {
        each_stamp(format, self.block, |time, well_formed| self.state.note(time, well_formed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SHORT: LineRules = LineRules::plain(20);
    static LONG: LineRules = LineRules::plain(40);

    const AT: fn(i64) -> Timestamp = Timestamp::from_seconds;

    /// A block at the start of an input.
    fn block(bytes: &[u8]) -> Block<'_> {
        Block { bytes, from: 0, rules: &SHORT }
    }

    #[test]
    fn each_stamp_tells_its_own_unit() {
        let text = b"0 a b\n1700000000000 a b\n1700000001 a b\n1700000002000000 a b\n";
        let found = extent(Block { rules: &LONG, ..block(text) }, AT(1_800_000_000)).unwrap();
        assert_eq!((found.lowest, found.highest, found.disorder), (AT(0), AT(1_700_000_002), 0));
    }

    #[test]
    fn a_record_is_one_whatever_its_instant_and_a_stamp_alone_is_none() {
        for record in
            ["5 a b", "-99999999999 a b", "99999999999999 a b", "9223372036854775807 a b", "\u{feff}1700000000 a b"]
        {
            assert!(has_record(Block { rules: &LONG, ..block(record.as_bytes()) }), "{record}");
            assert!(has_record(Block {
                from: 9,
                rules: &LONG,
                ..block(format!("x\n7\n{}\n", record.trim_start_matches('\u{feff}')).as_bytes())
            }));
        }
        for none in
            ["", "\n \n", "5 a\n", "5 a b c", "x a b", "99999999999999 a b c", "5 a-very-long-name b-and-another"]
        {
            assert!(!has_record(block(none.as_bytes())), "{none}");
        }
    }

    #[test]
    fn b5_a_byte_order_mark_hides_no_stamp() {
        let text = b"\xef\xbb\xbf1700000000000 a b\n";
        let last = last_stamps(block(text), AT(1_700_000_000));
        assert_eq!(last.highest(), Some(AT(1_700_000_000)));
        assert_eq!(last_stamps(Block { from: 7, ..block(text) }, AT(1_700_000_000)).highest(), None);
    }

    #[test]
    fn a_line_that_is_too_long_says_nothing() {
        let text = b"90 a-very-long-name b\n5 a b\n90 a-very-long-name b\n";
        assert_eq!(last_stamps(block(text), AT(1_700_000_000)).highest(), Some(AT(5)));
        let mut highest = Highest { future_after: Timestamp::MAX, found: None, any: None };
        highest.look(block(text));
        assert_eq!(highest.found, Some(AT(5)));
    }

    #[test]
    fn the_last_well_formed_lines_say_how_far_an_input_has_come() {
        let last = |text| last_stamps(block(text), AT(1_700_000_000));
        assert_eq!(last(b"5 a b\n7 a b\nbad\n\n").highest(), Some(AT(7)));
        assert_eq!(last(b"7 a b").highest(), Some(AT(7)));
        assert_eq!(last(b"5 a b\n1700000001 a b\n").highest(), Some(AT(5)));
        assert_eq!(last(b"").highest(), None);
        assert_eq!(last(b"\n").highest(), None);
        // As many as are believed, and no more: a stamp that has run ahead is no place to have come
        // to.
        let text = (0..20).map(|at| format!("{at} a b\n")).collect::<String>() + "9000 a b\nbad\n";
        assert_eq!(last(text.as_bytes()).trusted(crate::model::time::SECOND), Some(AT(19)));
        assert_eq!(last(text.as_bytes()).highest(), Some(AT(9000)));
        assert_eq!(last(&text.as_bytes()[..60]).trusted(0), Some(AT(9)));
    }

    #[test]
    fn malformed_and_future_lines_are_not_the_highest() {
        let mut highest = Highest { future_after: AT(100), found: None, any: None };
        highest.look(block(b"50 a b\n90 a\n101 a b\n70 a b\n"));
        assert_eq!(highest.found, Some(AT(70)));
    }

    #[test]
    fn the_lowest_is_settled_once_lower_ones_would_be_late() {
        let mut lowest = Lowest {
            future_after: AT(1000),
            lateness: 10 * crate::model::time::SECOND,
            max_jump: 0,
            bounds: (Timestamp::MIN, Timestamp::MAX),
            peaks: Peaks::default(),
            found: None,
        };
        lowest.look(block(b"50 a b\n45 a b\n40 a\n"));
        assert_eq!((lowest.found, lowest.is_settled()), (Some(AT(45)), false));
        lowest.look(block(b"55 a b\n1 a b\n"));
        assert_eq!((lowest.found, lowest.is_settled()), (Some(AT(45)), true));
    }
}
