//! The pages for people: README, the book in `docs`, and their neighbours.
//!
//! What a page shows is what the program prints: commands in `console` blocks are run, in a folder of
//! their own for each page, and what is made from the sources is compared with them. Links lead
//! somewhere. `UPDATE_CASES=1` writes anew what can be.

use logparser::internals::config::schema::{StageType, all_keys};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Folder, needs, root, shell, stdout, updates};

/// Words that the README may have.
const README_WORDS: usize = 1500;

fn read(page: &str) -> String {
    std::fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

/// The chapters of the book, by the names of their files.
fn chapters() -> Vec<String> {
    let files = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = files.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".md") && name != "SUMMARY.md");
    names.sort();
    names
}

/// All pages, from the root of the repository.
fn pages() -> Vec<String> {
    let own = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/SUMMARY.md"];
    let beside = ["cluster/dask/README.md", "fuzz/README.md"];
    let chapters = chapters().into_iter().map(|name| format!("docs/{name}"));
    own.into_iter().chain(beside).map(str::to_owned).chain(chapters).collect()
}

/// What a command prints, both streams as in a terminal.
fn printed(folder: &Folder, command: &str) -> String {
    stdout(&shell(folder, &format!("{{ {command}\n}} 2>&1")).output().unwrap())
}

/// A page with the output of each command in its console blocks made anew. A command goes on in
/// lines that begin with `>`.
fn with_outputs(page: &str) -> String {
    let folder = Folder::new();
    let (mut out, mut in_block) = (String::new(), false);
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        match (in_block, line.strip_prefix("$ ")) {
            (true, Some(first)) => {
                let mut command = first.to_owned();
                out += &format!("{line}\n");
                while let Some(more) = lines.next_if(|line| line.starts_with('>')) {
                    out += &format!("{more}\n");
                    command += &format!("\n{}", more.strip_prefix("> ").unwrap_or_default());
                }
                out += &printed(&folder, &command);
            }
            (true, None) if line != "```" => {}
            _ => {
                in_block = line == "```console";
                out += &format!("{line}\n");
            }
        }
    }
    out
}

/// A page with the files that it shows whole, below a comment that says which.
fn with_files(page: &str) -> String {
    let mut out = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        out += &format!("{line}\n");
        if let Some(file) = line.strip_prefix("<!-- include ").and_then(|rest| rest.strip_suffix(" -->")) {
            let fence = lines.next().unwrap_or_default();
            assert!(fence.starts_with("```"), "{line} has no block below it");
            out += &format!("{fence}\n{}```\n", read(file));
            lines.by_ref().find(|line| *line == "```").unwrap_or_else(|| panic!("the block of {line} does not end"));
        }
    }
    out
}

/// A page with the table of all keys between the comments for it, if it has them.
fn with_keys(page: &str) -> String {
    const END: &str = "<!-- end of keys -->";
    let Some(start) = page.find("<!-- keys: ") else { return page.to_owned() };
    let start = start + page[start..].find('\n').unwrap() + 1;
    let end = page.find(END).expect("the end of the keys");
    let mut table = "| key | default | what it is | stages |\n|---|---|---|---|\n".to_owned();
    let mut seen = BTreeSet::new();
    for key in all_keys().filter(|key| seen.insert(key.name)) {
        let knows = |kind: &StageType| kind.keys().any(|known| known.name == key.name);
        let kinds: Vec<&str> = StageType::ALL.into_iter().filter(knows).map(StageType::name).collect();
        let stages = if kinds.len() == StageType::ALL.len() { "all".to_owned() } else { kinds.join(", ") };
        let default = key.default.map(|default| format!("`{default}`")).unwrap_or_default();
        table += &format!("| `{}` | {default} | {} | {stages} |\n", key.name, key.help);
    }
    format!("{}{table}{}", &page[..start], &page[end..])
}

#[test]
fn the_tour_and_all_pages_show_what_the_program_prints() {
    let mut wrong = Vec::new();
    for page in pages() {
        let text = read(&page);
        let now = with_outputs(&with_keys(&with_files(&text)));
        if now == text {
            continue;
        }
        if updates() {
            std::fs::write(root().join(&page), &now).unwrap();
        } else {
            let differs = now.lines().zip(text.lines()).find(|(now, text)| now != text);
            wrong.push(format!("{page}: the first line that differs (now, there): {differs:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}\nread what UPDATE_CASES=1 cargo test pages makes of them", wrong.join("\n"));
}

#[test]
fn the_readme_is_short_and_shows_three_commands() {
    let text = read("README.md");
    let words = text.split_whitespace().count();
    assert!(words <= README_WORDS, "the README has {words} words: a chapter of the book has room for more");
    assert!(text.matches("\n$ logparser ").count() >= 3);
}

#[test]
fn the_summary_lists_every_chapter_once() {
    let summary = read("docs/SUMMARY.md");
    let mut listed: Vec<String> = links(&summary).into_iter().map(|(target, _)| target).collect();
    listed.sort();
    assert_eq!(listed, chapters(), "SUMMARY.md (left) has other chapters than docs (right)");
}

/// The links of a page that lead to files: where to, and the anchor.
fn links(page: &str) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    for part in prose(page).split("](").skip(1) {
        let link = part.split(')').next().unwrap();
        if !link.contains("://") {
            let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            found.push((file.to_owned(), anchor.map(str::to_owned)));
        }
    }
    found
}

/// A page without its blocks of code and what stands in backquotes.
fn prose(page: &str) -> String {
    let mut in_block = false;
    let mut out = String::new();
    for line in page.lines() {
        if line.starts_with("```") {
            in_block = !in_block;
        } else if !in_block && !line.starts_with("    ") {
            out += &line.split('`').step_by(2).collect::<Vec<_>>().join("`");
            out.push('\n');
        }
    }
    out
}

/// The anchors of a page, as GitHub and mdBook make them of its headings.
fn anchors(page: &str) -> Vec<String> {
    let mut in_block = false;
    let mut found = Vec::new();
    for line in page.lines() {
        in_block ^= line.starts_with("```");
        if let Some(heading) =
            line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#') && !in_block)
        {
            let kept = heading.to_lowercase();
            let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            found.push(kept.map(|c| if c == ' ' { '-' } else { c }).collect());
        }
    }
    found
}

/// What is wrong with the links of a page.
fn broken(page: &str, text: &str) -> Vec<String> {
    let folder = Path::new(page).parent().unwrap();
    let mut wrong = Vec::new();
    for (file, anchor) in links(text) {
        let target = if file.is_empty() { PathBuf::from(page) } else { folder.join(&file) };
        let path = root().join(&target);
        let anchor_is_there = |anchor: &String| anchors(&std::fs::read_to_string(&path).unwrap()).contains(anchor);
        if !path.exists() {
            wrong.push(format!("{page}: there is no {file}"));
        } else if !anchor.as_ref().is_none_or(anchor_is_there) {
            wrong.push(format!("{page}: {file} has no heading for #{}", anchor.unwrap()));
        } else if folder == Path::new("docs") && target.starts_with("docs/..") {
            // It would lead nowhere from the pages that mdBook makes.
            wrong.push(format!("{page}: {file} is outside the book"));
        }
    }
    wrong
}

#[test]
fn links_between_pages_lead_somewhere() {
    let wrong: Vec<String> = pages().iter().flat_map(|page| broken(page, &read(page))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_check_of_links_sees_what_it_should() {
    let wrong = |text: &str| broken("docs/time.md", text);
    assert_eq!(wrong("[a](tour.md) [b](balance.md#exit-codes) [c](#buckets) [d](https://example.org)").len(), 0);
    assert_eq!(wrong("`[a](none.md)`\n```\n[a](none.md)\n```\n").len(), 0);
    assert_eq!(wrong("[a](none.md)"), ["docs/time.md: there is no none.md"]);
    assert_eq!(wrong("[a](balance.md#none)"), ["docs/time.md: balance.md has no heading for #none"]);
    assert_eq!(wrong("[a](#none)"), ["docs/time.md:  has no heading for #none"]);
    assert_eq!(wrong("[a](../README.md)"), ["docs/time.md: ../README.md is outside the book"]);
}

#[test]
fn files_that_pages_name_are_there() {
    let mut wrong = Vec::new();
    // What the changelog names may be gone since.
    for page in pages().into_iter().filter(|page| page != "CHANGELOG.md") {
        for word in read(&page).split('`').skip(1).step_by(2) {
            let is_path = ["src/", "tests/", "docs/", "benches/", "examples/", "fuzz/", "cluster/"]
                .iter()
                .any(|folder| word.starts_with(folder) && !word.contains([' ', '*']));
            if is_path && !root().join(word).exists() {
                wrong.push(format!("{page}: {word}"));
            }
        }
    }
    assert!(wrong.is_empty(), "named, and not there: {wrong:#?}");
}

#[test]
fn changes_that_are_shown_apply() {
    needs!("git");
    let changes: Vec<_> =
        std::fs::read_dir(root().join("docs/diffs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!changes.is_empty());
    let mut wrong = Vec::new();
    for change in changes {
        let mut git = Command::new("git");
        let output = git.current_dir(root()).args(["apply", "--check"]).arg(&change).output().unwrap();
        if !output.status.success() {
            wrong.push(format!("{}: {}", change.display(), String::from_utf8_lossy(&output.stderr)));
        }
        let name = format!("docs/diffs/{}", change.file_name().unwrap().to_str().unwrap());
        if !read("CONTRIBUTING.md").contains(&format!("<!-- include {name} -->")) {
            wrong.push(format!("CONTRIBUTING.md does not show {name}"));
        }
    }
    assert!(wrong.is_empty(), "{}\nmake the change again, and its diff with `git diff`", wrong.join("\n"));
}

#[test]
fn words_name_types_that_are_where_they_say() {
    let mut wrong = Vec::new();
    let rows: Vec<Vec<String>> = read("docs/words.md")
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains('`'))
        .map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`').to_owned()).collect())
        .collect();
    assert!(rows.len() >= 30, "only {} words", rows.len());
    let mut words = BTreeSet::new();
    for row in &rows {
        let [word, meaning, name, file] = &row[..] else { panic!("docs/words.md: {row:?} has not four cells") };
        let text = std::fs::read_to_string(root().join(file)).unwrap_or_default();
        let defines = |kind: &str| {
            text.match_indices(&format!("{kind} {name}"))
                .any(|(at, found)| !text[at + found.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        };
        if !["struct", "enum", "trait", "type"].into_iter().any(defines) {
            wrong.push(format!("{word}: {file} does not define {name}"));
        }
        if meaning.len() < 10 || !words.insert(word) {
            wrong.push(format!("{word}: one sentence, once"));
        }
    }
    assert!(wrong.is_empty(), "docs/words.md: {wrong:#?}");
}
