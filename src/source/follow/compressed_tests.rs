//! Compressed copies of what is followed: which are passed over in silence, and what others show to
//! be lost.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::testing::{SECOND, World, lines};
use super::unpack::AT_ONCE;

fn packed(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn unread(world: &World) -> usize {
    world.warnings.iter().filter(|text| text.contains("is compressed (gzip) and was not read")).count()
}

/// The losses that were told: bytes from, to, whether nobody knows how much more, and whether it is
/// said how to count them.
fn losses(world: &mut World) -> Vec<(u64, u64, bool, bool)> {
    world.count(usize::MAX);
    let losses = world.counted.values().flat_map(|counted| &counted.losses);
    losses.map(|loss| (loss.from, loss.to, loss.open_ended, loss.remedy.is_some())).collect()
}

fn size(numbers: std::ops::Range<u32>) -> u64 {
    lines(numbers).len() as u64
}

#[test]
fn of_a_compressed_copy_of_what_was_counted_nothing_is_said_and_of_others_it_is() {
    let whole = packed(lines(0..500));
    let several = [packed(lines(0..200)), packed(lines(200..500))].concat();
    for (copy, said) in [
        (whole.clone(), 0),
        (several, 0),
        // One that was made before all was written.
        (packed(lines(0..499)), 0),
        // It begins or goes on otherwise, or is cut short.
        (packed(lines(1..500)), 1),
        (packed([lines(0..400), lines(600..900)].concat()), 1),
        (whole[..whole.len() - 9].to_vec(), 1),
    ] {
        let mut world = World::new();
        world.append("a.log", lines(0..500));
        world.pass(3);
        world.append("a.log.gz", &copy[..20]);
        world.pass(1);
        world.append("a.log.gz", &copy[20..]);
        world.remove("a.log");
        world.pass(12);
        assert_eq!((unread(&world), world.lines().len()), (said, 500), "{:?}", world.warnings);
        assert_eq!(losses(&mut world), []);
        // What is known of it is known after a start, and long after its original is forgotten.
        for _ in 0..3 {
            world.stop_and_start();
            world.pass(12);
            world.pass(700);
        }
        assert_eq!((world.warnings.len(), losses(&mut world)), (4 * said, vec![]), "{:?}", world.warnings);
    }
}

#[test]
fn a_run_that_is_stopped_early_says_what_it_has_not_read() {
    let mut world = World::new();
    world.append("a.log", lines(0..10));
    world.pass(2);
    world.append("b.log.gz", packed(lines(20..30)));
    world.pass(2);
    assert_eq!(unread(&world), 0);
    world.stop_and_start();
    assert_eq!(unread(&world), 1, "{:?}", world.warnings);
}

#[test]
fn of_a_file_that_is_compressed_right_before_a_stop_nothing_is_lost_and_nothing_is_said() {
    for (renamed, seconds) in [(true, 0), (true, 1), (true, 4), (false, 0), (false, 1), (false, 4)] {
        let mut world = World::new();
        world.append("a.log", lines(0..100));
        world.pass(2);
        let name = if renamed { "a.log.1" } else { "a.log" };
        if renamed {
            world.rename("a.log", name);
            world.append("a.log", lines(100..110));
            world.pass(6);
        }
        world.append("a.log.1.gz", packed(lines(0..100)));
        world.remove(name);
        world.scan();
        world.pass(seconds);
        for _ in 0..2 {
            world.stop_and_start();
            world.pass(20);
        }
        assert_eq!(
            (losses(&mut world), world.warnings.len()),
            (vec![], 0),
            "{renamed}, {seconds} s: {:?}",
            world.warnings
        );
    }
}

/// A log that goes on while nobody runs, and is compressed then.
fn compressed_while_stopped(copy: impl AsRef<[u8]>) -> World {
    let mut world = World::new();
    world.append("a.log", lines(0..100));
    world.pass(2);
    world.stop_and_start();
    world.append("a.log", lines(100..140));
    world.remove("a.log");
    world.append("a.log.1.gz", packed(copy));
    world
}

#[test]
fn what_a_compressed_copy_has_beyond_what_was_counted_is_told_once_exactly_and_how_to_count_it() {
    let (counted, whole) = (size(0..100), size(0..140));
    for seconds in [0, 1, 2, 3, 12] {
        let mut world = compressed_while_stopped(lines(0..140));
        world.scan();
        world.pass(seconds);
        world.stop_and_start();
        for _ in 0..2 {
            world.pass(12);
            world.stop_and_start();
        }
        assert_eq!(losses(&mut world), [(counted, whole, false, true)], "after {seconds} s");
        assert_eq!((world.warnings.len(), world.lines().len()), (0, 100), "{:?}", world.warnings);
        let remedy = world.counted.values().flat_map(|counted| &counted.losses).find_map(|loss| loss.remedy.clone());
        let command = format!("/in/a.log.1.gz | tail -c +{} | logparser -", counted + 1);
        assert!(remedy.as_ref().is_some_and(|text| text.ends_with(&command)), "{remedy:?}");
    }
}

#[test]
fn a_copy_of_exactly_what_was_counted_shows_that_nothing_is_lost_also_if_it_was_made_while_nobody_ran() {
    for (seconds, at_once) in [(0, AT_ONCE), (1, AT_ONCE), (2, AT_ONCE), (3, AT_ONCE), (12, AT_ONCE), (30, 1)] {
        let mut world = World::with(|options| options.chunk = 1 << 20);
        world.append("a.log", lines(0..20_000));
        world.pass(2);
        world.rename("a.log", "a.log.1");
        world.append("a.log", lines(20_000..40_000));
        world.pass(2);
        world.stop_and_start();
        for (from, to) in [("a.log.1", "a.log.2.gz"), ("a.log", "a.log.gz")] {
            world.append(to, packed(std::fs::read(world.path(from)).unwrap()));
            world.remove(from);
        }
        world.append("a.log", lines(50_000..50_010));
        // So little at a time that it takes longer than a file that is gone is waited for.
        world.follower.at_once = at_once;
        for _ in 0..=seconds {
            world.scan();
            world.drain();
            world.now += SECOND;
        }
        for _ in 0..3 {
            world.stop_and_start();
            world.pass(12);
        }
        assert_eq!((losses(&mut world), world.warnings.len()), (vec![], 0), "{seconds} s: {:?}", world.warnings);
        assert_eq!(world.lines().len(), 40_010);
    }
}

#[test]
fn a_copy_of_other_bytes_that_are_as_many_shows_nothing() {
    let mut world = compressed_while_stopped(lines(0..60) + &lines(61..100) + &lines(60..61));
    world.pass(12);
    assert_eq!(losses(&mut world), [(size(0..100), size(0..100), true, false)]);
}

#[test]
fn a_copy_of_what_was_counted_before_a_truncation_shows_that_nothing_is_lost() {
    for copy in [false, true] {
        let mut world = World::new();
        world.append("a.log", lines(0..100));
        world.pass(2);
        world.stop_and_start();
        if copy {
            world.append("a.log.1.gz", packed(lines(0..100)));
        }
        world.truncate("a.log");
        world.append("a.log", lines(500..510));
        world.pass(12);
        assert_eq!((losses(&mut world).len(), world.lines().len()), (usize::from(!copy), 110));
    }
}

#[test]
fn a_copy_that_does_not_go_on_where_counting_ended_is_not_taken_for_the_rest() {
    let counted = size(0..100);
    for other in [lines(0..90) + &lines(300..400), lines(500..700)] {
        let mut world = compressed_while_stopped(other);
        world.pass(12);
        assert_eq!(losses(&mut world), [(counted, counted, true, false)]);
        assert_eq!(unread(&world), 1, "{:?}", world.warnings);
    }
}

#[test]
fn a_copy_that_comes_after_the_loss_was_told_says_only_where_the_bytes_are() {
    let mut world = compressed_while_stopped(lines(0..140));
    std::fs::rename(world.path("a.log.1.gz"), world.path("out/a")).unwrap();
    world.pass(12);
    let counted = size(0..100);
    assert_eq!(losses(&mut world), [(counted, counted, true, false)]);
    world.rename("out/a", "a.log.1.gz");
    world.pass(3);
    assert_eq!(losses(&mut world).len(), 1);
    let [said] = &world.warnings[..] else { panic!("{:?}", world.warnings) };
    let holds = format!("a.log.1.gz: holds bytes {counted} to {} of ", size(0..140));
    assert!(said.contains(&holds) && said.contains("; count them with: zcat < "), "{said}");
    world.stop_and_start();
    world.pass(12);
    assert_eq!((world.warnings.len(), losses(&mut world).len()), (1, 1));
}

#[test]
fn what_is_there_is_read_on_and_its_copy_is_waited_with() {
    let mut world = World::new();
    world.append("a.log", lines(0..100) + "0000100 fr");
    world.pass(2);
    world.append("a.log.gz", packed(lines(0..100) + "0000100 fr"));
    world.pass(12);
    world.stop_and_start();
    world.pass(12);
    assert_eq!((world.warnings.len(), losses(&mut world)), (0, vec![]), "{:?}", world.warnings);
    world.append("a.log", "om-100 to-2\n");
    world.pass(3);
    world.remove("a.log");
    world.pass(12);
    assert_eq!((world.warnings.len(), world.lines().len()), (0, 101), "{:?}", world.warnings);
}

#[test]
fn a_copy_is_passed_over_in_a_saved_state_only_once_what_it_holds_is_counted_there() {
    let mut world = World::new();
    world.append("a.log", lines(0..100));
    world.pass(2);
    let early = world.saved();
    world.count(usize::MAX);
    world.append("a.log.gz", packed(lines(0..100)));
    world.remove("a.log");
    world.pass(12);
    let records = world.follower.records();
    assert_eq!((records.passed_over(&early).len(), records.passed_over(&world.saved()).len()), (0, 1));
}
