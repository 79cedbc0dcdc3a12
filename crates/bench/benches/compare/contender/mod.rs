//! Those who are compared.

mod libssl;
mod libssl_async;
mod over_tokio;
mod tokio_openssl;
mod tokio_rustls;

use std::error::Error;
use std::io;
use std::time::Duration;

use self::libssl::Libssl;
pub(crate) use self::libssl_async::{LibsslAsync, remote, sign};
use self::over_tokio::OverTokio;
pub(crate) use self::over_tokio::Tls;
pub(crate) use self::tokio_openssl::TokioOpenssl;
pub(crate) use self::tokio_rustls::{Provider, TokioRustls};
use crate::identity::Identity;

/// Whom the others are compared with.
pub(crate) const REFERENCE: &str = "tokio-openssl";

/// What can be measured of a TLS implementation.
pub(crate) trait Contender {
    fn name(&self) -> &'static str;

    /// Whether handshakes pause, after which the connection is as any other.
    fn pauses(&self) -> bool {
        false
    }

    /// Makes `count` connections, `at_once` at a time, and tells the CPU time of their handshakes and of their end.
    fn handshakes(&self, count: usize, at_once: usize) -> io::Result<Duration>;

    /// Sends so much to the server, in writes of 1 MiB, and tells the CPU time of both ends.
    fn bulk(&self, mebibytes: usize) -> io::Result<Duration>;
}

/// All contenders, or the one with the name `only`, with servers of this identity.
pub(crate) fn all(identity: &Identity, only: Option<&str>) -> Result<Vec<Box<dyn Contender>>, Box<dyn Error>> {
    let mut all: Vec<Box<dyn Contender>> = vec![
        Box::new(Libssl::new(identity)?),
        Box::new(OverTokio::new(REFERENCE, TokioOpenssl::new(identity)?)?),
        Box::new(OverTokio::new(Provider::AwsLc.name(), TokioRustls::new(identity, Provider::AwsLc)?)?),
        Box::new(OverTokio::new(Provider::Ring.name(), TokioRustls::new(identity, Provider::Ring)?)?),
        Box::new(OverTokio::new("libssl-async", LibsslAsync::new(identity, &identity.key)?)?),
        Box::new(OverTokio::pausing("libssl-async, pausing key", LibsslAsync::new(identity, &remote(identity)?)?)?),
    ];
    all.retain(|contender| only.is_none_or(|only| contender.name() == only));
    Ok(all)
}
