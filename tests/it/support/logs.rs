//! Logs that are made up, by numbers that can be had again.

use std::io::Write;

/// A small generator of numbers (xorshift64*), so that a failing case can be had again.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    pub fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len() as u64) as usize]
    }
}

/// Where the stamps of made-up logs begin.
pub const BASE: i64 = 1_700_000_000;

/// A log of `lines` lines over `span` seconds from `BASE`, each up to `disorder` seconds late.
pub fn log(seed: u64, lines: u64, span: u64, disorder: u64, hosts: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut out = Vec::new();
    for line in 0..lines {
        let late = if disorder == 0 { 0 } else { random.below(disorder + 1) };
        let stamp = BASE + (line * span / lines) as i64 - late as i64;
        let (from, to) = (random.below(hosts), random.below(hosts / 2 + 1));
        writeln!(out, "{stamp} src{from} dst{to}").unwrap();
    }
    out
}
