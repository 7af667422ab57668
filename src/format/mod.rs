//! Formats: how lines are written, and which of their fields make a record.
//!
//! A format is opened from what was asked for. It is bound to each input once, by the input's head,
//! as how its lines are read, and travels with the batches of the input. `plain` is code of its own;
//! all others are data (`mapped`). To add one: add its row to `mapped/presets`.
//! Not here: which records count (`ops::select`). Invariant: no bytes make a format panic.

mod asked;
mod decimal;
pub mod detect;
pub mod envelope;
pub mod extract;
pub mod foreign;
mod line;
mod listed;
pub mod mapped;
mod plain;
mod saved;
mod schema;
pub mod stamps;

pub use asked::{Format, Unbound, is_identity};
pub use line::{
    FormatVisitor, HostRanges, Likeness, LikenessVisitor, LineFormat, NoRecord, Remains, Stamp, UnclearStamps,
};
pub use listed::{AUTO, PLAIN, listed, names};
pub use mapped::bind::{HEAD_BYTES, Head, StampContext};
pub use mapped::numbers::are_measure_names;
pub use mapped::watched::SeenFields;
pub use mapped::{Definition, Mapped, RecordLayout, RecordNumbers};
#[cfg(test)]
pub use plain::Plain;
pub use saved::{PlannedSchema, SavedSchema};
pub use schema::LineRules;
pub use stamps::Zone;

#[cfg(test)]
mod tests;
