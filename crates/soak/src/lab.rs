//! What all pairs share: the workers, the keys, and the contexts.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use libssl_async::{ConnectionId, TlsAcceptor, TlsConnector, Workers};
use openssl::ex_data::Index;
use openssl::ssl::{AlpnError, Ssl, SslAcceptorBuilder, SslSessionCacheMode, SslVerifyMode};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;

use crate::event::Event;
use crate::plan::Plan;
use crate::signer;
use crate::source;
use crate::support::Identity;
use crate::{AT_ONCE, Failure};

/// Fewer than there are pairs, so that some have to wait for a free one.
const JOBS_PER_THREAD: usize = AT_ONCE / 3;

pub(crate) struct Lab {
    pub(crate) workers: Workers,
    /// With keys of futures, and of a handler.
    pub(crate) acceptors: [TlsAcceptor; 2],
    /// Without a certificate, and with one.
    pub(crate) connectors: [TlsConnector; 2],
    pub(crate) scene: Index<Ssl, Arc<Scene>>,
    scenes: Scenes,
    listener: tokio::sync::Mutex<TcpListener>,
    next_address: AtomicU8,
}

/// The scenes of the connections that are under way.
pub(crate) type Scenes = Arc<Mutex<HashMap<ConnectionId, Arc<Scene>>>>;

/// What a pair shares with its sources.
pub(crate) struct Scene {
    pub(crate) plan: Plan,
    /// Where sources complete their operations.
    pub(crate) runtime: Handle,
    /// The transport has been used as often as planned.
    pub(crate) used: Event,
    /// A source has taken an operation.
    pub(crate) asked: Event,
    /// A source is about to complete one.
    pub(crate) answered: Event,
}

impl Scene {
    pub(crate) fn new(plan: Plan) -> Arc<Self> {
        let (used, asked, answered) = Default::default();
        Arc::new(Self { plan, runtime: Handle::current(), used, asked, answered })
    }
}

impl Lab {
    pub(crate) fn new() -> Result<Arc<Self>, Failure> {
        let workers = Workers::builder().threads(2).jobs_per_thread(JOBS_PER_THREAD).build()?;
        let identity = Identity::p256();
        let scenes = Scenes::default();
        let scene = Ssl::new_ex_index()?;
        let keys = [signer::future(&identity.key, &scenes)?, signer::handler(&identity.key, &scenes)?];
        let acceptors = keys.clone().map(|key| {
            let mut settings = Identity { key, ..identity.clone() }.acceptor();
            settings.cert_store_mut().add_cert(identity.certificate.clone()).expect("a first certificate");
            settings.set_verify(SslVerifyMode::PEER);
            // It takes memory until it is full.
            settings.set_session_cache_mode(SslSessionCacheMode::OFF);
            choose_from_source(&mut settings, scene);
            TlsAcceptor::new(settings.build(), &workers)
        });
        let mut settings = identity.connector();
        settings.set_alpn_protos(b"\x04soak")?;
        let plain = TlsConnector::new(settings.build(), &workers);
        let mut settings = identity.connector();
        settings.set_alpn_protos(b"\x04soak")?;
        settings.set_certificate(&identity.certificate)?;
        settings.set_private_key(&keys[1])?;
        let with_certificate = TlsConnector::new(settings.build(), &workers);
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        Ok(Arc::new(Self {
            workers,
            acceptors,
            connectors: [plain, with_certificate],
            scene,
            scenes,
            listener: TcpListener::from_std(listener)?.into(),
            next_address: AtomicU8::new(0),
        }))
    }

    /// Two ends of a TCP connection: the client's and the server's.
    ///
    /// From many addresses, as one has too few ports for all the connections that linger.
    pub(crate) async fn sockets(&self) -> Result<(TcpStream, TcpStream), Failure> {
        let socket = TcpSocket::new_v4()?;
        let address = Ipv4Addr::new(127, 0, 1, self.next_address.fetch_add(1, Ordering::Relaxed));
        socket.bind(SocketAddr::from((address, 0)))?;
        // One at a time, so that the two ends belong together.
        let listener = self.listener.lock().await;
        let client = socket.connect(listener.local_addr()?).await?;
        Ok((client, listener.accept().await?.0))
    }

    /// Keeps the scene of a connection until the returned value is dropped.
    pub(crate) fn enter(&self, id: ConnectionId, scene: &Arc<Scene>) -> Entered {
        self.scenes.lock().expect("no panic while it is held").insert(id, Arc::clone(scene));
        Entered { id, scenes: Arc::clone(&self.scenes) }
    }

    /// How many connections have a scene.
    pub(crate) fn scenes(&self) -> usize {
        self.scenes.lock().expect("no panic while it is held").len()
    }
}

/// Forgets a scene when it is dropped.
pub(crate) struct Entered {
    id: ConnectionId,
    scenes: Scenes,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.scenes.lock().expect("no panic while it is held").remove(&self.id);
    }
}

/// Has servers choose the protocol, which the `openssl` crate has done on the fibre, by way of a source.
fn choose_from_source(settings: &mut SslAcceptorBuilder, index: Index<Ssl, Arc<Scene>>) {
    settings.set_alpn_select_callback(move |ssl, offered| {
        let scene = ssl.ex_data(index).expect("set before the handshake");
        match scene.plan.source {
            Some(source) if !source::perform(source, scene) => Err(AlpnError::ALERT_FATAL),
            _ => Ok(&offered[1..]),
        }
    });
}
