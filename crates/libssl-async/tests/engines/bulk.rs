//! Data whose records an asynchronous engine encrypts and decrypts, on streams that stay in asynchronous mode.

use std::time::Duration;

use libssl_async::engine::{Engine, EngineBuilder, Method};
use libssl_async::{Error, Metrics, TlsAcceptor, TlsConnector, Workers};
use openssl::ssl::{SslContextBuilder, SslVersion};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::accelerator::{Count, accelerator, alone, count};
use crate::schedule::{Schedule, polled};
use crate::support::{Identity, pattern};
use crate::talk::talk;
use crate::transport::Transport;

const RECORD: usize = 16_384;
/// How long one schedule may take: nothing waits for longer than its turn to run.
const LONGEST: Duration = Duration::from_secs(60);
const VERSIONS: [SslVersion; 2] = [SslVersion::TLS1_2, SslVersion::TLS1_3];

/// Two ends, both with the engine's cipher.
struct Ends {
    servers: Workers,
    clients: Workers,
    acceptor: TlsAcceptor,
    connector: TlsConnector,
}

impl Ends {
    /// The engine serves contexts that are made while it is the default.
    fn new(version: SslVersion) -> Self {
        let only = |context: &mut SslContextBuilder| {
            context.set_min_proto_version(Some(version)).unwrap();
            context.set_max_proto_version(Some(version)).unwrap();
            context.set_ciphersuites("TLS_AES_128_GCM_SHA256").unwrap();
            context.set_cipher_list("ECDHE-ECDSA-AES128-GCM-SHA256").unwrap();
        };
        let identity = Identity::p256();
        let (mut acceptor, mut connector) = (identity.acceptor(), identity.connector());
        only(&mut acceptor);
        only(&mut connector);
        let [servers, clients] = [(); 2].map(|()| Workers::builder().threads(1).build().unwrap());
        let acceptor = TlsAcceptor::new(acceptor.build(), &servers);
        Self { acceptor, connector: TlsConnector::new(connector.build(), &clients), servers, clients }
    }
}

fn engine() -> EngineBuilder {
    accelerator().methods([Method::Ciphers])
}

#[tokio::test]
async fn each_record_pauses_once() {
    const RECORDS: u64 = 64;
    let _alone = alone().await;
    let _engine = engine().load().unwrap();
    for version in VERSIONS {
        let Ends { servers, clients, acceptor, connector } = Ends::new(version);
        let data = pattern(RECORD * RECORDS as usize);
        let sent = data.clone();
        let (client, server) = duplex(RECORD);
        let counted = servers.clone();
        let serving = servers.spawn_pinned(move || async move {
            let mut stream = acceptor.accept_local(server).await.unwrap();
            let before = counted.metrics();
            let mut received = vec![0; RECORD * RECORDS as usize];
            stream.read_exact(&mut received).await.unwrap();
            stream.write_all(&received).await.unwrap();
            stream.flush().await.unwrap();
            let after = counted.metrics();
            (after.pauses - before.pauses, after.callbacks - before.callbacks)
        });
        let echoed = clients.spawn_pinned(move || async move {
            let mut stream = connector.connect_local("localhost", client).await.unwrap();
            stream.write_all(&sent).await.unwrap();
            stream.flush().await.unwrap();
            let mut received = vec![0; sent.len()];
            stream.read_exact(&mut received).await.unwrap();
            received
        });
        assert_eq!(serving.await.unwrap(), (2 * RECORDS, 2 * RECORDS), "{version:?}");
        assert!(echoed.await.unwrap() == data, "{version:?}");
    }
}

/// Reads, writes, their ends and whole streams are dropped at any poll. The engine ends the process if a connection is
/// freed, or a job resumed, before its request is done; it writes to memory that AddressSanitizer watches.
#[test]
fn data_that_is_disturbed_is_what_was_sent() {
    let runtime = Runtime::new().unwrap();
    let _alone = runtime.block_on(alone());
    // One record at a time, and so one of the two ends finds it busy.
    let engine = engine().command("QUEUE", "1").load().unwrap();
    let ends = VERSIONS.map(Ends::new);
    let schedules = vec(any::<u8>(), 0..400);
    let config =
        ProptestConfig { cases: 64, failure_persistence: None, max_shrink_time: 60_000, ..ProptestConfig::default() };
    let disturbed = TestRunner::new(config).run(&schedules, |schedule| {
        runtime.block_on(async { timeout(LONGEST, disturb(&engine, &ends, &schedule)).await.expect("it ends") });
        Ok(())
    });
    disturbed.unwrap();
    let metrics: Vec<_> = ends.iter().flat_map(|ends| [ends.servers.metrics(), ends.clients.metrics()]).collect();
    let sum = |count: fn(&Metrics) -> u64| metrics.iter().map(count).sum::<u64>();
    let (drained, refused) = (sum(|metrics| metrics.drained), sum(|metrics| metrics.again_retries));
    assert!(drained > 0 && refused > 0 && refused == count(&engine, Count::Refused), "{metrics:?}");
}

async fn disturb(engine: &Engine, ends: &[Ends], schedule: &[u8]) {
    let [mut choices, client, server, of_client, of_server] = Schedule::deal(schedule);
    let ends = &ends[choices.draw() % ends.len()];
    engine.control("NOTIFY", ["callback", "descriptor", "both", "neither"][choices.draw() % 4]).unwrap();
    let [there, back] = [(); 2].map(|()| pattern(8 * choices.size()));
    let (sent, expected) = (there.clone(), back.clone());
    // After so many polls a stream is dropped.
    let lives = [(); 2].map(|()| match choices.draw() {
        polls @ 1..=100 => polls,
        _ => usize::MAX,
    });
    let (client_io, server_io) = duplex(RECORD);
    let (client_io, server_io) = (Transport::new(client_io, client), Transport::new(server_io, server));
    let (acceptor, connector) = (ends.acceptor.clone(), ends.connector.clone());
    let serving = ends.servers.spawn_pinned(move || async move {
        let talking = async {
            let stream = acceptor.accept_local(server_io).await?;
            Ok::<_, Error>(talk(stream, of_server, &back, &there).await?)
        };
        polled(talking, lives[0]).await
    });
    let talking = ends.clients.spawn_pinned(move || async move {
        let talking = async {
            let stream = connector.connect_local("localhost", client_io).await?;
            Ok::<_, Error>(talk(stream, of_client, &sent, &expected).await?)
        };
        polled(talking, lives[1]).await
    });
    let (served, talked) = (serving.await.unwrap(), talking.await.unwrap());
    if lives == [usize::MAX; 2] {
        served.unwrap().unwrap();
        talked.unwrap().unwrap();
    }
    for workers in [&ends.servers, &ends.clients] {
        while paused(workers).await > 0 {}
    }
    assert_eq!((engine.in_flight(), count(engine, Count::Taken)), (Some(0), count(engine, Count::Told)));
}

/// The jobs that are paused on the only thread of the pool, as that sees it: it runs none meanwhile.
async fn paused(workers: &Workers) -> u64 {
    let metrics = workers.clone();
    workers.spawn_pinned(move || async move { metrics.metrics().paused }).await.unwrap()
}
