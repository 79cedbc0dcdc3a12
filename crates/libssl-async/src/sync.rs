//! The synchronisation types of [`completion`](crate::completion) and [`keys`](crate::keys), which loom replaces in its models.

#[cfg(model)]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
#[cfg(not(model))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};

/// Locks `mutex`, and goes on with the data of a thread that panicked: every critical section here leaves it whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
