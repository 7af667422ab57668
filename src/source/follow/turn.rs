//! The turn of one file: a chunk of it, or what time and its ways bring about where there is
//! nothing to read: silence, its end, and that it is forgotten.
//!
//! Not here: whose turn it is (`turns`). Invariant: what is lost of a generation is told before its
//! last delivery, and once.

use std::io;
use std::time::Duration;

use super::candidates::Candidates;
use super::content::Stat;
use super::delivery::{Delivery, LostBytes};
use super::generation::Generation;
use super::generations::Generations;
use super::open_files::is_shortage;
use super::reading::{self, Looked, OpenedFile};
use super::whereabouts::Gone;
use crate::error::{Error, show_path};
use crate::model::InputId;
use crate::source::chunker::Cut;

/// The most chunks of an over-long line that are read in one go, before others have their turn.
const READS: u64 = 4;

/// Failures in a row after which a file that nothing leads to is given up.
const GIVE_UP: u32 = 8;

/// A turn of a generation.
pub(super) struct FileTurn<'a> {
    pub id: InputId,
    pub now: Duration,
    pub generations: &'a mut Generations,
    /// The files among which a copy may be that says where it ended.
    pub candidates: &'a Candidates,
    /// What people should know.
    pub warnings: &'a mut Vec<String>,
}

/// How an attempt to read went.
enum Attempt {
    Gave(Delivery),
    Nothing,
    /// There may be bytes, but not now.
    Later,
}

/// What was read of an open file, and what was found missing in it.
struct Read {
    looked: io::Result<Looked>,
    lost: Option<LostBytes>,
}

impl FileTurn<'_> {
    /// Takes the turn: what there is to pass on, its bytes in `into`.
    pub fn take(&mut self, into: &mut Vec<u8>) -> Option<Delivery> {
        let (id, now) = (self.id, self.now);
        if !self.generations.get_mut(id)?.retries.is_time(now) {
            self.generations.turns.catch_up(id, None);
            return self.say_idle();
        }
        let attempt = self.read(false, into);
        let generation = self.generations.get(id).filter(|_| matches!(attempt, Attempt::Gave(_)));
        let read = generation.map(|generation| (generation.position(), generation.seen.size));
        self.generations.turns.catch_up(id, read);
        let delivery = match attempt {
            Attempt::Gave(delivery) => Some(delivery),
            Attempt::Nothing => self.bring_about(into),
            Attempt::Later => self.say_idle(),
        };
        self.generations.update_record(id);
        if delivery.is_some() {
            self.generations.enqueue(id);
        }
        delivery
    }

    fn generation(&mut self) -> Option<&mut Generation> {
        self.generations.get_mut(self.id)
    }

    /// Reads on. A chunk, or news of bytes that are gone, is passed on. With `finish`, so is a line
    /// without its end.
    fn read(&mut self, finish: bool, into: &mut Vec<u8>) -> Attempt {
        let (id, now) = (self.id, self.now);
        let read = match self.look(finish, into) {
            Ok(Some(read)) => read,
            // It may have a file that a scan will find under another name.
            Ok(None) if self.generation().is_some_and(|generation| generation.file().is_some()) => {
                return Attempt::Later;
            }
            Ok(None) => return Attempt::Nothing,
            Err(error) => return self.fail(error),
        };
        let mut more = false;
        match read.looked {
            Err(error) => return self.fail(error),
            Ok(Looked::Chunk(cut, unterminated)) => return self.pass_on(cut, unterminated, read.lost),
            Ok(Looked::Replaced) => self.generations.displace(id, now),
            Ok(Looked::More) => {
                more = true;
                self.look_on();
            }
            Ok(Looked::Nothing) => {}
        }
        if let Some(generation) = self.generation() {
            generation.retries.succeed();
        }
        match read.lost.and_then(|lost| Some(Delivery { lost: Some(lost), ..self.delivery()? })) {
            Some(delivery) => Attempt::Gave(delivery),
            None if more => Attempt::Later,
            None => Attempt::Nothing,
        }
    }

    /// Looks at the file, if it is open or can be opened.
    fn look(&mut self, finish: bool, into: &mut Vec<u8>) -> io::Result<Option<Read>> {
        let now = self.now;
        let Some(file) = self.generations.open(self.id, now)? else { return Ok(None) };
        let fault = self.generations.files.read_fault();
        let options = &self.generations.options;
        let most = READS * (options.chunk + options.max_line) as u64;
        let Some(generation) = self.generation() else { return Ok(None) };
        let mut cut_short = None;
        let looked = Stat::of_file(&file).and_then(|stat| {
            let file = OpenedFile { file: &file, stat, most, fault };
            reading::look(generation, &file, now, finish, &mut cut_short, into)
        });
        let lost = cut_short.map(|(from, to)| LostBytes {
            name: show_path(&generation.path),
            cause: "was cut short before it was read",
            from: from.max(generation.position().min(to)),
            to,
            open_ended: false,
            remedy: None,
        });
        Ok(Some(Read { looked, lost }))
    }

    /// Has the rest of what was not looked at yet looked at in another turn.
    fn look_on(&mut self) {
        if self.generations.turns.may_look_on() {
            self.generations.enqueue(self.id);
        } else if let Some(generation) = self.generations.get_mut(self.id) {
            generation.retries.put_off(self.now);
        }
    }

    fn pass_on(&mut self, cut: Cut, unterminated: bool, lost: Option<LostBytes>) -> Attempt {
        match self.delivery() {
            Some(delivery) => Attempt::Gave(Delivery { cut, lost, unterminated, ..delivery }),
            None => Attempt::Nothing,
        }
    }

    /// One without bytes at the position, with what each has to account for.
    fn delivery(&mut self) -> Option<Delivery> {
        let now = self.now;
        let generation = self.generation()?;
        let mut delivery = Delivery::empty(generation.id, generation.position(), generation.passed.tail());
        delivery.skipped = generation.passed.take_skipped();
        delivery.opened = generation.open();
        generation.silence.end(now);
        generation.retries.succeed();
        Some(delivery)
    }

    /// Notes that the file could not be read, and when to try again.
    fn fail(&mut self, error: io::Error) -> Attempt {
        let now = self.now;
        let Some(generation) = self.generations.get_mut(self.id) else { return Attempt::Nothing };
        let is_news = generation.retries.fail(now);
        let again = generation.whereabouts.is_here();
        let give_up = !again && generation.retries.failed_at_least(GIVE_UP);
        if let Some(file) = generation.file().filter(|_| again && !is_shortage(&error)) {
            // The next try opens it anew, which a stale handle needs.
            self.generations.files.close(file.key);
        }
        if is_news && let Some(generation) = self.generation() {
            let error = Error::input(&generation.path, "cannot be read now, and will be tried again", error);
            self.warnings.push(error.to_string());
        }
        if give_up {
            self.generations.lose_file(self.id);
        }
        Attempt::Later
    }

    /// What time and the ways of a file bring about when there is nothing to read.
    fn bring_about(&mut self, into: &mut Vec<u8>) -> Option<Delivery> {
        let (now, wait) = (self.now, self.generations.options.rotate_wait);
        let generation = self.generation()?;
        if generation.whereabouts.gone().is_some_and(Gone::has_copy) {
            return self.settle(None);
        }
        if generation.is_over(now) {
            return self.end();
        }
        if !generation.is_drained(now, wait) {
            return self.say_idle();
        }
        let mut last = None;
        if generation.file().is_some() {
            match self.read(true, into) {
                Attempt::Later => return self.say_idle(),
                Attempt::Gave(delivery) if !delivery.unterminated => return Some(delivery),
                Attempt::Gave(delivery) => last = Some(delivery),
                Attempt::Nothing => {}
            }
        }
        let generation = self.generation()?;
        // That look may have shown that it grew, or is another file.
        if !generation.is_drained(now, wait) {
            return last;
        }
        // A copy may say where it ended.
        let (is_end_unknown, position) = (generation.is_end_unknown(), generation.position());
        if last.is_none() && is_end_unknown && self.candidates.seeks(position) {
            return self.say_idle();
        }
        self.settle(last)
    }

    /// Deals with the end; `last`: the last bytes. What there is to say of it, if there is
    /// anything.
    pub fn settle(&mut self, last: Option<Delivery>) -> Option<Delivery> {
        let id = self.id;
        let generation = self.generation()?;
        let lost = generation.lose();
        let is_news = !generation.silence.is_told() || generation.passed.has_skipped();
        self.generations.settle(id);
        if last.is_none() && lost.is_none() && !is_news {
            return None;
        }
        let mut delivery = match last {
            Some(last) => last,
            None => self.delivery()?,
        };
        delivery.lost = delivery.lost.or(lost);
        delivery.idle = true;
        self.generation()?.silence.tell();
        Some(delivery)
    }

    /// That nothing has come for a while, if those behind do not know.
    fn say_idle(&mut self) -> Option<Delivery> {
        let (now, idle) = (self.now, self.generations.options.idle);
        let generation = self.generation()?;
        if !generation.silence.is_due(now, idle) {
            return None;
        }
        let since = generation.silence.since;
        let delivery = self.delivery()?;
        let generation = self.generation()?;
        generation.silence.since = since;
        generation.silence.tell();
        Some(Delivery { idle: true, ..delivery })
    }

    /// The last of a generation.
    fn end(&mut self) -> Option<Delivery> {
        let mut delivery = self.delivery()?;
        delivery.cut.last = true;
        delivery.idle = true;
        self.generations.forget(self.id);
        Some(delivery)
    }
}
