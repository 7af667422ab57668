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

/// A log that names its columns in two ways: each line that does, and lines behind it, of a time T and a
/// host H that connected to `b`.
type Renamed = [(&'static str, &'static str); 2];

#[test]
fn a_log_that_names_other_columns_further_on_is_read_by_these_from_there_on() {
    let zeek: Renamed = [
        ("#fields\tts\tid.orig_h\tid.resp_h\tconn_state\n", "T\tH\tb\tSF\n"),
        ("#fields\tid.orig_h\tconn_state\tts\tid.resp_h\n", "H\tSF\tT\tb\n"),
    ];
    let csv: Renamed = [("ts,src,dst\n", "T,H,b\n"), ("dst,\"Src\",bytes,ts\r\n", "b,H,20,T\r\n")];
    let others_alike: Renamed =
        [("time,client,server\n", "T,H,b\n"), ("server_ip,source_ip,@timestamp\n", "b,\"H\",T\n")];
    // Such a log needs no header where its columns are those of version 2.
    let vpc: Renamed =
        [("", "2 1 eni-1 H b 1 2 6 1 1 T T ACCEPT OK\n"), ("start end dstaddr srcaddr version\n", "T T b H 3\n")];
    let nfdump: Renamed =
        [("ts,te,td,sa,da\n", "T,T,0,H,b\n"), ("firstSeen,duration,dstAddr,srcAddr\n", "T,0.0,b,H\n")];
    let silk: Renamed = [
        ("  sIP|  dIP|  sTime|duration|\n", "  H|   b|  T|     0|\n"),
        ("sTime|      eTime|dIP|    sIP|\n", "T|     T|  b|     H|\n"),
    ];
    for (format, kinds) in [
        ("zeek-conn", zeek),
        ("csv", csv),
        ("csv", others_alike),
        ("vpc-flow", vpc),
        ("nfdump-csv", nfdump),
        ("silk", silk),
    ] {
        for wrap in [|line| line, in_syslog, in_cri, in_docker] {
            renamed(format, kinds, wrap);
        }
    }
}

fn in_syslog(line: String) -> String {
    format!("2023-11-14T22:13:20Z node1 app[7]: {line}")
}

fn in_cri(line: String) -> String {
    format!("2023-11-14T22:13:20Z stdout F {line}")
}

fn in_docker(line: String) -> String {
    serde_json::json!({ "log": line, "time": "2023-11-14T22:13:20Z" }).to_string() + "\n"
}

fn renamed(format: &str, kinds: Renamed, wrap: fn(String) -> String) {
    let folder = Folder::new();
    let line = |number: u32, (_, line): (&str, &str)| {
        let line = line.replace('T', &(1_700_000_000 + number).to_string());
        wrap(line.replace('H', &format!("a{}", number % 7)))
    };
    // What needs no header is not named again.
    let kind = |number: u32| if kinds[0].0.is_empty() { number.min(100) / 100 } else { number / 100 % 2 };
    let lines: String = (0..3_000)
        .map(|number| {
            let is_named = number == 0 || kind(number) != kind(number - 1);
            let kind = kinds[kind(number) as usize];
            let named = if is_named && !kind.0.is_empty() { wrap(kind.0.to_owned()) } else { String::new() };
            named + &line(number, kind)
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
    let asked = ["top", "conn.log", "--format", format, "-r", "top-pairs", "--output", "csv", "-qq"];
    let every = |more: &[&str]| ok(&run(&folder, &[&asked[..], more].concat()));
    for chunk in ["64", "1000", "1MiB"] {
        folder.write(
            "p.toml",
            format!(
                "location = 'conn.log'\nformat = '{format}'\nchunk = '{chunk}'\nreports = ['top-pairs']\n\
                 outputs = ['csv']\n"
            ),
        );
        let asked = ["run", "p.toml", "-qq", "--since", "2023-11-14", "--until", "1700010000"];
        assert_eq!(sorted(&ok(&run(&folder, &asked))), expected, "{format} {chunk}");
        // Nothing of it can be skipped into.
        let part =
            run(&folder, &[&asked[..4], &["1700002000", "--until", "1700002099", "--set", "prune-above=0"]].concat());
        let counts =
            stdout(&part).lines().skip(1).filter_map(|row| row.rsplit(',').next()?.parse::<u32>().ok()).sum::<u32>();
        assert_eq!(counts, 100, "{format} {chunk}");
    }
    assert_eq!(sorted(&every(&["--since", "2023-11-14", "--until", "latest", "--scan", "full"])), expected);
    let windows = every(&["--every", "100s", "--seconds", "100s", "--align", "1700000000"]);
    assert_eq!(windows.lines().filter(|row| row.ends_with(",15")).count(), 30 * 2, "{windows}");
    // Nor can it be divided.
    let of = ["conn.log", "--format", format, "--until"];
    let plan =
        run(&folder, &[&["plan"], &of[..], &["1700010000", "--last", "10h", "--max-partition", "1000"]].concat());
    assert_eq!(stdout(&plan).matches("\"from\"").count(), 1, "{}", stdout(&plan));
    let part =
        run(&folder, &[&["partial"], &of[..], &["latest", "--range", "9000..10000", "--output", "x.tally"]].concat());
    let said = stderr(&part);
    assert!(part.status.code() == Some(2) && said.contains("names other columns before byte"), "{format}: {said}");
}

#[test]
fn records_with_names_of_columns_in_them_name_none() {
    let folder = Folder::new();
    // Hosts that are called as columns are, and lines that are no records and say too little to name any.
    let lines = "ts,src,dst,kind\n1700000000,src,dst,ts\n1700000001,client,server,time\nbad,src,x,y\n\
                 1700000002,src,b,c\n\n1700000003,source,b,\"src\"\n";
    folder.write("a.csv", lines);
    let args =
        ["top", "a.csv", "--format", "csv", "--until", "1700000009", "-r", "top-pairs", "--output", "csv", "--stats"];
    let output = run(&folder, &args);
    let expected = "from,to,connections\nclient,server,1\nsource,b,1\nsrc,b,1\nsrc,dst,1\n";
    assert_eq!(stdout(&output), expected, "{}", stderr(&output));
    assert!(stderr(&output).contains("1 malformed line"), "{}", stderr(&output));
}

#[test]
fn lines_behind_columns_that_make_no_record_are_malformed_until_other_columns_are_named() {
    let folder = Folder::new();
    let good = "#fields\tts\tid.orig_h\tid.resp_h\tconn_state\n1700000000\ta\tb\tSF\n";
    for named in ["#fields", "#fields\t", "#fields\tts\tuid", "#fields\tts\tid.orig_h\tuid\tconn_state"] {
        let lost = "1700000001\tc\td\tSF\n1700000002\te\n";
        folder.write("conn.log", format!("{good}{named}\n{lost}{good}{named}"));
        for chunk in ["64", "1MiB"] {
            folder.write(
                "p.toml",
                format!("location = 'conn.log'\nchunk = '{chunk}'\nformat = 'zeek-conn'\noutputs = ['csv']\n"),
            );
            let output = run(&folder, &["run", "p.toml", "--until", "1700000009", "--stats", "-q"]);
            assert_eq!((output.status.code(), &stdout(&output)[..]), (Some(0), "server,connections\nb,2\n"), "{named}");
            let said = stderr(&output);
            assert!(said.contains("2 malformed lines (2 not of the form)"), "{named}: {said}");
        }
    }
}

#[test]
fn a_table_whose_next_header_lacks_a_column_is_malformed_from_there_on() {
    let folder = Folder::new();
    let good = "ts,src,dst,bytes\n1700000000,a,b,1\n";
    for named in ["ts,src,bytes", "src,dst,bytes", "bytes,ts,src,packets"] {
        let lost = "1700000001,c,1\n1700000002,d,1,2\n";
        folder.write("a.csv", format!("{good}{named}\n{lost}{good}{named}\n"));
        let args = ["top", "a.csv", "--format", "csv", "--until", "1700000009", "--output", "csv", "--stats", "-q"];
        let output = run(&folder, &args);
        assert_eq!((output.status.code(), &stdout(&output)[..]), (Some(0), "server,connections\nb,2\n"), "{named}");
        let said = stderr(&output);
        assert!(said.contains("2 malformed lines (2 not of the form)"), "{named}: {said}");
    }
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
fn a_mark_before_the_first_line_is_no_part_of_it() {
    let folder = Folder::new();
    let mark = "\u{feff}";
    let web = "10.0.0.5 - - [14/Nov/2023:22:13:20 +0000] \"GET /b/x HTTP/1.1\" 200 5 \"-\" \"curl\"\n";
    for (format, header, line) in [
        ("combined", "", web),
        ("csv", "ts,src,dst\n", "1700000000,10.0.0.5,/b\n"),
        ("vpc-flow", "srcaddr dstaddr end\n", "10.0.0.5 /b 1700000000\n"),
        ("zeek-conn", "#fields\tts\tid.orig_h\tid.resp_h\tconn_state\n", "1700000000\t10.0.0.5\t/b\tSF\n"),
        ("jsonl", "", "{\"ts\":1700000000,\"src\":\"10.0.0.5\",\"dst\":\"/b\"}\n"),
        ("logfmt", "", "ts=1700000000 src=10.0.0.5 dst=/b\n"),
    ] {
        // Several of such files put together have it further down, too.
        let file = format!("{mark}{header}{line}{line}");
        for (log, count) in [(file.clone(), 2), (file.repeat(3), 6), (format!("{header}{line}{file}"), 3)] {
            folder.write("a.log", log);
            let asked =
                ["top", "a.log", "--until", "1700000009", "-r", "top-pairs", "--output", "csv", "-q", "--stats"];
            for more in [&[][..], &["--format", format], &["--set", "chunk=64B", "--set", "max-line=200B"]] {
                let output = run(&folder, &[&asked[..], more].concat());
                let expected = format!("from,to,connections\n10.0.0.5,/b,{count}\n");
                assert_eq!(stdout(&output), expected, "{format} {more:?}: {}", stderr(&output));
                assert!(!stderr(&output).contains(" malformed line"), "{format}: {}", stderr(&output));
            }
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
    assert!(stderr(&output).contains("+ blank                        3\n"), "{}", stderr(&output));
}

#[test]
fn columns_that_later_lines_lack_are_not_there() {
    let folder = Folder::new();
    folder.write("a.csv", "ts,src,dst,bytes\n1700000000,a,b,5\nts,src,dst\n1700000001,c,d\n1700000002,c,d\n");
    let asked = ["top", "a.csv", "--until", "1700000009", "-r", "top-pairs", "--output", "csv", "-q"];
    for (more, expected) in [
        (["--sum", "bytes"], "from,to,connections,bytes\nc,d,2,0\na,b,1,5\n"),
        (["--where", "bytes!=5"], "from,to,connections\nc,d,2\n"),
        (["--where", "bytes=5"], "from,to,connections\na,b,1\n"),
        (["--where", "bytes=5 or bytes missing"], "from,to,connections\nc,d,2\na,b,1\n"),
    ] {
        let output = run(&folder, &[&asked[..], &more].concat());
        assert_eq!(stdout(&output), expected, "{more:?}: {}", stderr(&output));
        assert!(!stderr(&output).contains("malformed"), "{}", stderr(&output));
    }
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
        let text = if at % 4 == 0 { format!("message repeated 5 times: [ {text}]") } else { text };
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
    let asked = ["top", "a.json", "--where", "rare!=2", "--since", "1700000200", "--until", "1700001799"];
    for (middle, is_told) in [("", true), (",\"rare\":1", false)] {
        folder.write("a.json", log(middle));
        for shape in ["--chunk 200 --threads 1", "--chunk 700 --threads 3", "--chunk 1MiB --threads 2"] {
            for more in ["", "--scan full", "--every 100s --align 1700000000", "--every 100s --max-jump 0"] {
                let more: Vec<&str> = shape.split(' ').chain(more.split_whitespace()).collect();
                let output = run(&folder, &[&asked[..], &more, &["--output", "csv", "-q"]].concat());
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
