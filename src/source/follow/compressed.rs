//! Compressed files among those that are followed: they are not read, and that is said of each, unless it is what became
//! of a file that was counted.
//!
//! Content decides, as ever: how the file begins once it is decompressed, and how many bytes it had, which gzip writes at
//! its end. Invariant: what is passed over in silence was counted.

use std::fs::File;
use std::io::Read;
use std::time::Duration;

use flate2::read::GzDecoder;

use super::Follower;
use super::candidate::{ByStart, Candidate, Ignored, alike};
use super::content::{Agreement, HEAD, Stat, read_range};
use crate::error::show_path;
use crate::source::cursor::COMPRESSED;

/// Bytes of a compressed file that are read to know how it begins: more than 1,024 bytes take, compressed.
const ENOUGH: usize = 4096;

/// What a candidate is, as far as it is compressed.
pub(super) enum Packed {
    /// It is not.
    No,
    /// It may be the copy of what was counted, and is not finished, or that is not counted to its end.
    Wait,
    /// It is not followed.
    Ignored(Ignored),
}

impl Follower {
    /// Whether a candidate is compressed, and what comes of it then.
    pub(super) fn packed(&mut self, at: usize, now: Duration, by_start: &ByStart) -> Packed {
        let candidate = &self.candidates[at];
        let magic = COMPRESSED.iter().find(|(magic, ..)| candidate.head.starts_with(magic));
        let Some((_, name, reader)) = magic else { return Packed::No };
        let warning = format!("{}: is compressed ({name}) and was not read; see {reader}", show_path(&candidate.path));
        if *name != "gzip" {
            return Packed::Ignored(ignored(candidate, Some(warning)));
        }
        let still = candidate.from_start || now >= candidate.grown + self.options.rotate_wait;
        let Ok(Some(file)) = self.candidate_file(at) else { return Packed::Wait };
        let candidate = &self.candidates[at];
        let (head, length) = (unpacked_head(&file), length(&file, candidate.stat.size));
        let like: Vec<_> = alike(by_start, &head).into_iter().filter_map(|id| self.generations.get(&id)).collect();
        let same = |generation: &&&super::generation::Generation| {
            generation.head.len() > 0 && generation.head.agrees(&head) == Agreement::Whole
        };
        let counted = |generation: &super::generation::Generation| {
            // Of one that has been dealt with, what was lost was told.
            length.is_some_and(|length| u64::from(length) <= generation.position())
                || (generation.settled && length.is_some_and(|length| u64::from(length) <= generation.size_seen))
        };
        match like.iter().filter(same).any(|generation| counted(generation)) {
            true if still => Packed::Ignored(ignored(candidate, None)),
            false if still => Packed::Ignored(ignored(candidate, Some(warning))),
            _ => Packed::Wait,
        }
    }
}

fn ignored(candidate: &Candidate, warning: Option<String>) -> Ignored {
    let Stat { born, size, modified, .. } = candidate.stat;
    Ignored { born, size, modified, warning }
}

/// The first bytes of what is compressed, as far as they can be had.
fn unpacked_head(file: &File) -> Vec<u8> {
    let packed = read_range(file, 0, ENOUGH).unwrap_or_default();
    let mut head = Vec::new();
    // An error leaves what came before it.
    let _ = GzDecoder::new(&packed[..]).take(HEAD as u64).read_to_end(&mut head);
    head
}

/// How many bytes it has decompressed, modulo 2^32, as its last four bytes say (RFC 1952).
fn length(file: &File, size: u64) -> Option<u32> {
    let last = read_range(file, size.checked_sub(4)?, 4).ok()?;
    Some(u32::from_le_bytes(last.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::super::testing::{World, lines};

    fn packed(text: impl AsRef<[u8]>) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_ref()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn of_a_compressed_copy_of_what_was_counted_nothing_is_said_and_of_others_it_is() {
        for (text, said) in [
            (lines(0..500), 0),
            // It has more than was counted, begins otherwise, or is cut short.
            (lines(0..501), 1),
            (lines(1..500), 1),
        ] {
            let mut world = World::new();
            world.append("a.log", lines(0..500));
            world.pass(3);
            world.append("a.log.gz", &packed(&text)[..20]);
            world.pass(1);
            world.append("a.log.gz", &packed(&text)[20..]);
            world.remove("a.log");
            world.pass(12);
            let warned = world.warnings.iter().filter(|text| text.contains("is compressed (gzip)")).count();
            assert_eq!((warned, world.lines().len()), (said, 500), "{:?}", world.warnings);
        }
    }
}
