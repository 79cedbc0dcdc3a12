//! What this process has of the system.

use std::{fs, io};

/// Open descriptors.
pub(crate) fn descriptors() -> io::Result<usize> {
    // One of them is the folder's own.
    Ok(fs::read_dir("/proc/self/fd")?.count() - 1)
}

/// Has one arena for all threads, to be called before there are any.
///
/// With one for each, what is free between blocks that live on differs by some hundred KiB from one batch to the next.
pub(crate) fn share_arena() {
    // SAFETY: sets a number of the allocator's.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
}

/// What memory is in use, in KiB.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// By this process, of the system's, without what the allocator keeps for the next peak.
    pub(crate) resident: u64,
    /// By those who have asked the allocator for it.
    pub(crate) allocated: u64,
}

pub(crate) fn memory() -> io::Result<Memory> {
    // SAFETY: only gives free memory back to the system.
    unsafe { libc::malloc_trim(0) };
    // SAFETY: reads counters.
    let counters = unsafe { libc::mallinfo2() };
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let resident = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
    Ok(Memory {
        resident: resident.ok_or_else(|| io::Error::other("the kernel tells no VmRSS"))?,
        allocated: (counters.uordblks + counters.hblkhd) as u64 / 1024,
    })
}
