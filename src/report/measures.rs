//! The sums of a report, and the times at which its hosts were seen: their columns and cells, and what a
//! ranking is by. The one place that knows how measures are shown.
//!
//! Not here: which reports there are. Invariant: without measures a report has no column more, and ranks
//! by connections.

use super::context::ReportContext;
use super::entry::BY;
use super::ranking::titled;
use crate::error::{Error, Result};
use crate::model::{Amount, Cell, Column, MeasureSet, PerMeasure, SEEN, Timestamp};
use crate::tally::Aggregates;

/// What a ranking is by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ranked {
    /// Connections.
    ByConnections,
    /// A measure, by its place, and its name.
    ByMeasure(usize, String),
}

impl Ranked {
    /// As the option `by` of a report says.
    pub fn of(context: &ReportContext<'_>, view: &Aggregates) -> Result<Self> {
        let Some(by) = context.options.text(BY.name).filter(|by| *by != CONNECTIONS) else {
            return Ok(Ranked::ByConnections);
        };
        match sums(view).iter().position(|name| name == by) {
            Some(at) => Ok(Ranked::ByMeasure(at, by.to_owned())),
            None => Err(Error::report(context.name, format!("'{by}' is not summed; add --sum {by}"))),
        }
    }

    /// What an amount is ranked by.
    pub fn number(&self, amount: &Amount) -> u64 {
        match self {
            Ranked::ByConnections => amount.connections,
            Ranked::ByMeasure(at, _) => amount.sums.get(*at),
        }
    }

    /// The same of all that a window holds, whether it is known by its pair or not.
    pub fn whole(&self, view: &Aggregates) -> u64 {
        self.number(&Amount { connections: view.total(), sums: view.measured().sums })
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        match self {
            Ranked::ByConnections => CONNECTIONS,
            Ranked::ByMeasure(_, name) => name,
        }
    }

    /// A title: in the one that is for connections, `{}` stands for most or fewest, as the ranking goes;
    /// in the one that is for measures, for that and the name.
    pub fn title(&self, context: &ReportContext<'_>, by_connections: &str, by_measure: &str) -> String {
        match self {
            Ranked::ByConnections => titled(context, by_connections),
            Ranked::ByMeasure(_, name) => by_measure.replace("{}", &format!("{} {name}", titled(context, "{}"))),
        }
    }

    /// Puts what is listed by name in the order of this, if the report is asked what to rank by. Those
    /// alike stay in the order of their names.
    pub fn order<T>(&self, context: &ReportContext<'_>, list: &mut [T], amount: impl Fn(&T) -> Amount) {
        if context.options.text(BY.name).is_some() {
            list.sort_by_key(|item| std::cmp::Reverse(self.number(&amount(item))));
        }
    }
}

/// The column of connections.
const CONNECTIONS: &str = "connections";

/// Some columns with those of the sums behind them.
pub(super) fn with_sums(columns: impl IntoIterator<Item = Column>, view: &Aggregates) -> Vec<Column> {
    columns.into_iter().chain(sums(view).iter().map(|name| Column::measure(name))).collect()
}

/// The cells of a row with those of its sums behind them.
pub(super) fn and_sums(cells: impl IntoIterator<Item = Cell>, numbers: &PerMeasure, view: &Aggregates) -> Vec<Cell> {
    cells.into_iter().chain((0..sums(view).len()).map(|at| Cell::Count(numbers.get(at)))).collect()
}

/// Some columns with those of the sums and of the times behind them, of a report whose rows all have
/// connections.
pub(super) fn with_measures(columns: impl IntoIterator<Item = Column>, view: &Aggregates) -> Vec<Column> {
    let times = SEEN.into_iter().filter(|_| MeasureSet::of(view.measures()).has_times());
    with_sums(columns, view).into_iter().chain(times.map(Column::time)).collect()
}

/// The cells of a row with those of its sums and of its times behind them.
pub(super) fn and_measures(
    cells: impl IntoIterator<Item = Cell>,
    numbers: &PerMeasure,
    view: &Aggregates,
) -> Vec<Cell> {
    let mut row = and_sums(cells, numbers, view);
    if MeasureSet::of(view.measures()).has_times() {
        row.extend(numbers.seen().unwrap_or([Timestamp::MIN; 2]).map(Cell::Time));
    }
    row
}

/// The names of what is summed.
fn sums(view: &Aggregates) -> &[String] {
    &view.measures()[..MeasureSet::of(view.measures()).sums()]
}
