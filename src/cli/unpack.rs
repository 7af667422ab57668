//! The command that reads a compressed input: the one that was given, behind what decompresses it.
//!
//! Not here: what is compressed (`source`). Invariant: all words stay as they were, but for the
//! name of the input.

use std::path::Path;

use crate::model::escape::shell_word;
use crate::model::location::Location;

/// What to do about an input that is compressed, which `reader` reads, in a command line of these
/// words.
pub fn remedy(path: &Path, reader: &str, words: &[String]) -> String {
    let name = path.to_string_lossy();
    let command = |words: &[String]| words.iter().map(shell_word).collect::<Vec<_>>().join(" ");
    if path == Location::Stdin.as_path() || name == "<stdin>" {
        return format!("put {reader} before it: ... | {reader} | {}", command(&named(words)));
    }
    let dashes = if name.starts_with('-') { " --" } else { "" };
    let file = shell_word(name.as_bytes());
    let unpack = format!("{reader}{dashes} {file}");
    let Some(at) = words.iter().rposition(|word| *word == name) else {
        return format!("pipe it in, or read what this writes: {unpack} > FILE");
    };
    let with = |word: &str| {
        let mut words = named(words);
        words[at + 1] = word.to_owned();
        command(&words)
    };
    // These read files only, since they come back to them.
    match words.iter().find(|word| !word.starts_with('-')).map(String::as_str) {
        Some("partial" | "plan" | "list") => format!("decompress it: {unpack} > FILE; {}", with("FILE")),
        _ => format!("pipe it in: {unpack} | {}", with(&Location::Stdin.to_string())),
    }
}

fn named(words: &[String]) -> Vec<String> {
    std::iter::once("logparser".to_owned()).chain(words.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_stays_with_its_hosts_and_options() {
        for (path, words, said) in [
            ("x.gz", "x.gz sierra Delta", "pipe it in: zcat x.gz | logparser - sierra Delta"),
            ("x.gz", "to x.gz x.gz", "pipe it in: zcat x.gz | logparser to x.gz -"),
            ("x.gz", "top a.log x.gz --until latest", "pipe it in: zcat x.gz | logparser top a.log - --until latest"),
            ("-x.gz", "top -- -x.gz", "pipe it in: zcat -- -x.gz | logparser top -- -"),
            ("x.gz", "partial x.gz --last 1h", "decompress it: zcat x.gz > FILE; logparser partial FILE --last 1h"),
            ("logs/x.gz", "top logs", "pipe it in, or read what this writes: zcat logs/x.gz > FILE"),
            ("<stdin>", "- sierra Delta", "put zcat before it: ... | zcat | logparser - sierra Delta"),
        ] {
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            assert_eq!(remedy(Path::new(path), "zcat", &words), said);
        }
    }
}
