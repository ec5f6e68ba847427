//! Which cmdlet each action is, and which parameters each version of Exchange takes, as data. The printed scripts show
//! these calls and the PowerShell driver makes them, so a plan, its script and its run cannot differ.
//!
//! A value may be something that only the caller has: the bytes of a PFX file, its password, the thumbprint of a
//! certificate that an earlier step makes. The script writes a variable in its place, the driver the value itself.

mod certificates;
mod drain;
mod of_action;
mod settings;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::model::{
    action::{CertRef, DefaultSmtp, StepId},
    names::ServerName,
    organization::Organization,
    server::UmStartupMode,
    service::Services,
    site::SiteBinding,
    time::Timestamp,
    version::Release,
};

pub use self::{
    certificates::{complete, create, enable, export, import, read, remove, request},
    drain::{read_hub_transport, read_queues, redirect_messages, set_hub_transport},
    of_action::{needs, of_action},
    settings::{
        Setting, clear_previous_auth, publish_auth, refresh_overrides, repoint, set_override,
        set_um_startup_mode, set_x509_certificate_name, stage_auth, synchronize_edge,
    },
};

/// One call of an action, with what its result is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What is called.
    pub operation: Operation,
    /// What its result is for.
    pub output: Output,
}

/// What an action does to Exchange, IIS or Windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A cmdlet of Exchange.
    Cmdlet(Cmdlet),
    /// `AddSslCertificate` on the one https binding of IIS that is exactly this one.
    BindSite {
        /// The server whose IIS it is.
        server: ServerName,
        /// The binding.
        site: SiteBinding,
        /// The certificate, of the computer's store `My`.
        certificate: CertRef,
    },
    /// `Stop-Service`, `Start-Service`, or `Restart-Service` of those that run.
    Services {
        /// The server.
        server: ServerName,
        /// What is done to them.
        control: ServiceControl,
        /// The Windows services, in this order.
        services: Vec<String>,
    },
    /// Calls that are made only while others keep something still: whatever becomes of them, what comes after is done.
    Around {
        /// What is done first.
        before: Vec<Call>,
        /// What is done meanwhile.
        during: Vec<Call>,
        /// What is done at the end, also when something before failed.
        after: Vec<Call>,
    },
    /// `Get-Queue`, again and again, until nothing waits there but what other servers keep too, or a while has passed.
    AwaitQueues {
        /// The server.
        server: ServerName,
    },
    /// `Restart-WebAppPool`.
    RecyclePools {
        /// The server.
        server: ServerName,
        /// The application pools, in this order.
        pools: Vec<String>,
    },
}

/// What is done to Windows services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceControl {
    /// They are stopped, with those that depend on them.
    Stop,
    /// They are started.
    Start,
    /// Those that run are restarted, with those that depend on them. Restarting one that is stopped would start it, and
    /// POP and IMAP are stopped until somebody wants them.
    RestartRunning,
}

/// A cmdlet of Exchange with its parameters, in the order in which they are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cmdlet {
    /// Its name.
    pub name: &'static str,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// The question that it asks.
    pub asks: Option<Question>,
}

/// A parameter of a cmdlet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, without the hyphen.
    pub name: &'static str,
    /// Its value.
    pub value: Value,
}

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A switch that is set.
    Switch,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Number(u32),
    /// A text.
    Text(String),
    /// A text that is always the same, and needs no quotes.
    Word(&'static str),
    /// A list of texts.
    Texts(Vec<String>),
    /// Nothing: what was there is cleared.
    Null,
    /// A moment in UTC.
    Moment(Timestamp),
    /// The present moment.
    Now,
    /// Services; without any it is `None`.
    Services(Services),
    /// A start-up mode of Unified Messaging.
    UmStartupMode(UmStartupMode),
    /// The thumbprint of a certificate.
    Thumbprint(CertRef),
    /// The `<I>issuer<S>subject` of a certificate, from its own texts on the server (facts 6.3).
    TlsCertificateName(CertRef),
    /// The bytes of a file.
    Bytes(Content),
    /// The path of a file, where a version takes no bytes.
    Path(Content),
    /// The password of a PFX file, as a `SecureString`.
    Password(Content),
    /// What a setting override has now, with this certificate as its `IMCertificateThumbprint` (facts 11.2).
    OverrideParameters(CertRef),
}

/// The content of a file that goes to a server or comes from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The file of this name: a CA's answer, or a backup that is written.
    File(String),
    /// The PFX file of the certificate that this step issued.
    Issued(StepId),
    /// What was just exported from a server.
    Exported,
    /// The backup that an earlier step made.
    Backup,
}

/// A question that a cmdlet asks before it acts (facts 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether the certificate becomes the default SMTP certificate. `-Confirm:$false` does not answer it, `-Force` says
    /// yes.
    DefaultSmtp(DefaultSmtp),
    /// Whether it is really meant. `-Confirm:$false` answers it.
    Confirm,
}

/// What the result of a call is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Nothing.
    None,
    /// Nothing, and there is so much of it that it is not shown.
    Discarded,
    /// The certificate that it stored. Later steps may name it by the step that made it.
    Certificate(CertRef),
    /// The request for a CA, for the file of this name.
    Request {
        /// The file.
        file: String,
    },
    /// The PFX file that the next call imports.
    Exported,
    /// A backup, for the file of this name. With its key it is a PFX file, else the certificate alone.
    Backup {
        /// The file.
        file: String,
        /// Whether the key is in it.
        with_key: bool,
    },
    /// The certificate whose issuer and subject the next call names.
    Names(CertRef),
    /// The setting override whose parameters the next call repeats.
    Override(CertRef),
}

/// What a way to a server has to be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Cmdlets of Exchange.
    ExchangeCmdlets,
    /// The bindings and application pools of IIS.
    Iis,
    /// The computer's certificate stores.
    CertificateStore,
    /// Windows services.
    Services,
    /// Files of the server, such as transport logs.
    Files,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::ExchangeCmdlets, Self::Iis, Self::CertificateStore, Self::Services, Self::Files];
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ExchangeCmdlets => "cmdlets of Exchange",
            Self::Iis => "IIS",
            Self::CertificateStore => "the certificate store",
            Self::Services => "Windows services",
            Self::Files => "files",
        })
    }
}

/// A server, as far as it decides how its cmdlets are called.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The server.
    pub server: &'a ServerName,
    /// What it runs, where that is known. Without it, it counts as one of the present versions.
    pub release: Option<Release>,
    /// Whether it is an Edge Transport server, which answers to nobody but itself (facts 10).
    pub edge: bool,
    /// Whether its Default Web Site is known to require SSL.
    pub requires_ssl: bool,
}

impl<'a> Target<'a> {
    /// A server of an organization.
    pub fn of(organization: &Organization, server: &'a ServerName) -> Self {
        let known = organization.servers.get(server);
        Self {
            server,
            release: known.and_then(|server| Some(server.version.known()?.release())),
            edge: known.is_some_and(crate::model::server::Server::is_edge),
            requires_ssl: known.is_some_and(|server| server.web.known().is_some_and(|web| web.require_ssl)),
        }
    }

    /// Whether its cmdlets have to be run on the server itself: those of Exchange 2007 and of Edge servers work on their own
    /// machine only.
    pub fn is_local_only(self) -> bool {
        self.edge || self.release.is_some_and(|release| !release.has_remote_cmdlets())
    }
}

impl Cmdlet {
    /// The cmdlet as nobody is there to answer it: with `-Confirm:$false`, and with `-Force` where the answer about the
    /// default SMTP certificate is yes. Where that answer is no, only a host can give it.
    #[must_use]
    pub fn unattended(mut self) -> Self {
        match self.asks {
            Some(Question::DefaultSmtp(DefaultSmtp::Replace)) => self = self.switch("Force"),
            Some(Question::DefaultSmtp(DefaultSmtp::Keep) | Question::Confirm) | None => {}
        }
        self.with("Confirm", Value::Boolean(false))
    }

    /// The value of a parameter, when it has one of that name.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.parameters.iter().find(|parameter| parameter.name == name).map(|parameter| &parameter.value)
    }

    fn new(name: &'static str) -> Self {
        Self { name, parameters: Vec::new(), asks: None }
    }

    /// `-Server`, where the cmdlets of the server can be called from another one.
    fn on(self, target: Target<'_>) -> Self {
        if target.is_local_only() { self } else { self.text("Server", target.server.as_str()) }
    }

    fn with(mut self, name: &'static str, value: Value) -> Self {
        self.parameters.push(Parameter { name, value });
        self
    }

    fn switch(self, name: &'static str) -> Self {
        self.with(name, Value::Switch)
    }

    fn text(self, name: &'static str, text: &str) -> Self {
        self.with(name, Value::Text(text.into()))
    }

    fn asking(mut self, question: Question) -> Self {
        self.asks = Some(question);
        self
    }
}

impl From<Cmdlet> for Operation {
    fn from(cmdlet: Cmdlet) -> Self {
        Self::Cmdlet(cmdlet)
    }
}
