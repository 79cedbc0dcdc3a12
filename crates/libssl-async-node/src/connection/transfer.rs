//! Connections on their way from one environment to another.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use libssl_async::AsyncStatus;
use napi::Env;
use napi_derive::napi;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Addresses, Home, NativeConnection, Route, State};
use crate::environment::NativeEnvironment;
use crate::error::NativeError;
use crate::workers::workers;

/// What JavaScript has found out about the peer beside libssl.
#[napi(object)]
#[derive(Default)]
pub struct NativeTrust {
    /// Why the peer's certificate is not for its name, as Node's code.
    pub identity_error: Option<String>,
    /// The handshake rests on a key that both had before.
    pub is_trusted_key: bool,
}

/// A connection that has come from another environment.
#[napi(object, object_from_js = false)]
pub struct NativeClaimed {
    pub connection: NativeConnection,
    pub trust: NativeTrust,
}

/// An established connection that belongs to no environment.
pub(crate) struct Moved {
    pub(crate) id: u32,
    pub(crate) state: State,
    pub(crate) route: Option<Arc<Route>>,
    pub(crate) addresses: Addresses,
    pub(crate) status: Option<AsyncStatus>,
}

/// One that waits to be claimed.
struct Waiting {
    moved: Moved,
    trust: NativeTrust,
    #[expect(dead_code, reason = "dropped to end the wait")]
    expiry: DropGuard,
}

static WAITING: LazyLock<Mutex<HashMap<String, Waiting>>> = LazyLock::new(Mutex::default);

#[napi]
impl NativeConnection {
    /// Has the environment give the connection up for the one that claims it by `token`; closes it if nobody does for so
    /// many milliseconds. Returns `false` if it is not established.
    #[napi]
    pub fn transfer(&self, token: String, timeout: u32, trust: NativeTrust) -> bool {
        let Some(moved) = self.entry().leave() else { return false };
        let cancelled = CancellationToken::new();
        waiting().insert(token.clone(), Waiting { moved, trust, expiry: cancelled.clone().drop_guard() });
        let _detached = workers().spawn_pinned(move || async move {
            let wait = tokio::time::sleep(Duration::from_millis(timeout.into()));
            if cancelled.run_until_cancelled(wait).await.is_some() {
                let _closed_outside = waiting().remove(&token);
            }
        });
        true
    }
}

#[napi]
impl NativeEnvironment {
    /// The connection that waits for `token`, which belongs to this environment from then on; `None` if there is none.
    #[napi]
    pub fn claim(&self, env: &Env, token: String) -> napi::Result<Option<NativeClaimed>> {
        let claimed = waiting().remove(&token);
        let Some(Waiting { moved, trust, .. }) = claimed else { return Ok(None) };
        let environment = self.inner();
        if let Some(route) = &moved.route {
            route.change(Home { queue: Arc::clone(&environment.queue), server: None });
        }
        let entry = environment.settle(moved).map_err(|error: io::Error| NativeError::system(&error).throw(env))?;
        Ok(Some(NativeClaimed { connection: NativeConnection::of(environment, entry), trust }))
    }
}

fn waiting() -> MutexGuard<'static, HashMap<String, Waiting>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}
