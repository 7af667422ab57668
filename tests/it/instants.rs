//! Instants in options and files: what may be written, what it means, and how what does not fit is
//! refused.

use serde_json::Value;

use crate::support::{Folder, Random, run, stderr, stdout};

/// The window that a run with these options has, as JSON says it: start and end in nanoseconds.
fn window(args: &[&str]) -> (i64, i64) {
    let folder = Folder::new();
    folder.write("conn.log", "1700000000 a b\n1700000030.5 c d\n1800000000 future e\n");
    let output = run(&folder, &[&["top", "conn.log", "--output", "json", "--now", "1700003600"], args].concat());
    let result: Value = serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    let nanos = |key: &str| result["window"][key].as_i64().unwrap();
    (nanos("start_unix_nanos"), nanos("end_unix_nanos"))
}

const SECOND: i64 = 1_000_000_000;
/// 2023-11-14T22:13:20Z.
const BASE: i64 = 1_700_000_000 * SECOND;

#[test]
fn every_form_of_an_instant_means_what_it_says() {
    let day = 86_400 * SECOND;
    let midnight = BASE / day * day;
    let cases: &[(&str, &str, i64)] = &[
        ("1700000000", "UTC", BASE),
        ("1700000000000", "UTC", BASE),
        ("1700000000000001", "UTC", BASE + 1_000),
        ("1700000000000000001", "UTC", BASE + 1),
        ("1700000000.000000001", "UTC", BASE + 1),
        ("-1.5", "UTC", -1_500_000_000),
        ("2023-11-14", "UTC", midnight),
        ("2023-11-14 22:13", "UTC", BASE - 20 * SECOND),
        ("2023-11-14T22:13:20.5", "UTC", BASE + SECOND / 2),
        ("2023-11-14 22:13:20Z", "+05:00", BASE),
        ("2023-11-14T23:13:20+01:00", "Asia/Tokyo", BASE),
        ("2023-11-14 23:13:20", "Europe/Berlin", BASE),
        ("2023-11-14", "+02:00", midnight - 7_200 * SECOND),
        ("now", "UTC", BASE + 3_600 * SECOND),
        ("-2h", "UTC", BASE - 3_600 * SECOND),
        ("now-30m", "UTC", BASE + 1_800 * SECOND),
        ("today", "UTC", midnight),
        ("yesterday", "UTC", midnight - day),
        ("yesterday+6h", "UTC", midnight - 18 * 3_600 * SECOND),
        ("today", "Europe/Berlin", midnight + day - 3_600 * SECOND),
        ("latest", "UTC", BASE + 30_500_000_000),
        ("latest-1h", "UTC", BASE + 30_500_000_000 - 3_600 * SECOND),
    ];
    for &(text, zone, nanos) in cases {
        let until = window(&["--until", text, "--timezone", zone, "--seconds", "1h"]);
        assert_eq!(until, (nanos - 3_600 * SECOND, nanos), "until {text} {zone}");
        let since = window(&["--since", text, "--until", "now", "--timezone", zone]);
        assert_eq!(since, (nanos, BASE + 3_600 * SECOND), "since {text} {zone}");
    }
    // The log's own unit, in which the window was empty once.
    let folder = Folder::new();
    folder.write("ms.log", "1565656607767 a b\n");
    for args in [
        &["--since", "1565656607767", "--until", "1565680778409"][..],
        &["--now", "1565656607767"],
        &["--every", "1h", "--seconds", "1h", "--align", "1565656607767", "--until", "1565680778409"],
    ] {
        let output = run(&folder, &[&["top", "ms.log", "--output", "csv"][..], args].concat());
        assert!(stdout(&output).contains("b,1\n"), "{args:?} {}", stderr(&output));
    }
}

#[test]
fn what_is_no_instant_or_does_not_fit_is_refused_with_its_place() {
    let folder = Folder::new();
    folder.write("conn.log", "1700000000 a b\n");
    let cases: &[(&str, &str, &str)] = &[
        ("until", "9999999999", "expected an instant from 1677"),
        ("until", "-9999999999", "expected an instant from 1677"),
        ("since", "3000-01-01", "expected an instant from 1677"),
        ("since", "1700000000.0000000001", "expected"),
        ("until", "1e9", "expected now, latest, today, yesterday, a Unix time"),
        ("until", "2026-02-30", "expected a day from 01 to 28 in 2026-02"),
        ("until", "2026-01-31T25:00", "expected an hour from 00 to 23"),
        ("since", "2h", "expected an instant (-2h is that long before now)"),
        ("since", "latest-1M", "expected m for minutes (1m), as M is months"),
        ("seconds", "5M", "expected m for minutes (5m), as M is months"),
        ("seconds", "1y", "expected years spelled out (2years)"),
        ("grouping-seconds", "5M", "expected m for minutes (5m), as M is months"),
        ("until", "tomorrow", "expected"),
        ("until", "now-x", "expected"),
        ("until", "now+293years", "expected an instant from 1677"),
        ("seconds", "293years", "at most 292 years"),
        ("seconds", "9223372037", "at most 292 years"),
        ("lateness", "293years", "at most 292 years"),
        ("future", "250years", "future reaches beyond"),
        ("timezone", "Europe/Berln", "did you mean 'Europe/Berlin'?"),
        ("timezone", "+26:00", "expected an offset from -23:59 to +23:59"),
        ("timezone", "-24:00", "expected an offset from -23:59 to +23:59"),
    ];
    for command in ["top", "partial", "plan", "explain"] {
        for (key, value, says) in cases {
            let options = ["--output", "x.tally"];
            let options = if command == "partial" { &options[..] } else { &[] };
            let output = run(&folder, &[&[command, "conn.log", &format!("--{key}"), value], options].concat());
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{command} --{key} {value}: {said}");
            assert!(
                said.contains(key) && said.contains(says) && said.lines().count() == 1,
                "{command} {value}: {said}"
            );
        }
    }
    for (lines, says) in [
        ("until = 9999999999", "p.toml:2:9: until: expected an instant from"),
        ("until = 1e300", "p.toml:2:9: until: expected now"),
        ("until = 9223372036.9", "p.toml:2:9: until: expected an instant from"),
        ("until = '1677-09-22'\nseconds = '2days'", "p.toml:3:11: seconds: reaches too far back"),
        ("since = -9000000000\nuntil = 9000000000", "p.toml:2:9: since: makes a window of more than 292 years"),
        ("now = 9000000000\nfuture = '100years'", "p.toml:3:10: future: reaches too far beyond now"),
        ("every = '200years'\nseconds = '200years'", "p.toml:2:9: every: is too long together with seconds"),
        ("every = '1d'\nsince = '1677-09-22'", "p.toml:3:9: since: has no windows around it"),
        ("every = '5M'", "p.toml:2:9: every: expected m for minutes (5m), as M is months, not '5M'"),
        ("lateness = '1yr'", "p.toml:2:12: lateness: expected years spelled out"),
        ("idle = '1M'", "p.toml:2:8: idle: expected m for minutes"),
        ("until = '2026-13-01'", "p.toml:2:9: until: expected a month from 01 to 12"),
        ("timezone = 'Mars'", "p.toml:2:12: timezone: expected a time zone"),
        (
            "timezone = 'Europe/Berlin'\nuntil = 2026-10-25T02:30:00",
            "p.toml:3:9: until: 2026-10-25T02:30:00 was there twice",
        ),
        (
            "timezone = 'Europe/Berlin'\nuntil = '2026-03-29 02:30'",
            "p.toml:3:9: until: 2026-03-29T02:30:00 is no time there",
        ),
    ] {
        folder.write("p.toml", format!("location = 'conn.log'\n{lines}\n"));
        let output = run(&folder, &["check", "p.toml"]);
        assert_eq!(output.status.code(), Some(2), "{lines}");
        assert!(stderr(&output).contains(says), "{lines}: {}", stderr(&output));
    }
    // The remedies are accepted.
    for offset in ["+02", "+01"] {
        window(&["--until", &format!("2026-10-25T02:30:00{offset}"), "--timezone", "Europe/Berlin"]);
    }
}

/// Where a window cannot be because of what stands in the inputs, nothing is wrong with the command
/// line.
#[test]
fn a_window_that_stamps_do_not_allow_is_told_as_what_stands_in_the_inputs() {
    let folder = Folder::new();
    folder.write("old.log", "-9223372036 a b\n");
    folder.write("conn.log", "1700000000 a b\n");
    for (args, says) in [
        (&["old.log", "--until", "latest"][..], "there are no instants (the first is 1677-09-21T00:12:43.145224192Z)"),
        (&["old.log", "--since", "latest-1h"], "the highest stamp of the inputs is 1677-09-21T00:12:44Z"),
        (&["conn.log", "--until", "latest+250years"], "the highest stamp of the inputs is 2023-11-14T22:13:20Z"),
        (&["conn.log", "--since", "1800000000", "--until", "latest"], "as the stamps of the inputs have it"),
        (&["conn.log", "--since", "latest", "--until", "1600000000"], "as the stamps of the inputs have it"),
        (&["conn.log", "old.log", "--since", "-9223372036", "--until", "latest"], "is longer than 292 years"),
    ] {
        let output = run(&folder, &[&["top"], args].concat());
        let said = stderr(&output);
        assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{args:?}: {said}");
        assert!(said.contains(says), "{args:?}: {said}");
    }
    // The remedy that is named takes what there is.
    let all = ["old.log", "--until", "latest", "--since", "1677-09-21T00:12:43.145224192Z", "--output", "csv"];
    assert_eq!(stdout(&run(&folder, &[&["top"], &all[..]].concat())), "server,connections\nb,1\n");
}

#[test]
fn windows_may_start_at_the_highest_stamp() {
    let folder = Folder::new();
    folder.write("conn.log", "1699999999 a b\n1700000000 a c\n1699996399 a d\n");
    let align = |align: &str| {
        let window = ["--every", "1h", "--last", "1h", "--align", align, "--output", "csv"];
        let output = run(&folder, &[&["top", "conn.log"], &window[..]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    let anchored = align("latest");
    assert_eq!(anchored, align("1700000000"));
    assert!(anchored.contains("2023-11-14T22:13:20Z,2023-11-14T23:13:20Z,c,1\n"), "{anchored}");
    assert_eq!(align("latest+1s"), align("1700000001"));
    let following = run(&folder, &["top", "conn.log", "--follow", "--every", "1h", "--align", "latest"]);
    assert_eq!(following.status.code(), Some(2));
    assert!(stderr(&following).contains("latest is not known before all is read"), "{}", stderr(&following));
}

#[test]
fn what_is_printed_is_accepted_and_means_the_same() {
    let mut random = Random::new(5);
    for round in 0..24 {
        let folder = Folder::new();
        let nanos = match round {
            0 => i64::MIN + 7_200 * SECOND,
            1 => 0,
            2 => -1,
            _ => (random.below(1 << 31) as i64 - (1 << 30)) * 1_234_567_891 + random.below(1 << 30) as i64,
        };
        let log = format!(
            "{}{}.{:09} a b\n",
            if nanos < 0 { "-" } else { "" },
            (nanos / SECOND).abs(),
            (nanos % SECOND).abs()
        );
        folder.write("conn.log", &log);
        folder.write("timeline.toml", "location = 'conn.log'\nreports = ['timeline']\n");
        let asked = |since: &str, until: &str, output: &str| {
            let window = ["--since", since, "--until", until, "--now", until];
            let outputs = format!("outputs=[\"{output}\"]");
            let found = run(&folder, &[&["run", "timeline.toml", "--quiet", "--set", &outputs][..], &window].concat());
            assert_eq!(found.status.code(), Some(0), "{log} {since} {until}: {}", stderr(&found));
            stdout(&found)
        };
        let digits = log.split(' ').next().unwrap();
        let json = asked(digits, digits, "json");
        let result: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(result["balance"]["counted"], 1, "{json}");
        assert_eq!(result["window"]["end_unix_nanos"], nanos);
        let end = result["window"]["end"].as_str().unwrap();
        assert_eq!(asked(end, end, "json"), json, "{log}");
        let start = result["reports"][0]["rows"][0][0].as_str().unwrap();
        assert_eq!(asked(start, end, "json"), json, "{log}");
        let csv = asked(start, end, "csv");
        let start = csv.lines().nth(1).unwrap().split(',').next().unwrap();
        assert_eq!(asked(start, end, "csv"), csv, "{log}");
    }
}

#[test]
fn latest_of_a_log_without_records_lets_the_true_cause_be_told() {
    let folder = Folder::new();
    folder.write("conn.log", "1700000000 a b 5\n1700000001 c d 6\n");
    let output = run(&folder, &["top", "conn.log", "--until", "latest"]);
    assert!(stderr(&output).contains("2 too many fields"), "{}", stderr(&output));
    assert!(stderr(&output).contains("+ out of window                0"), "{}", stderr(&output));
}
