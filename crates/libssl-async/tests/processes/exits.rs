//! The end of a process while jobs are paused (rule 29).

use std::process::exit;
use std::ptr;
use std::sync::Arc;

use libssl_async::Workers;
use libssl_async::keys::RemoteKey;
use libssl_async_sys as sys;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use tokio::sync::Semaphore;

use crate::child::in_child;
use crate::support::{Identity, sockets, until};

/// The exit code of a child whose libcrypto was cleaned up.
const CLEANED_UP: i32 = 99;
/// `OPENSSL_INIT_ADD_ALL_CIPHERS`: with something to initialise, the clean-up at exit is too.
const ADD_ALL_CIPHERS: u64 = 0x4;

#[test]
fn a_process_exits_with_jobs_paused_and_handshakes_running() {
    let status = in_child(|| {
        // Called last, as it is registered first.
        // SAFETY: the function may be called at exit.
        unsafe { libc::atexit(look_at_libcrypto) };
        // Before anything else of OpenSSL's.
        let workers = Workers::builder().threads(2).build().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let identity = Identity::p256();
            let acceptor = {
                let key = signing_when_allowed(&identity.key, &Arc::new(Semaphore::new(0)));
                let silent = Identity { key, certificate: identity.certificate.clone() };
                silent.pair(&workers).0
            };
            let (_, connector) = identity.pair(&workers);
            let mut paused = Vec::new();
            for _ in 0..50 {
                let (client, server) = sockets().await;
                paused.push((connector.connect("localhost", client), acceptor.accept(server)));
            }
            until(&workers, |metrics| metrics.paused == 50).await;
            let (acceptor, connector) = identity.pair(&workers);
            tokio::spawn(async move {
                loop {
                    let (client, server) = sockets().await;
                    let _ = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
                }
            });
            until(&workers, |metrics| metrics.handshakes >= 10).await;
            exit(7);
        });
    });
    assert_eq!(status.code(), Some(7), "{status}");
}

/// As under Node, which has initialised OpenSSL its own way.
#[test]
fn threads_stop_before_libcrypto_is_cleaned_up() {
    for _ in 0..3 {
        let status = in_child(|| {
            // Called after libcrypto's, as it is registered before.
            // SAFETY: the function may be called at exit.
            unsafe { libc::atexit(linger) };
            // SAFETY: there are no settings. This is what has libcrypto cleaned up at exit.
            assert_eq!(unsafe { sys::OPENSSL_init_crypto(ADD_ALL_CIPHERS, ptr::null()) }, 1);
            let workers = Workers::builder().threads(2).build().unwrap();
            // Streams are dropped on this thread, the one that exits: others that use OpenSSL are their owner's to stop.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let identity = Identity::p256();
                for _ in 0..16 {
                    let (acceptor, connector) = identity.pair(&workers);
                    tokio::spawn(async move {
                        loop {
                            let (client, server) = sockets().await;
                            let _ = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
                        }
                    });
                }
                until(&workers, |metrics| metrics.handshakes >= 100).await;
                exit(7);
            });
        });
        assert_eq!(status.code(), Some(7), "{status}");
    }
}

/// Leaves threads that were not stopped the time to use what is no more.
extern "C" fn linger() {
    std::thread::sleep(std::time::Duration::from_millis(50));
}

extern "C" fn look_at_libcrypto() {
    // SAFETY: asks libcrypto for nothing, which it refuses when it was cleaned up.
    unsafe {
        if sys::OPENSSL_init_crypto(0, ptr::null()) != 1 {
            libc::_exit(CLEANED_UP);
        }
    }
}

/// The same key, which signs as often as it has permits.
pub(crate) fn signing_when_allowed(key: &PKey<Private>, allowed: &Arc<Semaphore>) -> PKey<Private> {
    let (local, allowed) = (key.clone(), Arc::clone(allowed));
    RemoteKey::builder(key)
        .sign_fn(move |request| {
            let (key, allowed) = (local.clone(), Arc::clone(&allowed));
            async move {
                allowed.acquire().await?.forget();
                let signature = Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(&request.message)?;
                Ok::<_, libssl_async::keys::BoxError>(signature)
            }
        })
        .build()
        .unwrap()
}
