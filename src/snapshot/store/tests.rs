//! Tests of the store on real files: every cut and every flipped bit of a small state, and what may
//! stand in its place.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use proptest::prelude::*;

use super::*;

const FINGERPRINT: &str = "seconds = 3600\nperiod = 60\n";

/// A directory for a state.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }

    fn dir(&self) -> &Path {
        self.0.path()
    }

    fn slot(&self, number: usize) -> PathBuf {
        self.dir().join(NAMES[number])
    }

    /// Names of all files but the lock.
    fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.dir()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name != "lock").collect();
        names.sort();
        names
    }

    /// A store that has loaded what there is.
    fn store(&self) -> Store {
        let mut store = Store::open(self.dir()).unwrap();
        store.load(FINGERPRINT).unwrap();
        store
    }

    fn load(&self) -> Result<Option<Loaded>> {
        Store::open(self.dir()).unwrap().load(FINGERPRINT)
    }

    /// The value that a start would go on from, and the warning.
    fn value(&self) -> Result<Option<(String, Option<String>)>> {
        let Some(mut loaded) = self.load()? else { return Ok(None) };
        let value = loaded.read(|decoder| decoder.get())?;
        Ok(Some((value, loaded.warning)))
    }
}

fn save(store: &mut Store, value: &str) -> io::Result<SavedSlot> {
    store.save(FORMAT, FINGERPRINT, &mut |encoder| encoder.put(value))
}

/// A place with these values saved one after the other.
fn saved(values: &[&str]) -> Place {
    let place = Place::new();
    let mut store = place.store();
    for value in values {
        save(&mut store, value).unwrap();
    }
    place
}

fn refused(place: &Place) -> String {
    let error = place.value().unwrap_err();
    assert_eq!(error.exit_code(), 4);
    error.to_string()
}

#[test]
fn the_slots_take_turns_and_the_newest_is_loaded() {
    let place = Place::new();
    assert!(place.load().unwrap().is_none());
    for round in 1..=5u64 {
        let mut store = place.store();
        let written = save(&mut store, &format!("value {round}")).unwrap();
        assert_eq!(written.sequence, round);
        drop(store);
        assert_eq!(place.value().unwrap(), Some((format!("value {round}"), None)));
        let loaded = place.load().unwrap().unwrap();
        assert_eq!((loaded.sequence, loaded.bytes), (round, written.bytes));
        assert_eq!(loaded.path, place.slot((round as usize + 1) % 2));
        assert_eq!(fs::metadata(&loaded.path).unwrap().len(), written.bytes);
        assert_eq!(loaded.fingerprint, FINGERPRINT);
    }
    assert_eq!(place.files(), NAMES);
}

#[test]
fn a_state_that_was_not_loaded_is_not_overwritten() {
    let place = saved(&["one"]);
    let mut store = Store::open(place.dir()).unwrap();
    assert_eq!(save(&mut store, "two").unwrap_err().kind(), io::ErrorKind::InvalidInput);
    store.load("seconds = 1\n").unwrap_err();
    assert_eq!(save(&mut store, "two").unwrap_err().kind(), io::ErrorKind::InvalidInput);
    drop(store);
    assert_eq!(place.value().unwrap().unwrap().0, "one");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_loaded_is_what_was_saved(
        snapshots in proptest::collection::vec(any::<Vec<(String, u64, Option<i32>)>>(), 1..4),
        fingerprint in "([a-z]{1,9} = [ -~]{0,9}\n){0,4}",
    ) {
        let place = Place::new();
        for snapshot in &snapshots {
            let mut store = Store::open(place.dir()).unwrap();
            store.load(&fingerprint).unwrap();
            store.save(FORMAT, &fingerprint, &mut |encoder| {
                encoder.put(&snapshot.len())?;
                snapshot.iter().try_for_each(|row| encoder.put(row))
            }).unwrap();
        }
        let mut loaded = Store::open(place.dir()).unwrap().load(&fingerprint).unwrap().unwrap();
        let rows = loaded.read(|decoder| {
            let length: usize = decoder.get()?;
            (0..length).map(|_| decoder.get()).collect::<io::Result<Vec<(String, u64, Option<i32>)>>>()
        });
        prop_assert_eq!(&rows.unwrap(), snapshots.last().unwrap());
        prop_assert_eq!(loaded.sequence, snapshots.len() as u64);
    }
}

#[test]
fn d10_a_state_cut_at_any_length_is_refused() {
    let place = saved(&["only"]);
    let whole = fs::read(place.slot(0)).unwrap();
    for length in 0..whole.len() {
        fs::write(place.slot(0), &whole[..length]).unwrap();
        let said = refused(&place);
        assert!(said.contains("state.0: it ") && said.contains("logparser state reset --state"), "{length}: {said}");
    }
}

#[test]
fn d10_where_the_newer_slot_is_cut_the_older_one_is_used_and_said_so() {
    let place = saved(&["older", "newer"]);
    let whole = fs::read(place.slot(1)).unwrap();
    for length in 0..whole.len() {
        fs::write(place.slot(1), &whole[..length]).unwrap();
        let (value, warning) = place.value().unwrap().unwrap();
        assert_eq!(value, "older");
        let warning = warning.unwrap();
        assert!(warning.contains("state.1: it ") && warning.contains("going on from"), "{length}: {warning}");
    }
    // The damaged one is the one that is written next, and then all is well.
    save(&mut place.store(), "newest").unwrap();
    assert_eq!(place.value().unwrap(), Some(("newest".to_owned(), None)));
}

#[test]
fn d10_bytes_behind_the_end_are_refused() {
    let place = saved(&["older", "newer"]);
    for slot in [1, 0] {
        let mut longer = fs::read(place.slot(slot)).unwrap();
        longer.push(0);
        fs::write(place.slot(slot), longer).unwrap();
        if slot == 1 {
            assert_eq!(place.value().unwrap().unwrap().0, "older");
        }
    }
    assert!(refused(&place).contains("and its header says"));
}

#[test]
fn d11_every_flipped_bit_is_detected() {
    let older = "o".repeat(4_000);
    let newer = "n".repeat(4_000);
    for (slot, left) in [(1, &older), (0, &newer)] {
        let place = saved(&[&older, &newer]);
        let mut bytes = fs::read(place.slot(slot)).unwrap();
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(place.slot(slot), &bytes).unwrap();
            let mut loaded = peek(place.dir()).unwrap().unwrap();
            assert_eq!(&loaded.read(|decoder| decoder.get::<String>()).unwrap(), left, "bit {bit}");
            assert!(loaded.warning.is_some(), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        fs::write(place.slot(slot), &bytes).unwrap();
        assert_eq!(place.value().unwrap(), Some((newer.clone(), None)));
    }
}

#[test]
fn d11_a_flipped_bit_in_the_only_slot_is_an_error() {
    let place = saved(&["only"]);
    let mut bytes = fs::read(place.slot(0)).unwrap();
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(place.slot(0), &bytes).unwrap();
        refused(&place);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn d12_another_configuration_is_refused_by_its_keys() {
    let place = saved(&["value"]);
    let mut store = Store::open(place.dir()).unwrap();
    let said = store.load("seconds = 1800\nperiod = 60\n").unwrap_err().to_string();
    assert!(said.contains("state.0: it was saved with another configuration (seconds: 3600 then, 1800 now)"), "{said}");
    // It is as it was for the configuration that it belongs to.
    assert!(store.load(FINGERPRINT).unwrap().is_some());
}

#[test]
fn d12_another_format_is_refused_even_where_an_older_slot_would_do() {
    let place = saved(&["older", "newer"]);
    // As a later version would write it: the checksum is right, the number is another.
    let mut bytes = fs::read(place.slot(1)).unwrap();
    bytes[8..12].copy_from_slice(&(FORMAT + 1).to_le_bytes());
    let mut covered = bytes[40..].to_vec();
    covered.extend(&bytes[..32]);
    bytes[32..40].copy_from_slice(&twox_hash::XxHash64::oneshot(0, &covered).to_le_bytes());
    fs::write(place.slot(1), bytes).unwrap();
    assert!(
        refused(&place).contains("state.1: it is a state of format 4, of a newer logparser"),
        "{}",
        refused(&place)
    );
}

#[test]
fn d12_a_foreign_file_is_refused_and_left_alone() {
    for foreign in [&b""[..], &[0; 5_000], b"#!/bin/sh\necho not a state at all, but long enough to be one\n"] {
        let place = Place::new();
        fs::write(place.slot(0), foreign).unwrap();
        refused(&place);
        assert_eq!(fs::read(place.slot(0)).unwrap(), foreign);
    }
}

#[test]
fn d13_a_body_that_decodes_to_too_little_or_too_much_is_an_error() {
    let place = Place::new();
    let mut store = place.store();
    store.save(FORMAT, FINGERPRINT, &mut |encoder| encoder.put(&7u8).and_then(|()| encoder.put(&8u8))).unwrap();
    let mut loaded = store.load(FINGERPRINT).unwrap().unwrap();
    assert!(
        loaded.read(|decoder| decoder.get::<u8>()).unwrap_err().to_string().contains("1 bytes of it are left over")
    );
    assert!(loaded.read(|decoder| decoder.get::<[u8; 3]>()).unwrap_err().to_string().contains("ends within a value"));
    assert_eq!(loaded.read(|decoder| decoder.get::<[u8; 2]>()).unwrap(), [7, 8]);
}

#[test]
fn d14_where_both_slots_are_bad_nothing_starts_from_zero() {
    let place = saved(&["older", "newer"]);
    for slot in [0, 1] {
        let length = fs::metadata(place.slot(slot)).unwrap().len();
        fs::File::options().write(true).open(place.slot(slot)).unwrap().set_len(length - 1).unwrap();
    }
    let said = refused(&place);
    assert!(said.contains("state.0: it has") && said.contains("state.1: it has"), "{said}");
    // Nor where one of them is gone.
    fs::remove_file(place.slot(0)).unwrap();
    assert!(refused(&place).contains("state.0: it is missing"));
    assert_eq!(reset(place.dir()).unwrap(), [place.slot(1)]);
    assert!(place.load().unwrap().is_none());
}

#[test]
fn d14_a_slot_that_vanished_is_told() {
    let place = saved(&["older", "newer"]);
    fs::remove_file(place.slot(1)).unwrap();
    let (value, warning) = place.value().unwrap().unwrap();
    assert_eq!(value, "older");
    assert!(warning.unwrap_or_default().is_empty(), "the first snapshot may be alone");
    fs::remove_file(place.slot(0)).unwrap();
    let place = saved(&["1", "2", "3"]);
    fs::remove_file(place.slot(1)).unwrap();
    assert!(place.value().unwrap().unwrap().1.unwrap().contains("state.1: it is missing; going on from"));
}

#[test]
fn d15_stale_temporary_files_are_ignored_and_removed() {
    let place = saved(&["value"]);
    let whole = fs::read(place.slot(0)).unwrap();
    for name in ["state.tmp", "state.tmp.0", "state.tmpXYZ"] {
        fs::write(place.dir().join(name), &whole).unwrap();
    }
    fs::write(place.dir().join("notes"), "not ours").unwrap();
    assert_eq!(place.value().unwrap().unwrap().0, "value");
    assert_eq!(place.files(), ["notes", "state.0"]);
}

#[test]
fn s13_links_in_the_place_of_files_are_not_followed() {
    let place = saved(&["one"]);
    let victim = place.dir().join("victim");
    fs::write(&victim, "text").unwrap();
    let mut store = place.store();
    // Put there after the start, so that they are met by the save.
    for number in 0..3 {
        symlink(&victim, place.dir().join(format!("state.tmp.{number}"))).unwrap();
    }
    symlink(&victim, place.slot(1)).unwrap();
    save(&mut store, "two").unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"text");
    assert!(fs::symlink_metadata(place.slot(1)).unwrap().is_file());
    assert_eq!(fs::metadata(place.slot(1)).unwrap().permissions().mode() & 0o777, 0o600);
    drop(store);
    assert_eq!(place.value().unwrap().unwrap().0, "two");
    assert_eq!(place.files(), ["state.0", "state.1", "victim"]);
    fs::remove_file(place.slot(1)).unwrap();
    symlink(place.slot(0), place.slot(1)).unwrap();
    assert!(place.value().unwrap().unwrap().1.unwrap().contains("it is a symbolic link"));
}

#[test]
fn d5_a_save_that_fails_leaves_both_slots_and_no_file_behind() {
    let place = saved(&["older", "newer"]);
    let before = NAMES.map(|name| fs::read(place.dir().join(name)).unwrap());
    let mut store = place.store();
    let failed = store.save(FORMAT, FINGERPRINT, &mut |encoder| {
        encoder.put(&"x".repeat(1 << 20))?;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    });
    assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(place.files(), NAMES);
    assert_eq!(NAMES.map(|name| fs::read(place.dir().join(name)).unwrap()), before);
    assert_eq!(save(&mut store, "newest").unwrap().sequence, 3);
}

#[test]
fn d8_a_rename_that_fails_can_be_made_up_for() {
    let place = saved(&["older", "newer"]);
    let mut store = place.store();
    // No file is ever renamed over a directory.
    fs::rename(place.slot(0), place.dir().join("aside")).unwrap();
    fs::create_dir(place.slot(0)).unwrap();
    for _ in 0..3 {
        let said = save(&mut store, "newest").unwrap_err().to_string();
        assert!(said.contains("state.0: cannot replace: Is a directory"), "{said}");
        assert_eq!(place.files(), ["aside", "state.0", "state.1"]);
    }
    fs::remove_dir(place.slot(0)).unwrap();
    assert_eq!(save(&mut store, "newest").unwrap().sequence, 3);
    drop(store);
    assert_eq!(place.value().unwrap().unwrap().0, "newest");
}

#[test]
fn d9_a_directory_that_is_removed_fails_each_save_and_is_not_made_again() {
    let place = Place::new();
    let dir = place.dir().join("below");
    let mut store = Store::open(&dir).unwrap();
    store.load(FINGERPRINT).unwrap();
    save(&mut store, "one").unwrap();
    fs::remove_dir_all(&dir).unwrap();
    for _ in 0..3 {
        let error = save(&mut store, "two").unwrap_err();
        assert!(error.to_string().contains("the state directory or its lock was removed"), "{error}");
        assert!(!dir.exists());
    }
    // Another process may have begun in a directory of the same name.
    fs::create_dir(&dir).unwrap();
    let mut other = Store::open(&dir).unwrap();
    other.load(FINGERPRINT).unwrap();
    save(&mut other, "theirs").unwrap();
    assert!(save(&mut store, "two").unwrap_err().to_string().contains("was replaced"));
    drop(store);
    assert_eq!(save(&mut other, "theirs again").unwrap().sequence, 2);
}

#[test]
fn d17_a_reset_waits_for_nobody_and_takes_nothing_from_a_running_one() {
    let place = saved(&["value"]);
    let store = place.store();
    let started = std::time::Instant::now();
    let said = reset(place.dir()).unwrap_err().to_string();
    assert!(said.contains(&format!("in use by process {}", std::process::id())), "{said}");
    assert!(started.elapsed() < std::time::Duration::from_secs(1));
    drop(store);
    assert_eq!(reset(place.dir()).unwrap(), [place.slot(0)]);
    assert!(reset(&place.dir().join("nowhere")).unwrap_err().to_string().contains("no such directory"));
}

#[test]
fn both_slots_can_be_inspected_while_one_is_in_use() {
    let place = saved(&["one", "two"]);
    let _store = place.store();
    fs::write(place.slot(0), "damaged by hand").unwrap();
    let [first, second] = inspect(place.dir());
    assert!(matches!(first.content, SlotContent::Damaged { .. }));
    assert_eq!(
        second.content,
        SlotContent::Valid { version: FORMAT, sequence: 2, fingerprint: FINGERPRINT.to_owned() }
    );
    assert_eq!((second.path, second.bytes), (place.slot(1), fs::metadata(place.slot(1)).unwrap().len()));
    assert!(second.saved_at.is_some());
}
