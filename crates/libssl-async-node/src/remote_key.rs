//! Private keys whose signer is a JavaScript function.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use libssl_async::keys::{
    Answer, Cancellation, DecryptRequest, KeyHandler, KeyMeter, RemoteKey, RemoteKeyError, SignRequest,
    SignatureFormat, SignatureScheme,
};
use napi::Env;
use napi_derive::napi;
use openssl::pkey::{PKey, Private, Public};
use openssl::x509::X509;

use crate::environment::{NativeEnvironment, next_id};
use crate::error::{Checked, NativeError};
use crate::messages::{KeyTask, Message, Queue};
use crate::metrics::NativeKeyStats;

/// A private key that is somewhere else; requests to it are events of its environment.
#[napi]
pub struct NativeRemoteKey {
    id: u32,
    key: PKey<Private>,
    meter: KeyMeter,
}

/// How a remote key behaves.
#[napi(object)]
pub struct NativeRemoteKeyOptions<'env> {
    /// The public half: a certificate or a SubjectPublicKeyInfo, in PEM or DER.
    pub public_key: napi::bindgen_prelude::BufferSlice<'env>,
    /// The option that it comes from.
    pub public_key_option: String,
    /// TLS names of what the signer can do.
    pub schemes: Option<Vec<String>>,
    /// Whether the signer gives ECDSA signatures as IEEE P1363 has them.
    pub ieee_p1363: bool,
    /// How many requests it takes at once; more wait.
    pub concurrency: Option<u32>,
    /// Milliseconds that a request may take.
    pub timeout: Option<u32>,
    /// Whether signatures are verified before they are used.
    pub verify_signatures: bool,
    /// Whether it decrypts.
    pub decrypts: bool,
}

#[napi]
impl NativeRemoteKey {
    /// Throws what is wrong with the options.
    #[napi(constructor)]
    pub fn new(env: Env, environment: &NativeEnvironment, options: NativeRemoteKeyOptions<'_>) -> napi::Result<Self> {
        let queue = Arc::clone(&environment.inner().queue);
        Self::make(queue, options).map_err(|error| error.throw(&env))
    }

    /// The number by which requests know the key.
    #[napi(getter)]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// What it has done.
    #[napi]
    pub fn stats(&self) -> NativeKeyStats {
        self.meter.stats().into()
    }
}

impl NativeRemoteKey {
    fn make(queue: Arc<Queue>, options: NativeRemoteKeyOptions<'_>) -> Checked<Self> {
        let id = next_id();
        let source = options.public_key_option;
        let public = public_key(&options.public_key)
            .ok_or_else(|| invalid(&source, "it is neither a certificate nor a public key, in PEM or DER"))?;
        let meter = KeyMeter::new();
        let mut builder = RemoteKey::builder(&public)
            .meter(&meter)
            .handler(Handler { key: id, decrypts: options.decrypts, queue })
            .verify_signatures(options.verify_signatures);
        if options.ieee_p1363 {
            builder = builder.signature_format(SignatureFormat::IeeeP1363);
        }
        if let Some(concurrency) = options.concurrency {
            builder = builder.concurrency(concurrency as usize);
        }
        if let Some(timeout) = options.timeout {
            builder = builder.timeout(Duration::from_millis(timeout.into()));
        }
        if let Some(names) = options.schemes {
            let scheme = |name: &String| {
                SignatureScheme::from_name(name)
                    .ok_or_else(|| invalid("schemes", &format!("there is no signature scheme {name}")))
            };
            builder = builder.schemes(names.iter().map(scheme).collect::<Checked<Vec<_>>>()?);
        }
        let key = builder.build().map_err(|error| match &error {
            RemoteKeyError::Scheme(_) => invalid("schemes", &error.to_string()),
            _ => invalid(&source, &error.to_string()),
        })?;
        Ok(Self { id, key, meter })
    }

    pub(crate) fn key(&self) -> &PKey<Private> {
        &self.key
    }
}

/// Reads the public half from a certificate or a public key, in PEM or DER.
fn public_key(source: &[u8]) -> Option<PKey<Public>> {
    let certificate = X509::from_pem(source).or_else(|_| X509::from_der(source));
    certificate
        .and_then(|certificate| certificate.public_key())
        .or_else(|_| PKey::public_key_from_pem(source))
        .or_else(|_| PKey::public_key_from_der(source))
        .ok()
}

fn invalid(option: &str, message: &str) -> Box<NativeError> {
    NativeError::option("ERR_INVALID_ARG_VALUE", option, message).into()
}

/// Hands requests to the environment's queue. The key, and so every context that has it, knows only the queue.
struct Handler {
    key: u32,
    decrypts: bool,
    queue: Arc<Queue>,
}

impl KeyHandler for Handler {
    fn sign(&self, request: SignRequest, answer: Answer) {
        let digest = request.digest.map(|digest| digest.bytes);
        let task = KeyTask::Sign { scheme: request.scheme.name(), digest, message: request.message };
        self.ask(task, &request.cancellation, answer);
    }

    fn decrypt_raw(&self, request: DecryptRequest, answer: Answer) {
        if self.decrypts {
            self.ask(KeyTask::Decrypt { ciphertext: request.ciphertext }, &request.cancellation, answer);
        } else {
            answer.complete(Err(libssl_async::keys::KeyError::Unsupported.into()));
        }
    }
}

impl Handler {
    fn ask(&self, task: KeyTask, cancellation: &Cancellation, answer: Answer) {
        let request = next_id();
        let queue = Arc::clone(&self.queue);
        cancellation.on_cancel(move || queue.send(Message::Cancelled { request }));
        self.queue.send(Message::Request { request, key: self.key, task, answer });
    }
}

/// A signer's exception, which JavaScript keeps under the number of the request.
#[derive(Debug)]
pub(crate) struct JsFailure {
    pub(crate) request: u32,
    pub(crate) message: String,
}

impl fmt::Display for JsFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for JsFailure {}
