//! How long functions are, how many parameters they take, how many fields structs have, and what types are called.

use crate::support::code::{Token, behind};

/// A function or a struct with its measures.
#[derive(Debug, PartialEq)]
pub struct Sized {
    pub name: String,
    pub line: usize,
    /// Lines from `fn` to its last brace.
    pub lines: usize,
    /// Parameters with `self`, or fields.
    pub parts: usize,
}

pub fn functions(tokens: &[Token]) -> Vec<Sized> {
    named_after("fn", tokens)
        .map(|(name, mut at)| {
            at = behind_angles(tokens, at);
            let end = behind(tokens, at);
            let parts = parts(&tokens[at + 1..end - 1]);
            let body = body(tokens, end);
            let last = if tokens[body].is("{") { behind(tokens, body) - 1 } else { body };
            let lines = tokens[last].line - name.line + 1;
            Sized { name: name.text.clone(), line: name.line, lines, parts }
        })
        .collect()
}

pub fn structs(tokens: &[Token]) -> Vec<Sized> {
    named_after("struct", tokens)
        .filter_map(|(name, at)| {
            let open = at + tokens[at..].iter().position(|token| ["{", "(", ";"].contains(&token.text.as_str()))?;
            let end = behind(tokens, open);
            let parts = if tokens[open].is(";") { 0 } else { parts(&tokens[open + 1..end - 1]) };
            let lines = tokens[end - 1].line - name.line + 1;
            Some(Sized { name: name.text.clone(), line: name.line, lines, parts })
        })
        .collect()
}

/// The names of all types and traits that are defined, with their lines. Types within traits are not counted.
pub fn types(tokens: &[Token]) -> Vec<(String, usize)> {
    let kinds = ["struct", "enum", "trait"].into_iter();
    let found = kinds.flat_map(|kind| named_after(kind, tokens)).chain(named_at_the_top("type", tokens));
    found.map(|(name, _)| (name.text.clone(), name.line)).collect()
}

/// Each name behind a word, and the position behind the name.
fn named_after<'a>(word: &'static str, tokens: &'a [Token]) -> impl Iterator<Item = (&'a Token, usize)> {
    tokens
        .windows(2)
        .enumerate()
        .filter(move |(_, pair)| pair[0].is(word) && pair[1].is_word())
        .map(|(at, pair)| (&pair[1], at + 2))
}

fn named_at_the_top<'a>(word: &'static str, tokens: &'a [Token]) -> impl Iterator<Item = (&'a Token, usize)> {
    let mut depth = 0;
    let depths: Vec<i32> = tokens
        .iter()
        .map(|token| {
            depth += i32::from(token.is("{")) - i32::from(token.is("}"));
            depth
        })
        .collect();
    named_after(word, tokens).filter(move |(_, at)| depths[*at] == 0)
}

/// The position behind `<...>`, if it stands here.
fn behind_angles(tokens: &[Token], mut at: usize) -> usize {
    let mut depth = 0;
    loop {
        depth += i32::from(tokens[at].is("<")) - i32::from(tokens[at].is(">"));
        if depth == 0 {
            return if tokens[at].is(">") { at + 1 } else { at };
        }
        at += 1;
    }
}

/// The position of the brace, or of the `;` in place of one, behind a signature.
fn body(tokens: &[Token], mut at: usize) -> usize {
    while !tokens[at].is("{") && !tokens[at].is(";") {
        at = if tokens[at].is("[") || tokens[at].is("(") { behind(tokens, at) } else { at + 1 };
    }
    at
}

/// How many parts there are between commas outside of any brackets.
fn parts(tokens: &[Token]) -> usize {
    let (mut found, mut depth, mut open) = (0, 0, false);
    for token in tokens {
        match token.text.as_str() {
            "(" | "[" | "{" | "<" => depth += 1,
            ")" | "]" | "}" | ">" => depth -= 1,
            "," if depth == 0 => {
                open = false;
                continue;
            }
            _ => {}
        }
        found += usize::from(!open);
        open = true;
    }
    found
}

#[test]
fn measures_are_those_of_the_code() {
    use crate::support::code::tokens;
    let measure = |text: &str| {
        let sized = functions(&tokens(text)).into_iter().chain(structs(&tokens(text)));
        sized.map(|sized| (sized.name, sized.lines, sized.parts)).collect::<Vec<_>>()
    };
    let text = "fn f<F: Fn(A, B) -> C>(&self, a: Map<A, B>, (b, c): (u8, u8),) -> [u8; 2]\nwhere A: B,\n{\n{ }\n}";
    assert_eq!(measure(text), [("f".to_owned(), 5, 3)]);
    assert_eq!(measure("trait T { fn g(); } struct U<A, B> {\n a: Map<A, B>,\n b: fn(A, B) -> u8,\n}")[1].2, 2);
    assert_eq!(measure("struct V(pub u8, [u8; 2]); struct W;").iter().map(|w| w.2).collect::<Vec<_>>(), [2, 0]);
    let named = types(&tokens("struct A; enum B {} type C = u8; trait D { type E; } impl X { type F = u8; }"));
    assert_eq!(named.iter().map(|(name, _)| name.as_str()).collect::<String>(), "ABDC");
}
