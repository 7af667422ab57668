//! What all parts of a run share.
//!
//! Not here: what one stage has (`shared_parts`). Invariant: there is one of it a run.

use std::sync::Arc;

use crate::actor::Stop;
use crate::metrics::Progress;
use crate::source::Listing;
use crate::stage::{Failures, InputNames, InputSchemas, Listener};

use super::environment::Environment;

/// What every stage may need of the run.
pub(super) struct RunContext {
    pub stop: Stop,
    pub progress: Arc<Progress>,
    pub failures: Arc<Failures>,
    /// The names of all inputs, by number.
    pub names: Arc<InputNames>,
    /// How their lines are read, of those that are followed.
    pub schemas: Arc<InputSchemas>,
    /// How locations are listed.
    pub listing: Listing,
    /// Whether windows are looked at before they are closed.
    pub peek: bool,
    /// Who is told of results.
    pub listener: Listener,
}

impl RunContext {
    /// Of a run that begins.
    pub fn new(environment: &Environment) -> Self {
        RunContext {
            stop: Stop::new(Arc::clone(&environment.wishes.drain)),
            progress: Arc::default(),
            failures: Arc::new(Failures::new(environment.listener.clone())),
            names: Arc::default(),
            schemas: Arc::default(),
            listing: environment.listing(),
            peek: environment.peek,
            listener: environment.listener.clone(),
        }
    }
}
