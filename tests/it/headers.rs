//! Logs whose lines name columns: further down other ones than at the beginning, within envelopes,
//! behind marks.

use crate::support::{Folder, ok, run, stderr, stdout, with_peak_memory};

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
        run(&folder, &[&["partial"], &of[..], &["latest", "--range", "40000..41000", "--output", "x.tally"]].concat());
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
            for more in [&[][..], &["--format", format], &["--threads", "1"]] {
                let output = run(&folder, &[&asked[..], more].concat());
                let expected = format!("from,to,connections\n10.0.0.5,/b,{count}\n");
                assert_eq!(stdout(&output), expected, "{format} {more:?}: {}", stderr(&output));
                assert!(!stderr(&output).contains(" malformed line"), "{format}: {}", stderr(&output));
            }
        }
    }
}

#[test]
fn lines_of_headers_that_end_oddly_end_no_run() {
    let folder = Folder::new();
    for (end, at_first) in [("\r\r\n", false), ("\r\r\n", true), (" \n", false), ("\r\n", true)] {
        let first = if at_first { end } else { "\n" };
        folder.write("a.csv", format!("ts,src,dst{first}1700000000,a,b\nts,dst,src{end}1700000001,d,c\n"));
        let asked =
            ["top", "a.csv", "--format", "csv", "--until", "1700000009", "-r", "top-pairs", "--output", "csv", "-q"];
        assert_eq!(ok(&run(&folder, &asked)), "from,to,connections\na,b,1\nc,d,1\n", "{end:?}");
    }
}

#[test]
fn floods_of_headers_and_of_columns_take_little() {
    let folder = Folder::new();
    let lines =
        (0..5_000).map(|at| format!("ts,dst,src,x{at}\n1700000000,b,a,1\nts,src,dst,y{at}\n1700000000,a,b,1\n"));
    folder.write("a.csv", lines.collect::<String>());
    let columns: String = (0..6_000).map(|at| format!(",c{at}")).collect();
    let row: String = (0..6_000).map(|at| format!(",k{at}")).collect();
    folder.write(
        "b.csv",
        format!("ts,src,dst{columns}\n{}1700000000,a,b{row}\n", format!("bad,src,b{row}\n").repeat(50)),
    );
    for (log, count) in [("a.csv", 10_000), ("b.csv", 1)] {
        let args = ["top", log, "--format", "csv", "--until", "1700000009", "-r", "top-pairs", "--output", "csv", "-q"];
        let (peak, output) = with_peak_memory(&folder, &args);
        assert_eq!(stdout(&output), format!("from,to,connections\na,b,{count}\n"), "{}", stderr(&output));
        assert!(peak < 200 << 10, "{log}: {peak} KiB");
    }
}
