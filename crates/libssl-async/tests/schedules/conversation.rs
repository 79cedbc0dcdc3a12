//! Both ends send and receive, over a transport that disturbs them, with futures that are dropped and made again.

use crate::pair::{run, transports};
use crate::schedule::Schedule;
use crate::support::pattern;
use crate::talk::talk;
use crate::transport::Transport;

pub(crate) fn of_streams(schedule: &[u8]) {
    let [answers, mut sizes, client, server, of_client, of_server] = Schedule::deal(schedule);
    run(answers, async |ends| {
        let (client_io, server_io) = transports(sizes.size() + 1);
        let (client, server) = (Transport::new(client_io, client), Transport::new(server_io, server));
        let (client, server) = tokio::join!(ends.connector.connect("localhost", client), ends.acceptor.accept(server));
        let (there, back) = (pattern(sizes.size()), pattern(sizes.size()));
        let client = talk(client.unwrap(), of_client, &there, &back);
        let server = talk(server.unwrap(), of_server, &back, &there);
        tokio::try_join!(client, server).unwrap();
    });
}

/// Reads of the client pause, and whatever it does meanwhile has to wait.
pub(crate) fn of_a_pinned_stream(schedule: &[u8]) {
    let [answers, mut sizes, client, server, of_client, of_server] = Schedule::deal(schedule);
    run(answers, async |ends| {
        let (client_io, server_io) = transports(sizes.size() + 1);
        let (client, server) = (Transport::new(client_io, client), Transport::new(server_io, server));
        let (there, back) = (pattern(sizes.size()), pattern(sizes.size()));
        let (sent, expected) = (there.clone(), back.clone());
        let connector = &ends.pausing;
        let client = ends.workers.spawn_pinned(move || async move {
            let client = connector.connect_local("localhost", client).await.unwrap();
            talk(client, of_client, &sent, &expected).await.unwrap();
        });
        let server = async {
            talk(ends.acceptor.accept(server).await.unwrap(), of_server, &back, &there).await.unwrap();
        };
        let (client, ()) = tokio::join!(client, server);
        client.unwrap();
    });
}
