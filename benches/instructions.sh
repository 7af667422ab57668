#!/bin/sh
# Instructions that a line takes, by valgrind, from reading it to its class: outside the window, inside, and in the last
# hour of a day. The figures are the same on every run; compare those of two builds.
#
#     benches/instructions.sh [LOGPARSER ...]
#
# Needs valgrind. Takes a minute a build.
set -eu
[ $# -gt 0 ] || set -- target/release/logparser
lines=1000000
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" make "$folder/s.log" --lines $lines --end 1700000000 2>/dev/null
# A window that holds nothing is looked at once more: one record is in each.
echo "1999990001 a b" >>"$folder/s.log"
# The same in milliseconds, and with decimals.
sed 's/ /000 /' "$folder/s.log" >"$folder/ms.log"
sed 's/ /.250000 /' "$folder/s.log" >"$folder/decimals.log"

for program; do
    for log in s ms decimals; do
        for window in "outside 1999990000 1999999999" "inside 1600000000 1700000001" "last-hour 1699996400 1700000000"; do
            # shellcheck disable=SC2086
            set -- $window
            total=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" top "$folder/$log.log" --since "$2" \
                --until "$3" --now 2000000000 --threads 1 --scan full --quiet 2>&1 >/dev/null |
                sed -n 's/.*Collected : //p')
            echo "$program $log $1: $((total / lines)) instructions a line"
        done
    done
done
