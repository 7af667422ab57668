//! What a run has lost, said: one line for each class that lost something, with how many, the first
//! of them, and what to do. The one place that makes these lines, for every output and every
//! command.
//!
//! Not here: which classes there are (`model::loss`). Invariant: each class has its sentence and
//! its remedy, or this does not compile.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::{Plan, Task};
use crate::error::show_path;
use crate::format::foreign::kind;
use crate::model::Loss;
use crate::model::balance::{Cause, Rejected};
use crate::model::escape::printable;
use crate::model::time::SECOND;
use crate::pipeline::{Sheet, Summary};

/// What the plan of a run says that its lines of losses need.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Where malformed lines are kept.
    rejects: Option<String>,
    /// Where late lines are kept.
    late_file: Option<String>,
    /// Whether inputs are followed.
    follows: bool,
}

impl Asked {
    /// Of a plan.
    pub fn of(plan: &Plan) -> Self {
        let mut asked = Asked { follows: plan.follows(), ..Asked::default() };
        for stage in &plan.stages {
            if let Task::TimeFilter(filter) = &stage.task {
                asked.rejects = asked.rejects.or(filter.rejects.as_deref().map(show_path));
                asked.late_file = asked.late_file.or(filter.late_file.as_deref().map(show_path));
            }
        }
        asked
    }
}

/// The lines of each sheet of a run, at its end. What was told of it before is told in all.
pub fn lines(summary: &Summary, asked: &Asked, before: &Told) -> Vec<Vec<String>> {
    let several = summary.sheets.len() > 1;
    let of_sheet = |sheet: &Sheet| {
        let of = if several { format!("{}: ", printable(sheet.stage.as_bytes())) } else { String::new() };
        let line = |(loss, count)| {
            let in_all = if before.0.contains_key(&(sheet.stage.clone(), loss)) { "in all: " } else { "" };
            format!("{of}{in_all}{}", line(loss, count, sheet, asked))
        };
        told(summary, sheet).into_iter().map(line).collect::<Vec<_>>()
    };
    summary.sheets.iter().map(of_sheet).collect()
}

/// The classes of a sheet that are losses to those who got the results.
fn told(summary: &Summary, sheet: &Sheet) -> Vec<(Loss, u64)> {
    let is_told = |(loss, _): &(Loss, u64)| *loss != Loss::Unread || !(summary.had_enough() || summary.is_unread());
    sheet.losses().into_iter().filter(is_told).collect()
}

/// The exit code of a run; of one that went well, 6 if it is to be strict and has lost anything.
pub fn exit_code(summary: &Summary, strict: bool) -> u8 {
    let lost = summary.sheets.iter().any(|sheet| !told(summary, sheet).is_empty());
    match summary.exit_code() {
        0 if strict && lost => 6,
        code => code,
    }
}

/// What has been told of a run that goes on: each class as it begins, and then as it grows, but
/// ever more seldom.
#[derive(Debug, Default)]
pub struct Told(BTreeMap<(String, Loss), (u64, Duration, Duration)>);

/// A class that grows is told again after this long at first, and after twice as long each time.
const SOON: Duration = Duration::from_secs(60);

/// But no less often than this.
const SELDOM: Duration = Duration::from_secs(3600);

impl Told {
    /// The lines that are due at this time of a run.
    pub fn due(&mut self, sheets: &[Sheet], asked: &Asked, now: Duration) -> Vec<String> {
        let mut lines = Vec::new();
        for sheet in sheets {
            for (loss, count) in sheet.losses() {
                let told = self.0.entry((sheet.stage.clone(), loss)).or_default();
                let (before, at, wait) = *told;
                if count > before && (before == 0 || now >= at + wait) {
                    *told = (count, now, (wait * 2).clamp(SOON, SELDOM));
                    // What is told again includes what was told before.
                    let so_far = if before == 0 { "" } else { "so far: " };
                    lines.push(format!("{so_far}{}", line(loss, count, sheet, asked)));
                }
            }
        }
        lines
    }
}

/// The malformed lines that are known behind the first, a line each.
pub fn more_malformed(sheet: &Sheet) -> String {
    let shown = |(input, line): &(String, Rejected)| format!("  {}\n", rejected(input, line));
    sheet.rejected.iter().skip(1).map(shown).collect()
}

fn rejected(input: &str, line: &Rejected) -> String {
    format!("{input}: byte {}: {}: {}", line.at, line.cause.name(), printable(&line.head))
}

/// The line of a class, with its number in a sheet.
pub fn line(loss: Loss, count: u64, sheet: &Sheet, asked: &Asked) -> String {
    let (what, remedy) = match loss {
        Loss::Malformed => (malformed(count, sheet), kept("--rejects", asked.rejects.as_deref(), (loss, count), sheet)),
        Loss::Late => (late(count, sheet), in_time(count, sheet, asked)),
        Loss::Future => {
            let (what, balance) = (counted(count, "line has a stamp", "lines have stamps"), &sheet.balance);
            // Clocks that are wrong are seldom wrong throughout.
            let are_all = balance.future + balance.malformed_total() + balance.blank == balance.lines_read;
            let unit = if are_all { "say their --unit if it is not what it seems, " } else { "" };
            let remedy = "check the clock of who wrote them, or allow more with --future TIME";
            (format!("{what} too far beyond now"), format!("{unit}{remedy}"))
        }
        Loss::Overflow => (
            format!(
                "{} without their pair, for want of memory",
                counted(count, "record is counted", "records are counted")
            ),
            match asked.follows {
                true => "raise --max-memory".to_owned(),
                false => "raise --max-memory, or count them exactly by means of the disk with --memory-policy spill"
                    .to_owned(),
            },
        ),
        Loss::Unread => (
            counted(count, "byte was there and not read", "bytes were there and not read"),
            match asked.follows {
                true => "rotate logs by renaming them, which loses nothing".to_owned(),
                false => "mend what kept them from being read and run again".to_owned(),
            },
        ),
        Loss::Unknown => (
            counted(
                count,
                "time something may have been lost, nobody knows how much",
                "times something may have been lost, nobody knows how much",
            ),
            "rotate logs by renaming them, and keep them until they have been read".to_owned(),
        ),
        Loss::Dropped => (
            counted(
                count,
                "result was not written, as the output took nothing",
                "results were not written, as the output took nothing",
            ),
            "make room for the output, or read it faster".to_owned(),
        ),
    };
    format!("{what}{}; {remedy}", first(loss, sheet))
}

fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

fn malformed(count: u64, sheet: &Sheet) -> String {
    let new =
        sheet.balance.malformed.iter().zip(&sheet.before.malformed).map(|(now, before)| now.saturating_sub(*before));
    let by_cause = Cause::ALL.iter().zip(new).filter(|(_, count)| *count > 0);
    let causes: Vec<String> = by_cause.map(|(cause, count)| format!("{count} {}", cause.name())).collect();
    let lines = counted(count, "malformed line", "malformed lines");
    format!("{lines} ({}){}", causes.join(", "), binary(sheet))
}

/// That most lines are malformed and do not look like text, where that is so. A record among them
/// is one by accident.
fn binary(sheet: &Sheet) -> String {
    let heads: Vec<&[u8]> = sheet.rejected.iter().map(|(_, line)| &line.head[..]).collect();
    let all = sheet.balance.lines_read - sheet.balance.blank;
    match kind(&heads) {
        kind if kind.is_binary && sheet.balance.malformed_total() > all / 2 => {
            format!(", which look like {}", kind.name)
        }
        _ => String::new(),
    }
}

fn late(count: u64, sheet: &Sheet) -> String {
    let records = counted(count, "late record", "late records");
    match sheet.traces.after_idle {
        0 => format!("{records}, further behind than the declared disorder"),
        silent if silent >= count => format!("{records}, of inputs that were silent and not waited for"),
        silent => {
            format!(
                "{records}, further behind than the declared disorder or ({silent}) of inputs that were not waited for"
            )
        }
    }
}

/// What would have kept late records from being late, and where they are.
fn in_time(count: u64, sheet: &Sheet, asked: &Asked) -> String {
    let traces = &sheet.traces;
    let lateness = format!("--lateness {}", enough(traces.furthest_behind));
    let remedy = match traces.after_idle {
        0 if traces.furthest_behind > 0 => format!("{lateness} would keep all"),
        0 => "--lateness TIME allows more".to_owned(),
        silent if silent >= count => "a longer --idle waits for them".to_owned(),
        _ => format!("{lateness} and a longer --idle would keep them"),
    };
    let late = (Loss::Late, count);
    format!("{remedy}, {}", kept("--late-file", asked.late_file.as_deref(), late, sheet))
}

/// Where lines are kept, or how they can be.
fn kept(option: &str, path: Option<&str>, (loss, count): (Loss, u64), sheet: &Sheet) -> String {
    let Some(path) = path else { return format!("{option} FILE keeps their lines") };
    match sheet.unkept.get(&loss) {
        None | Some(0) => format!("all are in {path}"),
        Some(unkept) if *unkept >= count => format!("none is in {path}, which could not be written"),
        Some(unkept) => format!("{} are in {path}, {unkept} could not be written", count - unkept),
    }
}

/// A time in nanoseconds as an option takes it, rounded up to two figures or so.
fn enough(nanos: i64) -> String {
    let seconds = nanos / SECOND + i64::from(nanos % SECOND > 0);
    let (per_unit, unit) = match seconds {
        0..=100 => (1, "s"),
        101..=6_000 => (60, "m"),
        6_001..=360_000 => (3_600, "h"),
        _ => (86_400, "d"),
    };
    format!("{}{unit}", seconds / per_unit + i64::from(seconds % per_unit > 0))
}

/// The first of a class, if it is known.
fn first(loss: Loss, sheet: &Sheet) -> String {
    if loss == Loss::Malformed {
        let first = sheet.rejected.first();
        return first.map_or_else(String::new, |(input, line)| format!("; the first: {}", rejected(input, line)));
    }
    let Some(place) = sheet.traces.first(loss) else { return String::new() };
    let input = sheet.names.get(&place.input).map_or("", String::as_str);
    match &place.head[..] {
        [] => format!("; the first: {input}: byte {}", place.at),
        head => format!("; the first: {input}: byte {}: {}", place.at, printable(head)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::loss::LossSite;
    use crate::model::{Balance, InputId};

    /// A sheet with so many of each class.
    fn sheet(of: &[Loss], count: u64) -> Sheet {
        let mut sheet = Sheet::default();
        for loss in of {
            loss.put(&mut sheet.balance, count);
            sheet.traces.note(*loss, LossSite { input: InputId(0), at: 7, head: b"x\x1b[2J\n".to_vec() });
        }
        sheet.names.insert(InputId(0), "a.log".to_owned());
        sheet
    }

    #[test]
    fn each_class_has_one_line_with_how_many_the_first_and_what_to_do() {
        for loss in Loss::ALL {
            for count in [1, 3] {
                let sheet = sheet(&[loss], count);
                let [(told, number)] = sheet.losses()[..] else { panic!("{loss:?}") };
                assert_eq!((told, number), (loss, count));
                let line = line(loss, count, &sheet, &Asked::default());
                assert!(line.starts_with(&format!("{count} ")), "{line}");
                assert!(!line.contains('\n') && !line.contains('\x1b'), "{line}");
                let (_, remedy) = line.rsplit_once("; ").unwrap();
                assert!(remedy.len() > 10, "{line}");
                let place = if loss == Loss::Malformed { "" } else { "; the first: a.log: byte 7: x\\x1b[2J" };
                assert!(line.contains(place), "{line}");
            }
        }
    }

    #[test]
    fn lines_of_no_text_are_told_as_such_where_they_are_the_most() {
        let mut sheet = Sheet::default();
        for at in 0..5 {
            let head = b"\x7fELF\x02\x01\0\0\0\x01".to_vec();
            sheet.rejected.push(("x".to_owned(), Rejected { input: InputId(0), at, cause: Cause::BadStamp, head }));
            sheet.balance.reject(Cause::BadStamp);
        }
        for (counted, is_said) in [(0, true), (4, true), (5, false), (100, false)] {
            sheet.balance = Balance { counted, lines_read: counted + 5, ..sheet.balance };
            let line = line(Loss::Malformed, 5, &sheet, &Asked::default());
            assert_eq!(
                line.starts_with("5 malformed lines (5 bad timestamp), which look like binary data; "),
                is_said,
                "{line}"
            );
        }
        sheet.balance = Balance { counted: 0, lines_read: 5, ..sheet.balance };
        sheet.rejected.iter_mut().for_each(|(_, line)| line.head = b"{\"ts\": 5}".to_vec());
        let line = line(Loss::Malformed, 5, &sheet, &Asked::default());
        assert!(!line.contains("look like"), "{line}");
    }

    #[test]
    fn what_is_not_in_a_file_is_not_said_to_be() {
        let asked = Asked { rejects: Some("r.tsv".to_owned()), late_file: Some("l.tsv".to_owned()), follows: false };
        for (loss, path) in [(Loss::Malformed, "r.tsv"), (Loss::Late, "l.tsv")] {
            let said = |unkept| {
                let mut sheet = sheet(&[loss], 9);
                sheet.unkept.insert(loss, unkept);
                line(loss, 9, &sheet, &asked)
            };
            assert!(said(0).ends_with(&format!("all are in {path}")));
            assert!(said(2).ends_with(&format!("7 are in {path}, 2 could not be written")));
            assert!(said(9).ends_with(&format!("none is in {path}, which could not be written")));
        }
    }

    #[test]
    fn what_an_earlier_run_has_told_is_not_told_again() {
        let mut sheet = sheet(&Loss::ALL, 3);
        sheet.before = Balance { late: 3, ..sheet.balance.clone() };
        assert!(sheet.losses().is_empty());
        sheet.balance.late = 4;
        assert_eq!(sheet.losses(), [(Loss::Late, 1)]);
        // Of malformed lines, those of each cause too.
        sheet.balance.reject(Cause::Nul);
        let [(Loss::Malformed, 1), _] = sheet.losses()[..] else { panic!("{:?}", sheet.losses()) };
        let line = line(Loss::Malformed, 1, &sheet, &Asked::default());
        assert!(line.starts_with("1 malformed line (1 zero byte or newline); "), "{line}");
    }

    #[test]
    fn a_class_is_told_as_it_begins_and_then_seldom() {
        let (mut told, mut lines, mut texts) = (Told::default(), Vec::new(), Vec::new());
        for second in 0..100_000 {
            let due = told.due(&[sheet(&[Loss::Late], second + 1)], &Asked::default(), Duration::from_secs(second));
            lines.extend(due.iter().map(|_| second));
            texts.extend(due);
        }
        let (first, again) = texts.split_first().unwrap();
        assert!(
            !first.contains("so far") && again.iter().all(|line| line.starts_with("so far: ")),
            "{first} {again:?}"
        );
        assert_eq!(lines[..5], [0, 60, 180, 420, 900]);
        assert!(lines.windows(2).all(|pair| pair[1] - pair[0] <= 3600) && lines.len() < 40, "{lines:?}");
        // What does not grow is not told again.
        let again = told.due(&[sheet(&[Loss::Late], 100_000)], &Asked::default(), Duration::from_secs(200_000));
        let once_more = told.due(&[sheet(&[Loss::Late], 100_000)], &Asked::default(), Duration::from_secs(300_000));
        assert_eq!((again.len(), once_more.len()), (1, 0));
    }

    #[test]
    fn the_lateness_that_is_named_is_enough() {
        for (seconds, said) in [(0, "0s"), (61, "61s"), (101, "2m"), (6_001, "2h"), (7_201, "3h"), (360_001, "5d")] {
            assert_eq!(enough(seconds * SECOND), said);
        }
        assert_eq!(enough(1), "1s");
    }
}
