//! One stage's keys, each checked by itself and beside the others of its stage.
//!
//! Not here: what other stages say (`graph`), and the plan (`assemble`).

use std::num::NonZeroUsize;
use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::catalog::{Catalog, Known};
use super::draft::{Draft, Layer};
use super::example::as_option;
use super::node::{Content, Node};
use super::outputs;
use super::plan::{ReportPlan, ReporterPlan};
use super::plug_in::{PlugIn, parsed, read_from, shown};
use super::problems::Problems;
use super::schema::StageType;
use super::window::{self, CheckedFilter};
use crate::error::{Place, show_path};
use crate::format;
use crate::model::Timestamp;
use crate::options::{Instant, Kind, Options, Value, suggest};
use crate::output::Claim;
use crate::report::{ReportEntry, Spelled, TABLE};

/// A stage on its own, not yet in the graph: its keys, checked.
pub(super) struct Parsed {
    /// `None` of a reader of which nothing is said.
    pub threads: Option<NonZeroUsize>,
    pub capacity: NonZeroUsize,
    /// Whether it may run in the workers of the stage before it.
    pub may_chain: bool,
    pub in_state: Vec<(&'static str, String)>,
    pub task: CheckedTask,
}

/// What it says of its task; the rest it has from others.
pub(super) enum CheckedTask {
    Reader(Options),
    LineSplitter,
    TimeFilter(CheckedFilter),
    BucketAggregator(Options),
    Reporter(ReporterPlan),
}

/// Reads a stage's keys, noting every problem. `None` if its type is not known.
pub(super) fn read(draft: &Draft, known: Known<'_>, cores: NonZeroUsize, problems: &mut Problems) -> Option<Parsed> {
    let catalog = known.catalog;
    let kind = draft.kind?;
    let mut options = options(draft, kind, catalog, problems);
    let zone = (kind == StageType::TimeFilter).then(|| window::settle(draft, &mut options, problems));
    let count = |key: &str, otherwise: Option<usize>| {
        let count = options.count(key).and_then(|count| usize::try_from(count).ok()).or(otherwise);
        count.map(|count| NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN))
    };
    let threads = count("threads", kind.default_threads(cores.get()));
    let capacity = count("capacity", None).unwrap_or(NonZeroUsize::MIN);
    let (may_chain, in_state) = (options.flag("chain"), in_state(kind, &options));
    let task = match kind {
        StageType::Reader => CheckedTask::Reader(options),
        StageType::LineSplitter => CheckedTask::LineSplitter,
        StageType::TimeFilter => {
            CheckedTask::TimeFilter(window::filter(draft, options, zone.unwrap_or(TimeZone::UTC), known, problems))
        }
        StageType::BucketAggregator => CheckedTask::BucketAggregator(options),
        StageType::Reporter => CheckedTask::Reporter(reporter(draft, &options, catalog, problems)),
    };
    Some(Parsed { threads, capacity, may_chain, in_state, task })
}

/// What a saved state depends on of a stage: keys with their values, as it writes them.
fn in_state(kind: StageType, options: &Options) -> Vec<(&'static str, String)> {
    let keys = kind.table().filter(|key| key.is_in_state).map(|key| key.spec.name);
    let values = keys.filter_map(|name| Some((name, options.get(name)?)));
    let lines = values.flat_map(|(name, value)| {
        let texts = match value {
            // Lines of `plain` were the only ones when states were first saved, and are read as that
            // whether it is asked for or told.
            Value::Text(text) if name == "format" && text == format::AUTO => vec![format::PLAIN.to_owned()],
            Value::Text(text) => vec![text.clone()],
            Value::Texts(texts) => texts.clone(),
            Value::Locations(all) => all.iter().map(|location| show_path(location.as_path())).collect(),
            Value::Count(count) => vec![count.to_string()],
            Value::Nanos(nanos) => vec![Timestamp::from_nanos(*nanos).unix_decimal()],
            // As if it were not given, which it was not in states of before.
            Value::Flag(false) if name == "seen" => Vec::new(),
            Value::Flag(flag) => vec![flag.to_string()],
            Value::Instant(Instant::At(moment)) => vec![moment.to_string()],
            Value::Instant(Instant::Word(word)) => vec![(*word).to_owned()],
        };
        texts.into_iter().map(move |text| (name, text))
    });
    lines.collect()
}

/// The checked values of all keys but reports and outputs.
fn options(draft: &Draft, kind: StageType, catalog: &Catalog, problems: &mut Problems) -> Options {
    let specs: Vec<_> = kind.keys().copied().collect();
    let mut options = Options::defaults(&specs);
    for spec in &specs {
        if matches!(spec.kind, Kind::Reports | Kind::Outputs) {
            continue;
        }
        match draft.value(spec.name) {
            Some((layer, entry)) => {
                match read_from(spec, &entry.node, catalog.reads).and_then(|()| parsed(spec, &entry.node)) {
                    Ok(value) => options.set(spec.name, value),
                    Err(expected) => {
                        let message = format!("{expected}, not {}", shown(&entry.node, catalog.reads));
                        // A value that was given to several stages at once is wrong once.
                        let shared = matches!(layer, Layer::TopLevel | Layer::Override);
                        let key = if shared { spec.name.to_owned() } else { draft.key(spec.name) };
                        problems.add(&entry.node.place, key, message, None);
                    }
                }
            }
            None if spec.required => {
                let help = format!("give it: {}", spec.help);
                problems.add(&draft.place, draft.key(spec.name), "is missing", Some(help));
            }
            None => {}
        }
    }
    options
}

fn reporter(draft: &Draft, options: &Options, catalog: &Catalog, problems: &mut Problems) -> ReporterPlan {
    let shared: Vec<(&'static str, Value)> = SHARED.iter().filter_map(|name| shared(options, name)).collect();
    let node = |key, otherwise: &str| match draft.value(key) {
        Some((_, entry)) => entry.node.clone(),
        None => Node::text(otherwise, draft.place.clone()),
    };
    let reports = node("reports", "top-servers");
    let outputs = node("outputs", "text");
    for (key, node) in [("reports", &reports), ("outputs", &outputs)] {
        if node.items().is_empty() {
            problems.add(
                &node.place,
                draft.key(key),
                "is empty",
                Some("give at least one, or leave the key out".into()),
            );
        }
    }
    let plans: Vec<ReportPlan> =
        reports.items().iter().filter_map(|item| report(draft, item, &shared, catalog, problems)).collect();
    if plans.len() == reports.items().len() {
        for (name, _) in shared.iter().filter(|(name, _)| *name != MAY_BE_IDLE) {
            idle(draft, name, &plans, catalog, problems);
        }
    }
    ReporterPlan {
        reports: plans,
        outputs: outputs.items().iter().filter_map(|item| outputs::output(draft, item, catalog, problems)).collect(),
        hosts: options.text("hosts").map(PathBuf::from),
    }
}

/// Keys of a reporter that are options of those of its reports that have them.
const SHARED: [&str; 4] = [MAY_BE_IDLE, "by", "reverse", "shares"];

/// The one of them that may be given where no report has it: what has no limit is shown in whole, and
/// nothing else is meant.
const MAY_BE_IDLE: &str = "limit";

/// What is given for one of them, if anything is.
fn shared(options: &Options, name: &&'static str) -> Option<(&'static str, Value)> {
    let value = options.get(name).filter(|value| **value != Value::Flag(false))?;
    Some((*name, value.clone()))
}

/// Notes a key that none of the reports has as its option.
fn idle(draft: &Draft, name: &str, plans: &[ReportPlan], catalog: &Catalog, problems: &mut Problems) {
    let has = |entry: &ReportEntry| entry.options.iter().any(|spec| spec.name == name);
    let Some((_, entry)) = draft.value(name).filter(|_| !plans.iter().any(|plan| has(&plan.entry))) else { return };
    let having: Vec<&str> = catalog.reports.iter().filter(|entry| has(entry)).map(|entry| entry.name).collect();
    let help = Some(format!("ask for one of {}, or leave it out", having.join(", ")));
    problems.add(&entry.place, draft.key(name), "means nothing to the reports that are asked for", help);
}

fn report(
    draft: &Draft,
    item: &Node,
    shared: &[(&'static str, Value)],
    catalog: &Catalog,
    problems: &mut Problems,
) -> Option<ReportPlan> {
    let named = item.entries().iter().find(|entry| entry.key == "name").map(|entry| &entry.node);
    let Some(name) = item.as_text().or(named.and_then(Node::as_text)) else {
        let help = Some("write \"NAME\" or { name = \"NAME\", ... }".into());
        problems.add(&item.place, draft.key("reports"), "expected the name of a report", help);
        return None;
    };
    let Some(entry) = catalog.reports.iter().find(|entry| entry.name == name) else {
        let names = || catalog.reports.iter().map(|entry| entry.name);
        let help = Spelled::read(name, TABLE)
            .map(|spelled| format!("a report with options is a table; did you mean {}?", spelled.in_toml()))
            .or_else(|| suggest(name, names()))
            .unwrap_or_else(|| format!("the reports are {}", names().collect::<Vec<_>>().join(", ")));
        let place = named.map_or(&item.place, |node| &node.place);
        problems.add(place, draft.key("reports"), format!("unknown report '{name}'"), Some(help));
        return None;
    };
    let mut options = Options::defaults(entry.options);
    for (name, value) in shared.iter().filter(|(name, _)| entry.options.iter().any(|spec| spec.name == *name)) {
        options.set(name, value.clone());
    }
    let example = match &item.place {
        Place::Option(_) => as_option(entry.example),
        _ => entry.example.to_owned(),
    };
    let part = PlugIn { key: draft.key(&format!("reports.{name}")), place: &item.place, specs: entry.options, example };
    let given = item.entries().iter().filter(|given| given.key != "name");
    part.read(given, &mut options, problems);
    Some(ReportPlan { entry: entry.clone(), options })
}

/// What a stage writes to, under which key, and where that stands.
pub(super) fn written_to(draft: &Draft, task: &CheckedTask) -> Vec<(Claim, &'static str, Place)> {
    let place = |key| draft.value(key).map_or(draft.place.clone(), |(_, entry)| entry.node.place.clone());
    match task {
        CheckedTask::TimeFilter(filter) => {
            let path = |key| Some((Claim::File(PathBuf::from(filter.options.text(key)?)), key, place(key)));
            ["rejects", "late-file"].into_iter().filter_map(path).collect()
        }
        CheckedTask::Reporter(reporter) => {
            let nodes = draft.value("outputs").map(|(_, entry)| entry.node.clone());
            let at = |index: usize| match nodes.as_ref().map(|node| &node.content) {
                Some(Content::List(items)) => items.get(index).map_or(place("outputs"), |item| item.place.clone()),
                _ => place("outputs"),
            };
            let outputs = reporter.outputs.iter().enumerate();
            outputs
                .flat_map(|(index, output)| output.claims().into_iter().map(move |claim| (claim, index)))
                .map(|(claim, index)| (claim, "outputs", at(index)))
                .collect()
        }
        _ => Vec::new(),
    }
}
