//! From a checked plan to a running pipeline, and to what it has to say at the end.
//!
//! `Pipeline::builder()` is the way in for programs of other crates; the command line uses it too.

mod builder;
mod jobs;

mod observe;
mod run;

mod asked;
mod context;
mod course;
mod environment;
mod following;
mod inputs;
mod local;
mod machine;
mod nothing;
mod observed;
mod probe;
mod prune;
mod range;
mod rankings;
mod reading;
mod resolve;
mod restore;
mod seat;
mod shared_parts;
mod summary;
mod tallied;
mod targets;
mod to_the_end;
mod uniform;
mod unpacking;
mod wire;
mod years;

pub use crate::stage::aggregator::following::standing::Standing;
pub use crate::stage::stats::MeasuredStamps;
pub use builder::Builder;
pub use environment::{Pipeline, wall_clock};
pub use following::state_root;
pub use jobs::{Explained, Explanation, ListedFile, PartialRequest, Partition, PlannedTask, agree};
pub use observe::Observation;
pub use observed::StageObservation;
pub use range::{ByteRange, Passed};
pub use restore::{contents, verified};
pub use run::Running;
pub use summary::{Foreign, Sheet, Sheets, Stranger, Summary};
pub use targets::spare_log;
