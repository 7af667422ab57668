//! Which fields are watched: those that keys name which were given beside a format.
//!
//! Columns are not, since an input says which it has. Not here: what lines show of them (`watched`).
//! Invariant: a field that a format names itself is not watched, since no log need have all of them.

use std::sync::Arc;

use serde_json::Value as Json;

use super::Mapped;
use super::bind::Head;
use super::bound::{Bound, OF_ENVELOPE};
use super::condition::Condition;
use super::definition::FieldRules;
use super::numbers::Measure;
use super::template::Template;
use super::watched::{MOST, TIME, WatchedField, WatchedFields};
use crate::options::{Options, suggest};

/// Lines of a head whose names of fields are looked at.
const NAMING: usize = 20;

impl Mapped {
    /// The same, watching the fields that keys beside the format name, for an input that begins so.
    pub fn watching(self, keys: &Options, head: &Head<'_>) -> Self {
        let watched = watched(&self.bound, keys, head).map(Arc::new);
        Mapped { watched, ..self }
    }
}

/// Those that keys beside a format name, for an input that begins so; `None` if there are none.
fn watched(bound: &Bound, keys: &Options, head: &Head<'_>) -> Option<WatchedFields> {
    let has_columns = matches!(bound.definition.fields, FieldRules::Columns(_));
    let slot = |name: &str| match OF_ENVELOPE.iter().position(|known| *known == name) {
        Some(at) => Some(bound.fields.slots() + at),
        None if has_columns => None,
        None => bound.fields.names.iter().position(|known| known == name),
    };
    let mut all: Vec<WatchedField> = Vec::new();
    for (key, name) in named(bound, keys) {
        let is_new = !all.iter().any(|known| (known.key, &known.name) == (key, &name));
        if let Some(slot) = slot(&name).filter(|_| is_new && all.len() < MOST) {
            all.push(WatchedField { name, key, slot, near: None });
        }
    }
    if all.is_empty() {
        return None;
    }
    let known = names_in(bound, head);
    for field in all.iter_mut().filter(|field| !known.contains(&field.name)) {
        field.near = suggest(&field.name, known.iter().map(String::as_str));
    }
    Some(WatchedFields::new(all))
}

/// The fields that keys name, with the keys.
fn named(bound: &Bound, keys: &Options) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    let conditions = keys.texts("where").iter().filter_map(|text| text.parse::<Condition>().ok());
    for condition in conditions {
        all.extend(condition.fields_with_values().map(|name| ("where", name.to_owned())));
    }
    let rules = &bound.definition.numbers;
    for measure in keys.texts("sum").iter().filter_map(|text| text.parse::<Measure>().ok()) {
        // The fields of a measure that the format knows are its own.
        let is_known = measure.fields.is_empty() && rules.known.iter().any(|known| known.name == measure.name);
        let ways = if is_known { Vec::new() } else { rules.ways(&measure) };
        all.extend(ways.into_iter().flatten().map(|name| ("sum", name)));
    }
    for key in ["from", "to", TIME] {
        // Of several, any may be missing.
        if let [only] = keys.texts(key)
            && let Ok(template) = only.parse::<Template>()
        {
            all.extend(template.names().map(|name| (key, name.to_owned())));
        }
    }
    all
}

/// The names of fields in the first lines of an input whose lines say them.
fn names_in(bound: &Bound, head: &Head<'_>) -> Vec<String> {
    let (mut names, mut unescaped) = (Vec::new(), Vec::new());
    for line in head.filled().take(NAMING) {
        let Ok(opened) = bound.definition.envelope.open(line, &mut unescaped) else { continue };
        let message = opened.message.of(line, &unescaped).unwrap_or_default();
        match &bound.definition.fields {
            FieldRules::Json => put_paths(&serde_json::from_slice(message).unwrap_or(Json::Null), "", &mut names),
            FieldRules::KeyVal(_) => {
                let text = String::from_utf8_lossy(message);
                names.extend(text.split_whitespace().filter_map(|word| Some(word.split_once('=')?.0.to_owned())));
            }
            FieldRules::Regex(_) | FieldRules::Columns(_) => {}
        }
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// Appends the paths of all values in an object that are no objects or lists.
fn put_paths(value: &Json, before: &str, names: &mut Vec<String>) {
    let Json::Object(all) = value else { return };
    for (key, value) in all {
        let path = format!("{before}{key}");
        match value {
            Json::Object(_) => put_paths(value, &format!("{path}."), names),
            Json::Null | Json::Array(_) => {}
            Json::Bool(_) | Json::Number(_) | Json::String(_) => names.push(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::line::{LineFormat, Stamp};
    use crate::format::mapped::definition::{Definition, read_keys};
    use crate::format::mapped::presets::preset;
    use crate::format::mapped::watched::SeenFields;
    use proptest::prelude::*;

    fn mapped(format: &str, keys: &str, lines: &[&str]) -> Mapped {
        let (keys, log) = (read_keys(keys).unwrap(), lines.join("\n"));
        let head = Head::of(log.as_bytes(), true);
        let definition: Definition = preset(format).unwrap().definition().unwrap().with(&keys).unwrap();
        Arc::new(definition).bind(&head, &Default::default()).unwrap().watching(&keys, &head)
    }

    /// What lines show, one chunk of them after the other.
    fn seen(mapped: &Mapped, chunks: &[Vec<&str>]) -> SeenFields {
        let mut all = SeenFields::default();
        for chunk in chunks {
            let mut scratch = Default::default();
            for line in chunk {
                let bytes = line.as_bytes();
                if let Stamp::At(_, at) = mapped.stamp(&mut scratch, bytes, 0, bytes.len()) {
                    let _ = mapped.hosts(&mut scratch, bytes, at, bytes.len());
                }
            }
            if let Some(watched) = mapped.watched() {
                all.add(watched, Mapped::take(&mut scratch).seen);
            }
        }
        all
    }

    fn said(format: &str, keys: &str, lines: &[&str]) -> Vec<String> {
        seen(&mapped(format, keys, lines), &[lines.to_vec()]).unseen()
    }

    const LINES: [&str; 3] = [
        r#"{"ts":1,"src":"a","dst":"b","client":{"ip":"c"},"bytes":5,"none":null}"#,
        r#"{"ts":2,"src":"a","dst":"b","user":"u"}"#,
        "no line",
    ];

    #[test]
    fn fields_that_no_record_has_are_told_with_those_that_are_near() {
        for (keys, told) in [
            (
                "where = 'clinet.ip=c'",
                &["no record has a field 'clinet.ip': check its name in --where; did you mean 'client.ip'?"][..],
            ),
            ("where = 'client.ip=d'", &[]),
            (
                "where = 'client=d'",
                &["no record has a field 'client': check its name in --where; did you mean 'client.ip'?"],
            ),
            ("where = 'none=d'", &["no record has a field 'none': check its name in --where"]),
            ("where = 'xyz!=1'", &["no record has a field 'xyz': check its name in --where"]),
            ("where = ['xyz missing', 'src exists or xyz exists']", &[]),
            ("where = 'user=u or xyz>5 or xyz<3'", &["no record has a field 'xyz': check its name in --where"]),
            ("where = 'envelope.host=u'", &["no record has a field 'envelope.host': check its name in --where"]),
            ("sum = ['bytes', 'packets']", &[]),
            ("sum = ['byts']", &["no record has a field 'byts': check its name in --sum; did you mean 'bytes'?"]),
            ("sum = ['both=bytes+xyz']", &["no record has a field 'xyz': check its name in --sum"]),
            (
                "from = 'xyq'\nto = '{dst}:{xyz}'",
                &[
                    "no record has a field 'xyq': check its name in --from",
                    "no record has a field 'xyz': check its name in --to",
                ],
            ),
            ("from = ['xyz', 'src']", &[]),
            ("time = 'xyz'", &["no line has a field 'xyz': check its name in --time"]),
            ("time = 'user'", &[]),
        ] {
            assert_eq!(said("jsonl", keys, &LINES), told, "{keys}");
        }
        let pairs = ["ts=1 src=a dst=b status=200", "ts=2 src=a dst=b"];
        let near = "no record has a field 'statsu': check its name in --where; did you mean 'status'?";
        assert_eq!(said("logfmt", "where = 'statsu=200'", &pairs), [near]);
        assert!(said("logfmt", "where = 'status=404'", &pairs).is_empty());
        // An input says which columns it has.
        assert!(mapped("csv", "where = 'user=u'", &["time,from,to,user", "1,a,b,"]).watched().is_none());
        // No line was looked at.
        assert!(said("jsonl", "where = 'xyz=1'", &["no line"]).is_empty());
        assert!(mapped("jsonl", "", &LINES).watched().is_none());
    }

    #[test]
    fn lines_that_are_only_held_to_be_records_show_nothing() {
        let mapped = mapped("jsonl", "where = 'user=u'", &LINES);
        let (mut scratch, line) = (Default::default(), LINES[1].as_bytes());
        let Stamp::At(_, at) = mapped.stamp(&mut scratch, line, 0, line.len()) else { panic!("no stamp") };
        assert!(mapped.is_well_formed(&mut scratch, line, at, line.len()));
        let shown = Mapped::take(&mut scratch).seen;
        // A line of the window shows that it has the field, too.
        mapped.stamp(&mut scratch, line, 0, line.len());
        assert_eq!(shown, Mapped::take(&mut scratch).seen);
        assert!(mapped.hosts(&mut scratch, line, at, line.len()).is_ok() && Mapped::take(&mut scratch).seen != 0);
    }

    proptest! {
        #[test]
        fn chunks_in_any_order_show_what_all_lines_do(
            lines in proptest::collection::vec(prop::sample::select(&[LINES[0], LINES[1], LINES[2], r#"{"x":1}"#][..]), 0..8),
            cuts in proptest::collection::vec(0usize..8, 0..4),
            turn: prop::sample::Index,
        ) {
            let keys = "where = ['user!=x', 'xyz!=y', 'client.ip!=z']\nsum = 'bytes=bytes'\ntime = 'ts'\n";
            let mapped = mapped("jsonl", keys, &LINES);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(lines.len())).chain([0, lines.len()]).collect();
            cuts.sort_unstable();
            let mut chunks: Vec<Vec<&str>> = cuts.windows(2).map(|cut| lines[cut[0]..cut[1]].to_vec()).collect();
            let whole = seen(&mapped, std::slice::from_ref(&lines));
            let middle = turn.index(chunks.len());
            chunks.rotate_left(middle);
            let (some, others) = chunks.split_at(middle);
            prop_assert_eq!(seen(&mapped, some).join(seen(&mapped, others)).unseen(), whole.unseen());
        }
    }
}
