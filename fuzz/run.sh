#!/usr/bin/env bash
# Runs the fuzz targets: run.sh [SECONDS] [TARGET...], 60 seconds each and all of them by default, as many at a time as JOBS
# says (2). Needs a C++ compiler and a stable toolchain: this is what `cargo fuzz run --sanitizer none` does, without a tool
# to install. PROFILE=dev builds in half the time what runs slower, for a smoke; SEED=1 tries the same inputs each time. Finds
# are written to artifacts/TARGET, new inputs to found/TARGET.
set -euo pipefail
cd "$(dirname "$0")"

one() {
    local seconds=$1 name=$2 log
    mkdir -p "artifacts/$name" "found/$name"
    log=$(mktemp)
    if ! "$BUILT/$name" "found/$name" "corpus/$name" -max_total_time="$seconds" -seed="${SEED:-0}" -max_len=8192 -rss_limit_mb=2048 -timeout=120 \
        -print_final_stats=1 -artifact_prefix="artifacts/$name/" >"$log" 2>&1; then
        tail -n 40 "$log"
        echo "$name: failed; the input is in fuzz/artifacts/$name" >&2
        return 1
    fi
    printf '%-16s %s\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: */executions /p' "$log") in $seconds s"
    rm -f "$log"
}

if [[ ${1:-} == --one ]]; then
    one "$2" "$3"
    exit
fi
seconds=${1:-60}
shift || true
profile=${PROFILE:-release}
RUSTC_WRAPPER=$PWD/instrument.sh cargo build --quiet --bins --profile "$profile"
targets=("$@")
((${#targets[@]})) || mapfile -t targets < <(cd fuzz_targets && ls -- *.rs | sed 's/\.rs$//')
export BUILT=${CARGO_TARGET_DIR:-target}/${profile/#dev/debug}
printf '%s\0' "${targets[@]}" | xargs -0 -n 1 -P "${JOBS:-2}" ./run.sh --one "$seconds"
