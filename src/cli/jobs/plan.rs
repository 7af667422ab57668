//! Divides what a question reads into tasks, and prints the work list.

use serde_json::{Value as Json, json};

use crate::cli::commands::tallies::PlanArgs;
use crate::cli::keys::{Counts, KeyArgs};
use crate::cli::schema;
use crate::cli::show::{self, no_json};
use crate::cli::streams::emit;
use crate::cli::tallies::{builder, shown_head, utf8, value};
use crate::config::{Plan, StagePlan, Task};
use crate::error::{Error, Result};
use crate::format::Zone;
use crate::model::{Extent, MeasureSet};
use crate::options::{Kind, Raw, Value};
use crate::output::json::window;
use crate::pipeline::{ByteRange, Partition, Passed, PlannedTask};
use crate::tallies;

/// Prints the work list, as a line of JSON. The exit code.
pub fn plan(args: &PlanArgs) -> Result<u8> {
    let places = args.output.places()?;
    let size = Kind::Bytes(1, 1 << 50);
    let bytes = match size.parse(&Raw::Text(args.max_partition.clone())) {
        Ok(Value::Count(bytes)) => bytes,
        Ok(_) => return Err(Error::usage("--max-partition is a size")),
        Err(expected) => return Err(Error::usage(format!("--max-partition {}: {expected}", args.max_partition))),
    };
    let pipeline = builder(&args.source, &args.location)?.count_previous(args.previous).build()?;
    let pipeline = places.iter().fold(pipeline, |pipeline, place| pipeline.writes(*place));
    let tuning = tuning(pipeline.plan(), &args.source.keys);
    let format = format(pipeline.plan());
    let locations = pipeline.plan().locations();
    let partition = pipeline.partition(bytes)?;
    let question = question(&partition, &format?);
    let path = |input: usize| utf8(&partition.inputs[input].path);
    let tasks = partition.tasks.iter().map(|task| {
        let args = [&question[..], &tuning, &ranged(task), &[argument(path(task.input)?)]].concat();
        Ok(json!({ "input": task.input, "from": task.range.from, "to": task.range.to, "args": args }))
    });
    let inputs = partition.inputs.iter().enumerate().map(|(at, input)| {
        let (from, to) = input.read;
        let skipped = input.size - (to - from);
        Ok(json!({
            "path": path(at)?, "size": input.size, "unterminated": input.unterminated, "head": shown_head(&input.head),
            "read": [from, to], "skipped": skipped, "reason": input.reason,
        }))
    });
    let read: u64 = partition.inputs.iter().map(|input| input.read.1 - input.read.0).sum();
    let total: u64 = partition.inputs.iter().map(|input| input.size).sum();
    let unterminated: u64 = partition.inputs.iter().map(|input| input.unterminated).sum();
    let text = show::json(&json!({
        "schema": "logparser-plan/1",
        "version": env!("CARGO_PKG_VERSION"),
        "build": crate::version::BUILD,
        "tallies": tallies::FORMAT,
        "locations": locations,
        "window": value(&window(partition.question.window()).map_err(no_json)?)?,
        "inputs": inputs.collect::<Result<Vec<Json>>>()?,
        "tasks": tasks.collect::<Result<Vec<Json>>>()?,
        "bytes_read": read,
        "bytes_skipped": total - read,
        "bytes_total": total,
        "bytes_unterminated": unterminated,
    }))?;
    emit(&text, &places)
}

/// A path as an argument that may stand before options and behind them.
fn argument(path: &str) -> String {
    if path.starts_with('-') { format!("./{path}") } else { path.to_owned() }
}

/// The arguments that say what every task of a partition counts.
fn question(partition: &Partition, format: &[String]) -> Vec<String> {
    let question = &partition.question;
    let nanos = |nanos: i64| format!("{nanos}ns");
    let pairs = [
        ("--since", question.start.to_string()),
        ("--until", question.end.to_string()),
        ("--now", partition.now.to_string()),
        ("--future", nanos(partition.future)),
        ("--lateness", nanos(question.lateness)),
        ("--unit", partition.units.name().to_owned()),
        ("--grouping-seconds", nanos(question.grouping)),
    ];
    let mut args = ["partial", "--build", crate::version::BUILD].map(str::to_owned).to_vec();
    args.extend(pairs.into_iter().flat_map(|(option, value)| [option.to_owned(), value]));
    args.extend_from_slice(format);
    args.extend(["--set".to_owned(), format!("max-line={}", question.max_line)]);
    let zone = partition.zone.to_string();
    args.extend(["--timezone".to_owned(), zone].into_iter().filter(|_| partition.zone != Zone::UTC));
    args.extend(question.previous.then(|| "--previous".to_owned()));
    args
}

/// The arguments that say how every task reads lines, and what it sums.
fn format(plan: &Plan) -> Result<Vec<String>> {
    let filter = plan.stages.iter().find_map(|stage| match &stage.task {
        Task::TimeFilter(filter) => Some(filter),
        _ => None,
    });
    let Some(format) = filter.map(|filter| &filter.stamps.format) else { return Ok(Vec::new()) };
    let Some(keys) = format.keys_beside() else {
        let message = format!("a plan cannot say what the format '{}' of the configuration is", format.name());
        return Err(Error::usage(message));
    };
    let mut args = vec!["--set".to_owned(), format!("format={}", format.name())];
    for (key, value) in keys.iter() {
        let texts = match value {
            Value::Text(text) => std::slice::from_ref(text),
            Value::Texts(texts) => &texts[..],
            _ => &[],
        };
        // A value may begin as an option does.
        args.extend(texts.iter().map(|text| format!("--{key}={text}")));
    }
    let has_times = |stage: &StagePlan| match &stage.task {
        Task::BucketAggregator(aggregator) => MeasureSet::of(&aggregator.measures).has_times(),
        _ => false,
    };
    args.extend(plan.stages.iter().any(has_times).then(|| "--seen".to_owned()));
    Ok(args)
}

/// The arguments that say with what means a task counts, as far as they were given.
fn tuning(plan: &Plan, keys: &KeyArgs<Counts>) -> Vec<String> {
    let given = keys.given(&["threads", "max-memory", "memory-policy"]);
    let chunk = plan.stages.iter().find_map(|stage| match &stage.task {
        Task::Reader(reader) => Some(["--set".to_owned(), format!("chunk={}", reader.chunk)]),
        _ => None,
    });
    given.chain(chunk).flatten().collect()
}

/// The arguments that say which bytes a task is about.
fn ranged(task: &PlannedTask) -> Vec<String> {
    let ByteRange { from, to, size, unterminated, head, schema, passed, note_order } = &task.range;
    let mut args = Vec::new();
    let mut add = |option: &str, value: String| args.extend([option.to_owned(), value]);
    add("--range", format!("{from}..{}", to.map_or_else(String::new, |to| to.to_string())));
    if let Some(size) = size {
        add("--size", size.to_string());
    }
    if let Some(bytes) = unterminated {
        add("--unterminated", bytes.to_string());
    }
    if let Some(guard) = head {
        add("--head", shown_head(guard));
    }
    if let Some(text) = schema.as_ref().and_then(schema::shown) {
        add("--schema", text);
    }
    for Passed { from, to, extent } in passed {
        let seen = extent.map_or_else(String::new, |Extent { lowest, highest, disorder }| {
            format!("@{}..{}/{disorder}", lowest.nanos(), highest.nanos())
        });
        add("--skip", format!("{from}..{to}{seen}"));
    }
    args.extend(note_order.then(|| "--order".to_owned()));
    args
}
