//! What stays allocated on purpose for as long as the process lives.

use std::sync::{Mutex, PoisonError};

/// Its addresses, in a place that is never freed: leak checkers then tell only what was lost.
static KEPT: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// Notes that what lies at `address` is never freed.
pub(crate) fn keep<T>(address: *const T) {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(address.expose_provenance());
}
