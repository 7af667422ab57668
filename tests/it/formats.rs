//! Formats of tallies files: each is read for ever, and what two builds have counted is kept apart.

use serde_json::json;

use crate::oracles::reseal::Tallies;
use crate::support::{BASE, Folder, ok, run, stderr};
use crate::tallies::inspect;

#[test]
fn every_format_is_read_for_ever() {
    let folder = Folder::new();
    folder.write("a.log", format!("{BASE} a b\n{} a b\nbad\n{} b \u{e4}\n", BASE + 1, BASE + 2));
    let question = ["a.log", "--since", "2023-11-14T22:00:00Z", "--until", "2023-11-14T23:00:00Z", "--previous"];
    ok(&run(
        &folder,
        &[&["partial", "--output", "now.tally", "--now", "2023-11-15T00:00:00Z"][..], &question].concat(),
    ));
    let golden = |format: u32| format!("{}/tests/data/format-{format}.tally", env!("CARGO_MANIFEST_DIR"));
    let newest = golden(logparser::internals::tallies::FORMAT);
    if std::env::var_os("UPDATE_CASES").is_some() && !std::path::Path::new(&newest).exists() {
        std::fs::copy(folder.at("now.tally"), newest).unwrap();
    }
    let report = |file: &str| ok(&run(&folder, &["report", file, "a", "b", "--output", "json"]));
    for format in 1..=logparser::internals::tallies::FORMAT {
        assert_eq!(report(&golden(format)), report("now.tally"), "format {format}");
        assert!(report(&golden(format)).contains("\"counted\":3,"), "{}", report(&golden(format)));
        let facts = inspect(&folder, &golden(format));
        assert_eq!((&facts["format"], facts["build"].is_null()), (&json!(format), format == 1), "{facts}");
        // Written anew it stays what it was.
        ok(&run(&folder, &["merge", &golden(format), "--output", "again.tally"]));
        assert_eq!(std::fs::read(folder.at("again.tally")).unwrap(), std::fs::read(golden(format)).unwrap());
    }
}

#[test]
fn what_two_builds_have_counted_is_not_added_up() {
    let folder = Folder::new();
    for name in ["a", "b"] {
        folder.write(&format!("{name}.log"), format!("{BASE} a b\n"));
        let (log, tally) = (format!("{name}.log"), format!("{name}.tally"));
        ok(&run(&folder, &["partial", &log, "--until", &BASE.to_string(), "--output", &tally]));
    }
    let mut contents = Tallies::of(&std::fs::read(folder.at("b.tally")).unwrap());
    let build = inspect(&folder, "b.tally")["build"].as_str().unwrap().to_owned();
    let at = contents.sections[0].windows(16).position(|some| some == build.as_bytes()).unwrap();
    let other = "0123456789abcdef";
    contents.sections[0].splice(at..at + 16, other.bytes());
    folder.write("other.tally", contents.file(2));
    // As builds of before have written it.
    contents.sections[0].truncate(at - 1);
    folder.write("before.tally", contents.file(1));
    for (file, theirs) in [("other.tally", format!("build {other}")), ("before.tally", "(format 1)".to_owned())] {
        for work in [&["merge", "a.tally", file, "--output", "c.tally"][..], &["report", "a.tally", file, "a", "b"]] {
            let refused = run(&folder, work);
            let said = stderr(&refused);
            assert_eq!(refused.status.code(), Some(1), "{said}");
            assert!(said.contains(&format!("build {build}")) && said.contains(&theirs), "{said}");
            assert!(
                said.contains("a.tally") && said.contains(file) && said.contains("which may count otherwise"),
                "{said}"
            );
        }
        ok(&run(&folder, &["report", file, "a", "b"]));
    }
    ok(&run(&folder, &["merge", "a.tally", "b.tally", "--output", "c.tally"]));
}
