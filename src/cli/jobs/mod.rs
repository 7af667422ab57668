//! What each command does, a file each: from its arguments to its exit code.
//!
//! Not here: which commands there are (`commands`), and what several of them share (the files
//! beside this folder). Invariant: no command knows of another.

pub mod ask;
pub mod completions;
pub mod explain;
pub mod formats;
pub mod inspect;
pub mod list;
pub mod make;
pub mod man;
pub mod merge;
pub mod partial;
pub mod pipeline;
pub mod plan;
pub mod report;
pub mod state;
