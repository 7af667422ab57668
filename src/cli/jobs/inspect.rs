//! What is in tallies files, as JSON.

use std::path::Path;

use serde_json::json;

use crate::cli::commands::tallies::InspectArgs;
use crate::cli::show::{self, no_json};
use crate::cli::streams::emit;
use crate::cli::tallies::{opened, spared, value};
use crate::error::{Error, Result, show_path};
use crate::model::MeasureTotal;
use crate::output::json::{balance, window};
use crate::pipeline::spare_log;
use crate::tallies::Share;

/// Prints what is in each file, a line of JSON each. The exit code.
pub fn inspect(args: &InspectArgs) -> Result<u8> {
    let places = args.output.places()?;
    let spared = spared(&args.files);
    places.iter().try_for_each(|place| spared.refuse(*place).and_then(|()| spare_log(*place)))?;
    let text: String = args.files.iter().map(|path| inspected(path)).collect::<Result<_>>()?;
    emit(&text, &places)
}

fn inspected(path: &Path) -> Result<String> {
    let file = opened(&[path.to_owned()])?;
    let totals = file.for_each::<Error>(&mut |_, _, _, _| Ok(()))?;
    let header = file.header();
    let ranges = |share: &Share, skipped: bool| -> Vec<[u64; 2]> {
        share.pieces.iter().filter(|piece| piece.skipped == skipped).map(|piece| [piece.from, piece.to]).collect()
    };
    let inputs = header.inputs.iter().map(|share| {
        let (read, skipped) = (ranges(share, false), ranges(share, true));
        json!({ "name": share.printable(), "size": share.size, "read": read, "skipped": skipped })
    });
    let sheet = header.balance();
    let mut balance = value(&balance(&sheet))?;
    balance["bytes_unread"] = json!(sheet.bytes_unread);
    let lateness = header.question.lateness;
    let measures = MeasureTotal::all(header.measures(), &header.measured());
    let measures = measures.iter().map(|it| json!({ "name": it.name, "sum": it.sum, "missing": it.missing }));
    let mut facts = json!({
        "schema": "logparser-tallies/1",
        "format": header.format(),
        "file": show_path(path),
        "version": env!("CARGO_PKG_VERSION"),
        "build": header.made.as_ref().map(|made| &made.build),
        "window": value(&window(header.question.window()).map_err(no_json)?)?,
        "grouping_seconds": header.question.grouping as f64 / 1e9,
        "previous": header.question.previous,
        "inputs": inputs.collect::<Vec<_>>(),
        "pairs": totals.pairs[0],
        "connections": header.connections(),
        "overflow": header.overflow,
        "balance": balance,
        "sorted": header.inputs.iter().all(|share| share.unsorted(lateness).is_none()),
    });
    // What no file of an earlier format has is said only where it is there.
    if let Some(numbers) = &header.numbers {
        facts["measures"] = measures.collect();
        facts["weighted"] = json!(numbers.is_weighted);
    }
    show::json(&facts)
}
