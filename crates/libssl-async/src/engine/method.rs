//! What engines can be the default for.

use std::ffi::c_uint;
use std::fmt;
use std::ptr;

use libssl_async_sys as sys;

/// Something that an engine can do for the whole process, once it is the default for it.
///
/// Named as `default_algorithms` of `openssl.cnf` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// `CIPHERS`: symmetric ciphers.
    Ciphers,
    /// `DH`: finite-field Diffie-Hellman.
    Dh,
    /// `DIGESTS`: digests.
    Digests,
    /// `DSA`.
    Dsa,
    /// `EC`: ECDSA and ECDH.
    Ec,
    /// `PKEY_CRYPTO`: operations of other public-key algorithms, as X25519.
    Pkey,
    /// `PKEY_ASN1`: encodings of public-key algorithms.
    PkeyAsn1,
    /// `RAND`: random numbers.
    Rand,
    /// `RSA`.
    Rsa,
}

type Unregister = unsafe extern "C" fn(*mut sys::ENGINE);

impl Method {
    const ALL: [(Self, &'static str, c_uint, Unregister); 9] = [
        (Self::Ciphers, "CIPHERS", sys::ENGINE_METHOD_CIPHERS, sys::ENGINE_unregister_ciphers),
        (Self::Dh, "DH", sys::ENGINE_METHOD_DH, sys::ENGINE_unregister_DH),
        (Self::Digests, "DIGESTS", sys::ENGINE_METHOD_DIGESTS, sys::ENGINE_unregister_digests),
        (Self::Dsa, "DSA", sys::ENGINE_METHOD_DSA, sys::ENGINE_unregister_DSA),
        (Self::Ec, "EC", sys::ENGINE_METHOD_EC, sys::ENGINE_unregister_EC),
        (Self::Pkey, "PKEY_CRYPTO", sys::ENGINE_METHOD_PKEY_METHS, sys::ENGINE_unregister_pkey_meths),
        (Self::PkeyAsn1, "PKEY_ASN1", sys::ENGINE_METHOD_PKEY_ASN1_METHS, sys::ENGINE_unregister_pkey_asn1_meths),
        (Self::Rand, "RAND", sys::ENGINE_METHOD_RAND, sys::ENGINE_unregister_RAND),
        (Self::Rsa, "RSA", sys::ENGINE_METHOD_RSA, sys::ENGINE_unregister_RSA),
    ];

    /// The method of this name, in any case; `PKEY` is a short form of `PKEY_CRYPTO`.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = if name.eq_ignore_ascii_case("PKEY") { "PKEY_CRYPTO" } else { name };
        Self::ALL.iter().find(|(_, known, ..)| known.eq_ignore_ascii_case(name)).map(|(method, ..)| *method)
    }

    /// The name, as `openssl.cnf` has it.
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    pub(super) fn flag(self) -> c_uint {
        self.entry().2
    }

    pub(super) fn unregister(self) -> Unregister {
        self.entry().3
    }

    fn entry(self) -> &'static (Self, &'static str, c_uint, Unregister) {
        Self::ALL.iter().find(|(method, ..)| *method == self).expect("every method is in the table")
    }

    /// What an engine can do without breaking what OpenSSL 3 does itself.
    ///
    /// Not: random numbers and encodings, and operations of public-key algorithms if those of RSA or EC are among them, as
    /// libcrypto's own keys do not go together with those (OpenSSL's own `dasync` breaks every RSA signature so).
    ///
    /// # Safety
    /// The engine is valid.
    pub(super) unsafe fn usual(engine: *mut sys::ENGINE) -> Vec<Self> {
        // SAFETY: the engine is valid; it tells as many types as it says, in memory of its own.
        let types = unsafe {
            let mut types = ptr::null();
            match sys::ENGINE_get_pkey_meths(engine) {
                Some(methods) => {
                    let count = methods(engine, ptr::null_mut(), &mut types, 0);
                    let count = if types.is_null() { 0 } else { usize::try_from(count).unwrap_or(0) };
                    std::slice::from_raw_parts(if count == 0 { ptr::dangling() } else { types }, count)
                }
                None => &[],
            }
        };
        let mut usual = vec![Self::Ciphers, Self::Dh, Self::Digests, Self::Dsa, Self::Ec, Self::Rsa];
        let clash = [openssl_sys::NID_rsaEncryption, openssl_sys::NID_rsassaPss, openssl_sys::NID_X9_62_id_ecPublicKey];
        if !types.iter().any(|of_engine| clash.contains(of_engine)) {
            usual.push(Self::Pkey);
        }
        usual
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
