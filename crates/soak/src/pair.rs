//! A client's and a server's handshake with each other, with whatever is to happen to them.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use libssl_async::{Error, Handshake, TlsStream};
use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslVersion};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use crate::Failure;
use crate::lab::{Lab, Scene};
use crate::plan::{Cut, Moment, Plan, Side};
use crate::transport::Transport;

/// What became of a pair.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Both sides succeeded, and talked.
    Succeeded,
    /// A side was dropped, or failed as it was made to.
    Cancelled,
}

/// How long a disturbed pair may take: its signer may be one that never answers.
const PATIENCE: Duration = Duration::from_millis(40);

/// How long an undisturbed one may take, on however busy a machine.
const LONGEST: Duration = Duration::from_secs(60);

pub(crate) async fn run(lab: Arc<Lab>, plan: Plan) -> Result<End, Failure> {
    let (client, server) = lab.sockets().await?;
    if plan.reset {
        client.set_zero_linger()?;
    }
    let scene = Scene::new(plan);
    let plan = &scene.plan;
    // Sockets of tokio's are treated otherwise than other transports: both kinds have to come.
    let wrapped = plan.fault.is_some()
        || matches!(plan.cut, Some(Cut { moment: Moment::Transfer(..), .. }))
        || plan.seed.is_multiple_of(4);
    let ended = if wrapped {
        let transport = |side, socket| {
            let told = match plan.cut.map(|cut| cut.moment) {
                Some(Moment::Transfer(of, at)) if of == side => Some((at, Arc::clone(&scene))),
                _ => None,
            };
            let fault = plan.fault.filter(|(of, ..)| *of == side).map(|(_, from, fault)| (from, fault));
            Transport::new(socket, told, fault)
        };
        let (client, server) = (transport(Side::Client, client), transport(Side::Server, server));
        shake_hands(&lab, &scene, client, server).await?
    } else {
        shake_hands(&lab, &scene, client, server).await?
    };
    match ended {
        Ok(()) => Ok(End::Succeeded),
        Err(error) if plan.is_undisturbed() => Err(format!("{plan:?}: {error}").into()),
        Err(_) => Ok(End::Cancelled),
    }
}

/// Runs both handshakes until they have ended or were dropped; the inner error is why one did not succeed.
async fn shake_hands<S>(lab: &Lab, scene: &Arc<Scene>, client: S, server: S) -> Result<Result<(), Failure>, ErrorStack>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let plan = &scene.plan;
    let acceptor = &lab.acceptors[usize::from(plan.handler)];
    let connector = &lab.connectors[usize::from(plan.mutual)];
    let mut ssl = Ssl::new(acceptor.context())?;
    ssl.set_ex_data(lab.scene, Arc::clone(scene));
    if plan.tls12 {
        ssl.set_max_proto_version(Some(SslVersion::TLS1_2))?;
    }
    let server = acceptor.accept_with(ssl, server);
    let _server_entered = lab.enter(server.id(), scene);
    let client = connector.connect("localhost", client);
    let _client_entered = lab.enter(client.id(), scene);
    let (cut_client, cut_server) = plan.cut.map_or((false, false), |cut| (cut.client, cut.server));
    let ends = async {
        let (client, server) = tokio::join!(
            side(client, cut_client.then(|| moment(scene))),
            side(server, cut_server.then(|| moment(scene)))
        );
        Ok((client?, server?))
    };
    let patience = if plan.is_undisturbed() { LONGEST } else { PATIENCE };
    Ok(match timeout(patience, ends).await {
        Err(late) => Err(late.into()),
        Ok(Err(error)) => Err(error),
        Ok(Ok((client, server))) => talk(client, server).await.map_err(Failure::from),
    })
}

/// Waits for a handshake, or drops it.
async fn side<S>(handshake: Handshake<S>, cut: Option<impl Future<Output = ()>>) -> Result<TlsStream<S>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    match cut {
        None => Ok(handshake.await?),
        Some(cut) => {
            tokio::select! {
                biased;
                () = cut => Err(Error::Cancelled.into()),
                end = handshake => Ok(end?),
            }
        }
    }
}

/// Waits for the moment at which handshakes are dropped.
async fn moment(scene: &Scene) {
    match scene.plan.cut.map(|cut| cut.moment) {
        Some(Moment::Poll(number)) => {
            let mut polls = 0;
            poll_fn(|_| {
                polls += 1;
                if polls > number { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
        Some(Moment::Transfer(..)) => scene.used.happened().await,
        Some(Moment::Asked) => scene.asked.happened().await,
        Some(Moment::Answered) => scene.answered.happened().await,
        Some(Moment::After(time)) => sleep(time).await,
        None => std::future::pending().await,
    }
}

/// Sends a byte both ways.
async fn talk<S>(mut client: TlsStream<S>, mut server: TlsStream<S>) -> Result<(), std::io::Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut byte = [0];
    client.write_all(&[7]).await?;
    server.read_exact(&mut byte).await?;
    server.write_all(&byte).await?;
    client.read_exact(&mut byte).await?;
    assert_eq!(byte, [7]);
    Ok(())
}
