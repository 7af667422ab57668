//! A format as data: the keys of a preset, of `[formats.NAME]` and of the command line.
//!
//! Not here: which columns an input has (`bind`), and how lines are read (`mapped`). Invariant: a
//! definition is checked as a whole when it is made, and written out it reads back as the same.

use std::fmt;

use super::condition::{self, Condition};
use super::numbers::{Measure, NumberRules};
use super::template::Template;
use crate::format::envelope::Envelope;
use crate::format::extract::{ColumnsSpec, Quotes, Separator};
use crate::format::stamps::StampForm;
use crate::options::{Kind, OptionSpec, Options, Raw, Value};

/// A format of lines whose fields are mapped to time, from and to.
#[derive(Debug, Clone)]
pub struct Definition {
    /// The name by which it is asked for.
    pub name: String,
    /// Its keys as they were given.
    given: Options,
    /// What stands around each line.
    pub envelope: Envelope,
    /// How fields are found.
    pub fields: FieldRules,
    /// When: where the stamp stands, in the order in which the places are tried.
    pub time: Vec<TimeSource>,
    /// How stamps are written.
    pub form: StampForm,
    /// Who connected: templates, in the order in which they are tried.
    pub from: Vec<Template>,
    /// To whom.
    pub to: Vec<Template>,
    /// Texts that stand for no value.
    pub unset: Vec<Vec<u8>>,
    /// What lines have to meet.
    pub conditions: FormatConditions,
    /// Lines of another kind that have not the form of the others.
    pub other: Vec<regex::bytes::Regex>,
    /// What is summed, and how many connections a line is.
    pub numbers: NumberRules,
}

/// What lines of a format have to meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatConditions {
    /// What lines of the form meet; others are malformed.
    pub form: Vec<Condition>,
    /// What its records meet; lines that do not are of another kind.
    pub only: Vec<Condition>,
    /// What records have to meet to count.
    pub wanted: Vec<Condition>,
    /// What a line meets that tells the format.
    pub known_by: Vec<Condition>,
}

/// How fields are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldRules {
    /// In columns.
    Columns(ColumnRules),
    /// In a line of JSON.
    Json,
    /// As `key=value`. A part of a line that begins with this text, and ends with a bracket, has the keys
    /// of something else.
    KeyVal(Option<Vec<u8>>),
    /// In the named groups of this pattern.
    Regex(String),
}

/// How a line of columns is cut, and what they are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnRules {
    /// How it is cut.
    pub spec: ColumnsSpec,
    /// What lines begin with that are no records.
    pub comment: Option<Vec<u8>>,
    /// Such lines that a log may have only as they stand here, each known by its first word.
    pub fixed: Vec<Vec<u8>>,
    /// Where the names of the columns stand.
    pub header: Header,
    /// The names of the columns where the input does not say them, or `header` may be missing.
    pub names: Vec<String>,
    /// Whether a line may have more columns than have names.
    pub takes_more: bool,
}

/// Where the names of columns stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Header {
    /// Nowhere.
    None,
    /// In the first line.
    First,
    /// Behind this text, at the beginning of a line.
    Behind(Vec<u8>),
}

/// Where a stamp stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeSource {
    /// The stamp.
    pub stamp: Template,
    /// A field of seconds that are added to it, if it is there.
    pub plus: Option<String>,
}

impl PartialEq for Definition {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.to_string() == other.to_string()
    }
}

impl Eq for Definition {}

const fn key(name: &'static str, kind: Kind, help: &'static str) -> OptionSpec {
    OptionSpec { name, kind, default: None, required: false, help }
}

/// The keys of a format, in the order in which they are written.
pub const KEYS: &[OptionSpec] = &[
    key("envelope", Kind::Choice(Envelope::NAMES), "what stands around each line"),
    key("fields", Kind::Choice(&["columns", "json", "keyval", "regex"]), "how the fields of a line are found"),
    key("separator", Kind::Text, "between columns: blanks, tab, comma, semicolon, pipe or any text"),
    key("quotes", Kind::Choice(&["none", "csv", "web"]), "how columns are quoted; web: [..] and \"..\" as in web logs"),
    key("trim", Kind::Flag, "whether blanks around a column are no part of it"),
    key("trailing-separator", Kind::Flag, "whether a separator may follow the last column"),
    key("comment", Kind::Text, "what lines begin with that are no records"),
    key("fixed", Kind::Texts, "lines that a log may have only so, each known by its first word"),
    key("header", Kind::Text, "where columns are named: none, first (line), or what such a line begins with"),
    key("columns", Kind::Texts, "the names of the columns, where the log does not say them"),
    key("more-columns", Kind::Flag, "whether a line may have more columns than have names"),
    key(
        "aside",
        Kind::Text,
        "what a part of a line begins with whose keys are those of something else; it ends with a bracket",
    ),
    key("pattern", Kind::Text, "a regular expression whose named groups are the fields"),
    key("time", Kind::Texts, "the field of the stamp; of several, the first that is there"),
    key("time-start", Kind::Texts, "the field of the stamp of the start, where there are two"),
    key("time-end", Kind::Texts, "the field of the stamp of the end; START + DURATION adds seconds"),
    key("record-time", Kind::Choice(&["start", "end"]), "which of the two counts"),
    key(
        "time-form",
        Kind::Text,
        "how stamps are written: auto, number, rfc3339, clf, syslog, or a pattern as %d.%m.%Y %T",
    ),
    key("from", Kind::Texts, "who connected: a field, or a text as {src_ip/24}; of several, the first that is there"),
    key("to", Kind::Texts, "to whom, e.g. {dst_ip}:{dst_port}"),
    key("unset", Kind::Texts, "texts that stand for no value"),
    key("zero", Kind::Texts, "texts that stand for 0 in the measures that it knows by name"),
    key("form", Kind::Texts, "conditions that lines of the form meet; others are malformed"),
    key("only", Kind::Texts, "conditions that records meet; other lines are of another kind"),
    key("where", Kind::Texts, "conditions that records have to meet to count"),
    key("other", Kind::Texts, "patterns of lines of another kind, which have not the form of records"),
    key("measures", Kind::Texts, "the measures that it knows by name, each NAME=FIELD or NAME=FIELD+FIELD"),
    key("sum", Kind::Texts, "what is summed beside the count: a measure of the format, a field, or NAME=FIELD+FIELD"),
    key("weight", Kind::Texts, "the field that says how many connections a line stands for; of several, the first"),
    key("known-by", Kind::Texts, "conditions on a line that tell the format"),
];

/// What is wrong with a definition: at which key, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The key.
    pub key: &'static str,
    /// What is wrong.
    pub message: String,
}

impl Definition {
    /// Of a name and keys, each of its kind; errors with the first that is wrong.
    pub fn new(name: &str, given: Options) -> Result<Self, Flaw> {
        let rules = field_rules(&given)?;
        let form = given.text("time-form").map_or(Ok(StampForm::Auto), StampForm::parse);
        let form = form.map_err(|message| Flaw { key: "time-form", message })?;
        let conditions = |key| parsed(&given, key, |text: &str| text.parse::<Condition>());
        let templates = |key| parsed(&given, key, |text: &str| text.parse::<Template>());
        let envelope = given.text("envelope").and_then(Envelope::named).unwrap_or(Envelope::None);
        let definition = Definition {
            name: name.to_owned(),
            envelope,
            fields: rules,
            time: times(&given)?,
            form,
            from: templates("from")?,
            to: templates("to")?,
            unset: byte_texts(&given, "unset"),
            conditions: FormatConditions {
                form: conditions("form")?,
                only: conditions("only")?,
                wanted: conditions("where")?,
                known_by: conditions("known-by")?,
            },
            other: parsed(&given, "other", condition::pattern)?,
            numbers: number_rules(&given)?,
            given,
        };
        for (key, is_missing) in [
            ("time", definition.time.is_empty()),
            ("from", definition.from.is_empty()),
            ("to", definition.to.is_empty()),
        ] {
            if is_missing {
                return Err(Flaw { key, message: format!("is missing: say which field of a '{name}' line it is") });
            }
        }
        Ok(definition)
    }

    /// Whether records count by their start, and are written at their end.
    pub fn counts_starts(&self) -> bool {
        let has = |key: &str| !self.given.texts(key).is_empty();
        self.given.text("record-time") == Some("start") && has("time-start") && has("time-end") && !has("time")
    }

    /// Whether another one has its fields where this has them.
    pub fn has_fields_of(&self, other: &Definition) -> bool {
        let is_same = |key: &&str| self.given.get(key) == other.given.get(key);
        ["fields", "separator", "columns", "pattern", "time", "from", "to"].iter().all(is_same)
    }

    /// Whether it has a value of this key.
    pub fn says(&self, key: &str) -> bool {
        self.given.get(key).is_some()
    }

    /// The same with other values of some keys.
    pub fn with(&self, others: &Options) -> Result<Self, Flaw> {
        let mut given = self.given.clone();
        for spec in KEYS {
            match (spec.name, others.get(spec.name)) {
                // What a format asks of its records is asked all the same.
                ("where", Some(Value::Texts(more))) => {
                    let all = given.texts("where").iter().chain(more).cloned().collect();
                    given.set("where", Value::Texts(all));
                }
                (name, Some(value)) => given.set(name, value.clone()),
                (_, None) => {}
            }
        }
        // Who says where the stamp stands means it, whatever there was before.
        if others.get("time").is_some() {
            ["time-start", "time-end"].into_iter().for_each(|key| given.unset(key));
        }
        Definition::new(&self.name, given)
    }
}

impl ColumnRules {
    /// Whether a line says of how the log is written what these do not read.
    pub fn are_contradicted_by(&self, line: &[u8]) -> bool {
        let word = |text: &[u8]| text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
        let is_other = |fixed: &Vec<u8>| line[..word(line)] == fixed[..word(fixed)] && line != &fixed[..];
        self.fixed.iter().any(is_other)
    }
}

/// The values of a list of texts, as bytes.
fn byte_texts(given: &Options, key: &str) -> Vec<Vec<u8>> {
    given.texts(key).iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// The values of a list of texts, each read as what it means.
fn parsed<T>(given: &Options, key: &'static str, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, Flaw> {
    let all = given.texts(key).iter().map(|text| read(text).map_err(|message| Flaw { key, message }));
    all.collect()
}

/// What keys say of numbers.
pub fn number_rules(given: &Options) -> Result<NumberRules, Flaw> {
    let measures = |key| parsed(given, key, |text: &str| text.parse::<Measure>());
    let rules = NumberRules {
        asked: measures("sum")?,
        known: measures("measures")?,
        zeros: byte_texts(given, "zero"),
        weight: given.texts("weight").to_vec(),
    };
    rules.check().map_err(|message| Flaw { key: "sum", message })?;
    Ok(rules)
}

fn times(given: &Options) -> Result<Vec<TimeSource>, Flaw> {
    let key = ["time", "time-end", "time-start"];
    let (time, end, start) = (key[0], key[1], key[2]);
    let is_start = given.text("record-time") == Some("start");
    let first = if is_start { [time, start, end] } else { [time, end, start] };
    let key = first.into_iter().find(|key| !given.texts(key).is_empty()).unwrap_or(time);
    parsed(given, key, time_source)
}

fn time_source(text: &str) -> Result<TimeSource, String> {
    let (stamp, plus) = match text.rsplit_once(" + ") {
        Some((stamp, plus)) => (stamp, Some(plus.trim().to_owned())),
        None => (text, None),
    };
    Ok(TimeSource { stamp: stamp.trim().parse()?, plus })
}

fn field_rules(given: &Options) -> Result<FieldRules, Flaw> {
    Ok(match given.text("fields").unwrap_or("columns") {
        "json" => FieldRules::Json,
        "keyval" => {
            let aside = given.text("aside").filter(|text| !text.is_empty());
            FieldRules::KeyVal(aside.map(|text| text.as_bytes().to_vec()))
        }
        "regex" => {
            let text = given.text("pattern").unwrap_or_default();
            let flaw = |message| Flaw { key: "pattern", message };
            if text.is_empty() {
                return Err(flaw("is missing: give a pattern with named groups, e.g. (?<from>\\S+)".to_owned()));
            }
            condition::pattern(text).map_err(flaw)?;
            FieldRules::Regex(text.to_owned())
        }
        _ => FieldRules::Columns(column_rules(given)),
    })
}

fn column_rules(given: &Options) -> ColumnRules {
    let separator = match given.text("separator").unwrap_or("blanks") {
        "blanks" => Separator::Blanks,
        "tab" => Separator::Byte(b'\t'),
        "comma" => Separator::Byte(b','),
        "semicolon" => Separator::Byte(b';'),
        "pipe" => Separator::Byte(b'|'),
        text => match text.as_bytes() {
            [byte] => Separator::Byte(*byte),
            bytes => Separator::Text(bytes.to_vec()),
        },
    };
    let quotes = match given.text("quotes") {
        Some("csv") => Quotes::Csv,
        Some("web") => Quotes::Web,
        _ => Quotes::None,
    };
    let header = match given.text("header").unwrap_or("none") {
        "none" => Header::None,
        "first" => Header::First,
        text => Header::Behind(text.as_bytes().to_vec()),
    };
    ColumnRules {
        spec: ColumnsSpec { separator, quotes, trim: given.flag("trim"), trailing: given.flag("trailing-separator") },
        comment: given.text("comment").map(|text| text.as_bytes().to_vec()),
        fixed: byte_texts(given, "fixed"),
        header,
        names: given.texts("columns").to_vec(),
        takes_more: given.flag("more-columns"),
    }
}

/// Keys of a format as TOML, in the order of `KEYS`.
pub fn keys_in_toml(keys: &Options) -> String {
    InToml(keys).to_string()
}

struct InToml<'a>(&'a Options);

/// Its keys as TOML, in the order of `KEYS`.
impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        InToml(&self.given).fmt(f)
    }
}

impl fmt::Display for InToml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for spec in KEYS {
            match self.0.get(spec.name) {
                Some(Value::Text(text)) => writeln!(f, "{} = {}", spec.name, quoted(text))?,
                Some(Value::Flag(flag)) => writeln!(f, "{} = {flag}", spec.name)?,
                Some(Value::Texts(all)) => {
                    let all: Vec<String> = all.iter().map(|text| quoted(text)).collect();
                    match &all[..] {
                        [one] => writeln!(f, "{} = {one}", spec.name)?,
                        _ => writeln!(f, "{} = [{}]", spec.name, all.join(", "))?,
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A text as TOML: as it stands between apostrophes, if it can.
fn quoted(text: &str) -> String {
    if text.contains(['"', '\\']) && !text.contains('\'') && !text.chars().any(char::is_control) {
        return format!("'{text}'");
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// The keys that a TOML text has, checked by themselves; errors with what is wrong with the first
/// that is not one.
pub fn read_keys(text: &str) -> Result<Options, String> {
    use toml::de::{DeTable, DeValue};
    fn raw(value: &DeValue<'_>) -> Raw {
        match value {
            DeValue::String(text) => Raw::Text(text.to_string()),
            DeValue::Boolean(flag) => Raw::Flag(*flag),
            DeValue::Array(items) => Raw::List(items.iter().map(|item| raw(item.get_ref())).collect()),
            other => Raw::Other(other.type_str()),
        }
    }
    let table = DeTable::parse(text).map_err(|error| error.message().to_owned())?;
    let mut options = Options::default();
    for (key, value) in table.get_ref() {
        let key = key.get_ref();
        let spec = KEYS.iter().find(|spec| spec.name == key).ok_or_else(|| format!("'{key}' is no key of a format"))?;
        let value = spec.kind.parse(&raw(value.get_ref())).map_err(|expected| format!("{key}: {expected}"))?;
        options.set(spec.name, value);
    }
    Ok(options)
}
