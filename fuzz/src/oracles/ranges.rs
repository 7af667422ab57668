//! Ranges of bytes that meet: every line begins in one of them, wherever they are cut.

use logparser::internals::source::seek::line_start;

use super::Draw;

pub fn run(data: &[u8]) {
    let mut draw = Draw::new(data);
    let mut cuts: Vec<u64> = (0..1 + draw.below(6)).map(|_| draw.below(1 << 16) as u64).collect();
    let mut bytes = Vec::new();
    while !draw.is_done() {
        let byte = draw.byte();
        // Lines that are longer than what a probe reads at a time.
        let times = if byte >= 0xfc { 1 + draw.below(9_000) } else { 1 };
        bytes.extend(std::iter::repeat_n(byte, times));
    }
    let size = bytes.len() as u64;
    let read = |at: u64, into: &mut [u8]| {
        let from = bytes.get(at as usize..).unwrap_or_default();
        let length = into.len().min(from.len());
        into[..length].copy_from_slice(&from[..length]);
        Ok(length)
    };
    cuts.iter_mut().for_each(|cut| *cut = (*cut).min(size));
    cuts.extend([0, size]);
    cuts.sort_unstable();
    let starts: Vec<u64> = cuts.iter().map(|cut| line_start(&read, size, *cut).expect("memory can be read")).collect();
    for (cut, start) in cuts.iter().zip(&starts) {
        let begins = |at: u64| at == 0 || at == size || bytes[at as usize - 1] == b'\n';
        let expected = (*cut..=size).find(|at| begins(*at));
        assert_eq!(Some(*start), expected, "from {cut}");
    }
    assert!(starts.is_sorted() && starts.first() == Some(&0) && starts.last() == Some(&size));
}
