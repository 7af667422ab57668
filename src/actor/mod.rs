//! The runtime of the stages, which knows nothing of logs: edges, chains, pools of workers, stopping,
//! outcomes.
//!
//! Shutdown is `?`: a worker ends when its inbox has closed (all upstream workers have ended) or
//! when a send fails (all downstream workers have). Either way its own ports close, and the end
//! spreads through the graph by itself. Invariant: no worker waits for anything without also
//! waiting for the run's abort.

mod chain;
mod channel;
mod edge;
mod outcome;
mod outlet;
mod panics;
mod permit;
mod pool;
mod stage;
mod stop;
mod worker;

pub use chain::{Coupling, Outlets, Workers};
pub use edge::{Gauge, Inbox, Port, edge};
pub use outcome::{Exit, Outcome};
pub use outlet::{LatestOutlet, Outlet};
pub use permit::{Permit, Permits};
pub use pool::Pool;
pub use stage::Transform;
pub use stop::Stop;
