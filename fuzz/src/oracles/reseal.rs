//! Files with right checksums around any content: what somebody makes who means harm, or a program
//! with a fault.

use std::hash::Hasher;

use twox_hash::XxHash64;

use super::Draw;

/// Bytes of the payload of a full frame of a tallies file.
const FULL: usize = 64 << 10;

/// The contents of a tallies file: the bytes of its header, of the pairs of both windows, and of
/// its end.
pub struct Tallies {
    pub sections: [Vec<u8>; 4],
}

const KINDS: [u8; 4] = *b"HWBE";

impl Tallies {
    /// Draws the contents: three blocks, and the rest.
    pub fn drawn(draw: &mut Draw<'_>) -> Self {
        let [header, window, before] = [draw.block(), draw.block(), draw.block()];
        Tallies { sections: [header, window, before, draw.rest()].map(<[u8]>::to_vec) }
    }

    /// The contents of a file whose frames are right.
    pub fn of(file: &[u8]) -> Self {
        let (mut sections, mut rest): ([Vec<u8>; 4], _) = (Default::default(), &file[12..]);
        while let [kind, a, b, c, d, tail @ ..] = rest {
            let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            let section = KINDS.iter().position(|known| known == kind).expect("a kind that is known");
            sections[section].extend(&tail[..length]);
            rest = &tail[length + 8..];
        }
        Tallies { sections }
    }

    /// The file.
    pub fn file(&self, format: u32) -> Vec<u8> {
        let mut file = [b"lptally\n", &format.to_le_bytes()[..]].concat();
        let mut number = 0;
        for (kind, section) in KINDS.iter().zip(&self.sections) {
            for payload in section.chunks(FULL) {
                let head = [&[*kind], &(payload.len() as u32).to_le_bytes()[..]].concat();
                let mut hash = XxHash64::with_seed(number);
                hash.write(&head);
                hash.write(payload);
                file.extend([&head[..], payload, &hash.finish().to_le_bytes()].concat());
                number += 1;
            }
        }
        file
    }
}

/// The slot of a saved state that holds this body.
pub fn state(format: u32, sequence: u64, fingerprint: &str, body: &[u8]) -> Vec<u8> {
    let mut head = b"lpstate\n".to_vec();
    head.extend(format.to_le_bytes());
    head.extend(sequence.to_le_bytes());
    head.extend((fingerprint.len() as u32).to_le_bytes());
    head.extend((body.len() as u64).to_le_bytes());
    let mut hash = XxHash64::with_seed(0);
    hash.write(fingerprint.as_bytes());
    hash.write(body);
    hash.write(&head);
    [&head[..], &hash.finish().to_le_bytes(), fingerprint.as_bytes(), body].concat()
}

/// The fingerprint and the body of a slot.
pub fn slot(file: &[u8]) -> (String, Vec<u8>) {
    let length = u32::from_le_bytes([file[20], file[21], file[22], file[23]]) as usize;
    (String::from_utf8(file[40..40 + length].to_vec()).expect("a text"), file[40 + length..].to_vec())
}
