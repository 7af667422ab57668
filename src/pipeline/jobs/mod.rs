//! What a pipeline is asked for other than to run: a file a job, each with its part of `Pipeline`.
//!
//! Not here: finding what is read (`reading`) and running (`run`).

mod explain;
mod explained;
mod followed;
mod list;
mod partial;
mod plan;
mod question;
mod report;

pub use explain::Explanation;
pub use explained::Explained;
pub use list::{ListedFile, agree};
pub use partial::PartialRequest;
pub use plan::{Partition, PlannedTask};
