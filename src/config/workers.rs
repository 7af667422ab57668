//! How many workers stages have, and which of them share theirs.
//!
//! Not here: what shares workers at run time (`actor`). Invariant: stages of a chain have as many
//! workers as each other, none of them is fed by two or feeds two but the last, and what follows
//! its inputs leads no chain.

use std::num::NonZeroUsize;

use super::stage::{CheckedTask, Parsed};

/// The workers of a stage.
#[derive(Debug, Clone, Copy)]
pub(super) struct WorkerPlan {
    pub threads: NonZeroUsize,
    /// Whether they are those of the stage before it.
    pub chained: bool,
}

/// Those of all stages. `edges` are, by stage, the places of those that feed it, and `by_time` says
/// which are read in the order of time.
pub(super) fn workers(stages: &[Parsed], edges: &[Vec<usize>], follows: bool, by_time: &[bool]) -> Vec<WorkerPlan> {
    let is_reader = |at: usize| matches!(stages[at].task, CheckedTask::Reader(_));
    // The stage that one may be chained to: the only one that feeds it, which feeds no other.
    let before = |at: usize| {
        let [from] = edges[at][..] else { return None };
        let fed = edges.iter().flatten().filter(|&&feeding| feeding == from).count();
        (stages[at].may_chain && fed == 1 && !(follows && is_reader(from))).then_some(from)
    };
    let before: Vec<Option<usize>> = (0..stages.len()).map(before).collect();
    let behind = |from: usize| before.iter().position(|&before| before == Some(from));
    let threads = |at: usize| {
        let of_chain = || stages[behind(at)?].threads;
        stages[at].threads.or_else(of_chain).unwrap_or(NonZeroUsize::MIN)
    };
    let chained = |at: usize| before[at].is_some_and(|from| threads(from) == threads(at));
    let of = |at: usize| {
        // Over an edge, only one worker keeps an order among inputs.
        let alone = is_reader(at) && (follows || by_time[at]) && !behind(at).is_some_and(chained);
        WorkerPlan { threads: if alone { NonZeroUsize::MIN } else { threads(at) }, chained: chained(at) }
    };
    (0..stages.len()).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::super::plan::Plan;
    use super::super::tests::{catalog, machine};
    use super::super::written::Written;

    fn planned(text: &str) -> Plan {
        check(&Written::from_text("p.toml", text), &catalog(), &machine()).unwrap()
    }

    /// The stages that are chained, of a plan for four cores, and the threads of its first reader.
    fn chained_in(text: &str) -> (Vec<String>, usize) {
        let plan = planned(text);
        let reader = plan.stages[0].threads.get();
        (plan.stages.into_iter().filter(|stage| stage.chained).map(|stage| stage.name).collect(), reader)
    }

    /// A stage of a configuration.
    fn stage(name: &str, kind: &str, from: &str, more: &str) -> String {
        format!("stages.{name} = {{ type = '{kind}', inputs = ['{from}']{more} }}\n")
    }

    /// The five stages, with more keys of the first four.
    fn line([read, lines, recent, tally]: [&str; 4]) -> String {
        format!("stages.read = {{ type = 'reader', location = 'x'{read} }}\n")
            + &stage("lines", "line-splitter", "read", lines)
            + &stage("recent", "time-filter", "lines", recent)
            + &stage("tally", "bucket-aggregator", "recent", tally)
            + &stage("report", "reporter", "tally", "")
    }

    #[test]
    fn stages_in_a_line_are_chained_where_they_have_as_many_threads_and_nothing_says_otherwise() {
        let all = || ["lines", "recent", "tally"].map(str::to_owned).to_vec();
        for (more, chained, reader) in [
            ("", all(), 4),
            ("threads = 1", all(), 1),
            ("threads = 7", all(), 7),
            ("every = 60", all(), 4),
            ("chain = true", all(), 4),
            ("chain = false", vec![], 1),
            ("chain = false\nthreads = 7", vec![], 7),
            ("chain = false\nthreads = 7\nevery = 60", vec![], 1),
            // What follows is one that looks after all files.
            ("follow = true\nevery = 60", all()[1..].to_vec(), 1),
            ("follow = true\nevery = 60\nthreads = 7", all()[1..].to_vec(), 1),
            ("follow = true\nevery = 60\nthreads = 1", all()[1..].to_vec(), 1),
        ] {
            assert_eq!(chained_in(&format!("location = 'x'\n{more}")), (chained, reader), "{more}");
        }
        for (keys, chained, reader) in [
            (["", "", "", ""], &["lines", "recent", "tally"][..], 4),
            ([", threads = 1", "", "", ""], &["recent", "tally"], 1),
            ([", threads = 4", "", "", ""], &["lines", "recent", "tally"], 4),
            (["", ", threads = 1", "", ""], &["lines", "tally"], 1),
            (["", "", ", threads = 1", ""], &["lines"], 4),
            (["", "", "", ", threads = 5"], &["lines", "recent"], 4),
            (["", ", threads = 3", ", threads = 3", ", threads = 3"], &["lines", "recent", "tally"], 3),
            (["", ", chain = false", "", ""], &["recent", "tally"], 1),
            (["", "", ", chain = false", ""], &["lines", "tally"], 4),
            (["", "", "", ", chain = false"], &["lines", "recent"], 4),
            ([", threads = 2", "", ", every = 60", ""], &["recent", "tally"], 1),
        ] {
            let chained = chained.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(chained_in(&line(keys)), (chained, reader), "{keys:?}");
        }
    }

    #[test]
    fn what_is_fed_by_two_or_feeds_two_keeps_its_edges() {
        let two = line([""; 4]).replace("inputs = ['lines']", "inputs = ['lines', 'more']");
        let two =
            two + &stage("more", "line-splitter", "other", "") + "stages.other = { type = 'reader', location = 'y' }";
        let mut chained = chained_in(&two).0;
        chained.sort_unstable();
        assert_eq!(chained, ["lines", "more", "tally"]);
        let fork = line([""; 4]) + &stage("fine", "bucket-aggregator", "recent", ", grouping-seconds = 60");
        let fork = fork + &stage("both", "reporter", "fine", ", outputs = ['json:b']");
        assert_eq!(chained_in(&fork), (["lines", "recent"].map(str::to_owned).to_vec(), 4));
        // Two splitters behind one reader, and one behind two.
        let fork = line([""; 4])
            + &stage("more", "line-splitter", "read", "")
            + &stage("past", "time-filter", "more", "")
            + &stage("fine", "bucket-aggregator", "past", "")
            + &stage("both", "reporter", "fine", ", outputs = ['json:b']");
        let (chained, reader) = chained_in(&fork);
        assert!(!chained.contains(&"lines".to_owned()) && !chained.contains(&"more".to_owned()) && reader == 1);
        let join = line([""; 4]).replace("inputs = ['read']", "inputs = ['read', 'other']")
            + "stages.other = { type = 'reader', location = 'y' }";
        assert_eq!(chained_in(&join), (["recent", "tally"].map(str::to_owned).to_vec(), 1));
    }

    #[test]
    fn a_chained_stage_holds_no_chunks_of_its_own() {
        for (more, expected) in [
            ("chain = false", 1 + 3 * (4 + 4)),
            ("", 4 + 4),
            ("threads = 3\ncapacity = 5", 3 + 5),
            ("threads = 3\ncapacity = 5\nchain = false", 3 + 3 * (5 + 3)),
        ] {
            let text = format!("location = 'x'\n{more}");
            assert_eq!(planned(&text).chunk_budget(0).get(), expected, "{more}");
        }
        for (keys, expected) in [
            (["", ", chain = false", "", ""], 1 + (4 + 4)),
            (["", "", ", chain = false", ""], (4 + 4) + (4 + 4)),
            ([", threads = 2", "", "", ", threads = 5"], 2 + (4 + 4) + (4 + 5)),
        ] {
            assert_eq!(planned(&line(keys)).chunk_budget(0).get(), expected, "{keys:?}");
        }
    }
}
