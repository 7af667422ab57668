//! `--hosts`: names of addresses in results, wherever reports are made; and what is refused.

use std::fs::File;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{BASE, Folder, Follower, append, ok, run, run_with_input, stderr, stdout, with_peak_memory};

const HOSTS: &str = "# of the office\r\n10.0.0.1 web1 www # x\r\n10.0.0.2\tdb\n10.0.0.5 client\n\
                     2001:DB8:0::1 six\n10.0.0.8 twin\n10.0.0.9 twin\n";

/// A log, a file of hosts, and what names stand for what.
fn folder() -> Folder {
    let folder = Folder::new();
    let pairs = [
        "10.0.0.5 10.0.0.1:443/tcp",
        "10.0.0.5 10.0.0.1:443/tcp",
        "10.0.0.6 10.0.0.1",
        "10.0.0.6 10.0.0.2:5432",
        "10.0.0.5 [2001:db8::1]:53/udp",
        "10.0.0.5 2001:0db8:0:0:0:0:0:1",
        "10.0.0.8 10.0.0.9:22/tcp",
        "10.0.0.9 10.0.0.0/24",
    ];
    folder.write("a.log", (BASE..).zip(pairs).map(|(at, pair)| format!("{at} {pair}\n")).collect::<String>());
    folder.write("h", HOSTS);
    folder
}

const NAMED: [(&str, &str); 10] = [
    ("10.0.0.0/24", "10.0.0.0/24"),
    ("[2001:db8::1]:53/udp", "six:53/udp"),
    ("2001:0db8:0:0:0:0:0:1", "six"),
    ("10.0.0.1:443/tcp", "web1:443/tcp"),
    ("10.0.0.1", "web1"),
    ("10.0.0.2:5432", "db:5432"),
    ("10.0.0.5", "client"),
    ("10.0.0.8", "twin (10.0.0.8)"),
    ("10.0.0.9:22/tcp", "twin (10.0.0.9):22/tcp"),
    ("10.0.0.9", "twin (10.0.0.9)"),
];

const QUESTION: &str = "--until latest --last 1h --quiet -r top-servers -r top-sources -r top-pairs -r talkers -r services -r fan-out -r timeline";

/// A result in JSON with names in place of hosts.
fn named(result: &mut Value) {
    match result {
        Value::Array(items) => items.iter_mut().for_each(named),
        Value::Object(fields) => fields.values_mut().for_each(named),
        Value::String(text) => {
            if let Some((_, name)) = NAMED.iter().find(|(host, _)| host == text) {
                *text = (*name).to_owned();
            }
        }
        _ => {}
    }
}

fn asked(folder: &Folder, command: &str) -> String {
    ok(&run(folder, &command.split_whitespace().collect::<Vec<_>>()))
}

fn json(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn rows_are_named_and_nothing_else_is_another() {
    let folder = folder();
    let mut plain = json(&asked(&folder, &format!("top a.log {QUESTION} --json")));
    let found = asked(&folder, &format!("top a.log {QUESTION} --json --hosts h"));
    plain.iter_mut().for_each(named);
    assert_eq!(json(&found), plain);
    // Their order stays: names would have another.
    let csv = asked(&folder, "top a.log --until latest --last 1h -q -r top-servers --csv --hosts h");
    let rows = ["web1:443/tcp,2", "10.0.0.0/24,1", "web1,1", "db:5432,1", "twin (10.0.0.9):22/tcp,1"];
    assert_eq!(csv.lines().skip(1).take(5).collect::<Vec<_>>(), rows, "{csv}");
    let text = asked(&folder, "top a.log --until latest --last 1h -q -r matrix:limit=2 --hosts h");
    assert!(text.contains("client") && text.contains("web1:443/tcp") && !text.contains("10.0.0.5"), "{text}");
}

#[test]
fn every_way_to_a_report_names_hosts() {
    let folder = folder();
    let expected = asked(&folder, &format!("top a.log {QUESTION} --hosts h"));
    assert!(expected.contains("web1:443/tcp") && !expected.contains("10.0.0.1"), "{expected}");
    let args: Vec<&str> = QUESTION.split_whitespace().collect();
    let piped = run_with_input(
        &folder,
        &[&["top", "-", "--hosts", "h"], &args[..]].concat(),
        &std::fs::read(folder.at("a.log")).unwrap(),
    );
    assert_eq!(ok(&piped), expected);
    folder.write("p.toml", "location = 'a.log'\nhosts = 'h'\n");
    assert_eq!(asked(&folder, &format!("run p.toml {QUESTION}")), expected);
    // Who counts alone needs no names: here the file is not even there.
    folder.write("counts.toml", "location = 'a.log'\nhosts = 'nowhere'\nuntil = 'latest'\nseconds = '1h'\n");
    asked(&folder, "partial --config counts.toml --range 0..100 -o one.tally");
    asked(&folder, "partial --config counts.toml --range 100.. -o two.tally");
    asked(&folder, "plan --config counts.toml -o json:plan.json");
    asked(&folder, "merge one.tally two.tally -o all.tally");
    let reports = QUESTION.replace("--until latest --last 1h ", "");
    for files in ["one.tally two.tally", "all.tally"] {
        assert_eq!(asked(&folder, &format!("report {files} {reports} --hosts h")), expected);
        let by_name = asked(&folder, &format!("report {files} -q -r connected-to:host=WWW:443/tcp --hosts h"));
        assert!(by_name.ends_with("* List of connected hosts to web1:443/tcp\n\nclient\n"), "{by_name}");
    }
    for command in [
        "merge one.tally two.tally --hosts h -o x",
        "partial a.log --hosts h -o x",
        "plan a.log --hosts h",
        "inspect all.tally --hosts h",
    ] {
        let refused = run(&folder, &command.split(' ').collect::<Vec<_>>());
        assert_eq!(refused.status.code(), Some(2), "{command}");
        assert!(stderr(&refused).contains("--hosts"), "{command}: {}", stderr(&refused));
    }
}

#[test]
fn reporters_of_one_pipeline_have_names_of_their_own() {
    let folder = folder();
    folder.write("h2", "10.0.0.1 other\n");
    let stage = |name: &str, keys: &str| {
        format!("[stages.{name}]\ntype = 'reporter'\ninputs = ['count']\noutputs = ['csv:{name}.csv']\n{keys}\n")
    };
    let text = "location = 'a.log'\nuntil = 'latest'\n[stages.read]\ntype = 'reader'\n[stages.split]\ntype = 'line-splitter'\n\
                inputs = ['read']\n[stages.some]\ntype = 'time-filter'\ninputs = ['split']\n[stages.count]\n\
                type = 'bucket-aggregator'\ninputs = ['some']\n";
    folder.write(
        "p.toml",
        [text, &stage("one", "hosts = 'h'"), &stage("two", "hosts = 'h2'"), &stage("three", "")].concat(),
    );
    asked(&folder, "run p.toml -q");
    for (name, first) in [("one", "web1:443/tcp,2"), ("two", "other:443/tcp,2"), ("three", "10.0.0.1:443/tcp,2")] {
        let written = std::fs::read_to_string(folder.at(&format!("{name}.csv"))).unwrap();
        assert_eq!(written.lines().nth(1), Some(first), "{name}");
    }
}

#[test]
fn windows_that_repeat_and_logs_that_are_followed_are_named() {
    let folder = folder();
    let windows = asked(&folder, "top a.log --every 3s --seconds 3s --align 0 -q -r top-pairs --csv --hosts h");
    assert!(windows.contains("client,web1:443/tcp,") && !windows.contains("10.0.0.5"), "{windows}");
    let live = folder.at("live.log");
    append(&live, "1001 10.0.0.5 10.0.0.1\n");
    let results = |follower: &Follower| {
        let result = follower.result();
        (result["window"]["end"].clone(), result["reports"][0]["rows"].clone())
    };
    let follower = Follower::start(&folder, &["live.log", "--state", "s", "--hosts", "h"]);
    append(&live, "1002 10.0.0.5 10.0.0.1\n1010 x y\n");
    let (_, rows) = results(&follower);
    assert_eq!(rows.to_string(), r#"[["web1",2]]"#);
    follower.stop();
    // The state is of counts: with other names or none it goes on.
    folder.write("h", "10.0.0.1 renamed\n");
    append(&live, "1011 10.0.0.5 10.0.0.1\n1020 x y\n");
    let follower = Follower::start(&folder, &["live.log", "--state", "s", "--hosts", "h"]);
    let (_, rows) = results(&follower);
    assert_eq!(rows.to_string(), r#"[["renamed",1],["y",1]]"#);
    follower.stop();
    append(&live, "1021 10.0.0.5 10.0.0.1\n1030 x y\n");
    let follower = Follower::start(&folder, &["live.log", "--state", "s"]);
    assert_eq!(results(&follower).1.to_string(), r#"[["10.0.0.1",1],["y",1]]"#);
}

#[test]
fn a_host_is_asked_about_by_address_name_or_alias() {
    let folder = folder();
    let window = "a.log --until latest --last 1h -q";
    let by_address = asked(&folder, &format!("to 10.0.0.1 {window} --hosts h"));
    assert!(by_address.ends_with("* List of connected hosts to web1\n\n10.0.0.6\n"), "{by_address}");
    for name in ["web1", "www", "WWW"] {
        assert_eq!(asked(&folder, &format!("to {name} {window} --hosts h")), by_address, "{name}");
    }
    let six = asked(&folder, &format!("to six {window} --hosts h"));
    assert!(six.ends_with("* List of connected hosts to six\n\nclient\n"), "{six}");
    let peers = asked(&folder, &format!("peers client {window} --hosts h --csv"));
    assert_eq!(peers, "host,connections,in,out\nweb1:443/tcp,2,0,2\nsix,1,0,1\nsix:53/udp,1,0,1\n");
    let three = asked(&folder, "a.log client www:443/tcp --until latest --last 1h -q --hosts h --json");
    let reports = &json(&three)[0]["reports"];
    assert_eq!((&reports[1]["rows"], &reports[2]["rows"][1][0]), (&serde_json::json!([["client", 2]]), &"six".into()));
    assert_eq!(reports[1]["options"]["host"], "www:443/tcp", "as it was asked: {three}");
    folder.write(
        "p.toml",
        "location = 'a.log'\nuntil = 'latest'\nhosts = 'h'\nreports = [{ name = 'peers', host = 'db:5432' }]\n",
    );
    assert!(
        asked(&folder, "run p.toml -q")
            .ends_with("* Peers of db:5432\nhost      connections  in  out\n10.0.0.6            1   1    0\n")
    );
    // As ever without the file.
    let said_of = |command: &str| stderr(&run(&folder, &command.split(' ').collect::<Vec<_>>()));
    let none = said_of("to web1 a.log --until latest --last 1h");
    assert!(none.contains("nothing connects to 'web1' in the window"), "{none}");
    let near = said_of("to wbe1 a.log --until latest --last 1h --hosts h");
    assert!(near.contains("'wbe1' in the window; did you mean 'web1'?"), "{near}");
    let nowhere = said_of("to client a.log --until latest --last 1h --hosts h");
    assert!(nowhere.contains("nothing connects to 'client' (10.0.0.5) in the window"), "{nowhere}");
    for command in [format!("to twin {window} --hosts h"), format!("top {window} --hosts h -r peers:host=Twin:22/tcp")]
    {
        let refused = run(&folder, &command.split(' ').collect::<Vec<_>>());
        let said = stderr(&refused);
        assert_eq!((refused.status.code(), stdout(&refused)), (Some(2), String::new()), "{said}");
        assert!(
            said.contains("is a name of 2 addresses of the file of hosts: 10.0.0.8 and 10.0.0.9; ask about one"),
            "{said}"
        );
    }
}

#[test]
fn a_file_of_hosts_that_cannot_be_used_is_refused_before_anything_is_written() {
    let folder = folder();
    for (name, text) in [
        ("no-address", "web1 10.0.0.1\n"),
        ("no-name", "# a\n10.0.0.1\n"),
        ("hostile", "::1 a\u{1b}[2J\n"),
        ("taken", "::1 a:1\n"),
    ] {
        folder.write(name, text);
    }
    folder.write("binary", [0u8, 159, 146, 150]);
    std::fs::create_dir(folder.at("dir")).unwrap();
    for (file, said) in [
        ("no-address", "no-address:1: 'web1' is no address; a line is ADDRESS NAME [ALIAS...], and # begins a comment"),
        ("no-name", "no-name:2: '10.0.0.1' has no name behind it; a line is"),
        ("hostile", "hostile:1: the name 'a\\x1b[2J' has characters that cannot be shown; take them out"),
        ("taken", "taken:1: the name 'a:1' would be taken for something else; a name has none of"),
        ("binary", "binary:1: '\\x00\\x9f\\x92\\x96' is no address"),
        ("nowhere", "there is no 'nowhere'; name a file of hosts, e.g. --hosts /etc/hosts"),
        ("dir", "dir: cannot read the file of hosts: "),
        ("a.log", "is no address"),
        ("-", "-: a file of hosts is no standard input; name a file"),
        ("http://x/y", "http:// is no place that is read"),
    ] {
        asked(&folder, "partial a.log --until latest -o a.tally");
        for command in ["top a.log --until latest", "report a.tally"] {
            let words = command.split(' ').chain(["-o", "csv:out", "--hosts", file]);
            let refused = run(&folder, &words.collect::<Vec<_>>());
            assert_eq!(refused.status.code(), Some(2), "{file}: {}", stderr(&refused));
            assert!(stderr(&refused).contains(said), "{file}: {}", stderr(&refused));
            assert!(!folder.at("out").exists());
        }
        std::fs::remove_file(folder.at("a.tally")).unwrap();
    }
}

#[test]
fn a_file_of_hosts_is_no_larger_than_one_may_be() {
    let folder = folder();
    File::create(folder.at("large")).unwrap().set_len(1 << 40).unwrap();
    for file in ["large", "/dev/zero"] {
        let (peak, refused) = with_peak_memory(&folder, &["top", "a.log", "--until", "latest", "--hosts", file]);
        assert_eq!(refused.status.code(), Some(2));
        let said = stderr(&refused);
        assert!(said.contains(&format!("{file}: has more than the 8 MiB of a file of hosts")), "{said}");
        assert!(peak < 64 << 10, "{peak} KiB");
    }
    let lines: String =
        (0..200_000).map(|at| format!("10.{}.{}.{} h{at}\n", at >> 16, at >> 8 & 255, at & 255)).collect();
    folder.write("many", lines);
    assert!(asked(&folder, "top a.log --until latest -q --hosts many").contains("h1:443/tcp"));
}

#[test]
fn names_may_come_from_a_pipe() {
    let folder = folder();
    let script = "logparser top a.log --until latest -q -r connected-to:host=www --hosts /dev/fd/3 3<<END\n10.0.0.1 web1 www\nEND";
    let output = crate::support::shell(&folder, script).stdin(Stdio::null()).output().unwrap();
    assert!(ok(&output).contains("connected hosts to web1"), "{}", stdout(&output));
}
