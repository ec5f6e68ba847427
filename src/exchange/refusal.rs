//! What Exchange answers when it refuses, in its own words (facts 7.1, 8.3).

use crate::model::{
    names::{ConnectorName, DnsName, OverrideName, ServerName},
    service::Service,
    thumbprint::Thumbprint,
    version::Release,
};

/// A refusal of a certificate cmdlet. The texts are Exchange's; all begin as its remote calls do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{why}", prefix(server, why))]
pub struct Refusal {
    /// The server that refuses.
    pub server: ServerName,
    /// What it says.
    pub why: Why,
}

/// What a refusal says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The certificate is not there.
    #[error("The certificate with thumbprint {0} was not found.")]
    NotFound(Thumbprint),
    /// A certificate of this thumbprint is there, possibly without its key.
    #[error("Cannot import certificate. A certificate with the thumbprint {0} already exists.")]
    AlreadyExists(Thumbprint),
    /// The file or its password is wrong.
    #[error("The source data cannot be imported or the wrong password was specified.")]
    NotImportable,
    /// Enabling a certificate that lacks its key.
    #[error(
        "The certificate with thumbprint {0} was found but is not valid for use with Exchange Server (reason: PrivateKeyMissing)."
    )]
    PrivateKeyMissing(Thumbprint),
    /// Enabling a certificate whose key this version cannot use. The text's reason is lore, not captured.
    #[error(
        "The certificate with thumbprint {0} was found but is not valid for use with Exchange Server (reason: KeyAlgorithmUnsupported)."
    )]
    KeyAlgorithmUnsupported(Thumbprint),
    /// Completing a request that is not there. The text is certwright's: Exchange imports a certificate without key then.
    #[error("The server holds no request that the certificate with thumbprint {0} answers.")]
    NoRequest(Thumbprint),
    /// Exporting a key that may not leave.
    #[error(
        "The private key couldn't be exported as PKCS-12. It either couldn't be accessed or isn't exportable."
    )]
    NotExportable,
    /// Removing the internal transport certificate.
    #[error(
        "The internal transport certificate cannot be removed because that would cause the Microsoft Exchange Transport service to stop. To replace the internal transport certificate, create a new certificate. The new certificate will automatically become the internal transport certificate. You can then remove the existing certificate."
    )]
    IsInternalTransport,
    /// Removing a certificate that a send connector names.
    #[error(
        "These certificates are tagged with following Send Connectors : {names}. Removing and replacing certificates from Send Connector would break the mail flow. If you still want to proceed then replace or remove these certificates from Send Connector and then try this command.",
        names = .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    TaggedWithSendConnectors(Vec<ConnectorName>),
    /// The connector is not there.
    #[error("The connector \"{0}\" was not found.")]
    NoSuchConnector(ConnectorName),
    /// An effective date of the next Auth certificate that Exchange would ask about. The text is certwright's: Exchange's
    /// was not captured.
    #[error("The effective date of the new Auth certificate is less than 48 hours ahead.")]
    EffectiveTooSoon,
    /// Publishing without a certificate that is staged. The text is certwright's.
    #[error("There is no next Auth certificate to publish.")]
    NoNextAuthCertificate,
    /// An organization before Exchange 2013. The text is certwright's.
    #[error("The organization has no Auth configuration.")]
    NoAuthConfig,
    /// The setting override is not there. The text is certwright's.
    #[error("The setting override \"{0}\" was not found.")]
    NoSuchOverride(OverrideName),
    /// There is no hybrid configuration. The text is certwright's.
    #[error("The organization has no hybrid configuration.")]
    NoHybridConfiguration,
    /// The binding is not there.
    #[error("The site binding \"{0}\" was not found.")]
    NoSuchBinding(String),
    /// The server is not there.
    #[error("The server was not found.")]
    NoSuchServer,
    /// A service that this version does not have.
    #[error("The service {0} does not exist in {1}.")]
    NoSuchService(Service, Release),
    /// Unified Messaging starts in the mode TCP, in which it takes no certificate (facts 3.8). The text is certwright's.
    #[error("The certificate can't be enabled for {0} while its UMStartupMode is TCP.")]
    UmStartupModeTcp(Service),
    /// Enabling SMTP where a receive connector calls itself by what no host name can be (facts 3.10). It says no more.
    #[error(
        "The Exchange Certificate operation has failed with an exception.  The error message is: Unknown error (0xe0434352)"
    )]
    ConnectorFqdn(ConnectorName),
    /// Draining a server of before Exchange 2013, or an Edge server (facts 3.11). The text is certwright's.
    #[error("The server has no component HubTransport to drain.")]
    NoHubTransport,
    /// Handing messages to what is no other Mailbox server. The text is certwright's.
    #[error("Messages can't be redirected to {0}.")]
    NoRedirection(DnsName),
    /// The component is out of service already, and somebody else has put it there. The text is certwright's.
    #[error(
        "The component HubTransport is inactive or draining, and not by certwright: somebody has the server in maintenance, so it is left as it is; go on when that is over."
    )]
    InMaintenance,
    /// The cmdlet did not even reach the server.
    #[error(
        "The WinRM Shell client cannot process the request. The shell handle passed to the WSMan Shell function is not valid. (The site Exchange Back End has no certificate.)"
    )]
    ShellDown,
    /// A parameter that this version does not have.
    #[error("A parameter cannot be found that matches parameter name 'TlsCertificateName'.")]
    NoTlsCertificateName,
}

/// How a refusal begins, by whether the server itself or the way to it says no.
fn prefix(server: &ServerName, why: &Why) -> String {
    if *why == Why::ShellDown {
        format!("Processing data from remote server {server} failed with the following error message: ")
    } else {
        format!("A special Rpc error occurs on server {server}: ")
    }
}
