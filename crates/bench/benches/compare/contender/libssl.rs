//! libssl itself, over memory: what no wrapper of it can undercut.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::time::Duration;

use openssl::error::ErrorStack;
use openssl::ssl::{ErrorCode, Ssl, SslAcceptor, SslConnector, SslStream};

use super::Contender;
use crate::identity::Identity;
use crate::measure::cpu_time;
use crate::settings;

pub(crate) struct Libssl {
    acceptor: SslAcceptor,
    connector: SslConnector,
}

impl Libssl {
    pub(crate) fn new(identity: &Identity) -> Result<Self, ErrorStack> {
        let acceptor = settings::acceptor(identity, &identity.key)?;
        Ok(Self { acceptor, connector: settings::connector(identity)? })
    }

    fn connection(&self) -> io::Result<(SslStream<Pipe>, SslStream<Pipe>)> {
        let (up, down) = (Queue::default(), Queue::default());
        let client = Pipe { input: Rc::clone(&down), output: Rc::clone(&up) };
        let ssl = self.connector.configure()?.into_ssl("localhost")?;
        let mut client = SslStream::new(ssl, client)?;
        let mut server = SslStream::new(Ssl::new(self.acceptor.context())?, Pipe { input: up, output: down })?;
        let mut connected = false;
        let mut accepted = false;
        while !(connected && accepted) {
            connected = connected || done(client.connect())?;
            accepted = accepted || done(server.accept())?;
        }
        Ok((client, server))
    }
}

impl Contender for Libssl {
    fn name(&self) -> &'static str {
        "libssl in memory"
    }

    fn handshakes(&self, count: usize, _at_once: usize) -> io::Result<Duration> {
        let start = cpu_time();
        for _ in 0..count {
            self.connection()?;
        }
        Ok(cpu_time() - start)
    }

    fn bulk(&self, mebibytes: usize) -> io::Result<Duration> {
        let (mut client, mut server) = self.connection()?;
        let data = vec![0; 1 << 20];
        let mut target = vec![0; 64 << 10];
        let start = cpu_time();
        for _ in 0..mebibytes {
            client.write_all(&data)?;
            let mut missing = data.len();
            while missing > 0 {
                missing -= server.read(&mut target)?;
            }
        }
        Ok(cpu_time() - start)
    }
}

/// Whether a step of a handshake was the last.
fn done(step: Result<(), openssl::ssl::Error>) -> io::Result<bool> {
    match step {
        Ok(()) => Ok(true),
        Err(error) if error.code() == ErrorCode::WANT_READ => Ok(false),
        Err(error) => Err(io::Error::other(error)),
    }
}

type Queue = Rc<RefCell<VecDeque<u8>>>;

/// One end of a connection in memory.
struct Pipe {
    input: Queue,
    output: Queue,
}

impl Read for Pipe {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let mut input = self.input.borrow_mut();
        if input.is_empty() { Err(io::ErrorKind::WouldBlock.into()) } else { input.read(target) }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
