//! Makes a log to try things on, to a file or to standard output.
//!
//! Not here: what lines it has (`make`). Invariant: no half log is left behind.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::commands::make::MakeArgs;
use crate::cli::paths::local_target;
use crate::cli::{show, slips};
use crate::error::{Error, Result, show_path};
use crate::make::{Generator, LogRecipe};
use crate::model::{TimeUnit, Timestamp};
use crate::options::{Instant, Kind, Raw, Value};
use crate::pipeline::wall_clock;

/// Bytes that are made at a time.
const BLOCK: usize = 1 << 20;

/// How many lines are measured to turn a size into a number of lines.
const SAMPLE: u64 = 10_000;

/// What was made.
#[derive(Debug)]
pub struct MadeLog {
    /// Where.
    pub target: String,
    /// How many lines and bytes; `None` if the reader left before the end.
    pub written: Option<(u64, u64)>,
    /// The lowest and the highest stamp, in the unit of the stamps.
    pub extent: Option<(i64, i64)>,
    /// The seed.
    pub seed: u64,
}

impl fmt::Display for MadeLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((lines, bytes)) = self.written else { return write!(f, "{}: closed by its reader", self.target) };
        write!(f, "{}: {lines} lines, {bytes} bytes, seed {}", self.target, self.seed)?;
        match self.extent {
            Some((lowest, highest)) => write!(f, ", stamps from {lowest} to {highest}"),
            None => Ok(()),
        }
    }
}

/// Makes a log and says so. The exit code.
pub fn make(args: &MakeArgs) -> Result<u8> {
    if let Some(path) = args.path.path() {
        slips::made(path)?;
        local_target(path)?;
    }
    let made = run(args, wall_clock())?;
    if !args.quiet {
        show::say(&format!("{made}\n"));
    }
    Ok(0)
}

/// Makes a log. Errors with what is wrong with the arguments, or with the file.
fn run(args: &MakeArgs, now: Timestamp) -> Result<MadeLog> {
    let mut settings = settings(args, now)?;
    if args.lines.is_none() {
        settings.lines = lines_of_size(&settings, bytes("size", &args.size)?);
    }
    let file = args.path.path();
    let target = file.map_or_else(|| "stdout".to_owned(), show_path);
    let made = file.map(|path| create(path, args.force)).transpose()?;
    let mut writer: Box<dyn Write> = match &made {
        Some(made) => Box::new(&made.file),
        None => Box::new(io::stdout()),
    };
    let lines = settings.lines;
    let mut generator = Generator::new(settings);
    let bar = (!args.quiet && io::stderr().is_terminal()).then(|| new_bar(lines));
    let mut bytes = 0;
    let written = write_all(&mut generator, &mut writer, &mut bytes, bar.as_ref());
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let summary = |written| MadeLog { target: target.clone(), written, extent: generator.extent(), seed: args.seed };
    match written {
        Ok(()) => Ok(summary(Some((lines, bytes)))),
        // The reader has had enough.
        Err(error) if file.is_none() && error.kind() == io::ErrorKind::BrokenPipe => Ok(summary(None)),
        Err(source) => {
            drop(writer);
            let action = made.as_ref().map_or("cannot write", |made| made.clean_up());
            Err(Error::output(target, action, source))
        }
    }
}

/// Writes all lines, and adds up the bytes in `written`.
fn write_all(
    generator: &mut Generator,
    writer: &mut dyn Write,
    written: &mut u64,
    bar: Option<&ProgressBar>,
) -> io::Result<()> {
    let mut block = Vec::with_capacity(BLOCK + 256);
    loop {
        block.clear();
        let more = generator.fill(&mut block, BLOCK);
        writer.write_all(&block)?;
        *written += block.len() as u64;
        if let Some(bar) = bar {
            bar.set_position(generator.lines());
        }
        if !more {
            writer.flush()?;
            return Ok(());
        }
    }
}

/// What a log is written to.
struct MadeFile<'a> {
    path: &'a Path,
    file: File,
    /// Whether it was not there before.
    is_new: bool,
}

fn create(path: &Path, force: bool) -> Result<MadeFile<'_>> {
    let made =
        File::options().write(true).create_new(true).open(path).map(|file| MadeFile { path, file, is_new: true });
    let made = match made {
        Err(error) if force && error.kind() == io::ErrorKind::AlreadyExists => {
            // A link to nothing leads to a new file.
            let open = File::options().write(true).create(true).truncate(true).open(path);
            open.map(|file| MadeFile { path, file, is_new: false })
        }
        made => made,
    };
    made.map_err(|source| match source.kind() {
        _ if path.is_dir() => Error::usage(format!("'{}' is a folder; name a file", show_path(path))),
        io::ErrorKind::AlreadyExists => {
            Error::usage(format!("'{}' is there already; give --force to overwrite it", show_path(path)))
        }
        _ => Error::output(show_path(path), "cannot make", source),
    })
}

impl MadeFile<'_> {
    /// Leaves no half log behind, which would be of no use: removes a file that was made, empties
    /// one that was overwritten, and leaves alone what is not a file. Gives what is said of the
    /// failed write.
    fn clean_up(&self) -> &'static str {
        let Ok(found) = self.file.metadata() else { return "cannot write" };
        if !found.is_file() {
            return "cannot write";
        }
        let identity = |found: &Metadata| (found.dev(), found.ino());
        // If somebody has put another file there meanwhile, it stays.
        let is_there = fs::symlink_metadata(self.path).is_ok_and(|there| identity(&there) == identity(&found));
        if self.is_new && is_there && fs::remove_file(self.path).is_ok() {
            return "cannot write, and the file is removed again";
        }
        match self.file.set_len(0) {
            Ok(()) => "cannot write, and the file is left empty",
            Err(_) => "cannot write, and the file ends within the log",
        }
    }
}

fn new_bar(lines: u64) -> ProgressBar {
    let template = "{bar:30} {human_pos} of {human_len} lines, {eta} left";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(lines), ProgressDrawTarget::stderr()).with_style(style)
}

fn settings(args: &MakeArgs, now: Timestamp) -> Result<LogRecipe> {
    let end = match value("end", Kind::Instant(&["now", "today", "yesterday"]), &args.end)? {
        Value::Instant(Instant::At(moment)) => {
            let end = moment.resolve(&jiff::tz::TimeZone::UTC, now, || Ok(now));
            end.map_err(|message: String| Error::usage(format!("--end {}: {message}", args.end)))?
        }
        _ => now,
    };
    let unit = match args.unit.as_str() {
        "s" => TimeUnit::Seconds,
        "ms" => TimeUnit::Millis,
        "us" => TimeUnit::Micros,
        "ns" => TimeUnit::Nanos,
        other => return Err(Error::usage(format!("--unit {other}: expected one of s, ms, us, ns"))),
    };
    for (name, share, most) in [("skew", args.hosts.skew, 10.0), ("malformed", args.malformed, 1.0)] {
        if !(0.0..=most).contains(&share) {
            return Err(Error::usage(format!("--{name} {share}: expected a number from 0 to {most}")));
        }
    }
    Ok(LogRecipe {
        lines: args.lines.unwrap_or(SAMPLE),
        end,
        span: nanos("span", Kind::Duration, &args.span)?,
        disorder: nanos("disorder", Kind::DurationOrZero, &args.disorder)?,
        seed: args.seed,
        hosts: args.hosts.hosts,
        servers: args.hosts.servers,
        skew: args.hosts.skew,
        malformed: args.malformed,
        unit,
    })
}

/// How many lines make about this many bytes.
fn lines_of_size(settings: &LogRecipe, bytes: u64) -> u64 {
    let mut sample = Vec::new();
    Generator::new(LogRecipe { lines: SAMPLE, ..settings.clone() }).fill(&mut sample, usize::MAX >> 1);
    let lines = u128::from(bytes) * u128::from(SAMPLE) / sample.len().max(1) as u128;
    u64::try_from(lines).unwrap_or(u64::MAX)
}

fn value(option: &str, kind: Kind, text: &str) -> Result<Value> {
    let parsed = kind.parse(&Raw::Text(text.to_owned()));
    parsed.map_err(|expected| Error::usage(format!("--{option} {text}: {expected}")))
}

fn nanos(option: &str, kind: Kind, text: &str) -> Result<i64> {
    match value(option, kind, text)? {
        Value::Nanos(nanos) => Ok(nanos),
        _ => Err(Error::usage(format!("--{option} {text}: not a length of time"))),
    }
}

fn bytes(option: &str, text: &str) -> Result<u64> {
    match value(option, Kind::Bytes(0, u64::MAX), text)? {
        Value::Count(bytes) => Ok(bytes),
        _ => Err(Error::usage(format!("--{option} {text}: not a size"))),
    }
}
