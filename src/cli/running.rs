//! Runs a pipeline for somebody who waits for it: signals, progress, the view on a terminal, and
//! how it went.
//!
//! Not here: what is asked (`building`, `jobs`), and the words in which it is said (`show`).

use std::io::{self, IsTerminal};
use std::sync::Arc;

use super::args::{ColorWhen, Common};
#[cfg(feature = "live")]
use super::live;
use super::loss::{self, Asked, Told};
use super::standing::Waits;
use super::streams::is_watched;
#[cfg(feature = "live")]
use super::streams::print;
use super::{allocator, show, slips, tty, watch};
#[cfg(feature = "live")]
use crate::error::Error;
use crate::error::Result;
use crate::output::Style;
#[cfg(feature = "live")]
use crate::output::target::LastResult;
use crate::pipeline::{Builder, Pipeline, Summary};

/// Runs a pipeline and says how it went.
pub fn run(builder: Builder, common: &Common) -> Result<u8> {
    run_on(builder, common, &[])
}

/// The same, of the words of a command line without a command.
pub fn run_on(builder: Builder, common: &Common, words: &[&str]) -> Result<u8> {
    #[cfg(feature = "live")]
    if common.live {
        return run_live(builder, common);
    }
    let (interrupted, reopen) = (Arc::default(), Arc::default());
    let mut builder = builder
        .interrupt(Arc::clone(&interrupted))
        .reopen(Arc::clone(&reopen))
        .style(style(common.talk.color))
        .on_failure(show::error)
        .on_warning(show::warning);
    if common.talk.quiet == 0 {
        builder = builder.on_note(show::note);
    }
    let draws = tty::draws(&io::stderr()) && common.talk.quiet == 0;
    let mut progress = draws.then(watch::ProgressLine::new);
    if let Some(progress) = progress.as_ref().filter(|_| io::stdout().is_terminal()) {
        builder = builder.stdout(progress.stdout());
    }
    let pipeline = builder.build()?;
    let follows = pipeline.plan().follows();
    if let Some(progress) = progress.as_mut().filter(|_| !follows) {
        progress.list(pipeline.folders());
    }
    let pipeline = found(pipeline)?;
    // Until there is something to process, a signal ends the program like any other.
    watch::drain_on_signals(&interrupted)?;
    if follows {
        watch::outlive_signals(&reopen)?;
    }
    let greeting = (follows && common.talk.quiet == 0 && is_watched()).then(|| show::following(pipeline.plan()));
    let (has_text, asked) = (show::writes_text(pipeline.plan()), Asked::of(pipeline.plan()));
    let waits = (common.talk.quiet == 0).then(|| Waits::of(pipeline.plan()));
    let running = pipeline.start()?;
    // What has no end has no share that is done.
    if let Some(greeting) = greeting {
        show::note(&greeting);
    }
    if let Some(progress) = progress.as_mut().filter(|_| !follows) {
        progress.start(running.progress());
    }
    let losses =
        (follows && common.talk.quiet < 2).then(|| watch::Losses::tell(running.sheets(), asked.clone(), waits));
    let mut summary = running.join();
    let is_foreign_said = losses.as_ref().is_some_and(watch::Losses::have_said_foreign);
    let told = losses.map(watch::Losses::end).unwrap_or_default();
    drop(progress);
    slips::misplaced(words, &mut summary.hints);
    Ok(said(&summary, common, has_text, &asked, (&told, is_foreign_said)))
}

/// Finds the inputs of a pipeline that is about to start. With a limit of memory, what is freed from
/// then on goes back to the system.
pub fn found(pipeline: Pipeline) -> Result<Pipeline> {
    let pipeline = pipeline.locate()?;
    if pipeline.plan().max_memory().is_some() {
        allocator::return_what_is_freed();
    }
    Ok(pipeline)
}

/// Says how a run went, of which some was told while it went on; the exit code.
fn said(
    summary: &Summary,
    common: &Common,
    has_text: bool,
    asked: &Asked,
    (told, is_foreign_said): (&Told, bool),
) -> u8 {
    if let Some(error) = summary.error() {
        show::error(error);
    }
    if common.talk.quiet == 0 {
        show::summary(summary, has_text);
    }
    show::losses(summary, asked, told, common.talk.quiet);
    show::foreign(summary.foreign().filter(|_| !is_foreign_said));
    show::strangers(summary, common.talk.quiet);
    show::stamps(summary);
    loss::exit_code(summary, common.strict)
}

/// Runs a pipeline, shows it on the terminal meanwhile, and says how it went.
#[cfg(feature = "live")]
fn run_live(builder: Builder, common: &Common) -> Result<u8> {
    live::require_terminal()?;
    let interrupted = Arc::default();
    let builder = builder.interrupt(Arc::clone(&interrupted)).style(style(common.talk.color));
    let last = LastResult::default();
    let pipeline = found(live::prepare(builder, Arc::clone(&last)).build()?)?;
    live::interrupt_on_signals(&interrupted)?;
    if pipeline.plan().reads_stdin() && io::stdin().is_terminal() {
        return Err(Error::usage("--live takes its keys from the terminal; name a file to read, or pipe a log in"));
    }
    let (has_text, asked) = (show::writes_text(pipeline.plan()), Asked::of(pipeline.plan()));
    let running = pipeline.start()?;
    let viewed = live::run(&live::WatchedRun::new(&running, &interrupted), &interrupted);
    // However the view was left, nobody waits for more.
    running.drain();
    let summary = Summary { interrupted: false, ..running.join() };
    // What was last to be seen stays when the view is gone. Where the terminal is gone too, there
    // is nobody to read it.
    let _ = print(&String::from_utf8_lossy(&last.lock()));
    summary.failures.iter().for_each(show::error);
    summary.warnings.iter().for_each(|text| show::warning(text));
    let code = said(&summary, common, has_text, &asked, (&Told::default(), false));
    viewed.map(|()| code)
}

pub fn style(when: ColorWhen) -> Style {
    let color = match when {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => tty::shows_color(&io::stdout()),
    };
    Style { color, ..Style::default() }
}
