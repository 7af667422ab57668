//! The formats there are, by name.
//!
//! Not here: what they are. Invariant: each name means one format.

use super::mapped::presets::presets;

/// The name of the format that is told by the head of each input.
pub const AUTO: &str = "auto";

/// The name of the format that `logparser` has always read.
pub const PLAIN: &str = "plain";

/// A format as it is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedFormat {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// One line for people.
    pub help: &'static str,
    /// A line of it.
    pub example: &'static str,
}

/// All formats, in the order in which they are listed.
pub fn listed() -> impl Iterator<Item = ListedFormat> {
    let presets = presets();
    std::iter::once(IN_PLAIN).chain(presets.map(|preset| ListedFormat {
        name: preset.name,
        help: preset.help,
        example: preset.example(),
    }))
}

/// The names of all formats that can be asked for, `auto` first.
pub fn names() -> impl Iterator<Item = &'static str> {
    std::iter::once(AUTO).chain(listed().map(|format| format.name))
}

/// `plain` as it is listed.
const IN_PLAIN: ListedFormat = ListedFormat {
    name: PLAIN,
    help: "a Unix time, who connected, and to whom, with blanks between them",
    example: "1700000000 sierra Delta",
};
