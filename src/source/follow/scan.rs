//! Looking at the locations: which files are there, under which names, and which of them are known.
//!
//! Not here: what an unknown file is (`candidate`). Invariant: a file that cannot be looked at is
//! not taken for gone.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::candidate::Candidate;
use super::content::{self, Agreement, Stat, same_birth};
use super::follower::Follower;
use super::generation::Last;
use super::handles::is_shortage;
use super::step::{New, Scanned};
use crate::error::{Error, show_path};
use crate::model::InputId;
use crate::model::location::{Location, is_glob};
use crate::source::walk::{Finding, Listing, folder_note, walk};

/// What the locations lead to.
#[derive(Default)]
struct Survey {
    /// Where relative paths start, asked for once; without it, paths stay as they are.
    here: PathBuf,
    sightings: Vec<Sighting>,
    /// Where the file of this device and inode stands in that list.
    index: HashMap<(u64, u64), usize>,
    paths: HashMap<PathBuf, (u64, u64)>,
    warnings: Vec<String>,
    /// Locations that lead nowhere.
    nowhere: Vec<String>,
    /// No folder was left out.
    complete: bool,
    /// Descriptors were lacking.
    short: bool,
    /// The run is about to end, and this is not all.
    interrupted: bool,
}

/// A file, with all its paths.
struct Sighting {
    stat: Stat,
    paths: Vec<PathBuf>,
    /// Whether it is known whose file it is.
    claimed: bool,
}

impl Survey {
    fn of(locations: &[Location], listing: &Listing) -> Self {
        let here = std::env::current_dir().unwrap_or_default();
        let mut survey = Survey { here, complete: true, ..Survey::default() };
        for location in locations {
            match walk(location, listing, &mut |finding| survey.take(finding)) {
                Ok(true) => {}
                Ok(false) => survey.nowhere.push(show_path(location.as_path())),
                Err(_) if listing.interrupted.load(Ordering::Relaxed) => survey.interrupted = true,
                Err(error) => survey.warnings.push(error.to_string()),
            }
        }
        survey
    }

    fn take(&mut self, finding: Finding) {
        let (path, found) = match finding {
            Finding::Stdin => return self.warnings.push("standard input cannot be followed".to_owned()),
            Finding::Hidden { folder, .. } => {
                // One text for all of them: such files come and go.
                let folder = show_path(&folder);
                let text = format!("{folder}: hidden files in it are not read; to read one too, name it");
                return self.warnings.push(text);
            }
            Finding::Unreadable { path, source, folder } => return self.unreadable(&path, source, folder),
            Finding::Path { path, found, .. } => (path, found),
        };
        if found.is_dir() {
            return self.warnings.push(folder_note(&path));
        }
        if !found.is_file() {
            let source = io::Error::other("not a regular file, so that it cannot be followed");
            return self.warnings.push(Error::input(&path, "was not read", source).to_string());
        }
        let stat = Stat::of(&found);
        if let Ok(absolute) = std::path::absolute(self.here.join(&path)) {
            self.paths.insert(absolute, stat.identity);
        }
        let at = *self.index.entry(stat.identity).or_insert_with(|| {
            self.sightings.push(Sighting { stat, paths: Vec::new(), claimed: false });
            self.sightings.len() - 1
        });
        let paths = &mut self.sightings[at].paths;
        if !paths.contains(&path) {
            paths.push(path);
        }
    }

    fn unreadable(&mut self, path: &Path, source: io::Error, folder: bool) {
        self.short |= is_shortage(&source);
        let missing = source.kind() == io::ErrorKind::NotFound;
        // A file that was removed after it was listed is none of anybody's business; a link that
        // leads nowhere is.
        if missing && path.symlink_metadata().is_err() {
            return;
        }
        self.complete &= !folder && !is_shortage(&source);
        self.warnings.push(Error::input(path, "cannot open", source).to_string());
    }

    /// The file of this device and inode, if it is not known yet whose it is.
    fn find(&mut self, identity: Option<(u64, u64)>) -> Option<&mut Sighting> {
        let at = *self.index.get(&identity?)?;
        Some(&mut self.sightings[at]).filter(|sighting| !sighting.claimed)
    }
}

impl Follower {
    /// Looks at the locations: new files, renamed ones, vanished ones. That there are none is no
    /// error.
    pub fn scan(&mut self, now: Duration) -> Scanned {
        let options = &self.options;
        let look = || Survey::of(&options.locations, &options.listing);
        let mut survey = look();
        if survey.short && self.handles.shed() {
            survey = look();
        }
        if survey.interrupted {
            return Scanned { paths: self.paths.len(), ..Scanned::default() };
        }
        let first = !std::mem::replace(&mut self.scanned, true);
        self.ask_for_scan(false);
        let (mut new, mut warnings) = (Vec::new(), std::mem::take(&mut survey.warnings));
        self.meet_generations(&mut survey, now);
        self.meet_candidates(&mut survey, now);
        self.meet_strangers(&mut survey, now, first && self.fresh, &mut warnings);
        self.decide(now, &mut new, &mut warnings);
        if first {
            self.announce_restored(&mut new);
        }
        let before = std::mem::replace(&mut self.paths, std::mem::take(&mut survey.paths));
        let changed = before != self.paths;
        self.ignored.retain(|identity, _| survey.index.contains_key(identity));
        self.note_passed_over();
        let ids: Vec<InputId> = self.generations.keys().copied().collect();
        ids.into_iter().for_each(|id| self.set_timer(id, now));
        let mut unsaid = self.take_warnings();
        unsaid.extend(warnings.iter().filter(|text| !self.said.contains(*text)).cloned());
        self.said = warnings.into_iter().collect();
        // One that led somewhere before may well lead nowhere for a while.
        let nowhere = if first { survey.nowhere } else { Vec::new() };
        Scanned { new, warnings: unsaid, nowhere, paths: self.paths.len(), changed }
    }

    /// Folders in which files appear and change, as far as they exist.
    pub fn directories(&self) -> Vec<PathBuf> {
        let mut folders = BTreeSet::new();
        for location in self.options.locations.iter().filter(|location| **location != Location::Stdin) {
            folders.extend(base(location.as_path()));
        }
        for path in self.paths.keys() {
            folders.extend(path.parent().map(Path::to_owned));
            // What a link leads to changes elsewhere.
            if path.is_symlink() {
                let target = fs::canonicalize(path).ok();
                folders.extend(target.as_deref().and_then(Path::parent).map(Path::to_owned));
            }
        }
        folders.into_iter().filter(|folder| folder.is_dir()).collect()
    }

    fn meet_generations(&mut self, survey: &mut Survey, now: Duration) {
        let ids: Vec<InputId> = self.generations.keys().copied().collect();
        for id in ids {
            let Some(generation) = self.generations.get_mut(&id) else { continue };
            let Some(key) = generation.key else {
                if generation.away.is_some() && survey.complete && !generation.settled {
                    generation.missed(now);
                    self.enqueue(id);
                }
                continue;
            };
            let held = self.handles.holds(key);
            let sighting = survey.find(generation.identity);
            match sighting.filter(|sighting| held || same_birth(sighting.stat.born, generation.born)) {
                Some(sighting) => {
                    sighting.claimed = true;
                    self.meet(id, sighting.stat, &sighting.paths[..], now);
                }
                None => self.miss(id, now),
            }
        }
    }

    /// A generation's file is there, under these names.
    fn meet(&mut self, id: InputId, stat: Stat, paths: &[PathBuf], now: Duration) {
        let Some(generation) = self.generations.get_mut(&id) else { return };
        let (Some(path), Some(key)) = (paths.first(), generation.key) else { return };
        let back = generation.away.take().is_some();
        if back {
            self.handles.keep(key, false);
        }
        if back || !paths.contains(&generation.path) {
            generation.path = path.clone();
            generation.rotated = true;
            generation.settled = false;
            generation.moved = now;
        }
        let known = |last: &Last| last.sure && (last.size, last.modified) == (stat.size, stat.modified);
        let changed = !generation.last.as_ref().is_some_and(known);
        self.update_record(id);
        if changed {
            self.enqueue(id);
        }
    }

    /// A generation's file was not found.
    fn miss(&mut self, id: InputId, now: Duration) {
        self.enqueue(id);
        let Some(generation) = self.generations.get_mut(&id) else { return };
        let Some(key) = generation.key else { return };
        if generation.away.is_none() {
            // Asked once more by name: a folder that cannot be listed may well lead to its files.
            let there = match fs::metadata(&generation.path) {
                Ok(found) => {
                    let stat = Stat::of(&found);
                    generation.identity == Some(stat.identity) && same_birth(generation.born, stat.born)
                }
                Err(error) => !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
            };
            if there {
                return;
            }
            generation.depart(now);
        }
        if self.handles.holds(key) {
            self.handles.keep(key, true);
        } else {
            self.lose_file(id);
        }
        self.update_record(id);
    }

    fn meet_candidates(&mut self, survey: &mut Survey, now: Duration) {
        for at in 0..self.candidates.len() {
            let candidate = &mut self.candidates[at];
            let held = self.handles.holds(candidate.key);
            let sighting = survey.find(Some(candidate.stat.identity));
            candidate.here = false;
            if let Some(sighting) = sighting.filter(|s| held || same_birth(s.stat.born, candidate.stat.born)) {
                sighting.claimed = true;
                candidate.here = true;
                if !sighting.paths.contains(&candidate.path) {
                    candidate.path = sighting.paths[0].clone();
                }
            }
            self.handles.keep(candidate.key, !candidate.here);
            // What cannot be read now is looked at again.
            let _ = self.refresh(at, now);
        }
    }

    /// Files that are nobody's so far.
    fn meet_strangers(&mut self, survey: &mut Survey, now: Duration, from_start: bool, warnings: &mut Vec<String>) {
        let mut absent: HashMap<(u64, u64), Vec<InputId>> = HashMap::new();
        for generation in self.generations.values().filter(|generation| generation.key.is_none()) {
            if let Some(identity) = generation.identity {
                absent.entry(identity).or_default().push(generation.id);
            }
        }
        for sighting in survey.sightings.iter().filter(|sighting| !sighting.claimed) {
            if let Some(ignored) = self.ignored.get(&sighting.stat.identity)
                && (ignored.born, ignored.size, ignored.modified)
                    == (sighting.stat.born, sighting.stat.size, sighting.stat.modified)
            {
                warnings.extend(ignored.warning().cloned());
                continue;
            }
            if let Err(error) = self.add_candidate(sighting, now, from_start) {
                if error.kind() != io::ErrorKind::NotFound {
                    warnings.push(Error::input(&sighting.paths[0], "cannot open", error).to_string());
                }
                continue;
            }
            let at = self.candidates.len() - 1;
            let ids = absent.get(&sighting.stat.identity).map_or(&[][..], Vec::as_slice);
            self.resume(at, ids, now);
            self.candidates.retain(|candidate| candidate.key != 0);
        }
    }

    fn add_candidate(&mut self, sighting: &Sighting, now: Duration, from_start: bool) -> io::Result<()> {
        let path = sighting.paths[0].clone();
        let file = Arc::new(self.handles.open(&path)?);
        let stat = Stat::of_file(&file)?;
        if stat.identity != sighting.stat.identity {
            self.ask_for_scan(true);
            return Err(io::ErrorKind::NotFound.into());
        }
        let head = content::read_head(&file)?;
        let (id, key) = (self.next_id(), self.handles.new_key());
        self.handles.put(key, file);
        self.candidates.push(Candidate {
            id,
            from_start,
            path,
            key,
            stat,
            head,
            here: true,
            found: now,
            grown: now,
            instead_of: None,
            suspected: Vec::new(),
            unpacking: None,
        });
        Ok(())
    }

    /// Lets a generation that was in the file of this device and inode go on in it, if its content
    /// still stands there.
    fn resume(&mut self, at: usize, ids: &[InputId], now: Duration) {
        // The one found last is the likeliest.
        for id in ids.iter().rev() {
            let Ok(Some(file)) = self.candidate_file(at) else { return };
            let candidate = &self.candidates[at];
            let Some(generation) = self.generations.get_mut(id).filter(|generation| generation.key.is_none()) else {
                continue;
            };
            if !same_birth(generation.born, candidate.stat.born) {
                continue;
            }
            let (position, size) = (generation.position(), candidate.stat.size);
            let whole = generation.head.agrees(&candidate.head) == Agreement::Whole;
            let tail = generation.tail.unwrap_or_default();
            let Ok(holds) = content::tail_holds(&file, position, &tail) else {
                // It cannot be read now: the next scan finds it again.
                return self.drop_candidate(at);
            };
            if whole && size >= position && holds {
                let last = Last { size: generation.size_seen, modified: (0, 0), since: now, sure: false };
                let (restored, rotated) = (generation.restored, generation.rotated);
                let (active, moved) = (generation.active, generation.moved);
                self.go_on(at, *id, now);
                if let Some(generation) = self.generations.get_mut(id) {
                    // That it has grown in the meantime is no news, but that it has shrunk is.
                    generation.last = Some(last);
                    if restored {
                        generation.stay_silent(active, (generation.rotated == rotated).then_some(moved));
                    }
                }
                self.update_record(*id);
                return;
            }
            // It has no file any more, and that is news: a copy may have been made before it was
            // truncated.
            generation.truncated = true;
            generation.identity = None;
            generation.depart(now);
            self.enqueue(*id);
            self.candidates[at].instead_of = Some(*id);
        }
    }

    /// Announces the generations that were saved, wherever they are now.
    fn announce_restored(&mut self, new: &mut Vec<New>) {
        let restored = self.generations.values().filter(|generation| generation.resumed);
        let restored: Vec<New> = restored
            .map(|generation| New {
                id: generation.id,
                name: show_path(&generation.path),
                path: generation.path.clone(),
                size: generation.size_seen,
                position: generation.position(),
                resumed: true,
            })
            .collect();
        new.splice(0..0, restored);
    }
}

/// The folder that exists and in which something would have to appear for a location to lead
/// anywhere.
fn base(location: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(location).ok()?;
    let plain = |path: &&Path| !is_glob(&path.to_string_lossy()) && path.is_dir();
    absolute.ancestors().find(plain).map(Path::to_owned)
}
