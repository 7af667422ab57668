#!/usr/bin/env bash
# The long tests of following, on the release build: the crash loop with a thousand kills, and a soak with a thousand
# rotations that watches memory and descriptors. One line sums up each.
#
#   tests/soak.sh [MINUTES]      minutes of the soak [default: 30]; the crash loop takes about eight more
#
# A run over 2,000 files on a busy machine is killed again and again, and comes forward; that takes a few minutes.
#
# With Python, a loop of 2,000 stops of every kind follows, of which the results are the proof (LOGPARSER_STOPS).
#
# LOGPARSER_KILLS is the number of kills of the crash loop, LOGPARSER_ROTATIONS that of the rotations, and
# LOGPARSER_SEED the seed, which is printed, to have a loop again. The exit code is not 0 if anything was wrong.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --locked --release --quiet
LOGPARSER_BIN=$PWD/${CARGO_TARGET_DIR:-target}/release/logparser
export LOGPARSER_BIN LOGPARSER_KILLS=${LOGPARSER_KILLS:-1000} LOGPARSER_MINUTES=${1:-30}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# What a test says, the rest only where it fails.
run() {
    if cargo test --locked --quiet --test it -- --exact "$@" --nocapture >"$log" 2>&1; then
        grep -E 'exact|SEED' "$log"
    else
        cat "$log"
        echo "FAILED: $1"
        return 1
    fi
}

failed=0
run crash::d1_a3_b1_b3_killed_at_random_the_counts_are_those_of_the_bytes_before_the_positions || failed=1
if command -v python3 >/dev/null; then
    tests/oracle/stops.py "$LOGPARSER_BIN" --stops "${LOGPARSER_STOPS:-2000}" --loops 36 --jobs 18 || failed=1
fi
# With 24 others at work a run gets little of the machine: lives are short at first, and a tenth longer after each in vain.
LOGPARSER_FILES=2000 LOGPARSER_BUSY=24 LOGPARSER_LINES=3000 LOGPARSER_LIVES=60 LOGPARSER_LIFE_MS=1000 LOGPARSER_IN_VAIN=20 \
    run burdened::e17_killed_again_and_again_on_a_busy_machine_it_comes_forward || failed=1
run soak::e16_a_long_run_over_many_rotations_stays_small_and_exact --ignored || failed=1
exit "$failed"
