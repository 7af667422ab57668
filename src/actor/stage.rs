//! What a stage is to the runtime: what it does with a batch, while it waits, and at the end.
//!
//! Not here: the loop that calls it (`worker`), and threads (`pool`).

use std::time::Duration;

use super::outcome::Exit;
use super::outlet::Outlet;

/// What a stage does with its batches. Each worker has its own.
pub trait Transform: Send + 'static {
    /// What comes in.
    type In: Send + 'static;
    /// What goes out, to every stage downstream.
    type Out: Clone + Send + 'static;

    /// Works on one batch. Called for each batch that this worker takes.
    fn receive(&mut self, batch: Self::In, outlet: &mut Outlet<Self::Out>) -> Result<(), Exit>;

    /// How long to wait for a batch before `waited` is called; without end if it is `None`. Stages
    /// that share a worker wait together, no longer than the least patient of them.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// Called whenever the worker has waited that long, and no batch has come.
    fn waited(&mut self) -> Result<(), Exit> {
        Ok(())
    }

    /// Called once, in the last worker of the pool, when no batch will come to any of them.
    fn finish(&mut self, _outlet: &mut Outlet<Self::Out>) -> Result<(), Exit> {
        Ok(())
    }
}
