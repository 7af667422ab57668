//! Files of lines that did not count: of each line the place, the cause and the bytes can be had
//! back, under any name of the log; each malformed and each late line is there once, and nothing in
//! the files acts on a terminal.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use logparser::Pipeline;
use logparser::internals::model::balance::OVERSIZED_HEAD;
use logparser::internals::model::escape::{bytes, is_hostile};
use logparser::{Cause, Timestamp};

use super::{Draw, Sink};

/// What is taken for now, in seconds.
const NOW: i64 = 1_700_010_000;

/// A name that a file can have, of drawn bytes.
fn name(draw: &mut Draw<'_>) -> Vec<u8> {
    let length = 1 + draw.below(12);
    let mut name: Vec<u8> =
        draw.take(length).iter().map(|byte| if matches!(byte, 0 | b'/') { b'_' } else { *byte }).collect();
    // No pattern, and no other folder.
    name.retain(|byte| !b"*?[]{}".contains(byte));
    name.splice(..0, *b"l");
    name
}

fn lines_of(path: &Path) -> Vec<String> {
    let text = String::from_utf8(std::fs::read(path).expect("it is written")).expect("it is text");
    assert!(!text.chars().any(|c| !matches!(c, '\n' | '\t') && is_hostile(c)), "{text:?}");
    assert!(text.is_empty() || text.ends_with('\n'), "{text:?} ends within a line");
    text.lines().map(str::to_owned).collect()
}

pub fn run(data: &[u8]) {
    let mut draw = Draw::new(data);
    let name = name(&mut draw);
    let (max_line, chunk, threads) = (16 + draw.below(120), 16 + draw.below(300), 1 + draw.below(3));
    let mut log = Vec::new();
    while !draw.is_done() {
        // Lines of the common kind, of which some come late, and bytes as they are.
        match draw.byte() {
            0xf0.. => {
                let time = NOW - 9_000 + draw.below(8_000) as i64;
                log.extend(format!("{time} h{} d\n", draw.byte() % 8).bytes());
            }
            byte => log.push(byte),
        }
    }
    let folder = tempfile::tempdir_in(if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "." });
    let folder = folder.expect("there is room");
    let path = folder.path().join(OsStr::from_bytes(&name));
    std::fs::write(&path, &log).expect("there is room");
    let (rejects, late) = (folder.path().join(".rejects"), folder.path().join(".late"));
    let mut builder = Pipeline::builder()
        .config_text("p.toml", "reports = [\"top-servers\"]\noutputs = [\"json\"]\nevery = \"10s\"\nseconds = \"10s\"\nlateness = \"1s\"\n")
        .output("json", Box::new(Sink::default()))
        .clock(|| Timestamp::from_seconds(NOW))
        .on_failure(|_| {})
        .on_warning(|_| {});
    let settings = [
        // A folder, as the name may be no text.
        ("location", format!("\"{}\"", folder.path().display())),
        ("rejects", format!("\"{}\"", rejects.display())),
        ("late-file", format!("\"{}\"", late.display())),
        ("max-line", max_line.to_string()),
        ("chunk", chunk.to_string()),
        ("threads", threads.to_string()),
        ("format", "\"plain\"".to_owned()),
    ];
    for (key, value) in &settings {
        builder = builder.set(key, value);
    }
    let summary = builder.build().expect("it is right").run().expect("it runs");
    let sheet = &summary.sheets[0].balance;

    let found = lines_of(&rejects);
    let mut causes = BTreeMap::<String, u64>::new();
    let mut places = Vec::new();
    for line in &found {
        let mut fields = line.split('\t');
        let [Some(place), Some(cause), Some(shown), None] = std::array::from_fn(|_| fields.next()) else {
            panic!("{line:?} has not three fields")
        };
        let (file, at) = place.rsplit_once(':').expect("a place");
        assert_eq!(bytes(file), path.as_os_str().as_bytes());
        let at: usize = at.parse().expect("a byte");
        let rest = &log[at..];
        assert!(at == 0 || log[at - 1] == b'\n' || log[..at].iter().all(|byte| *byte == 0), "{at} is within a line");
        let whole = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let kept =
            if cause == Cause::TooLong.name() { OVERSIZED_HEAD.min(max_line).min(whole.len()) } else { whole.len() };
        assert_eq!(bytes(shown), &whole[..kept], "{line:?}");
        *causes.entry(cause.to_owned()).or_default() += 1;
        places.push(at);
    }
    assert!(places.is_sorted_by(|one, next| one < next), "{places:?}");
    assert_eq!(causes.values().sum::<u64>(), sheet.malformed.iter().sum::<u64>());

    let found = lines_of(&late);
    assert_eq!(found.len() as u64, sheet.late);
    let mut left: Vec<&[u8]> = log.split(|byte| *byte == b'\n').collect();
    for line in found {
        let line = bytes(&line);
        let is_it = |known: &&[u8]| known.strip_suffix(b"\r").unwrap_or(known) == line;
        let at = left.iter().position(is_it).unwrap_or_else(|| panic!("{line:?} is no line of the log"));
        left.swap_remove(at);
    }
}
