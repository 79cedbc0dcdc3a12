//! What the slices have done so far, in `target/soak/rust.json`.

use std::path::PathBuf;
use std::{fmt, fs};

use libssl_async::Metrics;
use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::pair::End;
use crate::process::Memory;

/// How much memory may grow from the first tenth of a slice to the last.
const GROWTH: f64 = 0.02;

/// Into how many parts a slice is cut.
const TENTHS: usize = 10;

#[derive(Default, Deserialize, Serialize)]
pub(crate) struct State {
    slices: Vec<Slice>,
    /// Slices that began and did not end.
    crashed: u32,
    under_way: bool,
}

/// What one process did.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct Slice {
    openssl: String,
    pub(crate) seconds: u64,
    /// Pairs that were cancelled.
    pub(crate) cancelled: u64,
    succeeded: u64,
    pauses: u64,
    resumes: u64,
    callbacks: u64,
    again_retries: u64,
    job_waits: u64,
    drained: u64,
    leaked: u64,
    /// Memory after a batch, in KiB: the median of each tenth of the batches; none of a slice of few.
    resident: Vec<u64>,
    allocated: Vec<u64>,
}

impl State {
    pub(crate) fn load() -> Result<Self, Failure> {
        match fs::read(path()) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Another seed for each slice.
    pub(crate) fn seed(&self) -> u64 {
        self.slices.len() as u64
    }

    pub(crate) fn cancelled(&self) -> u64 {
        self.slices.iter().map(|slice| slice.cancelled).sum()
    }

    pub(crate) fn begin(&mut self) -> Result<(), Failure> {
        self.crashed += u32::from(std::mem::replace(&mut self.under_way, true));
        self.save()
    }

    pub(crate) fn end(&mut self, slice: Slice) -> Result<(), Failure> {
        self.slices.push(slice);
        self.under_way = false;
        self.save()
    }

    fn save(&self) -> Result<(), Failure> {
        let path = path();
        fs::create_dir_all(path.parent().expect("it is in a folder"))?;
        Ok(fs::write(path, format!("{:#}\n", serde_json::to_value(self)?))?)
    }

    /// Fails if anything was lost.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.crashed > 0 {
            return Err(format!("{} slices did not end", self.crashed).into());
        }
        for slice in &self.slices {
            for memory in [&slice.resident, &slice.allocated] {
                if growth(memory).is_some_and(|growth| growth > GROWTH) {
                    return Err(format!("memory grew in a slice: {memory:?} KiB").into());
                }
            }
        }
        Ok(())
    }
}

impl Slice {
    pub(crate) fn count(&mut self, end: End) {
        match end {
            End::Succeeded => self.succeeded += 1,
            End::Cancelled => self.cancelled += 1,
        }
    }

    pub(crate) fn pairs(&self) -> u64 {
        self.succeeded + self.cancelled
    }

    /// Keeps what the workers counted, and what memory there was after each batch.
    pub(crate) fn remember(&mut self, metrics: &Metrics, memory: &[Memory]) {
        self.openssl = openssl::version::version().to_owned();
        self.pauses = metrics.pauses;
        self.resumes = metrics.resumes;
        self.callbacks = metrics.callbacks;
        self.again_retries = metrics.again_retries;
        self.job_waits = metrics.job_waits;
        self.drained = metrics.drained;
        self.leaked = metrics.leaked;
        self.resident = tenths(memory.iter().map(|memory| memory.resident).collect());
        self.allocated = tenths(memory.iter().map(|memory| memory.allocated).collect());
    }
}

/// The median of each tenth; none of few.
fn tenths(mut values: Vec<u64>) -> Vec<u64> {
    let tenth = values.len() / TENTHS;
    if tenth == 0 {
        return Vec::new();
    }
    let median = |part: &mut [u64]| *part.select_nth_unstable(tenth / 2).1;
    values.chunks_exact_mut(tenth).take(TENTHS).map(median).collect()
}

/// From the first tenth to the last.
fn growth(tenths: &[u64]) -> Option<f64> {
    Some(*tenths.last()? as f64 / *tenths.first()? as f64 - 1.0)
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = |of: fn(&Slice) -> u64| self.slices.iter().map(of).sum::<u64>();
        writeln!(formatter, "slices              {:>10}", self.slices.len())?;
        writeln!(formatter, "seconds             {:>10}", sum(|slice| slice.seconds))?;
        writeln!(formatter, "handshakes cancelled{:>10}", self.cancelled())?;
        writeln!(formatter, "         succeeded  {:>10}", sum(|slice| slice.succeeded))?;
        writeln!(formatter, "pauses              {:>10}", sum(|slice| slice.pauses))?;
        writeln!(formatter, "resumes             {:>10}", sum(|slice| slice.resumes))?;
        writeln!(formatter, "callbacks           {:>10}", sum(|slice| slice.callbacks))?;
        writeln!(formatter, "retries when busy   {:>10}", sum(|slice| slice.again_retries))?;
        writeln!(formatter, "waits for a job     {:>10}", sum(|slice| slice.job_waits))?;
        writeln!(formatter, "drained             {:>10}", sum(|slice| slice.drained))?;
        writeln!(formatter, "leaked              {:>10}", sum(|slice| slice.leaked))?;
        writeln!(formatter, "crashed             {:>10}", self.crashed)?;
        for slice in &self.slices {
            for (name, memory) in [("resident", &slice.resident), ("allocated", &slice.allocated)] {
                if let Some(growth) = growth(memory) {
                    writeln!(formatter, "{name:<9} in tenths {:>+9.2}% {memory:?} KiB", growth * 100.0)?;
                }
            }
        }
        Ok(())
    }
}

fn path() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../target/soak/rust.json"].iter().collect()
}
