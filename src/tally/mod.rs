//! The counting engine: who connected to whom, and how often, in memory.
//!
//! From the line to the answer, in the order of the files:
//!
//! 1. **Names become numbers** (`host`, `host_table`, `words`, `names`). `Hosts` stores each name
//!    once and gives it a `HostId`; whoever counts works with two small numbers from then on. Names
//!    lie in blocks that a copy shares, so a view costs nothing.
//! 2. **Pairs are counted** (`pairs`). A `PairTable` is one hash table from (from, to) to a count:
//!    open addressing, a bucket of six pairs to a line of the cache, a hash that is keyed at
//!    random (`hash`).
//! 3. **Tables are divided** (`shard`, `pane`). A `Pane` is a run of buckets of time that every
//!    window holds as a whole or not at all. Its pairs lie in shards, each a table behind a lock of
//!    its own, so workers seldom meet. A shard can set its table aside to be saved, and counts into
//!    a second one meanwhile.
//! 4. **Panes make the tally** (`counts`). `Tally` has the panes of all open windows, and the
//!    connections of each bucket, which need no pair. Everything only ever adds up: the order of
//!    records and the number of workers leave no trace. Where windows slide, the sum of their panes
//!    is kept from one to the next (`sliding`).
//! 5. **A window is looked at** (`aggregates`, `both`). `Aggregates` is the merged view of the panes of one
//!    window that report functions read: totals, hosts, pairs, each visited once.
//! 6. **Memory is counted before it is taken** (`budget`), and names that no pane holds any more
//!    are dropped a little at a time (`sweep`).
//!
//! Not here: which records count and into which bucket (`ops`), who counts when (`stage`), and
//! counts on disk (`spill`, `tallies`). Invariant: the connections of all pairs of a pane and its
//! overflow are those of its buckets.
//!
//! ```
//! use logparser::internals::tally::aggregates::Layout;
//! use logparser::internals::tally::{Budget, Shape, Tally};
//! use logparser::{Timestamp, Window};
//!
//! // One pane of three buckets of a second.
//! let mut tally = Tally::new(Shape { pane: 3, shards: 1 }, std::sync::Arc::new(Budget::new(None)));
//! tally.add(0, b"alpha", b"web", 1);
//! tally.add(2, b"alpha", b"web", 1);
//! tally.add(2, b"beta", b"web", 1);
//! let window = Window::half_open(Timestamp::from_seconds(0), Timestamp::from_seconds(3));
//! let layout = Layout { window, first_bucket: 0, buckets: 3, grain: 1_000_000_000, previous: false };
//! let view = tally.view(&layout);
//! assert_eq!(view.total(), 3);
//! assert_eq!(view.buckets().iter().map(|bucket| bucket.connections).collect::<Vec<_>>(), [1, 0, 2]);
//! ```

pub mod hash;
pub mod host;
mod host_table;
pub mod names;
pub mod words;

pub mod pairs;
pub mod pane;
mod shard;

mod counts;
mod sliding;

pub mod aggregates;
mod both;
pub mod totals;

pub mod budget;
pub mod sweep;

pub use aggregates::{Aggregates, BucketTotal, HostTotal, Overflow, Pair, Peer, Side};
pub use both::EitherSide;
pub use budget::Budget;
pub use counts::{Shape, Tally};
pub use host::Hosts;
pub use names::HostId;
