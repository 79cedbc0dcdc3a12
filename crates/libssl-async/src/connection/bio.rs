//! The BIO over a [`Wire`]. What runs here runs on the fibre: it only moves bytes (rule 19).

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::os::raw::{c_char, c_int, c_long};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::OnceLock;

use openssl::error::ErrorStack;
use openssl::ssl::Ssl;
use openssl_sys as ffi;

use super::wire::{Transfer, Wire};
use foreign_types::ForeignType;

/// An SSL whose ciphertext goes through a [`Wire`] that it owns.
///
/// The wire lives at a fixed address: a paused fibre may go on using it at any resumption (rule 3).
pub(super) struct WiredSsl {
    ssl: Ssl,
    wire: NonNull<Wire>,
}

// SAFETY: an SSL and its BIO may be used on any thread, one at a time. What must not move is an SSL with a paused job;
// `Job`, which owns such SSLs, sees to that by not being `Send` itself.
unsafe impl Send for WiredSsl {}
// SAFETY: `&WiredSsl` gives `&SslRef`, which is `Sync`, and nothing of the wire.
unsafe impl Sync for WiredSsl {}

impl WiredSsl {
    pub(super) fn new(ssl: Ssl) -> Result<Self, ErrorStack> {
        let method = method()?;
        // SAFETY: the method is complete and lives for ever. The wire is freed after the SSL, in `drop`; the SSL takes
        // over the one reference of the BIO for both directions.
        unsafe {
            let bio = ffi::BIO_new(method.0);
            if bio.is_null() {
                return Err(ErrorStack::get());
            }
            let wire = NonNull::from(Box::leak(Box::<Wire>::default()));
            ffi::BIO_set_data(bio, wire.as_ptr().cast());
            ffi::BIO_set_init(bio, 1);
            ffi::SSL_set_bio(ssl.as_ptr(), bio, bio);
            Ok(Self { ssl, wire })
        }
    }

    pub(super) fn ssl(&self) -> &Ssl {
        &self.ssl
    }

    pub(super) fn wire(&mut self) -> &mut Wire {
        // SAFETY: allocated in `new` and freed in `drop`. The BIO's callbacks touch it only during an SSL call, for
        // which the caller needs this value's SSL mutably: no reference given out here lives then.
        unsafe { self.wire.as_mut() }
    }
}

impl Drop for WiredSsl {
    fn drop(&mut self) {
        // SAFETY: replaces the BIO by none, which frees it (it has no other owner), so nothing can reach the wire any
        // more, not even `SSL_free`; the wire came from a box. No job is paused here (rule 11: `Session`'s duty).
        unsafe {
            ffi::SSL_set_bio(self.ssl.as_ptr(), ptr::null_mut(), ptr::null_mut());
            drop(Box::from_raw(self.wire.as_ptr()));
        }
    }
}

struct Method(*mut ffi::BIO_METHOD);

// SAFETY: written once before it is shared, only read afterwards.
unsafe impl Send for Method {}
// SAFETY: as above.
unsafe impl Sync for Method {}

fn method() -> Result<&'static Method, ErrorStack> {
    static METHOD: OnceLock<Result<Method, ErrorStack>> = OnceLock::new();
    METHOD.get_or_init(new_method).as_ref().map_err(Clone::clone)
}

fn new_method() -> Result<Method, ErrorStack> {
    // SAFETY: sets up a method that nobody else knows yet; the callbacks have the signatures that libcrypto wants.
    unsafe {
        let method = ffi::BIO_meth_new(ffi::BIO_TYPE_NONE, c"libssl-async".as_ptr());
        if method.is_null() {
            return Err(ErrorStack::get());
        }
        let complete = ffi::BIO_meth_set_write__fixed_rust(method, Some(write)) == 1
            && ffi::BIO_meth_set_read__fixed_rust(method, Some(read)) == 1
            && ffi::BIO_meth_set_ctrl__fixed_rust(method, Some(control)) == 1;
        if complete { Ok(Method(method)) } else { Err(ErrorStack::get()) }
    }
}

unsafe extern "C" fn write(bio: *mut ffi::BIO, bytes: *const c_char, length: c_int) -> c_int {
    // SAFETY: libcrypto passes our own BIO, and memory that is readable for the length it tells.
    unsafe {
        ffi::BIO_clear_retry_flags(bio);
        let Ok(length) = usize::try_from(length) else { return -1 };
        match wire(bio).write(slice::from_raw_parts(bytes.cast(), length)) {
            Transfer::Bytes(count) => count as c_int,
            Transfer::Retry => {
                ffi::BIO_set_retry_write(bio);
                -1
            }
            Transfer::Failed => -1,
        }
    }
}

unsafe extern "C" fn read(bio: *mut ffi::BIO, bytes: *mut c_char, length: c_int) -> c_int {
    // SAFETY: libcrypto passes our own BIO, and memory that is writable for the length it tells.
    unsafe {
        ffi::BIO_clear_retry_flags(bio);
        let Ok(length) = usize::try_from(length) else { return -1 };
        match wire(bio).read(slice::from_raw_parts_mut(bytes.cast::<MaybeUninit<u8>>(), length)) {
            Transfer::Bytes(count) => count as c_int,
            Transfer::Retry => {
                ffi::BIO_set_retry_read(bio);
                -1
            }
            Transfer::Failed => -1,
        }
    }
}

unsafe extern "C" fn control(_bio: *mut ffi::BIO, command: c_int, _number: c_long, _pointer: *mut c_void) -> c_long {
    match command {
        ffi::BIO_CTRL_FLUSH => 1,
        _ => 0,
    }
}

/// The wire of an SSL.
///
/// # Safety
/// `ssl` must be that of a living [`WiredSsl`], inside a callback of one of its SSL calls.
pub(super) unsafe fn wire_of<'a>(ssl: *const ffi::SSL) -> &'a mut Wire {
    // SAFETY: the BIO was set in `WiredSsl::new`; libssl puts nothing in front of the one it reads from.
    unsafe { wire(ffi::SSL_get_rbio(ssl)) }
}

/// # Safety
/// `bio` must be the BIO of a living [`WiredSsl`], inside one of its callbacks.
unsafe fn wire<'a>(bio: *mut ffi::BIO) -> &'a mut Wire {
    // SAFETY: set in `WiredSsl::new`, freed after the BIO; inside a callback nobody else refers to it.
    unsafe { &mut *ffi::BIO_get_data(bio).cast::<Wire>() }
}
