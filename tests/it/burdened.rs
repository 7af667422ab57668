//! A run that has little of a busy machine, and is killed again and again: it comes forward all the
//! same, since it saves soon after it begins.
//!
//! In `cargo test` a little of it; `tests/soak.sh` runs it over 2,000 files with 24 others at work.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::{Folder, Running, SavedState, asked, configure, follower, said};

/// Processes that want all of the machine, until they are dropped.
struct Busy(Vec<Child>);

impl Busy {
    fn start(count: u64) -> Self {
        let busy = |_| {
            let mut command = Command::new("sh");
            command.args(["-c", "while :; do :; done"]).stdin(Stdio::null());
            command.spawn().unwrap()
        };
        Busy((0..count).map(busy).collect())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Logs of so many lines each; their bytes together.
fn write_logs(folder: &Folder, files: u64, lines: u64) -> u64 {
    std::fs::create_dir_all(folder.at("logs")).unwrap();
    let mut bytes = 0;
    for file in 0..files {
        let text: String =
            (0..lines).map(|line| format!("{} host{file} to{}\n", 1_700_000_000 + line, line % 9)).collect();
        bytes += text.len() as u64;
        folder.write(&format!("logs/log.{file}"), text);
    }
    bytes
}

fn counted(folder: &Folder) -> u64 {
    SavedState::of(folder, false).map_or(0, |saved| saved.bytes())
}

/// What a loop of kills has found.
#[derive(Debug)]
struct Found {
    kills: u64,
    /// Kills in a row that found no newer state than before, at most.
    in_vain: u64,
    /// Bytes that are counted in the last state.
    bytes: u64,
}

/// Kills a run `kills` times, or until all is counted, each time after a life that is longer by a
/// tenth where nothing new was saved: however slow the machine is, some time is enough.
fn killed(folder: &Folder, busy: u64, mut life: Duration, kills: u64, all: u64) -> Found {
    let (mut found, mut in_vain) = (Found { kills: 0, in_vain: 0, bytes: 0 }, 0);
    while found.bytes < all && found.kills < kills {
        let others = Busy::start(busy);
        let mut running = Running(follower(folder).spawn().unwrap());
        std::thread::sleep(life);
        running.0.kill().unwrap();
        running.0.wait().unwrap();
        drop(others);
        let now = counted(folder);
        assert!(now >= found.bytes, "{now} bytes after {found:?}: {}", said(folder));
        in_vain = if now > found.bytes { 0 } else { in_vain + 1 };
        life += if in_vain > 0 { life / 10 } else { Duration::ZERO };
        found = Found { kills: found.kills + 1, in_vain: found.in_vain.max(in_vain), bytes: now };
    }
    found
}

#[test]
fn e17_killed_again_and_again_on_a_busy_machine_it_comes_forward() {
    let (files, busy) = (asked("LOGPARSER_FILES").unwrap_or(200), asked("LOGPARSER_BUSY").unwrap_or(6));
    let (kills, life) = (asked("LOGPARSER_LIVES").unwrap_or(8), asked("LOGPARSER_LIFE_MS").unwrap_or(500));
    let folder = Folder::new();
    // As it is by default, but for the folder of the state.
    configure(&folder, "10d", "5s", "");
    let all = write_logs(&folder, files, asked("LOGPARSER_LINES").unwrap_or(2_000));
    let found = killed(&folder, busy, Duration::from_millis(life), kills, all);
    eprintln!(
        "e17: {files} files, {busy} others at work: {} kills, of which {} in a row found nothing new at most; {} of {all} bytes \
         are counted, exact",
        found.kills, found.in_vain, found.bytes
    );
    // A first state after the interval of 5 seconds would take three times as many such lives in a
    // row.
    assert!(
        found.in_vain <= asked("LOGPARSER_IN_VAIN").unwrap_or(8) && found.bytes > 0,
        "{found:?}: {}",
        said(&folder)
    );
}
