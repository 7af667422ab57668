//! One stage's keys, each checked by itself and beside the others of its stage.
//!
//! Not here: what other stages say (`graph`), and the plan (`assemble`).

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::catalog::Catalog;
use super::draft::{Draft, Layer};
use super::example::as_option;
use super::node::{Content, Node};
use super::plan::{OutputPlan, ReportPlan, ReporterPlan};
use super::problems::Problems;
use super::schema::StageType;
use super::window::{self, CheckedFilter};
use crate::error::{Place, show_path};
use crate::model::Timestamp;
use crate::model::location::{PathArg, no_target, scheme};
use crate::options::{Instant, Kind, Options, Raw, Value, suggest};
use crate::report::Spelled;

/// A stage on its own, not yet in the graph: its keys, checked.
pub(super) struct Parsed {
    pub threads: NonZeroUsize,
    pub capacity: NonZeroUsize,
    pub in_state: Vec<(&'static str, String)>,
    pub part: Part,
}

/// What it says of its task; the rest it has from others.
pub(super) enum Part {
    Reader(Options),
    LineSplitter,
    TimeFilter(CheckedFilter),
    BucketAggregator(Options),
    Reporter(ReporterPlan),
}

/// Reads a stage's keys, noting every problem. `None` if its type is not known.
pub(super) fn read(draft: &Draft, catalog: &Catalog, cores: NonZeroUsize, problems: &mut Problems) -> Option<Parsed> {
    let kind = draft.kind?;
    let mut options = options(draft, kind, problems);
    let zone = (kind == StageType::TimeFilter).then(|| window::settle(draft, &mut options, problems));
    let count = |key: &str, otherwise: usize| {
        let count = options.count(key).and_then(|count| usize::try_from(count).ok()).unwrap_or(otherwise);
        NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN)
    };
    let (threads, capacity) = (count("threads", kind.default_threads(cores.get())), count("capacity", 1));
    let in_state = in_state(kind, &options);
    let part = match kind {
        StageType::Reader => Part::Reader(options),
        StageType::LineSplitter => Part::LineSplitter,
        StageType::TimeFilter => {
            Part::TimeFilter(window::filter(draft, options, zone.unwrap_or(TimeZone::UTC), catalog, problems))
        }
        StageType::BucketAggregator => Part::BucketAggregator(options),
        StageType::Reporter => Part::Reporter(reporter(draft, &options, catalog, problems)),
    };
    Some(Parsed { threads, capacity, in_state, part })
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
            Some((layer, entry)) => match spec.kind.parse(&entry.node.raw()) {
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

/// A value for messages.
fn shown(node: &Node) -> String {
    match node.raw() {
        Raw::Text(text) => format!("'{text}'"),
        Raw::Integer(number) => number.to_string(),
        Raw::Decimal(number) => number,
        Raw::Flag(flag) => flag.to_string(),
        Raw::List(items) => {
            let refused = |item: &Raw| match item {
                Raw::Text(text) if text.is_empty() || scheme(text).is_some() => Some(format!("'{text}'")),
                _ => None,
            };
            items.iter().find_map(refused).unwrap_or_else(|| "a list".into())
        }
        Raw::Other(name) => format!("a {name}"),
    }
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
        outputs: outputs.items().iter().filter_map(|item| output(draft, item, catalog, problems)).collect(),
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
        let help = Spelled::read(name)
            .map(|spelled| format!("a report with options is a table; did you mean {}?", spelled.in_toml()))
            .or_else(|| suggest(name, names()))
            .unwrap_or_else(|| format!("the reports are {}", names().collect::<Vec<_>>().join(", ")));
        let place = named.map_or(&item.place, |node| &node.place);
        problems.add(place, draft.key("reports"), format!("unknown report '{name}'"), Some(help));
        return None;
    };
    let key = || draft.key(&format!("reports.{name}"));
    let mut options = Options::defaults(entry.options);
    if let (Some(limit), true) = (limit, entry.options.iter().any(|spec| spec.name == "limit")) {
        options.set("limit", Value::Count(limit));
    }
    for given in item.entries().iter().filter(|given| given.key != "name") {
        let Some(spec) = entry.options.iter().find(|spec| spec.name == given.key) else {
            let names = || entry.options.iter().map(|spec| spec.name);
            let help = suggest(&given.key, names()).unwrap_or_else(|| match entry.options {
                [] => "it has none".to_owned(),
                [only] => format!("its one option is {}", only.name),
                _ => format!("its options are {}", names().collect::<Vec<_>>().join(", ")),
            });
            problems.add(&given.place, key(), format!("unknown option '{}'", given.key), Some(help));
            continue;
        };
        match spec.kind.parse(&given.node.raw()) {
            Ok(value) => options.set(spec.name, value),
            Err(expected) => {
                let message = format!("{}: {expected}, not {}", spec.name, shown(&given.node));
                problems.add(&given.node.place, key(), message, None);
            }
        }
    }
    let given = |name: &str| item.entries().iter().any(|given| given.key == name);
    for spec in entry.options.iter().filter(|spec| spec.required && !given(spec.name)) {
        let help = match &item.place {
            Place::Option(_) => format!("write e.g. {}", as_option(entry.example)),
            _ => format!("write e.g. {}", entry.example),
        };
        problems.add(&item.place, key(), format!("{} is missing", spec.name), Some(help));
    }
    Some(ReportPlan { entry: *entry, options })
}

fn output(draft: &Draft, item: &Node, catalog: &Catalog, problems: &mut Problems) -> Option<OutputPlan> {
    let Some(text) = item.as_text() else {
        let help = Some("write e.g. \"text\" or \"json:results.jsonl\"".into());
        problems.add(&item.place, draft.key("outputs"), "expected an output", help);
        return None;
    };
    let known = |name: &str| catalog.outputs.iter().any(|entry| entry.name == name);
    let path = text.split_once(':').filter(|(name, _)| known(name)).map_or(text, |(_, path)| path);
    if let Some(scheme) = scheme(path) {
        problems.add(&item.place, draft.key("outputs"), format!("'{text}': {}", no_target(scheme)), None);
        return None;
    }
    let (name, path) = match text.split_once(':') {
        Some((name, path)) => (name, Some(path)),
        None if PathArg::from(text) == PathArg::Std => ("text", None),
        None => by_ending(text).map_or((text, None), |format| (format, Some(text))),
    };
    let Some(entry) = catalog.outputs.iter().find(|entry| entry.name == name) else {
        let names = || catalog.outputs.iter().map(|entry| entry.name);
        let is_file = path.is_none() && Path::new(name).extension().is_some();
        let help = suggest(name, names()).filter(|_| !is_file).unwrap_or_else(|| {
            let known = names().collect::<Vec<_>>().join(", ");
            let named = if is_file { format!("; a file of another ending is e.g. json:{name}") } else { String::new() };
            format!("the outputs are {known}{named}")
        });
        problems.add(&item.place, draft.key("outputs"), format!("unknown output '{name}'"), Some(help));
        return None;
    };
    if path == Some("") {
        let help = Some(format!("write {name}:PATH, or {name} for standard output"));
        problems.add(&item.place, draft.key("outputs"), format!("'{text}' has no path behind its colon"), help);
        return None;
    }
    Some(OutputPlan { format: entry.name, path: path.and_then(|path| PathArg::from(path).path().map(Path::to_owned)) })
}

/// The output that a path asks for by its ending, where the text is one.
fn by_ending(text: &str) -> Option<&'static str> {
    match Path::new(text).extension()?.to_str()? {
        "txt" => Some("text"),
        "json" | "jsonl" | "ndjson" => Some("json"),
        "csv" => Some("csv"),
        _ => None,
    }
}

/// The files and streams that a stage writes to: where to, under which key, and where that stands.
pub(super) fn written_to(draft: &Draft, part: &Part) -> Vec<(Option<PathBuf>, &'static str, Place)> {
    let place = |key| draft.value(key).map_or(draft.place.clone(), |(_, entry)| entry.node.place.clone());
    match part {
        Part::TimeFilter(filter) => {
            let path = |key| Some((Some(PathBuf::from(filter.options.text(key)?)), key, place(key)));
            ["rejects", "late-file"].into_iter().filter_map(path).collect()
        }
        Part::Reporter(reporter) => {
            let nodes = draft.value("outputs").map(|(_, entry)| entry.node.clone());
            let at = |index: usize| match nodes.as_ref().map(|node| &node.content) {
                Some(Content::List(items)) => items.get(index).map_or(place("outputs"), |item| item.place.clone()),
                _ => place("outputs"),
            };
            reporter
                .outputs
                .iter()
                .enumerate()
                .map(|(at_index, output)| (output.path.clone(), "outputs", at(at_index)))
                .collect()
        }
        _ => Vec::new(),
    }
}
