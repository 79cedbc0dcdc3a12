//! What this process has of the system.

use std::{fs, io};

/// Open descriptors.
pub(crate) fn descriptors() -> io::Result<usize> {
    // One of them is the folder's own.
    Ok(fs::read_dir("/proc/self/fd")?.count() - 1)
}

/// Resident memory, in KiB, without what the allocator keeps for the next peak.
pub(crate) fn resident() -> io::Result<u64> {
    // SAFETY: only gives free memory back to the system.
    unsafe { libc::malloc_trim(0) };
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
    number.ok_or_else(|| io::Error::other("the kernel tells no VmRSS"))
}
