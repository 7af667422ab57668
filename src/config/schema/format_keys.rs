//! The keys of a format that a stage has, too: what is said of lines beside the name of their format.
//!
//! Not here: what they mean (`format::mapped`), and the key `format`. Invariant: each of them is a key
//! of a format.

use super::key::{Argument, Heading, KeySpec, Takers};
use super::stages::StageType::TimeFilter;
use crate::format::mapped::definition::KEYS as FORMAT;

/// Those of a stage, with an example for the pipeline that ships and how they are options.
const TAKEN: [(&str, &str, Argument); 8] = [
    (
        "envelope",
        "\"syslog\"",
        argument("What stands around each line: none, syslog, cri or docker-json").value("ENVELOPE"),
    ),
    ("time", "\"ts\"", argument("The field of the stamp, where the format does not say it").value("FIELD")),
    ("record-time", "\"start\"", argument("Which stamp counts where lines have two: start or end").value("WHICH")),
    (
        "time-form",
        "\"rfc3339\"",
        argument("How stamps are written: auto, number, rfc3339, clf, syslog, or a pattern as %d.%m.%Y").value("FORM"),
    ),
    ("from", "\"{src_ip/24}\"", argument("Who connected: a field, or a text such as {src_ip/24}").value("FIELD")),
    ("to", "\"{dst_ip}:{dst_port}\"", argument("To whom: a field, or a text such as {dst_ip}:{dst_port}").value("FIELD")),
    (
        "where",
        "[\"proto=tcp\"]",
        argument("Count only what meets this, e.g. proto=tcp")
            .more(
                "Several hold together. A field and what it has to be: proto=tcp, status!=200, dst_port=80,443, \
                 bytes>=1000, path~^/api/ (a regular expression), 'src_ip in 10.0.0.0/8', 'user exists'; one of several \
                 with ' or ' between them.",
            )
            .value("CONDITION")
            .everyday(),
    ),
    (
        "sum",
        "[\"bytes\"]",
        argument("Sum a number of the lines beside the count, e.g. bytes")
            .more(
                "A measure that the format knows (bytes, packets), a field, or NAME=FIELD+FIELD. Up to four; reports have \
                 a column for each, and rank by one with --by.",
            )
            .value("MEASURE"),
    ),
];

const fn argument(help: &'static str) -> Argument {
    Argument::new(Takers::Counts, Heading::Reading, help)
}

/// The keys of a stage.
pub(super) const KEYS: [KeySpec; TAKEN.len()] = {
    let mut keys = [KeySpec::new("", &[], crate::options::Kind::Text, ""); TAKEN.len()];
    let mut at = 0;
    while at < TAKEN.len() {
        let (name, example, argument) = TAKEN[at];
        let mut of_format = 0;
        while !is_same(FORMAT[of_format].name.as_bytes(), name.as_bytes()) {
            of_format += 1;
        }
        let spec = FORMAT[of_format];
        let key = KeySpec::new(spec.name, &[TimeFilter], spec.kind, spec.help);
        keys[at] = key.in_state().example(example).option(argument);
        at += 1;
    }
    keys
};

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}
