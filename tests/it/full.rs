//! A disk that is full: files hold whole results and lines, what is not written is told, and
//! following goes on.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::support::{BASE, Folder, faulty, log, run, signal, skip, stderr, stdout, wait_for};

const EVERY: [&str; 8] = ["--every", "100", "--seconds", "100", "--align", "epoch", "--limit", "3"];

/// A log with malformed and late lines, hosts enough for long results, and what each kind of output
/// is asked for with.
fn folder() -> Folder {
    let folder = Folder::new();
    let lines = String::from_utf8(log(3, 2_000, 3_000, 40, 30)).unwrap();
    let spoilt = lines
        .lines()
        .enumerate()
        .map(|(at, line)| if at % 40 == 0 { format!("no {line}\n") } else { format!("{line}\n") });
    folder.write("conn.log", spoilt.collect::<String>());
    folder
}

/// The outputs that a file may be, each with the options that write it to `name`.
fn outputs(name: &str) -> [Vec<String>; 5] {
    let option = |option: &str, value: String| vec![option.to_owned(), value];
    [
        option("--output", format!("json:{name}")),
        option("--output", format!("csv:{name}")),
        option("--output", format!("text:{name}")),
        option("--rejects", name.to_owned()),
        [option("--late-file", name.to_owned()), option("--lateness", "5s".into())].concat(),
    ]
}

/// Runs `top` on the log by a shell that first does `before`.
fn after(before: &str, folder: &Folder, args: &[String]) -> Output {
    let script = format!("{before}; exec \"$0\" top conn.log \"$@\"");
    let mut command = Command::new("bash");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_logparser")]).args(EVERY).args(args);
    command.current_dir(folder.path()).stdin(Stdio::null()).env_remove("FAILPOINTS").output().unwrap()
}

/// Whether `short` is `long` up to the end of one of its results or lines.
fn is_whole_part(short: &str, long: &str, kind: &str) -> bool {
    let ends = if kind.contains("text:") { "\n\nWindow " } else { "\n" };
    long.strip_prefix(short).is_some_and(|rest| {
        short.is_empty() || rest.is_empty() || (short.ends_with('\n') && format!("\n{rest}").starts_with(ends))
    })
}

#[test]
fn a_run_that_finds_no_room_leaves_whole_results_and_says_so() {
    let folder = folder();
    for (whole, cut) in outputs("whole").iter().zip(outputs("cut")) {
        let output = after("true", &folder, whole);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let results = stdout(&output);
        let last_result = results.rsplit("Window ").next().unwrap();
        let whole = std::fs::read_to_string(folder.at("whole")).unwrap();
        for blocks in [0, 1, 2] {
            let output = after(&format!("ulimit -f {blocks}"), &folder, &cut);
            assert_eq!(output.status.code(), Some(1), "{cut:?}: {}", stderr(&output));
            let left = std::fs::read_to_string(folder.at("cut")).unwrap();
            assert!(left.len() <= blocks * 1024 && is_whole_part(&left, &whole, &cut[1]), "{cut:?}: {left:?}");
            if cut[0] == "--output" {
                let said = "cut: cannot write; it holds what was written before, whole: ";
                assert!(stderr(&output).contains(said), "{}", stderr(&output));
                assert!(blocks < 2 || !left.is_empty(), "{cut:?}");
                continue;
            }
            // A line that would have fitted is there; the others are counted, and results are what
            // they are.
            let (next, lost) = (&whole[left.len()..], whole.lines().count() - left.lines().count());
            let fits = left.len() + next.find('\n').unwrap() < blocks * 1024;
            let said = format!("cut: {lost} lines are not written; it holds the others, whole: File too large");
            assert!(!fits && stderr(&output).contains(&said), "{cut:?}: {}", stderr(&output));
            let in_it = match left.lines().count() {
                0 => "none is in cut, which could not be written".to_owned(),
                kept => format!("{kept} are in cut, {lost} could not be written"),
            };
            assert!(stderr(&output).contains(&in_it), "{cut:?}: {}", stderr(&output));
            assert!(stdout(&output).ends_with(last_result), "{cut:?}");
        }
    }
}

#[test]
fn standard_output_is_cut_back_too_where_it_is_a_file() {
    let folder = folder();
    let json = ["--output".to_owned(), "json".to_owned()];
    for (redirected, before) in [("exec >out", ""), ("echo before >out; exec >>out", "before\n")] {
        let output = after(&format!("{redirected}; ulimit -f 2"), &folder, &json);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("stdout: cannot write; it holds"), "{}", stderr(&output));
        let left = std::fs::read_to_string(folder.at("out")).unwrap();
        let results = left.strip_prefix(before).unwrap();
        assert!(
            results.ends_with('\n')
                && results.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
        );
        assert!(!results.is_empty());
    }
}

#[test]
fn what_cannot_be_cut_back_is_said() {
    let folder = folder();
    let output = run(&folder, &["top", "conn.log", "--until", "latest", "--output", "json:/dev/full"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("/dev/full: cannot write"), "{}", stderr(&output));
    assert!(Command::new("mkfifo").arg(folder.at("pipe")).status().unwrap().success());
    let reader = File::options().read(true).write(true).open(folder.at("pipe")).unwrap();
    let mut command = faulty(&folder, "output-room=return(5)");
    let output = command.args(["top", "conn.log", "--until", "latest", "--output", "json:pipe"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("pipe: cannot write, and what was begun cannot be cut back"),
        "{}",
        stderr(&output)
    );
    drop(reader);
}

/// One failing output does not keep another from the result.
#[test]
fn the_other_outputs_have_their_results() {
    let folder = folder();
    let output =
        run(&folder, &["top", "conn.log", "--until", "latest", "--output", "json:/dev/full", "--output", "csv"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("server,connections\n"));
}

#[test]
fn on_a_small_disk_whole_results_are_left() {
    let folder = folder();
    std::fs::create_dir(folder.at("disk")).unwrap();
    let script = "mount -t tmpfs -o size=64k tmpfs disk 2>/dev/null || exit 77; mkdir disk/lie; head -c 60k /dev/zero >disk/fill; \
                  \"$0\" top conn.log --every 10 --seconds 10 --output json:disk/out; code=$?; cp disk/out out; exit $code";
    let mut command = Command::new("unshare");
    command.args(["--mount", "bash", "-c", script, env!("CARGO_BIN_EXE_logparser")]).current_dir(folder.path());
    let output = match command.output() {
        Ok(output) if output.status.code() == Some(1) && !stderr(&output).contains("unshare") => output,
        Ok(output) if output.status.code() != Some(77) && !stderr(&output).contains("unshare") => {
            panic!("{:?}: {}", output.status, stderr(&output))
        }
        _ => return skip("it takes the right to mount a disk of 64 KiB"),
    };
    assert!(
        stderr(&output).contains("disk/out: cannot write; it holds what was written before, whole"),
        "{}",
        stderr(&output)
    );
    let left = std::fs::read_to_string(folder.at("out")).unwrap();
    assert!(
        left.ends_with('\n') && left.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "{left}"
    );
}

/// A program that follows `live.log` and writes to `name`.
struct Followed {
    folder: Folder,
    child: Child,
    said: Arc<Mutex<String>>,
    /// Who gathers it.
    listener: Option<JoinHandle<()>>,
    log: File,
    second: i64,
}

impl Followed {
    /// With room for so many blocks of 1,024 bytes, until there is more.
    fn start(blocks: &str, faults: &str, args: &[&str]) -> Self {
        let folder = Folder::new();
        folder.write("live.log", "");
        folder.write("out", "{\"earlier\":1}\n");
        let (child, said) = (Self::spawn(&folder, blocks, faults, args), Arc::default());
        let log = OpenOptions::new().append(true).open(folder.at("live.log")).unwrap();
        let mut followed = Followed { folder, child, said, listener: None, log, second: BASE };
        followed.listen();
        followed
    }

    fn spawn(folder: &Folder, blocks: &str, faults: &str, args: &[&str]) -> Child {
        let script = format!("ulimit -S -f {blocks}; exec \"$0\" top live.log \"$@\"");
        let mut command = Command::new("bash");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_logparser"), "--follow", "--every", "1", "--seconds", "1"]);
        command.args(["--align", "epoch", "--since", "0", "--lateness", "0", "--quiet", "--checkpoint", "50ms"]);
        // Single lines move time.
        command.args(["--max-jump", "0"]);
        command.args(args).env("FAILPOINTS", faults).current_dir(folder.path()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Gathers what a program says. Not in a file, which would have no room either.
    fn listen(&mut self) {
        let (stderr, said) = (self.child.stderr.take().unwrap(), Arc::clone(&self.said));
        self.listener = Some(std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                *said.lock().unwrap() += &(line + "\n");
            }
        }));
    }

    /// Writes the lines of so many seconds, with a bad one each.
    fn write(&mut self, seconds: i64) {
        for _ in 0..seconds {
            writeln!(self.log, "{} a b{}\nbad line {}", self.second, self.second, self.second).unwrap();
            self.second += 1;
        }
    }

    fn wait_until_said(&self, text: &str) {
        wait_for(text, || self.said().contains(text));
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    fn make_room(&self) {
        let limit = Rlimit { current: None, maximum: None };
        prlimit(Pid::from_raw(self.child.id() as i32), Resource::Fsize, limit).unwrap();
    }

    fn stop(&mut self) -> Option<i32> {
        self.end("TERM")
    }

    /// Ends it with a signal, and waits until all that it has said is heard.
    fn end(&mut self, by: &str) -> Option<i32> {
        signal(&self.child, by);
        let code = self.child.wait().unwrap().code();
        self.listener.take().map(JoinHandle::join);
        code
    }

    /// The seconds of the windows in `out`, which has to hold whole results behind what was there
    /// before.
    fn windows(&self) -> Vec<i64> {
        let text = std::fs::read_to_string(self.folder.at("out")).unwrap();
        let results = text.strip_prefix("{\"earlier\":1}\n").expect("what was there before");
        assert!(results.is_empty() || results.ends_with('\n'));
        // The sheet of the run may follow them, without a window.
        let start = |line| serde_json::from_str::<serde_json::Value>(line).unwrap()["window"]["start_unix"].as_i64();
        results.lines().filter_map(start).collect()
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn seconds(count: i64) -> Vec<i64> {
    (BASE..BASE + count).collect()
}

#[test]
fn results_that_are_followed_wait_for_room() {
    let mut followed = Followed::start("2", "", &["--output", "json:out", "--output", "csv:other", "--state", "none"]);
    followed.write(20);
    followed.wait_until_said("counting goes on, and up to 32 results wait until it can be written");
    // The other output is small enough, and goes on.
    let rows = |folder: &Folder| std::fs::read_to_string(folder.at("other")).unwrap_or_default().lines().count();
    wait_for("the other output", || rows(&followed.folder) == 20);
    assert!(!followed.windows().is_empty() && followed.windows().len() < 10, "{:?}", followed.windows());
    followed.make_room();
    followed.wait_until_said("out: can be written again, and no result is lost");
    followed.write(1);
    wait_for("the next result", || followed.windows().len() == 20);
    assert_eq!(followed.stop(), Some(0), "{}", followed.said());
    assert_eq!(followed.windows(), seconds(21));
}

#[test]
fn d5_a_state_for_which_there_is_no_room_for_a_while_is_told_once_and_saved_in_the_end() {
    let args = ["--output", "json:/dev/null", "--state", "st"];
    for has_room in [true, false] {
        let mut followed = Followed::start("0", "", &args);
        followed.write(5);
        followed.wait_until_said("counting goes on, and what was saved before stays until it can be written");
        // It is tried again every so often.
        std::thread::sleep(std::time::Duration::from_millis(600));
        followed.write(2);
        let again = "st: can be written again, and all that is counted is saved\n";
        if has_room {
            followed.make_room();
            followed.wait_until_said(again);
        }
        followed.write(1);
        let code = followed.stop();
        let said = followed.said();
        assert_eq!(code, Some(if has_room { 0 } else { 1 }), "{said}");
        let times = |text: &str| said.matches(text).count();
        let unsaved = times("; what was counted since the last state will be counted again from that one");
        let told = [times("counting goes on, and"), times(again), unsaved];
        assert_eq!(told, if has_room { [1, 1, 0] } else { [1, 0, 1] }, "{said}");
        let verified = run(&followed.folder, &["state", "verify", "--state", "st"]);
        assert_eq!(verified.status.code() == Some(0), has_room, "{}{}", stdout(&verified), stderr(&verified));
    }
}

#[test]
fn results_that_do_not_fit_a_bounded_queue_are_counted_and_told() {
    let mut followed = Followed::start("0", "", &["--output", "json:out", "--state", "none"]);
    for _ in 0..60 {
        followed.write(1);
        std::thread::sleep(std::time::Duration::from_millis(60));
    }
    followed.wait_until_said("more than 32 results wait to be written; the oldest are dropped");
    followed.make_room();
    followed.wait_until_said("out: can be written again, and ");
    let said = followed.said();
    assert_eq!(followed.stop(), Some(1), "{said}");
    let windows = followed.windows();
    let number_before = |text: &str| -> Option<i64> {
        let said = followed.said();
        // Told while it runs, and once more at its end.
        let before = said.lines().rev().find_map(|line| Some(line.split_once(text)?.0.to_owned()))?;
        Some(before.rsplit(' ').next().unwrap().parse().unwrap())
    };
    let lost = number_before(" results are lost").unwrap();
    // Those that were dropped before they came to the output are in that, too.
    let in_all = number_before(" results were not written, as the output took nothing").unwrap();
    assert!(windows.len() as i64 + in_all == 60 && in_all >= lost, "{said}");
    assert!(windows.is_sorted() && windows.ends_with(&[BASE + 58, BASE + 59]), "{windows:?}");
    // Programs are told, too: the last line has all of them.
    let text = std::fs::read_to_string(followed.folder.at("out")).unwrap();
    let sheet: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(sheet["balance"]["results_dropped"], in_all, "{sheet}");
}

#[test]
fn results_that_wait_when_a_run_ends_come_with_the_next_one() {
    for end in ["TERM", "KILL"] {
        let args = ["--output", "json:out", "--state", "st"];
        let mut followed = Followed::start("unlimited", "output-room=return(7)", &args);
        followed.write(5);
        followed.wait_until_said("counting goes on");
        std::thread::sleep(std::time::Duration::from_millis(300));
        let code = followed.end(end);
        assert_eq!(followed.windows(), Vec::<i64>::new(), "{end}");
        if end == "TERM" {
            assert_eq!(code, Some(1), "{}", followed.said());
            assert!(followed.said().contains("results are not written"), "{}", followed.said());
        }
        followed.child = Followed::spawn(&followed.folder, "unlimited", "", &args);
        followed.listen();
        wait_for("the results", || followed.windows().len() >= 4);
        followed.stop();
        let mut windows = followed.windows();
        windows.dedup();
        assert_eq!(windows, seconds(5), "{end}");
    }
}

#[test]
fn rejected_lines_that_are_followed_wait_for_room() {
    let mut followed = Followed::start("1", "", &["--output", "csv:results", "--rejects", "bad", "--state", "none"]);
    let bad = |folder: &Folder| std::fs::read_to_string(folder.at("bad")).unwrap_or_default();
    for _ in 0..40 {
        followed.write(1);
        std::thread::sleep(std::time::Duration::from_millis(15));
    }
    followed.wait_until_said("bad: cannot write: ");
    assert!(bad(&followed.folder).ends_with('\n'));
    followed.make_room();
    followed.write(1);
    followed.wait_until_said("bad: can be written again");
    assert_eq!(followed.stop(), Some(0), "{}", followed.said());
    let said = bad(&followed.folder);
    let mut found: Vec<&str> = said.lines().map(|line| line.rsplit(' ').next().unwrap()).collect();
    // Blocks come from several threads.
    found.sort_unstable();
    let written: Vec<String> = seconds(41).iter().map(i64::to_string).collect();
    assert_eq!(found, written);
    assert!(Path::new(&followed.folder.at("results")).exists());
}

/// What never finds room is counted line by line, whole blocks and parts of them.
#[test]
fn rejected_lines_that_find_no_room_are_counted_when_a_run_ends() {
    let mut followed = Followed::start("1", "", &["--output", "csv:results", "--rejects", "bad", "--state", "none"]);
    followed.write(200);
    followed.wait_until_said("bad: cannot write: ");
    assert_eq!(followed.stop(), Some(1), "{}", followed.said());
    let bad = std::fs::read_to_string(followed.folder.at("bad")).unwrap();
    let lost = 200 - bad.lines().count();
    assert!(bad.ends_with('\n') && bad.len() > 1024 - 60, "{} {bad}", bad.len());
    let said = format!("bad: {lost} lines are not written; it holds the others, whole: ");
    assert!(followed.said().contains(&said), "{said} {}", followed.said());
}

#[test]
fn rejected_lines_that_a_device_does_not_take_are_counted_and_results_are_there() {
    let folder = folder();
    for (option, name) in [("--rejects", "/dev/full"), ("--late-file", "/dev/full")] {
        let args = [&["top", "conn.log", option, name, "--lateness", "5s"], &EVERY[..]].concat();
        let output = run(&folder, &args);
        assert_eq!(output.status.code(), Some(1));
        let counted = stderr(&output);
        let said = counted.lines().find(|line| line.contains("/dev/full: ")).unwrap().to_owned();
        assert!(said.contains(" lines are not written; it holds the others, whole: No space left"), "{said}");
        let plain = run(&folder, &[&["top", "conn.log", "--lateness", "5s"], &EVERY[..]].concat());
        assert_eq!(stdout(&output), stdout(&plain));
    }
}

#[test]
fn a_csv_file_that_is_opened_anew_has_its_header() {
    let mut followed = Followed::start("unlimited", "", &["--output", "csv:rows", "--state", "none"]);
    let rows = |followed: &Followed| std::fs::read_to_string(followed.folder.at("rows")).unwrap_or_default();
    followed.write(3);
    wait_for("the first rows", || rows(&followed).lines().count() == 3);
    std::fs::rename(followed.folder.at("rows"), followed.folder.at("rows.1")).unwrap();
    signal(&followed.child, "HUP");
    std::thread::sleep(std::time::Duration::from_millis(100));
    followed.write(2);
    wait_for("the rows behind them", || rows(&followed).lines().count() == 3);
    assert!(rows(&followed).starts_with("window_start,window_end,revision,provisional,server,connections\n"));
    assert_eq!(followed.stop(), Some(0), "{}", followed.said());
}
