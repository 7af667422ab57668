//! Who connects to whom: exact answers over moving windows, from connection logs of any size.
//!
//! A [`Pipeline`] is a graph of actor stages, each on its own pool of threads, joined by bounded
//! channels; stages in a line that have as many threads share theirs:
//!
//! ```text
//! reader  ->  line-splitter  ->  time-filter  ->  bucket-aggregator  ->  reporter
//! bytes       whole lines        records in       (bucket, from, to)     report functions
//!                                the window       -> count               -> outputs
//! ```
//!
//! [`Pipeline::builder`] puts one together, from keys as `pipeline.toml` has them; [`Pipeline::run`]
//! runs it, and the [`Summary`] says how it went: what became of each line and byte, and what was
//! lost. What it answers is a list of report functions, all of one signature ([`ReportFn`]), mapped
//! over each window; an answer is plain data, a [`Report`].
//!
//! # A question
//!
//! Who are the busiest servers in the last hour of these logs?
//!
//! ```
//! use std::sync::mpsc;
//!
//! use logparser::{Cell, Pipeline};
//!
//! let (taker, results) = mpsc::channel();
//! let summary = Pipeline::builder()
//!     .set("location", "tests/data/*.log")
//!     .set("until", "latest")
//!     .set("reports", r#"["top-servers"]"#)
//!     .on_result(move |result| taker.send(result.clone()).unwrap())
//!     .build()?
//!     .run()?;
//! // Every line is in one class, and what was lost is told.
//! assert!(summary.error().is_none() && summary.sheets[0].balance.counted > 0);
//! for row in &results.recv().unwrap().reports[0].rows {
//!     let [Cell::Host(server), Cell::Count(connections)] = &row[..] else { unreachable!() };
//!     println!("{}: {connections}", String::from_utf8_lossy(server));
//! }
//! # Ok::<(), logparser::Error>(())
//! ```
//!
//! # A report function of one's own
//!
//! A function or a closure. The same window always gives the same report, so it puts in order what
//! it keeps: hosts come in no order.
//!
//! ```
//! use logparser::{Cell, Column, Pipeline, Report, Side, Top};
//!
//! let most = 3;
//! let summary = Pipeline::builder()
//!     .report("loudest", move |context, view, _until| {
//!         let mut loudest = Top::new(most);
//!         context.for_each_host(view, Side::From, |total| {
//!             loudest.offer(total.connections, || total.host.bytes().to_vec());
//!         })?;
//!         let rows = loudest.into_sorted().into_iter().map(|(count, name)| vec![Cell::Host(name), Cell::Count(count)]);
//!         let columns = [Column::host("source"), Column::count("connections")];
//!         Ok(Report::table("Sources that connected most", columns, rows.collect()))
//!     })
//!     .set("reports", r#"["loudest"]"#)
//!     .set("location", "tests/data/*.log")
//!     .set("until", "latest")
//!     .on_result(move |result| assert_eq!(result.reports[0].rows.len(), most))
//!     .build()?
//!     .run()?;
//! assert!(summary.error().is_none());
//! # Ok::<(), logparser::Error>(())
//! ```
//!
//! # The layout
//!
//! The modules of the crate are private. In the order of the data:
//!
//! - `source` finds inputs and cuts them into chunks of whole lines; `format` says how a line is
//!   written, and `batch` is what goes from stage to stage;
//! - `tally` counts, `spill` and `snapshot` keep counts on disk, `tallies` makes files of them;
//! - `report` turns a window into plain data, and `output` writes it;
//! - `actor` is the runtime, `ops` the pure operators, and `stage` puts one into the other;
//! - `config` makes a plan of a configuration, and `pipeline` runs it;
//! - `cli` is the program, with the feature of this name; `make` makes logs to try things on.
//!
//! # Features
//!
//! `cli` (on by default) is the command line, with all that it needs: arguments, help, progress,
//! signals. `live` (on by default) is its view on a terminal. A program that links the library takes
//! `default-features = false` and pulls in neither. `codecs` (on by default) reads inputs that are
//! compressed with zstd, lz4, bzip2 or xz; gzip is always read.

// What only the program uses, or its view, is there without them, too. With both, nothing is unused.
#![cfg_attr(not(feature = "live"), allow(dead_code, unused_imports))]

mod codec;
mod error;
mod metrics;
mod model;
mod options;
mod version;

mod actor;
mod batch;
mod format;
mod ops;
mod output;
mod report;
mod snapshot;
mod source;
mod spill;
mod stage;
mod tallies;
mod tally;

mod config;
mod pipeline;

#[cfg(feature = "cli")]
mod cli;
mod make;

pub use error::{Error, ErrorKind, Place, Problem, Result};
pub use metrics::Progress;
pub use model::{
    Balance, Cause, Cell, Column, ColumnKind, Drawing, Ends, Issue, Loss, More, Percent, Report, Stamps, Timestamp,
    Window, WindowResult,
};
pub use options::{Kind as OptionKind, OptionSpec, Options, Value as OptionValue};
pub use output::Style;
pub use pipeline::{Builder, Observation, Pipeline, Running, Sheet, Sheets, StageObservation, Stranger, Summary};
pub use report::{ReportContext, ReportEntry, ReportFn, ReportMaker, Top};
pub use tally::aggregates::Name;
pub use tally::{Aggregates, BucketTotal, HostTotal, Pair, Peer, Side};
pub use version::{BUILD, VERSION};

/// What the program, its tests, benches and fuzz targets use of the rest. Anything of it may change
/// with any version.
#[doc(hidden)]
#[allow(missing_docs)]
pub mod internals {
    pub mod batch {
        pub use crate::batch::{Chunk, Lines, Record};
    }
    #[cfg(feature = "cli")]
    pub mod cli {
        pub use crate::cli::{main, make_main, misunderstood};
    }
    pub mod codec {
        pub use crate::codec::{Decoder, Encoder};
    }
    pub mod config {
        pub use crate::config::{DrawFormat, draw, fingerprint};

        pub mod schema {
            pub use crate::config::schema::{StageType, all_keys};
        }
    }
    pub mod format {
        pub use crate::format::LineRules;

        pub mod foreign {
            pub use crate::format::foreign::{TABLE, kind};
        }
    }
    pub mod make {
        pub use crate::make::{Generator, LogRecipe};
    }
    pub mod model {
        pub use crate::model::{InputId, Moment, Span};

        pub mod balance {
            pub use crate::model::balance::OVERSIZED_HEAD;
        }
        pub mod escape {
            pub use crate::model::escape::{bytes, exact, is_hostile, printable};
        }
        pub mod recycle {
            pub use crate::model::recycle::{BufferPool, Pooled};
        }
        pub mod time {
            pub use crate::model::time::SECOND;
        }
    }
    pub mod ops {
        pub mod close {
            pub use crate::ops::close::Windows;
        }
        pub mod count {
            pub use crate::ops::count::{Buckets, Counter, count};
        }
        pub mod select {
            pub use crate::ops::select::{Bounds, select};
        }
        pub mod split {
            pub use crate::ops::split::split;
        }
    }
    pub mod options {
        pub use crate::options::{Instant, Kind, Raw, Value};
    }
    pub mod output {
        pub use crate::output::destination::Receipt;
        pub use crate::output::target::LastResult;
        pub use crate::output::{Opening, TABLE, entry};

        pub mod save {
            pub use crate::output::save::save;
        }
    }
    pub mod pipeline {
        pub use crate::pipeline::{contents, verified};
    }
    pub mod snapshot {
        pub use crate::snapshot::{Beside, Snapshot};

        pub mod store {
            pub use crate::snapshot::store::{FORMAT, Loaded, OLDEST, SavedSlot, Store, inspect, peek};
        }
    }
    pub mod source {
        pub use crate::source::Chunker;

        pub mod follow {
            pub use crate::source::follow::PassedOver;
        }
        pub mod seek {
            pub use crate::source::seek::line_start;
        }
    }
    pub mod spill {
        pub use crate::spill::{PairInput, PairReader, PairWriter, merge};
    }
    pub mod tallies {
        pub use crate::tallies::{FORMAT, Files};
    }
    pub mod tally {
        pub use crate::tally::{Budget, Hosts, Shape, Tally};

        pub mod aggregates {
            pub use crate::tally::aggregates::Layout;
        }
        pub mod sweep {
            pub use crate::tally::sweep::{ALWAYS_KEPT, Sweep};
        }
    }
}
