//! Buffers that go back to where they came from, so that the steady state allocates nothing.
//!
//! Not here: any limit on how many there are; that is the runtime's business.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use parking_lot::Mutex;

/// Vectors waiting to be used again.
#[derive(Debug)]
pub struct BufferPool<T> {
    idle: Arc<Mutex<Vec<Vec<T>>>>,
}

/// A vector that returns to its pool, emptied, when it is dropped.
#[derive(Debug)]
pub struct Pooled<T> {
    vector: Vec<T>,
    home: Arc<Mutex<Vec<Vec<T>>>>,
}

impl<T> BufferPool<T> {
    /// An empty vector, with the capacity that it had in its last use.
    pub fn take(&self) -> Pooled<T> {
        let vector = self.idle.lock().pop().unwrap_or_default();
        Pooled { vector, home: Arc::clone(&self.idle) }
    }
}

impl<T> Default for BufferPool<T> {
    fn default() -> Self {
        BufferPool { idle: Arc::new(Mutex::new(Vec::new())) }
    }
}

impl<T> Clone for BufferPool<T> {
    fn clone(&self) -> Self {
        BufferPool { idle: Arc::clone(&self.idle) }
    }
}

impl<T> Drop for Pooled<T> {
    fn drop(&mut self) {
        let mut vector = std::mem::take(&mut self.vector);
        vector.clear();
        self.home.lock().push(vector);
    }
}

impl<T> Deref for Pooled<T> {
    type Target = Vec<T>;
    fn deref(&self) -> &Vec<T> {
        &self.vector
    }
}

impl<T> DerefMut for Pooled<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.vector
    }
}

impl<T> From<Vec<T>> for Pooled<T> {
    /// A vector without a pool, for tests and one-off batches.
    fn from(vector: Vec<T>) -> Self {
        Pooled { vector, home: Arc::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_vector_is_used_again_and_is_empty() {
        let pool = BufferPool::default();
        let mut first = pool.take();
        first.extend([1u8; 100]);
        let address = first.as_ptr();
        drop(first);
        let second = pool.take();
        assert!(second.is_empty());
        assert_eq!(second.as_ptr(), address);
    }
}
