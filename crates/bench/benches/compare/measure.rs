//! CPU time and memory of this process, and how often to look.

use std::time::Duration;
use std::{fs, io, mem};

/// How long a run may take.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Two to three minutes.
    Full,
    /// A quarter of a minute.
    Quick,
}

impl Effort {
    pub(crate) fn rounds(self) -> usize {
        match self {
            Self::Full => 21,
            Self::Quick => 5,
        }
    }

    /// What a round or a crowd counts.
    pub(crate) fn count(self, full: usize) -> usize {
        match self {
            Self::Full => full,
            Self::Quick => full / 4,
        }
    }
}

/// The CPU time that all threads have taken so far.
pub(crate) fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists on Linux, and the time is writable.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Keeps this thread, and those that it starts, on the core that it runs on.
pub(crate) fn share_one_core() -> io::Result<()> {
    // SAFETY: an all-zero set is the empty one; the core's number is within it, as the kernel gave it.
    let result = unsafe {
        let mut cores: libc::cpu_set_t = mem::zeroed();
        libc::CPU_SET(libc::sched_getcpu() as usize, &mut cores);
        libc::sched_setaffinity(0, mem::size_of_val(&cores), &cores)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Lets this process open as many descriptors as it is allowed to.
pub(crate) fn raise_descriptor_limit() -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: reads and writes a limit.
    let result = unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &limit)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Memory of this process, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// Pages that are present.
    pub(crate) resident: u64,
    /// What C and Rust have allocated and not freed.
    pub(crate) allocated: u64,
}

impl Memory {
    pub(crate) fn now() -> io::Result<Self> {
        let pages = fs::read_to_string("/proc/self/statm")?;
        let resident = pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
        // SAFETY: only asks.
        let (page, heap) = unsafe { (libc::sysconf(libc::_SC_PAGESIZE) as u64, libc::mallinfo2()) };
        let resident = resident.ok_or(io::ErrorKind::InvalidData)? * page;
        Ok(Self { resident, allocated: (heap.uordblks + heap.hblkhd) as u64 })
    }
}

/// The middle of an odd number of values.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
