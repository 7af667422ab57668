//! Everything that can go wrong in a run, as one error type whose messages say where and how to
//! mend it.
//!
//! Not here: malformed lines. They are data, counted by cause in the balance sheet.
//! Invariant: every message fits one line and never holds raw bytes from a log.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error with its kind boxed, so that a `Result` stays one word wide on the good path.
#[derive(Debug)]
pub struct Error(Box<ErrorKind>);

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The command line or an API call asks for something that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The configuration has problems; all of them, in the order of the file.
    #[error("{}", join_problems(.0))]
    Config(Vec<Problem>),
    /// No input matches the location.
    #[error("No log files found! {}", .0)]
    NoInput(String),
    /// An input could not be opened or read.
    #[error("{}: {action}: {source}{}", show_path(.path), input_remedy(.source))]
    Input {
        /// The input, as it was named.
        path: PathBuf,
        /// What was being done, e.g. `cannot read at byte 17`.
        action: String,
        /// The operating system's answer.
        source: io::Error,
    },
    /// An input is compressed.
    #[error("{}: is compressed ({name}); pipe it in, decompressed by {reader}", show_path(.path))]
    Compressed {
        /// The input, as it was named.
        path: PathBuf,
        /// What it is compressed with.
        name: &'static str,
        /// The program that decompresses it.
        reader: &'static str,
    },
    /// An output could not be opened or written.
    #[error("{target}: {action}: {source}{}", remedy(.source))]
    Output {
        /// A path, or `stdout`.
        target: String,
        /// What was being done, e.g. `cannot write`.
        action: &'static str,
        /// The operating system's answer.
        source: io::Error,
    },
    /// A report function failed.
    #[error("report '{name}': {message}")]
    Report {
        /// The report's name.
        name: String,
        /// What the function said.
        message: String,
    },
    /// There is no memory for all pairs, and the policy is to end the run with an error.
    #[error(
        "the pairs of hosts take more than the {} MiB that max-memory leaves them; raise it, count a shorter window, or \
         take another memory-policy: spill (exact, by means of the disk) or overflow (further pairs are counted together)",
        .limit >> 20
    )]
    MemoryLimit {
        /// What max-memory leaves for pairs and names, in bytes.
        limit: usize,
    },
    /// A saved state cannot be used.
    #[error("{}: {message}", show_path(.path))]
    State {
        /// The file, or the directory of the state.
        path: PathBuf,
        /// What is wrong, and how to mend it.
        message: String,
    },
    /// A tallies file cannot be used; the message names it.
    #[error("{0}")]
    Tallies(String),
    /// Two tallies files cannot be added up; the message names both.
    #[error("{0}")]
    Clash(String),
    /// It is not known how the lines of an input are to be read; the message names it.
    #[error("{0}")]
    Format(String),
    /// A sum has more than 64 bits; the message says with which line.
    #[error("{0}")]
    Beyond(String),
    /// Bytes were skipped of an input that is not sorted as declared, and may matter.
    #[error("{0}")]
    NotSorted(String),
    /// The stamps of the inputs do not allow the window that was asked for; the message says which
    /// they are.
    #[error("{0}")]
    Stamps(String),
    /// The balance sheet does not add up: a bug in this program.
    #[error("the balance sheet does not add up ({0}); this is a bug in logparser, please report it")]
    Unbalanced(String),
    /// What a run took over from a saved state does not add up with what it counted itself.
    #[error(
        "counts do not add up ({0}); the saved state that this run went on from has been changed, or this is a bug in logparser, \
         please report it"
    )]
    Inherited(String),
    /// A worker panicked: a bug in this program.
    #[error("stage '{stage}' panicked: {message}; this is a bug in logparser, please report it")]
    Panicked {
        /// The stage's name in the graph.
        stage: String,
        /// The panic's message and place.
        message: String,
    },
    /// The operating system refused a resource such as a thread.
    #[error("{action}: {source}")]
    System {
        /// What was being done.
        action: String,
        /// The operating system's answer.
        source: io::Error,
    },
}

/// One problem of a configuration, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Problem {
    /// Where the offending text stands.
    pub place: Place,
    /// The dotted key, e.g. `stages.recent.seconds`; empty for a problem of the whole.
    pub key: String,
    /// What is wrong, lower case, no full stop.
    pub message: String,
    /// How to mend it, e.g. `did you mean 'reader'?`.
    pub help: Option<String>,
}

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// In a file; lines and columns count from 1, columns in characters.
    File {
        /// The file as it was named.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// On the command line or in an API call, by its key, e.g. `--set seconds=x`.
    Argument(String),
    /// An option of the command line, e.g. `--every 1h`, or its words: who gave one knows no keys.
    Option(String),
}

impl Place {
    /// A key as it is called where this is.
    pub fn key(&self, key: &str) -> String {
        match self {
            Place::Option(_) => format!("--{key}"),
            Place::File { .. } | Place::Argument(_) => key.to_owned(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File { path, line, column } => write!(f, "{path}:{line}:{column}"),
            Place::Argument(text) | Place::Option(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() && !matches!(self.place, Place::Option(_)) {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// A usage error from a message.
    pub fn usage(message: impl Into<String>) -> Self {
        ErrorKind::Usage(message.into()).into()
    }

    /// An error of a report function, for report functions to return.
    pub fn report(name: impl Into<String>, message: impl Into<String>) -> Self {
        ErrorKind::Report { name: name.into(), message: message.into() }.into()
    }

    /// An input that could not be opened or read.
    pub fn input(path: &Path, action: impl Into<String>, source: io::Error) -> Self {
        ErrorKind::Input { path: path.to_owned(), action: action.into(), source }.into()
    }

    /// An output that could not be opened or written.
    pub fn output(target: impl Into<String>, action: &'static str, source: io::Error) -> Self {
        ErrorKind::Output { target: target.into(), action, source }.into()
    }

    /// A saved state that cannot be used.
    pub fn state(path: &Path, message: impl Into<String>) -> Self {
        ErrorKind::State { path: path.to_owned(), message: message.into() }.into()
    }

    /// A tallies file that cannot be used.
    pub fn tallies(path: &Path, message: impl fmt::Display) -> Self {
        ErrorKind::Tallies(format!("{}: {message}", show_path(path))).into()
    }

    /// The exit code of a run that ended with this error: 2 usage or configuration, 3 no input, 4
    /// saved state, 5 tallies of an input that has to be read whole, else 1.
    pub fn exit_code(&self) -> u8 {
        match self.kind() {
            ErrorKind::Usage(_) | ErrorKind::Config(_) | ErrorKind::Format(_) => 2,
            ErrorKind::NoInput(_) => 3,
            ErrorKind::State { .. } => 4,
            ErrorKind::NotSorted(_) => 5,
            _ => 1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&*self.0)
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Error(Box::new(kind))
    }
}

/// Why a file was not written.
#[derive(Debug)]
pub enum Unsaved {
    /// It could not be written.
    Output(io::Error),
    /// What should have been written is missing.
    Content(Error),
}

impl From<io::Error> for Unsaved {
    fn from(error: io::Error) -> Self {
        Unsaved::Output(error)
    }
}

impl From<Error> for Unsaved {
    fn from(error: Error) -> Self {
        Unsaved::Content(error)
    }
}

/// A path made harmless for a terminal.
pub fn show_path(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    crate::model::escape::printable(path.as_os_str().as_bytes()).into_owned()
}

fn join_problems(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    lines.join("\n")
}

/// The remedy for the errors that users meet most, to append to a message.
fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied => "; run as a user who may, or change its permissions",
        io::ErrorKind::StorageFull => "; free some space and run again",
        io::ErrorKind::NotFound => "; check the path",
        io::ErrorKind::IsADirectory => "; name a file",
        _ => "",
    }
}

/// The remedy for an input that cannot be read.
fn input_remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::IsADirectory => "; name the files in it, e.g. 'DIR/*.log'",
        _ => remedy(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_place_key_message_and_help_on_one_line() {
        let problem = Problem {
            place: Place::File { path: "p.toml".into(), line: 3, column: 8 },
            key: "stages.read.type".into(),
            message: "unknown stage type 'raeder'".into(),
            help: Some("did you mean 'reader'?".into()),
        };
        let text = problem.to_string();
        assert_eq!(text, "p.toml:3:8: stages.read.type: unknown stage type 'raeder'; did you mean 'reader'?");
    }

    #[test]
    fn who_gave_an_option_is_told_of_options() {
        let place = Place::Option("--idle 5s".into());
        let message = format!("has a meaning only with {}", place.key("follow"));
        let problem = Problem { place, key: "stages.read.idle".into(), message, help: None };
        assert_eq!(problem.to_string(), "--idle 5s: has a meaning only with --follow");
        assert_eq!(Place::Argument("--set idle=5s".into()).key("follow"), "follow");
    }

    #[test]
    fn exit_codes_follow_the_kind() {
        assert_eq!(Error::usage("x").exit_code(), 2);
        assert_eq!(Error::from(ErrorKind::NoInput("x".into())).exit_code(), 3);
        assert_eq!(Error::state(Path::new("s"), "x").exit_code(), 4);
        assert_eq!(Error::report("r", "x").exit_code(), 1);
    }

    #[test]
    fn a_hostile_path_is_escaped() {
        let error = Error::input(Path::new("a\u{1b}[2Jb"), "cannot open", io::Error::from(io::ErrorKind::NotFound));
        assert!(error.to_string().starts_with("a\\x1b[2Jb: cannot open"), "{error}");
    }
}
