//! Slips: command lines that people get wrong, what is said to them, and the exit code.
//!
//! `tests/slips/*.txt` are the tables: a line `$ COMMAND`, run by a shell in a folder with a few
//! files, then both streams as a terminal shows them, then `exit N`. With `UPDATE_CASES=1` they are
//! written anew: read the difference.

use std::path::Path;
use std::time::{Duration, Instant};

use logparser::internals::snapshot::store::{self as state, Store};

use crate::support::{Folder, run, shell, stderr, stdout, updates};

const LOG: &str = "\
1699999000 sierra Alpha
1699999100 almont Delta
1699999200 alta Delta
1699999300 sierra Bravo
1699999400 alpine Delta
1700000000 almont Bravo
1700000000 w CORP\\xfer01
1700000000 web.example.com Alpha
";

/// A pipeline whose stages have names of their own.
const NAMED: &str = "\
location = 'conn.log'
[stages]
here = { type = 'reader' }
lines = { type = 'line-splitter', inputs = ['here'] }
near = { type = 'time-filter', inputs = ['lines'] }
count = { type = 'bucket-aggregator', inputs = ['near'] }
tell = { type = 'reporter', inputs = ['count'] }
";

fn folder() -> Folder {
    let folder = Folder::new();
    for name in ["conn.log", "conn1.log", "conn2.log", "a b.log", "-odd.log"] {
        folder.write(name, LOG);
    }
    folder.write("mine.toml", "location = 'conn.log'\nuntil = 'latest'\n");
    folder.write("named.toml", NAMED);
    folder.write("bad.toml", "secnds = 5\n".to_owned() + &(0..30).map(|n| format!("k{n} = 1\n")).collect::<String>());
    folder.write("syntax.toml", "x y\n".repeat(2000));
    folder.write("zeros.bin", b"a\0b");
    folder.write("text.txt", "nothing but words\n");
    folder.write("big.toml", "# comment\n".repeat(200_000));
    std::fs::create_dir_all(folder.at("logs/old")).unwrap();
    std::fs::create_dir(folder.at("web")).unwrap();
    folder.write("logs/1.log", LOG);
    folder.write("logs/old/0.log", LOG);
    for (name, location) in [("0123", "conn*.log"), ("4567", "/var/log/a\u{1b}.log")] {
        let fingerprint = format!("location = {location}\nmax-line = 65536\n");
        let mut store = Store::open(&folder.at(&format!("logparser/{name}"))).unwrap();
        store.load(&fingerprint).unwrap();
        store.save(state::OLDEST, &fingerprint, &mut |encoder| encoder.put(&1u8)).unwrap();
    }
    std::fs::create_dir_all(folder.at("logparser/damaged")).unwrap();
    folder.write("logparser/damaged/state.0", b"no state");
    folder
}

/// What a command prints, both streams as in a terminal, with its exit code.
fn said(folder: &Folder, command: &str) -> String {
    let script = format!("exec 2>&1 < /dev/null\n{command}\necho exit $?");
    stdout(&shell(folder, &script).env("XDG_STATE_HOME", folder.path()).output().unwrap())
}

#[test]
fn every_slip_is_told_with_its_remedy() {
    let update = updates();
    let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slips");
    let mut wrong = Vec::new();
    let mut count = 0;
    for table in std::fs::read_dir(tables).unwrap().map(|entry| entry.unwrap().path()) {
        let text = std::fs::read_to_string(&table).unwrap();
        let folder = folder();
        let mut now = String::new();
        for line in text.lines().take_while(|line| line.starts_with('#')) {
            now += &format!("{line}\n");
        }
        for command in text.lines().filter_map(|line| line.strip_prefix("$ ")) {
            count += 1;
            now += &format!("\n$ {command}\n{}", said(&folder, command));
        }
        if update {
            std::fs::write(&table, &now).unwrap();
        } else if now != text {
            let differs = now.lines().zip(text.lines()).find(|(now, text)| now != text);
            wrong.push(format!("{}: the first line that differs (now, table): {differs:#?}", table.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 40, "{count}");
}

/// The command that was meant, as far as what is said names it: a command of its own, or what is to
/// stand in place of a part of the one that was given.
fn meant(command: &str, said: &str) -> Vec<String> {
    let is_of_words = |line: &str| line.contains("unexpected argument '") || line.contains("connects to nothing");
    let mut all = Vec::new();
    for line in said.lines() {
        if let Some((_, rest)) = line.split_once("did you mean {") {
            let table = format!("{{{}", rest.trim_end_matches('?'));
            all.push(format!(
                "printf '%s\\n' 'location = \"conn.log\"' 'reports = [{table}]' > x.toml; logparser run x.toml"
            ));
        } else if let Some((_, rest)) = line.split_once("did you mean `") {
            let commands = rest.split("?").next().unwrap().trim_end_matches('`').split("` or `");
            all.extend(commands.map(str::to_owned));
        } else if let Some((_, length)) = line.split_once("; make it a multiple of ") {
            let option = command.split_whitespace().find(|word| *word == "--every").unwrap();
            let given = command.split_whitespace().skip_while(|word| *word != option).nth(1).unwrap();
            // To count all these windows takes long.
            all.push(command.replace(given, length).replace("logparser top", "logparser explain"));
        } else if let Some((_, rest)) = line.split_once("; write location = ") {
            let (location, rest) = rest.split_once(" into a file").unwrap();
            all.push(format!("echo 'location = {location}' > my.toml; {}", rest.split('`').nth(1).unwrap()));
        } else if let (Some((_, rest)), true) = (line.split_once("did you mean -"), is_of_words(line)) {
            // An option of another name, or one whose dashes are missing.
            let right = format!("-{}", rest.split('?').next().unwrap());
            let given = line.split_once("unexpected argument '").map(|(_, rest)| rest.split('\'').next().unwrap());
            all.push(command.replacen(&in_command(command, given, &right), &right, 1));
        } else if let Some((_, rest)) = line.split_once("did you mean -") {
            all.push(in_place(command, line, rest));
        } else if let (Some((_, rest)), true) = (line.split_once("did you mean '"), line.contains(": expected ")) {
            let wrong = line.rsplit("not '").next().unwrap().split('\'').next().unwrap();
            all.push(command.replace(&format!("'{wrong}'"), wrong).replace(wrong, rest.split('\'').next().unwrap()));
        }
    }
    all
}

/// The part of a command that an option was meant by: its words without their dashes, or what was
/// given, with its value.
fn in_command(command: &str, given: Option<&str>, right: &str) -> String {
    let bare = right.trim_start_matches('-');
    if right.contains(' ') && command.contains(bare) {
        return bare.to_owned();
    }
    let (given, value) = (given.unwrap(), right.rsplit([' ', '=']).next().unwrap());
    let setting = format!("{given} {}", bare.replacen(' ', "=", 1));
    let parts = [setting, format!("{given} {value}"), format!("{given}={value}"), format!("{given}{value}")];
    parts.into_iter().find(|part| command.contains(part)).unwrap_or_else(|| given.to_owned())
}

/// A command with an option in place of one that stands in a message, then what is wrong with it.
fn in_place(command: &str, line: &str, rest: &str) -> String {
    let given = command.replace("--since=", "--since ").replace('\'', "");
    let said = line.trim_start_matches("logparser: ");
    let ends = said.match_indices(": ").map(|(at, _)| at).filter(|at| given.contains(&said[..*at]));
    let wrong = &said[..ends.max().unwrap_or_else(|| panic!("{command}: {line}"))];
    given.replace(wrong, &format!("-{}", rest.trim_end_matches('?')))
}

/// What is suggested is no slip again.
#[test]
fn what_is_suggested_is_understood() {
    let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slips");
    let mut commands = 0;
    for table in std::fs::read_dir(tables).unwrap().map(|entry| entry.unwrap().path()) {
        for part in std::fs::read_to_string(&table).unwrap().split("\n$ ").skip(1) {
            let (command, said) = part.split_once('\n').unwrap();
            for meant in meant(command, said) {
                // What a command before has made is there, and no log has been made yet.
                let folder = folder();
                self::said(&folder, command);
                std::fs::remove_file(folder.at("made.log")).ok();
                let found = self::said(&folder, &meant);
                assert!(!found.ends_with("exit 2\n"), "{command}: {said}{meant}: {found}");
                commands += 1;
            }
        }
    }
    assert!(commands >= 50, "{commands}");
}

/// A mebibyte of problems took half an hour when each was looked for from the start of the file.
#[test]
fn a_file_full_of_problems_is_refused_in_time_that_grows_with_its_size() {
    let folder = Folder::new();
    for (name, text) in
        [("lines.toml", "x y\n".repeat(200_000)), ("line.toml", format!("x = [{}", "y, ".repeat(200_000)))]
    {
        folder.write(name, text);
        let started = Instant::now();
        let output = run(&folder, &["run", name]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).lines().count() <= 11, "{}", stderr(&output));
        assert!(started.elapsed() < Duration::from_secs(60), "{name}: {:?}", started.elapsed());
    }
}
