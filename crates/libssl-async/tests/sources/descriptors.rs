//! Sources that tell by a descriptor in the wait context (rule 23), by it and the callback, or not at all (rule 10).

use std::ffi::{c_int, c_void};
use std::fs::{read_dir, read_link};
use std::io::{Read, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{FromRawFd, IntoRawFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::abort;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use libssl_async::Workers;
use libssl_async_sys as sys;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::source::{Operation, Scene, Sources, pause};

/// The key of the source's descriptors in wait contexts.
static KEY: u8 = 0;

/// What a source tells by: a descriptor that can be read when it has written to it.
#[derive(Clone)]
struct Descriptor {
    number: c_int,
    writer: Arc<UnixStream>,
}

impl Descriptor {
    fn new() -> Self {
        let (reader, writer) = UnixStream::pair().unwrap();
        reader.set_nonblocking(true).unwrap();
        Self { number: reader.into_raw_fd(), writer: Arc::new(writer) }
    }

    fn write(&self) {
        (&*self.writer).write_all(b"!").unwrap();
    }

    /// Empties it, for the next operation. Fails if somebody has closed it.
    fn reset(&self) {
        // SAFETY: the descriptor is open, and not closed here.
        let mut reader = ManuallyDrop::new(unsafe { UnixStream::from_raw_fd(self.number) });
        reader.read_exact(&mut [0]).unwrap();
    }

    /// Closes it. Fails if somebody has done it.
    fn close(&self) {
        // SAFETY: the descriptor is the source's.
        assert_eq!(unsafe { libc::close(self.number) }, 0);
    }

    /// Tells what is behind it from all else.
    fn identity(&self) -> PathBuf {
        read_link(format!("/proc/self/fd/{}", self.number)).unwrap()
    }
}

/// How many descriptors of the process lead there.
fn count(identity: &Path) -> usize {
    let links = read_dir("/proc/self/fd").unwrap().map(|entry| read_link(entry.unwrap().path()));
    links.filter(|link| link.as_ref().is_ok_and(|link| link == identity)).count()
}

/// What a source holds of an operation that is told by a descriptor.
struct Told {
    descriptor: Descriptor,
    done: Arc<AtomicBool>,
}

impl Told {
    fn tell(&self) {
        self.done.store(true, Ordering::SeqCst);
        self.descriptor.write();
    }
}

#[derive(Clone)]
struct Source {
    operations: UnboundedSender<Told>,
    resumed: Arc<AtomicU64>,
}

impl Source {
    fn new() -> (Self, UnboundedReceiver<Told>) {
        let (operations, receiver) = unbounded_channel();
        (Self { operations, resumed: Arc::default() }, receiver)
    }

    fn resumed(&self) -> u64 {
        self.resumed.load(Ordering::SeqCst)
    }

    /// Has one operation done elsewhere; ends the process if the job goes on before.
    fn operate(&self, descriptor: &Descriptor) {
        let done = Arc::<AtomicBool>::default();
        self.operations.send(Told { descriptor: descriptor.clone(), done: Arc::clone(&done) }).unwrap();
        pause();
        if !done.load(Ordering::SeqCst) {
            eprintln!("a job was resumed before its completion");
            abort();
        }
        self.resumed.fetch_add(1, Ordering::SeqCst);
    }
}

/// Puts a descriptor into the wait context of the current job.
fn add(descriptor: &Descriptor) {
    unsafe extern "C" fn close(_: *mut sys::ASYNC_WAIT_CTX, _: *const c_void, descriptor: c_int, _: *mut c_void) {
        // SAFETY: the descriptor is the source's.
        assert_eq!(unsafe { libc::close(descriptor) }, 0);
    }
    // SAFETY: called on the fibre of a connection.
    unsafe {
        let context = sys::ASYNC_get_wait_ctx(sys::ASYNC_get_current_job());
        let key = ptr::from_ref(&KEY).cast();
        assert_eq!(sys::ASYNC_WAIT_CTX_set_wait_fd(context, key, descriptor.number, ptr::null_mut(), Some(close)), 1);
    }
}

/// Takes it out of the wait context.
fn remove() {
    // SAFETY: as above.
    unsafe {
        let context = sys::ASYNC_get_wait_ctx(sys::ASYNC_get_current_job());
        assert_eq!(sys::ASYNC_WAIT_CTX_clear_fd(context, ptr::from_ref(&KEY).cast()), 1);
    }
}

/// Another handshake on the same worker, from its beginning to its end, with so many operations.
async fn served_meanwhile(scene: &Scene, operations: &mut UnboundedReceiver<Told>, count: u64) {
    let (client, server) = scene.begin().await;
    for _ in 0..count {
        operations.recv().await.unwrap().tell();
    }
    let (client, server) = tokio::join!(client, server);
    drop((client.unwrap(), server.unwrap()));
}

#[tokio::test]
async fn a_descriptor_that_can_be_read_resumes_its_job_once() {
    let (source, mut operations) = Source::new();
    let on_the_fibre = source.clone();
    let scene = Scene::new(move |_| {
        let descriptor = Descriptor::new();
        add(&descriptor);
        for _ in 0..3 {
            on_the_fibre.operate(&descriptor);
            descriptor.reset();
        }
        Ok(())
    });
    let mut watched = None;
    let (client, server) = scene.begin().await;
    for _ in 0..3 {
        let told = operations.recv().await.unwrap();
        watched = Some(told.descriptor.identity());
        scene.until(|metrics| metrics.paused == 1).await;
        // What the runtime has noticed of the operation before must not resume this one.
        served_meanwhile(&scene, &mut operations, 3).await;
        told.tell();
    }
    let (client, server) = tokio::join!(client, server);
    drop((client.unwrap(), server.unwrap()));
    assert_eq!(source.resumed(), 12);
    let metrics = scene.workers.metrics();
    assert_eq!((metrics.pauses, metrics.status_unsupported, metrics.descriptors), (12, 12, 12));
    assert_eq!((metrics.callbacks, metrics.looks, metrics.resumes), (0, 0, 12));
    assert_eq!(count(&watched.unwrap()), 0);
}

/// The number of a descriptor that was closed is that of the next one, for which nothing that was noticed counts.
#[tokio::test]
async fn descriptors_are_added_and_deleted_while_the_handshake_goes_on() {
    let (source, mut operations) = Source::new();
    let on_the_fibre = source.clone();
    let scene = Scene::new(move |_| {
        for _ in 0..20 {
            let descriptor = Descriptor::new();
            add(&descriptor);
            on_the_fibre.operate(&descriptor);
            remove();
            descriptor.close();
        }
        Ok(())
    });
    let mut watched = Vec::new();
    let (client, server) = scene.begin().await;
    for _ in 0..20 {
        let told = operations.recv().await.unwrap();
        scene.until(|metrics| metrics.paused == 1).await;
        // The source's, and the one that is watched in its place; none of those that were deleted.
        watched.push(told.descriptor.identity());
        let counts: Vec<_> = watched.iter().map(|identity| count(identity)).collect();
        assert_eq!(counts.iter().sum::<usize>(), 2, "{counts:?}");
        told.tell();
    }
    let (client, server) = tokio::join!(client, server);
    drop((client.unwrap(), server.unwrap()));
    assert_eq!((source.resumed(), scene.workers.metrics().descriptors), (20, 20));
}

#[tokio::test]
async fn connections_may_share_a_descriptor() {
    let (source, mut operations) = Source::new();
    let on_the_fibre = source.clone();
    let descriptor = Descriptor::new();
    let shared = descriptor.clone();
    let scene = Scene::new(move |_| {
        add(&shared);
        on_the_fibre.operate(&shared);
        remove();
        Ok(())
    });
    let (first, second) = (scene.begin().await, scene.begin().await);
    let told = [operations.recv().await.unwrap(), operations.recv().await.unwrap()];
    scene.until(|metrics| metrics.paused == 2).await;
    told[0].done.store(true, Ordering::SeqCst);
    told[1].tell();
    let (a, b, c, d) = tokio::join!(first.0, first.1, second.0, second.1);
    drop((a.unwrap(), b.unwrap(), c.unwrap(), d.unwrap()));
    assert_eq!((source.resumed(), scene.workers.metrics().descriptors), (2, 2));
    // Nobody has closed it.
    descriptor.reset();
    descriptor.close();
}

#[tokio::test]
async fn an_abandoned_connection_waits_for_its_descriptor() {
    let (source, mut operations) = Source::new();
    let on_the_fibre = source.clone();
    let scene = Scene::new(move |_| {
        let descriptor = Descriptor::new();
        add(&descriptor);
        on_the_fibre.operate(&descriptor);
        Ok(())
    });
    let (client, server) = scene.begin().await;
    let told = operations.recv().await.unwrap();
    let watched = told.descriptor.identity();
    scene.until(|metrics| metrics.paused == 1).await;
    drop(server);
    client.await.unwrap_err();
    served_meanwhile(&scene, &mut operations, 1).await;
    assert_eq!((source.resumed(), scene.workers.metrics().drained), (1, 0));
    told.tell();
    scene.until(|metrics| metrics.drained == 1).await;
    assert_eq!((source.resumed(), count(&watched)), (2, 0));
}

#[tokio::test]
async fn what_is_left_allocated_is_watched_no_more() {
    let (source, mut operations) = Source::new();
    let on_the_fibre = source.clone();
    let workers = Workers::builder().threads(1).drain_timeout(Duration::from_millis(1)).build().unwrap();
    let scene = Scene::with(
        workers,
        Box::new(move |_: &Sources| {
            let descriptor = Descriptor::new();
            add(&descriptor);
            on_the_fibre.operate(&descriptor);
            Ok(())
        }),
    );
    let (client, server) = scene.begin().await;
    let told = operations.recv().await.unwrap();
    let watched = told.descriptor.identity();
    scene.until(|metrics| metrics.paused == 1).await;
    drop(server);
    client.await.unwrap_err();
    scene.until(|metrics| metrics.leaked == 1).await;
    told.tell();
    served_meanwhile(&scene, &mut operations, 1).await;
    // The source's alone is left.
    assert_eq!((source.resumed(), count(&watched)), (1, 1));
}

/// Whose status says that it calls back is waited for until it does, or the SSL may be gone when it does (rule 32).
#[tokio::test]
async fn a_source_that_tells_by_both_resumes_its_job_by_the_callback() {
    let descriptors = Arc::<Mutex<Vec<Descriptor>>>::default();
    let added = Arc::clone(&descriptors);
    let mut scene = Scene::new(move |sources| {
        let descriptor = Descriptor::new();
        add(&descriptor);
        for _ in 0..3 {
            added.lock().unwrap().push(descriptor.clone());
            sources.hand_over(Operation::submit(Some(sys::ASYNC_STATUS_OK)));
            descriptor.reset();
        }
        Ok(())
    });
    let (client, server) = scene.begin().await;
    for _ in 0..3 {
        let operation = scene.operation().await;
        scene.until(|metrics| metrics.paused == 1).await;
        let descriptor = descriptors.lock().unwrap().pop().unwrap();
        descriptor.write();
        scene.workers.spawn_pinned(look_around).await.unwrap();
        operation.call_back();
    }
    let (client, server) = tokio::join!(client, server);
    drop((client.unwrap(), server.unwrap()));
    let metrics = scene.workers.metrics();
    assert_eq!((metrics.callbacks, metrics.status_ok, metrics.descriptors), (3, 3, 0));
    assert_eq!((metrics.pauses, metrics.resumes), (3, 3));
}

/// Lets a worker look several times at what has come.
async fn look_around() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// It has the status of a source that served the connection before.
#[tokio::test]
async fn a_status_that_promises_a_callback_does_not_make_a_descriptor_useless() {
    let (source, mut operations) = Source::new();
    let on_the_fibre = source.clone();
    let scene = Scene::new(move |_| {
        let _never_called = Operation::submit(Some(sys::ASYNC_STATUS_OK));
        let descriptor = Descriptor::new();
        add(&descriptor);
        on_the_fibre.operate(&descriptor);
        Ok(())
    });
    served_meanwhile(&scene, &mut operations, 1).await;
    assert_eq!((source.resumed(), scene.workers.metrics().descriptors), (1, 1));
}

/// Sources from before wait contexts look themselves whether they are done, and pause again.
#[tokio::test]
async fn a_source_that_tells_in_no_way_is_asked_again() {
    let done = Arc::<AtomicBool>::default();
    let is_done = Arc::clone(&done);
    let scene = Scene::new(move |_| {
        while !is_done.load(Ordering::SeqCst) {
            pause();
        }
        Ok(())
    });
    let (client, server) = scene.begin().await;
    scene.until(|metrics| metrics.looks >= 3).await;
    done.store(true, Ordering::SeqCst);
    let (client, server) = tokio::join!(client, server);
    drop((client.unwrap(), server.unwrap()));
    let metrics = scene.workers.metrics();
    assert_eq!((metrics.status_unsupported, metrics.resumes), (metrics.pauses, metrics.looks));
    assert_eq!((metrics.callbacks, metrics.descriptors), (0, 0));
}

/// A place in the wait context without a descriptor.
#[tokio::test]
async fn no_descriptor_is_watched_where_there_is_none() {
    let mut scene = Scene::new(|sources| {
        // SAFETY: called on the fibre of a connection.
        unsafe {
            let context = sys::ASYNC_get_wait_ctx(sys::ASYNC_get_current_job());
            let (key, none) = (ptr::from_ref(&KEY).cast(), sys::OSSL_BAD_ASYNC_FD);
            assert_eq!(sys::ASYNC_WAIT_CTX_set_wait_fd(context, key, none, ptr::null_mut(), None), 1);
        }
        sources.hand_over(Operation::submit(Some(sys::ASYNC_STATUS_OK)));
        Ok(())
    });
    let (client, server) = scene.begin().await;
    let operation = scene.operation().await;
    scene.until(|metrics| metrics.paused == 1).await;
    operation.call_back();
    let (client, server) = tokio::join!(client, server);
    drop((client.unwrap(), server.unwrap()));
    assert_eq!((scene.workers.metrics().callbacks, scene.workers.metrics().descriptors), (1, 0));
}
