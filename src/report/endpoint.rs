//! What of a host's text is an address, and which texts mean the same one: `[2001:DB8::1]:53/udp` is
//! `2001:db8::1` with a service behind it.
//!
//! Not here: what a service is (`service`), and names of addresses (`hosts`). Invariant: no part of
//! a network, and nothing that is longer than an address, is taken for one.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::service::parts;
use crate::error::Result;
use crate::tally::{Aggregates, Side};

/// An address, however it is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostAddress {
    ip: IpAddr,
    /// The link of an address of IPv6 that is of one alone, as `eth0` in `fe80::1%eth0`; mostly empty.
    zone: Box<str>,
}

impl HostAddress {
    /// The address that a text is, if it is nothing else.
    pub fn read(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        if let Ok(ip) = text.parse() {
            return Some(HostAddress { ip, zone: Box::default() });
        }
        let (ip, zone) = text.split_once('%').filter(|(_, zone)| !zone.is_empty())?;
        Some(HostAddress { ip: IpAddr::V6(ip.parse::<Ipv6Addr>().ok()?), zone: zone.into() })
    }
}

impl fmt::Display for HostAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let link = if self.zone.is_empty() { "" } else { "%" };
        write!(f, "{}{link}{}", self.ip, self.zone)
    }
}

/// A host's text that is an address, perhaps with a service behind it.
pub(super) struct Endpoint<'a> {
    pub address: HostAddress,
    /// The address as it stands there, without brackets.
    pub bare: &'a [u8],
    /// The same with them, if it has some.
    pub written: &'a [u8],
    pub service: Option<&'a [u8]>,
}

impl<'a> Endpoint<'a> {
    /// Of a host's text, if it is one.
    pub fn of(text: &'a [u8]) -> Option<Self> {
        let (bare, service) = parts(text);
        let address = HostAddress::read(bare)?;
        let written = &text[..text.len() - service.map_or(0, |service| service.len() + 1)];
        // Only those of IPv6 stand in brackets.
        let is_one = address.ip.is_ipv6() || written.len() == bare.len();
        is_one.then_some(Endpoint { address, bare, written, service })
    }
}

/// What is asked about: an address, with a service or none, however logs write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeantHost {
    address: HostAddress,
    service: Option<Vec<u8>>,
}

impl MeantHost {
    pub(super) fn new(address: HostAddress, service: Option<&[u8]>) -> Self {
        MeantHost { address, service: service.map(<[u8]>::to_vec) }
    }

    /// Its text, as most programs write it.
    pub fn text(&self) -> Vec<u8> {
        match (&self.service, self.address.ip) {
            (None, _) => self.address.to_string().into_bytes(),
            (Some(service), IpAddr::V4(ip)) => [format!("{ip}:").as_bytes(), service].concat(),
            (Some(service), IpAddr::V6(_)) => [format!("[{}]:", self.address).as_bytes(), service].concat(),
        }
    }

    /// All texts of a window that mean it, in their order; its own where there is none.
    pub fn texts(&self, view: &Aggregates) -> Result<Vec<Vec<u8>>> {
        // There is no other way to write one of IPv4.
        if self.address.ip.is_ipv4() {
            return Ok(vec![self.text()]);
        }
        let mut texts = vec![];
        let mut look = |host: &[u8]| {
            if self.is_meant_by(host) && !texts.iter().any(|known| known == host) {
                texts.push(host.to_vec());
            }
        };
        for side in [Side::From, Side::To] {
            if !view.for_each_host_at_hand(side, |host, _| look(host.bytes())) {
                view.for_each_host(side, |total| look(total.host.bytes()))?;
            }
        }
        if texts.is_empty() {
            texts.push(self.text());
        }
        texts.sort_unstable();
        Ok(texts)
    }

    fn is_meant_by(&self, host: &[u8]) -> bool {
        // Most names have no two colons.
        host.iter().filter(|byte| **byte == b':').count() > 1
            && Endpoint::of(host).is_some_and(|it| it.address == self.address && it.service == self.service.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_whole_of_a_text_or_stands_before_its_port() {
        for (text, address, service) in [
            ("10.0.0.5", "10.0.0.5", None),
            ("10.0.0.5:443/tcp", "10.0.0.5", Some("443/tcp")),
            ("10.0.0.5:443", "10.0.0.5", Some("443")),
            ("[2001:db8::1]:443", "2001:db8::1", Some("443")),
            ("[2001:DB8:0::1]:443", "2001:db8::1", Some("443")),
            ("2001:db8::1:53/udp", "2001:db8::1", Some("53/udp")),
            ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1", None),
            ("[::1]", "::1", None),
            ("::ffff:10.0.0.5", "::ffff:10.0.0.5", None),
            ("fe80::1%eth0", "fe80::1%eth0", None),
            ("[fe80::1%eth0]:22/tcp", "fe80::1%eth0", Some("22/tcp")),
        ] {
            let found = Endpoint::of(text.as_bytes()).unwrap();
            assert_eq!((found.address.to_string(), found.service), (address.to_owned(), service.map(str::as_bytes)));
        }
        for text in [
            "10.0.0.0/24",
            "2001:db8::/32",
            "10.0.0.5:http",
            "10.0.0.5:",
            "10.0.0.5 ",
            "010.0.0.5",
            "10.0.0.5->10.0.0.6",
            "10.0.0",
            "[10.0.0.5]:443",
            "[10.0.0.5]",
            "fe80::1%",
            "10.0.0.5%eth0",
            "web:443",
            "1",
            "",
            "443/tcp",
        ] {
            assert!(Endpoint::of(text.as_bytes()).is_none(), "{text}");
        }
        assert!(Endpoint::of(b"10.0.0.\xff").is_none());
    }
}
