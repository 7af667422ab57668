#!/usr/bin/env bash
# Instructions that a line takes, from reading it to its count, by valgrind: eight shapes of log, each outside the window and
# inside. Clocks lie on a machine that is shared; these figures are the same on every run, to one in a thousand.
#
#   benches/instructions.sh [PROGRAM ...]       prints the figures of each build, to compare them
#   benches/instructions.sh --check [PROGRAM]   holds them against benches/instructions.txt; exit code 1 if one is slower
#   benches/instructions.sh --update [PROGRAM]  writes them there
#
# PROGRAM is target/release/logparser if it is not given. It takes about two minutes.
#
# Each shape is counted at two lengths of the same log: what the longer one takes more is its lines alone. What a run takes
# beside them, to begin, with the first batch and to end, is a figure of its own.
#
# Tables are hashed by keys that are drawn anew in each run, and hosts that fall on one slot cost more: up to 2 percent, by
# luck. So the draws are given here, and what is inside the window is the mean of three of them.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

figures=${LOGPARSER_FIGURES:-benches/instructions.txt}
shapes=(plain qualified many milliseconds crlf zeek json web)
short=100000
long=200000
draws=(1 2 3)
# Percent that a figure may be off, of a line and of the start.
room=3
room_of_start=10

task=print
case ${1-} in
--check | --update) task=${1#--} && shift ;;
esac
(($#)) || set -- target/release/logparser
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# What else the figures depend on: the compiler, the counter, and libraries that choose their code by the processor.
tools() {
    local avx2=without
    ! grep -qw avx2 /proc/cpuinfo || avx2=with
    echo "$(rustc --version | cut -d' ' -f1,2), $(valgrind --version), $(getconf GNU_LIBC_VERSION), $(uname -m) $avx2 AVX2"
}

# The lines of a shape, the same bytes on every machine.
lines_of() { # PROGRAM SHAPE
    local options=()
    case $2 in
    many) options=(--hosts 100000 --servers 10000) ;;
    milliseconds) options=(--unit ms) ;;
    esac
    "$1" make - --lines "$long" --end 1700000000 --quiet "${options[@]}" | case $2 in
    qualified) sed -E 's/ (.+) (.+)/ \1.dc1.prod.example.net \2.dc1.prod.example.net/' ;;
    many) sed -E 's/ (.+) (.+)/ \1.a1.example.net \2.a1.example.net/' ;;
    crlf) sed 's/ /\t/g; s/$/\r/' ;;
    *) cat ;;
    esac
}

# The same lines as another program writes them, with its header.
written_as() { # SHAPE
    case $1 in
    zeek) sed -E '1i #separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state
s/(.+) (.+) (.+)/\1.123456\tCHhAvVGS1DHFjwGM9\t\2\t52130\t\3\t443\ttcp\tssl\t0.004173\t812\t4096\tSF/' ;;
    json) sed -E 's/(.+) (.+) (.+)/{"time":\1.25,"id":"c0a57af35b9b81635","client":{"ip":"\2","port":52130},"server":{"ip":"\3","port":443},"bytes":4096}/' ;;
    web) awk '{ if ($1 != at) { at = $1; when = strftime("%d/%b/%Y:%H:%M:%S +0000", at, 1) }
        print $2 " - - [" when "] \"GET /" $3 "/items?id=1 HTTP/1.1\" 200 4096 \"-\" \"curl/8.4.0\"" }' ;;
    *) cat ;;
    esac
}

# How the lines of a shape are read.
format_of() { # SHAPE
    case $1 in
    zeek) echo --format zeek-conn ;;
    json) echo --format jsonl --time time --from client.ip --to server.ip ;;
    web) echo --format combined ;;
    esac
}

# A window that holds nothing is looked at once more, so each log ends with a record that only the later window holds.
logs_of() { # PROGRAM SHAPE
    local log=$folder/$2 last="1999990001 a b"
    lines_of "$1" "$2" >"$log.lines"
    { cat "$log.lines" && echo "$last"; } | written_as "$2" >"$log.long"
    { head -n "$short" "$log.lines" && echo "$last"; } | written_as "$2" >"$log.short"
    rm "$log.lines"
}

# Chance as a library that stands before the system's, for each draw.
chance() {
    local draw
    cat >"$folder/chance.c" <<'END'
#include <sys/types.h>
ssize_t getrandom(void *into, size_t length, unsigned flags) {
    static unsigned long long state = DRAW;
    (void)flags;
    for (size_t at = 0; at < length; at++) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        ((unsigned char *)into)[at] = (unsigned char)(state >> 56);
    }
    return (ssize_t)length;
}
END
    for draw in "${draws[@]}"; do
        cc -O1 -shared -fPIC -DDRAW="$draw" -o "$folder/chance-$draw.so" "$folder/chance.c"
    done
}

# Instructions of one run. Whatever else it did than count so many lines, they would be of something else.
count() { # PROGRAM LOG DRAW FIRST LAST COUNTED
    local run=$2.$3.$6 format
    read -ra format <<<"$(format_of "$(basename "${2%.*}")")"
    LD_PRELOAD=$folder/chance-$3.so valgrind --tool=callgrind --callgrind-out-file=/dev/null "$1" top "$2" \
        --since "$4" --until "$5" --now 2000000000 --threads 1 --scan full --quiet --output json "${format[@]}" >"$run" 2>"$run.told" &&
        grep -q "\"counted\":$6[,}]" "$run" || { cat "$run.told" "$run" >&2 && return 1; }
    sed -n "s/.*Collected : /${2##*.} /p" "$run.told"
}

# The mean over draws of instructions a line, and of those that a run takes beside its lines, in millions.
slope() { # PROGRAM SHAPE FIRST LAST COUNTED-OF-SHORT COUNTED-OF-LONG DRAW...
    local program=$1 log=$folder/$2 window=("$3" "$4") short_counted=$5 long_counted=$6 draw running=()
    shift 6
    for draw; do
        {
            count "$program" "$log.short" "$draw" "${window[@]}" "$short_counted"
            count "$program" "$log.long" "$draw" "${window[@]}" "$long_counted"
        } >"$log.counts-$draw" &
        running+=($!)
    done
    for draw in "${running[@]}"; do wait "$draw"; done
    cat "$log".counts-* | awk -v short="$short" -v long="$long" '
        { sum[$1] += $2; runs[$1]++ }
        END {
            line = (sum["long"] / runs["long"] - sum["short"] / runs["short"]) / (long - short)
            print line, (sum["short"] / runs["short"] - short * line) / 1e6
        }'
    rm "$log".counts-*
}

# A line for each shape: its name, instructions a line outside and inside, and the start.
measure() { # PROGRAM
    local shape outside inside
    for shape in "${shapes[@]}"; do
        [[ -e $folder/$shape.long ]] || logs_of "$1" "$shape"
        # Nothing is looked up there.
        outside=$(slope "$1" "$shape" 1999990000 1999999999 1 1 "${draws[0]}")
        inside=$(slope "$1" "$shape" 1600000000 1700000001 "$short" "$long" "${draws[@]}")
        # shellcheck disable=SC2086
        printf '%-14s %8.1f %8.1f %8.1f\n' "$shape" "${outside% *}" $inside
    done
}

header() { printf '%-14s %8s %8s %8s\n' "$1" outside inside start; }

print() {
    local program
    for program; do
        echo "$program"
        header shape
        measure "$program"
    done
}

update() {
    measure "$1" >"$folder/figures"
    {
        sed -n '/^# Taken with/q; p' "$figures"
        echo "# Taken with $(tools)."
        header "# shape"
        cat "$folder/figures"
    } >"$folder/updated"
    cp "$folder/updated" "$figures"
    cat "$figures"
}

check() {
    measure "$1" >"$folder/figures"
    awk -v room="$room" -v room_of_start="$room_of_start" -v now="$(tools)" '
        BEGIN { split("outside inside start", column) }
        /^# Taken with / { with = substr($0, 14, length($0) - 14) }
        /^#/ || NF != 4 { next }
        NR == FNR { shapes++; for (at = 1; at <= 3; at++) figure[$1, at] = $(at + 1); next }
        {
            measured++
            for (at = 1; at <= 3; at++) {
                was = figure[$1, at] + 0
                change = was > 0 ? ($(at + 1) / was - 1) * 100 : 999
                may = at == 3 ? room_of_start : room
                word = change > may ? "SLOWER" : change < -may ? "FASTER" : ""
                slower += word == "SLOWER"; faster += word == "FASTER"
                printf "%-14s %-8s %8.1f -> %8.1f %+7.1f %%  %s\n", $1, column[at], was, $(at + 1), change, word
            }
        }
        END {
            if (shapes != measured) { print "the file has other shapes"; slower++ }
            if ((slower || faster) && with != now) print "The figures were taken with " with "; this is " now "."
            if (slower) print "Slower than benches/instructions.txt allows: see where, and mend it."
            if (faster) print "Faster than benches/instructions.txt: take the new figures over, so that none is lost unseen."
            if (slower || faster) print "benches/instructions.sh --update takes them over, in the commit that brings them."
            exit slower > 0
        }' "$figures" "$folder/figures"
}

chance
"$task" "$@"
