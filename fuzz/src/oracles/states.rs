//! Saved states with right checksums around any content: what `state verify` takes in, a start goes
//! on from, and saves a state that is taken in again; what it refuses, a start refuses.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use logparser::Builder;
use logparser::internals::config::fingerprint;
use logparser::internals::model::escape::is_hostile;
use logparser::internals::pipeline::{contents, verified};
use logparser::internals::snapshot::store::{self as state, FORMAT};
use logparser::{Error, Pipeline};
use serde_json::Value;

use super::reseal;

/// What follows no file that there is.
pub const CONFIGURATION: &str = r#"
location = "/proc/self/no such folder/*.log"
follow = true
seconds = 120
every = 60
grouping-seconds = 30
align = "epoch"
"#;

fn builder(state: &Path) -> Builder {
    let builder = Pipeline::builder().config_text("p.toml", CONFIGURATION);
    let state = state.to_str().expect("a name that is text");
    builder.set("state", state).output("text", Box::new(io::sink())).on_failure(|_| {}).on_warning(|_| {})
}

/// What the state of the configuration depends on.
pub fn depends_on() -> String {
    fingerprint(builder(Path::new("state")).build().expect("it is right").plan())
}

fn is_said(error: &Error) {
    let text = error.to_string();
    assert_eq!(error.exit_code(), 4, "{text}");
    assert!(!text.chars().any(is_hostile), "{text:?}");
}

fn is_sound(dir: &Path) -> Result<u64, Error> {
    let mut loaded = state::peek(dir).expect("its checksum is right").expect("there is a state");
    let fingerprint = loaded.fingerprint.clone();
    loaded.read(|decoder| verified(&fingerprint, decoder))?;
    let whole = loaded.read(|decoder| contents(&fingerprint, decoder, true)).expect("what is verified can be shown");
    let shown = whole.shown();
    let (text, whole) = (shown.to_string(), serde_json::to_value(shown).expect("it is plain"));
    assert!(!text.chars().any(|c| is_hostile(c) && c != '\n'), "{text:?}");
    let sum = |list: &str, of: &dyn Fn(&Value) -> Option<u64>| -> u64 {
        whole[list].as_array().into_iter().flatten().map(|entry| of(entry).expect("a count")).sum()
    };
    let connections = |entry: &Value| entry["connections"].as_u64();
    let pairs = sum("pairs", &|pair| pair[3].as_u64());
    assert_eq!(pairs + sum("overflows", &connections), sum("buckets", &connections));
    Ok(whole["balance"]["lines_read"].as_u64().expect("a count"))
}

pub fn run(data: &[u8]) {
    let folder = tempfile::tempdir_in(if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "." });
    let folder = folder.expect("there is room");
    let dir = folder.path();
    std::fs::write(dir.join("state.0"), reseal::state(FORMAT, 1, &depends_on(), data)).expect("there is room");
    let sound = is_sound(dir);
    // A run that is asked to end as soon as it has begun.
    let ended = builder(dir).interrupt(Arc::new(AtomicBool::new(true))).build().expect("it is right").run();
    match (sound, ended) {
        (Err(error), Err(start)) => (is_said(&error), is_said(&start)).0,
        (Err(error), Ok(_)) => panic!("a start takes in what is not sound: {error}"),
        (Ok(_), Err(start)) => panic!("a start refuses what is sound: {start}"),
        (Ok(lines), Ok(summary)) => {
            assert!(summary.error().is_none(), "{:?}", summary.error().map(ToString::to_string));
            assert_eq!(is_sound(dir).expect("what a run has saved is sound"), lines);
        }
    }
}
