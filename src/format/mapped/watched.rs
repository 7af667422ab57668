//! Fields that somebody named who may have misspelled them: whether any record has them.
//!
//! Not here: which these are (`watching`), and who is told. Invariant: what is seen depends on the records of
//! the window, and on which lines have a stamp; chunks of lines, in any order, show what all of them do.

use std::collections::BTreeMap;

use crate::format::line::Stamp;
use crate::model::{Cause, Timestamp};

/// What lines have shown of watched fields: a bit for each that one had, and more.
pub type SeenBits = u64;

/// A record of the window was looked at.
const LOOKED: SeenBits = 1 << 63;

/// A line had a stamp, be it one of no instant.
const STAMPED: SeenBits = 1 << 62;

/// A line had none.
const UNSTAMPED: SeenBits = 1 << 61;

/// Fields that are watched at most: each has a bit.
pub(super) const MOST: usize = 60;

/// The key that names the field of the stamp: a line without it is no record.
pub(super) const TIME: &str = "time";

/// A field that was named.
#[derive(Debug, Clone)]
pub(super) struct WatchedField {
    pub name: String,
    /// The key of the format with which it was.
    pub key: &'static str,
    pub slot: usize,
    /// What may have been meant, by the first lines of the input.
    pub near: Option<String>,
}

/// The watched fields of an input.
#[derive(Debug)]
pub struct WatchedFields {
    all: Vec<WatchedField>,
    /// What is seen when nothing more can be of a record.
    whole: SeenBits,
}

impl WatchedFields {
    /// These, up to `MOST`.
    pub(super) fn new(all: Vec<WatchedField>) -> Self {
        let bits = (1 << all.len()) - 1;
        WatchedFields { all, whole: bits | LOOKED }
    }

    /// Notes a record of the window, with whether it has the field of a slot.
    #[inline]
    pub(super) fn note(&self, seen: &mut SeenBits, has: impl Fn(usize) -> bool) {
        if *seen & self.whole == self.whole {
            return;
        }
        *seen |= LOOKED;
        for (at, _) in self.all.iter().enumerate().filter(|(_, field)| has(field.slot)) {
            *seen |= 1 << at;
        }
    }

    /// Notes what the stamp of a line is, with whether the line has the field of a slot.
    #[inline]
    pub(super) fn note_stamp(&self, seen: &mut SeenBits, read: &Result<Timestamp, Stamp>, has: impl Fn(usize) -> bool) {
        match read {
            Ok(_) | Err(Stamp::TooEarly(_) | Stamp::TooLate(_) | Stamp::Bad(Cause::BadStamp)) => *seen |= STAMPED,
            Err(Stamp::Bad(Cause::NoStamp)) => {
                *seen |= UNSTAMPED;
                let is_there = |field: &WatchedField| field.key == TIME && has(field.slot);
                for (at, _) in self.all.iter().enumerate().filter(|(_, field)| is_there(field)) {
                    *seen |= 1 << at;
                }
            }
            Err(_) => {}
        }
    }
}

/// What was seen of watched fields in all inputs.
#[derive(Debug, Clone, Default)]
pub struct SeenFields(BTreeMap<(&'static str, String), SeenField>);

#[derive(Debug, Clone, Default)]
struct SeenField {
    /// Whether lines were looked at that would have had it.
    is_asked: bool,
    is_there: bool,
    near: Option<String>,
}

impl SeenFields {
    /// Adds what lines of an input have shown.
    pub fn add(&mut self, watched: &WatchedFields, seen: SeenBits) {
        for (at, WatchedField { name, key, near, .. }) in watched.all.iter().enumerate() {
            let is_there = seen >> at & 1 == 1;
            let (is_asked, is_there) = match *key {
                TIME => (seen & UNSTAMPED != 0, is_there || seen & STAMPED != 0),
                _ => (seen & LOOKED != 0, is_there),
            };
            self.put(key, name, SeenField { is_asked, is_there, near: near.clone() });
        }
    }

    /// Adds what was seen elsewhere.
    pub fn join(mut self, others: SeenFields) -> Self {
        others.0.into_iter().for_each(|((key, name), field)| self.put(key, &name, field));
        self
    }

    fn put(&mut self, key: &'static str, name: &str, more: SeenField) {
        let field = self.0.entry((key, name.to_owned())).or_default();
        field.is_asked |= more.is_asked;
        field.is_there |= more.is_there;
        // Of inputs in any order, the same.
        field.near = field.near.take().into_iter().chain(more.near).min();
    }

    /// What is said of each field that no line had.
    pub fn unseen(&self) -> Vec<String> {
        let unseen = self.0.iter().filter(|(_, field)| field.is_asked && !field.is_there);
        let said = unseen.map(|((key, name), field)| {
            let line = if *key == TIME { "line" } else { "record" };
            let near = field.near.as_ref().map(|near| format!("; {near}")).unwrap_or_default();
            format!("no {line} has a field '{name}': check its name in --{key}{near}")
        });
        said.collect()
    }
}
