//! A made log to a file or to standard output.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Args, Generator, Settings};
use crate::error::{Error, Result, show_path};
use crate::model::{TimeUnit, Timestamp};
use crate::options::{Instant, Kind, Raw, Value};

/// Bytes that are made at a time.
const BLOCK: usize = 1 << 20;

/// Bytes of a line, for turning a size into a number of lines, are measured over so many lines.
const SAMPLE: u64 = 10_000;

/// What was made.
#[derive(Debug)]
pub struct Summary {
    /// Where.
    pub target: String,
    /// How many lines and bytes; `None` if whoever read them left before the end.
    pub written: Option<(u64, u64)>,
    /// The lowest and the highest stamp, in the unit of the stamps.
    pub extent: Option<(i64, i64)>,
    /// The seed.
    pub seed: u64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((lines, bytes)) = self.written else { return write!(f, "{}: closed by its reader", self.target) };
        write!(f, "{}: {lines} lines, {bytes} bytes, seed {}", self.target, self.seed)?;
        match self.extent {
            Some((lowest, highest)) => write!(f, ", stamps from {lowest} to {highest}"),
            None => Ok(()),
        }
    }
}

/// Makes a log. Errors with what is wrong with the arguments, or with the file.
pub fn run(args: &Args, now: Timestamp) -> Result<Summary> {
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
    let summary = |written| Summary { target: target.clone(), written, extent: generator.extent(), seed: args.seed };
    match written {
        Ok(()) => Ok(summary(Some((lines, bytes)))),
        // Whoever read it has had enough.
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
struct Made<'a> {
    path: &'a Path,
    file: File,
    /// Whether it was not there before.
    is_new: bool,
}

fn create(path: &Path, force: bool) -> Result<Made<'_>> {
    let made = File::options().write(true).create_new(true).open(path).map(|file| Made { path, file, is_new: true });
    let made = match made {
        Err(error) if force && error.kind() == io::ErrorKind::AlreadyExists => {
            // A link to what is not there leads to a new file.
            let open = File::options().write(true).create(true).truncate(true).open(path);
            open.map(|file| Made { path, file, is_new: false })
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

impl Made<'_> {
    /// Leaves no half log behind, which is of no use: removes a file that was made, empties one
    /// that was overwritten, and lets alone what is no file. What is then said of the write.
    fn clean_up(&self) -> &'static str {
        let Ok(found) = self.file.metadata() else { return "cannot write" };
        if !found.is_file() {
            return "cannot write";
        }
        let identity = |found: &Metadata| (found.dev(), found.ino());
        // Whoever has put another file there meanwhile keeps it.
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

fn settings(args: &Args, now: Timestamp) -> Result<Settings> {
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
    for (name, share, most) in [("skew", args.skew, 10.0), ("malformed", args.malformed, 1.0)] {
        if !(0.0..=most).contains(&share) {
            return Err(Error::usage(format!("--{name} {share}: expected a number from 0 to {most}")));
        }
    }
    Ok(Settings {
        lines: args.lines.unwrap_or(SAMPLE),
        end,
        span: nanos("span", Kind::Duration, &args.span)?,
        disorder: nanos("disorder", Kind::DurationOrZero, &args.disorder)?,
        seed: args.seed,
        hosts: args.hosts,
        servers: args.servers,
        skew: args.skew,
        malformed: args.malformed,
        unit,
    })
}

/// The lines that make about so many bytes.
fn lines_of_size(settings: &Settings, bytes: u64) -> u64 {
    let mut sample = Vec::new();
    Generator::new(Settings { lines: SAMPLE, ..settings.clone() }).fill(&mut sample, usize::MAX >> 1);
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
