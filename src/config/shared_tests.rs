//! Keys of a reporter that are options of those of its reports that have them.

use super::plan::{ReportPlan, Task};
use super::tests::{plan, problems};
use super::{Plan, Written};

fn reports(plan: &Plan) -> Vec<ReportPlan> {
    let reports = plan.stages.iter().find_map(|stage| match &stage.task {
        Task::Reporter(reporter) => Some(&reporter.reports),
        _ => None,
    });
    reports.unwrap().clone()
}

#[test]
fn keys_of_a_reporter_are_options_of_the_reports_that_have_them() {
    let keys = "location = 'x'\nlimit = 3\nby = 'bytes'\nreverse = true\nshares = true\n";
    let text = "reports = ['top-pairs', { name = 'talkers', shares = false, limit = 5 }, 'fan-in', 'timeline', 'scans', \
                { name = 'services', by = 'packets' }, { name = 'peers', host = 'a' }]";
    let said = |report: &ReportPlan| {
        let options = &report.options;
        let flags = (options.flag("reverse"), options.flag("shares"));
        (report.entry.name, options.count("limit"), options.text("by").map(str::to_owned), flags)
    };
    let found: Vec<_> = reports(&plan(&format!("{keys}{text}"))).iter().map(said).collect();
    assert_eq!(
        found,
        [
            ("top-pairs", Some(3), Some("bytes".to_owned()), (true, true)),
            ("talkers", Some(5), Some("bytes".to_owned()), (true, false)),
            ("fan-in", Some(3), None, (true, false)),
            ("timeline", None, None, (false, false)),
            ("scans", Some(3), None, (false, false)),
            ("services", Some(3), Some("packets".to_owned()), (true, true)),
            ("peers", None, Some("bytes".to_owned()), (false, false)),
        ]
    );
}

/// Results that do not ask for them are as they always were.
#[test]
fn what_is_not_asked_for_is_no_option_of_a_report() {
    for text in ["location = 'x'", "location = 'x'\nreverse = false\nshares = false"] {
        let options = reports(&plan(text)).remove(0).options;
        assert_eq!(options.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["limit"], "{text}");
    }
}

#[test]
fn a_key_that_means_nothing_to_any_report_is_refused() {
    let said = |text: &str| problems(&Written::from_text("p.toml", text));
    assert_eq!(
        said("location = 'x'\nshares = true\nreports = ['fan-in', 'timeline']"),
        [
            "p.toml:2:1: stages.report.shares: means nothing to the reports that are asked for; ask for one of top-servers, \
             top-sources, top-pairs, talkers, services, or leave it out"
        ]
    );
    assert_eq!(said("location = 'x'\nreverse = true\nreports = ['totals', { name = 'peers', host = 'a' }]").len(), 1);
    assert_eq!(said("location = 'x'\nby = 'bytes'\nreports = ['fan-in', 'timeline']").len(), 1);
    // A limit does no harm where nothing has one.
    assert!(said("location = 'x'\nlimit = 5\nreports = ['timeline']").is_empty());
    assert!(said("location = 'x'\nshares = true\nreverse = true\nreports = ['fan-in', 'services']").is_empty());
    // What is wrong with a report is said alone.
    let wrong = said("location = 'x'\nshares = true\nreports = ['fan-inn']");
    assert!(wrong.len() == 1 && wrong[0].contains("'fan-inn'"), "{wrong:?}");
}
