//! The architecture as tests: who may import whom, and how long a file may be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What each top-level module may import, itself aside. As the table in ARCHITECTURE.md says.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("tally", &["error", "model"]),
    ("error", &["model"]),
    ("options", &["model"]),
    ("metrics", &[]),
    ("actor", &["error", "metrics"]),
    ("format", &["model", "options"]),
    ("batch", &["model", "format"]),
    ("source", &["error", "model", "options"]),
    ("report", &["error", "model", "tally", "options"]),
    ("output", &["error", "model"]),
    ("codec", &[]),
    ("spill", &["error", "model", "tally"]),
    ("tallies", &["error", "model", "tally", "metrics", "codec", "format", "spill"]),
    ("state", &["error", "model", "codec"]),
    ("make", &["model"]),
    ("ops", &["error", "model", "tally", "format", "batch"]),
    (
        "stage",
        &[
            "error", "model", "tally", "options", "metrics", "codec", "actor", "format", "batch", "source", "report",
            "output", "spill", "state", "ops",
        ],
    ),
    ("config", &["error", "model", "options", "format", "report", "output"]),
    (
        "pipeline",
        &[
            "error", "model", "tally", "options", "metrics", "codec", "actor", "format", "batch", "source", "report",
            "output", "spill", "tallies", "state", "ops", "stage", "config",
        ],
    ),
    (
        "cli",
        &[
            "error", "model", "tally", "options", "metrics", "codec", "format", "report", "output", "tallies", "state",
            "make", "config", "pipeline",
        ],
    ),
    ("main", &["cli"]),
    ("bin", &["cli"]),
];

const CEILING: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn rust_files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            out.push(path);
        }
    }
}

/// The code of a file before its tests, without comments.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let before_tests = text.split("#[cfg(test)]").next().unwrap();
    before_tests.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The top-level modules that a text names by `crate::` or `logparser::`, groups included.
fn imports(code: &str, known: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for prefix in ["crate::", "logparser::"] {
        for part in code.split(prefix).skip(1) {
            let names: Vec<&str> = match part.strip_prefix('{') {
                // `use crate::{a, b::c}`: the first word after each comma at the outer level.
                Some(group) => group.split('}').next().unwrap().split(',').map(str::trim).collect(),
                None => vec![part],
            };
            for name in names {
                let word: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if known.contains(&word.as_str()) {
                    found.push(word);
                }
            }
        }
    }
    found
}

#[test]
fn modules_import_only_what_their_floor_allows() {
    let known: Vec<&str> = MAY_IMPORT.iter().map(|(module, _)| *module).collect();
    let allowed: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let source = root().join("src");
    let (mut files, mut wrong) = (Vec::new(), Vec::new());
    rust_files(&source, &mut files);
    for file in files {
        let relative = file.strip_prefix(&source).unwrap().with_extension("");
        let module = relative.components().next().unwrap().as_os_str().to_str().unwrap().to_owned();
        if module == "lib" {
            continue;
        }
        let may = allowed.get(module.as_str()).unwrap_or_else(|| panic!("{module} stands on no floor"));
        for import in imports(&code(&file), &known) {
            if import != module && !may.contains(&import.as_str()) {
                wrong.push(format!("{} imports {import}", relative.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_check_of_imports_sees_what_it_should() {
    let known = ["model", "actor", "config"];
    assert_eq!(
        imports("use crate::actor::Stop;\nuse crate::{config::Plan, model};", &known),
        ["actor", "config", "model"]
    );
    assert!(imports("use std::io; use super::actor;", &known).is_empty());
}

#[test]
fn crates_that_may_have_to_be_replaced_are_used_in_one_file() {
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    for (name, only) in [("crossbeam_channel", "src/actor/channel.rs"), ("bincode", "src/codec.rs")] {
        let users: Vec<_> = files.iter().filter(|file| code(file).contains(name)).collect();
        assert_eq!(users, [&root().join(only)], "{name}");
    }
}

#[test]
fn no_file_passes_the_ceiling_and_each_says_what_it_is() {
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches", "examples"] {
        rust_files(&root().join(folder), &mut files);
    }
    assert!(files.len() > 50);
    let mut wrong = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        if text.lines().count() > CEILING || !text.starts_with("//!") {
            wrong.push(file);
        }
    }
    assert!(wrong.is_empty(), "too long, or without a word on what they are: {wrong:#?}");
    assert!(std::fs::read_to_string(root().join("src/main.rs")).unwrap().lines().count() <= 60);
}
