//! The key to the codes in test names: `docs/faults.md` has a row for each, with a test that shows
//! what is said there.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::code::{is_test, rust_files, tokens};
use crate::support::root;

/// The codes that a name begins with: a letter and a number each.
fn codes(name: &str) -> Vec<&str> {
    let is_code = |word: &&str| {
        let number = word.strip_prefix(|c: char| c.is_ascii_lowercase());
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    name.split('_').take_while(is_code).collect()
}

/// The names of all tests.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in ["src", "tests"].iter().flat_map(|folder| rust_files(&root().join(folder))) {
        let tokens = tokens(&std::fs::read_to_string(file).unwrap());
        let tests = (0..tokens.len()).filter(|at| is_test(&tokens, *at));
        found.extend(tests.map(|at| tokens[at + 1].text.clone()));
    }
    found
}

/// The rows of the page: a code, and the test that shows it.
fn rows(page: &str) -> Vec<(&str, &str)> {
    page.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
            let [code, _, _, test] = cells[..] else { panic!("a row of four cells: {line}") };
            Some((code, test.strip_prefix('`')?.strip_suffix('`')?))
        })
        .collect()
}

#[test]
fn each_code_has_its_row_and_each_row_a_test() {
    let page = std::fs::read_to_string(root().join("docs/faults.md")).unwrap();
    let (rows, tests) = (rows(&page), tests());
    let mut wrong = Vec::new();
    let shown: BTreeMap<&str, &str> = rows.iter().copied().collect();
    assert!(shown.len() == rows.len() && shown.len() > 90, "{} rows of {} codes", rows.len(), shown.len());
    for test in &tests {
        let unknown = codes(test).into_iter().filter(|code| !shown.contains_key(code));
        wrong.extend(unknown.map(|code| format!("{code} of {test} has no row")));
    }
    for (code, test) in shown {
        if !tests.contains(test) || !codes(test).contains(&code) {
            wrong.push(format!("the row of {code} names {test}, which is no test of it"));
        }
    }
    assert!(wrong.is_empty(), "in docs/faults.md: {wrong:#?}");
}

#[test]
fn codes_are_what_names_begin_with() {
    assert_eq!(codes("d1_a3_b13_killed_at_a2"), ["d1", "a3", "b13"]);
    assert!(codes("a_file_of_2_lines").is_empty() && codes("ab1_x").is_empty());
}
