//! What to do when memory runs short.

/// What happens to pairs that there is no memory for.
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
