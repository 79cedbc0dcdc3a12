//! The keys of session tickets: tickets are made with the first, and those of the others are still good.

use std::ffi::{c_int, c_uchar};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, OnceLock};

use foreign_types::ForeignTypeRef;
use libssl_async_sys as sys;
use openssl::cipher::Cipher;
use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::md::Md;
use openssl::pkey::Id;
use openssl::pkey_ctx::PkeyCtx;
use openssl::rand::rand_bytes;
use openssl::ssl::{Ssl, SslContextBuilder, SslRef, SslVersion};
use openssl_sys as ffi;
use zeroize::Zeroizing;

/// What a key is made of, in bytes.
const SEED: usize = 48;
const NAME: usize = 16;
const IV: usize = 16;

/// At least one key.
pub(super) struct TicketKeys(Vec<TicketKey>);

struct TicketKey {
    name: [u8; NAME],
    /// That of HMAC with SHA-256, then that of AES-256-CBC.
    secrets: Zeroizing<[u8; 64]>,
}

impl TicketKeys {
    /// Makes keys of 48 random bytes each, and has servers of the context use those of their SSL.
    ///
    /// Corresponds to `SSL_CTX_set_tlsext_ticket_key_evp_cb`.
    pub(super) fn new(builder: &SslContextBuilder, seeds: &[u8]) -> Result<Arc<Self>, ErrorStack> {
        let (seeds, _) = seeds.as_chunks::<SEED>();
        let keys = seeds.iter().map(TicketKey::new).collect::<Result<_, _>>()?;
        // SAFETY: the context is valid, and the function is as OpenSSL wants it.
        match unsafe { sys::SSL_CTX_set_tlsext_ticket_key_evp_cb(builder.as_ptr(), Some(choose_key)) } {
            1 => Ok(Arc::new(Self(keys))),
            _ => Err(ErrorStack::get()),
        }
    }

    /// Gives an SSL of the context these keys.
    pub(super) fn attach(self: &Arc<Self>, ssl: &mut Ssl) -> Result<(), ErrorStack> {
        ssl.set_ex_data(index()?, Arc::clone(self));
        Ok(())
    }
}

impl TicketKey {
    /// The name is public, the secrets come of the rest.
    fn new(seed: &[u8; SEED]) -> Result<Self, ErrorStack> {
        let (name, secret) = seed.split_first_chunk().expect("a seed is longer than a name");
        let mut secrets = Zeroizing::new([0; 64]);
        let mut hkdf = PkeyCtx::new_id(Id::HKDF)?;
        hkdf.derive_init()?;
        hkdf.set_hkdf_md(Md::sha256())?;
        hkdf.set_hkdf_key(secret)?;
        hkdf.set_hkdf_salt(&[])?;
        hkdf.add_hkdf_info(b"libssl-async session tickets")?;
        hkdf.derive(Some(&mut *secrets))?;
        Ok(Self { name: *name, secrets })
    }

    /// Makes both contexts ready. Returns whether OpenSSL could.
    ///
    /// # Safety
    /// Both pointers are valid.
    unsafe fn begin(
        &self,
        cipher: *mut ffi::EVP_CIPHER_CTX,
        iv: &[u8; IV],
        mac: *mut ffi::EVP_MAC_CTX,
        encrypts: bool,
    ) -> bool {
        static AES: OnceLock<Option<Cipher>> = OnceLock::new();
        let Some(aes) = AES.get_or_init(|| Cipher::fetch(None, "AES-256-CBC", None).ok()) else { return false };
        let (of_mac, of_cipher) = self.secrets.split_at(32);
        let digest = ffi::OSSL_PARAM {
            key: c"digest".as_ptr(),
            data_type: sys::OSSL_PARAM_UTF8_STRING,
            data: c"SHA256".as_ptr().cast_mut().cast(),
            data_size: c"SHA256".count_bytes(),
            return_size: sys::OSSL_PARAM_UNMODIFIED,
        };
        // SAFETY: the contexts are valid, key and iv have the lengths of the algorithms, and the parameters end as they have to.
        unsafe {
            let parameters = [digest, ffi::OSSL_PARAM_construct_end()];
            ffi::EVP_MAC_init(mac, of_mac.as_ptr(), of_mac.len(), parameters.as_ptr()) == 1
                && ffi::EVP_CipherInit_ex(
                    cipher,
                    aes.as_ptr(),
                    ptr::null_mut(),
                    of_cipher.as_ptr(),
                    iv.as_ptr(),
                    encrypts.into(),
                ) == 1
        }
    }
}

/// What OpenSSL takes for an answer: 0 for a ticket of nobody's, and so a full handshake.
const FAILED: c_int = -1;
const UNKNOWN: c_int = 0;
const GOOD: c_int = 1;
/// The client gets another ticket, as with keys of OpenSSL's own after each resumption with TLS 1.3.
const RENEWED: c_int = 2;

unsafe extern "C" fn choose_key(
    ssl: *mut ffi::SSL,
    name: *mut c_uchar,
    iv: *mut c_uchar,
    cipher: *mut ffi::EVP_CIPHER_CTX,
    mac: *mut ffi::EVP_MAC_CTX,
    encrypts: c_int,
) -> c_int {
    let choose = || {
        // SAFETY: OpenSSL passes a valid SSL.
        let ssl = unsafe { SslRef::from_ptr(ssl) };
        let keys = &ssl.ex_data(index().ok()?)?.0;
        // SAFETY: OpenSSL passes valid contexts, and room for a name and an iv, or a ticket that is long enough to have both.
        unsafe {
            if encrypts == 1 {
                keys[0].encrypt(name.cast(), iv.cast(), cipher, mac)
            } else {
                let is_renewed = ssl.version2() == Some(SslVersion::TLS1_3);
                decrypt(keys, &*name.cast(), &*iv.cast(), cipher, mac, is_renewed)
            }
        }
    };
    catch_unwind(AssertUnwindSafe(choose)).ok().flatten().unwrap_or(FAILED)
}

impl TicketKey {
    /// # Safety
    /// All pointers are valid.
    unsafe fn encrypt(
        &self,
        name: *mut [u8; NAME],
        iv: *mut [u8; IV],
        cipher: *mut ffi::EVP_CIPHER_CTX,
        mac: *mut ffi::EVP_MAC_CTX,
    ) -> Option<c_int> {
        let mut random = [0; IV];
        rand_bytes(&mut random).ok()?;
        // SAFETY: the caller's.
        let begun = unsafe {
            name.write(self.name);
            iv.write(random);
            self.begin(cipher, &random, mac, true)
        };
        begun.then_some(GOOD)
    }
}

/// # Safety
/// Both pointers are valid.
unsafe fn decrypt(
    keys: &[TicketKey],
    name: &[u8; NAME],
    iv: &[u8; IV],
    cipher: *mut ffi::EVP_CIPHER_CTX,
    mac: *mut ffi::EVP_MAC_CTX,
    is_renewed: bool,
) -> Option<c_int> {
    let Some(place) = keys.iter().position(|key| key.name == *name) else { return Some(UNKNOWN) };
    // SAFETY: the caller's.
    let begun = unsafe { keys[place].begin(cipher, iv, mac, false) };
    begun.then_some(if is_renewed || place > 0 { RENEWED } else { GOOD })
}

fn index() -> Result<Index<Ssl, Arc<TicketKeys>>, ErrorStack> {
    static INDEX: OnceLock<Index<Ssl, Arc<TicketKeys>>> = OnceLock::new();
    if let Some(index) = INDEX.get() {
        return Ok(*index);
    }
    let index = Ssl::new_ex_index()?;
    Ok(*INDEX.get_or_init(|| index))
}
