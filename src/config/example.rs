//! A report as the command line asks for it, from how a configuration does.

use super::node::{Node, parse_value};
use crate::error::Place;
use crate::model::escape::shell_word;
use crate::options::Raw;

/// `-r NAME:KEY=VALUE,...` for a report in TOML, e.g. `{ name = "fan-in", limit = 5 }`.
pub fn as_option(report: &str) -> String {
    let node = parse_value(report, &Place::Argument(String::new()));
    let named = node.entries().iter().find(|entry| entry.key == "name").map(|entry| &entry.node);
    let name = node.as_text().or(named.and_then(Node::as_text)).unwrap_or(report);
    let options = node.entries().iter().filter(|entry| entry.key != "name").map(|entry| {
        let value = match entry.node.raw() {
            Raw::Text(text) | Raw::Decimal(text) => text,
            Raw::Integer(number) => number.to_string(),
            Raw::Flag(flag) => flag.to_string(),
            Raw::List(_) | Raw::Other(_) => String::new(),
        };
        format!("{}={}", entry.key, value.replace(',', "\\,"))
    });
    let options: Vec<String> = options.collect();
    let report = if options.is_empty() { name.to_owned() } else { format!("{name}:{}", options.join(",")) };
    format!("-r {}", shell_word(&report))
}
