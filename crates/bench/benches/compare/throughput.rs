//! Bulk data from the client to the server.

use std::error::Error;

use crate::contender;
use crate::identity::{Identity, KeyType};
use crate::measure::{Effort, median};
use crate::report::Table;

pub(crate) fn run(effort: Effort, only: Option<&str>) -> Result<(), Box<dyn Error>> {
    let mebibytes = effort.count(128);
    let contenders = contender::all(&Identity::new(KeyType::P256)?, only)?;
    let contenders: Vec<_> = contenders.iter().filter(|contender| !contender.pauses()).collect();
    let mut speeds = vec![Vec::new(); contenders.len()];
    for _ in 0..effort.rounds() {
        for (speeds, contender) in speeds.iter_mut().zip(&contenders) {
            let time = contender.bulk(mebibytes)?;
            speeds.push(mebibytes as f64 / time.as_secs_f64());
        }
    }
    let rows = contenders.iter().zip(speeds).map(|(contender, speeds)| {
        let speed = median(speeds);
        (contender.name().to_owned(), vec![Some(speed)])
    });
    Table {
        title: "Throughput, 1 MiB writes, 64 KiB reads, both ends".to_owned(),
        file: "throughput",
        unit: "MiB per second of CPU time",
        columns: vec!["one connection".to_owned()],
        rows: rows.collect(),
        reference: Some(contender::REFERENCE),
    }
    .publish()?;
    Ok(())
}
