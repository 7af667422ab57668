//! Stages as boxes, one below the other, and every edge from its stage to its stage.
//!
//! An arrow between two boxes joins these two. All other edges are rails at the right: a line that
//! leaves a box (`├─`), goes down, and ends as an arrow (`◄`) at each box that it feeds; where
//! others take the same way to the same boxes, they join it. Rails cross as `┼`, and nowhere turn
//! there. Invariant: the edges that are drawn are those of the graph.

use std::collections::{BTreeMap, BTreeSet};

/// A box.
pub(super) struct Stage {
    /// What stands in it.
    pub title: String,
    /// What comes in, for stages that take anything.
    pub takes: Option<String>,
    /// The stages that feed it, which come before it.
    pub inputs: Vec<usize>,
}

/// A line at the right that edges share: from each of its sources, which come first, to each of its
/// targets.
struct Rail {
    sources: Vec<usize>,
    targets: Vec<usize>,
    column: usize,
}

/// Where a rail meets a box.
#[derive(Clone, Copy)]
struct Joint {
    rail: usize,
    enters: bool,
    place: At,
}

/// Of a rail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Between,
    End,
}

/// The drawing, a line a row.
pub(super) fn diagram(stages: &[Stage]) -> String {
    let rails = rails(stages);
    let length = |text: &String| text.chars().count();
    // What comes in stands beside an arrow, two characters further to the right.
    let needs = |stage: &Stage| length(&stage.title).max(stage.takes.as_ref().map_or(0, |takes| length(takes) + 2));
    let width = stages.iter().map(needs).max().unwrap_or(0);
    let mut canvas = Canvas { out: String::new(), open: BTreeSet::new(), width: width + 4 };
    for (at, stage) in stages.iter().enumerate() {
        let takes = stage.takes.as_deref().unwrap_or_default();
        let is_fed_from_above = at > 0 && stage.inputs.contains(&(at - 1));
        if is_fed_from_above {
            canvas.line(&format!("    │ {takes}"));
            canvas.line("    ▼");
        } else if at > 0 {
            canvas.line("");
        }
        canvas.line(&format!("┌{}┐", "─".repeat(width + 2)));
        let joints = joints(&rails, at);
        let label = (!is_fed_from_above && !takes.is_empty()).then_some(takes);
        for row in 0..joints.len().max(1 + usize::from(label.is_some())) {
            let text = [Some(stage.title.as_str()), label].get(row).copied().flatten().unwrap_or_default();
            let padding = " ".repeat(width - text.chars().count());
            canvas.box_row(
                &format!("│ {text}{padding} "),
                joints.get(row).map(|&joint| (joint, rails[joint.rail].column)),
            );
        }
        canvas.line(&format!("└{}┘", "─".repeat(width + 2)));
    }
    canvas.out
}

/// The rails of those edges that are not arrows between neighbours.
fn rails(stages: &[Stage]) -> Vec<Rail> {
    let mut fed: Vec<Vec<usize>> = vec![Vec::new(); stages.len()];
    for (at, stage) in stages.iter().enumerate() {
        for &from in stage.inputs.iter().filter(|&&from| from + 1 < at) {
            if fed[from].last() != Some(&at) {
                fed[from].push(at);
            }
        }
    }
    // Stages that feed the same ones share a rail: each of them comes before all of those.
    let mut shared: Vec<Rail> = Vec::new();
    let mut known: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    for (from, targets) in fed.into_iter().enumerate().filter(|(_, targets)| !targets.is_empty()) {
        match known.get(&targets) {
            Some(&rail) => shared[rail].sources.push(from),
            None => {
                known.insert(targets.clone(), shared.len());
                shared.push(Rail { sources: vec![from], targets, column: 0 });
            }
        }
    }
    // The nearest column that is free from the first stage of a rail to its last.
    let mut busy_until: Vec<usize> = Vec::new();
    for rail in &mut shared {
        let last = rail.targets.last().copied().unwrap_or(rail.sources[0]);
        let free = busy_until.iter().position(|&until| until < rail.sources[0]);
        rail.column = free.unwrap_or(busy_until.len());
        match free {
            Some(column) => busy_until[column] = last,
            None => busy_until.push(last),
        }
    }
    shared
}

/// The rails that meet stage `at`: first those that feed it, the nearest first, then the one that
/// leaves it.
fn joints(rails: &[Rail], at: usize) -> Vec<Joint> {
    let mut found = Vec::new();
    for (number, rail) in rails.iter().enumerate() {
        if rail.targets.binary_search(&at).is_ok() {
            let place = if rail.targets.last() == Some(&at) { At::End } else { At::Between };
            found.push(Joint { rail: number, enters: true, place });
        }
        if rail.sources.binary_search(&at).is_ok() {
            let place = if rail.sources.first() == Some(&at) { At::Start } else { At::Between };
            found.push(Joint { rail: number, enters: false, place });
        }
    }
    found.sort_by_key(|joint| (!joint.enters, rails[joint.rail].column));
    found
}

struct Canvas {
    out: String,
    /// The columns of the rails that go on below.
    open: BTreeSet<usize>,
    /// Of a box.
    width: usize,
}

impl Canvas {
    /// A line that no rail begins or ends in.
    fn line(&mut self, text: &str) {
        let padding = self.width.saturating_sub(text.chars().count());
        self.out.push_str(text);
        self.out.push_str(&" ".repeat(padding));
        self.rails_from(0);
    }

    /// A row of a box without its right side, with the rail that meets it there and the column of
    /// that.
    fn box_row(&mut self, text: &str, joint: Option<(Joint, usize)>) {
        self.out.push_str(text);
        let Some((joint, column)) = joint else {
            self.out.push('│');
            return self.rails_from(0);
        };
        self.out.push(if joint.enters { '│' } else { '├' });
        for before in 0..column {
            self.out.push(if joint.enters && before == 0 { '◄' } else { '─' });
            self.out.push(if self.open.contains(&before) { '┼' } else { '─' });
        }
        self.out.push(if joint.enters && column == 0 { '◄' } else { '─' });
        self.out.push(match joint.place {
            At::Start => '┐',
            At::Between => '┤',
            At::End => '┘',
        });
        if joint.place == At::End {
            self.open.remove(&column);
        } else {
            self.open.insert(column);
        }
        self.rails_from(column + 1);
    }

    /// The rest of a line: the rails that go on, from a column on.
    fn rails_from(&mut self, column: usize) {
        let mut next = column;
        for &open in self.open.range(column..) {
            self.out.push_str(&"  ".repeat(open - next));
            self.out.push_str(" │");
            next = open + 1;
        }
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stages(inputs: &[&[usize]], takes: &str) -> Vec<Stage> {
        let stage = |(at, inputs): (usize, &&[usize])| Stage {
            title: format!("stage {at}"),
            takes: (!inputs.is_empty()).then(|| takes.to_owned()),
            inputs: inputs.to_vec(),
        };
        inputs.iter().enumerate().map(stage).collect()
    }

    /// The edges that a drawing shows, read as a person would: box by box, and along each rail.
    fn edges(drawing: &str) -> Vec<(usize, usize)> {
        let (mut found, mut at, mut is_fed) = (Vec::new(), 0, false);
        // What has joined each rail so far, by its place in the line.
        let mut rails: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for line in drawing.lines() {
            let line: Vec<char> = line.chars().collect();
            is_fed |= line.get(4) == Some(&'▼');
            if let Some(number) = line.iter().collect::<String>().strip_prefix("│ stage ") {
                at = number.split(' ').next().unwrap().parse().unwrap();
                if std::mem::take(&mut is_fed) {
                    found.push((at - 1, at));
                }
            }
            let Some(joint) = line.iter().position(|c| matches!(c, '◄' | '├')) else { continue };
            let end = joint + line[joint..].iter().position(|c| matches!(c, '┐' | '┤' | '┘')).unwrap();
            assert!(line[joint + 1..end].iter().all(|c| matches!(c, '─' | '┼')), "{drawing}");
            if line[joint] == '├' {
                assert_eq!(line[end] == '┐', !rails.contains_key(&end), "{drawing}");
                rails.entry(end).or_default().push(at);
            } else {
                let sources = if line[end] == '┘' { rails.remove(&end) } else { rails.get(&end).cloned() };
                found.extend(sources.unwrap().into_iter().map(|from| (from, at)));
            }
            for (&column, _) in rails.range(..) {
                assert!(column == end || matches!(line[column], '│' | '┼'), "a rail breaks off:\n{drawing}");
            }
        }
        assert!(rails.is_empty(), "{drawing}");
        found.sort_unstable();
        found
    }

    #[test]
    fn a_fork_and_a_join_are_drawn_as_such() {
        let fork = diagram(&stages(&[&[], &[0], &[0], &[1, 2]], "lines"));
        assert_eq!(
            fork,
            "\
┌─────────┐
│ stage 0 ├─┐
└─────────┘ │
    │ lines │
    ▼       │
┌─────────┐ │
│ stage 1 ├─┼─┐
└─────────┘ │ │
            │ │
┌─────────┐ │ │
│ stage 2 │◄┘ │
│ lines   │   │
└─────────┘   │
    │ lines   │
    ▼         │
┌─────────┐   │
│ stage 3 │◄──┘
└─────────┘
"
        );
        let joined = diagram(&stages(&[&[], &[], &[], &[0, 1, 2], &[3]], "lines"));
        assert_eq!(joined.matches('◄').count(), 1, "{joined}");
        assert_eq!(edges(&joined), [(0, 3), (1, 3), (2, 3), (3, 4)]);
    }

    proptest! {
        #[test]
        fn the_edges_of_any_graph_are_had_back_from_its_drawing(
            inputs in proptest::collection::vec(proptest::collection::vec(any::<proptest::sample::Index>(), 0..4), 1..14),
        ) {
            let inputs = inputs.iter().enumerate().map(|(at, chosen)| {
                let mut inputs: Vec<usize> = if at == 0 { Vec::new() } else { chosen.iter().map(|index| index.index(at)).collect() };
                inputs.sort_unstable();
                inputs.dedup();
                inputs
            });
            let inputs: Vec<Vec<usize>> = inputs.collect();
            let slices: Vec<&[usize]> = inputs.iter().map(Vec::as_slice).collect();
            let drawing = diagram(&stages(&slices, "lines, up to 4"));
            let mut expected: Vec<(usize, usize)> =
                inputs.iter().enumerate().flat_map(|(at, from)| from.iter().map(move |&from| (from, at))).collect();
            expected.sort_unstable();
            prop_assert_eq!(edges(&drawing), expected, "{}", drawing);
        }
    }
}
