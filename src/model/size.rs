//! Sizes and large numbers as people write them: `64KiB`, `256 MB`, `0.5GiB`; `1k`, `2M`, `1_000`.
//!
//! Not here: how large they may be. Invariant: what is read is exact; a size that is not a whole
//! number of bytes is refused.

/// Bytes of units, in small letters. A letter alone is a unit of 1024, as for most programs that
/// take one.
const UNITS: [(&str, u64); 21] = [
    ("", 1),
    ("b", 1),
    ("byte", 1),
    ("bytes", 1),
    ("k", 1 << 10),
    ("ki", 1 << 10),
    ("kib", 1 << 10),
    ("kb", 1_000),
    ("m", 1 << 20),
    ("mi", 1 << 20),
    ("mib", 1 << 20),
    ("mb", 1_000_000),
    ("g", 1 << 30),
    ("gi", 1 << 30),
    ("gib", 1 << 30),
    ("gb", 1_000_000_000),
    ("t", 1 << 40),
    ("ti", 1 << 40),
    ("tib", 1 << 40),
    ("tb", 1_000_000_000_000),
    ("pib", 1 << 50),
];

/// The bytes that a text means, whatever the case of its unit; `None` if it is not a size.
pub fn read(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let unit = text[end..].trim().to_ascii_lowercase();
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = text[..end].split_once('.').unwrap_or((&text[..end], "0"));
    // More digits than any size needs.
    if whole.is_empty() || fraction.is_empty() || fraction.len() > 18 {
        return None;
    }
    let parts = u128::from(fraction.parse::<u64>().ok()?) * u128::from(*factor);
    let of = 10u128.pow(u32::try_from(fraction.len()).ok()?);
    let whole = u128::from(whole.parse::<u64>().ok()?).checked_mul(u128::from(*factor))?;
    (parts % of == 0).then(|| u64::try_from(whole + parts / of).ok())?
}

/// The whole number that a text means: `1000`, `1_000`, `1k`, `2M` or `1G`.
pub fn number(text: &str) -> Option<u64> {
    let (digits, factor) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 1_000),
        b'm' | b'M' => (&text[..text.len() - 1], 1_000_000),
        b'g' | b'G' => (&text[..text.len() - 1], 1_000_000_000),
        _ => (text, 1),
    };
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit()) && digits.ends_with(|c: char| c.is_ascii_digit());
    digits.replace('_', "").parse::<u64>().ok().filter(|_| is_number)?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_read_in_any_spelling() {
        for (text, bytes) in [
            ("100", 100),
            ("64KiB", 65_536),
            ("64kib", 65_536),
            ("256k", 262_144),
            ("256K", 262_144),
            ("1 MB", 1_000_000),
            ("1mb", 1_000_000),
            ("256mib", 256 << 20),
            ("256 MiB", 256 << 20),
            ("0.5GiB", 512 << 20),
            ("1.5kB", 1_500),
            ("0.001kB", 1),
            ("2T", 2 << 40),
            ("7 bytes", 7),
        ] {
            assert_eq!(read(text), Some(bytes), "{text}");
        }
        for none in
            ["", "KiB", "1 furlong", ".5M", "5.M", "0.1KiB", "1.5", "-1", "1e3", "1,5M", "1 2M", "99999999999GiB"]
        {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn numbers_may_be_written_short() {
        for (text, number) in
            [("0", 0), ("1000", 1_000), ("1k", 1_000), ("2M", 2_000_000), ("1_000", 1_000), ("3g", 3_000_000_000)]
        {
            assert_eq!(self::number(text), Some(number), "{text}");
        }
        for none in ["", "k", "_1", "1_", "1.5k", "-1", "+1", "1kb", "18446744073709551615k"] {
            assert_eq!(self::number(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn a_size_is_what_its_number_and_unit_make(number in 0u64..1 << 12, unit in 0usize..UNITS.len(), capital: bool) {
            let (name, factor) = UNITS[unit];
            let name = if capital { name.to_uppercase() } else { name.to_owned() };
            prop_assert_eq!(read(&format!("{number} {name}")), Some(number * factor));
        }

        #[test]
        fn any_text_is_looked_at_without_panic(text in "[0-9._ kKmMgGbBiä]{0,12}") {
            let _ = (read(&text), number(&text));
        }
    }
}
