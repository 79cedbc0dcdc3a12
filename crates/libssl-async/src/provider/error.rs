//! Why a provider cannot be used.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use openssl::error::ErrorStack;

use crate::libcrypto::Origin;

/// Why a provider was not loaded, or gave no key. The process goes on as before.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// The name of the provider or of a parameter, or a value, is none that a configuration can have.
    #[error("{0:?} cannot be a part of a provider's configuration")]
    Configuration(String),
    /// The file cannot be read.
    #[error("{}: {error}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: Arc<io::Error>,
    },
    /// There is no such key, or it was not given.
    #[error("there is no key at {uri} for the provider {provider}: {stack}")]
    Key {
        /// The provider's name.
        provider: String,
        /// Where the key was looked for.
        uri: String,
        /// What libcrypto and the provider say; empty if nothing was found.
        stack: ErrorStack,
    },
    /// The provider uses another libcrypto than this program: it would never see a job, and silently block.
    #[error("{} uses the libcrypto in {theirs}, this program the one in {ours}", .path.display())]
    Libcrypto {
        /// The file.
        path: PathBuf,
        /// Where its libcrypto is.
        theirs: Origin,
        /// Where that of this program is.
        ours: Origin,
    },
    /// The file cannot be loaded: it is for another machine, say, or needs a library that is not there.
    #[error("{} cannot be loaded: {reason}", .path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// The dynamic linker's reason.
        reason: String,
    },
    /// There is no such provider, or it refuses to be used with these parameters.
    #[error("the provider {provider} cannot be used: {stack}")]
    NotUsable {
        /// The provider's name.
        provider: String,
        /// What libcrypto and the provider say.
        stack: ErrorStack,
    },
}
