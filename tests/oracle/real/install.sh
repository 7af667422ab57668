#!/bin/bash
# Installs Debian's packages for run.sh, as far as they are not there, without starting any service.
set -euo pipefail

packages=(nginx-light apache2-bin haproxy squid tcpdump nfdump softflowd openssh-server openssh-client rsyslog curl python3 openssl)
missing=()
for name in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
done
[ ${#missing[@]} -eq 0 ] && exit 0

policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod 755 $policy
fi
export DEBIAN_FRONTEND=noninteractive
messages=$(mktemp)
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$messages" 2>&1; then
  tail -n 20 "$messages" >&2
  rm -f "$messages"
  exit 1
fi
rm -f "$messages"
