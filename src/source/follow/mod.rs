//! Files that grow and rotate, followed: which bytes to pass on next, each once, over renames,
//! truncations, copies and restarts.
//!
//! Not here: threads, clocks, counting. Time is handed in and only ever compared with itself, so
//! that every sequence of events can be played in a test. Invariants: the bytes of a generation are
//! passed on once and in order; a file on disk belongs to one generation at a time; a generation is
//! announced by a scan before anything is passed on of it.
//!
//! Words. A *generation* is the content of one file over its life, under whatever names. It is
//! *here* while a location leads to it, *away* otherwise; *drained* once it is away, or was
//! renamed, and has not grown for a while. A file that was found and is no generation yet is a
//! *candidate*: it may be the copy that a rotation makes of a file that is followed already.

mod candidates;
mod compressed;
mod content;
mod delivery;
mod events;
mod follower;
mod generation;
mod generations;
mod ignored;
mod judgement;
mod open_files;
mod passed_on;
mod past;
mod reading;
mod records;
mod retries;
mod sightings;
mod turn;
mod turns;
mod unpack;
mod whereabouts;
mod zeros;

#[cfg(test)]
mod compressed_tests;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod guard_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod past_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use content::{HEAD, START, read_range};
pub use delivery::{Delivery, FollowOptions, New};
pub use events::Events;
pub use follower::Follower;
pub use records::{FileRecord, FileRecords, PassedOver};
