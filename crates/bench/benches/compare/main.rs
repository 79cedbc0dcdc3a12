//! Compares libssl-async with its peers, in CPU time and in memory, in one run whose rounds take turns.
//!
//! `cargo xtask bench -p bench` against the bundled OpenSSL, `cargo bench -p bench` against the system's; `--quick`
//! after a `--` for a short run. Prints tables and writes them as JSON into `target/bench/`. Linux only.

mod contender;
mod handshakes;
mod identity;
mod measure;
mod memory;
mod report;
mod settings;
mod throughput;

use std::error::Error;

use measure::Effort;

const USAGE: &str = "\
usage: cargo xtask bench -p bench [-- <options> <suites>]

  suites: handshakes, throughput, memory; by default all

  --quick        few rounds, for a first look
  --unpinned     use all cores; by default all threads share one, so that all contenders have the same
  --only <name>  one contender and nothing else: to be run under a profiler";

fn main() -> Result<(), Box<dyn Error>> {
    let mut effort = Effort::Full;
    let mut pinned = true;
    let mut only = None;
    let mut suites = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            // What cargo itself passes.
            "--bench" => {}
            "--quick" => effort = Effort::Quick,
            "--unpinned" => pinned = false,
            "--only" => only = Some(args.next().ok_or(USAGE)?),
            "handshakes" | "throughput" | "memory" => suites.push(arg),
            memory::SERVE => return memory::serve(args),
            _ => {
                println!("{USAGE}");
                return Ok(());
            }
        }
    }
    if pinned {
        measure::share_one_core()?;
    }
    println!("{}; {}", openssl::version::version(), settings::DESCRIPTION);
    println!("CPU time of the whole process, medians of {} rounds; × is the ratio to tokio-openssl\n", effort.rounds());
    let only = only.as_deref();
    let wanted = |suite: &str| suites.is_empty() || suites.iter().any(|wanted| wanted == suite);
    if wanted("handshakes") {
        handshakes::run(effort, only)?;
    }
    if wanted("throughput") {
        throughput::run(effort, only)?;
    }
    if wanted("memory") {
        memory::run(effort, only)?;
    }
    Ok(())
}
