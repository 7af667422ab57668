//! What the locations lead to: which files, under which names.
//!
//! Not here: whose files those are. Invariant: a file that cannot be looked at is not taken for
//! gone.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::content::{FileIdentity, Stat};
use super::open_files::is_shortage;
use crate::error::{Error, show_path};
use crate::model::location::{Location, is_glob};
use crate::source::entry::{Finding, Listing};
use crate::source::places::{self, file};

/// The locations, and where they led when they were looked at last.
pub(super) struct Locations {
    locations: Vec<Location>,
    listing: Listing,
    /// Where the paths led, by their absolute names.
    paths: HashMap<PathBuf, FileIdentity>,
}

/// What one look at them found.
#[derive(Default)]
pub(super) struct Sightings {
    /// Where relative paths start, asked for once; without it, paths stay as they are.
    here: PathBuf,
    files: Vec<Sighting>,
    /// Where the file of this device and inode stands in that list.
    index: HashMap<FileIdentity, usize>,
    paths: HashMap<PathBuf, FileIdentity>,
    warnings: Vec<String>,
    /// Locations that lead nowhere.
    nowhere: Vec<String>,
    /// A folder was left out, so that a file that is not here may be there.
    incomplete: bool,
    /// Descriptors were lacking.
    short: bool,
    /// The run is about to end, and this is not all.
    interrupted: bool,
}

/// A file, with all its paths: at least one.
pub(super) struct Sighting {
    pub stat: Stat,
    pub paths: Vec<PathBuf>,
    /// Whether it is known whose file it is.
    claimed: bool,
}

impl Locations {
    pub fn new(locations: Vec<Location>, listing: Listing) -> Self {
        Locations { locations, listing, paths: HashMap::new() }
    }

    /// Looks at all of them.
    pub fn look(&self) -> Sightings {
        let here = std::env::current_dir().unwrap_or_default();
        let mut sightings = Sightings { here, ..Sightings::default() };
        for location in &self.locations {
            match places::find(location, &self.listing, &mut |finding| sightings.take(finding)) {
                Ok(true) => {}
                Ok(false) => sightings.nowhere.push(show_path(location.as_path())),
                Err(_) if self.listing.interrupted.load(Ordering::Relaxed) => sightings.interrupted = true,
                Err(error) => sightings.warnings.push(error.to_string()),
            }
        }
        sightings
    }

    /// Notes where they led. Whether that was elsewhere before.
    pub fn note(&mut self, sightings: &mut Sightings) -> bool {
        let before = std::mem::replace(&mut self.paths, std::mem::take(&mut sightings.paths));
        before != self.paths
    }

    /// How many paths there were.
    pub fn paths(&self) -> usize {
        self.paths.len()
    }

    /// The file that a path led to.
    pub fn file_at(&self, path: &Path) -> Option<FileIdentity> {
        self.paths.get(&std::path::absolute(path).ok()?).copied()
    }

    /// A path that led to a file.
    pub fn path_to(&self, identity: FileIdentity) -> Option<&Path> {
        self.paths.iter().find_map(|(path, found)| (*found == identity).then_some(path.as_path()))
    }

    /// Folders in which files appear and change, as far as they exist.
    pub fn directories(&self) -> Vec<PathBuf> {
        let mut folders = BTreeSet::new();
        for location in self.locations.iter().filter(|location| location.is_path()) {
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
}

impl Sightings {
    fn take(&mut self, finding: Finding) {
        let (path, found) = match finding {
            Finding::Input { what, .. } => return self.warnings.push(format!("{what} cannot be followed")),
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
            return self.warnings.push(file::folder_note(&path));
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
            self.files.push(Sighting { stat, paths: Vec::new(), claimed: false });
            self.files.len() - 1
        });
        let paths = &mut self.files[at].paths;
        if !paths.contains(&path) {
            paths.push(path);
        }
    }

    fn unreadable(&mut self, path: &Path, source: io::Error, folder: bool) {
        self.short |= is_shortage(&source);
        let missing = source.kind() == io::ErrorKind::NotFound;
        // A file that was removed after it was listed is of no interest; a link that leads nowhere
        // is.
        if missing && path.symlink_metadata().is_err() {
            return;
        }
        self.incomplete |= folder || is_shortage(&source);
        self.warnings.push(Error::input(path, "cannot open", source).to_string());
    }

    /// Whether no folder was left out.
    pub fn is_complete(&self) -> bool {
        !self.incomplete
    }

    /// Whether descriptors were lacking.
    pub fn is_short(&self) -> bool {
        self.short
    }

    /// Whether the run is about to end, and this is not all.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// What people should know.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Locations that lead nowhere.
    pub fn take_nowhere(&mut self) -> Vec<String> {
        std::mem::take(&mut self.nowhere)
    }

    /// The file of this device and inode, if it is not known yet whose it is, and `is_it`: it is by
    /// that.
    pub fn claim(&mut self, identity: FileIdentity, is_it: impl Fn(&Stat) -> bool) -> Option<&Sighting> {
        let at = *self.index.get(&identity)?;
        let sighting = Some(&mut self.files[at]).filter(|sighting| !sighting.claimed && is_it(&sighting.stat))?;
        sighting.claimed = true;
        Some(sighting)
    }

    /// Whether a file of this device and inode was found.
    pub fn includes(&self, identity: FileIdentity) -> bool {
        self.index.contains_key(&identity)
    }

    /// The files of which it is not known whose they are.
    pub fn unclaimed(&self) -> impl Iterator<Item = &Sighting> {
        self.files.iter().filter(|sighting| !sighting.claimed)
    }
}

impl Sighting {
    /// The first of its paths.
    pub fn path(&self) -> &Path {
        &self.paths[0]
    }
}

/// The folder that exists and in which something would have to appear for a location to lead
/// anywhere.
fn base(location: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(location).ok()?;
    let plain = |path: &&Path| !is_glob(&path.to_string_lossy()) && path.is_dir();
    absolute.ancestors().find(plain).map(Path::to_owned)
}
