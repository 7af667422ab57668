//! Counts all of some inputs, or a part of one, into a tallies file.

use std::sync::Arc;

use crate::cli::commands::tallies::PartialArgs;
use crate::cli::loss::{Asked, Told};
use crate::cli::running::found;
use crate::cli::schema;
use crate::cli::tallies::{Shown, builder, head, same_build, target};
use crate::cli::{show, watch};
use crate::error::{Error, Result};
use crate::model::{Extent, Timestamp};
use crate::output::save::save;
use crate::pipeline::{ByteRange, PartialRequest, Passed};

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
            let passed = args.planned.skip.iter().map(|text| {
                passed(text).ok_or_else(|| not_understood("--skip", text, "FROM..TO[@LOWEST..HIGHEST/DISORDER]"))
            });
            let passed = passed.collect::<Result<Vec<_>>>()?;
            let head = args.planned.head.as_ref().map(|text| {
                head(text).ok_or_else(|| not_understood("--head", text, "BYTES:HASH, e.g. 3:44bc2cf5ad770999"))
            });
            let (size, unterminated) = (args.planned.size, args.planned.unterminated);
            let schema = args.planned.schema.as_deref().map(schema::read).transpose()?;
            let (head, note_order) = (head.transpose()?, args.order);
            Some(ByteRange { from, to, size, unterminated, head, schema, passed, note_order })
        }
    };
    let interrupted = Arc::default();
    let builder = builder(&args.source, &args.location)?.count_previous(args.previous);
    let pipeline = found(builder.interrupt(Arc::clone(&interrupted)).build()?.writes(target))?;
    watch::drain_on_signals(&interrupted)?;
    let request = PartialRequest { range, label: args.label.clone() };
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
    // Other parts may have records though this one has none.
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
            // No stamp lies further behind another than the lowest behind the highest.
            let span = i128::from(extent.highest.nanos()) - i128::from(extent.lowest.nanos());
            if !(0..=span).contains(&i128::from(extent.disorder)) {
                return None;
            }
            Some(extent)
        }
    };
    Some(Passed { from, to: to.filter(|to| from <= *to)?, extent })
}

fn not_understood(option: &str, text: &str, expected: &str) -> Error {
    Error::usage(format!("{option} {text}: expected {expected}"))
}
