//! One-shot counts against an independent oracle, under every shape of threads, capacity and chunk
//! size.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::support::{ALL_PAIRS, BASE, Folder, Random, SHAPES, fields, log, oracle, pairs, run_library, shaped};

/// Each way in which a log can be shaped, by name.
fn shapes_of_logs() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let shuffled = {
        let text = String::from_utf8(log(5, 3_000, 7_200, 0, 30)).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        let mut random = Random::new(17);
        for at in (1..lines.len()).rev() {
            lines.swap(at, random.below(at as u64 + 1) as usize);
        }
        lines.join("\n").into_bytes()
    };
    vec![
        ("sorted", vec![log(1, 4_000, 7_200, 0, 40)]),
        ("disordered, three files", (0..3).map(|seed| log(seed, 2_000, 7_200, 300, 40)).collect()),
        ("shuffled, last line without newline", vec![shuffled]),
        ("many hosts", vec![log(7, 4_000, 7_200, 300, 3_000)]),
        ("hostile lines", vec![hostile(9, 4_000)]),
        ("one line", vec![format!("{BASE} a b\n").into_bytes()]),
        ("no newline at all", vec![format!("{BASE} a b").into_bytes()]),
        ("empty, and a full one", vec![Vec::new(), log(3, 100, 3_600, 60, 10)]),
        ("only newlines", vec![b"\n\n\r\n\n".to_vec()]),
    ]
}

/// A log in which lines of every class are mixed.
fn hostile(seed: u64, lines: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut out = Vec::new();
    for line in 0..lines {
        let stamp = BASE + (line * 7_200 / lines) as i64 - random.below(300) as i64;
        let end = random.pick(&["\n", "\n", "\r\n"]);
        let text = match random.below(16) {
            0 => String::new(),
            1 => " \t ".to_owned(),
            2 => format!("{stamp}"),
            3 => format!("{stamp} only"),
            4 => format!("{stamp} empty "),
            5 => format!("{stamp} a b c"),
            6 => format!("x{stamp} a b"),
            7 => format!("{stamp}x a b"),
            8 => format!("{} a b", stamp + 1_000_000),
            9 => format!("{stamp} {} b", "long".repeat(40)),
            10 => "-5 a b".to_owned(),
            11 => format!("\t{stamp}\t\ttabs  and "),
            _ => format!("{stamp} src{} dst{}", random.below(20), random.below(5)),
        };
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(end.as_bytes());
    }
    out
}

#[test]
fn counts_equal_an_independent_count_under_every_shape() {
    const MAX_LINE: i64 = 120;
    for (name, logs) in shapes_of_logs() {
        let folder = Folder::new();
        let files: Vec<PathBuf> =
            logs.iter().enumerate().map(|(at, log)| folder.write(&format!("{at}.log"), log)).collect();
        let (start, end) = (BASE + 1_800, BASE + 5_400);
        let variables = [("start", start), ("end", end), ("future", BASE + 100_000), ("max_line", MAX_LINE)];
        let expected = oracle("once.awk", &variables, &files);
        let mut outputs = BTreeMap::new();
        for shape in SHAPES {
            let builder = shaped(shape)
                .set("location", &folder.text("*.log"))
                .set("since", &start.to_string())
                .set("until", &end.to_string())
                .set("max-line", &MAX_LINE.to_string())
                .set("future", "3600")
                .set("reports", ALL_PAIRS)
                .clock(|| logparser::Timestamp::from_seconds(BASE + 96_400));
            let (text, summary) = run_library(builder, "json");
            assert_eq!(summary.exit_code(), 0, "{name} {shape:?}: {:?}", summary.error());
            outputs.entry(text).or_insert_with(Vec::new).push(shape);
        }
        assert_eq!(outputs.len(), 1, "{name}: different shapes, different output: {outputs:?}");
        let text = outputs.keys().next().unwrap();
        let result: serde_json::Value = serde_json::from_str(text).unwrap();
        for class in fields(&expected, "class") {
            assert_eq!(result["balance"][&class[0]].to_string(), class[1], "{name}: {}", class[0]);
        }
        let counted: BTreeMap<_, u64> = fields(&expected, "pair")
            .into_iter()
            .map(|pair| ((pair[0].clone(), pair[1].clone()), pair[2].parse().unwrap()))
            .collect();
        assert_eq!(pairs(&result), counted, "{name}");
    }
}

#[test]
fn the_unit_of_the_stamps_does_not_change_the_answer() {
    let folder = Folder::new();
    let seconds = log(11, 2_000, 7_200, 300, 20);
    for (unit, zeros) in [("s", ""), ("ms", "000"), ("us", "000000"), ("ns", "000000000")] {
        let text = String::from_utf8(seconds.clone()).unwrap().replace(" src", &format!("{zeros} src"));
        folder.write(&format!("{unit}.log"), text);
    }
    let answer = |name: &str, unit: &str| {
        let builder = shaped(SHAPES[0])
            .set("location", &folder.text(name))
            .set("unit", unit)
            .set("until", &(BASE + 5_000).to_string())
            .set("reports", ALL_PAIRS);
        let result: serde_json::Value = serde_json::from_str(&run_library(builder, "json").0).unwrap();
        pairs(&result)
    };
    let expected = answer("s.log", "s");
    assert!(expected.len() > 100);
    for unit in ["s", "ms", "us", "ns"] {
        assert_eq!(answer(&format!("{unit}.log"), "auto"), expected, "{unit} by magnitude");
        assert_eq!(answer(&format!("{unit}.log"), unit), expected, "{unit} as declared");
    }
}
