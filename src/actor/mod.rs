//! The runtime of the stages, which knows nothing of logs: edges, pools of workers, stopping,
//! outcomes.
//!
//! Shutdown is `?`: a worker ends when its inbox has closed (all upstream workers have ended) or
//! when a send fails (all downstream workers have). Either way its own ports close, and the end
//! spreads through the graph by itself. Invariant: no worker waits for anything without also
//! waiting for the run's abort.

mod channel;
mod edge;
mod outcome;
mod permit;
mod pool;
mod stage;
mod stop;

pub use edge::{Gauge, Inbox, LatestOutlet, Outlet, Port, edge};
pub use outcome::{Exit, Outcome};
pub use permit::{Permit, Permits};
pub use pool::Pool;
pub use stage::{Countdown, Transform, drive};
pub use stop::Stop;
