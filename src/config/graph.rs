//! The graph: edges that fit, no cycles, nothing unused, nothing counted twice, nothing written
//! twice.
//!
//! A reporter has one aggregator, since results of two would have no order among them. Where inputs
//! are followed there is one reader, one time-filter and one aggregator: the position of an input
//! says what is counted of it, in one place.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::assemble::assemble;
use super::draft::Draft;
use super::follow;
use super::needs;
use super::plan::{AggregatorPlan, FilterPlan, LEAST_TALLY, Plan, Range, Task};
use super::problems::Problems;
use super::schema::StageType;
use super::stage::{Parsed, written_to};
use super::window::refuse;
use crate::error::Place;
use crate::model::length;
use crate::model::window::{MAX_BUCKETS, grain};
use crate::options::{nearest, suggest};
use crate::output::Claim;

/// Puts the stages together; with `previous`, all of them count the window before. `None` if they
/// do not make a plan, which has been noted.
pub(super) fn check(
    drafts: &[Draft],
    stages: Vec<Option<Parsed>>,
    (root, previous): (&Place, bool),
    problems: &mut Problems,
) -> Option<Plan> {
    let before = problems.len();
    let edges = edges(drafts, problems);
    one_target_each(drafts, &stages, problems);
    all_used(drafts, root, problems);
    let order = topological(drafts, &edges, problems);
    // Whatever else follows from a wrong edge would only be noise.
    if problems.len() > before || drafts.iter().any(|draft| draft.kind.is_none()) {
        return None;
    }
    let order = order?;
    no_double_count(drafts, &edges, &order, problems);
    one_aggregator_each(drafts, &edges, problems);
    if problems.len() > before {
        return None;
    }
    let plan = assemble(drafts, (&edges, &order), stages, previous)?;
    filters_agree(&plan, drafts, problems);
    follow::check(&plan, drafts, problems);
    needs::check(&plan, drafts, problems);
    one_stdin(&plan, drafts, problems);
    enough_memory(&plan, drafts, problems);
    Some(plan)
}

/// By stage: the places of the stages that feed it.
type Edges = Vec<Vec<usize>>;

fn edges(drafts: &[Draft], problems: &mut Problems) -> Edges {
    let places: HashMap<&str, usize> = drafts.iter().enumerate().map(|(at, draft)| (draft.name.as_str(), at)).collect();
    let names: Vec<&str> = drafts.iter().map(|draft| draft.name.as_str()).collect();
    let mut edges = vec![Vec::new(); drafts.len()];
    for (at, draft) in drafts.iter().enumerate() {
        let Some(kind) = draft.kind else { continue };
        let Some(takes) = kind.takes() else { continue };
        if draft.inputs.is_empty() && draft.value("inputs").is_none_or(|(_, entry)| entry.node.items().is_empty()) {
            let help = format!("name the {} that feed it, e.g. inputs = [\"...\"]", plural(takes.giver()));
            problems.add(&draft.place, draft.key("inputs"), "is missing", Some(help));
        }
        for (name, place) in &draft.inputs {
            let Some(&from) = places.get(name.as_str()) else {
                let help = if problems.want_help() { suggest(name, others(&names, draft)) } else { None };
                problems.add(place, draft.key("inputs"), format!("there is no stage '{name}'"), help);
                continue;
            };
            let Some(giver) = drafts[from].kind else { continue };
            if giver.gives() != Some(takes) {
                let gives = giver.gives().map_or("nothing".to_owned(), |item| item.name().to_owned());
                let message = format!(
                    "a {} takes {} from a {}, but '{name}' is a {} and gives {gives}",
                    kind.name(),
                    takes.name(),
                    takes.giver(),
                    giver.name()
                );
                problems.add(place, draft.key("inputs"), message, None);
            }
            edges[at].push(from);
        }
    }
    edges
}

fn plural(name: &str) -> String {
    format!("{name}s")
}

/// Notes stages that feed nothing. A stage that another one names, even if the name is misspelled,
/// is used.
fn all_used(drafts: &[Draft], root: &Place, problems: &mut Problems) {
    let names: Vec<&str> = drafts.iter().map(|draft| draft.name.as_str()).collect();
    let known: BTreeSet<&str> = names.iter().copied().collect();
    let may_guess = problems.want_help();
    let meant: BTreeSet<&str> = drafts
        .iter()
        .flat_map(|draft| draft.inputs.iter().map(move |(input, _)| (draft, input)))
        .filter_map(|(draft, input)| match known.get(input.as_str()) {
            Some(name) => Some(*name),
            None if may_guess => nearest(input, others(&names, draft)),
            None => None,
        })
        .collect();
    for draft in drafts {
        let Some(gives) = draft.kind.and_then(StageType::gives) else { continue };
        if !meant.contains(draft.name.as_str()) {
            let message = format!("is not used: nothing takes its {}", gives.name());
            let help = Some(format!("add \"{}\" to the inputs of a stage, or take it out", draft.name));
            problems.add(&draft.place, format!("stages.{}", draft.name), message, help);
        }
    }
    // A stage of an unknown type may be the one that is missed.
    let all_known = drafts.iter().all(|draft| draft.kind.is_some());
    for kind in [StageType::Reader, StageType::Reporter] {
        if all_known && !drafts.iter().any(|draft| draft.kind == Some(kind)) {
            let help = format!("add a stage with type = \"{}\"", kind.name());
            problems.add(root, "stages", format!("there is no {}", kind.name()), Some(help));
        }
    }
}

/// The names that a stage may have meant by one that does not exist: all but its own.
fn others<'a>(names: &[&'a str], draft: &Draft) -> impl Iterator<Item = &'a str> {
    names.iter().copied().filter(|name| *name != draft.name)
}

/// The stages in an order in which each comes after those that feed it, as near to the file's as
/// can be.
fn topological(drafts: &[Draft], edges: &Edges, problems: &mut Problems) -> Option<Vec<usize>> {
    let (mut order, mut done) = (Vec::new(), vec![false; drafts.len()]);
    while order.len() < drafts.len() {
        let ready = (0..drafts.len()).find(|&at| !done[at] && edges[at].iter().all(|&from| done[from]));
        let Some(at) = ready else {
            let cycle = cycle(edges, &done);
            let names: Vec<&str> = cycle.iter().map(|&at| drafts[at].name.as_str()).collect();
            let message = format!("feeds itself: {} -> {}", names.join(" -> "), names[0]);
            problems.add(&drafts[cycle[0]].place, drafts[cycle[0]].key("inputs"), message, None);
            return None;
        };
        done[at] = true;
        order.push(at);
    }
    Some(order)
}

/// A cycle among the stages that are not done, in the direction of the data. There is one.
fn cycle(edges: &Edges, done: &[bool]) -> Vec<usize> {
    let mut path = vec![done.iter().position(|done| !done).unwrap_or(0)];
    loop {
        let at = path[path.len() - 1];
        let Some(&from) = edges[at].iter().find(|&&from| !done[from]) else { return path };
        if let Some(start) = path.iter().position(|&known| known == from) {
            let mut cycle = path.split_off(start);
            cycle.reverse();
            return cycle;
        }
        path.push(from);
    }
}

/// A line that reached an aggregator by two paths would count twice.
fn no_double_count(drafts: &[Draft], edges: &Edges, order: &[usize], problems: &mut Problems) {
    for (reader, draft) in drafts.iter().enumerate().filter(|(_, draft)| draft.kind == Some(StageType::Reader)) {
        let mut paths = vec![0usize; drafts.len()];
        paths[reader] = 1;
        for &at in order {
            paths[at] += edges[at].iter().map(|&from| paths[from]).sum::<usize>();
        }
        for (at, target) in drafts.iter().enumerate() {
            if target.kind == Some(StageType::BucketAggregator) && paths[at] > 1 {
                let message = format!(
                    "is reached from '{}' by {} paths: every line would count {} times",
                    draft.name, paths[at], paths[at]
                );
                problems.add(&target.place, target.key("inputs"), message, None);
            }
        }
    }
}

/// The results of several aggregators have no order among them, so neither would a reporter of all.
fn one_aggregator_each(drafts: &[Draft], edges: &Edges, problems: &mut Problems) {
    for (draft, inputs) in drafts.iter().zip(edges) {
        if draft.kind != Some(StageType::Reporter) || inputs.len() < 2 {
            continue;
        }
        let names: Vec<String> = inputs.iter().map(|&from| format!("'{}'", drafts[from].name)).collect();
        let place = draft.inputs.first().map_or(&draft.place, |(_, place)| place);
        let message = format!("{} feed it, whose results have no order among them", names.join(" and "));
        problems.add(place, draft.key("inputs"), message, Some("give each aggregator a reporter of its own".into()));
    }
}

fn one_target_each(drafts: &[Draft], stages: &[Option<Parsed>], problems: &mut Problems) {
    // What is taken, with its place, and what is said to take it.
    let mut known: HashMap<Claim, (Place, String)> = HashMap::new();
    for (draft, parsed) in drafts.iter().zip(stages) {
        let Some(parsed) = parsed else { continue };
        for (claim, key, place) in written_to(draft, &parsed.task) {
            if let Some((first_place, first)) = known.get(&claim.cleaned()) {
                let message = match matches!(place, Place::Option(_)) && *first_place == place {
                    true => format!("{claim} would be written to twice"),
                    false => format!("{claim} is written to by {first} already"),
                };
                problems.add(&place, draft.key(key), message, Some(claim.remedy().into()));
                continue;
            }
            let said = if let Place::Option(option) = &place { option.clone() } else { draft.key(key) };
            known.insert(claim.cleaned(), (place, said));
        }
    }
}

/// The filters of one aggregator have to agree on its windows, and those of one reader on how its
/// lines are read.
fn filters_agree(plan: &Plan, drafts: &[Draft], problems: &mut Problems) {
    let draft_of = |name: &str| drafts.iter().find(|draft| draft.name == name);
    let filters: Vec<(usize, &str, &FilterPlan)> = plan
        .stages
        .iter()
        .enumerate()
        .filter_map(|(at, stage)| match &stage.task {
            Task::TimeFilter(filter) => Some((at, stage.name.as_str(), filter)),
            _ => None,
        })
        .collect();
    for stage in &plan.stages {
        let Task::BucketAggregator(aggregator) = &stage.task else { continue };
        let feeding: Vec<_> = filters.iter().filter(|(at, ..)| stage.inputs.contains(at)).collect();
        let Some((_, first, filter)) = feeding.first() else { continue };
        let Some(draft) = draft_of(&stage.name) else { continue };
        if let Some((_, other, _)) =
            feeding.iter().find(|(_, _, other)| (other.range, &other.zone) != (filter.range, &filter.zone))
        {
            let message = format!("'{first}' and '{other}' feed it with different windows");
            problems.add(
                &draft.place,
                draft.key("inputs"),
                message,
                Some("give them the same window, or an aggregator each".into()),
            );
        }
        let measures = |filter: &FilterPlan| filter.stamps.format.measures();
        if let Some((_, other, _)) = feeding.iter().find(|(_, _, other)| measures(other) != measures(filter)) {
            let message = format!("'{first}' and '{other}' feed it with different sums");
            let help = Some("give both the same sum, or an aggregator each".into());
            problems.add(&draft.place, draft.key("inputs"), message, help);
        }
        if feeding.len() > 1 && filter.range.depends_on_input() {
            let message = "several time-filters feed it whose windows depend on what each of them reads";
            let help =
                Some("give them an instant in place of latest or first, or one time-filter for all lines".into());
            problems.add(&draft.place, draft.key("inputs"), message, help);
        }
        not_too_fine(aggregator, draft, draft_of(first), problems);
    }
    for (at, name, filter) in &filters {
        let mine = readers_of(plan, *at);
        let clash = filters.iter().take_while(|(other, ..)| other != at).find(|(other, _, plan_of_other)| {
            plan_of_other.stamps.format != filter.stamps.format && !readers_of(plan, *other).is_disjoint(&mine)
        });
        if let (Some((_, other, _)), Some(draft)) = (clash, draft_of(name)) {
            let message = format!("reads the same lines as '{other}', but in another format or unit");
            problems.add(
                &draft.place,
                format!("stages.{name}"),
                message,
                Some("give both the same format and unit".into()),
            );
        }
    }
}

fn readers_of(plan: &Plan, stage: usize) -> BTreeSet<usize> {
    let mut found = plan.upstream(stage);
    found.retain(|&at| matches!(plan.stages[at].task, Task::Reader(_)));
    found
}

impl Plan {
    /// The least that a run may be limited to of which so many bytes are for something else beside,
    /// where its limit leaves too little for the tallies; `None` if it leaves enough.
    pub fn least_memory(&self, beside: usize) -> Option<usize> {
        let left = self.tally_bytes(self.max_memory()?.saturating_sub(beside));
        let least = (LEAST_TALLY / 7 * 8).saturating_mul(self.aggregators()).saturating_add(8);
        let least = least.saturating_add(self.bytes_beside_tallies()).saturating_add(beside);
        (left < LEAST_TALLY && beside > 0).then_some(least)
    }
}

fn enough_memory(plan: &Plan, drafts: &[Draft], problems: &mut Problems) {
    for stage in &plan.stages {
        let Task::BucketAggregator(AggregatorPlan { max_memory: Some(bytes), .. }) = stage.task else { continue };
        let Some(draft) = drafts.iter().find(|draft| draft.name == stage.name) else { continue };
        let tally = plan.tally_bytes(bytes);
        if tally >= LEAST_TALLY {
            continue;
        }
        let place = draft.value("max-memory").map_or(&draft.place, |(_, entry)| &entry.node.place);
        let mebibytes = |bytes: usize| bytes.div_ceil(1 << 20);
        let beside = mebibytes(plan.bytes_beside_tallies());
        let message = format!("leaves too little to count with: batches on their way take up to {beside} MiB");
        let help = format!(
            "give at least {}MiB, or make chunk, max-line, capacity or threads smaller",
            mebibytes(bytes.max(plan.bytes_beside_tallies()) + (LEAST_TALLY - tally) * 8 / 7 * plan.aggregators()) + 1
        );
        problems.add(place, draft.key("max-memory"), message, Some(help));
    }
}

fn not_too_fine(aggregator: &AggregatorPlan, draft: &Draft, filter: Option<&Draft>, problems: &mut Problems) {
    let Range::Every { length, period, lateness, .. } = aggregator.range else { return };
    let common = grain(length, Some(period), aggregator.grouping);
    let shown = |nanos: i64| length::shown(Duration::from_nanos(nanos.unsigned_abs()));
    // The key that was given is to blame, and not a default.
    let blamed = filter.filter(|_| draft.value("grouping-seconds").is_none());
    let others = grain(length, None, if blamed.is_some() { aggregator.grouping } else { period });
    let (message, help) = if length / common > MAX_BUCKETS {
        let message = format!(
            "a window of {} would be cut into {} buckets of {}, which is what seconds, every and grouping-seconds have in common",
            shown(length),
            length / common,
            shown(common)
        );
        let least = length.max(length.saturating_add(lateness) / 2).saturating_sub(1) / MAX_BUCKETS + 1;
        let help = match round_divisor(others, least) {
            Some(round) => format!("make it a multiple of {}", shown(round)),
            None => {
                format!("make seconds, every and grouping-seconds multiples of one length of {} or more", shown(least))
            }
        };
        (message, help)
    } else {
        // All that may be open at the same time, whatever stamps come.
        let open = length.saturating_add(lateness) / common;
        if open <= 2 * MAX_BUCKETS {
            return;
        }
        let message = format!("keeps up to {open} buckets of {} open at the same time", shown(common));
        (message, "give a shorter lateness, or longer seconds and every".to_owned())
    };
    let (draft, key) = blamed.map_or((draft, "grouping-seconds"), |filter| (filter, "every"));
    refuse(draft, key, message, Some(help), problems);
}

/// The least length that is not below another and of which this one is a multiple: a round one, if
/// there is one.
fn round_divisor(length: i64, least: i64) -> Option<i64> {
    let most = length / least;
    let divisors = || (1..=most).rev().filter(|parts| length % parts == 0).map(|parts| length / parts);
    let unit = 10_i64.checked_pow(least.ilog10())?;
    divisors().find(|divisor| divisor % unit == 0).or_else(|| divisors().next())
}

fn one_stdin(plan: &Plan, drafts: &[Draft], problems: &mut Problems) {
    let mut first: Option<&str> = None;
    for stage in &plan.stages {
        let Task::Reader(reader) = &stage.task else { continue };
        if !reader.reads_stdin() {
            continue;
        }
        match (first, drafts.iter().find(|draft| draft.name == stage.name)) {
            (Some(first), Some(draft)) => {
                let message = format!("standard input is read by '{first}' already");
                let place = draft.value("location").map_or(&draft.place, |(_, entry)| &entry.node.place);
                problems.add(place, draft.key("location"), message, None);
            }
            _ => first = Some(&stage.name),
        }
    }
}
