//! Whether what was in the followed files at an instant is counted: asked by the issuer, answered
//! by the follower.
//!
//! Invariant: the answer is the number of chunks that were sent before it; once that many are
//! counted, so is everything that was there when it was asked.

use std::sync::atomic::{AtomicU64, Ordering};

/// A question and its answer. One issuer asks, one follower answers.
#[derive(Debug, Default)]
pub struct Abreast {
    asked: AtomicU64,
    answered: AtomicU64,
    /// Chunks that were sent when the last question was answered.
    sent: AtomicU64,
    counted: AtomicU64,
}

impl Abreast {
    /// Asks for everything that is there now to be read.
    pub fn ask(&self) {
        self.asked.fetch_add(1, Ordering::AcqRel);
    }

    /// The question that is to be answered, if there is any.
    pub fn question(&self) -> Option<u64> {
        let asked = self.asked.load(Ordering::Acquire);
        (asked > self.answered.load(Ordering::Acquire)).then_some(asked)
    }

    /// Answers a question: everything that was there is in the first `sent` chunks.
    pub fn answer(&self, question: u64, sent: u64) {
        self.sent.store(sent, Ordering::Release);
        self.answered.store(question, Ordering::Release);
    }

    /// Notes that a chunk is counted.
    pub fn count(&self) {
        self.counted.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether everything is counted that was there at the last question.
    pub fn is_reached(&self) -> bool {
        self.question().is_none() && self.counted.load(Ordering::Acquire) >= self.sent.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_answered_once_what_was_sent_before_is_counted() {
        let abreast = Abreast::default();
        assert_eq!(abreast.question(), None);
        abreast.ask();
        let question = abreast.question().unwrap();
        assert!(!abreast.is_reached());
        abreast.answer(question, 2);
        assert!(abreast.question().is_none() && !abreast.is_reached());
        abreast.count();
        assert!(!abreast.is_reached());
        abreast.count();
        assert!(abreast.is_reached());
        abreast.ask();
        assert!(!abreast.is_reached());
    }
}
