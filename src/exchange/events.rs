//! What transport writes into the Application log about certificates, in Exchange's own words (facts 5.6).

use crate::model::{names::DnsName, thumbprint::Thumbprint};

/// An event about a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// 12012: the internal transport certificate cannot be read from the directory.
    NoInternalTransport,
    /// 12013: it is not in the store.
    InternalTransportNotInStore(Thumbprint),
    /// 12014: no certificate for STARTTLS. What was looked for: a name, or a whole `<I>..<S>..`.
    NoStarttlsCertificate(String),
    /// 12015: the internal transport certificate is expired; it is used all the same.
    InternalTransportExpired(Thumbprint),
    /// 12016: the STARTTLS certificate is expired; it is used all the same. What was looked for.
    StarttlsExpired(String),
}

impl Event {
    /// The event's number.
    pub const fn id(&self) -> u16 {
        match self {
            Self::NoInternalTransport => 12012,
            Self::InternalTransportNotInStore(_) => 12013,
            Self::NoStarttlsCertificate(_) => 12014,
            Self::InternalTransportExpired(_) => 12015,
            Self::StarttlsExpired(_) => 12016,
        }
    }

    /// The event's text, for the connector that it is about. Where the whole text was not captured, its documented
    /// beginning.
    pub fn text(&self, connector: &str, fqdn: Option<&DnsName>) -> String {
        match self {
            Self::NoInternalTransport => {
                "The internal transport certificate could not be read from the directory.".into()
            }
            Self::InternalTransportNotInStore(thumbprint) => format!(
                "Microsoft Exchange could not load the certificate with thumbprint of {thumbprint} from the personal \
                 store on the local computer. This certificate was configured for authentication with other Exchange \
                 servers. Mail flow to other Exchange servers could be affected by this error. If the certificate with \
                 this thumbprint still exists in the personal store, run Enable-ExchangeCertificate {thumbprint} \
                 -Services SMTP to resolve the issue."
            ),
            Self::NoStarttlsCertificate(wanted) => {
                let fqdn = fqdn.map_or(String::new(), ToString::to_string);
                format!(
                    "Microsoft Exchange could not find a certificate that contains the domain name {wanted} in the \
                     personal store on the local computer. Therefore, it is unable to support the STARTTLS SMTP verb for \
                     the connector {connector} with a FQDN parameter of {fqdn}. If the connector's FQDN is not \
                     specified, the computer's FQDN is used. Verify the connector configuration and the installed \
                     certificates to make sure that there is a certificate with a domain name for that FQDN. If this \
                     certificate exists, run Enable-ExchangeCertificate -Services SMTP to make sure that the Microsoft \
                     Exchange Transport service has access to the certificate key."
                )
            }
            Self::InternalTransportExpired(thumbprint) => {
                format!("An internal transport certificate expired. Thumbprint:{thumbprint}")
            }
            Self::StarttlsExpired(wanted) => format!(
                "There is no valid SMTP Transport Layer Security (TLS) certificate for the FQDN of {wanted}. The \
                 existing certificate for that FQDN has expired."
            ),
        }
    }
}

/// What a message waits with in the queue of a send connector whose certificate is not there (facts 5.4).
pub const SEND_CONNECTOR_WITHOUT_CERTIFICATE: &str =
    "454 4.7.5 The certificate specified in TlsCertificateName of the SendConnector could not be found.";
