//! Bytes of logs in each medium: what is shown is harmless there, and read back it is the same
//! bytes.

use logparser::internals::model::escape::{bytes, exact, is_hostile, printable};
use logparser::internals::output::{LastResult, Opening, Receipt, entry};
use logparser::{Balance, Cell, Column, Options, Report, Timestamp, Window, WindowResult};

/// A report with a name in its title and in a cell, as an output writes it.
fn written(output: &str, name: &[u8]) -> String {
    let columns = [Column::host("server"), Column::count("connections")];
    let rows = vec![vec![Cell::Host(name.to_vec()), Cell::Count(7)]];
    let mut report = Report::table(name, columns, rows);
    report.id = "top-servers".into();
    let window = Window::closed(Timestamp::from_seconds(0), Timestamp::from_seconds(60));
    let result = WindowResult::new(window, 7, vec![report], Balance::default());
    let last = LastResult::default();
    let mut opening = Opening { last: Some(last.clone()), ..Opening::default() };
    let entry = entry(output).expect("it is in the table");
    let mut destination = (entry.open)(&Options::defaults(entry.options), &mut opening).expect("memory opens");
    destination.write(&result, &Receipt::new(1, Default::default())).expect("memory takes all");
    let bytes = std::mem::take(&mut *last.lock());
    String::from_utf8(bytes).expect("every output is text")
}

pub fn run(data: &[u8]) {
    for shown in [printable(data), exact(data)] {
        assert_eq!(bytes(&shown), data);
    }
    assert!(!printable(data).chars().any(is_hostile));

    let text = written("text", data);
    assert!(!text.chars().any(|c| c != '\n' && is_hostile(c)), "{text:?}");
    assert!(text.contains(&*printable(data)));

    let json: serde_json::Value = serde_json::from_str(&written("json", data)).expect("it is JSON");
    let cell = &json["reports"][0]["rows"][0];
    let name = cell.as_array().map_or_else(|| cell["server"].clone(), |cells| cells[0].clone());
    assert_eq!(bytes(name.as_str().expect("a name")), data);

    let csv = written("csv", data);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("it is CSV")).collect();
    assert_eq!((rows.len(), &rows[0][1]), (1, "7"));
    let name = &rows[0][0];
    assert!(!name.starts_with(['=', '+', '-', '@', '\t', '\r']) && !name.chars().any(is_hostile), "{name:?}");
    // An apostrophe stands before a formula, and before an apostrophe.
    assert_eq!(bytes(name.strip_prefix('\'').unwrap_or(name)), data);
}
