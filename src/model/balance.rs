//! The balance sheet: every line and every byte of a run, accounted for.
//!
//! Invariant (`Balance::check`): lines read = counted + filtered + out of window + late + future +
//! malformed + other + blank, and at the end of a run bytes read + skipped + unread = bytes in the inputs.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use super::span::InputId;

/// Why a line is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Cause {
    /// The timestamp is none.
    BadStamp,
    /// The line ends after the stamp or after one host.
    TooFewFields,
    /// Something follows the second host.
    TooManyFields,
    /// A separator announces a host, and none follows.
    EmptyHost,
    /// A zero byte or a newline in a host: a name would end there wherever it is kept. A newline can only
    /// come from an escape, as formats other than `plain` have them.
    Nul,
    /// The line is longer than the limit.
    TooLong,
    /// The line has not the form of its format.
    NotOfTheForm,
    /// There is no timestamp where it should be.
    NoStamp,
    /// The line is a part of a longer one, which was cut where it was logged.
    PartOfLine,
}

impl Cause {
    /// All causes, in the order in which they are listed.
    pub const ALL: [Cause; 9] = [
        Cause::BadStamp,
        Cause::TooFewFields,
        Cause::TooManyFields,
        Cause::EmptyHost,
        Cause::Nul,
        Cause::TooLong,
        Cause::NotOfTheForm,
        Cause::NoStamp,
        Cause::PartOfLine,
    ];

    /// The name in messages and in the rejects file.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::BadStamp => "bad timestamp",
            Cause::TooFewFields => "too few fields",
            Cause::TooManyFields => "too many fields",
            Cause::EmptyHost => "empty host",
            Cause::Nul => "zero byte or newline",
            Cause::TooLong => "line too long",
            Cause::NotOfTheForm => "not of the form",
            Cause::NoStamp => "no timestamp",
            Cause::PartOfLine => "part of a line",
        }
    }
}

/// Causes that lines of `plain` may have: the first ones.
pub(super) const OF_PLAIN: usize = 6;

/// Malformed lines by cause, as a saved state has them.
mod causes_of_plain {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Cause, OF_PLAIN};

    type Counts = [u64; Cause::ALL.len()];

    pub fn serialize<S: Serializer>(counts: &Counts, to: S) -> Result<S::Ok, S::Error> {
        let first: [u64; OF_PLAIN] = std::array::from_fn(|cause| counts[cause]);
        first.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Counts, D::Error> {
        let first = <[u64; OF_PLAIN]>::deserialize(from)?;
        Ok(std::array::from_fn(|cause| first.get(cause).copied().unwrap_or_default()))
    }
}

/// A malformed line, for showing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// The input it stands in.
    pub input: InputId,
    /// The byte of the input at which the line begins.
    pub at: u64,
    /// What is wrong with it.
    pub cause: Cause,
    /// The start of the line.
    pub head: Vec<u8>,
}

/// Bytes of an over-long line that are kept, for showing and for the rejects file; no more than the
/// limit that it passed, so that they are the same wherever the line was noticed.
pub const OVERSIZED_HEAD: usize = 256;

/// How many malformed lines a run shows.
pub const SHOWN_REJECTED: usize = 5;

/// Bytes of a malformed line that are kept for showing.
pub const SHOWN_BYTES: usize = 80;

/// Counts of lines by what became of them, and of bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Balance {
    /// Lines found by the splitter, malformed and blank ones included.
    pub lines_read: u64,
    /// Records in the window (in periodic runs: in any window).
    pub counted: u64,
    /// Of those, records whose pair is not known, as there was no memory for it.
    pub overflowed: u64,
    /// Lines with a stamp outside the window. Their hosts are not looked at.
    pub out_of_window: u64,
    /// Records later than the declared disorder. Only in periodic runs.
    pub late: u64,
    /// Lines with a stamp beyond now and the tolerance. Their hosts are not looked at.
    pub future: u64,
    /// Malformed lines by cause, as `Cause::ALL` lists them. A saved state, which is of `plain`, has
    /// those that its lines may have.
    #[serde(with = "causes_of_plain")]
    pub malformed: [u64; Cause::ALL.len()],
    /// Lines with nothing but white space.
    pub blank: u64,
    /// Records in the window that do not meet the conditions that were asked for. No part of a saved
    /// state.
    #[serde(skip)]
    pub filtered: u64,
    /// Lines that the format knows to be no records: headers, comments, events of another kind.
    /// No part of a saved state.
    #[serde(skip)]
    pub other: u64,
    /// Bytes read and counted.
    pub bytes_read: u64,
    /// Bytes that were not read since they cannot hold the window.
    pub bytes_skipped: u64,
    /// Bytes in the inputs; for a stream, the bytes that it gave.
    pub bytes_total: u64,
    /// Bytes that an error, an interrupt or a closed output kept from being read.
    pub bytes_unread: u64,
    /// Of the inputs that are compressed: the bytes that were decompressed into those read. What is
    /// saved does not have them.
    #[serde(skip)]
    pub bytes_compressed: u64,
    /// Files of which it is not known whether anything was gone before it was read, nor how much.
    /// No part of tallies, which are made of files that stay; a saved state has it beside its
    /// sheets.
    #[serde(skip)]
    pub unknown_losses: u64,
    /// Of the lines read, those without a newline: the last lines of some inputs.
    pub unterminated: u64,
    /// Inputs opened.
    pub inputs: u64,
    /// Results that were not written. As above, no part of tallies.
    #[serde(skip)]
    pub results_dropped: u64,
}

impl Balance {
    /// Counts a malformed line.
    pub fn reject(&mut self, cause: Cause) {
        self.malformed[cause as usize] += 1;
    }

    /// Malformed lines of all causes.
    pub fn malformed_total(&self) -> u64 {
        self.malformed.iter().sum()
    }

    /// Whether there was something to read and nothing of it could be, in a run that has come to
    /// its end by itself.
    pub fn is_unread(&self) -> bool {
        let taken = self.lines_read + self.bytes_read + self.bytes_skipped;
        taken == 0 && (self.bytes_unread > 0 || self.inputs == 0)
    }

    /// Lines that are in some class.
    pub fn lines_classified(&self) -> u64 {
        let Balance { counted, filtered, out_of_window, late, future, other, blank, .. } = self;
        counted + filtered + out_of_window + late + future + self.malformed_total() + other + blank
    }

    /// The same of a sheet that was read from somewhere, whose figures may be anything: `None` if
    /// the sum does not fit.
    pub fn lines_claimed(&self) -> Option<u64> {
        let Balance { counted, filtered, out_of_window, late, future, malformed, other, blank, .. } = self;
        let classes = [counted, filtered, out_of_window, late, future, other, blank].into_iter().chain(malformed);
        classes.copied().try_fold(0u64, u64::checked_add)
    }

    /// Whether the figures of a sheet that was read from somewhere fit together: then so do their
    /// sums.
    pub fn is_sound(&self) -> bool {
        let parts = [self.bytes_read, self.bytes_skipped, self.bytes_unread];
        self.lines_claimed() == Some(self.lines_read)
            // Records of the window before overflow too, and are not among those counted.
            && self.overflowed <= self.lines_read
            && self.unterminated <= self.lines_read
            && parts.into_iter().try_fold(0u64, u64::checked_add) == Some(self.bytes_total)
    }

    /// Adds another sheet; `None` if a sum of lines or bytes has more than 64 bits. Both are sound,
    /// so no other figure is larger than these three.
    pub fn checked_add(&self, other: &Balance) -> Option<Balance> {
        for (mine, theirs) in
            [(self.lines_read, other.lines_read), (self.bytes_total, other.bytes_total), (self.inputs, other.inputs)]
        {
            mine.checked_add(theirs)?;
        }
        let mut sum = self.clone();
        sum += other;
        Some(sum)
    }

    /// Whether the sheet of a finished run adds up; errors with what does not.
    pub fn check(&self) -> Result<(), String> {
        if self.lines_read != self.lines_classified() {
            return Err(format!("{} lines read, {} accounted for", self.lines_read, self.lines_classified()));
        }
        if self.bytes_read + self.bytes_skipped + self.bytes_unread != self.bytes_total {
            return Err(format!(
                "{} bytes read, {} skipped and {} unread of {}",
                self.bytes_read, self.bytes_skipped, self.bytes_unread, self.bytes_total
            ));
        }
        Ok(())
    }
}

impl AddAssign<&Balance> for Balance {
    fn add_assign(&mut self, other: &Balance) {
        // Taken apart in full, so that a new field cannot be forgotten here.
        let Balance {
            lines_read,
            counted,
            overflowed,
            out_of_window,
            late,
            future,
            malformed,
            blank,
            filtered,
            other,
            bytes_read,
            bytes_skipped,
            bytes_total,
            bytes_unread,
            bytes_compressed,
            unknown_losses,
            unterminated,
            inputs,
            results_dropped,
        } = other;
        self.lines_read += lines_read;
        self.counted += counted;
        self.overflowed += overflowed;
        self.out_of_window += out_of_window;
        self.late += late;
        self.future += future;
        for (mine, theirs) in self.malformed.iter_mut().zip(malformed) {
            *mine += theirs;
        }
        self.blank += blank;
        self.filtered += filtered;
        self.other += other;
        self.bytes_read += bytes_read;
        self.bytes_skipped += bytes_skipped;
        self.bytes_total += bytes_total;
        self.bytes_unread += bytes_unread;
        self.bytes_compressed += bytes_compressed;
        self.unknown_losses += unknown_losses;
        self.unterminated += unterminated;
        self.inputs += inputs;
        self.results_dropped += results_dropped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_line_and_a_missing_byte_are_noticed() {
        let good = Balance { lines_read: 3, counted: 2, blank: 1, bytes_read: 9, bytes_total: 9, ..Balance::default() };
        assert_eq!(good.check(), Ok(()));
        assert!(Balance { lines_read: 4, ..good.clone() }.check().is_err());
        assert!(Balance { bytes_total: 10, ..good }.check().is_err());
    }

    #[test]
    fn g5_a_sheet_that_wraps_is_not_sound() {
        let good = Balance { lines_read: 3, counted: 2, blank: 1, bytes_read: 9, bytes_total: 9, ..Balance::default() };
        assert!(good.is_sound());
        for bad in [
            Balance { counted: u64::MAX, late: 3, ..good.clone() },
            Balance { malformed: [1 << 63, 1 << 63, 0, 0, 0, 0, 0, 0, 0], ..good.clone() },
            Balance { bytes_unread: u64::MAX, bytes_skipped: 1, ..good.clone() },
            Balance { overflowed: 4, ..good.clone() },
            Balance { unterminated: 4, ..good.clone() },
        ] {
            assert!(!bad.is_sound(), "{bad:?}");
        }
        let most = Balance { lines_read: u64::MAX, blank: u64::MAX, ..Balance::default() };
        assert!(most.is_sound() && most.checked_add(&good).is_none());
        assert!(good.checked_add(&Balance { inputs: u64::MAX, ..Balance::default() }).is_some());
        assert_eq!(good.checked_add(&good).map(|sum| (sum.lines_read, sum.bytes_total)), Some((6, 18)));
    }

    #[test]
    fn causes_are_listed_in_the_order_of_their_counters() {
        for (at, cause) in Cause::ALL.into_iter().enumerate() {
            assert_eq!(cause as usize, at);
        }
    }
}
