//! Listing that takes for ever: it is seen to go on, and ends at once when it is asked to.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Folder, Running, program, signal, wait_for};

/// A folder through which a glob of many levels leads in more ways than anybody can go.
fn endless() -> (Folder, String) {
    let folder = Folder::new();
    for name in ["a", "b", "c"] {
        std::os::unix::fs::symlink(".", folder.at(name)).unwrap();
    }
    (folder, vec!["*"; 30].join("/"))
}

#[test]
fn a_signal_ends_listing_at_once() {
    for (args, code) in [
        (&["top"][..], None),
        (&["explain"], None),
        (&["list"], None),
        (&["partial", "--last", "1h", "-o", "x"], None),
        (&["top", "--follow", "--every", "1h", "--state", "s"], Some(0)),
    ] {
        for name in ["TERM", "INT"] {
            let (folder, glob) = endless();
            let mut command = program(&folder);
            command.args(args).arg(&glob).stdout(Stdio::null()).stderr(Stdio::null());
            let mut running = Running(command.spawn().unwrap());
            std::thread::sleep(Duration::from_millis(500));
            assert!(running.0.try_wait().unwrap().is_none(), "{args:?} has ended by itself");
            let started = Instant::now();
            signal(&running.0, name);
            wait_for("its end", || running.0.try_wait().unwrap().is_some());
            assert!(started.elapsed() < Duration::from_secs(3), "{args:?} {name}: {:?}", started.elapsed());
            assert_eq!(running.0.wait().unwrap().code(), code, "{args:?} {name}");
        }
    }
}

#[cfg(feature = "live")]
#[test]
fn a_terminal_shows_how_many_folders_have_been_listed() {
    crate::support::needs!("setsid");
    let (folder, glob) = endless();
    let mut command = program(&folder);
    command.args(["top", &glob]);
    let mut terminal = crate::support::Pty::start(&command, 80, 24);
    terminal.wait_for("progress", |screen| {
        let listed = screen.split("listing: ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
        listed.is_some_and(|folders| folders > 100)
    });
    terminal.send(b"\x03");
    assert!(!terminal.wait().success());
}
