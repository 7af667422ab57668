//! Line-splitter: chunks to lines.
//!
//! Not here: where lines end (`ops/split`). Invariant: each chunk goes out once, with its ends.

use std::sync::Arc;

use crate::actor::{Exit, Outlet, Transform};
use crate::batch::{Chunk, Lines};
use crate::model::recycle::BufferPool;
use crate::ops::split::split;

/// One worker.
pub struct Splitter {
    ends: BufferPool<u32>,
}

impl Splitter {
    /// A worker that takes its vectors from `ends`.
    pub fn new(ends: BufferPool<u32>) -> Self {
        Splitter { ends }
    }
}

impl Transform for Splitter {
    type In = Arc<Chunk>;
    type Out = Arc<Lines>;

    fn receive(&mut self, chunk: Arc<Chunk>, outlet: &mut Outlet<Arc<Lines>>) -> Result<(), Exit> {
        let mut ends = self.ends.take();
        split(&chunk.bytes, &mut ends);
        outlet.send(Arc::new(Lines { chunk, ends }))
    }
}
