//! Handshakes whose signatures and key exchanges an asynchronous engine computes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use libssl_async::engine::{Engine, EngineBuilder, Method};
use libssl_async::{AsyncStatus, Error, Metrics, TlsAcceptor, Workers};
use openssl::pkey::{PKey, Private};
use openssl::ssl::SslVersion;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::ring::{default_provider, kx_group};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::accelerator::{Count, accelerator, alone, count};
use crate::authority::Authority;
use crate::local_key;
use crate::support::{Identity, sockets, until};

/// What a TLS 1.3 server with X25519 asks for: its share of the key exchange, the secret, the signature.
const PAUSES: u64 = 3;

/// A server whose handshakes the engine computes, and clients that it does not serve.
struct Scene {
    engine: Engine,
    workers: Workers,
    acceptor: TlsAcceptor,
    clients: tokio_rustls::TlsConnector,
    /// How often the callback told that a request is done.
    told: Arc<AtomicU64>,
}

impl Scene {
    fn new(engine: EngineBuilder, key: &PKey<Private>) -> Self {
        Self::with(Workers::builder().threads(2).build().unwrap(), engine, key)
    }

    fn with(workers: Workers, engine: EngineBuilder, key: &PKey<Private>) -> Self {
        let authority = Authority::new();
        let issued = authority.issue(key);
        let engine = engine.methods([Method::Rsa, Method::Ec, Method::Pkey]).load().unwrap();
        // A key has the methods that are the default when it is made.
        let key = PKey::private_key_from_der(&key.private_key_to_der().unwrap()).unwrap();
        let identity = Identity { key, certificate: issued.certificate };
        let mut settings = authority.acceptor(&identity, SslVersion::TLS1_3, false);
        settings.set_groups_list("X25519").unwrap();
        let mut acceptor = TlsAcceptor::new(settings.build(), &workers);
        let told = Arc::<AtomicU64>::default();
        let counted = Arc::clone(&told);
        acceptor.set_async_callback(move |event| {
            assert_eq!(event.status, Some(AsyncStatus::Ok));
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let mut provider = default_provider();
        provider.kx_groups = vec![kx_group::X25519];
        let mut client = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(authority.roots())
            .with_no_client_auth();
        // A session that is resumed needs no signature.
        client.resumption = Resumption::disabled();
        Self { engine, workers, acceptor, clients: Arc::new(client).into(), told }
    }

    /// One connection: a handshake, and a byte there and back.
    async fn connect(&self) -> AsyncStatus {
        let (client, server) = sockets().await;
        let server = async {
            let mut server = self.acceptor.accept(server).await.unwrap();
            assert_eq!(server.read_u8().await.unwrap(), 7);
            server.write_u8(8).await.unwrap();
            server.flush().await.unwrap();
            server.async_status().unwrap()
        };
        let client = async {
            let name = ServerName::try_from("localhost").unwrap();
            let mut client = self.clients.connect(name, client).await.unwrap();
            client.write_u8(7).await.unwrap();
            client.flush().await.unwrap();
            assert_eq!(client.read_u8().await.unwrap(), 8);
            client
        };
        let (client, status) = tokio::join!(client, server);
        // Nothing of it is left: thousands of ports that wait for their end make each new one cost more than a handshake.
        client.get_ref().0.set_zero_linger().unwrap();
        status
    }

    /// So many connections, so many of them at once.
    async fn serve(self: &Arc<Self>, connections: u64, at_once: u64, status: AsyncStatus) {
        let mut running = JoinSet::new();
        for begun in 0..connections {
            if begun >= at_once {
                assert_eq!(running.join_next().await.unwrap().unwrap(), status);
            }
            let scene = Arc::clone(self);
            running.spawn(async move { scene.connect().await });
        }
        while let Some(ended) = running.join_next().await {
            assert_eq!(ended.unwrap(), status);
        }
    }

    /// What is the same however the engine tells.
    fn assert_served(&self, connections: u64) -> Metrics {
        let metrics = self.workers.metrics();
        assert_eq!((metrics.handshakes, metrics.failed, metrics.paused), (connections, 0, 0));
        assert_eq!(metrics.pauses, PAUSES * connections + metrics.again_retries);
        assert_eq!((metrics.resumes, metrics.status_again), (metrics.pauses, metrics.again_retries));
        assert_eq!(count(&self.engine, Count::Taken), PAUSES * connections);
        assert_eq!(count(&self.engine, Count::Told), PAUSES * connections);
        assert_eq!(count(&self.engine, Count::Refused), metrics.again_retries);
        assert_eq!(self.engine.in_flight(), Some(0));
        metrics
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_callback_tells() {
    let _alone = alone().await;
    for (name, key) in [("RSA", local_key::rsa()), ("P-256", local_key::ec("P-256"))] {
        told_by_callbacks(accelerator(), &key, name, 100).await;
    }
}

/// Takes a minute: `cargo test --release -p libssl-async --test engines -- --ignored`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long"]
async fn the_callback_tells_for_long() {
    let _alone = alone().await;
    told_by_callbacks(accelerator(), &local_key::rsa(), "RSA", 5_000).await;
}

async fn told_by_callbacks(engine: EngineBuilder, key: &PKey<Private>, name: &str, connections: u64) {
    let scene = Arc::new(Scene::new(engine, key));
    scene.serve(connections, 64, AsyncStatus::Ok).await;
    let metrics = scene.assert_served(connections);
    let pauses = PAUSES * connections;
    assert_eq!((metrics.pauses, metrics.status_ok, metrics.callbacks), (pauses, pauses, pauses), "{name}");
    assert_eq!((metrics.again_retries, metrics.descriptors, metrics.looks), (0, 0, 0), "{name}");
    assert_eq!(scene.told.load(Ordering::Relaxed), pauses, "{name}");
    assert_eq!(count(&scene.engine, Count::Callbacks), pauses, "{name}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn descriptors_tell() {
    let _alone = alone().await;
    for new in ["0", "1"] {
        told_by_descriptors(new, 100).await;
    }
}

/// Takes a minute, as above.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long"]
async fn descriptors_tell_for_long() {
    let _alone = alone().await;
    told_by_descriptors("0", 5_000).await;
}

async fn told_by_descriptors(new: &str, connections: u64) {
    let engine = accelerator().command("NOTIFY", "descriptor").command("NEW_DESCRIPTORS", new);
    let scene = Arc::new(Scene::new(engine, &local_key::rsa()));
    scene.serve(connections, 64, AsyncStatus::Unsupported).await;
    let metrics = scene.assert_served(connections);
    let pauses = PAUSES * connections;
    assert_eq!((metrics.status_unsupported, metrics.descriptors), (pauses, pauses));
    assert_eq!((metrics.callbacks, metrics.looks), (0, 0));
    assert_eq!(count(&scene.engine, Count::Callbacks), 0);
}

/// The descriptor comes first, and the callback on its heels: what resumed by the descriptor would be gone by then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_tell() {
    let _alone = alone().await;
    let scene = Arc::new(Scene::new(accelerator().command("NOTIFY", "both"), &local_key::rsa()));
    scene.serve(100, 64, AsyncStatus::Ok).await;
    let metrics = scene.assert_served(100);
    assert_eq!((metrics.status_ok, metrics.callbacks, metrics.descriptors), (300, 300, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_tells() {
    let _alone = alone().await;
    let scene = Arc::new(Scene::new(accelerator().command("NOTIFY", "neither"), &local_key::ec("P-256")));
    scene.serve(20, 10, AsyncStatus::Unsupported).await;
    let metrics = scene.workers.metrics();
    // Some were not done when they were looked at.
    assert!(metrics.pauses >= PAUSES * 20, "{metrics:?}");
    assert_eq!((metrics.status_unsupported, metrics.looks), (metrics.pauses, metrics.pauses));
    assert_eq!(count(&scene.engine, Count::Told), PAUSES * 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_has_to_be_polled_is_polled() {
    let _alone = alone().await;
    told_by_polling(100).await;
}

/// Takes a minute, as above.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long"]
async fn an_engine_that_has_to_be_polled_is_polled_for_long() {
    let _alone = alone().await;
    told_by_polling(5_000).await;
}

async fn told_by_polling(connections: u64) {
    let scene = Arc::new(Scene::new(accelerator().command("ENABLE_EXTERNAL_POLLING", None), &local_key::rsa()));
    scene.serve(connections, 64, AsyncStatus::Ok).await;
    let metrics = scene.assert_served(connections);
    let pauses = PAUSES * connections;
    assert_eq!((metrics.pauses, metrics.callbacks), (pauses, pauses));
    let polls = scene.engine.polls();
    assert!(polls > 0 && count(&scene.engine, Count::Polls) >= polls, "{polls}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_is_waited_for() {
    let _alone = alone().await;
    for notify in ["callback", "descriptor"] {
        let engine = accelerator().command("QUEUE", "2").command("NOTIFY", notify);
        let scene = Arc::new(Scene::new(engine, &local_key::rsa()));
        // Only two requests are taken; the rest finds the queue full.
        scene.engine.control("HOLD", "1").unwrap();
        let serving = {
            let scene = Arc::clone(&scene);
            let status = if notify == "callback" { AsyncStatus::Ok } else { AsyncStatus::Unsupported };
            tokio::spawn(async move { scene.serve(64, 64, status).await })
        };
        until(&scene.workers, |metrics| metrics.paused == 64 && metrics.again_retries >= 64).await;
        assert_eq!((scene.engine.in_flight(), count(&scene.engine, Count::Taken)), (Some(2), 2));
        scene.engine.control("HOLD", "0").unwrap();
        serving.await.unwrap();
        scene.assert_served(64);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_fails_fails_its_handshake_only() {
    let _alone = alone().await;
    let scene = Arc::new(Scene::new(accelerator().command("FAIL", "1"), &local_key::rsa()));
    let (client, server) = sockets().await;
    let name = ServerName::try_from("localhost").unwrap();
    let (client, server) = tokio::join!(scene.clients.connect(name, client), scene.acceptor.accept(server));
    client.unwrap_err();
    let error = server.unwrap_err();
    assert!(matches!(error, Error::Ssl(_)), "{error:?}");
    let metrics = scene.workers.metrics();
    assert_eq!((metrics.pauses, metrics.status_error, metrics.resumes, metrics.callbacks), (1, 1, 1, 0));
    assert_eq!(count(&scene.engine, Count::Failed), 1);
    scene.serve(1, 1, AsyncStatus::Ok).await;
}

/// The engine ends the process if its request's connection is freed, or its job resumed, before it is done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_up_is_kept_until_the_engine_is_done() {
    let _alone = alone().await;
    for notify in ["callback", "descriptor", "both"] {
        let scene = Arc::new(Scene::new(accelerator().command("NOTIFY", notify), &local_key::rsa()));
        scene.engine.control("HOLD", "1").unwrap();
        let mut clients = Vec::new();
        for _ in 0..20 {
            let (client, server) = sockets().await;
            let server = scene.acceptor.accept(server);
            clients.push((scene.clients.connect(ServerName::try_from("localhost").unwrap(), client), server));
        }
        let mut servers = JoinSet::new();
        let mut given_up = Vec::new();
        for (client, server) in clients {
            servers.spawn(client);
            given_up.push(server);
        }
        until(&scene.workers, |metrics| metrics.paused == 20).await;
        drop(given_up);
        until(&scene.workers, |metrics| metrics.failed == 20).await;
        assert_eq!((scene.engine.in_flight(), scene.workers.metrics().drained), (Some(20), 0));
        scene.engine.control("HOLD", "0").unwrap();
        until(&scene.workers, |metrics| metrics.drained == 20).await;
        let metrics = scene.workers.metrics();
        assert_eq!((metrics.resumes, metrics.paused, metrics.leaked), (metrics.pauses, 0, 0), "{notify}");
        while let Some(client) = servers.join_next().await {
            client.unwrap().unwrap_err();
        }
    }
}

/// Measures what waiting for a full queue costs, and prints it: CPU time of the process, both ends and engine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn the_cost_of_a_short_queue() {
    const CONNECTIONS: u64 = 2_000;
    const ROUNDS: usize = 9;
    let _alone = alone().await;
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let mut costs = [0.0; 2];
        // They take turns in going first.
        for which in [round % 2, (round + 1) % 2] {
            let queue = ["8", "1024"][which];
            let scene = Arc::new(Scene::new(accelerator().command("QUEUE", queue), &local_key::rsa()));
            let before = cpu_time();
            scene.serve(CONNECTIONS, 256, AsyncStatus::Ok).await;
            let cost = (cpu_time() - before) / CONNECTIONS as u32;
            let metrics = scene.assert_served(CONNECTIONS);
            println!("round {round}, queue {queue}: {cost:?} a handshake, {} retries", metrics.again_retries);
            costs[which] = cost.as_secs_f64();
        }
        ratios.push(costs[0] / costs[1]);
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "a queue of 8 costs {:.3} of one of 1,024: from {:.3} to {:.3}",
        ratios[ROUNDS / 2],
        ratios[0],
        ratios[ROUNDS - 1]
    );
}

/// Of this process, so far.
fn cpu_time() -> Duration {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: there is room for the answer, which is written on success.
    let usage = unsafe {
        assert_eq!(libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()), 0);
        usage.assume_init()
    };
    let [seconds, micros] =
        [usage.ru_utime.tv_sec + usage.ru_stime.tv_sec, usage.ru_utime.tv_usec + usage.ru_stime.tv_usec];
    Duration::from_secs(seconds as u64) + Duration::from_micros(micros as u64)
}
