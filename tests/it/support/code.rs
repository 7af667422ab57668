//! Rust code as words with their lines, for tests that hold the code to a rule. It is no parser: comments and the
//! insides of literals go, and items that only tests have are cut out by their braces.

use std::path::{Path, PathBuf};

/// A word, a literal, or a mark. `::`, `->`, `=>` and `..` are one each; of a literal only that it is one is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

impl Token {
    pub fn is(&self, text: &str) -> bool {
        self.text == text
    }

    pub fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// What stands in place of the text of a literal.
pub const LITERAL: &str = "\"\"";

/// All Rust files below a folder.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

pub fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    while at < chars.len() {
        let (text, length) = token(&chars[at..]);
        if let Some(text) = text {
            found.push(Token { text, line });
        }
        line += chars[at..at + length].iter().filter(|c| **c == '\n').count();
        at += length;
    }
    found
}

/// The token at the start, none for blanks and comments, and its length.
fn token(rest: &[char]) -> (Option<String>, usize) {
    let next = |at: usize| rest.get(at).copied().unwrap_or('\0');
    let literal = |length| (Some(LITERAL.to_owned()), length);
    match (rest[0], next(1)) {
        ('/', '/') => (None, rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())),
        ('/', '*') => (None, comment(rest)),
        ('"', _) => literal(quoted(rest, '"')),
        // 'a' and '\n' are literals, 'a without an end is a lifetime.
        ('\'', '\\') => literal(quoted(rest, '\'')),
        ('\'', _) if next(2) == '\'' => literal(3),
        (':', ':') | ('-', '>') | ('=', '>') | ('.', '.') => (Some(rest[..2].iter().collect()), 2),
        (c, _) if c.is_alphanumeric() || c == '_' => {
            let length = rest.iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
            let word: String = rest[..length].iter().collect();
            match prefixed(&word, &rest[length..]) {
                Some(more) => literal(length + more),
                None => (Some(word), length),
            }
        }
        (c, _) if c.is_whitespace() => (None, 1),
        (c, _) => (Some(c.to_string()), 1),
    }
}

/// The length of a literal behind its prefix, if it is one: `r"..."`, `br#"..."#`, `b'x'`.
fn prefixed(word: &str, rest: &[char]) -> Option<usize> {
    let first = *rest.first()?;
    match word {
        "b" | "c" if first == '"' => Some(quoted(rest, '"')),
        "b" if first == '\'' => Some(quoted(rest, '\'')),
        "r" | "br" | "cr" => {
            let hashes = rest.iter().take_while(|c| **c == '#').count();
            let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let body = rest.get(hashes + 1..).filter(|_| rest.get(hashes) == Some(&'"'))?;
            let ends = body.windows(end.len()).position(|window| window == end).unwrap();
            Some(hashes + 1 + ends + end.len())
        }
        _ => None,
    }
}

fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while rest[at] != quote {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// A comment may hold others.
fn comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        match (rest[at], rest[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
}

/// The position behind the bracket that closes the one at `at`.
pub fn behind(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0;
    for (position, token) in tokens.iter().enumerate().skip(at) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return position + 1;
        }
    }
    tokens.len()
}

/// Whether the word at `at` is the `fn` of a test.
pub fn is_test(tokens: &[Token], mut at: usize) -> bool {
    if !tokens[at].is("fn") {
        return false;
    }
    // Back over attributes, to one that is `#[test]`.
    while at > 0 && tokens[at - 1].is("]") {
        let open = tokens[..at].iter().rposition(|token| token.is("#")).unwrap();
        if tokens[open + 2].is("test") {
            return true;
        }
        at = open;
    }
    false
}

/// A file without what only tests have.
pub struct Code {
    pub tokens: Vec<Token>,
    /// Modules in files of their own that only tests have.
    pub test_modules: Vec<String>,
}

/// Takes out each item, field, arm or statement below `#[cfg(test)]` or `#[cfg(all(test, ...))]`.
pub fn without_tests(tokens: &[Token]) -> Code {
    let (mut kept, mut test_modules, mut at) = (Vec::new(), Vec::new(), 0);
    while at < tokens.len() {
        if !opens_a_test(&tokens[at..]) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        while tokens[at].is("#") {
            at = behind(tokens, at + 1);
        }
        let end = end_of_item(tokens, at);
        let words: Vec<&Token> = tokens[at..end].iter().collect();
        if let Some(module) = words.iter().position(|word| word.is("mod"))
            && words.get(module + 2).is_some_and(|mark| mark.is(";"))
        {
            test_modules.push(words[module + 1].text.clone());
        }
        at = end;
    }
    Code { tokens: kept, test_modules }
}

fn opens_a_test(tokens: &[Token]) -> bool {
    let starts = |words: &[&str]| words.len() <= tokens.len() && words.iter().zip(tokens).all(|(word, t)| t.is(word));
    starts(&["#", "[", "cfg", "(", "test", ")", "]"]) || starts(&["#", "[", "cfg", "(", "all", "(", "test", ","])
}

/// The position behind what starts at `at`: a `;`, the brace that closes its body, or a comma where it is no item.
fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    const ITEMS: [&str; 13] =
        ["async", "const", "enum", "extern", "fn", "impl", "mod", "static", "struct", "trait", "type", "unsafe", "use"];
    let first = match tokens[at].is("pub") {
        true if tokens[at + 1].is("(") => behind(tokens, at + 1),
        true => at + 1,
        false => at,
    };
    let is_item = ITEMS.contains(&tokens[first].text.as_str());
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "(" | "[" => at = behind(tokens, at),
            "{" => return behind(tokens, at),
            ";" => return at + 1,
            "," if !is_item => return at + 1,
            ")" | "]" | "}" => return at,
            _ => at += 1,
        }
    }
    at
}

#[test]
fn words_are_seen_and_comments_and_literals_are_not() {
    let texts = |text: &str| tokens(text).into_iter().map(|token| token.text).collect::<Vec<_>>();
    assert_eq!(texts("a::b /* x /* y */ z */ -> 'c' 'd, '\\''"), ["a", "::", "b", "->", "\"\"", "'", "d", ",", "\"\""]);
    assert_eq!(texts("br#\"}\"{\"# b'{' \"\\\"}\" r\"\\\" // {\n_x1"), ["\"\"", "\"\"", "\"\"", "\"\"", "_x1"]);
    assert_eq!(tokens("a\n\"\n\"\nb").last().unwrap().line, 4);
}

#[test]
fn only_what_tests_have_is_taken_out() {
    let texts = |text: &str| {
        let code = without_tests(&tokens(text));
        (code.tokens.into_iter().map(|token| token.text).collect::<Vec<_>>().join(" "), code.test_modules)
    };
    let (kept, modules) = texts("#[cfg(test)] fn f(a: A, b: B) { { \"}\" } } fn g() {} #[cfg(test)]\nmod laws; use x;");
    assert_eq!((kept.as_str(), modules), ("fn g ( ) { } use x ;", vec!["laws".to_owned()]));
    let (kept, _) = texts(
        "struct A { #[cfg(test)] a: [u8; 2], b: u8 } #[cfg(all(test, unix))] #[x] pub(crate) mod m { mod n {} } z",
    );
    assert_eq!(kept, "struct A { b : u8 } z");
    assert_eq!(texts("#[cfg(not(test))] a; #[cfg(feature = \"x\")] b").0.matches("cfg").count(), 2);
}

#[test]
fn tests_are_known_by_their_attribute() {
    let tokens = tokens("#[test] #[ignore = \"x\"] fn a() {} fn b() {} #[cfg(test)] fn c() {} #[test]\nfn d() {}");
    let tests: Vec<&str> =
        (0..tokens.len()).filter(|at| is_test(&tokens, *at)).map(|at| tokens[at + 1].text.as_str()).collect();
    assert_eq!(tests, ["a", "d"]);
}
