//! The `logparser` program: hands the command line over, and the exit code back.

use std::process::ExitCode;

/// Bytes from which on a block of memory is a mapping of its own, which goes back to the system when it is freed.
const OWN_MAPPING: i32 = 256 << 10;

fn main() -> ExitCode {
    return_large_blocks();
    logparser::cli::main(std::env::args_os().collect())
}

/// Has glibc keep to `OWN_MAPPING`. By itself it raises that to the size of the largest block that was freed (mallopt(3),
/// M_MMAP_THRESHOLD), and then keeps the tables that a tally has outgrown, or written to disk, as pieces that nothing
/// fits: half as much memory again as `--max-memory` allows.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
fn return_large_blocks() {
    // SAFETY: it takes two numbers, and is called before there is a second thread. If it refuses, memory is only larger.
    let _ = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_MAPPING) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn return_large_blocks() {}
