//! No command writes to what it reads, under whatever name, and what is no regular file stays what
//! it is.

use std::os::unix::fs::{FileTypeExt, symlink};
use std::process::Command;

use crate::support::{BASE, Folder, run, stderr, stdout};

/// A folder with a log, a plan of it, a configuration and two tallies files, in a folder of their
/// own.
fn filled() -> Folder {
    let folder = Folder::new();
    std::fs::create_dir(folder.at("r")).unwrap();
    folder.write("r/o.log", format!("{BASE} a b\n{BASE} c d\n"));
    folder.write("r/p.log", format!("{BASE} e f\n"));
    folder.write("r/hosts", "10.0.0.1 web\n");
    folder.write("r/k.toml", "location = \"r/o.log\"\nuntil = \"latest\"\n");
    folder.write("r/f.toml", "location = \"r/o.log\"\nfollow = true\nevery = \"1h\"\nstate = \"none\"\n");
    for args in [
        ["plan", "r/o.log", "--until", "latest", "-o", "json:r/plan.json"],
        ["partial", "r/o.log", "--until", &BASE.to_string(), "-o", "r/a.tally"],
        ["partial", "r/p.log", "--until", &BASE.to_string(), "-o", "r/b.tally"],
    ] {
        let output = run(&folder, &args);
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    }
    folder
}

/// Every command that reads and writes, each place in which something to write to can be given, and
/// each spelling of what is read.
#[test]
fn no_command_overwrites_what_it_reads() {
    let folder = filled();
    let commands: &[(&str, &str)] = &[
        ("o.log", "partial r/o.log --until latest -o @"),
        ("o.log", "partial r/*.log --until latest -o @"),
        ("p.log", "partial r/*.log --until latest -o @"),
        ("k.toml", "partial --config r/k.toml -o @"),
        ("o.log", "partial --config r/k.toml -o @"),
        ("o.log", "plan r/o.log --until latest -o json:@"),
        ("o.log", "plan r/o.log --until latest -o json -o json:@"),
        ("k.toml", "plan --config r/k.toml -o json:@"),
        ("o.log", "list r/o.log -o json:@"),
        ("k.toml", "list --config r/k.toml -o json:@"),
        ("plan.json", "list --plan r/plan.json -o json:@"),
        ("o.log", "list --plan r/plan.json -o json:@"),
        ("a.tally", "report r/a.tally -o csv:@"),
        ("b.tally", "report r/a.tally r/b.tally -o json:@"),
        ("k.toml", "report r/a.tally --config r/k.toml -o csv:@"),
        ("a.tally", "inspect r/a.tally -o json:@"),
        ("b.tally", "inspect r/a.tally r/b.tally -o json:@"),
        ("a.tally", "merge r/a.tally r/b.tally -o @"),
        ("b.tally", "merge r/a.tally r/b.tally -o @"),
        ("k.toml", "run r/k.toml -o csv:@"),
        ("k.toml", "run r/k.toml --rejects @"),
        ("k.toml", "run r/k.toml --every 1h --late-file @"),
        ("f.toml", "run r/f.toml -o csv:@"),
        ("f.toml", "run r/f.toml --rejects @"),
        ("o.log", "run r/f.toml -o csv:@"),
        ("o.log", "top r/o.log --until latest -o csv:@"),
        ("o.log", "r/o.log --until latest -o csv:@"),
        ("hosts", "top r/o.log --until latest --hosts r/hosts -o csv:@"),
        ("hosts", "top r/o.log --until latest --hosts r/hosts --rejects @"),
        ("hosts", "report r/a.tally --hosts r/hosts -o csv:@"),
    ];
    for (file, command) in commands {
        let whole = std::fs::read(folder.at("r").join(file)).unwrap();
        let (link, hard) = (folder.at("link"), folder.at("hard"));
        symlink(folder.at("r").join(file), &link).unwrap();
        std::fs::hard_link(folder.at("r").join(file), &hard).unwrap();
        for target in [&format!("r/{file}"), &format!("./r/../r/{file}"), "link", "hard"] {
            let command = command.replace('@', target);
            let output = run(&folder, &command.split(' ').collect::<Vec<_>>());
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{command}: {said}");
            assert!(said.contains(&format!("'{target}' is ")), "{command}: {said}");
            assert!(said.contains("write elsewhere"), "{command}: {said}");
            assert_eq!(stdout(&output), "", "{command}");
            assert_eq!(std::fs::read(folder.at("r").join(file)).unwrap(), whole, "{command}");
            assert!(link.is_symlink());
        }
        std::fs::remove_file(&link).unwrap();
        std::fs::remove_file(&hard).unwrap();
    }
}

#[test]
fn standard_output_is_a_file_as_any_other() {
    let folder = filled();
    for command in ["partial r/o.log --until latest -o -", "plan r/o.log --until latest", "list r/o.log", "top r/o.log"]
    {
        let before = std::fs::read(folder.at("r/o.log")).unwrap();
        let appended = std::fs::File::options().append(true).open(folder.at("r/o.log")).unwrap();
        let output = crate::support::program(&folder).args(command.split(' ')).stdout(appended).output().unwrap();
        assert!(stderr(&output).contains("standard output is read as r/o.log"), "{command}: {}", stderr(&output));
        assert_eq!(
            (output.status.code(), std::fs::read(folder.at("r/o.log")).unwrap()),
            (Some(2), before),
            "{command}"
        );
    }
}

#[test]
fn the_lock_of_a_state_is_no_other_file() {
    let folder = Folder::new();
    let text = format!("{BASE} a b\n");
    folder.write("lock", &text);
    for args in [&["top", "lock", "--follow", "--every", "1h", "--state", "."][..], &["state", "reset", "--state", "."]]
    {
        let output = run(&folder, args);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(4), "{args:?}: {said}");
        assert!(
            said.contains("./lock: is no lock of logparser, and would be overwritten; name another --state"),
            "{said}"
        );
        assert_eq!(std::fs::read_to_string(folder.at("lock")).unwrap(), text);
    }
}

/// What is written at once, and line by line: into a pipe, through a link, and into what the shell
/// calls `/dev/fd/N`.
#[test]
fn what_is_written_into_stays_what_it_is() {
    let folder = filled();
    let program = env!("CARGO_BIN_EXE_logparser");
    let shell = |script: &str| {
        let output = Command::new("bash").current_dir(folder.path()).args(["-c", script, program]).output().unwrap();
        assert!(output.status.success(), "{script}: {}", stderr(&output));
        stdout(&output)
    };
    let commands = [
        "partial r/o.log --until latest -o ",
        "merge r/a.tally r/b.tally -o ",
        "plan r/o.log --until latest --now 2024-01-01 -o json:",
        "list r/o.log -o json:",
        "inspect r/a.tally -o json:",
        "top r/o.log --until latest -q -o csv:",
    ];
    for command in commands {
        shell(&format!("$0 {command}file"));
        let whole = std::fs::read(folder.at("file")).unwrap();
        let bytes = whole.len();
        assert!(bytes > 0, "{command}");
        assert_eq!(shell(&format!("$0 {command}/dev/stdout | wc -c")).trim(), bytes.to_string(), "{command}");
        let counted = shell(&format!("$0 {command}>(wc -c >counted); wait $!; sleep 0.1; cat counted"));
        assert_eq!(counted.trim(), bytes.to_string(), "{command}");
        let piped = shell(&format!("rm -f pipe; mkfifo pipe; wc -c <pipe & $0 {command}pipe; wait"));
        assert_eq!(piped.trim(), bytes.to_string(), "{command}");
        assert!(std::fs::metadata(folder.at("pipe")).unwrap().file_type().is_fifo(), "{command}");
        shell(&format!("echo old >behind; ln -sf behind link; $0 {command}link"));
        assert!(folder.at("link").is_symlink(), "{command}");
        assert_eq!(std::fs::read(folder.at("behind")).unwrap(), whole, "{command}");
    }
}

/// On a disk without room: a file is there as it was, or is not there.
#[test]
fn what_is_written_at_once_is_whole_or_not_there() {
    let folder = filled();
    for command in
        ["plan r/o.log --until latest -o json:", "inspect r/a.tally -o json:", "merge r/a.tally r/b.tally -o "]
    {
        for before in [None, Some("as it was")] {
            let target = folder.at("target");
            before.iter().for_each(|text| std::fs::write(&target, text).unwrap());
            let script = format!("ulimit -f 0; exec $0 {command}target");
            let mut bash = Command::new("bash");
            let output =
                bash.current_dir(folder.path()).args(["-c", &script, env!("CARGO_BIN_EXE_logparser")]).output();
            let output = output.unwrap();
            assert_eq!(output.status.code(), Some(1), "{command}: {}", stderr(&output));
            assert!(stderr(&output).contains("target: cannot write: File too large"), "{command}: {}", stderr(&output));
            assert_eq!(std::fs::read_to_string(&target).ok().as_deref(), before, "{command}");
            let _ = std::fs::remove_file(&target);
        }
        let names = std::fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name());
        assert_eq!(names.collect::<Vec<_>>(), ["r"], "{command}");
    }
}

/// `make` that fails takes away what it has made, and nothing else.
#[test]
fn a_log_that_is_not_made_takes_nothing_with_it() {
    let folder = Folder::new();
    folder.write("old", "x\n".repeat(2000));
    symlink("old", folder.at("link")).unwrap();
    let with = |program: &str, script: &str| {
        let output = Command::new("bash").current_dir(folder.path()).args(["-c", script, program]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{script}: {}", stderr(&output));
        stderr(&output)
    };
    let made = env!("CARGO_BIN_EXE_logparser-make");
    let said = with(made, "ulimit -f 4; exec $0 new --lines 10000");
    assert!(said.contains("new: cannot write, and the file is removed again: File too large"), "{said}");
    assert!(!folder.at("new").exists());
    for target in ["link", "old"] {
        let said = with(made, &format!("ulimit -f 4; exec $0 {target} --force --lines 10000"));
        assert!(said.contains(&format!("{target}: cannot write, and the file is left empty")), "{said}");
        assert!(folder.at("link").is_symlink());
        assert_eq!(std::fs::read(folder.at("old")).unwrap(), b"");
    }
    let script = "mkfifo pipe; head -c 9 pipe >/dev/null & exec $0 make pipe --force --lines 100000";
    let said = with(env!("CARGO_BIN_EXE_logparser"), script);
    assert!(said.contains("pipe: cannot write: Broken pipe"), "{said}");
    assert!(std::fs::metadata(folder.at("pipe")).unwrap().file_type().is_fifo());
    // As /dev/full is one; to make a device takes the right to.
    if Command::new("mknod").arg(folder.at("full")).args(["c", "1", "7"]).status().is_ok_and(|status| status.success())
    {
        let said = with(env!("CARGO_BIN_EXE_logparser"), "exec $0 make full --force");
        assert!(said.contains("full: cannot write: No space left on device"), "{said}");
        assert!(std::fs::metadata(folder.at("full")).unwrap().file_type().is_char_device());
    }
}

/// Every place in which something to write to can be given, where what stands there was meant to be
/// read: the option lacks its value, and there is nothing to read but an empty device.
#[test]
fn a_log_that_stands_where_something_to_write_to_is_expected_is_kept() {
    let folder = filled();
    let before = std::fs::read(folder.at("r/o.log")).unwrap();
    for line in [
        "top --rejects r/o.log --until latest",
        "--rejects r/o.log --until latest",
        "top --every 1h --late-file r/o.log",
        "top -o csv:r/o.log --until latest",
        "top r/p.log -o text:r/o.log --until latest",
        "top r/p.log --rejects r/o.log --until latest",
        "top r/p.log --follow --every 1h --rejects r/o.log --state none",
        "partial --output r/o.log --until latest",
        "partial r/p.log --output r/o.log --until latest",
        "plan r/p.log --until latest -o json:r/o.log",
        "list r/p.log -o json:r/o.log",
        "explain r/p.log --until latest -o json:r/o.log",
        "report r/a.tally -o csv:r/o.log",
        "merge r/a.tally r/b.tally -o r/o.log",
        "inspect r/a.tally -o json:r/o.log",
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        let output = run(&folder, &args);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{line}: {said}");
        assert!(said.contains("r/o.log' begins as a log does, and would be overwritten"), "{line}: {said}");
        assert_eq!(std::fs::read(folder.at("r/o.log")).unwrap(), before, "{line}");
    }
    // Late lines are lines of a log, and their file is written anew by the next run.
    folder.write("r/l.log", format!("{} a b\n{BASE} late b\n", BASE + 90_000));
    let late = ["top", "r/l.log", "--every", "1h", "--max-jump", "0", "--late-file", "late.log"];
    for _ in 0..2 {
        assert_eq!(run(&folder, &late).status.code(), Some(0), "{}", stderr(&run(&folder, &late)));
        assert_eq!(std::fs::read_to_string(folder.at("late.log")).unwrap(), format!("{BASE} late b\n"));
    }
}
