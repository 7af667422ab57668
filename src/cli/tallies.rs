//! Tallies as files: plan, partial, merge, report.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::args::{Counting, JsonOutput, Results, Settings, Talk};
use super::loss::{self, Asked, Told};
use super::show::no_json;
use super::{
    ask, configured_or_standard, emit, local, local_target, show, slips, tty, watch, with_overrides, with_settings,
};
use crate::config::{Plan, Task};
use crate::error::{Error, Result, show_path};
use crate::metrics::Progress;
use crate::model::location::{Location, PathArg};
use crate::model::{Extent, Guard, Timestamp};
use crate::options::{Kind, Raw, Value};
use crate::output::json::window;
use crate::output::save::save;
use crate::output::spared::Spared;
use crate::pipeline::{Builder, ByteRange, PartialRequest, Partition, Passed, PlannedTask, spare_log};
use crate::tallies::{self, Files};

/// Divide what a question reads.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Globs, files, folders; without any, those of the configuration.
    location: Vec<String>,
    /// Bytes that a task reads, at most.
    #[arg(long, value_name = "SIZE", default_value = "100MiB")]
    max_partition: String,
    /// Count the window before too, as the report new-pairs needs it.
    #[arg(long)]
    previous: bool,
    #[command(flatten)]
    output: JsonOutput,
    #[command(flatten)]
    talk: Talk,
    #[command(flatten)]
    source: Source,
}

/// What is counted of which logs.
#[derive(Debug, Args)]
pub struct Source {
    /// The configuration, if one is meant.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    counting: Counting,
}

impl Source {
    pub fn builder(&self, location: &[String]) -> Result<Builder> {
        let location = if self.config.is_some() { location.to_vec() } else { ask::or_piped(location.to_vec())? };
        let builder = with_settings(configured_or_standard(self.config.as_deref())?, &self.settings)?;
        let builder = with_overrides(builder, self.counting.overrides());
        Ok(ask::located(builder, &location)?.on_failure(show::error).on_warning(show::warning))
    }
}

/// Count into a tallies file.
#[derive(Debug, Args)]
pub struct PartialArgs {
    /// Globs, files, folders, or - for standard input; without any, those of the configuration.
    location: Vec<String>,
    /// Where to write the tallies, or - for standard output.
    #[arg(long, short, value_name = "FILE")]
    output: PathArg,
    /// Of one file, the lines that begin in this range of bytes; without an end, to that of the
    /// file.
    #[arg(long, value_name = "FROM..TO")]
    range: Option<String>,
    /// Stands before the names of the inputs, so that those of one machine are not taken for those
    /// of another.
    #[arg(long, value_name = "NAME")]
    label: Option<String>,
    /// Count the window before too, as the report new-pairs needs it.
    #[arg(long)]
    previous: bool,
    /// With --range: bytes of the file when it was planned; what has grown behind does not count.
    #[arg(long, value_name = "BYTES", requires = "range")]
    size: Option<u64>,
    /// With --size: bytes behind it of a last line without a newline; it counts as long as nothing
    /// has followed.
    #[arg(long, value_name = "BYTES", requires = "size")]
    unterminated: Option<u64>,
    /// With --range: how the file began when it was planned, so that no other is taken for it: so
    /// many bytes, and their XXH64 in hexadecimal digits.
    #[arg(long, value_name = "BYTES:HASH", requires = "range")]
    head: Option<String>,
    /// With --range: bytes of the file that nobody reads, as they cannot hold the window, and what
    /// the plan has seen there (stamps in nanoseconds, how far they are out of order).
    #[arg(long, value_name = "FROM..TO[@LOWEST..HIGHEST/DISORDER]", requires = "range")]
    skip: Vec<String>,
    /// The build of the program that has planned; another one is refused, as it may count
    /// otherwise.
    #[arg(long, value_name = "ID")]
    build: Option<String>,
    /// With --range: note how the lines are sorted, as what is skipped rests on it.
    #[arg(long, requires = "range")]
    order: bool,
    #[command(flatten)]
    talk: Talk,
    #[command(flatten)]
    source: Source,
}

/// Add tallies files up.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// Tallies files, of the same question and of different bytes.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Where to write them as one, or - for standard output.
    #[arg(long, short, value_name = "FILE")]
    output: PathArg,
    #[command(flatten)]
    talk: Talk,
}

/// Report on tallies files.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Tallies files; behind them, for the question that the tool has always answered, the host
    /// whose connections are listed, and the host whose connected hosts are.
    #[arg(required = true, value_name = "FILE... [HOST_FROM HOST_TO]")]
    words: Vec<String>,
    /// The configuration that says which reports and outputs there are, if one is meant.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    results: Results,
    /// Threads of each stage.
    #[arg(long, allow_hyphen_values = true, value_name = "N")]
    threads: Option<String>,
    /// Memory that the report may take; beyond, pairs go to the disk [default: no limit].
    #[arg(long, allow_hyphen_values = true, value_name = "SIZE")]
    max_memory: Option<String>,
    /// Report even if the files do not hold all bytes of their inputs.
    #[arg(long)]
    incomplete: bool,
    /// Exit with 6 if any lines or bytes were lost, each class of which is told on stderr.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    talk: Talk,
}

/// Prints the work list, as a line of JSON. The exit code.
pub fn plan(args: &PlanArgs) -> Result<u8> {
    let places = args.output.places()?;
    let size = Kind::Bytes(1, 1 << 50);
    let bytes = match size.parse(&Raw::Text(args.max_partition.clone())) {
        Ok(Value::Count(bytes)) => bytes,
        Ok(_) => return Err(Error::usage("--max-partition is a size")),
        Err(expected) => return Err(Error::usage(format!("--max-partition {}: {expected}", args.max_partition))),
    };
    let pipeline = args.source.builder(&args.location)?.build()?;
    let pipeline = places.iter().fold(pipeline, |pipeline, place| pipeline.writes(*place));
    let tuning = tuning(pipeline.plan(), &args.source.counting);
    let locations = pipeline.plan().locations();
    let partition = pipeline.partition(bytes, args.previous)?;
    let question = question(&partition);
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
        "build": crate::BUILD,
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

/// A path as JSON has it, which knows no others.
pub fn utf8(path: &Path) -> Result<&str> {
    path.to_str()
        .ok_or_else(|| Error::usage(format!("{}: a name that is no UTF-8 cannot stand in a plan", show_path(path))))
}

/// A path as an argument that may stand before options and behind them.
fn argument(path: &str) -> String {
    if path.starts_with('-') { format!("./{path}") } else { path.to_owned() }
}

/// The arguments that say what every task of a partition counts.
fn question(partition: &Partition) -> Vec<String> {
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
        ("--set", format!("format={}", question.format)),
        ("--set", format!("max-line={}", question.max_line)),
    ];
    let mut args = ["partial", "--build", crate::BUILD].map(str::to_owned).to_vec();
    args.extend(pairs.into_iter().flat_map(|(option, value)| [option.to_owned(), value]));
    args.extend(question.previous.then(|| "--previous".to_owned()));
    args
}

/// The arguments that say with what means a task counts, as far as they were given.
fn tuning(plan: &Plan, counting: &Counting) -> Vec<String> {
    let given = [
        ("--threads", &counting.threads),
        ("--max-memory", &counting.max_memory),
        ("--memory-policy", &counting.memory_policy),
    ];
    let given = given.into_iter().filter_map(|(option, value)| Some([option.to_owned(), value.clone()?]));
    let chunk = plan.stages.iter().find_map(|stage| match &stage.task {
        Task::Reader(reader) => Some(["--set".to_owned(), format!("chunk={}", reader.chunk)]),
        _ => None,
    });
    given.chain(chunk).flatten().collect()
}

/// The arguments that say which bytes a task is about.
fn ranged(task: &PlannedTask) -> Vec<String> {
    let ByteRange { from, to, size, unterminated, head, passed, note_order } = &task.range;
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
    for Passed { from, to, extent } in passed {
        let seen = extent.map_or_else(String::new, |Extent { lowest, highest, disorder }| {
            format!("@{}..{}/{disorder}", lowest.nanos(), highest.nanos())
        });
        add("--skip", format!("{from}..{to}{seen}"));
    }
    args.extend(note_order.then(|| "--order".to_owned()));
    args
}

/// Counts, and writes the tallies. The exit code.
pub fn partial(args: &PartialArgs) -> Result<u8> {
    let target = target(&args.output)?;
    if let Some(build) = &args.build {
        same_build(build)?;
    }
    let range = match &args.range {
        None => None,
        Some(text) => {
            let (from, to) = range(text).ok_or_else(|| not_understood("--range", text, "FROM..TO, e.g. 0..1048576"))?;
            let passed = args.skip.iter().map(|text| {
                passed(text).ok_or_else(|| not_understood("--skip", text, "FROM..TO[@LOWEST..HIGHEST/DISORDER]"))
            });
            let passed = passed.collect::<Result<Vec<_>>>()?;
            let head = args.head.as_ref().map(|text| {
                head(text).ok_or_else(|| not_understood("--head", text, "BYTES:HASH, e.g. 3:44bc2cf5ad770999"))
            });
            let (size, unterminated) = (args.size, args.unterminated);
            Some(ByteRange { from, to, size, unterminated, head: head.transpose()?, passed, note_order: args.order })
        }
    };
    let interrupted = Arc::default();
    let builder = args.source.builder(&args.location)?;
    let pipeline = builder.interrupt(Arc::clone(&interrupted)).build()?.writes(target).locate()?;
    watch::drain_on_signals(&interrupted)?;
    if pipeline.plan().max_memory().is_some() {
        super::allocator::return_large_blocks();
    }
    let request = PartialRequest { range, label: args.label.clone(), previous: args.previous };
    let asked = Asked::of(pipeline.plan());
    let mut shown = Shown::new(args.talk.quiet > 0);
    let partial = pipeline.partial(request, |progress| shown.start(progress))?;
    drop(shown);
    save(target, |out| Ok(partial.write(out)?))?;
    // What the tasks of a plan have lost, the report on all of them says once.
    if args.build.is_none() {
        show::losses(partial.summary(), &asked, &Told::default(), args.talk.quiet.max(1));
        if args.range.is_none() {
            show::missed(partial.summary(), false);
        }
        show::foreign(partial.summary().foreign());
    }
    // Other parts may have records where this one has none.
    Ok(0)
}

/// `FROM..TO` or `FROM..`.
fn range(text: &str) -> Option<(u64, Option<u64>)> {
    let (from, to) = text.split_once("..")?;
    Some((from.parse().ok()?, if to.is_empty() { None } else { Some(to.parse().ok()?) }))
}

/// `FROM..TO`, and what was seen there: `@LOWEST..HIGHEST/DISORDER`.
fn passed(text: &str) -> Option<Passed> {
    let (bytes, seen) = text.split_once('@').map_or((text, None), |(bytes, seen)| (bytes, Some(seen)));
    let (from, to) = range(bytes)?;
    let extent = match seen {
        None => None,
        Some(seen) => {
            let (stamps, disorder) = seen.split_once('/')?;
            let (lowest, highest) = stamps.split_once("..")?;
            let nanos = |text: &str| text.parse().ok().map(Timestamp::from_nanos);
            let extent = Extent { lowest: nanos(lowest)?, highest: nanos(highest)?, disorder: disorder.parse().ok()? };
            // Stamps of lines lie no further behind each other than the lowest behind the highest.
            let span = i128::from(extent.highest.nanos()) - i128::from(extent.lowest.nanos());
            if !(0..=span).contains(&i128::from(extent.disorder)) {
                return None;
            }
            Some(extent)
        }
    };
    Some(Passed { from, to: to.filter(|to| from <= *to)?, extent })
}

/// Refuses what another build has planned.
pub fn same_build(planned: &str) -> Result<()> {
    if planned == crate::BUILD {
        return Ok(());
    }
    let text = format!("this is build {} of logparser, and the plan was made by build {planned}", crate::BUILD);
    Err(Error::usage(format!("{text}; take the same program everywhere")))
}

pub fn shown_head(Guard { bytes, hash }: &Guard) -> String {
    format!("{bytes}:{hash:016x}")
}

/// `BYTES:HASH`.
pub fn head(text: &str) -> Option<Guard> {
    let (bytes, hash) = text.split_once(':')?;
    Some(Guard { bytes: bytes.parse().ok()?, hash: u64::from_str_radix(hash, 16).ok()? })
}

fn not_understood(option: &str, text: &str, expected: &str) -> Error {
    Error::usage(format!("{option} {text}: expected {expected}"))
}

/// Adds files up. The exit code.
pub fn merge(args: &MergeArgs) -> Result<u8> {
    let target = target(&args.output)?;
    let files = opened(&args.files)?;
    spared(&args.files).refuse(target)?;
    spare_log(target)?;
    let mut shown = Shown::new(args.talk.quiet > 0);
    shown.start(files.progress());
    save(target, |out| files.write(out))?;
    Ok(0)
}

/// Where tallies go; `None` is standard output.
fn target(output: &PathArg) -> Result<Option<&Path>> {
    if let Some(path) = output.path() {
        return local_target(path).map(|()| Some(path));
    }
    if io::stdout().is_terminal() {
        return Err(Error::usage("tallies are nothing to read on a terminal; name a file, or a pipe behind"));
    }
    Ok(None)
}

/// Tallies files, none of which may be written to.
pub fn spared(files: &[PathBuf]) -> Spared {
    let mut spared = Spared::default();
    files.iter().for_each(|path| spared.add(path, show_path(path)));
    spared
}

pub fn opened(files: &[PathBuf]) -> Result<Files> {
    files.iter().try_for_each(|file| local(file))?;
    Files::open(files).map_err(|error| slips::no_tallies(files).unwrap_or(error))
}

/// A progress bar, if a person waits for it.
struct Shown(Option<watch::Progress>);

impl Shown {
    fn new(quiet: bool) -> Self {
        Shown((tty::draws(&io::stderr()) && !quiet).then(watch::Progress::new))
    }

    fn start(&mut self, progress: Arc<Progress>) {
        self.0.iter_mut().for_each(|bar| bar.start(Arc::clone(&progress)));
    }
}

/// Reports on files. The exit code.
pub fn report(args: &ReportArgs) -> Result<u8> {
    let (files, hosts) = files_and_hosts(&args.words)?;
    let builder = with_settings(configured_or_standard(args.config.as_deref())?, &args.settings)?;
    let given = [("threads", &args.threads), ("max-memory", &args.max_memory)];
    let builder = with_overrides(builder, super::args::given(given));
    // The logs are not needed any more.
    let mut builder = ask::located(builder, &[Location::Stdin.to_string()])?.style(ask::style(args.talk.color));
    if let Some([from, to]) = &hosts {
        builder = ask::asking(builder, &ask::three_questions(from, to));
    }
    let mut builder = with_overrides(builder, args.results.overrides()?);
    let mut shown = Shown::new(args.talk.quiet > 0);
    if let Some(bar) = shown.0.as_ref().filter(|_| io::stdout().is_terminal()) {
        builder = builder.stdout(bar.stdout());
    }
    // What is asked for is checked before what it is asked of.
    let pipeline = builder.on_warning(show::warning).build()?;
    let files = opened(&files)?;
    shown.start(files.progress());
    let (has_text, asked) = (show::writes_text(pipeline.plan()), Asked::of(pipeline.plan()));
    let summary = pipeline.report_on(&files, args.incomplete)?;
    drop(shown);
    if args.talk.quiet == 0 {
        show::summary(&summary, has_text);
    }
    show::losses(&summary, &asked, &Told::default(), args.talk.quiet);
    show::foreign(summary.foreign());
    Ok(loss::exit_code(&summary, args.strict))
}

/// The files, and the two hosts behind them if there are any: words that name no file.
fn files_and_hosts(words: &[String]) -> Result<(Vec<PathBuf>, Option<[String; 2]>)> {
    let paths = |words: &[String]| words.iter().map(PathBuf::from).collect();
    let is_file = |word: &String| Path::new(word).exists();
    match words {
        [files @ .., from, to] if !files.is_empty() && !is_file(from) && !is_file(to) => {
            Ok((paths(files), Some([from.clone(), to.clone()])))
        }
        [files @ .., host] if files.iter().all(is_file) && !files.is_empty() && !is_file(host) => {
            Err(Error::usage(format!("there is no file '{host}'; if it is a host, name two: HOST_FROM HOST_TO")))
        }
        _ => Ok((paths(words), None)),
    }
}

pub fn value(part: &impl Serialize) -> Result<Json> {
    serde_json::to_value(part).map_err(|error| no_json(error.into()))
}
