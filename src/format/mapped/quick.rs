//! Lines of columns of which a stamp and two hosts are taken as they stand, and nothing else is asked.
//!
//! Most lines of such logs need no more than this. Not here: any line of which that can't be said at
//! once, which is read field by field (`line_fields`). Invariant: what is said is what reading it field
//! by field says.

use super::bound::{Bound, ZONES_APART};
use super::line_fields::ends_early;
use super::template::SlotTemplate;
use crate::format::envelope::Envelope;
use crate::format::extract::{Extractor, FewColumns};
use crate::format::line::HostRanges;
use crate::format::stamps::{StampScratch, seconds};
use crate::model::Timestamp;

/// The columns of a record: its stamp, what is to be added to it, who, to whom.
#[derive(Debug)]
pub struct QuickColumns {
    columns: FewColumns<4>,
    has_plus: bool,
}

/// Where the hosts of a line stand in it.
pub type QuickHosts = [(usize, usize); 2];

impl QuickColumns {
    /// For lines of an input, if it is one of those.
    pub fn of(bound: &Bound) -> Option<Self> {
        let Extractor::Columns(columns) = &bound.fields.extractor else { return None };
        let is_free = bound.conditions.form.is_empty() && bound.conditions.only.is_empty();
        let is_alone = bound.conditions.wanted.is_empty() && bound.numbers.layout().is_empty();
        let is_open = bound.definition.envelope == Envelope::None;
        let time = bound.time.first()?;
        let stamp = time.stamp.sole_field()?;
        let [from, to] = [0, 1].map(|side: usize| bound.hosts[side].first().and_then(SlotTemplate::sole_field));
        let slots = [stamp, time.plus.unwrap_or(stamp), from?, to?];
        let columns = FewColumns::of(columns, slots, bound.fields.last)?;
        (is_free && is_alone && is_open).then_some(QuickColumns { columns, has_plus: time.plus.is_some() })
    }

    /// The instant of a line, and where its hosts stand; `None` if it has to be read field by field.
    #[inline]
    pub fn read(
        &self,
        bound: &Bound,
        scratch: &mut StampScratch,
        line: &[u8],
        latest: Timestamp,
    ) -> Option<(Timestamp, QuickHosts)> {
        if bound.is_comment(line) {
            return None;
        }
        let [stamp, plus, from, to] = self.columns.find(line)?;
        let [stamp, plus] = [stamp, plus].map(|(start, end)| &line[start..end]);
        if stamp.is_empty() || bound.fields.unset.has(stamp) {
            return None;
        }
        let plus = match self.has_plus && !plus.is_empty() && !bound.fields.unset.has(plus) {
            true => seconds(plus).ok()?,
            false => 0,
        };
        let unclear = scratch.unclear;
        let time = bound.stamps.read(stamp, latest.plus(ZONES_APART), scratch).ok()?;
        let Some(time) = time.checked_plus(plus) else {
            // It is read once more, and is not unclear twice.
            scratch.unclear = unclear;
            return None;
        };
        Some((time, [from, to]))
    }

    /// Appends where the line begins, and its hosts; `None` if they are not such as most are.
    #[inline]
    pub fn put_hosts(
        bound: &Bound,
        line: &[u8],
        hosts: QuickHosts,
        at: usize,
        text: &mut Vec<u8>,
    ) -> Option<HostRanges> {
        let [from, to] = hosts.map(|(start, end)| &line[start..end]);
        if [from, to].into_iter().any(|host| host.is_empty() || bound.fields.unset.has(host) || ends_early(host)) {
            return None;
        }
        text.reserve(size_of::<u32>() + from.len() + to.len() + 2);
        text.extend_from_slice(&(at as u32).to_le_bytes());
        let mut put = |host: &[u8]| {
            let start = text.len();
            text.extend_from_slice(host);
            text.push(0);
            (start, start + host.len())
        };
        let ranges = HostRanges { from: put(from), to: put(to) };
        u32::try_from(text.len()).is_ok().then_some(ranges)
    }
}
