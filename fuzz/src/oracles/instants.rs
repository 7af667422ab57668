//! Instants and lengths of time: what is printed is read back as the same, whatever it was written
//! as.

use logparser::Timestamp;
use logparser::internals::model::Moment;
use logparser::internals::options::{Instant, Kind, Raw, Value};

const KIND: Kind = Kind::Instant(&["now", "latest"]);

fn read(text: &str) -> Option<Timestamp> {
    match KIND.parse(&Raw::Text(text.to_owned())) {
        Ok(Value::Instant(Instant::At(Moment::At(time)))) => Some(time),
        Ok(Value::Instant(_)) | Err(_) => None,
        Ok(other) => panic!("an instant is {other:?}"),
    }
}

/// Both ways in which outputs print an instant.
fn is_read_back(time: Timestamp) {
    for text in [time.to_string(), time.unix_decimal()] {
        assert_eq!(read(&text), Some(time), "{text}");
    }
}

pub fn run(data: &[u8]) {
    if let Some(bytes) = data.first_chunk() {
        // Small numbers as well as large ones.
        let nanos = i64::from_le_bytes(*bytes) >> (data.get(8).copied().unwrap_or(0) % 64);
        is_read_back(Timestamp::from_nanos(nanos));
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(time) = read(text) {
        is_read_back(time);
    }
    if let Ok(value) = Kind::DurationOrZero.parse(&Raw::Text(text.to_owned())) {
        let Value::Nanos(nanos) = value else { panic!("a length of time is {value:?}") };
        assert!(nanos >= 0, "{text}");
        let again = Kind::DurationOrZero.parse(&Raw::Text(format!("{nanos}ns")));
        assert_eq!(again, Ok(Value::Nanos(nanos)), "{text}");
        assert_eq!(Kind::Duration.parse(&Raw::Text(text.to_owned())).is_ok(), nanos > 0, "{text}");
    }
    if let Ok(value) = Kind::Bytes(0, u64::MAX).parse(&Raw::Text(text.to_owned())) {
        let Value::Count(bytes) = value else { panic!("a size is {value:?}") };
        assert_eq!(Kind::Bytes(0, u64::MAX).parse(&Raw::Text(bytes.to_string())), Ok(Value::Count(bytes)), "{text}");
    }
}
