//! The words of the pipeline as plain values, in the order in which the data meets them.
//!
//! Not here: I/O, threads, channels. Whatever happens to these values happens on a higher floor.

pub mod balance;
pub mod calendar;
pub mod escape;
pub mod guard;
pub mod lanes;
pub mod later;
pub mod length;
pub mod lengths;
pub mod location;
pub mod loss;
pub mod magic;
pub mod measure;
pub mod moment;
pub mod order;
pub mod peaks;
pub mod percent;
pub mod policy;
pub mod recycle;
pub mod report;
pub mod size;
pub mod span;
pub mod stamp;
pub mod time;
pub mod window;
pub mod zone;

pub use balance::{Balance, Cause};
pub use guard::Guard;
pub use later::LaterNumbers;
pub use lengths::Lengths;
pub use loss::{Loss, Traces};
pub use measure::{Amount, Countable, MOST_MEASURES, MeasureSet, MeasureTotal, Measured, PerMeasure, RunTotal, SEEN};
pub use moment::{Moment, Word};
pub use order::{Extent, OrderMeter, Stamps};
pub use peaks::Peaks;
pub use percent::Percent;
pub use policy::MemoryPolicy;
pub use report::{Cell, Column, ColumnKind, Drawing, Issue, More, Report, WindowResult};
pub use span::{InputId, Ledger, Span};
pub use stamp::{TimeUnit, Unfit, Units};
pub use time::Timestamp;
pub use window::{Ends, Gap, Grid, Window};
