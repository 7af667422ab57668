#!/usr/bin/env bash
# All that .ci/run has a smaller share of, at full size and on the release build, one after another: some two hours on two
# cores. It needs what .ci/run installs; `tests/soak.sh` and `fuzz/run.sh SECONDS` are further runs, as long as one likes.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

cargo build --locked --release
program=$PWD/${CARGO_TARGET_DIR:-target}/release/logparser

step "windows that repeat, 1,000 random ones against a count of their own"
tests/oracle/windows.py "$program" --runs 1000

step "stops and starts, 500 of them, of which the results are the proof; and 100 of logs as Zeek writes them"
tests/oracle/stops.py "$program" --stops 500 --loops 18 --jobs 6
tests/oracle/stops.py "$program" --lines zeek --stops 100 --loops 9 --jobs 6

step "the follower against its model: 20,000 random sequences"
PROPTEST_CASES=20000 cargo test --locked --release --lib -- follow::model_tests

step "saved states of which one value is another: all values"
LOGPARSER_ALTERATIONS=1000000 cargo test --locked --release --test it -- altered::

step "everything at full size: the crash loop with 200 kills, all sweeps over system calls, bounds and memory"
LOGPARSER_KILLS=200 LOGPARSER_FULL=1 cargo test --locked --release --test it
