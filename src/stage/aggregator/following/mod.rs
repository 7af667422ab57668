//! Windows of inputs that go on.
//!
//! Workers count (`live`), the issuer has results issued when they are due (`issuer`), and the
//! saver saves what is counted (`saver`); they share `LiveCounting`. Invariant: who holds its gate
//! alone sees counts and positions that agree.

mod by_clock;
mod ending;
pub mod issuer;
mod issuing;
mod live;
mod sweeping;
pub mod windows;

pub mod saver;
pub mod trouble;

pub mod standing;

pub use live::{LiveCounting, LiveWorker, ResultTrigger};
