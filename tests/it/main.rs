//! All integration tests, in one binary: real files, real processes, and counts made by somebody else.

// Helpers of tests fail by panicking, as tests do, and say what they skip; clippy exempts only functions marked as tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

#[path = "../../fuzz/src/oracles/mod.rs"]
mod oracles;
#[cfg(feature = "live")]
mod pty;
mod support;

mod bounds;
mod cases;
mod cli;
mod clock;
mod corpora;
mod crash;
mod exact;
mod floors;
mod follow;
mod forged;
mod full;
mod gaps;
mod guards;
#[cfg(feature = "live")]
mod live;
mod logs;
mod memory;
mod names;
mod observe;
mod periodic;
mod power;
mod process;
mod pruning;
mod rows;
mod runtime;
mod same;
mod shipped;
mod slips;
mod soak;
mod state;
mod sweep;
mod tallies;
