#!/bin/bash
# Logs of real programs: starts nginx, Apache, HAProxy, Squid, sshd, rsyslog, tcpdump, softflowd and nfcapd on loopback, sends
# some hundred requests, ends everything, and leaves the logs.
#
#   tests/oracle/real/run.sh OUTDIR
#
# For a Debian machine of no worth otherwise (a container, CI), as root: it installs Debian's packages. It may be run again.
# It takes about a minute, 75 seconds at most, and before that what installing takes, four minutes at most. What a
# machine does not allow (capturing packets, a /dev/log of its own) is left out and said.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=${1:?an output folder is needed}
mkdir -p "$out"
if [ -z "${LOGS_BOUNDED:-}" ]; then
  timeout --kill-after=10 240 bash "$here/install.sh"
  LOGS_BOUNDED=1 exec timeout --kill-after=10 75 bash "$0" "$@"
fi
out=$(cd "$out" && pwd)
work=$(mktemp -d)
chmod 755 "$work"
mkdir "$work/root" "$work/logs" "$work/flows"
chmod 777 "$work/logs"
pids=()
export LC_ALL=C.UTF-8 TZ=${LOGS_TZ:-UTC}

# Ends a program that this shell started, if it still runs: its number may be another's by now.
end() {
  if jobs -pr | grep -qx "$1"; then kill -"${2:-TERM}" "$1" 2>/dev/null || true; fi
  wait "$1" 2>/dev/null || true
}

finish() {
  local pid
  for pid in "${pids[@]}"; do end "$pid"; done
  [ -L /dev/log ] && [ "$(readlink /dev/log)" = "$work/devlog" ] && rm -f /dev/log
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 143' TERM INT

left_out() { echo "run.sh: left out: $*" >&2; }

# A program that stays in the foreground, its messages in a file of its name.
start() {
  local name=$1
  shift
  "$@" >"$work/$name.out" 2>&1 &
  pids+=($!)
  last=$!
}

# Waits until something listens on a port of loopback.
listens() {
  local tries
  for tries in $(seq 50); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
    sleep 0.1
  done
  echo "run.sh: nothing listens on port $1" >&2
  tail -n 5 "$work"/*.out >&2
  return 1
}

configure() {
  local name ipv6='#6#'
  grep -qs ' lo$' /proc/net/if_inet6 || ipv6='^nothing$'
  for name in "$here"/conf/*; do
    sed -e "s|@WORK@|$work|g" -e "s/$ipv6//" "$name" >"$work/$(basename "$name")"
  done
  mkdir -p "$work/root/api" "$work/root/static"
  echo hello >"$work/root/index.html"
  echo '[]' >"$work/root/api/users"
  head -c 20000 /dev/zero >"$work/root/static/app.js"
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
  cat "$work/cert.pem" "$work/key.pem" >"$work/both.pem"
}

servers() {
  start rsyslog rsyslogd -n -f "$work/rsyslog.conf" -i "$work/rsyslog.pid"
  start sink python3 "$here/sink.py" 15141="$work/logs/haproxy-received.log" 15142="$work/logs/haproxy-rfc5424.log" 15143="$work/logs/haproxy-bare.log"
  sleep 0.7
  start nginx nginx -c "$work/nginx.conf" -p "$work" -e "$work/logs/nginx-error.log"
  start apache apache2 -X -f "$work/apache2.conf"
  start haproxy haproxy -W -db -f "$work/haproxy.cfg"
  start squid squid -N -f "$work/squid.conf"
  local port
  for port in 18080 18081 18082 18083 18085; do listens $port; done
}

capture() {
  capturing=
  start probe timeout 5 tcpdump -i lo -c 1 -w /dev/null "tcp port 18080"
  sleep 0.5
  curl -s -o /dev/null http://127.0.0.1:18080/probe || true
  if ! wait "$last"; then
    left_out "tcpdump, nfdump: packets can not be captured here"
    return 0
  fi
  start tcpdump tcpdump -i lo -U -w "$work/lo.pcap" "tcp portrange 18000-18999"
  capturing=$last
  start tcpdump-any tcpdump -i any -l -tt -nn "tcp portrange 18000-18999 or icmp"
  capturing_any=$last
  sleep 1
}

# Flows of what was captured: softflowd sends them to nfcapd, nfdump writes them as text.
flows() {
  local version
  for version in 5 9; do
    mkdir -p "$work/flows/$version"
    start nfcapd nfcapd -w "$work/flows/$version" -p 15995 -b 127.0.0.1
    local collector=$last
    sleep 1
    timeout 20 softflowd -r "$work/lo.pcap" -v $version -n 127.0.0.1:15995 >"$work/softflowd.out" 2>&1 || left_out "softflowd: version $version failed"
    sleep 1
    end "$collector"
    nfdump -R "$work/flows/$version" -o csv >"$out/nfdump-v$version.csv"
  done
  TZ=Europe/Berlin nfdump -R "$work/flows/9" -o csv >"$out/nfdump-berlin.csv"
  nfdump -R "$work/flows/9" -o csv 'host 203.0.113.1' >"$out/nfdump-empty.csv" || true
  nfdump -R "$work/flows/9" -a -o csv >"$out/nfdump-aggregated.csv"
  nfdump -R "$work/flows/9" -q -o csv >"$out/nfdump-quiet.csv"
}

logins() {
  if [ -e /dev/log ] && [ "$(readlink /dev/log)" != "$work/devlog" ]; then
    left_out "sshd: there is a /dev/log already"
    return 0
  fi
  ln -sfn "$work/devlog" /dev/log
  mkdir -p /run/sshd
  ssh-keygen -q -t ed25519 -N '' -f "$work/host_key"
  ssh-keygen -q -t ed25519 -N '' -f "$work/user_key"
  cp "$work/user_key.pub" "$work/authorized_keys"
  chmod 644 "$work/authorized_keys"
  printf '#!/bin/sh\necho wrong\n' >"$work/askpass"
  chmod 755 "$work/askpass"
  start sshd /usr/sbin/sshd -D -f "$work/sshd_config"
  listens 18022
  local options=(-p 18022 -F none -o StrictHostKeyChecking=no -o "UserKnownHostsFile=/dev/null" -o LogLevel=QUIET -o ConnectTimeout=5)
  local number
  for number in 1 2 3 4; do
    timeout 10 ssh "${options[@]}" -b 127.0.0.2$number -i "$work/user_key" root@127.0.0.1 true </dev/null || true
    SSH_ASKPASS="$work/askpass" SSH_ASKPASS_REQUIRE=force timeout 10 ssh "${options[@]}" -b 127.0.0.3$number -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 "root@127.0.0.1" true </dev/null || true
    SSH_ASKPASS="$work/askpass" SSH_ASKPASS_REQUIRE=force timeout 10 ssh "${options[@]}" -b 127.0.0.4$number -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 -l "x from 9.9.9.9 port 1" 127.0.0.1 true </dev/null || true
  done
  end "$last"
}

configure
servers
capture
python3 "$here/traffic.py"
logins
sleep 1
if [ -n "$capturing" ]; then
  end "$capturing" INT
  end "$capturing_any" INT
  tcpdump -r "$work/lo.pcap" -tt -nn >"$out/tcpdump.log" 2>/dev/null
  tcpdump -r "$work/lo.pcap" -tt -nn -v >"$out/tcpdump-v.log" 2>/dev/null
  tcpdump -r "$work/lo.pcap" -tt -nn -e -c 20 >"$out/tcpdump-e.log" 2>/dev/null
  tcpdump -r "$work/lo.pcap" -tttt -nn -c 20 >"$out/tcpdump-tttt.log" 2>/dev/null
  grep -v '^tcpdump:\|^listening on\|packets\? \(captured\|received\|dropped\)' "$work/tcpdump-any.out" >"$out/tcpdump-any.log" || true
  cp "$work/tcpdump-any.out" "$out/tcpdump-any-with-messages.log"
  flows
fi
for pid in "${pids[@]}"; do end "$pid"; done
pids=()
cp "$work"/logs/*.log "$out/"
cp "$work/haproxy.out" "$out/haproxy-stdout.log"
for name in iptables ufw nftables; do
  python3 "$here/../make_logs.py" iptables --variant $name --lines 500 --clean --output "$out/$name.log"
done
chmod a+r "$out"/*
wc -l "$out"/*
