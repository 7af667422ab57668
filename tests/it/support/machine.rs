//! What some tests need of a machine, and the word on those that cannot run on this one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::append;

/// Tells that a test, or a part of it, does not run on this machine, and why. `.ci/run` counts
/// these lines in the file that `LOGPARSER_SKIPPED` names.
pub fn skip(why: &str) {
    let line = format!("skipped: {}: {why}\n", std::thread::current().name().unwrap_or("a thread"));
    eprint!("{line}");
    if let Some(file) = std::env::var_os("LOGPARSER_SKIPPED") {
        append(Path::new(&file), line);
    }
}

/// What there is to say where a tool is not there.
pub fn lacks(tool: &str) -> Option<String> {
    Command::new(tool).arg("--version").output().is_err().then(|| format!("there is no {tool}"))
}

/// Skips a test where one of these tools is not there.
macro_rules! needs {
    ($($tool:literal),+) => {
        $(if let Some(why) = $crate::support::lacks($tool) {
            return $crate::support::skip(&why);
        })+
    };
}
pub(crate) use needs;

/// Why a test is skipped that takes a disk of its own.
pub const NO_DISK: &str = "mounting a file system is not permitted here";

/// A small file system in memory, until it is dropped.
pub struct Tmpfs(PathBuf);

impl Tmpfs {
    /// None where mounting is not permitted.
    pub fn on(folder: &Path, options: &str) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then(|| Tmpfs(folder.to_owned()))
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Leaving a test early is skipping it, and has to be said.
#[test]
fn no_test_passes_without_having_run() {
    use super::code::{Token, behind, rust_files, tokens};
    let is_bare = |pair: &[Token]| pair[0].is("return") && [";", "}", ","].contains(&pair[1].text.as_str());
    let (mut tests, mut wrong) = (0, Vec::new());
    for file in rust_files(&super::root().join("tests/it")) {
        let tokens = tokens(&std::fs::read_to_string(&file).unwrap());
        for at in (0..tokens.len()).filter(|at| super::code::is_test(&tokens, *at)) {
            let name = &tokens[at + 1];
            let body = at + tokens[at..].iter().position(|token| token.is("{")).unwrap();
            let bare = tokens[body..behind(&tokens, body)].windows(2).find(|pair| is_bare(pair));
            wrong.extend(bare.map(|pair| format!("{}, line {}: {}", file.display(), pair[0].line, name.text)));
            tests += 1;
        }
    }
    assert!(tests > 300, "{tests}");
    assert!(wrong.is_empty(), "{wrong:#?}\nWhat to do: `return skip(why)`, or `needs!(tool)`, of support/machine.rs");
}
