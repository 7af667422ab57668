//! How a line of the common kind is written: where the parts of its stamp stand, and what is
//! between and behind them.
//!
//! Not here: what a stamp means (`alike`). Invariant: what is said fits the line that it was asked
//! of.

use super::fields::is_separator;

/// Digits that are read at once.
pub const READ: usize = 8;

/// The most digits before a point, or of a stamp that is read as a whole number.
const WHOLE: usize = 15;

/// How many digits a stamp without a point has that are its whole part, if it has more than can be
/// read as a whole number: seconds, from 2001 to 2286.
const SECONDS: usize = 10;

/// The most digits behind the whole part.
const FRACTION: usize = 9;

/// How many lines of a batch are asked how they are written.
const ASKED: usize = 8;

/// How a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineShape {
    /// Digits of the stamp's whole part, at least those that are read at once.
    pub whole: usize,
    /// Whether a point stands behind them.
    pub point: bool,
    /// Digits behind the whole part. Without a point they are those that are finer than seconds.
    pub fraction: usize,
    /// What stands behind the stamp.
    pub separator: u8,
    /// Bytes between the second host and the newline: one if the line ends with a carriage return.
    pub carriage: usize,
}

impl LineShape {
    /// How most of some lines are written: as the first of them that is of the common kind.
    pub fn first(lines: &[u8]) -> Option<Self> {
        let starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', lines).map(|newline| newline + 1));
        starts.take(ASKED).find_map(|start| LineShape::of(&lines[start..]))
    }

    /// How the line that `text` begins with is written.
    fn of(text: &[u8]) -> Option<Self> {
        let line = &text[..memchr::memchr(b'\n', text)?];
        let digits_at = |at: usize| line[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let digits = digits_at(0);
        let point = line.get(digits) == Some(&b'.');
        let (whole, fraction) = match digits {
            // The digits behind the point begin in the first half of the block of a stamp.
            READ..WHOLE if point => (digits, digits_at(digits + 1)),
            READ..=WHOLE if !point => (digits, 0),
            _ if !point => (SECONDS, digits.checked_sub(SECONDS)?),
            _ => return None,
        };
        let separator = *line.get(whole + usize::from(point) + fraction)?;
        let common = is_separator(separator) && fraction <= FRACTION && (fraction > 0 || !point);
        let carriage = usize::from(line.ends_with(b"\r"));
        common.then_some(LineShape { whole, point, fraction, separator, carriage })
    }

    /// Characters of the stamp.
    pub fn length(&self) -> usize {
        self.fraction_at() + self.fraction
    }

    /// Where the digits behind the whole part begin.
    pub fn fraction_at(&self) -> usize {
        self.whole + usize::from(self.point)
    }

    /// All digits of the stamp that tell its unit.
    pub fn digits(&self) -> usize {
        if self.point { self.whole } else { self.whole + self.fraction }
    }
}
