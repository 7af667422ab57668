//! Questions: the positional form and the short commands, each as the standard pipeline with a few keys set.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::args::{ColorWhen, Common, Positional, toml_list, toml_text};
#[cfg(feature = "live")]
use super::live;
use super::{allocator, is_watched, show, watch, with_common};
use crate::error::{Error, ErrorKind, Place, Problem, Result};
use crate::options::{Kind, Raw, Value};
use crate::output::Style;
use crate::pipeline::{Builder, Pipeline, Summary};

/// How often a wait looks up whether it was interrupted.
const LOOK_UP: Duration = Duration::from_millis(50);

/// The form that the tool has always had.
pub fn positional(args: &Positional) -> Result<u8> {
    let sleep = sleep_time(&args.sleep_seconds)?;
    if args.tail && args.location == "-" {
        return Err(Error::usage("--tail reads its files again and again; standard input can be read once only"));
    }
    if args.tail && args.common.is_live() {
        return Err(Error::usage("--live shows one run; leave out --tail"));
    }
    let reports = format!(
        "[{{ name = \"top-servers\", limit = 1 }}, {{ name = \"connected-to\", host = {} }}, \
         {{ name = \"connected-from\", host = {} }}]",
        toml_text(&args.host_to),
        toml_text(&args.host_from)
    );
    let builder = || asked(&reports, std::slice::from_ref(&args.location), &args.common);
    if !args.tail {
        return run(builder(), &args.common);
    }
    let interrupted = watch::interrupt_flag()?;
    let mut code = run_until(builder(), &args.common, &interrupted)?;
    while wait(sleep, &interrupted) {
        // Once it has worked, what goes wrong in one round may be better in the next.
        code = run_until(builder(), &args.common, &interrupted).unwrap_or_else(|error| {
            show::error(&error);
            error.exit_code()
        });
    }
    Ok(code)
}

/// A question about one host.
pub fn about(report: &str, host: &str, location: Vec<String>, common: &Common) -> Result<u8> {
    question(&format!("[{{ name = \"{report}\", host = {} }}]", toml_text(host)), location, common)
}

/// A question, as a list of reports in TOML.
pub fn question(reports: &str, location: Vec<String>, common: &Common) -> Result<u8> {
    let location = or_piped(location)?;
    run(asked(reports, &location, common), common)
}

/// The locations, or standard input where there are none and something is piped in.
pub fn or_piped(location: Vec<String>) -> Result<Vec<String>> {
    match location.is_empty() {
        false => Ok(location),
        true if io::stdin().is_terminal() => Err(Error::usage("name a file, folder or glob to read, or pipe a log in")),
        true => Ok(vec!["-".to_owned()]),
    }
}

/// A builder that reads these locations, if there are any, in place of those that it has.
pub fn located(builder: Builder, location: &[String]) -> Builder {
    match location {
        [] => builder,
        _ => builder.set_at("location", &toml_list(location), Place::Argument("the command line".into())),
    }
}

fn asked(reports: &str, location: &[String], common: &Common) -> Builder {
    let place = Place::Argument("the command line".into());
    with_common(located(Pipeline::builder(), location).set_at("reports", reports, place), common)
}

/// Runs a pipeline and says how it went.
pub fn run(builder: Builder, common: &Common) -> Result<u8> {
    #[cfg(feature = "live")]
    if common.live {
        return run_live(builder, common);
    }
    let interrupted = watch::interrupt_flag()?;
    run_until(builder, common, &interrupted)
}

fn run_until(builder: Builder, common: &Common, interrupted: &Arc<AtomicBool>) -> Result<u8> {
    let mut builder = builder
        .interrupt(Arc::clone(interrupted))
        .style(style(common.color))
        .on_failure(show::error)
        .on_warning(show::warning);
    let mut progress = (is_watched() && !common.quiet).then(watch::Progress::new);
    if let Some(progress) = progress.as_ref().filter(|_| io::stdout().is_terminal()) {
        builder = builder.stdout(progress.stdout());
    }
    let pipeline = builder.build()?;
    if pipeline.plan().max_memory().is_some() {
        allocator::return_large_blocks();
    }
    let has_text = show::writes_text(pipeline.plan());
    let running = pipeline.start()?;
    if let Some(progress) = &mut progress {
        progress.start(running.progress());
    }
    let summary = running.join();
    drop(progress);
    Ok(said(&summary, common, has_text))
}

/// Says how a run went; the exit code.
fn said(summary: &Summary, common: &Common, has_text: bool) -> u8 {
    if let Some(error) = summary.error() {
        show::error(error);
    }
    if !common.quiet {
        show::summary(summary, has_text);
    }
    show::disorder(summary);
    summary.exit_code()
}

/// Runs a pipeline, shows it on the terminal meanwhile, and says how it went.
#[cfg(feature = "live")]
fn run_live(builder: Builder, common: &Common) -> Result<u8> {
    live::require_terminal()?;
    let interrupted = live::interrupt_flag()?;
    let builder = builder.interrupt(Arc::clone(&interrupted)).style(style(common.color));
    let pipeline = live::prepare(builder).build()?;
    if pipeline.plan().reads_stdin() && io::stdin().is_terminal() {
        return Err(Error::usage("--live takes its keys from the terminal; name a file to read, or pipe a log in"));
    }
    if pipeline.plan().max_memory().is_some() {
        allocator::return_large_blocks();
    }
    let has_text = show::writes_text(pipeline.plan());
    let running = pipeline.start()?;
    let viewed = live::run(&live::WatchedRun::new(&running, &interrupted), &interrupted);
    // Nobody waits for more, however the view was left.
    running.drain();
    let summary = Summary { interrupted: false, ..running.join() };
    summary.failures.iter().for_each(show::error);
    summary.warnings.iter().for_each(|text| show::warning(text));
    let code = said(&summary, common, has_text);
    viewed.map(|()| code)
}

fn style(when: ColorWhen) -> Style {
    let color = match when {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty()),
    };
    Style { color }
}

fn sleep_time(text: &str) -> Result<Duration> {
    match Kind::Duration.parse(&Raw::Text(text.to_owned())) {
        Ok(Value::Nanos(nanos)) => Ok(Duration::from_nanos(nanos.unsigned_abs())),
        Ok(_) => Err(Error::usage("--sleep-seconds: not a length of time")),
        Err(message) => {
            let place = Place::Argument(format!("--sleep-seconds {text}"));
            Err(ErrorKind::Config(vec![Problem { place, key: String::new(), message, help: None }]).into())
        }
    }
}

/// Waits; whether the whole time has passed without an interrupt.
fn wait(time: Duration, interrupted: &AtomicBool) -> bool {
    let end = Instant::now() + time;
    while !interrupted.load(Ordering::Relaxed) {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        thread::sleep(left.min(LOOK_UP));
    }
    false
}
