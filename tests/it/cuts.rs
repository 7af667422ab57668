//! Windows that `since` and `until` cut say so: if and only if a part of their time lies outside
//! the range.

use logparser::Pipeline;
use logparser::Timestamp;

use crate::support::{BASE, Folder, Random, program, run_library, stderr, stdout};

/// An end of a range as it is given, and the second that it means.
type End = Option<(String, i64)>;

fn end(random: &mut Random, latest: i64) -> End {
    let ahead = random.below(4_000) as i64 - 500;
    match random.below(5) {
        0 => None,
        1 => Some((format!("latest-{}s", 4_000 - ahead), latest - (4_000 - ahead))),
        2 => Some((Timestamp::from_seconds(BASE + ahead).to_string(), BASE + ahead)),
        // On the edge of many windows.
        3 => Some(((BASE + ahead / 600 * 600).to_string(), BASE + ahead / 600 * 600)),
        _ => Some(((BASE + ahead).to_string(), BASE + ahead)),
    }
}

#[test]
fn a_window_is_said_to_be_cut_if_and_only_if_it_is_not_within_the_range() {
    let folder = Folder::new();
    let mut random = Random::new(7);
    let (mut cut_windows, mut whole_windows) = (0, 0);
    for round in 0..150 {
        let mut stamps: Vec<i64> = (0..40).map(|_| BASE + random.below(3_600) as i64).collect();
        stamps.sort_unstable();
        let latest = stamps[39];
        let log: String = stamps.iter().map(|stamp| format!("{stamp} a b\n")).collect();
        folder.write("a.log", log);
        let (since, mut until) = (end(&mut random, latest), end(&mut random, latest));
        if random.below(6) == 0 {
            until = Some(("latest".to_owned(), latest));
        }
        let lengths = [300, 600, 700, 1_800];
        let length = lengths[random.below(4) as usize];
        let period = lengths[random.below(4) as usize];
        let align = ["epoch", "first", "latest", "1700000123"][random.below(4) as usize];
        let mut builder = Pipeline::builder()
            .set("location", &folder.text("a.log"))
            .set("seconds", &length.to_string())
            .set("every", &period.to_string())
            .set("align", align)
            .set("lateness", ["0", "5m"][random.below(2) as usize])
            .clock(|| Timestamp::from_seconds(BASE + 1_000_000));
        for (key, end) in [("since", &since), ("until", &until)] {
            builder = end.iter().fold(builder, |builder, (text, _)| builder.set(key, text));
        }
        let (since, until) = (since.map(|(_, at)| at), until.map(|(_, at)| at));
        // A range that ends before it begins has no windows.
        if since.is_some_and(|since| since >= until.unwrap_or(i64::MAX)) {
            continue;
        }
        let (text, summary) = run_library(builder, "json");
        assert_eq!(summary.exit_code(), 0, "{round}: {:?}", summary.error());
        for line in text.lines() {
            let result: serde_json::Value = serde_json::from_str(line).unwrap();
            let Some(window) = result["window"].as_object() else { continue };
            let at = |key: &str| window[key].as_i64().unwrap();
            let shown = |cut: Option<i64>| cut.map(|at| Timestamp::from_seconds(at).to_string().into());
            let cut = |key: &str| window.get("cut").and_then(|cut| cut.get(key)).cloned();
            let by_since = since.filter(|since| at("start_unix") < *since);
            let by_until = until.filter(|until| at("end_unix") > *until);
            assert_eq!(cut("since"), shown(by_since), "{round}: {line}");
            assert_eq!(cut("until"), shown(by_until), "{round}: {line}");
            assert_eq!(window.contains_key("cut"), by_since.or(by_until).is_some(), "{round}: {line}");
            *(if window.contains_key("cut") { &mut cut_windows } else { &mut whole_windows }) += 1;
        }
    }
    assert!(cut_windows > 100 && whole_windows > 100, "{cut_windows} {whole_windows}");
}

#[test]
fn one_window_is_what_it_was_asked_to_be_and_tallies_of_it_too() {
    let folder = Folder::new();
    folder.write("a.log", format!("{BASE} a b\n{} a b\n", BASE + 50));
    let said = |args: &[&str]| {
        let output = program(&folder).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    let (since, until) = ((BASE + 10).to_string(), (BASE + 60).to_string());
    for range in [vec!["--since", &since, "--until", &until], vec!["--until", "latest"], vec!["--until", "latest-5s"]] {
        let one = said(&[&["top", "a.log", "--json", "-q"], &range[..]].concat());
        assert!(one.contains("\"end_inclusive\":true") && !one.contains("\"cut\""), "{one}");
        said(&[&["partial", "a.log", "-qo", "a.tallies"], &range[..]].concat());
        let reported = said(&["report", "a.tallies", "--json", "-q"]);
        assert!(reported.contains("\"window\"") && !reported.contains("\"cut\""), "{reported}");
    }
}
