//! Beside the reader: follows files as they grow, rotate and appear.
//!
//! Glue between the follower, which knows files (`source/follow`), and the stages behind. Time that
//! the process was stopped does not count as silence of an input.
//!
//! Silence rides on the data: that an input is idle comes as an empty chunk, behind all that was
//! read of it.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::actor::{Exit, Outlet, Permit, Permits, Stop};
use crate::batch::{Chunk, Live};
use crate::format::{HEAD_BYTES, Head, LineRules, SavedSchema, Unbound};
use crate::metrics::Progress;
use crate::model::recycle::{BufferPool, Pooled};
use crate::model::{Balance, InputId, Span};
use crate::source::follow::{Delivery, Events, Follower, New};

use super::abreast::Abreast;
use super::bind::Binder;
use super::{Failures, InputNames, InputSchemas, anew};

/// How long to wait for events; also how soon an interrupt is heard.
const WAIT: Duration = Duration::from_millis(50);

/// How long to wait where files have to be looked at one by one, since there are no events.
const WAIT_POLLING: Duration = Duration::from_millis(100);

/// How long to wait for more after an event, so that a program that writes line by line is not read
/// line by line.
const GATHER: Duration = Duration::from_millis(5);

/// Time between two looks at all files, whatever events say.
const POLL: Duration = Duration::from_secs(1);

/// Time between two looks at the locations, if each takes less than a twentieth of that.
const SCAN: Duration = Duration::from_secs(1);

/// Where there are many files, both come less often: this much time for each file.
const EACH_FILE: Duration = Duration::from_millis(2);

/// But no less often than this.
const SELDOM: Duration = Duration::from_secs(10);

/// The same while events tell of new names.
const SCAN_SOON: Duration = Duration::from_millis(20);

/// Time between two looks for folders to watch, while the files in them stay the same.
const WATCH: Duration = Duration::from_secs(5);

/// Chunks that are passed on before other things have their turn, such as a look at the locations.
const CHUNKS: usize = 256;

/// The most by which the clock of silences goes on in one round.
const LONGEST_ROUND: Duration = Duration::from_millis(200);

/// Where a file that is new begins to matter: its byte.
pub type Begin = dyn Fn(&New, &File) -> Option<u64> + Send;

/// Tells the stages behind of an input before anything comes from it.
pub type Register = dyn Fn(InputId) + Send;

/// What follows the files of one reader.
pub struct Following {
    /// The files.
    pub follower: Follower,
    /// What tells of changes.
    pub events: Events,
    /// Whom new files concern.
    pub announcing: Announcing,
    /// What makes chunks.
    pub chunks: ChunkMaker,
    /// The run's stop switch.
    pub stop: Stop,
    /// How far the run has come.
    pub progress: Arc<Progress>,
    /// Warnings are told here.
    pub failures: Arc<Failures>,
    /// The clock of silences.
    pub clock: Duration,
    /// Time between two looks at all there is, for the number of files.
    pub pace: Duration,
    /// Asks that all be read that is there.
    pub abreast: Arc<Abreast>,
    /// Chunks that were sent.
    pub sent: u64,
}

/// Whom new files concern.
pub struct Announcing {
    /// Says from which byte a file that was there at the start is needed.
    pub begin: Box<Begin>,
    /// Size of all of those together up to which they are needed whole.
    pub prune_above: u64,
    /// Tells of new inputs.
    pub register: Box<Register>,
    /// The names of all inputs.
    pub names: Arc<InputNames>,
}

/// What makes chunks of what a follower gives.
pub struct ChunkMaker {
    /// How many may exist.
    pub permits: Permits,
    /// Where their bytes come from.
    pub buffers: BufferPool<u8>,
    /// How far beyond now a stamp may lie, in nanoseconds.
    pub future: i64,
    /// What tells how lines are read, and the clock.
    pub binder: Binder,
    /// How those of each input are read, for whoever saves.
    pub schemas: Arc<InputSchemas>,
    /// Of each input that is known: what its next chunk needs.
    pub begun: HashMap<InputId, Begun>,
}

/// What the next chunk of an input needs.
#[derive(Debug, Default)]
pub struct Begun {
    /// Its number.
    next: u64,
    /// How its lines are read; `None` until its beginning tells.
    rules: Option<LineRules>,
}

impl Begun {
    /// Of an input that an earlier run has counted a part of, and whose lines it has read so.
    pub fn by(rules: Option<LineRules>) -> Self {
        Begun { next: 0, rules }
    }
}

/// What the beginning of an input has told.
enum HeadTold {
    /// Its format.
    Format(String),
    /// That there is none, and why.
    Nothing(String),
}

impl Following {
    /// Tells the follower what is known of inputs that an earlier run has counted a part of.
    pub fn go_on(&mut self) {
        for &id in self.chunks.begun.keys() {
            self.follower.set_header(id, self.chunks.header(id));
        }
    }

    /// Looks at the locations, and announces what is new. `at_start`: files may be needed in part
    /// only. Whether the locations lead to other files than before.
    pub fn scan(&mut self, at_start: bool) -> bool {
        let scanned = self.follower.scan(self.clock);
        for text in scanned.warnings {
            self.failures.warn(&text);
        }
        for location in scanned.nowhere {
            self.failures.warn(&format!("'{location}' leads to no file yet; it is waited for"));
        }
        let may_skip = at_start && scanned.new.iter().map(|new| new.size).sum::<u64>() > self.announcing.prune_above;
        for new in scanned.new {
            self.announcing.names.set(new.id, new.name.clone());
            self.progress.add_known(new.size.saturating_sub(new.position));
            (self.announcing.register)(new.id);
            if let Some(file) = (may_skip && !new.resumed).then(|| File::open(&new.path).ok()).flatten()
                && let Some(position) = (self.announcing.begin)(&new, &file)
            {
                self.follower.begin_at(new.id, position);
            }
        }
        self.pace = SELDOM.min(EACH_FILE * u32::try_from(scanned.paths).unwrap_or(u32::MAX));
        scanned.changed
    }

    /// Runs until the run is asked to end.
    pub fn run(mut self, mut outlet: Outlet<Arc<Chunk>>) -> Result<(), Exit> {
        let mut round = Instant::now();
        let (mut polled, mut scanned, mut watched, mut scan_after, mut wanted) = (round, round, round, SCAN, false);
        let mut question = None;
        while !self.stop.draining() {
            fail::fail_point!("reader");
            let now = Instant::now();
            self.clock += (now - round).min(LONGEST_ROUND);
            self.follower.records().set_clock(self.clock);
            round = now;
            if now - scanned >= if wanted { SCAN_SOON.max(scan_after / 4) } else { scan_after } {
                if self.scan(false) || now - watched >= WATCH {
                    let failed = self.events.watch(&self.follower.directories());
                    failed.into_iter().for_each(|text| self.failures.warn(&text));
                    watched = now;
                }
                (scanned, wanted) = (Instant::now(), false);
                scan_after = SCAN.max((scanned - now) * 20).max(self.pace);
            }
            if question.is_none()
                && let Some(asked) = self.abreast.question()
            {
                self.scan(false);
                self.follower.mark_behind();
                question = Some(asked);
            }
            let polling = self.events.polling();
            if polling || now - polled >= POLL.max(self.pace) {
                self.follower.touch_all();
                polled = now;
            }
            let any = self.read(&mut outlet)?;
            if self.follower.is_abreast()
                && let Some(asked) = question.take()
            {
                self.abreast.answer(asked, self.sent);
            }
            wanted |= self.follower.scan_due();
            if any {
                continue;
            }
            let woken = self.events.wait(if polling { WAIT_POLLING } else { WAIT });
            wanted |= woken.rescan;
            if woken.rescan {
                self.follower.touch_all();
            }
            if !woken.paths.is_empty() {
                std::thread::sleep(GATHER);
            }
            for path in woken.paths {
                self.follower.touch(&path);
            }
        }
        self.conclude(&mut outlet)
    }

    /// Says what is to be said when nothing more is read.
    fn conclude(&mut self, outlet: &mut Outlet<Arc<Chunk>>) -> Result<(), Exit> {
        let (warnings, steps) = self.follower.conclude(self.clock);
        warnings.iter().for_each(|text| self.failures.warn(text));
        for step in steps {
            let permit = self.chunks.permits.acquire()?;
            self.send(&step, Vec::new().into(), permit, outlet)?;
        }
        Ok(())
    }

    fn send(
        &mut self,
        step: &Delivery,
        bytes: Pooled<u8>,
        permit: Permit,
        outlet: &mut Outlet<Arc<Chunk>>,
    ) -> Result<(), Exit> {
        self.tell(step);
        self.progress.add_read(step.cut.to - step.cut.from);
        if !bytes.is_empty() && self.chunks.is_untold(step.id) {
            let beginning = self.follower.beginning(step.id, self.clock, HEAD_BYTES);
            let first = || step.opened.then(|| bytes[..bytes.len().min(HEAD_BYTES)].to_vec());
            let told = beginning.or_else(first).and_then(|bytes| self.chunks.bind(step.id, step.cut.from, &bytes));
            let name = self.announcing.names.get(step.id);
            match told {
                Some(HeadTold::Format(what)) => self.failures.note(&format!("{name} {what}")),
                Some(HeadTold::Nothing(why)) => self.failures.warn(&format!("{name}: {why}")),
                None => {}
            }
        }
        let chunk = self.chunks.chunk(step);
        for chunk in self.chunks.pieces(Chunk { bytes, guard: Some(Box::new(permit)), ..chunk }) {
            outlet.send(Arc::new(chunk))?;
            self.sent += 1;
        }
        self.follower.set_header(step.id, self.chunks.header(step.id));
        if step.cut.last {
            self.chunks.begun.remove(&step.id);
        }
        Ok(())
    }

    /// Passes on what there is of each file, a chunk of each in turn. Gives whether there was
    /// anything.
    fn read(&mut self, outlet: &mut Outlet<Arc<Chunk>>) -> Result<bool, Exit> {
        let mut any = false;
        for _ in 0..CHUNKS {
            // The permit comes first: a chunk that holds one can always be processed.
            let permit = self.chunks.permits.acquire()?;
            let mut bytes = self.chunks.buffers.take();
            let Some(step) = self.follower.next(self.clock, &mut bytes) else { return Ok(any) };
            any = true;
            self.send(&step, bytes, permit, outlet)?;
            if self.stop.draining() {
                break;
            }
        }
        Ok(any)
    }

    fn tell(&self, step: &Delivery) {
        for text in &step.warnings {
            self.failures.warn(text);
        }
        if let Some(loss) = &step.lost {
            let what = match (loss.from < loss.to, loss.open_ended) {
                (true, false) if loss.remedy.is_some() => {
                    format!(": bytes {} to {} were not counted", loss.from, loss.to)
                }
                (true, false) => format!(": bytes {} to {} are lost", loss.from, loss.to),
                (true, true) => {
                    format!(
                        ": bytes {} to {} are lost, and what was written behind them, if anything",
                        loss.from, loss.to
                    )
                }
                (false, _) => format!("; what was written behind byte {}, if anything, is lost", loss.from),
            };
            let remedy = loss.remedy.as_ref().map_or_else(String::new, |remedy| format!("; {remedy}"));
            self.failures.warn(&format!("{}: {}{what}{remedy}", loss.name, loss.cause));
        }
    }
}

impl ChunkMaker {
    /// The line of an input that says what its columns are, if one does.
    fn header(&self, id: InputId) -> &[u8] {
        self.begun.get(&id).and_then(|begun| begun.rules.as_ref()).map_or(&[], |rules| rules.schema.header())
    }

    /// Whether it has to be told yet how the lines of an input are read.
    fn is_untold(&self, id: InputId) -> bool {
        self.binder.format.needs_head() && self.begun.get(&id).is_none_or(|begun| begun.rules.is_none())
    }

    /// Binds an input by how it begins, if that tells its format, for its lines from a byte on. What
    /// people should know.
    fn bind(&mut self, id: InputId, from: u64, beginning: &[u8]) -> Option<HeadTold> {
        let (head, now) = (Head::of(beginning, false), (self.binder.now)());
        let begun = self.begun.entry(id).or_default();
        let told = match self.binder.format.bind(&head, now, self.binder.max_line) {
            Ok(rules) => {
                let told = self.binder.told(&rules).map(|name| HeadTold::Format(format!("is read as {name}")));
                begun.rules = Some(rules);
                told
            }
            // More of it may tell.
            Err(_) if beginning.len() < HEAD_BYTES && head.lines.len() < Head::MOST_LINES => None,
            Err(Unbound::Untold(why) | Unbound::Misasked(why)) => {
                begun.rules = Some(self.binder.plain());
                Some(HeadTold::Nothing(format!(
                    "{why}; its lines are read as plain, and are malformed where they are not"
                )))
            }
        };
        let saved = match &begun.rules {
            Some(rules) => (!rules.schema.is_plain()).then(|| rules.schema.saved()),
            None => Some(SavedSchema::undecided()),
        };
        self.schemas.set(id, from, saved);
        told
    }

    /// The pieces of a chunk, where its lines name other columns from some line on.
    fn pieces(&mut self, chunk: Chunk) -> Vec<Chunk> {
        let (input, mut pieces) = (chunk.span.input, Vec::with_capacity(1));
        if let Some(rules) = anew::divide(chunk, &mut pieces) {
            for piece in &pieces {
                self.schemas.set(input, piece.span.from, Some(piece.rules.schema.saved()));
            }
            let begun = self.begun.entry(input).or_default();
            begun.next += pieces.len() as u64 - 1;
            begun.rules = Some(rules);
        }
        pieces
    }

    /// The chunk of a delivery, but for its bytes.
    fn chunk(&mut self, step: &Delivery) -> Chunk {
        let now = (self.binder.now)();
        let begun = self.begun.entry(step.id).or_default();
        // Until something tells, lines are those of `plain`, and malformed where they are not.
        let rules = begun.rules.as_ref().map_or_else(|| self.binder.plain(), |rules| rules.up_to(now));
        let number = begun.next;
        begun.next += 1;
        let span = Span { input: step.id, from: step.cut.from, to: step.cut.to };
        let lost = step.lost.as_ref().map_or(0, |loss| loss.to - loss.from);
        let balance = Balance {
            bytes_read: span.len(),
            bytes_skipped: step.skipped,
            bytes_unread: lost,
            bytes_compressed: step.packed,
            unknown_losses: step.lost.as_ref().map_or(0, |loss| u64::from(loss.open_ended)),
            bytes_total: span.len() + step.skipped + lost,
            unterminated: u64::from(step.unterminated),
            inputs: u64::from(step.opened),
            ..Balance::default()
        };
        let future_after = now.plus(self.future);
        Chunk {
            span,
            number,
            bytes: Vec::new().into(),
            oversized: step.cut.oversized.clone(),
            rules,
            balance,
            streamed: true,
            order: None,
            last: step.cut.last,
            // Zeros at the start, or what lies before the first window: the follower does not tell
            // them apart here.
            unseen: step.skipped > 0,
            live: Some(Live { tail: step.tail, idle: step.idle, future_after }),
            guard: None,
        }
    }
}
