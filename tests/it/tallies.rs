//! Tallies as files, with the real program: divided in any way, counted apart and added up, the
//! report is that of one run.

use serde_json::Value;

use crate::support::{
    BASE, Folder, Random, as_tallies_know, log, needs, ok, on_terminal, program, run, run_with_input, stderr, stdout,
};

/// Options of one question, and those that only its report has.
struct Question<'a> {
    asks: &'a [&'a str],
    shows: &'a [&'a str],
}

fn plan(folder: &Folder, args: &[&str]) -> Value {
    serde_json::from_str(&ok(&run(folder, &[&["plan"], args].concat()))).unwrap()
}

/// Works off the tasks of a plan; the names of their files.
fn work_off(folder: &Folder, plan: &Value) -> Vec<String> {
    let tasks = plan["tasks"].as_array().unwrap().iter().enumerate();
    let one = |(at, task): (usize, &Value)| {
        let name = format!("{at}.tally");
        let args: Vec<&str> = task["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
        let output = run(folder, &[&args[..1], &["--output", &name], &args[1..]].concat());
        assert_eq!((ok(&output), stderr(&output)), (String::new(), String::new()));
        name
    };
    tasks.map(one).collect()
}

fn merge(folder: &Folder, files: &[String], target: &str) {
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let output = run(folder, &[&["merge", "--output", target], &files[..]].concat());
    assert_eq!((ok(&output), stderr(&output)), (String::new(), String::new()));
}

pub fn inspect(folder: &Folder, file: &str) -> Value {
    serde_json::from_str(&ok(&run(folder, &["inspect", file]))).unwrap()
}

/// Logs with everything that a line can be.
fn write_logs(folder: &Folder, random: &mut Random) {
    let odd: [&[u8]; 8] = [
        b"\n",
        b"bad\n",
        b"1700000100 a\n",
        b"1700000100 a b c\n",
        b"  \n",
        b"1700000100 a\0 b\n",
        b"1700000100\ta\tb\r\n",
        b"9999999999 x y\n",
    ];
    for file in 0..3 {
        let text = log(random.below(1_000), 400, 4_000, 120, 6);
        let mut bytes = Vec::new();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            bytes.extend_from_slice(line);
            if random.below(12) == 0 {
                bytes.extend_from_slice(odd[random.below(odd.len() as u64) as usize]);
            }
        }
        if random.below(2) == 0 {
            bytes.extend_from_slice(format!("{} last line", BASE + 2_000).as_bytes());
        }
        folder.write(&format!("{file}.log"), bytes);
    }
}

#[test]
fn divided_and_added_up_the_report_is_that_of_one_run() {
    let mut random = Random::new(11);
    let middle = (BASE + 2_000).to_string();
    let questions = [
        Question { asks: &["--until", "latest"], shows: &[] },
        Question { asks: &["--until", &middle, "--seconds", "900"], shows: &["--output", "json", "--limit", "3"] },
        Question { asks: &["--until", "latest", "--last", "20m", "--prune-above", "0"], shows: &["--output", "csv"] },
        Question {
            asks: &["--until", &middle, "--seconds", "30s", "--prune-above", "0"],
            shows: &["--output", "json"],
        },
        Question { asks: &["--until", "latest", "--set", "max-line=24"], shows: &[] },
        Question { asks: &["--until", &middle, "--unit", "ms", "--now", "100000"], shows: &[] },
    ];
    for (round, question) in questions.iter().cycle().take(18).enumerate() {
        let folder = Folder::new();
        write_logs(&folder, &mut random);
        let config = folder.write("all.toml", "location = '*.log'\nreports = ['top-servers', 'top-pairs', 'fan-in', 'timeline', 'matrix', { name = 'connected-to', host = 'd1' }, 'totals', { name = 'talkers', shares = true }, 'services', { name = 'scans', above = 3 }, { name = 'peers', host = 'd1' }]\n");
        let config = config.to_str().unwrap();
        let size = (1 + random.below(12_000)).to_string();
        let whole = run(&folder, &[&["run", config], question.asks, question.shows].concat());
        let plan = plan(&folder, &[&["--config", config, "--max-partition", &size], question.asks].concat());
        let mut files = work_off(&folder, &plan);
        for at in (1..files.len()).rev() {
            files.swap(at, random.below(at as u64 + 1) as usize);
        }
        let (some, others) = files.split_at(random.below(files.len() as u64) as usize);
        merge(&folder, others, "others.tally");
        merge(&folder, &[some, &["others.tally".to_owned()]].concat(), "all.tally");
        for source in [vec!["all.tally"], files.iter().map(String::as_str).collect()] {
            let report = run(&folder, &[&["report", "--config", config][..], &source, question.shows].concat());
            let context = format!("round {round}: {:?}, ranges of {size} bytes", question.asks);
            assert_eq!(ok(&report), as_tallies_know(&ok(&whole)), "{context}");
            assert_eq!(stderr(&report), as_tallies_know(&stderr(&whole)), "{context}");
        }
        let found = inspect(&folder, "all.tally");
        let unterminated = plan["bytes_unterminated"].as_u64().unwrap();
        for (name, more) in [("bytes_read", unterminated), ("bytes_skipped", 0), ("bytes_total", unterminated)] {
            assert_eq!(found["balance"][name], plan[name].as_u64().unwrap() + more);
        }
    }
}

#[test]
fn the_question_that_the_tool_has_always_answered_is_answered_from_tallies() {
    let folder = Folder::new();
    folder.write("a.log", log(1, 3_000, 5_000, 100, 9));
    ok(&run(&folder, &["partial", "a.log", "--until", "latest", "--output", "a.tally"]));
    for options in [&[][..], &["--output", "json"], &["--quiet"], &["--limit", "2", "--output", "csv"]] {
        let whole = run(&folder, &[&["a.log", "s1", "d2", "--until", "latest"][..], options].concat());
        let report = run(&folder, &[&["report", "a.tally", "s1", "d2"][..], options].concat());
        assert_eq!((ok(&report), stderr(&report)), (ok(&whole), stderr(&whole)), "{options:?}");
    }
    let error = run(&folder, &["report", "a.tally", "s1"]);
    assert_eq!(error.status.code(), Some(2));
    assert_eq!(stderr(&error), "logparser: there is no file 's1'; if it is a host, name two: HOST_FROM HOST_TO\n");
}

#[test]
fn cut_at_every_byte_two_ranges_are_the_whole() {
    let folder = Folder::new();
    let text = format!(
        "{BASE} a b\n\nbad line\n{} a\tc\r\n{} d e f\n{} a b\n{} last x",
        BASE + 1,
        BASE + 2,
        BASE + 3,
        BASE + 4
    );
    folder.write("a.log", &text);
    let partial = |range: &str, name: &str| {
        ok(&run(&folder, &["partial", "a.log", "--until", "latest", "--range", range, "--output", name]))
    };
    partial("0..", "whole.tally");
    let whole = std::fs::read(folder.at("whole.tally")).unwrap();
    for cut in 0..=text.len() {
        partial(&format!("0..{cut}"), "one.tally");
        partial(&format!("{cut}.."), "two.tally");
        merge(&folder, &["two.tally".to_owned(), "one.tally".to_owned()], "both.tally");
        assert_eq!(std::fs::read(folder.at("both.tally")).unwrap(), whole, "cut at {cut}");
    }
}

#[test]
fn a_line_longer_than_many_ranges_is_counted_once() {
    let folder = Folder::new();
    let long = format!("{BASE} {} b\n", "x".repeat(5_000));
    folder.write("a.log", format!("{BASE} a b\n{long}{BASE} c d\n"));
    folder.write("top.toml", "location = 'a.log'\nuntil = 'latest'\nreports = ['top-servers']\noutputs = ['json']\n");
    for max_line in ["max-line=64KiB", "max-line=1000"] {
        let question = ["--config", "top.toml", "--set", max_line, "--max-partition", "100"];
        let files = work_off(&folder, &plan(&folder, &question));
        assert!(files.len() > 50);
        merge(&folder, &files, "all.tally");
        let whole = run(&folder, &["run", "top.toml", "--set", max_line]);
        assert_eq!(ok(&run(&folder, &["report", "all.tally", "--config", "top.toml"])), ok(&whole));
    }
}

#[test]
fn new_pairs_need_the_window_before() {
    let folder = Folder::new();
    folder.write("a.log", log(3, 5_000, 9_000, 100, 20));
    let config = "location = 'a.log'\nuntil = 'latest'\nseconds = 600\nlimit = 9999\nreports = ['new-pairs', 'gone-pairs', 'risers', 'fallers']\n";
    folder.write("new.toml", config);
    let whole = run(&folder, &["run", "new.toml"]);
    let plan = plan(&folder, &["--config", "new.toml", "--max-partition", "9kB"]);
    let files = work_off(&folder, &plan);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let report = run(&folder, &[&["report", "--config", "new.toml"], &files[..]].concat());
    assert_eq!((ok(&report), stderr(&report)), (ok(&whole), stderr(&whole)));
    ok(&run(&folder, &["partial", "a.log", "--until", "latest", "--seconds", "600", "--output", "without.tally"]));
    let error = run(&folder, &["report", "without.tally", "--config", "new.toml"]);
    assert_eq!(error.status.code(), Some(2));
    assert!(stderr(&error).ends_with("which is not in the tallies; make them with --previous\n"), "{}", stderr(&error));
    // Said by hand it is the same.
    let args = ["partial", "a.log", "--until", "latest", "--seconds", "600", "--previous", "--output", "with.tally"];
    ok(&run(&folder, &args));
    assert_eq!(ok(&run(&folder, &["report", "with.tally", "--config", "new.toml"])), ok(&whole));
}

#[test]
fn bytes_that_are_missing_are_told_and_not_passed_off_as_all() {
    let folder = Folder::new();
    folder.write("a.log", log(3, 1_000, 900, 10, 5));
    let size = std::fs::metadata(folder.at("a.log")).unwrap().len();
    ok(&run(&folder, &["partial", "a.log", "--until", "latest", "--range", "0..1000", "--output", "one.tally"]));
    let refused = run(&folder, &["report", "one.tally"]);
    assert_eq!((refused.status.code(), stdout(&refused)), (Some(1), String::new()));
    let end = inspect(&folder, "one.tally")["inputs"][0]["read"][0][1].as_u64().unwrap();
    let expected = format!(
        "logparser: bytes {end} to {size} of a.log ({size} bytes) are in none of the files; name the others too, or give --incomplete\n"
    );
    assert_eq!(stderr(&refused), expected);
    let shown = run(&folder, &["report", "one.tally", "--incomplete"]);
    ok(&shown);
    assert!(stderr(&shown).contains(&format!("\n  + unread {:>23}\n", size - end)), "{}", stderr(&shown));
}

#[test]
fn bytes_that_are_counted_twice_are_refused_unless_a_label_tells_them_apart() {
    let folder = Folder::new();
    folder.write("a.log", log(3, 100, 90, 10, 5));
    let partial = |more: &[&str]| ok(&run(&folder, &[&["partial", "a.log", "--until", "latest"], more].concat()));
    partial(&["--output", "one.tally"]);
    partial(&["--output", "two.tally"]);
    let refused = run(&folder, &["merge", "one.tally", "two.tally", "--output", "all.tally"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).starts_with("logparser: one.tally and two.tally cannot be added up: both hold bytes 0 to ")
    );
    assert!(!folder.at("all.tally").exists());
    assert_eq!(run(&folder, &["report", "one.tally", "one.tally"]).status.code(), Some(1));
    partial(&["--label", "web1", "--output", "one.tally"]);
    partial(&["--label", "web2", "--output", "two.tally"]);
    merge(&folder, &["one.tally".to_owned(), "two.tally".to_owned()], "all.tally");
    let names: Vec<Value> =
        inspect(&folder, "all.tally")["inputs"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["web1:a.log", "web2:a.log"]);
}

#[test]
fn a_file_that_is_not_sorted_is_not_answered_from_a_part_of_it() {
    // Lines of the window stand where nobody reads.
    let mut lines: Vec<String> = (0..30_000).map(|at| format!("{} src{} dst{}\n", BASE + at, at % 7, at % 3)).collect();
    (0..400).for_each(|at| lines.swap(14_300 + at, 4_000 + at));
    let folder = Folder::new();
    folder.write("a.log", lines.concat());
    let until = (BASE + 15_000).to_string();
    let question = ["a.log", "--until", &until, "--seconds", "1500", "--prune-above", "0", "--max-partition", "10kB"];
    let files = work_off(&folder, &plan(&folder, &question));
    merge(&folder, &files, "all.tally");
    assert_eq!(inspect(&folder, "all.tally")["sorted"], false);
    let refused = run(&folder, &["report", "all.tally"]);
    assert_eq!((refused.status.code(), stdout(&refused)), (Some(5), String::new()));
    assert!(stderr(&refused).starts_with("logparser: a.log: a stamp lies "), "{}", stderr(&refused));
    assert!(
        stderr(&refused)
            .ends_with(" s behind one before it, more than the declared 300 s; plan again with --scan full\n")
    );
    let files = work_off(&folder, &plan(&folder, &[&question[..], &["--scan", "full"]].concat()));
    merge(&folder, &files, "all.tally");
    let report = run(&folder, &["report", "all.tally", "src1", "dst1", "--output", "json"]);
    let whole = run(&folder, &["a.log", "src1", "dst1", "--until", &until, "--seconds", "1500", "--output", "json"]);
    assert_eq!(ok(&report), ok(&whole));
}

#[test]
fn a_file_that_grows_is_counted_as_it_was_planned_and_one_that_shrinks_is_refused() {
    let folder = Folder::new();
    let lines = log(3, 1_000, 900, 10, 5);
    let text = [&lines[..], format!("{} begun ", BASE + 901).as_bytes()].concat();
    folder.write("a.log", &text);
    let until = (BASE + 2_000).to_string();
    let plan = plan(&folder, &["a.log", "--until", &until, "--max-partition", "4kB"]);
    folder.write("a.log", [&text[..], format!("end\n{} too late\n", BASE + 902).as_bytes()].concat());
    let files = work_off(&folder, &plan);
    merge(&folder, &files, "all.tally");
    // The line that had begun is no part of the plan, nor is what comes behind.
    folder.write("a.log", &lines);
    let report = run(&folder, &["report", "all.tally", "s1", "d1", "--output", "json"]);
    let whole = run(&folder, &["a.log", "s1", "d1", "--until", &until, "--output", "json"]);
    assert_eq!(ok(&report), ok(&whole));
    folder.write("a.log", &lines[..lines.len() - 20]);
    let args: Vec<&str> =
        plan["tasks"][0]["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
    let refused = run(&folder, &[&args[..1], &["--output", "new.tally"], &args[1..]].concat());
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains(&format!(
        "a.log: has {} bytes, and {} are asked for",
        lines.len() - 20,
        lines.len()
    )));
    assert!(!folder.at("new.tally").exists());
}

#[test]
fn a_file_that_took_the_name_of_the_planned_one_is_not_taken_for_it() {
    let folder = Folder::new();
    folder.write("a.log", log(3, 1_000, 900, 10, 5));
    let plan = plan(&folder, &["a.log", "--until", "latest"]);
    folder.write("a.log", log(4, 2_000, 900, 10, 5));
    let args: Vec<&str> =
        plan["tasks"][0]["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
    let refused = run(&folder, &[&args[..], &["--output", "x"]].concat());
    assert_eq!(refused.status.code(), Some(1));
    let expected = "logparser: a.log: is not the file that was planned: it begins otherwise; plan again\n";
    assert_eq!(stderr(&refused), expected);
    assert!(!folder.at("x").exists());
}

#[test]
fn limited_memory_goes_to_the_disk_or_overflows_visibly() {
    let folder = Folder::new();
    let lines: String =
        (0..300_000).map(|at| format!("{} source-host-{} server-{}\n", BASE + at / 400, at, at % 97)).collect();
    folder.write("a.log", lines);
    let limit = ["--until", "latest", "--max-memory", "39MiB", "--set", "chunk=64KiB", "--threads", "1"];
    let partial = |policy: &str, name: &str| {
        ok(&run(&folder, &[&["partial", "a.log", "--output", name, "--memory-policy", policy][..], &limit].concat()))
    };
    ok(&run(&folder, &["partial", "a.log", "--until", "latest", "--output", "free.tally"]));
    partial("spill", "spilled.tally");
    let read = |name: &str| std::fs::read(folder.at(name)).unwrap();
    assert!(read("spilled.tally") == read("free.tally"), "the bytes do not show where counts were kept");
    folder.write("all.toml", "location = 'a.log'\nuntil = 'latest'\noutputs = ['json']\n");
    let whole = run(&folder, &["run", "all.toml"]);
    for options in [&[][..], &["--max-memory", "53MiB"]] {
        let report = run(&folder, &[&["report", "free.tally", "--config", "all.toml"][..], options].concat());
        assert_eq!(ok(&report), ok(&whole));
    }
    partial("overflow", "over.tally");
    let found = inspect(&folder, "over.tally");
    let pairs = found["pairs"].as_u64().unwrap();
    assert!((1..300_000).contains(&pairs), "{pairs} pairs are known");
    assert_eq!((&found["connections"], found["overflow"].as_u64()), (&Value::from(300_000), Some(300_000 - pairs)));
    let report = ok(&run(&folder, &["report", "over.tally", "--set", "reports=['top-pairs']"]));
    assert!(report.contains("(overflow: "), "{report}");
}

#[test]
fn what_cannot_be_divided_or_counted_is_said() {
    let folder = Folder::new();
    folder.write("a.log", format!("{BASE} a b\n"));
    folder.write("b.log", "no stamp\n".repeat(9));
    folder.write("old.log.gz", b"\x1f\x8bxxxx");
    let refused = [
        (&["plan", "-"][..], 2, "<stdin>: only files can be divided; count a pipe where it is"),
        (&["plan", "none.log"], 3, "No log files found! "),
        (&["plan", "a.log", "--max-partition", "0"], 2, "--max-partition 0: expected a size"),
        (&["plan", "a.log", "--set", "every=1h"], 2, "tallies are of one window; leave out every"),
        (&["plan", "a.log", "--set", "stats=true"], 2, "the disorder is measured by a run over whole inputs"),
        (&["partial", "none.log", "--output", "x"], 3, "No log files found! "),
        (&["partial", "old.log.gz", "--output", "x"], 1, "old.log.gz: "),
        (&["partial", "a.log", "--output", "no/x"], 1, "no/x: cannot write: "),
        (
            &["partial", "a.log", "--output", "x", "--range", "0..99999"],
            1,
            "a.log: has 15 bytes, and 99999 are asked for",
        ),
        (&["partial", "a.log", "--output", "x", "--range", "5..1"], 2, "the range 5..1 ends before it begins"),
        (&["partial", "a.log", "--output", "x", "--range", "5-9"], 2, "--range 5-9: expected FROM..TO"),
        (
            &["partial", "a.log", "--output", "x", "--range", "5..9", "--skip", "0..1@2"],
            2,
            "--skip 0..1@2: expected FROM..TO[",
        ),
        (
            &["partial", "a.log", "--output", "x", "--range", "5..9", "--skip", "0..1@9..2/0"],
            2,
            "--skip 0..1@9..2/0: expected FROM..TO[",
        ),
        (
            &["partial", "a.log", "--output", "x", "--range", "5..9", "--skip", "0..1@2..9/8"],
            2,
            "--skip 0..1@2..9/8: expected FROM..TO[",
        ),
        (
            &["partial", "a.log", "b.log", "--format", "plain", "--output", "x", "--range", "0..9"],
            2,
            "a range is of one file, and the location leads to 2",
        ),
        (&["partial", "a.log", "--output", "x", "--range", "5..9", "--head", "9"], 2, "--head 9: expected BYTES:HASH"),
        (&["report", "none.tally", "--output", "nonsense"], 2, "--output nonsense: "),
        (
            &["merge", "a.log", "--output", "x"],
            2,
            "a.log begins with a number, as a log does, and a tallies file is expected",
        ),
        (&["report", "a.log"], 2, "a.log begins with a number"),
        (&["report", "b.log"], 1, "b.log: it is no tallies file of logparser"),
        (&["inspect", "none.tally"], 1, "none.tally: "),
    ];
    for (args, code, message) in refused {
        let output = run_with_input(&folder, args, b"");
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{args:?}");
        let said = stderr(&output);
        assert!(said.lines().any(|line| line.starts_with(&format!("logparser: {message}"))), "{args:?}: {said}");
        assert!(!folder.at("x").exists(), "{args:?} left a file");
        let lines: std::collections::BTreeSet<&str> = said.lines().collect();
        assert_eq!(lines.len(), said.lines().count(), "{args:?} says something twice: {said}");
    }
}

#[test]
fn options_may_stand_behind_the_arguments_of_a_task_whatever_its_file_is_called() {
    let folder = Folder::new();
    folder.write("-a b.log", format!("{BASE} a b\n"));
    let plan = plan(&folder, &["--until", "latest", "--", "-a b.log"]);
    let args: Vec<&str> =
        plan["tasks"][0]["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
    ok(&run(&folder, &[&args[..], &["--output", "behind.tally"]].concat()));
    assert_eq!(inspect(&folder, "behind.tally")["connections"], 1);
}

#[test]
fn tallies_go_through_pipes() {
    let folder = Folder::new();
    let text = log(3, 1_000, 900, 10, 5);
    folder.write("a.log", &text);
    let args = ["partial", "-", "--label", "here", "--until", "latest", "--output", "-"];
    let piped = run_with_input(&folder, &args, &text);
    assert_eq!(piped.status.code(), Some(0), "{}", stderr(&piped));
    folder.write("piped.tally", &piped.stdout);
    assert_eq!(inspect(&folder, "piped.tally")["inputs"][0]["name"], "here:<stdin>");
    let report = ok(&run(&folder, &["report", "piped.tally", "s1", "d1"]));
    assert_eq!(report, ok(&run(&folder, &["a.log", "s1", "d1", "--until", "latest"])));
    // A reader that goes away is no error of the report.
    let mut child = program(&folder)
        .args(["report", "piped.tally"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", stderr(&ended));
}

#[test]
fn long_work_shows_progress_on_a_terminal_and_nowhere_else() {
    needs!("script");
    let folder = Folder::new();
    folder.write("a.log", log(3, 20_000, 900, 10, 5));
    let works = [
        "partial a.log --until latest --output a.tally",
        "merge a.tally --output b.tally",
        "report a.tally --output csv:rows.csv --quiet",
        "report a.tally --output csv",
    ];
    for work in works {
        let faults = ("FAILPOINTS", "reader=sleep(600);tallies=sleep(400)");
        let shell = |command: String| on_terminal(&folder, &command, &[("TERM", "xterm"), faults]);
        let command = format!("'{}' {work}", env!("CARGO_BIN_EXE_logparser"));
        let shown = shell(command.clone());
        assert_eq!(shown.contains(" left"), !work.contains("--quiet"), "{work}: {shown:?}");
        assert!(!shell(format!("{command} 2>errors | cat")).contains(" left"), "{work}");
        let errors = std::fs::read_to_string(folder.at("errors")).unwrap();
        assert!(!errors.contains(" left"), "{work}: {errors}");
    }
    // Tallies are not for the eyes.
    let command = format!("'{}' merge a.tally --output -", env!("CARGO_BIN_EXE_logparser"));
    let shown = on_terminal(&folder, &command, &[]);
    let expected = " tallies are nothing to read on a terminal; name a file, or a pipe behind\r\n";
    assert!(shown.ends_with(expected), "{shown}");
}

#[test]
fn a_partial_of_a_window_that_holds_nothing_says_what_there_is_and_the_tasks_of_a_plan_do_not() {
    let folder = Folder::new();
    folder.write("old.log", "1700000000 a b\n1700000050 c d\n");
    let said = |more: &[&str]| {
        let output = run(&folder, &[&["partial", "old.log", "--now", "1800000000", "-o", "p.tally"], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stderr(&output)
    };
    assert!(said(&["-q"]).contains("stamps run from 2023-11-14 22:13:20 to 2023-11-14 22:14:10"), "{}", said(&[]));
    assert_eq!(said(&["--build", logparser::BUILD]), "");
    assert_eq!(said(&["--until", "latest"]), "");
}
