//! The stage types and every key that each understands, in one place.

use crate::options::{Kind, OptionSpec};

/// A type of stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StageType {
    /// Inputs to chunks.
    Reader,
    /// Chunks to lines.
    LineSplitter,
    /// Lines to records.
    TimeFilter,
    /// Records to window results.
    BucketAggregator,
    /// Window results to outputs.
    Reporter,
}

/// What travels on an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// Blocks of bytes, cut at line ends.
    Chunks,
    /// Blocks with their line ends.
    Lines,
    /// Records in the window.
    Records,
    /// Merged windows.
    Results,
}

impl StageType {
    /// All types, in the order of the data.
    pub const ALL: [StageType; 5] = [
        StageType::Reader,
        StageType::LineSplitter,
        StageType::TimeFilter,
        StageType::BucketAggregator,
        StageType::Reporter,
    ];

    /// The name in a configuration.
    pub const fn name(self) -> &'static str {
        match self {
            StageType::Reader => "reader",
            StageType::LineSplitter => "line-splitter",
            StageType::TimeFilter => "time-filter",
            StageType::BucketAggregator => "bucket-aggregator",
            StageType::Reporter => "reporter",
        }
    }

    /// The name of this type's stage in the standard pipeline.
    pub const fn standard_name(self) -> &'static str {
        match self {
            StageType::Reader => "read",
            StageType::LineSplitter => "lines",
            StageType::TimeFilter => "recent",
            StageType::BucketAggregator => "tally",
            StageType::Reporter => "report",
        }
    }

    /// What comes in.
    pub const fn takes(self) -> Option<Item> {
        match self {
            StageType::Reader => None,
            StageType::LineSplitter => Some(Item::Chunks),
            StageType::TimeFilter => Some(Item::Lines),
            StageType::BucketAggregator => Some(Item::Records),
            StageType::Reporter => Some(Item::Results),
        }
    }

    /// What goes out.
    pub const fn gives(self) -> Option<Item> {
        match self {
            StageType::Reader => Some(Item::Chunks),
            StageType::LineSplitter => Some(Item::Lines),
            StageType::TimeFilter => Some(Item::Records),
            StageType::BucketAggregator => Some(Item::Results),
            StageType::Reporter => None,
        }
    }

    /// The keys of this type alone.
    pub const fn own(self) -> &'static [OptionSpec] {
        match self {
            StageType::Reader => READER,
            StageType::LineSplitter => &[],
            StageType::TimeFilter => TIME_FILTER,
            StageType::BucketAggregator => BUCKET_AGGREGATOR,
            StageType::Reporter => REPORTER,
        }
    }

    /// All keys with values that this type understands; `type` and `inputs` shape the graph and are
    /// not among them.
    pub fn keys(self) -> impl Iterator<Item = &'static OptionSpec> {
        let common = if self == StageType::Reader { &COMMON[..1] } else { COMMON };
        common.iter().chain(self.own())
    }

    /// Workers when nothing is said: what parses, counts and reports gets all cores, the rest is
    /// quicker than they are.
    pub const fn default_threads(self, cores: usize) -> usize {
        match self {
            StageType::TimeFilter | StageType::BucketAggregator | StageType::Reporter => cores,
            _ => 1,
        }
    }
}

impl Item {
    /// The name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Item::Chunks => "chunks",
            Item::Lines => "lines",
            Item::Records => "records",
            Item::Results => "window results",
        }
    }

    /// The type of stage that gives it.
    pub fn giver(self) -> &'static str {
        StageType::ALL.into_iter().find(|giver| giver.gives() == Some(self)).map_or("", StageType::name)
    }
}

/// The type of this name.
pub fn stage_type(name: &str) -> Option<StageType> {
    StageType::ALL.into_iter().find(|known| known.name() == name)
}

/// Every key with a value, of all types, each once.
pub fn all_keys() -> impl Iterator<Item = &'static OptionSpec> {
    COMMON.iter().chain(StageType::ALL.into_iter().flat_map(StageType::own))
}

const fn key(name: &'static str, kind: Kind, default: Option<&'static str>, help: &'static str) -> OptionSpec {
    OptionSpec { name, kind, default, required: false, help }
}

/// Sizes of chunks and lines: offsets in a chunk are 32 bits wide.
const SIZES: Kind = Kind::Bytes(16, 1 << 30);

const COMMON: &[OptionSpec] = &[
    key("threads", Kind::Count(1, 256), None, "workers of the stage"),
    key("capacity", Kind::Count(1, 65_536), Some("4"), "batches that may wait in front of the stage"),
];

const READER: &[OptionSpec] = &[
    OptionSpec {
        required: true,
        ..key("location", Kind::Locations, None, "files, folders, globs, or - for standard input")
    },
    key("chunk", SIZES, Some("512KiB"), "bytes that are read at a time"),
    key("max-line", SIZES, Some("64KiB"), "bytes that a line may have; a longer one is counted as malformed"),
    key(
        "scan",
        Kind::Choice(&["auto", "full"]),
        Some("auto"),
        "whether bytes that cannot hold the window may be skipped",
    ),
    key(
        "prune-above",
        Kind::Bytes(0, 1 << 50),
        Some("64MiB"),
        "bytes up to which the files of the reader, taken together, are read whole all the same",
    ),
    key("follow", Kind::Flag, Some("false"), "whether files are followed as they grow, rotate and appear"),
    key("idle", Kind::Duration, Some("30s"), "how long a followed input may be silent and still hold back windows"),
    key(
        "rotate-wait",
        Kind::Duration,
        Some("5s"),
        "how long a renamed or deleted file is read on after its last growth",
    ),
];

const TIME_FILTER: &[OptionSpec] = &[
    key("format", Kind::Text, Some("plain"), "the log format"),
    key("seconds", Kind::Duration, Some("3600"), "length of the window"),
    key(
        "since",
        Kind::Instant(&["now", "latest", "today", "yesterday"]),
        None,
        "start of the window, in place of seconds; with every, of the history",
    ),
    key(
        "until",
        Kind::Instant(&["now", "latest", "today", "yesterday"]),
        None,
        "end of the window (default now); with every, of the history",
    ),
    key("every", Kind::Duration, None, "a result for each window, one every so often"),
    key(
        "align",
        Kind::Instant(&["epoch", "first", "latest", "start", "today", "yesterday"]),
        Some("epoch"),
        "where windows of every start",
    ),
    key(
        "lateness",
        Kind::DurationOrZero,
        Some("5m"),
        "declared disorder: how far a stamp may lie behind the highest before it",
    ),
    key(
        "max-jump",
        Kind::DurationOrZero,
        Some("1h"),
        "how far fewer than 8 stamps may lie ahead of all others and still move time; never less than lateness, 0 for \
         any distance",
    ),
    key(
        "late-updates",
        Kind::DurationOrZero,
        Some("0"),
        "how long behind the declared disorder records still count: results that they change are issued again",
    ),
    key("unit", Kind::Choice(&["auto", "s", "ms", "us", "ns"]), Some("auto"), "unit of the stamps"),
    key("now", Kind::Instant(&["now", "today", "yesterday"]), None, "what is taken for now (default: the clock)"),
    key("timezone", Kind::Text, Some("UTC"), "zone of dates and times that are given without one"),
    key("future", Kind::DurationOrZero, Some("1h"), "how far beyond now a stamp may lie"),
    key("rejects", Kind::Path, None, "file for all malformed lines"),
    key("late-file", Kind::Path, None, "file for all late lines, with every"),
    key(
        "stats",
        Kind::Flag,
        Some("false"),
        "whether to say how far records lie behind others; everything is then read",
    ),
];

const BUCKET_AGGREGATOR: &[OptionSpec] = &[
    key("grouping-seconds", Kind::Duration, Some("1200"), "grain of the aggregation"),
    key(
        "max-gap",
        Kind::Count(0, u64::MAX),
        Some("1000"),
        "so many windows in a row that hold nothing have a result each, more of them one together; 0: always each",
    ),
    key(
        "max-memory",
        Kind::Bytes(1, 1 << 50),
        None,
        "memory of the run, which its aggregators share (default: no limit)",
    ),
    key(
        "memory-policy",
        Kind::Choice(&["overflow", "spill", "error"]),
        Some("overflow"),
        "what happens to pairs beyond max-memory",
    ),
    key(
        "trigger",
        Kind::Choice(&["event", "clock"]),
        Some("event"),
        "when a result comes: when the stamps have passed the window's end, or when the clock has",
    ),
    key("state", Kind::Path, Some("auto"), "folder in which a following run keeps its state, auto or none"),
    key("checkpoint", Kind::Duration, Some("5s"), "time between two savings of the state"),
    key("stop-timeout", Kind::Duration, Some("10s"), "how long a run that is asked to end may take to save the state"),
];

const REPORTER: &[OptionSpec] = &[
    key("reports", Kind::Reports, None, "the reports, in order"),
    key("outputs", Kind::Outputs, None, "where results go"),
    key("limit", Kind::Count(1, u64::MAX), None, "rows of those reports that have a limit and were not given one"),
];
