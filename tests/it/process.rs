//! The process as the system sees it while it follows: signals, streams that are full, closed or
//! never read, permissions, clocks, panics.
//!
//! How often the ways to end are tried is `LOGPARSER_FULL=1` for hundreds of times, a few
//! otherwise.

use crate::support::{
    BASE, Folder, Logs, Oracle, Random, Running, SavedState, binary_path, check_results, configure, follower, program,
    results, said, seconds, signal, skip, terminate, times, wait_for, wait_until_saved,
};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Within this time a program that is asked to end has ended.
const END: Duration = Duration::from_millis(2000);

/// The same where something does not answer that has to be waited for.
const LONG_END: Duration = Duration::from_millis(2500);

/// A log that is followed.
struct Scene {
    folder: Folder,
    logs: Logs,
    oracle: Oracle,
}

impl Scene {
    fn new(window: &str, checkpoint: &str, more: &str) -> Self {
        let folder = Folder::new();
        configure(&folder, window, checkpoint, more);
        let logs = Logs::new(&folder, 11);
        let pane = humantime::parse_duration(window).unwrap().as_secs() as i64;
        let oracle = Oracle::new(&logs.generations, pane);
        Scene { folder, logs, oracle }
    }

    fn bytes(&self) -> u64 {
        self.oracle.lengths().iter().map(|(length, _)| *length as u64).sum()
    }

    fn start(&self) -> Running {
        Running(follower(&self.folder).spawn().unwrap())
    }

    /// Waits until all is counted and saved.
    fn wait(&self) {
        wait_until_saved(&self.folder, self.bytes());
    }

    /// The saved state is right; it says how much.
    fn check(&mut self) -> u64 {
        let saved = SavedState::of(&self.folder, true).unwrap();
        self.oracle.check(&saved);
        saved.bytes()
    }

    /// All that was written is counted.
    fn check_all(&mut self) {
        assert_eq!(self.check(), self.bytes(), "{}", said(&self.folder));
    }
}

#[test]
fn e1_asked_to_end_while_idle_it_ends_in_time_with_all_saved() {
    let mut scene = Scene::new("10d", "1h", "");
    let mut random = Random::new(1);
    for round in 0..times(10, 200) {
        scene.logs.append(100);
        let mut running = scene.start();
        scene.wait_for_reading();
        std::thread::sleep(Duration::from_millis(random.below(100)));
        let (code, time) = terminate(&mut running);
        assert_eq!(code, Some(0), "round {round}: {}", said(&scene.folder));
        assert!(time <= END, "round {round}: {time:?}");
        scene.check_all();
    }
}

impl Scene {
    /// Waits until the program has had time to read all that there is. With no states in between,
    /// only the end of the run shows what it has read.
    fn wait_for_reading(&self) {
        wait_for("the lock", || self.folder.at("state/lock").exists());
        std::thread::sleep(Duration::from_millis(300));
    }
}

#[test]
fn e1_asked_to_end_under_load_and_while_it_saves_it_ends_in_time_and_is_exact() {
    let mut scene = Scene::new("10d", "5ms", "");
    let mut random = Random::new(2);
    for round in 0..times(10, 200) {
        let mut running = scene.start();
        // Before that it cannot hear the signal.
        wait_for("the lock", || {
            let lock = std::fs::read_to_string(scene.folder.at("state/lock")).unwrap_or_default();
            lock.contains(&running.0.id().to_string())
        });
        std::thread::sleep(Duration::from_millis(50));
        let until = Instant::now() + Duration::from_millis(random.below(200));
        while Instant::now() < until {
            scene.logs.append(500);
        }
        let (code, time) = terminate(&mut running);
        assert_eq!(code, Some(0), "round {round}: {}", said(&scene.folder));
        assert!(time <= END, "round {round}: {time:?}");
        scene.check();
    }
    let mut running = scene.start();
    scene.wait();
    assert_eq!(terminate(&mut running).0, Some(0));
    scene.check_all();
}

#[test]
fn e2_a_second_interrupt_ends_it_at_once_and_the_state_is_valid() {
    let mut scene = Scene::new("10d", "20ms", "");
    scene.logs.append(1000);
    // A disk that does not answer keeps it from ending by itself.
    let mut command = follower(&scene.folder);
    let mut running = Running(command.env("FAILPOINTS", "state-fsync=6*off->sleep(60000)").spawn().unwrap());
    scene.wait();
    // However seldom a machine under load lets it save: until what is saved stands still.
    wait_for("a saving that does not end", || {
        let before = SavedState::of(&scene.folder, false).unwrap().bytes();
        scene.logs.append(1000);
        std::thread::sleep(Duration::from_millis(1500));
        SavedState::of(&scene.folder, false).unwrap().bytes() == before
    });
    signal(&running.0, "INT");
    std::thread::sleep(Duration::from_millis(300));
    signal(&running.0, "INT");
    let started = Instant::now();
    let status = running.0.wait().unwrap();
    assert!(started.elapsed() < LONG_END, "{:?}", started.elapsed());
    assert_eq!(status.code(), Some(130));
    scene.check();
}

#[test]
fn e3_signals_for_others_do_not_end_it() {
    let mut scene = Scene::new("10d", "20ms", "");
    scene.logs.append(100);
    let mut running = scene.start();
    scene.wait();
    for round in 0..5 {
        for name in ["HUP", "USR1", "USR2", "WINCH", "PIPE", "ALRM"] {
            signal(&running.0, name);
            scene.logs.append(10);
            std::thread::sleep(Duration::from_millis(10));
            assert!(running.0.try_wait().unwrap().is_none(), "round {round}: {name} has ended it");
        }
    }
    scene.wait();
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&scene.folder));
    scene.check_all();
}

/// The program in a shell, as `$0`, in a folder.
fn shell(folder: &Folder, script: &str) -> Command {
    let mut command = Command::new("bash");
    command.args(["-c", script]).arg(binary_path()).current_dir(folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).env_remove("FAILPOINTS");
    command
}

#[test]
fn e4_it_ends_well_when_nobody_reads_its_results_any_more() {
    let mut scene = Scene::new("1s", "1h", "");
    scene.logs.pace = 1_000_000;
    scene.logs.append(3000);
    let script = "\"$0\" run pipeline.toml | head -1; echo ${PIPESTATUS[0]}";
    let child = shell(&scene.folder, script).spawn().unwrap();
    // It notices when it writes.
    for _ in 0..20 {
        scene.logs.append(1000);
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    let code = text.lines().last().unwrap();
    assert!(code == "0" || code == "141", "{code}: {error}");
    assert!(!error.contains("panic"), "{error}");
    assert!(scene.check() > 0);
}

#[test]
fn e5_a_full_output_is_told_and_what_is_counted_is_saved() {
    let mut scene = Scene::new("1s", "1h", "");
    scene.logs.pace = 1_000_000;
    scene.logs.append(3000);
    let started = Instant::now();
    let output = shell(&scene.folder, "exec \"$0\" run pipeline.toml > /dev/full").output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(output.status.code().is_some_and(|code| code != 0 && code != 101), "{:?}: {error}", output.status);
    assert!(error.contains("No space left on device"), "{error}");
    assert!(scene.check() > 0, "{error}");
    // What was not written comes again.
    let mut running = scene.start();
    wait_for("the results", || results(&scene.folder).len() >= 2);
    assert_eq!(terminate(&mut running).0, Some(0));
    let first = &results(&scene.folder)[0];
    assert_eq!(seconds(first["window"]["start"].as_str().unwrap()), BASE, "{first}");
    scene.check_all();
}

fn resident_kib(running: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.0.id())).unwrap();
    // Without the pages of the program's own file, which come as its code is used.
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn e6_while_nobody_reads_results_counting_goes_on_and_memory_stays() {
    let mut scene = Scene::new("1s", "50ms", "");
    // A window of thousand lines is a result of some 50 KB, more than a pipe takes.
    scene.logs.pace = 1_000_000;
    let mut running = Running(follower(&scene.folder).stdout(Stdio::piped()).spawn().unwrap());
    let write = |scene: &mut Scene| {
        for _ in 0..150 {
            scene.logs.append(2000);
            std::thread::sleep(Duration::from_millis(5));
        }
        scene.wait();
        resident_kib(&running)
    };
    // How many windows are open at once, and chunks on their way, differs by up to 16 MiB with how
    // busy the machine is. The results of eight times 300 windows are 60 MiB.
    let mut most = |times: u32| (0..times).map(|_| write(&mut scene)).max().unwrap();
    let (before, after) = (most(2), most(8));
    assert!(after < before + (24 << 10), "{before} KiB, then {after}");
    let (code, time) = terminate(&mut running);
    assert!(time <= LONG_END, "{time:?}");
    assert!(code.is_some(), "{}", said(&scene.folder));
    scene.check_all();
}

#[test]
fn e7_standard_input_that_is_closed_ends_half_or_goes_on() {
    let folder = Folder::new();
    let follow = "exec \"$0\" top - --follow --every 1 --seconds 1 --lateness 0 --max-jump 0 --since 0 --align epoch --output json";
    // Closed.
    let started = Instant::now();
    let output = shell(&folder, &format!("{follow} <&-")).output().unwrap();
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert!(output.status.code().is_some_and(|code| code != 101), "{output:?}");
    // A line without an end, which the end of the input ends.
    let script = format!("printf '{BASE} a b\\n{BASE} a c' | {follow}");
    let output = shell(&folder, &script).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last: Value = serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap();
    assert_eq!(last["balance"]["counted"], 2, "{text}");
    assert_eq!(output.status.code(), Some(0));
    // A pipe that goes on: results come while it does, and what was read is reported at an
    // interrupt.
    let mut child = shell(&folder, follow).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for second in 0..5 {
        writeln!(stdin, "{} a b", BASE + second).unwrap();
    }
    stdin.flush().unwrap();
    let mut running = Running(child);
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    for second in 0..4 {
        let result: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(seconds(result["window"]["start"].as_str().unwrap()), BASE + second, "{result}");
    }
    let (code, time) = terminate(&mut running);
    assert!(code == Some(0) && time <= END, "{code:?} after {time:?}");
    drop(stdin);
}

#[test]
fn e12_a_file_that_may_not_be_read_is_read_once_it_may() {
    let can = Command::new("setpriv").args(["--reuid=65534", "--clear-groups", "true"]).status();
    if !can.is_ok_and(|status| status.success()) {
        return skip("there is no setpriv, or no right to use it");
    }
    let mut scene = Scene::new("10d", "50ms", "");
    scene.logs.append(100);
    scene.logs.rename();
    scene.logs.append(100);
    let open = |path: std::path::PathBuf, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    open(scene.folder.path().to_owned(), 0o777);
    open(scene.folder.at("logs/log.1"), 0o000);
    let plain = follower(&scene.folder);
    // Copied: the program may lie where nobody else may look.
    std::fs::copy(plain.get_program(), scene.folder.at("program")).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--clear-groups"]).arg(scene.folder.at("program")).args(plain.get_args());
    command.current_dir(scene.folder.path()).stdin(Stdio::null()).env_remove("FAILPOINTS");
    command.stdout(Stdio::null()).stderr(std::fs::File::create(scene.folder.at("said")).unwrap());
    let mut running = Running(command.spawn().unwrap());
    wait_until_saved(&scene.folder, std::fs::metadata(scene.folder.at("logs/log")).unwrap().len());
    wait_for("a word on it", || said(&scene.folder).contains("Permission denied"));
    open(scene.folder.at("logs/log.1"), 0o644);
    scene.wait();
    // An open file is read on whatever becomes of its permissions.
    open(scene.folder.at("logs/log"), 0o000);
    scene.logs.append(100);
    scene.wait();
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&scene.folder));
    assert_eq!(said(&scene.folder).matches("Permission denied").count(), 1, "{}", said(&scene.folder));
    scene.check_all();
}

#[test]
fn e13_stopped_again_and_again_on_one_processor_it_is_exact() {
    let mut scene = Scene::new("10d", "20ms", "");
    let mut random = Random::new(4);
    let mut running = scene.start();
    let bound = Command::new("taskset").args(["-a", "-p", "1", &running.0.id().to_string()]).output();
    bound.is_err().then(|| skip("in part: there is no taskset that binds it to one processor"));
    for _ in 0..times(8, 60) {
        signal(&running.0, "STOP");
        for _ in 0..random.below(20) {
            scene.logs.step();
        }
        std::thread::sleep(Duration::from_millis(random.below(300)));
        signal(&running.0, "CONT");
        for _ in 0..random.below(20) {
            scene.logs.step();
        }
        std::thread::sleep(Duration::from_millis(random.below(100)));
    }
    scene.logs.finish();
    scene.wait();
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&scene.folder));
    scene.check_all();
}

#[test]
fn e15_odd_names_of_files_and_an_empty_environment() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new();
    configure(&folder, "10d", "50ms", "");
    std::fs::create_dir(folder.at("logs")).unwrap();
    let mut bytes = 0;
    for name in [&b"log\nline"[..], b"log\x1b[31m", b"log\xff\xfe", b"log '\"$(x)", b"log -"] {
        let text = format!("{BASE}000000000 a b\n");
        bytes += text.len() as u64;
        std::fs::write(folder.at("logs").join(std::ffi::OsStr::from_bytes(name)), text).unwrap();
    }
    let mut command = follower(&folder);
    let mut running = Running(command.env_clear().env("TMPDIR", "/nowhere").spawn().unwrap());
    wait_until_saved(&folder, bytes);
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&folder));
    let show = program(&folder).args(["state", "show", "--state", "state", "--pairs"]).output().unwrap();
    let text = String::from_utf8(show.stdout).unwrap() + &said(&folder);
    assert!(text.contains("a b 5"), "{text}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
}

#[test]
fn f1_a_panic_in_any_stage_ends_the_run_and_keeps_the_last_good_state() {
    for stage in ["reader", "line-splitter", "time-filter", "bucket-aggregator", "reporter", "saver"] {
        for at in ["", "1*off->", "4*off->"] {
            let mut scene = Scene::new("1s", "20ms", "");
            scene.logs.pace = 1_000_000;
            scene.logs.append(1500);
            let mut running = scene.start();
            scene.wait();
            assert_eq!(terminate(&mut running).0, Some(0));
            let mut command = follower(&scene.folder);
            let mut running = Running(command.env("FAILPOINTS", format!("{stage}={at}panic")).spawn().unwrap());
            let started = Instant::now();
            let status = loop {
                if let Some(status) = running.0.try_wait().unwrap() {
                    break status;
                }
                scene.logs.append(500);
                assert!(started.elapsed() < Duration::from_secs(4), "{stage} {at}: goes on: {}", said(&scene.folder));
                std::thread::sleep(Duration::from_millis(20));
            };
            assert!(status.code().is_some_and(|code| code != 0), "{stage} {at}: {status:?}, {:?}", status.signal());
            scene.check();
            let mut running = scene.start();
            scene.wait();
            assert_eq!(terminate(&mut running).0, Some(0), "{stage} {at}: {}", said(&scene.folder));
            scene.check_all();
            // What the panic kept from being written has come again.
            check_results(&scene.folder, &scene.oracle, stage);
        }
    }
}

#[test]
fn f3_with_room_for_one_batch_everywhere_it_is_exact() {
    let mut scene = Scene::new("10d", "10ms", "capacity = 1\nchunk = \"4KiB\"");
    let mut running = scene.start();
    for _ in 0..300 {
        scene.logs.step();
    }
    scene.logs.finish();
    scene.wait();
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&scene.folder));
    scene.check_all();
}

#[test]
fn c6_a_file_that_falls_silent_does_not_hold_results_for_ever() {
    let mut scene = Scene::new("1s", "50ms", "idle = \"1s\"");
    scene.logs.pace = 1_000_000;
    scene.folder.write("logs/log-other", format!("{BASE}000000001 x y\n"));
    let mut running = scene.start();
    scene.logs.append(5000);
    let started = Instant::now();
    wait_for("the results", || results(&scene.folder).len() >= 4);
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert_eq!(terminate(&mut running).0, Some(0));
}

/// The library that fakes the system's clock, if it is there.
fn fake_clock() -> Option<String> {
    let found = Command::new("faketime").args(["-f", "+0", "sh", "-c", "printf %s \"$LD_PRELOAD\""]).output().ok()?;
    String::from_utf8(found.stdout).ok().filter(|library| !library.is_empty())
}

#[test]
fn c1_the_clock_may_jump_and_reports_go_on() {
    let Some(library) = fake_clock() else { return skip("there is no faketime") };
    let mut scene = Scene::new("1s", "50ms", "");
    scene.logs.pace = 1_000_000;
    let offset = scene.folder.write("offset", "+0");
    let fake = |mut command: Command| {
        // Only the wall clock jumps, and what it is, is looked up each time.
        command.env("LD_PRELOAD", &library).env("FAKETIME_TIMESTAMP_FILE", &offset);
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        command
    };
    let seen = fake(Command::new("date")).arg("+%Y").output().unwrap();
    assert!(seen.status.success(), "{seen:?}");
    let mut running = Running(fake(follower(&scene.folder)).spawn().unwrap());
    for jump in ["+0", "-1h", "+10y", "+0"] {
        std::fs::write(&offset, jump).unwrap();
        let before = results(&scene.folder).len();
        scene.logs.append(4_000);
        scene.wait();
        wait_for("further results", || results(&scene.folder).len() >= before + 3);
    }
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&scene.folder));
    scene.check_all();
    // The next run starts in another year than the one that has saved.
    std::fs::write(&offset, "-1h").unwrap();
    scene.logs.append(3_000);
    let mut running = Running(fake(follower(&scene.folder)).spawn().unwrap());
    scene.wait();
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&scene.folder));
    scene.check_all();
}

#[test]
fn d9_a_state_folder_that_is_removed_is_told_at_once_and_at_the_end_and_counting_goes_on() {
    let mut scene = Scene::new("1s", "50ms", "");
    scene.logs.pace = 1_000_000;
    scene.logs.append(2000);
    let mut running = scene.start();
    scene.wait();
    std::fs::remove_dir_all(scene.folder.at("state")).unwrap();
    let before = results(&scene.folder).len();
    for _ in 0..10 {
        scene.logs.append(1000);
        std::thread::sleep(Duration::from_millis(60));
    }
    wait_for("more results", || results(&scene.folder).len() >= before + 8);
    let (code, time) = terminate(&mut running);
    assert!(code.is_some_and(|code| code != 0) && time <= END, "{code:?} after {time:?}");
    let said = said(&scene.folder);
    assert_eq!(said.matches("counting goes on").count(), 1, "{said}");
    assert_eq!(said.matches("will be counted again from that one").count(), 1, "{said}");
}
