//! How the workers of a stage are made, with the stages that are chained to it: each worker runs all
//! of them, batch by batch, while a batch is warm in the cache.
//!
//! Stages are put together in any order; workers are made when the first stage of a chain is
//! started. Not here: which stages are chained (the plan says that), and the loop of a worker
//! (`worker`). Invariant: a chained stage has no threads and no inbox of its own, and a batch has
//! gone through it when the call that sends it returns.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use super::edge::{Inbox, Port};
use super::outcome::Exit;
use super::outlet::{Chained, Outlet};
use super::pool::Pool;
use super::stage::Transform;
use super::stop::Stop;
use super::worker::{Countdown, Link, drive, lead};
use crate::error::{Error, Result};
use crate::metrics::StageMetrics;

/// What joins a stage to the one before it in the same workers. Clones share it.
pub struct Coupling<T> {
    /// Makes the stage's part of a worker; there once the stage is put together.
    make: Rc<OnceCell<MakeNext<T>>>,
    stop: Stop,
}

type MakeNext<T> = Box<dyn Fn() -> Result<Box<dyn Chained<T>>>>;

impl<T> Coupling<T> {
    /// Of a stage that is still to be put together.
    pub fn new(stop: &Stop) -> Self {
        Coupling { make: Rc::default(), stop: stop.clone() }
    }
}

impl<T> Clone for Coupling<T> {
    fn clone(&self) -> Self {
        Coupling { make: Rc::clone(&self.make), stop: self.stop.clone() }
    }
}

/// The ways out of a stage, of which each of its workers has one.
pub struct Outlets<T> {
    way: WayOut<T>,
    metrics: Arc<StageMetrics>,
}

enum WayOut<T> {
    Ports(Vec<Port<T>>),
    Chain(Coupling<T>),
}

impl<T: Clone> Outlets<T> {
    /// To these ports.
    pub fn to(ports: Vec<Port<T>>, metrics: Arc<StageMetrics>) -> Self {
        Outlets { way: WayOut::Ports(ports), metrics }
    }

    /// Into the stage that is chained to this one.
    pub fn into_chain(coupling: Coupling<T>, metrics: Arc<StageMetrics>) -> Self {
        Outlets { way: WayOut::Chain(coupling), metrics }
    }

    /// That of one more worker. Errors if it leads into a stage that is not put together.
    pub fn open(&self) -> Result<Outlet<T>> {
        let metrics = Arc::clone(&self.metrics);
        let Coupling { make, stop } = match &self.way {
            WayOut::Ports(ports) => return Ok(Outlet::new(ports.clone(), metrics)),
            WayOut::Chain(coupling) => coupling,
        };
        let make = make.get().ok_or_else(|| Error::usage("a stage is chained to another and is not put together"))?;
        Ok(Outlet::into_next(make()?, stop.clone(), metrics))
    }
}

impl<T: Clone + Send + 'static> Outlets<T> {
    /// Starts so many workers that take nothing from an inbox, each of which does `work`. The last
    /// to have done it ends the stages that are chained to them.
    pub fn start(
        &self,
        name: &str,
        threads: usize,
        pool: &mut Pool,
        work: impl FnOnce(&mut Outlet<T>) -> Result<(), Exit> + Clone + Send + 'static,
    ) -> Result<()> {
        let countdown = Countdown::new(threads);
        for _ in 0..threads {
            let (outlet, work, countdown) = (self.open()?, work.clone(), countdown.clone());
            pool.spawn(name, move || lead(outlet, work, &countdown))?;
        }
        Ok(())
    }
}

/// A stage that is put together, of which workers are made.
pub struct Workers<T: Transform> {
    name: Arc<str>,
    /// Names the place for injected faults.
    point: &'static str,
    outlets: Outlets<T::Out>,
    make: Box<dyn Fn() -> T>,
}

impl<T: Transform> Workers<T> {
    /// Of a stage of this name; `make` makes what one more worker of it does.
    pub fn new(name: &str, point: &'static str, outlets: Outlets<T::Out>, make: impl Fn() -> T + 'static) -> Self {
        Workers { name: name.into(), point, outlets, make: Box::new(make) }
    }

    /// Starts so many that take their batches from an inbox.
    pub fn start(&self, threads: usize, inbox: &Inbox<T::In>, pool: &mut Pool) -> Result<()> {
        let countdown = Countdown::new(threads);
        for _ in 0..threads {
            let (head, inbox, countdown) = (self.link()?, inbox.clone(), countdown.clone());
            pool.spawn(&self.name, move || drive(head, &inbox, &countdown))?;
        }
        Ok(())
    }

    /// Leaves them to the stage before: each of its workers is one of these, too.
    pub fn chain(self, coupling: &Coupling<T::In>) {
        let make: MakeNext<T::In> = Box::new(move || Ok(Box::new(self.link()?)));
        // A stage is put together once.
        let _ = coupling.make.set(make);
    }

    fn link(&self) -> Result<Link<T>> {
        Ok(Link::new(Arc::clone(&self.name), self.point, (self.make)(), self.outlets.open()?))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;
    use std::time::Duration;

    use parking_lot::Mutex;

    use super::super::edge::edge;
    use super::super::outcome::Outcome;
    use super::*;

    /// What a stage is called for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Call {
        Batch(u32),
        Waited,
        Finish,
    }

    /// A stage that is told of all that comes to it, and sends each batch on, raised by one.
    struct Step<F> {
        told: F,
        patience: Option<Duration>,
    }

    impl<F: FnMut(Call) -> Result<(), Exit> + Send + 'static> Transform for Step<F> {
        type In = u32;
        type Out = u32;

        fn receive(&mut self, batch: u32, outlet: &mut Outlet<u32>) -> Result<(), Exit> {
            (self.told)(Call::Batch(batch))?;
            outlet.send(batch + 1)?;
            // Once more, as panics behind this are no longer those of the next stage.
            (self.told)(Call::Batch(batch + 1000))
        }

        fn patience(&self) -> Option<Duration> {
            self.patience
        }

        fn waited(&mut self) -> Result<(), Exit> {
            (self.told)(Call::Waited)
        }

        fn finish(&mut self, _outlet: &mut Outlet<u32>) -> Result<(), Exit> {
            (self.told)(Call::Finish)
        }
    }

    /// Two stages, `head` and `tail`, in one chain of `threads` workers, over the batches 0, 10, 20,
    /// and so on; `told` is told of each call. What came out, and how the run ended.
    struct Chain {
        threads: usize,
        batches: u32,
        stop: Stop,
        patience: [Option<Duration>; 2],
        /// How long the inbox stays open and empty at the end.
        silence: Duration,
        metrics: [Arc<StageMetrics>; 2],
    }

    impl Chain {
        fn new(threads: usize, batches: u32) -> Self {
            let (stop, metrics) = (Stop::default(), Default::default());
            Chain { threads, batches, stop, patience: [None; 2], silence: Duration::ZERO, metrics }
        }

        fn run(
            &self,
            told: impl Fn(&'static str, Call) -> Result<(), Exit> + Send + Sync + 'static,
        ) -> (Vec<u32>, Outcome) {
            let told = Arc::new(told);
            let step = |name: &'static str, patience| {
                let told = Arc::clone(&told);
                move || {
                    let told = Arc::clone(&told);
                    Step { told: move |call| told(name, call), patience }
                }
            };
            let many = NonZeroUsize::new(1000).unwrap();
            let ((port, inbox), (out, came)) = (edge(many, &self.stop), edge(many, &self.stop));
            let coupling = Coupling::new(&self.stop);
            let [into, outlets] = [
                Outlets::into_chain(coupling.clone(), Arc::clone(&self.metrics[0])),
                Outlets::to(vec![out], Arc::clone(&self.metrics[1])),
            ];
            let head = Workers::new("head", "none", into, step("head", self.patience[0]));
            Workers::new("tail", "none", outlets, step("tail", self.patience[1])).chain(&coupling);
            let mut pool = Pool::new(self.stop.clone());
            head.start(self.threads, &inbox, &mut pool).unwrap();
            drop((head, coupling, inbox));
            for batch in 0..self.batches {
                let _ = port.send(10 * batch, &StageMetrics::default());
            }
            thread::sleep(self.silence);
            drop(port);
            let outcome = pool.join();
            let mut all = Vec::new();
            while let Ok(Some(batch)) = came.receive() {
                all.push(batch);
            }
            all.sort_unstable();
            (all, outcome)
        }
    }

    #[test]
    fn each_batch_passes_all_stages_in_one_worker_and_each_stage_counts_it() {
        let chain = Chain::new(3, 20);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let note = Arc::clone(&seen);
        let (came, outcome) = chain.run(move |stage, call| {
            note.lock().push((thread::current().id(), stage, call));
            Ok(())
        });
        assert!(matches!(outcome, Outcome::Done));
        assert_eq!(came, (0..20).map(|batch| 10 * batch + 2).collect::<Vec<_>>());
        for metrics in &chain.metrics {
            assert_eq!((metrics.batches(), metrics.blocked_time()), (20, Duration::ZERO));
        }
        let seen = seen.lock();
        for batch in (0..20).map(|batch| 10 * batch) {
            let of = |stage, call| seen.iter().find(|it| (it.1, it.2) == (stage, call)).unwrap().0;
            let thread = of("head", Call::Batch(batch));
            // Nothing else happens in the worker between the two.
            let mine: Vec<_> = seen.iter().filter(|it| it.0 == thread).map(|it| (it.1, it.2)).collect();
            let at = mine.iter().position(|it| *it == ("head", Call::Batch(batch))).unwrap();
            let next = [
                ("tail", Call::Batch(batch + 1)),
                ("tail", Call::Batch(batch + 1001)),
                ("head", Call::Batch(batch + 1000)),
            ];
            assert_eq!(mine[at + 1..at + 4], next);
        }
    }

    #[test]
    fn the_end_comes_once_to_each_stage_in_the_order_of_the_data_and_behind_every_batch() {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let note = Arc::clone(&calls);
        let (_, outcome) = Chain::new(4, 40).run(move |stage, call| {
            note.lock().push((stage, call));
            Ok(())
        });
        assert!(matches!(outcome, Outcome::Done));
        let calls = calls.lock();
        assert_eq!(calls.len(), 40 * 4 + 2);
        assert_eq!(calls[calls.len() - 2..], [("head", Call::Finish), ("tail", Call::Finish)]);
    }

    #[test]
    fn workers_without_an_inbox_lead_a_chain_which_ends_once_behind_the_last_of_them() {
        for fails in [false, true] {
            let (stop, calls) = (Stop::default(), Arc::new(Mutex::new(Vec::new())));
            let ((out, came), coupling) = (edge(NonZeroUsize::new(1000).unwrap(), &stop), Coupling::new(&stop));
            let (note, next) = (Arc::clone(&calls), Arc::new(AtomicU32::new(0)));
            let tail = move || {
                let note = Arc::clone(&note);
                let told = move |call| {
                    note.lock().push(call);
                    Ok(())
                };
                Step { told, patience: None }
            };
            let lead = Outlets::into_chain(coupling.clone(), Arc::default());
            Workers::new("tail", "none", Outlets::to(vec![out], Arc::default()), tail).chain(&coupling);
            let mut pool = Pool::new(stop);
            let work = move |outlet: &mut Outlet<u32>| loop {
                match next.fetch_add(1, Ordering::Relaxed) {
                    30.. if fails => return Err(Exit::DownstreamClosed),
                    30.. => return Ok(()),
                    batch => outlet.send(10 * batch)?,
                }
            };
            lead.start("lead", 3, &mut pool, work).unwrap();
            drop((lead, coupling));
            let (outcome, calls) = (pool.join(), calls.lock());
            assert!(matches!(outcome, Outcome::Done) != fails, "{outcome:?}");
            // Each batch is told twice.
            assert_eq!(calls.len(), if fails { 60 } else { 61 });
            assert_eq!(calls.last() == Some(&Call::Finish), !fails);
            assert_eq!(came.len(), 30);
        }
    }

    #[test]
    fn f1_a_panic_is_that_of_the_stage_which_was_at_work() {
        for (stage, at) in [
            ("head", Call::Batch(20)),
            ("tail", Call::Batch(21)),
            // Behind the call of the next stage.
            ("head", Call::Batch(1020)),
            ("head", Call::Waited),
            ("tail", Call::Waited),
            ("head", Call::Finish),
            ("tail", Call::Finish),
        ] {
            let patience = [Some(Duration::from_millis(1)); 2];
            let silence = if at == Call::Waited { Duration::from_millis(50) } else { Duration::ZERO };
            let chain = Chain { patience, silence, ..Chain::new(2, 5) };
            let (_, outcome) = chain.run(move |name, call| {
                assert!((name, call) != (stage, at), "here");
                Ok(())
            });
            let Outcome::Panicked(error) = outcome else { panic!("{stage} {at:?}: {outcome:?}") };
            assert!(error.to_string().contains(&format!("stage '{stage}' panicked: here (at ")), "{at:?}: {error}");
        }
    }

    #[test]
    fn an_abort_ends_a_chain_before_its_next_stage() {
        for at in [Call::Batch(20), Call::Finish] {
            let chain = Chain::new(1, 5);
            let (stop, behind) = (chain.stop.clone(), Arc::new(AtomicU32::new(0)));
            let count = Arc::clone(&behind);
            let (_, outcome) = chain.run(move |stage, call| {
                if (stage, call) == ("head", at) {
                    stop.abort();
                } else if stage == "tail" && stop.aborted() {
                    count.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            });
            assert!(matches!(outcome, Outcome::Stopped), "{at:?}: {outcome:?}");
            assert_eq!(behind.load(Ordering::Relaxed), 0, "{at:?}");
        }
    }

    #[test]
    fn a_failure_of_any_stage_ends_the_run_and_nothing_is_finished() {
        for stage in ["head", "tail"] {
            let finished = Arc::new(AtomicU32::new(0));
            let count = Arc::clone(&finished);
            let (_, outcome) = Chain::new(2, 50).run(move |name, call| match call {
                Call::Batch(_) if name == stage => Err(Error::usage(stage).into()),
                Call::Finish => {
                    count.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                }
                _ => Ok(()),
            });
            assert!(matches!(&outcome, Outcome::Failed(error) if error.to_string() == stage), "{outcome:?}");
            assert_eq!(finished.load(Ordering::Relaxed), 0);
        }
    }

    #[test]
    fn a_chain_waits_no_longer_than_its_least_patient_stage() {
        let (short, long) = (Some(Duration::from_millis(1)), Some(Duration::from_secs(3600)));
        for patience in [[short, None], [None, short], [short, long], [long, short]] {
            let chain = Chain { patience, silence: Duration::from_millis(200), ..Chain::new(1, 2) };
            let waited = Arc::new(AtomicU32::new(0));
            let count = Arc::clone(&waited);
            chain.run(move |stage, call| {
                if (stage, call) == ("tail", Call::Waited) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            });
            assert!(waited.load(Ordering::Relaxed) > 1, "{patience:?}");
        }
    }

    #[test]
    fn a_stage_that_is_not_put_together_is_an_error() {
        let outlets = Outlets::<u32>::into_chain(Coupling::new(&Stop::default()), Arc::default());
        assert!(outlets.open().is_err());
    }
}
