//! All integration tests, in one binary: real files, real processes, and counts made by somebody
//! else. What they share is in `support`.
//!
//! | file | what it tests |
//! |---|---|
//! | **What is counted, against somebody else's count** | |
//! | `exact` | one-shot counts, under every shape of threads, capacity and chunk size |
//! | `same` | the same answer by file, by pipe, in any chunks, looked at before or not |
//! | `periodic` | periodic windows: every window, every pair, in any order within the bound |
//! | `cuts` | windows that `since` and `until` cut say so |
//! | `compressed` | compressed inputs: the answer of what is in them, damage, bombs, limited memory |
//! | `pruning` | time-pruned reading: exact where sorted as declared, else told and exact |
//! | `memory` | limited memory: what is beyond it overflows, spills, or ends the run |
//! | `sums` | sums of measures, and lines that stand for several connections |
//! | `seen` | when pairs and hosts were first and last seen |
//! | `names` | names that no pane holds are dropped while others count |
//! | `stamps` | each stamp tells its own unit, to the nanosecond |
//! | `instants` | instants in options and files: what may be written and what it means |
//! | `followed_formats` | followed logs of other programs, each told by how it begins |
//! | `foreign` | lines of other programs, and the commands that make records of them |
//! | `hosts` | names of addresses from a file, wherever reports are made |
//! | `headers` | lines that name columns: further down other ones, in envelopes, behind marks |
//! | `others` | logs of other programs, against a reader of each that is not ours |
//! | **Following** | |
//! | `follow` | results of live logs: in order, once, whatever happens to the files |
//! | `explained` | what is said of a run that follows before it is started |
//! | `gaps` | stamps that run ahead, and long runs of windows that hold nothing |
//! | `standing` | a run without a result of what was there says why |
//! | `clock` | stamps that cannot be, results by the clock, results issued again |
//! | `observe` | a run that is looked at while it goes on |
//! | `live` | `--live` on a terminal: keys, signals, and the terminal as it was |
//! | `process` | signals, streams, permissions, clocks and panics while it follows |
//! | `rows` | faults that are seen best on the whole program: compression, fairness, races |
//! | `runtime` | panics, full edges, slow stages, free graphs, memory as the formula says |
//! | `burdened` | a busy machine and many kills: it comes forward all the same |
//! | `soak` | a long run: memory and descriptors must not grow (`tests/soak.sh`) |
//! | **Saved states** | |
//! | `state` | killed, locked out, without space; and the commands that look at states |
//! | `crash` | killed at random again and again, with a count after every kill |
//! | `stops` | stopped and started in any way, of which results are the proof |
//! | `sweep` | faults at system calls, by `strace`: killed, failed, slow at the N-th |
//! | `power` | power cuts, and disks that come back as another device |
//! | `altered` | states of which one value is another, behind a right checksum |
//! | `forged` | files with right checksums that no run has written |
//! | **Tallies and plans** | |
//! | `tallies` | counted apart in any division and added up, it is the report of one run |
//! | `plans` | where plans end, who may work them off, what they are not made of |
//! | `formats` | each format of tallies files is read for ever |
//! | `listing` | listing that takes for ever is seen to go on, and ends when asked to |
//! | **What is said, and where it goes** | |
//! | `cases` | golden cases: each file of `tests/cases` |
//! | `cli` | real processes, their output, their messages and their exit codes |
//! | `slips` | command lines that people get wrong: each table of `tests/slips` |
//! | `loss` | what is lost is told, whatever the output |
//! | `printed` | terminals of every kind, devices that are full, pipes that nobody reads |
//! | `outputs` | where commands write: what `-` is, and where a format may stand |
//! | `overwrites` | no command writes to what it reads, under whatever name |
//! | `full` | a full disk: files hold whole results and lines, and following goes on |
//! | `guards` | no log overwritten, no interrupt ignored, no loss that nobody tells |
//! | `bounds` | memory, descriptors and long lines, whatever the input |
//! | `instructions` | the check of instructions a line tells what became slower or faster |
//! | **The house** | |
//! | `facade` | the public names are few, and results come to a program as data |
//! | `floors` | who may name whom, circles among files, names, and how large things may be |
//! | `faults` | the codes in names of tests have their row in `docs/faults.md` |
//! | `pages` | README, book and neighbours show what the program prints |
//! | `shipped` | `pipeline.toml`, the example, and the files that a project has |
//! | `corpora` | the corpora of the fuzz targets, through their oracles |

// Helpers of tests fail by panicking, as tests do, and say what they skip; clippy exempts only
// functions marked as tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

#[path = "../../fuzz/src/oracles/mod.rs"]
mod oracles;
mod support;

mod altered;
mod bounds;
mod burdened;
mod cases;
mod cli;
mod clock;
mod compressed;
mod corpora;
mod crash;
mod cuts;
mod exact;
mod explained;
mod facade;
mod faults;
mod floors;
mod follow;
mod followed_formats;
mod foreign;
mod forged;
mod formats;
mod full;
mod gaps;
mod guards;
mod headers;
mod hosts;
mod instants;
mod instructions;
mod listing;
#[cfg(feature = "live")]
mod live;
mod loss;
mod memory;
mod names;
mod observe;
mod others;
mod outputs;
mod overwrites;
mod pages;
mod periodic;
mod plans;
mod power;
mod printed;
mod process;
mod pruning;
mod rows;
mod runtime;
mod same;
mod seen;
mod shipped;
mod slips;
mod soak;
mod stamps;
mod standing;
mod state;
mod stops;
mod sums;
mod sweep;
mod tallies;
