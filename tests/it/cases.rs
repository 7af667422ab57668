//! Golden cases: each file of `tests/cases` holds logs, what is asked of them, and what has to be
//! said.
//!
//! A case is a file of sections (`support/case.rs` says how they are written): logs, then either a
//! `pipeline.toml`, which is run under every shape of threads, capacity, chunk size and chaining, or
//! `args`, a command line, which is run under every number of threads. `stdout`, `stderr` and `code` (0 if
//! there is none) hold the one expectation. With `UPDATE_CASES=1` they are written anew: read the
//! difference before you commit it.

use std::fs;
use std::path::PathBuf;

use crate::support::case::{Sections, parse, render};
use crate::support::{Folder, SHAPES, root, run, updates};

/// What is expected, by the names of its sections.
const SAID: [&str; 3] = ["stdout", "stderr", "code"];

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> =
        fs::read_dir(root().join("tests/cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn section<'a>(case: &'a Sections, name: &str) -> Option<&'a str> {
    let found = case.iter().find(|(section, _)| section == name);
    found.map(|(_, bytes)| std::str::from_utf8(bytes).unwrap())
}

/// Every command line of a case. A command line of its own that gives `--threads` is run as it is.
fn command_lines(case: &Sections) -> Vec<String> {
    match section(case, "args") {
        Some(args) if args.contains("--threads") || args.starts_with("check") || args.starts_with("graph") => {
            vec![args.to_owned()]
        }
        Some(args) => ["1", "2", "8"].iter().map(|threads| format!("{args} --threads {threads}")).collect(),
        None => SHAPES
            .iter()
            .map(|(threads, capacity, chunk, chain)| {
                let shape = [("threads", threads), ("capacity", capacity), ("chunk", chunk), ("chain", chain)];
                format!("run{}", shape.map(|(key, value)| format!(" --set {key}={value}")).concat())
            })
            .collect(),
    }
}

/// What a command line says: stdout, stderr, exit code.
fn said(folder: &Folder, args: &str) -> [String; 3] {
    let output = run(folder, &args.split_whitespace().collect::<Vec<_>>());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    [text(output.stdout), text(output.stderr), format!("{}\n", output.status.code().unwrap())]
}

#[test]
fn every_case_says_what_is_expected_under_every_shape() {
    let update = updates();
    let mut wrong = Vec::new();
    for path in cases() {
        let mut case = parse(&fs::read_to_string(&path).unwrap());
        let folder = Folder::new();
        for (name, bytes) in case.iter().filter(|(name, _)| !SAID.contains(&name.as_str()) && name != "args") {
            folder.write(name, bytes);
        }
        let lines = command_lines(&case);
        if update {
            case.retain(|(name, _)| !SAID.contains(&name.as_str()));
            let said = SAID.iter().zip(said(&folder, &lines[0])).filter(|it| *it != (&"code", "0\n".to_owned()));
            case.extend(said.map(|(name, text)| ((*name).to_owned(), text.into_bytes())));
            fs::write(&path, render(&case)).unwrap();
        }
        let expected = SAID.map(|name| section(&case, name).unwrap_or(if name == "code" { "0\n" } else { "" }));
        for args in lines {
            let found = said(&folder, &args);
            for ((what, expected), found) in SAID.iter().zip(&expected).zip(&found) {
                if expected != found {
                    wrong.push(format!("{} {args}: {what}\n{expected}--- but was:\n{found}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases().len() >= 50);
}
