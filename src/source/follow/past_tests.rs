//! Compressed files that are there at the start: which are read as history, once.

use std::fs::File;
use std::io::Write;
use std::time::Duration;

use super::testing::{World, expected, lines};
use crate::model::Timestamp;
use crate::source::codec::Form;
use crate::source::codec::testing::packed;

fn gz(numbers: std::ops::Range<u32>) -> Vec<u8> {
    packed(Form::Gzip, lines(numbers).as_bytes())
}

#[test]
fn history_of_every_form_is_read_once_and_a_later_start_knows_it() {
    for &form in Form::ALL {
        let mut world = World::new();
        let bytes = [packed(form, lines(0..300).as_bytes()), packed(form, lines(300..500).as_bytes())].concat();
        world.append("a.log.2.gz", bytes);
        world.append("a.log.3", packed(form, lines(500..510).as_bytes()));
        world.append("a.log", lines(600..620));
        world.pass(3);
        let all: Vec<String> = [expected(0..510), expected(600..620)].concat();
        assert_eq!(world.lines(), all, "{form:?}");
        for _ in 0..3 {
            world.stop_and_start();
            world.append("a.log", "");
            world.pass(12);
            // It is renamed as logs are.
            if world.path("a.log.2.gz").exists() {
                world.rename("a.log.2.gz", "a.log.4.gz");
            }
            world.pass(12);
        }
        assert_eq!((world.lines(), world.warnings.len()), (all, 0), "{form:?}: {:?}", world.warnings);
        assert_eq!(world.losses(), []);
    }
}

#[test]
fn history_goes_on_where_it_was_counted_to_wherever_a_run_is_killed() {
    for steps in 0..12usize {
        let mut world = World::with(|options| options.chunk = 1000);
        world.append("a.log.1.gz", gz(0..300));
        world.append("b.log", lines(600..610));
        world.scan();
        for _ in 0..steps {
            world.step();
        }
        // Some of that is not counted when it is killed.
        world.count(steps.saturating_sub(2));
        world.restart();
        if steps % 2 == 0 {
            world.rename("a.log.1.gz", "a.log.2.gz");
        }
        world.pass(12);
        assert_eq!(world.lines(), [expected(0..300), expected(600..610)].concat(), "after {steps}");
        assert_eq!((world.losses().len(), world.warnings.len()), (0, 0), "{steps}: {:?}", world.warnings);
        world.stop_and_start();
        world.pass(12);
        assert_eq!((world.lines().len(), world.warnings.len()), (310, 0), "{steps}: {:?}", world.warnings);
    }
}

#[test]
fn a_copy_of_what_is_there_is_not_history() {
    // It is older than what it is a copy of, as where both were restored.
    let mut world = World::new();
    world.append("a.log.1.gz", gz(0..100));
    world.append("a.log.1", lines(0..100));
    world.append("b.log", lines(200..210));
    world.pass(12);
    assert_eq!(world.lines(), [expected(0..100), expected(200..210)].concat());
    assert_eq!(world.warnings.len(), 0, "{:?}", world.warnings);
}

#[test]
fn what_is_rotated_and_compressed_later_is_counted_once() {
    for form in Form::ALL {
        let mut world = World::new();
        world.append("a.log.2.gz", packed(*form, lines(0..100).as_bytes()));
        world.append("a.log", lines(100..200));
        world.pass(3);
        world.rename("a.log", "a.log.1");
        world.append("a.log", lines(200..210));
        world.pass(3);
        world.append("a.log.1.gz", packed(*form, lines(100..200).as_bytes()));
        world.remove("a.log.1");
        world.pass(12);
        for _ in 0..2 {
            world.stop_and_start();
            world.pass(12);
        }
        assert_eq!(world.lines(), expected(0..210), "{form:?}");
        assert_eq!((world.losses().len(), world.warnings.len()), (0, 0), "{form:?}: {:?}", world.warnings);
    }
}

#[test]
fn history_from_before_the_first_window_is_not_read_and_told_in_one_line() {
    let mut world = World::with(|options| options.past_from = Some(Timestamp::from_seconds(1_000_003)));
    for name in ["a.log.1.gz", "a.log.2.gz", "a.log.3.gz"] {
        world.append(name, gz(0..10));
    }
    world.append("b.log.gz", gz(20..30));
    world.pass(12);
    assert_eq!(world.lines(), [expected(0..10), expected(20..30)].concat());
    let [said] = &world.warnings[..] else { panic!("{:?}", world.warnings) };
    assert!(said.contains("a.log.1.gz and 1 more were last written before the first window"), "{said}");
    world.stop_and_start();
    world.pass(12);
    assert_eq!((world.lines().len(), world.warnings.len()), (20, 1), "{:?}", world.warnings);
}

#[test]
fn damaged_history_is_read_up_to_the_damage_and_told_once() {
    let bytes = [gz(0..50), gz(50..100)].concat();
    let mut world = World::new();
    world.append("a.log.1.gz", &bytes[..bytes.len() - 9]);
    world.append("b.log", lines(600..610));
    world.pass(12);
    let lines = world.lines();
    assert!(lines.len() > 60 && lines.len() <= 110, "{}", lines.len());
    let [said] = &world.warnings[..] else { panic!("{:?}", world.warnings) };
    assert!(said.contains("a.log.1.gz: its gzip data is cut short at compressed byte"), "{said}");
    assert_eq!(world.losses().len(), 1);
    world.stop_and_start();
    world.pass(12);
    assert_eq!((world.lines().len(), world.losses().len(), world.warnings.len()), (lines.len(), 1, 1));
}

#[test]
fn history_that_is_still_being_written_is_waited_for() {
    let bytes = gz(0..2000);
    let mut world = World::new();
    world.append("a.log.1.gz", &bytes[..bytes.len() / 2]);
    world.pass(3);
    assert!(world.lines().len() < 2000);
    world.append("a.log.1.gz", &bytes[bytes.len() / 2..]);
    world.pass(12);
    assert_eq!((world.lines(), world.warnings.len()), (expected(0..2000), 0), "{:?}", world.warnings);
}

#[test]
fn history_that_is_gone_before_it_is_read_is_told() {
    let mut world = World::new();
    world.append("a.log.1.gz", gz(0..50));
    world.append("b.log", lines(600..610));
    world.scan();
    world.remove("a.log.1.gz");
    world.now += Duration::from_secs(1);
    world.pass(12);
    assert_eq!((world.lines().len(), world.losses().len()), (10, 1));
}

#[test]
fn many_files_of_history_take_one_descriptor() {
    let mut world = World::with(|options| options.open_files = 4);
    for file in 0..40 {
        let mut made = File::create(world.path(&format!("f{file:02}.log.gz"))).unwrap();
        made.write_all(&gz(file * 10..file * 10 + 10)).unwrap();
        world.stamp(&made);
    }
    world.scan();
    assert!(world.follower.open_files() <= 4);
    world.pass(5);
    assert_eq!(world.lines(), expected(0..400));
}
