//! How the lines of a planned file are read, as an argument of its tasks: one object of JSON.
//!
//! Not here: what it is bound to (`format`). Invariant: what is shown reads back.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::format::{PlannedSchema, SavedSchema};
use crate::model::Timestamp;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaArgument {
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    keys: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    columns: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    header: String,
    /// In nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latest: Option<i64>,
}

/// The argument. `None` if the line that names columns is no text: then each task looks how its file
/// begins.
pub fn shown(planned: &PlannedSchema) -> Option<String> {
    let SavedSchema { name, keys, columns, header } = planned.schema.clone();
    let header = String::from_utf8(header).ok()?;
    let latest = Some(planned.latest.nanos()).filter(|_| planned.latest != Timestamp::MAX);
    serde_json::to_string(&SchemaArgument { name, keys, columns, header, latest }).ok()
}

/// What such an argument says. Errors with what is wrong with it.
pub fn read(text: &str) -> Result<PlannedSchema> {
    let wrong = |why: String| Error::usage(format!("--schema: {why}; take the arguments of a task as they are"));
    let SchemaArgument { name, keys, columns, header, latest } =
        serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let schema = SavedSchema { name, keys, columns, header: header.into_bytes() };
    schema.check().map_err(wrong)?;
    Ok(PlannedSchema { schema, latest: latest.map_or(Timestamp::MAX, Timestamp::from_nanos) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{Format, Head};

    #[test]
    fn what_is_shown_reads_back() {
        let zeek = b"#fields\tts\tid.orig_h\tid.resp_h\tproto\n1.5\ta\tb\ttcp\n";
        for head in [&b"1700000000 a b\n"[..], zeek, b"#fields\tts\tid.orig_h\tid.resp_h\tproto\xff\n1.5\ta\tb\ttcp\n"]
        {
            let rules = Format::auto().bind(&Head::of(head, true), Timestamp::from_nanos(7), 1_000).unwrap();
            let planned = rules.planned();
            match shown(&planned) {
                Some(text) => assert_eq!(read(&text).unwrap(), planned, "{text}"),
                None => assert!(head.contains(&0xff)),
            }
        }
    }

    #[test]
    fn what_no_plan_says_is_refused() {
        let long = "x".repeat(300 << 10);
        for text in [
            "",
            "{}",
            r#"{"name":"no such","keys":"a = 1"}"#,
            r#"{"name":"zeek-conn","keys":"fields = ["}"#,
            r#"{"name":"plain","more":1}"#,
            r#"{"name":"plain","latest":1e300}"#,
            &format!(r#"{{"name":"{long}"}}"#),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.to_string().starts_with("--schema: "), "{error}");
        }
    }
}
