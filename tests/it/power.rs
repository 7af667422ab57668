//! Power cuts, and disks that come back as another device: on an ext4 in a file, where mounting is
//! permitted.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::support::{
    BASE, Folder, Logs, NO_DISK, Oracle, Random, Running, SavedState, configure, follower, said, skip, terminate,
    times, wait_until_saved,
};

/// Cuts the power of a file system: nothing that is not on the disk gets there any more, the
/// journal neither (`EXT4_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`).
const CUT: &str = "import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))";

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

/// An ext4 in a file, mounted until it is dropped.
struct Disk {
    image: PathBuf,
    at: PathBuf,
}

impl Disk {
    /// Mounted at a new folder; none where that is not permitted.
    fn new(folder: &Folder, name: &str) -> Option<Self> {
        let disk = Disk { image: folder.at(&format!("{name}.image")), at: folder.at(name) };
        std::fs::create_dir(&disk.at).unwrap();
        std::fs::File::create(&disk.image).unwrap().set_len(48 << 20).unwrap();
        let made = succeeds("mkfs.ext4", &["-q", "-F", disk.image.to_str().unwrap()]);
        (made && disk.mount()).then_some(disk)
    }

    fn mount(&self) -> bool {
        let paths = [self.image.to_str().unwrap(), self.at.to_str().unwrap()];
        succeeds("mount", &["-o", "loop,noauto_da_alloc", paths[0], paths[1]])
    }

    fn unmount(&self) -> bool {
        succeeds("umount", &[self.at.to_str().unwrap()])
    }

    /// Whether the power could be cut.
    fn cut(&self) -> bool {
        succeeds("python3", &["-c", CUT, self.at.to_str().unwrap()])
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["--lazy"]).arg(&self.at).output();
    }
}

#[test]
fn d3_d16_after_a_power_cut_the_state_is_an_old_or_the_new_one() {
    let folder = Folder::new();
    configure(&folder, "10d", "10ms", "");
    let Some(disk) = Disk::new(&folder, "state") else { return skip(NO_DISK) };
    let mut logs = Logs::new(&folder, 3);
    let mut oracle = Oracle::new(&logs.generations, 864_000);
    let mut random = Random::new(3);
    let mut last = 0;
    for round in 0..times(8, 60) {
        let mut running = Running(follower(&folder).spawn().unwrap());
        for _ in 0..random.below(60) {
            logs.step();
            std::thread::sleep(Duration::from_millis(2));
        }
        if !disk.cut() {
            return skip("there is no python3, or this kernel cuts no power");
        }
        running.0.kill().unwrap();
        running.0.wait().unwrap();
        assert!(disk.unmount() && disk.mount(), "round {round}");
        let Some(saved) = SavedState::of(&folder, true) else {
            assert_eq!(last, 0, "round {round}: the state is gone");
            continue;
        };
        oracle.check(&saved);
        let slots = saved.whole["slots"].as_array().unwrap();
        let sequence = slots.iter().filter_map(|slot| slot["sequence"].as_u64()).max().unwrap();
        assert!(sequence >= last, "round {round}: {sequence} after {last}");
        last = sequence;
    }
    assert!(last > 0, "no state ever got to the disk");
    logs.append(1);
    let mut running = Running(follower(&folder).spawn().unwrap());
    wait_until_saved(&folder, oracle.lengths().iter().map(|(length, _)| *length as u64).sum());
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&folder));
    oracle.check(&SavedState::of(&folder, true).unwrap());
    let lines = oracle.lines;
    oracle.set_all();
    assert_eq!(lines, oracle.lines);
}

fn device(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).unwrap().dev()
}

#[test]
fn a21_files_whose_disk_comes_back_as_another_device_are_not_counted_again() {
    let folder = Folder::new();
    configure(&folder, "10d", "50ms", "");
    let Some(disk) = Disk::new(&folder, "logs") else { return skip(NO_DISK) };
    let line = |at: i64| format!("{} a b{at}\n", (BASE + at) * 1_000_000_000);
    let text: String = (0..1000).map(line).collect();
    std::fs::write(folder.at("logs/log"), &text).unwrap();
    std::fs::write(folder.at("logs/log.1"), line(-1)).unwrap();
    let all = text.len() as u64 + line(-1).len() as u64;
    let mut running = Running(follower(&folder).spawn().unwrap());
    wait_until_saved(&folder, all);
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&folder));
    let before = device(&folder.at("logs"));
    assert!(disk.unmount());
    // Another disk takes its number.
    let Some(other) = Disk::new(&folder, "other") else { return skip(NO_DISK) };
    assert!(disk.mount());
    assert_ne!(before, device(&disk.at), "it is the same device");
    std::fs::write(folder.at("logs/log"), text.clone() + &line(1000)).unwrap();
    let mut running = Running(follower(&folder).spawn().unwrap());
    wait_until_saved(&folder, all + line(1000).len() as u64);
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(terminate(&mut running).0, Some(0), "{}", said(&folder));
    let saved = SavedState::of(&folder, false).unwrap();
    assert_eq!(saved.contents["balance"]["counted"], 1002, "{}\n{}", said(&folder), saved.text(false));
    assert_eq!((saved.bytes(), saved.lost()), (all + line(1000).len() as u64, 0), "{}", said(&folder));
    drop(other);
}
