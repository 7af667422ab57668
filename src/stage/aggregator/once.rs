//! One window, which closes when the input ends.

use std::sync::Arc;

use super::closed::Closed;
use super::counting::{Counting, Then};
use super::peek::Peek;
use crate::actor::{Exit, Outlet, Transform};
use crate::batch::Records;
use crate::error::Result;
use crate::model::Window;
use crate::ops::close::once_layout;

/// One window, and what is counted into it.
pub struct Once {
    counting: Arc<Counting>,
    window: Window,
    /// Whether the window before it is kept.
    previous: bool,
    peek: Option<Arc<Peek>>,
}

impl Once {
    /// For this window; `previous` says whether the one before it is kept.
    pub fn new(counting: Arc<Counting>, window: Window, previous: bool, peek: Option<Arc<Peek>>) -> Arc<Self> {
        Arc::new(Once { counting, window, previous, peek })
    }

    fn close(&self) -> Result<Arc<Closed>> {
        let counting = &self.counting;
        let mut tally = counting.tally.write();
        let layout = once_layout(self.window, &counting.buckets, self.previous);
        // A peek needs the names even if this fails.
        let then = if self.peek.is_some() { Then::Closed } else { Then::Nothing };
        let view = counting.view(&mut tally, &layout, then)?;
        let balance = counting.with_overflow(counting.progress.lock().balance().clone());
        let (gap, issue, written) = (None, None, Arc::default());
        let closed = Arc::new(Closed { sequence: 0, periodic: false, gap, issue, view, balance, written });
        self.peek.iter().for_each(|peek| peek.keep(&closed));
        Ok(closed)
    }
}

/// One worker.
pub struct OnceWorker {
    once: Arc<Once>,
    number: usize,
}

impl OnceWorker {
    /// The next worker.
    pub fn new(once: Arc<Once>) -> Self {
        let number = once.counting.worker();
        OnceWorker { once, number }
    }
}

impl Transform for OnceWorker {
    type In = Arc<Records>;
    type Out = Arc<Closed>;

    fn receive(&mut self, batch: Arc<Records>, _outlet: &mut Outlet<Arc<Closed>>) -> Result<(), Exit> {
        let counting = &self.once.counting;
        counting.count(self.number, &batch.records, &batch)?;
        counting.progress.lock().applied(&batch)?;
        Ok(())
    }

    fn finish(&mut self, outlet: &mut Outlet<Arc<Closed>>) -> Result<(), Exit> {
        outlet.send(self.once.close()?)
    }
}
