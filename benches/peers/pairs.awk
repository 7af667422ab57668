# The question in awk. Variables: first, last, host_from, host_to. Lists come in any order.
$1 >= first && $1 <= last { pair[$2 " " $3]++ }
END {
    for (key in pair) {
        split(key, host, " ")
        server[host[2]] += pair[key]
        if (host[2] == host_to) to = to " " host[1]
        if (host[1] == host_from) from = from " " host[2]
    }
    for (name in server) if (server[name] > most || (server[name] == most && name < best)) { most = server[name]; best = name }
    print "top", best, most
    print "to" to
    print "from" from
}
