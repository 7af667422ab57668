//! One stage's keys to its plan.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::catalog::Catalog;
use super::draft::{Draft, Layer};
use super::example::as_option;
use super::node::{Content, Node};
use super::outputs;
use super::plan::{
    AggregatorPlan, FollowPlan, LivePlan, Range, ReaderPlan, ReportPlan, ReporterPlan, Scan, Start, StatePlan, Task,
    Trigger,
};
use super::plug_in::{PlugIn, parsed, shown};
use super::problems::Problems;
use super::schema::StageType;
use super::window;
use crate::error::{Place, show_path};
use crate::model::{MemoryPolicy, Moment, Timestamp};
use crate::options::{Instant, Kind, Options, Value, suggest};
use crate::output::Claim;
use crate::report::{Spelled, TABLE};

/// A stage on its own, not yet in the graph.
pub(super) struct Parsed {
    pub threads: NonZeroUsize,
    pub capacity: NonZeroUsize,
    pub in_state: Vec<(&'static str, String)>,
    pub task: Task,
}

/// Reads a stage's keys, noting every problem. `None` if its type is not known.
pub(super) fn read(draft: &Draft, catalog: &Catalog, cores: NonZeroUsize, problems: &mut Problems) -> Option<Parsed> {
    let kind = draft.kind?;
    let mut options = options(draft, kind, problems);
    let task = match kind {
        StageType::Reader => Task::Reader(reader(&options)),
        StageType::LineSplitter => Task::LineSplitter,
        StageType::TimeFilter => {
            let zone = window::settle(draft, &mut options, problems);
            Task::TimeFilter(window::filter(draft, &options, zone, catalog, problems))
        }
        StageType::BucketAggregator => {
            let grouping = options.nanos("grouping-seconds").unwrap_or(1);
            // The range is that of the filters that feed it; the graph fills it in.
            let range = Range::Once { start: Start::Before(1), until: Moment::NOW };
            let max_memory = options.count("max-memory").map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
            let memory_policy = match options.text("memory-policy") {
                Some("spill") => MemoryPolicy::Spill,
                Some("error") => MemoryPolicy::Error,
                _ => MemoryPolicy::Overflow,
            };
            Task::BucketAggregator(AggregatorPlan {
                grouping,
                range,
                needs_previous: false,
                max_gap: options.count("max-gap").unwrap_or(0),
                max_memory,
                memory_policy,
                live: live(&options),
            })
        }
        StageType::Reporter => Task::Reporter(reporter(draft, &options, catalog, problems)),
    };
    let count = |key: &str, otherwise: usize| {
        let count = options.count(key).and_then(|count| usize::try_from(count).ok()).unwrap_or(otherwise);
        NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN)
    };
    let threads = count("threads", kind.default_threads(cores.get()));
    let in_state = in_state(kind, &options);
    Some(Parsed { threads, capacity: count("capacity", 1), in_state, task })
}

/// What a saved state depends on of a stage: keys with their values, as it writes them.
fn in_state(kind: StageType, options: &Options) -> Vec<(&'static str, String)> {
    let keys = kind.table().filter(|key| key.is_in_state).map(|key| key.spec.name);
    let values = keys.filter_map(|name| Some((name, options.get(name)?)));
    let lines = values.flat_map(|(name, value)| {
        let texts = match value {
            Value::Text(text) => vec![text.clone()],
            Value::Locations(all) => all.iter().map(|location| show_path(location.as_path())).collect(),
            Value::Count(count) => vec![count.to_string()],
            Value::Nanos(nanos) => vec![Timestamp::from_nanos(*nanos).unix_decimal()],
            Value::Flag(flag) => vec![flag.to_string()],
            Value::Instant(Instant::At(moment)) => vec![moment.to_string()],
            Value::Instant(Instant::Word(word)) => vec![(*word).to_owned()],
        };
        texts.into_iter().map(move |text| (name, text))
    });
    lines.collect()
}

/// The checked values of all keys but reports and outputs.
fn options(draft: &Draft, kind: StageType, problems: &mut Problems) -> Options {
    let specs: Vec<_> = kind.keys().copied().collect();
    let mut options = Options::defaults(&specs);
    for spec in &specs {
        if matches!(spec.kind, Kind::Reports | Kind::Outputs) {
            continue;
        }
        match draft.value(spec.name) {
            Some((layer, entry)) => match parsed(spec, &entry.node) {
                Ok(value) => options.set(spec.name, value),
                Err(expected) => {
                    let message = format!("{expected}, not {}", shown(&entry.node));
                    // A value that was given to several stages at once is wrong once.
                    let shared = matches!(layer, Layer::TopLevel | Layer::Override);
                    let key = if shared { spec.name.to_owned() } else { draft.key(spec.name) };
                    problems.add(&entry.node.place, key, message, None);
                }
            },
            None if spec.required => {
                let help = format!("give it: {}", spec.help);
                problems.add(&draft.place, draft.key(spec.name), "is missing", Some(help));
            }
            None => {}
        }
    }
    options
}

fn reader(options: &Options) -> ReaderPlan {
    let size = |key| options.count(key).and_then(|count| usize::try_from(count).ok()).unwrap_or(1);
    ReaderPlan {
        locations: options.locations("location").to_vec(),
        chunk: size("chunk"),
        max_line: size("max-line"),
        scan: match options.text("scan") {
            Some("full") => Scan::Full,
            _ => Scan::Auto { above: options.count("prune-above").unwrap_or(0) },
        },
        // The graph knows whether a window is periodic.
        by_time: false,
        follow: options
            .flag("follow")
            .then(|| FollowPlan { idle: length(options, "idle"), rotate_wait: length(options, "rotate-wait") }),
    }
}

/// What an aggregator does with inputs that are followed; the graph knows whether they are.
fn live(options: &Options) -> LivePlan {
    LivePlan {
        follows: false,
        grace: 0,
        trigger: if options.text("trigger") == Some("clock") { Trigger::Clock } else { Trigger::Event },
        state: match options.text("state") {
            None | Some("auto") => StatePlan::Auto,
            Some("none") => StatePlan::None,
            Some(folder) => StatePlan::Folder(PathBuf::from(folder)),
        },
        checkpoint: length(options, "checkpoint"),
        stop_timeout: length(options, "stop-timeout"),
    }
}

fn length(options: &Options, key: &str) -> Duration {
    Duration::from_nanos(options.nanos(key).unwrap_or(1).unsigned_abs())
}

fn reporter(draft: &Draft, options: &Options, catalog: &Catalog, problems: &mut Problems) -> ReporterPlan {
    let limit = options.count("limit");
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
    ReporterPlan {
        reports: reports.items().iter().filter_map(|item| report(draft, item, limit, catalog, problems)).collect(),
        outputs: outputs.items().iter().filter_map(|item| outputs::output(draft, item, catalog, problems)).collect(),
    }
}

fn report(
    draft: &Draft,
    item: &Node,
    limit: Option<u64>,
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
    if let (Some(limit), true) = (limit, entry.options.iter().any(|spec| spec.name == "limit")) {
        options.set("limit", Value::Count(limit));
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
pub(super) fn written_to(draft: &Draft, task: &Task) -> Vec<(Claim, &'static str, Place)> {
    let place = |key| draft.value(key).map_or(draft.place.clone(), |(_, entry)| entry.node.place.clone());
    match task {
        Task::TimeFilter(filter) => {
            let files = [("rejects", &filter.rejects), ("late-file", &filter.late_file)];
            files.into_iter().filter_map(|(key, path)| Some((Claim::File(path.clone()?), key, place(key)))).collect()
        }
        Task::Reporter(reporter) => {
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
