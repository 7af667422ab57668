# An independent count of periodic windows, by awk: knows nothing of the pipeline.
# Variables: anchor, length_, period, lateness, future, max_jump; seconds. And max_gap; windows. Lines are well-formed or
# skipped. Several files: lateness is judged in each by itself. Prints "window START END TOTAL" in order, with "0 WINDOWS"
# as the total of a run of more than max_gap windows that hold nothing; then "pair END FROM TO COUNT" for each pair of
# each window, sorted by the caller, "late COUNT", and "ahead COUNT" for stamps that moved no time in their file.
function floor_div(a, b,    q) { q = int(a / b); if (q * b > a) q--; return q }
# All stamps of a file are kept, highest first.
function note(stamp,    i) {
    for (i = ++seen; i > 1 && stamps[i - 1] < stamp; i--) stamps[i] = stamps[i - 1]
    stamps[i] = stamp
}
# Where time stands: at the eighth highest stamp, or as far above it as steps of max_jump lead; nowhere before there are
# eight. Without max_jump at the highest.
function told(    i) {
    if (!max_jump) return 1
    for (i = 8; i > 1 && stamps[i - 1] - stamps[i] <= max_jump; i--);
    return i
}
function known() { return max_jump ? seen >= 8 : seen > 0 }
FNR == 1 { if (known()) ahead += told() - 1; seen = 0 }
NF == 3 && $1 ~ /^-?[0-9]+$/ {
    stamp = $1 + 0
    if (stamp > future) next
    k = floor_div(stamp - anchor - length_, period) + 1          # first window that ends after the stamp
    covered = anchor + k * period <= stamp
    late = known() && stamp < stamps[told()] - lateness
    note(stamp)
    if (!covered) next
    if (late) { late_count++; next }
    n++
    time[n] = stamp
    pair[n] = $2 " " $3
    if (n == 1 || stamp < low) low = stamp
    if (n == 1 || stamp > high) high = stamp
}
END {
    if (n > 0) {
        first = floor_div(low - anchor - length_, period) + 1
        last = floor_div(high - anchor - length_, period) + 1
        for (i = 1; i <= n; i++) {
            k = floor_div(time[i] - anchor - length_, period) + 1
            for (; k <= last && anchor + k * period <= time[i]; k++) {
                if (k < first) continue
                total[k]++
                count[k " " pair[i]]++
            }
        }
        for (k = first; k <= last; k = until) {
            for (until = k; max_gap && until <= last && !total[until]; until++);
            if (until - k > max_gap) {
                print "window", anchor + k * period, anchor + (until - 1) * period + length_, 0, until - k
                continue
            }
            until = k + 1
            print "window", anchor + k * period, anchor + k * period + length_, total[k] + 0
        }
        for (key in count) { split(key, part, " "); print "pair", anchor + part[1] * period + length_, part[2], part[3], count[key] }
    }
    if (known()) ahead += told() - 1
    print "late", late_count + 0
    print "ahead", ahead + 0
}
