//! Chunks of inputs that name other columns from some line on: divided there, so that the lines of
//! each are read by what was said before them.
//!
//! Not here: which lines these are (`format::mapped`). Invariant: the pieces of a chunk are what it
//! was, byte for byte, in the sheet too.

use std::any::Any;
use std::sync::Arc;

use crate::batch::{Chunk, Live};
use crate::format::LineRules;
use crate::model::{Balance, Guard, Span};

/// Bytes before a position that are kept in mind.
const TAIL: usize = 256;

/// Puts a chunk behind others, in pieces if its lines name other columns from some line on. Then: how
/// lines are read behind it. The numbers of the pieces follow that of the chunk.
pub(super) fn divide(chunk: Chunk, chunks: &mut Vec<Chunk>) -> Option<LineRules> {
    if !chunk.rules.names_others(&chunk.bytes) {
        chunks.push(chunk);
        return None;
    }
    let (mut rules, mut starts) = (chunk.rules.clone(), Vec::new());
    rules.each_piece(&chunk.bytes, |piece, start, rules| {
        if !piece.is_empty() {
            starts.push((start, rules.clone()));
        }
        true
    });
    let ends: Vec<usize> = starts.iter().skip(1).map(|(start, _)| *start).chain([chunk.bytes.len()]).collect();
    let guard: Option<Arc<dyn Any + Send + Sync>> = chunk.guard.map(Arc::from);
    let last = ends.len() - 1;
    let pieces = starts.into_iter().zip(ends).enumerate().map(|(at, ((start, rules), end))| {
        let bytes = &chunk.bytes[start..end];
        let tail = Guard::of(&bytes[bytes.len().saturating_sub(TAIL)..]);
        let on_the_way = chunk.live.map(|live| Live { tail, idle: false, ..live });
        Chunk {
            span: Span { from: chunk.span.from + start as u64, to: chunk.span.from + end as u64, ..chunk.span },
            number: chunk.number + at as u64,
            bytes: bytes.to_vec().into(),
            oversized: None,
            rules,
            balance: part_of(&chunk.balance, (start, end), chunk.bytes.len(), chunk.live.is_some()),
            streamed: chunk.streamed,
            order: chunk.order.clone(),
            last: chunk.last && at == last,
            unseen: chunk.unseen && at == 0,
            live: if at == last { chunk.live } else { on_the_way },
            guard: guard.clone().map(|guard| Box::new(guard) as Box<dyn Any + Send + Sync>),
        }
    });
    chunks.extend(pieces);
    Some(rules)
}

/// What a piece adds to the sheet: the first has the news of the input, the last its unfinished line.
/// Of an input that goes on, each has its own bytes in the inputs' sum.
fn part_of(whole: &Balance, (start, end): (usize, usize), length: usize, goes_on: bool) -> Balance {
    let bytes = (end - start) as u64;
    let rest = (length - end) as u64;
    let unterminated = if end == length { whole.unterminated } else { 0 };
    match start {
        0 => {
            let bytes_total = if goes_on { whole.bytes_total - rest } else { whole.bytes_total };
            Balance { bytes_read: bytes, bytes_total, unterminated, ..whole.clone() }
        }
        _ => {
            let bytes_total = if goes_on { bytes } else { 0 };
            Balance { bytes_read: bytes, bytes_total, unterminated, ..Balance::default() }
        }
    }
}
