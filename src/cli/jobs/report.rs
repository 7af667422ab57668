//! Reports on tallies files as on the logs that they were made of.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use crate::cli::building::{asking, configured_or_standard, located, three_questions, with_overrides, with_settings};
use crate::cli::commands::tallies::ReportArgs;
use crate::cli::loss::{self, Asked, Told};
use crate::cli::running::style;
use crate::cli::show;
use crate::cli::tallies::{Shown, opened};
use crate::error::{Error, Result};
use crate::model::location::Location;

/// Reports on files. The exit code.
pub fn report(args: &ReportArgs) -> Result<u8> {
    let (files, hosts) = files_and_hosts(&args.words)?;
    let builder = with_settings(configured_or_standard(args.config.as_deref())?, &args.settings)?;
    // The logs are not needed any more.
    let mut builder = located(builder, &[Location::Stdin.to_string()])?.style(style(args.talk.color));
    if let Some([from, to]) = &hosts {
        builder = asking(builder, &three_questions(from, to));
    }
    let mut builder = with_overrides(builder, args.keys.overrides()?);
    let mut shown = Shown::new(args.talk.quiet > 0);
    if let Some(stdout) = shown.stdout().filter(|_| io::stdout().is_terminal()) {
        builder = builder.stdout(stdout);
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

/// The files, and the two hosts behind them if there are any: words that do not name a file.
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
