//! One end of a conversation, with futures that are dropped and made again.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};

use crate::schedule::Schedule;

/// Sends `data` and the end, and receives what is `expected`, and the end, or a beginning of it before an error.
pub(crate) async fn talk<S: AsyncRead + AsyncWrite>(
    stream: S,
    mut schedule: Schedule,
    data: &[u8],
    expected: &[u8],
) -> io::Result<()> {
    let (mut reader, mut writer) = split(stream);
    let mut of_reader = schedule.fork();
    let send = async {
        let mut sent = 0;
        while sent < data.len() {
            let size = schedule.size().min(data.len() - sent);
            let piece = &data[sent..][..if size == 0 { data.len() - sent } else { size }];
            sent += schedule.disturb(writer.write(piece)).await.transpose()?.unwrap_or(0);
            if schedule.draw() > 128 {
                schedule.disturb(writer.flush()).await.transpose()?;
            }
        }
        while schedule.disturb(writer.shutdown()).await.transpose()?.is_none() {}
        Ok(())
    };
    let receive = async {
        let mut rest = expected;
        let mut buffer = vec![0; 65_025];
        loop {
            let size = of_reader.size();
            let target = if size == 0 { &mut buffer[..] } else { &mut buffer[..size] };
            match of_reader.disturb(reader.read(target)).await.transpose()? {
                None => {}
                Some(0) => break,
                Some(count) => {
                    let place = expected.len() - rest.len();
                    rest = rest.strip_prefix(&buffer[..count]).unwrap_or_else(|| panic!("other bytes, at {place}"));
                }
            }
        }
        assert!(rest.is_empty(), "{} bytes are missing", rest.len());
        Ok(())
    };
    tokio::try_join!(send, receive).map(drop)
}
