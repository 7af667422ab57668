//! Ways to run the program, to end it, and to see what it said.

use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Folder;

/// The program under test: that of this build, or the one that `LOGPARSER_BIN` names.
pub fn binary_path() -> PathBuf {
    std::env::var_os("LOGPARSER_BIN").map_or_else(|| env!("CARGO_BIN_EXE_logparser").into(), PathBuf::from)
}

/// The program, in a folder.
pub fn program(folder: &Folder) -> Command {
    let mut command = Command::new(binary_path());
    command.current_dir(folder.path()).stdin(Stdio::null()).env_remove("FAILPOINTS");
    command
}

/// The program of this build with faults injected, which a release build knows nothing of.
pub fn faulty(folder: &Folder, faults: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logparser"));
    command.current_dir(folder.path()).stdin(Stdio::null()).env("FAILPOINTS", faults);
    command
}

/// Counts each task of a plan that is made with these arguments: the names of the tallies, in order.
pub fn count_plan(folder: &Folder, args: &[&str]) -> Vec<String> {
    let plan: Value = serde_json::from_str(&ok(&run(folder, &[&["plan"], args].concat()))).unwrap();
    let count = |(at, task): (usize, &Value)| {
        let tally = format!("{at}.tally");
        let args = task["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap());
        ok(&run(folder, &args.chain(["--output", &tally]).collect::<Vec<_>>()));
        tally
    };
    plan["tasks"].as_array().unwrap().iter().enumerate().map(count).collect()
}

/// Runs the program with arguments.
pub fn run(folder: &Folder, args: &[&str]) -> Output {
    program(folder).args(args).output().unwrap()
}

/// A shell script in a folder, which finds the programs by their names.
pub fn shell(folder: &Folder, script: &str) -> Command {
    let programs = Path::new(env!("CARGO_BIN_EXE_logparser")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.current_dir(folder.path()).env("PATH", path).env_remove("FAILPOINTS").args(["-c", script]);
    shell
}

/// Starts the program with pipes on all three streams.
pub fn piped(folder: &Folder, args: &[&str]) -> Child {
    let mut command = program(folder);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Runs the program and gives its peak memory in KiB with its output.
pub fn with_peak_memory(folder: &Folder, args: &[&str]) -> (u64, Output) {
    let mut command = program(folder);
    command.args(args);
    peak_memory_of(command)
}

/// Runs a command and gives its peak memory in KiB with its output.
pub fn peak_memory_of(mut command: Command) -> (u64, Output) {
    // Into a file: nobody reads a pipe while the memory is watched, and a full one would stop the
    // program for ever.
    let mut results = tempfile::tempfile().unwrap();
    let writer = results.try_clone().unwrap();
    let mut child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    // The kernel keeps the peak until the process is gone, so the last look tells it.
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
        peak = peak.max(line.trim().trim_end_matches(" kB").parse().unwrap());
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut output = child.wait_with_output().unwrap();
    results.rewind().unwrap();
    results.read_to_end(&mut output.stdout).unwrap();
    (peak, output)
}

/// Runs the program with arguments and something on its standard input.
pub fn run_with_input(folder: &Folder, args: &[&str], input: &[u8]) -> Output {
    let mut child = piped(folder, args);
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // The program may stop reading before the end.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Sends a signal by its name, e.g. `INT`.
pub fn signal(child: &std::process::Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

/// Waits until `condition` holds; fails the test if it does not within ten seconds.
pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(10), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn ok(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    stdout(output)
}

/// Ends with the program, if it is not ended before.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks a program to end, and gives its exit code and how long that took.
pub fn terminate(running: &mut Running) -> (Option<i32>, Duration) {
    signal(&running.0, "TERM");
    let started = Instant::now();
    loop {
        if let Some(status) = running.0.try_wait().unwrap() {
            return (status.code(), started.elapsed());
        }
        assert!(started.elapsed() < Duration::from_secs(20), "does not end");
        std::thread::sleep(Duration::from_millis(2));
    }
}
