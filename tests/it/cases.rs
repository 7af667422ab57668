//! Golden cases: `tests/cases/<name>/` holds an input, what is asked of it, and what has to be
//! said.
//!
//! A case is a folder with logs and either a `pipeline.toml`, which is run under every shape of
//! threads, capacity and chunk size, or a file `args` with a command line, which is run under every
//! number of threads. `stdout`, `stderr` and `code` (0 if there is none) hold the one expectation.
//! With `UPDATE_CASES=1` they are written anew: read the difference before you commit it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::SHAPES;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

/// Every command line of a case. A command line of its own that gives `--threads` is run as it is.
fn command_lines(case: &Path) -> Vec<Vec<String>> {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    match fs::read_to_string(case.join("args")) {
        Ok(args) if args.contains("--threads") || args.starts_with("check") || args.starts_with("graph") => {
            vec![words(&args)]
        }
        Ok(args) => ["1", "2", "8"].iter().map(|threads| words(&format!("{args} --threads {threads}"))).collect(),
        Err(_) => SHAPES
            .iter()
            .map(|(threads, capacity, chunk)| {
                words(&format!("run --set threads={threads} --set capacity={capacity} --set chunk={chunk}"))
            })
            .collect(),
    }
}

/// What a command line says: stdout, stderr, exit code.
fn said(case: &Path, args: &[String]) -> [String; 3] {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logparser"));
    let output = command.current_dir(case).args(args).stdin(Stdio::null()).env_remove("FAILPOINTS").output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    [text(output.stdout), text(output.stderr), format!("{}\n", output.status.code().unwrap())]
}

#[test]
fn every_case_says_what_is_expected_under_every_shape() {
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        let lines = command_lines(&case);
        if update {
            let [stdout, stderr, code] = said(&case, &lines[0]);
            fs::write(case.join("stdout"), stdout).unwrap();
            fs::write(case.join("stderr"), stderr).unwrap();
            if code != "0\n" {
                fs::write(case.join("code"), code).unwrap();
            }
        }
        let read = |name: &str| fs::read_to_string(case.join(name));
        let expected = [read("stdout").unwrap(), read("stderr").unwrap(), read("code").unwrap_or("0\n".to_owned())];
        for args in lines {
            let found = said(&case, &args);
            for ((what, expected), found) in ["stdout", "stderr", "code"].iter().zip(&expected).zip(&found) {
                if expected != found {
                    wrong.push(format!("{} {args:?}: {what}\n{expected}--- but was:\n{found}", case.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases().len() >= 15);
}
