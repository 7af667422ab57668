//! What stands around a line: the fields that syslog and containers write before a message.
//!
//! Not here: what the message says (`extract`). Invariant: the message and each field are where taking
//! the line apart byte by byte finds them; nothing but what stands around is taken off.

mod opened;
mod syslog;

use std::sync::LazyLock;

pub use opened::OpenedLine;
use opened::word_end;

use super::extract::{FieldPath, FieldPlace, JsonFields, Misfit, MisfitKind, Scratch};

/// What stands around a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Envelope {
    /// Nothing: the line is the message.
    #[default]
    None,
    /// Syslog: RFC 5424, RFC 3164, or as it is written to files, with or without a priority.
    Syslog,
    /// The log of a container, as Kubernetes has it: a stamp, a stream, and whether it is a whole line.
    Cri,
    /// The log of a container, as Docker has it in JSON.
    DockerJson,
}

impl Envelope {
    /// The names in options.
    pub const NAMES: &'static [&'static str] = &["none", "syslog", "cri", "docker-json"];

    const ALL: [Envelope; 4] = [Envelope::None, Envelope::Syslog, Envelope::Cri, Envelope::DockerJson];

    /// The name in options.
    pub fn name(self) -> &'static str {
        Envelope::NAMES[self as usize]
    }

    /// Whether no line has it by chance.
    pub fn is_unmistakable(self) -> bool {
        matches!(self, Envelope::Cri | Envelope::DockerJson)
    }

    /// By the name in options.
    pub fn named(name: &str) -> Option<Self> {
        Envelope::ALL.into_iter().find(|envelope| envelope.name() == name)
    }

    /// Opens a line, which has no newline, nor a carriage return at its end. What `unescaped` holds is
    /// dropped first, so that places in it are those of this line.
    pub fn open(&self, line: &[u8], unescaped: &mut Vec<u8>) -> Result<OpenedLine, Misfit> {
        unescaped.clear();
        if u32::try_from(line.len()).is_err() {
            return Err(MisfitKind::TooLong.at(u32::MAX as usize));
        }
        match self {
            Envelope::None => Ok(OpenedLine { message: FieldPlace::line(0, line.len()), ..OpenedLine::default() }),
            Envelope::Syslog => syslog::open(line),
            Envelope::Cri => cri(line),
            Envelope::DockerJson => docker(line, unescaped),
        }
    }
}

/// `<stamp> stdout|stderr F|P <message>`.
fn cri(line: &[u8]) -> Result<OpenedLine, Misfit> {
    let not_cri = |at: usize| MisfitKind::NotCri.at(at.min(line.len()));
    let stamp = word_end(line, 0).filter(|end| syslog::is_rfc3339(&line[..*end])).ok_or(not_cri(0))?;
    let stream = word_end(line, stamp + 1).filter(|end| matches!(&line[stamp + 1..*end], b"stdout" | b"stderr"));
    let stream = stream.ok_or(not_cri(stamp + 1))?;
    let tags = word_end(line, stream + 1).ok_or(not_cri(stream + 1))?;
    // There may be more tags behind the first, with colons between them.
    match line[stream + 1..tags].split(|byte| *byte == b':').next() {
        Some(b"F") => {}
        Some(b"P") => return Err(MisfitKind::PartOfALine.at(stream + 1)),
        _ => return Err(not_cri(stream + 1)),
    }
    let message = (tags + 1).min(line.len());
    Ok(OpenedLine {
        message: FieldPlace::line(message, line.len()),
        time: FieldPlace::line(0, stamp),
        ..OpenedLine::default()
    })
}

/// The fields that Docker writes, by slot: the message and its stamp.
static DOCKER: LazyLock<JsonFields> =
    LazyLock::new(|| JsonFields::new(&[FieldPath::key("log"), FieldPath::key("time")]));

/// `{"log":"<message>\n","stream":"...","time":"..."}`.
fn docker(line: &[u8], unescaped: &mut Vec<u8>) -> Result<OpenedLine, Misfit> {
    let mut places = [FieldPlace::Absent; 2];
    DOCKER.find(line, &mut places, unescaped, &mut Scratch::default())?;
    let [log, time] = places;
    let (start, end) = match log {
        FieldPlace::Unescaped(start, end) => (start, end),
        // A text without escapes has no newline.
        FieldPlace::Line(start, end) if is_text(line, start) => return Err(MisfitKind::PartOfALine.at(end as usize)),
        _ => return Err(MisfitKind::NoMessage.at(line.len())),
    };
    let message = unescaped.get(start as usize..end as usize).unwrap_or_default();
    let Some(whole) = message.strip_suffix(b"\n") else { return Err(MisfitKind::PartOfALine.at(line.len())) };
    let whole = whole.strip_suffix(b"\r").unwrap_or(whole);
    let message = FieldPlace::Unescaped(start, start + whole.len() as u32);
    Ok(OpenedLine { message, time, ..OpenedLine::default() })
}

/// Whether a value of JSON that begins here is a text.
fn is_text(line: &[u8], start: u32) -> bool {
    start.checked_sub(1).and_then(|quote| line.get(quote as usize)) == Some(&b'"')
}

#[cfg(test)]
mod tests;
