//! Ways to run a pipeline in this process.

use std::io::Write;
use std::sync::{Arc, Mutex};

use logparser::{Builder, Pipeline, Summary};

/// Threads, capacity and chunk size, and whether stages may be chained.
pub type Shape<'a> = (&'a str, &'a str, &'a str, &'a str);

/// The shapes under which every answer has to be the same: all threads with all capacities and chunk
/// sizes, and each two of those with stages that are chained and not.
pub const SHAPES: [Shape<'_>; 18] = {
    let (threads, capacities, chunks) = (["1", "2", "8"], ["1", "64"], ["64", "4KiB", "1MiB"]);
    let mut shapes = [("", "", "", ""); 18];
    let mut at = 0;
    while at < 18 {
        let (thread, capacity, chunk) = (at / 6, at / 3 % 2, at % 3);
        let chain = ["true", "false"][(thread + capacity + chunk) % 2];
        shapes[at] = (threads[thread], capacities[capacity], chunks[chunk], chain);
        at += 1;
    }
    shapes
};

/// Somewhere for a pipeline in this process to write to.
#[derive(Clone, Default)]
pub struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Builds, runs, and gives what was written in `format`, with the summary.
pub fn run_library(builder: Builder, format: &str) -> (String, Summary) {
    let sink = Sink::default();
    let summary = builder.output(format, Box::new(sink.clone())).build().unwrap().run().unwrap();
    (sink.text(), summary)
}

/// A builder of the given shape.
pub fn shaped((threads, capacity, chunk, chain): Shape<'_>) -> Builder {
    let builder = Pipeline::builder().set("threads", threads).set("capacity", capacity);
    builder.set("chunk", chunk).set("chain", chain)
}
