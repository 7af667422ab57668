//! What the environment asks of the tests: how often, how much, from which seed.

use std::str::FromStr;

/// The value of a variable, if it is set.
pub fn asked<T: FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// Whether whole sweeps were asked for, by `LOGPARSER_FULL=1`.
pub fn is_full() -> bool {
    std::env::var_os("LOGPARSER_FULL").is_some_and(|value| value != "0")
}

/// Whether what is expected is to be written anew, by `UPDATE_CASES=1`.
pub fn updates() -> bool {
    std::env::var_os("UPDATE_CASES").is_some()
}

/// How often something is tried.
pub fn times(few: u32, many: u32) -> u32 {
    if is_full() { many } else { few }
}
