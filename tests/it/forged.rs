//! Files with right checksums that no run has written: refused with exit code, file and byte, and without taking memory.

use crate::oracles::reseal::Tallies;
use crate::support::{Folder, peak_memory_of, program, run, stderr};

/// What the program may take that has refused a file, in KiB.
const SMALL: u64 = 48 << 10;

fn tally(folder: &Folder) -> Vec<u8> {
    folder.write("a.log", "1700000000 a b\n1700000001 a c\n1700000002 b c\n");
    let made = run(folder, &["partial", "a.log", "--until", "1700000002", "--seconds", "60", "--output", "a.tally"]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    std::fs::read(folder.at("a.tally")).unwrap()
}

#[test]
fn g5_a_tally_with_a_length_of_exabytes_is_refused_by_all_who_read_it() {
    let folder = Folder::new();
    let mut forged = Tallies::of(&tally(&folder));
    // The length of the first name, in ten digits.
    forged.sections[1].splice(0..1, [vec![0xff; 8], vec![0x3f]].concat());
    folder.write("x.tally", forged.file(logparser::tallies::FORMAT));
    for work in [
        &["report", "x.tally", "a", "b"][..],
        &["merge", "x.tally", "--output", "y.tally"],
        &["merge", "x.tally", "a.tally", "--output", "y.tally"],
        &["inspect", "x.tally"],
    ] {
        let mut command = program(&folder);
        command.args(work);
        let (peak, output) = peak_memory_of(command);
        let said = stderr(&output);
        let is_said = said.contains("x.tally: a host in it has ") || said.contains("both hold bytes ");
        assert!(output.status.code() == Some(1) && is_said && peak < SMALL, "{work:?}: {peak}: {said}");
        assert!(!folder.at("y.tally").exists());
    }
}
