//! How far the paths of all fields are matched, as states to go through from key to key.
//!
//! A state stands for the paths that are still open behind some keys, each with how many of its parts
//! are matched. For one state and one key there is one next state, so that a key is looked up once,
//! however many fields there are.
//!
//! Not here: reading JSON. Invariant: the slots of a state are those of all paths, and of no other
//! ones, that are matched whole by the keys that lead to it.

use std::collections::BTreeMap;

use super::super::keys::Keys;
use super::path::FieldPath;

/// The state in which nothing is wanted any more.
pub const NOWHERE: u32 = 0;

/// The state of the whole line.
pub const ROOT: u32 = 1;

/// The states of some paths.
#[derive(Debug, PartialEq, Eq)]
pub struct PathStates(Vec<PathState>);

#[derive(Debug, Default, PartialEq, Eq)]
struct PathState {
    keys: Keys,
    indices: Vec<(u32, u32)>,
    slots: Box<[u32]>,
}

/// Paths by their numbers, each with how many of its parts are matched.
type PathStep = Vec<(usize, usize)>;

impl PathStates {
    /// The states of these paths.
    pub fn of(paths: &[FieldPath]) -> Self {
        let root: PathStep = (0..paths.len()).map(|path| (path, 0)).collect();
        let mut numbers = BTreeMap::from([(Vec::new(), NOWHERE), (root.clone(), ROOT)]);
        let mut states = vec![PathState::default()];
        let mut open = vec![root];
        let mut at = 0;
        while let Some(here) = open.get(at).cloned() {
            let mut number = |next: PathStep| {
                let fresh = numbers.len() as u32;
                *numbers.entry(next.clone()).or_insert_with(|| {
                    open.push(next);
                    fresh
                })
            };
            states.push(state(paths, &here, &mut number));
            at += 1;
        }
        PathStates(states)
    }

    /// The state behind a key, which is `bytes[start..end]`.
    #[inline(always)]
    pub fn behind_key(&self, state: u32, bytes: &[u8], start: usize, end: usize) -> u32 {
        self.state(state).and_then(|state| state.keys.get(bytes, start, end)).unwrap_or(NOWHERE)
    }

    /// The state behind an index into an array.
    #[inline(always)]
    pub fn behind_index(&self, state: u32, index: u32) -> u32 {
        let indices = self.state(state).map(|state| &state.indices[..]).unwrap_or_default();
        indices.iter().find(|(other, _)| *other == index).map_or(NOWHERE, |(_, next)| *next)
    }

    /// The slots of the fields that are found in a state.
    #[inline(always)]
    pub fn slots(&self, state: u32) -> &[u32] {
        self.state(state).map(|state| &state.slots[..]).unwrap_or_default()
    }

    #[inline(always)]
    fn state(&self, state: u32) -> Option<&PathState> {
        self.0.get(state as usize)
    }
}

/// The state of these open paths; `number` gives each state behind it its number.
fn state(paths: &[FieldPath], open: &PathStep, number: &mut impl FnMut(PathStep) -> u32) -> PathState {
    let mut keys: BTreeMap<String, PathStep> = BTreeMap::new();
    let mut indices: BTreeMap<u32, PathStep> = BTreeMap::new();
    for &(path, done) in open {
        for (key, end) in paths[path].keys(done) {
            keys.entry(key).or_default().push((path, end));
        }
        if let Some(index) = paths[path].index(done) {
            indices.entry(index).or_default().push((path, done + 1));
        }
    }
    let mut state = PathState::default();
    for (key, next) in keys {
        state.keys.add(key.as_bytes(), number(next));
    }
    state.indices = indices.into_iter().map(|(index, next)| (index, number(next))).collect();
    let whole = open.iter().filter(|(path, done)| paths[*path].len() == *done);
    state.slots = whole.map(|(path, _)| *path as u32).collect();
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(paths: &[&str]) -> PathStates {
        PathStates::of(&paths.iter().map(|path| FieldPath::parse(path).unwrap()).collect::<Vec<_>>())
    }

    fn slots<'a>(states: &'a PathStates, keys: &[&str]) -> &'a [u32] {
        let step = |state, key: &&str| states.behind_key(state, key.as_bytes(), 0, key.len());
        states.slots(keys.iter().fold(ROOT, step))
    }

    #[test]
    fn keys_lead_to_slots() {
        let all = states(&["a.b.c", "/a/b", "a.b", "/a.b/c", "a.b.c"]);
        assert_eq!(slots(&all, &["a", "b", "c"]), [0, 4]);
        assert_eq!(slots(&all, &["a.b.c"]), [0, 4]);
        assert_eq!(slots(&all, &["a", "b.c"]), [0, 4]);
        assert_eq!(slots(&all, &["a.b", "c"]), [0, 3, 4]);
        assert_eq!(slots(&all, &["a", "b"]), [1, 2]);
        assert_eq!(slots(&all, &["a.b"]), [2]);
        for none in [&[][..], &["a"], &["b"], &["a", "c", "b"], &["a", "b", "c", ""], &["", "a", "b"]] {
            assert_eq!(slots(&all, none), [0; 0], "{none:?}");
        }
        assert_eq!(slots(&states(&[]), &["a"]), [0; 0]);
    }

    #[test]
    fn indices_lead_to_slots() {
        let all = states(&["/0/1", "0.1"]);
        assert_eq!(all.slots(all.behind_index(all.behind_index(ROOT, 0), 1)), [0]);
        assert_eq!(all.slots(all.behind_index(ROOT, 1)), [0; 0]);
        assert_eq!(slots(&all, &["0", "1"]), [0, 1]);
    }

    #[test]
    fn there_are_no_more_states_than_groupings_need() {
        let long = "a.".repeat(62) + "a";
        let pointers = "/a".repeat(63);
        assert_eq!(states(&[&long]).0.len(), 65);
        assert_eq!(states(&[&long, &pointers]).0.len(), 65 + 63 - 1);
    }
}
