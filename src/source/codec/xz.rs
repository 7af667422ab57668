//! Streams of xz.

use liblzma::stream::{Action, Error, Status, Stream};

use super::frame::{Fault, FrameDecoder, Step};

/// Decompresses a stream, and checks what is in it.
pub(super) struct Xz {
    stream: Stream,
    most: u64,
}

impl Xz {
    /// At the start of a stream that may take so many bytes of memory.
    pub fn new(most: u64) -> Result<Self, Fault> {
        let stream = Stream::new_stream_decoder(most, 0).map_err(|error| fault(error, most))?;
        Ok(Xz { stream, most })
    }
}

impl FrameDecoder for Xz {
    fn decode(&mut self, input: &[u8], into: &mut Vec<u8>) -> Result<Step, Fault> {
        let before = self.stream.total_in();
        let status = self.stream.process_vec(input, into, Action::Run).map_err(|error| fault(error, self.most))?;
        let taken = usize::try_from(self.stream.total_in() - before).unwrap_or(input.len());
        Ok(Step { taken, is_end: status == Status::StreamEnd })
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.stream = Xz::new(self.most)?.stream;
        Ok(())
    }
}

fn fault(error: Error, most: u64) -> Fault {
    match error {
        Error::MemLimit => Fault::Memory(None, most),
        Error::Mem => Fault::Data("there is no memory for it".to_owned()),
        other => Fault::Data(other.to_string()),
    }
}
