//! An output as it is written, to its plan: a text (`json`, `json:PATH`, `PATH` with an ending that is
//! known, `-`), or a table with a name and options.
//!
//! In a text, options stand behind the path, each behind a comma, as those of reports do; a comma
//! within a value has a backslash before it. Not here: whether two outputs meet (`graph`).

use std::path::Path;

use super::catalog::Catalog;
use super::draft::Draft;
use super::node::{Entry, Node};
use super::plan::OutputPlan;
use super::plug_in::PlugIn;
use super::problems::Problems;
use crate::model::location::{PathArg, no_target, scheme};
use crate::options::{OptionSpec, Options, suggest};
use crate::output::OutputEntry;

/// How an output is written as a table.
const AS_TABLE: &str = "write e.g. { name = \"csv\", path = \"results.csv\" }";

/// Reads an output, noting every problem. `None` if it is not one.
pub(super) fn output(draft: &Draft, item: &Node, catalog: &Catalog, problems: &mut Problems) -> Option<OutputPlan> {
    let mut refuse = |message: String, help: Option<String>| {
        problems.add(&item.place, draft.key("outputs"), message, help);
        None
    };
    let name = item.entries().iter().find(|entry| entry.key == "name").map(|entry| &entry.node);
    let named = name.and_then(Node::as_text);
    let Some(text) = item.as_text().or(named) else {
        let (message, help) = match (item.entries(), name) {
            ([], None) => ("expected an output", "write e.g. \"text\" or \"json:results.jsonl\""),
            (_, None) => ("the output has no name", AS_TABLE),
            (_, Some(_)) => ("expected the name of an output", AS_TABLE),
        };
        return refuse(message.into(), Some(help.into()));
    };
    let known = |name: &str| catalog.outputs.iter().find(|entry| entry.name == name);
    let behind = text.split_once(':').filter(|(name, _)| known(name).is_some()).map_or(text, |(_, path)| path);
    if let Some(scheme) = scheme(behind) {
        return refuse(format!("'{text}': {}", no_target(scheme)), None);
    }
    let (name, place) = match text.split_once(':') {
        _ if named.is_some() => (text, None),
        Some((name, place)) => (name, Some(place)),
        None if PathArg::from(text) == PathArg::Std => (crate::output::DEFAULT.name, None),
        None => by_ending(text, catalog).map_or((text, None), |entry| (entry.name, Some(text))),
    };
    if let (Some(_), Some((name, path))) = (named, text.split_once(':'))
        && known(name).is_some()
    {
        let help = format!("write {{ name = \"{name}\", path = \"{path}\" }}");
        return refuse(format!("'{text}' is a name with a path"), Some(help));
    }
    let Some(entry) = known(name) else {
        return refuse(format!("unknown output '{name}'"), Some(instead(name, place, catalog)));
    };
    if place == Some("") {
        let help = format!("write {name}:PATH, or {name} for standard output");
        return refuse(format!("'{text}' has no path behind its colon"), Some(help));
    }
    let spelled = place.map_or_else(Vec::new, |place| spelled(place, entry.options, item));
    let given = item.entries().iter().filter(|given| given.key != "name").chain(&spelled);
    let mut options = Options::defaults(entry.options);
    let key = draft.key(&format!("outputs.{name}"));
    let part = PlugIn { key, place: &item.place, specs: entry.options, example: entry.example.to_owned() };
    part.read(given, &mut options, problems);
    Some(OutputPlan { entry, options })
}

/// The output that a path asks for by its ending, where the text is one.
fn by_ending(text: &str, catalog: &Catalog) -> Option<&'static OutputEntry> {
    let ending = Path::new(text).extension()?.to_str()?;
    catalog.outputs.iter().find(|entry| entry.endings.contains(&ending))
}

/// What to write in place of a name that is not one of an output.
fn instead(name: &str, place: Option<&str>, catalog: &Catalog) -> String {
    let names = || catalog.outputs.iter().map(|entry| entry.name);
    let is_file = place.is_none() && Path::new(name).extension().is_some();
    suggest(name, names()).filter(|_| !is_file).unwrap_or_else(|| {
        let known = names().collect::<Vec<_>>().join(", ");
        let named = if is_file { format!("; a file of another ending is e.g. json:{name}") } else { String::new() };
        format!("the outputs are {known}{named}")
    })
}

/// What stands behind a colon, as options: where results go, and then options by their names. An
/// output that has no others has all of it for its place.
fn spelled(text: &str, specs: &[OptionSpec], item: &Node) -> Vec<Entry> {
    let entry = |key: &str, value: &str| Entry {
        key: key.to_owned(),
        place: item.place.clone(),
        node: Node::text(value, item.place.clone()),
    };
    let (mut rest, mut given) = (text, Vec::new());
    while specs.len() > 1 && !rest.is_empty() {
        let comma = rest.rmatch_indices(',').map(|(at, _)| at).find(|at| !rest[..*at].ends_with('\\'));
        let part = comma.map_or(rest, |at| &rest[at + 1..]);
        let Some((key, value)) = part.split_once('=') else { break };
        if !specs.iter().any(|spec| spec.name == key) {
            break;
        }
        given.push(entry(key, &value.replace("\\,", ",")));
        rest = comma.map_or("", |at| &rest[..at]);
    }
    if let (Some(first), false) = (specs.first(), rest.is_empty()) {
        given.push(entry(first.name, rest));
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::{catalog, machine, problems_of};
    use crate::config::{Plan, Task, Written, check};
    use crate::error::Error;
    use crate::options::Kind;
    use crate::output::Claim;

    const fn option(name: &'static str, kind: Kind) -> OptionSpec {
        OptionSpec { name, kind, default: None, required: false, help: "" }
    }

    /// An output that listens, with options of its own.
    const PAGE: OutputEntry = OutputEntry {
        name: "page",
        help: "",
        options: &[option("listen", Kind::Text), option("title", Kind::Text), option("rows", Kind::Count(1, 9))],
        endings: &[],
        example: "\"page:127.0.0.1:80\"",
        claims: |options| {
            let address = options.text("listen").and_then(|text| text.parse().ok());
            address.map(Claim::Address).into_iter().collect()
        },
        open: |_, _| Err(Error::usage("nothing is opened here")),
    };

    const OUTPUTS: &[OutputEntry] = &[*crate::output::DEFAULT, crate::output::TABLE[2], PAGE];

    fn plan(outputs: &str) -> Result<Plan, Vec<String>> {
        let text = format!("location = 'x'\noutputs = [{outputs}]");
        let catalog = Catalog { outputs: OUTPUTS, ..catalog() };
        check(&Written::from_text("p.toml", &text), &catalog, &machine()).map_err(|error| problems_of(&error))
    }

    /// The claims and the options of each output.
    fn read(outputs: &str) -> Vec<(Vec<Claim>, Options)> {
        let plan = plan(outputs).unwrap();
        let reporter = plan.stages.iter().find_map(|stage| match &stage.task {
            Task::Reporter(reporter) => Some(reporter),
            _ => None,
        });
        reporter.unwrap().outputs.iter().map(|output| (output.claims(), output.options.clone())).collect()
    }

    #[test]
    fn a_text_and_a_table_say_the_same() {
        for (text, table) in [
            ("'csv:a,b=c.csv'", "{ name = 'csv', path = 'a,b=c.csv' }"),
            ("'a,path=b.csv'", "{ name = 'csv', path = 'a,path=b.csv' }"),
            ("'csv:-'", "{ name = 'csv', path = '-' }"),
            ("'text'", "{ name = 'text' }"),
            (
                "'page:[::1]:80,title=A\\,\\, b=c,rows=2'",
                "{ name = 'page', rows = 2, title = 'A,, b=c', listen = '[::1]:80' }",
            ),
            ("'page:a,b=c,title=T'", "{ name = 'page', title = 'T', listen = 'a,b=c' }"),
            ("'page:title=T'", "{ name = 'page', title = 'T' }"),
        ] {
            let (text, table) = (read(text), read(table));
            assert_eq!(text[0].0, table[0].0);
            for name in ["path", "listen", "title", "rows"] {
                assert_eq!(text[0].1.get(name), table[0].1.get(name), "{name} of {text:?}");
            }
        }
        let file = |path: &str| vec![Claim::File(path.into())];
        assert_eq!(
            read("'csv:a,b=c.csv', 'text'").into_iter().map(|(claims, _)| claims).collect::<Vec<_>>(),
            [file("a,b=c.csv"), vec![Claim::Stdout]]
        );
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (outputs, said) in [
            ("{ name = 'csv', pth = 'x' }", "stages.report.outputs.csv: unknown option 'pth'; did you mean 'path'?"),
            ("{ name = 'csv', path = 5 }", "stages.report.outputs.csv: path: expected a path, not 5"),
            ("5", "expected an output; write e.g. \"text\""),
            ("{ path = 'x' }", "the output has no name; write e.g. { name = \"csv\", path"),
            ("{ name = 5 }", "expected the name of an output; write e.g. { name = \"csv\", path"),
            ("{ name = 'csv:x' }", "'csv:x' is a name with a path; write { name = \"csv\", path = \"x\" }"),
            ("{ name = 'csvv' }", "unknown output 'csvv'; did you mean 'csv'?"),
            ("{ name = 'csv', path = 's3://x' }", "s3:// is no place that is written to"),
            ("'page:x,rows=10'", "stages.report.outputs.page: rows: expected a whole number from 1 to 9, not '10'"),
            (
                "'page:[::1]:80', { name = 'page', listen = '[::1]:80' }",
                "[::1]:80 is written to by stages.report.outputs already; give each an address of its own",
            ),
            ("'csv:x', { name = 'csv', path = './x' }", "'./x' is written to by stages.report.outputs already"),
            ("'text', { name = 'csv' }", "standard output is written to by stages.report.outputs already"),
        ] {
            let problems = plan(outputs).unwrap_err();
            assert!(problems.len() == 1 && problems[0].contains(said), "{outputs}: {problems:?}");
        }
        assert!(plan("'page:[::1]:80', 'page:[::1]:81', 'csv:x', 'text'").is_ok());
    }
}
