//! Where the messages of a connection go.

use std::sync::{Arc, Mutex, PoisonError};

use crate::messages::Queue;

/// The environment that a connection belongs to, and its server there: another one, once it was handed over.
pub(crate) struct Route(Mutex<Home>);

#[derive(Clone)]
pub(crate) struct Home {
    pub(crate) queue: Arc<Queue>,
    pub(crate) server: Option<u32>,
}

impl Route {
    pub(crate) fn new(home: Home) -> Arc<Self> {
        Arc::new(Self(Mutex::new(home)))
    }

    pub(crate) fn home(&self) -> Home {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn change(&self, home: Home) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = home;
    }
}
