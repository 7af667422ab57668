//! Logs of other programs: what is counted of them is what a reader counts that was written from the
//! descriptions of their formats, whatever the threads and the chunks.

use std::process::Command;

use crate::support::{Folder, needs, ok, program, root, run, stderr, stdout};

/// Holds all formats against the oracle, with these options; the seed gives other lines.
fn compare(seed: &str, options: &[&str]) {
    needs!("python3");
    let mut command = Command::new("python3");
    command.arg(root().join("tests/oracle/compare.py")).arg(program(&Folder::new()).get_program());
    let output = command.args(["--lines", "150", "--seed", seed]).args(options).output().unwrap();
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
}

#[test]
fn each_format_is_counted_as_the_oracle_counts_it() {
    compare("1", &[]);
}

#[test]
fn threads_and_chunks_have_no_say_in_it() {
    compare("2", &["--chunk", "4096", "--threads", "3"]);
}

#[test]
fn a_log_that_names_other_columns_further_on_is_read_by_these_from_there_on() {
    let folder = Folder::new();
    let (fields, others) =
        ("#fields\tts\tid.orig_h\tid.resp_h\tconn_state\n", "#fields\tid.orig_h\tconn_state\tts\tid.resp_h\n");
    let line = |number: u32| match (number / 100) % 2 {
        0 => format!("{}\ta{}\tb\tSF\n", 1_700_000_000 + number, number % 7),
        _ => format!("a{}\tSF\t{}\tb\n", number % 7, 1_700_000_000 + number),
    };
    let lines: String = (0..3_000)
        .map(|number| match number % 200 {
            0 => fields.to_owned() + &line(number),
            100 => others.to_owned() + &line(number),
            _ => line(number),
        })
        .collect();
    folder.write("conn.log", &lines);
    let expected: Vec<usize> = (0..7).map(|host| (0..3_000).filter(|number| number % 7 == host).count()).collect();
    let expected: String = (0..7).map(|host| format!("a{host},b,{}\n", expected[host])).collect();
    let sorted = |text: &str| {
        let mut lines: Vec<&str> = text.lines().skip(1).collect();
        lines.sort_unstable();
        lines.iter().map(|line| format!("{line}\n")).collect::<String>()
    };
    let every = |more: &[&str]| {
        let asked = ["top", "conn.log", "-r", "top-pairs", "--output", "csv", "-qq"];
        let output = run(&folder, &[&asked[..], more].concat());
        assert_eq!(output.status.code(), Some(0), "{more:?}: {}", stderr(&output));
        stdout(&output)
    };
    for chunk in ["64", "1000", "1MiB"] {
        folder.write(
            "p.toml",
            format!("location = 'conn.log'\nchunk = '{chunk}'\nreports = ['top-pairs']\noutputs = ['csv']\n"),
        );
        let asked = ["run", "p.toml", "-qq", "--since", "2023-11-14", "--until", "1700010000"];
        assert_eq!(sorted(&stdout(&run(&folder, &asked))), expected, "{chunk}");
        // Nothing of it can be skipped into.
        let part =
            run(&folder, &[&asked[..4], &["1700002000", "--until", "1700002099", "--set", "prune-above=0"]].concat());
        assert_eq!(
            stdout(&part).lines().skip(1).filter_map(|row| row.rsplit(',').next()?.parse::<u32>().ok()).sum::<u32>(),
            100
        );
    }
    assert_eq!(sorted(&every(&["--since", "2023-11-14", "--until", "latest", "--scan", "full"])), expected);
    let windows = every(&["--every", "100s", "--seconds", "100s", "--align", "1700000000"]);
    assert_eq!(windows.lines().filter(|row| row.ends_with(",15")).count(), 30 * 2, "{windows}");
    // Nor can it be divided.
    let plan = run(&folder, &["plan", "conn.log", "--until", "1700010000", "--last", "10h", "--max-partition", "1000"]);
    assert_eq!(stdout(&plan).matches("\"from\"").count(), 1, "{}", stdout(&plan));
    let part =
        run(&folder, &["partial", "conn.log", "--until", "latest", "--range", "9000..10000", "--output", "x.tally"]);
    assert!(
        part.status.code() == Some(2) && stderr(&part).contains("names other columns before byte"),
        "{}",
        stderr(&part)
    );
}

#[test]
fn a_log_of_no_known_format_is_refused_and_others_beside_it_are_counted() {
    let folder = Folder::new();
    folder.write("a.log", "1700000000 a b\n");
    folder.write("b.log", "hello\nworld\n");
    let asked = ["--format", "auto", "--until", "1700000010", "--output", "csv", "-qq"];
    let output = run(&folder, &[&["top", "b.log"][..], &asked].concat());
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""));
    assert!(stderr(&output).contains("b.log: its lines are of no known format; say which with --format NAME"));
    let output = run(&folder, &[&["top", "a.log", "b.log"][..], &asked].concat());
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), "server,connections\nb,1\n"));
    assert!(stderr(&output).contains("b.log: its lines are of no known format"));
}

#[test]
fn a_pipe_is_told_by_how_it_begins_and_loses_nothing() {
    let folder = Folder::new();
    let line =
        |second: u32| format!(r#"10.0.0.5 - - [14/Nov/2023:22:13:{second:02} +0000] "GET /a HTTP/1.1" 200 1 "-" "x""#);
    let lines: String = (0..3_000).map(|number| line(number % 60) + "\n").collect();
    folder.write("web.log", &lines);
    let asked = "--format auto --until 1700000040 --output csv -qq";
    for command in [format!("cat web.log | PROGRAM top - {asked}"), format!("PROGRAM top web.log {asked}")] {
        let output = crate::support::shell(&folder, &command.replace("PROGRAM", "logparser")).output().unwrap();
        assert_eq!(stdout(&output), "server,connections\n/a,3000\n", "{command}: {}", stderr(&output));
    }
}

#[test]
fn each_pipe_is_told_by_its_own_beginning_whenever_that_comes() {
    let folder = Folder::new();
    let web = |at: usize| {
        format!("10.0.0.5 - - [14/Nov/2023:22:13:20 +0000] \"GET /{} HTTP/1.1\" 200 1 \"-\" \"x\"\n", at % 7)
    };
    let web: String = (0..2_000).map(web).collect();
    let json = "{\"ts\":1700000000,\"src\":\"a\",\"dst\":\"b\"}\n".repeat(3_000);
    folder.write("web.log", web);
    folder.write("conn.json", json);
    folder.write("odd.log", "no format at all has such lines\n".repeat(20));
    let files = ok(&run(&folder, &["top", "web.log", "conn.json", "--until", "1700000040", "--output", "csv", "-q"]));
    let piped = |second: &str, by: &str| {
        // The first pipe begins only once all of the second has been read.
        let script = format!(
            "mkfifo one two; (cat {second} > two; exec cat web.log > one) > log.txt 2>&1 & \
             logparser top one two --until 1700000040 --output csv -q {by}; code=$?; kill $! 2> log.txt; rm one two; exit $code"
        );
        crate::support::shell(&folder, &script).output().unwrap()
    };
    for by in ["--threads 2", "--threads 4"] {
        let output = piped("conn.json", by);
        assert_eq!((stdout(&output), output.status.code()), (files.clone(), Some(0)), "{by}: {}", stderr(&output));
        let output = piped("odd.log", by);
        assert_eq!(output.status.code(), Some(1), "{by}");
        assert!(stderr(&output).contains("two: its lines are of no known format"), "{}", stderr(&output));
        let servers = stdout(&output).lines().count();
        assert_eq!(servers, 8, "{by}: {}", stdout(&output));
    }
    let output =
        crate::support::shell(&folder, "cat odd.log | logparser top - --until 1700000040 --output csv").output();
    let output = output.unwrap();
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""), "{}", stderr(&output));
    assert!(stderr(&output).contains("<stdin>: its lines are of no known format"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("Balance"), "nothing was read: {}", stderr(&output));
}

#[test]
fn a_format_of_a_configuration_is_one_like_any_other() {
    let folder = Folder::new();
    folder.write(
        "gate.csv",
        "Date;Client;Server;Port\n14.11.2023 22:13:20;a;B;80\n-- turned\n14.11.2023 23:13:20;a;C;80\n",
    );
    folder.write(
        "p.toml",
        "location = 'gate.csv'\nformat = 'gate'\nuntil = 'latest'\nreports = ['top-pairs']\noutputs = ['csv']\n\
         timezone = 'Europe/Berlin'\n[formats.gate]\nseparator = 'semicolon'\nheader = 'first'\ntime = 'Date'\n\
         time-form = '%d.%m.%Y %H:%M:%S'\nfrom = 'Client'\nto = '{Server|lower}:{Port}'\nother = '^--'\n",
    );
    let output = run(&folder, &["run", "p.toml", "--seconds", "2h"]);
    assert_eq!(stdout(&output), "from,to,connections\na,b:80,1\na,c:80,1\n", "{}", stderr(&output));
    folder
        .write("q.toml", "location = 'x'\n[formats.gate]\nfrom = 'a'\nto = '{b'\ntime = 't'\nodd = 1\n[formats.csv]\n");
    let said = stderr(&run(&folder, &["check", "q.toml"]));
    assert!(said.contains("q.toml:6") && said.contains("formats.gate.odd: unknown key of a format"), "{said}");
    assert!(said.contains("formats.csv: is the name of a format that is there"), "{said}");
}
