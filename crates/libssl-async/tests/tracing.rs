//! The events of the feature `tracing`.

mod support;

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use libssl_async::Workers;
use libssl_async::keys::{BoxError, RemoteKey};
use openssl::hash::MessageDigest;
use openssl::sign::Signer;
use support::{Identity, sockets, until};
use tokio::sync::Semaphore;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps the events of this crate: level, message and fields.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl Kept {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Kept {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "libssl_async"
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn pauses_resumptions_and_drained_connections_are_told() {
    let kept = Kept::default();
    tracing::subscriber::set_global_default(kept.clone()).unwrap();
    let workers = Workers::builder().threads(1).build().unwrap();
    let local = Identity::p256();
    let may = Arc::new(Semaphore::new(1));
    let (key, permits) = (local.key.clone(), Arc::clone(&may));
    let key = RemoteKey::builder(&local.key).sign_fn(move |request| {
        let (key, permits) = (key.clone(), Arc::clone(&permits));
        async move {
            permits.acquire().await?.forget();
            Ok::<_, BoxError>(Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(&request.message)?)
        }
    });
    let acceptor = Identity { key: key.build().unwrap(), certificate: local.certificate.clone() }.pair(&workers).0;
    let connector = local.pair(&Workers::builder().threads(1).build().unwrap()).1;

    let (client, server) = sockets().await;
    let server = acceptor.accept(server);
    let id = server.id().get();
    let (client, server) = tokio::join!(connector.connect("localhost", client), server);
    client.unwrap();
    server.unwrap();
    assert_eq!(kept.take(), ["paused", "resumed"].map(|what| format!("TRACE message={what} connection={id}")));

    let (client, server) = sockets().await;
    let (client, server) = (connector.connect("localhost", client), acceptor.accept(server));
    let id = server.id().get();
    until(&workers, |metrics| metrics.paused == 1).await;
    drop(server);
    until(&workers, |metrics| metrics.drained == 1).await;
    // Not before: a peer that goes is a failure of the handshake.
    drop(client);
    // The last is told when it has been counted.
    support::eventually(|| kept.0.lock().unwrap().len() >= 3, || format!("{:?}", kept.0)).await;
    let told = [("TRACE", "paused"), ("TRACE", "resumed"), ("DEBUG", "drained")];
    assert_eq!(kept.take(), told.map(|(level, what)| format!("{level} message={what} connection={id}")));
}
