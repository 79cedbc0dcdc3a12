//! Handshakes that are tampered with.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::pair::{run, transports};
use crate::schedule::Schedule;
use crate::transport::Transport;

/// One byte of what one end sends is changed.
pub(crate) fn changed(schedule: &[u8]) {
    let [answers, mut choice, client, server] = Schedule::deal(schedule);
    run(answers, async |ends| {
        let (client_io, server_io) = transports(65_536);
        let (mut client, mut server) = (Transport::new(client_io, client), Transport::new(server_io, server));
        let position = choice.size() % 2_000;
        if choice.draw() % 2 == 0 {
            client = client.change(position);
        } else {
            server = server.change(position);
        }
        // Each end hears of the other's failure, as a transport that is dropped ends.
        let client = async {
            let mut client = ends.connector.connect("localhost", client).await.ok()?;
            client.write_all(b"there").await.ok()?;
            let mut received = Vec::new();
            client.read_to_end(&mut received).await.is_ok().then_some(received)
        };
        let server = async {
            let mut server = ends.acceptor.accept(server).await.ok()?;
            let mut received = [0; 5];
            server.read_exact(&mut received).await.ok()?;
            server.write_all(b"back").await.ok()?;
            server.shutdown().await.ok()?;
            Some(received)
        };
        // A length that was changed has both wait for more, for ever.
        let ended = timeout(Duration::from_millis(500), async { tokio::join!(client, server) }).await;
        let (client, server) = ended.unwrap_or_default();
        // Nothing but what was sent arrives; and if all of it does, the change came later.
        assert!(server.is_none_or(|received| received == *b"there"));
        assert!(client.is_none_or(|received| received == b"back"));
    });
}

/// The client sends what it likes, and goes.
pub(crate) fn with_nonsense(schedule: &[u8]) {
    let [answers, server, nonsense] = Schedule::deal(schedule);
    run(answers, async |ends| {
        let (mut client, server_io) = transports(65_536);
        client.write_all(nonsense.rest()).await.unwrap();
        client.shutdown().await.unwrap();
        let handshake = ends.acceptor.accept(Transport::new(server_io, server));
        handshake.await.unwrap_err();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
    });
}
