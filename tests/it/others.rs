//! Logs of other programs: what is counted of them is what a reader counts that was written from the
//! descriptions of their formats, whatever the threads and the chunks.

use std::process::Command;

use crate::support::{Folder, count_plan, needs, ok, program, root, run, signal, stderr, stdout};

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
fn records_that_count_by_their_start_are_found_wherever_they_stand() {
    let folder = Folder::new();
    // In the order of their ends, and one of them is long.
    let line = |end: u64, lasted: u64, host: &str| format!("{}\t{host}\tb\t{lasted}\tSF\n", end - lasted);
    let lines = (0..20_000).map(|at| match at {
        19_000 => line(1_700_000_000 + at, 18_990, "long"),
        _ => line(1_700_000_000 + at, 1, "a"),
    });
    folder.write(
        "conn.log",
        format!("#fields\tts\tid.orig_h\tid.resp_h\tduration\tconn_state\n{}", lines.collect::<String>()),
    );
    let args = [
        "top",
        "conn.log",
        "--record-time",
        "start",
        "--prune-above",
        "1",
        "-r",
        "top-sources",
        "--output",
        "csv",
        "-q",
    ];
    for window in
        [["--since", "1700000000", "--until", "1700000020"], ["--since", "1700000005", "--until", "1700000015"]]
    {
        let rows = ok(&run(&folder, &[&args[..], &window].concat()));
        assert!(rows.contains("long,1\n"), "{rows}");
        let explained = ok(&run(&folder, &[&["explain"], &args[1..6], &window].concat()));
        assert!(explained.contains("its records count by their start"), "{explained}");
    }
    // By their ends, they are skipped to.
    let explained = ok(&run(
        &folder,
        &["explain", "conn.log", "--prune-above", "1", "--since", "1700000005", "--until", "1700000015"],
    ));
    assert!(!explained.contains("by their start"), "{explained}");
}

#[test]
fn only_records_are_filtered() {
    let folder = Folder::new();
    let record = "{\"ts\":1700000000,\"src\":\"a\",\"dst\":\"b\",\"p\":\"tcp\"}";
    let docker = |line: &str| serde_json::json!({ "log": format!("{line}\n"), "time": "2023-11-14T22:13:20Z" });
    folder.write("a.json", format!("{{\"ts\":1700000000,\"q\":1}}\n{record}\n"));
    folder.write("b.json", format!("{0}\n{0}\n{1}\n", docker(record), docker("x")));
    folder.write("c.csv", format!("ts,src,dst,p\n1700000000,,b,udp\n{0}{0}", "1700000000,a,b,tcp\n"));
    for (log, format, count) in [("a.json", "jsonl", 1), ("b.json", "jsonl", 2), ("c.csv", "csv", 2)] {
        let args = ["top", log, "--format", format, "--until", "1700000000", "--output", "csv", "--stats"];
        for more in [&[][..], &["--where", "p=tcp"]] {
            let output = run(&folder, &[&args[..], more].concat());
            assert_eq!(stdout(&output), format!("server,connections\nb,{count}\n"), "{log} {}", stderr(&output));
            assert!(stderr(&output).contains("1 malformed line"), "{log} {}", stderr(&output));
        }
    }
}

#[test]
fn blank_lines_are_blank_in_any_envelope() {
    let folder = Folder::new();
    let line = "2023-11-14T22:13:20+00:00 web1 sshd[1]: Failed password for x from 1.1.1.1 port 5 ssh2\n";
    folder.write("a.log", format!("{line}\n \r\n\t\n{line}"));
    let output =
        run(&folder, &["top", "a.log", "--format", "sshd", "--until", "1700000009", "--stats", "--output", "csv"]);
    assert_eq!(stdout(&output), "server,connections\nweb1,2\n");
    assert!(!stderr(&output).contains("malformed line"), "{}", stderr(&output));
}

#[test]
fn a_last_line_that_is_still_written_does_not_hide_the_format() {
    let folder = Folder::new();
    let zeek = "#fields\tts\tid.orig_h\tid.resp_h\tconn_state\n1700000000\ta\tb\tSF\n";
    let table = "ts,src,dst\n1700000000,a,b\n";
    let web = "a - - [14/Nov/2023:22:13:20 +0000] \"GET /b/x HTTP/1.1\" 200 5 \"-\" \"curl\"\n";
    for (whole, format) in [(zeek, "zeek-conn"), (table, "csv"), (web, "combined")] {
        let line = whole.lines().last().unwrap();
        for cut in 1..line.len() {
            folder.write("a.log", format!("{whole}{}", &line[..cut]));
            let output = run(&folder, &["top", "a.log", "--until", "1700000009", "--output", "csv", "--quiet"]);
            let rows = stdout(&output);
            assert!(rows.contains("b,1\n") || rows.contains("b,2\n"), "{format} {cut}: {}", stderr(&output));
        }
    }
}

#[test]
fn a_format_that_is_named_is_found_in_the_envelope_of_its_lines() {
    let folder = Folder::new();
    let web = "10.0.0.5 - - [14/Nov/2023:22:13:20 +0000] \"GET /api/x HTTP/1.1\" 200 5 \"-\" \"curl\"";
    let table = "{\"ts\":1700000000,\"src\":\"10.0.0.5\",\"dst\":\"/api\"}";
    for (format, line) in [("combined", web), ("jsonl", table)] {
        let escaped = line.replace('"', "\\\"");
        for (envelope, around) in [
            ("syslog", format!("2023-11-14T22:13:20Z h nginx: {line}\n")),
            ("syslog", format!("<190>Nov 14 22:13:20 h nginx: {line}\n")),
            ("cri", format!("2023-11-14T22:13:20Z stdout F {line}\n")),
            (
                "docker-json",
                format!("{{\"log\":\"{escaped}\\n\",\"stream\":\"stdout\",\"time\":\"2023-11-14T22:13:20Z\"}}\n"),
            ),
        ] {
            folder.write("a.log", around.repeat(3));
            let args = ["top", "a.log", "--format", format, "--until", "1700000009", "--output", "csv"];
            let output = run(&folder, &args);
            assert_eq!(stdout(&output), "server,connections\n/api,3\n", "{format} {around}{}", stderr(&output));
            let said = stderr(&output);
            assert!(said.contains(&format!("{format} in {envelope}")), "{said}");
            let told = run(&folder, &["top", "a.log", "--until", "1700000009", "--output", "csv"]);
            assert_eq!(stdout(&told), stdout(&output), "{around}{}", stderr(&told));
            // Who says that there is none gets none.
            let output = run(&folder, &[&args[..], &["--envelope", "none"]].concat());
            assert_ne!(stdout(&output), "server,connections\n/api,3\n");
        }
    }
}

#[test]
fn columns_that_are_known_by_number_need_no_header() {
    let folder = Folder::new();
    let rows = "1700000000,10.0.0.5,192.0.2.7\n1700000001,10.0.0.5,192.0.2.7\n";
    let by_number = ["--time", "1", "--from", "2", "--to", "3", "--until", "1700000009", "--output", "csv", "-qq"];
    for (text, header) in [(rows.to_owned(), ""), (format!("when,who,whom\n{rows}"), "when,who,whom\n")] {
        folder.write("a.csv", &text);
        folder.write("a.tsv", text.replace(',', "\t"));
        for (log, format) in [("a.csv", "csv"), ("a.tsv", "tsv")] {
            let said = ok(&run(&folder, &[&["top", log, "--format", format][..], &by_number].concat()));
            assert_eq!(said, "server,connections\n192.0.2.7,2\n", "{log} {header}");
        }
    }
}

#[test]
fn an_interrupt_before_a_pipe_has_said_anything_is_no_error() {
    let folder = Folder::new();
    let args = ["top", "-", "--format", "csv", "--until", "latest", "--output", "csv"];
    let mut child = program(&folder).args(args).stdin(std::process::Stdio::piped()).spawn().unwrap();
    let kept_open = child.stdin.take();
    std::thread::sleep(std::time::Duration::from_millis(300));
    signal(&child, "INT");
    let status = child.wait().unwrap();
    drop(kept_open);
    assert_eq!(status.code(), Some(0), "{status}");
}

#[test]
fn headers_beside_malformed_lines_make_no_log() {
    let folder = Folder::new();
    folder.write("a.csv", "time,src_ip,dst_ip\n14.11.2023 22:13:20,10.0.0.5,192.0.2.7\n");
    let output = run(&folder, &["top", "a.csv", "--format", "csv", "--until", "latest"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("none of 2 lines is a record"), "{}", stderr(&output));
    // Lines of another kind alone are no failure.
    folder.write("eve.json", "{\"timestamp\":\"2023-11-14T22:13:20Z\",\"event_type\":\"dns\"}\n");
    ok(&run(&folder, &["top", "eve.json", "--format", "suricata-flow", "--until", "latest"]));
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
fn a_log_without_years_that_was_copied_later_ends_in_the_year_of_its_last_lines() {
    let folder = Folder::new();
    let line =
        |stamp: &str| format!("{stamp} gate sshd[7]: Accepted password for root from 192.0.2.7 port 5000 ssh2\n");
    let auto = |log: &str, more: &[&str]| {
        let asked = ["top", log, "--since", "2024-06-01", "--until", "2025-06-01", "--output", "csv"];
        let output = run(&folder, &[&asked[..], more].concat());
        stdout(&output).lines().nth(1).unwrap_or_default().rsplit(',').next().unwrap_or_default().to_owned()
    };
    // It was copied in the December after, so that its own December could be that one.
    let written = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_765_800_000);
    let months = ["Nov  3", "Nov 30", "Dec  5", "Dec 14", "Dec 20", "Jan  2", "Feb  7"];
    let text: String = months.iter().map(|day| line(&format!("{day} 10:00:00"))).collect();
    // A line may stand behind those that are up to a month later.
    let mixed = format!("{}{}", text, line("Jan 20 10:00:00"));
    for (name, text, expected) in [("sorted.log", &text, "7"), ("mixed.log", &mixed, "8")] {
        folder.write(name, text);
        std::fs::File::options().write(true).open(folder.at(name)).unwrap().set_modified(written).unwrap();
        assert_eq!(auto(name, &[]), expected, "{name}");
        assert_eq!(auto(name, &["--format", "sshd", "--threads", "3", "--scan", "full"]), expected, "{name}");
        assert_eq!(planned(&folder, name, &["--since", "2024-06-01", "--until", "2025-06-01"], "100"), expected);
    }
}

#[test]
fn tasks_of_a_plan_read_lines_as_the_whole_run_does() {
    let folder = Folder::new();
    let zeek = "#fields\tts\tid.orig_h\tid.resp_h\tconn_state\n";
    let zeek: String = (0..400).fold(zeek.to_owned(), |all, at| all + &format!("{}\ta\tb\tSF\n", 1_700_000_000 + at));
    folder.write("conn.log", zeek);
    // No zone, and no header: a whole hour lies between the two readings.
    let squid =
        |at: u64| format!("{{\"time\":\"2023-11-14 23:{:02}:{:02}\",\"src\":\"a\",\"dst\":\"b\"}}\n", at / 60, at % 60);
    folder.write("zoned.json", (800..1_200).map(squid).collect::<String>());
    let window = ["--since", "1700000000", "--until", "1700000999"];
    for (log, more) in [("conn.log", &[][..]), ("zoned.json", &["--timezone", "Europe/Berlin"])] {
        let asked = [&window[..], more].concat();
        let output = run(&folder, &[&["top", log, "--output", "csv"][..], &asked].concat());
        assert_eq!(stdout(&output), "server,connections\nb,400\n", "{}", stderr(&output));
        assert_eq!(planned(&folder, log, &asked, "997"), "400", "{log}");
    }
}

#[test]
fn lines_of_syslog_that_stand_for_several_count_as_these() {
    let folder = Folder::new();
    let line = |at: u64| {
        let text = format!("Failed password for root from 10.0.0.{} port 22 ssh2", at % 3);
        let text = if at.is_multiple_of(4) { format!("message repeated 5 times: [ {text}]") } else { text };
        format!("2023-11-14T22:{:02}:{:02}+00:00 web1 sshd[7]: {text}\n", at / 60, at % 60)
    };
    folder.write("auth.log", (0..400).map(line).collect::<String>());
    let window = ["--since", "2023-11-14T22:00:00Z", "--until", "2023-11-14T23:00:00Z"];
    for more in [&[][..], &["--threads", "3"], &["--every", "1h"]] {
        let window = if more.contains(&"--every") { &window[..0] } else { &window[..] };
        let output = run(&folder, &[&["top", "auth.log", "--output", "csv"][..], window, more].concat());
        let last = stdout(&output).lines().last().unwrap_or_default().to_owned();
        assert!(last.ends_with("web1,800"), "{more:?}: {last} {}", stderr(&output));
        assert!(!stderr(&output).contains("warning"), "{}", stderr(&output));
    }
    assert_eq!(planned(&folder, "auth.log", &window, "997"), "800");
}

#[test]
fn stamps_of_hours_that_clocks_skip_or_repeat_are_counted_where_all_is_measured() {
    let folder = Folder::new();
    let line = |time: &str| format!("{{\"time\":\"{time}\",\"src\":\"a\",\"dst\":\"b\"}}\n");
    let times = [
        "2023-03-26 01:59:59",
        "2023-03-26 02:30:00",
        "2023-10-29 02:00:00",
        "2023-10-29 02:59:59",
        "2023-10-29 03:00:00",
    ];
    folder.write("a.json", times.map(line).concat());
    let asked = ["top", "a.json", "--since", "2023-01-01", "--until", "2024-01-01", "--stats", "--timezone"];
    for (zone, told) in [("Europe/Berlin", [true, true]), ("UTC", [false, false]), ("Africa/Cairo", [false, false])] {
        let said = stderr(&run(&folder, &[&asked[..], &[zone]].concat()));
        let lines =
            ["Unclear stamps: 2 of an hour that happened twice, ", "Unclear stamps: 1 of an hour that never was, "];
        assert_eq!(lines.map(|line| said.contains(line)), told, "{zone}: {said}");
        assert!(said.contains("  records                        5\n"), "{said}");
    }
    let explained = |output: &str| ok(&run(&folder, &["explain", "a.json", "--output", output]));
    assert!(explained("text").contains("  format   jsonl\n"), "{}", explained("text"));
    assert!(explained("json").contains("\"format\":\"jsonl\""), "{}", explained("json"));
}

/// What tasks of a plan of at most so many bytes each count together for the busiest server.
fn planned(folder: &Folder, log: &str, asked: &[&str], bytes: &str) -> String {
    let tallies = count_plan(folder, &[&[log, "--max-partition", bytes][..], asked].concat());
    assert!(tallies.len() > 2, "{tallies:?}");
    let tallies: Vec<&str> = tallies.iter().map(String::as_str).collect();
    let report = ok(&run(folder, &[&["report"][..], &tallies, &["--output", "csv"]].concat()));
    report.lines().nth(1).unwrap_or_default().rsplit(',').next().unwrap_or_default().to_owned()
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

#[test]
fn whether_any_record_has_a_field_is_told_the_same_in_any_chunks() {
    let folder = Folder::new();
    let log = |middle: &str| {
        let line = |at: usize| {
            let more = match at {
                999 => middle,
                // Of lines outside the window it does not matter what they have.
                0..150 | 1_850.. => ",\"rare\":1",
                _ => "",
            };
            format!("{{\"ts\":{},\"src\":\"a\",\"dst\":\"b\"{more}}}\n", 1_700_000_000 + at)
        };
        (0..2_000).map(line).collect::<String>()
    };
    folder.write("p.toml", "location = 'a.json'\nformat = 'auto'\nwhere = 'rare!=2'\noutputs = ['csv']\n");
    let asked = ["run", "p.toml", "--since", "1700000200", "--until", "1700001799", "-q"];
    for (middle, is_told) in [("", true), (",\"rare\":1", false)] {
        folder.write("a.json", log(middle));
        for shape in ["chunk=200B threads=1", "chunk=700B threads=3", "chunk=1MiB threads=2"] {
            for more in ["", "scan=full", "every=100s seconds=100s align=1700000000", "every=100s max-jump=0"] {
                let more = shape.split(' ').chain(more.split_whitespace()).chain(["max-line=100B"]);
                let more: Vec<&str> = more.flat_map(|key| ["--set", key]).collect();
                let output = run(&folder, &[&asked[..], &more].concat());
                assert_eq!(output.status.code(), Some(0), "{more:?}: {}", stderr(&output));
                let told = "logparser: warning: no record has a field 'rare': check its name in --where";
                assert_eq!(stderr(&output).contains(told), is_told, "{more:?}: {}", stderr(&output));
                assert!(stdout(&output).lines().count() > 1, "{more:?}");
            }
        }
    }
    // Who wants to hear of nothing does not.
    let output = run(&folder, &["top", "a.json", "--where", "rear=2", "--until", "latest", "--output", "csv", "-qq"]);
    assert_eq!(stderr(&output), "");
    let output = run(&folder, &["top", "a.json", "--where", "rear=2", "--until", "latest", "--output", "csv", "-q"]);
    assert_eq!(stderr(&output).matches("no record has a field 'rear'").count(), 1, "{}", stderr(&output));
}
