#!/usr/bin/env python3
"""Holds logparser against the oracle on logs that `make_logs.py` writes: the same pairs with the same counts and sums, the
same sheet, and as many records without a number. Ends with 1 if anything differs, and says what.

    compare.py LOGPARSER [--lines N] [--seed S] [--only FORMAT[/VARIANT]] [--chunk BYTES] [OPTION ...]

Further options go to logparser: `--threads 3`.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent

# Variants that logparser does not read, or reads otherwise, and why.
LEFT_OUT = {
    "envoy/text": "Envoy's default text has no address of the client",
    "envoy/cri-text": "the same",
    "vpc-flow/cloudwatch": "CloudWatch's copies have one more column in front",
    "gcp-vpc-flow/entries": "the oracle leaves out all that only the destination reports, also from outside",
    "csv/semicolon": "another separator than a comma has to be said",
    "csv/pipe": "the same",
}


# Sums of the oracle that presets do not bring, and why.
NOT_SUMMED = {"tcpdump": "the length of a first packet's payload is 0"}


def variants():
    """All formats with their variants."""
    listed = subprocess.run([sys.executable, HERE / "make_logs.py", "--list"], capture_output=True, text=True, check=True)
    for line in listed.stdout.splitlines():
        name, *kinds = line.split()
        yield from ((name, kind) for kind in kinds)


def ours(args, log, sums):
    """Pairs with counts and sums, the sheet, and what is missing, as logparser counts them, and what it says."""
    settings = pathlib.Path(log + ".toml")
    settings.write_text(f"location = '{log}'\nchunk = {args.chunk}\n", encoding="utf-8")
    command = [args.program, "run", str(settings), "-r", "top-pairs", "--limit", "10000000", "--output", "json", "--scan",
               "full", *(part for name in sums for part in ("--sum", name)), "--since", "1971-01-01", "--until", "2200-01-01", "--now", "2200-01-01", *args.options]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode not in (0, 1) or not run.stdout:
        return None, None, None, run.stderr
    result = json.loads(run.stdout)
    pairs = {(row[0], row[1]): tuple(row[2:]) for row in result["reports"][0]["rows"]}
    missing = {measure["name"]: measure["missing"] for measure in result.get("measures", [])}
    totals = {measure["name"]: measure["sum"] for measure in result.get("measures", [])}
    for at, name in enumerate(sums, 1):
        assert totals[name] == sum(numbers[at] for numbers in pairs.values()), f"the total of {name}"
    return pairs, result["balance"], missing, run.stderr


def theirs(name, log):
    """The same by the oracle, with the names of the sums."""
    run = subprocess.run([sys.executable, HERE / "oracle.py", name, log], capture_output=True, text=True, check=True)
    result = json.loads(run.stdout)
    sums = sorted({sum_name for pair in result["pairs"] for sum_name in pair["sums"]}) if name not in NOT_SUMMED else []
    pairs = {
        (pair["from"], pair["to"]): (pair["connections"], *(pair["sums"].get(sum_name, 0) for sum_name in sums))
        for pair in result["pairs"]
    }
    return pairs, result["sheet"], {sum_name: result["missing"].get(sum_name, 0) for sum_name in sums}


def differences(name, kind, args, folder):
    """What differs for a variant, a line each."""
    log = str(folder / f"{name}-{kind}.log")
    make = [sys.executable, HERE / "make_logs.py", name, "--variant", kind, "--lines", str(args.lines), "--seed",
            str(args.seed), "--output", log]
    subprocess.run(make, check=True, capture_output=True)
    expected, their_sheet, their_missing = theirs(name, log)
    pairs, sheet, missing, said = ours(args, log, list(their_missing))
    if pairs is None:
        yield f"not read: {said.strip()[:300]}"
        return
    if missing != their_missing:
        yield f"records without a number: {missing} and {their_missing}"
    for ours_key, their_key in [("counted", "counted"), ("filtered", "filtered"), ("other", "other"), ("malformed", "malformed")]:
        mine, others = sheet.get(ours_key, 0), their_sheet[their_key]
        if mine != others:
            yield f"{ours_key}: {mine} and {others}"
    different = [pair for pair in pairs.keys() | expected.keys() if pairs.get(pair) != expected.get(pair)]
    for pair in sorted(different)[:5]:
        yield f"{pair}: {pairs.get(pair)} and {expected.get(pair)}"


def main():
    """Compares all variants that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--lines", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--chunk", type=int, default=512 << 10)
    args, args.options = parser.parse_known_args()
    failed = tried = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, kind in variants():
            if args.only and args.only not in (name, f"{name}/{kind}") or f"{name}/{kind}" in LEFT_OUT:
                continue
            tried += 1
            found = list(differences(name, kind, args, pathlib.Path(folder)))
            failed += bool(found)
            for line in found:
                print(f"{name}/{kind}: {line}")
    print(f"{tried - failed} passed, {failed} failed")
    return 1 if failed or not tried else 0


if __name__ == "__main__":
    sys.exit(main())
