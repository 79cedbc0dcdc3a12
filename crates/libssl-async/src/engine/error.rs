//! Why an engine cannot be used.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use openssl::error::ErrorStack;

use super::Method;
use crate::libcrypto::Origin;

/// Why an engine was not loaded, or did not do what it was told. The process goes on as before.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The file is in use by another [`Engine`](super::Engine), which would lose its state.
    #[error("{} is already loaded", .0.display())]
    AlreadyLoaded(PathBuf),
    /// The engine has no such command.
    #[error("the engine {engine} has no command {command}; it has: {}", .known.join(", "))]
    CommandUnknown {
        /// The engine's id.
        engine: String,
        /// The command that was wanted.
        command: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// The value of a command is none that it takes.
    #[error("the command {command} of the engine {engine} takes {takes}")]
    CommandValue {
        /// The engine's id.
        engine: String,
        /// The command.
        command: String,
        /// What it takes.
        takes: &'static str,
    },
    /// The engine refused a command.
    #[error("the engine {engine} refused the command {command}: {stack}")]
    CommandRefused {
        /// The engine's id.
        engine: String,
        /// The command.
        command: String,
        /// What libcrypto and the engine say.
        stack: ErrorStack,
    },
    /// The file cannot be read.
    #[error("{}: {error}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: Arc<io::Error>,
    },
    /// The engine failed to initialise.
    #[error("the engine {engine} failed to initialise: {stack}")]
    Initialise {
        /// The engine's id.
        engine: String,
        /// What libcrypto and the engine say.
        stack: ErrorStack,
    },
    /// The engine gave no key.
    #[error("the engine {engine} has not given the key {key}: {stack}")]
    Key {
        /// The engine's id.
        engine: String,
        /// The name of the key.
        key: String,
        /// What libcrypto and the engine say.
        stack: ErrorStack,
    },
    /// The engine uses another libcrypto than this program: it would never see a job, and silently block.
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
    /// The engine cannot be made the default for something.
    #[error("the engine {engine} cannot serve {method}: {stack}")]
    Method {
        /// The engine's id.
        engine: String,
        /// For what.
        method: Method,
        /// What libcrypto says.
        stack: ErrorStack,
    },
    /// libcrypto knows no engine of this id, and has no file of that name among its engines.
    #[error("there is no engine {0}")]
    NotFound(String),
    /// The file is no engine, one for another version of OpenSSL, or one that refuses to be used.
    #[error("{} is no engine that can be used: {stack}", .path.display())]
    NotUsable {
        /// The file.
        path: PathBuf,
        /// What libcrypto says.
        stack: ErrorStack,
    },
    /// The system gave no thread for polling.
    #[error("no thread for polling the engine: {0}")]
    Thread(Arc<io::Error>),
}
