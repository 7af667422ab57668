//! Tells how the lines of an input are read, by how it begins.
//!
//! Not here: what a beginning tells (`format::detect`). Invariant: nothing of an input is lost by
//! looking; what gives its bytes once is given again, as an input in its place.

use crate::error::{Error, ErrorKind, Result, show_path};
use crate::format::foreign::kind;
use crate::format::{Format, HEAD_BYTES, Head, LineRules, Unbound};
use crate::model::Timestamp;
use crate::model::time::Clock;
use crate::source::{Beginning, Input, beginning};

/// Binds a format to inputs.
pub struct Binder {
    /// The log format.
    pub format: Format,
    /// Bytes that a line may have.
    pub max_line: usize,
    /// The clock.
    pub now: Clock,
}

/// How the lines of an input are read.
pub struct BoundInput {
    /// How they are.
    pub rules: LineRules,
    /// The input to read in its place, if it gives its bytes once only.
    pub again: Option<Input>,
}

impl Binder {
    /// Looks how an input begins. Errors if something of a stream may be gone; gives an error as a
    /// value if nothing tells how its lines are read. `interrupted`: the run is to end.
    pub fn bind(
        &self,
        input: &Input,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<std::result::Result<BoundInput, Error>> {
        let is_needed = self.format.needs_head() && !input.is_empty();
        let is_enough = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).nth(Head::MOST_LINES - 1).is_some();
        let (found, again) = match is_needed.then(|| beginning(input, HEAD_BYTES, &is_enough, interrupted)) {
            Some(Ok(found)) => found,
            // Of a stream something may be gone.
            Some(Err(error)) if input.file().is_none() => return Err(error),
            // It goes wrong once more when the input is read, and is told there.
            Some(Err(_)) | None => (Beginning { is_whole: true, ..Beginning::default() }, None),
        };
        let head = Head::of(&found.bytes, found.is_whole);
        let written = input.file().and_then(|file| file.path.metadata().ok()?.modified().ok());
        let latest = written.map_or_else(|| (self.now)(), Timestamp::of_system);
        Ok(match self.format.bind(&head, latest, self.max_line) {
            Ok(rules) => Ok(BoundInput { rules, again }),
            // What was read till then may tell nothing, and nothing is read any more.
            Err(_) if interrupted() => Ok(BoundInput { rules: self.plain(), again }),
            Err(why) => Err(not_read(input, &head, why)),
        })
    }

    /// How lines are read of which nothing is known yet.
    pub fn plain(&self) -> LineRules {
        self.format.plain_rules(self.max_line)
    }

    /// What people should know of how the lines of an input are read.
    pub fn told(&self, rules: &LineRules) -> Option<String> {
        self.format.told(&rules.schema)
    }
}

/// The error for an input whose lines cannot be read.
fn not_read(input: &Input, head: &Head<'_>, why: Unbound) -> Error {
    let path = show_path(input.path());
    let why = match why {
        Unbound::Untold(why) => why,
        Unbound::Misasked(why) => return ErrorKind::Format(format!("{path}: {why}")).into(),
    };
    let lines: Vec<&[u8]> = head.filled().collect();
    let kind = kind(&lines);
    let looks = if kind.is_unknown() { String::new() } else { format!("they look like {}; ", kind.name) };
    let help = match (kind.is_binary, kind.options) {
        (true, _) => kind.advice(),
        (false, Some(options)) => format!("say {options}, or which other with --format NAME (logparser formats lists them)"),
        (false, None) => "say which with --format NAME (logparser formats lists them), or which fields with --format jsonl --time FIELD \
                  --from FIELD --to FIELD"
            .to_owned(),
    };
    ErrorKind::Format(format!("{path}: {why}; {looks}{help}")).into()
}
