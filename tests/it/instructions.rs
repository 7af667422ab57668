//! The check of instructions a line, `benches/instructions.sh`, on figures that are made up: a
//! stand-in for valgrind gives them.
//!
//! Not here: real figures, which only a release build has (`.ci/run`).

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::support::{Folder, needs, root, stderr, stdout};

/// In place of valgrind: so many instructions for each line of a shape, as the file `rates` says,
/// and 5 million beside them. `less` takes lines from what was counted.
const STAND_IN: &str = r#"#!/bin/sh
[ "$1" = --version ] && { echo made-up; exit; }
log=$5 since=$7
shape=${log##*/} shape=${shape%.*}
lines=$(($(grep -vc "^#" <"$log") - 1))
inside=$lines column=3
[ "$since" = 1600000000 ] || inside=1 column=2
. "$RATES/less"
echo "{\"counted\":$((inside - less))}"
awk -v shape="$shape" -v column="$column" -v lines="$lines" '
    $1 == shape { printf "==1== Collected : %d\n", 5e6 + lines * $column }' "$RATES/rates" >&2
"#;

struct Bench {
    folder: Folder,
}

impl Bench {
    /// With figures that are those of the rates.
    fn new() -> Self {
        let bench = Bench { folder: Folder::new() };
        let valgrind = bench.folder.write("valgrind", STAND_IN);
        std::fs::set_permissions(valgrind, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        bench.folder.write("less", "less=0\n");
        bench.rates([("plain", 60, 300), ("crlf", 70, 400)]);
        bench.folder.write("figures", "# What these are.\n#\n# Taken with others.\nplain 1 1 1\n");
        assert!(bench.script("--update").status.success());
        bench
    }

    /// Instructions a line, outside and inside, of some shapes; those of the others stay.
    fn rates<const N: usize>(&self, of: [(&str, u32, u32); N]) {
        let others = [
            ("qualified", 80, 1000),
            ("many", 80, 1400),
            ("milliseconds", 70, 400),
            ("zeek", 600, 1500),
            ("json", 900, 2000),
            ("web", 1200, 2400),
        ];
        let all = of.into_iter().chain(others);
        let lines = all.map(|(shape, outside, inside)| format!("{shape} {outside} {inside}\n"));
        self.folder.write("rates", lines.collect::<String>());
    }

    fn script(&self, option: &str) -> Output {
        let path = format!("{}:{}", self.folder.path().display(), std::env::var("PATH").unwrap());
        let mut script = Command::new(root().join("benches/instructions.sh"));
        script.args([option, env!("CARGO_BIN_EXE_logparser")]).env("PATH", path);
        script.env("RATES", self.folder.path()).env("LOGPARSER_FIGURES", self.figures()).output().unwrap()
    }

    fn figures(&self) -> PathBuf {
        self.folder.at("figures")
    }
}

/// The words of a line that begins with these two.
fn line(output: &Output, shape: &str, column: &str) -> String {
    let text = stdout(output);
    let line = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|words| words.starts_with(&[shape, column]));
    line.unwrap_or_else(|| panic!("{shape}, {column}: {text}{}", stderr(output))).join(" ")
}

#[test]
fn what_became_slower_or_faster_by_more_than_three_percent_is_told() {
    needs!("awk", "cc");
    let bench = Bench::new();
    let written = std::fs::read_to_string(bench.figures()).unwrap();
    assert!(written.starts_with("# What these are.\n#\n# Taken with rustc"), "{written}");
    assert_eq!(written.lines().filter(|line| !line.starts_with('#')).count(), 8, "{written}");

    // The room is 3 percent, in both directions.
    bench.rates([("plain", 61, 308), ("crlf", 69, 389)]);
    let within = bench.script("--check");
    assert_eq!(within.status.code(), Some(0), "{}{}", stdout(&within), stderr(&within));
    assert_eq!(line(&within, "plain", "inside"), "plain inside 300.0 -> 308.0 +2.7 %");
    assert!(!stdout(&within).contains("--update"), "{}", stdout(&within));

    bench.rates([("plain", 60, 290), ("crlf", 70, 400)]);
    let faster = bench.script("--check");
    assert_eq!(faster.status.code(), Some(0), "{}", stderr(&faster));
    assert_eq!(line(&faster, "plain", "inside"), "plain inside 300.0 -> 290.0 -3.3 % FASTER");
    assert!(stdout(&faster).contains("--update"), "{}", stdout(&faster));

    bench.rates([("plain", 62, 290), ("crlf", 70, 400)]);
    let slower = bench.script("--check");
    assert_eq!(slower.status.code(), Some(1), "{}", stderr(&slower));
    assert_eq!(line(&slower, "plain", "outside"), "plain outside 60.0 -> 62.0 +3.3 % SLOWER");
    assert!(stdout(&slower).contains("--update"), "{}", stdout(&slower));
}

#[test]
fn a_run_that_does_something_else_is_not_counted() {
    needs!("awk", "cc");
    let bench = Bench::new();
    bench.folder.write("less", "less=1\n");
    let before = std::fs::read(bench.figures()).unwrap();
    assert_ne!(bench.script("--check").status.code(), Some(0));
    assert_ne!(bench.script("--update").status.code(), Some(0));
    assert_eq!(std::fs::read(bench.figures()).unwrap(), before);
}
