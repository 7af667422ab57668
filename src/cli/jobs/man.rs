//! The manual page: one for the program and its commands, made of the same definition as help is.
//!
//! Invariant: every command and every option that is not hidden stands on it.

use std::io::{self, Write as _};

use clap::Command;
use clap_mangen::Man;

use crate::cli::help;
use crate::cli::streams::print;
use crate::error::{ErrorKind, Result};

/// Prints the page, for `man`. The exit code.
pub fn man() -> Result<u8> {
    let failed = |source| ErrorKind::System { action: "cannot make the page".into(), source };
    print(&page().map_err(failed)?)
}

fn page() -> io::Result<String> {
    let program = whole(help::positional());
    let man = Man::new(program.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    synopsis(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    writeln!(page, ".SH COMMANDS\nThose that count and report take the options above, too.")?;
    for command in help::commanded().get_subcommands() {
        of_command(&whole(command.clone()), "logparser", &program, &mut page)?;
    }
    writeln!(page, ".SH WINDOWS\n.nf\n{}\n.fi", escaped(help::WINDOWS))?;
    writeln!(page, ".SH EXAMPLES\n.nf\n{}\n.fi", escaped(help::EXAMPLES))?;
    writeln!(page, ".SH EXIT STATUS")?;
    for (code, meaning) in help::EXIT_CODES {
        writeln!(page, ".TP\n\\fB{code}\\fR\n{}", escaped(meaning))?;
    }
    man.render_version_section(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// A command with what help shows only at length.
fn whole(command: Command) -> Command {
    command.mut_args(|arg| arg.hide_short_help(false))
}

fn synopsis(page: &mut Vec<u8>) -> io::Result<()> {
    let lines = help::USAGE.lines().map(|line| escaped(line.trim()));
    writeln!(page, ".SH SYNOPSIS\n{}", lines.collect::<Vec<_>>().join("\n.br\n"))
}

/// A command: what it does, and those of its options that the program does not have without it.
fn of_command(command: &Command, before: &str, program: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let path = format!("{before} {}", command.get_name());
    let usage = command.clone().bin_name(&path).render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).to_owned();
    writeln!(page, ".SS \"{}\"", escaped(&path))?;
    if let Some(about) = command.get_about() {
        writeln!(page, "{}", escaped(&about.to_string()))?;
    }
    writeln!(page, ".PP\n.nf\n{}\n.fi", escaped(&usage))?;
    let is_shared = |arg: &clap::Arg| {
        let shared = program.get_arguments().find(|known| known.get_id() == arg.get_id());
        shared.is_some_and(|known| known.get_help().map(ToString::to_string) == arg.get_help().map(ToString::to_string))
    };
    let own = command.get_arguments().filter(|arg| !is_shared(arg)).map(|arg| arg.clone().help_heading(None::<&str>));
    let own = Command::new(path.clone()).disable_help_flag(true).disable_version_flag(true).args(own);
    if own.get_arguments().next().is_some() {
        let mut options = Vec::new();
        Man::new(own).render_options_section(&mut options)?;
        page.write_all(String::from_utf8_lossy(&options).replace(".SH OPTIONS\n", "").as_bytes())?;
    }
    command.get_subcommands().try_for_each(|further| of_command(further, &path, program, page))
}

/// A text as `man` shows it letter by letter.
fn escaped(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.replace('\\', "\\e").replace('-', "\\-").replace('"', "\\(dq");
        // At the start of a line, these make the line a request to `man`.
        if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_and_every_option_stands_on_the_page() {
        fn check(command: &Command, page: &str) {
            for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
                let long = arg.get_long().map(|long| format!("\\-\\-{}", long.replace('-', "\\-")));
                let name = long.unwrap_or_else(|| arg.get_value_names().unwrap()[0].to_string());
                assert!(page.contains(&name), "{} {name}", command.get_name());
            }
            for further in command.get_subcommands() {
                assert!(page.contains(&format!("{}\"\n", further.get_name())), "{}", further.get_name());
                check(further, page);
            }
        }
        let page = page().unwrap();
        assert!(page.contains("Declared disorder: how far a stamp may lie"), "{page}");
        check(&help::positional(), &page);
        check(&help::commanded(), &page);
        assert!(page.contains(".TH logparser 1") && page.contains(".SH FOLLOWING") && page.contains("\\fB130\\fR"));
    }

    #[test]
    fn no_text_is_a_request() {
        assert_eq!(escaped(".x\n'y\na\\b -c"), "\\&.x\n\\&'y\na\\eb \\-c");
    }
}
