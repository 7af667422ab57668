//! What decompresses one frame: a member of gzip, a stream of bzip2 or xz, a frame of zstd or lz4.
//!
//! Not here: what stands between frames (`unpacker`). Invariant: bytes go in and come out as there
//! are any and as there is room; a decoder waits for nothing and holds no more than its form says.

/// Decompresses a frame.
pub(super) trait FrameDecoder: Send {
    /// Takes bytes, and appends what they come to, no more than there is room for. Takes none and
    /// gives none only if it lacks either. Not to be called after the end.
    fn decode(&mut self, input: &[u8], into: &mut Vec<u8>) -> Result<Step, Fault>;

    /// Is at the start of another frame.
    fn begin(&mut self) -> Result<(), Fault>;
}

/// What a decoder has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// Bytes that it has taken.
    pub taken: usize,
    /// Whether the frame has ended, and everything of it was given.
    pub is_end: bool,
}

/// What is wrong with compressed data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It ends too soon.
    CutShort,
    /// It is not what was compressed.
    Data(String),
    /// Something else follows it.
    Garbage,
    /// It takes more memory than there may be, in bytes: if that is known, so many, and how many
    /// there may be.
    Memory(Option<u64>, u64),
}
