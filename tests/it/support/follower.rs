//! The program as it follows files and tells its results one by one.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use super::{Folder, program, signal};

/// A program that follows, and the results that it writes.
pub struct Follower {
    child: Child,
    pub results: Receiver<Value>,
}

/// Windows of ten seconds from the epoch on, no disorder, silent files left alone after two
/// seconds. Single lines move time, so that each test can say which one does.
pub const TUMBLING: [&str; 18] = [
    "--every",
    "10",
    "--seconds",
    "10",
    "--align",
    "epoch",
    "--since",
    "0",
    "--lateness",
    "0",
    "--max-jump",
    "0",
    "--idle",
    "2",
    "--checkpoint",
    "50ms",
    "--output",
    "json",
];

impl Follower {
    pub fn start(folder: &Folder, args: &[&str]) -> Self {
        let common = TUMBLING.chunks(2).filter(|pair| !args.contains(&pair[0]));
        Self::start_with(folder, &[&common.flatten().copied().collect::<Vec<_>>(), args].concat())
    }

    pub fn start_with(folder: &Folder, args: &[&str]) -> Self {
        let mut command = program(folder);
        command.args(["top", "--follow", "--quiet"]).args(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let (sender, results) = channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let result: Value = serde_json::from_str(&line).unwrap();
                // The last line may be a sheet without a window.
                if result["window"].is_object() {
                    let _ = sender.send(result);
                }
            }
        });
        Follower { child, results }
    }

    /// The next result: where its window ends, its revision, whether it is provisional, and its
    /// connections.
    pub fn next(&self) -> (i64, i64, bool, i64) {
        summary(&self.result())
    }

    /// The next result.
    pub fn result(&self) -> Value {
        self.results.recv_timeout(Duration::from_secs(20)).expect("a result")
    }

    pub fn nothing_for(&self, millis: u64) {
        assert!(self.results.recv_timeout(Duration::from_millis(millis)).is_err(), "a result that is not due");
    }

    /// Ends it by a signal, and gives the results that were left.
    pub fn stop(mut self) -> Vec<(i64, i64, bool, i64)> {
        signal(&self.child, "TERM");
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        std::mem::replace(&mut self.results, channel().1).iter().map(|result| summary(&result)).collect()
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // A test that fails must not leave a program behind that never ends.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn summary(result: &Value) -> (i64, i64, bool, i64) {
    let window = &result["window"];
    let rows = result["reports"][0]["rows"].as_array().unwrap();
    let connections = rows.iter().map(|row| row[1].as_i64().unwrap()).sum();
    let provisional = window["provisional"].as_bool().unwrap_or(false);
    (window["end_unix"].as_i64().unwrap(), window["revision"].as_i64().unwrap(), provisional, connections)
}
