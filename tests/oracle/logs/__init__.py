"""Formats of logs by the name of their preset, each with the reader that says what is taken from it."""

from . import lines, objects, tables

FORMATS = {
    "plain": tables.Plain,
    "zeek-conn": tables.Zeek,
    "vpc-flow": tables.AmazonFlow,
    "suricata-flow": objects.Suricata,
    "combined": lines.Web,
    "common": lines.Web,
    "haproxy": lines.HaProxy,
    "iptables": lines.Iptables,
    "sshd": lines.Sshd,
    "squid": lines.Squid,
    "envoy": lines.Envoy,
    "gcp-vpc-flow": objects.GoogleFlow,
    "hubble": objects.Hubble,
    "nfdump-csv": tables.Nfdump,
    "silk": tables.Silk,
    "tcpdump": lines.Tcpdump,
    "csv": tables.Csv,
    "jsonl": objects.Lines,
    "logfmt": lines.Logfmt,
}
