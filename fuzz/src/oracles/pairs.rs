//! Pairs as they stand in tallies files and spilled runs: any bytes are refused, or are what a
//! writer writes of what was read; merged, they are what a map adds up.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};

use logparser::internals::spill::{PairInput, PairReader, PairWriter, merge};

use super::Draw;

type Plain = BTreeMap<(Vec<u8>, Vec<u8>), u64>;

struct Source<'a>(&'a [u8]);

impl Read for Source<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.0)
    }

    fn consume(&mut self, bytes: usize) {
        self.0.consume(bytes);
    }
}

impl PairInput for Source<'_> {}

fn read(bytes: &[u8], longest: u64) -> io::Result<Plain> {
    let (mut reader, mut pairs) = (PairReader::new(Source(bytes), longest), Plain::new());
    while reader.advance()? {
        let key = (reader.first.clone(), reader.second.clone());
        assert!(pairs.last_key_value().is_none_or(|(last, _)| *last < key), "out of order");
        assert!(reader.amount.connections > 0 && !key.0.is_empty() && !key.1.is_empty());
        assert!(key.0.len() as u64 <= longest && key.1.len() as u64 <= longest);
        assert!(!key.0.iter().chain(&key.1).any(|byte| b"\0\n".contains(byte)), "no line can hold it");
        pairs.insert(key, reader.amount.connections);
    }
    Ok(pairs)
}

fn written(pairs: &Plain) -> Vec<u8> {
    let mut writer = PairWriter::new(Vec::new());
    for ((first, second), count) in pairs {
        writer.push(first, second, *count).expect("memory takes all");
    }
    std::mem::take(writer.get_mut())
}

pub fn run(data: &[u8]) {
    if let Ok(pairs) = read(data, 40) {
        assert_eq!(written(&pairs), data, "there are two ways to write the same");
    }
    // Some sources in two groups.
    let mut draw = Draw::new(data);
    let sources: Vec<(usize, Plain)> = (0..1 + draw.below(5))
        .map(|_| {
            let group = draw.below(2);
            let pairs = (0..draw.below(20)).map(|_| {
                let mut name = || (0..1 + draw.below(3)).map(|_| b'a' + draw.byte() % 3).collect::<Vec<u8>>();
                ((name(), name()), 1 + u64::from(draw.byte()))
            });
            (group, pairs.collect())
        })
        .collect();
    let mut expected: BTreeMap<(Vec<u8>, Vec<u8>), [u64; 2]> = BTreeMap::new();
    for (group, pairs) in &sources {
        pairs.iter().for_each(|(key, count)| expected.entry(key.clone()).or_default()[*group] += count);
    }
    let bytes: Vec<(usize, Vec<u8>)> = sources.iter().map(|(group, pairs)| (*group, written(pairs))).collect();
    let readers = bytes.iter().map(|(group, bytes)| (*group, PairReader::new(Source(bytes), 40)));
    let mut found = Vec::new();
    let read = merge(readers, |first, second, counts| {
        found.push(((first.to_vec(), second.to_vec()), counts.map(|amount| amount.connections)));
        Ok(())
    });
    assert_eq!(read.expect("they are right"), sources.iter().map(|(_, pairs)| pairs.len() as u64).sum::<u64>());
    assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
}
