//! What is said of a stretch of time that holds nothing: what there is elsewhere, and what finds it.
//!
//! Not here: the look at the inputs that knows it.

use crate::model::length::{HOUR, as_option, in_words, rounded_up};
use crate::model::{Balance, Stamps, Timestamp, Window, WindowResult};

/// Says of a stretch of time that it holds nothing, and what there is. There is nothing to say if
/// nothing could be read, the cause of which has been told.
pub fn nothing(stretch: Stretch, stamps: Option<Stamps>, balance: &Balance) -> Option<String> {
    let at = |time: Timestamp| time.to_string().replace('T', " ").trim_end_matches('Z').to_owned();
    let none = match stretch.ends() {
        (Some(start), Some(end)) => format!("Nothing between {} and {} UTC", at(start), at(end)),
        (Some(start), None) => format!("Nothing from {} UTC on", at(start)),
        (None, Some(end)) => format!("Nothing before {} UTC", at(end)),
        (None, None) => "Nothing in any window".to_owned(),
    };
    let Some(Stamps { extent, whole }) = stamps else { return Some(none) };
    if balance.is_unread() {
        return None;
    }
    let looked = if whole { "" } else { ", as far as was looked" };
    let there_is = match extent {
        Some((lowest, highest)) => {
            let odd = odd((lowest, highest)).map_or_else(String::new, |odd| format!(", {odd}"));
            format!("; stamps run from {} to {}{looked}{odd}; {}", at(lowest), at(highest), stretch.remedy())
        }
        None if balance.bytes_total == 0 => match balance.inputs {
            1 => ": the input is empty (0 bytes)".to_owned(),
            inputs => format!(": all {inputs} inputs are empty (0 bytes)"),
        },
        None if balance.lines_read == balance.blank && whole => ": all lines are blank".to_owned(),
        None if balance.filtered > 0 => format!(": {} not meet --where", records(balance.filtered)),
        None if whole => ", and no record elsewhere".to_owned(),
        None => ", and no record elsewhere that was looked at".to_owned(),
    };
    Some(format!("{none}{there_is}"))
}

/// What is said of stamps that hardly any log has, if these are such: their unit may not be the one
/// that they are read in.
pub fn odd((lowest, highest): (Timestamp, Timestamp)) -> Option<String> {
    let when = if highest < YEAR_1990 {
        "before 1990"
    } else if lowest >= YEAR_2101 {
        "after 2100"
    } else {
        return None;
    };
    Some(format!("all from {when}: if their unit is not what it seems, --unit says which it is (s, ms, us or ns)"))
}

fn records(count: u64) -> String {
    if count == 1 { "the only record does".to_owned() } else { format!("{count} records do") }
}

/// 1990-01-01.
const YEAR_1990: Timestamp = Timestamp::from_seconds(631_152_000);

/// 2101-01-01.
const YEAR_2101: Timestamp = Timestamp::from_seconds(4_133_980_800);

/// A stretch of time that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    /// One window of a length that was given.
    Window(Window),
    /// One window from an instant that was given.
    From(Window),
    /// The range of windows that repeat: from one instant on, or before one, if they are given.
    Range(Option<Timestamp>, Option<Timestamp>),
}

impl Stretch {
    /// That of a one-shot result.
    pub fn of(result: &WindowResult) -> Self {
        if result.from_start { Stretch::From(result.window) } else { Stretch::Window(result.window) }
    }

    fn ends(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        match *self {
            Stretch::Window(window) | Stretch::From(window) => (Some(window.start), Some(window.end)),
            Stretch::Range(since, until) => (since, until),
        }
    }

    /// What finds records that lie elsewhere.
    fn remedy(&self) -> String {
        match self {
            Stretch::Window(window) => format!("for their last {}: --until latest", in_words(window.length())),
            // A start that was given would lie behind that end.
            Stretch::From(window) => {
                let nanos = match window.length() {
                    0 => HOUR,
                    nanos => rounded_up(nanos),
                };
                format!("for their last {}: --since latest-{} --until latest", in_words(nanos), as_option(nanos))
            }
            Stretch::Range(None, None) => {
                "windows that are shorter than --every leave out what lies between them: give --seconds as long"
                    .to_owned()
            }
            Stretch::Range(..) => "without --since and --until all of them count".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_odd_where_all_are_far_from_the_years_of_logs() {
        let (early, late) = (YEAR_1990.minus(1), YEAR_2101);
        assert_eq!(YEAR_1990.to_string(), "1990-01-01T00:00:00Z");
        assert_eq!(YEAR_2101.to_string(), "2101-01-01T00:00:00Z");
        assert!(odd((early, early)).is_some_and(|said| said.contains("before 1990")));
        assert!(odd((late, late)).is_some_and(|said| said.contains("after 2100")));
        assert_eq!([odd((early, YEAR_1990)), odd((late.minus(1), late)), odd((early, late))], [None, None, None]);
    }

    #[test]
    fn records_that_no_condition_met_are_not_nothing() {
        let stamps = Some(Stamps { extent: None, whole: true });
        for (filtered, said) in [(1, "the only record does not meet --where"), (2, "2 records do not meet --where")] {
            let balance = Balance { lines_read: filtered, bytes_total: 9, filtered, ..Balance::default() };
            let told = nothing(Stretch::Range(None, None), stamps, &balance);
            assert_eq!(told.as_deref(), Some(&*format!("Nothing in any window: {said}")));
        }
    }
}
