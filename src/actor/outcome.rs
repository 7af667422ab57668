//! How a worker and a run can end, by name.
//!
//! Not here: what people are told of it. Invariant: of several ends the gravest stands, in whatever
//! order they come.

use crate::error::{Error, ErrorKind};

/// Why a worker ends before its inbox has closed. Made to be passed on by `?`.
#[derive(Debug)]
pub enum Exit {
    /// The run has been aborted.
    Stopped,
    /// Nobody takes this stage's output any more.
    DownstreamClosed,
    /// Something went wrong.
    Failed(Error),
}

impl From<Error> for Exit {
    fn from(error: Error) -> Self {
        Exit::Failed(error)
    }
}

/// How a worker ended, or a whole run. A later variant outweighs an earlier one.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// All input was processed.
    Done,
    /// Nobody took the output any more, e.g. `| head -1`.
    DownstreamClosed,
    /// The run was aborted by another worker.
    Stopped,
    /// Something went wrong.
    Failed(Error),
    /// A worker panicked.
    Panicked(Error),
}

impl Outcome {
    /// The outcome of a worker that returned.
    pub fn returned(result: Result<(), Exit>) -> Self {
        match result {
            Ok(()) => Outcome::Done,
            Err(Exit::DownstreamClosed) => Outcome::DownstreamClosed,
            Err(Exit::Stopped) => Outcome::Stopped,
            Err(Exit::Failed(error)) => Outcome::Failed(error),
        }
    }

    /// The outcome of a worker of `stage` that panicked.
    pub fn panicked(stage: &str, message: String) -> Self {
        Outcome::Panicked(ErrorKind::Panicked { stage: stage.to_owned(), message }.into())
    }

    /// The outcome of a run that has both: the graver one or, of two that are alike, the first.
    pub fn and(self, later: Outcome) -> Outcome {
        if later.gravity() > self.gravity() { later } else { self }
    }

    /// Whether the rest of the run has to end at once.
    pub fn aborts(&self) -> bool {
        matches!(self, Outcome::Failed(_) | Outcome::Panicked(_))
    }

    fn gravity(&self) -> u8 {
        match self {
            Outcome::Done => 0,
            Outcome::DownstreamClosed => 1,
            Outcome::Stopped => 2,
            Outcome::Failed(_) => 3,
            Outcome::Panicked(_) => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graver_outcome_wins_and_of_two_alike_the_first() {
        let first = || Outcome::Failed(Error::usage("first"));
        let folded = Outcome::Done.and(Outcome::Stopped).and(first()).and(Outcome::Failed(Error::usage("second")));
        assert!(matches!(&folded, Outcome::Failed(error) if error.to_string() == "first"));
        assert!(matches!(folded.and(Outcome::panicked("s", "m".into())), Outcome::Panicked(_)));
    }
}
