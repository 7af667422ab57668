//! What a run offers to a report function.
//!
//! Not here: the view itself (`tally`). Invariant: what is made in parallel is what one thread
//! would make.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::resume_unwind;
use std::thread::Builder;

use super::endpoint::MeantHost;
use super::hosts::HostNames;
use crate::error::Result;
use crate::model::{Amount, Balance, Window};
use crate::options::Options;
use crate::tally::aggregates::Name;
use crate::tally::totals::Totals;
use crate::tally::{Aggregates, EitherSide, HostTotal, Peer, Side};

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
    /// Names of addresses, where there are some: a host may be asked about by its name.
    pub(crate) hosts: Option<&'a HostNames>,
}

impl ReportContext<'_> {
    /// What a host that is asked about means by the names of addresses, where there are some.
    pub(super) fn meant(&self, asked: &str) -> Result<Option<MeantHost>> {
        self.hosts.map_or(Ok(None), |hosts| hosts.meant(asked))
    }

    /// A host as a title has it.
    pub(super) fn shown(&self, host: Vec<u8>) -> Vec<u8> {
        self.hosts.and_then(|hosts| hosts.shown(&host)).unwrap_or(host)
    }

    /// Calls `f` with each host on `side` of a connection, in no order. The totals behind it are
    /// made in parallel.
    pub fn for_each_host(&self, view: &Aggregates, side: Side, f: impl FnMut(HostTotal<'_>)) -> Result<()> {
        self.make_totals(view);
        Ok(view.for_each_host(side, f)?)
    }

    /// As `for_each_host`, without peers. Connections alone may be quicker to know.
    pub fn for_each_host_amount(
        &self,
        view: &Aggregates,
        side: Side,
        mut f: impl FnMut(Name<'_>, Amount),
    ) -> Result<()> {
        let sums = !view.measures().is_empty();
        if !sums && view.for_each_host_at_hand(side, |host, connections| f(host, connections.into())) {
            return Ok(());
        }
        self.for_each_host(view, side, |total| f(total.host, total.amount()))
    }

    /// Calls `f` with each host on either side of a connection, in no order.
    pub fn for_each_host_on_either_side(&self, view: &Aggregates, f: impl FnMut(EitherSide<'_>)) -> Result<()> {
        self.make_totals(view);
        Ok(view.for_each_host_on_either_side(f)?)
    }

    /// Calls `f` with each host on `side` of a connection of the window or of the one before it, in
    /// no order: what is counted of it in the window, and its connections in the one before.
    pub fn for_each_host_compared(
        &self,
        view: &Aggregates,
        side: Side,
        f: impl FnMut(Name<'_>, Amount, u64),
    ) -> Result<()> {
        self.make_totals(view);
        let before = self.regroup(view, |parts| Ok(view.totals_before_in(parts)), Totals::join)?;
        Ok(view.for_each_host_compared(side, &before, f)?)
    }

    /// Makes the totals of all hosts in parallel.
    fn make_totals(&self, view: &Aggregates) {
        // Making totals cannot fail: it is done only for pairs in memory.
        view.with_totals(|| self.regroup(view, |parts| Ok(view.totals_in(parts)), Totals::join).unwrap_or_default());
    }

    /// For each of some hosts, all different, on `side` of a connection: the hosts on the other
    /// side, by name.
    pub fn peers(&self, view: &Aggregates, side: Side, hosts: &[&[u8]]) -> Result<Vec<Vec<Peer>>> {
        let join = |mut all: Vec<Vec<Peer>>, more: Vec<Vec<Peer>>| {
            all.iter_mut().zip(more).for_each(|(peers, more)| peers.extend(more));
            all
        };
        let mut found = self.regroup(view, |parts| Ok(view.peers_in(parts, side, hosts)?), join)?;
        found.iter_mut().for_each(|peers| peers.sort_unstable_by(|a, b| a.host.cmp(&b.host)));
        Ok(found)
    }

    /// Maps ranges of a view's parts in parallel and folds the results in the order of the parts.
    /// Which pairs are in which part has no meaning, so the answer depends on it only if `map` and
    /// `fold` depend on an order.
    pub fn regroup<T: Send>(
        &self,
        view: &Aggregates,
        map: impl Fn(Range<usize>) -> Result<T> + Sync,
        fold: impl Fn(T, T) -> T,
    ) -> Result<T> {
        let (parts, worth) = (view.parts(), view.pairs_in_memory().div_ceil(WORTH_A_THREAD));
        let threads = self.threads.get().min(worth).clamp(1, parts);
        let map = &map;
        let each = parts.div_ceil(threads);
        let range = |thread: usize| thread * each..((thread + 1) * each).min(parts);
        let first = range(0);
        std::thread::scope(|scope| {
            let others = (1..threads).map(range).filter(|range| !range.is_empty());
            let start = |range: Range<usize>| {
                // Without some threads it only takes longer.
                Builder::new()
                    .spawn_scoped(scope, {
                        let range = range.clone();
                        move || map(range)
                    })
                    .map_err(|_| range)
            };
            let started: Vec<_> = others.map(start).collect();
            let mut whole = map(first)?;
            for started in started {
                let part = match started {
                    Ok(worker) => worker.join().unwrap_or_else(|panic| resume_unwind(panic)),
                    Err(range) => map(range),
                };
                whole = fold(whole, part?);
            }
            Ok(whole)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use crate::tally::Shape;
    use crate::tally::Tally;
    use crate::tally::aggregates::Layout;

    #[test]
    fn regrouping_visits_each_part_once_and_in_order_whatever_the_number_of_threads() {
        let mut tally = Tally::new(Shape { pane: 1, shards: 7 }, Default::default());
        for host in 0..3 * WORTH_A_THREAD as u64 {
            tally.add(0, &host.to_le_bytes(), b"to", 1);
        }
        let window = Window::closed(Timestamp::MIN, Timestamp::MAX);
        let view = tally.view(&Layout { window, first_bucket: 0, buckets: 1, grain: 1, previous: false });
        for threads in [1, 2, 3, 8] {
            let context = ReportContext {
                name: "test",
                options: &Options::default(),
                window,
                balance: &Balance::default(),
                threads: NonZeroUsize::new(threads).unwrap(),
                hosts: None,
            };
            let visited =
                context.regroup(&view, |parts| Ok(parts.collect::<Vec<_>>()), |a, b| [a, b].concat()).unwrap();
            assert_eq!(visited, (0..7).collect::<Vec<_>>(), "{threads} threads");
        }
    }
}
