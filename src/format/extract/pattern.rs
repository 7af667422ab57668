//! Fields by the groups of a regular expression.
//!
//! Not here: expressions that are made of anything else. Invariant: the fields are those of the first
//! match in the line.

use std::sync::Arc;

use regex::bytes::{CaptureLocations, Regex};

use super::fields::{FieldPlace, Fields, Misfit, MisfitKind};

/// Fields that are groups of a regular expression.
#[derive(Debug, Clone)]
pub struct Pattern(Arc<WantedGroups>);

#[derive(Debug)]
struct WantedGroups {
    regex: Regex,
    /// The number of the group of each slot.
    groups: Vec<usize>,
}

/// A regular expression has no group of this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownGroup {
    /// The name that was asked for.
    pub name: String,
    /// The names that there are.
    pub known: Vec<String>,
}

impl std::fmt::Display for UnknownGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the pattern has no group '{}'", self.name)?;
        match self.known.is_empty() {
            true => f.write_str(", nor any other with a name; one is written (?<name>...)"),
            false => write!(f, "; it has '{}'", self.known.join("', '")),
        }
    }
}

impl std::error::Error for UnknownGroup {}

/// Where the groups of the last match are, and the pattern that they are of; kept from line to line.
#[derive(Debug, Default, Clone)]
pub struct Groups(Option<(Arc<WantedGroups>, CaptureLocations)>);

/// Patterns are equal if their expressions are written alike and the same groups are asked for.
impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.regex.as_str() == other.0.regex.as_str() && self.0.groups == other.0.groups
    }
}

impl Eq for Pattern {}

impl Pattern {
    /// The groups with these names, by slot.
    pub fn new<S: AsRef<str>>(regex: Regex, names: &[S]) -> Result<Self, UnknownGroup> {
        let group = |name: &str| regex.capture_names().position(|other| other == Some(name));
        let known = || regex.capture_names().flatten().map(str::to_owned).collect();
        let groups: Result<Vec<usize>, UnknownGroup> = names
            .iter()
            .map(S::as_ref)
            .map(|name| group(name).ok_or_else(|| UnknownGroup { name: name.to_owned(), known: known() }))
            .collect();
        let groups = groups?;
        Ok(Pattern(Arc::new(WantedGroups { groups, regex })))
    }

    pub(super) fn slots(&self) -> usize {
        self.0.groups.len()
    }

    pub(super) fn extract(&self, line: &[u8], fields: &mut Fields, groups: &mut Groups) -> Result<(), Misfit> {
        let places = &mut fields.places;
        let locations = groups.of(&self.0);
        if self.0.regex.captures_read(locations, line).is_none() {
            return Err(MisfitKind::NoMatch.at(0));
        }
        for (place, group) in places.iter_mut().zip(&self.0.groups) {
            *place = locations.get(*group).map_or(FieldPlace::Absent, |(start, end)| FieldPlace::line(start, end));
        }
        Ok(())
    }
}

impl Groups {
    /// For the groups of this pattern.
    fn of(&mut self, pattern: &Arc<WantedGroups>) -> &mut CaptureLocations {
        let kept = self.0.take().filter(|(other, _)| Arc::ptr_eq(other, pattern));
        let fresh = || (Arc::clone(pattern), pattern.regex.capture_locations());
        &mut self.0.insert(kept.unwrap_or_else(fresh)).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::extract::{ExtractScratch, Extractor};
    use proptest::prelude::*;

    const NAMES: [&str; 4] = ["from", "port", "from", "user"];

    fn sshd() -> Regex {
        Regex::new(r"(?-u)(?:user (?<user>\S+) )?from (?<from>\S+?)(?: port (?<port>\d+))?(?: |$)").unwrap()
    }

    #[test]
    fn groups_are_found_and_may_be_absent() {
        let pattern = Extractor::Regex(Pattern::new(sshd(), &NAMES).unwrap());
        let mut fields = Fields::default();
        let mut get = |line: &'static [u8]| {
            pattern.extract(line, &mut fields, &mut ExtractScratch::default()).map(|()| {
                NAMES.map(|name| {
                    let slot = NAMES.iter().position(|other| *other == name).unwrap();
                    fields.get(slot, line).map(<[u8]>::to_vec)
                })
            })
        };
        let text = |text: &str| Some(text.as_bytes().to_vec());
        let all = get(b"Invalid user eve from 192.0.2.1 port 53502");
        assert_eq!(all, Ok([text("192.0.2.1"), text("53502"), text("192.0.2.1"), text("eve")]));
        let some = get(b"Connection from \xff\xfe ");
        assert_eq!(some, Ok([Some(vec![0xff, 0xfe]), None, Some(vec![0xff, 0xfe]), None]));
        assert_eq!(get(b"Server listening"), Err(MisfitKind::NoMatch.at(0)));
    }

    #[test]
    fn unknown_groups_are_told() {
        let unknown = Pattern::new(sshd(), &["from", "to"]).unwrap_err();
        assert_eq!(unknown.to_string(), "the pattern has no group 'to'; it has 'user', 'from', 'port'");
        let unnamed = Pattern::new(Regex::new("(a)").unwrap(), &["1"]).unwrap_err();
        assert!(unnamed.to_string().contains("nor any other"), "{unnamed}");
        assert!(Pattern::new(Regex::new("a").unwrap(), &[""; 0]).is_ok());
    }

    #[test]
    fn patterns_share_fields_and_compare_by_what_they_are() {
        let one = Pattern::new(Regex::new("(?<a>.)(?<b>.)").unwrap(), &["b"]).unwrap();
        let other = Pattern::new(Regex::new("(?<a>.)").unwrap(), &["a"]).unwrap();
        let mut fields = Fields::default();
        for _ in 0..2 {
            assert_eq!(
                Extractor::Regex(one.clone()).extract(b"xy", &mut fields, &mut ExtractScratch::default()),
                Ok(())
            );
            assert_eq!(fields.get(0, b"xy"), Some(&b"y"[..]));
            assert_eq!(
                Extractor::Regex(other.clone()).extract(b"xy", &mut fields, &mut ExtractScratch::default()),
                Ok(())
            );
            assert_eq!(fields.get(0, b"xy"), Some(&b"x"[..]));
        }
        assert_eq!(one, Pattern::new(Regex::new("(?<a>.)(?<b>.)").unwrap(), &["b"]).unwrap());
        assert_ne!(one, Pattern::new(Regex::new("(?<a>.)(?<b>.)").unwrap(), &["a"]).unwrap());
        assert_ne!(one, other);
    }

    proptest! {
        #[test]
        fn fields_are_captures(line in proptest::collection::vec(prop_oneof![
            Just(b"from ".to_vec()), Just(b"port 1".to_vec()), Just(b"user ".to_vec()), Just(b" ".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..4)
        ], 0..10)) {
            let line = line.concat();
            let pattern = Extractor::Regex(Pattern::new(sshd(), &NAMES).unwrap());
            let mut fields = Fields::default();
            let fits = pattern.extract(&line, &mut fields, &mut ExtractScratch::default()).is_ok();
            let captures = sshd();
            let captures = captures.captures(&line);
            prop_assert_eq!(fits, captures.is_some());
            for (slot, name) in NAMES.iter().enumerate() {
                let expected = captures.as_ref().and_then(|captures| captures.name(name)).map(|group| group.as_bytes());
                prop_assert_eq!(fields.get(slot, &line), expected);
            }
        }
    }
}
