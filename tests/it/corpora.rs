//! The corpora of the fuzz targets through their oracles, without the machinery that made them.

use std::path::Path;

use crate::oracles::TABLE;
use crate::support::Random;

fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn every_oracle_holds_over_its_corpus() {
    for (name, run) in TABLE {
        let inputs = corpus(name);
        assert!(!inputs.is_empty(), "{name} has no corpus");
        run(b"");
        for (path, bytes) in inputs {
            assert!(bytes.len() < 10_000, "{path}: corpora are kept small");
            let caught = std::panic::catch_unwind(|| run(&bytes));
            assert!(caught.is_ok(), "{path}");
        }
    }
}

/// An input made of another one, and of a second one to take from.
fn mutated(random: &mut Random, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..1 + random.below(4) {
        let at = random.below(bytes.len() as u64 + 1) as usize;
        let end = at + random.below((bytes.len() - at) as u64 + 1) as usize;
        let from = random.below(other.len() as u64 + 1) as usize;
        let taken = other[from..].iter().copied().take(random.below(40) as usize);
        match random.below(6) {
            0 => bytes.insert(at, random.below(256) as u8),
            1 => drop(bytes.splice(at..end.min(at + 9), [])),
            2 => drop(bytes.splice(at..end.min(at + 40), taken)),
            3 => bytes.truncate(at.max(1)),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    let edges = [0, 1, 0x7f, 0x80, 0xfb, 0xfc, 0xfd, 0xff, *byte ^ 1 << random.below(8)];
                    *byte = edges[random.below(edges.len() as u64) as usize];
                }
            }
        }
    }
    bytes
}

/// A little of what the fuzz targets do, on any toolchain: `LOGPARSER_MUTATIONS` of each input, 20
/// by default.
#[test]
fn every_oracle_holds_over_inputs_that_are_like_those_of_its_corpus() {
    let given = std::env::var("LOGPARSER_MUTATIONS").ok().and_then(|text| text.parse::<u64>().ok());
    let only = std::env::var("LOGPARSER_ORACLE").ok();
    let chosen: Vec<_> = TABLE.iter().filter(|(name, _)| only.as_ref().is_none_or(|only| only == name)).collect();
    assert!(!chosen.is_empty(), "no oracle is named {only:?}");
    for (name, run) in chosen {
        let inputs = corpus(name);
        let (mut random, mut failed) = (Random::new(given.unwrap_or(7)), None);
        for (at, (_, input)) in inputs.iter().enumerate() {
            for _ in 0..given.unwrap_or(20) {
                let other = &inputs[(at + random.below(inputs.len() as u64) as usize) % inputs.len()].1;
                let bytes = mutated(&mut random, input, other);
                if std::panic::catch_unwind(|| run(&bytes)).is_err() {
                    failed = Some(bytes);
                }
            }
        }
        if let Some(bytes) = failed {
            let found = std::env::temp_dir().join(format!("logparser-oracle-{name}"));
            std::fs::write(&found, &bytes).unwrap();
            panic!("{name}: does not hold over {}", found.display());
        }
    }
}

#[test]
fn every_target_has_its_oracle_and_its_line() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let mut targets: Vec<String> = std::fs::read_dir(root.join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    targets.sort();
    assert_eq!(targets, TABLE.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>());
    for name in targets {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} is not in fuzz/Cargo.toml");
    }
}
