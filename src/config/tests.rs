//! Wrong configurations with what is said of them, and right ones with what they mean.

use std::num::NonZeroUsize;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::error::{Error, ErrorKind, Place};
use crate::model::time::SECOND;
use crate::model::{Moment, Timestamp};

pub(super) fn catalog() -> Catalog {
    Catalog {
        reports: crate::report::TABLE.to_vec(),
        outputs: crate::output::TABLE,
        reads: |location| location.scheme().is_none(),
    }
}

pub(super) fn machine() -> Machine {
    Machine { cores: cores(), memory: || None }
}

fn cores() -> NonZeroUsize {
    NonZeroUsize::new(4).unwrap()
}

pub(super) fn problems(written: &Written) -> Vec<String> {
    check(written, &catalog(), &machine()).err().map_or_else(Vec::new, |error| problems_of(&error))
}

pub(super) fn problems_of(error: &Error) -> Vec<String> {
    match error.kind() {
        ErrorKind::Config(problems) => problems.iter().map(ToString::to_string).collect(),
        other => vec![other.to_string()],
    }
}

pub(super) fn plan(text: &str) -> Plan {
    check(&Written::from_text("p.toml", text), &catalog(), &machine()).unwrap()
}

/// Stages that are right, for a case to add one that is wrong. Their types stand in one line each.
const RIGHT: &str = "\
stages.r = { type = \"reader\", location = \"x\" }
stages.l = { type = \"line-splitter\", inputs = [\"r\"] }
stages.f = { type = \"time-filter\", inputs = [\"l\"] }
stages.a = { type = \"bucket-aggregator\", inputs = [\"f\"] }
stages.o = { type = \"reporter\", inputs = [\"a\"] }
";

/// A wrong configuration that names no stages, and what is said of it.
const WRONG_KEYS: &[(&str, &[&str])] = &[
    ("", &["p.toml:1:1: stages.read.location: is missing; give it: files, folders, globs, or - for standard input"]),
    ("location = 'x'\nsecnds = 5", &["p.toml:2:1: secnds: unknown key; did you mean 'seconds'?"]),
    ("location = 'x'\nzzzzz = 5", &["p.toml:2:1: zzzzz: unknown key"]),
    (
        "location = 'x'\nseconds = 'soon'",
        &[
            "p.toml:2:11: seconds: expected a length of time above 0: a number of seconds, or e.g. 90s, 5m, 1h30m, 2d, not 'soon'",
        ],
    ),
    (
        "location = 'x'\nseconds = 0",
        &[
            "p.toml:2:11: seconds: expected a length of time above 0: a number of seconds, or e.g. 90s, 5m, 1h30m, 2d, not 0",
        ],
    ),
    (
        "location = 'x'\nseconds = -1.5",
        &[
            "p.toml:2:11: seconds: expected a length of time above 0: a number of seconds, or e.g. 90s, 5m, 1h30m, 2d, not -1.5",
        ],
    ),
    ("location = 7", &["p.toml:1:12: location: expected a text or a list of texts, none of them empty, not 7"]),
    ("location = []", &["p.toml:1:12: location: expected a text or a list of texts, none of them empty, not a list"]),
    (
        "location = 'x'\nunit = 'sec'",
        &["p.toml:2:8: unit: expected one of auto, s, ms, us, ns (did you mean 's'?), not 'sec'"],
    ),
    (
        "location = 'x'\nscan = 'ful'",
        &["p.toml:2:8: scan: expected one of auto, full (did you mean 'full'?), not 'ful'"],
    ),
    (
        "location = 'x'\nuntil = 'someday'",
        &[
            "p.toml:2:9: until: expected now, latest, today, yesterday, a Unix time, or a date, e.g. 2026-01-31, 2026-01-31 12:00 or 2026-01-31T12:00:00Z, not 'someday'",
        ],
    ),
    (
        "location = 'x'\nchunk = '1 furlong'",
        &["p.toml:2:9: chunk: expected a size from 16 to 1073741824 bytes, e.g. 64KiB or 1MiB, not '1 furlong'"],
    ),
    (
        "location = 'x'\nformat = 'plan'",
        &["p.toml:2:10: stages.recent.format: unknown format 'plan'; did you mean 'plain'?"],
    ),
    (
        "location = 'x'\nalign = 'first'",
        &["p.toml:2:1: stages.recent.align: has a meaning only with every; give every too, or leave it out"],
    ),
    (
        "location = 'x'\nlate-file = 'late'",
        &["p.toml:2:1: stages.recent.late-file: has a meaning only with every; give every too, or leave it out"],
    ),
    (
        "location = 'x'\nsince = 5\nseconds = 5",
        &["p.toml:2:1: stages.recent.since: takes the place of seconds, which is given too; leave one of them out"],
    ),
    (
        "location = 'x'\nreports = ['top-servrs']",
        &["p.toml:2:12: stages.report.reports: unknown report 'top-servrs'; did you mean 'top-servers'?"],
    ),
    (
        "location = 'x'\nreports = []",
        &["p.toml:2:11: stages.report.reports: is empty; give at least one, or leave the key out"],
    ),
    (
        "location = 'x'\nreports = [5]",
        &[
            "p.toml:2:12: stages.report.reports: expected the name of a report; write \"NAME\" or { name = \"NAME\", ... }",
        ],
    ),
    (
        "location = 'x'\nreports = ['connected-to']",
        &[
            "p.toml:2:12: stages.report.reports.connected-to: host is missing; write e.g. { name = \"connected-to\", host = \"Delta\" }",
        ],
    ),
    (
        "location = 'x'\nreports = [{ name = 'top-servers', limt = 5 }]",
        &["p.toml:2:36: stages.report.reports.top-servers: unknown option 'limt'; did you mean 'limit'?"],
    ),
    (
        "location = 'x'\nreports = [{ name = 'top-servers', limit = 0 }]",
        &["p.toml:2:44: stages.report.reports.top-servers: limit: expected a whole number from 1, not 0"],
    ),
    (
        "location = 'x'\noutputs = ['jsn']",
        &["p.toml:2:12: stages.report.outputs: unknown output 'jsn'; did you mean 'json'?"],
    ),
    (
        "location = 'x'\noutputs = ['json:']",
        &[
            "p.toml:2:12: stages.report.outputs: 'json:' has no path behind its colon; write json:PATH, or json for standard output",
        ],
    ),
    (
        "location = 'x'\noutputs = ['text', 'json']",
        &[
            "p.toml:2:20: stages.report.outputs: standard output is written to by stages.report.outputs already; give one of them a path, e.g. json:results.jsonl",
        ],
    ),
    (
        "location = 'x'\nrejects = './a//b'\noutputs = ['json:a/c/../b']",
        &[
            "p.toml:3:12: stages.report.outputs: 'a/c/../b' is written to by stages.recent.rejects already; give each a path of its own",
        ],
    ),
    (
        "location = 'x'\nevery = 1\ngrouping-seconds = '1ns'\nseconds = 3600",
        &[
            "p.toml:3:20: grouping-seconds: a window of 1h would be cut into 3600000000000 buckets of 1ns, which is what seconds, every and grouping-seconds have in common; make it a multiple of 40ms",
        ],
    ),
    ("location = 'x'\nthreads = 1000", &["p.toml:2:11: threads: expected a whole number from 1 to 256, not 1000"]),
    (
        "secnds = 5\nunit = 'x'",
        &[
            "p.toml:1:1: secnds: unknown key; did you mean 'seconds'?",
            "p.toml:1:1: stages.read.location: is missing; give it: files, folders, globs, or - for standard input",
            "p.toml:2:8: unit: expected one of auto, s, ms, us, ns, not 'x'",
        ],
    ),
    ("stages = 5\nlocation = 'x'", &["p.toml:1:1: stages: expected tables, e.g. [stages.read]"]),
];

/// A wrong line behind `RIGHT` (so it stands in line 6), and what is said of it.
const WRONG_STAGES: &[(&str, &[&str])] = &[
    (
        "stages.x = { type = 'raeder' }",
        &["p.toml:6:21: stages.x.type: unknown stage type 'raeder'; did you mean 'reader'?"],
    ),
    (
        "stages.x = { location = 'y' }",
        &[
            "p.toml:6:8: stages.x.type: is missing; give one of reader, line-splitter, time-filter, bucket-aggregator, reporter",
        ],
    ),
    ("stages.x = 5", &["p.toml:6:8: stages.x: expected a table of keys"]),
    (
        "stages.x = { type = 'reader', location = 'y' }",
        &[
            "p.toml:6:8: stages.x: is not used: nothing takes its chunks; add \"x\" to the inputs of a stage, or take it out",
        ],
    ),
    (
        "stages.x = { type = 'reporter', outputs = ['csv:y'] }",
        &["p.toml:6:8: stages.x.inputs: is missing; name the bucket-aggregators that feed it, e.g. inputs = [\"...\"]"],
    ),
    (
        "stages.x = { type = 'reporter', inputs = ['l'], outputs = ['csv:y'] }",
        &[
            "p.toml:6:43: stages.x.inputs: a reporter takes window results from a bucket-aggregator, but 'l' is a line-splitter and gives lines",
        ],
    ),
    (
        "stages.x = { type = 'reporter', inputs = ['o'], outputs = ['csv:y'] }",
        &[
            "p.toml:6:43: stages.x.inputs: a reporter takes window results from a bucket-aggregator, but 'o' is a reporter and gives nothing",
        ],
    ),
    (
        "stages.tally = { type = 'bucket-aggregator', inputs = ['ff'] }",
        &[
            "p.toml:6:8: stages.tally: is not used: nothing takes its window results; add \"tally\" to the inputs of a stage, or take it out",
            "p.toml:6:56: stages.tally.inputs: there is no stage 'ff'; did you mean 'f'?",
        ],
    ),
    // A stage that is meant by a misspelled name is not called unused as well.
    (
        "stages.tally = { type = 'bucket-aggregator', inputs = ['f'] }\nstages.p = { type = 'reporter', inputs = ['taly'], outputs = ['csv:y'] }",
        &["p.toml:7:43: stages.p.inputs: there is no stage 'taly'; did you mean 'tally'?"],
    ),
    (
        "stages.x = { type = 'reporter', inputs = ['a', 'a'], outputs = ['csv:y'] }",
        &["p.toml:6:48: stages.x.inputs: names 'a' twice"],
    ),
    (
        "stages.x = { type = 'reporter', inputs = [5], outputs = ['csv:y'] }",
        &["p.toml:6:43: stages.x.inputs: expected the names of stages; write e.g. inputs = [\"read\"]"],
    ),
    (
        "stages.x = { type = 'reporter', inputs = ['a'] }",
        &[
            "p.toml:6:8: stages.x.outputs: standard output is written to by stages.o.outputs already; give one of them a path, e.g. json:results.jsonl",
        ],
    ),
    (
        "stages.x = { type = 'reader', location = 'y', inputs = ['r'] }",
        &[
            "p.toml:6:8: stages.x: is not used: nothing takes its chunks; add \"x\" to the inputs of a stage, or take it out",
            "p.toml:6:47: stages.x.inputs: a reader has no inputs: it reads its location",
        ],
    ),
    (
        "stages.x = { type = 'reporter', inputs = ['a'], outputs = ['csv:y'], seconds = 5 }",
        &["p.toml:6:70: stages.x.seconds: is an option of time-filter, not of reporter"],
    ),
    (
        "stages.x = { type = 'reporter', inputs = ['a'], outputs = ['csv:y'], limits = 5 }",
        &["p.toml:6:70: stages.x.limits: unknown key; did you mean 'limit'?"],
    ),
    (
        "stages.g = { type = 'time-filter', inputs = ['l'], unit = 'ms' }\nstages.b = { type = 'bucket-aggregator', inputs = ['g'] }\nstages.p = { type = 'reporter', inputs = ['b'], outputs = ['csv:y'] }",
        &[
            "p.toml:6:8: stages.g: reads the same lines as 'f', but in another format or unit; give both the same format and unit",
        ],
    ),
    (
        "stages.g = { type = 'time-filter', inputs = ['l'] }\nstages.b = { type = 'bucket-aggregator', inputs = ['g', 'f'] }\nstages.p = { type = 'reporter', inputs = ['b'], outputs = ['csv:y'] }",
        &["p.toml:7:8: stages.b.inputs: is reached from 'r' by 2 paths: every line would count 2 times"],
    ),
    (
        "stages.s = { type = 'reader', location = 'y' }\nstages.m = { type = 'line-splitter', inputs = ['s'] }\nstages.g = { type = 'time-filter', inputs = ['m'], seconds = 5 }\nstages.b = { type = 'bucket-aggregator', inputs = ['g', 'f'] }\nstages.p = { type = 'reporter', inputs = ['b'], outputs = ['csv:y'] }",
        &[
            "p.toml:9:8: stages.b.inputs: 'f' and 'g' feed it with different windows; give them the same window, or an aggregator each",
        ],
    ),
    (
        "stages.b = { type = 'bucket-aggregator', inputs = ['f'] }\nstages.p = { type = 'reporter', inputs = ['a', 'b'], outputs = ['csv:y'] }",
        &[
            "p.toml:7:43: stages.p.inputs: 'a' and 'b' feed it, whose results have no order among them; give each aggregator a reporter of its own",
        ],
    ),
    (
        "stages.s = { type = 'reader', location = 'y' }\nstages.m = { type = 'line-splitter', inputs = ['s'] }\nstages.g = { type = 'time-filter', inputs = ['m'], until = 'latest' }\nstages.h = { type = 'time-filter', inputs = ['l'], until = 'latest' }\nstages.b = { type = 'bucket-aggregator', inputs = ['g', 'h'] }\nstages.p = { type = 'reporter', inputs = ['b'], outputs = ['csv:y'] }",
        &[
            "p.toml:10:8: stages.b.inputs: several time-filters feed it whose windows depend on what each of them reads; give them an instant in place of latest or first, or one time-filter for all lines",
        ],
    ),
    (
        "stages.s = { type = 'reader', location = '-' }\nstages.t = { type = 'reader', location = ['q', '-'] }\nstages.m = { type = 'line-splitter', inputs = ['s', 't'] }\nstages.g = { type = 'time-filter', inputs = ['m'] }\nstages.b = { type = 'bucket-aggregator', inputs = ['g'] }\nstages.p = { type = 'reporter', inputs = ['b'], outputs = ['csv:y'] }",
        &["p.toml:7:42: stages.t.location: standard input is read by 's' already"],
    ),
];

#[test]
fn wrong_keys_are_named_with_place_and_remedy() {
    for (text, expected) in WRONG_KEYS {
        assert_eq!(&problems(&Written::from_text("p.toml", text)), expected, "{text}");
    }
}

#[test]
fn wrong_stages_are_named_with_place_and_remedy() {
    for (line, expected) in WRONG_STAGES {
        let text = format!("{RIGHT}{line}");
        assert_eq!(&problems(&Written::from_text("p.toml", &text)), expected, "{line}");
    }
    assert!(problems(&Written::from_text("p.toml", RIGHT)).is_empty());
}

#[test]
fn a_cycle_is_named_by_its_stages() {
    // Each type takes what another gives, so every cycle holds a wrong edge too; both are said.
    let text = format!("{RIGHT}stages.x = {{ type = \"line-splitter\", inputs = [\"x\"] }}");
    let said = problems(&Written::from_text("p.toml", &text));
    let wrong = "p.toml:6:48: stages.x.inputs: a line-splitter takes chunks from a reader, but 'x' is a line-splitter and \
        gives lines";
    assert_eq!(said, ["p.toml:6:8: stages.x.inputs: feeds itself: x -> x", wrong]);
    let text = RIGHT.replace("[\"r\"]", "[\"r\", \"a\"]");
    let said = problems(&Written::from_text("p.toml", &text));
    assert!(said.iter().any(|line| line.contains("feeds itself: f -> a -> l -> f")), "{said:#?}");
}

#[test]
fn a_graph_without_ends_is_refused() {
    let said = problems(&Written::from_text("p.toml", "[stages]"));
    assert_eq!(
        said,
        [
            "p.toml:1:1: stages: there is no reader; add a stage with type = \"reader\"",
            "p.toml:1:1: stages: there is no reporter; add a stage with type = \"reporter\"",
        ]
    );
}

#[test]
fn every_fault_of_the_syntax_is_named() {
    let said = problems(&Written::from_text("p.toml", "location = \nseconds = [1,\nevery = 'x'\n"));
    assert!(said.len() >= 2 && said[0].starts_with("p.toml:1:"), "{said:#?}");
}

#[test]
fn columns_count_characters() {
    let said = problems(&Written::from_text("p.toml", "location = ['täglich', 5]"));
    assert_eq!(said.len(), 1);
    let text = "location = 'x' # ä\nreports = [ 'ä', 'ö' ]";
    let said = problems(&Written::from_text("p.toml", text));
    assert!(said[0].starts_with("p.toml:2:13: ") && said[1].starts_with("p.toml:2:18: "), "{said:#?}");
}

fn set(text: &str, settings: &[(&str, &str)]) -> Written {
    let mut written = Written::from_text("p.toml", text);
    for (key, value) in settings {
        written.set(key, value, Place::Argument(format!("--set {key}={value}")));
    }
    written
}

#[test]
fn wrong_overrides_point_at_the_command_line() {
    let said = |key, value| problems(&set("location = 'x'", &[(key, value)]));
    assert_eq!(said("secnds", "5"), ["--set secnds=5: secnds: unknown key; did you mean 'seconds'?"]);
    assert_eq!(
        said("stages.recnt.seconds", "5"),
        ["--set stages.recnt.seconds=5: stages.recnt.seconds: there is no stage 'recnt'; did you mean 'recent'?"]
    );
    assert_eq!(
        said("stages.recent.limit", "5"),
        ["--set stages.recent.limit=5: stages.recent.limit: is an option of reporter, not of time-filter"]
    );
    assert_eq!(
        said("stages.recent", "5"),
        ["--set stages.recent=5: stages.recent: names no key; write stages.NAME.KEY=VALUE"]
    );
    assert_eq!(said("inputs", "x"), ["--set inputs=x: inputs: belongs to one stage; write stages.NAME.inputs=VALUE"]);
    assert!(said("stages.lines.type", "x")[0].ends_with("type: is fixed; change it where the stage is written"));
    assert_eq!(said("capacity", "0"), ["--set capacity=0: capacity: expected a whole number from 1 to 65536, not 0"]);
}

fn filter(plan: &Plan) -> &FilterPlan {
    let found = plan.stages.iter().find_map(|stage| match &stage.task {
        Task::TimeFilter(filter) => Some(filter),
        _ => None,
    });
    found.unwrap()
}

fn start(written: &Written) -> Start {
    match filter(&check(written, &catalog(), &machine()).unwrap()).range {
        Range::Once { start, .. } => start,
        Range::Every { .. } => panic!("not once"),
    }
}

#[test]
fn the_nearest_layer_wins() {
    let text = "location = 'x'\nseconds = 1\nstages.r = { type = 'reader' }\n\
        stages.l = { type = 'line-splitter', inputs = ['r'] }\n\
        stages.f = { type = 'time-filter', inputs = ['l'], seconds = 2 }\n\
        stages.a = { type = 'bucket-aggregator', inputs = ['f'] }\nstages.o = { type = 'reporter', inputs = ['a'] }";
    let seconds = |count| Start::Before(count * SECOND);
    assert_eq!(start(&Written::from_text("p.toml", "location = 'x'")), seconds(3600));
    assert_eq!(start(&Written::from_text("p.toml", "location = 'x'\nseconds = 1")), seconds(1));
    assert_eq!(start(&Written::from_text("p.toml", text)), seconds(2));
    assert_eq!(start(&set(text, &[("seconds", "3")])), seconds(3));
    assert_eq!(start(&set(text, &[("stages.f.seconds", "4m"), ("seconds", "3")])), seconds(240));
    assert_eq!(
        start(&set(text, &[("since", "2023-11-14T22:13:20Z")])),
        Start::At(Moment::At(Timestamp::from_seconds(1_700_000_000)))
    );
    assert_eq!(start(&set("location = 'x'\nsince = 5", &[("seconds", "3")])), seconds(3));
}

#[test]
fn a_free_graph_is_put_in_order_with_its_edges() {
    let text = "
        stages.day = { type = 'reporter', inputs = ['coarse'], outputs = ['json:day'] }
        stages.coarse = { type = 'bucket-aggregator', inputs = ['near'], grouping-seconds = '1h' }
        stages.fine = { type = 'bucket-aggregator', inputs = ['near'], grouping-seconds = 60 }
        stages.minute = { type = 'reporter', inputs = ['fine'], reports = ['timeline', 'new-pairs'] }
        stages.near = { type = 'time-filter', inputs = ['lines'], seconds = 3600 }
        stages.lines = { type = 'line-splitter', inputs = ['a', 'b'], threads = 3, capacity = 5 }
        stages.a = { type = 'reader', location = 'a' }
        stages.b = { type = 'reader', location = 'b', chunk = 4096 }";
    let plan = plan(text);
    let names: Vec<&str> = plan.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "lines", "near", "coarse", "day", "fine", "minute"]);
    assert_eq!(plan.stages[2].inputs, [0, 1]);
    assert_eq!((plan.stages[2].threads.get(), plan.stages[2].capacity.get()), (3, 5));
    assert_eq!(plan.stages[3].threads, cores());
    assert!(filter(&plan).needs_previous);
    let previous: Vec<bool> = plan
        .stages
        .iter()
        .filter_map(|stage| match &stage.task {
            Task::BucketAggregator(aggregator) => Some(aggregator.needs_previous),
            _ => None,
        })
        .collect();
    assert_eq!(previous, [false, true]);
    let text = draw(&plan, DrawFormat::Text);
    // From `b` by the arrow, from `a` by the rail.
    let fed = text.lines().find(|line| line.starts_with("│ lines ")).unwrap();
    assert!(text.contains("│ chunks, up to 5") && fed.ends_with("│◄┘"), "{text}");
    assert!(draw(&plan, DrawFormat::Dot).contains("s2 -> s3 [label=\"lines, up to 4\"];"));
    assert!(draw(&plan, DrawFormat::Mermaid).contains("s1 -->|\"chunks, up to 5\"| s2"));
}

#[test]
fn hostile_stage_names_are_harmless_in_every_drawing() {
    let name = "\\u001B[2J\\\"]<b>\\\\n";
    let text = RIGHT.replace("stages.r ", &format!("stages.\"{name}\" ")).replace("[\"r\"]", &format!("[\"{name}\"]"));
    let plan = plan(&text);
    for format in [DrawFormat::Text, DrawFormat::Dot, DrawFormat::Mermaid] {
        assert!(!draw(&plan, format).contains('\u{1b}'));
    }
    assert!(draw(&plan, DrawFormat::Dot).contains("\\\"]<b>"));
    assert!(!draw(&plan, DrawFormat::Mermaid).contains("<b>"));
}

#[test]
fn a_missing_file_is_an_error_with_the_way_out() {
    let error = Written::read(Path::new("no/such.toml")).err().unwrap();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().starts_with("there is no 'no/such.toml'; name a configuration file"), "{error}");
}

proptest! {
    #[test]
    fn any_text_is_checked_without_panic(text in "[a-z\\[\\]{}=.'\", \n0-9#-]{0,80}") {
        let _ = problems(&Written::from_text("p.toml", &text));
    }

    #[test]
    fn any_value_of_any_key_is_checked_without_panic(key in 0..schema::KEYS.len(), value in "[ -~]{0,16}") {
        let spec = &schema::KEYS[key].spec;
        let _ = problems(&set("location = 'x'", &[(spec.name, &value)]));
    }
}

#[test]
fn only_a_run_without_end_gets_a_limit_that_nobody_gave() {
    let limit = |text: &str| {
        let machine = Machine { memory: || Some(8 << 30), ..machine() };
        check(&Written::from_text("p.toml", text), &catalog(), &machine).unwrap().max_memory()
    };
    assert_eq!(limit("location = 'x'\nevery = 60"), None);
    assert_eq!(limit("location = 'x'\nevery = 60\nfollow = true"), Some(4 << 30));
    assert_eq!(limit("location = 'x'\nevery = 60\nfollow = true\nmax-memory = '1GiB'"), Some(1 << 30));
}

#[test]
fn windows_that_close_one_after_the_other_are_read_in_the_order_of_time() {
    let reader = |text: &str| {
        let plan = plan(text);
        let Task::Reader(reader) = &plan.stages[0].task else { panic!("{:?}", plan.stages[0].task) };
        (reader.by_time, plan.stages[0].threads.get())
    };
    // By one worker, or by some that are chained and take turns.
    assert_eq!(reader("location = 'x'\nthreads = 4\nevery = 60"), (true, 4));
    assert_eq!(reader("location = 'x'\nthreads = 4\nevery = 60\nchain = false"), (true, 1));
    assert_eq!(reader("location = 'x'\nthreads = 4\nchain = false"), (false, 4));
}
