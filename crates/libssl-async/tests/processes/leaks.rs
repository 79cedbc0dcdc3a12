//! What the threads of a pool leave behind when they end: nothing (rule 17).

use std::ffi::{c_char, c_int, c_void};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};

use libssl_async::Workers;
use tokio::sync::Semaphore;

use crate::child::{block_on, in_child};
use crate::exits::signing_when_allowed;
use crate::support::{Identity, sockets};

type Allocate = unsafe extern "C" fn(usize, *const c_char, c_int) -> *mut c_void;
type Reallocate = unsafe extern "C" fn(*mut c_void, usize, *const c_char, c_int) -> *mut c_void;
type Free = unsafe extern "C" fn(*mut c_void, *const c_char, c_int);

unsafe extern "C" {
    fn CRYPTO_set_mem_functions(allocate: Allocate, reallocate: Reallocate, free: Free) -> c_int;
}

/// What libcrypto has allocated and not freed.
static BLOCKS: AtomicIsize = AtomicIsize::new(0);

#[test]
fn pools_come_and_go_without_a_trace() {
    let status = in_child(|| {
        // SAFETY: the first use of libcrypto, with functions that are malloc's.
        assert_eq!(unsafe { CRYPTO_set_mem_functions(allocate, reallocate, free) }, 1);
        let identity = Identity::p256();
        let key = signing_when_allowed(&identity.key, &Arc::new(Semaphore::new(1_000)));
        let remote = Identity { key, certificate: identity.certificate.clone() };
        let blocks: Vec<_> = (0..6)
            .map(|_| {
                block_on(one_pool(&identity, &remote));
                while worker_exists() {
                    std::thread::yield_now();
                }
                BLOCKS.load(Ordering::SeqCst)
            })
            .collect();
        assert_eq!(blocks[2..], [blocks[2]; 4], "{blocks:?}");
    });
    assert!(status.success(), "{status}");
}

/// A pool, used by handshakes that pause.
async fn one_pool(identity: &Identity, remote: &Identity) {
    let workers = Workers::builder().threads(2).build().unwrap();
    for _ in 0..4 {
        let (acceptor, connector) = (remote.pair(&workers).0, identity.pair(&workers).1);
        let (client, server) = sockets().await;
        let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
        client.unwrap();
        server.unwrap();
    }
    assert_eq!(workers.metrics().pauses, 4);
}

fn worker_exists() -> bool {
    fs::read_dir("/proc/self/task").unwrap().flatten().any(|task| {
        // A thread that has ended meanwhile has no name.
        fs::read_to_string(task.path().join("comm")).is_ok_and(|name| {
            name.strip_prefix("libssl-async-")
                .is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()))
        })
    })
}

unsafe extern "C" fn allocate(size: usize, _file: *const c_char, _line: c_int) -> *mut c_void {
    BLOCKS.fetch_add(1, Ordering::SeqCst);
    // SAFETY: as malloc.
    unsafe { libc::malloc(size) }
}

unsafe extern "C" fn reallocate(block: *mut c_void, size: usize, _file: *const c_char, _line: c_int) -> *mut c_void {
    BLOCKS.fetch_add(isize::from(block.is_null()), Ordering::SeqCst);
    // SAFETY: as realloc.
    unsafe { libc::realloc(block, size) }
}

unsafe extern "C" fn free(block: *mut c_void, _file: *const c_char, _line: c_int) {
    BLOCKS.fetch_sub(isize::from(!block.is_null()), Ordering::SeqCst);
    // SAFETY: as free.
    unsafe { libc::free(block) }
}
