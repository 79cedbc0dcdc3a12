//! A queue of bytes.

use std::mem::MaybeUninit;

/// Capacity that an empty buffer keeps, in bytes: enough for small messages, little enough for idle connections.
const KEPT: usize = 512;

/// Bytes that are appended at the end and consumed at the front.
#[derive(Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    consumed: usize,
}

impl Buffer {
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.consumed
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.consumed..]
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.consumed += count;
        debug_assert!(self.consumed <= self.bytes.len());
        if self.consumed == self.bytes.len() {
            self.bytes.clear();
            self.consumed = 0;
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.compact(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    /// Copies the first bytes out, as many as there are and fit.
    pub(super) fn read(&mut self, target: &mut [MaybeUninit<u8>]) -> usize {
        let count = self.len().min(target.len());
        // SAFETY: both slices have `count` bytes or more, and cannot overlap.
        unsafe { self.bytes().as_ptr().copy_to_nonoverlapping(target.as_mut_ptr().cast(), count) };
        self.consume(count);
        count
    }

    /// Room for at least `count` bytes at the end.
    pub(super) fn room(&mut self, count: usize) -> &mut [MaybeUninit<u8>] {
        self.compact(count);
        self.bytes.reserve(count);
        self.bytes.spare_capacity_mut()
    }

    /// Tells that the first `count` bytes of the room were written.
    ///
    /// # Safety
    /// They must have been, with no other change of the buffer in between.
    pub(super) unsafe fn filled(&mut self, count: usize) {
        // SAFETY: the caller wrote them, inside the spare capacity.
        unsafe { self.bytes.set_len(self.bytes.len() + count) };
    }

    /// Frees the memory of an empty buffer that has grown.
    pub(super) fn release(&mut self) {
        if self.len() == 0 && self.bytes.capacity() > KEPT {
            *self = Self::default();
        }
    }

    /// Frees the memory of an empty buffer that will not be used again.
    pub(super) fn retire(&mut self) {
        if self.len() == 0 {
            *self = Self::default();
        }
    }

    /// Moves the bytes to the front if that spares a reallocation.
    fn compact(&mut self, more: usize) {
        if self.consumed > 0 && self.bytes.capacity() - self.bytes.len() < more {
            self.bytes.drain(..self.consumed);
            self.consumed = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(buffer: &mut Buffer, count: usize) -> Vec<u8> {
        let mut target = vec![MaybeUninit::uninit(); count];
        let read = buffer.read(&mut target);
        // SAFETY: `read` bytes were initialised by the call above.
        target[..read].iter().map(|byte| unsafe { byte.assume_init() }).collect()
    }

    #[test]
    fn keeps_order_over_compaction() {
        let mut buffer = Buffer::default();
        let mut expected = Vec::new();
        let mut got = Vec::new();
        for round in 0..200u32 {
            let bytes: Vec<u8> = (0..round * 7 % 97).map(|byte| (byte * round) as u8).collect();
            expected.extend_from_slice(&bytes);
            buffer.write(&bytes);
            got.extend(read(&mut buffer, (round % 31) as usize));
        }
        got.extend(read(&mut buffer, usize::MAX >> 40));
        assert_eq!(got, expected);
        assert_eq!(buffer.len(), 0);
    }

    #[test]
    fn an_empty_buffer_gives_its_memory_back() {
        let mut buffer = Buffer::default();
        buffer.write(&[1; 100_000]);
        buffer.release();
        assert_eq!(buffer.len(), 100_000);
        buffer.consume(100_000);
        buffer.release();
        assert_eq!(buffer.bytes.capacity(), 0);
    }
}
