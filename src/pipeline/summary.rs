//! How a run went: its balance sheets, what was lost, and what there is to say.
//!
//! Not here: how any of it is put to people (`cli`). Invariant: the exit code follows from what is
//! in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::actor::Outcome;
use crate::error::Error;
use crate::format::foreign::LineKind;
use crate::model::balance::Rejected;
use crate::model::loss::losses;
use crate::model::{Balance, InputId, Loss, MeasureTotal, Traces};
use crate::stage::aggregator::Aggregator;
use crate::stage::aggregator::following::standing::Standing;
use crate::stage::firsts::FirstLines;
use crate::stage::reporter::Missed;
use crate::stage::stats::MeasuredStamps;
use crate::stage::{InputNames, filter};

/// How a run went.
#[derive(Debug)]
#[non_exhaustive]
pub struct Summary {
    /// How it ended.
    pub outcome: Outcome,
    /// One sheet for each aggregator, in the order of the plan.
    pub sheets: Vec<Sheet>,
    /// What was measured of stamps, for each time-filter that was asked to measure it.
    pub stamps: Vec<(String, MeasuredStamps)>,
    /// Inputs that could not be read, in whole or in part.
    pub failures: Vec<Error>,
    /// What people should know though nothing failed.
    pub warnings: Vec<String>,
    /// What may have been meant by a host that was asked about and is nowhere.
    pub hints: Vec<String>,
    /// What is said of fields that were asked for by name and that no record has, of those looked at.
    pub unseen: Vec<String>,
    /// How the lines begin, and whether any of them is a record.
    pub first_lines: FirstLines,
    /// The inputs that have lines and no record, while others have one.
    pub strangers: Vec<Stranger>,
    /// What there is to say if nothing was counted.
    pub missed: Vec<Missed>,
    /// Whether it was interrupted: what had been read is reported.
    pub interrupted: bool,
    /// Whether it followed its inputs.
    pub follows: bool,
}

/// Lines of which none is a record.
#[derive(Debug, Clone, Copy)]
pub struct Foreign {
    /// How many.
    pub lines: u64,
    /// Whether they are all that there are, or the first.
    pub all: bool,
    /// What they look like.
    pub kind: LineKind,
}

/// An input without a record, while others have records.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Stranger {
    /// Its name.
    pub input: String,
    /// What its lines look like, if that is known: it is of the first few.
    pub kind: Option<LineKind>,
}

impl Foreign {
    fn among(sheets: &[Sheet], first_lines: &FirstLines) -> Option<Self> {
        let sum = |of: fn(&Balance) -> u64| sheets.iter().map(|sheet| of(&sheet.balance)).sum::<u64>();
        let lines = sum(|balance| balance.lines_read - balance.blank);
        let others = sum(|balance| balance.counted + balance.late);
        if lines == 0 || others > 0 || sheets.iter().any(|sheet| sheet.before.lines_read > 0) {
            return None;
        }
        let kind = first_lines.kind();
        // Headers and comments beside lines that are malformed make no log.
        let records = sum(|balance| balance.out_of_window + balance.future + balance.filtered);
        let malformed = sum(Balance::malformed_total);
        let is_whole = sum(|balance| balance.bytes_skipped) == 0;
        let has_record = first_lines.has_record && !(is_whole && records == 0 && malformed > 0);
        // Of several inputs, records may be those of the others.
        let by_accident = kind.is_binary && sheets.iter().all(|sheet| sheet.balance.inputs == 1);
        match (has_record, by_accident) {
            (false, _) => Some(Foreign { lines, all: true, kind }),
            (true, true) => Some(Foreign { lines: first_lines.heads.len() as u64, all: false, kind }),
            (true, false) => None,
        }
    }
}

/// The balance sheet of one aggregator.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Sheet {
    /// The aggregator's name in the graph.
    pub stage: String,
    /// The sheet.
    pub balance: Balance,
    /// The first malformed lines, with the names of their inputs.
    pub rejected: Vec<(String, Rejected)>,
    /// What is known of other losses.
    pub traces: Traces,
    /// The names of the inputs in which `traces` has places.
    pub names: BTreeMap<InputId, String>,
    /// The sheet that the run went on from: losses in it were told by the run before. `rejected`
    /// and `traces` are of this run.
    pub before: Balance,
    /// Lines that were to be kept in a file and are not in it, by class.
    pub unkept: BTreeMap<Loss, u64>,
    /// What the measures come to.
    pub measures: Vec<MeasureTotal>,
    /// Lines that should say how many connections they stand for, and do not.
    pub unweighted: u64,
}

impl Sheet {
    /// The classes that lost something in this run, each with how many of them.
    pub fn losses(&self) -> Vec<(Loss, u64)> {
        let new = |(loss, count): (Loss, u64)| (loss, count.saturating_sub(loss.count(&self.before)));
        losses(&self.balance).into_iter().map(new).filter(|(_, count)| *count > 0).collect()
    }
}

/// The sheets of a run, which can be had while it goes on, and after.
#[derive(Clone)]
pub struct Sheets {
    pub(super) aggregators: Vec<(String, Aggregator)>,
    pub(super) filters: Vec<(String, Arc<filter::FilterShared>)>,
    pub(super) names: Arc<InputNames>,
}

impl Sheets {
    /// Where a run that follows stands, once it has counted what was there and no result has come
    /// of it.
    pub fn standing(&self) -> Option<Standing> {
        self.aggregators.iter().find_map(|(_, aggregator)| aggregator.standing())
    }

    /// If there were lines so far and none was a record, other than by accident: how many, and what
    /// they look like.
    pub fn foreign(&self) -> Option<Foreign> {
        Foreign::among(&self.now(), &self.first_lines())
    }

    /// How the lines begin that were seen so far.
    pub(super) fn first_lines(&self) -> FirstLines {
        let seen = self.filters.iter().map(|(_, filter)| filter.firsts.seen());
        seen.reduce(FirstLines::join).unwrap_or_default()
    }

    /// One sheet for each aggregator, in the order of the plan, as of now.
    pub fn now(&self) -> Vec<Sheet> {
        let named = |line: Rejected| (self.names.get(line.input), line);
        // Where there are several time-filters, nobody knows whose lines a sheet lacks: it may be
        // any of them.
        let unkept = |loss| (loss, self.filters.iter().map(|(_, filter)| filter.unkept(loss)).sum());
        let unkept = BTreeMap::from([Loss::Malformed, Loss::Late].map(unkept));
        let sheet = |(stage, aggregator): &(String, Aggregator)| {
            let (balance, rejected, traces) = aggregator.counting.sheet();
            let names = traces.inputs().map(|input| (input, self.names.get(input))).collect();
            let rejected = rejected.into_iter().map(named).collect();
            let before = aggregator.counting.before.clone();
            let (measures, unweighted) =
                (aggregator.counting.measures.totals(), aggregator.counting.measures.unweighted());
            let (stage, unkept) = (stage.clone(), unkept.clone());
            Sheet { stage, balance, rejected, traces, names, before, unkept, measures, unweighted }
        };
        self.aggregators.iter().map(sheet).collect()
    }
}

impl Summary {
    /// The exit code: 0 if all went well, and some line was a record if there was any; else that of
    /// the error.
    pub fn exit_code(&self) -> u8 {
        match &self.outcome {
            Outcome::Done | Outcome::DownstreamClosed if self.failures.is_empty() && self.foreign().is_none() => 0,
            Outcome::Failed(error) => error.exit_code(),
            _ => 1,
        }
    }

    /// If there were lines and none was a record, other than by accident: how many, and what they
    /// look like.
    pub fn foreign(&self) -> Option<Foreign> {
        // Nobody knows what would still have come in a run that was interrupted, except one that
        // follows: it ends in no other way.
        if self.interrupted && !self.follows { None } else { Foreign::among(&self.sheets, &self.first_lines) }
    }

    /// Whether nothing could be read, the cause of which has been told, so that there is no more to
    /// say.
    pub fn is_unread(&self) -> bool {
        (!self.failures.is_empty() || self.error().is_some())
            && self.sheets.iter().all(|sheet| sheet.balance.is_unread())
    }

    /// Whether those who got the results had enough, such as `head`: what was not read then is no
    /// loss to them.
    pub fn had_enough(&self) -> bool {
        matches!(self.outcome, Outcome::DownstreamClosed)
    }

    /// The error that ended the run, if one did.
    pub fn error(&self) -> Option<&Error> {
        match &self.outcome {
            Outcome::Failed(error) | Outcome::Panicked(error) => Some(error),
            _ => None,
        }
    }
}
