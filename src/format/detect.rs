//! Detection: which format an input has, by its head.
//!
//! Each format is tried on the first lines. One fits if nearly all of them are its records or known
//! to be of another kind, and if something shows that they are its own: a record, or what the format
//! says it is known by. Formats that say more of the lines come before general ones; of several that
//! fit alike none is taken. Not here: whose head that is. Invariant: the answer depends on the head
//! alone, and where it is not clear there is none.

use std::sync::Arc;

use super::envelope::Envelope;
use super::line::{FormatVisitor, LineFormat, Stamp};
use super::listed::PLAIN;
use super::mapped::bind::{Head, StampContext};
use super::mapped::presets::{Preset, preset, presets, shown_name};
use super::mapped::{Definition, Mapped};
use super::plain::Plain;
use super::schema::Schema;
use crate::model::Cause;
use crate::options::{Options, Value};

/// A format that was tried on a head.
#[derive(Debug, Clone)]
pub struct FormatCandidate {
    /// The name of the format, and of the envelope where it is not its own.
    pub name: String,
    /// How many lines it was tried on: those before one that names other columns.
    lines: usize,
    /// How many lines are records, and how many of another kind.
    pub records: usize,
    /// Lines of another kind.
    pub other: usize,
    /// The first line that is neither: its number from 1, and why.
    pub first_bad: Option<(usize, Cause)>,
    /// Whether something shows that the lines are of this format.
    is_known: bool,
    is_general: bool,
    /// Whether it is tried in the envelope of the lines, and not as it is.
    is_enclosed: bool,
    /// Whether any line has a stamp where this format has it.
    has_stamps: bool,
    definition: Option<Arc<Definition>>,
}

/// Why no format was told.
#[derive(Debug, Clone)]
pub enum Undetected {
    /// No format fits. Those that come nearest, best first.
    None(Vec<FormatCandidate>),
    /// These fit alike.
    Several(Vec<FormatCandidate>),
}

/// What an input was told to be.
#[derive(Debug, Clone)]
pub enum Detected {
    /// Lines of `plain`.
    Plain,
    /// Lines of this definition.
    Defined(Arc<Definition>),
}

/// Of a hundred lines, so many have to be of the format.
const ENOUGH: usize = 90;

/// The format of an input that begins so.
pub fn detect(head: &Head<'_>, context: &StampContext) -> Result<Detected, Undetected> {
    let lines: Vec<&[u8]> = head.filled().collect();
    let plain = FormatCandidate::plain(&lines, context);
    // What does not hold anything yet may be of the format that needs no telling.
    if lines.is_empty() || plain.fits() {
        return Ok(Detected::Plain);
    }
    let all = candidates(&lines).filter_map(|one| FormatCandidate::of(one, head, &lines, context)).collect();
    let all = enclosed_or_not(all);
    let fits = |one: &&FormatCandidate| one.fits();
    for is_general in [false, true] {
        let fitting: Vec<&FormatCandidate> =
            all.iter().filter(fits).filter(|one| one.is_general == is_general).collect();
        if let Some(best) = fitting.iter().map(|one| one.records).max() {
            // A clear lead: no other has more than half as many records.
            let near: Vec<&&FormatCandidate> =
                fitting.iter().filter(|one| one.records * 2 > best || best == 0).collect();
            return match &near[..] {
                [one] => Ok(one.definition.clone().map_or(Detected::Plain, Detected::Defined)),
                _ => Err(Undetected::Several(near.into_iter().map(|one| (*one).clone()).collect())),
            };
        }
    }
    // A log that begins each line with a number is taken for plain, whatever follows it: so its
    // lines are told to be malformed, and why.
    if plain.has_stamps {
        return Ok(Detected::Plain);
    }
    let mut nearest: Vec<FormatCandidate> = all.into_iter().filter(|one| one.records + one.other > 0).collect();
    nearest.sort_by_key(|one| std::cmp::Reverse(one.records + one.other));
    nearest.truncate(SHOWN);
    Err(Undetected::None(nearest))
}

/// The general format whose lines these are by the fields that were asked for, if all were that make a
/// record.
pub fn detect_by_fields(head: &Head<'_>, context: &StampContext, keys: &Options) -> Option<Detected> {
    if ["time", "from", "to"].into_iter().any(|key| keys.get(key).is_none()) {
        return None;
    }
    let lines: Vec<&[u8]> = head.filled().collect();
    let fits = |definition: &Arc<Definition>| {
        let mapped = definition.with(keys).ok().and_then(|own| Arc::new(own).bind(head, context).ok())?;
        let lines = before_other_columns(&mapped, &lines);
        let tried = FormatCandidate::tried(definition.name.clone(), &Schema::Mapped(mapped), lines, true);
        (tried.records > 0 && tried.fits()).then(|| Arc::clone(definition))
    };
    let general = candidates(&lines).filter(|(preset, _)| preset.is_general);
    let mut fitting = general.filter_map(|(_, definition)| fits(&definition));
    let found = fitting.next()?;
    fitting.next().is_none().then_some(Detected::Defined(found))
}

/// Candidates that are shown.
const SHOWN: usize = 3;

/// Each preset, in its own envelope and in that of the lines.
fn candidates<'a>(lines: &'a [&[u8]]) -> impl Iterator<Item = (&'static Preset, Arc<Definition>)> + 'a {
    let around = envelope(lines);
    presets().flat_map(move |preset| {
        let own = preset.definition();
        let within = own.as_ref().zip(around).and_then(|(own, around)| in_envelope(own, around));
        own.into_iter().chain(within).map(move |definition| (preset, definition))
    })
}

/// A definition in the envelope of the lines of this head, if it says nothing of envelopes and more of
/// them are its records so.
pub fn within_envelope(own: &Arc<Definition>, head: &Head<'_>, context: &StampContext) -> Option<Arc<Definition>> {
    let lines: Vec<&[u8]> = head.filled().collect();
    let within = in_envelope(own, envelope(&lines)?)?;
    let records = |definition: &Arc<Definition>| {
        let mapped =
            definition.bind(head, context).ok().filter(|own| lines.iter().any(|line| own.is_known_by(line)))?;
        Some(FormatCandidate::tried(String::new(), &Schema::Mapped(mapped), &lines, true).records)
    };
    let (of_within, of_own) = (records(&within)?, records(own).unwrap_or(0));
    // What somebody says of fields may be meant of whole lines.
    let shipped = preset(&own.name).and_then(Preset::definition);
    let is_shipped = shipped.is_some_and(|shipped| shipped.has_fields_of(own));
    let is_rather = of_within == of_own && of_own > 0 && (is_shipped || within.envelope.is_unmistakable());
    let is_better = of_within > of_own || is_rather;
    is_better.then_some(within)
}

/// Candidates without those that fit lines as they stand where others fit what is in their envelope: all
/// if that is unmistakable, else the same formats.
fn enclosed_or_not(mut all: Vec<FormatCandidate>) -> Vec<FormatCandidate> {
    let within: Vec<Arc<Definition>> =
        all.iter().filter(|one| one.fits() && one.is_enclosed).filter_map(|one| one.definition.clone()).collect();
    let is_hidden = |one: &FormatCandidate| {
        let is_same = |within: &Definition| one.definition.as_ref().is_some_and(|own| own.name == within.name);
        within.iter().any(|within| within.envelope.is_unmistakable() || is_same(within))
    };
    all.retain(|one| one.is_enclosed || !is_hidden(one));
    all
}

/// The lines before one that names other columns.
fn before_other_columns<'a, 'b>(mapped: &Mapped, lines: &'a [&'b [u8]]) -> &'a [&'b [u8]] {
    &lines[..lines.iter().position(|line| mapped.names_other_columns(line)).unwrap_or(lines.len())]
}

/// A definition in an envelope, if it says nothing of any.
fn in_envelope(own: &Definition, around: Envelope) -> Option<Arc<Definition>> {
    if own.says("envelope") {
        return None;
    }
    let mut options = Options::default();
    options.set("envelope", Value::Text(around.name().to_owned()));
    own.with(&options).ok().map(Arc::new)
}

/// The envelope of nearly all lines, if they have one.
fn envelope(lines: &[&[u8]]) -> Option<Envelope> {
    if lines.is_empty() {
        return None;
    }
    let mut unescaped = Vec::new();
    [Envelope::Cri, Envelope::DockerJson, Envelope::Syslog].into_iter().find(|envelope| {
        let opened = lines.iter().filter(|line| envelope.open(line, &mut unescaped).is_ok());
        opened.count() * 100 >= lines.len() * ENOUGH
    })
}

impl FormatCandidate {
    fn plain(lines: &[&[u8]], context: &StampContext) -> Self {
        let schema = Schema::Plain(Plain { units: context.units });
        FormatCandidate::tried(PLAIN.to_owned(), &schema, lines, true)
    }

    fn of(
        (preset, definition): (&'static Preset, Arc<Definition>),
        head: &Head<'_>,
        lines: &[&[u8]],
        context: &StampContext,
    ) -> Option<Self> {
        let mapped = definition.bind(head, context).ok()?;
        let lines = before_other_columns(&mapped, lines);
        let has_own_columns = mapped.is_known_by_columns();
        let is_known = has_own_columns || lines.iter().any(|line| mapped.is_known_by(line));
        let tried = FormatCandidate::tried(shown_name(&definition), &Schema::Mapped(mapped), lines, is_known);
        let is_known =
            tried.is_known && (tried.records > 0 || has_own_columns || !definition.conditions.known_by.is_empty());
        let is_enclosed = shown_name(&definition) != definition.name;
        Some(FormatCandidate {
            is_known,
            is_general: preset.is_general,
            is_enclosed,
            definition: Some(definition),
            ..tried
        })
    }

    fn tried(name: String, schema: &Schema, lines: &[&[u8]], is_known: bool) -> Self {
        let tried = FormatCandidate {
            name,
            lines: lines.len(),
            records: 0,
            other: 0,
            first_bad: None,
            is_known,
            is_general: false,
            is_enclosed: false,
            has_stamps: false,
            definition: None,
        };
        schema.visit(Try { lines, tried })
    }

    fn fits(&self) -> bool {
        self.is_known && (self.records + self.other) * 100 >= self.lines * ENOUGH
    }
}

/// Tries a format on lines.
struct Try<'a> {
    lines: &'a [&'a [u8]],
    tried: FormatCandidate,
}

impl FormatVisitor for Try<'_> {
    type Output = FormatCandidate;

    fn visit<F: LineFormat>(self, format: &F) -> FormatCandidate {
        let Try { lines, mut tried } = self;
        let mut scratch = F::Scratch::default();
        for (number, line) in lines.iter().enumerate() {
            let cause = match format.stamp(&mut scratch, line, 0, line.len()) {
                Stamp::At(_, at) | Stamp::TooEarly(at) | Stamp::TooLate(at) => {
                    tried.has_stamps = true;
                    format.hosts(&mut scratch, line, at, line.len()).err().and_then(|no| no.cause())
                }
                Stamp::Other => {
                    tried.other += 1;
                    continue;
                }
                Stamp::Blank => continue,
                Stamp::Bad(cause) => {
                    // A stamp, and nothing behind it.
                    tried.has_stamps |= cause == Cause::TooFewFields;
                    Some(cause)
                }
            };
            match cause {
                None => tried.records += 1,
                Some(cause) => tried.first_bad = tried.first_bad.or(Some((number + 1, cause))),
            }
        }
        tried
    }
}

/// What is said of an input whose format is not told.
impl std::fmt::Display for Undetected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |all: &[FormatCandidate]| all.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
        match self {
            Undetected::Several(all) => write!(f, "its lines may be of several formats: {}", list(all)),
            Undetected::None(all) if all.is_empty() => f.write_str("its lines are of no known format"),
            Undetected::None(all) => {
                f.write_str("its lines are of no known format; nearest: ")?;
                for (at, one) in all.iter().enumerate() {
                    let (line, cause) = one.first_bad.unwrap_or((1, Cause::NotOfTheForm));
                    write!(f, "{}{} (line {line}: {})", if at > 0 { ", " } else { "" }, one.name, cause.name())?;
                }
                Ok(())
            }
        }
    }
}
