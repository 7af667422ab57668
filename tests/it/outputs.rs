//! Where commands write: `-` is standard output or refused, everywhere, and a format stands only
//! where there is one.

use std::process::{Command, Stdio};

use crate::support::{BASE, Folder, Running, program, run, signal, skip, stderr, stdout, wait_for};

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("o.log", format!("{BASE} a b\n{BASE} c b\nbad\n"));
    folder
}

fn names(folder: &Folder) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path()).unwrap().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_dash_is_standard_output_or_refused() {
    let folder = folder();
    for (dash, other) in [
        ("top o.log --until latest -qq -o csv:-", "top o.log --until latest -qq -o csv"),
        ("top o.log --until latest -qq -o json:-", "top o.log --until latest -qq -o json"),
        ("top o.log --until latest -qq -o -", "top o.log --until latest -qq"),
        ("top o.log --until latest -qq -o text:-", "top o.log --until latest -qq"),
        ("plan o.log --until latest --now 2024-01-01 -o json:-", "plan o.log --until latest --now 2024-01-01"),
        ("list o.log -o json:-", "list o.log"),
        ("list o.log -o -", "list o.log"),
        ("explain o.log --until latest -o json:-", "explain o.log --until latest -o json"),
        ("explain o.log --until latest -o -", "explain o.log --until latest"),
    ] {
        let [dash, other] = [dash, other].map(|command| run(&folder, &command.split(' ').collect::<Vec<_>>()));
        assert!(dash.status.success() && !dash.stdout.is_empty(), "{}", stderr(&dash));
        assert_eq!(stdout(&dash), stdout(&other));
    }
    folder.write("k.toml", "location = \"o.log\"\n");
    for command in ["top o.log --rejects -", "top o.log --every 1h --late-file -", "run k.toml --set rejects=-"] {
        let output = run(&folder, &command.split(' ').collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(2), "{command}: {}", stderr(&output));
        assert!(stderr(&output).contains("standard output (-) has the results"), "{command}: {}", stderr(&output));
    }
    assert_eq!(names(&folder), ["k.toml", "o.log"]);
}

#[test]
fn a_format_stands_only_where_there_is_one() {
    let folder = folder();
    for command in [
        "partial o.log --until latest -o csv:t",
        "merge a -o json:t",
        "make text:t",
        "plan o.log --until latest -o json:json:t",
        "top o.log --rejects csv:t",
        "top o.log --every 1h --late-file csv:t",
        "explain o.log --until latest -o csv",
        "explain o.log --until latest -o csv:t",
    ] {
        let output = run(&folder, &command.split(' ').collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(2), "{command}: {}", stderr(&output));
        let said = ["stands before paths of results only; write t alone", "what would be read is text or json"];
        assert!(said.iter().any(|said| stderr(&output).contains(said)), "{command}: {}", stderr(&output));
    }
    assert_eq!(names(&folder), ["o.log"]);
    let output = run(&folder, &["partial", "o.log", "--until", "latest", "-o", "./csv:t"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(names(&folder), ["csv:t", "o.log"]);
}

#[test]
fn explain_writes_where_it_is_asked_to() {
    let folder = folder();
    let explain = |outputs: &[&str]| run(&folder, &[&["explain", "o.log", "--until", "latest"], outputs].concat());
    let (text, json) = (stdout(&explain(&[])), stdout(&explain(&["--json"])));
    let output = explain(&["-o", "json:ex", "-o", "t.txt", "-o", "text"]);
    assert_eq!(stdout(&output), text);
    assert_eq!(std::fs::read_to_string(folder.at("ex")).unwrap(), json);
    assert_eq!(std::fs::read_to_string(folder.at("t.txt")).unwrap(), text);
    let output = explain(&["-o", "json:./o.log"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("'./o.log' is read as o.log"), "{}", stderr(&output));
}

#[test]
fn a_reset_without_a_state_makes_nothing() {
    let folder = folder();
    let output = run(&folder, &["state", "reset", "--state", "."]);
    assert_eq!((stdout(&output).as_str(), output.status.code()), (".: no state, nothing removed\n", Some(0)));
    assert_eq!(names(&folder), ["o.log"]);
}

/// Each command that looks at logs refuses compressed data that is damaged at its start, in the same
/// words.
#[test]
fn compressed_data_without_a_beginning_is_refused_by_all() {
    let folder = folder();
    folder.write("x.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03");
    let run_of = |command: &str| {
        let output = run(&folder, &command.replace('@', "x.gz").split(' ').collect::<Vec<_>>());
        (output.status.code(), stdout(&output), stderr(&output))
    };
    let refusal = "x.gz: its gzip data is cut short at compressed byte 11";
    for command in ["top @", "plan @", "plan @ --until latest", "list @", "explain @", "partial @ -o t"] {
        let (code, results, said) = run_of(command);
        assert!(said.contains(refusal), "{command}: {said}");
        assert_eq!(code, Some(1), "{command}");
        assert!(results.is_empty() || command.starts_with("explain"), "{command}: {results}");
    }
}

#[test]
fn hidden_files_of_a_folder_are_told() {
    let folder = Folder::new();
    for name in ["d/a.log", "d/.b.log", "d/.c.log", "d/.git/config"] {
        let path = folder.at(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{BASE} a b\n")).unwrap();
    }
    let told =
        "d/.b.log: was not read, as it is hidden; to read it too, name it: 'd/.b.log' (1 more hidden file likewise)";
    for command in ["top d --until latest -o csv", "list d", "plan d --until latest", "partial d --until latest -o t"] {
        let output = run(&folder, &command.split(' ').collect::<Vec<_>>());
        assert!(output.status.success() && stderr(&output).contains(told), "{command}: {}", stderr(&output));
    }
    // A glob says which files are meant, as in the shell.
    let output = run(&folder, &["top", "d/*.log", "--until", "latest", "-o", "csv"]);
    assert!(!stderr(&output).contains("hidden"), "{}", stderr(&output));
}

#[test]
fn a_value_that_is_no_text_is_told_of_its_option() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = folder();
    let said = |args: &[&[u8]]| {
        let args = args.iter().map(|arg| OsStr::from_bytes(arg));
        let output = crate::support::program(&folder).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        stderr(&output)
    };
    for (args, at, option) in [
        (&[&b"top"[..], b"o.log", b"-o", b"csv:o\xff.csv"][..], 4, "-o"),
        (&[b"top", b"o.log", b"--until", b"lat\xff"], 4, "--until"),
        (&[b"top", b"o.log", b"--until=lat\xff"], 3, "--until"),
        (&[b"top", b"o.log", b"-qo", b"csv:o\xff"], 4, "-qo"),
        (&[b"top", b"o.log", b"--last", b"\xff"], 4, "--last"),
        (&[b"o.log", b"--rejects", b"r\xff"], 3, "--rejects"),
        (&[b"plan", b"o.log", b"--max-partition", b"\xff"], 4, "--max-partition"),
    ] {
        let said = said(args);
        assert!(said.contains(&format!("argument {at}, ")), "{said}");
        assert!(said.contains(&format!("is not UTF-8, as what is given to {option} has to be")), "{said}");
    }
    for args in [&[&b"top"[..], b"o\xff.log"][..], &[b"top", b"-q", b"o\xff"], &[b"to", b"--", b"--until", b"\xff"]] {
        assert!(said(args).contains("a file that is called so is reached by a glob"), "{args:?}");
    }
}

/// As a user who may not write there, which the super-user may everywhere.
#[test]
fn a_state_that_cannot_be_kept_says_what_to_do() {
    let folder = folder();
    std::fs::create_dir(folder.at("closed")).unwrap();
    let script = "chmod 555 closed; chmod 777 . o.log; cp $0 lp; exec setpriv --reuid 65534 --clear-groups ./lp \
                  top o.log --follow --every 1h --state closed/st";
    let program = env!("CARGO_BIN_EXE_logparser");
    let output = std::process::Command::new("sh").current_dir(folder.path()).args(["-c", script, program]).output();
    let output = output.unwrap();
    if output.status.code() != Some(4) && stderr(&output).contains("setpriv") {
        return skip("it takes the right to become another user");
    }
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let remedy = "give a folder that may be written to with --state DIR, or run without a state: --state none";
    assert!(stderr(&output).contains(remedy), "{}", stderr(&output));
}

/// As a configuration has it, and with nothing beside the log.
#[test]
fn the_example_of_each_output_runs_and_writes_what_it_claims() {
    for entry in logparser::internals::output::TABLE {
        let folder = folder();
        folder.write("k.toml", format!("location = 'o.log'\nuntil = 'latest'\noutputs = [{}]\n", entry.example));
        let output = run(&folder, &["run", "k.toml", "-qq"]);
        assert!(output.status.success(), "{}: {}", entry.name, stderr(&output));
        let written = names(&folder).len() - 2;
        assert_eq!((written, output.stdout.is_empty()), (usize::from(written > 0), written > 0), "{}", entry.name);
    }
}

#[test]
fn a_pipe_that_nobody_reads_is_waited_for_with_a_word_and_an_interrupt_is_heard() {
    let folder = folder();
    assert!(Command::new("mkfifo").arg(folder.at("pipe")).status().unwrap().success());
    let once = "top o.log --until latest -q -o json:pipe";
    for args in [
        once,
        "top o.log --until latest -q -o csv --rejects pipe",
        "top o.log --follow --every 10 --state none -q -o csv:pipe",
        "top o.log --follow --every 10 --state none -q -o csv --rejects pipe",
    ] {
        let said = || std::fs::read_to_string(folder.at("said")).unwrap();
        let stderr = std::fs::File::create(folder.at("said")).unwrap();
        let mut command = program(&folder);
        command.args(args.split(' ')).stdout(Stdio::null()).stderr(stderr);
        let mut child = Running(command.spawn().unwrap());
        wait_for("a word on the pipe", || said().ends_with('\n'));
        let waits = "logparser: warning: pipe: is a pipe that nobody reads; waiting for a reader\n";
        assert_eq!(said(), waits, "{args}");
        signal(&child.0, "TERM");
        wait_for("the end of a run that waits for a reader", || child.0.try_wait().unwrap().is_some());
        assert_eq!(child.0.wait().unwrap().code(), Some(1), "{args}");
        assert!(said().contains("nobody read it before the run was interrupted"), "{args}: {}", said());
    }
    let mut child = program(&folder).args(once.split(' ')).spawn().unwrap();
    let read = std::fs::read_to_string(folder.at("pipe")).unwrap();
    assert!(read.starts_with("{\"schema\"") && read.ends_with("}\n"), "{read}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
