//! A format as it was asked for, of no input yet.
//!
//! Not here: what an input is told to be (`detect`). Invariant: what was asked for beside the format
//! holds whatever the format is told to be.

use std::sync::Arc;

use super::detect::{Detected, detect, detect_by_fields, within_envelope};
use super::listed::{AUTO, PLAIN, names};
use super::mapped::bind::{Head, StampContext};
use super::mapped::definition::{keys_in_toml, number_rules, read_keys};
use super::mapped::numbers::Measure;
use super::mapped::presets::preset;
use super::mapped::{Definition, Flaw};
use super::plain::Plain;
use super::schema::{LineRules, Schema};
use super::stamps::Zone;
use crate::model::{Timestamp, Units};
use crate::options::{Options, Value};

/// What was asked for: a format, or that it be told.
#[derive(Debug, Clone, PartialEq, Eq)]
enum AskedFormat {
    Auto,
    Plain,
    Defined(Arc<Definition>),
}

/// A format as it was asked for, of no input yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    asked: AskedFormat,
    /// Keys that were given beside it, whatever it is.
    keys: Options,
    units: Units,
    zone: Zone,
}

/// Why an input is not read, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unbound {
    /// Nothing tells its format, or it is not of the one that was named.
    Untold(String),
    /// It has not what was asked for, or that can't be asked.
    Misasked(String),
}

impl Format {
    /// The format of this name, `auto` included; `own` are those of a configuration. With keys that
    /// were given beside it. `None` if there is none.
    pub fn named(name: &str, own: &[Arc<Definition>], keys: Options) -> Option<Result<Self, Flaw>> {
        let defined = own.iter().find(|own| own.name == name).cloned();
        let asked = match (defined, name) {
            (Some(own), _) => AskedFormat::Defined(own),
            (None, AUTO) => AskedFormat::Auto,
            (None, PLAIN) => AskedFormat::Plain,
            (None, _) => AskedFormat::Defined(preset(name)?.definition()?),
        };
        let format = Format { asked, keys, units: Units::AUTO, zone: Zone::UTC };
        Some(format.with_keys())
    }

    /// The format that is told by the head of each input.
    pub fn auto() -> Self {
        Format { asked: AskedFormat::Auto, keys: Options::default(), units: Units::AUTO, zone: Zone::UTC }
    }

    /// The format that `logparser` has always read.
    pub fn plain() -> Self {
        Format { asked: AskedFormat::Plain, ..Format::auto() }
    }

    /// The same with how whole numbers tell their unit, and the zone of stamps without one.
    pub fn reading(self, units: Units, zone: Zone) -> Self {
        Format { units, zone, ..self }
    }

    /// Puts the keys into the definition, if there is one already.
    fn with_keys(mut self) -> Result<Self, Flaw> {
        if self.asked == AskedFormat::Plain && !self.keys.texts("sum").is_empty() {
            let message = "lines of plain have no numbers to sum; say which format the log has (--format, or --format \
                           auto to have that told by its first lines)";
            return Err(Flaw { key: "sum", message: message.to_owned() });
        }
        if self.is_auto() {
            number_rules(&self.keys)?;
        }
        if let AskedFormat::Defined(own) = &self.asked {
            self.asked = AskedFormat::Defined(Arc::new(own.with(&self.keys)?));
        }
        if self.asked == AskedFormat::Plain && self.keys.iter().next().is_some() {
            self.asked = AskedFormat::Defined(as_definition(&self.keys)?);
        }
        Ok(self)
    }

    /// The name by which it was asked for.
    pub fn name(&self) -> &str {
        match &self.asked {
            AskedFormat::Auto => AUTO,
            AskedFormat::Plain => PLAIN,
            AskedFormat::Defined(own) => &own.name,
        }
    }

    /// What tells it from other formats, as text: its name and, where it is no format that comes with
    /// the program as it is, its keys.
    pub fn identity(&self) -> String {
        let own = match &self.asked {
            AskedFormat::Defined(own) => own.to_string(),
            // What inputs are told to be is read with these.
            _ => keys_in_toml(&self.keys),
        };
        let shipped = preset(self.name()).and_then(|preset| preset.definition());
        match own.is_empty() || shipped.is_some_and(|shipped| shipped.to_string() == own) {
            true => self.name().to_owned(),
            false => format!("{}\n{own}", self.name()),
        }
    }

    /// Whether it is defined by somebody else than this program.
    pub fn is_own(&self) -> bool {
        !names().any(|name| name == self.name())
    }

    /// The keys that were given beside its name, if with these the name alone says all of it: it is none
    /// that a configuration defines.
    pub fn keys_beside(&self) -> Option<&Options> {
        let is_known = names().any(|name| name == self.name());
        is_known.then_some(&self.keys)
    }

    /// What people should know of how an input is read: what its head told beside what was asked for, and
    /// is not `plain`.
    pub fn told(&self, schema: &Schema) -> Option<String> {
        match (&self.asked, schema) {
            (_, Schema::Plain(_)) | (AskedFormat::Plain, _) => None,
            (AskedFormat::Auto, _) => Some(schema.name()),
            (AskedFormat::Defined(own), Schema::Mapped(bound)) => {
                let envelope = bound.definition().envelope;
                (envelope != own.envelope).then(|| format!("{} in {}", own.name, envelope.name()))
            }
        }
    }

    /// Whether it is told by the head of each input.
    pub fn is_auto(&self) -> bool {
        self.asked == AskedFormat::Auto
    }

    /// The names of the measures that are summed, in their order.
    pub fn measures(&self) -> Vec<String> {
        let name = |measure: &Measure| measure.name.clone();
        match &self.asked {
            AskedFormat::Defined(own) => own.numbers.asked.iter().map(name).collect(),
            _ => number_rules(&self.keys).map_or(Vec::new(), |rules| rules.asked.iter().map(name).collect()),
        }
    }

    /// How whole numbers tell their unit.
    pub fn units(&self) -> Units {
        self.units
    }

    /// The zone of stamps without one.
    pub fn zone(&self) -> Zone {
        self.zone.clone()
    }

    /// How lines of `plain` are read.
    pub fn plain_rules(&self, max_line: usize) -> LineRules {
        LineRules { schema: Schema::Plain(Plain { units: self.units }), max_line }
    }

    /// Whether the head of an input has a say in how it is read.
    pub fn needs_head(&self) -> bool {
        self.asked != AskedFormat::Plain
    }

    /// How the lines of an input are read that begins so and was last written to at `latest`. They
    /// may have so many bytes. To be asked once for each input.
    pub fn bind(&self, head: &Head<'_>, latest: Timestamp, max_line: usize) -> Result<LineRules, Unbound> {
        let context = StampContext { latest, ..self.context() };
        let schema = match &self.asked {
            AskedFormat::Plain => Schema::Plain(Plain { units: self.units }),
            AskedFormat::Defined(own) => {
                // Without more, it is the format itself that is none of this input.
                let why = if self.has_keys() { Unbound::Misasked } else { Unbound::Untold };
                let within = within_envelope(own, head, &context);
                let bound = within.as_ref().unwrap_or(own).bind(head, &context).map_err(why)?;
                Schema::Mapped(bound.watching(&self.keys, head))
            }
            AskedFormat::Auto => self.detected(head, &context)?,
        };
        Ok(LineRules { schema, max_line })
    }

    /// What stamps mean that do not say all of it themselves, wherever they stand.
    pub(super) fn context(&self) -> StampContext {
        StampContext { units: self.units, zone: self.zone.clone(), ..StampContext::default() }
    }

    /// Whether more was asked for than the format.
    fn has_keys(&self) -> bool {
        self.keys.iter().next().is_some()
    }

    /// The schema of an input whose format is told by its head.
    fn detected(&self, head: &Head<'_>, context: &StampContext) -> Result<Schema, Unbound> {
        let flaw = |Flaw { key, message }| Unbound::Misasked(format!("{key}: {message}"));
        let has_keys = self.has_keys();
        let told = match (detect(head, context), head.uncut()) {
            (Ok(told @ Detected::Defined(_)), _) | (Ok(told), None) => Ok(told),
            // A last line without an end hides no format that the others tell.
            (told, uncut) => match uncut.map(|uncut| detect(&uncut, context)) {
                Some(Ok(uncut @ Detected::Defined(_))) => Ok(uncut),
                _ => told,
            },
        };
        let told = match told {
            Err(error) => {
                detect_by_fields(head, context, &self.keys).ok_or_else(|| Unbound::Untold(error.to_string()))?
            }
            Ok(told) => told,
        };
        let definition = match told {
            Detected::Plain if has_keys => as_definition(&self.keys).map_err(flaw)?,
            Detected::Plain => return Ok(Schema::Plain(Plain { units: self.units })),
            Detected::Defined(own) if has_keys => Arc::new(own.with(&self.keys).map_err(flaw)?),
            Detected::Defined(own) => own,
        };
        let mapped = definition.bind(head, context).map_err(Unbound::Misasked)?;
        Ok(Schema::Mapped(mapped.watching(&self.keys, head)))
    }
}

/// `plain` as data, with keys that it has not by itself.
fn as_definition(keys: &Options) -> Result<Arc<Definition>, Flaw> {
    let mut own = Options::default();
    let texts = |all: &[&str]| Value::Texts(all.iter().map(|text| (*text).to_owned()).collect());
    own.set("columns", texts(&["time", "from", "to"]));
    own.set("time-form", Value::Text("number".to_owned()));
    ["time", "from", "to"].into_iter().for_each(|key| own.set(key, texts(&[key])));
    Definition::new(PLAIN, own)?.with(keys).map(Arc::new)
}

/// Whether a text is the identity of a format that can be read.
pub fn is_identity(text: &str) -> bool {
    match text.split_once('\n') {
        None => names().any(|name| name == text),
        Some((_, keys)) => read_keys(keys).is_ok(),
    }
}
