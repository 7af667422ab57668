//! Faults at system calls of the real program, brought about by `strace`: killed at the N-th,
//! failed at the N-th, slow.
//!
//! A small part of each sweep runs by default, all of it with `LOGPARSER_FULL=1`. Skipped where
//! strace cannot trace.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{
    Folder, Logs, Oracle, Running, SavedState, binary_path, configure, follower, is_full, program, results, said, skip,
    terminate, wait_for, wait_until_saved,
};

const NO_TRACE: &str = "there is no strace, or it may not trace here";

fn can_trace() -> bool {
    let traced = Command::new("strace").args(["-f", "-o", "/dev/null", "-e", "trace=fsync", "true"]).status();
    traced.is_ok_and(|status| status.success())
}

/// The program, followed by strace with these arguments. It is the process itself that is started,
/// not strace.
fn traced(folder: &Folder, arguments: &[&str]) -> Command {
    let plain = follower(folder);
    let append = |name: &str| std::fs::OpenOptions::new().append(true).create(true).open(folder.at(name)).unwrap();
    let mut command = Command::new("strace");
    command.args(["-D", "-f", "-A", "-o", "calls"]).args(arguments).arg(plain.get_program()).args(plain.get_args());
    command.current_dir(folder.path()).stdin(Stdio::null()).env_remove("FAILPOINTS");
    command.stdout(append("results")).stderr(append("said"));
    command
}

/// A folder with a log that is followed, and the oracle for it.
struct Scene {
    folder: Folder,
    logs: Logs,
    oracle: Oracle,
}

impl Scene {
    fn new(checkpoint: &str, more: &str) -> Self {
        let folder = Folder::new();
        configure(&folder, "10d", checkpoint, more);
        let mut logs = Logs::new(&folder, 7);
        logs.append(50);
        let oracle = Oracle::new(&logs.generations, 864_000);
        Scene { folder, logs, oracle }
    }

    fn bytes(&self) -> u64 {
        self.oracle.lengths().iter().map(|(length, _)| *length as u64).sum()
    }

    /// The state is right, or there is none yet.
    fn check(&mut self) -> bool {
        let Some(saved) = SavedState::of(&self.folder, true) else { return false };
        self.oracle.check(&saved);
        let verified = program(&self.folder).args(["state", "verify", "--state", "state"]).output().unwrap();
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
        true
    }

    /// A run without faults gets everything right.
    fn heal(&mut self) {
        // Something to wait for: who is asked to end before it can hear it ends at once.
        self.logs.append(1);
        let mut running = Running(follower(&self.folder).spawn().unwrap());
        wait_until_saved(&self.folder, self.bytes());
        assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&self.folder));
        assert!(self.check());
        let lines = self.oracle.lines;
        self.oracle.set_all();
        assert_eq!(self.oracle.lines, lines, "{}", said(&self.folder));
    }
}

/// Waits until all is counted and saved, or the process has ended. Whether it has ended.
fn ended_before(scene: &Scene, running: &mut Running) -> bool {
    let started = Instant::now();
    loop {
        if running.0.try_wait().unwrap().is_some() {
            return true;
        }
        let is_whole = SavedState::of(&scene.folder, false).is_some_and(|saved| saved.bytes() >= scene.bytes());
        if is_whole {
            return false;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "comes nowhere: {}", said(&scene.folder));
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Kills at the N-th call of one kind that touches the state, for N = 1, 2, ... until a run needs
/// none any more.
fn kill_at_every(call: &str) {
    if !can_trace() {
        return skip(NO_TRACE);
    }
    let mut scene = Scene::new("20ms", "");
    let mut kills = 0;
    let steps: Vec<u32> = if is_full() { (1..200).collect() } else { vec![1, 2, 3, 5, 200] };
    for at in steps {
        scene.logs.append(50);
        let state = scene.folder.at("state");
        let names = ["", "lock", "state.0", "state.1"].map(|name| state.join(name));
        let temporaries = (0..64).map(|k| state.join(format!("state.tmp.{k}")));
        let mut arguments: Vec<String> = vec!["-e".into(), format!("trace={call}")];
        arguments.extend(["-e".into(), format!("inject={call}:signal=KILL:when={at}")]);
        for path in names.into_iter().chain(temporaries) {
            let text = path.to_str().unwrap().trim_end_matches('/').to_owned();
            let relative = Path::new("state").join(path.file_name().unwrap());
            let relative = if path.ends_with("state") || path.ends_with("state/") { "state".into() } else { relative };
            arguments.extend(["-P".into(), text, "-P".into(), relative.to_str().unwrap().to_owned()]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut running = Running(traced(&scene.folder, &arguments).stderr(Stdio::null()).spawn().unwrap());
        std::thread::sleep(Duration::from_millis(30));
        scene.logs.append(50);
        let ended = ended_before(&scene, &mut running) || {
            // The last saving comes with the end.
            terminate(&mut running);
            true
        };
        assert!(ended);
        let status = running.0.wait().unwrap();
        let is_killed = status.signal() == Some(9);
        assert!(is_killed || status.success(), "{call} {at}: {status:?}: {}", said(&scene.folder));
        scene.check();
        if !is_killed {
            break;
        }
        kills += 1;
    }
    assert!(kills > 0, "no call of {call} was found");
    scene.heal();
    eprintln!("{call}: {kills} kills, exact after each");
}

#[test]
fn d2_killed_at_any_openat_the_state_is_the_old_or_the_new_one() {
    kill_at_every("openat");
}

#[test]
fn d2_killed_at_any_write_the_state_is_the_old_or_the_new_one() {
    kill_at_every("write");
}

#[test]
fn d2_killed_at_any_fsync_the_state_is_the_old_or_the_new_one() {
    kill_at_every("fsync");
}

#[test]
fn d2_killed_at_any_rename_the_state_is_the_old_or_the_new_one() {
    kill_at_every("rename");
}

#[test]
fn d2_killed_at_any_flock_the_state_is_the_old_or_the_new_one() {
    kill_at_every("flock");
}

#[test]
fn d2_d16_killed_at_any_mkdir_the_next_start_makes_it() {
    kill_at_every("mkdir");
}

#[test]
fn d15_killed_at_any_unlink_of_what_was_left_over_the_next_start_removes_it() {
    if !can_trace() {
        return skip(NO_TRACE);
    }
    let mut scene = Scene::new("20ms", "");
    scene.heal();
    for call in ["unlink", "unlinkat"] {
        for at in 1..4 {
            for left in 0..5 {
                scene.folder.write(&format!("state/state.tmp.{left}"), "half");
            }
            let inject = format!("inject={call}:signal=KILL:when={at}");
            let traces = format!("trace={call}");
            let mut running =
                Running(traced(&scene.folder, &["-e", &traces, "-e", &inject]).stderr(Stdio::null()).spawn().unwrap());
            ended_before(&scene, &mut running);
            terminate_if_alive(&mut running);
            scene.check();
        }
    }
    scene.logs.append(10);
    scene.heal();
    let names = std::fs::read_dir(scene.folder.at("state")).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with("state.tmp")).collect();
    assert!(names.is_empty(), "{names:?}");
}

fn terminate_if_alive(running: &mut Running) {
    if running.0.try_wait().unwrap().is_none() {
        terminate(running);
    }
}

/// Whether a call was failed or delayed: otherwise a test has no teeth.
fn was_injected(folder: &Folder) -> bool {
    std::fs::read_to_string(folder.at("calls")).is_ok_and(|calls| calls.contains("INJECTED"))
}

/// Runs with calls that fail, on these files in the folder or on all, while lines come; the code it
/// ended with and what it said. Then all is right again.
fn with_failing(call: &str, fault: &str, files: &[String]) -> Option<(Option<i32>, String)> {
    if !can_trace() {
        return None;
    }
    let mut scene = Scene::new("30ms", "");
    let mut arguments = vec!["-e".to_owned(), format!("trace={call}")];
    arguments.extend(["-e".to_owned(), format!("inject={call}:{fault}")]);
    for file in files {
        // By its name, and by what its descriptor leads to.
        arguments.extend(["-P".to_owned(), file.clone(), "-P".to_owned(), scene.folder.text(file)]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut running = Running(traced(&scene.folder, &arguments).spawn().unwrap());
    for _ in 0..10 {
        scene.logs.append(50);
        std::thread::sleep(Duration::from_millis(40));
    }
    // The fault goes by, and saving succeeds without a restart.
    let ended = ended_before(&scene, &mut running);
    let code = if ended { running.0.wait().unwrap().code() } else { terminate(&mut running).0 };
    assert!(was_injected(&scene.folder), "no {call} was failed");
    scene.check();
    scene.logs.append(50);
    scene.heal();
    Some((code, said(&scene.folder)))
}

#[test]
fn d4_an_fsync_that_fails_is_told_and_the_next_state_is_saved() {
    let Some((code, said)) = with_failing("fsync", "error=EIO:when=4", &[]) else { return skip(NO_TRACE) };
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("Input/output error") && said.contains("counting goes on"), "{said}");
}

#[test]
fn d5_a_full_disk_is_told_and_the_next_state_is_saved() {
    let files: Vec<String> = (1..4).map(|k| format!("state/state.tmp.{k}")).collect();
    let Some((code, said)) = with_failing("write", "error=ENOSPC", &files) else { return skip(NO_TRACE) };
    // Once there is room again, all is saved, and nothing lost.
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("No space left on device") && said.contains("state: can be written again"), "{said}");
}

#[test]
fn d7_writes_that_are_interrupted_again_and_again_succeed() {
    let files: Vec<String> = (0..64).map(|k| format!("state/state.tmp.{k}")).collect();
    let Some((code, said)) = with_failing("write", "error=EINTR:when=1+2", &files) else { return skip(NO_TRACE) };
    assert_eq!((code, said.contains("Interrupted")), (Some(0), false), "{said}");
}

#[test]
fn d8_a_rename_that_fails_is_told_and_the_next_state_is_saved() {
    let Some((code, said)) = with_failing("rename", "error=EIO:when=2", &[]) else { return skip(NO_TRACE) };
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("cannot replace: Input/output error"), "{said}");
}

#[test]
fn a22_reads_that_fail_are_tried_again_on_a_new_handle() {
    // Another one fails each time: of the bytes, of those before them, of the head.
    let numbers: Vec<u32> = if is_full() { (1..12).collect() } else { vec![2, 5, 8, 11] };
    for at in numbers {
        let error = if at % 2 == 0 { "EIO" } else { "ESTALE" };
        let fault = format!("error={error}:when={at}+7");
        let Some((code, said)) = with_failing("pread64", &fault, &["logs/log".into()]) else { return skip(NO_TRACE) };
        assert_eq!(code, Some(0), "{fault}: {said}");
    }
}

#[test]
fn e9_files_that_cannot_be_opened_now_are_opened_later() {
    if !can_trace() {
        return skip(NO_TRACE);
    }
    let mut scene = Scene::new("30ms", "");
    for _ in 0..10 {
        scene.logs.rename();
        scene.logs.append(20);
    }
    let mut files: Vec<String> = (1..11).map(|k| format!("logs/log.{k}")).collect();
    files.push("logs/log".into());
    for error in ["ENFILE", "ENOMEM"] {
        let inject = format!("inject=openat:error={error}:when=3+4");
        let mut arguments = vec!["-e", "trace=openat", "-e", &inject];
        files.iter().for_each(|file| arguments.extend(["-P", file]));
        let mut running = Running(traced(&scene.folder, &arguments).spawn().unwrap());
        assert!(!ended_before(&scene, &mut running), "{error}: {}", said(&scene.folder));
        assert_eq!(terminate(&mut running).0, Some(0), "{error}: {}", said(&scene.folder));
        assert!(was_injected(&scene.folder), "no {error}");
        scene.logs.append(20);
        scene.heal();
        let _ = std::fs::remove_dir_all(scene.folder.at("state"));
    }
}

#[test]
fn e11_a_thread_that_cannot_start_is_a_clean_error() {
    if !can_trace() {
        return skip(NO_TRACE);
    }
    for at in [1, 2, 3, 5, 7] {
        let mut scene = Scene::new("30ms", "");
        let inject = format!("inject=clone3:error=EAGAIN:when={at}");
        let started = Instant::now();
        let mut running = Running(traced(&scene.folder, &["-e", "trace=clone3", "-e", &inject]).spawn().unwrap());
        while running.0.try_wait().unwrap().is_none() && started.elapsed() < Duration::from_secs(4) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let said = said(&scene.folder);
        match running.0.try_wait().unwrap() {
            Some(status) => {
                assert!(status.code().is_some_and(|code| code != 0 && code != 101), "clone {at}: {status:?}: {said}");
                assert!(said.contains("cannot start a thread"), "clone {at}: {said}");
            }
            // The thread of the events is one that can be done without: files are looked at again
            // and again.
            None => {
                assert!(said.contains("cannot be watched"), "clone {at}: goes on, and says {said:?}");
                assert_eq!(terminate(&mut running).0, Some(0), "clone {at}: {said}");
            }
        }
        scene.heal();
    }
}

#[test]
fn d18_while_the_disk_does_not_answer_counting_goes_on_and_the_run_can_be_ended() {
    // Not by strace: a thread that it delays keeps the whole process from going.
    let folder = Folder::new();
    configure(&folder, "1s", "50ms", "stop-timeout = \"1s\"");
    let mut logs = Logs::new(&folder, 3);
    logs.pace = 1_000_000;
    let mut command = follower(&folder);
    let mut running = Running(command.env("FAILPOINTS", "state-fsync=3*off->sleep(10000)").spawn().unwrap());
    wait_for("the first state", || folder.at("state/state.0").exists());
    logs.append(2000);
    std::thread::sleep(Duration::from_millis(500));
    let before = results(&folder).len();
    // By now a saving hangs.
    for _ in 0..20 {
        logs.append(1000);
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(300));
    let after = results(&folder).len();
    assert!(after >= before + 15, "{before} results, then {after}: {}", said(&folder));
    let (code, time) = terminate(&mut running);
    assert!(time < Duration::from_millis(2500), "ended after {time:?}");
    assert!(code.is_some_and(|code| code != 0), "{code:?}: {}", said(&folder));
    let mut oracle = Oracle::new(&logs.generations, 1);
    oracle.check(&SavedState::of(&folder, true).unwrap());
    let mut healed = Running(follower(&folder).spawn().unwrap());
    let bytes = oracle.lengths().iter().map(|(length, _)| *length as u64).sum();
    wait_until_saved(&folder, bytes);
    assert_eq!(terminate(&mut healed).0, Some(0));
    oracle.check(&SavedState::of(&folder, true).unwrap());
    assert_eq!(oracle.lines, 22_000);
}

#[test]
fn e8_more_files_than_descriptors_are_all_read() {
    let folder = Folder::new();
    configure(&folder, "10d", "50ms", "");
    let mut logs = Logs::new(&folder, 5);
    for _ in 0..300 {
        logs.append(10);
        logs.rename();
    }
    let plain = follower(&folder);
    let mut limited = follower(&folder);
    let mut command = Command::new("bash");
    command.args(["-c", "ulimit -n 64; exec \"$0\" \"$@\""]).arg(binary_path()).args(plain.get_args());
    command.current_dir(folder.path()).stdin(Stdio::null()).env_remove("FAILPOINTS");
    let append = |name: &str| std::fs::OpenOptions::new().append(true).create(true).open(folder.at(name)).unwrap();
    command.stdout(append("results")).stderr(append("said"));
    std::mem::swap(&mut limited, &mut command);
    let mut running = Running(limited.spawn().unwrap());
    let mut oracle = Oracle::new(&logs.generations, 864_000);
    let bytes = oracle.lengths().iter().map(|(length, _)| *length as u64).sum();
    wait_until_saved(&folder, bytes);
    // They can still grow.
    logs.append(10);
    wait_until_saved(&folder, bytes + 10);
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&folder));
    oracle.check(&SavedState::of(&folder, true).unwrap());
    assert_eq!(oracle.lines, 3010);
}
