//! What is wrong with a configuration: each problem once, in the order of the file.
//!
//! Not here: the rules that find them. Invariant: the same problem at the same place is told once.

use std::collections::HashMap;

use crate::error::{Place, Problem};

/// The most problems for which a remedy is looked for: nobody reads more of them, and looking takes
/// its time.
const HELPED: usize = 100;

/// The problems found so far, each with the number of those before it.
#[derive(Default)]
pub(super) struct Problems(HashMap<Problem, usize>);

impl Problems {
    /// Notes a problem, if it has not been noted word for word.
    pub fn add(&mut self, place: &Place, key: impl Into<String>, message: impl Into<String>, help: Option<String>) {
        let problem = Problem { place: place.clone(), key: key.into(), message: message.into(), help };
        let before = self.0.len();
        self.0.entry(problem).or_insert(before);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether remedies are still worth the time that it takes to look for them among many.
    pub fn want_help(&self) -> bool {
        self.0.len() < HELPED
    }

    /// All of them, in the order of the file.
    pub fn sorted(self) -> Vec<Problem> {
        let mut all: Vec<(Problem, usize)> = self.0.into_iter().collect();
        all.sort_by(|(a, before_a), (b, before_b)| (&a.place, before_a).cmp(&(&b.place, before_b)));
        all.into_iter().map(|(problem, _)| problem).collect()
    }
}
