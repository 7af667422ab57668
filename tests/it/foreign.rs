//! Lines of other programs: what is said of them, and that the command that is said gives records.
//!
//! The lines are made up in the form of real programs. Commands run as they are printed, with
//! `FILE` as the log, and what stands for columns or keys as the example has them. Where a tool is
//! missing, that is said and the rest goes on.

use std::process::Command;

use logparser::internals::format::foreign::{TABLE, kind};

use crate::support::{Folder, run, run_with_input, skip, stderr, stdout};

/// A log of another program.
struct Example {
    name: &'static str,
    log: &'static [u8],
    /// What the example has where a command says `TIME`, `FROM` and `TO`.
    fills: &'static [(&'static str, &'static str)],
    /// The records that the command gives, as CSV of the busiest pairs without its header.
    gives: &'static str,
}

const fn of(name: &'static str, log: &'static [u8], gives: &'static str) -> Example {
    Example { name, log, fills: &[], gives }
}

const EXAMPLES: &[Example] = &[
    of(
        "UTF-32 text",
        b"\xff\xfe\0\x001\0\0\x007\0\0\x000\0\0\x000\0\0\x000\0\0\x000\0\0\x000\0\0\x000\0\0\x000\0\0\x000\0\0\0 \0\0\0a\0\0\0 \0\0\0b\0\0\0\n\0\0\0",
        "a,b,1\n",
    ),
    of("UTF-16 text", b"\xff\xfe1\x007\x000\x000\x000\x000\x000\x000\x000\x000\x00 \x00a\x00 \x00b\x00\n\x00", "a,b,1\n"),
    of("UTF-16 text", b"\x001\x007\x000\x000\x000\x000\x000\x000\x000\x000\x00 \x00a\x00 \x00b\x00\n", "a,b,1\n"),
    of(
        "UTF-32 text",
        b"1\0\0\x007\0\0\x000\0\0\x000\0\0\x000\0\0\x000\0\0\x000\0\0\x000\0\0\x000\0\0\x000\0\0\0 \0\0\0a\0\0\0 \0\0\0b\0\0\0\n\0\0\0",
        "a,b,1\n",
    ),
    of(
        "UTF-32 text",
        b"\0\0\x001\0\0\x007\0\0\x000\0\0\x000\0\0\x000\0\0\x000\0\0\x000\0\0\x000\0\0\x000\0\0\x000\0\0\0 \0\0\0a\0\0\0 \0\0\0b\0\0\0\n",
        "a,b,1\n",
    ),
    of("UTF-16 text", b"1\x007\x000\x000\x000\x000\x000\x000\x000\x000\x00 \x00a\x00 \x00b\x00\n\x00", "a,b,1\n"),
    of("compressed data", b"PK\x03\x04\x14\x00\x08\x00conn.log\n", ""),
    of("binary data", b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00>\x00\n\xd4\xc3\xb2\xa1\x02\x00\n", ""),
    of("binary data", b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\n", ""),
    of("lines that end with a carriage return alone", b"1700000000 a b\r1700000001 a c\r", "a,b,1\na,c,1\n"),
    of(
        "a log of Zeek in JSON",
        br#"{"ts":1700000000.25,"uid":"Cx","id.orig_h":"10.0.0.1","id.orig_p":1,"id.resp_h":"10.0.0.2","id.resp_p":80}
"#,
        "10.0.0.1,10.0.0.2,1\n",
    ),
    of(
        "a log of Zeek in JSON, its times as text",
        br#"{"ts":"2023-11-14T22:13:20.123456Z","id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2"}
{"ts":"2023-11-14T22:13:20Z","id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2"}
{"ts":"2023-11-14T22:13:20+02:00","id.orig_h":"10.0.0.3","id.resp_h":"10.0.0.2"}
"#,
        "10.0.0.1,10.0.0.2,2\n",
    ),
    Example {
        fills: &[("TIME", "start"), ("FROM", "peer"), ("TO", "upstream_host")],
        ..of(
            "JSON in a container's log",
            br#"2025-12-31T17:37:40.49+01:00 stdout F {"start":1700000000,"peer":"a","upstream_host":"b"}
"#,
            "a,b,1\n",
        )
    },
    Example {
        fills: &[("TIME", "at"), ("FROM", "who"), ("TO", "whom")],
        ..of("a list in JSON", b"[\n  {\n    \"at\": 1700000000,\n    \"who\": \"a\",\n    \"whom\": \"b\"\n  }\n]\n", "a,b,1\n")
    },
    Example {
        fills: &[("TIME", "at"), ("FROM", "who"), ("TO", "whom")],
        ..of("a list in JSON", b"[{\"at\":1700000000,\"who\":\"a\",\"whom\":\"b\"}]\n", "a,b,1\n")
    },
    Example {
        fills: &[("TIME", "at"), ("FROM", "who"), ("TO", "whom")],
        ..of("JSON", b"{\"at\":1700000000,\"who\":\"a\",\"whom\":\"b\"}\n{\"at\":1700000001,\"who\":\"a\",\"whom\":\"c\"}\n", "a,b,1\na,c,1\n")
    },
    Example {
        fills: &[("TIME", "at"), ("FROM", "who"), ("TO", "whom")],
        ..of("JSON", b"{\n  \"at\": 1700000000,\n  \"who\": \"a\",\n  \"whom\": \"b\"\n}\n", "a,b,1\n")
    },
    of(
        "a log of Zeek",
        b"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t2017-04-16\n\
          #fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n#types\ttime\tstring\taddr\tport\taddr\tport\tenum\n\
          1700000000.496300\tCg9xqq3JAcZ\t10.0.0.1\t52025\t10.0.0.2\t80\ttcp\n#close\t2017-04-16\n",
        "10.0.0.1,10.0.0.2,1\n",
    ),
    of(
        "a log of Zeek",
        b"1700000000.496300\tCg9xqq3JAcZ\t10.0.0.1\t52025\t10.0.0.2\t80\ttcp\t-\t2.1\n\
          1700000001.496300\tCg9xqq3JAcY\tfe80::1\t52025\tfe80::2\t80\ttcp\t-\t2.1\n",
        "10.0.0.1,10.0.0.2,1\nfe80::1,fe80::2,1\n",
    ),
    of("a log of Zeek that has no hosts where conn.log has them", b"#separator \\x09\n#path\tfiles\n#fields\tts\tfuid\n1700000000.1\tFx\n", ""),
    of(
        "a VPC flow log",
        b"version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n\
          2 123456789010 eni-1 10.0.0.1 10.0.0.2 443 49152 6 10 840 1700000000 1700000060 ACCEPT OK\n\
          2 123456789010 eni-1 - - - - - - - 1700000000 1700000060 - NODATA\n",
        "10.0.0.1,10.0.0.2,1\n",
    ),
    of(
        "a VPC flow log",
        b"2 123456789010 eni-1 10.0.0.1 10.0.0.2 443 49152 6 10 840 1700000000 1700000060 ACCEPT OK\n",
        "10.0.0.1,10.0.0.2,1\n",
    ),
    of(
        "a VPC flow log with times in front",
        b"2023-11-14T22:14:20.000Z 2 123456789010 eni-1 10.0.0.1 10.0.0.2 443 49152 6 10 840 1700000000 1700000060 ACCEPT OK\n",
        "10.0.0.1,10.0.0.2,1\n",
    ),
    of(
        "a VPC flow log of a form of its own",
        b"start srcaddr dstaddr action\n1700000000 10.0.0.1 10.0.0.2 ACCEPT\n1700000000 - - -\n",
        "10.0.0.1,10.0.0.2,1\n",
    ),
    of("XML or HTML", b"<?xml version=\"1.0\"?>\n<connections>\n", ""),
    of(
        "a log of HAProxy",
        b"192.0.2.9:14853 [14/Nov/2023:22:13:20.127] https-in~ back/node_2 170/0/0/3/173 200 739 - - --NN 0/0/0/0/0 0/0 \"GET / HTTP/1.1\"\n\
          192.0.2.4:50033 [14/Nov/2023:22:13:20.123] front/back: SSL handshake failure\n",
        "192.0.2.9,back/node_2,1\n",
    ),
    of(
        "a log of HAProxy",
        b"Nov 14 22:13:19 192.0.2.2 haproxy[1]: Proxy a started.\n\
          Nov 14 22:13:20 192.0.2.2 haproxy[7]: 192.0.2.9:53332 [14/Nov/2023:22:13:20.143] front~ back/node 0/0/7/1457/1487 200 1 - -\n",
        "192.0.2.9,back/node,1\n",
    ),
    of(
        "a log of a web server or proxy",
        b"192.0.2.54 - - [20/Jul/2009:22:59:26 +0000] \"GET /a HTTP/1.0\" 200 134 \"-\" \"x/0.9\"\n",
        "",
    ),
    of("syslog", b"Feb 12 14:10:21 host-1 sshd[16378]: Invalid user x from 192.0.2.49 port 53502\n", ""),
    of("syslog", b"Jun  8 14:34:33 host-1 kernel: [5002.08] IN=enp1s0 OUT= SRC=192.0.2.1 DST=192.0.2.2\n", ""),
    of("syslog", b"<34>1 2003-10-11T22:14:15.003Z host su - ID47 - message\n", ""),
    Example {
        fills: &[("TIME", "time"), ("FROM", "level"), ("TO", "msg")],
        ..of("logfmt (key=value)", b"time=\"2021-09-15T21:17:10Z\" level=error msg=\"pod is not found\"\n", "")
    },
    of(
        "a log of Squid",
        b"1700000000.123    610 10.0.0.1 TCP_MISS/200 512 GET http://example.com/ - HIER_DIRECT/192.0.2.7 text/html\n\
          1700000001.123      0 10.0.0.1 TCP_DENIED/403 512 GET http://example.com/ - HIER_NONE/- text/html\n",
        "10.0.0.1,192.0.2.7,1\n",
    ),
    of(
        "a log of Squid",
        b"1700000000.123    610 10.0.0.1 TCP_MISS/200 512 GET http://example.com/a b/c d - HIER_DIRECT/192.0.2.7 text/html\n",
        "10.0.0.1,192.0.2.7,1\n",
    ),
    of(
        "what tcpdump prints",
        b"1700000000.123456 IP 10.0.0.1.52025 > 10.0.0.2.443: Flags [S], seq 1, win 2, length 0\n\
          1700000001.123456 IP6 fe80::1.52025 > fe80::2.443: Flags [S], seq 1, win 2, length 0\n",
        "10.0.0.1,10.0.0.2,1\nfe80::1,fe80::2,1\n",
    ),
    of(
        "what tcpdump prints",
        b"1700000000.1 IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 1, seq 1, length 64\n\
          1700000000.1 IP6 fe80::1 > ff02::16: HBH ICMP6, multicast listener report v2, length 28\n\
          1700000000.1 IP6 ::ffff:10.0.0.1.443 > ::ffff:10.0.0.2.80: Flags [S], length 0\n\
          1700000001.1 IP 10.0.0.1.443 > 10.0.0.2.80: Flags [S], length 0\n",
        "10.0.0.1,10.0.0.2,2\n::ffff:10.0.0.1,::ffff:10.0.0.2,1\nfe80::1,ff02::16,1\n",
    ),
    of(
        "what tcpdump prints with names, whose ends may be ports",
        b"1700000000.1 IP host-1.example.com.443 > 10.0.0.2.80: Flags [S], length 0\n",
        "",
    ),
    Example {
        fills: &[("TIME", "1"), ("FROM", "2"), ("TO", "3")],
        ..of("CSV, fields of it in quotes", b"1700000000,a,b\n1700000000,\"c, d\",b\n", "")
    },
    Example {
        fills: &[("TIME", "time"), ("FROM", "from"), ("TO", "to")],
        ..of("CSV", b"time,from,to\n1700000000,a,b\n1700000001,a,c\n", "a,b,1\na,c,1\n")
    },
    Example {
        fills: &[("TIME", "time"), ("FROM", "from"), ("TO", "to")],
        ..of("CSV", b"from,to,time\na,b,1700000000\n", "")
    },
    of("CSV", b"\"1700000000\";\"a\";\"b\"\n", ""),
    of("CSV with semicolons", b"1700000000;a;b;80\r\n1700000001;a;c;80\r\n", "a,b,1\na,c,1\n"),
    of("columns with bars between them", b"1700000000|  a|  b|\n1700000001 | a | c |\n1700000001 |  | d | e\n", "a,b,1\na,c,1\n"),
    of("lines that begin with a date", b"2023-11-14T22:13:20Z a b\n2023-11-14T22:13:21Z a c\n", "a,b,1\na,c,1\n"),
    of("lines that begin with a date", b"2023-11-14T22:13:20Z a b\n2023-11-14T22:13:20+02:00 a c\n2023-11-14T22:13:20Z a b\n", ""),
    of("lines that begin with a date", b"[31.01.2026 12:00] a b\n2023/11/14 22:13 a b\n2023-11-14T22:13:20+01:00 a b\n", ""),
    of("lines whose time stands last", b"a b 1700000000\na c 1700000001.5\n", "a,b,1\na,c,1\n"),
    Example {
        fills: &[("TIME", "3"), ("FROM", "2"), ("TO", "4")],
        ..of("lines whose time does not stand first", b"x a 1700000000123 b\n", "a,b,1\n")
    },
    of("lines with an arrow between their hosts", b"1700000000 a -> b\n1700000000 a => c tcp\n1700000000 d <- e\n", "a,b,1\na,c,1\n"),
    of("lines with more fields than the three of '<Unix time> <from> <to>'", b"1700000000 a | b\n", ""),
    of("lines with more fields than the three of '<Unix time> <from> <to>'", b"3 vpc-abc subnet-a eni-1 10.0.0.1\n", ""),
    Example {
        fills: &[("TIME", "12"), ("FROM", "5"), ("TO", "6")],
        ..of(
            "lines whose time does not stand first",
            b"3 vpc-abc subnet-a i-1 10.0.0.1 10.0.0.2 443 49152 6 10 840 1700000000 1700000060\n",
            "10.0.0.1,10.0.0.2,1\n",
        )
    },
    of("lines with more fields than the three of '<Unix time> <from> <to>'", b"1700000000 a b 5\n1700000001.5 a c 80\n", "a,b,1\na,c,1\n"),
    of("lines with fewer fields than the three of '<Unix time> <from> <to>'", b"1700000000 a\n1700000000\n", ""),
    of("nothing that is known here", b"\0not a log\n", ""),
    of("nothing that is known here", b"\0\0\0\0\0\0\0\0nothing to see\n", ""),
    of("nothing that is known here", b"foo bar baz\n\x1b[31mhello world\n10.0.0.1 a b c\n", ""),
];

/// The sentence on stderr, behind what the lines look like.
fn sentence(stderr: &str) -> Option<&str> {
    stderr
        .lines()
        .filter_map(|line| line.strip_prefix("logparser: "))
        .find(|line| line.contains(" no record: ") || line.contains(" is a record: "))
}

/// What `command` gives as pairs, or the tool that it wants.
fn pairs(folder: &Folder, command: &str) -> Result<String, String> {
    let has = |script: &str| Command::new("bash").args(["-c", script]).output().unwrap().status.success();
    for part in command.split(" | ") {
        let tool = part.split(' ').find(|word| !word.contains('=')).unwrap();
        let missing = !["'", "["].iter().any(|mark| tool.starts_with(mark)) && !has(&format!("command -v {tool}"));
        if missing && tool.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(tool.to_owned());
        }
    }
    if command.contains("mktime") && !has("awk 'BEGIN { exit mktime(\"2023 11 14 22 13 20\") < 0 }'") {
        return Err("awk with mktime".to_owned());
    }
    let script = format!("set -o pipefail; {command}");
    let made = Command::new("bash").current_dir(folder.path()).args(["-c", &script]).output().unwrap();
    assert!(made.status.success(), "{command}: {}", stderr(&made));
    let args = ["top", "--report", "top-pairs", "--until", "latest", "--csv", "-q"];
    let found = run_with_input(folder, &args, &made.stdout);
    assert_eq!(found.status.code(), Some(0), "{command}: {} of {}", stderr(&found), stdout(&made));
    Ok(stdout(&found).strip_prefix("from,to,connections\n").unwrap().to_owned())
}

#[test]
fn each_kind_is_told_by_file_and_by_pipe_and_its_command_gives_records() {
    let folder = Folder::new();
    for Example { name, log, fills, gives } in EXAMPLES {
        folder.write("FILE", log);
        let mut said = None;
        for more in [
            &["FILE"][..],
            &["-"],
            &["FILE", "--until", "latest"],
            &["FILE", "--every", "1h", "--csv"],
            &["FILE", "--since", "2020-01-01", "-q"],
        ] {
            let found = run_with_input(&folder, &[&["top", "--format", "plain"][..], more].concat(), log);
            let text = stderr(&found);
            let line = sentence(&text).unwrap_or_else(|| panic!("{name} {more:?}: {text}")).to_owned();
            let looks = format!(" like {name}; ");
            assert!(found.status.code() == Some(1) && line.contains(&looks), "{name} {more:?}: {line}");
            let advice = line.split_once(&looks).unwrap().1.to_owned();
            assert_eq!(said.get_or_insert_with(|| advice.clone()), &advice);
        }
        let advice = said.unwrap();
        let Some((_, command)) = advice.strip_suffix(" | logparser ...").map(|advice| advice.split_once(": ").unwrap())
        else {
            assert_eq!(*gives, "", "{name}: {advice}");
            continue;
        };
        let command = fills.iter().fold(command.to_owned(), |command, (place, with)| command.replace(place, with));
        match pairs(&folder, &command) {
            Ok(found) => assert_eq!(found, *gives, "{name}: {command}"),
            Err(tool) => skip(&format!("in part: {name}: there is no {tool}")),
        }
    }
}

#[test]
fn options_that_are_said_read_lines_of_their_kind() {
    let folder = Folder::new();
    for kind in TABLE {
        let Some(said) = kind.options else { continue };
        let examples = EXAMPLES.iter().filter(|example| example.name == kind.name);
        let is_read = |Example { log, fills, .. }: &Example| {
            let options = fills.iter().fold(said.to_owned(), |said, (place, with)| said.replace(place, with));
            let words = options.split_whitespace().collect::<Vec<_>>();
            let options = words.chunks(2).take_while(|pair| pair[0].starts_with("--")).flatten();
            let options = options.map(|word| word.trim_end_matches(','));
            folder.write("FILE", log);
            let asked =
                ["top", "FILE", "--csv", "-q", "--since", "1970-01-02", "--until", "2100-01-01", "--now", "2100-01-01"];
            let found = run(&folder, &asked.into_iter().chain(options).collect::<Vec<_>>());
            found.status.code() == Some(0) && stdout(&found).lines().count() > 1
        };
        assert!(examples.filter(|example| is_read(example)).count() > 0, "{}: {said}", kind.name);
    }
}

#[test]
fn without_a_word_on_its_format_each_is_read_or_refused_by_what_it_looks_like() {
    let folder = Folder::new();
    for Example { name, log, gives, .. } in EXAMPLES {
        folder.write("FILE", log);
        let asked = ["top", "FILE", "--report", "top-pairs", "--since", "1970-01-02", "--until", "2100-01-01", "--csv"];
        let found = run_with_input(&folder, &[&asked[..], &["--now", "2100-01-01"]].concat(), log);
        let text = stderr(&found);
        match found.status.code() {
            // What the command makes of it, or more that the format knows.
            Some(0) => assert!(text.contains("is read as ") || stdout(&found).ends_with(gives), "{name}: {text}"),
            // Its lines begin with numbers, and are told as malformed.
            Some(1) => assert!(text.contains(&format!(" like {name}; ")), "{name}: {text}"),
            Some(2) => {
                let looks = format!("they look like {name}; ");
                let is_said = text.contains(&looks) || *name == "nothing that is known here";
                assert!(is_said && text.contains("FILE: its lines "), "{name}: {text}");
            }
            other => panic!("{name}: {other:?}: {text}"),
        }
    }
}

#[test]
fn every_kind_has_an_example_and_every_command_one_that_it_works_on() {
    for kind in TABLE {
        let examples = || EXAMPLES.iter().filter(|example| example.name == kind.name);
        assert!(examples().count() > 0 && kind.advice().len() > 10, "{}", kind.name);
        assert!(kind.command.is_none() || examples().any(|example| !example.gives.is_empty()), "{}", kind.name);
    }
}

#[test]
fn one_record_anywhere_makes_a_log_of_lines_whatever_the_chunks_and_one_number_does_not() {
    let folder = Folder::new();
    let junk: String = (0..3_000).map(|at| format!("{at}. item {at}\n{at} foo\n# title {at}\n")).collect();
    let log = |record: &str| format!("{junk}{record}\n{junk}");
    for (record, code) in [("5 a b", 0), ("1800000000 a b", 0), ("5 a b c", 1), ("5", 1), ("99999999999999 a b", 0)] {
        folder.write("a.log", log(record));
        for chunk in ["64", "4KiB", "1MiB"] {
            for threads in ["1", "8"] {
                for location in ["a.log", "-"] {
                    let settings = ["chunk", "threads", "location"].iter().zip([chunk, threads, location]);
                    let settings: Vec<String> = settings.map(|(key, value)| format!("{key}={value}")).collect();
                    folder.write("p.toml", "reports = ['top-servers']\nuntil = '2023-11-14'\nnow = '2023-11-14'\n");
                    let args =
                        ["run", "p.toml", "-q", "--set", &settings[0], "--set", &settings[1], "--set", &settings[2]];
                    let found = run_with_input(&folder, &args, log(record).as_bytes());
                    assert_eq!(found.status.code(), Some(code), "{record} {settings:?}: {}", stderr(&found));
                }
            }
        }
    }
}

#[test]
fn of_no_text_a_record_by_accident_is_none() {
    let folder = Folder::new();
    let program = std::fs::read("/bin/ls").unwrap();
    folder.write("program", &program);
    for location in ["program", "-"] {
        let found = run_with_input(&folder, &["top", location, "--format", "plain"], &program);
        let text = stderr(&found);
        assert_eq!(found.status.code(), Some(1), "{text}");
        assert!(sentence(&text).unwrap().contains(" they look like binary data; "), "{text}");
        assert!(stdout(&found).contains(", and no record elsewhere"), "{}", stdout(&found));
    }
    // Beside a log, records are its own.
    folder.write("old.log", "1700000000 a b\n");
    for locations in [["program", "old.log"], ["old.log", "program"]] {
        let found = run(&folder, &[&["top", "--format", "plain"][..], &locations].concat());
        assert_eq!((found.status.code(), sentence(&stderr(&found))), (Some(0), None), "{}", stderr(&found));
    }
    folder.write("a.log", "\x7fELF\n1700000000 a b\n");
    assert_eq!(run(&folder, &["top", "a.log", "--until", "latest"]).status.code(), Some(0));
}

/// Of each: the lines that the command was said of, those that come behind them, and what becomes
/// of all.
#[test]
fn a_command_leaves_out_what_it_cannot_read_and_says_so() {
    let folder = Folder::new();
    for (log, behind, taken) in [
        (
            "2023-11-14T22:13:20Z a b\n",
            "2023-11-14T22:13:20+02:00 a b\n2023-11-14T22:13:20.5Z a b\n2023-02-30T00:00:00Z a b\n2023-11-14T22:13:60Z a b\n\n",
            "1700000000 a b\n",
        ),
        (
            "1700000000.1 IP 10.0.0.1.1 > 10.0.0.2.2: Flags\n",
            "1700000000.2 IP www.2.3.4.5 > 10.0.0.2: ICMP\n1700000000.2 ARP, Request who-has 1.2.3.4\n",
            "1700000000.1 10.0.0.1 10.0.0.2\n",
        ),
        ("1700000000,a,b\n", "1700000000,\"c, d\",b\n", "1700000000 a b\n"),
        ("1700000000;a;b\n", "1700000000;\"c; d\";b\n", "1700000000 a b\n"),
        ("1700000000|a|b\n", "1700000000|\"c | d\"|b\n", "1700000000 a b\n"),
        ("1700000000 a -> b\n", "1700000000 a <- b\n1700000000 a b c d\n", "1700000000 a b\n"),
        (
            "1700000000.1 6 10.0.0.1 TCP_MISS/200 5 GET http://a/ - HIER_DIRECT/192.0.2.7 text/html\n",
            "1700000000.1 6 10.0.0.1 TCP_MISS/200 5 GET http://a/ - HIER_DIRECT/192.0.2.7 text/html; a\n",
            "1700000000.1 10.0.0.1 192.0.2.7\n",
        ),
    ] {
        let kind = kind(&log.lines().map(str::as_bytes).collect::<Vec<_>>());
        folder.write("FILE", format!("{log}{behind}"));
        let command = kind.command.unwrap();
        let made = Command::new("bash").current_dir(folder.path()).args(["-c", command]).output().unwrap();
        if stderr(&made).contains("never defined") {
            skip(&format!("in part: {}: awk has no mktime", kind.name));
            continue;
        }
        let left = behind.lines().filter(|line| !line.is_empty()).count();
        assert_eq!(stdout(&made), taken, "{command}");
        assert_eq!(stderr(&made), format!("lines left out: {left}, the first is line 2\n"), "{command}");
    }
}

#[test]
fn an_input_without_a_record_is_told_by_name_beside_others_that_have_some() {
    let folder = Folder::new();
    std::fs::create_dir(folder.at("logs")).unwrap();
    let old = "1600000000 a b\n".repeat(100);
    folder.write("logs/conn.log", format!("# a comment\n{old}"));
    folder.write("logs/blank.log", "\n\n");
    folder.write("logs/zeros.log", [0; 100]);
    folder.write(
        "logs/access.log",
        "192.0.2.54 - - [20/Jul/2009:22:59:26 +0000] \"GET /a HTTP/1.0\" 200 134\n".repeat(100),
    );
    let told = |args: &[&str]| {
        let found = run(&folder, &[args, &["--format", "plain"]].concat());
        assert_eq!(found.status.code(), Some(0), "{}", stderr(&found));
        let lines = stderr(&found);
        lines.lines().filter(|line| line.contains("is a record")).map(str::to_owned).collect::<Vec<_>>()
    };
    let access = "logparser: warning: logs/access.log: no line of it is a record: they look like a log of a web server or proxy; ";
    for more in
        [&["--until", "latest"][..], &["-q", "--until", "latest", "--csv"], &["--last", "1h"], &["--every", "1d"]]
    {
        let said = told(&[&["top", "logs"][..], more].concat());
        assert!(said.len() == 1 && said[0].starts_with(access), "{more:?}: {said:?}");
    }
    assert!(told(&["top", "logs", "-qq"]).is_empty());
    assert!(told(&["top", "logs/conn.log", "logs/blank.log", "logs/zeros.log"]).is_empty());
    for at in 0..100 {
        folder.write(&format!("logs/junk{at:02}.log"), "nothing\n");
    }
    let said = told(&["top", "logs", "-q", "--until", "latest"]);
    assert!(
        said.len() == 4 && said[3].ends_with(": no line of 98 more inputs is a record, the next: logs/junk02.log"),
        "{said:?}"
    );
}

#[test]
fn lines_of_which_none_is_a_record_are_told_by_partial_and_fail_a_report() {
    let folder = Folder::new();
    folder.write("bad.log", "{\"ts\":1700000000}\n{\"ts\":1700000001}\n");
    folder.write("good.log", "1700000000 a b\n");
    let partial = |log: &str, tally: &str, more: &[&str]| {
        let asked = ["partial", log, "--output", tally, "--until", "1700000100", "--last", "10m", "--format", "plain"];
        let args = [&asked[..], more].concat();
        let output = run(&folder, &args);
        assert_eq!((output.status.code(), stdout(&output)), (Some(0), String::new()), "{}", stderr(&output));
        stderr(&output)
    };
    let said = partial("bad.log", "bad.tally", &[]);
    let [loss, foreign] = said.lines().collect::<Vec<_>>()[..] else { panic!("{said}") };
    let first = "warning: 2 malformed lines (2 bad timestamp); the first: bad.log: byte 0: bad timestamp: {\"ts\":1700000000}; ";
    assert!(loss.contains(first) && foreign.contains("none of 2 lines is a record: they look like JSON; "), "{said}");
    assert_eq!(partial("bad.log", "bad.tally", &["-qq"]), format!("{foreign}\n"));
    // Of the tasks of a plan, the report tells.
    assert_eq!(partial("bad.log", "bad.tally", &["--build", logparser::BUILD]), "");
    assert_eq!(partial("good.log", "good.tally", &[]), "");
    assert_eq!(run(&folder, &["merge", "bad.tally", "--output", "same.tally"]).status.code(), Some(0));
    for (tallies, code) in [(&["bad.tally"][..], 1), (&["same.tally"], 1), (&["bad.tally", "good.tally"], 0)] {
        let output = run(&folder, &[&["report"], tallies, &["a", "b", "--output", "csv"]].concat());
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        assert!(stderr(&output).contains(first), "{}", stderr(&output));
        assert_eq!(stderr(&output).contains("none of 2 lines is a record: they look like JSON; "), code == 1);
    }
}

#[test]
fn a_file_that_is_no_text_is_told_as_such_though_a_line_of_it_is_a_record() {
    let folder = Folder::new();
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\n".repeat(9);
    bytes.extend(b"1700000000 a b\n");
    folder.write("program", &bytes);
    let output = run(&folder, &["top", "program", "--until", "latest", "--output", "csv", "--format", "plain"]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(0), "server,connections\nb,1\n".to_owned()));
    let said = "9 malformed lines (9 bad timestamp), which look like binary data; the first: program: byte 0: ";
    assert!(stderr(&output).contains(said), "{}", stderr(&output));
}
