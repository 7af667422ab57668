//! The allocator of the program, told to give freed memory back to the system. The only `unsafe` of
//! this crate.
//!
//! In a run with a limit, it has glibc give large blocks back to the system, and keep one heap for
//! all threads. Without that, what was freed stayed resident, and a run took up to half as much
//! memory again as it was given.

/// The size from which a block of memory is a mapping of its own, which goes back to the system
/// when it is freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const OWN_MAPPING: i32 = 256 << 10;

/// Heaps of all threads together.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const HEAPS: i32 = 1;

/// Makes glibc keep to both. By itself it raises the size to that of the largest block that was
/// freed (mallopt(3), M_MMAP_THRESHOLD), and then keeps the tables that a tally has outgrown, or
/// written to disk, as pieces that nothing fits: half as much memory again as `max-memory` allows.
/// And it gives each thread a heap (M_ARENA_MAX), which keeps what was once in use in it, whichever
/// thread needs memory now: some MiB a worker. Both cost some time, so they are for runs with a
/// limit.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
pub(super) fn return_what_is_freed() {
    // SAFETY: it takes two numbers and sets one, before the threads of the run start; an allocation
    // at the same time, by the thread that waits for signals, sees the old number or the new one.
    // If it is refused, the only harm is that more memory is taken.
    let set = |parameter, value| unsafe { libc::mallopt(parameter, value) };
    let _ = (set(libc::M_MMAP_THRESHOLD, OWN_MAPPING), set(libc::M_ARENA_MAX, HEAPS));
}

/// Other allocators do this by themselves, or cannot be told to.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn return_what_is_freed() {}
