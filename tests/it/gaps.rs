//! Time that jumps while logs are followed: stamps that run ahead, and long runs of windows that
//! hold nothing.

use crate::support::{Folder, Follower, append};

/// A log of one line a second.
fn steady(from: i64, to: i64) -> String {
    (from..to).map(|at| format!("{at} a b\n")).collect()
}

/// The next result, which stands for many windows: from where to where, and how many.
fn gap(follower: &Follower) -> (i64, i64, u64) {
    let window = &follower.result()["window"];
    let at = |key: &str| window[key].as_i64().unwrap();
    (at("start_unix"), at("end_unix"), window["empty_windows"].as_u64().expect("a gap"))
}

#[test]
fn a_stamp_that_runs_ahead_closes_no_window_until_others_come_or_its_input_is_idle() {
    let folder = Folder::new();
    let log = folder.at("a.log");
    append(&log, &(steady(1001, 1010) + "9999 fast b\n"));
    let args = ["a.log", "--state", "none", "--max-jump", "60", "--idle", "60", "--max-gap", "5"];
    let follower = Follower::start(&folder, &args);
    follower.nothing_for(500);
    append(&log, steady(1010, 1021));
    assert_eq!(follower.next(), (1010, 0, false, 9));
    let result = follower.result();
    assert_eq!(result["balance"]["late"], 0, "{result}");
    assert_eq!(result["window"]["end_unix"], 1020);
    // Seven more are eight that lie there: time moves.
    append(&log, steady(9992, 9999));
    assert_eq!(follower.next(), (1030, 0, false, 1));
    assert_eq!(gap(&follower), (1_030, 9_990, 896));
    assert_eq!(follower.stop(), [(10_000, 0, true, 8)]);
}

#[test]
fn a_log_of_a_few_lines_closes_windows_once_it_is_idle() {
    let folder = Folder::new();
    append(&folder.at("a.log"), "1001 a b\n1002 a b\n1011 a b\n1025 a b\n");
    let follower = Follower::start(&folder, &["a.log", "--state", "none", "--max-jump", "60"]);
    follower.nothing_for(800);
    assert_eq!(follower.next(), (1010, 0, false, 2));
    assert_eq!(follower.next(), (1020, 0, false, 1));
    assert_eq!(follower.stop(), [(1030, 0, true, 1)]);
}

#[test]
fn a_long_silence_is_one_result_and_comes_once() {
    let folder = Folder::new();
    let log = folder.at("a.log");
    append(&log, "1001 a b\n1012 a b\n");
    let args = ["a.log", "--state", "st", "--max-gap", "5"];
    let follower = Follower::start(&folder, &args);
    assert_eq!(follower.next(), (1010, 0, false, 1));
    // Five windows that hold nothing have a result each.
    append(&log, "1071 a b\n");
    for (end, connections) in [(1020, 1), (1030, 0), (1040, 0), (1050, 0), (1060, 0), (1070, 0)] {
        assert_eq!(follower.next(), (end, 0, false, connections));
    }
    append(&log, "9001 a b\n");
    assert_eq!(follower.next(), (1080, 0, false, 1));
    assert_eq!(gap(&follower), (1080, 9_000, 792));
    assert_eq!(follower.stop(), [(9_010, 0, true, 1)]);
    let follower = Follower::start(&folder, &args);
    follower.nothing_for(300);
    append(&log, "1700000011 a b\n");
    assert_eq!(follower.next(), (9_010, 1, false, 1));
    assert_eq!(gap(&follower), (9_010, 1_700_000_010, 169_999_100));
    follower.stop();
}

#[test]
fn what_may_still_come_into_a_long_silence_is_waited_for() {
    let folder = Folder::new();
    let log = folder.at("a.log");
    append(&log, "1001 a b\n");
    let args = ["a.log", "--state", "none", "--max-gap", "5", "--lateness", "60"];
    let follower = Follower::start(&folder, &args);
    append(&log, "5001 a b\n");
    assert_eq!(follower.next(), (1010, 0, false, 1));
    // Windows up to 4941 are due, and later ones may still hold something.
    follower.nothing_for(300);
    append(&log, "4945 late b\n5061 a b\n");
    assert_eq!(gap(&follower), (1_010, 4_940, 393));
    assert_eq!(follower.next(), (4_950, 0, false, 1));
    for end in [4_960, 4_970, 4_980, 4_990, 5_000] {
        assert_eq!(follower.next(), (end, 0, false, 0));
    }
    follower.stop();
}

#[test]
fn a_record_that_comes_late_into_a_long_silence_gives_its_window_a_result() {
    let folder = Folder::new();
    let log = folder.at("a.log");
    append(&log, "1001 a b\n9001 a b\n");
    let args = ["a.log", "--state", "st", "--late-updates", "8000"];
    let follower = Follower::start(&folder, &args);
    assert_eq!(follower.next(), (1010, 0, false, 1));
    // Of 799 windows each has its own: fewer than the default.
    for at in 0..799 {
        assert_eq!(follower.next(), (1_020 + 10 * at, 0, false, 0));
    }
    follower.stop();
    let folder = Folder::new();
    let log = folder.at("a.log");
    append(&log, "1001 a b\n9001 a b\n");
    let args = [&args[..], &["--max-gap", "100"]].concat();
    let follower = Follower::start(&folder, &args);
    assert_eq!(follower.next(), (1010, 0, false, 1));
    assert_eq!(gap(&follower), (1_010, 9_000, 799));
    append(&log, "5005 late b\n");
    assert_eq!(follower.next(), (5_010, 1, false, 1));
    append(&log, "5006 late b\n");
    assert_eq!(follower.next(), (5_010, 2, false, 2));
    // Over a restart, too.
    assert_eq!(follower.stop(), [(9_010, 0, true, 1)]);
    let follower = Follower::start(&folder, &args);
    append(&log, "5007 late b\n");
    assert_eq!(follower.next(), (5_010, 3, false, 3));
    append(&log, "6005 late b\n");
    assert_eq!(follower.next(), (6_010, 1, false, 1));
    // Later than that it is late, whatever its window was issued as.
    append(&log, "15001 a b\n");
    assert_eq!(follower.next(), (9_010, 1, false, 1));
    assert_eq!(gap(&follower), (9_010, 15_000, 599));
    append(&log, "6501 too late\n7001 late b\n");
    assert_eq!(follower.next(), (7_010, 1, false, 1));
    follower.stop();
}
