//! Sums of measures, and lines that stand for several connections: the same whoever counts how, and what
//! a plain sum says.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::support::{
    BASE, Folder, Random, Running, SHAPES, Shape, append, count_plan, follower, ok, results, run, said, seconds,
    stderr, terminate, wait_until_saved,
};

/// Connections, and the sums of two measures.
type Row = (u64, u64, u64);

type Expected = BTreeMap<(String, String), Row>;

/// A table with bytes and packets, some of them missing; what it comes to from second `first` to before
/// `end`, and how many records lack a number of bytes.
fn table(random: &mut Random, lines: u64, hosts: u64) -> (String, impl Fn(u64, u64) -> (Expected, u64) + use<>) {
    let (mut text, mut records) = ("time,src_ip,dst_ip,bytes,packets\n".to_owned(), Vec::new());
    for line in 0..lines {
        let second = line * 100 / lines + random.below(5);
        let (from, to) = (format!("s{}", random.below(hosts)), format!("d{}", random.below(7)));
        let bytes = (random.below(9) > 0).then(|| random.below(1 << 40));
        let packets = random.below(99);
        let shown = bytes.map_or(["", "-", "1.5"][random.below(3) as usize].to_owned(), |bytes| bytes.to_string());
        text += &format!("{},{from},{to},{shown},{packets}\n", BASE as u64 + second);
        records.push((second, from, to, bytes, packets));
    }
    let sum_up = move |first: u64, end: u64| {
        let (mut expected, mut missing) = (Expected::new(), 0);
        for (_, from, to, bytes, packets) in records.iter().filter(|record| (first..end).contains(&record.0)) {
            let row = expected.entry((from.clone(), to.clone())).or_default();
            *row = (row.0 + 1, row.1 + bytes.unwrap_or(0), row.2 + packets);
            missing += u64::from(bytes.is_none());
        }
        (expected, missing)
    };
    (text, sum_up)
}

/// The pairs of a result whose only report is `top-pairs`.
fn pairs(result: &Value) -> Expected {
    let rows = result["reports"][0]["rows"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let number = |value: &Value| value.as_u64().unwrap();
    let row = |row: &Value| ((text(&row[0]), text(&row[1])), (number(&row[2]), number(&row[3]), number(&row[4])));
    rows.iter().map(row).collect()
}

const SUMS: [&str; 12] = [
    "--format",
    "auto",
    "--sum",
    "bytes",
    "--sum",
    "packets",
    "--output",
    "json",
    "-r",
    "top-pairs",
    "--limit",
    "1000000",
];

/// What a pipeline prints that asks the same of `a.csv`, with further keys and settings.
fn piped(folder: &Folder, keys: &str, settings: &[String]) -> String {
    let sums = "location = 'a.csv'\nsum = ['bytes', 'packets']\nreports = ['top-pairs']\nlimit = 1000000\n\
                outputs = ['json']\n";
    folder.write("p.toml", format!("{sums}{keys}"));
    let settings = settings.iter().flat_map(|setting| ["--set", setting]);
    ok(&run(folder, &["run", "p.toml"].into_iter().chain(settings).collect::<Vec<_>>()))
}

fn settings((threads, capacity, chunk, chain): Shape<'_>) -> Vec<String> {
    let (threads, capacity) = (format!("threads={threads}"), format!("capacity={capacity}"));
    vec![threads, capacity, format!("chunk={chunk}"), format!("chain={chain}")]
}

#[test]
fn sums_are_those_of_a_plain_sum_under_every_shape() {
    let (folder, mut random) = (Folder::new(), Random::new(5));
    let (text, expected) = table(&mut random, 3_000, 60);
    folder.write("a.csv", text);
    let keys = format!("until = {}\nseconds = 40\n", BASE + 79);
    for of in SHAPES {
        let said = piped(&folder, &keys, &settings(of));
        let result: Value = serde_json::from_str(&said).unwrap();
        let (expected, missing) = expected(39, 80);
        assert_eq!(pairs(&result), expected, "{of:?}");
        let total = |of: fn(&Row) -> u64| expected.values().map(of).sum::<u64>();
        assert_eq!(result["measures"][0]["missing"], missing, "{of:?}");
        assert_eq!(result["measures"][0]["sum"], total(|row| row.1), "{of:?}");
        assert_eq!(result["measures"][1]["sum"], total(|row| row.2), "{of:?}");
    }
}

#[test]
fn sliding_windows_have_the_sums_of_their_own_records() {
    let (folder, mut random) = (Folder::new(), Random::new(6));
    let (text, expected) = table(&mut random, 4_000, 40);
    folder.write("a.csv", text);
    for (period, chunk) in [("10s", "64"), ("10s", "1MiB"), ("20s", "4KiB"), ("40s", "4KiB")] {
        let keys = format!("every = '{period}'\nseconds = 40\nlateness = '10s'\n");
        let said = piped(&folder, &keys, &[format!("chunk={chunk}")]);
        let mut windows = 0;
        for line in said.lines() {
            let result: Value = serde_json::from_str(line).unwrap();
            let at = |which: &str| result["window"][which].as_i64().unwrap() - BASE;
            let (start, end) = (at("start_unix").max(0) as u64, at("end_unix") as u64);
            assert_eq!(pairs(&result), expected(start, end).0, "{start} to {end}, every {period}");
            assert_eq!(result["measures"][0]["missing"], expected(start, end).1);
            windows += 1;
        }
        assert!(windows > 2, "{said}");
    }
}

#[test]
fn where_memory_is_short_sums_are_exact_by_means_of_the_disk_or_told() {
    let (folder, mut random) = (Folder::new(), Random::new(7));
    let (text, _) = table(&mut random, 400_000, 300_000);
    folder.write("a.csv", text);
    let until = (BASE + 200).to_string();
    let args = ["top", "a.csv", "--until", &until, "--seconds", "1000", "--threads", "2"];
    let with = |more: &[&str]| run(&folder, &[&args[..], &SUMS, more].concat());
    let free = ok(&with(&[]));
    // Reports on hosts of either side, on services, and on two windows.
    let more = [
        "-r",
        "talkers:by=bytes,limit=999,shares=true",
        "-r",
        "services:by=packets,reverse=true",
        "-r",
        "totals",
        "-r",
        "gone-pairs:limit=999",
        "-r",
        "risers:of=sources,limit=999",
        "-r",
        "peers:host=d1,by=bytes",
    ];
    for every in [&[][..], &["--every", "500s"]] {
        let limit = ["--max-memory", "40MiB", "--memory-policy", "spill"];
        let free = ok(&with(&[every, &more].concat()));
        assert!(ok(&with(&[&limit[..], every, &more].concat())) == free, "{every:?}");
    }
    let result = |said: &str| serde_json::from_str::<Value>(said).unwrap();
    let short = result(&ok(&with(&["--max-memory", "40MiB"])));
    assert!(short["reports"][0]["overflow"].as_u64().unwrap() > 0);
    // What has no pair is in the sums of the window.
    assert_eq!(short["measures"], result(&free)["measures"]);
    let (short, free) = (pairs(&short), pairs(&result(&free)));
    assert!(short.len() < free.len() && short.iter().all(|(pair, row)| row.1 <= free[pair].1));
}

#[test]
fn tallies_with_sums_give_the_report_of_one_run() {
    let (folder, mut random) = (Folder::new(), Random::new(8));
    for name in ["a.csv", "b.csv"] {
        folder.write(name, table(&mut random, 2_000, 50).0);
    }
    let asks = ["--until", "1700000090", "--seconds", "60", "--format", "csv", "--sum", "bytes", "--sum", "p=packets"];
    let shows = ["--output", "json", "-r", "top-pairs:by=bytes", "-r", "timeline", "-r", "fan-in", "-r", "matrix:by=p"];
    let whole = run(&folder, &[&["top", "a.csv", "b.csv"][..], &asks, &shows].concat());
    let mut files = count_plan(&folder, &[&["a.csv", "b.csv", "--max-partition", "9000"][..], &asks].concat());
    assert!(files.len() > 3);
    files.reverse();
    let names: Vec<&str> = files.iter().map(String::as_str).collect();
    ok(&run(&folder, &[&["merge", "--output", "all.tally"][..], &names].concat()));
    for source in [&names[..], &["all.tally"]] {
        let report = run(&folder, &[&["report"][..], source, &shows].concat());
        assert_eq!(ok(&report), ok(&whole));
        assert_eq!(stderr(&report), stderr(&whole));
    }
    let refused = run(&folder, &["report", "all.tally", "-r", "top-pairs:by=size"]);
    assert!(stderr(&refused).contains("cannot rank by 'size': bytes, p is summed"), "{}", stderr(&refused));
    ok(&run(
        &folder,
        &["partial", "b.csv", "--until", "1700000090", "--seconds", "60", "--format", "csv", "--output", "n.tally"],
    ));
    let refused = run(&folder, &["merge", &files[0], "n.tally", "--output", "x.tally"]);
    assert!(stderr(&refused).contains("one sums bytes, p, and the other nothing"), "{}", stderr(&refused));
}

#[test]
fn a_line_that_stands_for_several_connections_is_several() {
    let folder = Folder::new();
    let line = |second: u64, from: &str, flows: &str| {
        format!("2023-11-14 22:13:{second},1.2,TCP,{from},1,192.0.2.7,443,10,1200,{flows}\n")
    };
    let text = [
        "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows\n".to_owned(),
        line(20, "10.0.0.5", "7"),
        line(21, "10.0.0.6", "2"),
        line(22, "10.0.0.6", "0"),
        line(23, "10.0.0.5", "1"),
    ]
    .concat();
    folder.write("a.csv", text);
    let args = ["a.csv", "--format", "nfdump-csv", "--until", "2023-11-14T22:14:00Z", "--sum", "bytes"];
    let shows = ["--output", "json", "-r", "top-sources", "-r", "timeline"];
    let whole = run(&folder, &[&["top"][..], &args, &shows].concat());
    let result: Value = serde_json::from_str(&ok(&whole)).unwrap();
    assert_eq!(result["reports"][0]["rows"], serde_json::json!([["10.0.0.5", 8, 2400], ["10.0.0.6", 3, 2400]]));
    assert_eq!((&result["balance"]["counted"], &result["measures"][0]["sum"]), (&Value::from(4), &Value::from(4800)));
    let said = "logparser: warning: 1 record should say how many connections they stand for and do not; each is one\n";
    assert!(stderr(&whole).contains(said), "{}", stderr(&whole));
    ok(&run(&folder, &[&["partial", "--output", "a.tally"][..], &args].concat()));
    assert_eq!(ok(&run(&folder, &[&["report", "a.tally"][..], &shows].concat())), ok(&whole));
}

/// Follows a text that is written in parts, by runs that are killed between them: the last revision of
/// each window, by its start. All of it is right as soon as it is printed, so that each revision has to be
/// what the parts before say.
fn followed(folder: &Folder, keys: &str, text: &str, random: &mut Random) -> BTreeMap<i64, Value> {
    let windows = "seconds = '10s'\nevery = '10s'\ngrouping-seconds = '10s'\nalign = 'epoch'\nlateness = '5s'\n";
    let run = "location = 'logs/log*'\nfollow = true\nsince = '1970-01-01T00:00:00Z'\nstate = 'state'\n\
               checkpoint = '50ms'\noutputs = ['json']\nthreads = 2\n";
    folder.write("pipeline.toml", format!("{windows}{run}{keys}"));
    let log = folder.at("logs/log");
    let mut left = text;
    while !left.is_empty() {
        let end = left.len().min(1 + random.below(text.len() as u64 / 8) as usize);
        append(&log, &left[..end]);
        left = &left[end..];
        let mut running = Running(follower(folder).spawn().unwrap());
        if left.is_empty() {
            wait_until_saved(folder, text.len() as u64);
            assert_eq!(terminate(&mut running).0, Some(0), "{}", said(folder));
        } else {
            std::thread::sleep(Duration::from_millis(random.below(250)));
            running.0.kill().unwrap();
        }
    }
    let start = |result: &Value| seconds(result["window"]["start"].as_str().unwrap());
    let results = results(folder).into_iter().filter(|result| result["window"]["provisional"] != Value::Bool(true));
    results.map(|result| (start(&result), result)).collect()
}

#[test]
fn sums_of_logs_that_are_followed_are_exact_over_kills() {
    let (folder, mut random) = (Folder::new(), Random::new(11));
    let (text, sum_up) = table(&mut random, 4_000, 40);
    std::fs::create_dir(folder.at("logs")).unwrap();
    let keys = "format = 'csv'\nsum = ['bytes', 'packets']\nreports = [{ name = 'top-pairs', limit = 1000000 }]\n";
    let results = followed(&folder, keys, &text, &mut random);
    // The last ones were still open.
    assert_eq!(results.len(), 9);
    for (start, result) in results {
        let first = (start - BASE) as u64;
        let (expected, missing) = sum_up(first, first + 10);
        let told = &result["measures"][0]["missing"];
        assert_eq!((pairs(&result), told), (expected, &Value::from(missing)), "{}", result["window"]);
    }
    let (all, missing) = sum_up(0, u64::MAX);
    let shown = ok(&run(&folder, &["state", "show", "--state", "state", "--output", "json"]));
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let bytes = all.values().map(|row| row.1).sum::<u64>();
    let expected = serde_json::json!({ "name": "bytes", "sum": bytes, "missing": missing });
    assert_eq!(shown["contents"]["measures"][0], expected);
    // Other sums would need other counts.
    let other = run(&folder, &["run", "pipeline.toml", "--set", "sum=bytes"]);
    assert_eq!(other.status.code(), Some(4), "{}", stderr(&other));
}

#[test]
fn lines_that_stand_for_several_connections_are_followed_exactly_over_kills() {
    let (folder, mut random) = (Folder::new(), Random::new(12));
    std::fs::create_dir(folder.at("logs")).unwrap();
    let mut text = "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows\n".to_owned();
    let mut expected = BTreeMap::<i64, BTreeMap<String, u64>>::new();
    for line in 0..2_000u64 {
        let (second, host, flows) = (line / 50, random.below(30), random.below(9));
        let time = format!("2023-11-14 22:{:02}:{:02}", 13 + (20 + second) / 60, (20 + second) % 60);
        text += &format!("{time},0,TCP,10.0.0.{host},1,192.0.2.7,443,10,1200,{flows}\n");
        let window = expected.entry(BASE + (second / 10 * 10) as i64).or_default();
        // Nobody makes no connection.
        *window.entry(format!("10.0.0.{host}")).or_default() += flows.max(1);
    }
    let keys = "format = 'nfdump-csv'\nreports = [{ name = 'top-sources', limit = 1000000 }]\n";
    let results = followed(&folder, keys, &text, &mut random);
    // The last one was still open.
    assert_eq!(results.len(), 3);
    for (start, result) in results {
        let rows = result["reports"][0]["rows"].as_array().unwrap().iter();
        let row = |row: &Value| (row[0].as_str().unwrap().to_owned(), row[1].as_u64().unwrap());
        assert_eq!(rows.map(row).collect::<BTreeMap<_, _>>(), expected[&start], "{}", result["window"]);
    }
}

#[test]
fn a_sum_that_leaves_its_64_bits_ends_the_run_and_says_where() {
    let folder = Folder::new();
    let most = u64::MAX - 5;
    folder.write("a.csv", format!("time,src_ip,dst_ip,bytes\n{BASE},a,x,{most}\n{BASE},b,y,5\n{BASE},c,z,1\n"));
    folder.write("p.toml", "location = 'a.csv'\nformat = 'csv'\nuntil = 'latest'\nsum = 'bytes'\n");
    for chunk in ["chunk=64", "chunk=1MiB"] {
        let output = run(&folder, &["run", "p.toml", "--set", chunk]);
        assert_eq!(output.status.code(), Some(1));
        let said = "a.csv: with the line at byte 78 the sum of bytes is more than a number of 64 bits can say";
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
    let enough = ["top", "a.csv", "--format", "csv", "--until", "latest", "--sum", "bytes", "--where", "src_ip!=c"];
    let said = ok(&run(&folder, &[&enough[..], &["--output", "csv"]].concat()));
    assert!(said.contains(&most.to_string()), "{said}");
}

#[test]
fn what_cannot_be_summed_is_refused_with_what_to_do() {
    let folder = Folder::new();
    folder.write("a.csv", format!("time,src_ip,dst_ip,bytes\n{BASE},a,x,1\n"));
    folder.write("a.log", format!("{BASE} a x\n"));
    for (args, said) in [
        (
            &["a.log", "--format", "plain", "--sum", "bytes"][..],
            "lines of plain have no numbers to sum; say which format",
        ),
        (&["a.log", "--format", "auto", "--sum", "bytes"], "there is no field 'bytes'; the fields are time, from, to"),
        (&["a.csv", "--format", "csv", "--sum", "size"], "sum of size: there is no field 'size'"),
        (&["a.csv", "--format", "csv", "--sum", "size"], "the fields are time, src_ip, dst_ip, bytes"),
        (&["a.csv", "--format", "csv", "--sum", "a=bytes+size"], "there is no field 'size'"),
        (&["a.csv", "--format", "csv", "--sum", "a b"], "'a b' is no measure"),
        (&["a.csv", "--format", "auto", "--sum", "from"], "'from' is a column that reports have already"),
        (&["a.csv", "--format", "csv", "--sum", "bytes", "--sum", "bytes"], "'bytes' is asked for twice"),
        (&["a.csv", "--format", "csv", "--by", "bytes"], "cannot rank by 'bytes': nothing is summed; add --sum bytes"),
    ] {
        let output = run(&folder, &[&["top", "--until", "latest"][..], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{args:?}: {}", stderr(&output));
    }
    let five: Vec<&str> = ["a", "b", "c", "d", "e"].into_iter().flat_map(|name| ["--sum", name]).collect();
    let output = run(&folder, &[&["top", "a.csv", "--format", "csv"][..], &five].concat());
    assert!(stderr(&output).contains("at most 4 measures"), "{}", stderr(&output));
}
