"""Makers of logs by the name of the preset, each with the variants that it knows; the first is made unless one is asked for."""

from . import flows, generic, hosts, requests

WEB = ("nginx", "apache", "vhost", "vhost-port")
MAKERS = {
    "plain": (generic.plain, ("any",)),
    "zeek-conn": (flows.zeek, ("tsv", "rotated", "json", "json-iso")),
    "vpc-flow": (flows.amazon, ("header", "v2", "v3", "v5", "cloudwatch")),
    "suricata-flow": (flows.suricata, ("eve",)),
    "combined": (requests.combined, WEB),
    "common": (requests.common, WEB),
    "haproxy": (requests.haproxy, ("syslog-http", "syslog-tcp", "syslog-https", "http", "tcp", "https")),
    "iptables": (hosts.iptables, ("iptables", "ufw", "nftables")),
    "sshd": (hosts.sshd, ("plain", "iso", "priority", "5424")),
    "squid": (requests.squid, ("native",)),
    "envoy": (
        requests.envoy,
        ("json", "cri-json", "docker-json", "text", "cri-text", "istio", "cri-istio", "docker-istio"),
    ),
    "gcp-vpc-flow": (flows.google, ("entries",)),
    "hubble": (flows.hubble, ("wrapped", "bare")),
    "nfdump-csv": (flows.nfdump, ("1.7.1", "later", "fast")),
    "silk": (flows.silk, ("padded", "epoch", "narrow")),
    "tcpdump": (flows.tcpdump, ("lo", "any")),
    "csv": (generic.csv, ("comma", "semicolon", "tab", "pipe")),
    "jsonl": (generic.jsonl, ("flat", "nested")),
    "logfmt": (generic.logfmt, ("any",)),
}

# Where the last line is cut so that it is malformed, by the name of the preset: a number of characters. Others: a third.
CUTS = {"logfmt": 1, "tcpdump": 12}
# Behind these lines a cut in the middle can not be told from a message of another kind.
UNCUT = ("sshd", "iptables", "haproxy")
