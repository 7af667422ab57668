//! The key that says what rankings are by.
//!
//! Not here: what they make of it (`report`).

use super::key::{Argument, Heading, KeySpec, Takers};
use super::stages::StageType::Reporter;
use crate::options::Kind;

/// The key.
pub(super) const BY: KeySpec =
    KeySpec::new("by", &[Reporter], Kind::Text, "what rankings are by: connections, or a measure that is summed")
        .example("\"bytes\"")
        .option(
            Argument::new(Takers::Reports, Heading::Results, "Rank by a measure that is summed (--sum), e.g. bytes")
                .value("MEASURE"),
        );
