//! The forms that are decompressed here, and the memory that decompressing takes by what a frame
//! says at its start.
//!
//! Invariant: what a frame says is a claim: it is held against a limit before anything is
//! allocated.

/// The largest window of a frame, as a power of two: 128 MiB, as the programs themselves have it.
const WINDOW_LOG: u32 = 27;

/// The most bytes of memory that decompressing one input may take: a window, and what is beside it.
pub const MOST_MEMORY: u64 = (1 << WINDOW_LOG) + BESIDE;

/// About the bytes that a decoder takes beside its window.
const BESIDE: u64 = 1 << 20;

/// Bytes at the start of a frame that say how much memory it takes.
pub const HEAD_BYTES: usize = 64;

/// A form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// gzip: members.
    Gzip,
    /// zstd: frames.
    #[cfg(feature = "codecs")]
    Zstd,
    /// lz4: frames.
    #[cfg(feature = "codecs")]
    Lz4,
    /// bzip2: streams.
    #[cfg(feature = "codecs")]
    Bzip2,
    /// xz: streams.
    #[cfg(feature = "codecs")]
    Xz,
}

impl Form {
    /// All of them.
    pub const ALL: &[Form] = &[
        Form::Gzip,
        #[cfg(feature = "codecs")]
        Form::Zstd,
        #[cfg(feature = "codecs")]
        Form::Lz4,
        #[cfg(feature = "codecs")]
        Form::Bzip2,
        #[cfg(feature = "codecs")]
        Form::Xz,
    ];

    /// The one of this name.
    pub fn named(name: &str) -> Option<Form> {
        Form::ALL.iter().copied().find(|form| form.name() == name)
    }

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Form::Gzip => "gzip",
            #[cfg(feature = "codecs")]
            Form::Zstd => "zstd",
            #[cfg(feature = "codecs")]
            Form::Lz4 => "lz4",
            #[cfg(feature = "codecs")]
            Form::Bzip2 => "bzip2",
            #[cfg(feature = "codecs")]
            Form::Xz => "xz",
        }
    }

    /// The command that decompresses what takes more memory than there may be here.
    pub const fn by_hand(self) -> &'static str {
        match self {
            Form::Gzip => "zcat",
            #[cfg(feature = "codecs")]
            Form::Zstd => "zstd -dc --long=31",
            #[cfg(feature = "codecs")]
            Form::Lz4 => "lz4 -dc",
            #[cfg(feature = "codecs")]
            Form::Bzip2 => "bzcat",
            #[cfg(feature = "codecs")]
            Form::Xz => "xz -dc",
        }
    }

    /// About the bytes of memory that decompressing takes of what begins so; the most that there
    /// may be if its beginning does not say.
    pub fn memory(self, head: &[u8]) -> u64 {
        self.claimed(head).unwrap_or(MOST_MEMORY)
    }

    /// The same; `None` if its beginning does not say, or not yet.
    pub(super) fn claimed(self, head: &[u8]) -> Option<u64> {
        let _ = head;
        match self {
            Form::Gzip => Some(64 << 10),
            #[cfg(feature = "codecs")]
            Form::Zstd => zstd_window(head).map(|window| window.saturating_add(BESIDE)),
            #[cfg(feature = "codecs")]
            Form::Lz4 => {
                let block = lz4_block(*head.get(5)?)?;
                // One as it is compressed, one as it is decompressed, and the window.
                Some(2 * block as u64 + (64 << 10))
            }
            #[cfg(feature = "codecs")]
            Form::Bzip2 => Some(4 << 20),
            #[cfg(feature = "codecs")]
            Form::Xz => xz_window(head).map(|window| window.saturating_add(BESIDE)),
        }
    }
}

/// The largest window that so many bytes of memory allow, as a power of two.
#[cfg(feature = "codecs")]
pub(super) fn window_log(most: u64) -> u32 {
    // What the limit was made of is rounded up: it may be the window of a frame that is between.
    most.saturating_sub(BESIDE).max(1 << 10).next_power_of_two().ilog2().clamp(10, WINDOW_LOG)
}

/// The window of a frame of zstd.
#[cfg(feature = "codecs")]
fn zstd_window(head: &[u8]) -> Option<u64> {
    // What begins with a frame that holds nothing says nothing of those that follow.
    let (&descriptor, rest) = head.strip_prefix(b"\x28\xb5\x2f\xfd")?.split_first()?;
    if descriptor & 0x20 == 0 {
        let &byte = rest.first()?;
        let base = 1u64 << (10 + (byte >> 3));
        return Some(base + base / 8 * u64::from(byte & 7));
    }
    // The frame is one segment: its window is all of it.
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let length = [1, 2, 4, 8][usize::from(descriptor >> 6)];
    let mut bytes = [0; 8];
    bytes[..length].copy_from_slice(rest.get(dictionary..dictionary + length)?);
    Some(u64::from_le_bytes(bytes) + if length == 2 { 256 } else { 0 })
}

/// The most bytes of a block of lz4, by the byte of the header that says so.
#[cfg(feature = "codecs")]
pub(super) fn lz4_block(descriptor: u8) -> Option<usize> {
    match descriptor >> 4 & 7 {
        4 => Some(64 << 10),
        5 => Some(256 << 10),
        6 => Some(1 << 20),
        7 => Some(4 << 20),
        _ => None,
    }
}

/// The window of the first block of a stream of xz.
#[cfg(feature = "codecs")]
fn xz_window(head: &[u8]) -> Option<u64> {
    /// Bytes of the header of a stream.
    const HEADER: usize = 12;
    /// The filter that has a window.
    const LZMA2: u64 = 0x21;
    let block = head.get(HEADER..)?;
    // A stream without blocks has its index here.
    if *block.first()? == 0 {
        return Some(0);
    }
    let &flags = block.get(1)?;
    let mut rest = block.get(2..)?;
    for flag in [0x40, 0x80] {
        if flags & flag != 0 {
            varint(&mut rest)?;
        }
    }
    for _ in 0..=flags & 3 {
        let (filter, length) = (varint(&mut rest)?, varint(&mut rest)?);
        let properties = rest.split_off(..usize::try_from(length).ok()?)?;
        if filter == LZMA2 {
            let bits = u32::from(*properties.first()? & 0x3f);
            return match bits {
                0..40 => Some(u64::from(2 | (bits & 1)) << (bits / 2 + 11)),
                40 => Some(u64::from(u32::MAX)),
                _ => None,
            };
        }
    }
    None
}

/// A number of several bytes, seven bits in each.
#[cfg(feature = "codecs")]
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for at in 0..9 {
        let byte = *bytes.split_off_first()?;
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
