//! What ships beside the program: the README's tour, `pipeline.toml`, the example, the files that a
//! project has.

use logparser::internals::config::schema::{StageType, all_keys};
use std::process::Command;

use crate::support::{Folder, program, root, stdout};

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_pipeline_that_ships_is_the_standard_one_with_every_key() {
    let text = read("pipeline.toml");
    let check = program(&Folder::new()).current_dir(root()).args(["check"]).output().unwrap();
    assert_eq!(stdout(&check), "pipeline.toml: 5 stages, no problems\n");
    for key in all_keys() {
        let line = text
            .lines()
            .map(|line| line.trim_start_matches("# "))
            .find(|line| line.split_once(" = ").is_some_and(|(name, _)| name == key.name));
        let line = line.unwrap_or_else(|| panic!("pipeline.toml does not show '{}'", key.name));
        // What is shown of a key that has a default is that, but for the one that says where its
        // logs end.
        if let Some(default) = key.default.filter(|_| key.name != "every") {
            let value = line.split_once(" = ").unwrap().1.split('#').next().unwrap().trim();
            assert_eq!(value.trim_matches('"'), default, "{}", key.name);
        }
    }
    for kind in StageType::ALL {
        assert!(text.contains(&format!("[stages.{}]\ntype = \"{}\"", kind.standard_name(), kind.name())));
    }
    let run = program(&Folder::new()).current_dir(root()).arg("run").output().unwrap();
    let said = stdout(&run);
    assert_eq!(run.status.code(), Some(0));
    for title in ["* Servers that received most", "* List of connected hosts to Delta", "* Connections over time"] {
        assert!(said.contains(title), "{said}");
    }
}

#[test]
fn the_example_adds_a_report_in_under_sixty_lines() {
    assert!(read("examples/custom_report.rs").lines().count() < 60);
    let folder = Folder::new();
    folder.write("0.log", "1700000000 a x\n1700000001 b x\n1700000002 b y\n");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args(["run", "--quiet", "--example", "custom_report", "--"]);
    let output = cargo.arg(folder.at("0.log")).output().unwrap();
    let said = stdout(&output);
    assert!(said.ends_with("* The busiest on either side\nsource  server\nb       x\n"), "{said}");
    assert!(output.status.success());
}

#[test]
fn the_files_that_a_project_has_are_there() {
    for file in ["LICENSE-MIT", "LICENSE-APACHE", "deny.toml"] {
        assert!(!read(file).is_empty());
    }
}
