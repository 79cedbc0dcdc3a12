//! Messages, made into what JavaScript gets.

use std::rc::Rc;
use std::time::Duration;

use libssl_async::{AsyncStatus, Shutdown};
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::connection::{Asked, NativeAddress, NativeClientHello, State};
use crate::environment::Environment;
use crate::error::NativeError;
use crate::loading::{Loaded, NativeEngine, NativeProvider, NativeStoredKey};
use crate::messages::{Begun, KeyTask, Message};

/// Something that happened on another thread; which fields are there depends on its type.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct NativeEvent {
    /// `async`, `accepted`, `cancelled`, `connected`, `decrypt`, `established`, `failed`, `hello`, `keylog`,
    /// `listenerClosed`, `listenerFailed`, `loaded`, `newSession`, `news`, `pin`, `psk`, `session`, `sign`, `unasked` or
    /// `verify`.
    #[napi(js_name = "type")]
    pub kind: &'static str,
    /// The connection, but for requests and failed listeners.
    pub connection: Option<u32>,
    /// The server whose connection it is.
    pub server: Option<u32>,
    /// Whether the handshake of an accepted connection runs.
    pub begun: Option<bool>,
    /// The number of a request to a remote key, of a question, or of what is loaded.
    pub request: Option<u32>,
    /// The remote key that is asked.
    pub key: Option<u32>,
    /// The TLS name of the signature scheme.
    pub scheme: Option<&'static str>,
    pub digest: Option<Buffer>,
    /// What is to be signed or decrypted, a session, a line of the key log, or the question for a PIN.
    pub message: Option<Buffer>,
    /// What a client says first.
    pub hello: Option<NativeClientHello>,
    /// The chain of a peer in DER, its own certificate first.
    pub certificates: Option<Vec<Buffer>>,
    /// Why OpenSSL does not accept it.
    pub verify_error: Option<&'static str>,
    /// The identity of a client's pre-shared key, or the hint of its server.
    pub psk_name: Option<String>,
    /// The id of a session.
    pub session_id: Option<Buffer>,
    /// How long a handshake took, in milliseconds.
    pub time: Option<f64>,
    /// How long ago it ended, in milliseconds.
    pub age: Option<f64>,
    /// `ASYNC_STATUS_*`.
    pub status: Option<i32>,
    /// What a worker has to tell: the numbers of the news of an environment.
    pub news: Option<i32>,
    /// How many jobs of a server's handshakes were given up and have ended.
    pub drained: Option<f64>,
    /// How many never will.
    pub leaked: Option<f64>,
    /// The peer of a connection that failed.
    pub peer: Option<NativeAddress>,
    /// What was loaded is one of these.
    pub engine: Option<NativeEngine>,
    pub provider: Option<NativeProvider>,
    pub stored_key: Option<NativeStoredKey>,
    pub error: Option<NativeError>,
}

/// Brings the environment up to date with a message; `None` if JavaScript need not know.
pub(crate) fn event(environment: &Rc<Environment>, message: Message) -> Option<NativeEvent> {
    Some(match message {
        Message::Async { server, connection, status } => {
            if let Some(entry) = environment.entry(connection) {
                entry.set_status(status);
            }
            let status = status.map(AsyncStatus::as_raw);
            NativeEvent { kind: "async", server, status, ..about(connection) }
        }
        Message::Accepted { server, connection, begun, addresses } => {
            let state = match begun {
                Begun::Waiting(socket, family) => State::Idle { socket, family },
                Begun::Running(cancel) => State::Busy(cancel),
            };
            let begun = Some(matches!(state, State::Busy(_)));
            environment.add(connection, state).addresses.set(addresses);
            NativeEvent { kind: "accepted", server: Some(server), begun, ..about(connection) }
        }
        Message::Cancelled { request } => {
            environment.forget_answer(request);
            NativeEvent { kind: "cancelled", request: Some(request), ..NativeEvent::default() }
        }
        Message::Connected { connection, socket, family, addresses } => {
            let entry = environment.entry(connection)?;
            entry.advance(State::Idle { socket, family }).then_some(())?;
            entry.addresses.set(addresses);
            NativeEvent { kind: "connected", ..about(connection) }
        }
        Message::Failed { server, connection, failure, peer } => {
            if let Some(entry) = environment.entry(connection) {
                entry.close();
            }
            let error = Some(NativeError::from(&failure));
            NativeEvent { kind: "failed", server, error, peer: peer.map(Into::into), ..about(connection) }
        }
        Message::Established { server, connection, known, established } => {
            let entry = environment.entry(connection);
            if known && entry.is_none() {
                // JavaScript has destroyed it.
                return None;
            }
            let state = match environment.drive(connection, established.driven) {
                Ok(state) => state,
                Err(error) => {
                    if let Some(entry) = entry {
                        entry.close();
                    }
                    let error = Some(NativeError::from(&libssl_async::Error::from(error)));
                    return Some(NativeEvent { kind: "failed", server, error, ..about(connection) });
                }
            };
            let entry = match entry {
                Some(entry) => entry.advance(state).then_some(entry)?,
                None => environment.add(connection, state),
            };
            entry.addresses.set(established.addresses);
            entry.set_status(established.status);
            entry.set_route(Some(established.route));
            let milliseconds = |time: Duration| Some(time.as_secs_f64() * 1e3);
            let (time, age) = (milliseconds(established.time), milliseconds(established.ended.elapsed()));
            NativeEvent { kind: "established", server, time, age, ..about(connection) }
        }
        Message::Asked { server, connection, request, asked, question } => {
            environment.await_reply(request, question);
            let event = NativeEvent { server, request: Some(request), ..about(connection) };
            match asked {
                Asked::Hello(hello) => NativeEvent { kind: "hello", hello: Some(hello.into()), ..event },
                Asked::NewSession { id, session } => NativeEvent {
                    kind: "newSession",
                    session_id: Some(id.into()),
                    message: Some(session.into()),
                    ..event
                },
                Asked::Verify(peer) => NativeEvent {
                    kind: "verify",
                    certificates: Some(peer.certificates.into_iter().map(Buffer::from).collect()),
                    verify_error: peer.error,
                    ..event
                },
                Asked::Psk { name } => NativeEvent { kind: "psk", psk_name: name, ..event },
            }
        }
        Message::Unasked { server, connection, request } => {
            environment.forget_reply(request);
            NativeEvent { kind: "unasked", server, request: Some(request), ..about(connection) }
        }
        Message::Secret { server, connection, line } => {
            NativeEvent { kind: "keylog", server, message: Some(line.into_bytes().into()), ..about(connection) }
        }
        Message::Session { connection, session } => {
            NativeEvent { kind: "session", message: Some(session.into()), ..about(connection) }
        }
        Message::ListenerClosed { server, left: Shutdown { drained, leaked, .. } } => NativeEvent {
            kind: "listenerClosed",
            server: Some(server),
            drained: Some(drained as f64),
            leaked: Some(leaked as f64),
            ..NativeEvent::default()
        },
        Message::ListenerFailed { server, failure } => {
            let error = Some(NativeError::from(&failure));
            NativeEvent { kind: "listenerFailed", server: Some(server), error, ..NativeEvent::default() }
        }
        Message::Loaded { request, result } => {
            let event = NativeEvent { kind: "loaded", request: Some(request), ..NativeEvent::default() };
            match result {
                Ok(Loaded::Engine(engine)) => NativeEvent { engine: Some(engine), ..event },
                Ok(Loaded::Provider(provider)) => NativeEvent { provider: Some(provider), ..event },
                Ok(Loaded::Key(key)) => NativeEvent { stored_key: Some(key), ..event },
                Err(error) => NativeEvent { error: Some(*error), ..event },
            }
        }
        Message::Pin { request, question, answer } => {
            environment.await_pin(request, answer);
            let message = Some(question.into_bytes().into());
            NativeEvent { kind: "pin", request: Some(request), message, ..NativeEvent::default() }
        }
        Message::News { id, news } => NativeEvent { kind: "news", news: Some(news), ..about(id) },
        Message::Request { request, key, task, answer } => {
            environment.await_answer(request, answer);
            let event = NativeEvent { request: Some(request), key: Some(key), ..NativeEvent::default() };
            match task {
                KeyTask::Sign { scheme, digest, message } => NativeEvent {
                    kind: "sign",
                    scheme: Some(scheme),
                    digest: digest.map(Buffer::from),
                    message: Some(message.into()),
                    ..event
                },
                KeyTask::Decrypt { ciphertext } => {
                    NativeEvent { kind: "decrypt", message: Some(ciphertext.into()), ..event }
                }
            }
        }
    })
}

fn about(connection: u32) -> NativeEvent {
    NativeEvent { connection: Some(connection), ..NativeEvent::default() }
}
