//! Whether all lines of a file have the columns that its beginning names, so that it can be read in
//! parts.
//!
//! Not here: reading on by other columns (`stage/anew`). Invariant: a part of a file is read by its
//! beginning only where nothing before that part says otherwise.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::format::LineRules;

/// Bytes that are looked at at a time.
const BLOCK: usize = 1 << 20;

/// Whether no line of the first `bytes` bytes of a file names other columns. Only files of formats
/// where a line may are looked at.
pub(super) fn is_uniform(file: &File, bytes: u64, rules: &LineRules) -> io::Result<bool> {
    if !rules.schema.may_name_columns() {
        return Ok(true);
    }
    let (mut block, mut kept, mut at) = (vec![0; BLOCK], 0, 0);
    loop {
        let room = (block.len() - kept).min(usize::try_from(bytes - at).unwrap_or(usize::MAX));
        let read = match file.read_at(&mut block[kept..kept + room], at) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let filled = kept + read;
        let lines = if read == 0 { filled } else { memchr::memrchr(b'\n', &block[..filled]).map_or(0, |end| end + 1) };
        if rules.names_others(&block[..lines]) {
            return Ok(false);
        }
        if read == 0 {
            return Ok(true);
        }
        // What fills a block without an end is no line that names columns.
        let from = if lines == 0 && filled == block.len() { filled } else { lines };
        block.copy_within(from..filled, 0);
        (kept, at) = (filled - from, at + read as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{Format, Head};
    use crate::model::Timestamp;

    #[test]
    fn a_line_that_names_other_columns_is_found_wherever_it_stands() {
        let header = "#fields\tts\tid.orig_h\tid.resp_h\tconn_state\n";
        let other = "#fields\tid.orig_h\tts\tid.resp_h\tconn_state\n";
        let rules = Format::auto().bind(&Head::of(header.as_bytes(), true), Timestamp::MAX, 1_000).unwrap();
        for padding in [0, 1, BLOCK - header.len() - 30, BLOCK - header.len() - 9, BLOCK, 3 * BLOCK / 2] {
            for (second, expected) in [(header, true), (other, false), (other.trim_end(), false)] {
                let text = format!("{header}{}\n{second}", "x".repeat(padding));
                let file = tempfile::NamedTempFile::new().unwrap();
                std::fs::write(file.path(), &text).unwrap();
                let file = File::open(file.path()).unwrap();
                assert_eq!(is_uniform(&file, text.len() as u64, &rules).unwrap(), expected, "{padding} {second}");
                assert!(is_uniform(&file, header.len() as u64, &rules).unwrap());
            }
        }
    }
}
