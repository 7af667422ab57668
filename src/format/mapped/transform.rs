//! What a template makes of a field: small letters, no port, a network.
//!
//! Not here: templates. Invariant: a field of which one of these can't be made is taken as it is,
//! unless it says that it takes a part: then nothing is left if the part is not there.

use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;

use super::address::{address, host_and_port};

/// What is made of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldTransform {
    /// Small letters, of ASCII.
    Lower,
    /// Without the port behind it: `host:80`, `[::1]:80`.
    Host,
    /// The port alone.
    Port,
    /// Without a dot at its end.
    NoDot,
    /// The network of an address, perhaps with a port behind it, by the bits of its prefix: of IPv4 and
    /// of IPv6. Fewer bits than an address has are all of them.
    Network(u8, u8),
    /// What comes before the first of this text.
    Before(String),
    /// What comes behind the first of this text.
    After(String),
    /// What comes before the last of this text.
    BeforeLast(String),
    /// What comes behind the last of this text.
    AfterLast(String),
    /// The first part of the path of a URL, with its slash.
    Segment,
    /// The host of a URL, or of `host:port`.
    UrlHost,
    /// The path in a line of an HTTP request, `GET /path HTTP/1.1`.
    RequestPath,
}

/// The names of those without a value.
const PLAIN: [(&str, FieldTransform); 7] = [
    ("lower", FieldTransform::Lower),
    ("host", FieldTransform::Host),
    ("port", FieldTransform::Port),
    ("no-dot", FieldTransform::NoDot),
    ("segment", FieldTransform::Segment),
    ("url-host", FieldTransform::UrlHost),
    ("request-path", FieldTransform::RequestPath),
];

impl FieldTransform {
    /// Appends what all of these, one after the other, make of a text. Gives whether anything is
    /// left.
    pub(super) fn write_all(all: &[FieldTransform], text: &[u8], into: &mut Vec<u8>) -> bool {
        let before = into.len();
        let mut part = text;
        let mut rest = all;
        // Those that only take a part of the text need no copy of it.
        while let Some((first, behind)) = rest.split_first()
            && let Some(taken) = first.part(part)
        {
            (part, rest) = (taken, behind);
        }
        match rest {
            [] => into.extend_from_slice(part),
            [first, behind @ ..] => {
                first.append(part, into);
                if !behind.is_empty() {
                    let made = into.split_off(before);
                    return FieldTransform::write_all(behind, &made, into);
                }
            }
        }
        into.len() > before
    }

    /// The part of a text that this is, if it is one.
    fn part<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        let nothing = &text[..0];
        let find = |needle: &String| memchr::memmem::find(text, needle.as_bytes()).map(|at| (at, at + needle.len()));
        let find_last =
            |needle: &String| memchr::memmem::rfind(text, needle.as_bytes()).map(|at| (at, at + needle.len()));
        Some(match self {
            FieldTransform::Host => host_and_port(text).0,
            FieldTransform::Port => host_and_port(text).1.unwrap_or(nothing),
            FieldTransform::NoDot => text.strip_suffix(b".").unwrap_or(text),
            FieldTransform::Before(needle) => find(needle).map_or(text, |(from, _)| &text[..from]),
            FieldTransform::BeforeLast(needle) => find_last(needle).map_or(text, |(from, _)| &text[..from]),
            FieldTransform::After(needle) => find(needle).map_or(nothing, |(_, to)| &text[to..]),
            FieldTransform::AfterLast(needle) => find_last(needle).map_or(nothing, |(_, to)| &text[to..]),
            FieldTransform::Segment => segment(text),
            FieldTransform::UrlHost => url_host(authority(text)),
            FieldTransform::RequestPath => request_path(text),
            FieldTransform::Lower | FieldTransform::Network(..) => return None,
        })
    }

    /// Appends what this makes of a text.
    fn append(&self, text: &[u8], into: &mut Vec<u8>) {
        match self {
            FieldTransform::Lower => into.extend(text.iter().map(u8::to_ascii_lowercase)),
            FieldTransform::Network(four, six) => match network(text, *four, *six) {
                Some(network) => into.extend_from_slice(network.to_string().as_bytes()),
                None => into.extend_from_slice(text),
            },
            other => into.extend_from_slice(other.part(text).unwrap_or(text)),
        }
    }
}

/// The network of an address.
fn network(text: &[u8], four: u8, six: u8) -> Option<IpNet> {
    let address = address(text)?;
    let bits = if address.is_ipv4() { four.min(32) } else { six.min(128) };
    IpNet::new(address, bits).ok().map(|network| network.trunc())
}

/// The host in the authority of a URL, whatever is behind the first colon (RFC 3986, section 3.2): an
/// address of IPv6 stands in brackets. Of brackets that are not closed nothing is left.
fn url_host(authority: &[u8]) -> &[u8] {
    match authority.strip_prefix(b"[") {
        Some(address) => &address[..memchr::memchr(b']', address).unwrap_or(0)],
        None => &authority[..memchr::memchr(b':', authority).unwrap_or(authority.len())],
    }
}

/// The path of a URL, or of what stands in a request, without its query.
fn segment(url: &[u8]) -> &[u8] {
    let path = match behind_scheme(url) {
        Some(rest) => match &rest[part_end(rest)..] {
            path @ [b'/', ..] => path,
            _ => b"/",
        },
        None => url,
    };
    if path.first() != Some(&b'/') {
        return &url[..0];
    }
    &path[..1 + part_end(&path[1..])]
}

/// The path of a request, if it is one of HTTP and names a path.
fn request_path(request: &[u8]) -> &[u8] {
    let nothing = &request[..0];
    let Some(start) = memchr::memchr(b' ', request).map(|at| at + 1) else { return nothing };
    let version = || memchr::memmem::rfind(request, b" HTTP/");
    // Mostly it is the last word.
    let last = memchr::memrchr(b' ', request).filter(|at| request[*at..].starts_with(b" HTTP/"));
    let Some(end) = last.or_else(version).filter(|end| *end >= start) else { return nothing };
    let path = &request[start..end];
    if path.first() == Some(&b'/') { path } else { nothing }
}

/// Where the authority of a URL ends, or a part of its path: before a slash, its query or its fragment.
fn part_end(text: &[u8]) -> usize {
    text.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(text.len())
}

/// What stands behind the scheme of a URL (RFC 3986, section 3.1), if it begins with one: another URL may
/// stand in its query.
fn behind_scheme(url: &[u8]) -> Option<&[u8]> {
    let is_of_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let end = url.iter().position(|byte| !is_of_scheme(byte))?;
    url[end..].strip_prefix(b"://").filter(|_| url[0].is_ascii_alphabetic())
}

/// The host of a URL, with its port; nothing of what is neither a URL nor `host:port`.
fn authority(url: &[u8]) -> &[u8] {
    let rest = match behind_scheme(url) {
        Some(rest) => rest,
        None if host_and_port(url).1.is_some() => url,
        None => return &url[..0],
    };
    let authority = &rest[..part_end(rest)];
    memchr::memrchr(b'@', authority).map_or(authority, |at| &authority[at + 1..])
}

impl FromStr for FieldTransform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, plain)) = PLAIN.iter().find(|(name, _)| *name == text.trim()) {
            return Ok(plain.clone());
        }
        let expected = || {
            let names: Vec<&str> = PLAIN.iter().map(|(name, _)| *name).collect();
            format!(
                "'{text}' is nothing that is made of a field; there are {}, net:24, before:X, after:X, before-last:X, \
                 after-last:X",
                names.join(", ")
            )
        };
        let (name, value) = text.split_once(':').ok_or_else(expected)?;
        if value.is_empty() {
            return Err(expected());
        }
        let value = value.to_owned();
        Ok(match name.trim() {
            "before" => FieldTransform::Before(value),
            "after" => FieldTransform::After(value),
            "before-last" => FieldTransform::BeforeLast(value),
            "after-last" => FieldTransform::AfterLast(value),
            "net" => {
                let (four, six) = value.split_once('/').unwrap_or((&value, &value));
                let bits = |text: &str, most: u8| text.parse::<u8>().ok().filter(|bits| *bits <= most);
                match (bits(four, if four == six { 128 } else { 32 }), bits(six, 128)) {
                    (Some(four), Some(six)) => FieldTransform::Network(four, six),
                    _ => return Err(expected()),
                }
            }
            _ => return Err(expected()),
        })
    }
}

impl fmt::Display for FieldTransform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FieldTransform::Before(text) => write!(f, "before:{text}"),
            FieldTransform::After(text) => write!(f, "after:{text}"),
            FieldTransform::BeforeLast(text) => write!(f, "before-last:{text}"),
            FieldTransform::AfterLast(text) => write!(f, "after-last:{text}"),
            FieldTransform::Network(four, six) if four == six => write!(f, "net:{four}"),
            FieldTransform::Network(four, six) => write!(f, "net:{four}/{six}"),
            other => PLAIN.iter().find(|(_, plain)| plain == other).map_or(Ok(()), |(name, _)| f.write_str(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(all: &str, text: &str) -> String {
        let all: Vec<FieldTransform> = all.split('|').map(|one| one.parse().unwrap()).collect();
        let mut into = b"x".to_vec();
        assert_eq!(FieldTransform::write_all(&all, text.as_bytes(), &mut into), into.len() > 1);
        String::from_utf8(into[1..].to_vec()).unwrap()
    }

    #[test]
    fn each_takes_what_it_says() {
        for (all, text, made_of_it) in [
            ("lower", "ÄbC", "Äbc"),
            ("host", "10.0.0.1:80", "10.0.0.1"),
            ("host", "[2001:db8::1]:443", "2001:db8::1"),
            ("host", "[2001:db8::1]", "2001:db8::1"),
            ("host", "2001:db8::1", "2001:db8::1"),
            ("host", "[::1]x", "[::1]x"),
            ("host", "[::1:80", "[::1:80"),
            ("host", "[web:80", "[web:80"),
            ("host", "web:http", "web:http"),
            ("port", "10.0.0.1:80", "80"),
            ("port", "[::1]:8080", "8080"),
            ("port", "10.0.0.1", ""),
            ("no-dot", "example.com.", "example.com"),
            ("net:24", "10.1.2.3", "10.1.2.0/24"),
            ("net:24", "2001:db8::1", "2001:d00::/24"),
            ("net:24/64", "2001:db8:0:1:2::1", "2001:db8:0:1::/64"),
            ("net:64", "10.1.2.3", "10.1.2.3/32"),
            ("net:24", "a.b.c.d", "a.b.c.d"),
            ("net:24", "10.1.2.3:443", "10.1.2.0/24"),
            ("net:24/64", "[2001:db8:0:1:2::1]:443", "2001:db8:0:1::/64"),
            ("net:24/64", "[2001:db8:0:1:2::1]", "2001:db8:0:1::/64"),
            ("net:24/64", "::ffff:10.1.2.3", "10.1.2.0/24"),
            ("net:24/64", "[::ffff:10.1.2.3]:443", "10.1.2.0/24"),
            ("net:24", "10.1.2.3:http", "10.1.2.3:http"),
            ("before:/", "a/b/c", "a"),
            ("before-last:/", "a/b/c", "a/b"),
            ("after:/", "a/b/c", "b/c"),
            ("after-last:/", "a/b/c", "c"),
            ("after:/", "abc", ""),
            ("before:/", "abc", "abc"),
            ("segment", "/api/v1?x=1", "/api"),
            ("segment", "/?q", "/"),
            ("segment", "http://a.example/b/c", "/b"),
            ("segment", "/login?next=https://a.example/b", "/login"),
            ("segment", "http://a.example/b?next=https://c.example/d", "/b"),
            ("segment", "HTTP+x-1.0://a.example/b", "/b"),
            ("segment", "http://a.example?b=/c", "/"),
            ("segment", "1http://a.example/b", ""),
            ("url-host", "https://a.example?next=http://b.example/", "a.example"),
            ("url-host", "/login?next=https://a.example/b", ""),
            ("request-path", "GET /a HTTP/ b HTTP/1.1 HTTP/c d", "/a HTTP/ b HTTP/1.1"),
            ("segment", "http://a.example", "/"),
            ("request-path", "GET /a b?c HTTP/1.1", "/a b?c"),
            ("request-path", "GET http://a.example/b HTTP/1.1", ""),
            ("request-path", "GET /", ""),
            ("request-path", "CONNECT a.example:443 HTTP/1.1", ""),
            ("request-path|segment", "GET //a HTTP/1.1", "/"),
            ("segment", "*", ""),
            ("url-host", "https://me@a.example:8080/b", "a.example"),
            ("url-host", "a.example:443", "a.example"),
            ("url-host", "error:invalid-request", ""),
            ("url-host", "/a", ""),
            ("url-host", "http://:80*", ""),
            ("url-host", "http://a.example:eighty/", "a.example"),
            ("url-host", "http://[2001:db8::1]:x/", "2001:db8::1"),
            ("url-host", "http://[2001:db8::1", ""),
            ("url-host", "http://[::1/x]", ""),
            ("url-host", "http://[::1", ""),
            ("url-host", "http://[", ""),
            ("url-host", "http://[]:80/", ""),
            ("url-host", "[::1:80", ""),
            ("url-host", "[web:80", ""),
            ("url-host", "http://[::1]:80/x", "::1"),
            ("url-host", "[::1]:80", "::1"),
            ("url-host", "http://user:pw@host:80/", "host"),
            ("url-host", "http://user:p[w@host:80/", "host"),
            ("url-host", "http://user@[::1]:80/", "::1"),
            ("url-host", "HTTP://Host.", "Host."),
            ("url-host|lower|no-dot", "HTTP://Host.", "host"),
            ("lower|after:=|net:8", "IP=10.9.9.9", "10.0.0.0/8"),
        ] {
            assert_eq!(made(all, text), made_of_it, "{all} of {text}");
        }
    }

    #[test]
    fn each_reads_back_and_others_are_refused() {
        for text in [
            "lower",
            "host",
            "port",
            "no-dot",
            "segment",
            "url-host",
            "net:24",
            "net:24/64",
            "before: ",
            "after-last:::",
        ] {
            assert_eq!(text.parse::<FieldTransform>().unwrap().to_string(), text);
        }
        for text in ["", "upper", "net:", "net:129", "net:33/64", "net:x", "before:", "after"] {
            assert!(text.parse::<FieldTransform>().unwrap_err().contains("there are"), "{text}");
        }
    }
}
