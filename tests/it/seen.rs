//! When pairs and hosts were first and last seen (`--seen`): what a plain look at the lines says, whoever
//! counts how.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{
    BASE, Folder, Random, Running, SHAPES, append, count_plan, follower, ok, results, run, said, seconds, stderr,
    terminate, wait_until_saved,
};

/// Connections, and the first and the last of them in milliseconds.
type Row = (u64, i64, i64);

type Expected = BTreeMap<(String, String), Row>;

/// Lines with milliseconds, out of order by up to two seconds, and what they come to from one second to
/// before another.
fn log(random: &mut Random, lines: u64, hosts: u64) -> (String, impl Fn(i64, i64) -> Expected + use<>) {
    let (mut text, mut records) = (String::new(), Vec::new());
    for line in 0..lines {
        let at = (BASE * 1_000) + (line * 100_000 / lines) as i64 + random.below(2_000) as i64;
        let (from, to) = (format!("s{}", random.below(hosts)), format!("d{}", random.below(5)));
        text += &format!("{}.{:03} {from} {to}\n", at / 1_000, at % 1_000);
        records.push((at, from, to));
    }
    let look = move |first: i64, end: i64| {
        let mut expected = Expected::new();
        for (at, from, to) in records.iter().filter(|record| (first * 1_000..end * 1_000).contains(&record.0)) {
            let row = expected.entry((from.clone(), to.clone())).or_insert((0, *at, *at));
            *row = (row.0 + 1, row.1.min(*at), row.2.max(*at));
        }
        expected
    };
    (text, look)
}

/// Milliseconds since 1970.
fn millis(cell: &Value) -> i64 {
    let time = humantime::parse_rfc3339(cell.as_str().unwrap()).unwrap();
    time.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64
}

/// The pairs of a result whose first report is `top-pairs`.
fn pairs(result: &Value) -> Expected {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let row =
        |row: &Value| ((text(&row[0]), text(&row[1])), (row[2].as_u64().unwrap(), millis(&row[3]), millis(&row[4])));
    result["reports"][0]["rows"].as_array().unwrap().iter().map(row).collect()
}

const PAIRS: &str = "location = 'a.log'\nformat = 'plain'\nseen = true\noutputs = ['json']\n\
                     reports = [{ name = 'top-pairs', limit = 1000000 }]\n";

#[test]
fn times_are_those_of_the_lines_under_every_shape() {
    let (folder, mut random) = (Folder::new(), Random::new(21));
    let (text, look) = log(&mut random, 3_000, 40);
    folder.write("a.log", text);
    folder.write("p.toml", format!("{PAIRS}since = {}\nuntil = '{}.999999999'\n", BASE + 20, BASE + 79));
    for (threads, capacity, chunk, chain) in SHAPES {
        let settings = [
            format!("threads={threads}"),
            format!("capacity={capacity}"),
            format!("chunk={chunk}"),
            format!("chain={chain}"),
        ];
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        let said = ok(&run(&folder, &["run", "p.toml"].into_iter().chain(settings).collect::<Vec<_>>()));
        assert_eq!(pairs(&serde_json::from_str(&said).unwrap()), look(BASE + 20, BASE + 80));
    }
}

#[test]
fn windows_that_slide_have_the_times_of_their_own_records() {
    let (folder, mut random) = (Folder::new(), Random::new(22));
    let (text, look) = log(&mut random, 4_000, 30);
    folder.write("a.log", text);
    for (period, chunk) in [("10s", "64"), ("20s", "4KiB"), ("40s", "1MiB")] {
        let windows = format!("every = '{period}'\nseconds = 40\nlateness = '5s'\nchunk = '{chunk}'\n");
        folder.write("p.toml", format!("{PAIRS}{windows}"));
        let said = ok(&run(&folder, &["run", "p.toml"]));
        for line in said.lines() {
            let result: Value = serde_json::from_str(line).unwrap();
            let at = |which: &str| result["window"][which].as_i64().unwrap();
            assert_eq!(pairs(&result), look(at("start_unix"), at("end_unix")), "{}", result["window"]);
        }
        assert!(said.lines().count() > 2, "{said}");
    }
}

#[test]
fn every_report_on_hosts_has_times_and_by_tallies_too() {
    let (folder, mut random) = (Folder::new(), Random::new(23));
    let (text, look) = log(&mut random, 60_000, 20_000);
    folder.write("a.log", text);
    let asks = ["--until", "1700000200", "--seconds", "1h", "--seen", "--format", "plain"];
    let shows = [
        "-r",
        "top-pairs:limit=5",
        "-r",
        "top-sources",
        "-r",
        "talkers",
        "-r",
        "fan-in",
        "-r",
        "connected-to:host=d1",
        "-r",
        "peers:host=d2",
        "-r",
        "scans:above=1",
        "--output",
        "json",
    ];
    let with = |more: &[&str]| run(&folder, &[&["top", "a.log"][..], &asks, &shows, more].concat());
    let whole = ok(&with(&[]));
    let result: Value = serde_json::from_str(&whole).unwrap();
    for report in result["reports"].as_array().unwrap() {
        let names: Vec<&str> =
            report["columns"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap()).collect();
        assert!(names.ends_with(&["first_seen", "last_seen"]), "{names:?}");
    }
    // Those of a server, over all who connected to it.
    let seen = look(0, i64::MAX / 1_000);
    let of_server = |server: &str| {
        let rows = seen.iter().filter(|((_, to), _)| to == server).map(|(_, row)| *row);
        rows.reduce(|one, other| (one.0 + other.0, one.1.min(other.1), one.2.max(other.2))).unwrap()
    };
    let rows = result["reports"][3]["rows"].as_array().unwrap();
    assert!(rows.len() == 5, "{rows:?}");
    for row in rows {
        let (_, first, last) = of_server(row[0].as_str().unwrap());
        assert_eq!((millis(&row[2]), millis(&row[3])), (first, last));
    }
    assert_eq!(result["measures"], Value::Null);
    let files = count_plan(&folder, &[&["a.log", "--max-partition", "200000"][..], &asks].concat());
    assert!(files.len() > 3);
    let names: Vec<&str> = files.iter().map(String::as_str).collect();
    ok(&run(&folder, &[&["merge", "--output", "all.tally"][..], &names].concat()));
    assert!(ok(&run(&folder, &[&["report", "all.tally"][..], &shows].concat())) == whole);
    let refused = run(&folder, &["report", "all.tally", "-r", "top-pairs:by=last_seen"]);
    assert!(stderr(&refused).contains("cannot rank by 'last_seen': nothing is summed"), "{}", stderr(&refused));
}

#[test]
fn times_are_exact_by_means_of_the_disk() {
    let (folder, mut random) = (Folder::new(), Random::new(25));
    folder.write("a.log", log(&mut random, 400_000, 300_000).0);
    let asks = ["top", "a.log", "--until", "1700000200", "--seconds", "1h", "--seen", "--format", "plain"];
    let shows = ["-r", "top-pairs:limit=999", "-r", "talkers", "-r", "peers:host=d1", "--output", "json"];
    let with = |more: &[&str]| ok(&run(&folder, &[&asks[..], &shows, more].concat()));
    assert!(with(&["--max-memory", "40MiB", "--memory-policy", "spill"]) == with(&[]));
    // That the limit is below what all of it takes.
    assert!(with(&["--max-memory", "40MiB"]) != with(&[]));
}

#[test]
fn times_of_logs_that_are_followed_are_exact_over_kills() {
    let (folder, mut random) = (Folder::new(), Random::new(24));
    let (text, look) = log(&mut random, 4_000, 30);
    std::fs::create_dir(folder.at("logs")).unwrap();
    let windows = "seconds = '20s'\nevery = '10s'\ngrouping-seconds = '10s'\nalign = 'epoch'\nlateness = '5s'\n";
    let keys = "location = 'logs/log*'\nfollow = true\nsince = '1970-01-01T00:00:00Z'\nstate = 'state'\n\
                checkpoint = '50ms'\nthreads = 2\n";
    folder.write("pipeline.toml", format!("{}{windows}{keys}", PAIRS.replace("location = 'a.log'\n", "")));
    let (log, mut left) = (folder.at("logs/log"), &text[..]);
    while !left.is_empty() {
        let end = left.len().min(1 + random.below(text.len() as u64 / 8) as usize);
        append(&log, &left[..end]);
        left = &left[end..];
        let mut running = Running(follower(&folder).spawn().unwrap());
        if left.is_empty() {
            wait_until_saved(&folder, text.len() as u64);
            assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&folder));
        } else {
            std::thread::sleep(std::time::Duration::from_millis(random.below(250)));
            running.0.kill().unwrap();
        }
    }
    let all = results(&folder);
    let closed: Vec<&Value> = all.iter().filter(|it| it["window"]["provisional"] != Value::Bool(true)).collect();
    assert!(closed.len() >= 9, "{} results", closed.len());
    for result in closed {
        let start = seconds(result["window"]["start"].as_str().unwrap());
        assert_eq!(pairs(result), look(start, start + 20), "{}", result["window"]);
    }
    // A run without it would lose what is known.
    let other = run(&folder, &["run", "pipeline.toml", "--set", "seen=false"]);
    assert_eq!(other.status.code(), Some(4), "{}", stderr(&other));
}
