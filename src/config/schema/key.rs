//! A key of the configuration, with all that is to be said of it.
//!
//! Not here: which keys there are (`keys`). Invariant: what is made of the keys (arguments, help,
//! the pipeline that ships, what a saved state depends on, what a cluster hands on) is made of this.

use super::stages::StageType;
use crate::options::{Kind, OptionSpec};

/// A key.
#[derive(Debug, Clone, Copy)]
pub struct KeySpec {
    /// Its name, values, default and help.
    pub spec: OptionSpec,
    /// The stages that understand it.
    pub stages: &'static [StageType],
    /// What has to be given, too, for it to mean anything.
    pub needs: Option<Needs>,
    /// Whether what is counted depends on it, so that a saved state does.
    pub is_in_state: bool,
    /// What the pipeline that ships shows for it, as TOML, where that is not its default.
    pub example: Option<&'static str>,
    /// Whether the pipeline that ships sets it, or shows it behind a `#`.
    pub is_set: bool,
    /// How it is an option of the command line, if it is one.
    pub argument: Option<Argument>,
}

/// What a key may need beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Windows that repeat.
    Every,
    /// Inputs that are followed.
    Follow,
    /// A limit, as there always is one where inputs are followed.
    MaxMemory,
}

impl Needs {
    /// The key that has to be given.
    pub const fn key(self) -> &'static str {
        match self {
            Needs::Every => "every",
            Needs::Follow => "follow",
            Needs::MaxMemory => "max-memory",
        }
    }
}

/// A key as an option of the command line.
#[derive(Debug, Clone, Copy)]
pub struct Argument {
    /// The long name.
    pub long: &'static str,
    /// The short one.
    pub short: Option<char>,
    /// Further long ones.
    pub aliases: &'static [&'static str],
    /// Flags that stand for the values of their names.
    pub shorthands: &'static [&'static str],
    /// What help calls the value; empty where the kind of the values says it.
    pub value: &'static str,
    /// Where help shows it.
    pub heading: Heading,
    /// What it is, without the default and the full stop.
    pub help: &'static str,
    /// What `--help` says beside that.
    pub more: Option<&'static str>,
    /// Which commands take it.
    pub takers: Takers,
    /// Whether `-h` shows it.
    pub is_everyday: bool,
    /// Whether a cluster that takes options of its kind has it, or one of its own by that name.
    pub is_on_clusters: bool,
}

/// Which commands take an option. All that run a pipeline do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takers {
    /// No others.
    Runs,
    /// Those too that count in parts.
    Counts,
    /// Those too that report on tallies.
    Reports,
    /// All of them.
    All,
}

/// What options stand under, in the order of help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heading {
    /// Inputs, and how they are read.
    Reading,
    /// One window.
    Window,
    /// Many windows.
    Repeating,
    /// Reports and where they go.
    Results,
    /// Inputs that grow.
    Following,
    /// What a run may take.
    Limits,
    /// Everything else.
    Other,
}

impl Heading {
    /// All, in the order of help.
    pub const ALL: [Heading; 7] = [
        Heading::Reading,
        Heading::Window,
        Heading::Repeating,
        Heading::Results,
        Heading::Following,
        Heading::Limits,
        Heading::Other,
    ];

    /// Its text.
    pub const fn title(self) -> &'static str {
        match self {
            Heading::Reading => "What to read",
            Heading::Window => "Window",
            Heading::Repeating => "Windows that repeat",
            Heading::Results => "Results",
            Heading::Following => "Following",
            Heading::Limits => "Limits",
            Heading::Other => "Other",
        }
    }
}

impl KeySpec {
    /// A key of these stages with values of a kind; `help` is what it is.
    pub(super) const fn new(name: &'static str, stages: &'static [StageType], kind: Kind, help: &'static str) -> Self {
        KeySpec {
            spec: OptionSpec { name, kind, default: None, required: false, help },
            stages,
            needs: None,
            is_in_state: false,
            example: None,
            is_set: false,
            argument: None,
        }
    }

    /// Its value if none is given.
    pub(super) const fn default(self, default: &'static str) -> Self {
        KeySpec { spec: OptionSpec { default: Some(default), ..self.spec }, ..self }
    }

    /// It has to be given.
    pub(super) const fn required(self) -> Self {
        KeySpec { spec: OptionSpec { required: true, ..self.spec }, ..self }
    }

    /// It means something only beside another.
    pub(super) const fn needs(self, needs: Needs) -> Self {
        KeySpec { needs: Some(needs), ..self }
    }

    /// What is counted depends on it.
    pub(super) const fn in_state(self) -> Self {
        KeySpec { is_in_state: true, ..self }
    }

    /// The pipeline that ships shows this value, as TOML.
    pub(super) const fn example(self, example: &'static str) -> Self {
        KeySpec { example: Some(example), ..self }
    }

    /// The pipeline that ships sets it.
    pub(super) const fn set(self) -> Self {
        KeySpec { is_set: true, ..self }
    }

    /// It is an option of the command line, by its own name where that has none.
    pub(super) const fn option(self, argument: Argument) -> Self {
        let long = if argument.long.is_empty() { self.spec.name } else { argument.long };
        KeySpec { argument: Some(Argument { long, ..argument }), ..self }
    }
}

impl Argument {
    /// An option of these commands, under this heading; `help` is what it is, without the default
    /// and the full stop.
    pub(super) const fn new(takers: Takers, heading: Heading, help: &'static str) -> Self {
        Argument {
            long: "",
            short: None,
            aliases: &[],
            shorthands: &[],
            value: "",
            heading,
            help,
            more: None,
            takers,
            is_everyday: false,
            is_on_clusters: true,
        }
    }

    /// Called so.
    pub(super) const fn long(self, long: &'static str) -> Self {
        Argument { long, ..self }
    }

    /// Called so, too, behind one dash.
    pub(super) const fn short(self, short: char) -> Self {
        Argument { short: Some(short), ..self }
    }

    /// Called so, too.
    pub(super) const fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Argument { aliases, ..self }
    }

    /// Flags that stand for the values of their names.
    pub(super) const fn shorthands(self, shorthands: &'static [&'static str]) -> Self {
        Argument { shorthands, ..self }
    }

    /// Help calls its value so.
    pub(super) const fn value(self, value: &'static str) -> Self {
        Argument { value, ..self }
    }

    /// What `--help` says beside the rest.
    pub(super) const fn more(self, more: &'static str) -> Self {
        Argument { more: Some(more), ..self }
    }

    /// `-h` shows it.
    pub(super) const fn everyday(self) -> Self {
        Argument { is_everyday: true, ..self }
    }

    /// A cluster has one of its own by this name.
    pub(super) const fn not_on_clusters(self) -> Self {
        Argument { is_on_clusters: false, ..self }
    }
}
