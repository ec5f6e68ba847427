//! PowerShell on another machine, without PowerShell on this one: cmdlets to `/PowerShell/` of an Exchange server, over
//! WS-Management and PSRP. The protocols themselves are in [`wire`](crate::wire); here is what touches the world: one
//! connection, TLS, Kerberos, random numbers, the clock.
//!
//! ```no_run
//! use std::time::Duration;
//! use certwright::remoting::{
//!     Argument, Command, Credentials, Deadline, Endpoint, HostPolicy, Limits, PsrpSession, Tickets, Trust,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let endpoint = Endpoint::new("http://ex01.contoso.com/PowerShell/?serializationLevel=Full", Trust::System)?;
//! let deadline = Deadline::after(Duration::from_secs(60));
//! let credentials = Credentials::Kerberos(Tickets::default());
//! let mut session = PsrpSession::open(&endpoint, credentials, Limits::default(), deadline)?;
//! let command = Command::new("Get-ExchangeCertificate")?.with("Server", Argument::Text("EX01".into()))?;
//! let output = session.invoke(&command, HostPolicy::Nobody, Deadline::after(Duration::from_secs(120)))?;
//! for certificate in &output.objects {
//!     println!("{:?}", certificate.get(&certificate.roots()[0], "Thumbprint"));
//! }
//! session.close();
//! # Ok(())
//! # }
//! ```
//!
//! # What a caller has to know
//!
//! - **An `Ok` is not a success.** Cmdlets fail in [`Output::end`] and in [`Output::errors`]; an `Err` means that the
//!   conversation failed. [`ErrorRecord::refusal`] tells what PowerShell itself refused.
//! - **[`RemotingError::OutcomeUnknown`]** says that the cmdlet may have run: observe before anything else, and never
//!   simply try again. Any other error of [`PsrpSession::invoke`] means that it has not.
//! - **After an `Err` the session is over.** Open another one. Dropping a session deletes its shell, as far as that goes
//!   within a few seconds, for servers count shells per user.
//! - **Nobody answers.** A cmdlet that wants to ask fails, and has done nothing. With [`HostPolicy::AnswerNo`], for one
//!   call, every yes-or-no question is answered *No*.
//! - **Commands only.** There is no way to send script text.
//!
//! # What is refused
//!
//! Basic over plain HTTP, plain HTTP without sealed messages, TLS to a server that is not trusted, `Negotiate` over
//! plain HTTP, NTLM everywhere. No setting changes that.

#![expect(clippy::disallowed_methods, reason = "this is where network, clock and randomness are")]

mod authentication;
mod channel;
mod connection;
mod deadline;
mod endpoint;
mod error;
mod output;
mod post;
mod proxy;
mod session;
mod session_key;
mod tls;

pub use certwright_gssapi::{GssError, Source as TicketSource};

pub use self::{
    deadline::Deadline,
    endpoint::{Credentials, Endpoint, Limits, Tickets, Trust},
    error::{ProtocolError, RemotingError},
    output::{End, Output},
    post::post,
    proxy::{Proxy, ProxyError},
    session::{HostPolicy, PsrpSession},
};
pub use crate::wire::psrp::{Argument, Command, ErrorRecord, Refusal};
