//! All integration tests, in one binary: real files, real processes, and counts made by somebody
//! else.

// Helpers of tests fail by panicking, as tests do, and say what they skip; clippy exempts only
// functions marked as tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

#[path = "../../fuzz/src/oracles/mod.rs"]
mod oracles;
mod support;

mod altered;
mod bounds;
mod burdened;
mod cases;
mod cli;
mod clock;
mod corpora;
mod crash;
mod cuts;
mod exact;
mod faults;
mod floors;
mod follow;
mod foreign;
mod forged;
mod formats;
mod full;
mod gaps;
mod guards;
mod instants;
mod listing;
#[cfg(feature = "live")]
mod live;
mod loss;
mod memory;
mod names;
mod observe;
mod outputs;
mod overwrites;
mod pages;
mod periodic;
mod plans;
mod power;
mod printed;
mod process;
mod pruning;
mod rows;
mod runtime;
mod same;
mod shipped;
mod slips;
mod soak;
mod stamps;
mod standing;
mod state;
mod stops;
mod sweep;
mod tallies;
