//! Streams of bzip2.

use bzip2::{Decompress, Status};

use super::frame::{Fault, FrameDecoder, Step};

/// Decompresses a stream, and checks what is in it.
pub(super) struct Bzip2(Decompress);

impl Bzip2 {
    /// At the start of a stream.
    pub fn new() -> Self {
        Bzip2(Decompress::new(false))
    }
}

impl FrameDecoder for Bzip2 {
    fn decode(&mut self, input: &[u8], into: &mut Vec<u8>) -> Result<Step, Fault> {
        let before = self.0.total_in();
        let status = self.0.decompress_vec(input, into);
        let is_end = match status {
            Ok(Status::MemNeeded) => return Err(Fault::Data("there is no memory for it".to_owned())),
            Ok(status) => status == Status::StreamEnd,
            Err(error) => return Err(Fault::Data(error.to_string())),
        };
        let taken = usize::try_from(self.0.total_in() - before).unwrap_or(input.len());
        Ok(Step { taken, is_end })
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.0 = Decompress::new(false);
        Ok(())
    }
}
