//! What the system tells of changes in folders, so that nobody has to look all the time.
//!
//! Not here: what has changed; that is looked up. Invariant: events are hints. Where there are
//! none, or some were lost, looking everywhere gives the same result later.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use notify::event::{EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use crate::error::show_path;

/// Changes in watched folders.
pub struct Events {
    /// `None`: there are no events, so files are looked at again and again.
    watcher: Option<RecommendedWatcher>,
    events: Receiver<notify::Result<Event>>,
    watched: BTreeSet<PathBuf>,
}

/// What has happened while waiting.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Woken {
    /// Files that have changed.
    pub paths: Vec<PathBuf>,
    /// Names have come, gone or changed, or it is not known what has happened.
    pub rescan: bool,
}

impl Events {
    /// Watches folders. If that cannot be done, one warning says so, and there will be no events.
    pub fn new(folders: &[PathBuf]) -> (Self, Option<String>) {
        let (sender, events) = channel();
        let wake = move |event: notify::Result<Event>| {
            if event.as_ref().map_or(true, |event| !event.kind.is_access()) {
                // If nobody listens any more, nobody misses it.
                let _ = sender.send(event);
            }
        };
        let (watcher, warning) = match notify::recommended_watcher(wake) {
            Ok(watcher) => (Some(watcher), None),
            Err(error) => (None, Some(warning(None, &error))),
        };
        let mut new = Events { watcher, events, watched: BTreeSet::new() };
        let warning = warning.or_else(|| new.watch(folders));
        (new, warning)
    }

    /// Watches these folders from now on, and no others. A warning if that cannot be done; then
    /// there are no events.
    pub fn watch(&mut self, folders: &[PathBuf]) -> Option<String> {
        let wanted: BTreeSet<PathBuf> = folders.iter().cloned().collect();
        // The watcher panics if its thread cannot be started.
        match catch_unwind(AssertUnwindSafe(|| self.watch_these(&wanted))) {
            Ok(failed) => failed,
            Err(_) => {
                // It would panic once more when it is dropped.
                std::mem::forget(self.watcher.take());
                Some(warning(None, &notify::Error::generic("its thread is not there")))
            }
        }
    }

    fn watch_these(&mut self, wanted: &BTreeSet<PathBuf>) -> Option<String> {
        let watcher = self.watcher.as_mut()?;
        for folder in self.watched.difference(wanted) {
            // It may have been removed, and the watch with it.
            let _ = watcher.unwatch(folder);
        }
        let mut failed = None;
        // A folder that was removed and made again has lost its watch: watching twice costs a call
        // and does no harm.
        for folder in wanted {
            if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive)
                && folder.is_dir()
            {
                failed = Some(warning(Some(folder), &error));
                break;
            }
        }
        self.watched.clone_from(wanted);
        if failed.is_some() {
            self.watcher = None;
        }
        failed
    }

    /// Whether there are no events, so that files have to be looked at again and again.
    pub fn polling(&self) -> bool {
        self.watcher.is_none()
    }

    /// Waits for events, at most this long, and gives all there are.
    pub fn wait(&self, timeout: Duration) -> Woken {
        let mut woken = Woken::default();
        match self.events.recv_timeout(timeout) {
            Ok(event) => woken.take(event),
            // Without a watcher nothing comes, but the time has to pass all the same.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(timeout),
            Err(RecvTimeoutError::Timeout) => {}
        }
        self.events.try_iter().for_each(|event| woken.take(event));
        woken.paths.sort();
        woken.paths.dedup();
        woken
    }
}

impl Woken {
    pub(super) fn take(&mut self, event: notify::Result<Event>) {
        // An error is a gap in the events: what happened meanwhile has to be looked up.
        let Ok(event) = event else {
            self.rescan = true;
            return;
        };
        let content = matches!(event.kind, EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Metadata(_)));
        self.rescan |= event.need_rescan() || !content;
        if content {
            self.paths.extend(event.paths);
        }
    }
}

fn warning(folder: Option<&Path>, error: &notify::Error) -> String {
    let place = folder.map_or_else(String::new, |folder| format!("{}: ", show_path(folder)));
    format!("{place}cannot be watched ({error}); files are looked at again and again instead")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a24_without_a_watcher_there_is_a_warning_and_time_passes_all_the_same() {
        let (_, events) = channel();
        let mut events = Events { watcher: None, events, watched: BTreeSet::new() };
        assert!(events.polling() && events.watch(&[PathBuf::from("/")]).is_none());
        let start = std::time::Instant::now();
        assert_eq!(events.wait(Duration::from_millis(20)), Woken::default());
        assert!(start.elapsed() >= Duration::from_millis(20));
        let full = notify::Error::new(notify::ErrorKind::MaxFilesWatch);
        let text = warning(Some(Path::new("/a\nb")), &full);
        assert!(
            text.starts_with("/a\\x0ab: cannot be watched (") && text.ends_with("again and again instead"),
            "{text}"
        );
    }
}
