//! The stacks of jobs: their guard pages, their room, their number (rules 18, 19 and 35).

use std::ffi::{c_int, c_void};
use std::fs;
use std::hint::black_box;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use libssl_async::Workers;
use libssl_async_sys as sys;
use openssl::ssl::AlpnError;

use crate::child::{block_on, in_child};
use crate::source::Scene;
use crate::support::{Identity, sockets};

/// The exit code of a child that has hit the guard page.
const ON_GUARD: i32 = 42;

#[test]
fn an_overflow_faults_on_the_guard_page() {
    let status = in_child(|| {
        block_on(shake_hands(|| {
            let stack = mapping_of_stack();
            let guard = mappings().find(|(range, _)| range.end == stack.start).expect("something lies below the stack");
            assert_eq!(guard.1, "---p");
            expect_fault_in(&guard.0);
            black_box(overflow(0));
        }));
    });
    assert_eq!(status.code(), Some(ON_GUARD), "{status}");
}

#[test]
fn a_callback_has_room_for_200_kilobytes() {
    let status = in_child(|| {
        block_on(shake_hands(|| {
            #[inline(never)]
            fn fill() {
                black_box(&mut [1_u8; 200 * 1024]);
            }
            fill();
        }));
    });
    assert!(status.success(), "{status}");
}

/// As much as jobs have before OpenSSL 3.2, where nobody can give them more.
#[test]
fn a_handshake_touches_less_than_32_kilobytes() {
    let status = in_child(|| {
        static STACK: AtomicUsize = AtomicUsize::new(0);
        block_on(async {
            for identity in [Identity::p256(), Identity::rsa()] {
                let scene = Scene::of(&identity, Workers::builder().threads(1).jobs_per_thread(1).build().unwrap(), {
                    Box::new(|_| {
                        STACK.store(mapping_of_stack().start, Ordering::SeqCst);
                        Ok(())
                    })
                });
                let (client, server) = scene.begin().await;
                let (client, server) = tokio::join!(client, server);
                let (_client, _server) = (client.unwrap(), server.unwrap());
                let touched = resident(STACK.load(Ordering::SeqCst));
                println!("{touched} KiB");
                assert!((4..=32).contains(&touched), "{touched} KiB");
            }
        });
    });
    assert!(status.success(), "{status}");
}

#[test]
fn stacks_leave_mappings_to_others() {
    let status = in_child(|| {
        // It installs the stacks.
        let _workers = Workers::builder().threads(1).build().unwrap();
        let mut jobs = 0;
        while pause_in_job() == sys::ASYNC_PAUSE {
            jobs += 1;
        }
        let mappings: usize = fs::read_to_string("/proc/sys/vm/max_map_count").unwrap().trim().parse().unwrap();
        println!("{jobs} jobs");
        assert!(jobs >= mappings.min(60_000) / 4, "{jobs} jobs");
        // libcrypto frees the stack that it did not get, which gives nobody another.
        for _ in 0..100 {
            assert_eq!(pause_in_job(), sys::ASYNC_NO_JOBS);
        }
        let threads: Vec<_> = (0..50).map(|_| thread::spawn(|| vec![1_u8; 1 << 20].len())).collect();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap() == 1 << 20));
        // Nothing that is paused ends with the thread.
        // SAFETY: ends the process at once.
        unsafe { libc::_exit(0) };
    });
    assert!(status.success(), "{status}");
}

#[test]
fn without_memory_for_a_stack_a_handshake_fails_and_later_ones_do_not() {
    let status = in_child(|| {
        block_on(async {
            let workers = Workers::builder().threads(1).build().unwrap();
            let identity = Identity::p256();
            let (acceptor, _) = identity.pair(&workers);
            let connector = identity.pair(&Workers::builder().threads(1).build().unwrap()).1;
            // The client's stack is there before the limit.
            let (client, server) = sockets().await;
            let connecting = connector.connect("localhost", client);
            let hello = async {
                server.readable().await.unwrap();
                let before = limit_memory(used_memory());
                let result = acceptor.accept(server).await;
                limit_memory(before);
                result
            };
            let error = hello.await.unwrap_err();
            assert!(matches!(error, libssl_async::Error::JobsExhausted), "{error:?}");
            connecting.await.unwrap_err();
            let (client, server) = sockets().await;
            let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
            client.unwrap();
            server.unwrap();
        });
    });
    assert!(status.success(), "{status}");
}

/// One handshake, with `step` on its fibre.
async fn shake_hands(step: impl Fn() + Send + Sync + 'static) {
    let scene = Scene::new(move |_| {
        step();
        Ok::<_, AlpnError>(())
    });
    let (client, server) = scene.begin().await;
    let (client, server) = tokio::join!(client, server);
    client.unwrap();
    server.unwrap();
}

/// The memory of this process: addresses and permissions.
fn mappings() -> impl Iterator<Item = (Range<usize>, String)> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let parsed: Vec<_> = maps
        .lines()
        .map(|line| {
            let mut fields = line.split(' ');
            let (start, end) = fields.next().unwrap().split_once('-').unwrap();
            let [start, end] = [start, end].map(|address| usize::from_str_radix(address, 16).unwrap());
            (start..end, fields.next().unwrap().to_owned())
        })
        .collect();
    parsed.into_iter()
}

/// The memory that the current stack is in.
fn mapping_of_stack() -> Range<usize> {
    let here = 0_u8;
    let here = ptr::from_ref(black_box(&here)).addr();
    mappings().find(|(range, _)| range.contains(&here)).unwrap().0
}

/// How much of the stack that begins at `start` is in memory, in KiB. The mapping would not do: the kernel joins it with
/// what is mapped behind it.
fn resident(start: usize) -> usize {
    const PAGE: usize = 4096;
    let mut pages = [0_u8; 256 * 1024 / PAGE];
    // SAFETY: the stack is mapped, and there is a byte for each of its pages.
    assert_eq!(unsafe { libc::mincore(start as *mut c_void, pages.len() * PAGE, pages.as_mut_ptr()) }, 0);
    pages.iter().filter(|&page| page & 1 == 1).count() * PAGE / 1024
}

#[inline(never)]
#[expect(unconditional_recursion, reason = "the stack is to overflow")]
fn overflow(depth: u64) -> u64 {
    let mut frame = [depth; 64];
    black_box(&mut frame);
    overflow(depth + 1) + frame[0]
}

/// Ends the process with [`ON_GUARD`] at a fault in `guard`; any other fault kills it.
fn expect_fault_in(guard: &Range<usize>) {
    static GUARD: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];
    extern "C" fn fault(_signal: c_int, info: *mut libc::siginfo_t, _context: *mut c_void) {
        // SAFETY: the kernel passes what it knows of the fault; `_exit` may be called in a handler.
        unsafe {
            let address = (*info).si_addr().addr();
            let [start, end] = [&GUARD[0], &GUARD[1]].map(|bound| bound.load(Ordering::SeqCst));
            libc::_exit(if (start..end).contains(&address) { ON_GUARD } else { 43 });
        }
    }
    GUARD[0].store(guard.start, Ordering::SeqCst);
    GUARD[1].store(guard.end, Ordering::SeqCst);
    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = fault;
    let room = Box::leak(vec![0_u8; 64 * 1024].into_boxed_slice());
    // SAFETY: the handler runs on memory that lives for ever.
    unsafe {
        let stack = libc::stack_t { ss_sp: room.as_mut_ptr().cast(), ss_flags: 0, ss_size: room.len() };
        assert_eq!(libc::sigaltstack(&stack, ptr::null_mut()), 0);
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        assert_eq!(libc::sigaction(libc::SIGSEGV, &action, ptr::null_mut()), 0);
    }
}

/// Starts a job of this thread that pauses for ever.
fn pause_in_job() -> c_int {
    unsafe extern "C" fn pause(_: *mut c_void) -> c_int {
        // SAFETY: inside a job.
        unsafe { sys::ASYNC_pause_job() }
    }
    // SAFETY: a job without arguments, whose wait context is left to it.
    unsafe {
        let (mut job, mut result) = (ptr::null_mut(), 0);
        let context = sys::ASYNC_WAIT_CTX_new();
        sys::ASYNC_start_job(&mut job, context, &mut result, Some(pause), ptr::null_mut(), 0)
    }
}

/// The size of the process's address space, in bytes.
fn used_memory() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').next().unwrap().parse::<u64>().unwrap() * 4096
}

/// Limits the address space, and returns what limit there was.
fn limit_memory(bytes: u64) -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: reads and sets a limit of this process.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_AS, &mut limit), 0);
        let before = std::mem::replace(&mut limit.rlim_cur, bytes);
        assert_eq!(libc::setrlimit(libc::RLIMIT_AS, &limit), 0);
        before
    }
}
