//! Following: one test for each guard that is easily taken for needless, so that none goes
//! unnoticed.

use std::fs::{self, File};

use super::testing::*;

#[test]
fn a10_a_file_with_the_same_head_is_told_by_the_bytes_before_the_position() {
    let header: String = (0..60).map(|at| format!("# a header, line {at:023}\n")).collect();
    let mut world = World::new();
    world.append("n.log", format!("{header}{}", lines(0..40)));
    world.pass(2);
    world.truncate("n.log");
    world.append("n.log", format!("{header}{}", lines(40..140)));
    world.pass(8);
    let all = world.lines();
    assert_eq!(all.iter().filter(|line| !line.starts_with('#')).count(), 140);
    assert_eq!(all.len(), 140 + 2 * 60);
}

#[test]
fn a10_the_same_lines_after_a_truncation_are_no_copy_of_those_before() {
    let mut world = World::new();
    world.append("n.log", lines(0..1).repeat(10));
    world.pass(2);
    world.truncate("n.log");
    world.poll();
    world.append("n.log", lines(0..1).repeat(20));
    world.pass(8);
    assert_eq!(world.lines().len(), 30);
}

#[test]
fn a8_a_copy_in_the_making_at_the_start_is_counted_once() {
    // The first look of all falls between the copy's first byte, or even its creation, and the
    // truncation.
    for copied in [0, 2000] {
        let mut world = World::new();
        let text = lines(0..200);
        world.append("n.log", &text);
        world.append("n.log.1", &text[..copied]);
        world.scan();
        world.poll();
        world.append("n.log.1", &text[copied..]);
        world.truncate("n.log");
        world.append("n.log", lines(200..210));
        world.pass(20);
        assert_eq!(world.lines().len(), 210, "with {copied} bytes copied");
    }
}

#[test]
fn a8_a_copy_in_the_making_of_what_nobody_has_seen_yet() {
    let mut world = World::new();
    world.append("n.log", lines(0..1));
    world.scan();
    world.truncate("n.log");
    world.append("n.log", lines(1..16));
    let text = lines(1..16);
    world.append("n.log.1", &text[..150]);
    world.poll();
    world.now += SECOND;
    world.append("n.log.1", &text[150..]);
    world.truncate("n.log");
    world.pass(12);
    assert_eq!(world.lines(), expected(1..16));
    assert_eq!(world.losses(), [("n.log".to_owned(), 0, line(0).len() as u64)]);
}

#[test]
fn a8_what_was_found_but_not_read_is_not_lost_when_it_stands_in_a_copy() {
    let mut world = World::new();
    world.append("n.log", lines(0..1));
    world.scan();
    world.copy("n.log", "n.log.1");
    world.truncate("n.log");
    world.step();
    world.restart();
    world.pass(12);
    assert_eq!(world.lines(), expected(0..1));
    assert_eq!(world.losses(), []);
}

#[test]
fn a4_an_inode_that_nobody_held_is_told_by_its_birth() {
    let mut world = World::with(|options| options.open_files = 1);
    world.append("n.log", lines(0..3));
    world.append("z.log", lines(3..4));
    for _ in 0..10 {
        world.pass(2);
        world.append("z.log", lines(3..4));
        world.pass(1);
        let modified = fs::metadata(world.path("n.log")).unwrap().modified().unwrap();
        world.remove("n.log");
        fs::write(world.path("n.log"), lines(0..3)).unwrap();
        let file = File::options().append(true).open(world.path("n.log")).unwrap();
        file.set_modified(modified + SECOND / 2).unwrap();
        world.pass(1);
        // Whoever took one file for two would count this twice.
        world.append("n.log", lines(4..5));
    }
    world.pass(12);
    assert_eq!(world.lines().len(), 11 * 3 + 11 + 10);
}

#[test]
fn a3_a_file_whose_name_was_taken_before_it_could_be_opened_is_found_again() {
    let mut world = World::with(|options| options.open_files = 1);
    world.append("n.log", lines(0..3));
    world.append("z.log", lines(3..6));
    world.scan();
    world.rename("n.log", "n.log.1");
    world.scan();
    world.rename("n.log.1", "n.log.2");
    world.append("n.log.1", lines(6..9));
    world.now += SECOND * 6;
    world.drain();
    world.pass(8);
    assert_eq!(world.lines(), expected(0..9));
    assert_eq!(world.losses(), []);
}

#[test]
fn e8_a_descriptor_that_is_lacking_is_taken_from_a_file_that_is_open() {
    let mut world = World::new();
    for file in 0..10 {
        world.append(&format!("f{file}.log"), lines(file..file + 1));
    }
    world.pass(1);
    world.append("g.log", lines(10..11));
    world.follower.generations.files.faults.open.push_back(rustix::io::Errno::MFILE);
    world.pass(1);
    assert_eq!(world.lines(), expected(0..11));
    assert!(world.warnings.is_empty() && world.follower.open_files() < 11, "{:?}", world.warnings);
}

#[test]
fn b8_a_line_without_end_leaves_the_caller_a_turn() {
    let mut world = World::new();
    world.append("n.log", vec![b'x'; 1 << 20]);
    world.append("n.log", "\n17 a b\n");
    world.scan();
    let mut calls = 0;
    while world.counted.is_empty() {
        world.drain();
        assert!(world.waiting.len() < 3);
        world.now = world.follower.wake_at().unwrap();
        world.count(usize::MAX);
        calls += 1;
    }
    assert!((10..100).contains(&calls), "{calls}");
    world.pass(1);
    assert_eq!(world.lines(), ["17 a b"]);
}
