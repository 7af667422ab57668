//! Rows of the catalogue of faults that are seen best on the whole program: bad lines, compression,
//! fairness, races.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{
    Folder, Logs, NO_DISK, Oracle, Random, Running, SavedState, Tmpfs, append, configure, follower, needs, said, shell,
    skip, terminate, wait_for, wait_until_saved,
};

/// A program that follows `logs/log*`, and saves what it has counted twenty times a second.
fn start(folder: &Folder) -> Running {
    configure(folder, "10d", "50ms", "");
    std::fs::create_dir_all(folder.at("logs")).unwrap();
    Running(follower(folder).spawn().unwrap())
}

fn number(saved: &SavedState, key: &str) -> u64 {
    saved.contents["balance"][key].as_u64().unwrap()
}

fn ends_with(running: &mut Running, folder: &Folder) -> SavedState {
    assert_eq!(terminate(running).0, Some(0), "{}", said(folder));
    SavedState::of(folder, false).unwrap()
}

#[test]
fn a6_what_is_compressed_at_once_is_read_by_its_open_handle() {
    needs!("gzip");
    let folder = Folder::new();
    let mut running = start(&folder);
    let (log, mut bytes) = (folder.at("logs/log"), 0);
    for turn in 0..5 {
        let rotated = folder.at(&format!("logs/log.{turn}"));
        for _ in 0..2 {
            append(&log, b"1700000000 a b\n");
            bytes += 15;
            // Counted, it is held open.
            wait_until_saved(&folder, bytes);
        }
        append(&log, b"1700000001 a b\n");
        bytes += 15;
        std::fs::rename(&log, &rotated).unwrap();
        assert!(Command::new("gzip").arg(&rotated).status().unwrap().success());
    }
    wait_until_saved(&folder, bytes);
    let saved = ends_with(&mut running, &folder);
    assert_eq!((number(&saved, "counted"), saved.lost()), (15, 0), "{}", said(&folder));
    // What was counted is not warned of.
    assert!(!said(&folder).contains("is compressed"), "{}", said(&folder));
}

#[test]
fn a6_what_is_compressed_while_stopped_is_told_once_with_the_command_that_counts_the_rest() {
    needs!("gzip");
    let folder = Folder::new();
    let (log, packed) = (folder.at("logs/log"), folder.at("logs/log.gz"));
    let line = b"1700000000 a b\n";
    let mut running = start(&folder);
    append(&log, line.repeat(100));
    wait_until_saved(&folder, 1500);
    ends_with(&mut running, &folder);
    append(&log, line.repeat(40));
    assert!(Command::new("gzip").arg(&log).status().unwrap().success());
    // Also if it is stopped at once.
    let mut running = start(&folder);
    std::thread::sleep(Duration::from_millis(300));
    let saved = ends_with(&mut running, &folder);
    assert_eq!(
        (number(&saved, "counted"), number(&saved, "bytes_unread"), number(&saved, "unknown_losses")),
        (100, 600, 0)
    );
    let told = said(&folder);
    let (_, command) = told.split_once("bytes 1500 to 2100 were not counted; count them with: ").unwrap();
    let command = command.lines().next().unwrap();
    let counted = shell(&folder, &format!("{command} --json --until latest")).output().unwrap();
    let result: serde_json::Value = serde_json::from_slice(&counted.stdout).unwrap();
    assert_eq!(result["balance"]["counted"], 40, "{result}");
    // Another run has nothing to say of it.
    let mut running = start(&folder);
    std::thread::sleep(Duration::from_millis(1500));
    ends_with(&mut running, &folder);
    let log = said(&folder);
    assert_eq!((log.matches("log.gz").count(), log.matches("not counted").count()), (1, 1), "{log}");
    assert!(packed.exists() && !log.contains("is compressed"), "{log}");
}

#[test]
fn a15_a_deleted_file_is_let_go_of_while_no_state_can_be_saved() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.at("state")).unwrap();
    let Some(disk) = Tmpfs::on(&folder.at("state"), "size=16k") else { return skip(NO_DISK) };
    let mut running = start(&folder);
    let log = folder.at("logs/log");
    append(&log, b"1700000000 a b\n");
    wait_until_saved(&folder, 15);
    let _ = std::fs::write(folder.at("state/filler"), vec![0; 64 << 10]);
    append(&log, b"1700000000 a b\n");
    std::fs::remove_file(&log).unwrap();
    let fds = format!("/proc/{}/fd", running.0.id());
    let holds = || {
        let links =
            std::fs::read_dir(&fds).unwrap().flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
        links.filter(|link| link.to_string_lossy().ends_with("logs/log (deleted)")).count()
    };
    wait_for("the handle of the deleted file to be closed", || holds() == 0);
    assert!(said(&folder).contains("counting goes on"), "{}", said(&folder));
    std::fs::remove_file(folder.at("state/filler")).unwrap();
    wait_until_saved(&folder, 30);
    // All is saved in the end, and nothing lost.
    assert!(said(&folder).contains("state: can be written again"), "{}", said(&folder));
    assert_eq!(terminate(&mut running).0, Some(0));
    drop((running, disk));
}

#[test]
fn b6_b9_lines_that_are_none_are_counted_and_passed() {
    let folder = Folder::new();
    let mut running = start(&folder);
    let long = [b"x".repeat(100_000), b"\n".to_vec()].concat();
    let bad = [&b"1700000000 a\0 b\n\nno stamp\n17 a\n1700000000 a b c\n"[..], &long].concat();
    append(&folder.at("logs/log"), &bad);
    wait_until_saved(&folder, bad.len() as u64);
    append(&folder.at("logs/log"), b"1700000000 a b\n");
    wait_until_saved(&folder, bad.len() as u64 + 15);
    let saved = ends_with(&mut running, &folder);
    assert_eq!(saved.bytes(), bad.len() as u64 + 15, "{}", saved.text(false));
    assert_eq!((number(&saved, "malformed"), number(&saved, "blank"), number(&saved, "counted")), (5, 1, 1));
}

#[test]
fn b10_a_million_bad_lines_are_counted_and_not_told_one_by_one() {
    let folder = Folder::new();
    let mut running = start(&folder);
    let bad = b"this is no line of the log\n".repeat(1_000_000);
    append(&folder.at("logs/log"), &bad);
    wait_until_saved(&folder, bad.len() as u64);
    // A log of which no line is a record.
    assert_eq!(terminate(&mut running).0, Some(1), "{}", said(&folder));
    let saved = SavedState::of(&folder, true).unwrap();
    assert_eq!(number(&saved, "malformed"), 1_000_000);
    let lines = said(&folder).lines().count();
    assert!(lines < 40, "{lines} lines were said: {}", said(&folder));
}

#[test]
fn c5_stamps_are_unix_time_whatever_the_calendar_does() {
    // Around the leap second at the end of 2016, and a change of the clocks; Unix time has neither.
    for (stamp, unit) in [(1_483_228_799, 1), (1_483_228_800, 1), (1_509_238_800_000, 1_000), (1_509_238_799, 1)] {
        let folder = Folder::new();
        let mut running = start(&folder);
        let line = format!("{stamp} a b\n");
        append(&folder.at("logs/log"), line.as_bytes());
        wait_until_saved(&folder, line.len() as u64);
        assert_eq!(terminate(&mut running).0, Some(0));
        let saved = SavedState::of(&folder, true).unwrap();
        let panes = crate::support::counts(&saved.contents);
        let pane = (stamp / unit as i64).div_euclid(864_000) * 864_000;
        assert_eq!(panes.keys().copied().collect::<Vec<_>>(), [pane], "{}", saved.text(true));
    }
}

#[test]
fn f4_states_are_whole_while_files_come_and_go_and_the_run_ends() {
    let folder = Folder::new();
    configure(&folder, "10d", "1ms", "capacity = 1\nchunk = 4096\n");
    let mut logs = Logs::new(&folder, 11);
    let mut oracle = Oracle::new(&logs.generations, 864_000);
    let (mut random, mut ended) = (Random::new(5), 0);
    for _ in 0..30 {
        let mut running = Running(follower(&folder).spawn().unwrap());
        let until = Instant::now() + Duration::from_millis(random.below(120));
        while Instant::now() < until {
            logs.step();
        }
        let (code, time) = terminate(&mut running);
        // A signal that comes before the program has asked for it ends it as any program.
        assert!(matches!(code, Some(0) | None), "{code:?}: {}", said(&folder));
        assert!(time < Duration::from_secs(2), "ended after {time:?}");
        ended += u32::from(code == Some(0));
        if let Some(saved) = SavedState::of(&folder, true) {
            oracle.check(&saved);
        }
    }
    assert!(ended > 10, "only {ended} of 30 runs had started before they were to end");
}

#[test]
fn f6_a_file_at_full_speed_does_not_keep_slow_ones_waiting() {
    let folder = Folder::new();
    let mut running = start(&folder);
    let block = b"1700000000 some-host some-server\n".repeat(40_000);
    append(&folder.at("logs/log.fast"), block.repeat(60));
    for slow in 0..100 {
        append(&folder.at(&format!("logs/log.slow{slow}")), b"1700000000 a b\n");
    }
    let slow_ones = |saved: &SavedState| {
        let inputs = saved.contents["inputs"].as_array().unwrap().iter();
        inputs.filter(|input| input["path"].as_str().unwrap().contains("slow") && input["position"] == 15).count()
    };
    let mut fast_at = None;
    wait_for("the slow files to be counted", || {
        let Some(saved) = SavedState::of(&folder, false) else { return false };
        let done = slow_ones(&saved) == 100;
        if done {
            fast_at = Some(saved.bytes() - 1500);
        }
        done
    });
    // All are read in turns: the fast one has not been read to its end before.
    let whole = 60 * block.len() as u64;
    wait_until_saved(&folder, whole + 1500);
    eprintln!("the slow files were counted when the fast one was at {fast_at:?} of {whole}");
    ends_with(&mut running, &folder);
}
