//! `<openssl/ssl.h>`: the asynchronous mode of an `SSL`, and the retry points that need no job.

use crate::asynch::OSSL_ASYNC_FD;
use libc::size_t;
use openssl_sys::{
    EVP_CIPHER_CTX, EVP_MAC_CTX, OSSL_LIB_CTX, SSL, SSL_CTRL_CHAIN_CERT, SSL_CTRL_MODE, SSL_CTRL_SET_SIGALGS_LIST,
    SSL_CTX, SSL_CTX_ctrl, SSL_METHOD, SSL_SESSION, SSL_ctrl, X509, X509_STORE, X509_STORE_CTX, stack_st_SSL_CIPHER,
};
use std::ffi::{c_char, c_int, c_long, c_uchar, c_uint, c_void};
use std::ptr;

/// Runs the operations of an `SSL` inside jobs.
pub const SSL_MODE_ASYNC: c_long = 0x100;

/// `SSL_get_error`: the job is paused; the same call on the same thread resumes it.
pub const SSL_ERROR_WANT_ASYNC: c_int = 9;
/// `SSL_get_error`: the thread's job pool is exhausted; nothing was started.
pub const SSL_ERROR_WANT_ASYNC_JOB: c_int = 10;
/// `SSL_get_error`: the verification callback asked for a retry ([`SSL_set_retry_verify`]).
pub const SSL_ERROR_WANT_RETRY_VERIFY: c_int = 12;

/// Command of [`SSL_set_max_send_fragment`].
pub const SSL_CTRL_SET_MAX_SEND_FRAGMENT: c_int = 52;
/// Command of [`SSL_clear_mode`].
pub const SSL_CTRL_CLEAR_MODE: c_int = 78;
/// Command of [`SSL_set1_client_sigalgs_list`].
pub const SSL_CTRL_SET_CLIENT_SIGALGS_LIST: c_int = 102;
/// Command of [`SSL_CTX_build_cert_chain`].
pub const SSL_CTRL_BUILD_CERT_CHAIN: c_int = 105;
/// Command of [`SSL_get_peer_signature_nid`].
pub const SSL_CTRL_GET_PEER_SIGNATURE_NID: c_int = 108;
/// Command of [`SSL_get_signature_nid`].
pub const SSL_CTRL_GET_SIGNATURE_NID: c_int = 132;
/// Command of [`SSL_get_negotiated_group`].
pub const SSL_CTRL_GET_NEGOTIATED_GROUP: c_int = 134;
/// Command of [`SSL_set_retry_verify`].
pub const SSL_CTRL_SET_RETRY_VERIFY: c_int = 136;

/// [`SSL_CTX_build_cert_chain`]: leave out the root.
pub const SSL_BUILD_CHAIN_FLAG_NO_ROOT: c_int = 0x2;
/// [`SSL_CTX_build_cert_chain`]: a chain that does not verify will do.
pub const SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR: c_int = 0x8;
/// [`SSL_CTX_build_cert_chain`]: clear the error queue of what was ignored.
pub const SSL_BUILD_CHAIN_FLAG_CLEAR_ERROR: c_int = 0x10;

/// Reason: the peer's certificate was refused.
pub const SSL_R_CERTIFICATE_VERIFY_FAILED: c_int = 134;

/// Info callback: a state of the handshake was entered or left.
pub const SSL_CB_LOOP: c_int = 0x01;
/// Info callback: a handshake call returns.
pub const SSL_CB_EXIT: c_int = 0x02;
/// Info callback: during a read.
pub const SSL_CB_READ: c_int = 0x04;
/// Info callback: during a write.
pub const SSL_CB_WRITE: c_int = 0x08;
/// Info callback: a handshake begins.
pub const SSL_CB_HANDSHAKE_START: c_int = 0x10;
/// Info callback: a handshake has ended.
pub const SSL_CB_HANDSHAKE_DONE: c_int = 0x20;
/// Info callback: an alert.
pub const SSL_CB_ALERT: c_int = 0x4000;
/// Info callback: an alert was received.
pub const SSL_CB_READ_ALERT: c_int = SSL_CB_ALERT | SSL_CB_READ;
/// Info callback: an alert was sent.
pub const SSL_CB_WRITE_ALERT: c_int = SSL_CB_ALERT | SSL_CB_WRITE;

/// Called, on whatever thread completes the operation, with the `SSL` and the argument set for it.
pub type SSL_async_callback_fn = Option<unsafe extern "C" fn(ssl: *mut SSL, arg: *mut c_void) -> c_int>;

/// Asked by a client for its identity, a string, and its key; returns the key's length, 0 for none. `hint` may be null.
pub type SSL_psk_client_cb_func = Option<
    unsafe extern "C" fn(
        ssl: *mut SSL,
        hint: *const c_char,
        identity: *mut c_char,
        max_identity_len: c_uint,
        psk: *mut c_uchar,
        max_psk_len: c_uint,
    ) -> c_uint,
>;

/// Asked by a server for the key of an identity; returns its length, 0 if the identity is unknown.
pub type SSL_psk_server_cb_func = Option<
    unsafe extern "C" fn(ssl: *mut SSL, identity: *const c_char, psk: *mut c_uchar, max_psk_len: c_uint) -> c_uint,
>;

unsafe extern "C" {
    /// Has `fp` choose the keys of session tickets. It writes a name and an iv if its last argument is 1, reads them otherwise, and makes
    /// both contexts ready. It returns 1, 2 if the ticket is to be renewed, 0 if it has no key, less if it fails. Returns 1 on success.
    pub fn SSL_CTX_set_tlsext_ticket_key_evp_cb(
        ctx: *mut SSL_CTX,
        fp: Option<
            unsafe extern "C" fn(
                *mut SSL,
                *mut c_uchar,
                *mut c_uchar,
                *mut EVP_CIPHER_CTX,
                *mut EVP_MAC_CTX,
                c_int,
            ) -> c_int,
        >,
    ) -> c_int;
    /// 1 if a job of `s` is paused.
    pub fn SSL_waiting_for_async(s: *mut SSL) -> c_int;
    /// Writes the number of the paused job's descriptors to `*numfds` and, if `fds` is not null, the descriptors to it.
    pub fn SSL_get_all_async_fds(s: *mut SSL, fds: *mut OSSL_ASYNC_FD, numfds: *mut size_t) -> c_int;
    /// As [`SSL_get_all_async_fds`], for what was added and deleted since the job was last resumed.
    pub fn SSL_get_changed_async_fds(
        s: *mut SSL,
        addfd: *mut OSSL_ASYNC_FD,
        numaddfds: *mut size_t,
        delfd: *mut OSSL_ASYNC_FD,
        numdelfds: *mut size_t,
    ) -> c_int;
    /// Sets the callback of every `SSL` made from `ctx` afterwards.
    pub fn SSL_CTX_set_async_callback(ctx: *mut SSL_CTX, callback: SSL_async_callback_fn) -> c_int;
    /// Sets the callback's argument for every `SSL` made from `ctx` afterwards.
    pub fn SSL_CTX_set_async_callback_arg(ctx: *mut SSL_CTX, arg: *mut c_void) -> c_int;
    /// Sets the callback of `s`.
    pub fn SSL_set_async_callback(s: *mut SSL, callback: SSL_async_callback_fn) -> c_int;
    /// Sets the callback's argument for `s`.
    pub fn SSL_set_async_callback_arg(s: *mut SSL, arg: *mut c_void) -> c_int;
    /// Writes one of `ASYNC_STATUS_*` to `*status`; 0 before the first job.
    pub fn SSL_get_async_status(s: *mut SSL, status: *mut c_int) -> c_int;

    /// An `SSL_CTX` that fetches its algorithms from `libctx` (null: the default) with the property query `propq`.
    pub fn SSL_CTX_new_ex(libctx: *mut OSSL_LIB_CTX, propq: *const c_char, meth: *const SSL_METHOD) -> *mut SSL_CTX;
    /// The cipher suites of `ctx`, which keeps them.
    pub fn SSL_CTX_get_ciphers(ctx: *const SSL_CTX) -> *mut stack_st_SSL_CIPHER;
    /// Sets the store of trusted certificates; takes a reference of its own.
    pub fn SSL_CTX_set1_cert_store(ctx: *mut SSL_CTX, store: *mut X509_STORE);
    /// Sets how long sessions may be resumed, in seconds; returns the time it was before.
    pub fn SSL_CTX_set_timeout(ctx: *mut SSL_CTX, t: c_long) -> c_long;
    /// Sets what is called in place of `X509_verify_cert`, with `arg`, for the chain of a peer: 1 if it is accepted.
    pub fn SSL_CTX_set_cert_verify_callback(
        ctx: *mut SSL_CTX,
        cb: Option<unsafe extern "C" fn(store: *mut X509_STORE_CTX, arg: *mut c_void) -> c_int>,
        arg: *mut c_void,
    );
    /// Sets the callback that chooses the certificate of every `SSL` made from `c`: 1 to go on, 0 to fail, -1 to be called
    /// again (`SSL_ERROR_WANT_X509_LOOKUP`).
    pub fn SSL_CTX_set_cert_cb(
        c: *mut SSL_CTX,
        cb: Option<unsafe extern "C" fn(ssl: *mut SSL, arg: *mut c_void) -> c_int>,
        arg: *mut c_void,
    );
    /// As [`SSL_CTX_set_cert_cb`], for `s`.
    pub fn SSL_set_cert_cb(
        s: *mut SSL,
        cb: Option<unsafe extern "C" fn(ssl: *mut SSL, arg: *mut c_void) -> c_int>,
        arg: *mut c_void,
    );
    /// Sets the callback that is told of states and alerts (`SSL_CB_*`), for every `SSL` made from `ctx`.
    pub fn SSL_CTX_set_info_callback(
        ctx: *mut SSL_CTX,
        cb: Option<unsafe extern "C" fn(ssl: *const SSL, event: c_int, value: c_int)>,
    );
    /// As [`SSL_CTX_set_info_callback`], for `ssl`.
    pub fn SSL_set_info_callback(
        ssl: *mut SSL,
        cb: Option<unsafe extern "C" fn(ssl: *const SSL, event: c_int, value: c_int)>,
    );
    /// Stores the ticket of `s` and its length, null and 0 if there is none; it belongs to `s`.
    pub fn SSL_SESSION_get0_ticket(s: *const SSL_SESSION, tick: *mut *const c_uchar, len: *mut size_t);
    /// Sets the callback that is told of protocol messages, in plain text, for every `SSL` made from `ctx`.
    pub fn SSL_CTX_set_msg_callback(
        ctx: *mut SSL_CTX,
        cb: Option<
            unsafe extern "C" fn(
                write_p: c_int,
                version: c_int,
                content_type: c_int,
                buf: *const c_void,
                len: size_t,
                ssl: *mut SSL,
                arg: *mut c_void,
            ),
        >,
    );
    /// As [`SSL_CTX_set_msg_callback`], for `ssl`.
    pub fn SSL_set_msg_callback(
        ssl: *mut SSL,
        cb: Option<
            unsafe extern "C" fn(
                write_p: c_int,
                version: c_int,
                content_type: c_int,
                buf: *const c_void,
                len: size_t,
                ssl: *mut SSL,
                arg: *mut c_void,
            ),
        >,
    );

    /// The signature algorithm that both sides have with the index `idx`, by its parts; returns how many there are.
    pub fn SSL_get_shared_sigalgs(
        s: *mut SSL,
        idx: c_int,
        psign: *mut c_int,
        phash: *mut c_int,
        psignandhash: *mut c_int,
        rsig: *mut c_uchar,
        rhash: *mut c_uchar,
    ) -> c_int;

    /// Adds `SSL_OP_*` bits to `s`; returns the new set.
    pub fn SSL_set_options(s: *mut SSL, op: u64) -> u64;
    /// Removes `SSL_OP_*` bits from `s`; returns the new set.
    pub fn SSL_clear_options(s: *mut SSL, op: u64) -> u64;
    /// Sets what the sessions of a server's `ssl` are bound to, at most 32 bytes. Returns 1 on success.
    pub fn SSL_set_session_id_context(ssl: *mut SSL, sid_ctx: *const c_uchar, sid_ctx_len: c_uint) -> c_int;
    /// Sets who is asked for the pre-shared key of a client.
    pub fn SSL_set_psk_client_callback(ssl: *mut SSL, cb: SSL_psk_client_cb_func);
    /// Sets who is asked for the pre-shared keys of a server.
    pub fn SSL_set_psk_server_callback(ssl: *mut SSL, cb: SSL_psk_server_cb_func);
    /// Sets the hint that a server of TLS 1.2 gives to its clients; null for none.
    pub fn SSL_use_psk_identity_hint(s: *mut SSL, identity_hint: *const c_char) -> c_int;
    /// Whether a TLS 1.3 client offers post-handshake authentication.
    pub fn SSL_set_post_handshake_auth(s: *mut SSL, val: c_int);
    /// The size in bytes of the read buffer of every `SSL` made from `ctx`.
    pub fn SSL_CTX_set_default_read_buffer_len(ctx: *mut SSL_CTX, len: size_t);
    /// The size in bytes of the read buffer of `s`.
    pub fn SSL_set_default_read_buffer_len(s: *mut SSL, len: size_t);

    /// Whether `s` reads more than one record at once from its BIO.
    pub fn SSL_set_read_ahead(s: *mut SSL, yes: c_int);
    /// 1 if `s` is a DTLS object.
    pub fn SSL_is_dtls(s: *const SSL) -> c_int;
    /// 1 if `s` holds received bytes, processed or not.
    pub fn SSL_has_pending(s: *const SSL) -> c_int;
    /// What `s` waits for, from its state alone (`SSL_get_error` looks at the error queue, too).
    pub fn SSL_want(s: *const SSL) -> c_int;
    /// 1 if `s` is a QUIC object, for which there are no jobs.
    #[cfg(ossl320)]
    pub fn SSL_is_quic(s: *const SSL) -> c_int;
    /// The name of the group that [`SSL_get_negotiated_group`] returned.
    pub fn SSL_group_to_name(s: *mut SSL, id: c_int) -> *const c_char;
    /// "warning", "fatal" or "unknown", from the value that an info callback got.
    pub fn SSL_alert_type_string_long(value: c_int) -> *const c_char;
}

/// Adds `SSL_MODE_*` bits to `ssl`; returns the new set. (A macro in C.)
///
/// # Safety
/// `ssl` is valid.
pub unsafe fn SSL_set_mode(ssl: *mut SSL, op: c_long) -> c_long {
    // SAFETY: the caller's.
    unsafe { SSL_ctrl(ssl, SSL_CTRL_MODE, op, ptr::null_mut()) }
}

/// Limits the plain bytes of one record of `ssl`, from 512 to 16384. Returns 1 on success. (A macro in C.)
///
/// # Safety
/// `ssl` is valid.
pub unsafe fn SSL_set_max_send_fragment(ssl: *mut SSL, size: c_long) -> c_long {
    // SAFETY: the caller's.
    unsafe { SSL_ctrl(ssl, SSL_CTRL_SET_MAX_SEND_FRAGMENT, size, ptr::null_mut()) }
}

/// Removes `SSL_MODE_*` bits from `ssl`; returns the new set. (A macro in C.)
///
/// # Safety
/// `ssl` is valid, and no job of it is paused if `op` has [`SSL_MODE_ASYNC`].
pub unsafe fn SSL_clear_mode(ssl: *mut SSL, op: c_long) -> c_long {
    // SAFETY: the caller's.
    unsafe { SSL_ctrl(ssl, SSL_CTRL_CLEAR_MODE, op, ptr::null_mut()) }
}

/// The `SSL_MODE_*` bits of `ssl`. (A macro in C.)
///
/// # Safety
/// `ssl` is valid.
pub unsafe fn SSL_get_mode(ssl: *mut SSL) -> c_long {
    // SAFETY: the caller's.
    unsafe { SSL_ctrl(ssl, SSL_CTRL_MODE, 0, ptr::null_mut()) }
}

/// Removes `SSL_MODE_*` bits from `ctx`; returns the new set. (A macro in C.)
///
/// # Safety
/// `ctx` is valid.
pub unsafe fn SSL_CTX_clear_mode(ctx: *mut SSL_CTX, op: c_long) -> c_long {
    // SAFETY: the caller's.
    unsafe { SSL_CTX_ctrl(ctx, SSL_CTRL_CLEAR_MODE, op, ptr::null_mut()) }
}

/// Appends a certificate to the chain of the certificate that was set last, and takes a reference of its own. Returns 1
/// on success. (A macro in C.)
///
/// # Safety
/// Both pointers are valid.
pub unsafe fn SSL_CTX_add1_chain_cert(ctx: *mut SSL_CTX, x509: *mut X509) -> c_long {
    // SAFETY: the caller's.
    unsafe { SSL_CTX_ctrl(ctx, SSL_CTRL_CHAIN_CERT, 1, x509.cast()) }
}

/// Makes the chain of the certificate that was set last from the context's store. Returns 1 on success, 2 if an error
/// was ignored (`SSL_BUILD_CHAIN_FLAG_*`). (A macro in C.)
///
/// # Safety
/// `ctx` is valid.
pub unsafe fn SSL_CTX_build_cert_chain(ctx: *mut SSL_CTX, flags: c_int) -> c_int {
    // SAFETY: the caller's.
    unsafe { SSL_CTX_ctrl(ctx, SSL_CTRL_BUILD_CERT_CHAIN, c_long::from(flags), ptr::null_mut()) as c_int }
}

/// Sets the signature algorithms of `s`, its own and those it accepts, separated by colons. Returns 1 on success. (A
/// macro in C.)
///
/// # Safety
/// Both pointers are valid.
pub unsafe fn SSL_set1_sigalgs_list(s: *mut SSL, str: *const c_char) -> c_long {
    // SAFETY: the caller's.
    unsafe { SSL_ctrl(s, SSL_CTRL_SET_SIGALGS_LIST, 0, str.cast_mut().cast()) }
}

/// Sets the signature algorithms of client certificates: those that a server asks for, those that a client signs with.
/// Returns 1 on success. (A macro in C.)
///
/// # Safety
/// Both pointers are valid.
pub unsafe fn SSL_set1_client_sigalgs_list(s: *mut SSL, str: *const c_char) -> c_long {
    // SAFETY: the caller's.
    unsafe { SSL_ctrl(s, SSL_CTRL_SET_CLIENT_SIGALGS_LIST, 0, str.cast_mut().cast()) }
}

/// Called inside a client's verification callback: verification is to be called again
/// ([`SSL_ERROR_WANT_RETRY_VERIFY`]). Returns 1 on success. (A macro in C.)
///
/// # Safety
/// `ssl` is valid.
pub unsafe fn SSL_set_retry_verify(ssl: *mut SSL) -> c_int {
    // SAFETY: the caller's.
    c_int::from(unsafe { SSL_ctrl(ssl, SSL_CTRL_SET_RETRY_VERIFY, 0, ptr::null_mut()) } > 0)
}

/// Writes the NID of the digest that this side signed with to `*nid`; 0 if it did not sign. (A macro in C.)
///
/// # Safety
/// Both pointers are valid.
pub unsafe fn SSL_get_signature_nid(ssl: *mut SSL, nid: *mut c_int) -> c_long {
    // SAFETY: the caller's.
    unsafe { SSL_ctrl(ssl, SSL_CTRL_GET_SIGNATURE_NID, 0, nid.cast()) }
}

/// Writes the NID of the digest that the peer signed with to `*nid`; 0 if it did not sign. (A macro in C.)
///
/// # Safety
/// Both pointers are valid.
pub unsafe fn SSL_get_peer_signature_nid(ssl: *mut SSL, nid: *mut c_int) -> c_long {
    // SAFETY: the caller's.
    unsafe { SSL_ctrl(ssl, SSL_CTRL_GET_PEER_SIGNATURE_NID, 0, nid.cast()) }
}

/// The group of the key exchange: its NID, or its TLS number with the bit 24 set; 0 if there was none. (A macro in C.)
///
/// # Safety
/// `ssl` is valid.
pub unsafe fn SSL_get_negotiated_group(ssl: *mut SSL) -> c_long {
    // SAFETY: the caller's.
    unsafe { SSL_ctrl(ssl, SSL_CTRL_GET_NEGOTIATED_GROUP, 0, ptr::null_mut()) }
}
