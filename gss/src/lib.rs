//! The client's side of Kerberos through the GSS-API that the system has (RFC 2743, RFC 2744, RFC 4121, RFC 4178), and
//! nothing else of it: a credential, a security context, and messages that are sealed as Windows wants them.
//!
//! # Why this is a crate
//!
//! certwright forbids `unsafe` code, and a C library cannot be called without it; so all of it is here, in one small
//! crate with a safe interface. The library is loaded when Kerberos is first asked for: certwright builds without
//! Kerberos' headers and starts without its library.
//!
//! What else was looked at: `libgssapi` makes its bindings with bindgen, and so needs the headers and libclang to
//! build; `sspi` is Kerberos in Rust, but brings more than 200 crates, and would not use the system's `krb5.conf`,
//! caches and keytabs as everything else on the machine does.

use std::path::PathBuf;

#[cfg(all(unix, not(target_vendor = "apple")))]
mod library;
#[cfg(all(unix, not(target_vendor = "apple")))]
mod system;
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
mod unavailable;

#[cfg(all(unix, not(target_vendor = "apple")))]
use system as backend;
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
use unavailable as backend;

/// Which mechanism tokens are in. Both are Kerberos 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// Kerberos 5 by itself (RFC 4121).
    Kerberos,
    /// SPNEGO (RFC 4178), which is offered Kerberos 5 only.
    Negotiate,
}

/// Where tickets come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// Where the system looks: `KRB5CCNAME`, `KRB5_CLIENT_KTNAME`, `krb5.conf`.
    #[default]
    System,
    /// The cache of this name, like `FILE:/tmp/krb5cc_1000`.
    Cache(String),
    /// This keytab. Tickets are kept in memory only.
    Keytab(PathBuf),
}

/// Why something went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GssError {
    /// The system has no library for it.
    #[error(
        "this system has no GSS-API library for Kerberos ({0}); on Debian the package is libgssapi-krb5-2"
    )]
    NoLibrary(String),
    /// The library is too old.
    #[error("the system's GSS-API library lacks `{0}`; MIT Kerberos 1.11 has it")]
    NoFunction(&'static str),
    /// The library refuses.
    #[error("{operation}: {message}")]
    Refused {
        /// What was attempted.
        operation: &'static str,
        /// What the library says, in its language.
        message: String,
    },
    /// A name that no C string can be.
    #[error("a name holds a zero byte")]
    ZeroByte,
    /// The server agreed on something else than Kerberos.
    #[error("the server wants another mechanism than Kerberos")]
    NotKerberos,
    /// The context does not protect what it should.
    #[error("Kerberos gives no {0} here")]
    NotProtected(&'static str),
    /// The context was used before it was established.
    #[error("the security context is not established")]
    NotEstablished,
}

/// A message that is sealed: encrypted, and protected against change, replay and reordering.
#[derive(Debug, PartialEq, Eq)]
pub struct Sealed {
    /// What Windows calls the signature.
    pub header: Vec<u8>,
    /// The encrypted message.
    pub data: Vec<u8>,
}

/// What is to be done after a token of the server.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this token, and come back with the server's.
    Continue(Vec<u8>),
    /// The context is established; send this token, if there is one.
    Established(Option<Vec<u8>>),
}

/// A security context, from its first token to the last sealed message.
#[derive(Debug)]
pub struct Context(backend::Context);

impl Context {
    /// Begins a context with the service of this host-based name, like `HTTP@ex01.contoso.com`. Tickets are those of
    /// `principal`, or of whoever the source is for. `binding` ties the context to a TLS channel (RFC 5929), as in
    /// `tls-server-end-point:…`.
    pub fn new(
        mechanism: Mechanism,
        source: &Source,
        principal: Option<&str>,
        service: &str,
        binding: Option<&[u8]>,
    ) -> Result<Self, GssError> {
        backend::Context::new(mechanism, source, principal, service, binding).map(Self)
    }

    /// Takes the server's token, or none at the beginning.
    pub fn step(&mut self, token: Option<&[u8]>) -> Result<Step, GssError> {
        self.0.step(token)
    }

    /// Seals a message.
    pub fn seal(&mut self, message: &[u8]) -> Result<Sealed, GssError> {
        self.0.seal(message)
    }

    /// Opens a sealed message of the server.
    pub fn open(&mut self, sealed: &Sealed) -> Result<Vec<u8>, GssError> {
        self.0.open(sealed)
    }
}
