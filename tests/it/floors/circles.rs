//! Circles among files: sets of files of which each names each, directly or through others.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::{File, file_of};

/// A file names another: from where, where to, in which line, and the path.
pub struct Arrow {
    pub to: String,
    pub line: usize,
    pub path: String,
}

pub fn arrows(files: &BTreeMap<String, File>) -> BTreeMap<String, Vec<Arrow>> {
    let of_file = |module: &String, file: &File| {
        let arrows = file.names.iter().filter_map(|named| {
            let to = file_of(&named.segments, files).filter(|to| to != module)?;
            Some(Arrow { to, line: named.line, path: named.segments.join("::") })
        });
        arrows.collect()
    };
    files.iter().map(|(module, file)| (module.clone(), of_file(module, file))).collect()
}

/// The circles, each with its files in order.
pub fn circles(arrows: &BTreeMap<String, Vec<Arrow>>) -> Vec<Vec<String>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        arrows.keys().map(|from| (from.as_str(), reached_from(from, arrows))).collect();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (from, there) in reached.iter().filter(|(from, there)| there.contains(*from)) {
        let together = there.iter().filter(|to| reached[**to].contains(from));
        found.insert(together.map(|to| (*to).to_owned()).collect());
    }
    found.into_iter().collect()
}

fn reached_from<'a>(from: &str, arrows: &'a BTreeMap<String, Vec<Arrow>>) -> BTreeSet<&'a str> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(file) = next.pop() {
        for arrow in arrows.get(file).into_iter().flatten() {
            if reached.insert(arrow.to.as_str()) {
                next.push(&arrow.to);
            }
        }
    }
    reached
}

/// The arrows within a circle, one a line.
pub fn told(circle: &[String], arrows: &BTreeMap<String, Vec<Arrow>>) -> String {
    let mut text = String::new();
    for from in circle {
        for arrow in arrows[from].iter().filter(|arrow| circle.contains(&arrow.to)) {
            text += &format!("    {from}, line {}: {}\n", arrow.line, arrow.path);
        }
    }
    text
}

#[test]
fn circles_are_found_and_what_only_leads_into_one_is_not_in_it() {
    let arrow = |to: &&str| Arrow { to: (*to).to_owned(), line: 1, path: (*to).to_owned() };
    let graph: [(&str, &[&str]); 6] =
        [("a", &["b"]), ("b", &["c"]), ("c", &["b", "d"]), ("d", &["e"]), ("e", &["f"]), ("f", &["d"])];
    let arrows = graph.iter().map(|(from, to)| ((*from).to_owned(), to.iter().map(arrow).collect())).collect();
    assert_eq!(circles(&arrows), [vec!["b", "c"], vec!["d", "e", "f"]]);
    assert_eq!(told(&circles(&arrows)[0], &arrows), "    b, line 1: c\n    c, line 1: b\n");
}
