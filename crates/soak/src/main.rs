//! Handshakes that are cancelled at random points, until there were a million: nothing may be lost.
//!
//! `cargo xtask run --release -p soak`; docs/soak.md says what comes of it. Works in slices of bounded time, whose sum
//! is kept in `target/soak/rust.json`. Linux only.

mod event;
mod lab;
mod pair;
mod plan;
mod process;
mod signer;
mod source;
mod state;
#[path = "../../libssl-async/tests/support/mod.rs"]
mod support;
mod transport;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::lab::Lab;
use crate::plan::Plan;
use crate::state::{Slice, State};

const USAGE: &str = "\
usage: cargo xtask run --release -p soak [-- <options>]

  --seconds <n>     how long this slice may take; by default 600
  --handshakes <n>  how many are to be cancelled, all slices together; by default 1000000
  --restart         forget the slices so far";

/// Pairs of a client and a server that are under way at once.
const AT_ONCE: usize = 64;

/// Pairs after which everything has to be as it was.
const BATCH: usize = 2000;

/// Batches before memory counts: until every buffer and table has had its largest size.
const WARM_UP: usize = 100;

/// How long everything may take to come to rest.
const REST: Duration = Duration::from_secs(60);

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    process::use_plain_allocator()?;
    run()
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn run() -> Result<(), Failure> {
    let (mut seconds, mut handshakes, mut restart) = (600, 1_000_000, false);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || args.next().ok_or(USAGE)?.parse().map_err(|_| USAGE);
        match arg.as_str() {
            "--seconds" => seconds = number()?,
            "--handshakes" => handshakes = number()?,
            "--restart" => restart = true,
            _ => {
                println!("{USAGE}");
                return Ok(());
            }
        }
    }
    let mut state = if restart { State::default() } else { State::load()? };
    if state.cancelled() < handshakes {
        state.begin()?;
        let slice = soak(&state, Duration::from_secs(seconds), handshakes - state.cancelled()).await?;
        state.end(slice)?;
    }
    println!("{state}");
    state.check()
}

/// Cancels handshakes until there were so many or the time is over.
async fn soak(state: &State, time: Duration, handshakes: u64) -> Result<Slice, Failure> {
    signer::silence_planned_panics();
    let begun = Instant::now();
    let lab = Lab::new()?;
    let mut dice = Rng::with_seed(state.seed());
    let mut slice = Slice::default();
    // The first batch opens what stays open.
    batch(&lab, &mut dice, &mut slice).await?;
    settle(&lab, &slice, None).await?;
    let descriptors = process::descriptors()?;
    let mut memory = Vec::new();
    while begun.elapsed() < time && slice.cancelled < handshakes {
        batch(&lab, &mut dice, &mut slice).await?;
        settle(&lab, &slice, Some(descriptors)).await?;
        memory.push(process::memory()?);
    }
    slice.seconds = begun.elapsed().as_secs();
    slice.remember(&lab.workers.metrics(), &memory[WARM_UP.min(memory.len())..]);
    Ok(slice)
}

/// Runs pairs, some at once, until they have ended.
async fn batch(lab: &Arc<Lab>, dice: &mut Rng, slice: &mut Slice) -> Result<(), Failure> {
    let mut pairs = JoinSet::new();
    for _ in 0..BATCH {
        if pairs.len() == AT_ONCE {
            slice.count(pairs.join_next().await.expect("some are under way")??);
        }
        pairs.spawn(pair::run(Arc::clone(lab), Plan::draw(dice)));
    }
    while let Some(end) = pairs.join_next().await {
        slice.count(end??);
    }
    Ok(())
}

/// Waits until nothing is under way any more, and checks that nothing is left over.
async fn settle(lab: &Lab, slice: &Slice, descriptors: Option<usize>) -> Result<(), Failure> {
    let end = Instant::now() + REST;
    loop {
        let (metrics, open) = (lab.workers.metrics(), process::descriptors()?);
        let ended = metrics.handshakes + metrics.failed;
        if ended == 2 * slice.pairs()
            && (metrics.in_flight, metrics.paused, metrics.leaked) == (0, 0, 0)
            && metrics.pauses == metrics.resumes
            && lab.scenes() == 0
            && descriptors.is_none_or(|expected| open == expected)
        {
            return Ok(());
        }
        if Instant::now() > end {
            let scenes = lab.scenes();
            return Err(format!(
                "after {} pairs: {metrics:?}, {scenes} scenes and {open} descriptors of {descriptors:?} are left",
                slice.pairs()
            )
            .into());
        }
        sleep(Duration::from_millis(1)).await;
    }
}
