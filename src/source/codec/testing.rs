//! Compresses, for tests: one frame of each form, with the checksums that the programs write.

use std::io::Write;

use super::Form;

/// A frame of a form that holds these bytes.
pub fn packed(form: Form, bytes: &[u8]) -> Vec<u8> {
    match form {
        Form::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        #[cfg(feature = "codecs")]
        Form::Zstd => {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
            encoder.include_checksum(true).unwrap();
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        #[cfg(feature = "codecs")]
        Form::Lz4 => lz4(bytes, lz4_flex::frame::BlockMode::Linked, true),
        #[cfg(feature = "codecs")]
        Form::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(1));
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        #[cfg(feature = "codecs")]
        Form::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
    }
}

/// A frame of lz4 whose blocks refer to each other or do not.
#[cfg(feature = "codecs")]
pub fn lz4(bytes: &[u8], mode: lz4_flex::frame::BlockMode, checksums: bool) -> Vec<u8> {
    use lz4_flex::frame::{BlockSize, FrameEncoder, FrameInfo};
    let info = FrameInfo::new()
        .block_mode(mode)
        .block_size(BlockSize::Max64KB)
        .block_checksums(checksums)
        .content_checksum(true)
        .content_size(checksums.then_some(bytes.len() as u64));
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A frame that holds nothing, of zstd and lz4.
#[cfg(feature = "codecs")]
pub fn skipped(bytes: &[u8]) -> Vec<u8> {
    [&[0x53, 0x2a, 0x4d, 0x18], &(bytes.len() as u32).to_le_bytes()[..], bytes].concat()
}

/// Lines that are not all alike, so that they do not become next to nothing.
pub fn lines(count: u32) -> String {
    let line = |number: u32| {
        let mixed = number.wrapping_mul(2_654_435_761) >> 16;
        format!("{} from-{} to-{}\n", 1_700_000_000 + number, mixed % 1000, mixed % 7)
    };
    (0..count).map(line).collect()
}
