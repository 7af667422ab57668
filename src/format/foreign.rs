//! What lines may be that are no records: told by the beginnings of a few of them, to say what to do.
//!
//! Not here: reading such lines. Invariant: what is said is a guess, and nothing that counts rests on it; a command that
//! is said gives records of what it is said of, which `tests/it/foreign.rs` holds against lines of each kind.

/// A kind of lines that somebody may take for a log of this program.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What they look like, behind "they look like".
    pub name: &'static str,
    /// What to do with them.
    pub remedy: &'static str,
    /// What does it, if there is such a command: it reads `FILE` and writes records. Of columns or keys that only who knows
    /// the log can name, it has `TIME`, `FROM` and `TO`.
    pub command: Option<&'static str>,
    /// Whether they are no text, so that a line that is a record is one by accident.
    pub is_binary: bool,
    /// Whether these are of it: how the first lines of the inputs begin, blank ones aside.
    is: fn(&[&[u8]]) -> bool,
}

impl Kind {
    const fn new(name: &'static str, remedy: &'static str, is: fn(&[&[u8]]) -> bool) -> Self {
        Kind { name, remedy, command: None, is_binary: false, is }
    }

    const fn by(self, command: &'static str) -> Self {
        Kind { command: Some(command), ..self }
    }

    const fn binary(self) -> Self {
        Kind { is_binary: true, ..self }
    }

    /// What to do with them, and how.
    pub fn advice(&self) -> String {
        match self.command {
            Some(command) => format!("{}: {command} | logparser ...", self.remedy),
            None => self.remedy.to_owned(),
        }
    }
}

/// The form that lines have to be brought into.
const FORM: &str = "bring each into the form '<Unix time> <from> <to>'";

/// All kinds; of several that fit, the first is told.
pub const TABLE: &[Kind] = &[
    Kind::new("UTF-16 text", "convert it", |lines| first(lines, is_marked))
        .by("iconv -f UTF-16 -t UTF-8 FILE")
        .binary(),
    Kind::new("UTF-16 text", "convert it", |lines| most(lines, is_utf16))
        .by("iconv -f UTF-16LE -t UTF-8 FILE")
        .binary(),
    Kind::new("compressed data", "pipe it in, decompressed by what made it", |lines| first(lines, is_compressed))
        .binary(),
    Kind::new("binary data", "name the text log that it was made of", |lines| {
        first(lines, is_binary_at_once) || most(lines, is_binary)
    })
    .binary(),
    Kind::new("lines that end with a carriage return alone", "end them with a newline", |lines| {
        most(lines, is_returned)
    })
    .by("tr '\\r' '\\n' < FILE"),
    Kind::new("a log of Zeek in JSON", "take three fields of it", |lines| most(lines, is_zeek_json))
        .by(r#"jq -r '"\(.ts) \(."id.orig_h") \(."id.resp_h")"' FILE"#),
    Kind::new("JSON in a container's log", "take three fields of it, the time as Unix time", |lines| {
        most(lines, is_cri_json)
    })
    .by(r#"cut -d ' ' -f 4- FILE | jq -r '[.TIME, .FROM, .TO] | join(" ")'"#),
    Kind::new("a list in JSON", "take three fields of each, the time as Unix time", |lines| {
        first(lines, |line| line.trim_ascii_start().starts_with(b"[")) && most(lines, is_json)
    })
    .by(r#"jq -r '.[] | [.TIME, .FROM, .TO] | join(" ")' FILE"#),
    Kind::new("JSON", "take three fields of it, the time as Unix time", |lines| most(lines, is_json))
        .by(r#"jq -r '[.TIME, .FROM, .TO] | join(" ")' FILE"#),
    Kind::new("a log of Zeek", "take three columns of it", |lines| some(lines, is_zeek_head) || most(lines, is_zeek))
        .by(r"awk -F '\t' '!/^#/ { print $1, $3, $5 }' FILE"),
    Kind::new(
        "a log of Zeek that has no hosts where conn.log has them",
        "take its columns of time, from and to",
        |lines| first(lines, |line| line.starts_with(b"#separator")),
    ),
    Kind::new("a VPC flow log", "take three fields of it", |lines| some(lines, |line| is_vpc(line, 0)))
        .by("awk '$4 ~ /[.:]/ { print $11, $4, $5 }' FILE"),
    Kind::new("a VPC flow log with times in front", "take three fields of it", |lines| {
        some(lines, |line| is_vpc(line, 1))
    })
    .by("awk '$5 ~ /[.:]/ { print $12, $5, $6 }' FILE"),
    Kind::new("a VPC flow log of a form of its own", "take three fields of it, by their names", |lines| {
        first(lines, |line| [&b"srcaddr"[..], b"dstaddr", b"start"].iter().all(|name| fields(line).any(|f| f == *name)))
    })
    .by(concat!(
        r#"awk 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } "#,
        r#"$at["srcaddr"] != "-" { print $at["start"], $at["srcaddr"], $at["dstaddr"] }' FILE"#
    )),
    Kind::new("XML or HTML", FORM, |lines| {
        most(lines, |line| line.trim_ascii_start().starts_with(b"<") && !is_syslog(line.trim_ascii_start()))
    }),
    Kind::new("a log of HAProxy", "take client and server of it, here with its times as UTC", |lines| {
        some(lines, is_haproxy) && most(lines, |line| is_haproxy(line) || is_syslog(line) || is_web(line))
    })
    .by(concat!(
        r"TZ=UTC awk '{ for (i = 2; i < NF - 1; i++) if ($i ~ /^\[[0-9]+\/[A-Z]/ && $(i + 2) ~ /\//) { ",
        r#"split(substr($i, 2), t, /[\/:.\]]/); sub(/:[0-9]+$/, "", $(i - 1)); "#,
        r#"m = (index("JanFebMarAprMayJunJulAugSepOctNovDec", t[2]) + 2) / 3; "#,
        r#"print mktime(t[3] " " m " " t[1] " " t[4] " " t[5] " " t[6]), $(i - 1), $(i + 2) } }' FILE"#
    )),
    Kind::new(
        "a log of a web server or proxy",
        "it names no server in a field of its own; bring each line into the form '<Unix time> <client> <server>'",
        |lines| most(lines, is_web),
    ),
    Kind::new(
        "syslog",
        "take what connects to what out of the message, and bring each line into the form '<Unix time> <from> <to>'",
        |lines| most(lines, is_syslog),
    ),
    Kind::new("logfmt (key=value)", FORM, |lines| most(lines, is_logfmt)),
    Kind::new("a log of Squid", "take three fields of it", |lines| most(lines, is_squid))
        .by(r#"awk '{ split($9, to, "/"); if (to[2] != "-") print $1, $3, to[2] }' FILE"#),
    Kind::new("what tcpdump prints", "take time and addresses of it, without their ports", |lines| {
        most(lines, is_tcpdump)
    })
    .by(r#"awk '$4 == ">" { gsub(/(\.[0-9]+)?:$/, "", $5); sub(/\.[0-9]+$/, "", $3); print $1, $3, $5 }' FILE"#),
    Kind::new("CSV", "take its columns of time, from and to; if these are the first three", |lines| {
        most(lines, |line| is_timed(line, b','))
    })
    .by("awk -F , '{ print $1, $2, $3 }' FILE"),
    Kind::new("CSV with semicolons", "take its columns of time, from and to; if these are the first three", |lines| {
        most(lines, |line| is_timed(line, b';'))
    })
    .by("awk -F ';' '{ print $1, $2, $3 }' FILE"),
    Kind::new(
        "columns with bars between them",
        "take those of time, from and to; if these are the first three",
        |lines| most(lines, |line| is_timed(line, b'|')),
    )
    .by("awk -F '[ |]+' '{ print $1, $2, $3 }' FILE"),
    Kind::new("CSV", "take its columns of time (as Unix time), from and to, in this order", |lines| {
        [b',', b';', b'|'].iter().any(|separator| most(lines, |line| is_separated(line, *separator)))
    }),
    Kind::new("lines that begin with a date", "write it as Unix time", |lines| most(lines, is_universal))
        .by(r#"TZ=UTC awk '{ gsub(/[-T:Z]/, " ", $1); print mktime($1), $2, $3 }' FILE"#),
    Kind::new(
        "lines that begin with a date",
        "write it as Unix time, as date -d does or mktime in gawk, and bring each into the form '<Unix time> <from> <to>'",
        |lines| most(lines, is_dated),
    ),
    Kind::new("lines whose time stands last", "put it first", |lines| {
        most(lines, |line| fields(line).count() == 3 && fields(line).next_back().is_some_and(is_unix))
    })
    .by("awk '{ print $3, $1, $2 }' FILE"),
    Kind::new("lines whose time does not stand first", "take three fields of it, by their numbers", |lines| {
        most(lines, |line| !is_stamp(line) && fields(line).count() >= 3 && fields(line).any(is_unix))
    })
    .by("awk '{ print $TIME, $FROM, $TO }' FILE"),
    Kind::new(
        "lines with more fields than the three of '<Unix time> <from> <to>'",
        "take three of them; if these are the first",
        |lines| most(lines, |line| is_stamp(line) && fields(line).count() > 3),
    )
    .by("awk '{ print $1, $2, $3 }' FILE"),
    Kind::new(
        "lines with fewer fields than the three of '<Unix time> <from> <to>'",
        "each needs a time, who connected, and to whom",
        |lines| most(lines, |line| is_stamp(line) && fields(line).count() < 3),
    ),
];

/// What is neither of these.
const UNKNOWN: Kind = Kind::new("nothing that is known here", FORM, |_| true);

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

/// How programs, captures of packets, journals and other files begin that are no text.
const BINARY: [&[u8]; 8] = [
    b"\x7fELF",
    b"MZ\x90\0",
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",
    b"LPKSHHRH",
    b"SQLite format 3\0",
    b"\x89PNG",
];

/// How the names of columns begin in those logs of Zeek that have hosts where conn.log has them.
const ZEEK: &[u8] = b"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h";

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// The kind of these lines, of each of which this is the start.
pub fn kind(lines: &[&[u8]]) -> Kind {
    let without_mark = lines.iter().map(|line| line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line));
    let lines: Vec<&[u8]> = without_mark.filter(|line| !line.trim_ascii().is_empty()).collect();
    TABLE.iter().find(|kind| (kind.is)(&lines)).copied().unwrap_or(UNKNOWN)
}

fn first(lines: &[&[u8]], is: impl Fn(&[u8]) -> bool) -> bool {
    lines.first().is_some_and(|line| is(line))
}

fn some(lines: &[&[u8]], is: impl Fn(&[u8]) -> bool) -> bool {
    lines.iter().any(|line| is(line))
}

/// More than half.
fn most(lines: &[&[u8]], is: impl Fn(&[u8]) -> bool) -> bool {
    2 * lines.iter().filter(|line| is(line)).count() > lines.len()
}

fn fields(line: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty())
}

/// Digits, with a point among them or not.
fn is_number(field: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    field.first().is_some_and(u8::is_ascii_digit)
        && field.iter().all(is_digit)
        && field.iter().filter(|byte| **byte == b'.').count() <= 1
}

/// A number with as many digits as an instant of today has, in any unit.
fn is_unix(field: &[u8]) -> bool {
    let whole = field.split(|byte| *byte == b'.').next().map_or(0, <[u8]>::len);
    is_number(field) && matches!(whole, 9 | 10 | 13 | 16 | 19)
}

fn is_stamp(line: &[u8]) -> bool {
    fields(line).next().is_some_and(is_number)
}

/// An address, as far as it can be told from a name.
fn is_address(field: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || b".:".contains(byte);
    field.iter().all(is_part) && field.iter().filter(|byte| b".:".contains(byte)).count() >= 2
}

fn is_marked(line: &[u8]) -> bool {
    line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff")
}

/// Nearly all bytes at every other place are zero, and nearly none between them; also what follows the last newline.
fn is_utf16(line: &[u8]) -> bool {
    let zeros = |from: usize| line.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (most, least) = (zeros(0).max(zeros(1)), zeros(0).min(zeros(1)));
    line == [0] || line.len() >= 4 && 5 * most >= 2 * (line.len() - 1) && 20 * least <= line.len()
}

fn is_compressed(line: &[u8]) -> bool {
    COMPRESSED.iter().any(|magic| line.starts_with(magic))
}

fn is_binary_at_once(line: &[u8]) -> bool {
    BINARY.iter().any(|magic| line.starts_with(magic))
}

fn is_binary(line: &[u8]) -> bool {
    let odd = |byte: &&u8| **byte < b' ' && !byte.is_ascii_whitespace() && **byte != 0x1b;
    4 * line.iter().filter(odd).count() > line.len() || (line.contains(&0) && std::str::from_utf8(line).is_err())
}

/// A carriage return that neither ends the line nor stands in white space.
fn is_returned(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    memchr::memchr(b'\r', line).is_some_and(|at| line.get(at + 1).is_some_and(|next| !next.is_ascii_whitespace()))
}

/// The start of an object or a list, or a line of one that is written over many.
fn is_json(line: &[u8]) -> bool {
    let line = line.trim_ascii().strip_suffix(b",").unwrap_or(line.trim_ascii());
    let opens = |line: &[u8]| matches!(line.trim_ascii_start(), [] | [b'"' | b'{' | b'[' | b'}' | b']', ..]);
    match line {
        [b'{' | b'[', rest @ ..] => opens(rest),
        [b'}' | b']'] => true,
        [b'"', ..] => memchr::memmem::find(line, b"\":").is_some(),
        _ => false,
    }
}

/// `<time> stdout F {"...`.
fn is_cri_json(line: &[u8]) -> bool {
    let mut words = line.splitn(4, |byte| *byte == b' ');
    let (_, stream, part, rest) = (words.next(), words.next(), words.next(), words.next());
    matches!(stream, Some(b"stdout" | b"stderr")) && part.is_some() && rest.is_some_and(is_json)
}

/// With times as numbers.
fn is_zeek_json(line: &[u8]) -> bool {
    let digit = |at: usize| line.get(at).is_some_and(u8::is_ascii_digit);
    let timed = memchr::memmem::find(line, b"\"ts\":").is_some_and(|at| digit(at + 5) || digit(at + 6));
    timed && line.trim_ascii_start().starts_with(b"{") && memchr::memmem::find(line, b"\"id.orig_h\":").is_some()
}

fn is_zeek_head(line: &[u8]) -> bool {
    line.starts_with(ZEEK)
}

/// As in conn.log: time, number, address, port, address, port, between tabs.
fn is_zeek(line: &[u8]) -> bool {
    let columns: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
    let [time, uid, from, from_port, to, to_port, ..] = columns[..] else { return false };
    let is_port = |port: &[u8]| !port.is_empty() && port.iter().all(u8::is_ascii_digit);
    is_unix(time)
        && uid.iter().all(u8::is_ascii_alphanumeric)
        && is_address(from)
        && is_address(to)
        && is_port(from_port)
        && is_port(to_port)
}

/// Version, account, interface, and fourteen in all, behind so many others; or their names.
fn is_vpc(line: &[u8], behind: usize) -> bool {
    let words: Vec<&[u8]> = fields(line).skip(behind).collect();
    let [version, account, interface, ..] = words[..] else { return false };
    let named = (version, account, interface) == (b"version", b"account-id", b"interface-id");
    let is_in_order = words.get(3..5).is_some_and(|hosts| hosts == [&b"srcaddr"[..], b"dstaddr"]);
    let starts = words.get(10) == Some(&&b"start"[..]);
    (named && is_in_order && starts)
        || (version.len() == 1 && is_number(version) && is_number(account) && interface.starts_with(b"eni-"))
            && words.len() >= 14
}

/// `[10/Oct/2000:13:55:36 -0700]` or the like in it.
fn is_web(line: &[u8]) -> bool {
    fields(line).any(is_bracketed_date)
}

fn is_bracketed_date(field: &[u8]) -> bool {
    match field {
        [b'[', a, b, b'/', month @ ..] => {
            a.is_ascii_digit() && b.is_ascii_digit() && starts_with_month(month) && month.get(3) == Some(&b'/')
        }
        _ => false,
    }
}

/// `<client> [06/Feb/2009:12:14:14.655] <frontend> <backend>/<server>`.
fn is_haproxy(line: &[u8]) -> bool {
    let words: Vec<&[u8]> = fields(line).collect();
    words.windows(4).any(|four| {
        let [client, time, _, server] = four else { return false };
        client.contains(&b':') && is_bracketed_date(time) && time.ends_with(b"]") && server.contains(&b'/')
    })
}

/// `<time> <ms> <client> <result>/<status> <bytes> <method> <URL> <user> <hierarchy>/<server> ...`.
fn is_squid(line: &[u8]) -> bool {
    let words: Vec<&[u8]> = fields(line).collect();
    words.len() >= 10 && is_unix(words[0]) && words[3].contains(&b'/') && words[8].contains(&b'/')
}

/// `<time> IP <from>.<port> > <to>.<port>: ...`, as `-tt` has it.
fn is_tcpdump(line: &[u8]) -> bool {
    let mut words = fields(line);
    words.next().is_some_and(is_unix)
        && matches!(words.next(), Some(b"IP" | b"IP6"))
        && words.nth(1) == Some(b">")
        && words.next().is_some_and(|to| to.ends_with(b":"))
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
    let words = line.split(|byte| *byte == separator).map(|cell| fields(cell).count()).sum::<usize>();
    separators >= 2 && words <= separators + 1
}

/// Separated so, the first of three columns or more being a time.
fn is_timed(line: &[u8], separator: u8) -> bool {
    let first = line.split(|byte| *byte == separator).next().unwrap_or_default();
    is_separated(line, separator) && is_unix(first.trim_ascii())
}

/// `2026-01-31T12:00:00Z`, and two more fields.
fn is_universal(line: &[u8]) -> bool {
    let form = |time: &[u8]| {
        let digit_or_same = |(is, form): (&u8, &u8)| if *form == b'0' { is.is_ascii_digit() } else { is == form };
        time.len() == 20 && time.iter().zip(b"0000-00-00T00:00:00Z").all(digit_or_same)
    };
    fields(line).next().is_some_and(form) && fields(line).count() == 3
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

    #[test]
    fn most_lines_decide_and_blank_ones_do_not() {
        assert_eq!(kind(&[b"header", b"1700000000,b,c", b"", b"1700000001,2,3"]).name, "CSV");
        assert_eq!(kind(&[b"1700000000,b,c", b"header"]).name, UNKNOWN.name);
        assert_eq!(kind(&[b"\xef\xbb\xbf{\"a\": 1}"]).name, "JSON");
        assert_eq!(kind(&[]).name, UNKNOWN.name);
    }

    proptest! {
        #[test]
        fn any_bytes_are_of_some_kind(lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..6)) {
            let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
            prop_assert!(!kind(&lines).advice().is_empty());
        }
    }
}
