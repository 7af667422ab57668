//! Plans, with the real program: where they end, who may work them off, and what they refuse to be
//! made of.

use serde_json::Value;
use std::fs::OpenOptions;
use std::io::Write;
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{BASE, Folder, as_tallies_know, log, ok, run, run_with_input, stderr, stdout};

fn refused(output: &Output, code: i32) -> String {
    assert_eq!((output.status.code(), stdout(output).as_str()), (Some(code), ""), "{}", stderr(output));
    stderr(output)
}

fn plan(folder: &Folder, args: &[&str]) -> Value {
    serde_json::from_str(&ok(&run(folder, &[&["plan"], args].concat()))).unwrap()
}

/// Works a plan off, and adds it up to `all.tally`; what that says of itself.
fn work_off(folder: &Folder, plan: &Value) -> Value {
    let mut merge = vec!["merge".to_owned(), "-o".to_owned(), "all.tally".to_owned()];
    for (at, task) in plan["tasks"].as_array().unwrap().iter().enumerate() {
        let args: Vec<&str> = task["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
        merge.push(format!("{at}.tally"));
        ok(&run(folder, &[&args[..1], &["--output", &merge[at + 3]], &args[1..]].concat()));
    }
    ok(&run(folder, &merge.iter().map(String::as_str).collect::<Vec<_>>()));
    serde_json::from_str(&ok(&run(folder, &["inspect", "all.tally"]))).unwrap()
}

fn read(folder: &Folder, name: &str) -> String {
    std::fs::read_to_string(folder.at(name)).unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// What a run says of these bytes, and of the tallies in `all.tally`.
fn assert_same_report(folder: &Folder, bytes: &[u8], question: &[&str], context: &str) {
    let alone = Folder::new();
    alone.write("a.log", bytes);
    let whole = run(&alone, &[&["a.log", "a", "b", "--output", "json"], question].concat());
    let report = run(folder, &["report", "all.tally", "a", "b", "--output", "json"]);
    assert_eq!(report.status.code(), whole.status.code(), "{context}");
    assert_eq!(stdout(&report), as_tallies_know(&stdout(&whole)), "{context}");
    assert_eq!(stderr(&report), as_tallies_know(&stderr(&whole)), "{context}");
}

#[test]
fn a_plan_ends_with_a_line_and_a_last_one_without_a_newline_counts_unless_something_has_followed() {
    let lines = format!("{BASE} a b\n{} c b\nbad\n{} a c\r\n\n", BASE + 1, BASE + 2);
    let last = format!("{} a b", BASE + 3);
    let starts = [String::new(), lines.clone(), lines.trim_end_matches('\n').to_owned() + "\n"];
    let ends = ["".to_owned(), last.clone(), last[..4].to_owned(), last[..last.len() - 2].to_owned(), "  ".to_owned()];
    let question =
        ["--since", "0", "--until", &(BASE + 100).to_string(), "--now", &(BASE + 100).to_string()].map(str::to_owned);
    let question: Vec<&str> = question.iter().map(String::as_str).collect();
    for (start, end) in starts.iter().flat_map(|start| ends.iter().map(move |end| (start, end))) {
        for (more, parts) in [("", "9"), ("", "1MiB"), ("\n", "1MiB"), ("elta\n1700000009 x y\n", "9"), ("x", "20")] {
            let folder = Folder::new();
            let before = [start.as_bytes(), end.as_bytes()].concat();
            folder.write("a.log", &before);
            let context = format!("{start:?} {end:?} {more:?} {parts}");
            // The unit would be told by what is there.
            let args =
                [&["a.log", "--unit", "s", "--format", "plain", "--max-partition", parts], &question[..]].concat();
            let plan = plan(&folder, &args);
            let input = &plan["inputs"][0];
            assert_eq!(number(&input["size"]), start.len() as u64, "{context}");
            assert_eq!(number(&input["unterminated"]), end.len() as u64, "{context}");
            assert_eq!(number(&plan["bytes_total"]), start.len() as u64, "{context}");
            folder.append("a.log", more.as_bytes());
            let counted = if more.is_empty() { &before[..] } else { start.as_bytes() };
            let found = work_off(&folder, &plan);
            assert_eq!(number(&found["balance"]["bytes_total"]), counted.len() as u64, "{context}");
            assert_same_report(&folder, counted, &[&question[..], &["--unit", "s"]].concat(), &context);
        }
    }
}

#[test]
fn what_nobody_reads_may_end_inside_a_line() {
    let folder = Folder::new();
    let mut bytes = log(3, 20_000, 9_000, 10, 5);
    bytes.extend_from_slice(format!("{} a", BASE + 9_001).as_bytes());
    let size = bytes.len() as u64;
    folder.write("a.log", &bytes);
    let (middle, late) = ((BASE + 2_000).to_string(), (BASE + 900_000).to_string());
    // Of the last bytes it depends on the probes whether they are looked at.
    for (until, unterminated) in [(&middle, 0), (&late, 12)] {
        let question = ["--until", until, "--seconds", "60", "--lateness", "60", "--prune-above", "0"];
        let plan = plan(&folder, &[&["a.log"], &question[..]].concat());
        let input = &plan["inputs"][0];
        assert!(number(&input["skipped"]) > size / 2, "{plan}");
        let planned = size - unterminated;
        assert_eq!((number(&input["size"]), number(&input["unterminated"])), (planned, unterminated));
        folder.append("a.log", b" b\n1700009002 a b\n");
        assert_eq!(number(&work_off(&folder, &plan)["balance"]["bytes_total"]), planned);
        assert_same_report(&folder, &bytes[..planned as usize], &question, until);
        folder.write("a.log", &bytes);
    }
}

#[test]
fn plans_of_a_log_that_is_being_written_hold_whole_lines_and_no_byte_more() {
    let folder = Folder::new();
    folder.write("a.log", format!("{BASE} a b\n"));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = OpenOptions::new().append(true).open(folder.at("a.log")).unwrap();
            for at in 0.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                for part in [format!("{} a", BASE + at % 500), "bc".repeat(9), " b".to_owned(), "\n".to_owned()] {
                    file.write_all(part.as_bytes()).unwrap();
                    std::thread::sleep(Duration::from_micros(300));
                }
            }
        });
        let until = (BASE + 1_000).to_string();
        for round in 0..8 {
            let question = ["a.log", "--until", &until, "--now", &until, "--max-partition", "40kB"];
            let plan = plan(&folder, &question);
            let found = work_off(&folder, &plan);
            let (size, unterminated) = (number(&plan["bytes_total"]), number(&plan["bytes_unterminated"]));
            let counted = number(&found["balance"]["bytes_total"]);
            assert!(counted == size || counted == size + unterminated, "{round}: {counted} of {size}+{unterminated}");
            let bytes = std::fs::read(folder.at("a.log")).unwrap();
            let lines = bytes[..size as usize].split(|byte| *byte == b'\n').count() as u64 - 1;
            assert_eq!(bytes[size as usize - 1], b'\n');
            let last = u64::from(counted > size);
            assert_eq!(number(&found["balance"]["lines_read"]), lines + last, "{round}");
            ok(&run(&folder, &["report", "all.tally", "a", "b"]));
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_size_inside_a_line_is_refused_once_the_line_is_longer() {
    let folder = Folder::new();
    folder.write("a.log", format!("{BASE} a b\n{BASE} c d\n"));
    let partial = ["partial", "a.log", "--until", "latest", "--range", "0..20", "--size", "20", "-o", "x"];
    let expected =
        "logparser: a.log: has grown inside its planned last line: a line goes on behind byte 20; plan again\n";
    assert_eq!(refused(&run(&folder, &partial), 1), expected);
}

#[test]
fn a_list_says_what_there_is_and_whether_it_is_what_was_planned() {
    let folder = Folder::new();
    let write = |name: &str, text: &str| folder.write(name, text);
    write("a.log", "1700000000 a b\n");
    write("b.log", "");
    write("c.log", &"1700000001 a b\n".repeat(200));
    let listed: Value = serde_json::from_str(&ok(&run(&folder, &["list", "*.log"]))).unwrap();
    assert_eq!(listed["bytes_total"], 15 + 3_000);
    assert_eq!(listed["inputs"][1], serde_json::json!({ "path": "b.log", "size": 0, "head": "0:0000000000000000" }));
    assert!(listed["inputs"][2]["head"].as_str().unwrap().starts_with("1024:"), "{listed}");
    let text = ok(&run(&folder, &["plan", "*.log", "--until", "latest", "-o", "json:plan.json", "-o", "json"]));
    assert_eq!(read(&folder, "plan.json"), text);
    let compare = || run(&folder, &["list", "--plan", "plan.json"]);
    let longer = |output: &Output| {
        let listed: Value = serde_json::from_str(&ok(output)).unwrap();
        let files = listed["inputs"].as_array().unwrap().iter();
        files.map(|file| format!("{} {}", file["path"].as_str().unwrap(), file["size"])).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(longer(&compare()), "");
    assert_eq!(longer(&run_with_input(&folder, &["list", "--plan", "-", "--quiet"], text.as_bytes())), "");
    let says = |what: &str| {
        assert_eq!(refused(&compare(), 1), format!("logparser: {what}; plan again where all files are seen\n"))
    };
    folder.append("a.log", b"1700000002 more");
    folder.append("b.log", b"1700000002 a b\n");
    folder.append("c.log", b"1700000002 a b\n");
    assert_eq!(longer(&compare()), "a.log 30, b.log 15, c.log 3015");
    write("d.log", "");
    says("d.log: is here, and not in the plan");
    std::fs::remove_file(folder.at("d.log")).unwrap();
    write("c.log", "1700000001 a b\n");
    says("c.log: has 15 bytes here, and 3000 in the plan");
    write("c.log", &"1700000001 a c\n".repeat(200));
    says("c.log: begins otherwise here than in the plan");
    std::fs::remove_file(folder.at("a.log")).unwrap();
    says("a.log: is in the plan, and not here");
    std::fs::remove_file(folder.at("b.log")).unwrap();
    std::fs::remove_file(folder.at("c.log")).unwrap();
    assert!(refused(&compare(), 3).starts_with("logparser: No log files found! "));
}

#[test]
fn another_build_is_refused_by_its_id() {
    let folder = Folder::new();
    write_small(&folder);
    let version = ok(&run(&folder, &["--version"]));
    let plan = plan(&folder, &["a.log", "--until", "latest"]);
    let build = plan["build"].as_str().unwrap();
    assert_eq!(build.len(), 16, "{build}");
    assert_eq!(version, format!("logparser {} (build {build})\n", env!("CARGO_PKG_VERSION")));
    let tally = work_off(&folder, &plan);
    assert_eq!(tally["build"], plan["build"]);
    // What plain has needs no higher one than the second; the plan says the highest that there may be.
    assert_eq!((tally["format"].as_u64(), plan["tallies"].as_u64()), (Some(2), Some(4)));
    let foreign = plan.to_string().replace(build, "0123456789abcdef");
    let expected = format!(
        "logparser: this is build {build} of logparser, and the plan was made by build 0123456789abcdef; take the same program everywhere\n"
    );
    assert_eq!(refused(&run_with_input(&folder, &["list", "--plan", "-"], foreign.as_bytes()), 2), expected);
    let foreign: Value = serde_json::from_str(&foreign).unwrap();
    let args: Vec<&str> =
        foreign["tasks"][0]["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
    assert_eq!(refused(&run(&folder, &[&args[..], &["-o", "x"]].concat()), 2), expected);
    assert!(!folder.at("x").exists());
}

fn write_small(folder: &Folder) {
    folder.write("a.log", format!("{BASE} a b\n"));
}

#[test]
fn what_is_no_plan_is_refused() {
    let folder = Folder::new();
    write_small(&folder);
    folder.write("p.toml", "location = 'a.log'\n");
    for text in
        ["", "{}", "[]", "17 a b\n", "{\"schema\":\"logparser-list/1\",\"build\":\"\",\"locations\":[],\"inputs\":[]}"]
    {
        let message = refused(&run_with_input(&folder, &["list", "--plan", "-"], text.as_bytes()), 2);
        assert!(message.starts_with("logparser: <stdin>: it is no plan of logparser"), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    refused(&run(&folder, &["list", "--plan", "none.json"]), 1);
    refused(&run(&folder, &["list", "--plan", "-", "a.log"]), 2);
    assert!(refused(&run_with_input(&folder, &["list"], b"x"), 2).contains("only files can be listed"));
}

#[test]
fn a_scheme_is_refused_by_its_name_wherever_a_file_is_meant() {
    let folder = Folder::new();
    write_small(&folder);
    folder.write("p.toml", "location = ['a.log', 's3://b/*.log']\n");
    for scheme in ["s3", "hdfs", "gs", "http", "https", "ftp", "abfss", "S3", "file"] {
        let place = format!("{scheme}://b/x*.log");
        let place = place.as_str();
        let (as_output, as_plan) = (format!("csv:{place}"), format!("json:{place}"));
        let written: [&[&str]; 8] = [
            &["partial", "a.log", "-o", place],
            &["merge", "x", "-o", place],
            &["top", "a.log", "-o", &as_output],
            &["report", "x", "-o", place],
            &["plan", "a.log", "-o", &as_plan],
            &["top", "a.log", "--rejects", place],
            &["top", "a.log", "--every", "1m", "--late-file", place],
            &["make", place],
        ];
        for command in written {
            let message = refused(&run(&folder, command), 2);
            assert!(message.contains(&format!("{scheme}:// is no place that is written to")), "{command:?}: {message}");
            assert_eq!(message.lines().count(), 1, "{command:?}: {message}");
        }
        let commands: [&[&str]; 15] = [
            &[place, "a", "b"],
            &[place, "a", "b", "--tail"],
            &["top", place],
            &["top", "a.log", place],
            &["to", "a", place],
            &["from", "a", place],
            &["top", place, "--follow", "--every", "1m"],
            &["explain", place],
            &["plan", place],
            &["list", place],
            &["partial", place, "-o", "x"],
            &["merge", place, "-o", "x"],
            &["report", place],
            &["inspect", place],
            &["run", place],
        ];
        for command in commands {
            let message = refused(&run(&folder, command), 2);
            assert!(message.contains(&format!("{scheme}:// is no place that is read")), "{command:?}: {message}");
            assert_eq!(message.lines().count(), 1, "{command:?}: {message}");
        }
    }
    let checked = refused(&run(&folder, &["check", "p.toml"]), 2);
    assert!(checked.starts_with("logparser: p.toml:1:12: location: expected a path; s3:// is no place"), "{checked}");
    std::fs::create_dir(folder.at("s3:")).unwrap();
    folder.write("s3:/b", format!("{BASE} a b\n"));
    let report = ok(&run(&folder, &["top", "./s3://b", "--until", "latest"]));
    assert_eq!(report, ok(&run(&folder, &["top", "a.log", "--until", "latest"])));
}

#[test]
fn commands_about_tallies_take_the_options_that_all_take() {
    let folder = Folder::new();
    write_small(&folder);
    ok(&run(&folder, &["partial", "a.log", "--until", "latest", "--quiet", "--color", "never", "-o", "a.tally"]));
    ok(&run(&folder, &["merge", "a.tally", "-q", "--color", "always", "-o", "b.tally"]));
    for command in [
        &["plan", "a.log", "--until", "latest", "--now", "1700003600"][..],
        &["list", "a.log"],
        &["inspect", "b.tally"],
    ] {
        let plain = ok(&run(&folder, command));
        let said =
            run(&folder, &[command, &["-q", "--color", "never", "--output", "json", "-o", "json:x.json"]].concat());
        assert_eq!((ok(&said), stderr(&said)), (plain.clone(), String::new()), "{command:?}");
        assert_eq!(read(&folder, "x.json"), plain);
        let message = refused(&run(&folder, &[command, &["-o", "csv"]].concat()), 2);
        assert_eq!(message, "logparser: --output csv: expected json or json:PATH, as this is JSON\n");
        refused(&run(&folder, &[command, &["-o", "json:no/such/x"]].concat()), 1);
    }
    let loud = run(&folder, &["report", "b.tally", "a", "b", "--color", "always"]);
    let quiet =
        run(&folder, &["report", "b.tally", "a", "b", "-q", "-o", "text", "-o", "json:x.json", "--color", "never"]);
    assert!(ok(&loud).contains('\u{1b}') && !ok(&quiet).contains('\u{1b}'));
    assert_eq!((stderr(&loud).is_empty(), stderr(&quiet).is_empty()), (false, true));
    assert!(read(&folder, "x.json").contains("\"reports\""));
}
