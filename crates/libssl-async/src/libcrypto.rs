//! Which libcrypto an engine or a provider of a file uses: one that uses another never sees our jobs.

use std::ffi::{CStr, CString, OsStr, c_ulong, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::{env, fmt, mem};

use libssl_async_sys as sys;

/// A shared object, kept loaded as long as this value lives.
pub(crate) struct SharedObject {
    handle: *mut c_void,
}

/// The file that an address is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    base: usize,
    path: PathBuf,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(formatter)
    }
}

impl Origin {
    /// Where libcrypto is that this program uses: a shared library, or the program that it is linked into.
    pub fn of_libcrypto() -> Self {
        Self::of(sys::ASYNC_get_current_job as *const c_void).expect("a function of this process is in a file")
    }

    /// The path of the file, as the dynamic linker has it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn of(address: *const c_void) -> Option<Self> {
        let mut information = mem::MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: any address may be asked for, and the name is a string as long as the file is loaded.
        unsafe {
            if libc::dladdr(address, information.as_mut_ptr()) == 0 {
                return None;
            }
            let information = information.assume_init();
            let path = PathBuf::from(OsStr::from_bytes(CStr::from_ptr(information.dli_fname).to_bytes()));
            // The program itself has the name that it was called by.
            let path = if path.is_absolute() { path } else { env::current_exe().unwrap_or(path) };
            Some(Self { base: information.dli_fbase as usize, path })
        }
    }
}

impl SharedObject {
    /// Loads a file as libcrypto will, and binds all of its symbols. The error is what the dynamic linker says.
    pub(crate) fn load(path: &Path) -> Result<Self, String> {
        let path = CString::new(path.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
        // SAFETY: the path is a string. The file's initialisers run: who names an engine wants its code to run.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        if handle.is_null() {
            // SAFETY: after a failure, on the same thread, it is a string.
            return Err(unsafe { CStr::from_ptr(libc::dlerror()) }.to_string_lossy().into_owned());
        }
        Ok(Self { handle })
    }

    /// Where the object itself is, if it has an engine.
    #[cfg(engine)]
    pub(crate) fn origin_of_engine(&self) -> Option<Origin> {
        // SAFETY: the handle and the name are valid.
        Origin::of(unsafe { libc::dlsym(self.handle, c"bind_engine".as_ptr()) })
    }

    /// Fails with the other one if a function of libcrypto's that this object calls is not our libcrypto's, or is but is
    /// meant to be that of another major version: the one of the libcrypto that it is linked with, whatever its name. Tells
    /// whether it calls any.
    pub(crate) fn uses_ours(&self) -> Result<bool, Origin> {
        let ours = Origin::of_libcrypto();
        let mut uses = false;
        if let Some((version, origin)) = self.linked_version()
            && version >> 28 != openssl::version::number() as c_ulong >> 28
        {
            return Err(origin);
        }
        for (name, address) in self.imports() {
            if PREFIXES.iter().any(|prefix| name.to_bytes().starts_with(prefix)) {
                match Origin::of(address) {
                    Some(origin) if origin.base != ours.base => return Err(origin),
                    origin => uses |= origin.is_some(),
                }
            }
        }
        Ok(uses)
    }

    /// The version of the libcrypto that is among the libraries of this object, and where that is.
    fn linked_version(&self) -> Option<(c_ulong, Origin)> {
        // SAFETY: the handle and the name are valid. Only the object and its libraries are looked into.
        let function = unsafe { libc::dlsym(self.handle, c"OpenSSL_version_num".as_ptr()) };
        let origin = Origin::of(function)?;
        // SAFETY: the function has this type since OpenSSL 1.1.0, and before it had another name.
        let version = unsafe { mem::transmute::<*mut c_void, unsafe extern "C" fn() -> c_ulong>(function)() };
        Some((version, origin))
    }
}

/// How functions of libcrypto's begin that an asynchronous engine or provider calls.
const PREFIXES: [&[u8]; 3] = [b"ASYNC_", b"CRYPTO_", b"ENGINE_"];

impl Drop for SharedObject {
    fn drop(&mut self) {
        // SAFETY: it was loaded once for this value.
        unsafe { libc::dlclose(self.handle) };
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
mod elf {
    use super::*;
    use std::ptr;

    /// `struct link_map`, as far as it is public.
    #[repr(C)]
    struct LinkMap {
        address: usize,
        name: *const libc::c_char,
        dynamic: *const Dynamic,
    }

    /// `Elf64_Dyn`
    #[repr(C)]
    struct Dynamic {
        tag: i64,
        value: usize,
    }

    /// `Elf64_Rela`
    #[repr(C)]
    struct Relocation {
        offset: usize,
        information: u64,
        addend: i64,
    }

    const DT_PLTRELSZ: i64 = 2;
    const DT_STRTAB: i64 = 5;
    const DT_SYMTAB: i64 = 6;
    const DT_RELA: i64 = 7;
    const DT_RELASZ: i64 = 8;
    const DT_JMPREL: i64 = 23;

    impl SharedObject {
        fn map(&self) -> Option<&LinkMap> {
            let mut map: *const LinkMap = ptr::null();
            // SAFETY: the handle is valid, and what is told lives as long as the object is loaded.
            unsafe {
                let told = libc::dlinfo(self.handle, libc::RTLD_DI_LINKMAP, (&raw mut map).cast());
                if told == 0 { map.as_ref() } else { None }
            }
        }

        /// The functions that the object calls by name, with the addresses that the dynamic linker has bound them to.
        pub(super) fn imports(&self) -> Vec<(&CStr, *const c_void)> {
            let mut imports = Vec::new();
            let Some(map) = self.map() else { return imports };
            // SAFETY: the object is loaded, and its tables are as the ELF specification has them.
            unsafe {
                let (strings, symbols) = (map.table(DT_STRTAB), map.table(DT_SYMTAB));
                for (table, size) in [(DT_RELA, DT_RELASZ), (DT_JMPREL, DT_PLTRELSZ)] {
                    let count = map.value(size).unwrap_or(0) / size_of::<Relocation>();
                    let (Some(relocations), Some(strings), Some(symbols)) = (map.table(table), strings, symbols) else {
                        continue;
                    };
                    for index in 0..count {
                        let relocation = &*(relocations as *const Relocation).add(index);
                        let symbol = (relocation.information >> 32) as usize;
                        if symbol != 0 {
                            let symbol = &*(symbols as *const libc::Elf64_Sym).add(symbol);
                            let name = CStr::from_ptr((strings + symbol.st_name as usize) as *const libc::c_char);
                            let slot = (map.address + relocation.offset) as *const *const c_void;
                            imports.push((name, slot.read_unaligned()));
                        }
                    }
                }
            }
            imports
        }
    }

    impl LinkMap {
        /// # Safety
        /// The object is loaded.
        unsafe fn value(&self, tag: i64) -> Option<usize> {
            let mut entry = self.dynamic;
            // SAFETY: the entries end with one whose tag is 0.
            unsafe {
                while (*entry).tag != 0 && (*entry).tag != tag {
                    entry = entry.add(1);
                }
                ((*entry).tag == tag).then(|| (*entry).value)
            }
        }

        /// The address of a table: some dynamic linkers leave the offset in the file there.
        ///
        /// # Safety
        /// The object is loaded.
        unsafe fn table(&self, tag: i64) -> Option<usize> {
            // SAFETY: the caller's.
            let value = unsafe { self.value(tag) }?;
            Some(if value < self.address { self.address + value } else { value })
        }
    }
}

/// Elsewhere the functions that matter most are looked up as the object's own dependencies have them.
#[cfg(not(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64")))]
impl SharedObject {
    fn imports(&self) -> Vec<(&CStr, *const c_void)> {
        let name = c"ASYNC_get_current_job";
        // SAFETY: the handle and the name are valid.
        let address = unsafe { libc::dlsym(self.handle, name.as_ptr()) };
        if address.is_null() { Vec::new() } else { vec![(name, address.cast_const())] }
    }
}
