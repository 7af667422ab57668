#!/usr/bin/env bash
# rustc, as cargo calls it through RUSTC_WRAPPER: with libFuzzer's counters in the crates that are fuzzed, and without them in
# those they depend on, which neither guide the fuzzer nor have to be built anew for it.
set -euo pipefail
flags=()
case " $* " in
    *" --crate-name logparser "* | *" --crate-name logparser_fuzz "*)
        flags=(-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
            -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
            -Cllvm-args=-sanitizer-coverage-trace-compares)
        ;;
esac
exec "$@" "${flags[@]}"
