//! Hosts that are asked about and are nowhere in any window: which names may have been meant.
//!
//! Not here: reports. A report on a host that is not there is empty, and what is said beside it
//! changes no result. Invariant: the work is bounded by the number of hosts, and the answer depends
//! on no order.

use super::connected::{self, Forms};
use super::context::ReportContext;
use super::endpoint::Endpoint;
use super::entry::ReportEntry;
use super::hosts::HostNames;
use super::peers;
use crate::error::Result;
use crate::model::{Report, escape};
use crate::options::Options;
use crate::tally::{Aggregates, Side};

/// Names that are suggested, at most.
const SHOWN: usize = 3;

/// With more hosts than this, names are not searched for typing errors, which would take long.
const MEASURED: usize = 1 << 20;

/// The first windows of a run, in which names are looked for; beyond them, hosts are only found or
/// not.
const WINDOWS: u64 = 24;

/// The shortest and the longest names that are searched for typing errors, in characters:
/// everything is near a shorter one.
const LENGTHS: std::ops::RangeInclusive<usize> = 3..=64;

/// How a name is near the one that was asked about; nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    /// The same but for capitals, blanks around it and a dot behind it.
    Spelling,
    /// The same up to the first dot of one of them.
    Label,
    /// So many letters are others.
    Letters(usize),
}

/// The sides of a connection on which a report looks for a host; none if it asks about none.
pub(super) fn sides(entry: &ReportEntry) -> &'static [Side] {
    match entry.name {
        name if name == connected::TO.name => &[Side::To],
        name if name == connected::FROM.name => &[Side::From],
        name if name == peers::ENTRY.name => &[Side::To, Side::From],
        _ => &[],
    }
}

/// What is known of a host that a report asks about, over the windows of a run.
#[derive(Debug)]
pub struct Search {
    /// Where it is looked for; not empty.
    sides: &'static [Side],
    asked: String,
    /// Who was asked about, where a name of the file of hosts was: its address is `asked`.
    named: Option<String>,
    /// The name in that file that is nearest to one that it does not have.
    nearest: Option<String>,
    normal: String,
    found: bool,
    /// Whether any window had a connection.
    any: bool,
    /// The host is there by the byte that was asked for, and so is one by a backslash.
    both: bool,
    near: Vec<(Nearness, Vec<u8>)>,
    periodic: bool,
}

impl Search {
    /// For a report, if it asks about a host. Errors with a name that stands for several.
    pub fn of(entry: &ReportEntry, options: &Options, hosts: Option<&HostNames>) -> Result<Option<Self>> {
        let sides = sides(entry);
        let Some(given) = options.text("host").filter(|_| !sides.is_empty()) else { return Ok(None) };
        let (mut asked, mut named, mut nearest) = (given.to_owned(), None, None);
        if let Some(hosts) = hosts {
            match hosts.meant(given)? {
                Some(meant) => {
                    asked = String::from_utf8_lossy(&meant.text()).into_owned();
                    named = Endpoint::of(given.as_bytes()).is_none().then(|| given.to_owned());
                }
                None => nearest = hosts.nearest(given).map(str::to_owned),
            }
        }
        let normal = normal(&escape::bytes(&asked));
        let (found, any, both, near, periodic) = (false, false, false, Vec::new(), false);
        Ok(Some(Search { sides, asked, named, nearest, normal, found, any, both, near, periodic }))
    }

    /// Takes in a window and the report on it.
    pub fn look(
        &mut self,
        context: &ReportContext<'_>,
        view: &Aggregates,
        report: &Report,
        (sequence, periodic): (u64, bool),
    ) -> Result<()> {
        self.periodic = periodic;
        self.any |= view.total() > 0;
        if !report.rows.is_empty() {
            if !self.found {
                self.both = Forms::of(&self.asked).are_both_in(context, view, self.sides)?;
            }
            self.found = true;
        }
        // The host that was asked for may have overflowed.
        if self.found || self.named.is_some() || view.overflow().of_both() > 0 || sequence >= WINDOWS {
            return Ok(());
        }
        let hosts = self.take_near(context, view, Self::spelled)?;
        if self.near.is_empty() && hosts <= MEASURED && LENGTHS.contains(&self.normal.chars().count()) {
            self.take_near(context, view, Self::typed)?;
        }
        Ok(())
    }

    /// Takes in the names that are near. Gives how many names there are.
    fn take_near(
        &mut self,
        context: &ReportContext<'_>,
        view: &Aggregates,
        nearness: fn(&Self, &[u8]) -> Option<Nearness>,
    ) -> Result<usize> {
        let (mut hosts, mut near) = (0, std::mem::take(&mut self.near));
        for side in [Side::From, Side::To] {
            context.for_each_host(view, side, |total| {
                hosts += 1;
                if let Some(nearness) = nearness(self, total.host.bytes()) {
                    add(&mut near, nearness, total.host.bytes());
                }
            })?;
        }
        self.near = near;
        Ok(hosts)
    }

    /// What to say, if anything, now that all windows are over.
    pub fn hint(&self) -> Option<String> {
        let shown = |name: &[u8]| format!("'{}'", escape::printable(name));
        let Forms { byte, backslash } = Forms::of(&self.asked);
        if self.both {
            return Some(format!(
                "the report is on the host {} with that byte; the one with a backslash is given as {}",
                shown(&byte),
                shown(backslash.as_deref().unwrap_or_default())
            ));
        }
        // Where there is nothing at all, that is said.
        if self.found || !self.any {
            return None;
        }
        let windows = if self.periodic { "in any window of this run" } else { "in the window" };
        let asked = match &self.named {
            Some(name) => format!("{} ({})", shown(name.as_bytes()), escape::printable(&byte)),
            None => shown(&byte),
        };
        let mut text = match self.sides {
            [Side::To] => format!("nothing connects to {asked} {windows}"),
            [Side::From] => format!("{asked} connects to nothing {windows}"),
            _ => format!("{asked} has no connections {windows}"),
        };
        let listed = self.nearest.iter().filter(|_| self.near.is_empty()).map(|name| shown(name.as_bytes()));
        let names: Vec<String> = self.near.iter().map(|(_, name)| shown(name)).chain(listed).collect();
        match &names[..] {
            [] => {}
            [only] => text += &format!("; did you mean {only}?"),
            [first @ .., last] => text += &format!("; did you mean {} or {last}?", first.join(", ")),
        }
        Some(text)
    }

    /// How a name is near by its spelling, if it is.
    fn spelled(&self, name: &[u8]) -> Option<Nearness> {
        let other = normal(name);
        let is_asked = name == escape::bytes(&self.asked);
        if is_asked || other.is_empty() || self.normal.is_empty() {
            return None;
        }
        if other == self.normal {
            return Some(Nearness::Spelling);
        }
        let label = |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.starts_with('.'));
        (label(&other, &self.normal) || label(&self.normal, &other)).then_some(Nearness::Label)
    }

    /// How a name is near if something was typed wrong, if it is.
    fn typed(&self, name: &[u8]) -> Option<Nearness> {
        // Characters have up to four bytes, so a longer name is not looked at.
        if name.len() > 4 * (LENGTHS.end() + 2) || name == escape::bytes(&self.asked) {
            return None;
        }
        let other = normal(name);
        let (length, others) = (self.normal.chars().count(), other.chars().count());
        let most = if length < 5 { 1 } else { 2 };
        if length.abs_diff(others) > most {
            return None;
        }
        let distance = strsim::osa_distance(&self.normal, &other);
        (distance <= most).then_some(Nearness::Letters(distance))
    }
}

/// Keeps a name if it is among the nearest.
fn add(near: &mut Vec<(Nearness, Vec<u8>)>, nearness: Nearness, name: &[u8]) {
    if near.iter().any(|(_, known)| known == name) {
        return;
    }
    near.push((nearness, name.to_vec()));
    near.sort();
    near.truncate(SHOWN);
}

/// A name without capitals, blanks around it and a dot behind it.
fn normal(name: &[u8]) -> String {
    String::from_utf8_lossy(name).trim().trim_end_matches('.').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nearness(asked: &str, name: &str) -> Option<Nearness> {
        let options = {
            let mut options = Options::default();
            options.set("host", crate::options::Value::Text(asked.to_owned()));
            options
        };
        let search = Search::of(&connected::TO, &options, None).unwrap().unwrap();
        let measured = LENGTHS.contains(&search.normal.chars().count());
        let typed = || if measured { search.typed(name.as_bytes()) } else { None };
        search.spelled(name.as_bytes()).or_else(typed)
    }

    #[test]
    fn names_are_near_by_spelling_label_or_a_letter_or_two() {
        for (asked, name, expected) in [
            ("delta", "Delta", Some(Nearness::Spelling)),
            ("Delta.", "Delta", Some(Nearness::Spelling)),
            (" Delta ", "Delta", Some(Nearness::Spelling)),
            ("ÄRGER", "ärger", Some(Nearness::Spelling)),
            ("web", "web.example.com", Some(Nearness::Label)),
            ("web.example.com", "web", Some(Nearness::Label)),
            ("we", "web.example.com", None),
            ("Detla", "Delta", Some(Nearness::Letters(1))),
            ("alpin", "alpine", Some(Nearness::Letters(1))),
            ("abc", "abd", Some(Nearness::Letters(1))),
            ("abc", "add", None),
            ("x", "y", None),
            ("Delta", "Delta", None),
            ("", "Delta", None),
        ] {
            assert_eq!(nearness(asked, name), expected, "{asked} {name}");
        }
    }

    #[test]
    fn the_nearest_names_are_kept_whatever_their_order() {
        let names = [(1, "b"), (2, "a"), (1, "c"), (1, "aa"), (2, "z")];
        let kept = |order: &mut dyn Iterator<Item = &(usize, &str)>| {
            let mut near = Vec::new();
            order.for_each(|(letters, name)| add(&mut near, Nearness::Letters(*letters), name.as_bytes()));
            near
        };
        let expected = ["aa", "b", "c"].map(|name| (Nearness::Letters(1), name.as_bytes().to_vec()));
        assert_eq!(kept(&mut names.iter()), expected[..]);
        assert_eq!(kept(&mut names.iter().rev()), expected[..]);
    }
}
