//! Why the last state was not saved, as long as none has been since, and what is said of it.
//!
//! Not here: saving (`saver`). Invariant: it is told once that states cannot be saved, and once
//! that they can be again; that there was no room for a while is no failure of a run whose last
//! state is whole.

use std::io;
use std::path::Path;

use crate::error::Error;
use crate::stage::Failures;

/// Why the last state was not saved, if it was not.
#[derive(Debug, Default)]
pub struct Trouble(Option<io::Error>);

impl Trouble {
    /// Notes how a save went, in this folder. Whether it went well.
    pub(super) fn note(&mut self, saved: io::Result<()>, folder: &Path, failures: &Failures) -> bool {
        let before = std::mem::replace(&mut self.0, saved.err());
        match (&before, &self.0) {
            (None, Some(error)) => {
                let message =
                    format!("{error}; counting goes on, and what was saved before stays until it can be written");
                let said = Error::state(folder, message);
                if lacks_room(error) { failures.warn(&said.to_string()) } else { failures.add(said) }
            }
            (Some(_), None) => {
                let said = Error::state(folder, "can be written again, and all that is counted is saved");
                failures.warn(&said.to_string());
            }
            _ => {}
        }
        self.0.is_none()
    }

    /// At the end: a failure if what was counted last is not saved.
    pub(super) fn settle(&mut self, folder: &Path, failures: &Failures) {
        if let Some(error) = self.0.take() {
            let message = format!("{error}; what was counted since the last state will be counted again from that one");
            failures.add(Error::state(folder, message));
        }
    }
}

/// Whether a disk that is in order may refuse in this way.
fn lacks_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d4_d5_that_there_was_no_room_for_a_while_is_no_failure_and_any_other_fault_is_one() {
        let refused = |errno| Err(io::Error::from_raw_os_error(errno));
        for (errno, faults) in
            [(libc::ENOSPC, 0), (libc::EDQUOT, 0), (libc::EFBIG, 0), (libc::EIO, 1), (libc::EROFS, 1)]
        {
            let failures = Failures::default();
            let (mut trouble, folder) = (Trouble::default(), Path::new("st"));
            assert!(trouble.note(Ok(()), folder, &failures));
            assert!(!trouble.note(refused(errno), folder, &failures));
            assert!(!trouble.note(refused(errno), folder, &failures));
            assert!(trouble.note(Ok(()), folder, &failures));
            trouble.settle(folder, &failures);
            let (failed, warned) = (failures.take(), failures.take_warnings());
            assert_eq!((failed.len(), warned.len()), (faults, 2 - faults), "{failed:?}: {warned:?}");
            assert_eq!(warned.last().unwrap(), "st: can be written again, and all that is counted is saved");
            // What is not saved in the end is one in any case.
            trouble.note(refused(errno), folder, &failures);
            trouble.settle(folder, &failures);
            assert_eq!(failures.take().len(), faults + 1);
        }
    }
}
