//! `fuzz/run`: writes inputs to begin with into a folder: what clients say in real handshakes, and schedules of each kind.

use std::path::Path;
use std::{env, fs};

use libssl_async::{TlsAcceptor, TlsConnector, Workers};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::ssl::{SslConnectorBuilder, SslVerifyMode, SslVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, copy, duplex, split};

#[path = "../../crates/libssl-async/tests/support/mod.rs"]
mod support;

use support::{Identity, ec};

/// The kinds of schedules that are no bytes of a client, and the one that is; see `schedules.rs`.
const DISTURBED: std::ops::Range<u8> = 0..5;
const NONSENSE: u8 = 5;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = env::args().nth(1).expect("usage: seeds <folder>");
    let folder = Path::new(&folder);
    for (name, spoken) in recorded().await {
        // Three decide: when keys answer, how the transport disturbs, and what the client says.
        let input: Vec<u8> = spoken.iter().flat_map(|byte| [0, 0, *byte]).collect();
        write(folder, &name, NONSENSE, &input);
    }
    for kind in DISTURBED {
        // Sizes, delays and dropped operations in the midst of each other.
        for (name, step) in [("mixed", 37), ("dropped", 11), ("slow", 5)] {
            let schedule: Vec<u8> = (0..360_u32).map(|index| (index * step % 251) as u8).collect();
            write(folder, &format!("{name}-{kind}"), kind, &schedule);
        }
    }
}

fn write(folder: &Path, name: &str, kind: u8, input: &[u8]) {
    fs::write(folder.join(format!("seed-{name}")), [&[kind], input].concat()).expect("the folder can be written");
}

/// What clients of several kinds have said in handshakes that succeeded.
async fn recorded() -> Vec<(String, Vec<u8>)> {
    let identities = [
        ("p256", Identity::p256()),
        ("p384", Identity::new(ec(Nid::SECP384R1))),
        ("rsa", Identity::rsa()),
        ("ed25519", Identity::new(PKey::generate_ed25519().unwrap())),
    ];
    let mut all = Vec::new();
    for (name, identity) in identities {
        for (version, tls) in [("12", SslVersion::TLS1_2), ("13", SslVersion::TLS1_3)] {
            let settings = || {
                let mut settings = identity.connector();
                settings.set_max_proto_version(Some(tls)).unwrap();
                settings
            };
            let mut small = settings();
            small.set_groups_list("P-256:P-384").unwrap();
            let mut full = settings();
            full.set_alpn_protos(b"\x02h2\x08http/1.1").unwrap();
            full.set_certificate(&identity.certificate).unwrap();
            full.set_private_key(&identity.key).unwrap();
            all.push((format!("{name}-{version}-small"), record(&identity, small).await));
            all.push((format!("{name}-{version}-full"), record(&identity, full).await));
        }
    }
    all
}

/// What a client with these settings says until both ends have said a word.
async fn record(identity: &Identity, settings: SslConnectorBuilder) -> Vec<u8> {
    let workers = Workers::builder().threads(1).build().unwrap();
    let mut server = identity.acceptor();
    server.cert_store_mut().add_cert(identity.certificate.clone()).unwrap();
    server.set_verify(SslVerifyMode::PEER);
    let (acceptor, connector) =
        (TlsAcceptor::new(server.build(), &workers), TlsConnector::new(settings.build(), &workers));
    let (client, client_side) = duplex(65_536);
    let (server, server_side) = duplex(65_536);
    let carrying = tokio::spawn(carry(client_side, server_side));
    let (client, server) = tokio::join!(connector.connect("localhost", client), acceptor.accept(server));
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    client.write_all(b"there").await.unwrap();
    server.read_exact(&mut [0; 5]).await.unwrap();
    drop((client, server));
    carrying.await.unwrap()
}

/// Carries bytes both ways, and keeps those of the client.
async fn carry(client: DuplexStream, server: DuplexStream) -> Vec<u8> {
    let (mut from_client, mut to_client) = split(client);
    let (mut from_server, mut to_server) = split(server);
    let there = async {
        let (mut spoken, mut buffer) = (Vec::new(), vec![0; 65_536]);
        loop {
            match from_client.read(&mut buffer).await {
                Ok(count @ 1..) if to_server.write_all(&buffer[..count]).await.is_ok() => {
                    spoken.extend_from_slice(&buffer[..count]);
                }
                _ => return spoken,
            }
        }
    };
    tokio::join!(there, copy(&mut from_server, &mut to_client)).0
}
