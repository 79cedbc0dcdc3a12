//! What the worker pool has done.

use libssl_async::keys::KeyStats;
use libssl_async::{Histogram, Metrics};
use napi_derive::napi;

use crate::workers;

/// The counters of all environments together.
#[napi(object, object_from_js = false)]
pub struct NativeMetrics {
    pub handshakes: f64,
    pub failed: f64,
    pub refused: f64,
    pub pauses: f64,
    pub resumes: f64,
    pub callbacks: f64,
    pub again_retries: f64,
    pub job_waits: f64,
    pub drained: f64,
    pub leaked: f64,
    pub in_flight: f64,
    pub waiting: f64,
    pub paused: f64,
    pub pause_time: NativeHistogram,
}

/// How long things took, in milliseconds.
#[napi(object, object_from_js = false)]
pub struct NativeHistogram {
    pub bounds: Vec<f64>,
    pub counts: Vec<f64>,
    pub sum: f64,
}

/// What a key has done.
#[napi(object, object_from_js = false)]
pub struct NativeKeyStats {
    pub requests: f64,
    pub answered: f64,
    pub failed: f64,
    pub cancelled: f64,
    pub timed_out: f64,
    pub in_flight: f64,
    pub waiting: f64,
    pub time: NativeHistogram,
}

/// A snapshot; all zeros before the pool has been used.
#[napi]
pub fn metrics() -> NativeMetrics {
    let metrics = workers::started().map_or_else(Metrics::default, |workers| workers.metrics());
    NativeMetrics {
        handshakes: metrics.handshakes as f64,
        failed: metrics.failed as f64,
        refused: metrics.refused as f64,
        pauses: metrics.pauses as f64,
        resumes: metrics.resumes as f64,
        callbacks: metrics.callbacks as f64,
        again_retries: metrics.again_retries as f64,
        job_waits: metrics.job_waits as f64,
        drained: metrics.drained as f64,
        leaked: metrics.leaked as f64,
        in_flight: metrics.in_flight as f64,
        waiting: metrics.waiting as f64,
        paused: metrics.paused as f64,
        pause_time: metrics.pause_time.into(),
    }
}

impl From<Histogram> for NativeHistogram {
    fn from(histogram: Histogram) -> Self {
        Self {
            bounds: Histogram::BOUNDS.to_vec(),
            counts: histogram.counts.map(|count| count as f64).to_vec(),
            sum: histogram.total_micros as f64 / 1e3,
        }
    }
}

impl From<KeyStats> for NativeKeyStats {
    fn from(stats: KeyStats) -> Self {
        Self {
            requests: stats.requests as f64,
            answered: stats.answered as f64,
            failed: stats.failed as f64,
            cancelled: stats.cancelled as f64,
            timed_out: stats.timed_out as f64,
            in_flight: stats.in_flight as f64,
            waiting: stats.waiting as f64,
            time: stats.time.into(),
        }
    }
}
