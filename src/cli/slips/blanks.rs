//! Values that a blank has cut, so that the rest of them would be taken for hosts and locations:
//! `--since 1 hour ago`.
//!
//! Not here: what a value means when it is whole (`model`). Invariant: what is suggested is a
//! value, as whole as it was meant; and a file whose name is the rest of a value is that file.

use std::ffi::OsString;
use std::path::Path;

use super::options::{any_command, option_of_word};
use crate::error::{Error, Result};
use crate::model::escape::shell_word;
use crate::model::{Word, calendar, length, size, zone};

/// Refuses values that a blank has cut.
pub fn blanks(argv: &[OsString]) -> Result<()> {
    let words = argv.iter().skip(1).map_while(|word| word.to_str()).take_while(|word| *word != "--");
    let words: Vec<&str> = words.collect();
    for at in 0..words.len().saturating_sub(1) {
        let (option, value) = match words[at].split_once('=').filter(|(option, _)| option.starts_with("--")) {
            Some(parts) => parts,
            None if at > 0 && words[at - 1].starts_with('-') => (words[at - 1], words[at]),
            None => continue,
        };
        let rest = &words[at + 1..];
        // Where there is no value, a blank cannot have cut it.
        if value.is_empty() || Path::new(rest[0]).exists() {
            continue;
        }
        let found = READERS.iter().find_map(|(kinds, whole)| whole(value, rest).filter(|_| takes(option, kinds)));
        if let Some(whole) = found {
            let zone = whole.zone.map_or(String::new(), |zone| format!(" --timezone {}", shell_word(&zone)));
            return Err(Error::usage(format!(
                "{option} {value} {}: a blank cuts the value; did you mean {option} {}{zone}?",
                rest[..whole.words].join(" "),
                shell_word(&whole.text)
            )));
        }
    }
    Ok(())
}

/// A value that is whole with words behind it.
struct Whole {
    /// How many of the words behind it belong to it.
    words: usize,
    text: String,
    /// The zone whose name stood behind it.
    zone: Option<String>,
}

/// What a value and the words behind it are as one, if they are anything.
type Reader = fn(&str, &[&str]) -> Option<Whole>;

/// What options call their values, and what those are when they are whole.
const READERS: [(&[&str], Reader); 5] = [
    (&["INSTANT"], date),
    (&["INSTANT"], of_word),
    (&["INSTANT"], ago),
    (&["TIME"], of_lengths),
    (&["SIZE", "BYTES"], of_size),
];

/// The most words of a value, besides the first.
const MOST: usize = 4;

/// The most words that make one value with it.
fn most(rest: &[&str], text: impl Fn(&[&str]) -> Option<String>) -> Option<Whole> {
    let counts = (1..=rest.len().min(MOST)).rev();
    counts.into_iter().find_map(|words| Some(Whole { words, text: text(&rest[..words])?, zone: None }))
}

/// A date and what stands behind it: `2023-11-14 22:00 +0100`.
fn date(value: &str, rest: &[&str]) -> Option<Whole> {
    let has_time = value.len() > 10 && value.get(10..11).is_some_and(|between| "Tt ".contains(between));
    let day = value.get(..10).filter(|day| day.chars().all(|c| c.is_ascii_digit() || c == '-'))?;
    if has_time && is_time_of_day(&value[11..]) && calendar::is_offset(rest[0]) {
        return Some(Whole { words: 1, text: format!("{value} {}", rest[0]), zone: None });
    }
    if day != value {
        return None;
    }
    let time = match rest[0] {
        time if is_time_of_day(time) => time.to_owned(),
        hour if hour.len() <= 2 && hour.parse::<u8>().is_ok() => format!("{hour:0>2}:00"),
        _ => return None,
    };
    let mut whole = Whole { words: 1, text: format!("{value} {time}"), zone: None };
    let Some(next) = rest.get(1).filter(|_| !time.contains(['+', '-', 'Z', 'z'])) else { return Some(whole) };
    if calendar::is_offset(next) {
        whole.text = format!("{} {next}", whole.text);
    } else {
        whole.zone = zone::named(next).filter(|_| !Path::new(next).exists());
    }
    if calendar::is_offset(next) || whole.zone.is_some() {
        whole.words = 2;
    }
    Some(whole)
}

/// A word and what is added to it: `latest - 1h`, `today 12:30`.
fn of_word(value: &str, rest: &[&str]) -> Option<Whole> {
    Word::ALL.iter().find(|word| word.name() == value)?;
    if let Some((hour, minute)) = rest[0].split_once(':').filter(|_| is_time_of_day(rest[0])) {
        let into_day = format!("{hour}h{minute}m");
        return is_length(&into_day).then(|| Whole { words: 1, text: format!("{value}+{into_day}"), zone: None });
    }
    most(rest, |words| {
        let added = words.concat();
        match added.strip_prefix(['+', '-']) {
            Some(length) if is_number(length) || is_length(length) => Some(format!("{value}{added}")),
            None if is_length(&added) => Some(format!("{value}-{added}")),
            _ => None,
        }
    })
}

/// A length before now: `1 hour ago`, `-1 h`.
fn ago(value: &str, rest: &[&str]) -> Option<Whole> {
    let length = value.strip_prefix('-').unwrap_or(value);
    // A number of more digits is a stamp.
    if !(is_number(length) && length.len() <= 5 || is_length(length) || length.is_empty()) {
        return None;
    }
    most(rest, |words| {
        let whole = format!("{length}{}", words.concat());
        let whole = whole.strip_suffix("ago").unwrap_or(&whole);
        is_length(whole).then(|| format!("-{whole}"))
    })
}

/// A length: `1h 30m`.
fn of_lengths(value: &str, rest: &[&str]) -> Option<Whole> {
    if !is_number(value) && !is_length(value) {
        return None;
    }
    most(rest, |words| Some(format!("{value}{}", words.concat())).filter(|whole| is_length(whole)))
}

/// A size: `256 MB`.
fn of_size(value: &str, rest: &[&str]) -> Option<Whole> {
    let text = format!("{value}{}", rest[0]);
    let is_unit = !rest[0].is_empty() && rest[0].chars().all(|c| c.is_ascii_alphabetic());
    (is_number(value) && is_unit && size::read(&text).is_some()).then_some(Whole { words: 1, text, zone: None })
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.parse::<f64>().is_ok()
}

/// Whether a text is a length with its units.
fn is_length(text: &str) -> bool {
    length::read(text).is_ok_and(|length| length.is_some())
}

fn is_time_of_day(text: &str) -> bool {
    let is_of_one = |c: char| c.is_ascii_digit() || ":.+-Zz".contains(c);
    text.contains(':') && text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(is_of_one)
}

/// Whether an option, of the form without a command or of any, takes values that are called one of
/// these.
fn takes(option: &str, kinds: &[&str]) -> bool {
    let is_called_so = |arg: &clap::Arg| match arg.get_value_names() {
        Some([name]) => kinds.contains(&name.as_str()),
        _ => false,
    };
    any_command(|command| option_of_word(command, option).is_some_and(is_called_so))
}
