//! Formats of tallies files and of saved states: each is read for ever, and what two builds have
//! counted is kept apart.

use logparser::internals::codec::{Decoder, Encoder};
use logparser::internals::snapshot::{Beside, Snapshot};
use serde_json::{Value, json};

use crate::oracles::reseal::{self, Tallies};
use crate::support::{BASE, Folder, ok, piped, run, signal, stderr, updates, wait_for};
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
    every_format(&folder, 1..=2, "now.tally", 3);
    // Records that do not meet what was asked for are there from the third one on.
    let wanted = ["--now", "2023-11-15T00:00:00Z", "--where", "to=b"];
    ok(&run(&folder, &[&["partial", "--output", "wanted.tally"][..], &wanted, &question].concat()));
    every_format(&folder, 3..=3, "wanted.tally", 2);
    // Sums are there from the fourth one on.
    folder.write("a.csv", format!("time,from,to,bytes\n{BASE},a,b,7\n{},a,b,x\n{},b,\u{e4},5\n", BASE + 1, BASE + 2));
    let sums = ["a.csv", "--format", "csv", "--sum", "bytes", "--now", "2023-11-15T00:00:00Z"];
    ok(&run(&folder, &[&["partial", "--output", "sums.tally"][..], &sums, &question[1..]].concat()));
    every_format(&folder, 4..=logparser::internals::tallies::FORMAT, "sums.tally", 3);
}

/// Holds files of these formats against one that was made now, and has so many records.
fn every_format(folder: &Folder, formats: std::ops::RangeInclusive<u32>, now: &str, counted: u64) {
    let golden = |format: u32| format!("{}/tests/data/format-{format}.tally", env!("CARGO_MANIFEST_DIR"));
    let newest = golden(*formats.end());
    if updates() && !std::path::Path::new(&newest).exists() {
        std::fs::copy(folder.at(now), newest).unwrap();
    }
    let report = |file: &str| ok(&run(folder, &["report", file, "a", "b", "--output", "json"]));
    for format in formats {
        assert_eq!(report(&golden(format)), report(now), "format {format}");
        let said = format!("\"counted\":{counted},");
        assert!(report(&golden(format)).contains(&said), "{}", report(&golden(format)));
        let facts = inspect(folder, &golden(format));
        assert_eq!((&facts["format"], facts["build"].is_null()), (&json!(format), format == 1), "{facts}");
        // Written anew it stays what it was.
        ok(&run(folder, &["merge", &golden(format), "--output", "again.tally"]));
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

/// A saved state of format 2, and what `state show` said of it, by the build that saved it: two
/// files of which one is malformed in a line, a gzip copy of one of them, windows that are open,
/// and some that may be issued again.
const STATE: &[u8] = include_bytes!("../data/format-2.state");
const SHOWN: &str = include_str!("../data/format-2.state.json");

/// The arguments of the run that saved it.
const FOLLOWED: [&str; 15] = [
    "top",
    "in/*.log*",
    "--follow",
    "--every",
    "10s",
    "--seconds",
    "20s",
    "--checkpoint",
    "20ms",
    "--lateness",
    "5s",
    "--late-updates",
    "60s",
    "--since",
    "1970-01-01T00:00:00Z",
];

fn shown(folder: &Folder) -> Value {
    let text = ok(&run(folder, &["state", "show", "--state", "s", "--pairs", "--output", "json"]));
    serde_json::from_str::<Value>(&text).unwrap()["contents"].clone()
}

/// Goes on from a state until so many lines are counted in all, without a loss; what was said.
fn gone_on_from(folder: &Folder, args: &[&str], counted: u64) -> String {
    let child = piped(folder, args);
    wait_for("what is new", || shown(folder)["balance"]["counted"] == json!(counted));
    signal(&child, "TERM");
    let ended = child.wait_with_output().unwrap();
    let said = stderr(&ended);
    assert!(ended.status.code() == Some(0) && !said.contains("lost"), "{said}");
    said
}

#[test]
fn a_state_that_a_build_before_has_saved_is_shown_as_that_did_written_anew_and_gone_on_from() {
    let folder = Folder::new();
    let lines = |seconds: i64, from: &str, clients: i64| -> String {
        (0..seconds).map(|at| format!("{} {from}{} b{}\n", BASE + at, at % clients, at % 3)).collect()
    };
    let a = format!("{}no record\n\n{} late b0\n", lines(60, "a", 7), BASE + 20);
    std::fs::create_dir(folder.at("in")).unwrap();
    folder.write("in/a.log", format!("{a}{} new b9\n{} new b9\n", BASE + 61, BASE + 90));
    folder.write("in/b.log", lines(50, "c", 4));
    std::fs::create_dir(folder.at("s")).unwrap();
    std::fs::write(folder.at("s/state.1"), STATE).unwrap();
    let before: Value = serde_json::from_str(SHOWN).unwrap();
    assert_eq!(shown(&folder), before);
    // Its bytes are those that this build writes.
    let (_, body) = reseal::slot(STATE);
    let (mut decoder, mut anew) = (Decoder::new(&body[..], body.len() as u64), Vec::new());
    Encoder::new(&mut anew).put(&decoder.get::<Snapshot>().unwrap()).unwrap();
    assert_eq!(anew, body[..body.len() - decoder.left() as usize]);
    let said = gone_on_from(&folder, &[&FOLLOWED[..], &["--state", "s"]].concat(), 113);
    let after = shown(&folder);
    for (at, new) in [(0, 2 * "1700000061 new b9\n".len() as u64), (1, 0)] {
        let [old, new_input] = [&before, &after].map(|contents| &contents["inputs"][at]);
        assert_eq!((&new_input["id"], &new_input["path"]), (&old["id"], &old["path"]), "{said}");
        assert_eq!(new_input["position"].as_u64(), Some(old["position"].as_u64().unwrap() + new), "{after}");
    }
    assert_eq!((&after["balance"]["lines_read"], &after["balance"]["malformed"]), (&json!(115), &json!(1)));
}

/// The same of format 3: flows that stand for several connections, a log of Zeek, and sums of both.
const SUMMED: &[u8] = include_bytes!("../data/format-3.state");
const SUMMED_SHOWN: &str = include_str!("../data/format-3.state.json");

#[test]
fn a_state_with_sums_and_schemas_is_shown_as_before_written_anew_and_gone_on_from() {
    let folder = Folder::new();
    let flow = |at: i64| {
        let bytes = if at % 6 == 0 { "-".to_owned() } else { (at * 100).to_string() };
        let time = format!("2023-11-14 22:{:02}:{:02}", 13 + (20 + at) / 60, (20 + at) % 60);
        format!("{time},0,TCP,10.0.0.{},1,10.0.1.{},443,{at},{bytes},{}\n", at % 7, at % 3, at % 4)
    };
    let header = "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows\n";
    let flows: String = (0..60).map(flow).collect();
    let new = [61, 90].map(flow).concat();
    std::fs::create_dir(folder.at("in")).unwrap();
    folder.write("in/a.csv", format!("{header}{flows}no record\n{new}"));
    let header = "#separator \\x09\n#path\tconn\n#fields\tts\tid.orig_h\tid.resp_h\torig_bytes\tresp_bytes\torig_pkts\t\
                  resp_pkts\tconn_state\n";
    let line = |at: i64| format!("{}.5\tc{}\td\t{at}\t{}\t1\t2\tSF\n", BASE + at, at % 4, 2 * at);
    folder.write("in/b.log", format!("{header}{}", (0..50).map(line).collect::<String>()));
    std::fs::create_dir(folder.at("s")).unwrap();
    std::fs::write(folder.at("s/state.1"), SUMMED).unwrap();
    let before: Value = serde_json::from_str(SUMMED_SHOWN).unwrap();
    assert_eq!(shown(&folder), before);
    // Its bytes are those that this build writes.
    let (_, body) = reseal::slot(SUMMED);
    let (mut decoder, mut anew) = (Decoder::new(&body[..], body.len() as u64), Vec::new());
    Encoder::new(&mut anew).put(&decoder.get::<Beside>().unwrap()).unwrap();
    Encoder::new(&mut anew).put(&decoder.get::<Snapshot>().unwrap()).unwrap();
    assert_eq!(anew, body[..body.len() - decoder.left() as usize]);
    let follow = FOLLOWED.map(|argument| if argument == "in/*.log*" { "in/*" } else { argument });
    gone_on_from(&folder, &[&follow[..], &["--sum", "bytes", "--sum", "packets", "--state", "s"]].concat(), 112);
    let [before, after] = [&before, &shown(&folder)].map(|contents| contents["measures"].clone());
    let sum = |measures: &Value, at: usize| measures[at]["sum"].as_u64().unwrap();
    // Of the second of the two lines bytes are not known.
    assert_eq!([0, 1].map(|at| sum(&after, at) - sum(&before, at)), [6_100, 151]);
    assert_eq!(after[0]["missing"].as_u64(), before[0]["missing"].as_u64().map(|missing| missing + 1));
}
