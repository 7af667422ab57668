//! Conditions: which records are asked for, as `proto=tcp` or `src_ip in 10.0.0.0/8`, or one of several
//! with ` or ` between them.
//!
//! Not here: what becomes of lines that do not meet one. Invariant: a condition is a question about
//! one line alone, and its answer is exact: texts are compared byte by byte, numbers as numbers of
//! any length.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use regex::bytes::Regex;

use super::address::{address, network};
use crate::format::decimal::Decimal;

/// A condition on a line: one of its tests is met.
#[derive(Debug, Clone)]
pub struct Condition {
    tests: Vec<FieldTest>,
    /// Whether numbers may be written with an exponent.
    is_of_json: bool,
    /// As it was written, which tells one from another.
    text: String,
}

/// A test of one field.
#[derive(Debug, Clone)]
struct FieldTest {
    field: String,
    test: Test,
}

/// What a field is tested for. Each test has its opposite.
#[derive(Debug, Clone)]
enum Test {
    /// The value is one of these texts; or is none of them, which a missing field is too.
    Equal(bool, Vec<Vec<u8>>),
    /// It is an address in one of these networks, or is not.
    Within(bool, Vec<IpNet>),
    /// It is a number that compares so with this one. Two of these say how.
    Number([Ordering; 2], Decimal),
    /// A pattern is found in it, or is not.
    Matches(bool, Box<Regex>),
    /// The field is there, or is not.
    Exists(bool),
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Condition {}

impl Condition {
    /// The same on lines of JSON, where numbers may be written with an exponent, or on others.
    pub fn of_json(self, is_of_json: bool) -> Self {
        Condition { is_of_json, ..self }
    }

    /// The fields, one for each test.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.tests.iter().map(|test| test.field.as_str())
    }

    /// The fields whose values are asked for, and not only whether they are there.
    pub fn fields_with_values(&self) -> impl Iterator<Item = &str> {
        let has_value = |test: &&FieldTest| !matches!(test.test, Test::Exists(_));
        self.tests.iter().filter(has_value).map(|test| test.field.as_str())
    }

    /// Whether a line meets it in which `value` gives the value of the field of each test, by its
    /// place, or none.
    pub fn is_met<'a>(&self, mut value: impl FnMut(usize) -> Option<&'a [u8]>) -> bool {
        self.tests.iter().enumerate().any(|(at, one)| one.test.is_met(value(at), self.is_of_json))
    }

    /// Whether any line meets it that lacks the fields of these tests.
    pub fn is_met_without(&self, lacks: impl Fn(usize) -> bool) -> bool {
        self.tests.iter().enumerate().any(|(at, one)| lacks(at) && one.test.is_met(None, self.is_of_json))
    }
}

impl Test {
    /// Whether this value of the field meets it, or that there is none.
    fn is_met(&self, value: Option<&[u8]>, is_of_json: bool) -> bool {
        match (self, value) {
            (Test::Exists(is_there), value) => value.is_some() == *is_there,
            (Test::Equal(so, all), Some(value)) => all.iter().any(|one| one == value) == *so,
            (Test::Within(so, networks), Some(value)) => is_within(value, networks) == *so,
            (Test::Matches(so, pattern), Some(value)) => pattern.is_match(value) == *so,
            (Test::Number(wanted, number), Some(value)) => {
                let read = if is_of_json { Decimal::scientific } else { Decimal::plain };
                read(value).is_some_and(|value| wanted.contains(&value.cmp(number)))
            }
            // What is not there is none of anything.
            (Test::Equal(so, _) | Test::Within(so, _) | Test::Matches(so, _), None) => !so,
            (Test::Number(..), None) => false,
        }
    }
}

fn is_within(value: &[u8], networks: &[IpNet]) -> bool {
    address(value).is_some_and(|address| networks.iter().any(|network| network.contains(&address)))
}

/// How many values a condition may list.
const MOST: usize = 10_000;

/// What a compiled pattern may take, in bytes.
const PATTERN_BYTES: usize = 1 << 20;

/// A pattern of a regular expression; errors with what is wrong with it, in one line.
pub(super) fn pattern(text: &str) -> Result<Regex, String> {
    let built = regex::bytes::RegexBuilder::new(text).size_limit(PATTERN_BYTES).build();
    built.map_err(|error| {
        let message = error.to_string();
        let last = message.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
        format!("'{text}' is no pattern: {}", last.trim_start_matches("error: "))
    })
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let mut tests = Vec::new();
        let mut rest = text;
        loop {
            let end = rest.match_indices(OR).map(|(at, _)| at).find(|at| is_end(&rest[..*at], &rest[at + OR.len()..]));
            let one = &rest[..end.unwrap_or(rest.len())];
            tests.push(one.trim().parse()?);
            if tests.len() > MOST {
                return Err(format!("has more than {MOST} parts"));
            }
            match end {
                Some(end) => rest = &rest[end + OR.len()..],
                None => return Ok(Condition { tests, is_of_json: false, text: text.to_owned() }),
            }
        }
    }
}

/// A word in a value that joins conditions elsewhere, if what stands behind it is one.
fn joined(value: &str) -> Option<&'static str> {
    const WORDS: [&str; 6] = [" and ", " AND ", "&&", " OR ", " Or ", "||"];
    if value.starts_with('"') {
        return None;
    }
    let joins = |word: &&&str| value.match_indices(**word).any(|(at, _)| is_condition(&value[at + word.len()..]));
    WORDS.iter().find(joins).map(|word| word.trim())
}

/// What stands between two tests, one of which is enough.
const OR: &str = " or ";

/// Whether a text begins as a condition does.
fn is_condition(text: &str) -> bool {
    let is_name = |field: &str| !field.is_empty() && !field.contains(char::is_whitespace);
    cut(text.trim_start()).is_some_and(|(field, ..)| is_name(field.trim()))
}

/// Whether a test ends before what stands behind it: not within quotes, and not within a pattern that
/// goes on with what is no test.
fn is_end(test: &str, behind: &str) -> bool {
    match cut(test.trim_start()) {
        Some((_, Sign::Matches(_), value)) => match value.trim_start().strip_prefix('"') {
            Some(quoted) => quoted.trim_end().ends_with('"'),
            None => is_condition(behind),
        },
        Some((_, _, value)) => {
            let mut rest = value.trim_start();
            while let Some(quoted) = rest.strip_prefix('"') {
                let Some((_, behind)) = quoted.split_once('"') else { return false };
                rest = behind.split_once(',').map_or("", |(_, more)| more).trim_start();
            }
            true
        }
        None => true,
    }
}

/// What stands between double quotes, or all of a text.
fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

impl FromStr for FieldTest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (field, sign, value) = cut(text).ok_or_else(|| {
            format!(
                "'{text}' is no condition; write e.g. proto=tcp, status!=200, dst_port=80,443, bytes>=1000, path~^/api/, \
                 'src_ip in 10.0.0.0/8', 'user exists'"
            )
        })?;
        let (field, value) = (field.trim().to_owned(), value.trim());
        if field.is_empty() {
            return Err(format!("'{text}' names no field"));
        }
        if let Some(word) = joined(value) {
            return Err(format!(
                "'{text}': '{word}' joins no conditions; give them one by one, each with its own --where, or, of which one is \
                 enough, with ' or ' between them; a value with such words in it stands in double quotes"
            ));
        }
        if value.starts_with('~') && matches!(sign, Sign::Equal(_)) {
            return Err(format!("'{text}': a pattern stands behind ~ alone, as in {field}{value}"));
        }
        let number = value.strip_prefix(['<', '>']).map(|number| number.trim_start());
        if matches!(sign, Sign::Equal(true)) && number.is_some_and(|number| Decimal::plain(number.as_bytes()).is_some())
        {
            return Err(format!("'{text}': write {field}{}={}", &value[..1], number.unwrap_or_default()));
        }
        if value.len() > 1 && value.starts_with('\'') && value.ends_with('\'') {
            return Err(format!("'{text}': a value stands in double quotes or in none"));
        }
        if value.is_empty() && !sign.is_whole() {
            return Err(format!("'{text}' names no value; for an empty one write \"\""));
        }
        let test = match sign {
            Sign::Equal(so) => Test::Equal(so, values(value)?),
            Sign::In(so) => {
                let networks = value.split(',').map(|one| written_network(one.trim()));
                Test::Within(so, networks.collect::<Result<_, _>>()?)
            }
            Sign::Matches(so) => Test::Matches(so, Box::new(pattern(unquoted(value))?)),
            Sign::Number(wanted) => {
                let number = Decimal::plain(value.as_bytes());
                Test::Number(wanted, number.ok_or_else(|| format!("'{value}' is no number"))?)
            }
            Sign::Exists(so) => Test::Exists(so),
        };
        Ok(FieldTest { field, test })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What stands between a field and its value.
#[derive(Debug, Clone, Copy)]
enum Sign {
    Equal(bool),
    Matches(bool),
    Number([Ordering; 2]),
    In(bool),
    Exists(bool),
}

impl Sign {
    /// Whether no value follows it.
    fn is_whole(self) -> bool {
        matches!(self, Sign::Exists(_))
    }
}

/// The signs that are characters; longer ones before those that they begin with.
const SIGNS: [(&str, Sign); 9] = [
    ("!=", Sign::Equal(false)),
    ("!~", Sign::Matches(false)),
    ("<=", Sign::Number([Ordering::Less, Ordering::Equal])),
    (">=", Sign::Number([Ordering::Greater, Ordering::Equal])),
    ("==", Sign::Equal(true)),
    ("=", Sign::Equal(true)),
    ("~", Sign::Matches(true)),
    ("<", Sign::Number([Ordering::Less; 2])),
    (">", Sign::Number([Ordering::Greater; 2])),
];

/// The signs that are words.
const WORDS: [(&str, Sign); 4] = [
    (" not in ", Sign::In(false)),
    (" in ", Sign::In(true)),
    (" exists", Sign::Exists(true)),
    (" missing", Sign::Exists(false)),
];

/// A condition cut at the sign that comes first in it.
fn cut(text: &str) -> Option<(&str, Sign, &str)> {
    let found = |(needle, sign): &(&'static str, Sign)| {
        let at = if sign.is_whole() { text.strip_suffix(needle).map(str::len) } else { text.find(needle) };
        at.map(|at| (at, *needle, *sign))
    };
    // Of two that begin at one place the longer one stands first, and is kept.
    let first = SIGNS.iter().chain(&WORDS).filter_map(found).min_by_key(|(at, ..)| *at);
    first.map(|(at, needle, sign)| (&text[..at], sign, &text[at + needle.len()..]))
}

/// Values with commas between them; one in quotes may have commas in it.
fn values(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let (mut all, mut rest) = (Vec::new(), text);
    loop {
        let (value, behind) = match rest.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
            Some((value, behind)) if behind.is_empty() || behind.starts_with(',') => (value, behind),
            _ => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].trim(), &rest[end..])
            }
        };
        all.push(value.as_bytes().to_vec());
        if all.len() > MOST {
            return Err(format!("lists more than {MOST} values"));
        }
        match behind.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None => return Ok(all),
        }
    }
}

fn written_network(text: &str) -> Result<IpNet, String> {
    network(text).ok_or_else(|| format!("'{text}' is no network; write e.g. 10.0.0.0/8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_met(condition: &str, value: Option<&str>) -> bool {
        condition.parse::<Condition>().unwrap().is_met(|_| value.map(str::as_bytes))
    }

    #[test]
    fn conditions_are_met_or_not() {
        for (condition, met, not_met) in [
            ("proto=tcp", &["tcp"][..], &["TCP", "udp", "tcp "][..]),
            ("proto==tcp", &["tcp"], &["udp"]),
            ("status!=200", &["404", ""], &["200"]),
            ("port=80,443", &["80", "443"], &["8", "80,443", ""]),
            ("port!=80,443", &["22"], &["80", "443"]),
            ("path=\"a,b\",c", &["a,b", "c"], &["a", "b"]),
            ("path=\"\"", &[""], &["a"]),
            ("user=a=b", &["a=b"], &["a"]),
            ("ip in 10.0.0.0/8, 2001:db8::/32", &["10.9.9.9", "2001:db8::1"], &["11.0.0.1", "ten", ""]),
            ("ip in 10.0.0.1", &["10.0.0.1"], &["10.0.0.2"]),
            (
                "ip in 10.0.0.0/8",
                &["10.0.0.1:80", "::ffff:10.0.0.1", "[::ffff:a00:1]:80"],
                &["10.0.0.1:x", "11.0.0.1:80"],
            ),
            ("ip in ::ffff:10.0.0.0/104", &["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.1:80"], &["11.0.0.1", "::a00:1"]),
            ("ip in ::ffff:10.0.0.1", &["10.0.0.1"], &["10.0.0.2"]),
            ("ip in 2001:db8::/32", &["[2001:db8::1]:443", "[2001:db8::1]"], &["[2001:db8::1", "2001:db9::1"]),
            ("ip not in 10.0.0.0/8", &["11.0.0.1:80", "10.0.0.1:x"], &["10.0.0.1:80"]),
            ("ip not in 10.0.0.0/8", &["11.0.0.1", "ten"], &["10.0.0.1"]),
            ("bytes>=1000", &["1000", "1000.5", "99999999999999999999999"], &["999", "-1000", "x", "", "1e9"]),
            ("bytes>1000", &["1000.0001"], &["1000", "1000.0"]),
            ("bytes<-1.5", &["-2", "-1.50001"], &["-1.5", "0", "-0"]),
            ("bytes<=0", &["0", "-0.0", "-3"], &["1", "0.1"]),
            ("path~^/api/", &["/api/x"], &["/x/api/"]),
            ("path!~^/api/", &["/x"], &["/api/"]),
            ("user exists", &["", "x"], &[]),
            ("user missing", &[], &["", "x"]),
            ("a=x or a=y", &["x", "y"], &["z", "x or a=y"]),
            ("a=x or a~^p or b$", &["x", "p or b"], &["p", "b"]),
            ("a~^p or a=q", &["p", "px", "q"], &["x", "a=q"]),
            ("a~^p or a~r$ or a=q", &["p", "r", "q"], &["x"]),
            ("a~\"^p or a=q\"", &["p or a=q"], &["p", "q"]),
            ("a~\"p or q\" or a=r", &["p or q", "r"], &["p", "q"]),
            ("a=\"x or a=y\"", &["x or a=y"], &["x", "y"]),
            ("a=\"x or y\",\"u or v\" or a=\"z\"", &["x or y", "u or v", "z"], &["x", "y", "v"]),
            ("a=Tom and Jerry", &["Tom and Jerry"], &["Tom"]),
            ("a=\"b and c=d\"", &["b and c=d"], &["b"]),
            ("a='", &["'"], &[""]),
        ] {
            met.iter().for_each(|value| assert!(is_met(condition, Some(value)), "{condition} of {value}"));
            not_met.iter().for_each(|value| assert!(!is_met(condition, Some(value)), "{condition} of {value}"));
        }
        for condition in ["a=x", "a in 10.0.0.0/8", "a>1", "a<=1", "a~x", "a exists"] {
            assert!(!is_met(condition, None), "{condition}");
        }
        for condition in ["a!=x", "a not in 10.0.0.0/8", "a!~x", "a missing"] {
            assert!(is_met(condition, None), "{condition}");
        }
    }

    #[test]
    fn numbers_of_json_may_have_an_exponent() {
        let condition: Condition = "bytes>=1000".parse().unwrap();
        let condition = condition.of_json(true);
        for (value, is_met) in [("1e3", true), ("1E+9", true), ("9.99e2", false), ("-1e9", false), ("1e", false)] {
            assert_eq!(condition.is_met(|_| Some(value.as_bytes())), is_met, "{value}");
        }
    }

    #[test]
    fn what_is_no_condition_says_why() {
        for (text, said) in [
            ("", "is no condition"),
            ("proto", "is no condition"),
            ("=tcp", "names no field"),
            ("proto=", "names no value"),
            ("ip in here", "is no network"),
            ("ip in 10.0.0.0/33", "is no network"),
            ("bytes>many", "is no number"),
            ("path~(", "is no pattern"),
            ("path~(a{1000}){1000}", "is no pattern"),
            ("status!=200 and bytes>1000", "'and' joins no conditions"),
            ("status=404 AND bytes>5", "'AND'"),
            ("status!=404&&bytes>5", "'&&' joins"),
            ("bytes => 5", "write bytes>=5"),
            ("bytes =< 5", "write bytes<=5"),
            ("status=404 OR status=500", "with ' or ' between"),
            ("path~^/a || path~^/b", "'||'"),
            ("user in 10.0.0.0/8 and a=b", "'and'"),
            ("agent=~X", "as in agent~X"),
            ("status='200'", "double quotes or in none"),
        ] {
            let message = text.parse::<Condition>().unwrap_err();
            assert!(message.contains(said) && !message.contains('\n'), "{text}: {message}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_condition_or_is_refused(text in "[a-z=!<>~ in,\"0-9./]{0,20}", value in "[a-z0-9.]{0,8}") {
            if let Ok(condition) = text.parse::<Condition>() {
                let _ = condition.is_met(|_| Some(value.as_bytes()));
                prop_assert_eq!(condition.to_string().parse::<Condition>(), Ok(condition));
            }
        }
    }
}
