//! The follower against a model in memory, under random sequences of what writers, rotations and
//! crashes do.
//!
//! The model knows every byte that was ever written, which file holds it now, and from which byte
//! on a generation could not be read at some time. It is asked after every step: are these the
//! bytes, and were they passed on before? And in the end: is all that could be read there, and was
//! only that reported lost which could not?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, symlink};

use proptest::prelude::*;

use super::testing::*;
use crate::model::InputId;

/// Files in the folder that is followed.
const NAMES: u8 = 4;

/// What happens.
#[derive(Debug, Clone)]
enum Act {
    /// Whole lines are written to a name; it is created if it is not there.
    Append(u8, u8),
    /// The start of a line is written, or the rest of one.
    Partial(u8),
    /// Whoever opened the file at this name last goes on writing, whatever became of the name.
    Late(u8),
    Rename(u8, u8),
    MoveOut(u8),
    /// What was moved out comes back.
    MoveIn(u8),
    /// Copied to a name that is followed, or not, and truncated.
    CopyTruncate(u8, Option<u8>),
    /// As that, but the follower looks at the copy in the making.
    SlowCopy(u8, u8),
    Truncate(u8),
    /// Truncated and written at once, past its old size.
    Regrow(u8),
    Unlink(u8),
    /// Another file takes the name.
    Replace(u8),
    Link(u8, u8),
    /// A link is set to one of the files outside.
    Retarget(u8),
    Scan,
    Steps(u8),
    Drain,
    Clock(u8),
    Count(u8),
    /// The run is killed and started again.
    Kill,
}

fn act() -> impl Strategy<Value = Act> {
    let name = || 0..NAMES;
    prop_oneof![
        6 => (name(), 1..9u8).prop_map(|(name, lines)| Act::Append(name, lines)),
        3 => name().prop_map(Act::Partial),
        2 => name().prop_map(Act::Late),
        2 => (name(), name()).prop_map(|(from, to)| Act::Rename(from, to)),
        1 => name().prop_map(Act::MoveOut),
        1 => name().prop_map(Act::MoveIn),
        2 => (name(), proptest::option::of(name())).prop_map(|(from, to)| Act::CopyTruncate(from, to)),
        1 => (name(), name()).prop_map(|(from, to)| Act::SlowCopy(from, to)),
        1 => name().prop_map(Act::Truncate),
        1 => name().prop_map(Act::Regrow),
        1 => name().prop_map(Act::Unlink),
        1 => name().prop_map(Act::Replace),
        1 => (name(), name()).prop_map(|(from, to)| Act::Link(from, to)),
        1 => name().prop_map(Act::Retarget),
        5 => Just(Act::Scan),
        4 => (1..9u8).prop_map(Act::Steps),
        2 => Just(Act::Drain),
        2 => (0..8u8).prop_map(Act::Clock),
        2 => (0..9u8).prop_map(Act::Count),
        2 => Just(Act::Kill),
    ]
}

/// One generation as the model knows it.
#[derive(Default)]
struct Content {
    bytes: Vec<u8>,
    /// From here on it could not be read at some time.
    unreadable: Option<usize>,
    /// The end of what was passed on and counted, or passed on in this run.
    passed: usize,
    counted: usize,
    lost: Vec<(usize, usize)>,
    /// The names it has had.
    names: BTreeSet<u8>,
    /// It stands in another file than the one it was written to.
    copied: bool,
}

impl Content {
    /// The end of its last whole line.
    fn whole(&self) -> usize {
        self.bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Content { bytes, unreadable, passed, counted, lost, .. } = self;
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(7)]);
        write!(f, "'{start}', {} bytes, passed {passed}, counted {counted}", bytes.len())?;
        write!(f, ", unreadable from {unreadable:?}, lost {lost:?}")
    }
}

/// The world and what is known of it.
struct Model {
    world: World,
    contents: Vec<Content>,
    /// Which generation the file of this device and inode holds.
    holds: BTreeMap<(u64, u64), usize>,
    /// Open files of writers, by name.
    writers: BTreeMap<u8, File>,
    next_line: u32,
}

fn file_id(file: &File) -> (u64, u64) {
    let found = file.metadata().unwrap();
    (found.dev(), found.ino())
}

impl Model {
    fn new(open_files: usize) -> Self {
        let mut world = World::with(|options| {
            options.open_files = open_files;
            options.rotate_wait = 2 * SECOND;
            options.max_line = 60;
        });
        // What is there at the very first scan is taken for what it is: each file for itself.
        world.scan();
        Model { world, contents: Vec::new(), holds: BTreeMap::new(), writers: BTreeMap::new(), next_line: 0 }
    }

    fn name(at: u8) -> String {
        if at == 0 { "n.log".to_owned() } else { format!("n.log.{at}") }
    }

    fn exists(&self, at: u8) -> bool {
        self.world.path(&Model::name(at)).exists()
    }

    /// Whether the name leads to a file by itself, and not over a link to one outside.
    fn own(&self, at: u8) -> bool {
        self.exists(at) && !self.world.path(&Model::name(at)).is_symlink()
    }

    fn lines(&mut self, count: u8) -> String {
        let from = self.next_line;
        self.next_line += u32::from(count);
        // Some are over-long.
        (from..self.next_line)
            .map(|at| if at % 23 == 22 { format!("{at:07} {}\n", "x".repeat(90)) } else { line(at) })
            .collect()
    }

    /// Writes to an open file, on disk and in mind.
    fn write(&mut self, file: &File, text: &str) {
        let at = self.holding(file);
        self.contents[at].bytes.extend(text.as_bytes());
        self.world.append_to(file, text);
    }

    /// The generation that an open file holds.
    fn holding(&mut self, file: &File) -> usize {
        let contents = &mut self.contents;
        *self.holds.entry(file_id(file)).or_insert_with(|| {
            contents.push(Content::default());
            contents.len() - 1
        })
    }

    fn open(&mut self, path: &str) -> File {
        let path = self.world.path(path);
        if !path.exists() {
            // The inode may have belonged to a file that was removed.
            let file = File::create(&path).unwrap();
            self.holds.remove(&file_id(&file));
        }
        let file = File::options().append(true).open(&path).unwrap();
        self.holding(&file);
        file
    }

    fn append(&mut self, at: u8, text: &str) {
        let file = self.open(&Model::name(at));
        self.write(&file, text);
        self.writers.insert(at, file);
    }

    fn truncate(&mut self, at: u8) {
        let file = self.open(&Model::name(at));
        file.set_len(0).unwrap();
        self.world.stamp(&file);
        self.holds.remove(&file_id(&file));
        self.holding(&file);
    }

    /// Copies the bytes of a name to another, whose file they then are.
    fn copy(&mut self, from: u8, to: &str, slowly: bool) {
        let held = self.holding(&File::open(self.world.path(&Model::name(from))).unwrap());
        let bytes = fs::read(self.world.path(&Model::name(from))).unwrap();
        let path = self.world.path(to);
        let _ = fs::remove_file(&path);
        let file = File::create(&path).unwrap();
        self.holds.insert(file_id(&file), held);
        self.contents[held].copied = true;
        for part in bytes.chunks(if slowly { 150 } else { bytes.len().max(1) }) {
            self.world.append_to(&file, part);
            if slowly {
                self.world.scan();
                self.take(3);
                self.world.now += SECOND;
            }
        }
    }

    /// Whether what stands at a name has had another name before.
    fn had(&self, from: u8, to: u8) -> bool {
        self.held_at(&Model::name(from)).is_some_and(|held| self.contents[held].names.contains(&to))
    }

    /// Whether a copy would take a name that its original has had: a file that is written anew with
    /// the same few bytes under the same name is another file, and nothing tells the two cases
    /// apart.
    fn confuses(&self, from: &str, to: u8) -> bool {
        let held = self.held_at(from);
        held.is_some_and(|held| self.contents[held].copied && self.contents[held].names.contains(&to))
    }

    fn held_at(&self, path: &str) -> Option<usize> {
        let found = fs::metadata(self.world.path(path)).ok()?;
        self.holds.get(&(found.dev(), found.ino())).copied()
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Append(at, lines) => {
                let text = self.lines(lines);
                self.append(at, &text);
            }
            Act::Partial(at) => {
                let text = self.lines(1);
                let middle = text.len() / 2;
                self.append(at, &text[..middle]);
                if middle.is_multiple_of(2) {
                    self.watch();
                    self.append(at, &text[middle..]);
                }
            }
            Act::Late(at) => {
                if let Some(file) = self.writers.remove(&at) {
                    let text = self.lines(2);
                    self.write(&file, &text);
                    self.writers.insert(at, file);
                }
            }
            Act::Rename(from, to) if from != to && self.exists(from) && !self.confuses(&Model::name(from), to) => {
                self.world.rename(&Model::name(from), &Model::name(to));
            }
            Act::MoveOut(at) if self.own(at) => self.world.rename(&Model::name(at), &format!("out/{at}")),
            Act::MoveIn(at)
                if self.world.path(&format!("out/{at}")).exists() && !self.confuses(&format!("out/{at}"), at) =>
            {
                self.world.rename(&format!("out/{at}"), &Model::name(at));
            }
            Act::CopyTruncate(from, to)
                if self.own(from) && to != Some(from) && !to.is_some_and(|to| self.had(from, to)) =>
            {
                let to = to.map_or_else(|| "out/copy".to_owned(), Model::name);
                self.copy(from, &to, false);
                self.truncate(from);
            }
            Act::SlowCopy(from, to) if self.own(from) && to != from && !self.had(from, to) => {
                self.copy(from, &Model::name(to), true);
                self.truncate(from);
            }
            Act::Truncate(at) if self.exists(at) => self.truncate(at),
            Act::Regrow(at) if self.exists(at) => {
                let size = fs::metadata(self.world.path(&Model::name(at))).unwrap().len();
                self.truncate(at);
                let mut text = String::new();
                while text.len() as u64 <= size {
                    text += &self.lines(1);
                }
                self.append(at, &text);
            }
            Act::Unlink(at) if self.exists(at) => self.world.remove(&Model::name(at)),
            Act::Replace(at) => {
                let text = self.lines(3);
                let file = self.open("out/new");
                self.write(&file, &text);
                self.world.rename("out/new", &Model::name(at));
            }
            Act::Link(from, to) if from != to && self.own(from) && !self.confuses(&Model::name(from), to) => {
                let _ = fs::remove_file(self.world.path(&Model::name(to)));
                fs::hard_link(self.world.path(&Model::name(from)), self.world.path(&Model::name(to))).unwrap();
            }
            Act::Retarget(at) => {
                let text = self.lines(2);
                let target = format!("out/target{}", at % 2);
                let file = self.open(&target);
                self.write(&file, &text);
                let link = self.world.path(&Model::name(at));
                let _ = fs::remove_file(&link);
                symlink(self.world.path(&target), link).unwrap();
            }
            Act::Scan => self.world.scan(),
            Act::Steps(steps) => self.take(steps),
            Act::Drain => self.take(u8::MAX),
            Act::Clock(seconds) => self.world.now += SECOND * u32::from(seconds),
            Act::Count(steps) => self.count(usize::from(steps)),
            Act::Kill => {
                self.world.restart();
                if self.world.follower.is_fresh() {
                    self.world.scan();
                }
                self.contents.iter_mut().for_each(|content| content.passed = content.counted);
            }
            _ => {}
        }
        self.watch();
    }

    /// Takes steps, and holds each against what was written.
    fn take(&mut self, steps: u8) {
        for _ in 0..steps {
            if !self.world.step() {
                return;
            }
            let (step, bytes) = self.world.waiting.back().unwrap();
            let (from, to) = (step.cut.from as usize, step.cut.to as usize);
            let lost = step.lost.clone();
            let id = step.id;
            if from < to {
                let fits = |content: &Content| {
                    content.bytes.get(from..to).is_some_and(|there| {
                        step.cut.oversized.as_ref().map_or(there == &bytes[..], |head| there.starts_with(head))
                    })
                };
                let at = self.contents.iter().position(fits).unwrap_or_else(|| panic!("never written: {step:?}"));
                assert_eq!(self.contents[at].passed, from, "twice, or with a gap: {step:?}");
                self.contents[at].passed = to;
            }
            if let Some(lost) = lost.filter(|lost| lost.from < lost.to) {
                let Some(at) = self.find(id) else { continue };
                self.contents[at].lost.push((lost.from as usize, lost.to as usize));
            }
            self.watch();
        }
    }

    /// The generation that the follower means by a number: no two begin with the same line.
    fn find(&self, id: InputId) -> Option<usize> {
        let records = self.world.follower.records().all();
        let saved = records.iter().find(|saved| saved.id == id)?;
        let length = saved.start.len().min(64);
        if length < 8 {
            return None;
        }
        self.contents.iter().position(|content| content.bytes.starts_with(&saved.start))
    }

    fn count(&mut self, steps: usize) {
        let steps = steps.min(self.world.waiting.len());
        for (step, bytes) in self.world.waiting.iter().take(steps) {
            let (from, to) = (step.cut.from as usize, step.cut.to as usize);
            if from < to {
                let fits = |content: &&mut Content| {
                    content.bytes.get(from..to).is_some_and(|there| {
                        step.cut.oversized.as_ref().map_or(there == &bytes[..], |head| there.starts_with(head))
                    })
                };
                let content = self.contents.iter_mut().find(fits).unwrap();
                assert_eq!(content.counted, from);
                content.counted = to;
            }
        }
        self.world.count(steps);
    }

    /// The generations that stand in files that are followed.
    fn standing(&self) -> Vec<usize> {
        let entries = fs::read_dir(self.world.path("in/")).unwrap().flatten();
        let found = entries.filter_map(|entry| fs::metadata(entry.path()).ok());
        found.filter_map(|found| self.holds.get(&(found.dev(), found.ino())).copied()).collect()
    }

    /// Notes which generations can be read now: those that stand in the folder, and those whose
    /// file is held open.
    fn watch(&mut self) {
        for at in 0..NAMES {
            if let Some(held) = self.held_at(&Model::name(at)) {
                self.contents[held].names.insert(at);
            }
        }
        let mut readable = self.standing();
        let follower = &self.world.follower;
        let files = &follower.generations.files;
        let held = follower.generations.iter().filter_map(|generation| generation.file());
        let held = held.filter(|file| files.holds(file.key)).map(|file| file.identity);
        let candidates = follower.candidates.iter().filter(|candidate| files.holds(candidate.key));
        let held = held.chain(candidates.map(|candidate| candidate.stat.identity));
        readable.extend(held.filter_map(|identity| self.holds.get(&identity)));
        for (at, content) in self.contents.iter_mut().enumerate() {
            if !readable.contains(&at) {
                let from = content.passed;
                content.unreadable = Some(content.unreadable.map_or(from, |before| before.min(from)));
            }
        }
    }

    /// Lets time pass until nothing is left to come, and draws the balance.
    fn finish(&mut self) {
        for _ in 0..25 {
            for _ in 0..3 {
                self.world.scan();
                self.take(u8::MAX);
            }
            self.world.now += SECOND;
        }
        self.count(usize::MAX);
        for saved in self.world.follower.records().all() {
            let Some(at) = self.find(saved.id) else { continue };
            let content = &self.contents[at];
            let told = content.lost.iter().map(|(_, to)| *to).max().unwrap_or(0).max(content.passed) as u64;
            assert!(
                told >= saved.size_seen.min(content.whole() as u64),
                "generation {at}: it is not said what was lost of {saved:?}: {content:?}"
            );
        }
        let standing = self.standing();
        for (at, content) in self.contents.iter().enumerate() {
            let whole = content.whole();
            let readable = content.unreadable.unwrap_or(usize::MAX);
            assert!(content.passed >= whole.min(readable), "generation {at} ends too early: {content:?}");
            assert!(
                !standing.contains(&at) || content.passed >= whole,
                "generation {at} is there, not read: {content:?}"
            );
            for (from, to) in &content.lost {
                assert!(*from >= readable && *to <= content.bytes.len(), "generation {at} was not lost: {content:?}");
            }
        }
    }
}

fn cases() -> u32 {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    asked.unwrap_or(256)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn every_byte_is_passed_on_once_or_could_not_be_read(
        acts in proptest::collection::vec(act(), 1..60),
        few in proptest::bool::weighted(0.2),
    ) {
        let mut model = Model::new(if few { 2 } else { 100 });
        for act in &acts {
            model.act(act);
        }
        model.finish();
    }
}
