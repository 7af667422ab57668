//! What a server's name says of the service that is connected to: `10.0.0.1:443/tcp`.
//!
//! Not here: how names are put together, which is up to whoever writes `to`. Invariant: what is
//! taken for a port has digits alone, and no part of an address is taken for one.

/// What stands for names that have no port. No service is called so, as they begin with a digit; nor
/// does any output take it for something else, as one does a dash.
pub(super) const NONE: &[u8] = b"no-port";

/// A name without its service, and the service: its port with the protocol, if there is one. An
/// address of IPv6 has a port behind its brackets; without brackets only where a protocol in letters
/// follows, since all else may be the address itself, or a network.
pub(super) fn parts(name: &[u8]) -> (&[u8], Option<&[u8]>) {
    let whole = (bare(name), None);
    let Some(colon) = name.iter().rposition(|byte| *byte == b':') else { return whole };
    let (host, service) = (&name[..colon], &name[colon + 1..]);
    let (port, protocol) = match service.iter().position(|byte| *byte == b'/') {
        Some(slash) => (&service[..slash], Some(&service[slash + 1..])),
        None => (service, None),
    };
    let is_port = !port.is_empty() && port.len() <= 5 && port.iter().all(u8::is_ascii_digit);
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(byte);
    let is_protocol = protocol.is_none_or(|protocol| !protocol.is_empty() && protocol.iter().all(is_part));
    let is_host = match host.strip_prefix(b"[") {
        Some(address) => address.strip_suffix(b"]").is_some_and(|address| !address.contains(&b']')),
        None => {
            let in_letters = protocol.and_then(|protocol| protocol.first()).is_some_and(u8::is_ascii_alphabetic);
            !host.contains(&b':') || in_letters
        }
    };
    if is_port && is_protocol && is_host { (bare(host), Some(service)) } else { whole }
}

/// An address without the brackets around it.
fn bare(host: &[u8]) -> &[u8] {
    host.strip_prefix(b"[").and_then(|address| address.strip_suffix(b"]")).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_a_port_and_nothing_else_is() {
        for (name, host, service) in [
            ("10.0.0.1:443/tcp", "10.0.0.1", Some("443/tcp")),
            ("[2001:db8::1]:53/udp", "2001:db8::1", Some("53/udp")),
            ("host:22", "host", Some("22")),
            ("10.0.0.1:443/6", "10.0.0.1", Some("443/6")),
            ("10.0.0.1:0/icmp", "10.0.0.1", Some("0/icmp")),
            ("host:53/ipv6-icmp", "host", Some("53/ipv6-icmp")),
            ("2001:db8::1:443/tcp", "2001:db8::1", Some("443/tcp")),
            (":443/tcp", "", Some("443/tcp")),
            ("[::1]", "::1", None),
            ("[::1]:", "[::1]:", None),
            ("[::1]x:22", "[::1]x:22", None),
            ("[a]b]:22", "[a]b]:22", None),
            ("::1", "::1", None),
            ("2001:db8::1:443", "2001:db8::1:443", None),
            ("2001:db8::1:443/128", "2001:db8::1:443/128", None),
            ("2001:db8::/32", "2001:db8::/32", None),
            ("10.0.0.0/8", "10.0.0.0/8", None),
            ("host", "host", None),
            ("host:http", "host:http", None),
            ("host:", "host:", None),
            ("host:/tcp", "host:/tcp", None),
            ("host:22/", "host:22/", None),
            ("host:22/tcp/x", "host:22/tcp/x", None),
            ("host:22/t p", "host:22/t p", None),
            ("host:123456", "host:123456", None),
            ("", "", None),
            (":", ":", None),
        ] {
            let found = parts(name.as_bytes());
            assert_eq!(found, (host.as_bytes(), service.map(str::as_bytes)), "{name}");
        }
    }
}
