//! The references to an engine.

use std::collections::HashSet;
use std::ffi::{CStr, CString, c_char, c_int, c_long};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use libssl_async_sys as sys;
use openssl::error::ErrorStack;

use super::{Command, EngineError, Method};
use crate::libcrypto::{Origin, SharedObject};

/// A structural reference to an engine, and a functional one once it is initialised. They are given back in order.
pub(super) struct Handle {
    pub(super) engine: *mut sys::ENGINE,
    initialised: bool,
    defaults: Vec<Method>,
    _file: Option<InUse>,
}

// SAFETY: libcrypto guards the counts of references; what the engine does itself on other threads, libcrypto has it do on
// all of them, too.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Handle {
    /// The engine of this id: one that libcrypto knows, or the file of that name among its engines.
    pub(super) fn by_id(id: &str) -> Result<Self, EngineError> {
        initialise();
        let file = engines_folder().map(|folder| folder.join(id).with_extension("so"));
        if let Some(file) = file.filter(|file| file.exists()) {
            return Self::by_path(&file, None);
        }
        let not_found = || EngineError::NotFound(id.to_owned());
        let name = CString::new(id).map_err(|_| not_found())?;
        // SAFETY: the id is a string.
        let engine = unsafe { sys::ENGINE_by_id(name.as_ptr()) };
        let _ = ErrorStack::get();
        if engine.is_null() {
            return Err(not_found());
        }
        let handle = Self { engine, initialised: false, defaults: Vec::new(), _file: None };
        handle.check_origin()?;
        Ok(handle)
    }

    /// The engine in a file, or the one of those in it that has this id; refused before its code runs if its libcrypto is another one.
    pub(super) fn by_path(path: &Path, id: Option<&str>) -> Result<Self, EngineError> {
        initialise();
        let file = InUse::new(path)?;
        check_file(&file.0)?;
        let not_usable = |stack| EngineError::NotUsable { path: file.0.clone(), stack };
        let text = |bytes: &[u8]| CString::new(bytes).map_err(|_| not_usable(ErrorStack::get()));
        let (so_path, id) = (text(file.0.as_os_str().as_bytes())?, id.map(|id| text(id.as_bytes())).transpose()?);
        // SAFETY: the names and values are strings.
        let loaded = unsafe {
            let engine = sys::ENGINE_by_id(c"dynamic".as_ptr());
            let set = |name: &CStr, value| sys::ENGINE_ctrl_cmd_string(engine, name.as_ptr(), value, 0) == 1;
            let loaded = !engine.is_null()
                && set(c"SO_PATH", so_path.as_ptr())
                && id.is_none_or(|id| set(c"ID", id.as_ptr()))
                && set(c"LOAD", ptr::null());
            if !loaded {
                let stack = ErrorStack::get();
                sys::ENGINE_free(engine);
                return Err(not_usable(stack));
            }
            engine
        };
        Ok(Self { engine: loaded, initialised: false, defaults: Vec::new(), _file: Some(file) })
    }

    /// Corresponds to `ENGINE_init`.
    pub(super) fn initialise(&mut self) -> Result<(), EngineError> {
        // SAFETY: the engine is valid.
        self.initialised = unsafe { sys::ENGINE_init(self.engine) } == 1;
        if self.initialised {
            return Ok(());
        }
        Err(EngineError::Initialise { engine: self.id(), stack: ErrorStack::get() })
    }

    /// Makes the engine the default of the process. Corresponds to `ENGINE_set_default`.
    pub(super) fn serve(&mut self, method: Method) -> Result<(), EngineError> {
        // SAFETY: the engine is valid.
        if unsafe { sys::ENGINE_set_default(self.engine, method.flag()) } != 1 {
            return Err(EngineError::Method { engine: self.id(), method, stack: ErrorStack::get() });
        }
        self.defaults.push(method);
        Ok(())
    }

    pub(super) fn id(&self) -> String {
        // SAFETY: the engine is valid, and so is its id as long as it is.
        text(unsafe { sys::ENGINE_get_id(self.engine) })
    }

    pub(super) fn name(&self) -> String {
        // SAFETY: as above.
        text(unsafe { sys::ENGINE_get_name(self.engine) })
    }

    /// The engine's requests that are under way, if it tells: asymmetric ones, derivations of keys, ciphers.
    pub(super) fn in_flight(&self) -> Option<u64> {
        let command = self.find("GET_NUM_REQUESTS_IN_FLIGHT").ok()?;
        let mut sum = None;
        for kind in KINDS {
            // SAFETY: this command is known to return the address of a counter, which lives as long as the engine.
            if let Some(count) = unsafe { self.counter(&command, kind) } {
                sum = Some(sum.unwrap_or(0) + u64::try_from(count).unwrap_or(0));
            }
        }
        sum
    }

    /// Reads a counter whose address the engine tells.
    ///
    /// # Safety
    /// The command writes an `int *` to where its pointer leads.
    pub(super) unsafe fn counter(&self, command: &Command, which: c_long) -> Option<i32> {
        let mut address: *mut i32 = ptr::null_mut();
        // SAFETY: the caller's.
        if unsafe { self.send(command, which, (&raw mut address).cast()) }.is_err() || address.is_null() {
            return None;
        }
        // SAFETY: the engine changes it from any thread.
        Some(unsafe { AtomicI32::from_ptr(address) }.load(Ordering::Relaxed))
    }

    /// For an engine that others have loaded.
    fn check_origin(&self) -> Result<(), EngineError> {
        // SAFETY: the engine is valid.
        let functions = unsafe {
            let initialise = sys::ENGINE_get_init_function(self.engine).map(|function| function as *const _);
            initialise.or(sys::ENGINE_get_ctrl_function(self.engine).map(|function| function as *const _))
        };
        match functions.and_then(Origin::of) {
            Some(origin) if origin != Origin::of_libcrypto() => check_file(origin.path()),
            _ => Ok(()),
        }
    }
}

/// What `GET_NUM_REQUESTS_IN_FLIGHT` counts apart.
const KINDS: std::ops::RangeInclusive<c_long> = 1..=3;

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the engine is valid until the last of these; keys that have it hold references of their own.
        unsafe {
            for method in &self.defaults {
                method.unregister()(self.engine);
            }
            if self.initialised {
                sys::ENGINE_finish(self.engine);
            }
            sys::ENGINE_free(self.engine);
        }
        // Nobody asks why an engine does not like to end.
        let _ = ErrorStack::get();
    }
}

/// Has libcrypto know the engine that loads engines from files.
fn initialise() {
    crate::job::initialise();
    // SAFETY: no settings.
    unsafe { sys::OPENSSL_init_crypto(sys::OPENSSL_INIT_ENGINE_DYNAMIC, ptr::null()) };
}

fn check_file(path: &Path) -> Result<(), EngineError> {
    let load = |reason| EngineError::Load { path: path.to_owned(), reason };
    let object = SharedObject::load(path).map_err(load)?;
    let ours = Origin::of_libcrypto();
    let theirs = match object.uses_ours() {
        Ok(true) => return Ok(()),
        Ok(false) => object.origin_of_engine().unwrap_or_else(|| ours.clone()),
        Err(theirs) => theirs,
    };
    Err(EngineError::Libcrypto { path: path.to_owned(), theirs, ours })
}

/// Where libcrypto looks for engines.
fn engines_folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("OPENSSL_ENGINES") {
        return Some(folder.into());
    }
    // SAFETY: a constant string.
    let folder = text(unsafe { openssl_sys::OpenSSL_version(OPENSSL_ENGINES_DIR) });
    let folder = folder.strip_prefix("ENGINESDIR: \"")?.strip_suffix('"')?;
    Some(folder.into())
}

/// `OpenSSL_version`: where engines are.
const OPENSSL_ENGINES_DIR: c_int = 5;

fn text(string: *const c_char) -> String {
    if string.is_null() {
        return String::new();
    }
    // SAFETY: the callers pass strings.
    unsafe { CStr::from_ptr(string) }.to_string_lossy().into_owned()
}

/// A file whose engine is in use: bound a second time, it would overwrite its own state.
struct InUse(PathBuf);

impl InUse {
    fn new(path: &Path) -> Result<Self, EngineError> {
        let path =
            path.canonicalize().map_err(|error| EngineError::File { path: path.to_owned(), error: Arc::new(error) })?;
        if files_in_use().insert(path.clone()) { Ok(Self(path)) } else { Err(EngineError::AlreadyLoaded(path)) }
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        files_in_use().remove(&self.0);
    }
}

fn files_in_use() -> MutexGuard<'static, HashSet<PathBuf>> {
    static FILES: LazyLock<Mutex<HashSet<PathBuf>>> = LazyLock::new(Mutex::default);
    FILES.lock().unwrap_or_else(PoisonError::into_inner)
}
