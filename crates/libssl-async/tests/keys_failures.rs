//! How remote keys fail outside of any job: with an error in OpenSSL's queue, whatever the signer does.

mod local_key;

use std::future::{Future, pending, ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use libssl_async::keys::{
    BoxError, KeyError, KeyFuture, PrivateKeyMethod, RemoteKey, RemoteKeyBuilder, SignRequest, SignatureFormat,
    forbid_blocking, remote,
};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Padding;
use openssl::sign::Signer;
use tokio::runtime::{self, Handle, Runtime};
use tokio::task::{LocalSet, spawn_blocking, yield_now};

#[test]
fn the_error_of_the_signer_is_told() {
    let key = builder(&local_key::ec("P-256"), |_| ready(Err("no such slot".into()))).build().unwrap();
    assert_eq!(failure(&key), "the signer failed: no such slot");

    let error: BoxError = Box::new(std::io::Error::other("unplugged"));
    let KeyError::Failed(source) = KeyError::from(error) else { panic!("not a signer's failure") };
    assert!(source.downcast_ref::<std::io::Error>().is_some());
    let error = KeyError::from(BoxError::from("unplugged"));
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "unplugged");
    let own: BoxError = Box::new(KeyError::TimedOut);
    assert!(matches!(KeyError::from(own), KeyError::TimedOut));
}

#[test]
fn a_signer_that_panics_fails_one_request() {
    let calls = AtomicUsize::new(0);
    let key = RemoteKey::builder(&local_key::ec("P-256"))
        .concurrency(1)
        .sign_fn(move |_| {
            let call = calls.fetch_add(1, Ordering::SeqCst);
            assert_ne!(call, 0, "before the future");
            async move {
                yield_now().await;
                assert_ne!(call, 1, "in the future");
                Err::<Vec<u8>, _>(KeyError::Unsupported)
            }
        })
        .build()
        .unwrap();
    assert_eq!(failure(&key), "the signer panicked");
    assert_eq!(failure(&key), "the signer panicked");
    assert_eq!(failure(&key), "the key cannot do this");
}

#[test]
fn answers_of_the_wrong_length_are_refused() {
    let wrong =
        |local: &PKey<Private>, length| failure(&builder(local, move |_| ready(Ok(vec![1; length]))).build().unwrap());
    assert_eq!(wrong(&local_key::rsa(), 255), "the answer has 255 bytes in place of 256");
    assert_eq!(wrong(&local_key::rsa(), 0), "the answer has 0 bytes in place of 256");
    assert_eq!(wrong(&PKey::generate_ed25519().unwrap(), 65), "the answer has 65 bytes in place of 64");
    assert_eq!(wrong(&PKey::generate_ed448().unwrap(), 64), "the answer has 64 bytes in place of 114");
    for (name, length) in [("ML-DSA-44", 2420), ("ML-DSA-65", 3309), ("ML-DSA-87", 4627)] {
        if let Some((_, local)) = local_key::all().into_iter().find(|(key, _)| *key == name) {
            assert_eq!(wrong(&local, 64), format!("the answer has 64 bytes in place of {length}"));
        }
    }
    let halves = builder(&local_key::ec("P-521"), |_| ready(Ok(vec![1; 131])));
    let halves = halves.signature_format(SignatureFormat::IeeeP1363).build().unwrap();
    assert_eq!(failure(&halves), "the answer has 131 bytes in place of 132");
}

#[test]
fn malformed_ecdsa_signatures_are_refused() {
    let local = local_key::ec("P-256");
    let good = local_key::sign(&local, "ecdsa_secp256r1_sha256", b"message");
    let spoil = |spoil: &dyn Fn(&mut Vec<u8>)| {
        let mut signature = good.clone();
        spoil(&mut signature);
        failure(&builder(&local, move |_| ready(Ok(signature.clone()))).build().unwrap())
    };
    let malformed = "the signature is not the DER of an ECDSA signature on the curve of the key";
    assert_eq!(spoil(&|signature| signature.clear()), malformed);
    assert_eq!(spoil(&|signature| signature.push(0)), malformed);
    assert_eq!(spoil(&|signature| signature.truncate(60)), malformed);
    // Both numbers 0; one of them negative; one as long as P-384 has them.
    assert_eq!(spoil(&|signature| *signature = vec![0x30, 6, 2, 1, 0, 2, 1, 0]), malformed);
    assert_eq!(spoil(&|signature| *signature = vec![0x30, 6, 2, 1, 0x81, 2, 1, 1]), malformed);
    let longer = local_key::sign(&local_key::ec("P-384"), "ecdsa_secp256r1_sha256", b"message");
    assert_eq!(spoil(&|signature| signature.clone_from(&longer)), malformed);

    let zeros = builder(&local, |_| ready(Ok(vec![0; 64]))).signature_format(SignatureFormat::IeeeP1363);
    assert_eq!(failure(&zeros.build().unwrap()), malformed);
}

#[test]
fn a_wrong_signature_is_found_when_signatures_are_verified() {
    let digest = Some(MessageDigest::sha256());
    for (name, local) in local_key::all() {
        let signer = local.clone();
        // A signature of something else has the right form.
        let wrong = move |request: SignRequest| ready(Ok(local_key::sign(&signer, request.scheme.name(), b"else")));
        let signer = local.clone();
        let right =
            move |request: SignRequest| ready(Ok(local_key::sign(&signer, request.scheme.name(), &request.message)));
        let digest = digest.filter(|_| !name.starts_with("Ed") && !name.starts_with("ML-DSA"));
        for pss in [name == "RSA-PSS", name.starts_with("RSA")] {
            let sign = |builder: RemoteKeyBuilder| {
                let key = builder.build().unwrap();
                let mut signer = match digest {
                    Some(digest) => Signer::new(digest, &key).unwrap(),
                    None => Signer::new_without_digest(&key).unwrap(),
                };
                if pss {
                    signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
                }
                signer.sign_oneshot_to_vec(b"message").map_err(text)
            };
            assert!(sign(builder(&local, wrong.clone())).is_ok(), "{name}");
            let refused = sign(builder(&local, wrong.clone()).verify_signatures(true)).unwrap_err();
            assert_eq!(refused, "the signature does not fit the public key", "{name}");
            assert!(sign(builder(&local, right.clone()).verify_signatures(true)).is_ok(), "{name}");
        }
    }
}

#[test]
fn a_request_times_out() {
    let local = local_key::ec("P-256");
    let (told, cancelled) = mpsc::channel();
    let key = builder(&local, move |request| {
        let told = told.clone();
        request.cancellation.on_cancel(move || told.send(()).unwrap());
        pending()
    });
    let key = key.timeout(Duration::from_millis(20)).build().unwrap();
    assert_eq!(failure(&key), "the request timed out");
    cancelled.recv().unwrap();
    assert_eq!(failure(&key), "the request timed out", "the clock is started again");
}

#[test]
fn a_request_times_out_while_it_waits_and_while_its_runtime_does_not_run() {
    let stopped = runtime::Builder::new_current_thread().build().unwrap();
    let key = builder(&local_key::ec("P-256"), |_| ready(Ok(Vec::new())))
        .handle(stopped.handle().clone())
        .concurrency(1)
        .timeout(Duration::from_millis(20))
        .build()
        .unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(failure(&key), "the request timed out"));
        }
    });
}

#[test]
fn a_runtime_that_ends_fails_its_requests() {
    let runtime = runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let (started, start) = mpsc::channel();
    let key = builder(&local_key::ec("P-256"), move |_| {
        started.send(()).unwrap();
        pending()
    });
    let key = key.handle(runtime.handle().clone()).concurrency(1).build().unwrap();
    thread::scope(|scope| {
        let requests: Vec<_> = (0..3).map(|_| scope.spawn(|| failure(&key))).collect();
        start.recv().unwrap();
        runtime.shutdown_background();
        for request in requests {
            assert_eq!(request.join().unwrap(), "the request was dropped without an answer");
        }
    });
    assert_eq!(failure(&key), "the request was dropped without an answer");
}

#[test]
fn no_more_requests_at_once_than_allowed() {
    let local = local_key::ec("P-256");
    let signer = local.clone();
    let running = Arc::new(AtomicUsize::new(0));
    let key = builder(&local, move |request| {
        let signature = local_key::sign(&signer, request.scheme.name(), &request.message);
        let running = Arc::clone(&running);
        async move {
            assert!(running.fetch_add(1, Ordering::SeqCst) < 2);
            for _ in 0..5 {
                yield_now().await;
            }
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(signature)
        }
    });
    let runtime = Runtime::new().unwrap();
    let key = key.handle(runtime.handle().clone()).concurrency(2).build().unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    sign(&key).unwrap();
                }
            });
        }
    });
}

#[test]
fn a_thread_may_forbid_blocking() {
    let key = local_builder(None);
    sign(&key).unwrap();
    thread::spawn(move || {
        forbid_blocking();
        assert_eq!(failure(&key), WOULD_BLOCK);
    })
    .join()
    .unwrap();
}

#[test]
fn the_runtime_of_the_signer_does_not_wait_for_itself() {
    let single = runtime::Builder::new_current_thread().build().unwrap();
    let own = local_builder(single.handle().clone());
    single.block_on(async { assert_eq!(failure(&own), WOULD_BLOCK) });

    // All workers of a runtime sign at once, and its futures are run nevertheless.
    let multi = runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let key = Arc::new(local_builder(multi.handle().clone()));
    multi.block_on(async {
        sign(&key).unwrap();
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let key = Arc::clone(&key);
                tokio::spawn(async move { sign(&key).map(drop) })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        let of_pool = Arc::clone(&key);
        spawn_blocking(move || sign(&of_pool).unwrap()).await.unwrap();
        LocalSet::new().run_until(async { assert_eq!(failure(&key), WOULD_BLOCK) }).await;
    });
    // Another runtime may be waited for.
    single.block_on(async { sign(&key).map(drop) }).unwrap();
}

#[test]
fn the_thread_of_this_crate_does_not_wait_for_itself() {
    let inner = local_builder(None);
    let outer = builder(&local_key::ec("P-256"), move |_| ready(Err(failure(&inner).into()))).build().unwrap();
    assert_eq!(failure(&outer), format!("the signer failed: {WOULD_BLOCK}"));
}

#[test]
fn a_method_that_does_not_decrypt_says_so() {
    struct Signs;
    impl PrivateKeyMethod for Signs {
        fn sign(&self, _: SignRequest) -> KeyFuture {
            Box::pin(pending())
        }
    }
    let local = local_key::rsa();
    let method: Arc<dyn PrivateKeyMethod> = Arc::new(Signs);
    let key = remote(&local, method, None).unwrap();
    let mut decrypter = openssl::encrypt::Decrypter::new(&key).unwrap();
    decrypter.set_rsa_padding(Padding::NONE).unwrap();
    let error = decrypter.decrypt(&[1; 256], &mut [0; 256]).unwrap_err();
    assert_eq!(error.errors()[0].data(), Some("the key cannot do this"));
}

const WOULD_BLOCK: &str = "the key is remote and this thread must not wait for it";

fn builder<F, R>(local: &PKey<Private>, sign: F) -> RemoteKeyBuilder
where
    F: Fn(SignRequest) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Vec<u8>, BoxError>> + Send + 'static,
{
    RemoteKey::builder(local).sign_fn(sign)
}

/// Why the key does not sign.
fn failure(key: &PKey<Private>) -> String {
    text(sign(key).unwrap_err())
}

fn text(stack: ErrorStack) -> String {
    let [error] = stack.errors() else { panic!("not one error but {stack:?}") };
    assert_eq!((error.library(), error.reason()), (Some("libssl-async"), Some("remote key failed")));
    error.data().unwrap().to_owned()
}

fn sign(key: &PKey<Private>) -> Result<Vec<u8>, ErrorStack> {
    let digested = matches!(key.id(), Id::EC | Id::RSA);
    match digested.then(MessageDigest::sha256) {
        Some(digest) => Signer::new(digest, key)?.sign_oneshot_to_vec(b"message"),
        None => Signer::new_without_digest(key)?.sign_oneshot_to_vec(b"message"),
    }
}

fn local_builder(handle: impl Into<Option<Handle>>) -> PKey<Private> {
    let local = local_key::ec("P-256");
    let signer = local.clone();
    RemoteKey::builder(&local)
        .sign_fn(move |request| {
            let signature = local_key::sign(&signer, request.scheme.name(), &request.message);
            async move {
                yield_now().await;
                Ok::<_, BoxError>(signature)
            }
        })
        .handle(handle)
        .build()
        .unwrap()
}
