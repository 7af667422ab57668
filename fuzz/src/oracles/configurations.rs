//! Configurations: checked twice they say the same, every problem has its place within the file,
//! and what passes can be planned, drawn and planned again from what it is.

use logparser::Place;
use logparser::internals::config::{DrawFormat, draw, fingerprint};
use logparser::internals::model::escape::is_hostile;
use logparser::{ErrorKind, Pipeline};

fn said(text: &str) -> Result<Pipeline, Vec<String>> {
    match Pipeline::builder().config_text("p.toml", text).build() {
        Ok(pipeline) => Ok(pipeline),
        Err(error) => {
            let ErrorKind::Config(problems) = error.kind() else { panic!("not a problem of the text: {error}") };
            assert!(!problems.is_empty() && error.exit_code() == 2);
            let lines: Vec<&str> = text.split('\n').collect();
            for problem in problems {
                let Place::File { path, line, column } = &problem.place else { panic!("no place: {problem}") };
                assert_eq!(path, "p.toml");
                let width = lines.get(line - 1).map(|line| line.chars().count());
                assert!(width.is_some_and(|width| *column >= 1 && *column <= width + 1), "beyond the file: {problem}");
            }
            assert!(problems.is_sorted_by_key(|problem| &problem.place), "not in the order of the file");
            Err(problems.iter().map(ToString::to_string).collect())
        }
    }
}

pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match (said(&text), said(&text)) {
        (Err(one), Err(other)) => assert_eq!(one, other),
        (Ok(one), Ok(other)) => {
            for format in [DrawFormat::Text, DrawFormat::Dot, DrawFormat::Mermaid] {
                let drawn = draw(one.plan(), format);
                assert_eq!(drawn, draw(other.plan(), format));
                assert!(!drawn.chars().any(|c| c != '\n' && is_hostile(c)), "{drawn:?}");
            }
            assert_eq!(fingerprint(one.plan()), fingerprint(other.plan()));
            assert!(one.plan().stages.iter().enumerate().all(|(at, stage)| stage.inputs.iter().all(|from| *from < at)));
        }
        _ => panic!("right once, wrong once"),
    }
}
