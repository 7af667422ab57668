//! What the tests share: a place for files, a way to run the program and the library, made-up logs,
//! the oracle.

pub mod code;

use std::collections::BTreeMap;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use logparser::Pipeline;
use logparser::{Builder, Summary};

/// The shapes of threads, capacity and chunk size under which every answer has to be the same.
pub const SHAPES: [(&str, &str, &str); 18] = {
    let (threads, capacities, chunks) = (["1", "2", "8"], ["1", "64"], ["64", "4KiB", "1MiB"]);
    let mut shapes = [("", "", ""); 18];
    let mut at = 0;
    while at < 18 {
        shapes[at] = (threads[at / 6], capacities[at / 3 % 2], chunks[at % 3]);
        at += 1;
    }
    shapes
};

/// A folder that goes away with the test.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        self.at(name).to_str().unwrap().to_owned()
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.at(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// The program, in a folder.
pub fn program(folder: &Folder) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logparser"));
    command.current_dir(folder.path()).stdin(Stdio::null()).env_remove("FAILPOINTS");
    command
}

/// Runs the program with arguments.
pub fn run(folder: &Folder, args: &[&str]) -> Output {
    program(folder).args(args).output().unwrap()
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

/// Somewhere for a pipeline in this process to write to.
#[derive(Clone, Default)]
pub struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Builds, runs, and gives what was written in `format`, with the summary.
pub fn run_library(builder: Builder, format: &str) -> (String, Summary) {
    let sink = Sink::default();
    let summary = builder.output(format, Box::new(sink.clone())).build().unwrap().run().unwrap();
    (sink.text(), summary)
}

/// A builder of the given shape.
pub fn shaped((threads, capacity, chunk): (&str, &str, &str)) -> Builder {
    Pipeline::builder().set("threads", threads).set("capacity", capacity).set("chunk", chunk)
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

/// A small generator of numbers (xorshift64*), so that a failing case can be had again.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    pub fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len() as u64) as usize]
    }
}

/// Where the stamps of made-up logs begin.
pub const BASE: i64 = 1_700_000_000;

/// A log of `lines` lines over `span` seconds from `BASE`, each up to `disorder` seconds late.
pub fn log(seed: u64, lines: u64, span: u64, disorder: u64, hosts: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut out = Vec::new();
    for line in 0..lines {
        let late = if disorder == 0 { 0 } else { random.below(disorder + 1) };
        let stamp = BASE + (line * span / lines) as i64 - late as i64;
        let (from, to) = (random.below(hosts), random.below(hosts / 2 + 1));
        writeln!(out, "{stamp} src{from} dst{to}").unwrap();
    }
    out
}

/// Has an oracle in Python try a program so often. `LOGPARSER_SEED` is its seed, which is printed.
pub fn python(oracle: &str, program: &Path, how_often: &str, times: &str) {
    if Command::new("python3").arg("--version").output().is_err() {
        return eprintln!("not tested: there is no python3");
    }
    let mut command = Command::new("python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(oracle));
    command.arg(program).args([how_often, times]);
    if let Ok(seed) = std::env::var("LOGPARSER_SEED") {
        command.args(["--seed", &seed]);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    eprintln!("{text}");
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

/// Runs an awk program of `tests/oracle` on files and gives its lines, sorted where the order does
/// not matter.
pub fn oracle(program: &str, variables: &[(&str, i64)], files: &[PathBuf]) -> Vec<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(program);
    let mut command = Command::new("awk");
    // In the C locale lengths are bytes, as they are for the program under test.
    command.env("LC_ALL", "C");
    for (name, value) in variables {
        command.arg("-v").arg(format!("{name}={value}"));
    }
    let output = command.arg("-f").arg(script).args(files).output().expect("awk is needed for these tests");
    assert!(output.status.success(), "awk: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The lines that begin with `word`, without it, by their fields.
pub fn fields(lines: &[String], word: &str) -> Vec<Vec<String>> {
    let found = lines.iter().filter_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
    found.map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

/// The pairs with their counts in a JSON result whose only report is `top-pairs`.
pub fn pairs(result: &serde_json::Value) -> BTreeMap<(String, String), u64> {
    let rows = result["reports"][0]["rows"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    rows.iter().map(|row| ((text(&row[0]), text(&row[1])), row[2].as_u64().unwrap())).collect()
}

/// All pairs as the only report.
pub const ALL_PAIRS: &str = r#"[{ name = "top-pairs", limit = 1000000000 }]"#;

/// What a run says, without what is not in tallies: of a window that holds nothing, which stamps
/// there are.
pub fn as_tallies_know(said: &str) -> String {
    let stamps = |line: &str| {
        let (window, _) = line.split_once(" UTC").filter(|_| line.starts_with("Nothing between "))?;
        Some(format!("{window} UTC"))
    };
    let line = |line: &str| stamps(line).unwrap_or_else(|| line.to_owned());
    // Beside outputs for programs it is a note.
    said.split('\n')
        .filter(|line| !line.starts_with("logparser: Nothing between "))
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}
