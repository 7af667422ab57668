//! What the fuzz targets have in common: the oracles, and a limit on what they may allocate.
//!
//! The oracles are plain functions of bytes that panic where a rule is broken; `cargo test` of the
//! crate above runs them over the corpora, without any of the machinery that is here.

pub mod oracles;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that may be allocated at once: the machinery and the threads of a run take some, and an
/// input is at most 64 KiB, so that a length in it that is believed shows.
const LIMIT: usize = 512 << 20;

/// Counts what is allocated, and ends the process where it is too much.
struct Limited(AtomicUsize);

#[global_allocator]
static ALLOCATOR: Limited = Limited(AtomicUsize::new(0));

// SAFETY: each call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.take(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.take(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.0.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.take(size);
        self.0.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.realloc(block, layout, size) }
    }
}

impl Limited {
    fn take(&self, bytes: usize) {
        if self.0.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > LIMIT {
            // Nothing may be allocated to say so.
            std::process::abort();
        }
    }
}
