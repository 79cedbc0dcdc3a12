//! The man page's functions on the `openssl` crate's types, with a handshake that pauses.

use foreign_types::ForeignTypeRef;
use libssl_async_sys::thin::*;
use libssl_async_sys::*;
use openssl::ssl::{ErrorCode, Ssl, SslContext, SslContextBuilder, SslMethod, SslRef, SslStream};
use std::ffi::{c_int, c_void};
use std::io::{self, Read, Write};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

#[test]
fn no_status_before_the_first_job() {
    let ssl = Ssl::new(&SslContext::builder(SslMethod::tls()).unwrap().build()).unwrap();
    // SAFETY: no operation is in flight.
    assert_eq!(unsafe { get_async_status(&ssl) }, None);
}

#[test]
fn callback_and_argument_of_a_context_reach_its_connections() {
    let called_for = AtomicPtr::new(ptr::null_mut());
    let mut context = pausing_context();
    // SAFETY: the callback and its argument outlive the handshake.
    unsafe {
        set_context_async_callback(&mut context, Some(record)).unwrap();
        set_context_async_callback_arg(&mut context, argument(&called_for)).unwrap();
    }
    pause_and_resume(Ssl::new(&context.build()).unwrap(), &called_for);
}

#[test]
fn callback_and_argument_of_one_connection() {
    let called_for = AtomicPtr::new(ptr::null_mut());
    let mut ssl = Ssl::new(&pausing_context().build()).unwrap();
    // SAFETY: the callback and its argument outlive the handshake.
    unsafe {
        set_async_callback(&mut ssl, Some(record)).unwrap();
        set_async_callback_arg(&mut ssl, argument(&called_for)).unwrap();
    }
    pause_and_resume(ssl, &called_for);
}

#[test]
fn every_status_has_a_name() {
    let statuses =
        [AsyncStatus::Unsupported, AsyncStatus::Error, AsyncStatus::Ok, AsyncStatus::Again].map(Some).into_iter();
    assert!(statuses.chain([None]).eq((0..5).map(AsyncStatus::from_raw)));
}

/// Handshakes in the asynchronous mode until the server's answer is missing.
fn pause_and_resume(ssl: Ssl, called_for: &AtomicPtr<SSL>) {
    // SAFETY: no arguments.
    if unsafe { ASYNC_is_capable() } == 0 {
        return;
    }
    let mut stream = SslStream::new(ssl, Silence).unwrap();
    let raw = stream.ssl().as_ptr();
    let connect = |stream: &mut SslStream<Silence>| stream.connect().unwrap_err().code();

    assert_eq!(connect(&mut stream), ErrorCode::from_raw(SSL_ERROR_WANT_ASYNC));
    assert_eq!(called_for.load(Ordering::Relaxed), raw);
    assert_eq!(status(stream.ssl()), Some(AsyncStatus::Ok));
    // SAFETY: the SSL is valid.
    assert_eq!(unsafe { SSL_waiting_for_async(raw) }, 1);

    assert_eq!(connect(&mut stream), ErrorCode::WANT_READ);
    // SAFETY: the SSL is valid.
    assert_eq!(unsafe { SSL_waiting_for_async(raw) }, 0);
    assert_eq!(status(stream.ssl()), Some(AsyncStatus::Ok), "it stays until another one is set");
}

fn status(ssl: &SslRef) -> Option<AsyncStatus> {
    // SAFETY: the callback has run, on this thread.
    unsafe { get_async_status(ssl) }
}

/// A context in the asynchronous mode whose handshakes pause once, before their first message.
fn pausing_context() -> SslContextBuilder {
    unsafe extern "C" fn pause_at_start(_: *const SSL, event: c_int, _: c_int) {
        if event & SSL_CB_HANDSHAKE_START != 0 {
            // SAFETY: a handshake in the asynchronous mode runs inside a job.
            unsafe { complete_and_pause(ASYNC_get_wait_ctx(ASYNC_get_current_job())) };
        }
    }
    let context = SslContext::builder(SslMethod::tls()).unwrap();
    // SAFETY: the context is valid, the callback is a function.
    unsafe {
        SSL_CTX_set_info_callback(context.as_ptr(), Some(pause_at_start));
        openssl_sys::SSL_CTX_set_mode(context.as_ptr(), SSL_MODE_ASYNC);
    }
    context
}

/// What an engine does whose operation completes before it pauses.
unsafe fn complete_and_pause(ctx: *mut ASYNC_WAIT_CTX) {
    let (mut callback, mut arg) = (None, ptr::null_mut());
    // SAFETY: the caller's wait context is the running job's.
    unsafe {
        assert_eq!(ASYNC_WAIT_CTX_get_callback(ctx, &mut callback, &mut arg), 1);
        assert_eq!(ASYNC_WAIT_CTX_set_status(ctx, ASYNC_STATUS_OK), 1);
        assert_eq!(callback.unwrap()(arg), 1);
        assert_eq!(ASYNC_pause_job(), 1);
    }
}

fn argument(called_for: &AtomicPtr<SSL>) -> *mut c_void {
    ptr::from_ref(called_for).cast_mut().cast()
}

unsafe extern "C" fn record(ssl: *mut SSL, arg: *mut c_void) -> c_int {
    // SAFETY: the argument is the test's.
    unsafe { &*arg.cast::<AtomicPtr<SSL>>() }.store(ssl, Ordering::Relaxed);
    1
}

/// A peer that takes everything and says nothing.
#[derive(Debug)]
struct Silence;

impl Read for Silence {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

impl Write for Silence {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
