//! The program as it follows `logs/log*` with a configuration of its own: its results and what it
//! says are in the files `results` and `said`.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::{Folder, Oracle, SavedState, pairs, program, seconds};

/// Writes a configuration that follows `logs/log*` and reports all pairs; `more` are further keys,
/// one a line.
pub fn configure(folder: &Folder, window: &str, checkpoint: &str, more: &str) {
    let text = format!(
        "location = \"logs/log*\"\nfollow = true\nseconds = \"{window}\"\nevery = \"{window}\"\n\
         grouping-seconds = \"{window}\"\nalign = \"epoch\"\nsince = \"1970-01-01T00:00:00Z\"\nlateness = \"0\"\n\
         rotate-wait = \"300ms\"\nstate = \"state\"\ncheckpoint = \"{checkpoint}\"\noutputs = [\"json\"]\n\
         reports = [{{ name = \"top-pairs\", limit = 1000000000 }}]\nthreads = 2\n{more}\n"
    );
    std::fs::write(folder.at("pipeline.toml"), text).unwrap();
}

/// The program with that configuration, its output and what it says at the ends of files.
pub fn follower(folder: &Folder) -> Command {
    let append = |name: &str| OpenOptions::new().append(true).create(true).open(folder.at(name)).unwrap();
    let mut command = program(folder);
    command.args(["run", "pipeline.toml"]).stdout(append("results")).stderr(append("said"));
    command
}

/// Waits until so many bytes are counted and saved.
pub fn wait_until_saved(folder: &Folder, bytes: u64) {
    let (mut last, mut since) = (0, std::time::Instant::now());
    loop {
        let saved = SavedState::of(folder, false);
        let counted = saved.as_ref().map_or(0, SavedState::bytes);
        if saved.is_some() && counted >= bytes {
            return;
        }
        // A long way to go is no fault, standing still is one.
        if counted > last {
            (last, since) = (counted, std::time::Instant::now());
        }
        if since.elapsed() > Duration::from_secs(30) {
            let said = std::fs::read_to_string(folder.at("said")).unwrap_or_default();
            let last: Vec<&str> = said.lines().rev().take(20).collect();
            let text = saved.map_or_else(|| "no state".to_owned(), |saved| saved.text(false));
            panic!("waited in vain for {bytes} bytes: {text}\n{last:#?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What was said, for messages.
pub fn said(folder: &Folder) -> String {
    std::fs::read_to_string(folder.at("said")).unwrap_or_default()
}

/// The results that were printed whole, in the order in which they were.
pub fn results(folder: &Folder) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.at("results")).unwrap_or_default();
    // A kill may have cut the last line of a run, onto which the first one of the next run follows.
    let results = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    // The last line of a run may be a sheet without a window.
    results.filter(|result| result["window"].is_object()).collect()
}

/// Every final result is right, and each closed window has one; the oracle has counted all lines.
pub fn check_results(folder: &Folder, oracle: &Oracle, test: &str) {
    let mut issued = BTreeMap::new();
    for result in results(folder) {
        let start = seconds(result["window"]["start"].as_str().unwrap());
        if result["window"]["provisional"] == Value::Bool(true) {
            continue;
        }
        let wanted = oracle.counts.get(&start).cloned().unwrap_or_default().into_iter();
        let wanted: BTreeMap<_, _> = wanted.map(|(pair, count)| (pair, count as u64)).filter(|it| it.1 != 0).collect();
        let found = pairs(&result);
        let (sum, right): (u64, u64) = (found.values().sum(), wanted.values().sum());
        assert!(found == wanted, "{test}: window from {start}: {sum} connections for {right}: {}", result["window"]);
        *issued.entry(start).or_insert(0) += 1;
    }
    let all: Vec<i64> = oracle.counts.keys().copied().collect();
    // The last window was still open.
    for start in &all[..all.len() - 1] {
        assert!(issued.contains_key(start), "{test}: window from {start} was never issued: {issued:?}");
    }
    let again: i32 = issued.values().map(|times| times - 1).sum();
    eprintln!("{test}: {} windows, {again} results came again", all.len());
}
