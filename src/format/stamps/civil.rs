//! Dates of the Gregorian calendar as numbers of days, and times of day as seconds.
//!
//! Not here: zones (`zone`), and how dates are written (`written`). Invariant: a date that does not
//! exist has no number.

/// Seconds in a day.
pub const DAY: i64 = 86_400;

/// Days from the first of March of the year 0, counted 400 years early so that no number is
/// negative, to 1970-01-01.
const EPOCH: i64 = 719_468 + 146_097;

/// Days from the first of March to the first of a month, by its number; January and February belong
/// to the year before, so that a leap day is the last of its year.
const MONTH_STARTS: [u32; 13] = [0, 306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275];

/// How many days a month has, by its number, in a leap year.
const MOST_DAYS: [u32; 13] = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Whether a month has such a day in some year.
#[inline]
pub const fn is_day(month: u32, day: u32) -> bool {
    1 <= month && month <= 12 && 1 <= day && day <= MOST_DAYS[month as usize]
}

const fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days from 1970-01-01 to a date of the years 0 to 9999; `None` if there is no such date.
#[inline]
pub const fn days(year: u32, month: u32, day: u32) -> Option<i64> {
    if year > 9999 || !is_day(month, day) || (day == 29 && month == 2 && !is_leap(year)) {
        return None;
    }
    let since = year + 400 - (month < 3) as u32;
    let days = 365 * since + since / 4 - since / 100 + since / 400 + MONTH_STARTS[month as usize] + day - 1;
    Some(days as i64 - EPOCH)
}

/// The year of the day that is so many days after 1970-01-01; years below 0 and above 9999 are
/// taken as 0 and 9999.
pub const fn year(day: i64) -> u32 {
    const FIRST: i64 = -719_528;
    const LAST: i64 = 2_932_896;
    let day = if day < FIRST {
        FIRST
    } else if day > LAST {
        LAST
    } else {
        day
    };
    // Never off by more than one, as 400 years always have as many days.
    let year = ((day - FIRST) * 400 / 146_097) as u32;
    match days(year, 1, 1) {
        Some(first) if first > day => year - 1,
        _ => match days(year + 1, 1, 1) {
            Some(next) if next <= day => year + 1,
            _ => year,
        },
    }
}

/// Seconds from midnight to a time of day, and whether it is a leap second: that is given as the
/// second before it. `None` if there is no such time.
#[inline]
pub const fn second_of_day(hour: u32, minute: u32, second: u32) -> Option<(i64, bool)> {
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let is_leap = second == 60;
    Some(((hour * 3_600 + minute * 60 + second - is_leap as u32) as i64, is_leap))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{Date, date};

    #[test]
    fn every_day_has_its_number_and_year() {
        let mut expected = days(0, 1, 1).unwrap();
        for year_number in 0..=9999 {
            for month in 1..=12 {
                for day in 1..=31 {
                    let found = days(year_number, month, day);
                    assert_eq!(found.is_some(), Date::new(year_number as i16, month as i8, day as i8).is_ok());
                    let Some(found) = found else { continue };
                    assert_eq!(found, expected, "{year_number} {month} {day}");
                    assert_eq!(year(found), year_number, "{year_number} {month} {day}");
                    expected += 1;
                }
            }
        }
        assert_eq!(days(1970, 1, 1), Some(0));
        assert_eq!((year(i64::MIN), year(i64::MAX)), (0, 9999));
        assert_eq!(year(i64::from(date(1969, 12, 31).since(date(1970, 1, 1)).unwrap().get_days())), 1969);
    }

    #[test]
    fn what_is_no_date_has_no_number() {
        for (year, month, day) in [(1970, 0, 1), (1970, 13, 1), (1970, 1, 0), (1970, 1, 32), (10_000, 1, 1)] {
            assert_eq!(days(year, month, day), None, "{year} {month} {day}");
        }
        for (year, month, day) in [(1900, 2, 29), (2023, 2, 29), (2024, 2, 30), (1970, u32::MAX, u32::MAX)] {
            assert_eq!(days(year, month, day), None, "{year} {month} {day}");
        }
    }

    #[test]
    fn a_leap_second_is_told() {
        assert_eq!(second_of_day(23, 59, 59), Some((86_399, false)));
        assert_eq!(second_of_day(23, 59, 60), Some((86_399, true)));
        assert_eq!(second_of_day(0, 0, 0), Some((0, false)));
        for (hour, minute, second) in [(24, 0, 0), (0, 60, 0), (0, 0, 61), (u32::MAX, 0, 0)] {
            assert_eq!(second_of_day(hour, minute, second), None);
        }
    }
}
