//! What this process has of the system.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::{env, fs, io};

/// Open descriptors.
pub(crate) fn descriptors() -> io::Result<usize> {
    // One of them is the folder's own.
    Ok(fs::read_dir("/proc/self/fd")?.count() - 1)
}

/// Runs this program anew with an allocator that has one arena and keeps nothing for each thread, unless it is so already.
///
/// What is kept for threads counts as allocated and takes hours to fill, and what is free in arenas differs from batch to
/// batch: some hundred KiB.
pub(crate) fn use_plain_allocator() -> io::Result<()> {
    const NAME: &str = "GLIBC_TUNABLES";
    const TUNABLES: &str = "glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1";
    if env::var_os(NAME).is_some_and(|value| value == TUNABLES) {
        return Ok(());
    }
    Err(Command::new(env::current_exe()?).args(env::args_os().skip(1)).env(NAME, TUNABLES).exec())
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
