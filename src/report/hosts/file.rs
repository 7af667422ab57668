//! Lines of a file as in hosts(5): an address, a name, and aliases; `#` begins a comment.
//!
//! Not here: what is made of them. Invariant: a name that is given can be seen, and is not taken for
//! anything else: it is no address, and has no character that would end it in a text with a port.

use crate::model::escape::{is_hostile, printable};
use crate::report::endpoint::HostAddress;

/// More bytes than a file may have: what is made of them takes many times as much.
pub const LARGEST: u64 = 8 << 20;

/// Bytes of a word that a message shows.
const HEAD: usize = 48;

/// How a line is written, for messages.
const FORM: &str = "a line is ADDRESS NAME [ALIAS...], and # begins a comment";

/// A line that is more than blanks and a comment.
pub(super) struct HostLine<'a> {
    pub address: HostAddress,
    /// At least one.
    pub names: Vec<&'a str>,
}

/// All such lines of a file. Errors with the number of a line, what is wrong with it and how to mend
/// it.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = Result<HostLine<'_>, String>> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = text.split(|byte| *byte == b'\n').zip(1u64..);
    lines.filter_map(|(line, number)| Some(read(line)?.map_err(|wrong| format!("{number}: {wrong}"))))
}

/// What a line says, if anything.
fn read(line: &[u8]) -> Option<Result<HostLine<'_>, String>> {
    let said = line.split(|byte| *byte == b'#').next().unwrap_or_default();
    // As in C: a form feed and a vertical tab are blanks, too.
    let mut words = said.split(|byte| matches!(byte, b' ' | 0x09 | 0x0b..=0x0d)).filter(|word| !word.is_empty());
    let first = words.next()?;
    let Some(address) = HostAddress::read(first) else {
        return Some(Err(format!("{} is no address; {FORM}", shown(first))));
    };
    let names: Result<Vec<&str>, String> = words.map(name).collect();
    Some(match names {
        Ok(names) if names.is_empty() => Err(format!("{} has no name behind it; {FORM}", shown(first))),
        names => names.map(|names| HostLine { address, names }),
    })
}

fn name(word: &[u8]) -> Result<&str, String> {
    let is_visible = |name: &&str| !name.contains(is_hostile);
    let Some(name) = std::str::from_utf8(word).ok().filter(is_visible) else {
        return Err(format!("the name {} has characters that cannot be shown; take them out", shown(word)));
    };
    if name.contains([':', '/', '(', ')', '[', ']']) || HostAddress::read(word).is_some() {
        let what = "would be taken for something else; a name has none of : / ( ) [ ] and is no address";
        return Err(format!("the name {} {what}", shown(word)));
    }
    Ok(name)
}

/// A word in a message.
fn shown(word: &[u8]) -> String {
    match word.get(..HEAD) {
        Some(head) if word.len() > HEAD => format!("'{}...'", printable(head)),
        _ => format!("'{}'", printable(word)),
    }
}
