//! Delays that grow.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// How long to wait before trying again.
pub(super) struct Delays {
    pub(super) first: Duration,
    pub(super) longest: Duration,
}

impl Delays {
    /// Doubles with each try and is shortened at random by up to a half, so that connections do not try in step.
    pub(super) fn after(&self, tries: u32) -> Duration {
        let delay = self.first.saturating_mul(1 << tries.min(16)).min(self.longest);
        let random = RandomState::new().hash_one(tries) as u32;
        delay - delay.mul_f64(f64::from(random) / f64::from(u32::MAX) / 2.0)
    }
}
