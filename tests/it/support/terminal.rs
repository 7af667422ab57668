//! Commands on a terminal of their own, which `script` gives them.

use std::process::{Command, Stdio};

use super::{Folder, stdout};

/// What a shell command prints to a terminal, both streams. It knows `TERM` only as it is given.
pub fn on_terminal(folder: &Folder, command: &str, environment: &[(&str, &str)]) -> String {
    let mut script = Command::new("script");
    script.args(["-qec", command, "/dev/null"]).current_dir(folder.path());
    script.env_remove("NO_COLOR").env_remove("TERM").env_remove("FAILPOINTS").envs(environment.iter().copied());
    stdout(&script.stdin(Stdio::null()).output().unwrap())
}
