//! What a connection does, over and over until `end`; each function returns how many operations it did.

use std::io::{self, ErrorKind};
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::Client;
use crate::{Failure, Stream};

const MEGABYTE: f64 = 1e6;
const PIECE: usize = 256 * 1024;
const MESSAGE: usize = 128;

pub(crate) async fn bulk(client: &Client, end: Instant) -> Result<f64, Failure> {
    let (mut reader, mut writer) = tokio::io::split(client.connect().await?);
    let write = async {
        let piece = vec![b'x'; PIECE];
        let mut sent = 0;
        while Instant::now() < end {
            writer.write_all(&piece).await?;
            sent += piece.len();
        }
        writer.shutdown().await?;
        Ok::<_, Failure>(sent)
    };
    let read = async {
        let mut buffer = vec![0; PIECE];
        let mut received = 0;
        loop {
            match reader.read(&mut buffer).await? {
                0 => return Ok(received),
                count => received += count,
            }
        }
    };
    let (sent, received) = tokio::try_join!(write, read)?;
    if sent != received {
        return Err(format!("{sent} bytes were sent, and {received} came back").into());
    }
    Ok(received as f64 / MEGABYTE)
}

pub(crate) async fn handshakes(client: &Client, end: Instant) -> Result<f64, Failure> {
    let mut count = 0.0;
    while Instant::now() < end {
        let mut stream = idle(client).await?;
        stream.shutdown().await?;
        let rest = stream.read(&mut [0]).await?;
        if rest > 0 {
            return Err("there are bytes behind the echo".into());
        }
        count += 1.0;
    }
    Ok(count)
}

/// Connects and has a byte echoed.
pub(crate) async fn idle(client: &Client) -> Result<Stream, Failure> {
    let mut stream = client.connect().await?;
    stream.write_all(b"x").await?;
    stream.read_exact(&mut [0]).await?;
    Ok(stream)
}

pub(crate) async fn messages(client: &Client, end: Instant) -> Result<f64, Failure> {
    let mut stream = client.connect().await?;
    let mut message = [b'x'; MESSAGE];
    let mut count = 0.0;
    while Instant::now() < end {
        stream.write_all(&message).await?;
        stream.read_exact(&mut message).await?;
        count += 1.0;
    }
    stream.shutdown().await?;
    Ok(count)
}

/// As [`idle`]; nothing if the server has refused the connection.
pub(crate) async fn storm(client: &Client) -> Result<Option<Stream>, Failure> {
    const REFUSED: [ErrorKind; 3] = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof];
    match idle(client).await {
        Ok(stream) => Ok(Some(stream)),
        Err(error) => match error.downcast_ref::<io::Error>() {
            Some(io) if REFUSED.contains(&io.kind()) => Ok(None),
            _ => Err(error),
        },
    }
}
