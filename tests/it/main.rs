//! All integration tests, in one binary: real files, real processes, and counts made by somebody else.

mod support;

mod bounds;
mod cases;
mod cli;
mod exact;
mod floors;
mod periodic;
mod runtime;
mod shipped;
