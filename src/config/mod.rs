//! Configuration: as written, then checked, then as meant.
//!
//! Checking is pure: it opens nothing, and it names every problem at once, each with its place and
//! a remedy. Values come in layers, the nearest wins: built-in default, top-level key of the file,
//! key of the stage in the file, override for all stages (`--set seconds=60`, `--seconds 60`),
//! override for one (`--set stages.recent.seconds=60`).

mod assemble;
mod catalog;
mod check;
mod diagram;
mod draft;
mod draw;
mod example;
mod fingerprint;
mod follow;
mod formats;
mod graph;
mod live_plan;
mod needs;
mod node;
mod outputs;
mod plan;
mod plug_in;
mod problems;
pub mod schema;
mod stage;
mod window;
mod workers;
mod written;

pub use catalog::{Catalog, Machine};
pub use check::check;
pub use draw::{DrawFormat, draw};
pub use example::as_option;
pub use fingerprint::{fingerprint, lengths_in, question};
pub use live_plan::{StatePlan, TriggerPlan};
pub use plan::{
    AggregatorPlan, Align, FilterPlan, FollowPlan, OutputPlan, Plan, Range, ReaderPlan, ReporterPlan, Scan, StagePlan,
    Start, Task,
};
pub use written::{Written, is_configuration, is_log};

#[cfg(test)]
mod shared_tests;
#[cfg(test)]
mod shipped_tests;
#[cfg(test)]
mod size_tests;
#[cfg(test)]
mod tests;
