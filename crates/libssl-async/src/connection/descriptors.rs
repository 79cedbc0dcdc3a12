//! The descriptors by which a source tells that it is done (rule 23).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::ptr;
use std::task::{Context, Poll};

use foreign_types::ForeignTypeRef;
use libssl_async_sys as sys;
use openssl::ssl::SslRef;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The descriptors of one wait context, watched by the runtime of the worker.
#[derive(Default)]
pub(super) struct Descriptors {
    watched: Vec<Watched>,
}

struct Watched {
    /// The source's, which closes it when it likes.
    theirs: RawFd,
    /// A duplicate, the only one that is closed here: by the time that it is let go, the number of theirs may be that of
    /// another file, and two connections may be told by one descriptor, which a runtime watches only once. `None` if
    /// the system did not give one: then it has to be looked at from time to time.
    ours: Option<AsyncFd<OwnedFd>>,
}

impl Descriptors {
    /// Watches what the source has added since the job was last resumed, and lets go of what it has deleted.
    ///
    /// Corresponds to `SSL_get_changed_async_fds`.
    pub(super) fn follow(&mut self, ssl: &SslRef) {
        let (added, deleted) = changed(ssl);
        // First: what was deleted may have been added again under the same number.
        self.watched.retain(|watched| !deleted.contains(&watched.theirs));
        let added = added.into_iter().filter(|descriptor| *descriptor != sys::OSSL_BAD_ASYNC_FD);
        self.watched.extend(added.map(|theirs| Watched { theirs, ours: watch(theirs).ok() }));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.watched.is_empty()
    }

    /// Whether there are some that no runtime watches.
    pub(super) fn any_unwatched(&self) -> bool {
        self.watched.iter().any(|watched| watched.ours.is_none())
    }

    /// Waits until one of them can be read, which is how a source tells that it is done.
    pub(super) fn poll_readable(&self, context: &mut Context<'_>) -> Poll<()> {
        let readable = |watched: &Watched| watched.poll_readable(context).is_ready();
        if self.watched.iter().any(readable) { Poll::Ready(()) } else { Poll::Pending }
    }

    pub(super) fn clear(&mut self) {
        self.watched.clear();
    }
}

impl Watched {
    fn poll_readable(&self, context: &mut Context<'_>) -> Poll<()> {
        let Some(ours) = &self.ours else {
            return if can_be_read(self.theirs) { Poll::Ready(()) } else { Poll::Pending };
        };
        loop {
            match ours.poll_read_ready(context) {
                // The runtime tells what was so: the source may have emptied it since.
                Poll::Ready(Ok(mut ready)) if !can_be_read(ours.as_raw_fd()) => ready.clear_ready(),
                Poll::Ready(Ok(_)) => return Poll::Ready(()),
                // The runtime has ended, and with it whoever waits here.
                Poll::Ready(Err(_)) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

fn watch(theirs: RawFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the source keeps it open while it is in the wait context, and the fibre, which could change that, rests.
    let ours = unsafe { BorrowedFd::borrow_raw(theirs) }.try_clone_to_owned()?;
    // SAFETY: the duplicate is open, and owned by what is returned, until it is let go.
    Ok(unsafe { AsyncFd::register_with_interest(ours, Interest::READABLE) }?)
}

fn can_be_read(descriptor: RawFd) -> bool {
    let mut asked = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
    // SAFETY: one valid entry; returns at once.
    unsafe { libc::poll(&mut asked, 1, 0) };
    asked.revents & (libc::POLLIN | libc::POLLHUP | libc::POLLERR) != 0
}

/// What was added and what was deleted since the job was last resumed.
fn changed(ssl: &SslRef) -> (Vec<RawFd>, Vec<RawFd>) {
    let (mut added, mut deleted) = (0, 0);
    // SAFETY: the SSL is valid, and between the two calls, on its thread, nothing changes the wait context: both lists
    // get as many entries as they have room for. It fails for an SSL that has never had a job, and writes nothing.
    unsafe {
        let changed = sys::SSL_get_changed_async_fds;
        changed(ssl.as_ptr(), ptr::null_mut(), &mut added, ptr::null_mut(), &mut deleted);
        let mut lists = (vec![sys::OSSL_BAD_ASYNC_FD; added], vec![sys::OSSL_BAD_ASYNC_FD; deleted]);
        if added + deleted > 0 {
            changed(ssl.as_ptr(), lists.0.as_mut_ptr(), &mut added, lists.1.as_mut_ptr(), &mut deleted);
        }
        lists
    }
}
