//! Cmdlets, and what is known of the objects that they give.

use crate::model::client_names::ClientDirectory;

/// What a cmdlet gives.
#[derive(Debug)]
pub struct Kind {
    /// What it is of, and which cmdlet.
    pub of: CmdletKind,
    /// The cmdlet's name, or certwright's word where the printed script asks Windows itself.
    pub cmdlet: &'static str,
    /// Other names that files with its objects have.
    pub also: &'static [&'static str],
    /// The type of its objects, or one that they derive from.
    pub types: &'static [&'static str],
    /// The properties that are read.
    pub used: &'static [&'static str],
    /// Properties that say nothing about certificates, or nothing that another one does not say.
    pub ignored: &'static [&'static str],
}

/// Every cmdlet whose objects are read, by what they are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CmdletKind {
    /// The organization.
    Organization(OrganizationCmdlet),
    /// One server.
    Server(ServerCmdlet),
    /// The capture itself.
    Capture(CaptureRecord),
}

/// What the printed script writes about its own work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CaptureRecord {
    /// When and where it ran.
    Made,
    /// Which cmdlets came to their end without an error, and with how many objects.
    Answers,
}

/// Cmdlets about the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the cmdlet of its name")]
pub enum OrganizationCmdlet {
    ExchangeServer,
    AcceptedDomain,
    SendConnector,
    HybridConfiguration,
    AuthConfig,
    FederationTrust,
    EdgeSubscription,
    SettingOverride,
    TransportConfig,
}

/// Cmdlets about one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the cmdlet of its name, or what the printed script asks Windows")]
pub enum ServerCmdlet {
    ExchangeCertificate,
    ReceiveConnector,
    TransportService,
    InternalTransportCertificate,
    PopSettings,
    ImapSettings,
    UmService,
    UmCallRouterSettings,
    WebBinding,
    OperatingSystem,
    OnlineRoot,
    WebSettings,
    EdgePeers,
    WindowsService,
    OtherPrograms,
    Keyless,
    Authorities,
    Events,
    ClientDirectory(ClientDirectory),
}
