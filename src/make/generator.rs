//! The lines of a made log, apart from any file.
//!
//! Line `i` of `n` has the base time `start + span * i / n`, less a random delay of at most the
//! disorder. So no stamp lies further behind the highest before it than the disorder, and stamps
//! spread evenly over the span.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

use super::names::{HOSTS, SERVERS, names};
use crate::model::{TimeUnit, Timestamp};

/// What to make.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRecipe {
    /// How many lines.
    pub lines: u64,
    /// The highest stamp there may be.
    pub end: Timestamp,
    /// Nanoseconds that the stamps are spread over.
    pub span: i64,
    /// How far a stamp may lie behind the highest before it, in nanoseconds.
    pub disorder: i64,
    /// The same seed and settings give the same bytes.
    pub seed: u64,
    /// Hosts that connect, above 0.
    pub hosts: u32,
    /// Servers, above 0.
    pub servers: u32,
    /// The exponent of Zipf's law; 0 makes all hosts alike.
    pub skew: f64,
    /// Share of the lines that are malformed, from 0 to 1.
    pub malformed: f64,
    /// Unit of the stamps.
    pub unit: TimeUnit,
}

impl Default for LogRecipe {
    /// Ten thousand lines over the day before the end of 2023-11-14T22:13:20Z.
    fn default() -> Self {
        LogRecipe {
            lines: 10_000,
            end: Timestamp::from_seconds(1_700_000_000),
            span: 86_400 * crate::model::time::SECOND,
            disorder: 300 * crate::model::time::SECOND,
            seed: 1,
            hosts: HOSTS.len() as u32,
            servers: SERVERS.len() as u32,
            skew: 0.0,
            malformed: 0.0,
            unit: TimeUnit::Seconds,
        }
    }
}

/// Makes the lines one after the other.
pub struct Generator {
    settings: LogRecipe,
    random: Pcg64Mcg,
    line: u64,
    hosts: NamePool,
    servers: NamePool,
    /// A random number below this makes a malformed line.
    malformed_below: u64,
    lowest: i64,
    highest: i64,
}

/// Names to choose from.
struct NamePool {
    names: Vec<Vec<u8>>,
    /// For skewed names: how many of 2^32 choices fall on each name or on one before it.
    steps: Option<Vec<u64>>,
}

/// Choices that skewed names are spread over.
const CHOICES: u64 = 1 << 32;

impl Generator {
    /// Before the first line.
    pub fn new(settings: LogRecipe) -> Self {
        let hosts = NamePool::new(names(&HOSTS, "host", settings.hosts), settings.skew);
        let servers = NamePool::new(names(&SERVERS, "Server", settings.servers), settings.skew);
        // A share as a bound on 32 random bits; a float holds such numbers exactly.
        let malformed_below = (settings.malformed.clamp(0.0, 1.0) * CHOICES as f64) as u64;
        let random = Pcg64Mcg::seed_from_u64(settings.seed);
        Generator { settings, random, line: 0, hosts, servers, malformed_below, lowest: i64::MAX, highest: i64::MIN }
    }

    /// Appends whole lines until at least `bytes` were appended or all lines are made. Gives
    /// whether there are more.
    pub fn fill(&mut self, out: &mut Vec<u8>, bytes: usize) -> bool {
        let enough = out.len() + bytes;
        while self.line < self.settings.lines && out.len() < enough {
            self.push_line(out);
            self.line += 1;
        }
        self.line < self.settings.lines
    }

    /// Lines made so far.
    pub fn lines(&self) -> u64 {
        self.line
    }

    /// The lowest and the highest stamp so far, in the unit of the stamps; `None` before the first
    /// line.
    pub fn extent(&self) -> Option<(i64, i64)> {
        (self.line > 0).then_some((self.lowest, self.highest))
    }

    fn push_line(&mut self, out: &mut Vec<u8>) {
        let stamp = self.stamp();
        let is_malformed = self.malformed_below > 0 && u64::from(self.random.next_u32()) < self.malformed_below;
        let choice = self.random.next_u64();
        let (from, to) = (self.hosts.pick(choice >> 32), self.servers.pick(choice & (CHOICES - 1)));
        if is_malformed {
            // One of four ways to be malformed.
            match self.random.next_u32() % 4 {
                0 => out.push(b'x'),
                1 => {
                    push_number(out, stamp);
                    out.push(b'\n');
                    return;
                }
                2 => {
                    push_number(out, stamp);
                    out.push(b' ');
                    out.extend_from_slice(from);
                    out.extend_from_slice(b" \n");
                    return;
                }
                _ => {
                    push_number(out, stamp);
                    out.extend_from_slice(b" too many ");
                    out.extend_from_slice(from);
                    out.push(b'\n');
                    return;
                }
            }
        }
        push_number(out, stamp);
        out.push(b' ');
        out.extend_from_slice(from);
        out.push(b' ');
        out.extend_from_slice(to);
        out.push(b'\n');
    }

    /// The stamp of the next line, in the unit of the stamps.
    fn stamp(&mut self) -> i64 {
        let LogRecipe { lines, end, span, disorder, unit, .. } = self.settings;
        let start = end.nanos().saturating_sub(span);
        let passed = i128::from(span) * i128::from(self.line + 1) / i128::from(lines.max(1));
        let base = start.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX));
        let delay = if disorder == 0 { 0 } else { below(self.random.next_u64(), disorder.unsigned_abs() + 1) as i64 };
        // Both ends are rounded down alike, so the bound on the disorder may be passed by one unit;
        // hence the `max`.
        let floor =
            (base.div_euclid(unit.nanos()) - disorder.div_euclid(unit.nanos())).max(start.div_euclid(unit.nanos()));
        let stamp = (base.saturating_sub(delay)).div_euclid(unit.nanos()).max(floor);
        self.lowest = self.lowest.min(stamp);
        self.highest = self.highest.max(stamp);
        stamp
    }
}

impl NamePool {
    fn new(names: Vec<String>, skew: f64) -> Self {
        let names: Vec<Vec<u8>> = names.into_iter().map(String::into_bytes).collect();
        let steps = (skew > 0.0).then(|| {
            let weights: Vec<f64> = (1..=names.len()).map(|rank| (rank as f64).powf(-skew)).collect();
            let total: f64 = weights.iter().sum();
            let mut sum = 0.0;
            let step = weights.iter().map(|weight| {
                sum += weight;
                (sum / total * CHOICES as f64) as u64
            });
            step.collect()
        });
        NamePool { names, steps }
    }

    /// The name that one of `CHOICES` falls on.
    fn pick(&self, choice: u64) -> &[u8] {
        let at = match &self.steps {
            None => ((choice * self.names.len() as u64) >> 32) as usize,
            Some(steps) => steps.partition_point(|step| *step <= choice).min(self.names.len() - 1),
        };
        &self.names[at]
    }
}

/// A number below `bound` from 64 random bits: the high half of the product, which favours no
/// number noticeably.
fn below(random: u64, bound: u64) -> u64 {
    ((u128::from(random) * u128::from(bound)) >> 64) as u64
}

fn push_number(out: &mut Vec<u8>, number: i64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::SECOND;
    use proptest::prelude::*;

    fn made(settings: LogRecipe) -> String {
        let mut out = Vec::new();
        let mut generator = Generator::new(settings);
        while generator.fill(&mut out, 1000) {}
        String::from_utf8(out).unwrap()
    }

    fn stamps(text: &str) -> Vec<i64> {
        text.lines().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_for_ever() {
        let text = made(LogRecipe { lines: 4, ..LogRecipe::default() });
        assert_eq!(text, made(LogRecipe { lines: 4, ..LogRecipe::default() }));
        assert_ne!(text, made(LogRecipe { lines: 4, seed: 2, ..LogRecipe::default() }));
        assert_eq!(text, include_str!("golden.log"));
    }

    proptest! {
        #[test]
        fn stamps_keep_within_span_and_disorder(
            seed: u64,
            disorder in prop_oneof![Just(0i64), 1i64..2_000_000_000_000],
            unit in prop_oneof![Just(TimeUnit::Seconds), Just(TimeUnit::Millis), Just(TimeUnit::Nanos)],
        ) {
            let settings = LogRecipe { lines: 500, seed, disorder, unit, ..LogRecipe::default() };
            let (start, end) = ((settings.end.nanos() - settings.span) / unit.nanos(), settings.end.nanos() / unit.nanos());
            let mut highest = i64::MIN;
            for stamp in stamps(&made(settings)) {
                prop_assert!(start <= stamp && stamp <= end);
                prop_assert!(highest == i64::MIN || (highest - stamp) * unit.nanos() <= disorder);
                highest = highest.max(stamp);
            }
        }
    }

    #[test]
    fn the_disorder_is_used_and_hours_are_alike() {
        let text = made(LogRecipe { lines: 48_000, ..LogRecipe::default() });
        let stamps = stamps(&text);
        let mut highest = 0;
        let behind = stamps.iter().map(|stamp| {
            highest = highest.max(*stamp);
            highest - stamp
        });
        assert!(behind.max().unwrap() > 280);
        let last_hour = stamps.iter().filter(|stamp| **stamp > 1_700_000_000 - 3_600).count();
        assert!((1_800..=2_100).contains(&last_hour), "{last_hour}");
    }

    #[test]
    fn skew_makes_the_first_names_busier_and_more_names_are_numbered() {
        let text = made(LogRecipe { lines: 5_000, skew: 1.0, hosts: 100, ..LogRecipe::default() });
        let of = |name: &str| text.lines().filter(|line| line.split(' ').nth(1) == Some(name)).count();
        assert!(of("almont") > 5 * of("wetherly"), "{} {}", of("almont"), of("wetherly"));
        assert!(text.contains(" host-00056 "));
    }

    #[test]
    fn malformed_lines_are_malformed_and_as_many_as_asked_for() {
        use crate::format::{LineFormat, Plain, Stamp};
        use crate::model::Units;
        let text = made(LogRecipe { lines: 5_000, malformed: 0.1, ..LogRecipe::default() });
        let plain = Plain { units: Units::AUTO };
        let bad = text.lines().filter(|line| match plain.stamp(&mut (), line.as_bytes(), 0, line.len()) {
            Stamp::At(_, at) => plain.hosts(&mut (), line.as_bytes(), at, line.len()).is_err(),
            Stamp::Bad(_) | Stamp::TooEarly(_) | Stamp::TooLate(_) => true,
            Stamp::Blank | Stamp::Other => panic!("a blank line"),
        });
        assert!((400..600).contains(&bad.count()));
        assert_eq!(text.lines().count(), 5_000);
        assert!(LogRecipe::default().span == 86_400 * SECOND);
    }
}
