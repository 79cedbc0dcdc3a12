//! Job stacks with a guard page (rules 18 and 35).

#[cfg(unix)]
use std::ffi::{c_int, c_void};

/// Usable bytes of a job's stack; mapped lazily, so an ordinary handshake touches about 10 KiB of it.
#[cfg(unix)]
const STACK_SIZE: usize = 256 * 1024;

/// Makes libcrypto take the stacks of jobs from here. Where it cannot (before 3.2), stacks are 32 KiB from malloc.
#[cfg(unix)]
pub(super) fn install() {
    if let Some(set) = set_mem_functions() {
        // SAFETY: both functions keep the contract of `ASYNC_set_mem_functions` as rules 18 and 35 describe it. It fails
        // if a job exists already: the stacks of this process then stay the ones from malloc.
        unsafe { set(Some(guarded::allocate), Some(guarded::free)) };
    }
}

#[cfg(not(unix))]
pub(super) fn install() {}

#[cfg(unix)]
type Allocate = unsafe extern "C" fn(*mut usize) -> *mut c_void;

#[cfg(unix)]
type Free = unsafe extern "C" fn(*mut c_void);

#[cfg(unix)]
type SetMemFunctions = unsafe extern "C" fn(Option<Allocate>, Option<Free>) -> c_int;

/// `ASYNC_set_mem_functions`, of libcrypto 3.2 and newer.
#[cfg(all(ossl320, unix))]
fn set_mem_functions() -> Option<SetMemFunctions> {
    Some(libssl_async_sys::ASYNC_set_mem_functions)
}

/// The same for a program that was built with older headers: libcrypto may be newer than they are.
#[cfg(all(not(ossl320), unix))]
fn set_mem_functions() -> Option<SetMemFunctions> {
    use crate::libcrypto::Origin;
    // SAFETY: the name is valid.
    let function = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"ASYNC_set_mem_functions".as_ptr()) };
    // SAFETY: the function has this type in every libcrypto that has it. Not in another libcrypto than ours: it would
    // change that one's jobs.
    (Origin::of(function)? == Origin::of_libcrypto()).then(|| unsafe { std::mem::transmute(function) })
}

#[cfg(unix)]
mod guarded {
    use std::ffi::c_void;
    use std::ptr;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::STACK_SIZE;

    static STACKS: AtomicUsize = AtomicUsize::new(0);

    /// At most so many stacks at once.
    const MOST_STACKS: usize = 30_000;

    /// At most so many where the kernel gives a process fewer mappings than it does by default: each stack takes two, and
    /// an eighth is left for all else (rule 35).
    fn most_stacks() -> usize {
        static MOST: OnceLock<usize> = OnceLock::new();
        *MOST.get_or_init(|| {
            let mappings = std::fs::read_to_string("/proc/sys/vm/max_map_count").ok();
            let mappings = mappings.and_then(|count| count.trim().parse().ok());
            mappings.map_or(MOST_STACKS, |count: usize| MOST_STACKS.min((count - count / 8) / 2))
        })
    }

    /// Returns the lowest usable address of a new stack, below which lies a guard page, and its size in `size`.
    pub(super) unsafe extern "C" fn allocate(size: *mut usize) -> *mut c_void {
        if STACKS.fetch_add(1, Ordering::Relaxed) >= most_stacks() {
            STACKS.fetch_sub(1, Ordering::Relaxed);
            return ptr::null_mut();
        }
        let page = page_size();
        // SAFETY: a fresh private mapping, whose lowest page then loses all access; on failure nothing is kept.
        let base = unsafe {
            let base = libc::mmap(
                ptr::null_mut(),
                page + STACK_SIZE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            );
            if base != libc::MAP_FAILED && libc::mprotect(base, page, libc::PROT_NONE) != 0 {
                libc::munmap(base, page + STACK_SIZE);
                libc::MAP_FAILED
            } else {
                base
            }
        };
        if base == libc::MAP_FAILED {
            STACKS.fetch_sub(1, Ordering::Relaxed);
            return ptr::null_mut();
        }
        // SAFETY: libcrypto passes the address of the size it wants, which may be raised (rule 18); the address
        // returned lies inside the mapping.
        unsafe {
            *size = STACK_SIZE;
            base.byte_add(page)
        }
    }

    /// Frees what [`allocate`] returned, or nothing: a failed allocation is followed by a free of NULL (rule 35).
    pub(super) unsafe extern "C" fn free(stack: *mut c_void) {
        if stack.is_null() {
            return;
        }
        let page = page_size();
        // SAFETY: `stack` came from `allocate`, so its mapping begins one page below and has this size.
        unsafe { libc::munmap(stack.byte_sub(page), page + STACK_SIZE) };
        STACKS.fetch_sub(1, Ordering::Relaxed);
    }

    fn page_size() -> usize {
        static PAGE_SIZE: OnceLock<usize> = OnceLock::new();
        // SAFETY: only asks for a constant of the system.
        *PAGE_SIZE.get_or_init(|| unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize)
    }
}
