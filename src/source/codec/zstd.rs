//! Frames of zstd (RFC 8878).

use std::io;

use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::frame::{Fault, FrameDecoder, Step};

/// Decompresses a frame, and checks what is in it.
pub(super) struct Zstd(Decoder<'static>);

impl Zstd {
    /// At the start of a frame whose window has no more than two to the power of `window_log` bytes.
    pub fn new(window_log: u32) -> Result<Self, Fault> {
        let mut decoder = Decoder::new().map_err(fault)?;
        decoder.set_parameter(DParameter::WindowLogMax(window_log)).map_err(fault)?;
        Ok(Zstd(decoder))
    }
}

impl FrameDecoder for Zstd {
    fn decode(&mut self, input: &[u8], into: &mut Vec<u8>) -> Result<Step, Fault> {
        let (mut input, at) = (InBuffer::around(input), into.len());
        let mut output = OutBuffer::around_pos(into, at);
        let left = self.0.run(&mut input, &mut output).map_err(fault)?;
        Ok(Step { taken: input.pos(), is_end: left == 0 })
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.0.reinit().map_err(fault)
    }
}

fn fault(error: io::Error) -> Fault {
    Fault::Data(error.to_string())
}
