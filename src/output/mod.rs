//! Outputs: window results to the world, one medium a file, in one table.
//!
//! To add one: write its file beside the others, and add its line to `TABLE`. Not here: any
//! computing. Invariant: what a log holds is made harmless for the medium before it leaves.

mod claim;
mod csv;
pub mod destination;
mod entry;
pub mod json;
mod medium;
mod nothing;
mod opening;
mod pipes;
pub mod rejects;
pub mod save;
pub mod spared;
pub mod target;
mod text;
pub mod unsaid;
pub mod whole;

pub use claim::Claim;
pub use entry::OutputEntry;
pub use medium::{Style, Tell};
pub use nothing::{Stretch, nothing, odd};
pub use opening::Opening;
pub use pipes::PipeWait;

/// All outputs, in the order in which they are listed.
pub const TABLE: &[OutputEntry] = &[text::ENTRY, json::ENTRY, csv::ENTRY];

/// The output where none is asked for.
pub const DEFAULT: &OutputEntry = &TABLE[0];

/// The output of this name.
pub fn entry(name: &str) -> Option<&'static OutputEntry> {
    TABLE.iter().find(|entry| entry.name == name)
}

/// Why a text is no path of something that is written to in one format, and what to do: it begins
/// with the name of an output.
pub fn no_format(text: &str) -> Option<String> {
    let (name, path) = text.split_once(':')?;
    entry(name).map(|_| {
        format!(
            "{name}: stands before paths of results only; write {path} alone, and a file that is called so as ./{text}"
        )
    })
}

#[cfg(test)]
mod laws;
