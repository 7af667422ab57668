//! What the benchmarks share: made logs, and batches as the stages see them.

// Not every benchmark uses all of it.
#![allow(dead_code)]

use std::sync::Arc;

use logparser::internals::batch::{Chunk, Lines};
use logparser::internals::format::LineRules;
use logparser::internals::make::{Generator, LogRecipe};
use logparser::internals::model::recycle::{BufferPool, Pooled};
use logparser::internals::model::{InputId, Span};
use logparser::internals::ops::close::Windows;
use logparser::internals::ops::count::Buckets;
use logparser::internals::ops::select::Bounds;
use logparser::internals::ops::split::split;
use logparser::{Balance, Timestamp};

/// Bytes of a chunk, as the reader cuts them by default.
pub const CHUNK: usize = 512 << 10;

/// The highest stamp of a made log.
pub const END: i64 = 1_700_000_000;

/// A made log of `lines` lines over the day before `END`, up to five minutes out of order, of the
/// standard names.
pub fn made(lines: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let settings = LogRecipe { lines, end: Timestamp::from_seconds(END), ..LogRecipe::default() };
    Generator::new(settings).fill(&mut bytes, usize::MAX >> 1);
    bytes
}

/// A log in chunks of whole lines.
pub fn chunks(log: &[u8]) -> Vec<Arc<Chunk>> {
    let (mut chunks, mut from) = (Vec::new(), 0);
    while from < log.len() {
        let full = (from + CHUNK).min(log.len());
        let to = log[from..full].iter().rposition(|byte| *byte == b'\n').map_or(full, |at| from + at + 1);
        chunks.push(Arc::new(chunk(log[from..to].to_vec().into(), from as u64, to == log.len())));
        from = to;
    }
    chunks
}

/// Whole lines as a chunk that begins at a byte of the log.
pub fn chunk(bytes: Pooled<u8>, from: u64, last: bool) -> Chunk {
    let span = Span { input: InputId(0), from, to: from + bytes.len() as u64 };
    let mut balance = Balance::default();
    balance.bytes_read = span.len();
    Chunk {
        span,
        number: 0,
        bytes,
        oversized: None,
        rules: LineRules::plain(64 << 10),
        balance,
        streamed: false,
        order: None,
        last,
        unseen: false,
        live: None,
        guard: None,
    }
}

/// A chunk with its line ends, in a vector of the pool.
pub fn lines(chunk: &Arc<Chunk>, pool: &BufferPool<u32>) -> Lines {
    let mut ends = pool.take();
    split(&chunk.bytes, &mut ends);
    Lines { chunk: Arc::clone(chunk), ends }
}

/// Bounds that hold the last `seconds` before `END`.
pub fn last(seconds: i64) -> Bounds {
    let (first, last) = (Timestamp::from_seconds(END - seconds), Timestamp::from_seconds(END));
    Bounds { keep_from: first, first, last, future_after: last }
}

/// Buckets of twenty minutes in the window of these bounds.
pub fn buckets(bounds: &Bounds) -> Buckets {
    let window = logparser::Window::closed(bounds.first, bounds.last);
    Windows::Once(window).buckets(1_200 * logparser::internals::model::time::SECOND)
}
