//! What is done where there is not enough of something.

/// What happens to pairs for which there is no memory left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MemoryPolicy {
    /// They are counted together, without their names, and every report says so.
    #[default]
    Overflow,
    /// Counts go to disk, and results stay exact.
    Spill,
    /// The run ends with an error.
    Error,
}
