//! The table of keys: each stands here, with all that is to be said of it, and nowhere else.
//!
//! Not here: what a key is (`key`), and what its value means (`stage`, `window`). Invariant: the
//! order is that of help under each heading, of the pipeline that ships, and of what a saved state
//! depends on, where the order of the keys that it has so far is part of its format.

use super::format_keys;
use super::key::{Argument, Heading, KeySpec, Needs, Takers};
use super::rankings;
use super::stages::StageType::{self, BucketAggregator, LineSplitter, Reader, Reporter, TimeFilter};
use crate::options::{Kind, OptionSpec};

/// Sizes of chunks and lines: offsets in a chunk are 32 bits wide.
const SIZES: Kind = Kind::Bytes(16, 1 << 30);

/// Words of instants that every window may rest on.
const WORDS: &[&str] = &["now", "latest", "today", "yesterday"];

/// Every key with a value; `type` and `inputs` shape the graph and are not among them.
pub const KEYS: &[KeySpec] = &joined();

const fn joined() -> [KeySpec; OWN.len() + format_keys::KEYS.len()] {
    let mut keys = [OWN[0]; OWN.len() + format_keys::KEYS.len()];
    let mut at = 0;
    while at < keys.len() {
        keys[at] = if at < OWN.len() { OWN[at] } else { format_keys::KEYS[at - OWN.len()] };
        at += 1;
    }
    keys
}

/// Those that are no keys of a format.
const OWN: &[KeySpec] = &[
    // What to read.
    KeySpec::new("location", &[Reader], Kind::Locations, "files, folders, globs, or - for standard input")
        .required()
        .in_state()
        .set()
        .example("\"tests/data/*.log\""),
    KeySpec::new(
        "format",
        &[TimeFilter],
        Kind::Text,
        "the log format: auto tells it by how each input begins; plain: a stamp, who connects, and to whom",
    )
    .default("auto")
    .in_state()
    .set()
    .option(
        Argument::new(Takers::Counts, Heading::Reading, "Format of the lines")
            .more("auto tells it by how each input begins; `logparser formats` lists them.")
            .value("FORMAT")
            .everyday(),
    ),
    KeySpec::new(
        "unit",
        &[TimeFilter],
        Kind::Choice(&["auto", "s", "ms", "us", "ns"]),
        "unit of the stamps: auto (each by its digits), s, ms, us, ns",
    )
    .default("auto")
    .in_state()
    .set()
    .option(Argument::new(Takers::Counts, Heading::Reading, "Unit of the stamps: auto, s, ms, us or ns").value("UNIT")),
    // Windows.
    KeySpec::new("seconds", &[TimeFilter], Kind::Duration, "length of the window")
        .default("3600")
        .in_state()
        .set()
        .option(
            Argument::new(Takers::Counts, Heading::Window, "Length of the window")
                .aliases(&["last", "window"])
                .everyday(),
        ),
    KeySpec::new(
        "every",
        &[TimeFilter],
        Kind::Duration,
        "a result for each window, one every so often, through the whole input",
    )
    .in_state()
    .example("\"1h\"")
    .option(
        Argument::new(Takers::Runs, Heading::Repeating, "A result for each window, one every TIME")
            .more("The windows lie over the whole input.")
            .everyday(),
    ),
    KeySpec::new(
        "align",
        &[TimeFilter],
        Kind::Instant(&["epoch", "first", "latest", "start", "today", "yesterday"]),
        "where windows of every start: epoch, first or latest (the lowest or highest stamp), or an instant; \
         following: start too, so that one ends when the run starts",
    )
    .default("epoch")
    .needs(Needs::Every)
    .in_state()
    .option(Argument::new(
        Takers::Runs,
        Heading::Repeating,
        "Where windows of --every start: epoch, first, latest, today, a Unix time or a date",
    )),
    KeySpec::new(
        "lateness",
        &[TimeFilter],
        Kind::DurationOrZero,
        "declared disorder: how far a stamp may lie behind the highest before it",
    )
    .default("5m")
    .in_state()
    .set()
    .option(Argument::new(
        Takers::Counts,
        Heading::Repeating,
        "Declared disorder: how far a stamp may lie behind the highest before it",
    )),
    KeySpec::new(
        "max-jump",
        &[TimeFilter],
        Kind::DurationOrZero,
        "how far fewer than 8 stamps may lie ahead of all others and still move time; never less than lateness, \
         0: any distance",
    )
    .default("1h")
    .needs(Needs::Every)
    .option(Argument::new(
        Takers::Runs,
        Heading::Repeating,
        "With --every: how far fewer than 8 stamps may lie ahead of all others and still close windows; 0: any \
         distance",
    )),
    KeySpec::new(
        "max-gap",
        &[BucketAggregator],
        Kind::Count(0, u64::MAX),
        "with every: more windows in a row that hold nothing are one result; 0: never",
    )
    .default("1000")
    .needs(Needs::Every)
    .option(Argument::new(
        Takers::Runs,
        Heading::Repeating,
        "With --every: more windows in a row that hold nothing are one result; 0: each is its own",
    )),
    KeySpec::new(
        "since",
        &[TimeFilter],
        Kind::Instant(WORDS),
        "start of the window, in place of seconds; with every, start of the history",
    )
    .in_state()
    .example("\"2026-01-31T11:00:00Z\"")
    .option(
        Argument::new(Takers::Counts, Heading::Window, "Start of the window, in place of --seconds")
            .more("As --until. With --every, start of the history.")
            .everyday(),
    ),
    KeySpec::new(
        "until",
        &[TimeFilter],
        Kind::Instant(WORDS),
        "end of the window: now (default), latest (the highest stamp of the input), today or yesterday (0:00), with \
         a length added or not (latest-1h, -2h), or an instant: a number as stamps are, or a date (2026-01-31, \
         2026-01-31 12:00, 2026-01-31T12:00:00Z)",
    )
    .set()
    .example("\"latest\"")
    .option(
        Argument::new(Takers::Counts, Heading::Window, "End of the window: now, latest or an instant")
            .more(
                "Also today and yesterday, and a length may be added: latest-1h, or -2h for now-2h. An instant is a \
                 Unix time, or a date: 2026-01-31, 2026-01-31 12:00, 2026-01-31T12:00:00Z. With --every, end of the \
                 history.",
            )
            .everyday(),
    ),
    KeySpec::new(
        "timezone",
        &[TimeFilter],
        Kind::Text,
        "zone of dates that are given without one: a name (Europe/Berlin) or an offset (+02:00)",
    )
    .default("UTC")
    .option(
        Argument::new(
            Takers::Counts,
            Heading::Window,
            "Zone of dates that are given without one: a name (Europe/Berlin) or an offset (+02:00)",
        )
        .value("ZONE"),
    ),
    KeySpec::new(
        "now",
        &[TimeFilter],
        Kind::Instant(&["now", "today", "yesterday"]),
        "what is taken for now, in place of the clock",
    )
    .example("\"2026-01-31T12:00:00Z\"")
    .option(Argument::new(
        Takers::Counts,
        Heading::Window,
        "What is taken for now, for --until and --future [default: the clock]",
    )),
    KeySpec::new(
        "future",
        &[TimeFilter],
        Kind::DurationOrZero,
        "how far beyond now a stamp may lie before it is counted as future",
    )
    .default("1h")
    .set()
    .option(Argument::new(
        Takers::Counts,
        Heading::Window,
        "How far beyond now a stamp may lie before it is counted as future",
    )),
    KeySpec::new(
        "grouping-seconds",
        &[BucketAggregator],
        Kind::Duration,
        "grain of the aggregation; edges of buckets always fall on edges of windows",
    )
    .default("1200")
    .in_state()
    .set()
    .option(Argument::new(Takers::Counts, Heading::Window, "Grain of the aggregation")),
    rankings::SEEN,
    // Results.
    KeySpec::new("reports", &[Reporter], Kind::Reports, "the reports, in order; `logparser reports` lists them all")
        .set()
        .example(
            "[\n  \"top-servers\",\n  { name = \"connected-to\", host = \"Delta\" },\n  { name = \"connected-from\", \
             host = \"sierra\" },\n  \"timeline\",\n]",
        )
        .option(
            Argument::new(Takers::Reports, Heading::Results, "A report in place of the command's own")
                .long("report")
                .short('r')
                .value("REPORT")
                .more(
                    "NAME[:KEY=VALUE,...], e.g. top-pairs:limit=5. May be given several times; `logparser reports` \
                     lists them.",
                )
                .everyday()
                .not_on_clusters(),
        ),
    KeySpec::new(
        "limit",
        &[Reporter],
        Kind::Count(1, u64::MAX),
        "rows of those reports that have a limit and were not given one",
    )
    .set()
    .example("10")
    .option(Argument::new(Takers::Reports, Heading::Results, "Rows of each ranking").short('n').everyday()),
    rankings::BY,
    rankings::REVERSE,
    rankings::SHARES,
    rankings::HOSTS,
    KeySpec::new(
        "outputs",
        &[Reporter],
        Kind::Outputs,
        "where results go: text, json or csv, each to standard output or e.g. \"json:results.jsonl\", or as a table: \
         { name = \"json\", path = \"results.jsonl\" }",
    )
    .set()
    .example("[\"text\"]")
    .option(
        Argument::new(Takers::Reports, Heading::Results, "Where results go: text, json, csv or json:PATH")
            .long("output")
            .short('o')
            .value("FORMAT[:PATH]")
            .shorthands(&["json", "csv"])
            .more(
                "A PATH that ends in .txt, .json or .csv may stand alone; - is standard output. May be given several \
                 times [default: text].",
            )
            .everyday(),
    ),
    KeySpec::new(
        "rejects",
        &[TimeFilter],
        Kind::Path,
        "file for all malformed lines, with where they stand and why; odd bytes as \\xNN",
    )
    .example("\"malformed.tsv\"")
    .option(Argument::new(Takers::Runs, Heading::Results, "Keep all malformed lines in a file")),
    KeySpec::new("late-file", &[TimeFilter], Kind::Path, "file for all late lines; needs every; odd bytes as \\xNN")
        .needs(Needs::Every)
        .example("\"late.log\"")
        .option(Argument::new(Takers::Runs, Heading::Results, "Keep all late lines in a file (with --every)")),
    KeySpec::new("stats", &[TimeFilter], Kind::Flag, "say how far records lie behind others; everything is then read")
        .default("false")
        .option(Argument::new(
            Takers::Runs,
            Heading::Results,
            "Say how far records lie behind others, to choose --lateness by; everything is then read",
        )),
    // Following.
    KeySpec::new(
        "follow",
        &[Reader],
        Kind::Flag,
        "true: files are followed as they grow and rotate, and new ones found; needs every",
    )
    .default("false")
    .option(
        Argument::new(Takers::Runs, Heading::Following, "Follow the files as they grow and rotate (with --every)")
            .short('f'),
    ),
    KeySpec::new(
        "idle",
        &[Reader],
        Kind::Duration,
        "following: how long an input may be silent and still hold back results",
    )
    .default("30s")
    .needs(Needs::Follow)
    .option(Argument::new(
        Takers::Runs,
        Heading::Following,
        "When following: how long an input may be silent and still hold back results",
    )),
    KeySpec::new(
        "rotate-wait",
        &[Reader],
        Kind::Duration,
        "following: how long a renamed or deleted file is read on after its last growth",
    )
    .default("5s")
    .needs(Needs::Follow),
    KeySpec::new(
        "trigger",
        &[BucketAggregator],
        Kind::Choice(&["event", "clock"]),
        "following: results come when stamps have passed a window (event), or when the clock has (clock)",
    )
    .default("event")
    .needs(Needs::Follow)
    .option(
        Argument::new(
            Takers::Runs,
            Heading::Following,
            "When following, a result comes when the stamps have passed its window (event), or provisionally when \
             the clock has (clock)",
        )
        .value("WHAT"),
    ),
    KeySpec::new(
        "late-updates",
        &[TimeFilter],
        Kind::DurationOrZero,
        "following: records that come so much later still count, and results are issued again",
    )
    .default("0")
    .needs(Needs::Follow)
    .in_state()
    .option(Argument::new(
        Takers::Runs,
        Heading::Following,
        "When following, results that records change which come up to TIME behind the declared disorder are issued \
         again",
    )),
    KeySpec::new(
        "state",
        &[BucketAggregator],
        Kind::Path,
        "following: folder in which the state is kept, auto or none",
    )
    .default("auto")
    .needs(Needs::Follow)
    .option(
        Argument::new(
            Takers::Runs,
            Heading::Following,
            "When following, the folder in which the state is kept, auto or none",
        )
        .value("DIR"),
    ),
    KeySpec::new("checkpoint", &[BucketAggregator], Kind::Duration, "following: time between two savings of the state")
        .default("5s")
        .needs(Needs::Follow)
        .option(Argument::new(
            Takers::Runs,
            Heading::Following,
            "When following, time between two savings of the state",
        )),
    KeySpec::new(
        "stop-timeout",
        &[BucketAggregator],
        Kind::Duration,
        "following: how long a run that is asked to end may take to count and to save",
    )
    .default("10s")
    .needs(Needs::Follow)
    .option(Argument::new(
        Takers::Runs,
        Heading::Following,
        "When following, how long a run that is asked to end may take to count what it has read and to save the state",
    )),
    // Limits.
    KeySpec::new(
        "threads",
        &[Reader, LineSplitter, TimeFilter, BucketAggregator, Reporter],
        Kind::Count(1, 256),
        "workers of this stage; of a reader: inputs that are read at the same time",
    )
    .option(Argument::new(Takers::All, Heading::Limits, "Threads of each stage")),
    KeySpec::new(
        "capacity",
        &[LineSplitter, TimeFilter, BucketAggregator, Reporter],
        Kind::Count(1, 65_536),
        "batches that may wait in front of this stage, unless it is chained",
    )
    .default("4")
    .set(),
    KeySpec::new(
        "chain",
        &[LineSplitter, TimeFilter, BucketAggregator],
        Kind::Flag,
        "whether one set of workers may run this stage and the one before it, where the two stand in a line and have \
         as many threads",
    )
    .default("true"),
    KeySpec::new("chunk", &[Reader], SIZES, "bytes that are read at a time").default("512KiB").set(),
    KeySpec::new("max-line", &[Reader], SIZES, "bytes that a line may have; a longer one is counted as malformed")
        .default("64KiB")
        .in_state()
        .set(),
    KeySpec::new(
        "max-memory",
        &[BucketAggregator],
        Kind::Bytes(1, 1 << 50),
        "memory of the run, which its aggregators share; default: no limit",
    )
    .example("\"256MiB\"")
    .option(Argument::new(
        Takers::All,
        Heading::Limits,
        "Memory that the run may take, e.g. 256MiB [default: no limit]",
    )),
    KeySpec::new(
        "memory-policy",
        &[BucketAggregator],
        Kind::Choice(&["overflow", "spill", "error"]),
        "pairs beyond max-memory: overflow (counted together), spill (to disk, exact) or error",
    )
    .default("overflow")
    .needs(Needs::MaxMemory)
    .option(
        Argument::new(
            Takers::Counts,
            Heading::Limits,
            "What happens to pairs beyond --max-memory: overflow (counted together), spill (to disk) or error",
        )
        .value("POLICY"),
    ),
    KeySpec::new(
        "scan",
        &[Reader],
        Kind::Choice(&["auto", "full"]),
        "auto: bytes that cannot hold the window may be skipped; full: all are read",
    )
    .default("auto")
    .set()
    .option(Argument::new(Takers::Counts, Heading::Limits, "How much to read: auto or full").value("SCAN")),
    KeySpec::new(
        "prune-above",
        &[Reader],
        Kind::Bytes(0, 1 << 50),
        "all files of the reader are read whole that together are no larger than this",
    )
    .default("64MiB")
    .set()
    .option(Argument::new(
        Takers::Counts,
        Heading::Limits,
        "Size of all files together up to which they are read whole, as there is no time to gain",
    )),
];

/// Every key with a value, of all types of stages, each once.
pub fn all_keys() -> impl Iterator<Item = &'static OptionSpec> {
    KEYS.iter().map(|key| &key.spec)
}

impl StageType {
    /// Its keys.
    pub fn table(self) -> impl Iterator<Item = &'static KeySpec> {
        KEYS.iter().filter(move |key| key.stages.contains(&self))
    }

    /// The values of its keys.
    pub fn keys(self) -> impl Iterator<Item = &'static OptionSpec> {
        self.table().map(|key| &key.spec)
    }
}
