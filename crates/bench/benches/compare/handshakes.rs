//! CPU time of full handshakes.

use std::error::Error;

use crate::contender::{self, Contender};
use crate::identity::{Identity, KeyType};
use crate::measure::{Effort, median};
use crate::report::Table;

/// How many handshakes are under way at once.
const AT_ONCE: [usize; 2] = [1, 32];

pub(crate) fn run(effort: Effort, only: Option<&str>) -> Result<(), Box<dyn Error>> {
    let count = effort.count(128);
    let mut table = Table {
        title: "CPU time of a full handshake, both ends, over connected TCP sockets".to_owned(),
        file: "handshakes",
        unit: "µs",
        columns: Vec::new(),
        rows: Vec::new(),
        reference: Some(contender::REFERENCE),
    };
    for key_type in KeyType::ALL {
        let contenders = contender::all(&Identity::new(key_type)?, only)?;
        table.rows.resize_with(contenders.len(), Default::default);
        for at_once in AT_ONCE {
            table.columns.push(format!("{}, {at_once} at once", key_type.name()));
            let times = rounds(&contenders, count, at_once, effort)?;
            for (row, (contender, times)) in table.rows.iter_mut().zip(contenders.iter().zip(times)) {
                row.0 = contender.name().to_owned();
                row.1.push(Some(median(times)));
            }
        }
    }
    table.publish()?;
    Ok(())
}

/// The time of a handshake in each round, contender by contender.
fn rounds(
    contenders: &[Box<dyn Contender>],
    count: usize,
    at_once: usize,
    effort: Effort,
) -> Result<Vec<Vec<f64>>, Box<dyn Error>> {
    let mut times = vec![Vec::new(); contenders.len()];
    for contender in contenders {
        contender.handshakes(at_once, at_once)?;
    }
    for _ in 0..effort.rounds() {
        for (times, contender) in times.iter_mut().zip(contenders) {
            let time = contender.handshakes(count, at_once)?;
            times.push(time.as_secs_f64() * 1e6 / count as f64);
        }
    }
    Ok(times)
}
