//! How lines of other programs are told apart.
//!
//! Not here: what is said of them. Invariant: each question is about the start of one line, or how
//! many lines answer it.

use crate::model::magic;

/// How files that are not text begin: programs, captures of packets, journals and others.
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

pub(super) fn first(lines: &[&[u8]], is: impl Fn(&[u8]) -> bool) -> bool {
    lines.first().is_some_and(|line| is(line))
}

pub(super) fn some(lines: &[&[u8]], is: impl Fn(&[u8]) -> bool) -> bool {
    lines.iter().any(|line| is(line))
}

pub(super) fn all(lines: &[&[u8]], is: impl Fn(&[u8]) -> bool) -> bool {
    !lines.is_empty() && lines.iter().all(|line| is(line))
}

/// More than half.
pub(super) fn most(lines: &[&[u8]], is: impl Fn(&[u8]) -> bool) -> bool {
    2 * lines.iter().filter(|line| is(line)).count() > lines.len()
}

pub(super) fn fields(line: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty())
}

/// Digits, with a point among them or not.
pub(super) fn is_number(field: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    field.first().is_some_and(u8::is_ascii_digit)
        && field.iter().all(is_digit)
        && field.iter().filter(|byte| **byte == b'.').count() <= 1
}

/// The instants, in seconds, that are taken for times of logs: from 1990 to 2099.
const TIMES: std::ops::Range<u64> = 631_152_000..4_102_444_800;

/// A number that is an instant of recent decades, in any unit.
pub(super) fn is_unix(field: &[u8]) -> bool {
    let whole = field.split(|byte| *byte == b'.').next().unwrap_or_default();
    let seconds = match whole.len() {
        9 | 10 => whole,
        12 | 15 | 18 => &whole[..9],
        13 | 16 | 19 => &whole[..10],
        _ => return false,
    };
    let seconds = std::str::from_utf8(seconds).ok().and_then(|digits| digits.parse().ok());
    is_number(field) && seconds.is_some_and(|seconds| TIMES.contains(&seconds))
}

pub(super) fn is_timed_first(line: &[u8]) -> bool {
    fields(line).next().is_some_and(is_unix)
}

pub(super) fn is_stamp(line: &[u8]) -> bool {
    fields(line).next().is_some_and(is_number)
}

/// What people write between who connected and to whom.
pub(super) fn is_arrow(field: &[u8]) -> bool {
    let shaft = field.strip_suffix(b">");
    field == "→".as_bytes() || shaft.is_some_and(|shaft| shaft.iter().all(|byte| b"-=".contains(byte)))
}

/// An address, as far as it can be told from a name.
pub(super) fn is_address(field: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || b".:".contains(byte);
    field.iter().all(is_part) && field.iter().filter(|byte| b".:".contains(byte)).count() >= 2
}

pub(super) fn is_marked(line: &[u8]) -> bool {
    line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff")
}

/// With the mark of UTF-32, of which that of UTF-16 is a part.
pub(super) fn is_marked_wide(line: &[u8]) -> bool {
    line.starts_with(b"\xff\xfe\0\0") || line.starts_with(b"\0\0\xfe\xff")
}

/// Of text in wide letters that has no mark: whether its first byte is a high one.
pub(super) fn is_big_end_first(line: &[u8]) -> bool {
    line.first() == Some(&0)
}

/// Three bytes of four are zero, and the others are text; also what follows the last newline.
pub(super) fn is_utf32(line: &[u8]) -> bool {
    let text = line.iter().filter(|byte| **byte != 0).count();
    let is_text = line.iter().all(|byte| *byte == 0 || matches!(byte, b' '..=b'~' | b'\t' | b'\r'));
    line == [0; 3] || is_text && text > 1 && (3 * text..=3 * text + 6).contains(&(line.len() - text))
}

/// Nearly all bytes at every other place are zero, and nearly none between them; also what follows
/// the last newline.
pub(super) fn is_utf16(line: &[u8]) -> bool {
    let zeros = |from: usize| line.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (most, least) = (zeros(0).max(zeros(1)), zeros(0).min(zeros(1)));
    line == [0] || line.len() >= 4 && 5 * most >= 2 * (line.len() - 1) && 20 * least <= line.len()
}

pub(super) fn is_compressed(line: &[u8]) -> bool {
    magic::of(line).is_some()
}

pub(super) fn is_binary_at_once(line: &[u8]) -> bool {
    BINARY.iter().any(|magic| line.starts_with(magic))
}

pub(super) fn is_binary(line: &[u8]) -> bool {
    let odd = |byte: &&u8| **byte < b' ' && !byte.is_ascii_whitespace() && **byte != 0x1b;
    4 * line.iter().filter(odd).count() > line.len() || (line.contains(&0) && std::str::from_utf8(line).is_err())
}

/// A carriage return that neither ends the line nor stands in white space.
pub(super) fn is_returned(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    memchr::memchr(b'\r', line).is_some_and(|at| line.get(at + 1).is_some_and(|next| !next.is_ascii_whitespace()))
}

/// The start of an object or a list, or a line of one that is written over many.
pub(super) fn is_json(line: &[u8]) -> bool {
    let line = line.trim_ascii().strip_suffix(b",").unwrap_or(line.trim_ascii());
    let opens = |line: &[u8]| matches!(line.trim_ascii_start(), [] | [b'"' | b'{' | b'[' | b'}' | b']', ..]);
    match line {
        [b'{' | b'[', rest @ ..] => opens(rest),
        [b'}' | b']'] => true,
        [b'"', ..] => memchr::memmem::find(line, b"\":").is_some(),
        _ => false,
    }
}

/// The start of an object that has more in its line than the bracket.
pub(super) fn is_json_object(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    is_json(line) && line.starts_with(b"{") && line.contains(&b':')
}

/// `<time> stdout F {"...`.
pub(super) fn is_cri_json(line: &[u8]) -> bool {
    let mut words = line.splitn(4, |byte| *byte == b' ');
    let (_, stream, part, rest) = (words.next(), words.next(), words.next(), words.next());
    matches!(stream, Some(b"stdout" | b"stderr")) && part.is_some() && rest.is_some_and(is_json)
}

/// With times as numbers.
pub(super) fn is_zeek_json(line: &[u8]) -> bool {
    is_zeek_json_with(line, |time| time.first().is_some_and(u8::is_ascii_digit))
}

/// With times as texts.
pub(super) fn is_zeek_json_text(line: &[u8]) -> bool {
    is_zeek_json_with(line, |time| time.first() == Some(&b'"'))
}

fn is_zeek_json_with(line: &[u8], is_time: impl Fn(&[u8]) -> bool) -> bool {
    let timed = memchr::memmem::find(line, b"\"ts\":").is_some_and(|at| is_time(line[at + 5..].trim_ascii_start()));
    timed && line.trim_ascii_start().starts_with(b"{") && memchr::memmem::find(line, b"\"id.orig_h\":").is_some()
}

pub(super) fn is_zeek_head(line: &[u8]) -> bool {
    line.starts_with(ZEEK)
}

/// As in conn.log: time, number, address, port, address, port, between tabs.
pub(super) fn is_zeek(line: &[u8]) -> bool {
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
pub(super) fn is_vpc(line: &[u8], behind: usize) -> bool {
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
pub(super) fn is_web(line: &[u8]) -> bool {
    fields(line).any(is_bracketed_date)
}

pub(super) fn is_bracketed_date(field: &[u8]) -> bool {
    match field {
        [b'[', a, b, b'/', month @ ..] => {
            a.is_ascii_digit() && b.is_ascii_digit() && starts_with_month(month) && month.get(3) == Some(&b'/')
        }
        _ => false,
    }
}

/// `<client> [06/Feb/2009:12:14:14.655] <frontend> <backend>/<server>`.
pub(super) fn is_haproxy(line: &[u8]) -> bool {
    let words: Vec<&[u8]> = fields(line).collect();
    words.windows(4).any(|four| {
        let [client, time, _, server] = four else { return false };
        client.contains(&b':') && is_bracketed_date(time) && time.ends_with(b"]") && server.contains(&b'/')
    })
}

/// `<time> <ms> <client> <result>/<status> <bytes> <method> <URL> <user> <hierarchy>/<server> ...`.
pub(super) fn is_squid(line: &[u8]) -> bool {
    let words: Vec<&[u8]> = fields(line).collect();
    // The URL may have blanks, so that what is behind it is counted from the end.
    words.len() >= 10 && is_unix(words[0]) && words[3].contains(&b'/') && words[words.len() - 2].contains(&b'/')
}

/// `<time> IP <from>.<port> > <to>.<port>: ...`, as `-tt` has it.
pub(super) fn is_tcpdump(line: &[u8]) -> bool {
    let mut words = fields(line);
    words.next().is_some_and(is_unix)
        && matches!(words.next(), Some(b"IP" | b"IP6"))
        && words.nth(1) == Some(b">")
        && words.next().is_some_and(|to| to.ends_with(b":"))
}

/// Both of its hosts as numbers.
pub(super) fn is_tcpdump_of_numbers(line: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte) || b".:".contains(byte);
    [2, 4].iter().all(|at| {
        fields(line).nth(*at).is_some_and(|host| {
            let host = host.strip_suffix(b":").unwrap_or(host);
            host.iter().all(is_part) && is_address(host)
        })
    })
}

pub(super) fn starts_with_month(text: &[u8]) -> bool {
    MONTHS.iter().any(|month| text.starts_with(month))
}

/// `Oct 11 22:14:15`, or `<34>` before anything.
pub(super) fn is_syslog(line: &[u8]) -> bool {
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

pub(super) fn is_clock(word: &[u8]) -> bool {
    word.len() >= 8 && word[2] == b':' && word[5] == b':' && word[..2].iter().all(u8::is_ascii_digit)
}

/// Most words, at least two of them, are `key=...`.
pub(super) fn is_logfmt(line: &[u8]) -> bool {
    let is_pair = |word: &&[u8]| {
        let key = memchr::memchr(b'=', word).map(|at| &word[..at]);
        key.is_some_and(|key| {
            !key.is_empty() && key.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte))
        })
    };
    fields(line).next().is_some_and(|word| is_pair(&word)) && fields(line).filter(is_pair).count() >= 2
}

/// At least two separators, and no more blanks than that.
pub(super) fn is_separated(line: &[u8], separator: u8) -> bool {
    let separators = line.iter().filter(|byte| **byte == separator).count();
    let words = line.split(|byte| *byte == separator).map(|cell| fields(cell).count()).sum::<usize>();
    separators >= 2 && words <= separators + 1
}

/// Separated like this, in three columns or more, the first of which is a time.
pub(super) fn is_timed(line: &[u8], separator: u8) -> bool {
    let first = line.split(|byte| *byte == separator).next().unwrap_or_default();
    is_separated(line, separator) && is_unix(first.trim_ascii())
}

/// `2026-01-31T12:00:00Z`, and two more fields.
pub(super) fn is_universal(line: &[u8]) -> bool {
    let form = |time: &[u8]| {
        let digit_or_same = |(is, form): (&u8, &u8)| if *form == b'0' { is.is_ascii_digit() } else { is == form };
        time.len() == 20 && time.iter().zip(b"0000-00-00T00:00:00Z").all(digit_or_same)
    };
    fields(line).next().is_some_and(form) && fields(line).count() == 3
}

/// `2026-01-31`, `31.01.2026`, `01/31/2026` or `10/Oct/2000` first, or behind a bracket.
pub(super) fn is_dated(line: &[u8]) -> bool {
    let Some(first) = fields(line).next() else { return false };
    let first = first.strip_prefix(b"[").or_else(|| first.strip_prefix(b"\"")).unwrap_or(first);
    let mut parts = first.splitn(3, |byte| b"-./".contains(byte));
    let (Some(one), Some(two), Some(three)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let digits = |text: &[u8], most: usize| (1..=most).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    digits(one, 4) && (digits(two, 2) || starts_with_month(two)) && three.first().is_some_and(u8::is_ascii_digit)
}
