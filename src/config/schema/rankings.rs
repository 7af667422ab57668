//! Keys of how rows are ranked and shown: options of the reports that have them, the names of hosts,
//! which all have, and the times that are kept for them.
//!
//! Not here: what the reports make of them. They stand in the table of all keys (`keys`).

use super::key::{Argument, Heading, KeySpec, Takers};
use super::stages::StageType::{BucketAggregator, Reporter};
use crate::options::Kind;

/// What is ranked by.
pub(super) const BY: KeySpec =
    KeySpec::new("by", &[Reporter], Kind::Text, "what rankings are by: connections, or a measure that is summed")
        .example("\"bytes\"")
        .option(
            Argument::new(Takers::Reports, Heading::Results, "Rank by a measure that is summed (--sum), e.g. bytes")
                .value("MEASURE"),
        );

/// The lowest first.
pub(super) const REVERSE: KeySpec =
    KeySpec::new("reverse", &[Reporter], Kind::Flag, "rankings: the lowest counts first; ties by name all the same")
        .default("false")
        .option(Argument::new(Takers::Reports, Heading::Results, "The lowest counts of rankings first"));

/// Shares in per cent.
pub(super) const SHARES: KeySpec = KeySpec::new(
    "shares",
    &[Reporter],
    Kind::Flag,
    "rankings by connections or a measure: also each row's share of the whole, and that of all rows up to it, in per cent",
)
.default("false")
.option(Argument::new(Takers::Reports, Heading::Results, "Shares in per cent in rankings"));

/// Names of hosts.
pub(super) const HOSTS: KeySpec = KeySpec::new(
    "hosts",
    &[Reporter],
    Kind::File,
    "file that gives addresses in results their names: lines of ADDRESS NAME [ALIAS...], as in hosts(5)",
)
.example("\"/etc/hosts\"")
.option(
    Argument::new(Takers::Reports, Heading::Results, "Names of addresses in results: a file of lines as in hosts(5)")
        .more(
            "ADDRESS NAME [ALIAS...], # begins a comment. Counts and the order of rows stay as they are. A question about a host \
             takes a name or an alias, too.",
        ),
);

/// When pairs were first and last seen.
pub(super) const SEEN: KeySpec = KeySpec::new(
    "seen",
    &[BucketAggregator],
    Kind::Flag,
    "keep when each pair was first and last seen, for the reports",
)
.default("false")
.in_state()
.option(Argument::new(Takers::Counts, Heading::Reading, "Show when each host or pair was first and last seen"));
