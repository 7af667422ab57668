//! The saved state between processes: killed, locked out, without space; and the commands that look
//! at it.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use logparser::internals::snapshot::store::{self as state, Loaded, Store};

use serde_json::Value;

use crate::support::{
    Folder, NO_DISK, Random, Tmpfs, peak_memory_of, program, run, signal, skip, stderr, stdout, wait_for,
};

const FINGERPRINT: &str = "seconds = 3600\nperiod = 60\n";

/// The length of the texts of a snapshot.
const TEXT: usize = 1_000;

/// Saves a snapshot of so many texts, each of which tells its sequence number.
fn save(store: &mut Store, sequence: u64, texts: usize) -> std::io::Result<state::SavedSlot> {
    let text = format!("{sequence:0TEXT$}");
    store.save(state::OLDEST, FINGERPRINT, &mut |encoder| {
        encoder.put(&texts)?;
        (0..texts).try_for_each(|_| encoder.put(&text))
    })
}

/// A store that this process may just have had: a process that another test starts has all descriptors of
/// this one, the lock's too, until it is another program.
fn opened(dir: &Path) -> Store {
    let own = format!("in use by process {} (", std::process::id());
    for _ in 0..100 {
        match Store::open(dir) {
            Err(error) if error.to_string().contains(&own) => std::thread::sleep(Duration::from_millis(20)),
            opened => return opened.unwrap(),
        }
    }
    Store::open(dir).unwrap()
}

/// The snapshot in a directory, every text of which is that of its sequence number.
fn load(dir: &Path) -> Option<Loaded> {
    let mut loaded = opened(dir).load(FINGERPRINT).unwrap()?;
    let text = format!("{:0TEXT$}", loaded.sequence);
    loaded
        .read(|decoder| {
            for _ in 0..decoder.get::<usize>()? {
                assert_eq!(decoder.get::<String>()?, text);
            }
            Ok(())
        })
        .unwrap();
    Some(loaded)
}

/// Makes a directory with these numbers of snapshots saved.
fn saved(folder: &Folder, name: &str, snapshots: u64) -> std::path::PathBuf {
    let dir = folder.at(name);
    let mut store = opened(&dir);
    store.load(FINGERPRINT).unwrap();
    for sequence in 1..=snapshots {
        save(&mut store, sequence, 1).unwrap();
    }
    dir
}

/// Saves, and says on stderr what came of it, and which snapshot is there then.
#[test]
#[ignore = "no test: the process that tests limit, inject faults into, and kill"]
fn saver() {
    let Ok(dir) = std::env::var("SAVER_DIR") else { return skip("other tests run it, with a folder") };
    let _faults = fail::FailScenario::setup();
    let mut store = Store::open(Path::new(&dir)).unwrap();
    let mut last = store.load(FINGERPRINT).unwrap().map_or(0, |loaded| loaded.sequence);
    let sizes: Vec<usize> =
        std::env::var("SAVER_TEXTS").unwrap().split(',').map(|size| size.parse().unwrap()).collect();
    let rounds = if std::env::var("SAVER_FOR_EVER").is_ok() { usize::MAX } else { sizes.len() };
    for round in 0..rounds {
        match save(&mut store, last + 1, sizes[round % sizes.len()]) {
            Ok(saved) => {
                last = saved.sequence;
                eprintln!("saved {last}");
            }
            Err(error) => {
                let there = state::peek(Path::new(&dir)).unwrap().map_or(0, |loaded| loaded.sequence);
                eprintln!("failed, {there} is there: {error}");
            }
        }
    }
}

/// The saver as a command: the number of texts of each snapshot.
fn saver_in(dir: &Path, texts: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "state::saver", "--ignored", "--nocapture"]).stdin(Stdio::null()).stdout(Stdio::null());
    command.env_remove("FAILPOINTS").env("SAVER_DIR", dir).env("SAVER_TEXTS", texts).stderr(Stdio::piped());
    command
}

/// A saver that goes on until it is killed.
fn endless_saver(dir: &Path, texts: &str) -> Child {
    saver_in(dir, texts).env("SAVER_FOR_EVER", "").spawn().unwrap()
}

/// Kills a saver and gives the last sequence number of which it said that it was saved.
fn kill(mut saver: Child) -> u64 {
    saver.kill().unwrap();
    let said = stderr(&saver.wait_with_output().unwrap());
    assert!(!said.contains("failed"), "{said}");
    // The last line may have been cut.
    let whole = said.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.filter_map(|line| line.trim_end().strip_prefix("saved ")?.parse().ok()).next_back().unwrap_or(0)
}

fn temporaries(dir: &Path) -> usize {
    let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_str().unwrap().starts_with("state.tmp")).count()
}

#[test]
fn d2_a_saver_killed_at_any_moment_leaves_the_old_or_the_new_snapshot() {
    let folder = Folder::new();
    let dir = folder.at("state");
    let (mut random, mut last) = (Random::new(2), 0);
    for round in 0..25 {
        let saver = endless_saver(&dir, "700,1,300");
        if round == 0 {
            wait_for("the first snapshot", || dir.join("state.0").exists());
        }
        std::thread::sleep(Duration::from_millis(random.below(100)));
        let said = kill(saver).max(last);
        let there = load(&dir).unwrap();
        assert!((said..=said + 1).contains(&there.sequence), "round {round}: {said} was said, {there:?} is there");
        assert_eq!((there.warning, temporaries(&dir)), (None, 0));
        last = there.sequence;
    }
    assert!(last > 5, "only {last} snapshots");
}

#[test]
fn d4_d5_d8_a_save_that_fails_keeps_the_old_snapshot_and_the_next_one_succeeds() {
    for (point, there, error) in [
        ("state-write=1*off->2*return->off", 1, "cannot write: No space left on device"),
        ("state-fsync=1*off->2*return->off", 1, "cannot write: Input/output error"),
        ("state-rename=1*off->2*return->off", 1, "cannot replace: Input/output error"),
        // One more is that of the start. What was renamed is there, if it lasts.
        ("state-fsync-directory=2*off->2*return->off", 2, "cannot have it reach the disk: Input/output error"),
    ] {
        let folder = Folder::new();
        let dir = folder.at("");
        let output = saver_in(&dir, "1,1,1,1,1").env("FAILPOINTS", point).output().unwrap();
        let said = stderr(&output);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 5, "{point}: {said}");
        assert_eq!((lines[0], lines[3], lines[4]), ("saved 1", "saved 2", "saved 3"), "{point}");
        for line in &lines[1..3] {
            assert!(line.starts_with(&format!("failed, {there} is there")) && line.contains(error), "{point}: {line}");
        }
        assert_eq!((load(&dir).unwrap().sequence, temporaries(&dir)), (3, 0), "{point}");
    }
}

#[test]
fn d6_a_snapshot_beyond_the_limit_of_a_file_fails_and_a_smaller_one_succeeds() {
    let folder = Folder::new();
    let dir = folder.at("state");
    let saver = saver_in(&dir, "10,2000,10");
    let mut limited = Command::new("bash");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 512; exec \"$0\" \"$@\""]).arg(saver.get_program());
    limited.args(saver.get_args()).stdin(Stdio::null());
    let variables = saver.get_envs().filter_map(|(key, value)| Some((key, value?)));
    let said = stderr(&limited.envs(variables).output().unwrap());
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!((lines[0], lines[2]), ("saved 1", "saved 2"), "{said}");
    assert!(lines[1].contains("cannot write: File too large"), "{said}");
    assert_eq!((load(&dir).unwrap().sequence, temporaries(&dir)), (2, 0));
}

#[test]
fn d5_d6_a_full_disk_fails_the_save_until_there_is_space_again() {
    let folder = Folder::new();
    let Some(_disk) = Tmpfs::on(folder.path(), "size=64k,nr_inodes=32") else { return skip(NO_DISK) };
    let dir = saved(&folder, "state", 2);
    let mut store = opened(&dir);
    store.load(FINGERPRINT).unwrap();
    let mut sequence = 2;
    let bytes =
        |k: u32| std::fs::write(folder.at(&format!("filler{k}")), if k == 0 { vec![1; 1 << 20] } else { vec![1] });
    let names = |k: u32| std::fs::write(folder.at(&format!("filler{k}")), "");
    // First there are no blocks left, then no inodes.
    for fill in [&bytes as &dyn Fn(u32) -> std::io::Result<()>, &names] {
        for k in 0..40 {
            let _ = fill(k);
        }
        for _ in 0..3 {
            let error = save(&mut store, sequence + 1, 5).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "{error}");
            assert_eq!(state::peek(&dir).unwrap().unwrap().sequence, sequence);
            assert_eq!(temporaries(&dir), 0);
        }
        (0..40).for_each(|k| drop(std::fs::remove_file(folder.at(&format!("filler{k}")))));
        sequence += 1;
        assert_eq!(save(&mut store, sequence, 5).unwrap().sequence, sequence);
    }
    drop(store);
    assert_eq!(load(&dir).unwrap().sequence, 4);
}

#[test]
fn d5_a_full_disk_does_not_keep_a_state_from_being_opened() {
    let folder = Folder::new();
    let Some(_disk) = Tmpfs::on(folder.path(), "size=64k,nr_inodes=32") else { return skip(NO_DISK) };
    let dir = saved(&folder, "state", 2);
    std::fs::remove_file(dir.join("lock")).unwrap();
    let _ = std::fs::write(folder.at("filler"), vec![1; 1 << 20]);
    assert_eq!(load(&dir).unwrap().sequence, 2);
}

#[test]
fn d17_a_second_process_is_refused_at_once_and_a_killed_one_leaves_no_lock() {
    let folder = Folder::new();
    let dir = folder.at("state");
    let saver = endless_saver(&dir, "1");
    wait_for("the first snapshot", || dir.join("state.0").exists());
    let owner = format!("in use by process {} (", saver.id());
    let started = Instant::now();
    let second = run(&folder, &["state", "reset", "--state", "state"]);
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!(second.status.code(), Some(4));
    assert!(stderr(&second).contains(&owner) && stderr(&second).contains("state::saver"), "{}", stderr(&second));
    // To look is not to touch.
    assert_eq!(run(&folder, &["state", "show", "--state", "state"]).status.code(), Some(0));
    kill(saver);
    let third = run(&folder, &["state", "reset", "--state", "state"]);
    assert_eq!(third.status.code(), Some(0), "{}", stderr(&third));
    assert!(stdout(&third).contains("removed state/state.0\n"), "{}", stdout(&third));
    assert!(load(&dir).is_none());
}

#[test]
fn d24_a_snapshot_is_streamed_and_never_held_in_memory() {
    let folder = Folder::new();
    let dir = folder.at("state");
    // The second one loads what the first one saved.
    for sequence in 1..=2 {
        let (peak, output) = peak_memory_of(saver_in(&dir, "64000"));
        assert_eq!(stderr(&output), format!("saved {sequence}\n"));
        assert!(peak < 32 << 10, "{peak} KiB");
    }
    assert!(std::fs::metadata(dir.join("state.1")).unwrap().len() > 60 << 20);
    assert_eq!(load(&dir).unwrap().sequence, 2);
}

/// What `logparser state ACTION` says of a directory.
fn ask(folder: &Folder, action: &str, dir: &str) -> Output {
    run(folder, &["state", action, "--state", dir])
}

#[test]
fn show_prints_both_slots_and_which_one_is_used() {
    let folder = Folder::new();
    let dir = saved(&folder, "s", 2);
    let output = ask(&folder, "show", "s");
    let text = stdout(&output);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(output.status.code(), Some(0));
    let bytes = std::fs::metadata(dir.join("state.0")).unwrap().len();
    assert!(
        lines[0].starts_with(&format!("s/state.0: valid, sequence 1, format 2, {bytes} bytes, saved 20")),
        "{text}"
    );
    assert!(lines[3].starts_with("s/state.1: valid, sequence 2, format 2, "), "{text}");
    assert_eq!(lines[4..6], ["    seconds = 3600", "    period = 60"]);
    // Its length and checksum are right, but no run saved this.
    assert!(lines[6].starts_with("Not usable: s/state.1: cannot decode it, though its checksum is right"), "{text}");

    std::fs::write(dir.join("state.1"), "").unwrap();
    let text = stdout(&ask(&folder, "show", "s"));
    assert!(text.contains("s/state.1: damaged: it is empty\nNot usable: s/state.0: cannot decode it"), "{text}");
    std::fs::write(dir.join("state.0"), [0; 64]).unwrap();
    assert!(stdout(&ask(&folder, "show", "s")).contains("\nNot usable: s/state.0: it begins with zero bytes; and "));
    let text = stdout(&ask(&folder, "show", "nowhere"));
    assert_eq!(text, "nowhere/state.0: missing\nnowhere/state.1: missing\nNo state: a run would start anew\n");
}

#[test]
fn show_gives_the_same_as_json() {
    let folder = Folder::new();
    let dir = saved(&folder, "s", 2);
    std::fs::write(dir.join("state.0"), "text").unwrap();
    let output = run(&folder, &["state", "show", "--output", "json", "--state", "s"]);
    let json: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(json["schema"], "logparser-state/1");
    assert_eq!(json["slots"][0]["content"], "damaged");
    assert_eq!(json["slots"][0]["reason"], "it is no state of logparser");
    assert_eq!(json["slots"][1]["sequence"], 2);
    assert_eq!(json["slots"][1]["fingerprint"], serde_json::json!(["seconds = 3600", "period = 60"]));
    assert!(json["problem"].as_str().unwrap().contains("s/state.1: cannot decode it"), "{json}");
    assert_eq!((&json["used"], json.get("contents")), (&serde_json::Value::Null, None));
    let verified = run(&folder, &["state", "verify", "--output", "json", "--state", "s"]);
    assert_eq!(verified.status.code(), Some(4));
    let json: serde_json::Value = serde_json::from_str(&stdout(&verified)).unwrap();
    assert!(json["problem"].as_str().unwrap().contains("s/state.1: cannot decode it"), "{json}");
    assert_eq!(json["slots"][0]["reason"], "it is no state of logparser");
}

#[test]
fn d14_verify_says_by_its_code_whether_all_is_sound() {
    let folder = Folder::new();
    let dir = saved(&folder, "s", 1);
    let verify = || {
        let output = ask(&folder, "verify", "s");
        (output.status.code().unwrap(), stdout(&output))
    };
    let (code, text) = verify();
    // Its checksum is right, and what it holds is no state. One that is sound: `stops`.
    assert_eq!(code, 4);
    assert!(text.starts_with("s/state.0: valid, sequence 1") && text.contains("s/state.1: missing\n"), "{text}");
    assert!(text.contains("Not usable: s/state.0: cannot decode it"), "{text}");
    // There is one to go on from, but all is not well.
    std::fs::write(dir.join("state.1"), "lpstate\n and more").unwrap();
    let (code, text) = verify();
    assert_eq!(code, 4);
    assert!(text.ends_with("s/state.1: damaged: it is cut short: 17 bytes are not even a header\n"), "{text}");
    std::fs::remove_file(dir.join("state.0")).unwrap();
    assert_eq!(verify().0, 4);
    // A reset is what it takes.
    assert_eq!(stdout(&ask(&folder, "reset", "s")), "removed s/state.1\n");
    assert_eq!(stdout(&ask(&folder, "reset", "s")), "s: no state, nothing removed\n");
    assert_eq!(verify(), (4, "s/state.0: missing\ns/state.1: missing\n".to_owned()));
}

#[test]
fn d15_a_reset_removes_temporary_files_too_and_nothing_else() {
    let folder = Folder::new();
    let dir = saved(&folder, "s", 2);
    std::fs::write(dir.join("state.tmp.7"), "half").unwrap();
    std::fs::write(dir.join("notes"), "mine").unwrap();
    let removed = stdout(&ask(&folder, "reset", "s"));
    assert_eq!(removed, "removed s/state.0\nremoved s/state.1\nremoved s/state.tmp.7\n");
    let mut left: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["lock", "notes"]);
}

#[test]
fn commands_of_the_state_say_what_is_missing() {
    let folder = Folder::new();
    let output = run(&folder, &["state", "show"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--state <DIR>"), "{}", stderr(&output));
    let output = ask(&folder, "reset", "nowhere");
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(stderr(&output), "logparser: nowhere: there is no such directory; check the path\n");
    assert!(!folder.at("nowhere").exists());
    let output = program(&folder).args(["state", "show", "--state", "s"]).stdout(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
}

/// What one question has been answered with is no answer to another.
#[test]
fn another_question_over_the_same_log_is_answered_from_its_start() {
    let folder = Folder::new();
    let log: String = (0..61).map(|at| format!("{} s{} d{}\n", 1_700_000_000 + at, at % 3, at % 2)).collect();
    folder.write("a.log", log);
    let every = ["--follow", "--every", "10", "--seconds", "10", "--lateness", "0", "--since", "1700000000"];
    let follow = |question: &[&str], out: &str| {
        let mut command = program(&folder);
        command.args(question).args(every).args(["--max-jump", "0", "-q", "-o", &format!("json:{out}")]);
        let mut running = command.env("XDG_STATE_HOME", folder.at("home")).spawn().unwrap();
        let counted = || -> u64 {
            let text = std::fs::read_to_string(folder.at(out)).unwrap_or_default();
            let results = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let closed = results.filter(|result| result["window"]["provisional"] != true);
            closed.map(|result| result["reports"][0]["rows"].as_array().map_or(0, |rows| rows.len() as u64)).sum()
        };
        wait_for("results", || counted() >= 6);
        signal(&running, "INT");
        assert_eq!(running.wait().unwrap().code(), Some(0));
        counted()
    };
    // Two servers in each of six windows, then who connects to one of them: two or three clients in
    // each.
    assert_eq!(follow(&["top", "a.log"], "one.json"), 12);
    assert!(follow(&["to", "d1", "a.log"], "two.json") >= 12);
    // Each has a state of its own.
    let states = std::fs::read_dir(folder.at("home/logparser")).unwrap().count();
    assert_eq!(states, 2);
}

#[test]
fn open_windows_beyond_those_that_are_listed_are_counted() {
    let folder = Folder::new();
    let log: String = (0..1_500).map(|second| format!("{} a b\n", 1_700_000_000 + 2 * second)).collect();
    folder.write("a.log", log);
    let args = [
        "top",
        "a.log",
        "--follow",
        "--every",
        "2s",
        "--seconds",
        "2s",
        "--lateness",
        "1h",
        "--since",
        "2023-11-14",
        "--state",
        "s",
    ];
    let mut running =
        program(&folder).args(args).args(["--checkpoint", "100ms", "-qq"]).stdout(Stdio::null()).spawn().unwrap();
    let show = || stdout(&run(&folder, &["state", "show", "--state", "s", "--json"]));
    wait_for("all to be saved", || show().contains("\"counted\":1500,"));
    signal(&running, "TERM");
    assert_eq!(running.wait().unwrap().code(), Some(0));
    let state: serde_json::Value = serde_json::from_str(&show()).unwrap();
    let windows = &state["contents"]["windows"];
    assert_eq!((windows["open"].as_array().unwrap().len(), &windows["open_more"]), (1_000, &500.into()), "{state}");
    let text = stdout(&run(&folder, &["state", "show", "--state", "s"]));
    assert_eq!(text.matches("    open: ends ").count(), 1_000);
    assert!(text.contains("    open: and 500 more\n"), "{text}");
}
