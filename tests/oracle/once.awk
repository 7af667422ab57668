# An independent count of a one-shot window, by awk: knows nothing of the pipeline.
# Variables: start, end (both in), future (stamps beyond it are in the future), in the unit of the stamps; max_line.
# Prints "class NAME COUNT" for each class of lines, and "pair FROM TO COUNT" for each pair in the window, sorted
# by the caller.
BEGIN { FS = "[ \t]+" }
{
    lines++
    if (length($0) > max_line) { class["malformed"]++; next }
    line = $0
    sub(/\r$/, "", line)
    announced = line ~ /[ \t]$/
    gsub(/^[ \t]+|[ \t]+$/, "", line)
    if (line == "") { class["blank"]++; next }
    n = split(line, field, /[ \t]+/)
    if (field[1] !~ /^-?[0-9]+$/ || length(field[1]) > 18) { class["malformed"]++; next }
    stamp = field[1] + 0
    if (stamp > future) { class["future"]++; next }
    if (stamp < start || stamp > end) { class["out_of_window"]++; next }
    if (n != 3) { class["malformed"]++; next }
    class["counted"]++
    pair[field[2] " " field[3]]++
}
END {
    print "class lines_read", lines + 0
    print "class counted", class["counted"] + 0
    print "class out_of_window", class["out_of_window"] + 0
    print "class future", class["future"] + 0
    print "class malformed", class["malformed"] + 0
    print "class blank", class["blank"] + 0
    for (p in pair) print "pair", p, pair[p]
}
