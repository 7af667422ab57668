//! What a run offers to a report function.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::thread::{Builder, ScopedJoinHandle};

use crate::model::{Balance, Window};
use crate::options::Options;

/// Pairs below which regrouping in parallel costs more than it saves.
const WORTH_A_THREAD: usize = 1 << 16;

/// The options of this report, the window, the balance sheet, and the means to regroup in parallel.
pub struct ReportContext<'a> {
    /// The name by which the report was asked for.
    pub name: &'a str,
    /// The report's checked options.
    pub options: &'a Options,
    /// The window.
    pub window: Window,
    /// The balance sheet at this window.
    pub balance: &'a Balance,
    /// Threads that `regroup` may use.
    pub threads: NonZeroUsize,
}

impl ReportContext<'_> {
    /// Maps contiguous parts of `items` in parallel and folds the results in the order of the parts, so that the
    /// answer does not depend on the number of threads if `fold` is associative. `None` if there are no items.
    pub fn regroup<I: Sync, T: Send>(
        &self,
        items: &[I],
        map: impl Fn(&[I]) -> T + Sync,
        fold: impl Fn(T, T) -> T,
    ) -> Option<T> {
        let parts = self.threads.get().min(items.len().div_ceil(WORTH_A_THREAD));
        if parts <= 1 {
            return (!items.is_empty()).then(|| map(items));
        }
        let map = &map;
        let mapped: Vec<T> = std::thread::scope(|scope| {
            let start = |part| Builder::new().spawn_scoped(scope, move || map(part)).map_err(|_| part);
            let started: Vec<_> = items.chunks(items.len().div_ceil(parts)).map(start).collect();
            let finish = |started: std::result::Result<ScopedJoinHandle<'_, T>, _>| match started {
                Ok(worker) => worker.join().unwrap_or_else(|panic| resume_unwind(panic)),
                // A thread that cannot be had is only missed.
                Err(part) => map(part),
            };
            started.into_iter().map(finish).collect()
        });
        mapped.into_iter().reduce(fold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn regrouping_does_not_depend_on_the_number_of_threads() {
        let items: Vec<u64> = (0..(3 * WORTH_A_THREAD as u64 + 17)).collect();
        for threads in [1, 2, 3, 8] {
            let context = ReportContext {
                name: "test",
                options: &Options::default(),
                window: Window::closed(Timestamp::MIN, Timestamp::MAX),
                balance: &Balance::default(),
                threads: NonZeroUsize::new(threads).unwrap(),
            };
            let joined = context.regroup(&items, <[u64]>::to_vec, |a, b| [a, b].concat());
            assert_eq!(joined.as_deref(), Some(&items[..]), "{threads} threads");
            assert_eq!(context.regroup(&[] as &[u64], <[u64]>::len, |a, b| a + b), None);
        }
    }
}
