//! Certificates and revocation lists, in PEM or DER.

use openssl::error::ErrorStack;
use openssl::x509::{X509, X509Crl};

use super::options::NativeSource;
use super::pem;
use crate::error::{Checked, NativeError, reason};

/// All certificates of a source, at least one.
pub(super) fn certificates(source: &NativeSource<'_>) -> Checked<Vec<X509>> {
    const KIND: Kind<X509> = Kind {
        what: "certificate",
        code: "ERR_LIBSSL_ASYNC_INVALID_CERTIFICATE",
        labels: &["CERTIFICATE", "X509 CERTIFICATE"],
        from_pem: X509::from_pem,
        from_der: X509::from_der,
    };
    read(source, &KIND)
}

/// All revocation lists of a source, at least one.
pub(super) fn revocations(source: &NativeSource<'_>) -> Checked<Vec<X509Crl>> {
    const KIND: Kind<X509Crl> = Kind {
        what: "certificate revocation list",
        code: "ERR_LIBSSL_ASYNC_INVALID_CRL",
        labels: &["X509 CRL"],
        from_pem: X509Crl::from_pem,
        from_der: X509Crl::from_der,
    };
    read(source, &KIND)
}

struct Kind<T> {
    what: &'static str,
    code: &'static str,
    labels: &'static [&'static str],
    from_pem: fn(&[u8]) -> Result<T, ErrorStack>,
    from_der: fn(&[u8]) -> Result<T, ErrorStack>,
}

fn read<T>(source: &NativeSource<'_>, kind: &Kind<T>) -> Checked<Vec<T>> {
    let blocks = pem::blocks(&source.data);
    let invalid = |message: &str| NativeError::option(kind.code, &source.name, message);
    if blocks.is_empty() {
        let read = (kind.from_der)(&source.data)
            .map_err(|stack| Box::new(invalid(&pem::without(kind.what, &blocks)).caused_by(stack.errors())))?;
        return Ok(vec![read]);
    }
    let wanted: Vec<_> = blocks.iter().filter(|block| kind.labels.contains(&&*block.label)).collect();
    if wanted.is_empty() {
        return Err(Box::new(invalid(&pem::without(kind.what, &blocks))));
    }
    let many = wanted.len() > 1;
    let one = |(at, block): (usize, &&pem::Block<'_>)| {
        (kind.from_pem)(block.bytes).map_err(|stack| {
            let number = if many { format!("{} number {}", kind.what, at + 1) } else { format!("the {}", kind.what) };
            Box::new(invalid(&format!("{number} is garbled ({})", reason(&stack))).caused_by(stack.errors()))
        })
    };
    wanted.iter().enumerate().map(one).collect()
}
