//! What the measures of a run come to, in all: the one place that adds what lines say, so that no sum
//! leaves its 64 bits unseen.
//!
//! Not here: sums by bucket and pair (`tally`), all of which are parts of these. Invariant: what is
//! counted has been added here before.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::batch::{Record, Records};
use crate::error::{Error, ErrorKind, Result};
use crate::format::RecordLayout;
use crate::model::{Amount, MeasureSet, MeasureTotal, RunTotal};
use crate::ops::close::Windows;
use crate::stage::InputNames;

/// The measures of a run.
pub struct RunMeasures {
    names: Arc<[String]>,
    inputs: Arc<InputNames>,
    /// Records that are in none of them serve to compare with, and are not told of.
    windows: Windows,
    total: Mutex<RunTotal>,
}

impl RunMeasures {
    /// Measures of these names, which come to so much already.
    pub fn new(names: Arc<[String]>, inputs: Arc<InputNames>, windows: Windows, total: RunTotal) -> Self {
        RunMeasures { names, inputs, windows, total: Mutex::new(total) }
    }

    /// None, for tests.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        use crate::model::{Timestamp, Window};
        let windows = Windows::Once(Window { start: Timestamp::MIN, end: Timestamp::MAX, end_inclusive: true });
        RunMeasures::new([].into(), Arc::default(), windows, RunTotal::default())
    }

    /// What is known of the records of a batch, beside their hosts.
    pub(super) fn layout(&self, batch: &Records) -> RecordLayout {
        batch.record_layout().with_times(MeasureSet::of(&self.names).has_times())
    }

    /// Takes in what the records of a batch come to, before they are counted. Errors with the first
    /// record with which a sum has more than 64 bits.
    pub(super) fn take(&self, records: &[Record], batch: &Records) -> Result<()> {
        let mut total = self.total.lock();
        let layout = self.layout(batch);
        total.is_weighted |= layout.is_weighted();
        for record in records {
            let numbers = batch.numbers(layout, record);
            let sums = total.amount.sums.checked_plus(&numbers.amount.sums);
            let connections = total.amount.connections.checked_add(numbers.amount.connections);
            match (sums, connections) {
                (Ok(sums), Some(connections)) if !numbers.is_beyond => {
                    total.amount = Amount { connections, sums };
                }
                (sums, _) => return Err(self.beyond(batch, record, sums.err())),
            }
            if self.windows.cover(record.time) {
                // No larger than what was added above.
                total.measured.sums += numbers.amount.sums;
                total.measured.missing += numbers.missing;
                total.more += numbers.amount.connections - 1;
                total.unweighted += u64::from(numbers.is_unweighted);
            }
        }
        Ok(())
    }

    fn beyond(&self, batch: &Records, record: &Record, measure: Option<usize>) -> Error {
        let place = batch.place_of(record);
        let what = match measure.and_then(|measure| self.names.get(measure)) {
            Some(name) => format!("the sum of {name} is"),
            None => "a sum, or the number of connections, is".to_owned(),
        };
        let input = self.inputs.get(place.input);
        let message = format!(
            "{input}: with the line at byte {} {what} more than a number of 64 bits can say; leave out that line with \
             --where, or count a shorter time",
            place.at
        );
        ErrorKind::Beyond(message).into()
    }

    /// The names.
    pub fn names(&self) -> &Arc<[String]> {
        &self.names
    }

    /// All that they come to.
    pub fn total(&self) -> RunTotal {
        *self.total.lock()
    }

    /// What they come to, each by its name.
    pub fn totals(&self) -> Vec<MeasureTotal> {
        MeasureTotal::all(&self.names, &self.total.lock().measured)
    }

    /// Lines that should say how many connections they stand for, and do not.
    pub fn unweighted(&self) -> u64 {
        self.total.lock().unweighted
    }

    /// Whether lines may stand for several connections.
    pub fn is_weighted(&self) -> bool {
        self.total.lock().is_weighted
    }
}
