//! A value as written, with its place, whatever medium it comes from.
//!
//! Not here: what keys there are and what their values mean (`schema`, `draft`). Invariant: every
//! value knows where it was written, and no text makes reading it panic.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Place, Problem};
use crate::options::Raw;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub place: Place,
    pub content: Content,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A text, number or flag.
    Leaf(Raw),
    List(Vec<Node>),
    /// In the order of the file.
    Table(Vec<Entry>),
}

/// A key of a table with its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub key: String,
    pub place: Place,
    pub node: Node,
}

impl Node {
    /// A text from the command line or a program.
    pub fn text(text: &str, place: Place) -> Self {
        Node { place, content: Content::Leaf(Raw::Text(text.to_owned())) }
    }

    /// The value, its parts included, without places.
    pub fn raw(&self) -> Raw {
        match &self.content {
            Content::Leaf(raw) => raw.clone(),
            Content::List(items) => Raw::List(items.iter().map(Node::raw).collect()),
            Content::Table(_) => Raw::Other("a table"),
        }
    }

    /// The entries of a table.
    pub fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Table(entries) => entries,
            _ => &[],
        }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Leaf(Raw::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; a single value is a list of one.
    pub fn items(&self) -> &[Node] {
        match &self.content {
            Content::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }
}

/// Parses a file. Errors with every problem of its syntax.
pub(super) fn parse_file(label: &str, text: &str) -> Result<Node, Vec<Problem>> {
    let places = Places::of(label, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(table_node(table.get_ref(), places.at(0), &|at| places.at(at)));
    }
    let problem = |error: &toml::de::Error| Problem {
        place: places.at(error.span().map_or(0, |span| span.start)),
        key: String::new(),
        message: error.message().replace('\n', "; "),
        help: None,
    };
    Err(errors.iter().map(problem).collect())
}

/// Parses the value of an override: TOML where it is that, else plain text.
pub(super) fn parse_value(text: &str, place: &Place) -> Node {
    match DeValue::parse(text) {
        Ok(value) => value_node(&value, &|_| place.clone()),
        Err(_) => Node::text(text, place.clone()),
    }
}

type PlaceAt<'a> = dyn Fn(usize) -> Place + 'a;

fn table_node(table: &DeTable<'_>, place: Place, at: &PlaceAt<'_>) -> Node {
    let mut entries: Vec<(usize, Entry)> = table
        .iter()
        .map(|(key, value)| {
            let entry =
                Entry { key: key.get_ref().to_string(), place: at(key.span().start), node: value_node(value, at) };
            (key.span().start, entry)
        })
        .collect();
    entries.sort_by_key(|(start, _)| *start);
    Node { place, content: Content::Table(entries.into_iter().map(|(_, entry)| entry).collect()) }
}

fn value_node(value: &Spanned<DeValue<'_>>, at: &PlaceAt<'_>) -> Node {
    let place = at(value.span().start);
    let leaf = |raw| Node { place: place.clone(), content: Content::Leaf(raw) };
    match value.get_ref() {
        DeValue::String(text) => leaf(Raw::Text(text.to_string())),
        DeValue::Integer(integer) => {
            let parsed = i64::from_str_radix(integer.as_str(), integer.radix());
            leaf(parsed.map_or(Raw::Other("a whole number beyond 64 bits"), Raw::Integer))
        }
        DeValue::Boolean(flag) => leaf(Raw::Flag(*flag)),
        // An instant may stand without quotes: TOML has them.
        DeValue::Datetime(instant) => leaf(Raw::Text(instant.to_string())),
        DeValue::Float(number) => leaf(Raw::Decimal(number.as_str().to_owned())),
        DeValue::Array(items) => {
            Node { place, content: Content::List(items.iter().map(|item| value_node(item, at)).collect()) }
        }
        DeValue::Table(table) => table_node(table, place, at),
    }
}

/// Byte offsets of a file to lines and columns. A file may have as many places as bytes, so none is
/// counted from the start.
struct Places<'a> {
    label: &'a str,
    text: &'a str,
    /// Where lines begin.
    lines: Vec<usize>,
    /// Characters before each block of bytes.
    characters: Vec<usize>,
}

/// Bytes of a block.
const BLOCK: usize = 256;

impl<'a> Places<'a> {
    fn of(label: &'a str, text: &'a str) -> Self {
        let lines = std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1)).collect();
        let characters = text.as_bytes().chunks(BLOCK).scan(0, |before, block| {
            let characters = *before;
            *before += starts(block);
            Some(characters)
        });
        let characters = characters.collect();
        Places { label, text, lines, characters }
    }

    fn at(&self, offset: usize) -> Place {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines[line - 1];
        Place::File { path: self.label.to_owned(), line, column: self.before(offset) - self.before(start) + 1 }
    }

    /// Characters before an offset.
    fn before(&self, offset: usize) -> usize {
        let block = offset / BLOCK;
        // At the very end there may be no block.
        let Some(characters) = self.characters.get(block) else { return self.text.chars().count() };
        characters + starts(&self.text.as_bytes()[block * BLOCK..offset])
    }
}

/// Characters that begin among these bytes.
fn starts(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte as i8) >= -0x40).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_lines_and_characters_wherever_they_are() {
        let text = format!("ä=1\n{}\n\nö x\n", "täst ".repeat(1000));
        let places = Places::of("f", &text);
        for (offset, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let before = &text[..offset];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
            assert_eq!(places.at(offset), Place::File { path: "f".into(), line, column });
        }
        assert_eq!(places.at(1), places.at(0));
        assert_eq!(places.at(text.len() + 9), places.at(text.len()));
    }
}
