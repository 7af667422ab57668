//! Counts made by somebody else, in awk and Python, and results as they are held against them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::needs;

/// Has an oracle in Python try a program so often. `LOGPARSER_SEED` is its seed, which is printed.
pub fn python(oracle: &str, program: &Path, how_often: &str, times: &str) {
    needs!("python3");
    let mut command = Command::new("python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(oracle));
    command.arg(program).args([how_often, times]);
    if let Ok(seed) = std::env::var("LOGPARSER_SEED") {
        command.args(["--seed", &seed]);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    eprintln!("{text}");
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

/// Runs an awk program of `tests/oracle` on files and gives its lines, sorted where the order does
/// not matter.
pub fn oracle(program: &str, variables: &[(&str, i64)], files: &[PathBuf]) -> Vec<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(program);
    let mut command = Command::new("awk");
    // In the C locale lengths are bytes, as they are for the program under test.
    command.env("LC_ALL", "C");
    for (name, value) in variables {
        command.arg("-v").arg(format!("{name}={value}"));
    }
    let output = command.arg("-f").arg(script).args(files).output().expect("awk is needed for these tests");
    assert!(output.status.success(), "awk: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The lines that begin with `word`, without it, by their fields.
pub fn fields(lines: &[String], word: &str) -> Vec<Vec<String>> {
    let found = lines.iter().filter_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
    found.map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

/// The pairs with their counts in a JSON result whose only report is `top-pairs`.
pub fn pairs(result: &serde_json::Value) -> BTreeMap<(String, String), u64> {
    let rows = result["reports"][0]["rows"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    rows.iter().map(|row| ((text(&row[0]), text(&row[1])), row[2].as_u64().unwrap())).collect()
}

/// All pairs as the only report.
pub const ALL_PAIRS: &str = r#"[{ name = "top-pairs", limit = 1000000000 }]"#;

/// What a run says, without what is not in tallies: of a window that holds nothing, which stamps
/// there are.
pub fn as_tallies_know(said: &str) -> String {
    let stamps = |line: &str| {
        let (window, _) = line.split_once(" UTC").filter(|_| line.starts_with("Nothing between "))?;
        Some(format!("{window} UTC"))
    };
    let line = |line: &str| stamps(line).unwrap_or_else(|| line.to_owned());
    // Beside outputs for programs it is a note.
    said.split('\n')
        .filter(|line| !line.starts_with("logparser: Nothing between "))
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}
