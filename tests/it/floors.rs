//! The architecture as tests: who may name whom, that files stand in no circle, and how large things may be.
//!
//! All of `src` is read, but what only tests have. Each failure says what to do.

mod circles;
mod paths;
mod sizes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::OnceLock;

use paths::{File, crate_files};
use sizes::Sized;

use crate::support::code::{LITERAL, rust_files};
use crate::support::root;

/// What each top-level module may import, itself aside. As the table in ARCHITECTURE.md says.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("tally", &["error", "model"]),
    ("error", &["model"]),
    ("options", &["model"]),
    ("metrics", &[]),
    ("version", &[]),
    ("actor", &["error", "metrics"]),
    ("format", &["model", "options"]),
    ("batch", &["model", "format"]),
    ("source", &["error", "model", "options"]),
    ("report", &["error", "model", "tally", "options"]),
    ("output", &["error", "model", "options"]),
    ("codec", &[]),
    ("spill", &["error", "model", "tally"]),
    ("tallies", &["error", "model", "tally", "metrics", "version", "codec", "format", "spill"]),
    ("make", &["model"]),
    ("ops", &["error", "model", "tally", "format", "batch"]),
    ("snapshot", &["error", "model", "codec", "tally", "format", "source", "ops"]),
    (
        "stage",
        &[
            "error", "model", "tally", "options", "metrics", "codec", "actor", "format", "batch", "source", "report",
            "output", "spill", "snapshot", "ops",
        ],
    ),
    ("config", &["error", "model", "options", "format", "report", "output"]),
    (
        "pipeline",
        &[
            "error", "model", "tally", "options", "metrics", "codec", "actor", "format", "batch", "source", "report",
            "output", "spill", "tallies", "snapshot", "ops", "stage", "config",
        ],
    ),
    (
        "cli",
        &[
            "error", "model", "tally", "options", "metrics", "version", "codec", "format", "report", "output",
            "tallies", "snapshot", "make", "config", "pipeline",
        ],
    ),
    ("main", &["cli"]),
    ("bin", &["cli"]),
];

/// What any module may name of the root of the crate: what it was built from.
const ROOT_NAMES: [&str; 2] = ["BUILD", "VERSION"];

/// The most lines of a file, lines of a function, parameters of one, and fields of a struct.
const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 60;
const PARAMETERS: usize = 6;
const FIELDS: usize = 12;

/// Functions and structs that are larger than others may be, with the reason.
const LARGE: &[(&str, &str)] = &[
    ("model::balance::Balance", "the balance sheet: one number for each class of lines and bytes"),
    ("ops::progress::CountProgress", "what has to be saved in one moment lies in one value"),
    ("output::json::BalancePart", "the balance sheet as JSON: one number for each class of lines and bytes"),
    ("source::follow::records::FileRecord", "a record of the saved state, a field for each value of the format"),
    ("tallies::lines::CountedLines", "the balance sheet of a tallies file: one number for each class of lines"),
];

fn source() -> &'static BTreeMap<String, File> {
    static SOURCE: OnceLock<BTreeMap<String, File>> = OnceLock::new();
    SOURCE.get_or_init(|| crate_files(&root().join("src")))
}

fn assert_none(wrong: &[String], what_to_do: &str) {
    assert!(wrong.is_empty(), "\n{}\n\nWhat to do: {what_to_do}\n", wrong.join("\n"));
}

#[test]
fn modules_name_only_what_their_floor_allows() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let mut wrong = Vec::new();
    for (module, file) in source().iter().filter(|(module, _)| *module != "lib") {
        let floor = module.split("::").next().unwrap();
        let Some(may) = allowed.get(floor) else {
            wrong.push(format!("{module} stands on no floor"));
            continue;
        };
        for named in &file.names {
            let Some(import) = named.segments.first() else { continue };
            if import != floor && !ROOT_NAMES.contains(&import.as_str()) && !may.contains(&import.as_str()) {
                wrong.push(format!("{module}, line {}: {}", named.line, named.segments.join("::")));
            }
        }
    }
    assert_none(
        &wrong,
        "a module names only what stands below it. Move what both need down, to where the lower one may name it, or \
         have the upper one hand it in. A new module gets its row in MAY_IMPORT and in the table of ARCHITECTURE.md.",
    );
}

#[test]
fn files_stand_in_no_circle() {
    let arrows = circles::arrows(source());
    let found = circles::circles(&arrows);
    let found: Vec<String> =
        found.iter().map(|circle| format!("{}\n{}", circle.join(", "), circles::told(circle, &arrows))).collect();
    assert_none(
        &found,
        "take one of these arrows away, so that the files can be read one after another. What two files need of each \
         other goes into a file of its own below both; a file `x.rs` over a folder `x/` either names those in it or \
         is named by them.",
    );
}

#[test]
fn a_type_name_means_one_thing() {
    let mut definitions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (module, file) in source() {
        for (name, line) in sizes::types(&file.tokens) {
            definitions.entry(name).or_default().push(format!("{module}, line {line}"));
        }
    }
    definitions.retain(|_, places| places.len() > 1);
    let shared = definitions.iter();
    let shared: Vec<String> = shared.map(|(name, places)| format!("{name}: {}", places.join("; "))).collect();
    assert_none(
        &shared,
        "give all but one of them a longer word of the field (docs/words.md). The lowest keeps the name.",
    );
}

#[test]
fn functions_fit_a_screen_and_structs_stay_small() {
    let mut large = BTreeSet::new();
    for (module, file) in source() {
        let mut note = |sized: Sized, size: String| {
            large.insert((format!("{module}::{}", sized.name), format!("line {}: {size}", sized.line)));
        };
        for sized in sizes::functions(&file.tokens) {
            if sized.lines > FUNCTION_LINES || sized.parts > PARAMETERS {
                let size = format!("{} lines, {} parameters", sized.lines, sized.parts);
                note(sized, size);
            }
        }
        for sized in sizes::structs(&file.tokens).into_iter().filter(|sized| sized.parts > FIELDS) {
            let size = format!("{} fields", sized.parts);
            note(sized, size);
        }
    }
    let is_known = |name: &str| LARGE.iter().any(|(known, _)| *known == name);
    let new = large.iter().filter(|(name, _)| !is_known(name));
    let new: Vec<String> = new.map(|(name, size)| format!("{name}, {size}")).collect();
    assert_none(
        &new,
        &format!(
            "at most {FUNCTION_LINES} lines and {PARAMETERS} parameters a function and {FIELDS} fields a struct: divide \
             it by meaning. What cannot be divided gets a row in LARGE of tests/it/floors.rs, with the reason."
        ),
    );
    let is_large = |name: &str| large.iter().any(|(found, _)| found == name);
    let gone: Vec<String> =
        LARGE.iter().filter(|(name, _)| !is_large(name)).map(|(name, _)| (*name).to_owned()).collect();
    assert_none(&gone, "small now, or called something else: take it out of LARGE in tests/it/floors.rs.");
}

#[test]
fn crates_that_may_have_to_be_replaced_are_used_in_one_file() {
    let files = source();
    for (name, only) in [("crossbeam_channel", "actor::channel"), ("bincode", "codec")] {
        let users = files.iter().filter(|(_, file)| file.tokens.iter().any(|token| token.is(name)));
        let users: Vec<&str> = users.map(|(module, _)| module.as_str()).collect();
        assert_eq!(users, [only], "{name} is named by {only} alone: use what that file offers");
    }
}

#[test]
fn no_file_passes_the_ceiling_and_each_says_what_it_is() {
    let files: Vec<PathBuf> =
        ["src", "tests", "benches", "examples"].iter().flat_map(|folder| rust_files(&root().join(folder))).collect();
    assert!(files.len() > 50);
    let mut wrong = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let lines = text.lines().count();
        if lines > FILE_LINES || !text.starts_with("//!") {
            wrong.push(format!("{}: {lines} lines, begins with {:?}", file.display(), text.lines().next()));
        }
    }
    assert_none(
        &wrong,
        &format!("a file has at most {FILE_LINES} lines, divided by meaning, and opens with `//!`: what it is."),
    );
    assert!(std::fs::read_to_string(root().join("src/main.rs")).unwrap().lines().count() <= 60);
}

/// Lines behind the first `#[cfg(test)]` of a file are read as those before it.
#[test]
fn whole_files_are_read() {
    let files = source();
    for (module, file) in files {
        assert!(
            !file.tokens.windows(4).any(|words| ["cfg", "(", "test", ")"].iter().zip(words).all(|(w, t)| t.is(w))),
            "{module}"
        );
    }
    assert!(!files.keys().any(|module| module.ends_with("tests") || module.ends_with("laws")));
    let loss = &files["model::loss"];
    let text = std::fs::read_to_string(&loss.path).unwrap();
    let last = text[..text.rfind("#[cfg(test)]\nmod ").unwrap()].trim_end().lines().count();
    assert!(
        text[..text.find("#[cfg(test)]").unwrap()].lines().count() < last,
        "a file with code behind what tests have"
    );
    assert_eq!(loss.tokens.last().unwrap().line, last);
    assert!(loss.tokens.iter().any(|token| token.is(LITERAL)));
}

#[test]
fn the_table_in_the_architecture_is_this_one_and_goes_downwards() {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (mut above, mut wrong) = (Vec::new(), Vec::new());
    for row in page.lines().filter_map(|line| line.strip_prefix("| `")) {
        let (module, rest) = row.split_once("` | ").unwrap();
        let named = rest.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let mut named: Vec<&str> = named.split(", ").filter(|name| *name != "nothing").collect();
        named.sort_unstable();
        let known = MAY_IMPORT.iter().find(|(known, _)| *known == module);
        let mut may = known.map(|(_, may)| may.to_vec()).unwrap_or_default();
        may.sort_unstable();
        if known.is_none() || named != may {
            wrong.push(format!("the row of '{module}' names {named:?}, and MAY_IMPORT {may:?}"));
        }
        let below: Vec<_> = named.iter().filter(|import| !above.contains(*import)).collect();
        if !below.is_empty() {
            wrong.push(format!("'{module}' imports {below:?}, which do not stand above it"));
        }
        above.push(module);
    }
    let missing = MAY_IMPORT.iter().filter(|(module, _)| !above.contains(module));
    wrong.extend(missing.map(|(module, _)| format!("'{module}' has no row")));
    assert!(wrong.is_empty(), "in ARCHITECTURE.md: {wrong:#?}");
}

#[test]
fn the_table_of_the_tests_has_a_row_for_each_file() {
    let folder = root().join("tests/it");
    let main = std::fs::read_to_string(folder.join("main.rs")).unwrap();
    let rows =
        main.lines().filter_map(|line| Some(line.strip_prefix("//! | `")?.split('`').next().unwrap().to_owned()));
    let mut rows: Vec<String> = rows.collect();
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let files =
        files.filter(|path| path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("main.rs"));
    let mut files: Vec<String> = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    rows.sort();
    files.sort();
    assert_eq!(rows, files, "the table of tests/it/main.rs (left) has a row for each of its files (right)");
}
