//! Both ends send and receive, over a transport that disturbs them, with futures that are dropped and made again.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};

use crate::pair::{run, transports};
use crate::schedule::Schedule;
use crate::support::pattern;
use crate::transport::Transport;

pub(crate) fn of_streams(schedule: &[u8]) {
    let [answers, mut sizes, client, server, of_client, of_server] = Schedule::deal(schedule);
    run(answers, async |ends| {
        let (client_io, server_io) = transports(sizes.size() + 1);
        let (client, server) = (Transport::new(client_io, client), Transport::new(server_io, server));
        let (client, server) = tokio::join!(ends.connector.connect("localhost", client), ends.acceptor.accept(server));
        let (there, back) = (pattern(sizes.size()), pattern(sizes.size()));
        tokio::join!(talk(client.unwrap(), of_client, &there, &back), talk(server.unwrap(), of_server, &back, &there));
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
            talk(client, of_client, &sent, &expected).await;
        });
        let server = async { talk(ends.acceptor.accept(server).await.unwrap(), of_server, &back, &there).await };
        let (client, ()) = tokio::join!(client, server);
        client.unwrap();
    });
}

/// Sends `data` and the end, and receives what is `expected`, and the end.
async fn talk<S: AsyncRead + AsyncWrite>(stream: S, mut schedule: Schedule, data: &[u8], expected: &[u8]) {
    let (mut reader, mut writer) = split(stream);
    let mut of_reader = schedule.fork();
    let send = async {
        let mut sent = 0;
        while sent < data.len() {
            let size = schedule.size().min(data.len() - sent);
            let piece = &data[sent..][..if size == 0 { data.len() - sent } else { size }];
            sent += schedule.disturb(writer.write(piece)).await.transpose().unwrap().unwrap_or(0);
            if schedule.draw() > 128 {
                schedule.disturb(writer.flush()).await.transpose().unwrap();
            }
        }
        while schedule.disturb(writer.shutdown()).await.transpose().unwrap().is_none() {}
    };
    let receive = async {
        let mut received = Vec::new();
        let mut buffer = vec![0; 65_025];
        loop {
            let size = of_reader.size();
            let target = if size == 0 { &mut buffer[..] } else { &mut buffer[..size] };
            match of_reader.disturb(reader.read(target)).await.transpose().unwrap() {
                None => {}
                Some(0) => return received,
                Some(count) => received.extend_from_slice(&buffer[..count]),
            }
        }
    };
    let ((), received) = tokio::join!(send, receive);
    assert!(received == expected, "{} bytes were received in place of {}", received.len(), expected.len());
}
