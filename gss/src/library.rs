//! The functions and structures of the C library (RFC 2744; MIT Kerberos' `gssapi_ext.h`).

use std::{
    ffi::{c_char, c_int, c_void},
    ptr,
    sync::OnceLock,
};

use crate::GssError;

/// A handle that the library gives out: a name, a credential or a context.
pub(crate) type Handle = *mut c_void;

#[repr(C)]
pub(crate) struct Buffer {
    pub(crate) length: usize,
    pub(crate) value: *mut c_void,
}

#[repr(C)]
pub(crate) struct Oid {
    pub(crate) length: u32,
    pub(crate) elements: *const c_void,
}

#[repr(C)]
pub(crate) struct OidSet {
    pub(crate) count: usize,
    pub(crate) elements: *const Oid,
}

#[repr(C)]
pub(crate) struct IovBuffer {
    pub(crate) kind: u32,
    pub(crate) buffer: Buffer,
}

#[repr(C)]
pub(crate) struct ChannelBindings {
    pub(crate) initiator_kind: u32,
    pub(crate) initiator: Buffer,
    pub(crate) acceptor_kind: u32,
    pub(crate) acceptor: Buffer,
    pub(crate) application: Buffer,
}

#[repr(C)]
pub(crate) struct KeyValue {
    pub(crate) key: *const c_char,
    pub(crate) value: *const c_char,
}

#[repr(C)]
pub(crate) struct KeyValueSet {
    pub(crate) count: u32,
    pub(crate) elements: *const KeyValue,
}

impl Buffer {
    pub(crate) const EMPTY: Self = Self { length: 0, value: ptr::null_mut() };

    /// A buffer that the library only reads, and that must not outlive the bytes.
    pub(crate) fn over(bytes: &[u8]) -> Self {
        Self { length: bytes.len(), value: bytes.as_ptr().cast_mut().cast() }
    }

    /// The bytes that the library put into it.
    pub(crate) fn to_vec(&self) -> Vec<u8> {
        if self.value.is_null() {
            return Vec::new();
        }
        // SAFETY: the library filled in `length` bytes at `value`, and they stay until the buffer is released.
        unsafe { std::slice::from_raw_parts(self.value.cast::<u8>(), self.length) }.to_vec()
    }
}

impl Oid {
    pub(crate) const fn of(elements: &'static [u8]) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "ours have some ten bytes")]
        Self { length: elements.len() as u32, elements: elements.as_ptr().cast() }
    }
}

// SAFETY: these point at constant bytes only.
unsafe impl Sync for Oid {}

/// Declares the functions that are used, once for the structure and once for their loading.
macro_rules! functions {
    ($($name:ident: fn($($argument:ty),* $(,)?);)*) => {
        /// The library with its functions.
        #[derive(Debug)]
        pub(crate) struct Library {
            $(pub(crate) $name: unsafe extern "C" fn(*mut u32, $($argument),*) -> u32,)*
            // Dropped last, and never in fact: functions are only good while it is there.
            _kept: libloading::Library,
        }

        impl Library {
            fn find(library: libloading::Library) -> Result<Self, GssError> {
                $(
                    // SAFETY: the type is that of the function in `gssapi.h` and `gssapi_ext.h`.
                    let $name = *unsafe { library.get(concat!("gss_", stringify!($name)).as_bytes()) }
                        .map_err(|_| GssError::NoFunction(concat!("gss_", stringify!($name))))?;
                )*
                Ok(Self { $($name,)* _kept: library })
            }
        }
    };
}

functions! {
    import_name: fn(*const Buffer, *const Oid, *mut Handle);
    release_name: fn(*mut Handle);
    acquire_cred_from: fn(
        Handle, u32, *const OidSet, c_int, *const KeyValueSet, *mut Handle, *mut *mut OidSet, *mut u32,
    );
    set_neg_mechs: fn(Handle, *const OidSet);
    release_cred: fn(*mut Handle);
    init_sec_context: fn(
        Handle, *mut Handle, Handle, *const Oid, u32, u32, *const ChannelBindings, *const Buffer,
        *mut *const Oid, *mut Buffer, *mut u32, *mut u32,
    );
    delete_sec_context: fn(*mut Handle, *mut Buffer);
    wrap_iov: fn(Handle, c_int, u32, *mut c_int, *mut IovBuffer, c_int);
    release_iov_buffer: fn(*mut IovBuffer, c_int);
    unwrap: fn(Handle, *const Buffer, *mut Buffer, *mut c_int, *mut u32);
    release_buffer: fn(*mut Buffer);
    display_status: fn(u32, c_int, *const Oid, *mut u32, *mut Buffer);
}

impl Library {
    /// The library, loaded the first time.
    pub(crate) fn get() -> Result<&'static Self, GssError> {
        static LIBRARY: OnceLock<Library> = OnceLock::new();
        if let Some(library) = LIBRARY.get() {
            return Ok(library);
        }
        // SAFETY: loading runs the library's initializers, which are those of the system's own Kerberos.
        let loaded = unsafe { libloading::Library::new(NAME) };
        let loaded = loaded.map_err(|error| GssError::NoLibrary(error.to_string()))?;
        let found = Self::find(loaded)?;
        Ok(LIBRARY.get_or_init(|| found))
    }
}

/// MIT Kerberos. Heimdal's library has another name, and lays sealed messages out in another way.
const NAME: &str = "libgssapi_krb5.so.2";
