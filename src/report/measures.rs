//! The sums of a report: their columns and cells, and what a ranking is by. The one place that knows how
//! measures are shown.
//!
//! Not here: which reports there are. Invariant: without measures a report has no column more, and ranks
//! by connections.

use super::context::ReportContext;
use crate::error::{Error, Result};
use crate::model::{Amount, Cell, Column, PerMeasure};
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
        let Some(by) = context.options.text("by").filter(|by| *by != CONNECTIONS) else {
            return Ok(Ranked::ByConnections);
        };
        match view.measures().iter().position(|name| name == by) {
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

    /// What it is called.
    pub fn name(&self) -> &str {
        match self {
            Ranked::ByConnections => CONNECTIONS,
            Ranked::ByMeasure(_, name) => name,
        }
    }
}

/// The column of connections.
const CONNECTIONS: &str = "connections";

/// Some columns with those of the sums behind them.
pub(super) fn with_sums<const N: usize>(columns: [Column; N], view: &Aggregates) -> Vec<Column> {
    columns.into_iter().chain(view.measures().iter().map(|name| Column::measure(name))).collect()
}

/// The cells of a row with those of its sums behind them.
pub(super) fn and_sums<const N: usize>(cells: [Cell; N], sums: &PerMeasure, view: &Aggregates) -> Vec<Cell> {
    cells.into_iter().chain((0..view.measures().len()).map(|at| Cell::Count(sums.get(at)))).collect()
}
