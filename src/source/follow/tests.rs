//! Following, row by row of the catalogue of faults. Rotation and identity; the rest is in
//! `fault_tests`.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, symlink};

use super::testing::*;
use crate::model::location::Location;

/// A world with `n.log` of 40 lines, all read and counted.
fn caught_up() -> World {
    let mut world = World::new();
    world.append("n.log", lines(0..40));
    world.pass(1);
    world.count(usize::MAX);
    world
}

#[test]
fn a1_a_renamed_file_is_drained_and_the_new_one_read_from_its_start() {
    for target in ["n.log.1", "out/n.log.1"] {
        let mut world = caught_up();
        for round in 0..30 {
            let from = 40 + round * 20;
            let file = File::options().append(true).open(world.path("n.log")).unwrap();
            world.append_to(&file, lines(from..from + 5));
            if round % 3 == 0 {
                world.poll();
            }
            if world.path(target).exists() {
                world.rename(target, &format!("{target}.{round}"));
            }
            world.rename("n.log", target);
            world.append_to(&file, lines(from + 5..from + 10));
            if round % 2 == 0 {
                world.poll();
            }
            world.append("n.log", lines(from + 10..from + 20));
            // What was never looked at between two rotations out of the locations nobody could
            // read.
            world.poll();
            world.append_to(&file, "");
        }
        world.pass(8);
        assert_eq!(world.lines(), expected(0..640), "{target}");
        assert_eq!(world.losses(), []);
    }
}

#[test]
fn a2_a3_rotated_several_times_while_nobody_looked() {
    for restart in [false, true] {
        let mut world = caught_up();
        world.append("n.log", lines(40..60));
        if restart {
            world.poll();
            world.restart();
        }
        for round in 0..5 {
            for old in (1..=round).rev() {
                world.rename(&format!("n.log.{old}"), &format!("n.log.{}", old + 1));
            }
            world.rename("n.log", "n.log.1");
            world.append("n.log", lines(60 + round * 10..70 + round * 10));
        }
        world.pass(8);
        assert_eq!(world.lines(), expected(0..110));
        assert_eq!(world.losses(), []);
    }
}

#[test]
fn a4_an_inode_that_is_given_to_the_next_file_is_told_apart() {
    // So few handles that no file is held: an inode that is held is not given away.
    for open_files in [1, 100] {
        let mut world = World::with(|options| options.open_files = open_files);
        world.append("z.log", lines(0..1));
        let mut reused = 0;
        for round in 0..40 {
            world.append("n.log", lines(1 + round * 10..11 + round * 10));
            world.pass(1);
            let inode = fs::metadata(world.path("n.log")).unwrap().ino();
            world.remove("n.log");
            if round % 2 == 0 {
                world.pass(8);
            }
            world.append("n.log", "");
            reused += u32::from(fs::metadata(world.path("n.log")).unwrap().ino() == inode);
        }
        world.pass(8);
        assert_eq!(world.lines(), expected(0..401), "{reused} reused");
        assert!(world.losses().iter().all(|(_, from, to)| from == to));
    }
}

#[test]
fn a4_the_same_lines_in_a_new_file_are_counted_again() {
    let mut world = World::new();
    for _ in 0..10 {
        world.append("n.log", lines(0..3));
        world.pass(1);
        world.remove("n.log");
        world.pass(7);
    }
    assert_eq!(world.lines().len(), 30);
}

#[test]
fn a5_a11_a_file_that_was_replaced_while_nobody_ran_is_read_from_its_start() {
    for truncated in [false, true] {
        for more in [20, 200] {
            let mut world = caught_up();
            world.restart();
            if truncated {
                world.truncate("n.log");
            } else {
                world.remove("n.log");
            }
            world.append("n.log", lines(40..40 + more));
            world.pass(8);
            assert_eq!(world.lines(), expected(0..40 + more));
            assert!(world.losses().iter().all(|(_, from, to)| from == to));
        }
    }
}

#[test]
fn a5_what_was_seen_but_not_counted_is_reported_lost() {
    let mut world = caught_up();
    let size = lines(0..50).len() as u64;
    world.append("n.log", lines(40..50));
    world.poll();
    world.restart();
    world.remove("n.log");
    world.append("n.log", lines(50..60));
    world.pass(8);
    assert_eq!(world.losses(), [("n.log".to_owned(), lines(0..40).len() as u64, size)]);
    assert_eq!(world.lines().len(), 50);
    // Once only, though the record is kept for a while.
    world.restart();
    world.pass(8);
    assert_eq!(world.losses().len(), 1);
}

#[test]
fn a7_a8_a_copied_and_truncated_file_goes_on_in_its_copy() {
    for (lag, seen_before, regrown) in
        (0..12).map(|case| (case % 3, case % 4 / 2 == 0, if case < 6 { 10 } else { 150 }))
    {
        let mut world = caught_up();
        world.append("n.log", lines(40..60));
        match lag {
            0 => world.pass(1),
            1 => {
                world.scan();
                world.step();
            }
            _ => {}
        }
        let all = fs::read(world.path("n.log")).unwrap();
        if seen_before {
            // The copy grows for longer than a file is held that does not.
            for part in all.chunks(100) {
                world.append("n.log.1", part);
                world.scan();
                world.now += SECOND;
            }
        } else {
            world.append("n.log.1", &all);
        }
        world.truncate("n.log");
        world.append("n.log", lines(60..60 + regrown));
        world.pass(15);
        let case = format!("lag {lag}, seen before {seen_before}, regrown {regrown}");
        assert_eq!(world.lines(), expected(0..60 + regrown), "{case}");
        assert_eq!(world.losses(), [], "{case}");
    }
}

#[test]
fn a8_a_copy_is_found_after_a_restart() {
    let mut world = caught_up();
    world.append("n.log", lines(40..60));
    world.poll();
    world.restart();
    world.copy("n.log", "n.log.1");
    world.truncate("n.log");
    world.append("n.log", lines(60..160));
    world.pass(8);
    assert_eq!(world.lines(), expected(0..160));
    assert_eq!(world.losses(), []);
}

#[test]
fn a9_a10_without_a_copy_what_was_not_read_is_lost() {
    for regrown in [5, 300] {
        let mut world = caught_up();
        world.append("n.log", lines(40..60));
        world.scan();
        world.step();
        let read = world.waiting.back().unwrap().0.cut.to;
        world.truncate("n.log");
        world.append("n.log", lines(60..60 + regrown));
        world.pass(8);
        let seen = lines(0..60).len() as u64;
        assert_eq!(world.losses(), [("n.log".to_owned(), read, seen)]);
        assert_eq!(world.lines().last(), expected(0..60 + regrown).last());
        let before = lines(0..60)[..read as usize].lines().count();
        assert_eq!(world.lines().len(), before + regrown as usize);
    }
}

#[test]
fn a10_a_truncation_of_a_file_that_was_read_is_told_as_a_loss_of_unknown_size() {
    let mut world = caught_up();
    world.truncate("n.log");
    world.append("n.log", lines(40..240));
    world.pass(8);
    assert_eq!(world.lines(), expected(0..240));
    let read = lines(0..40).len() as u64;
    assert_eq!(world.losses(), [("n.log".to_owned(), read, read)]);
    assert_eq!(world.warnings, Vec::<String>::new());
}

#[test]
fn a12_files_that_share_their_beginning_are_each_counted() {
    let header: String = (0..100).map(|at| format!("# a header, line {at:023}\n")).collect();
    assert!(header.len() >= 4000);
    let mut world = World::new();
    for late in [false, true] {
        let from = if late { 50 } else { 0 };
        for file in from..from + 50 {
            world.append(&format!("f{file:03}.log"), &header);
        }
        if late {
            world.poll();
        }
        for file in from..from + 50 {
            world.append(&format!("f{file:03}.log"), lines(file..file + 1));
        }
        world.pass(12);
    }
    let all = world.lines();
    assert_eq!(all.iter().filter(|line| !line.starts_with('#')).count(), 100);
    assert_eq!(all.len(), 100 * 101);
    assert_eq!(world.losses(), []);
}

#[test]
fn a13_files_of_any_size_are_counted() {
    let mut world = World::new();
    for late in [false, true] {
        for size in [0usize, 1, 255, 256, 1023, 1024, 1025] {
            let text: String =
                (0..size.div_ceil(10)).map(|at| format!("{size:04}{at:04}{}\n", u8::from(late))).collect();
            let text = &text[..size];
            world.append(&format!("{late}{size}.log"), if size == 0 { "" } else { &text[..size - 1] });
            world.append(&format!("{late}{size}.log"), if size == 0 { "" } else { "\n" });
        }
        world.pass(8);
    }
    world.count(usize::MAX);
    let total: usize = world.counted.values().map(|counted| counted.bytes.len()).sum();
    assert_eq!(total, 2 * (1 + 255 + 256 + 1023 + 1024 + 1025));
}

#[test]
fn a14_a_file_that_is_removed_but_written_is_drained_and_then_closed() {
    let mut world = caught_up();
    let file = File::options().append(true).open(world.path("n.log")).unwrap();
    world.remove("n.log");
    for round in 0..10 {
        world.append_to(&file, lines(40 + round..41 + round));
        world.pass(3);
        assert_eq!(world.follower.open_files(), 1, "round {round}");
    }
    world.append_to(&file, "no end");
    world.poll();
    world.pass(6);
    assert_eq!(world.follower.open_files(), 0);
    let mut expected = expected(0..50);
    expected.push("no end".to_owned());
    assert_eq!(world.lines(), expected);
    let counted = world.counted.values().next().unwrap();
    assert_eq!((counted.unterminated, counted.opened, counted.idle), (1, 1, 1));
    assert_eq!(world.losses(), []);
}

#[test]
fn d21_what_is_gone_is_forgotten_in_the_end() {
    let mut world = World::new();
    for round in 0..1200 {
        let name = format!("{round}.log");
        world.append(&name, lines(round..round + 1));
        world.poll();
        world.remove(&name);
        if round % 100 == 0 {
            world.pass(8);
            world.count(usize::MAX);
            assert!(world.follower.records().len() <= 1101);
        }
    }
    world.pass(8);
    world.now += SECOND * 700;
    world.pass(2);
    assert_eq!(world.lines(), expected(0..1200));
    assert_eq!((world.follower.records().len(), world.follower.generations.iter().count()), (0, 0));
    assert_eq!(world.counted.len(), world.ended.len());
}

#[test]
fn a16_one_file_by_two_globs_links_and_symlinks_is_counted_once() {
    let mut world = caught_up();
    fs::hard_link(world.path("n.log"), world.path("hard.log")).unwrap();
    symlink("n.log", world.path("soft.log")).unwrap();
    world.options.locations.push(Location::Path(world.path("n.log")));
    world.restart();
    world.append("n.log", lines(40..50));
    world.pass(8);
    assert_eq!(world.lines(), expected(0..50));
    world.remove("n.log");
    world.append("hard.log", lines(50..60));
    world.pass(8);
    assert_eq!(world.lines(), expected(0..60));
}

#[test]
fn a17_a_link_that_is_set_to_another_file() {
    let mut world = World::new();
    let mut number = 0;
    for round in 0..100 {
        let target = if round % 3 == 2 { "out/again".to_owned() } else { format!("out/{round}") };
        world.append(&target, lines(number..number + 10));
        let link = world.path("cur.log");
        let _ = fs::remove_file(&link);
        symlink(world.path(&target), &link).unwrap();
        world.poll();
        // The old one is written to for a little longer.
        if let Some(before) = (round % 3 == 1).then(|| format!("out/{}", round - 1)) {
            world.append(&before, lines(number + 10..number + 15));
            number += 5;
            world.poll();
        }
        number += 10;
        if round % 7 == 0 {
            world.pass(8);
        }
    }
    world.pass(8);
    assert_eq!(world.lines(), expected(0..number));
    assert_eq!(world.losses(), []);
}

#[test]
fn a19_a_folder_that_is_removed_and_made_again() {
    let mut world = caught_up();
    fs::remove_dir_all(world.path("in/")).unwrap();
    world.pass(1);
    assert!(world.follower.directories().iter().all(|folder| folder.is_dir()));
    fs::create_dir(world.path("in/")).unwrap();
    world.append("n.log", lines(40..50));
    world.pass(8);
    assert_eq!(world.lines(), expected(0..50));
}

#[test]
fn a20_a21_d20_moved_to_another_file_system_or_restored_from_a_backup() {
    for restart in [false, true] {
        for small in [false, true] {
            let mut world = World::new();
            let count = if small { 10 } else { 60 };
            world.append("n.log", lines(0..count));
            world.pass(8);
            world.count(usize::MAX);
            if restart {
                world.restart();
            }
            // As `mv` and `cp -a` do it: content and stamp, a new inode.
            let stamp = fs::metadata(world.path("n.log")).unwrap().modified().unwrap();
            fs::copy(world.path("n.log"), world.path("out/backup")).unwrap();
            world.remove("n.log");
            if !restart {
                world.pass(10);
            }
            fs::copy(world.path("out/backup"), world.path("m.log")).unwrap();
            File::options().append(true).open(world.path("m.log")).unwrap().set_modified(stamp).unwrap();
            world.pass(8);
            world.append("m.log", lines(count..count + 10));
            world.pass(8);
            assert_eq!(world.lines(), expected(0..count + 10), "restart {restart}, small {small}");
            assert_eq!(world.losses(), []);
        }
    }
}

#[test]
fn a20_a_move_by_copy_and_unlink_that_takes_its_time() {
    let mut world = World::new();
    world.append("n.log", lines(0..300));
    world.scan();
    assert!((0..3).all(|_| world.step()));
    let bytes = fs::read(world.path("n.log")).unwrap();
    for part in bytes.chunks(1000) {
        world.append("m.log", part);
        world.pass(3);
    }
    world.remove("n.log");
    world.pass(12);
    world.append("m.log", lines(300..310));
    world.pass(8);
    assert_eq!(world.lines(), expected(0..310));
}

#[test]
fn a26_a_file_that_an_editor_replaces_is_counted_whole() {
    let mut world = caught_up();
    world.append("out/tmp", lines(100..130));
    world.rename("out/tmp", "n.log");
    world.pass(8);
    assert_eq!(world.lines().len(), 70);
    assert_eq!(world.losses(), []);
}

#[test]
fn b14_a_copy_that_people_make_is_counted_when_it_has_stood_for_a_while() {
    let mut world = caught_up();
    world.copy("n.log", "copy.log");
    world.pass(3);
    assert_eq!(world.lines().len(), 40);
    world.pass(6);
    assert_eq!(world.lines().len(), 80);
    world.append("n.log", lines(40..50));
    world.append("copy.log", lines(50..60));
    world.pass(8);
    assert_eq!(world.lines().len(), 100);
    assert_eq!(world.losses(), []);
}
