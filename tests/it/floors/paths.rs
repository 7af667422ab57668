//! Which file of the crate names which: paths in `use` and wherever else they stand, as paths from the root.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::support::code::{Code, Token, behind, rust_files, tokens, without_tests};

/// A module in a file of its own.
pub struct File {
    pub path: PathBuf,
    pub tokens: Vec<Token>,
    pub names: Vec<Named>,
}

/// A path that a file names, from the root of the crate.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    pub segments: Vec<String>,
    pub line: usize,
}

/// The files of a crate by their modules (`tally::shard`), without tests. The root itself is `lib`.
pub fn crate_files(source: &Path) -> BTreeMap<String, File> {
    let mut all = BTreeMap::new();
    for path in rust_files(source) {
        let code = without_tests(&tokens(&std::fs::read_to_string(&path).unwrap()));
        all.insert(module_of(path.strip_prefix(source).unwrap()), (path, code));
    }
    let tests: Vec<String> = all.iter().flat_map(|(module, (_, code))| test_modules(module, code)).collect();
    let is_test = |module: &str| {
        tests.iter().any(|test| {
            module.strip_prefix(test.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
    };
    all.retain(|module, _| !is_test(module));
    let known: BTreeSet<String> = all.keys().cloned().collect();
    let file = |module: &str, path, code: Code| {
        let names = named(module, &code.tokens, &known);
        File { path, tokens: code.tokens, names }
    };
    all.into_iter().map(|(module, (path, code))| (module.clone(), file(&module, path, code))).collect()
}

fn module_of(path: &Path) -> String {
    let path = path.with_extension("");
    let words: Vec<&str> = path.iter().map(|word| word.to_str().unwrap()).filter(|word| *word != "mod").collect();
    words.join("::")
}

fn test_modules(module: &str, code: &Code) -> Vec<String> {
    code.test_modules.iter().map(|name| joined(&[&base(module)[..], std::slice::from_ref(name)].concat())).collect()
}

/// Where the children of a module stand.
fn base(module: &str) -> Vec<String> {
    match module {
        "lib" | "main" => Vec::new(),
        _ => module.split("::").map(str::to_owned).collect(),
    }
}

fn joined(segments: &[String]) -> String {
    segments.join("::")
}

/// The paths that a file names.
pub fn named(module: &str, tokens: &[Token], known: &BTreeSet<String>) -> Vec<Named> {
    let mut reader = Reader { here: base(module), known, aliases: BTreeMap::new(), found: Vec::new() };
    reader.read(tokens, true);
    reader.read(tokens, false);
    reader.found
}

struct Reader<'a> {
    /// The module that is read, with those that stand within it.
    here: Vec<String>,
    known: &'a BTreeSet<String>,
    /// What `use` has given a name in this file.
    aliases: BTreeMap<String, Vec<String>>,
    found: Vec<Named>,
}

impl Reader<'_> {
    /// Reads what `use` names, or all else.
    fn read(&mut self, tokens: &[Token], uses: bool) {
        let mut at = 0;
        while at < tokens.len() {
            let next = |more: usize| tokens.get(at + more).map_or("", |token| token.text.as_str());
            if next(0) == "mod" && next(2) == "{" {
                let end = behind(tokens, at + 2);
                self.here.push(tokens[at + 1].text.clone());
                self.read(&tokens[at + 3..end - 1], uses);
                self.here.pop();
                at = end;
            } else if next(0) == "use" && next(1) != "<" {
                let end = at + tokens[at..].iter().position(|token| token.is(";")).unwrap();
                if uses {
                    self.read_use(&[], &tokens[at + 1..end]);
                }
                at = end;
            } else if !uses && self.starts_a_path(tokens, at) {
                let segments: Vec<String> = segments(&tokens[at..]);
                let length = segments.len() * 2 - 1;
                self.name(&segments, tokens[at].line);
                at += length;
            } else {
                at += 1;
            }
        }
    }

    /// Of `pub(in crate::x)` nothing is taken.
    fn starts_a_path(&self, tokens: &[Token], at: usize) -> bool {
        let before = |back: usize| at.checked_sub(back).map_or("", |at| tokens[at].text.as_str());
        let is_path = tokens[at].is_word() && tokens.get(at + 1).is_some_and(|next| next.is("::"));
        is_path && before(1) != "::" && before(1) != "." && !(before(1) == "in" && before(2) == "(")
    }

    /// One part of a `use`, behind what stands before its braces.
    fn read_use(&mut self, prefix: &[String], tokens: &[Token]) {
        let own = segments(tokens);
        let path = [prefix, &own].concat();
        let line = tokens[0].line;
        let rest = &tokens[(own.len() * 2).saturating_sub(1).min(tokens.len())..];
        let rest = if rest.first().is_some_and(|token| token.is("::")) { &rest[1..] } else { rest };
        match rest.first().map(|token| token.text.as_str()) {
            Some("{") => {
                for part in parts(&rest[1..behind(rest, 0) - 1]) {
                    self.read_use(&path, part);
                }
            }
            Some("*") => drop(self.name(&path, line)),
            first => {
                let renamed = first.filter(|word| *word == "as").map(|_| rest[1].text.clone());
                let of_module = path.last().is_some_and(|last| last == "self") && path.len() > 1;
                let path = if of_module { &path[..path.len() - 1] } else { &path[..] };
                let alias = renamed.unwrap_or_else(|| path.last().unwrap().clone());
                if let Some(absolute) = self.name(path, line) {
                    self.aliases.insert(alias, absolute);
                }
            }
        }
    }

    /// Notes a path, if it is one of this crate.
    fn name(&mut self, segments: &[String], line: usize) -> Option<Vec<String>> {
        let absolute = self.absolute(segments)?;
        self.found.push(Named { segments: absolute.clone(), line });
        Some(absolute)
    }

    fn absolute(&self, segments: &[String]) -> Option<Vec<String>> {
        let ups = segments.iter().take_while(|segment| *segment == "super").count();
        let rest = |from: usize| segments[from..].iter().cloned();
        let child = [&self.here[..], &segments[..1]].concat();
        Some(match segments[0].as_str() {
            // What a program names through them is the module itself.
            "logparser" if segments.get(1).is_some_and(|segment| segment == "internals") => rest(2).collect(),
            "crate" | "logparser" => rest(1).collect(),
            "self" => self.here.iter().cloned().chain(rest(1)).collect(),
            "super" => self.here[..self.here.len().checked_sub(ups)?].iter().cloned().chain(rest(ups)).collect(),
            first => match self.aliases.get(first) {
                Some(path) => path.iter().cloned().chain(rest(1)).collect(),
                None if self.known.contains(&joined(&child)) => self.here.iter().cloned().chain(rest(0)).collect(),
                None => return None,
            },
        })
    }
}

/// The words of a path at the start.
fn segments(tokens: &[Token]) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = 0;
    while tokens.get(at).is_some_and(Token::is_word) && !tokens[at].is("as") {
        found.push(tokens[at].text.clone());
        if !tokens.get(at + 1).is_some_and(|token| token.is("::")) {
            break;
        }
        at += 2;
    }
    found
}

/// What stands between commas, brackets aside.
fn parts(tokens: &[Token]) -> Vec<&[Token]> {
    let (mut found, mut start, mut at) = (Vec::new(), 0, 0);
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "{" => at = behind(tokens, at),
            "," => {
                found.push(&tokens[start..at]);
                (start, at) = (at + 1, at + 1);
            }
            _ => at += 1,
        }
    }
    found.push(&tokens[start..]);
    found.retain(|part| !part.is_empty());
    found
}

/// The file that a path leads into: the longest start of it that is one.
pub fn file_of(segments: &[String], known: &BTreeMap<String, File>) -> Option<String> {
    (1..=segments.len()).rev().map(|length| joined(&segments[..length])).find(|module| known.contains_key(module))
}

#[test]
fn paths_are_found_wherever_they_stand() {
    let known = ["a", "a::b", "a::c", "d", "d::e"].map(str::to_owned).into();
    let found = |module: &str, text: &str| {
        let named = named(module, &tokens(text), &known);
        named.iter().map(|named| joined(&named.segments)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found("a::b", "use crate::{d::{self, e::X}, a}; use std::io;"), "d d::e::X a");
    assert_eq!(
        found("a::b", "use super::c::Y as Z; fn f() -> super::super::d::W { Z::new() }"),
        "a::c::Y d::W a::c::Y::new"
    );
    assert_eq!(found("a", "mod b; use d::e; fn f() { b::g(); x.d::<u8>() } pub(in crate::d) fn h() {}"), "a::b::g");
    assert_eq!(found("a", "use crate::d::e; fn f() { e::g(); std::e::g(); }"), "d::e d::e::g");
    assert_eq!(found("a", "mod inner { use super::b; use super::*; } fn f(x: &crate::d::X) {}"), "a::b a d::X");
    assert_eq!(found("main", "fn main() { logparser::d::run() }"), "d::run");
    assert_eq!(found("main", "fn main() { logparser::internals::d::run() }"), "d::run");
}
