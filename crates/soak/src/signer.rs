//! Remote keys that answer as the scene of the connection says.

use std::sync::{Arc, PoisonError};
use std::time::Duration;
use std::{io, panic};

use libssl_async::ConnectionId;
use libssl_async::keys::{Answer, BoxError, KeyHandler, RemoteKey, SignRequest};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sign;
use tokio::runtime::Handle;
use tokio::time::sleep;

use crate::Failure;
use crate::lab::{Scene, Scenes};
use crate::plan::Signer;

/// At most so many requests at once of the key that has a limit.
const CONCURRENCY: usize = 48;

/// The timeout of the key that has one.
const TIMEOUT: Duration = Duration::from_millis(20);

/// A key that answers with a future, on the thread for keys; with a limit and a timeout.
pub(crate) fn future(key: &PKey<Private>, scenes: &Scenes) -> Result<PKey<Private>, Failure> {
    let (local, scenes) = (key.clone(), Arc::clone(scenes));
    let remote = RemoteKey::builder(key).concurrency(CONCURRENCY).timeout(TIMEOUT).sign_fn(move |request| {
        let scene = scene_of(&scenes, request.connection);
        let local = local.clone();
        async move {
            match scene {
                Some(scene) => answer(&local, &request, &scene).await.unwrap_or_else(|| panic!("{LOST}")),
                None => sign(&local, &request),
            }
        }
    });
    Ok(remote.build()?)
}

/// A key that answers from a task of the main runtime, with neither limit nor timeout.
pub(crate) fn handler(key: &PKey<Private>, scenes: &Scenes) -> Result<PKey<Private>, Failure> {
    let handler = Handler { key: key.clone(), scenes: Arc::clone(scenes), runtime: Handle::current() };
    Ok(RemoteKey::builder(key).handler(handler).build()?)
}

struct Handler {
    key: PKey<Private>,
    scenes: Scenes,
    runtime: Handle,
}

impl KeyHandler for Handler {
    fn sign(&self, request: SignRequest, answer_to: Answer) {
        let Some(scene) = scene_of(&self.scenes, request.connection) else {
            answer_to.complete(sign(&self.key, &request));
            return;
        };
        if let Signer::AtOnce = scene.plan.signer {
            scene.asked.happen();
            scene.answered.happen();
            answer_to.complete(sign(&self.key, &request));
            return;
        }
        let key = self.key.clone();
        self.runtime.spawn(async move {
            let cancelled = request.cancellation.clone();
            tokio::select! {
                () = cancelled.cancelled() => {}
                answer = answer(&key, &request, &scene) => {
                    if let Some(answer) = answer {
                        answer_to.complete(answer);
                    }
                }
            }
        });
    }
}

/// What a signer panics with that cannot lose a request in another way.
const LOST: &str = "lost, as planned";

/// Keeps the reports of planned panics off the screen.
pub(crate) fn silence_planned_panics() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if panic.payload().downcast_ref::<String>().is_none_or(|message| message != LOST) {
            report(panic);
        }
    }));
}

/// Answers as planned; `None` if the request is to be lost.
async fn answer(key: &PKey<Private>, request: &SignRequest, scene: &Scene) -> Option<Result<Vec<u8>, BoxError>> {
    scene.asked.happen();
    match scene.plan.signer {
        Signer::AtOnce => {}
        Signer::Later(delay) => sleep(delay).await,
        Signer::Never => std::future::pending().await,
        Signer::Fails => return Some(Err(io::Error::other("failed, as planned").into())),
        Signer::Loses => return None,
    }
    let signature = sign(key, request);
    scene.answered.happen();
    Some(signature)
}

fn sign(key: &PKey<Private>, request: &SignRequest) -> Result<Vec<u8>, BoxError> {
    Ok(sign::Signer::new(MessageDigest::sha256(), key)?.sign_oneshot_to_vec(&request.message)?)
}

/// `None` for a connection that asks before its scene is known, or after.
fn scene_of(scenes: &Scenes, connection: Option<ConnectionId>) -> Option<Arc<Scene>> {
    scenes.lock().unwrap_or_else(PoisonError::into_inner).get(&connection?).cloned()
}
