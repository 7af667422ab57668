//! From a checked plan to a running pipeline, and to what it has to say at the end.
//!
//! `Pipeline::builder()` is the way in for programs of other crates; the command line uses it too.

mod builder;
mod explain;
mod follow;
mod inputs;
mod list;
mod machine;
mod nothing;
mod observe;
mod partial;
mod partition;
mod prune;
mod range;
mod replay;
mod resolve;
mod run;
mod saved;
mod targets;
mod wire;

pub use crate::stage::standing::Standing;
pub use builder::{Builder, Pipeline, wall_clock};
pub use explain::{Explained, Explanation};
pub use follow::state_root;
pub use list::{ListedFile, agree};
pub use observe::{Observation, StageObservation};
pub use partial::{Partial, PartialRequest};
pub use partition::{Partition, PlannedInput, PlannedTask};
pub use range::{ByteRange, Passed};
pub use run::{Foreign, Running, Sheet, Sheets, Stranger, Summary};
pub use saved::{Saved, SavedInput, SavedPair, SavedWindow, saved, verified};
