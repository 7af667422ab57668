//! The crate as other programs see it: few public names, and results as plain data.

use std::path::Path;
use std::sync::{Arc, Mutex};

use logparser::{Pipeline, Place};

use crate::support::code::{Token, behind, tokens};

/// What the facade may hold besides `internals`.
const MOST_NAMES: usize = 60;

/// The public names of the root of the crate.
fn public_names() -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    names(&tokens(&text))
}

fn names(tokens: &[Token]) -> Vec<String> {
    let (mut found, mut at) = (Vec::new(), 0);
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    while at < tokens.len() {
        match (text(at), text(at + 1)) {
            ("pub", "use") => {
                let end = at + tokens[at..].iter().position(|token| token.is(";")).unwrap();
                // Of a path or a group, the last word of each part; of `a as b`, `b`.
                let ends = (at..end).filter(|at| matches!(text(at + 1), "," | "}" | ";") && text(*at) != ",");
                found.extend(ends.map(text).filter(|name| *name != "}").map(str::to_owned));
                at = end;
            }
            ("pub", kind) => {
                found.push(text(at + 2).to_owned());
                at = if kind == "mod" && text(at + 3) == "{" { behind(tokens, at + 3) } else { at + 1 };
            }
            _ => at += 1,
        }
    }
    found
}

#[test]
fn a_program_needs_to_know_few_names() {
    let names = public_names();
    let known = ["BUILD", "Pipeline", "Report", "ReportEntry", "Aggregates", "Error", "internals"];
    assert!(known.iter().all(|known| names.iter().any(|name| name == known)), "{names:?}");
    assert!(names.len() <= MOST_NAMES, "{}: {names:?}", names.len());
    // A module that is public makes all in it public.
    let is_module = |name: &String| name.starts_with(char::is_lowercase);
    assert_eq!(names.iter().filter(|name| is_module(name)).collect::<Vec<_>>(), ["internals"]);
}

#[test]
fn public_names_are_found_in_any_form() {
    let found = |text: &str| names(&tokens(text));
    assert_eq!(
        found("pub use a::{B, c::D as E}; pub use f::G; pub mod h; mod i { pub fn j() {} }"),
        ["B", "E", "G", "h", "j"]
    );
    assert_eq!(found("pub mod h { pub use a::B; } pub const C: u8 = 1;"), ["h", "C"]);
}

#[test]
fn results_come_to_a_program_in_their_order_and_to_nobody_else() {
    let results = Arc::<Mutex<Vec<_>>>::default();
    let taken = Arc::clone(&results);
    let place = || Place::Argument("a test".to_owned());
    let summary = Pipeline::builder()
        .set("location", "tests/data/*.log")
        .set("every", "10m")
        .set("threads", "4")
        .set_at("reports", r#"["top-servers"]"#, place())
        .on_result(move |result| taken.lock().unwrap().push(result.clone()))
        .stdout(Box::new(Nobody))
        .build()
        .unwrap()
        .run()
        .unwrap();
    assert!(summary.error().is_none(), "{:?}", summary.error());
    let results = results.lock().unwrap();
    let mut sequence = 0;
    for result in results.iter() {
        assert_eq!(result.sequence, sequence);
        assert!(result.reports.iter().all(|report| report.id == "top-servers"));
        sequence += result.windows;
    }
    assert!(results.len() > 1 && results.iter().map(|result| result.connections).sum::<u64>() > 0);
}

/// What fails where it is written to.
struct Nobody;

impl std::io::Write for Nobody {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("nobody"))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_goes_wrong_comes_to_a_closure() {
    let said = Arc::<Mutex<Vec<String>>>::default();
    let told = Arc::clone(&said);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.log"), "1 a b\n").unwrap();
    std::fs::write(folder.path().join("b.log.gz"), b"\x1f\x8b\x08\x00").unwrap();
    let summary = Pipeline::builder()
        .set("location", &format!("{}/*", folder.path().display()))
        .set("until", "latest")
        .clock(|| logparser::Timestamp::from_seconds(10))
        .on_failure(move |error| told.lock().unwrap().push(error.to_string()))
        .on_result(|result| assert_eq!(result.connections, 1))
        .build()
        .unwrap()
        .run()
        .unwrap();
    let said = said.lock().unwrap();
    assert_eq!(said.len(), summary.failures.len());
    assert!(said[0].contains("its gzip data is cut short"), "{said:?}");
}
