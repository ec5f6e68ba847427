//! Access lists. A file gets its list when it is made: `CreateFileW` and `CreateDirectoryW` take it, which the standard
//! library cannot hand over.

use std::{
    ffi::c_void,
    fs::{File, OpenOptions},
    io,
    os::windows::{
        ffi::OsStrExt,
        fs::OpenOptionsExt,
        io::{FromRawHandle, RawHandle},
    },
    path::{Component, Path, Prefix},
    ptr,
};

use windows_sys::Win32::{
    Foundation::{
        ERROR_ACCESS_DENIED, ERROR_FILE_NOT_FOUND, ERROR_LOCK_VIOLATION, ERROR_PATH_NOT_FOUND,
        ERROR_SHARING_VIOLATION, GENERIC_READ, GENERIC_WRITE, INVALID_HANDLE_VALUE, LocalFree,
    },
    Security::{
        Authorization::{
            ConvertSecurityDescriptorToStringSecurityDescriptorW,
            ConvertStringSecurityDescriptorToSecurityDescriptorW, GetNamedSecurityInfoW, SDDL_REVISION_1,
            SE_FILE_OBJECT,
        },
        DACL_SECURITY_INFORMATION, OWNER_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES,
    },
    Storage::FileSystem::{
        CREATE_NEW, CreateDirectoryW, CreateFileW, FILE_ATTRIBUTE_NORMAL, FILE_CREATION_DISPOSITION,
        FILE_SHARE_DELETE, FILE_SHARE_MODE, FILE_SHARE_READ, FILE_SHARE_WRITE, OPEN_ALWAYS,
    },
};

use crate::sddl;

pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    open_file(path, &Descriptor::of_text(sddl::OWNERS_FILE)?, CREATE_NEW, EVERYBODY)
}

pub(crate) fn open(path: &Path) -> io::Result<File> {
    open_file(path, &Descriptor::of_text(sddl::OWNERS_FILE)?, OPEN_ALWAYS, EVERYBODY)
}

/// Windows' locks keep readers out too, so it is not shared with other writers instead. Nobody can remove or rename it
/// meanwhile.
pub(crate) fn create_new_for_one_writer(path: &Path) -> io::Result<Option<File>> {
    let descriptor = Descriptor::of_text(sddl::OWNERS_FILE)?;
    one_writer(open_file(path, &descriptor, CREATE_NEW, FILE_SHARE_READ))
}

pub(crate) fn open_for_one_writer(path: &Path) -> io::Result<Option<File>> {
    one_writer(OpenOptions::new().read(true).write(true).share_mode(FILE_SHARE_READ).open(path))
}

fn one_writer(opened: io::Result<File>) -> io::Result<Option<File>> {
    match opened {
        Err(error) if is_error(&error, ERROR_SHARING_VIOLATION) => Ok(None),
        opened => opened.map(Some),
    }
}

/// The owner is not given away: that takes a privilege which administrators have to ask for, and an access list names whom
/// it means.
pub(crate) fn create_new_like(path: &Path, like: &Path) -> io::Result<File> {
    let descriptor = match Descriptor::of_file(like, DACL_SECURITY_INFORMATION) {
        Err(error) if is_error(&error, ERROR_FILE_NOT_FOUND) || is_error(&error, ERROR_PATH_NOT_FOUND) => {
            return create_new(path);
        }
        descriptor => descriptor?,
    };
    open_file(path, &descriptor, CREATE_NEW, EVERYBODY)
}

pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    let path = wide(path)?;
    let descriptor = Descriptor::of_text(sddl::OWNERS_DIRECTORY)?;
    let attributes = descriptor.attributes();
    // SAFETY: `path` ends with a zero, and `attributes` points to a descriptor that lives until the call is over.
    let made = unsafe { CreateDirectoryW(path.as_ptr(), &raw const attributes) };
    if made == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

pub(crate) fn others_can_read(path: &Path) -> io::Result<bool> {
    let descriptor = Descriptor::of_file(path, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION)?;
    Ok(sddl::others_can_read(&descriptor.text()?))
}

/// Windows says "access denied" for a file that is to be replaced and is open.
pub(crate) fn is_in_use(error: &io::Error) -> bool {
    [ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION, ERROR_ACCESS_DENIED]
        .iter()
        .any(|code| is_error(error, *code))
}

fn is_error(error: &io::Error, code: u32) -> bool {
    error.raw_os_error().is_some_and(|raw| u32::try_from(raw) == Ok(code))
}

fn open_file(
    path: &Path,
    descriptor: &Descriptor,
    disposition: FILE_CREATION_DISPOSITION,
    share: FILE_SHARE_MODE,
) -> io::Result<File> {
    let path = wide(path)?;
    let attributes = descriptor.attributes();
    // SAFETY: `path` ends with a zero, and `attributes` points to a descriptor that lives until the call is over.
    let handle = unsafe {
        CreateFileW(
            path.as_ptr(),
            GENERIC_READ | GENERIC_WRITE,
            share,
            &raw const attributes,
            disposition,
            FILE_ATTRIBUTE_NORMAL,
            ptr::null_mut(),
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is that of a file, it is open, and nobody else has it.
    Ok(unsafe { File::from_raw_handle(handle as RawHandle) })
}

/// A security descriptor that the system has made.
struct Descriptor(PSECURITY_DESCRIPTOR);

impl Descriptor {
    fn of_text(text: &str) -> io::Result<Self> {
        let text: Vec<u16> = text.encode_utf16().chain([0]).collect();
        let mut made: PSECURITY_DESCRIPTOR = ptr::null_mut();
        // SAFETY: `text` ends with a zero, and `made` takes a pointer; nobody wants the size.
        let good = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut made,
                ptr::null_mut(),
            )
        };
        if good == 0 { Err(io::Error::last_os_error()) } else { Ok(Self(made)) }
    }

    fn of_file(path: &Path, parts: u32) -> io::Result<Self> {
        let path = wide(path)?;
        let mut found: PSECURITY_DESCRIPTOR = ptr::null_mut();
        // SAFETY: `path` ends with a zero, `found` takes a pointer, and of its parts none is wanted by itself.
        let code = unsafe {
            GetNamedSecurityInfoW(
                path.as_ptr(),
                SE_FILE_OBJECT,
                parts,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
                &raw mut found,
            )
        };
        match i32::try_from(code) {
            Ok(0) => Ok(Self(found)),
            Ok(code) => Err(io::Error::from_raw_os_error(code)),
            Err(_) => Err(io::Error::other(format!("the access list cannot be read: error {code}"))),
        }
    }

    fn text(&self) -> io::Result<String> {
        let (mut text, mut length): (*mut u16, u32) = (ptr::null_mut(), 0);
        // SAFETY: the descriptor is one that the system made, and `text` and `length` take what is returned.
        let good = unsafe {
            ConvertSecurityDescriptorToStringSecurityDescriptorW(
                self.0,
                SDDL_REVISION_1,
                OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                &raw mut text,
                &raw mut length,
            )
        };
        if good == 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the system returned so many units from this place on, and they are not freed before they are copied.
        let units = unsafe { std::slice::from_raw_parts(text, length as usize) };
        let copy = String::from_utf16_lossy(units);
        free(text.cast());
        // The length counts the zero at the end.
        Ok(copy.trim_end_matches('\0').to_owned())
    }

    fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).unwrap_or(u32::MAX),
            lpSecurityDescriptor: self.0,
            bInheritHandle: 0,
        }
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        free(self.0);
    }
}

/// Gives memory back that a function of this file was given.
fn free(memory: *mut c_void) {
    // SAFETY: the functions above return memory of `LocalAlloc`, and each pointer is freed once.
    unsafe { LocalFree(memory) };
}

/// A path as Windows takes it: absolute, with a zero at the end, and with the prefix that lets it be longer than 260
/// characters when it is.
fn wide(path: &Path) -> io::Result<Vec<u16>> {
    let path = std::path::absolute(path)?;
    let units: Vec<u16> = path.as_os_str().encode_wide().collect();
    if units.contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a path cannot hold a zero"));
    }
    let prefix = match path.components().next() {
        Some(Component::Prefix(prefix)) if units.len() >= LONG => match prefix.kind() {
            Prefix::Disk(_) => Some((r"\\?\", 0)),
            // `\\server\share` becomes `\\?\UNC\server\share`.
            Prefix::UNC(..) => Some((r"\\?\UNC\", 2)),
            _ => None,
        },
        _ => None,
    };
    let (start, skipped) = prefix.unwrap_or_default();
    Ok(start.encode_utf16().chain(units.into_iter().skip(skipped)).chain([0]).collect())
}

const EVERYBODY: FILE_SHARE_MODE = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
/// A directory may have 248 characters, so that a short name has room in it.
const LONG: usize = 248;
