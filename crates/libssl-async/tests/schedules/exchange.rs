//! Two connections without I/O: the schedule moves their ciphertext, in pieces.

use std::mem::MaybeUninit;

use libssl_async::Error;
use libssl_async::connection::{Connection, Step};
use tokio::io::AsyncReadExt;

use crate::pair::{run, transports};
use crate::schedule::Schedule;
use crate::support::pattern;

/// One end, and what it has sent and received.
struct End {
    connection: Connection,
    data: Vec<u8>,
    sent: usize,
    received: Vec<u8>,
    failed: bool,
}

pub(crate) fn in_pieces(schedule: &[u8]) {
    let [mut schedule] = Schedule::deal(schedule);
    let mut ends = ends(&mut schedule);
    for turn in 0.. {
        if !step(&mut ends, turn % 2, &mut schedule) {
            break;
        }
    }
    let [first, second] = &mut ends;
    assert!(first.received == second.data && second.received == first.data);
    assert!(!first.failed && !second.failed);
    // The end comes, once, and after all that was sent.
    assert_eq!(first.connection.shutdown().unwrap(), Step::Done(false));
    carry(first, second, usize::MAX);
    assert_eq!(second.connection.read(&mut [MaybeUninit::uninit(); 8]).unwrap(), Step::Done(0));
    assert_eq!(second.connection.shutdown().unwrap(), Step::Done(true));
}

/// One byte is changed, and the transport may end.
pub(crate) fn with_a_change(schedule: &[u8]) {
    let [mut schedule] = Schedule::deal(schedule);
    let mut ends = ends(&mut schedule);
    let (victim, after) = (schedule.draw() % 2, schedule.draw());
    for turn in 0.. {
        if !step(&mut ends, turn % 2, &mut schedule) {
            break;
        }
        if turn == after {
            change(&mut ends, victim, &mut schedule);
        }
    }
    for (end, other) in [(&ends[0], &ends[1]), (&ends[1], &ends[0])] {
        assert!(other.data.starts_with(&end.received));
    }
}

/// Delivers the next output with a change in it, or none any more.
fn change(ends: &mut [End; 2], from: usize, schedule: &mut Schedule) {
    let [first, second] = ends;
    let (from, to) = if from == 0 { (first, second) } else { (second, first) };
    let mut output = from.connection.output().to_vec();
    if output.is_empty() {
        to.connection.end_input();
    } else {
        let place = schedule.size() % output.len();
        output[place] ^= 1 << (schedule.draw() % 8);
        to.connection.feed(&output);
        from.connection.sent(output.len());
    }
}

/// One end does something, to which the other one does nothing. Returns whether there is more to do.
fn step(ends: &mut [End; 2], actor: usize, schedule: &mut Schedule) -> bool {
    let [first, second] = ends;
    let (end, other) = if actor == 0 { (first, second) } else { (second, first) };
    match schedule.draw() {
        0 => return end.work(other) | other.work(end) | !schedule.is_over(),
        1..=60 => end.write(schedule.size()),
        61..=120 => end.read(schedule.size()),
        121..=150 => end.peek(schedule.size()),
        151..=160 => end.connection.release(),
        _ => carry(end, other, schedule.size()),
    }
    !end.failed
}

fn carry(from: &mut End, to: &mut End, most: usize) {
    let output = from.connection.output();
    let count = output.len().min(most);
    to.connection.feed(&output[..count]);
    from.connection.sent(count);
}

impl End {
    /// Does all it can. Returns whether it did anything.
    fn work(&mut self, other: &mut Self) -> bool {
        let before = (self.sent, other.received.len());
        self.write(usize::MAX);
        carry(self, other, usize::MAX);
        other.read(65_536);
        (self.sent, other.received.len()) != before && !self.failed && !other.failed
    }

    fn write(&mut self, most: usize) {
        let rest = &self.data[self.sent..];
        match self.connection.write(&rest[..rest.len().min(most)]) {
            Ok(Step::Done(count)) => self.sent += count,
            Ok(Step::Wait(_)) => {}
            Err(_) => self.failed = true,
        }
    }

    fn read(&mut self, most: usize) {
        if let Some(bytes) = self.take(most, Connection::read) {
            self.received.extend(bytes);
        }
    }

    /// What is peeked at is what is read next.
    fn peek(&mut self, most: usize) {
        if let Some(peeked) = self.take(most, Connection::peek) {
            let read = self.take(peeked.len(), Connection::read).expect("it was there");
            assert_eq!(read, peeked);
            self.received.extend(read);
        }
    }

    fn take(
        &mut self,
        most: usize,
        call: impl FnOnce(&mut Connection, &mut [MaybeUninit<u8>]) -> Result<Step<usize>, Error>,
    ) -> Option<Vec<u8>> {
        let mut target = vec![MaybeUninit::new(0xa5); most.max(1)];
        match call(&mut self.connection, &mut target) {
            Ok(Step::Done(0)) => panic!("the other end has not said so"),
            // SAFETY: all of it was initialised above.
            Ok(Step::Done(count)) => Some(target[..count].iter().map(|byte| unsafe { byte.assume_init() }).collect()),
            Ok(Step::Wait(_)) => None,
            Err(_) => {
                self.failed = true;
                None
            }
        }
    }
}

/// Two connections whose handshake is done, with all that is on its way between them delivered.
fn ends(schedule: &mut Schedule) -> [End; 2] {
    let connections = run(Schedule::deal::<1>(&[])[0].clone(), async |ends| {
        let (client, server) = transports(65_536);
        let (client, server) = tokio::join!(ends.connector.connect("localhost", client), ends.acceptor.accept(server));
        let ((mut client, mut client_io), (mut server, server_io)) =
            (client.unwrap().into_parts(), server.unwrap().into_parts());
        drop(server_io);
        let mut tickets = Vec::new();
        client_io.read_to_end(&mut tickets).await.unwrap();
        tickets.extend_from_slice(server.output());
        let count = server.output().len();
        server.sent(count);
        client.feed(&tickets);
        [client, server]
    });
    connections.map(|connection| {
        let data = pattern(schedule.size());
        End { connection, data, sent: 0, received: Vec::new(), failed: false }
    })
}
