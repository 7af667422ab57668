//! Bounds: memory, descriptors, the length of a line. Each holds whatever the input.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::process::Command;

use crate::support::{BASE, Folder, binary_path, is_full, log, program, stderr, stdout, with_peak_memory};

#[test]
fn b8_a_line_of_a_gibibyte_costs_no_memory_and_the_next_one_counts() {
    let folder = Folder::new();
    let mut file = File::create(folder.at("0.log")).unwrap();
    writeln!(file, "{BASE} a b").unwrap();
    // A hole: a gibibyte of zero bytes without a newline, as a truncated log leaves (row B7).
    file.seek(SeekFrom::Current(1 << 30)).unwrap();
    write!(file, "\n{} c d\n", BASE + 1).unwrap();
    let size = file.metadata().unwrap().len();
    drop(file);
    let args = ["top", "0.log", "--until", "latest", "--output", "json", "--rejects", "rejects"];
    let (peak, output) = with_peak_memory(&folder, &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let result: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(result["balance"]["counted"], 2);
    assert_eq!(result["balance"]["malformed"], 1);
    assert_eq!(result["balance"]["bytes_read"], size);
    assert!(peak < 32 << 10, "{peak} KiB");
    let rejects = std::fs::read(folder.at("rejects")).unwrap();
    assert!(rejects.starts_with(b"0.log:15\tline too long\t") && rejects.len() < 2_000);
}

#[test]
fn memory_does_not_grow_with_the_input() {
    let folder = Folder::new();
    let part = log(1, 20_000, 80_000, 300, 50);
    // Both fill every edge; one is ten times the other.
    for (name, parts) in [("small.log", 20), ("large.log", 200)] {
        let mut file = File::create(folder.at(name)).unwrap();
        (0..parts).for_each(|_| file.write_all(&part).unwrap());
    }
    let peak = |name: &str| {
        let (peak, output) = with_peak_memory(&folder, &["top", name, "--until", "latest", "--seconds", "1d"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        peak
    };
    let (small, large) = (peak("small.log"), peak("large.log"));
    assert!(large < 64 << 10, "{large} KiB");
    assert!(large < small + (8 << 10), "{small} KiB for the small one, {large} KiB for the large one");
}

#[test]
fn a_long_history_holds_its_open_windows_only() {
    let folder = Folder::new();
    let mut file = std::io::BufWriter::new(File::create(folder.at("0.log")).unwrap());
    // Every pair is new: held for good, names and counts alone would be some 200 MB.
    for at in 0..1_000_000 {
        writeln!(file, "{} a-rather-long-name-of-a-host-{at} to-another-one-{at}", BASE + 10 * at).unwrap();
    }
    file.into_inner().unwrap();
    // Small chunks: those on their way hold windows too.
    folder.write("pipeline.toml", "location = '0.log'\nevery = '1h'\nchunk = '16KiB'\noutputs = ['json']\n");
    let (peak, output) = with_peak_memory(&folder, &["run"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output).lines().count(), 2_778);
    assert!(peak < 64 << 10, "{peak} KiB");
}

#[test]
fn a_history_before_and_after_its_bounds_costs_no_memory() {
    let folder = Folder::new();
    let mut file = std::io::BufWriter::new(File::create(folder.at("0.log")).unwrap());
    for at in 0..1_000_000 {
        writeln!(file, "{} a b", BASE + at).unwrap();
    }
    file.into_inner().unwrap();
    let (since, until) = ((BASE + 500_000).to_string(), (BASE + 500_010).to_string());
    let args =
        ["top", "0.log", "--every", "1", "--seconds", "1", "--since", &since, "--until", &until, "--output", "csv"];
    let (peak, output) = with_peak_memory(&folder, &args);
    assert_eq!(stdout(&output).lines().count(), 11, "{}", stderr(&output));
    assert!(peak < 64 << 10, "{peak} KiB");
}

#[test]
fn e8_five_hundred_files_are_read_with_few_descriptors() {
    let folder = Folder::new();
    std::fs::create_dir(folder.at("logs")).unwrap();
    for file in 0..500 {
        folder.write(&format!("logs/{file:03}.log"), format!("{} a b\n{} c d\n", BASE + file, BASE + 600 + file));
    }
    for how in ["", " --every 600 --align first", " --threads 8"] {
        let command = format!(
            "ulimit -n 64; exec '{}' top logs --until latest --seconds 600 --output csv --quiet{how}",
            binary_path().display()
        );
        let output = Command::new("sh").current_dir(folder.path()).args(["-c", &command]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{how}: {}", stderr(&output));
        let counts = stdout(&output)
            .lines()
            .skip(1)
            .map(|line| line.rsplit(',').next().unwrap().parse::<u64>().unwrap())
            .sum::<u64>();
        let expected = if how.contains("every") { 1_000 } else { 500 };
        // The last ten minutes hold each file's second line; one file's first line is on the edge,
        // which is in.
        assert!((expected..=expected + 1).contains(&counts), "{how}: {counts}");
    }
}

#[test]
fn b13_positions_pass_four_gibibytes() {
    let folder = Folder::new();
    let mut file = File::create(folder.at("0.log")).unwrap();
    // Five gibibytes, nearly all of them holes; a release build reads them in a second or two.
    let bytes = if is_full() { 5u64 << 30 } else { 1 << 30 };
    file.seek(SeekFrom::Start(bytes)).unwrap();
    write!(file, "\n{BASE} a b\nbad\n").unwrap();
    drop(file);
    let output = program(&folder).args(["top", "0.log", "--until", "latest"]).output().unwrap();
    assert!(stdout(&output).contains("b                 1\n"), "{}", stdout(&output));
    assert!(stderr(&output).contains(&format!("byte {}: bad timestamp: bad", bytes + 16)), "{}", stderr(&output));
}
