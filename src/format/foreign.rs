//! What lines may be that are no records: told by the beginnings of a few of them, to say what to do.
//!
//! Not here: reading such lines. Invariant: what is said is a guess, and nothing that counts rests on it.

/// A kind of lines that somebody may take for a log of this program.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What they look like, behind "they look like".
    pub name: &'static str,
    /// What to do with them.
    pub remedy: &'static str,
    /// Whether these bytes, the start of a line, are of it; all lines but the first have no more than their start.
    is: fn(&[u8]) -> bool,
}

/// The form that lines have to be brought into.
const FORM: &str = "bring each into the form '<Unix time> <from> <to>'";

/// All kinds; of several that fit, the first is told.
const TABLE: &[Kind] = &[
    Kind { name: "UTF-16 text", remedy: "convert it: iconv -f UTF-16 -t UTF-8 FILE | logparser ...", is: is_utf16 },
    Kind {
        name: "compressed data",
        remedy: "pipe it in decompressed, e.g. zcat FILE | logparser ...",
        is: |line| COMPRESSED.iter().any(|magic| line.starts_with(magic)),
    },
    Kind { name: "binary data", remedy: "name the text log that it was made of", is: is_binary },
    Kind {
        name: "JSON",
        remedy: "take three fields of it: jq -r '[.TIME, .FROM, .TO] | join(\" \")' FILE | logparser ...",
        is: |line| has_json(line.trim_ascii_start()),
    },
    Kind {
        name: "a log of Zeek",
        remedy: "take three columns of it: zeek-cut ts id.orig_h id.resp_h < FILE | logparser ...",
        is: |line| ZEEK.iter().any(|start| line.starts_with(start)),
    },
    Kind {
        name: "XML or HTML",
        remedy: FORM,
        is: |line| line.trim_ascii_start().starts_with(b"<") && !is_syslog(line.trim_ascii_start()),
    },
    Kind {
        name: "a log of a web server or proxy",
        remedy: "it names no server in a field of its own; bring each line into the form '<Unix time> <client> <server>'",
        is: is_web,
    },
    Kind {
        name: "syslog",
        remedy: "take what connects to what out of the message, and bring each line into the form '<Unix time> <from> <to>'",
        is: is_syslog,
    },
    Kind { name: "logfmt (key=value)", remedy: FORM, is: is_logfmt },
    Kind {
        name: "CSV",
        remedy: "take three columns of it, e.g. cut -d, -f1,2,3 FILE | tr , ' ' | logparser ...",
        is: |line| is_separated(line, b','),
    },
    Kind {
        name: "lines that begin with a date",
        remedy: "write it as Unix time, e.g. by gawk's mktime or date -d ... +%s",
        is: is_dated,
    },
    Kind {
        name: "lines with more fields than the three of '<Unix time> <from> <to>'",
        remedy: "take three of them, e.g. awk '{ print $1, $2, $3 }' FILE | logparser ...",
        is: |line| is_stamp(line) && fields(line).count() > 3,
    },
    Kind {
        name: "lines with fewer fields than the three of '<Unix time> <from> <to>'",
        remedy: "each needs a time, who connected, and to whom",
        is: |line| is_stamp(line) && fields(line).count() < 3,
    },
];

/// What is neither of these.
const UNKNOWN: Kind = Kind { name: "nothing that is known here", remedy: FORM, is: |_| true };

/// How compressed data and archives begin.
const COMPRESSED: [&[u8]; 8] = [
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    b"\xfd7zXZ\0",
    b"BZh",
    b"PK\x03\x04",
    b"\x04\x22\x4d\x18",
    b"7z\xbc\xaf",
    b"\x1f\x9d",
];

/// How the lines begin that stand at the head of a log of Zeek.
const ZEEK: [&[u8]; 6] = [b"#separator", b"#set_separator", b"#empty_field", b"#unset_field", b"#path", b"#fields"];

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// The kind of most of these lines, of each of which this is the start. The first kind in the table that more than half
/// of them are of.
pub fn kind(lines: &[&[u8]]) -> Kind {
    let lines = || lines.iter().filter(|line| !line.trim_ascii().is_empty());
    let most = |kind: &&Kind| 2 * lines().filter(|line| (kind.is)(line)).count() > lines().count();
    TABLE.iter().find(most).copied().unwrap_or(UNKNOWN)
}

fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty())
}

fn is_stamp(line: &[u8]) -> bool {
    fields(line).next().is_some_and(|first| first.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.'))
}

fn is_utf16(line: &[u8]) -> bool {
    let zeros = |from: usize| line.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let marked = line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff");
    marked || (line.len() >= 4 && zeros(0).max(zeros(1)) > line.len() / 3)
}

fn is_binary(line: &[u8]) -> bool {
    let odd = |byte: &&u8| **byte < b' ' && !byte.is_ascii_whitespace() && **byte != 0x1b;
    4 * line.iter().filter(odd).count() > line.len() || (line.contains(&0) && std::str::from_utf8(line).is_err())
}

/// Also within lines of a container's log: `<time> stdout F {"...`.
fn has_json(line: &[u8]) -> bool {
    let object =
        |from: usize| matches!(line.get(from..), Some([b'{', rest @ ..]) if rest.trim_ascii_start().starts_with(b"\""));
    let array = line.starts_with(b"[{") || line.starts_with(b"[\"") || line == b"[" || line == b"{" || line == b"[\n";
    array || object(0) || memchr::memmem::find(line, b" {\"").is_some_and(|at| object(at + 1))
}

/// `[10/Oct/2000:13:55:36 -0700]` or the like in it.
fn is_web(line: &[u8]) -> bool {
    memchr::memchr_iter(b'[', line).any(|at| match &line[at + 1..] {
        [a, b, b'/', month @ ..] => {
            a.is_ascii_digit() && b.is_ascii_digit() && starts_with_month(month) && month.get(3) == Some(&b'/')
        }
        _ => false,
    })
}

fn starts_with_month(text: &[u8]) -> bool {
    MONTHS.iter().any(|month| text.starts_with(month))
}

/// `Oct 11 22:14:15`, or `<34>` before anything.
fn is_syslog(line: &[u8]) -> bool {
    let priority = line.strip_prefix(b"<").is_some_and(|rest| {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (1..=3).contains(&digits) && rest.get(digits) == Some(&b'>')
    });
    let mut words = fields(line);
    let (month, day, clock) = (words.next(), words.next(), words.next());
    let is_day = day.is_some_and(|day| day.len() <= 2 && day.iter().all(u8::is_ascii_digit));
    priority
        || (month.is_some_and(|month| month.len() == 3 && starts_with_month(month))
            && is_day
            && clock.is_some_and(is_clock))
}

fn is_clock(word: &[u8]) -> bool {
    word.len() >= 8 && word[2] == b':' && word[5] == b':' && word[..2].iter().all(u8::is_ascii_digit)
}

/// Most words, at least two of them, are `key=...`.
fn is_logfmt(line: &[u8]) -> bool {
    let is_pair = |word: &&[u8]| {
        let key = memchr::memchr(b'=', word).map(|at| &word[..at]);
        key.is_some_and(|key| {
            !key.is_empty() && key.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte))
        })
    };
    fields(line).next().is_some_and(|word| is_pair(&word)) && fields(line).filter(is_pair).count() >= 2
}

/// At least two separators, and no more blanks than that.
fn is_separated(line: &[u8], separator: u8) -> bool {
    let separators = line.iter().filter(|byte| **byte == separator).count();
    separators >= 2 && fields(line).count() <= separators + 1
}

/// `2026-01-31`, `31.01.2026`, `01/31/2026` or `10/Oct/2000` first, or behind a bracket.
fn is_dated(line: &[u8]) -> bool {
    let Some(first) = fields(line).next() else { return false };
    let first = first.strip_prefix(b"[").or_else(|| first.strip_prefix(b"\"")).unwrap_or(first);
    let mut parts = first.splitn(3, |byte| b"-./".contains(byte));
    let (Some(one), Some(two), Some(three)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let digits = |text: &[u8], most: usize| (1..=most).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    digits(one, 4) && (digits(two, 2) || starts_with_month(two)) && three.first().is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Lines of each kind, in the form of real programs.
    const LINES: &[(&str, &[&[u8]])] = &[
        ("UTF-16 text", &[b"\xff\xfe1\x007\x000\x00 \x00a\x00", b"\x001\x007\x000\x00 \x00a\x00 \x00b\x00"]),
        ("UTF-16 text", &[b"1\x007\x000\x000\x00 \x00a\x00 \x00b\x00"]),
        ("compressed data", &[b"PK\x03\x04\x14\x00\x08\x00conn.log"]),
        (
            "binary data",
            &[b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00", b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00\xff"],
        ),
        ("JSON", &[br#"{"ts":1700000000.1,"id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2"}"#]),
        ("JSON", &[b"[", br#"  {"a": 1},"#, br#"  {"a": 2}"#]),
        ("JSON", &[br#"2025-12-31T17:37:40.49+01:00 stdout F {":authority":"www.example.com","bytes_received":0"#]),
        ("a log of Zeek", &[b"#separator \\x09", b"#set_separator\t,", b"#empty_field\t(empty)", b"#fields\tts\tuid"]),
        ("XML or HTML", &[b"<?xml version=\"1.0\"?>", b"<connections>"]),
        (
            "a log of a web server or proxy",
            &[br#"192.0.2.54 - - [20/Jul/2009:22:59:26 +0000] "GET /a HTTP/1.0" 200 134 "-" "x/0.9""#],
        ),
        (
            "a log of a web server or proxy",
            &[b"192.0.2.9:14853 [14/Jan/2015:12:48:57.127] https-in~ back/node 170/0/0"],
        ),
        ("syslog", &[b"Feb 12 14:10:21 host-1 sshd[16378]: Invalid user x from 192.0.2.49 port 53502"]),
        ("syslog", &[b"Jun  8 14:34:33 host-1 kernel: [5002.08] IN=enp1s0 OUT= SRC=192.0.2.1 DST=192.0.2.2"]),
        ("syslog", &[b"<34>1 2003-10-11T22:14:15.003Z host su - ID47 - message"]),
        ("logfmt (key=value)", &[br#"time="2021-09-15T21:17:10Z" level=error msg="pod is not found""#]),
        ("CSV", &[b"time,from,to", b"1700000000,a,b", b"1700000001,a,c"]),
        ("lines that begin with a date", &[b"2023-11-14T22:13:20Z a b"]),
        ("lines that begin with a date", &[b"[31.01.2026 12:00] a b", b"2023/11/14 22:13 a b", b"14/Nov/2023 a b"]),
        (
            "lines with more fields than the three of '<Unix time> <from> <to>'",
            &[b"1700000000 a b 5", b"1700000000.25 a b 80"],
        ),
        ("lines with fewer fields than the three of '<Unix time> <from> <to>'", &[b"1700000000 a", b"1700000000"]),
        ("nothing that is known here", &[b"foo bar baz", b"\x1b[31mhello world", b"version account-id interface-id"]),
    ];

    #[test]
    fn lines_of_real_programs_are_told_apart() {
        for (name, lines) in LINES {
            assert_eq!(
                kind(lines).name,
                *name,
                "{:?}",
                lines.iter().map(|l| String::from_utf8_lossy(l)).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn every_kind_has_an_example_and_a_remedy() {
        for entry in TABLE {
            assert!(LINES.iter().any(|(name, _)| *name == entry.name), "{}", entry.name);
            assert!(entry.remedy.len() > 10);
        }
    }

    #[test]
    fn most_lines_decide_and_blank_ones_do_not() {
        assert_eq!(kind(&[b"header", b"a,b,c", b"", b"1,2,3"]).name, "CSV");
        assert_eq!(kind(&[b"a,b,c", b"header"]).name, UNKNOWN.name);
        assert_eq!(kind(&[]).name, UNKNOWN.name);
    }

    proptest! {
        #[test]
        fn any_bytes_are_of_some_kind(lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..6)) {
            let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
            prop_assert!(!kind(&lines).name.is_empty());
        }
    }
}
