//! Tallies files with right checksums around any content: they are refused, or what they say adds
//! up, is the same file when it is written again, and stays the same when it is merged in either
//! order, and reported on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use logparser::internals::model::escape::is_hostile;
use logparser::internals::output::save::save;
use logparser::internals::tallies::{FORMAT, Files};
use logparser::{Error, Pipeline};

use super::reseal::Tallies;
use super::{Draw, Sink};

type Pairs = BTreeMap<(usize, Vec<u8>, Vec<u8>), u64>;

/// An error that says what is wrong with a file, and in a line that is harmless.
fn is_said(error: &Error) {
    let text = error.to_string();
    assert_eq!(error.exit_code(), 1, "{text}");
    assert!(!text.chars().any(is_hostile), "{text:?}");
}

fn read(paths: &[&Path]) -> Result<(Files, Pairs), Error> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
    let files = Files::open(&paths)?;
    let mut pairs = Pairs::new();
    files.for_each::<Error>(&mut |part, from, to, amount| {
        let key = (part as usize, from.to_vec(), to.to_vec());
        assert!(pairs.last_key_value().is_none_or(|(last, _)| *last < key), "out of order");
        pairs.insert(key, amount.connections);
        Ok(())
    })?;
    Ok((files, pairs))
}

/// What every file that is taken in says of itself.
fn adds_up((files, pairs): &(Files, Pairs)) {
    let header = files.header();
    header.check().expect("a header that was taken in is right");
    let sheet = header.balance();
    assert_eq!(sheet.bytes_read + sheet.bytes_skipped + sheet.bytes_unread, sheet.bytes_total);
    let of_window: u128 = pairs.iter().filter(|(key, _)| key.0 == 0).map(|(_, count)| u128::from(*count)).sum();
    let connections = u128::from(header.connections());
    assert!(of_window <= connections && connections - of_window <= u128::from(header.overflow));
    assert_eq!(header.connections(), sheet.counted);
}

fn written(files: &Files, to: &Path) -> Vec<u8> {
    save(Some(to), |out| files.write(out)).expect("there is room");
    std::fs::read(to).expect("it was written")
}

const REPORTS: &str = r#"
location = "-"
reports = ["top-servers", "top-pairs", "timeline", { name = "connected-to", host = "b" }, "fan-out"]
outputs = ["json"]
"#;

/// What reports say of some files, or why there are none.
fn reported(files: &Files) -> Result<Vec<u8>, String> {
    let sink = Sink::default();
    let pipeline = Pipeline::builder().config_text("p.toml", REPORTS).output("json", Box::new(sink.clone())).build();
    let summary = pipeline.expect("it is right").report_on(files, true).map_err(|error| error.to_string())?;
    assert_eq!(summary.exit_code(), 0);
    let bytes = sink.0.lock().expect("nobody panics").clone();
    serde_json::from_slice::<serde_json::Value>(&bytes).expect("it is JSON");
    Ok(bytes)
}

pub fn run(data: &[u8]) {
    // Two files, of which the second may be missing.
    let mut draw = Draw::new(data);
    let first = draw.block();
    let contents = [Tallies::drawn(&mut Draw::new(first)), Tallies::drawn(&mut draw)];
    let folder = tempfile::tempdir_in(if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "." });
    let folder = folder.expect("there is room");
    let path = |name: &str| folder.path().join(name);
    let paths = [path("a"), path("b")];
    for format in 1..=FORMAT {
        contents.iter().zip(&paths).for_each(|(content, path)| {
            std::fs::write(path, content.file(format)).expect("there is room");
        });
        hold(&folder, &paths);
    }
}

/// What is wrong with either file is said; each that is right, and both together, say the same
/// however they are read.
fn hold(folder: &tempfile::TempDir, paths: &[PathBuf; 2]) {
    let path = |name: &str| folder.path().join(name);
    let mut good = Vec::new();
    for path in paths {
        match read(&[path]) {
            Err(error) => is_said(&error),
            Ok(whole) => {
                adds_up(&whole);
                let again = written(&whole.0, &self::path(folder, "again"));
                assert_eq!(again, std::fs::read(path).expect("it is there"), "there is one form of it");
                let reread = read(&[&self::path(folder, "again")]).expect("what was written is right");
                assert_eq!((reread.0.header(), &reread.1), (whole.0.header(), &whole.1));
                assert_eq!(written(&reread.0, &self::path(folder, "third")), again);
                assert_eq!(reported(&reread.0), reported(&whole.0));
                good.push(path);
            }
        }
    }
    let [one, other] = good[..] else { return };
    match (read(&[one, other]), read(&[other, one])) {
        (Err(one), Err(other)) => (is_merge_error(&one), is_merge_error(&other)).0,
        (Ok(one), Ok(other)) => {
            adds_up(&one);
            assert_eq!(written(&one.0, &path("c")), written(&other.0, &path("d")));
            assert_eq!(reported(&one.0), reported(&other.0));
        }
        _ => panic!("they add up in one order only"),
    }
}

fn is_merge_error(error: &Error) {
    let text = error.to_string();
    assert!([1, 5].contains(&error.exit_code()), "{text}");
    assert!(!text.chars().any(is_hostile), "{text:?}");
}

fn path(folder: &tempfile::TempDir, name: &str) -> PathBuf {
    folder.path().join(name)
}
