//! The fields of one line: their values, its stamp's text, and the hosts that they make.
//!
//! Not here: what a line has to be (`mapped`). Invariant: a value that stands for none is none,
//! whoever asks.

use super::bound::{Bound, BoundCondition, BoundTime, REPEATS};
use super::numbers::whole_number;
use super::template::SlotTemplate;
use crate::format::decimal::Decimal;
use crate::format::envelope::OpenedLine;
use crate::format::extract::{FieldPlace, Fields};
use crate::format::line::{HostRanges, NoRecord};
use crate::format::stamps::seconds;
use crate::model::Cause;

/// The message of a line, which an envelope may stand around.
#[inline(always)]
pub fn message<'a>(opened: &OpenedLine, line: &'a [u8], unescaped: &'a [u8]) -> &'a [u8] {
    opened.message.of(line, unescaped).unwrap_or_default()
}

/// The fields of the line that was read last.
pub struct LineFields<'a> {
    bound: &'a Bound,
    fields: &'a Fields,
    opened: &'a OpenedLine,
    line: &'a [u8],
    unescaped: &'a [u8],
    message: &'a [u8],
}

impl<'a> LineFields<'a> {
    /// Of what was found of a line.
    #[inline(always)]
    pub fn new(
        bound: &'a Bound,
        fields: &'a Fields,
        opened: &'a OpenedLine,
        unescaped: &'a [u8],
        line: &'a [u8],
    ) -> Self {
        LineFields { bound, fields, opened, line, unescaped, message: message(opened, line, unescaped) }
    }

    /// The value of a field; `None` if the line does not have it.
    #[inline(always)]
    pub fn get(&self, slot: usize) -> Option<&'a [u8]> {
        self.written(slot).filter(|value| !self.bound.fields.unset.has(value))
    }

    /// The text of a field, whatever it stands for.
    #[inline(always)]
    fn written(&self, slot: usize) -> Option<&'a [u8]> {
        match slot.checked_sub(self.bound.fields.slots()) {
            None => self.of_message(slot),
            Some(at) => self.of_envelope(at),
        }
    }

    /// The number of a field, as text. How many a line stands for is 1 here, and tells afterwards how
    /// often its numbers count.
    fn number(&self, slot: usize) -> Option<&'a [u8]> {
        if slot == self.bound.fields.slots() + REPEATS {
            return Some(b"1");
        }
        let value = self.written(slot)?;
        if self.bound.definition.numbers.zeros.iter().any(|zero| zero == value) && self.bound.knows_measure_of(slot) {
            return Some(b"0");
        }
        Some(value).filter(|value| !self.bound.fields.unset.has(value))
    }

    #[inline(always)]
    fn of_message(&self, slot: usize) -> Option<&'a [u8]> {
        if self.bound.fields.is_json && is_nested(self.message, self.fields.place(slot)) {
            return None;
        }
        self.fields.get(slot, self.message)
    }

    fn of_envelope(&self, at: usize) -> Option<&'a [u8]> {
        let place = match at {
            0 => self.opened.time,
            1 => self.opened.host,
            2 => self.opened.program,
            _ => self.opened.repeats,
        };
        place.of(self.line, self.unescaped)
    }

    /// Whether the line meets all conditions.
    #[inline(always)]
    pub fn meet(&self, all: &[BoundCondition]) -> bool {
        all.iter().all(|one| self.meets(one))
    }

    fn meets(&self, one: &BoundCondition) -> bool {
        one.condition.is_met(|at| one.slots[at].and_then(|slot| self.get(slot)))
    }

    /// The text of the stamp, and the nanoseconds that are to be added to it; `None` if there is no
    /// stamp. A text that does not stand in the line is made in `made`.
    #[inline(always)]
    pub fn stamp<'m>(&self, made: &'m mut Vec<u8>) -> Option<(&'m [u8], i64)>
    where
        'a: 'm,
    {
        // Each with its text, if that stands in the line.
        let found = |time: &'a BoundTime| match time.stamp.sole_field() {
            Some(slot) => self.get(slot).filter(|text| !text.is_empty()).map(|text| (time, Some(text))),
            None => {
                made.clear();
                time.stamp.write(|slot| self.get(slot), made).then_some((time, None))
            }
        };
        let (time, text) = self.bound.time.iter().find_map(found)?;
        let text = text.unwrap_or(made);
        let plus = match time.plus.and_then(|slot| self.get(slot)).filter(|plus| !plus.is_empty()) {
            Some(plus) => self.seconds(plus)?,
            None => 0,
        };
        Some((text, plus))
    }

    /// The nanoseconds that a number of seconds means; of finer ones, those that are whole.
    #[inline(always)]
    fn seconds(&self, text: &[u8]) -> Option<i64> {
        seconds(text).ok().or_else(|| {
            let number = if self.bound.fields.is_json { Decimal::scientific(text) } else { Decimal::plain(text) };
            number?.nanos()
        })
    }

    /// Appends the numbers of the line, where it begins, and its hosts.
    #[inline(always)]
    pub fn put_hosts(&self, at: usize, text: &mut Vec<u8>) -> Result<HostRanges, NoRecord> {
        self.put_numbers(text)?;
        text.extend_from_slice(&(at as u32).to_le_bytes());
        let [from, to] = &self.bound.hosts;
        let hosts = HostRanges { from: self.put_host(from, text)?, to: self.put_host(to, text)? };
        // Offsets have 32 bits: of a chunk that is as large as can be, texts may be longer than it.
        match u32::try_from(text.len()) {
            Ok(_) => Ok(hosts),
            Err(_) => Err(NoRecord::Malformed(Cause::TooLong)),
        }
    }

    /// Appends the numbers of the line. One that stands for several alike is a record only of formats that
    /// count these.
    #[inline(always)]
    fn put_numbers(&self, text: &mut Vec<u8>) -> Result<(), NoRecord> {
        let numbers = &self.bound.numbers;
        numbers.write(|slot| self.number(slot), text);
        if self.opened.repeats == FieldPlace::Absent {
            return Ok(());
        }
        let is_counted = numbers.weight == Some(self.bound.fields.slots() + REPEATS);
        let times = self.of_envelope(REPEATS).and_then(whole_number).filter(|_| is_counted);
        let times = times.ok_or(NoRecord::Malformed(Cause::NotOfTheForm))?;
        numbers.layout().repeat(text, times);
        Ok(())
    }

    /// Appends the first of a host's ways to be written of which all is there.
    #[inline(always)]
    fn put_host(&self, ways: &[SlotTemplate], text: &mut Vec<u8>) -> Result<(usize, usize), NoRecord> {
        let start = text.len();
        if !ways.iter().any(|way| self.put(way, text)) {
            return Err(NoRecord::Malformed(Cause::EmptyHost));
        }
        let end = text.len();
        if ends_early(&text[start..end]) {
            return Err(NoRecord::Malformed(Cause::Nul));
        }
        text.push(0);
        Ok((start, end))
    }

    #[inline(always)]
    fn put(&self, way: &SlotTemplate, text: &mut Vec<u8>) -> bool {
        if let Some(slot) = way.sole_field() {
            let value = self.get(slot).unwrap_or_default();
            text.extend_from_slice(value);
            return !value.is_empty();
        }
        let start = text.len();
        let is_there =
            way.write(|slot| self.get(slot), text) && (way.is_text() || !self.bound.fields.unset.has(&text[start..]));
        if !is_there {
            text.truncate(start);
        }
        is_there
    }
}

/// Whether a field of JSON is an object or a list, which is no text.
#[inline(always)]
fn is_nested(message: &[u8], place: FieldPlace) -> bool {
    // What was unescaped is a text, and so is what stands in quotes, whatever it begins with.
    let FieldPlace::Line(start, _) = place else { return false };
    let start = start as usize;
    matches!(message.get(start), Some(b'{' | b'[')) && (start == 0 || message[start - 1] != b'"')
}

/// In each byte, 1.
const ONES: u64 = u64::MAX / 255;

/// Whether a host has a byte in it that ends texts or lines: a zero, or a newline. Hosts are short, so
/// that a search which is made for long texts would take longer to begin.
#[inline(always)]
pub fn ends_early(host: &[u8]) -> bool {
    let has_zero = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes & (ONES << 7) != 0;
    let is_there = |bytes: u64| has_zero(bytes) || has_zero(bytes ^ (ONES * u64::from(b'\n')));
    let Some(last) = host.last_chunk() else {
        // All of them, behind others that end nothing.
        return is_there(host.iter().fold(ONES, |bytes, byte| bytes << 8 | u64::from(*byte)));
    };
    let (chunks, _) = host.as_chunks();
    chunks.iter().any(|chunk| is_there(u64::from_le_bytes(*chunk))) || is_there(u64::from_le_bytes(*last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_that_end_a_host_are_found(host in proptest::collection::vec(prop_oneof![8 => any::<u8>(), 1 => Just(0), 1 => Just(b'\n'), 20 => b'a'..=b'z'], 0..30)) {
            prop_assert_eq!(ends_early(&host), host.iter().any(|byte| [0, b'\n'].contains(byte)));
        }
    }
}
