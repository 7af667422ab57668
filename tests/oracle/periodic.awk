# An independent count of periodic windows, by awk: knows nothing of the pipeline.
# Variables: anchor, length_, period, lateness, future; seconds. Lines are well-formed or skipped.
# Several files: lateness is judged in each by itself. Prints "window START END TOTAL" in order, then
# "pair END FROM TO COUNT" for each pair of each window, sorted by the caller, and "late COUNT".
function floor_div(a, b,    q) { q = int(a / b); if (q * b > a) q--; return q }
FNR == 1 { seen = 0 }
NF == 3 && $1 ~ /^-?[0-9]+$/ {
    stamp = $1 + 0
    if (stamp > future) next
    k = floor_div(stamp - anchor - length_, period) + 1          # first window that ends after the stamp
    covered = anchor + k * period <= stamp
    late = seen && stamp < highest - lateness
    if (!seen || stamp > highest) { highest = stamp; seen = 1 }
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
        for (k = first; k <= last; k++) print "window", anchor + k * period, anchor + k * period + length_, total[k] + 0
        for (key in count) { split(key, part, " "); print "pair", anchor + part[1] * period + length_, part[2], part[3], count[key] }
    }
    print "late", late_count + 0
}
