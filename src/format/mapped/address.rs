//! Addresses as logs write them: alone, in brackets, with a port behind them.
//!
//! Not here: what is asked of an address, or made of it. Invariant: an address of IPv4 within IPv6, as
//! `::ffff:10.0.0.1`, is that of IPv4, in values and in networks.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net};

/// The address that a text is, with or without a port.
pub fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let with_port = || Some(text.parse::<SocketAddr>().ok()?.ip());
    let in_brackets = || Some(text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?.into());
    let address: Option<IpAddr> = text.parse().ok().or_else(with_port).or_else(in_brackets);
    Some(address?.to_canonical())
}

/// The network that a text is; an address is one of its own.
pub fn network(text: &str) -> Option<IpNet> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    let network = address.or_else(|_| text.parse::<IpNet>()).ok()?;
    let IpNet::V6(six) = network else { return Some(network) };
    // Bits of its prefix beyond those that say that it is of IPv4.
    let four = six.addr().to_ipv4_mapped().zip(six.prefix_len().checked_sub(96));
    match four {
        Some((address, bits)) => Ipv4Net::new(address, bits).ok().map(IpNet::V4),
        None => Some(network),
    }
}

/// A host and its port, if it has one. More than one colon without brackets is an address of IPv6.
pub fn host_and_port(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let is_port = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if text.first() == Some(&b'[') {
        let Some(end) = memchr::memchr(b']', text) else { return (text, None) };
        let port = text[end + 1..].strip_prefix(b":").filter(|port| is_port(port));
        return if port.is_some() || end + 1 == text.len() { (&text[1..end], port) } else { (text, None) };
    }
    match memchr::memchr(b':', text) {
        Some(at) if is_port(&text[at + 1..]) => (&text[..at], Some(&text[at + 1..])),
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    /// Addresses near each other, of IPv4 in IPv6 among them.
    fn any_address() -> impl Strategy<Value = IpAddr> {
        let near = prop_oneof![any::<u32>(), 0x0a00_0000u32..0x0a00_0400];
        let four = near.prop_map(Ipv4Addr::from);
        let six = prop_oneof![any::<u128>(), (0u128..1 << 20).prop_map(|low| 0x2001_0db8 << 96 | low), 0u128..9];
        prop_oneof![
            four.clone().prop_map(IpAddr::V4),
            four.prop_map(|four| IpAddr::V6(four.to_ipv6_mapped())),
            six.prop_map(|six| IpAddr::V6(six.into())),
        ]
    }

    /// Whether it is of IPv4, and its bits, from the highest.
    fn bits(address: IpAddr) -> (bool, Vec<bool>) {
        let octets = match address {
            IpAddr::V4(four) => four.octets().to_vec(),
            IpAddr::V6(six) => six.octets().to_vec(),
        };
        let all: Vec<bool> =
            octets.iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1 == 1)).collect();
        let is_within = all.len() == 128 && octets[..12] == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
        if is_within { (true, all[96..].to_vec()) } else { (all.len() == 32, all) }
    }

    proptest! {
        #[test]
        fn addresses_are_in_the_networks_that_std_says(
            (one, other) in (any_address(), any_address()),
            is_near: bool,
            prefix in 0u8..=128,
            port in proptest::option::of(any::<u16>()),
        ) {
            let base = if is_near { one } else { other };
            let prefix = if base.is_ipv4() { prefix % 33 } else { prefix };
            let text = match port {
                Some(port) => SocketAddr::new(one, port).to_string(),
                None => one.to_string(),
            };
            let ((is_four, address_bits), (base_is_four, base_bits)) = (bits(one), bits(base));
            // Of a network that reaches beyond those addresses of IPv6 that are of IPv4.
            let reaches_beyond = base.is_ipv6() && base_is_four && prefix < 96;
            let expected = match (reaches_beyond, base.is_ipv6() && base_is_four) {
                (true, _) => None,
                (false, is_mapped) => {
                    let prefix = usize::from(prefix) - if is_mapped { 96 } else { 0 };
                    Some(is_four == base_is_four && address_bits[..prefix] == base_bits[..prefix])
                }
            };
            let found = network(&format!("{base}/{prefix}")).unwrap();
            let address = address(text.as_bytes()).unwrap();
            if let Some(expected) = expected {
                prop_assert_eq!(found.contains(&address), expected, "{} in {}/{}", text, base, prefix);
            }
            prop_assert!(network(&base.to_string()).unwrap().contains(&base.to_canonical()));
        }

        #[test]
        fn what_is_no_address_has_none(text in "[0-9a-f.:\\[\\]x]{0,14}") {
            let by_std = text.parse::<IpAddr>().is_ok() || text.parse::<SocketAddr>().is_ok();
            let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
            let by_std = by_std || inner.is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok());
            prop_assert_eq!(address(text.as_bytes()).is_some(), by_std, "{}", text);
        }
    }
}
