//! Report functions: all of one signature, one a file, in one table.
//!
//! To add one: write its file beside the others, and add its line to `TABLE`. Not here: printing. A
//! report function turns the merged view of a window into plain data, and nothing else.

mod absent;
mod connected;
mod context;
mod endpoint;
mod entry;
mod fan;
mod gone_pairs;
mod hosts;
mod matrix;
mod measures;
mod movers;
mod new_pairs;
mod pairs;
mod peers;
mod ranking;
mod scans;
mod service;
mod services;
mod shares;
mod spelled;
mod talkers;
mod timeline;
mod top;
mod totals;

pub use absent::Search;
pub use connected::together;
pub use context::ReportContext;
pub use entry::{ReportEntry, ReportFn, ReportMaker};
pub use hosts::{HostNames, LARGEST as LARGEST_HOSTS};
pub use ranking::Top;
pub use spelled::{Spelled, parts_of};

/// All report functions, in the order in which they are listed.
pub const TABLE: &[ReportEntry] = &[
    top::SERVERS,
    top::SOURCES,
    pairs::ENTRY,
    connected::TO,
    connected::FROM,
    fan::IN,
    fan::OUT,
    timeline::ENTRY,
    matrix::ENTRY,
    new_pairs::ENTRY,
    gone_pairs::ENTRY,
    movers::RISERS,
    movers::FALLERS,
    totals::ENTRY,
    talkers::ENTRY,
    services::ENTRY,
    scans::ENTRY,
    peers::ENTRY,
];

/// The report function of this name.
pub fn entry(name: &str) -> Option<&'static ReportEntry> {
    TABLE.iter().find(|entry| entry.name == name)
}

#[cfg(test)]
mod laws;
