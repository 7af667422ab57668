//! Configurations of any size: what is wrong with them is found in time that grows with it, and
//! with any number of overrides.

use super::Written;
use super::draft::MAX_STAGES;
use super::tests::problems;
use crate::error::Place;

/// What this thread has computed for: others may be at work on the machine.
fn cpu_seconds() -> i64 {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).tv_sec
}

#[test]
fn a_configuration_of_any_size_is_checked_in_time_that_grows_with_it() {
    let names = |make: &dyn Fn(usize) -> String| (0..100_000).map(make).collect::<String>();
    let stages = |kind: &str, count: usize| -> String {
        (0..count).map(|at| format!("[stages.{kind}{at}]\ntype = \"{kind}\"\n")).collect()
    };
    let long = "x".repeat(500_000);
    let inputs: Vec<String> = (0..100_000).map(|at| format!("\"r{at}\"")).collect();
    let outputs: Vec<String> = (0..50_000).map(|at| format!("\"csv:{at}\"")).collect();
    let texts = [
        names(&|at| format!("k{at} = 1\n")),
        names(&|at| format!("[stages.s{at}]\n")),
        stages("reader", 5_000),
        stages("reader", 200),
        // All in one line.
        format!("reports = [{}]", "\"top-server\", ".repeat(50_000)),
        format!("reports = [{{ name = \"top-servers\"{} }}]", names(&|at| format!(", k{at} = 1"))),
        format!("[stages.a]\ntype = \"line-splitter\"\ninputs = [{}]", inputs.join(",")),
        format!("outputs = [{0}, {0}]", outputs.join(",")),
        format!("{long} = 1\n[stages.{long}]\ntype = \"line-splitter\"\ninputs = [\"{long}y\"]"),
    ];
    for text in texts {
        let since = cpu_seconds();
        let problems = problems(&Written::from_text("p.toml", &text));
        assert!(!problems.is_empty());
        // Each took from 20 s to hours when it grew with the square.
        let taken = cpu_seconds() - since;
        assert!(taken < 20, "{taken} s: {}", &text[..60]);
    }
}

#[test]
fn more_stages_than_anybody_needs_are_refused_at_the_first_that_is_too_many() {
    let text: String = (0..MAX_STAGES + 3).map(|at| format!("[stages.s{at}]\n")).collect();
    let found = problems(&Written::from_text("p.toml", &text));
    let expected = "p.toml:257:9: stages: there are 259 stages, and 256 at most; give one reader several locations, or make \
                    several runs of it";
    assert_eq!(found, [expected]);
}

#[test]
fn columns_are_right_wherever_they_stand() {
    // Characters of one, two and four bytes, about the edges of blocks.
    for length in 0..600 {
        let comment: String = ['a', 'ä', '🦀'].into_iter().cycle().take(length).collect();
        let text = format!("# {comment}\nx = [\"{comment}\", 1]\n");
        let found = problems(&Written::from_text("p.toml", &text));
        assert!(found[0].starts_with("p.toml:1:1: ") && found[1].starts_with("p.toml:2:1: x: "), "{found:?}");
        let text = format!("location = \"{comment}\"\nreports = [\"{comment}\", 1]\n");
        let found = problems(&Written::from_text("p.toml", &text));
        let place = format!("p.toml:2:{}: ", 12 + 2 + length + 2);
        assert!(found.iter().any(|text| text.starts_with(&place)), "{place}: {found:?}");
    }
}

#[test]
fn any_number_of_overrides_is_checked_in_time_that_grows_with_it() {
    let since = cpu_seconds();
    let mut written = Written::standard();
    for at in 0..50_000 {
        for key in [format!("key{at}"), format!("stages.s{at}.x"), "limit".to_owned()] {
            written.set(&key, &at.to_string(), Place::Argument(key.clone()));
        }
    }
    let found = problems(&written);
    assert_eq!(found.len(), 100_001, "and the location is missing");
    let taken = cpu_seconds() - since;
    assert!(taken < 20, "{taken} s");
}
