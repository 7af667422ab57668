//! What is known of a panic: in which stage, where, and its message.
//!
//! Not here: what becomes of the run (`pool`). Invariant: a panic is that of the stage that was at
//! work, whichever stages share its worker.

use std::any::Any;
use std::cell::RefCell;
use std::panic;
use std::sync::{Arc, Once};

use super::outcome::Outcome;

thread_local! {
    /// The stage that is at work, in the threads of workers.
    static STAGE: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
    static PANICKED_AT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Notes that this thread works for a stage from now on. What it worked for before.
pub(super) fn enter(stage: Arc<str>) -> Option<Arc<str>> {
    STAGE.replace(Some(stage))
}

/// Notes that it works for the stage before again. A panic does not come here, so that its stage
/// stays noted.
pub(super) fn leave(before: Option<Arc<str>>) {
    STAGE.set(before);
}

/// Keeps a worker's panic for the one message at the end, in place of the default text in the
/// middle of the output. Other threads keep the hook that was there before.
pub(super) fn hook() {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if STAGE.with_borrow(Option::is_none) {
                return before(info);
            }
            let place = info.location().map(|place| format!(" (at {}:{})", place.file(), place.line()));
            PANICKED_AT.set(place);
        }));
    });
}

/// The outcome of the worker of this thread, which has panicked.
pub(super) fn outcome(payload: &(dyn Any + Send)) -> Outcome {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned());
    let place = PANICKED_AT.take().unwrap_or_default();
    let stage = STAGE.take().unwrap_or_default();
    Outcome::panicked(&stage, format!("{text}{place}"))
}
