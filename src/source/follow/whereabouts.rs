//! Where the bytes of a generation are, and what is still to come of it.
//!
//! Not here: what was read of it, and when it last moved. Invariant: each state holds what can be
//! known in it and nothing else, so that a file that is away and settled, or a truncated one that
//! can be read, cannot be written down.

use std::time::Duration;

use super::content::FileIdentity;
use super::open_files::FileKey;

/// How long a generation without a file is remembered, in case its content turns up again.
pub(super) const KEEP_DEPARTED: Duration = Duration::from_secs(600);

/// How many scans have to miss a file that is not open before it is taken for gone: one scan may
/// look while it is being renamed.
pub(super) const MISSES: u32 = 2;

/// Where the bytes of a generation are.
#[derive(Debug)]
pub(super) enum Whereabouts {
    /// A location leads to its file, and more is expected of it.
    Here(OwnFile),
    /// A location leads to its file, which was renamed, or is a copy in which it goes on: no more
    /// is expected. `settled`: all that its end brings about has been done.
    Rotated { file: OwnFile, settled: bool },
    /// No location leads to its file, which is read on as long as it is held open.
    Away { file: OwnFile, since: Duration, rotated: bool },
    /// There is no file that its bytes could be read from.
    Gone(Gone),
}

/// The file that a generation is read from.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnFile {
    /// Its place among the files that are held open.
    pub key: FileKey,
    pub identity: FileIdentity,
}

/// A generation without a file.
#[derive(Debug)]
pub(super) struct Gone {
    /// Device and inode of the file that it was in, unless they may have been given to another.
    pub identity: Option<FileIdentity>,
    /// Since when no location leads to it.
    since: Duration,
    /// Scans that missed it since then.
    missed: u32,
    /// It had been renamed before, or was read on from a copy.
    rotated: bool,
    /// Its file was truncated or overwritten, and not removed.
    truncated: bool,
    /// It was in the state that this run went on from, and what became of its file is not found
    /// out.
    restored: bool,
    settlement: Settlement,
    copy: Option<LongerCopy>,
}

/// How far the end of a generation without a file has been dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settlement {
    /// It may turn up again, or a copy may say where it ended.
    Open,
    /// All that its end brings about has been done.
    Settled,
    /// And it is to be forgotten now, though it could be kept in mind longer.
    Expired,
}

/// A compressed copy that holds all that a generation had, and more than was counted.
#[derive(Debug, Clone)]
pub(super) struct LongerCopy {
    /// Bytes of the generation that it holds.
    pub length: u64,
    /// How to count those that were not counted.
    pub remedy: String,
}

/// What a saved state tells of a generation's whereabouts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SavedPlace {
    pub rotated: bool,
    pub truncated: bool,
    pub settled: bool,
    /// Since when no location leads to it, and how many scans have missed it.
    pub departed: Option<(Duration, u32)>,
}

impl Whereabouts {
    /// In a file that a location leads to.
    pub fn in_file(file: OwnFile, rotated: bool) -> Self {
        match rotated {
            true => Whereabouts::Rotated { file, settled: false },
            false => Whereabouts::Here(file),
        }
    }

    /// The file that it can be read from.
    pub fn file(&self) -> Option<OwnFile> {
        match *self {
            Whereabouts::Here(file) | Whereabouts::Rotated { file, .. } | Whereabouts::Away { file, .. } => Some(file),
            Whereabouts::Gone(_) => None,
        }
    }

    /// What there is to know where there is no file.
    pub fn gone(&self) -> Option<&Gone> {
        match self {
            Whereabouts::Gone(gone) => Some(gone),
            _ => None,
        }
    }

    /// As `gone`, to note something.
    pub fn gone_mut(&mut self) -> Option<&mut Gone> {
        match self {
            Whereabouts::Gone(gone) => Some(gone),
            _ => None,
        }
    }

    /// Whether a location leads to it.
    pub fn is_here(&self) -> bool {
        matches!(self, Whereabouts::Here(_) | Whereabouts::Rotated { .. })
    }

    /// Whether its file can still be read though no location leads to it.
    pub fn is_away(&self) -> bool {
        matches!(self, Whereabouts::Away { .. })
    }

    /// Whether it was renamed, or is read on from a copy.
    pub fn is_rotated(&self) -> bool {
        match self {
            Whereabouts::Here(_) => false,
            Whereabouts::Rotated { .. } => true,
            Whereabouts::Away { rotated, .. } | Whereabouts::Gone(Gone { rotated, .. }) => *rotated,
        }
    }

    /// Whether all that its end brings about has been done.
    pub fn is_settled(&self) -> bool {
        match self {
            Whereabouts::Here(_) | Whereabouts::Away { .. } => false,
            Whereabouts::Rotated { settled, .. } => *settled,
            Whereabouts::Gone(gone) => gone.is_settled(),
        }
    }

    /// Whether no more is expected of it, while its end has not been dealt with.
    pub fn is_draining(&self) -> bool {
        !matches!(self, Whereabouts::Here(_)) && !self.is_settled()
    }

    /// Notes that it has been found under another name: no more is expected of it then.
    pub fn rename(&mut self) {
        if let Some(file) = self.file() {
            *self = Whereabouts::Rotated { file, settled: false };
        }
    }

    /// Notes that it has grown: then its end is still to come.
    pub fn reopen(&mut self) {
        if let Whereabouts::Rotated { settled, .. } = self {
            *settled = false;
        }
    }

    /// Notes that no location leads to it.
    pub fn depart(&mut self, now: Duration) {
        match *self {
            Whereabouts::Here(file) => *self = Whereabouts::Away { file, since: now, rotated: false },
            Whereabouts::Rotated { file, .. } => *self = Whereabouts::Away { file, since: now, rotated: true },
            Whereabouts::Away { .. } | Whereabouts::Gone(_) => {}
        }
    }

    /// Notes that the file it was in cannot be read any more, though no location leads there.
    /// `removed`: its device and inode may be given to another file.
    pub fn lose_file(&mut self, removed: bool) {
        if let Whereabouts::Away { file, since, rotated } = *self {
            let identity = (!removed).then_some(file.identity);
            *self = Whereabouts::Gone(Gone { identity, ..Gone::new(since, rotated) });
        }
    }

    /// Notes that another content has taken its place in the file that it was in, which is given
    /// back.
    pub fn be_replaced(&mut self, now: Duration) -> Option<OwnFile> {
        let file = self.file()?;
        let since = if let Whereabouts::Away { since, .. } = *self { since } else { now };
        *self = Whereabouts::Gone(Gone { truncated: true, ..Gone::new(since, self.is_rotated()) });
        Some(file)
    }

    /// Notes that all that its end brings about has been done. A file that is away has to be lost
    /// before.
    pub fn settle(&mut self) {
        match self {
            Whereabouts::Rotated { settled, .. } => *settled = true,
            Whereabouts::Gone(gone) => gone.settlement = Settlement::Settled,
            Whereabouts::Here(_) | Whereabouts::Away { .. } => {}
        }
    }

    /// What is to be saved of it.
    pub fn told(&self) -> SavedPlace {
        let rotated = self.is_rotated();
        let settled = self.is_settled();
        match *self {
            Whereabouts::Here(_) | Whereabouts::Rotated { .. } => {
                SavedPlace { rotated, settled, ..SavedPlace::default() }
            }
            Whereabouts::Away { since, .. } => {
                SavedPlace { rotated, departed: Some((since, 0)), ..SavedPlace::default() }
            }
            Whereabouts::Gone(Gone { truncated, since, missed, .. }) => {
                SavedPlace { rotated, truncated, settled, departed: Some((since, missed.min(MISSES))) }
            }
        }
    }
}

impl Gone {
    fn new(since: Duration, rotated: bool) -> Self {
        Gone {
            identity: None,
            since,
            missed: 0,
            rotated,
            truncated: false,
            restored: false,
            settlement: Settlement::Open,
            copy: None,
        }
    }

    /// As it was saved: where its file is now has to be found out.
    pub fn restored(identity: FileIdentity, rotated: bool, truncated: bool, departed: (Duration, u32)) -> Self {
        let (since, missed) = departed;
        Gone { identity: Some(identity), missed, truncated, restored: true, ..Gone::new(since, rotated) }
    }

    /// Whether all that its end brings about has been done.
    pub fn is_settled(&self) -> bool {
        self.settlement != Settlement::Open
    }

    /// Whether its file was truncated or overwritten.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Whether it is as an earlier run left it, and has not been found since.
    pub fn is_restored(&self) -> bool {
        self.restored
    }

    /// Whether nobody saw what became of it until it was gone.
    pub fn is_end_unseen(&self) -> bool {
        self.truncated || self.restored
    }

    /// Whether enough scans have missed it to take it for gone.
    pub fn is_missed(&self) -> bool {
        self.is_settled() || self.missed >= MISSES
    }

    /// Notes that a scan has missed it. Whether that is news: it was there when an earlier run
    /// ended.
    pub fn miss(&mut self, now: Duration) -> bool {
        self.missed = self.missed.saturating_add(1);
        let is_news = self.restored && self.missed == 1;
        if is_news {
            self.since = now;
        }
        is_news
    }

    /// Notes that the file that it was in holds something else by now. That is news: a copy may
    /// have been made before.
    pub fn be_truncated(&mut self) {
        self.truncated = true;
        self.identity = None;
        self.settlement = Settlement::Open;
    }

    /// When it is to be forgotten, once its end has been dealt with.
    pub fn over_at(&self) -> Option<Duration> {
        self.is_settled().then(|| self.since + KEEP_DEPARTED)
    }

    /// Whether it is to be forgotten now.
    pub fn is_over(&self, now: Duration) -> bool {
        self.settlement == Settlement::Expired || self.over_at().is_some_and(|over| now >= over)
    }

    /// Has it forgotten at its next turn, if its end has been dealt with. Whether that is so.
    pub fn expire(&mut self) -> bool {
        if self.is_settled() {
            self.settlement = Settlement::Expired;
        }
        self.is_settled()
    }

    /// Notes a compressed copy whose end is still to be told.
    pub fn note_copy(&mut self, copy: LongerCopy) {
        self.copy = Some(copy);
    }

    /// Whether such a copy is known.
    pub fn has_copy(&self) -> bool {
        self.copy.is_some()
    }

    /// The copy that is to be told now.
    pub fn take_copy(&mut self) -> Option<LongerCopy> {
        self.copy.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::follow::open_files::OpenFiles;

    const SECOND: Duration = Duration::from_secs(1);

    fn here() -> Whereabouts {
        Whereabouts::in_file(OwnFile { key: OpenFiles::new(1).new_key(), identity: (1, 2) }, false)
    }

    #[test]
    fn a_file_that_is_away_is_settled_only_once_it_is_lost() {
        let mut one = here();
        assert!(!one.is_draining() && one.is_here());
        one.settle();
        assert!(!one.is_settled(), "more is expected of it");
        one.depart(SECOND);
        one.settle();
        assert!(one.is_away() && one.is_draining() && !one.is_settled());
        one.lose_file(false);
        one.settle();
        let gone = one.gone().unwrap();
        assert_eq!((gone.identity, gone.over_at()), (Some((1, 2)), Some(SECOND + KEEP_DEPARTED)));
        assert!(one.is_settled() && one.file().is_none() && !gone.is_end_unseen());
        assert_eq!(one.told(), SavedPlace { settled: true, departed: Some((SECOND, 0)), ..SavedPlace::default() });
    }

    #[test]
    fn what_was_renamed_stays_rotated_and_what_is_replaced_has_no_file() {
        let mut one = here();
        one.rename();
        one.settle();
        assert!(one.is_rotated() && one.is_settled());
        one.reopen();
        assert!(one.is_draining(), "it has grown");
        one.depart(SECOND);
        let file = one.be_replaced(SECOND * 5).unwrap();
        let gone = one.gone().unwrap();
        assert_eq!((file.identity, gone.identity), ((1, 2), None));
        assert!(one.is_rotated() && gone.is_truncated() && !gone.is_missed());
        let told = SavedPlace { rotated: true, truncated: true, settled: false, departed: Some((SECOND, 0)) };
        assert_eq!(one.told(), told, "it went away before it was replaced");
    }

    #[test]
    fn what_an_earlier_run_left_is_missed_from_now_on_and_expires_only_once_it_is_settled() {
        let mut gone = Gone::restored((1, 2), false, false, (Duration::ZERO, 0));
        assert!(gone.miss(SECOND) && !gone.miss(SECOND * 2) && gone.is_missed());
        assert!(!gone.expire() && !gone.is_over(SECOND * 10_000));
        let mut one = Whereabouts::Gone(gone);
        one.settle();
        let gone = one.gone_mut().unwrap();
        assert!(!gone.is_over(SECOND) && gone.is_over(SECOND + KEEP_DEPARTED));
        assert!(gone.expire() && gone.is_over(SECOND));
        gone.be_truncated();
        assert!(!one.is_settled(), "a copy may have been made before");
    }
}
