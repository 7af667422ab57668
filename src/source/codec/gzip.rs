//! Members of gzip (RFC 1952).

use flate2::{Decompress, FlushDecompress, Status};

use super::frame::{Fault, FrameDecoder, Step};

/// The window of deflate, as a power of two: the largest that there is.
const WINDOW_BITS: u8 = 15;

/// Decompresses a member, and checks what is in it.
pub(super) struct Gzip(Decompress);

impl Gzip {
    /// At the start of a member.
    pub fn new() -> Self {
        Gzip(Decompress::new_gzip(WINDOW_BITS))
    }
}

impl FrameDecoder for Gzip {
    fn decode(&mut self, input: &[u8], into: &mut Vec<u8>) -> Result<Step, Fault> {
        let before = self.0.total_in();
        let status = self.0.decompress_vec(input, into, FlushDecompress::None);
        let is_end = match status {
            Ok(status) => status == Status::StreamEnd,
            Err(error) => return Err(Fault::Data(error.message().unwrap_or("it is no deflate data").to_owned())),
        };
        let taken = usize::try_from(self.0.total_in() - before).unwrap_or(input.len());
        Ok(Step { taken, is_end })
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.0 = Decompress::new_gzip(WINDOW_BITS);
        Ok(())
    }
}
