//! Which of the two slots a run goes on from, and what is said if it is neither.
//!
//! Not here: reading them. This is a decision over what was found. Invariant: wherever there is or
//! was a state, the answer is a whole snapshot or an error, and never "nothing".

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::slot::{FORMAT, OLDEST, SlotContent, SlotInfo};
use crate::error::{Error, show_path};
use crate::model::escape::printable;

/// What to do.
#[derive(Debug)]
pub enum Choice {
    /// There is no state: start anew.
    Nothing,
    /// Go on from this slot.
    Use {
        /// Its number.
        slot: usize,
        /// What people should know about the other one.
        warning: Option<String>,
    },
    /// There is a state, but none to go on from.
    Refuse(Error),
}

/// The choice between two slots of `dir`.
pub fn choose(dir: &Path, slots: &[SlotInfo; 2]) -> Choice {
    let sequence = |slot: &SlotInfo| match slot.content {
        SlotContent::Valid { sequence, .. } | SlotContent::OtherFormat { sequence, .. } => Some(sequence),
        SlotContent::Missing | SlotContent::Damaged { .. } => None,
    };
    let newest = (0..2).filter(|slot| sequence(&slots[*slot]).is_some()).max_by_key(|slot| sequence(&slots[*slot]));
    let Some(newest) = newest else {
        if slots.iter().all(|slot| slot.content == SlotContent::Missing) {
            return Choice::Nothing;
        }
        return Choice::Refuse(no_usable(dir, slots));
    };
    let (used, other) = (&slots[newest], &slots[1 - newest]);
    if let SlotContent::OtherFormat { version, .. } = used.content {
        let whose = if version > FORMAT { "a newer" } else { "an older" };
        let message = format!(
            "it is a state of format {version}, of {whose} logparser; this one reads formats {OLDEST} to {FORMAT}: use that one, \
             name another --state, or {}",
            reset(dir)
        );
        return Choice::Refuse(Error::state(&used.path, message));
    }
    let found = match &other.content {
        SlotContent::Damaged { reason } => Some(reason.as_str()),
        // Only the first snapshot is alone.
        SlotContent::Missing if sequence(used) > Some(1) => Some("it is missing"),
        _ => None,
    };
    let warning = found.map(|reason| {
        let (other, used) = (show_path(&other.path), show_path(&used.path));
        format!("{other}: {reason}; going on from {used}, which may be the older of the two")
    });
    Choice::Use { slot: newest, warning }
}

fn no_usable(dir: &Path, slots: &[SlotInfo; 2]) -> Error {
    let reason = |slot: &SlotInfo| match &slot.content {
        SlotContent::Damaged { reason } => reason.clone(),
        _ => "it is missing".to_owned(),
    };
    // The damaged one is the one to name.
    let first = usize::from(slots[0].content == SlotContent::Missing);
    let (named, other) = (&slots[first], &slots[1 - first]);
    let message = format!(
        "{}; and {}: {}; put back a copy of the state, or {}",
        reason(named),
        show_path(&other.path),
        reason(other),
        reset(dir)
    );
    Error::state(&named.path, message)
}

/// Errors unless a snapshot was saved with this configuration.
pub(super) fn same_configuration(dir: &Path, path: &Path, saved: &str, now: &str) -> Result<(), Error> {
    if saved == now {
        return Ok(());
    }
    let message = format!(
        "it was saved with another configuration ({}): give that one again, name another --state, or {}",
        difference(saved, now),
        reset(dir)
    );
    Err(Error::state(path, message))
}

/// What differs between two fingerprints, key by key.
fn difference(saved: &str, now: &str) -> String {
    let (saved, now) = (keys(saved), keys(now));
    let all: BTreeSet<&str> = saved.keys().chain(now.keys()).copied().collect();
    let shown = |value: Option<&&str>| match value {
        Some(value) => printable(value.as_bytes()).into_owned(),
        None => "not given".to_owned(),
    };
    let different = all.into_iter().filter(|key| saved.get(key) != now.get(key));
    let parts: Vec<String> = different
        .map(|key| {
            format!("{}: {} then, {} now", printable(key.as_bytes()), shown(saved.get(key)), shown(now.get(key)))
        })
        .collect();
    if parts.is_empty() { "the order of its keys".to_owned() } else { parts.join("; ") }
}

/// The values of a fingerprint by their keys.
fn keys(fingerprint: &str) -> BTreeMap<&str, &str> {
    fingerprint.lines().map(|line| line.split_once(" = ").unwrap_or((line, ""))).collect()
}

fn reset(dir: &Path) -> String {
    format!("start anew with `logparser state reset --state {}`", show_path(dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(name: &str, content: SlotContent) -> SlotInfo {
        SlotInfo { path: Path::new("s").join(name), content, bytes: 0, saved_at: None }
    }

    fn valid(sequence: u64) -> SlotContent {
        SlotContent::Valid { version: FORMAT, sequence, fingerprint: String::new() }
    }

    fn other(sequence: u64, version: u32) -> SlotContent {
        SlotContent::OtherFormat { sequence, version }
    }

    fn damaged() -> SlotContent {
        SlotContent::Damaged { reason: "it is cut short".into() }
    }

    /// The choice in words: nothing, a slot with its warning, or an error.
    fn said(first: SlotContent, second: SlotContent) -> String {
        match choose(Path::new("s"), &[slot("state.0", first), slot("state.1", second)]) {
            Choice::Nothing => "nothing".into(),
            Choice::Use { slot, warning } => format!("{slot} {}", warning.unwrap_or_default()),
            Choice::Refuse(error) => error.to_string(),
        }
    }

    #[test]
    fn d14_nothing_is_found_only_where_both_are_missing() {
        use SlotContent::Missing;
        let anew = "start anew with `logparser state reset --state s`";
        assert_eq!(said(Missing, Missing), "nothing");
        assert_eq!(
            said(damaged(), damaged()),
            format!(
                "s/state.0: it is cut short; and s/state.1: it is cut short; put back a copy of the state, or {anew}"
            )
        );
        assert!(said(damaged(), Missing).starts_with("s/state.0: it is cut short; and s/state.1: it is missing"));
        assert!(said(Missing, damaged()).starts_with("s/state.1: it is cut short; and s/state.0: it is missing"));
    }

    #[test]
    fn the_valid_slot_with_the_higher_sequence_is_used_and_what_is_wrong_with_the_other_said() {
        use SlotContent::Missing;
        assert_eq!(said(valid(1), Missing), "0 ");
        assert_eq!(said(valid(3), valid(2)), "0 ");
        assert_eq!(said(valid(3), valid(4)), "1 ");
        let from_0 = "going on from s/state.0, which may be the older of the two";
        assert_eq!(said(valid(3), damaged()), format!("0 s/state.1: it is cut short; {from_0}"));
        assert_eq!(said(valid(3), Missing), format!("0 s/state.1: it is missing; {from_0}"));
        assert!(said(damaged(), valid(1)).starts_with("1 s/state.0: it is cut short; going on from s/state.1"));
    }

    #[test]
    fn d12_another_format_is_refused_by_its_age_if_it_is_the_newest() {
        assert!(said(other(3, FORMAT + 1), valid(2)).contains("state of format 4, of a newer logparser"));
        assert!(said(other(3, OLDEST - 1), damaged()).contains("state of format 1, of an older logparser"));
        assert_eq!(said(other(1, 7), valid(2)), "1 ");
    }

    #[test]
    fn d12_what_differs_between_two_configurations_is_named() {
        let saved = "period = 60\nseconds = 3600\nlocation = a\n";
        assert_eq!(difference(saved, "period = 60\nseconds = 1800\nlocation = a\n"), "seconds: 3600 then, 1800 now");
        assert_eq!(
            difference(saved, "seconds = 3600\nlocation = b\nunit = s\n"),
            "location: a then, b now; period: 60 then, not given now; unit: not given then, s now"
        );
        assert_eq!(difference("a = 1\nb = 2\n", "b = 2\na = 1\n"), "the order of its keys");
        assert_eq!(difference("a = \u{1b}[2J", "a = 1"), "a: \\x1b[2J then, 1 now");
        let error = same_configuration(Path::new("s"), Path::new("s/state.1"), "a = 1\n", "a = 2\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "s/state.1: it was saved with another configuration (a: 1 then, 2 now): give that one again, name another \
             --state, or start anew with `logparser state reset --state s`"
        );
        assert_eq!(error.exit_code(), 4);
    }
}
