//! Names, numbers and times as they are said in the view. All that stands in a log comes through
//! `name`.

use crate::model::escape::printable;
use crate::model::length;
use crate::model::time::SECOND;
use crate::model::{Ends, Timestamp, Window};

/// Bytes of a name that are shown: more than a screen is wide.
const NAME: usize = 300;

/// Bytes from a log as printable text; of very long ones the start.
pub fn name(bytes: &[u8]) -> String {
    if bytes.len() <= NAME {
        return printable(bytes).into_owned();
    }
    // Not within a character, which would look like bytes that are no text.
    let end = (NAME - 3..=NAME).rev().find(|at| bytes[*at] & 0xc0 != 0x80).unwrap_or(NAME);
    format!("{}…", printable(&bytes[..end]))
}

/// A window, with the bracket that tells whether its end is in.
pub fn window(window: &Window, cut: &Ends) -> String {
    let close = if window.end_inclusive { ']' } else { ')' };
    let cut = if cut.is_open() { String::new() } else { format!(", cut: only {cut}") };
    format!("[{} .. {}{close}{cut}", window.start, window.end)
}

/// A rate in four characters or so: `0.5`, `37`, `1.2k`, `345M`.
pub fn rate(value: f64) -> String {
    let (mut value, mut unit) = (value, "");
    for next in ["k", "M", "G", "T"] {
        // From here on it would be shown as 1000.
        if value < 999.5 {
            break;
        }
        (value, unit) = (value / 1000.0, next);
    }
    if value == 0.0 || value >= 9.95 { format!("{value:.0}{unit}") } else { format!("{value:.1}{unit}") }
}

/// How far `at` lies behind `now`, in its largest units.
pub fn lag(now: Timestamp, at: Timestamp) -> String {
    length::about(now.nanos().saturating_sub(at.nanos()))
}

/// An instant to the second: of today the time, of another day that too.
pub fn clock(now: Timestamp, at: Timestamp) -> String {
    let whole = |time: Timestamp| Timestamp::from_seconds(time.nanos().div_euclid(SECOND)).to_string();
    let (now, at) = (whole(now), whole(at));
    match (now.split_once('T'), at.split_once('T')) {
        (Some((today, _)), Some((day, time))) if today == day => time.trim_end_matches('Z').to_owned(),
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_says_what_cuts_it() {
        let at = Timestamp::from_seconds;
        let (hour, since) = (Window::half_open(at(0), at(3600)), Some(at(60)));
        let said = |cut| window(&hour, &cut);
        assert_eq!(said(Ends::default()), "[1970-01-01T00:00:00Z .. 1970-01-01T01:00:00Z)");
        assert!(said(Ends { since, until: None }).ends_with(", cut: only from 1970-01-01T00:01:00Z on"));
    }

    #[test]
    fn rates_are_short_at_every_size() {
        for (value, said) in [
            (0.0, "0"),
            (0.04, "0.0"),
            (0.5, "0.5"),
            (9.94, "9.9"),
            (9.96, "10"),
            (999.4, "999"),
            (999.6, "1.0k"),
            (1_234_567.0, "1.2M"),
            (345e6, "345M"),
            (2e15, "2000T"),
        ] {
            assert_eq!(rate(value), said);
        }
    }

    #[test]
    fn lags_have_two_units_and_are_never_negative() {
        let at = Timestamp::from_seconds(0);
        for (seconds, said) in
            [(-5, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (7300, "2 h 1 min"), (90_000, "1 day 1 h")]
        {
            assert_eq!(lag(Timestamp::from_seconds(seconds), at), said);
        }
        assert!(lag(Timestamp::MAX, Timestamp::MIN).ends_with('h'));
    }

    #[test]
    fn of_today_only_the_time_is_said() {
        let at = Timestamp::from_nanos(1_700_000_000_900_000_000);
        for (later, said) in [(0, "22:13:20"), (3600, "22:13:20"), (86_400, "2023-11-14T22:13:20Z")] {
            assert_eq!(clock(at.plus(later * SECOND), at), said);
        }
    }

    #[test]
    fn s1_names_are_printable_and_long_ones_are_cut_between_characters() {
        assert_eq!(name(b"a\x1b[2J\xff"), "a\\x1b[2J\\xff");
        let long = "ä".repeat(1000);
        for shift in 0..3 {
            let said = name(format!("{}{long}", "x".repeat(shift)).as_bytes());
            assert!(said.ends_with("ä…") && said.len() <= NAME + 4, "{said}");
        }
        assert_eq!(name(&[0x80; 400]).len(), 4 * NAME + 3);
    }
}
