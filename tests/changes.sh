#!/usr/bin/env bash
# Tries the changes that CONTRIBUTING.md shows: applies all of docs/diffs to a copy of the sources, and runs the unit tests
# of what they touch. Only this crate is built once more, since the target folder is the usual one.
set -euo pipefail
cd "$(dirname "$0")/.."

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z | xargs -0 cp --parents -t "$copy"
for change in docs/diffs/*.diff; do
    echo "$change"
    (cd "$copy" && GIT_CEILING_DIRECTORIES=$copy git apply "$OLDPWD/$change")
done
cargo fmt --manifest-path "$copy/Cargo.toml" --check
cargo test --locked --manifest-path "$copy/Cargo.toml" --target-dir "${CARGO_TARGET_DIR:-$PWD/target}" --lib -- \
    report:: format:: output:: source::places:: config:: options::
