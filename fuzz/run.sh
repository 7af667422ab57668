#!/usr/bin/env bash
# Runs the fuzz targets: run.sh [SECONDS] [TARGET...], 60 seconds each and all of them by default. Needs a C++ compiler and a
# stable toolchain: this is what `cargo fuzz run --sanitizer none` does, without a tool to install. Finds are written to
# artifacts/TARGET, new inputs to a folder beside the corpus.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-60}
shift || true
target=${CARGO_TARGET_DIR:-target}
host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
 -Cllvm-args=-sanitizer-coverage-trace-compares"
RUSTFLAGS=${RUSTFLAGS//$'\n'/}
cargo build --release --quiet --target "$host"

targets=("$@")
((${#targets[@]})) || mapfile -t targets < <(cd fuzz_targets && ls -- *.rs | sed 's/\.rs$//')
for name in "${targets[@]}"; do
    mkdir -p "artifacts/$name" "found/$name"
    log=$(mktemp)
    if ! "$target/$host/release/$name" "found/$name" "corpus/$name" -max_total_time="$seconds" -max_len=8192 \
        -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 -artifact_prefix="artifacts/$name/" >"$log" 2>&1; then
        tail -n 40 "$log"
        echo "$name: failed; the input is in fuzz/artifacts/$name" >&2
        exit 1
    fi
    printf '%-16s %s\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: */executions /p' "$log") in $seconds s"
    rm -f "$log"
done
