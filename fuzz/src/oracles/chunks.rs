//! Chunks of lines: however the bytes come and wherever chunks are cut, they hold the lines that
//! splitting gives.

use logparser::internals::ops::split::split;
use logparser::internals::source::Chunker;

use super::Draw;

/// A line, or the start of one that is too long, with where it begins.
type Line = (u64, bool, Vec<u8>);

/// By splitting.
fn simple(bytes: &[u8], max_line: usize) -> Vec<Line> {
    let (mut lines, mut at) = (Vec::new(), 0);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let long = text.len() > max_line;
        lines.push((at, long, text[..if long { max_line.min(256) } else { text.len() }].to_vec()));
        at += line.len() as u64;
    }
    lines
}

pub fn run(data: &[u8]) {
    let mut draw = Draw::new(data);
    let (target, max_line, fill) = (1 + draw.below(200), 16 + draw.below(300), draw.below(2) == 1);
    let reads: Vec<usize> = (0..8).map(|_| 1 + draw.below(100)).collect();
    let mut bytes = Vec::new();
    while !draw.is_done() {
        // Runs of one byte make long lines of short inputs.
        let byte = draw.byte();
        let times = if byte >= 0xf0 { draw.below(400) } else { 1 };
        bytes.extend(std::iter::repeat_n(byte, times));
    }
    let (mut left, mut turn) = (&bytes[..], 0);
    let mut source = |into: &mut Vec<u8>| {
        turn += 1;
        let room = (into.capacity() - into.len()).min(reads[turn % reads.len()]);
        let (now, later) = left.split_at(room.min(left.len()));
        into.extend_from_slice(now);
        left = later;
        Ok(now.len())
    };
    let (mut chunker, mut chunk, mut lines, mut end) =
        (Chunker::new(target, max_line, fill), Vec::new(), Vec::new(), 0);
    loop {
        let cut = chunker.next(&mut source, &mut chunk).expect("memory can be read");
        assert_eq!(cut.from, end, "a gap, or bytes twice");
        end = cut.to;
        match &cut.oversized {
            Some(head) => lines.push((cut.from, true, head.clone())),
            None => {
                assert_eq!(chunk.len() as u64, cut.to - cut.from);
                assert!(cut.last || chunk.last() == Some(&b'\n'), "half a line");
                let (mut ends, mut start) = (Vec::new(), 0);
                split(&chunk, &mut ends);
                for end in ends {
                    let line = &chunk[start..end as usize];
                    // Within a chunk, whoever parses a line looks at its length.
                    let kept = if line.len() > max_line { max_line.min(256) } else { line.len() };
                    lines.push((cut.from + start as u64, line.len() > max_line, line[..kept].to_vec()));
                    start = end as usize + 1;
                }
            }
        }
        if cut.last {
            break;
        }
    }
    assert_eq!(end, bytes.len() as u64);
    assert_eq!(lines, simple(&bytes, max_line));
}
