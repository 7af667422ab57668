//! Syslog, as it is sent and as it is written to files.
//!
//! There may be a priority, `<0>` to `<191>`. Then there is either RFC 5424, which begins with its
//! version, or a stamp (as in RFC 3164, or RFC 3339), a host, a tag with perhaps a process in brackets,
//! a colon, and the message. A tag is one only if a colon and a blank follow, or brackets and a colon;
//! else the message begins behind the host, so that no address in it is taken for a tag.
//!
//! rsyslog may write one line for several messages alike, `message repeated 5 times: [ <message>]`. What
//! stands in the brackets is the message then.
//!
//! Not here: which instant a stamp is. Invariant: all that is read comes from the left, and what is
//! read in brackets ends where they close.

use super::opened::{OpenedLine, word_end};
use crate::format::extract::{FieldPlace, Misfit, MisfitKind};

/// The highest priority: 23 facilities and 7 severities.
const HIGHEST_PRIORITY: u32 = 191;

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// How a line begins that stands for several messages alike, and what follows their number.
const REPEATED: [&[u8]; 2] = [b"message repeated ", b" times: ["];

/// Digits of how many there are.
const MOST_DIGITS: usize = 9;

/// Marks a text as UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Opens a line.
pub fn open(line: &[u8]) -> Result<OpenedLine, Misfit> {
    let start = behind_priority(line)?;
    let opened = match &line[start..] {
        [b'1', b' ', ..] => structured(line, start + 2)?,
        _ => plain(line, start)?,
    };
    Ok(of_several(line, opened).unwrap_or(opened))
}

/// The message that stands for several, and how many, if the line is of that kind.
fn of_several(line: &[u8], opened: OpenedLine) -> Option<OpenedLine> {
    let FieldPlace::Line(start, end) = opened.message else { return None };
    let (start, end) = (start as usize, end as usize);
    let rest = line.get(start..end)?.strip_prefix(REPEATED[0])?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let inner = rest[digits..].strip_prefix(REPEATED[1])?.strip_suffix(b"]")?;
    if !(1..=MOST_DIGITS).contains(&digits) || rest[0] == b'0' {
        return None;
    }
    let number = start + REPEATED[0].len();
    // There is the blank of old syslog before the message, too.
    let inner = end - 1 - inner.strip_prefix(b" ").unwrap_or(inner).len();
    Some(OpenedLine {
        message: FieldPlace::line(inner, end - 1),
        repeats: FieldPlace::line(number, number + digits),
        ..opened
    })
}

/// Whether a text begins as stamps of RFC 3339 do: a date, a `T`, and a time.
pub fn is_rfc3339(text: &[u8]) -> bool {
    has_shape(text, b"0000-00-00T00:00:00") && text.get(19).is_none_or(|byte| b".,Zz+-".contains(byte))
}

/// Whether a text begins with these bytes, where a zero stands for any digit.
fn has_shape(text: &[u8], shape: &[u8]) -> bool {
    let fits = |(byte, shape): (&u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
    text.len() >= shape.len() && text.iter().zip(shape).all(fits)
}

fn not_syslog(at: usize) -> Misfit {
    MisfitKind::NotSyslog.at(at)
}

/// Where the line goes on behind the priority that it may have.
fn behind_priority(line: &[u8]) -> Result<usize, Misfit> {
    let Some(rest) = line.strip_prefix(b"<") else { return Ok(0) };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = rest[..digits].iter().take(4).fold(0, |number, digit| 10 * number + u32::from(digit - b'0'));
    let is_priority = (1..=3).contains(&digits) && number <= HIGHEST_PRIORITY && rest.get(digits) == Some(&b'>');
    if is_priority { Ok(digits + 2) } else { Err(not_syslog(0)) }
}

/// RFC 5424, from the stamp on.
fn structured(line: &[u8], start: usize) -> Result<OpenedLine, Misfit> {
    let mut at = start;
    let mut word = || {
        let begin = at;
        let end = word_end(line, begin).filter(|end| *end < line.len()).ok_or(not_syslog(begin.min(line.len())))?;
        at = end + 1;
        let is_absent = line[begin..end] == *b"-";
        Ok(if is_absent { FieldPlace::Absent } else { FieldPlace::line(begin, end) })
    };
    let (time, host, program) = (word()?, word()?, word()?);
    let (_process, _kind) = (word()?, word()?);
    if time.of(line, b"").is_some_and(|time| !is_rfc3339(time)) {
        return Err(not_syslog(start));
    }
    let end = behind_elements(line, at)?;
    // rsyslog writes two blanks.
    let end = if line[end..].starts_with(b"  ") { end + 1 } else { end };
    let message = match line.get(end) {
        None => end,
        Some(b' ') if line[end + 1..].starts_with(BYTE_ORDER_MARK) => end + 1 + BYTE_ORDER_MARK.len(),
        Some(b' ') => end + 1,
        Some(_) => return Err(not_syslog(end)),
    };
    Ok(OpenedLine { message: FieldPlace::line(message, line.len()), time, host, program, ..OpenedLine::default() })
}

/// Where the structured data ends that begins at `start`: a dash, or elements in brackets.
fn behind_elements(line: &[u8], start: usize) -> Result<usize, Misfit> {
    if line.get(start) == Some(&b'-') {
        return Ok(start + 1);
    }
    let mut at = start;
    while line.get(at) == Some(&b'[') {
        at = behind_element(line, at)?;
    }
    if at > start { Ok(at) } else { Err(not_syslog(start)) }
}

/// Where the element ends that begins at `start`. A bracket in a value does not close it.
fn behind_element(line: &[u8], start: usize) -> Result<usize, Misfit> {
    let mut is_value = false;
    let mut at = start + 1;
    while let Some(byte) = line.get(at) {
        match byte {
            b'"' => is_value = !is_value,
            b'\\' if is_value => at += 1,
            b']' if !is_value => return Ok(at + 1),
            _ => {}
        }
        at += 1;
    }
    Err(MisfitKind::UnclosedQuote.at(start))
}

/// A stamp, a host, a tag, and the message.
fn plain(line: &[u8], start: usize) -> Result<OpenedLine, Misfit> {
    let stamp = stamp_end(line, start).ok_or(not_syslog(start))?;
    let time = FieldPlace::line(start, stamp);
    let at = skip_blanks(line, stamp);
    // Some write no host: what comes first is the tag.
    if let Some((program, message)) = tag(line, at) {
        return Ok(OpenedLine {
            message: FieldPlace::line(message, line.len()),
            time,
            program,
            ..OpenedLine::default()
        });
    }
    let end = word_end(line, at).ok_or(not_syslog(at))?;
    let host = FieldPlace::line(at, end);
    let at = skip_blanks(line, end);
    let (program, message) = tag(line, at).unwrap_or((FieldPlace::Absent, at));
    Ok(OpenedLine { message: FieldPlace::line(message, line.len()), time, host, program, ..OpenedLine::default() })
}

/// Where the stamp ends that begins at `start`: before a blank.
fn stamp_end(line: &[u8], start: usize) -> Option<usize> {
    let rest = line.get(start..)?;
    if is_rfc3339(rest) {
        return word_end(line, start);
    }
    if !MONTHS.iter().any(|month| rest.starts_with(*month)) || rest.get(3) != Some(&b' ') {
        return None;
    }
    // `Oct  1`, `Oct 1` and `Oct 11`.
    let day = skip_blanks(rest, 3);
    let time =
        [&b"00 "[..], b"0 "].into_iter().find(|shape| has_shape(&rest[day..], shape)).map(|day| day.len())? + day;
    let seconds = time + b"00:00:00".len();
    if day > 5 || !has_shape(&rest[time..], b"00:00:00") {
        return None;
    }
    let end = match rest.get(seconds) {
        Some(b'.' | b',') => rest[seconds + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count() + seconds + 1,
        _ => seconds,
    };
    rest.get(end).is_none_or(|byte| *byte == b' ').then_some(start + end)
}

fn skip_blanks(line: &[u8], mut at: usize) -> usize {
    while line.get(at) == Some(&b' ') {
        at += 1;
    }
    at
}

/// The program in the tag that begins at `start`, and where the message begins behind it, if it is a
/// tag: `program: `, `program[process]:`.
fn tag(line: &[u8], start: usize) -> Option<(FieldPlace, usize)> {
    let rest = line.get(start..)?;
    let name = rest.iter().position(|byte| matches!(byte, b' ' | b':' | b'['))?;
    let process = match rest[name..].strip_prefix(b"[") {
        Some(rest) => rest.iter().position(|byte| matches!(byte, b' ' | b']')).map(|end| end + 2)?,
        None => 0,
    };
    let colon = name + process;
    let is_closed = process == 0 || rest.get(colon - 1) == Some(&b']');
    if name == 0 || !is_closed || rest.get(colon) != Some(&b':') {
        return None;
    }
    let message = match rest.get(colon + 1) {
        Some(b' ') => colon + 2,
        Some(_) if process == 0 => return None,
        _ => colon + 1,
    };
    Some((FieldPlace::line(start, start + name), start + message))
}
