//! Clients for `npm run bench`, with another TLS library than those that are compared, and quicker than all of them.
//!
//! Each line of the standard input is an [`Order`] in JSON, and each line of the standard output what became of it:
//! `{"operations":…,"seconds":…}` or `{"error":…}`. The end of the input ends the process.

mod client;
mod connections;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, stdin, stdout};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::client::TlsStream;

use crate::client::Client;

/// What is asked for.
#[derive(Deserialize)]
struct Order {
    kind: Kind,
    port: u16,
    /// The certificate that the server has to show, in DER.
    certificate: Vec<u8>,
    connections: usize,
    /// How long operations are begun; those under way are finished.
    seconds: f64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// Megabytes (1,000,000 bytes), sent as the connection takes them, and received back.
    Bulk,
    /// Connections with a full handshake, a byte echoed, and `close_notify`.
    Handshakes,
    /// Connections with a byte echoed, that stay open until the next order.
    Idle,
    /// Messages of 128 bytes, each sent when the one before has come back.
    Messages,
    /// As idle ones; those that the server resets before their handshake are none, and no failure.
    Storm,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Done { operations: f64, seconds: f64 },
    Failed { error: String },
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A connection with the server.
type Stream = TlsStream<TcpStream>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut lines = BufReader::new(stdin()).lines();
    let mut kept = Vec::new();
    while let Some(line) = lines.next_line().await? {
        kept.clear();
        let answer = match perform(serde_json::from_str(&line)?, &mut kept).await {
            Ok((operations, seconds)) => Answer::Done { operations, seconds },
            Err(error) => Answer::Failed { error: error.to_string() },
        };
        let mut answer = serde_json::to_vec(&answer)?;
        answer.push(b'\n');
        stdout().write_all(&answer).await?;
        stdout().flush().await?;
    }
    Ok(())
}

/// Does what is asked for; returns how many operations it did, and in how many seconds.
async fn perform(order: Order, kept: &mut Vec<Stream>) -> Result<(f64, f64), Failure> {
    let client = Client::new(order.port, order.certificate)?;
    let begun = Instant::now();
    let end = begun + Duration::from_secs_f64(order.seconds);
    let mut tasks = JoinSet::new();
    for _ in 0..order.connections {
        let client = client.clone();
        tasks.spawn(async move {
            match order.kind {
                Kind::Bulk => connections::bulk(&client, end).await.map(|count| (count, None)),
                Kind::Handshakes => connections::handshakes(&client, end).await.map(|count| (count, None)),
                Kind::Idle => connections::idle(&client).await.map(|stream| (1.0, Some(stream))),
                Kind::Messages => connections::messages(&client, end).await.map(|count| (count, None)),
                Kind::Storm => connections::storm(&client).await.map(|stream| (f64::from(stream.is_some()), stream)),
            }
        });
    }
    let mut operations = 0.0;
    while let Some(done) = tasks.join_next().await {
        let (count, stream) = done??;
        operations += count;
        kept.extend(stream);
    }
    Ok((operations, begun.elapsed().as_secs_f64()))
}
