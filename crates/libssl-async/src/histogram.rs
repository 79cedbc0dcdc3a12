//! How long things took.

use std::time::Duration;

use crate::metrics::Counter;

/// How many things took how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Histogram {
    /// A count for each bound of [`Histogram::BOUNDS`], and one for what took longer.
    pub counts: [u64; Self::BOUNDS.len() + 1],
    /// How long all of them took together, in microseconds.
    pub total_micros: u64,
}

impl Histogram {
    /// The upper bounds of the buckets, in milliseconds; the last bucket has none.
    pub const BOUNDS: [f64; 12] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 50.0, 100.0, 1_000.0, 10_000.0];
}

/// The live numbers behind a [`Histogram`].
#[derive(Default)]
pub(crate) struct Times {
    counts: [Counter; Histogram::BOUNDS.len() + 1],
    total_micros: Counter,
}

impl Times {
    pub(crate) fn add(&self, time: Duration) {
        let milliseconds = time.as_secs_f64() * 1e3;
        self.counts[Histogram::BOUNDS.partition_point(|bound| *bound < milliseconds)].add(1);
        self.total_micros.add(time.as_micros().try_into().unwrap_or(u64::MAX));
    }

    pub(crate) fn snapshot(&self) -> Histogram {
        Histogram {
            counts: std::array::from_fn(|bucket| self.counts[bucket].get()),
            total_micros: self.total_micros.get(),
        }
    }
}

#[cfg(all(test, not(model)))]
mod tests {
    use super::*;

    #[test]
    fn a_time_falls_into_the_first_bucket_that_it_does_not_exceed() {
        let times = Times::default();
        [0, 50, 51, 10_000_000, 10_000_001].into_iter().for_each(|micros| times.add(Duration::from_micros(micros)));
        let Histogram { counts, total_micros } = times.snapshot();
        assert_eq!(counts, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(total_micros, 20_000_102);
    }
}
