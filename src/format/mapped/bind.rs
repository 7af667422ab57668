//! A definition bound to an input: which columns it has, and where the fields of a record stand in
//! them.
//!
//! Not here: which definition an input has (`detect`). Invariant: an input is bound by its head
//! alone, so whoever reads a part of it reads it the same.

use std::sync::Arc;

use super::bound::{Bound, BoundCondition, BoundConditions, BoundFields, BoundTime, OF_ENVELOPE, UnsetTexts};
use super::condition::Condition;
use super::definition::{ColumnRules, FieldRules, FormatConditions, Header, TimeSource};
use super::naming::{Naming, names_said};
use super::numbers::BoundNumbers;
use super::template::{SlotTemplate, Template};
use super::{Definition, Mapped};
use crate::format::extract::{
    Columns, ColumnsSpec, Extractor, FieldPath, JsonFields, KeyVal, Pattern, Quotes, Separator,
};
use crate::format::stamps::{StampRules, StampScratch, Zone};
use crate::model::{Timestamp, Unfit, Units};

/// What stamps mean that do not say all of it themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StampContext {
    /// How whole numbers tell their unit.
    pub units: Units,
    /// The zone of stamps without one.
    pub zone: Zone,
    /// No stamp without a year is later than this and a day.
    pub latest: Timestamp,
}

impl Default for StampContext {
    /// Numbers that tell their unit, UTC, and any year.
    fn default() -> Self {
        StampContext { units: Units::AUTO, zone: Zone::UTC, latest: Timestamp::MAX }
    }
}

/// The first lines of an input, without their ends.
#[derive(Debug, Clone, Default)]
pub struct Head<'a> {
    /// The lines.
    pub lines: Vec<&'a [u8]>,
    /// Whether the last one has no end, and may be a part of what is still to be written.
    is_cut: bool,
}

/// Bytes of an input that its head has at most.
pub const HEAD_BYTES: usize = 64 << 10;

impl<'a> Head<'a> {
    /// Lines that a head has at most.
    pub const MOST_LINES: usize = 200;

    /// Of the first bytes of an input; `is_whole` if these are all that it has. A line that is not
    /// known to its end is no part of it.
    pub fn of(bytes: &'a [u8], is_whole: bool) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let known = if is_whole { bytes.len() } else { memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1) };
        let lines = bytes[..known].split_inclusive(|byte| *byte == b'\n').take(Head::MOST_LINES);
        let lines: Vec<&[u8]> = lines.collect();
        let is_cut = lines.last().is_some_and(|line| !line.ends_with(b"\n"));
        let trimmed = lines.into_iter().map(|line| line.strip_suffix(b"\n").unwrap_or(line));
        Head { lines: trimmed.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect(), is_cut }
    }

    /// Without a last line that has no end, if there is one.
    pub fn uncut(&self) -> Option<Self> {
        let lines = self.lines.split_last().filter(|_| self.is_cut)?.1.to_vec();
        Some(Head { lines, is_cut: false })
    }

    /// Its lines that are not blank.
    pub fn filled(&self) -> impl Iterator<Item = &'a [u8]> {
        self.lines.iter().copied().filter(|line| !line.trim_ascii().is_empty())
    }
}

/// Names of fields, each once, by slot.
#[derive(Default)]
struct Slots<'a> {
    /// The names of the columns, if that is all there are.
    columns: Option<&'a [String]>,
    names: Vec<String>,
}

impl Slots<'_> {
    /// The slot of a field; `None` if there can be none.
    fn of(&mut self, name: &str) -> Option<usize> {
        if self.columns.is_some_and(|columns| column(columns, name).is_none()) && !OF_ENVELOPE.contains(&name) {
            return None;
        }
        let known = self.names.iter().position(|known| known == name);
        known.or_else(|| {
            self.names.push(name.to_owned());
            Some(self.names.len() - 1)
        })
    }
}

/// Where columns are named.
#[derive(Debug, Clone, Copy)]
enum HeaderPlace<'a> {
    /// At the beginning of an input: what is asked for has to be there.
    First,
    /// Further down: what other lines have need not be there. With what is known of lines that name columns.
    Anew(Option<&'a Naming>),
}

impl<'a> HeaderPlace<'a> {
    fn known(self) -> Option<&'a Naming> {
        match self {
            HeaderPlace::First => None,
            HeaderPlace::Anew(known) => known,
        }
    }
}

/// The number of a column, from 0: by its name, or by its number from 1.
fn column(columns: &[String], name: &str) -> Option<usize> {
    let by_name = columns.iter().position(|column| column == name);
    // In other letters, if that is one column alone.
    let mut alike = columns.iter().enumerate().filter(|(_, column)| column.eq_ignore_ascii_case(name));
    let alike = alike.next().filter(|_| alike.next().is_none()).map(|(at, _)| at);
    by_name
        .or(alike)
        .or_else(|| name.parse::<usize>().ok().filter(|number| (1..=MOST_COLUMNS).contains(number)).map(|it| it - 1))
}

/// Columns that a line may have.
const MOST_COLUMNS: usize = 10_000;

impl Definition {
    /// The same for an input that begins so. Errors with why that can't be, for people.
    pub fn bind(self: &Arc<Self>, head: &Head<'_>, context: &StampContext) -> Result<Mapped, String> {
        let (columns, header) = match &self.fields {
            FieldRules::Columns(rules) => self.columns_of(rules, head, context)?,
            _ => (None, Vec::new()),
        };
        self.bind_columns(columns, header, context, HeaderPlace::First)
    }

    /// The same for an input with these columns.
    fn bind_columns(
        self: &Arc<Self>,
        columns: Option<Vec<String>>,
        header: Vec<u8>,
        context: &StampContext,
        named: HeaderPlace<'_>,
    ) -> Result<Mapped, String> {
        let known = match (&self.fields, &columns) {
            (FieldRules::Columns(rules), None) => Some(&rules.names[..]),
            (_, Some(columns)) => Some(&columns[..]),
            _ => None,
        };
        let mut slots = Slots { columns: known, names: Vec::new() };
        let time = bound_any(&self.time, &mut slots, bound_time)?;
        let from = bound_any(&self.from, &mut slots, bound_template)?;
        let to = bound_any(&self.to, &mut slots, bound_template)?;
        for name in self.conditions.wanted.iter().flat_map(Condition::fields) {
            if slots.of(name).is_none() && matches!(named, HeaderPlace::First) {
                return Err(unknown(name, &slots));
            }
        }
        let numbers = self.bound_numbers(&mut slots, named)?;
        let conditions = self.bound_conditions(&mut slots);
        // Of lines that may have more columns, the last one that they need.
        let last = match (&self.fields, &columns) {
            (FieldRules::Columns(rules), Some(columns)) if rules.takes_more => slots.of(&columns.len().to_string()),
            _ => None,
        };
        let names = std::mem::take(&mut slots.names);
        let (extractor, order) = self.extractor(&names, columns.as_deref())?;
        let own: Vec<String> = names.into_iter().filter(|name| !OF_ENVELOPE.contains(&name.as_str())).collect();
        let mut bound = Bound {
            naming: Naming::of(self, columns.as_deref(), named.known()),
            definition: Arc::clone(self),
            columns,
            header,
            fields: BoundFields {
                extractor,
                is_json: self.fields == FieldRules::Json,
                unset: UnsetTexts::of(&self.unset),
                names: own,
                last,
            },
            stamps: StampRules { form: self.form.clone(), units: context.units, zone: context.zone.clone() },
            time,
            hosts: [from, to],
            conditions,
            numbers,
        };
        bound.renumber(&order);
        Ok(Mapped::of(bound, context.latest))
    }

    /// Whether lines with these columns are records.
    pub(super) fn makes_records_of(
        self: &Arc<Self>,
        columns: Vec<String>,
        context: &StampContext,
        known: &Naming,
    ) -> bool {
        self.bind_columns(Some(columns), Vec::new(), context, HeaderPlace::Anew(Some(known))).is_ok()
    }

    /// The same for an input that has these columns from some line on; if these make no record, for one
    /// that has none.
    pub(super) fn bind_columns_or_none(
        self: &Arc<Self>,
        columns: Vec<String>,
        header: Vec<u8>,
        context: &StampContext,
        known: Option<&Naming>,
    ) -> Mapped {
        let bound = self.bind_columns(Some(columns.clone()), header.clone(), context, HeaderPlace::Anew(known));
        bound.unwrap_or_else(|_| {
            let (separator, quotes) = (Separator::Byte(b'\n'), Quotes::None);
            let spec = ColumnsSpec { separator, quotes, trim: false, trailing: false };
            Mapped::of(
                Bound {
                    naming: Naming::of(self, Some(&columns), known),
                    definition: Arc::clone(self),
                    columns: Some(columns),
                    header,
                    fields: BoundFields {
                        extractor: Extractor::Columns(Columns::new(spec, &[], None)),
                        is_json: false,
                        unset: UnsetTexts::default(),
                        names: Vec::new(),
                        last: None,
                    },
                    stamps: StampRules { form: self.form.clone(), units: context.units, zone: context.zone.clone() },
                    time: Vec::new(),
                    hosts: [Vec::new(), Vec::new()],
                    conditions: BoundConditions::default(),
                    numbers: BoundNumbers::default(),
                },
                context.latest,
            )
        })
    }

    /// The same for an input of which this was saved. Errors with why that can't be.
    pub fn bind_saved(
        self: &Arc<Self>,
        columns: Option<Vec<String>>,
        header: Vec<u8>,
        context: &StampContext,
    ) -> Result<Mapped, String> {
        // A header that makes no record is one that stood behind another.
        let is_said_by = |columns: &Vec<String>| {
            let FieldRules::Columns(rules) = &self.fields else { return false };
            !header.is_empty() && names_said(rules, &header).unwrap_or_default() == *columns
        };
        match columns {
            Some(columns) if is_said_by(&columns) => Ok(self.bind_columns_or_none(columns, header, context, None)),
            columns => self.bind_columns(columns, header, context, HeaderPlace::First),
        }
    }

    /// What its lines have to meet.
    fn bound_conditions(&self, slots: &mut Slots<'_>) -> BoundConditions {
        let is_json = self.fields == FieldRules::Json;
        // What a format says of its records may be of columns that not every input has.
        let mut bound = |all: &[Condition]| {
            let of_lines = all.iter().map(|one| one.clone().of_json(is_json));
            of_lines.map(|one| bound_condition(one, slots)).collect::<Vec<_>>()
        };
        let FormatConditions { form, only, wanted, known_by } = &self.conditions;
        let mut conditions =
            BoundConditions { form: bound(form), only: bound(only), wanted: bound(wanted), known_by: bound(known_by) };
        // What lines meet by what this input does not have need not be asked of each.
        for all in [&mut conditions.form, &mut conditions.only, &mut conditions.wanted] {
            all.retain(|one| !one.condition.is_met_without(|at| one.slots[at].is_none()));
        }
        conditions
    }

    /// Where the numbers of its lines stand.
    fn bound_numbers(&self, slots: &mut Slots<'_>, named: HeaderPlace<'_>) -> Result<BoundNumbers, String> {
        let rules = &self.numbers;
        let bind = |fields: &Vec<String>, slots: &mut Slots<'_>| {
            fields.iter().map(|field| slots.of(field).ok_or_else(|| field.clone())).collect::<Result<Vec<_>, _>>()
        };
        let measures = rules.asked.iter().map(|asked| {
            let bound = match bound_any(&rules.ways(asked), slots, bind) {
                Err(_) if matches!(named, HeaderPlace::Anew(_)) => Ok(Vec::new()),
                bound => bound,
            };
            bound.map_err(|why| format!("sum of {}: {why}{}", asked.name, rules.hint()))
        });
        let measures = measures.collect::<Result<Vec<_>, String>>()?;
        // Not every log of a format has it.
        let weight = rules.weight.iter().find_map(|field| slots.of(field));
        Ok(BoundNumbers { measures, weight, are_of_json: self.fields == FieldRules::Json })
    }

    /// What finds the fields of these names, and the place of each name among its slots; those of
    /// the envelope come behind them.
    fn extractor(&self, names: &[String], columns: Option<&[String]>) -> Result<(Extractor, Vec<usize>), String> {
        let is_own = |name: &&String| !OF_ENVELOPE.contains(&name.as_str());
        let own: Vec<&String> = names.iter().filter(is_own).collect();
        let place = |name: &String| match OF_ENVELOPE.iter().position(|known| known == name) {
            Some(at) => own.len() + at,
            None => own.iter().position(|known| *known == name).unwrap_or_default(),
        };
        let order = names.iter().map(place).collect();
        let extractor = match &self.fields {
            FieldRules::Columns(rules) => {
                let known = columns.unwrap_or(&rules.names);
                let wanted: Vec<usize> = own.iter().filter_map(|name| column(known, name)).collect();
                let count = columns.map(<[String]>::len).filter(|_| !rules.takes_more);
                Extractor::Columns(Columns::new(rules.spec.clone(), &wanted, count))
            }
            FieldRules::Json => {
                let paths = own
                    .iter()
                    .map(|name| FieldPath::parse(name).map_err(|error| error.to_string()))
                    .collect::<Result<Vec<_>, _>>()?;
                Extractor::Json(JsonFields::new(&paths))
            }
            FieldRules::KeyVal(aside) => Extractor::KeyVal(KeyVal::new(&own).with_aside(aside.as_deref())),
            FieldRules::Regex(text) => {
                let pattern = super::condition::pattern(text)?;
                Extractor::Regex(Pattern::new(pattern, &own).map_err(|error| error.to_string())?)
            }
        };
        Ok((extractor, order))
    }

    /// Whether the stamp stands in a column that is known by its number, and these are the columns of a
    /// record.
    fn has_stamp_by_number(&self, columns: &[String], context: &StampContext) -> bool {
        let number = |name: &str| name.parse().ok().filter(|number| (1..=columns.len()).contains(number));
        let rules = StampRules { form: self.form.clone(), units: context.units, zone: context.zone.clone() };
        self.time.iter().any(|time| {
            let mut text = Vec::new();
            let by_number = time.stamp.with_slots(|name| number(name));
            let is_there = by_number
                .is_ok_and(|stamp| stamp.write(|slot: usize| Some(columns.get(slot - 1)?.as_bytes()), &mut text));
            is_there && rules.read(&text, context.latest, &mut StampScratch::default()) != Err(Unfit::NoStamp)
        })
    }

    /// The names of the columns of an input that begins so, if it has or needs any, and the line
    /// that says them.
    fn columns_of(
        &self,
        rules: &ColumnRules,
        head: &Head<'_>,
        context: &StampContext,
    ) -> Result<(Option<Vec<String>>, Vec<u8>), String> {
        let given = (!rules.names.is_empty()).then(|| rules.names.clone());
        let mut unescaped = Vec::new();
        let mut lines = head.filled().filter_map(|line| {
            let opened = self.envelope.open(line, &mut unescaped).ok()?;
            Some(opened.message.of(line, &unescaped).unwrap_or_default().to_vec())
        });
        match &rules.header {
            Header::None => Ok((given, Vec::new())),
            Header::First => {
                let is_comment = |line: &[u8]| rules.comment.as_ref().is_some_and(|comment| line.starts_with(comment));
                let Some(first) = lines.find(|line| !is_comment(line)) else { return Ok((given, Vec::new())) };
                let found = names_said(rules, &first)?;
                match given {
                    // A log that needs no header begins with a record.
                    Some(given) if !found.iter().any(|name| given.contains(name)) => Ok((Some(given), Vec::new())),
                    None if self.has_stamp_by_number(&found, context) => {
                        Ok((Some((1..=found.len()).map(|number| number.to_string()).collect()), Vec::new()))
                    }
                    _ => Ok((Some(found), first)),
                }
            }
            Header::Behind(prefix) => match lines.find(|line| line.starts_with(prefix)) {
                Some(line) => Ok((Some(names_said(rules, &line)?), line.clone())),
                None if given.is_some() || lines.next().is_none() => Ok((given, Vec::new())),
                None => Err(format!("no line begins with '{}'", String::from_utf8_lossy(prefix))),
            },
        }
    }
}

impl Bound {
    /// Puts each slot in its place among those of the extractor and of the envelope.
    fn renumber(&mut self, order: &[usize]) {
        let new = |slot: usize| order.get(slot).copied().unwrap_or(slot);
        for template in self.hosts.iter_mut().flatten() {
            template.renumber(new);
        }
        for time in &mut self.time {
            time.stamp.renumber(new);
            time.plus = time.plus.map(new);
        }
        self.fields.last = self.fields.last.map(new);
        self.numbers.renumber(new);
        let BoundConditions { form, only, wanted, known_by } = &mut self.conditions;
        for condition in [form, only, wanted, known_by].into_iter().flatten() {
            condition.slots.iter_mut().flatten().for_each(|slot| *slot = new(*slot));
        }
    }
}

/// What is said of a field that there is not.
fn unknown(name: &str, slots: &Slots<'_>) -> String {
    let known = slots.columns.unwrap_or_default();
    if known.is_empty() {
        return format!("there is no field '{name}': columns without names have numbers, from 1");
    }
    let near = crate::options::suggest(name, known.iter().map(String::as_str)).map(|near| format!(" ({near})"));
    format!("there is no field '{name}'{}; the fields are {}", near.unwrap_or_default(), known.join(", "))
}

/// Those of several of which all fields can be there; errors if there is none. `bind` errors with
/// the field that there can't be.
fn bound_any<T, B>(
    all: &[T],
    slots: &mut Slots<'_>,
    bind: impl Fn(&T, &mut Slots<'_>) -> Result<B, String>,
) -> Result<Vec<B>, String> {
    let (mut bound, mut missing) = (Vec::new(), None);
    for one in all {
        match bind(one, slots) {
            Ok(one) => bound.push(one),
            Err(name) => missing = missing.or(Some(name)),
        }
    }
    match missing.filter(|_| bound.is_empty()) {
        Some(name) => Err(unknown(&name, slots)),
        None => Ok(bound),
    }
}

fn bound_template(template: &Template, slots: &mut Slots<'_>) -> Result<SlotTemplate, String> {
    template.with_slots(|name| slots.of(name))
}

fn bound_time(source: &TimeSource, slots: &mut Slots<'_>) -> Result<BoundTime, String> {
    let stamp = bound_template(&source.stamp, slots)?;
    Ok(BoundTime { stamp, plus: source.plus.as_ref().and_then(|name| slots.of(name)) })
}

fn bound_condition(condition: Condition, slots: &mut Slots<'_>) -> BoundCondition {
    BoundCondition { slots: condition.fields().map(|name| slots.of(name)).collect(), condition }
}
