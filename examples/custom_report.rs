//! A report function of one's own, added to the pipeline and run.
//!
//! `cargo run --example custom_report -- LOCATION`; without a location, the logs that ship with the
//! repository.

use logparser::{Aggregates, Cell, Column, Error, Pipeline, Report, ReportContext, Result, Side, Timestamp, Top};

/// The busiest source and the busiest server, side by side.
fn busiest(context: &ReportContext<'_>, view: &Aggregates, _until: Timestamp) -> Result<Report> {
    let most = |side| -> Result<_> {
        // Hosts come in no order: `Top` puts those that it keeps in order, by count and then by
        // name.
        let mut best = Top::new(1);
        context.for_each_host(view, side, |total| best.offer(total.connections, || total.host.bytes().to_vec()))?;
        Ok(best.into_sorted().pop().map(|(_, name)| Cell::Host(name)))
    };
    let (Some(source), Some(server)) = (most(Side::From)?, most(Side::To)?) else {
        return Err(Error::report(context.name, "the window is empty"));
    };
    let columns = [Column::host("source"), Column::host("server")];
    Ok(Report::table("The busiest on either side", columns, vec![vec![source, server]]))
}

fn main() -> Result<()> {
    let location = std::env::args().nth(1).unwrap_or_else(|| "tests/data/*.log".to_owned());
    let summary = Pipeline::builder()
        .report("busiest", busiest)
        .set("reports", "[\"busiest\"]")
        .set("location", &location)
        .set("until", "latest")
        .build()?
        .run()?;
    match summary.error() {
        Some(error) => Err(Error::usage(error.to_string())),
        None => Ok(()),
    }
}
