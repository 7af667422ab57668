//! What is made of the table of keys and ships as files: the standard pipeline with every key, and
//! the options that a cluster hands on. `UPDATE_CASES=1` writes them anew.

use std::fmt::Write as _;
use std::path::Path;

use super::schema::{KEYS, KeySpec, StageType, Takers};
use super::tests::plan;
use crate::options::Kind;

/// Where comments begin, and how long lines are, at most.
const COLUMN: usize = 31;
const WIDTH: usize = 120;

/// Holds a file that ships to what it is made of.
fn ships(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE_CASES").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    assert_eq!(found, made, "{name} is made of the table of keys; UPDATE_CASES=1 writes it anew");
}

#[test]
fn the_pipeline_that_ships_is_made_of_the_table() {
    let mut text = "\
# The standard pipeline of logparser, with every key there is. Run it with `logparser run`.
#
# A key may stand in a stage, as here, or at the top level, where it is the default of every stage that knows it.
# Lengths of time are seconds, or e.g. 90s, 5m, 1h30m, 2d; months and years are spelled out. Instants are Unix seconds or
# RFC 3339, e.g. 2026-01-31T12:00:00Z. A list of one may stand without its brackets. A file without [stages] gets these
# five stages, with the defaults that are shown.
"
    .to_owned();
    let mut before: Option<StageType> = None;
    for kind in StageType::ALL {
        let _ = writeln!(text, "\n[stages.{}]\ntype = \"{}\"", kind.standard_name(), kind.name());
        if let Some(before) = before.replace(kind) {
            let _ = writeln!(text, "inputs = [\"{}\"]", before.standard_name());
        }
        kind.table().for_each(|key| text.push_str(&shown(key, kind)));
    }
    ships("pipeline.toml", &text);
}

/// The line of a key, and more where it is long.
fn shown(key: &KeySpec, kind: StageType) -> String {
    let spec = &key.spec;
    let is_set = key.is_set;
    let bare = |text: &str| matches!(spec.kind, Kind::Flag) || text.bytes().all(|byte| byte.is_ascii_digit());
    let quoted = |text: &str| if bare(text) { text.to_owned() } else { format!("\"{text}\"") };
    let value = match (key.example, spec.default) {
        (Some(example), _) => example.to_owned(),
        (None, Some(default)) => quoted(default),
        (None, None) => "2".to_owned(),
    };
    let comment = match (spec.name, kind.default_threads(2)) {
        ("threads", Some(_)) => "default: one for each core",
        ("threads", None) => "default: as many as what is chained to it, else one",
        _ => spec.help,
    };
    let (first, more) = value.split_once('\n').map_or((&value[..], None), |(first, more)| (first, Some(more)));
    let off = if is_set { "" } else { "# " };
    let mut text = format!("{:<width$}", format!("{off}{} = {first}", spec.name), width = COLUMN - 2);
    text.push_str("  #");
    let mut at = text.chars().count();
    for word in comment.split(' ') {
        if at + 1 + word.chars().count() > WIDTH {
            let _ = write!(text, "\n{:COLUMN$}#", "");
            at = COLUMN + 1;
        }
        let _ = write!(text, " {word}");
        at += 1 + word.chars().count();
    }
    text.push('\n');
    if let Some(more) = more {
        let _ = writeln!(text, "{more}");
    }
    text
}

#[test]
fn the_shipped_file_is_the_standard_pipeline() {
    // What it says beside the defaults: where to read, until when, and which reports.
    let shipped = plan(include_str!("../../pipeline.toml"));
    let said = "location = 'tests/data/*.log'\nuntil = 'latest'\nlimit = 10\nreports = ['top-servers', \
        { name = 'connected-to', host = 'Delta' }, { name = 'connected-from', host = 'sierra' }, 'timeline']";
    assert_eq!(format!("{shipped:?}"), format!("{:?}", plan(said)));
}

/// The options of the program that a cluster hands on or refuses, as its package has them.
#[test]
fn the_options_of_a_cluster_are_made_of_the_table() {
    let options = |takers: &[Takers], are_flags: Option<bool>| {
        let is_meant = |key: &&KeySpec| are_flags.is_none_or(|flags| flags == (key.spec.kind == Kind::Flag));
        let arguments = KEYS.iter().filter(is_meant).filter_map(|key| key.argument);
        let arguments = arguments.filter(|argument| argument.is_on_clusters);
        let taken = arguments.filter(|argument| takers.contains(&argument.takers));
        let names = taken.flat_map(|argument| std::iter::once(argument.long).chain(argument.aliases.iter().copied()));
        // As those who format the package write them.
        match &names.collect::<Vec<_>>()[..] {
            [alone] => format!("(\"--{alone}\",)"),
            all => format!("(\n{})", all.iter().map(|name| format!("    \"--{name}\",\n")).collect::<String>()),
        }
    };
    let text = format!(
        "\"\"\"The options of `logparser` that are keys of its configuration.\n\nMade of the table of keys in \
         `src/config/schema/keys.rs` by its tests; `UPDATE_CASES=1` writes this anew.\n\"\"\"\n\n\
         COUNTED = {}\n\"\"\"They say what is counted, and with what means.\"\"\"\n\n\
         REPORTED = {}\n\"\"\"They say what is reported, and where.\"\"\"\n\n\
         COUNTED_FLAGS = {}\n\"\"\"The same, without a value.\"\"\"\n\n\
         REPORTED_FLAGS = {}\n\"\"\"The same of what is reported.\"\"\"\n\n\
         ALONE = {}\n\"\"\"They need all lines in one place, or a run that goes on.\"\"\"\n",
        options(&[Takers::Counts, Takers::All], Some(false)),
        options(&[Takers::Reports], Some(false)),
        options(&[Takers::Counts, Takers::All], Some(true)),
        options(&[Takers::Reports], Some(true)),
        options(&[Takers::Runs], None),
    );
    ships("cluster/dask/src/logparser_dask/keys.py", &text);
}

/// Saved states hold these lines, and the folders of those that nobody names are called by them.
#[test]
fn what_a_state_depends_on_stays_what_it_is_letter_by_letter() {
    let every = "location = ['a.log', 'b*.log']\nfollow = true\nevery = '1m'\nseconds = '90s'\nformat = 'plain'\n";
    let saved = |more: &str| super::question(&plan(&format!("{every}{more}")));
    let least = "location = a.log\nlocation = b*.log\nmax-line = 65536\nformat = plain\nunit = auto\n\
        previous = false\nseconds = 90\nevery = 60\nalign = 1970-01-01T00:00:00Z\nlateness = 300\nlate-updates = 0\n\
        grouping-seconds = 1200\n";
    assert_eq!(
        saved("outputs = ['text', 'json:x.json']"),
        format!(
            "{least}report = top-servers [(\"limit\", Count(10))]\noutput = text None\noutput = json Some(\"x.json\")\n"
        )
    );
    let all = "align = '2026-01-31'\ntimezone = 'Europe/Berlin'\nlateness = '1500ms'\nlate-updates = '5s'\nunit = 'ms'\n\
        since = 'now-1h'\nmax-line = '1KiB'\ngrouping-seconds = 60\nreports = ['new-pairs']\ntrigger = 'clock'\n\
        checkpoint = '1s'\nmax-jump = '2h'\nthreads = 3\nchain = false";
    assert!(
        saved(all).starts_with(
            "location = a.log\nlocation = b*.log\nmax-line = 1024\nformat = plain\nunit = ms\nprevious = true\n\
         seconds = 90\nevery = 60\nalign = 2026-01-30T23:00:00Z\nlateness = 1.5\nsince = now-1h\nlate-updates = 5\n\
         grouping-seconds = 60\nreport = new-pairs "
        ),
        "{}",
        saved(all)
    );
    for (align, said) in [("start", "start"), ("epoch", "1970-01-01T00:00:00Z"), ("today", "today")] {
        let text = saved(&format!("align = '{align}'"));
        assert!(text.contains(&format!("align = {said}\n")), "{text}");
    }
}

#[test]
fn the_table_is_sound() {
    for (at, key) in KEYS.iter().enumerate() {
        let name = key.spec.name;
        assert!(!KEYS[..at].iter().any(|other| other.spec.name == name), "'{name}' stands there twice");
        assert!(!key.stages.is_empty() && !key.spec.help.is_empty(), "{name}");
        // What has no default needs a value to be shown; threads have as many as there are cores.
        assert!(key.example.is_some() || key.spec.default.is_some() || name == "threads", "{name}");
        if let Some(needs) = key.needs {
            let needed = KEYS.iter().find(|other| other.spec.name == needs.key());
            assert!(needed.is_some_and(|needed| needed.argument.is_some() || key.argument.is_none()), "{name}");
        }
        if let Some(argument) = key.argument {
            assert!(!argument.help.ends_with('.') && argument.more.is_none_or(|more| more.ends_with('.')), "{name}");
            let says_itself = !matches!(key.spec.kind, Kind::Text | Kind::Choice(_) | Kind::Reports | Kind::Outputs);
            assert!(says_itself || !argument.value.is_empty(), "what the value of '{name}' is called in help");
        }
    }
}
