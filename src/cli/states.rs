//! A saved state, said: what is in its slots, whether they are sound, and what a reset removed.
//!
//! Not here: the slots themselves (`snapshot/store`), and what is shown of counts
//! (`snapshot/shown`). Invariant: nothing is written but by `reset`.

use std::fmt::Write as _;
use std::fs::DirEntry;
use std::io;
use std::path::Path;

use serde::Serialize;

use super::commands::StateFormat;
use super::show;
use crate::codec::Decoder;
use crate::error::{Error, Result, show_path};
use crate::model::Timestamp;
use crate::model::escape::{is_hostile, printable};
use crate::model::time::SECOND;
use crate::snapshot::SavedContents;
use crate::snapshot::store::{self as state, Choice, FORMAT, Loaded, SlotContent, SlotInfo};

/// Reads what a snapshot holds that depends on a configuration of this fingerprint; it has to get
/// every value.
pub type ReadContents<'a> = &'a dyn Fn(&str, &mut Decoder<'_>) -> io::Result<SavedContents>;

/// The same, and errors unless it adds up.
pub type AddsUp<'a> = &'a dyn Fn(&str, &mut Decoder<'_>) -> io::Result<()>;

/// The whole of the JSON, of the schema `logparser-state/1`.
#[derive(Serialize)]
struct StateJson<'a> {
    schema: &'static str,
    slots: [Line<'a>; 2],
    used: Option<String>,
    warning: Option<String>,
    problem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contents: Option<serde_json::Value>,
}

/// A slot in the JSON.
#[derive(Serialize)]
struct Line<'a> {
    path: String,
    content: &'static str,
    reason: Option<&'a str>,
    format: Option<u32>,
    sequence: Option<u64>,
    bytes: u64,
    saved_at: Option<String>,
    fingerprint: Option<Vec<&'a str>>,
}

/// Both slots, and which one a run would go on from; what that one holds, where `contents` can
/// tell.
pub fn show(dir: &Path, format: StateFormat, contents: Option<ReadContents<'_>>) -> Result<String> {
    let slots = state::inspect(dir);
    let choice = state::choose(dir, &slots);
    let contents = match (&choice, contents) {
        (Choice::Use { .. }, Some(read)) => state::peek(dir)?.map(|loaded| read_by(loaded, read)).transpose(),
        _ => Ok(None),
    };
    // The slots are worth a look even where a run would refuse what they hold.
    let (choice, contents) = match contents {
        Ok(contents) => (choice, contents),
        Err(error) => (Choice::Refuse(error), None),
    };
    match format {
        StateFormat::Text => Ok(text(&slots, &choice, contents.as_ref())),
        StateFormat::Json => json(&slots, &choice, contents.as_ref()),
    }
}

fn text(slots: &[SlotInfo; 2], choice: &Choice, contents: Option<&SavedContents>) -> String {
    let mut text = String::new();
    for slot in slots {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", line(slot));
        if let SlotContent::Valid { fingerprint, .. } = &slot.content {
            for key in fingerprint.lines() {
                let _ = writeln!(text, "    {}", printable(key.as_bytes()));
            }
        }
    }
    let _ = match choice {
        Choice::Nothing => writeln!(text, "No state: a run would start anew"),
        Choice::Use { slot, warning: None } => writeln!(text, "Used: {}", show_path(&slots[*slot].path)),
        Choice::Use { slot, warning: Some(warning) } => {
            writeln!(text, "Used: {}\nWarning: {warning}", show_path(&slots[*slot].path))
        }
        Choice::Refuse(error) => writeln!(text, "Not usable: {error}"),
    };
    if let Some(contents) = contents {
        let _ = write!(text, "{}", contents.shown());
    }
    text
}

fn json(slots: &[SlotInfo; 2], choice: &Choice, contents: Option<&SavedContents>) -> Result<String> {
    let (used, warning, problem) = match choice {
        Choice::Nothing => (None, None, None),
        Choice::Use { slot, warning } => (Some(show_path(&slots[*slot].path)), warning.clone(), None),
        Choice::Refuse(error) => (None, None, Some(error.to_string())),
    };
    // As a value, whose keys stand in the order of their names.
    let contents = contents.map(|contents| serde_json::to_value(contents.shown())).transpose();
    let whole = StateJson {
        schema: "logparser-state/1",
        slots: [json_line(&slots[0]), json_line(&slots[1])],
        used,
        warning,
        problem,
        contents: contents.map_err(|problem| show::no_json(problem.into()))?,
    };
    show::json(&whole)
}

fn json_line(slot: &SlotInfo) -> Line<'_> {
    let (content, reason, format, sequence, fingerprint) = match &slot.content {
        SlotContent::Missing => ("missing", None, None, None, None),
        SlotContent::Valid { sequence, fingerprint, .. } => {
            ("valid", None, Some(FORMAT), Some(*sequence), Some(fingerprint.lines().collect()))
        }
        SlotContent::OtherFormat { sequence, version } => ("other-format", None, Some(*version), Some(*sequence), None),
        SlotContent::Damaged { reason } => ("damaged", Some(reason.as_str()), None, None, None),
    };
    let saved_at = slot.saved_at.map(|instant| instant.to_string());
    Line { path: show_path(&slot.path), content, reason, format, sequence, bytes: slot.bytes, saved_at, fingerprint }
}

/// A slot in a line.
fn line(slot: &SlotInfo) -> String {
    let path = show_path(&slot.path);
    let size = || {
        let saved = slot.saved_at.map_or(String::new(), |instant| format!(", saved {instant}"));
        format!("{} bytes{saved}", slot.bytes)
    };
    match &slot.content {
        SlotContent::Missing => format!("{path}: missing"),
        SlotContent::Valid { sequence, .. } => {
            format!("{path}: valid, sequence {sequence}, format {FORMAT}, {}", size())
        }
        SlotContent::OtherFormat { sequence, version } => {
            format!("{path}: of another logparser, sequence {sequence}, format {version}, {}", size())
        }
        SlotContent::Damaged { reason } => format!("{path}: damaged: {}", printable(reason.as_bytes())),
    }
}

/// A line for each slot, or the JSON of both, and whether there is a state to go on from and
/// neither slot is damaged. The counts of the one to go on from have to add up, too.
pub fn verify(dir: &Path, format: StateFormat, adds_up: AddsUp<'_>) -> Result<(String, bool)> {
    let slots = state::inspect(dir);
    let choice = match state::choose(dir, &slots) {
        used @ Choice::Use { .. } => {
            let loaded = state::peek(dir)?;
            let checked = loaded.map(|loaded| read_by(loaded, adds_up)).transpose();
            checked.map_or_else(Choice::Refuse, |_| used)
        }
        other => other,
    };
    let is_sound = |slot: &SlotInfo| matches!(slot.content, SlotContent::Missing | SlotContent::Valid { .. });
    let is_good = matches!(choice, Choice::Use { .. }) && slots.iter().all(is_sound);
    let text = match format {
        StateFormat::Text => {
            let lines = slots.iter().map(|slot| format!("{}\n", line(slot)));
            let problem = match &choice {
                Choice::Refuse(error) if slots.iter().all(is_sound) => Some(format!("Not usable: {error}\n")),
                _ => None,
            };
            lines.chain(problem).collect()
        }
        StateFormat::Json => json(&slots, &choice, None)?,
    };
    Ok((text, is_good))
}

/// What the caller makes of a snapshot, given the fingerprint that it depends on.
fn read_by<T>(mut loaded: Loaded, read: &dyn Fn(&str, &mut Decoder<'_>) -> io::Result<T>) -> Result<T> {
    let fingerprint = loaded.fingerprint.clone();
    loaded.read(|decoder| read(&fingerprint, decoder))
}

/// The whole of the JSON of a list, of the schema `logparser-states/1`.
#[derive(Serialize)]
struct States {
    schema: &'static str,
    states: Vec<Listed>,
}

/// A state of those in a folder.
#[derive(Serialize)]
struct Listed {
    locations: Vec<String>,
    saved_at: Option<String>,
    age_seconds: Option<u64>,
    bytes: u64,
    usable: bool,
    state: String,
}

/// The states in a folder, one a line, by location and age.
pub fn list(root: &Path, format: StateFormat, now: Timestamp) -> Result<String> {
    let entries = match std::fs::read_dir(root) {
        Ok(entries) => entries.flatten().collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Error::state(root, format!("cannot list the states in it: {error}"))),
    };
    // A folder that is itself a state is one of them.
    let folders = entries.into_iter().map(|entry: DirEntry| entry.path()).chain([root.to_owned()]);
    let folders = folders.filter(|path| path.is_dir());
    let mut all: Vec<Listed> = folders.filter_map(|dir| listed(&dir, now)).collect();
    all.sort_by(|a, b| (&a.locations, a.age_seconds, &a.state).cmp(&(&b.locations, b.age_seconds, &b.state)));
    if format == StateFormat::Json {
        let whole = States { schema: "logparser-states/1", states: all };
        return show::json(&whole);
    }
    if all.is_empty() {
        return Ok(format!("{}: no states\n", show_path(root)));
    }
    let lines = all.iter().map(|state| {
        let location = if state.locations.is_empty() { "?".to_owned() } else { state.locations.join(", ") };
        let age = state.age_seconds.map_or("of unknown age".to_owned(), |seconds| {
            format!("saved {} ago", humantime::format_duration(std::time::Duration::from_secs(seconds)))
        });
        let usable = if state.usable { "" } else { ", not usable" };
        format!("{location}: {age}, {} bytes{usable}: {}\n", state.bytes, state.state)
    });
    Ok(lines.collect())
}

/// What is in a folder, if it is a state.
fn listed(dir: &Path, now: Timestamp) -> Option<Listed> {
    let slots = state::inspect(dir);
    let newest = slots.iter().filter(|slot| !matches!(slot.content, SlotContent::Missing)).max_by_key(|slot| {
        let sequence = match slot.content {
            SlotContent::Valid { sequence, .. } => Some(sequence),
            _ => None,
        };
        (sequence, slot.saved_at)
    })?;
    let fingerprint = match &newest.content {
        SlotContent::Valid { fingerprint, .. } => fingerprint.as_str(),
        _ => "",
    };
    // They were escaped when they were saved, but the file may have been altered since.
    let shown = |text: &str| match text.chars().any(is_hostile) {
        true => printable(text.as_bytes()).into_owned(),
        false => text.to_owned(),
    };
    let locations = fingerprint.lines().filter_map(|line| line.strip_prefix("location = ")).map(shown);
    let age = |saved: Timestamp| u64::try_from(now.nanos().saturating_sub(saved.nanos()) / SECOND).unwrap_or(0);
    Some(Listed {
        locations: locations.collect(),
        saved_at: newest.saved_at.map(|instant| instant.to_string()),
        age_seconds: newest.saved_at.map(age),
        bytes: newest.bytes,
        usable: matches!(state::choose(dir, &slots), Choice::Use { .. }),
        state: show_path(dir),
    })
}

/// Removes the state and says which files it had.
pub fn reset(dir: &Path) -> Result<String> {
    let removed = state::reset(dir)?;
    if removed.is_empty() {
        return Ok(format!("{}: no state, nothing removed\n", show_path(dir)));
    }
    Ok(removed.iter().map(|path| format!("removed {}\n", show_path(path))).collect())
}
