//! Reads sorted pairs back, in the form that `run` describes, and believes nothing unchecked.
//!
//! Invariant: pairs come in strictly rising order, so each once; with names of 1 byte up to the
//! limit and counts above 0 whose sum fits 64 bits; no name has a byte that a line cannot hold. No
//! name takes memory before its bytes are there. Anything else is an error.

use std::io::{self, BufRead, Read};

use crate::model::{Amount, MeasureSet};
use crate::tally::names::foreign_byte;

/// Where pairs are read from.
pub trait PairInput: BufRead {
    /// Notes that a pair begins here.
    fn begins(&mut self) {}

    /// Notes that there are no more pairs, after this many that come to this amount.
    fn ended(&mut self, _pairs: u64, _total: Amount) {}

    /// An error, with where it came up: in the pair that began last.
    fn located(&self, error: io::Error) -> io::Error {
        error
    }
}

/// Reads what a `PairWriter` wrote, one pair at a time.
pub struct PairReader<R> {
    input: R,
    /// The most bytes that a name may have.
    longest: u64,
    /// The first host of the pair at hand.
    pub first: Vec<u8>,
    /// Its second host.
    pub second: Vec<u8>,
    /// Its count and its sums.
    pub amount: Amount,
    /// Pairs so far.
    pairs: u64,
    /// Their counts and sums together.
    total: Amount,
    /// How many sums stand behind each count.
    measures: MeasureSet,
    /// The name of the pair before, while the next one is read in its place.
    before: Vec<u8>,
}

impl<R: PairInput> PairReader<R> {
    /// Before the first pair of an input that ends behind the last one; names have at most
    /// `longest` bytes.
    pub fn new(input: R, longest: u64) -> Self {
        let (first, second, before) = (Vec::new(), Vec::new(), Vec::new());
        let nothing = Amount::default();
        PairReader {
            input,
            longest,
            first,
            second,
            amount: nothing,
            pairs: 0,
            total: nothing,
            measures: MeasureSet::default(),
            before,
        }
    }

    /// The same with these measures behind each count.
    pub fn with_measures(self, measures: MeasureSet) -> Self {
        PairReader { measures, ..self }
    }

    /// Goes on to the next pair. Gives whether there is one.
    pub fn advance(&mut self) -> io::Result<bool> {
        self.input.begins();
        let is_there = self.read().map_err(|error| self.input.located(error))?;
        match is_there {
            true => self.pairs += 1,
            false => self.input.ended(self.pairs, self.total),
        }
        Ok(is_there)
    }

    fn read(&mut self) -> io::Result<bool> {
        if self.input.fill_buf()?.is_empty() {
            return Ok(false);
        }
        let is_rising = match self.number()? {
            // The first pair has no name before it to repeat.
            0 if self.first.is_empty() => false,
            0 => {
                std::mem::swap(&mut self.second, &mut self.before);
                read_name(&mut self.input, self.longest, &mut self.second)?;
                self.before < self.second
            }
            length => {
                std::mem::swap(&mut self.first, &mut self.before);
                read_bytes(&mut self.input, length - 1, self.longest, &mut self.first)?;
                read_name(&mut self.input, self.longest, &mut self.second)?;
                self.before < self.first
            }
        };
        if !is_rising {
            return Err(invalid("a pair in it does not come behind the one before"));
        }
        self.amount = self.number()?.into();
        if self.amount.connections == 0 {
            return Err(invalid("a pair in it has no connections"));
        }
        for place in self.measures.places() {
            let number = self.number()?;
            self.amount.sums.0.get_mut(place).into_iter().for_each(|mine| *mine = number);
        }
        if !self.amount.sums.has_times_in_order(self.measures.has_times()) {
            return Err(invalid("a pair in it was first seen after it was last seen"));
        }
        let total = self.total.checked_plus(&self.amount);
        self.total =
            total.ok_or_else(|| invalid("its pairs have more connections than a number of 64 bits can say"))?;
        Ok(true)
    }

    fn number(&mut self) -> io::Result<u64> {
        read_number(&mut self.input)
    }
}

/// A number in base 128, the lowest digit first, in as few digits as it takes.
fn read_number(input: &mut impl BufRead) -> io::Result<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let mut digit = [0];
        input.read_exact(&mut digit)?;
        let bits = u64::from(digit[0] & 0x7f);
        if bits << shift >> shift != bits {
            break;
        }
        number |= bits << shift;
        if digit[0] & 0x80 == 0 {
            return if bits == 0 && shift > 0 { Err(invalid("a number in it has idle digits")) } else { Ok(number) };
        }
    }
    Err(invalid("a number in it has more than 64 bits"))
}

/// A name behind its length.
fn read_name(input: &mut impl BufRead, longest: u64, name: &mut Vec<u8>) -> io::Result<()> {
    let length = read_number(input)?;
    read_bytes(input, length, longest, name)
}

fn read_bytes(input: &mut impl BufRead, length: u64, longest: u64, name: &mut Vec<u8>) -> io::Result<()> {
    if length == 0 {
        return Err(invalid("a host in it has no name"));
    }
    if length > longest {
        return Err(invalid(format!("a host in it has {length} bytes, and a line may have {longest}")));
    }
    name.clear();
    // As the bytes arrive: memory is not taken for the length alone.
    if input.by_ref().take(length).read_to_end(name)? as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    match foreign_byte(name) {
        Some(byte) => Err(invalid(format!("a host in it has a byte that no line can hold in one, {byte:#04x}"))),
        None => Ok(()),
    }
}

fn invalid(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::PairWriter;
    use super::*;

    impl PairInput for &[u8] {}

    type Plain = Vec<(Vec<u8>, Vec<u8>, u64)>;

    fn read(bytes: &[u8], longest: u64) -> io::Result<Plain> {
        let (mut reader, mut pairs) = (PairReader::new(bytes, longest), Plain::new());
        while reader.advance()? {
            pairs.push((reader.first.clone(), reader.second.clone(), reader.amount.connections));
        }
        Ok(pairs)
    }

    fn written(pairs: &Plain) -> Vec<u8> {
        let mut writer = PairWriter::new(Vec::new());
        pairs.iter().for_each(|(first, second, count)| writer.push(first, second, *count).unwrap());
        std::mem::take(writer.get_mut())
    }

    proptest! {
        #[test]
        fn what_is_written_in_order_is_read_and_nothing_else(
            pairs in proptest::collection::vec((prop::collection::vec(97u8..100, 0..3), prop::collection::vec(97u8..100, 0..3), 0u64..3), 0..6),
        ) {
            let is_good = pairs.iter().all(|(a, b, count)| !a.is_empty() && !b.is_empty() && *count > 0)
                && pairs.windows(2).all(|two| (&two[0].0, &two[0].1) < (&two[1].0, &two[1].1));
            match read(&written(&pairs), 2) {
                Ok(found) => prop_assert!(is_good && found == pairs),
                Err(error) => prop_assert!(!is_good, "{error}"),
            }
        }

        #[test]
        fn any_bytes_are_pairs_in_order_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(pairs) = read(&bytes, 1_000) {
                // There is one way to write them.
                prop_assert_eq!(written(&pairs), bytes);
            }
        }
    }

    #[test]
    fn g5_a_length_of_exabytes_takes_no_memory() {
        for digits in 5..10 {
            let length = [vec![0xff; digits - 1], vec![1]].concat();
            for bytes in [length.clone(), [&[2, b'a'][..], &length].concat()] {
                let bytes = [&bytes[..], &[b'x'; 50]].concat();
                let error = read(&bytes, u64::MAX).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{error}");
                let error = read(&bytes, 65_536).unwrap_err().to_string();
                assert!(error.ends_with(" bytes, and a line may have 65536"), "{error}");
            }
        }
    }

    #[test]
    fn g5_a_name_that_no_line_can_hold_is_refused() {
        for byte in 0..=255u8 {
            let odd = vec![b'a', byte, b'a'];
            let plain = b"b".to_vec();
            for pair in [(odd.clone(), plain.clone(), 1), (plain, odd, 1)] {
                let found = read(&written(&vec![pair]), 9).map(drop).map_err(|error| error.to_string());
                let said = format!("a host in it has a byte that no line can hold in one, {byte:#04x}");
                assert_eq!(found, if b"\0\n".contains(&byte) { Err(said) } else { Ok(()) });
            }
        }
    }

    #[test]
    fn g5_numbers_have_64_bits_and_one_form() {
        let number = |bytes: &[u8]| read_number(&mut &bytes[..]).map_err(|error| error.to_string());
        let most = [vec![0xff; 9], vec![1]].concat();
        assert_eq!(number(&most), Ok(u64::MAX));
        let too_many = Err("a number in it has more than 64 bits".to_owned());
        assert_eq!(number(&[vec![0xff; 9], vec![2]].concat()), too_many);
        assert_eq!(number(&[vec![0x80; 9], vec![0x7f]].concat()), too_many);
        assert_eq!(number(&[0xff; 11]), too_many);
        assert_eq!(number(&[0x81, 0]), Err("a number in it has idle digits".to_owned()));
        assert_eq!(number(&[0]), Ok(0));
    }

    #[test]
    fn g5_counts_that_wrap_are_refused() {
        let pairs = |last: u64| {
            written(&vec![(b"a".to_vec(), b"b".to_vec(), u64::MAX - 1), (b"a".to_vec(), b"c".to_vec(), last)])
        };
        assert!(read(&pairs(1), 9).is_ok());
        assert!(read(&pairs(2), 9).unwrap_err().to_string().contains("more connections than a number of 64 bits"));
    }

    #[test]
    fn g5_the_first_pair_has_a_first_host() {
        assert!(read(&[0, 1, b'b', 1], 9).is_err());
        assert!(read(&[2, b'a', 1, b'b', 1], 9).is_ok());
    }
}
