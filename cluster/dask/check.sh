#!/usr/bin/env bash
# All checks of the Python side, in a virtual environment of its own. With LOGPARSER_BIN the tests use that program,
# and without it its stand-in.
set -euo pipefail
cd "$(dirname "$0")"

venv=${LOGPARSER_VENV:-.venv}
[[ -x $venv/bin/python ]] || "${PYTHON:-python3}" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[test]'

"$venv/bin/ruff" format --check .
"$venv/bin/ruff" check .
"$venv/bin/mypy" --strict
"$venv/bin/pytest" --quiet "$@"
