//! A set of descriptors that is itself one descriptor.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use super::alarm::Alarm;

/// An epoll descriptor, in which each socket is watched edge-triggered for both directions.
pub(super) struct Epoll {
    fd: OwnedFd,
    /// Makes the set ready.
    alarm: Arc<Alarm>,
}

/// What has happened to a socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) id: u32,
    pub(super) readable: bool,
    pub(super) writable: bool,
    /// The peer has ended its direction, or the socket has failed.
    pub(super) ended: bool,
}

/// How many events are taken at once.
const BATCH: usize = 256;

/// The id of the alarm.
const ALARM: u64 = u64::MAX;

impl Epoll {
    pub(super) fn new() -> io::Result<Self> {
        // SAFETY: creates a descriptor, which is owned from then on.
        let fd = unsafe { OwnedFd::from_raw_fd(check(libc::epoll_create1(libc::EPOLL_CLOEXEC))?) };
        let set = Self { fd, alarm: Arc::new(Alarm::new()?) };
        set.change(libc::EPOLL_CTL_ADD, set.alarm.fd(), libc::EPOLLIN, ALARM)?;
        Ok(set)
    }

    pub(super) fn fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Watches a socket; a closed one leaves by itself.
    pub(super) fn add(&self, socket: RawFd, id: u32) -> io::Result<()> {
        let events = libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET;
        self.change(libc::EPOLL_CTL_ADD, socket, events, id.into())
    }

    /// Stops watching a socket.
    pub(super) fn remove(&self, socket: RawFd) {
        // It fails only for what is not watched.
        let _not_watched = self.change(libc::EPOLL_CTL_DEL, socket, 0, 0);
    }

    /// Makes the set ready, once.
    pub(super) fn alarm(&self) -> &Arc<Alarm> {
        &self.alarm
    }

    /// The events that are there, without waiting.
    pub(super) fn take(&self, events: &mut Vec<Event>) {
        let mut raw = [libc::epoll_event { events: 0, u64: 0 }; BATCH];
        // SAFETY: the descriptor is open; the memory has room for as many events as it says.
        let count = unsafe { libc::epoll_wait(self.fd(), raw.as_mut_ptr(), BATCH as i32, 0) };
        let taken = &raw[..usize::try_from(count).unwrap_or(0)];
        for event in taken {
            if event.u64 == ALARM {
                self.alarm.silence();
                continue;
            }
            let has = |flags: i32| event.events & flags as u32 != 0;
            let ended = has(libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR);
            events.push(Event {
                id: event.u64 as u32,
                readable: ended || has(libc::EPOLLIN),
                writable: has(libc::EPOLLOUT | libc::EPOLLHUP | libc::EPOLLERR),
                ended,
            });
        }
    }

    fn change(&self, operation: i32, fd: RawFd, events: i32, data: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: events as u32, u64: data };
        // SAFETY: both descriptors are open, and the event is valid for the call.
        check(unsafe { libc::epoll_ctl(self.fd(), operation, fd, &mut event) }).map(drop)
    }
}

fn check(result: i32) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
