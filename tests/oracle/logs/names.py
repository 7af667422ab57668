"""Well-known names of fields, for tables, JSON and logfmt of any origin. The first in a list that is there counts."""

TIME = (
    "timestamp @timestamp time ts datetime date_time event_time end_time endtime end last_seen start_time starttime start "
    "first_seen date _time"
).split()
FROM = (
    "from src_ip srcip source_ip source.ip src_addr srcaddr saddr source_address source.address client_ip clientip client.ip "
    "client_addr remote_ip remote_addr id.orig_h src client src_host source_host source"
).split()
TO = (
    "to dst_ip dstip dest_ip destip destination_ip destination.ip dst_addr dstaddr daddr dest_addr destination_address "
    "destination.address server_ip serverip server.ip server_addr id.resp_h dst dest destination server dst_host dest_host "
    "destination_host"
).split()
SUMS = {"bytes": ["bytes", "total_bytes", "bytes_total"], "packets": ["packets", "pkts", "total_packets"]}
