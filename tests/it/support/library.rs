//! Ways to run a pipeline in this process.

use std::io::Write;
use std::sync::{Arc, Mutex};

use logparser::{Builder, Pipeline, Summary};

/// The shapes of threads, capacity and chunk size under which every answer has to be the same.
pub const SHAPES: [(&str, &str, &str); 18] = {
    let (threads, capacities, chunks) = (["1", "2", "8"], ["1", "64"], ["64", "4KiB", "1MiB"]);
    let mut shapes = [("", "", ""); 18];
    let mut at = 0;
    while at < 18 {
        shapes[at] = (threads[at / 6], capacities[at / 3 % 2], chunks[at % 3]);
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
pub fn shaped((threads, capacity, chunk): (&str, &str, &str)) -> Builder {
    Pipeline::builder().set("threads", threads).set("capacity", capacity).set("chunk", chunk)
}
