//! Whether a header that was read is one that this program writes: a checksum says that nothing
//! changed by accident, and not who wrote it.
//!
//! Invariant: what passes can be added up, laid on its window and shown without any number leaving
//! its 64 bits, and takes memory for no more than its file holds.

use super::header::{First, LineOrder, MalformedSample, Piece, Provenance, Question, Share, TalliesHeader};
use crate::format;
use crate::model::Cause;
use crate::model::balance::{Balance, SHOWN_BYTES, SHOWN_REJECTED};
use crate::model::escape::printable;
use crate::model::window::once_buckets;

/// The most bytes that a line may have.
const MAX_LINE: u64 = 1 << 30;

/// The most bytes that the name of an input may have.
const MAX_NAME: usize = 1 << 16;

/// Bytes of the name of a format that are shown.
const MAX_SHOWN: usize = 40;

/// Digits of a build id: 64 bits, in hexadecimal.
const BUILD_DIGITS: usize = 16;

impl TalliesHeader {
    /// Whether it agrees with itself; errors with what does not. A file that is as it was written
    /// does.
    pub fn check(&self) -> Result<(), String> {
        let TalliesHeader { question, inputs, buckets, overflow, lines, samples, made, numbers: _ } = self;
        check_question(question)?;
        self.check_numbers()?;
        for pair in inputs.windows(2) {
            if pair[0].name >= pair[1].name {
                return Err("its inputs are not in order".to_owned());
            }
        }
        inputs.iter().try_for_each(check_share)?;
        if self.total_size().is_none() {
            return Err("its inputs have more bytes than a number can say".to_owned());
        }
        let (_, last) = once_buckets(&question.window(), question.grouping);
        if buckets.last_key_value().is_some_and(|(bucket, _)| i64::try_from(*bucket).map_or(true, |it| it > last)) {
            return Err("it has connections behind the end of its window".to_owned());
        }
        if buckets.values().any(|count| *count == 0) {
            return Err("it has a bucket without connections".to_owned());
        }
        let connections = buckets.values().try_fold(0u64, |sum, count| sum.checked_add(*count));
        // A line may stand for several connections, if the file says so.
        let is_as_many = |mine: u64, lines: u64| if self.is_weighted() { mine >= lines } else { mine == lines };
        if !connections.is_some_and(|connections| is_as_many(connections, lines.counted)) {
            return Err("its buckets do not add up to the records that it counted".to_owned());
        }
        let Balance { bytes_read, bytes_skipped, bytes_total, bytes_unread, inputs: opened, .. } = *lines;
        if !lines.is_sound() || (bytes_read, bytes_skipped, bytes_total, bytes_unread, opened) != (0, 0, 0, 0, 0) {
            return Err("its lines do not add up".to_owned());
        }
        if !is_as_many(*overflow, lines.overflowed) {
            return Err("its lines and its connections without a pair are not as many".to_owned());
        }
        self.check_samples(samples)?;
        made.as_ref().map_or(Ok(()), |made| self.check_made(made))
    }

    /// Whether pairs with these numbers of connections, in the window and in the one before it, are
    /// those that it counted.
    pub(super) fn check_pairs(&self, [window, before]: [u64; 2]) -> Result<(), String> {
        let without = self.connections().checked_sub(window);
        // Of the window before, no more is known than that its records are outside of the window.
        let most = if self.question.previous { self.lines.out_of_window.checked_sub(before) } else { Some(0) };
        let rest = without.and_then(|without| self.overflow.checked_sub(without));
        match rest.zip(most) {
            Some((rest, most)) if rest <= most => Ok(()),
            // Of lines that stand for several connections, nobody knows how many are in the window before.
            Some((rest, _)) if self.is_weighted() && (rest == 0 || self.question.previous) => Ok(()),
            None if self.is_weighted() && rest.is_some() && self.question.previous => Ok(()),
            _ => Err("its pairs, and its connections without one, do not add up to its connections".to_owned()),
        }
    }

    fn check_made(&self, Provenance { build, firsts }: &Provenance) -> Result<(), String> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if build.len() != BUILD_DIGITS || !build.bytes().all(is_digit) {
            return Err("the build that it is from has no id".to_owned());
        }
        let is_good = |First { loss, input, at, head }: &First| {
            loss.count(&self.lines) > 0 && self.is_place(input, *at) && head.len() <= SHOWN_BYTES
        };
        match firsts.is_sorted_by(|one, other| one.loss < other.loss) && firsts.iter().all(is_good) {
            true => Ok(()),
            false => Err("the first lines of its losses are not those of its inputs".to_owned()),
        }
    }

    fn is_place(&self, input: &[u8], at: u64) -> bool {
        let found = self.inputs.binary_search_by(|share| share.name[..].cmp(input));
        found.is_ok_and(|found| at <= self.inputs[found].size)
    }

    fn check_samples(&self, samples: &[MalformedSample]) -> Result<(), String> {
        let is_good =
            |sample: &MalformedSample| self.is_place(&sample.input, sample.at) && sample.head.len() <= SHOWN_BYTES;
        // Two files may know of lines at one place: that is no reason to refuse what both are
        // together.
        let is_in_order = samples.is_sorted();
        let of = |cause| samples.iter().filter(|sample| sample.cause == cause).count() as u64;
        if samples.len() > SHOWN_REJECTED
            || Cause::ALL.into_iter().any(|cause| of(cause) > self.lines.malformed[cause as usize])
            || !is_in_order
            || !samples.iter().all(is_good)
        {
            return Err("its malformed lines are not those of its inputs".to_owned());
        }
        Ok(())
    }
}

fn check_question(question: &Question) -> Result<(), String> {
    let Question { start, end, grouping, previous: _, format, max_line, lateness } = question;
    if start > end || end.nanos().checked_sub(start.nanos()).is_none() {
        return Err("its window does not end behind its start".to_owned());
    }
    if *grouping <= 0 || *lateness < 0 {
        return Err("a length of time in it is below 0, or the grain is not above it".to_owned());
    }
    if !(1..=MAX_LINE).contains(max_line) {
        return Err(format!("its lines may have {max_line} bytes, which is beyond the limit of the format"));
    }
    if !format::is_identity(format) {
        let shown = printable(&format.as_bytes()[..format.len().min(MAX_SHOWN)]);
        return Err(format!(
            "its log format '{shown}' is none of those that this logparser reads (logparser formats lists them)"
        ));
    }
    Ok(())
}

fn check_share(share: &Share) -> Result<(), String> {
    if share.name.is_empty() || share.name.len() > MAX_NAME || share.name.contains(&0) {
        return Err("an input in it has no name, too long a one, or one that no file has".to_owned());
    }
    let (mut end, mut before) = (0, None);
    for Piece { from, to, skipped, order } in &share.pieces {
        if *from < end || to <= from || *to > share.size {
            return Err(format!("its bytes of {} overlap, or there are none of a piece", share.printable()));
        }
        if before == Some((*from, *skipped)) {
            return Err(format!("pieces of {} that touch are not one", share.printable()));
        }
        if let LineOrder::Seen(Some((lowest, highest, disorder))) = order
            && (lowest > highest || *disorder < 0 || i128::from(*disorder) > span(lowest.nanos(), highest.nanos()))
        {
            return Err(format!("what it says of the order of {} cannot be", share.printable()));
        }
        (end, before) = (*to, Some((*to, *skipped)));
    }
    Ok(())
}

fn span(lowest: i64, highest: i64) -> i128 {
    i128::from(highest) - i128::from(lowest)
}
