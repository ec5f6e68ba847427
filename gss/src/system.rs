//! Contexts of the system's library.

use std::{
    ffi::{CString, c_int},
    hash::{DefaultHasher, Hash, Hasher},
    ptr,
};

use crate::{
    GssError, Mechanism, Sealed, Source, Step,
    library::{Buffer, ChannelBindings, Handle, IovBuffer, KeyValue, KeyValueSet, Library, Oid, OidSet},
};

#[derive(Debug)]
pub(crate) struct Context {
    api: &'static Library,
    mechanism: Mechanism,
    credential: Handle,
    target: Handle,
    handle: Handle,
    binding: Option<Vec<u8>>,
    established: bool,
}

// SAFETY: the library lets any thread use a handle, as long as it is one at a time; all use is through `&mut`.
unsafe impl Send for Context {}

impl Context {
    pub(crate) fn new(
        mechanism: Mechanism,
        source: &Source,
        principal: Option<&str>,
        service: &str,
        binding: Option<&[u8]>,
    ) -> Result<Self, GssError> {
        let library = Library::get()?;
        // Complete from here on, so that dropping releases whatever there is by then.
        let mut context = Self {
            api: library,
            mechanism,
            credential: ptr::null_mut(),
            target: ptr::null_mut(),
            handle: ptr::null_mut(),
            binding: binding.map(<[u8]>::to_vec),
            established: false,
        };
        context.target = import(library, service, &HOST_BASED_SERVICE)?;
        context.credential = acquire(library, mechanism, source, principal)?;
        Ok(context)
    }

    pub(crate) fn step(&mut self, token: Option<&[u8]>) -> Result<Step, GssError> {
        let empty = || Buffer::EMPTY;
        let binding = self.binding.as_deref().map(|application| ChannelBindings {
            initiator_kind: 0,
            initiator: empty(),
            acceptor_kind: 0,
            acceptor: empty(),
            application: Buffer::over(application),
        });
        let binding = binding.as_ref().map_or(ptr::null(), ptr::from_ref);
        let input = token.map_or(Buffer::EMPTY, Buffer::over);
        let (mut minor, mut flags, mut time) = (0, 0, 0);
        let mut agreed: *const Oid = ptr::null();
        let mut output = Buffer::EMPTY;
        // SAFETY: all pointers are to values that live until after the call; the handles are ours.
        let major = unsafe {
            (self.api.init_sec_context)(
                &raw mut minor,
                self.credential,
                &raw mut self.handle,
                self.target,
                oid(self.mechanism),
                WANTED,
                0,
                binding,
                &raw const input,
                &raw mut agreed,
                &raw mut output,
                &raw mut flags,
                &raw mut time,
            )
        };
        let token = take(self.api, &mut output);
        check(self.api, "authenticating to the server", major, minor)?;
        if major & CONTINUE_NEEDED > 0 {
            return Ok(Step::Continue(token));
        }
        // SAFETY: the library gives out a pointer to an OID that is never freed, or null.
        let agreed = unsafe { agreed.as_ref() };
        if !agreed.is_some_and(|agreed| same(agreed, &KERBEROS)) {
            return Err(GssError::NotKerberos);
        }
        for (flag, name) in [
            (MUTUAL, "proof of who the server is"),
            (CONFIDENTIALITY, "encryption"),
            (INTEGRITY, "integrity"),
        ] {
            if flags & flag == 0 {
                return Err(GssError::NotProtected(name));
            }
        }
        self.established = true;
        Ok(Step::Established(Some(token).filter(|token| !token.is_empty())))
    }

    pub(crate) fn seal(&mut self, message: &[u8]) -> Result<Sealed, GssError> {
        if !self.established {
            return Err(GssError::NotEstablished);
        }
        let mut data = message.to_vec();
        let allocated = |kind| IovBuffer { kind: kind | ALLOCATE, buffer: Buffer::EMPTY };
        // Without a buffer for a trailer, the header takes it up, as Windows does it.
        let message = Buffer { length: data.len(), value: data.as_mut_ptr().cast() };
        let mut parts = [allocated(HEADER), IovBuffer { kind: DATA, buffer: message }, allocated(PADDING)];
        let (mut minor, mut encrypted) = (0, 0);
        // SAFETY: there are three parts, and the bytes of the second are ours to be changed in place.
        let major = unsafe {
            (self.api.wrap_iov)(
                &raw mut minor,
                self.handle,
                1,
                0,
                &raw mut encrypted,
                parts.as_mut_ptr(),
                PARTS,
            )
        };
        let header = parts[0].buffer.to_vec();
        let padding = parts[2].buffer.to_vec();
        let mut ignored = 0;
        // SAFETY: the parts are those of the call before; what the library allocated in them is freed here only.
        unsafe { (self.api.release_iov_buffer)(&raw mut ignored, parts.as_mut_ptr(), PARTS) };
        check(self.api, "sealing a message", major, minor)?;
        if encrypted == 0 {
            return Err(GssError::NotProtected("encryption"));
        }
        data.extend(padding);
        Ok(Sealed { header, data })
    }

    pub(crate) fn open(&mut self, sealed: &Sealed) -> Result<Vec<u8>, GssError> {
        if !self.established {
            return Err(GssError::NotEstablished);
        }
        // A header with the rotated trailer in it and the data behind it are one token of RFC 4121.
        let token = [sealed.header.as_slice(), sealed.data.as_slice()].concat();
        let (mut minor, mut encrypted, mut quality) = (0, 0, 0);
        let mut output = Buffer::EMPTY;
        let input = Buffer::over(&token);
        // SAFETY: all pointers are to values that live until after the call.
        let major = unsafe {
            (self.api.unwrap)(
                &raw mut minor,
                self.handle,
                &raw const input,
                &raw mut output,
                &raw mut encrypted,
                &raw mut quality,
            )
        };
        let message = take(self.api, &mut output);
        check(self.api, "opening a sealed message", major, minor)?;
        // Old, repeated or reordered ones are told apart by these bits, and are no errors of the library's.
        if major & SUPPLEMENTARY > 0 {
            return Err(GssError::NotProtected("order: a message was repeated or is missing"));
        }
        if encrypted == 0 {
            return Err(GssError::NotProtected("encryption"));
        }
        Ok(message)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: the handles are ours or null, and nothing uses them any more.
        unsafe { (self.api.delete_sec_context)(&raw mut minor, &raw mut self.handle, ptr::null_mut()) };
        // SAFETY: as above.
        unsafe { (self.api.release_cred)(&raw mut minor, &raw mut self.credential) };
        // SAFETY: as above.
        unsafe { (self.api.release_name)(&raw mut minor, &raw mut self.target) };
    }
}

fn import(library: &Library, name: &str, kind: &'static Oid) -> Result<Handle, GssError> {
    let (mut minor, mut handle) = (0, ptr::null_mut());
    let text = Buffer::over(name.as_bytes());
    // SAFETY: all pointers are to values that live until after the call.
    let major = unsafe { (library.import_name)(&raw mut minor, &raw const text, kind, &raw mut handle) };
    check(library, "reading a name", major, minor)?;
    Ok(handle)
}

fn acquire(
    library: &'static Library,
    mechanism: Mechanism,
    source: &Source,
    principal: Option<&str>,
) -> Result<Handle, GssError> {
    let store: Vec<(&std::ffi::CStr, CString)> = match source {
        Source::System => Vec::new(),
        Source::Cache(name) => vec![(c"ccache", c_string(name.as_bytes())?)],
        Source::Keytab(path) => {
            use std::os::unix::ffi::OsStrExt;
            // One cache for each keytab and principal, so that a new context finds the tickets of the one before.
            let mut hasher = DefaultHasher::new();
            (path, principal).hash(&mut hasher);
            let cache = format!("MEMORY:certwright-{:x}", hasher.finish());
            vec![
                (c"client_keytab", c_string(path.as_os_str().as_bytes())?),
                (c"ccache", c_string(cache.as_bytes())?),
            ]
        }
    };
    let elements: Vec<KeyValue> =
        store.iter().map(|(key, value)| KeyValue { key: key.as_ptr(), value: value.as_ptr() }).collect();
    #[expect(clippy::cast_possible_truncation, reason = "two at most")]
    let set = KeyValueSet { count: elements.len() as u32, elements: elements.as_ptr() };
    let set = if elements.is_empty() { ptr::null() } else { &raw const set };
    let mut name = match principal {
        Some(principal) => import(library, principal, &PRINCIPAL)?,
        None => ptr::null_mut(),
    };
    let mechanisms = OidSet { count: 1, elements: oid(mechanism) };
    let (mut minor, mut credential) = (0, ptr::null_mut());
    // SAFETY: all pointers are to values that live until after the call, or null where the library allows it.
    let major = unsafe {
        (library.acquire_cred_from)(
            &raw mut minor,
            name,
            INDEFINITE,
            &raw const mechanisms,
            INITIATE,
            set,
            &raw mut credential,
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    let checked = check(library, "finding a Kerberos ticket", major, minor);
    let mut ignored = 0;
    // SAFETY: the name is ours or null, and nothing uses it any more.
    unsafe { (library.release_name)(&raw mut ignored, &raw mut name) };
    checked?;
    if mechanism == Mechanism::Negotiate {
        let kerberos = OidSet { count: 1, elements: &raw const KERBEROS };
        // SAFETY: the credential is ours, and the set lives until after the call.
        let major = unsafe { (library.set_neg_mechs)(&raw mut minor, credential, &raw const kerberos) };
        if let Err(error) = check(library, "offering Kerberos only", major, minor) {
            // SAFETY: the credential is ours, and nothing uses it any more.
            unsafe { (library.release_cred)(&raw mut ignored, &raw mut credential) };
            return Err(error);
        }
    }
    Ok(credential)
}

fn c_string(bytes: &[u8]) -> Result<CString, GssError> {
    CString::new(bytes).map_err(|_| GssError::ZeroByte)
}

/// The bytes of a buffer that the library allocated, which is freed.
fn take(library: &Library, buffer: &mut Buffer) -> Vec<u8> {
    let bytes = buffer.to_vec();
    let mut minor = 0;
    // SAFETY: the buffer was filled by the library, or is empty; it is empty afterwards.
    unsafe { (library.release_buffer)(&raw mut minor, buffer) };
    bytes
}

/// An error of the library's, with its words for it: those of the mechanism, which are the telling ones, first.
fn check(library: &Library, operation: &'static str, major: u32, minor: u32) -> Result<(), GssError> {
    if major & ERRORS == 0 {
        return Ok(());
    }
    let mut words = status(library, minor, MECHANISM_CODE);
    words.extend(status(library, major, GSS_CODE));
    words.dedup();
    Err(GssError::Refused { operation, message: words.join("; ") })
}

fn status(library: &Library, code: u32, kind: c_int) -> Vec<String> {
    let (mut minor, mut more) = (0, 0);
    let mut words = Vec::new();
    while words.len() < MOST_MESSAGES {
        let mut text = Buffer::EMPTY;
        // SAFETY: all pointers are to values that live until after the call.
        let major = unsafe {
            (library.display_status)(
                &raw mut minor,
                code,
                kind,
                &raw const KERBEROS,
                &raw mut more,
                &raw mut text,
            )
        };
        let bytes = take(library, &mut text);
        if major & ERRORS > 0 {
            break;
        }
        words.push(String::from_utf8_lossy(&bytes).into_owned());
        if more == 0 {
            break;
        }
    }
    words
}

fn oid(mechanism: Mechanism) -> *const Oid {
    match mechanism {
        Mechanism::Kerberos => &raw const KERBEROS,
        Mechanism::Negotiate => &raw const SPNEGO,
    }
}

fn same(one: &Oid, other: &Oid) -> bool {
    let bytes = |oid: &Oid| {
        // SAFETY: an OID has `length` bytes at `elements`, and neither we nor the library free ours or its static ones.
        unsafe { std::slice::from_raw_parts(oid.elements.cast::<u8>(), oid.length as usize) }.to_vec()
    };
    bytes(one) == bytes(other)
}

/// 1.2.840.113554.1.2.2
static KERBEROS: Oid = Oid::of(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02]);
/// 1.3.6.1.5.5.2
static SPNEGO: Oid = Oid::of(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x02]);
/// 1.2.840.113554.1.2.1.4
static HOST_BASED_SERVICE: Oid = Oid::of(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x04]);
/// 1.2.840.113554.1.2.2.1
static PRINCIPAL: Oid = Oid::of(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01]);

const MUTUAL: u32 = 2;
const REPLAY: u32 = 4;
const SEQUENCE: u32 = 8;
const CONFIDENTIALITY: u32 = 16;
const INTEGRITY: u32 = 32;
/// No delegation: nothing needs to act for us elsewhere.
const WANTED: u32 = MUTUAL | REPLAY | SEQUENCE | CONFIDENTIALITY | INTEGRITY;

/// Calling and routine errors are in the upper half of a status; what remains is information.
const ERRORS: u32 = 0xffff_0000;
const CONTINUE_NEEDED: u32 = 1;
/// DUPLICATE_TOKEN, OLD_TOKEN, UNSEQ_TOKEN and GAP_TOKEN.
const SUPPLEMENTARY: u32 = 0b1_1110;

const DATA: u32 = 1;
const HEADER: u32 = 2;
const PADDING: u32 = 9;
const ALLOCATE: u32 = 0x0001_0000;
const PARTS: c_int = 3;

const INDEFINITE: u32 = u32::MAX;
const INITIATE: c_int = 1;
const GSS_CODE: c_int = 1;
const MECHANISM_CODE: c_int = 2;
const MOST_MESSAGES: usize = 8;
