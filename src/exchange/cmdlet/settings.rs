//! The cmdlets of settings that name a certificate (facts 4.4, 6, 11.1).

use super::{Cmdlet, Target, Value};
use crate::model::{
    action::{CertRef, ConnectorRef, TlsName},
    names::{DnsName, OverrideName, ServerName},
    server::UmStartupMode,
    service::MailService,
    time::Timestamp,
};

/// A property that names a certificate, with the cmdlet that sets it and the one that shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Sets it.
    pub set: Cmdlet,
    /// Shows it.
    pub read: Cmdlet,
    /// The property.
    pub property: &'static str,
}

/// `Set-PopSettings` or `Set-ImapSettings -X509CertificateName`.
pub fn set_x509_certificate_name(
    target: Target<'_>,
    service: MailService,
    name: Option<&DnsName>,
) -> Setting {
    let (set, read) = match service {
        MailService::Pop => ("Set-PopSettings", "Get-PopSettings"),
        MailService::Imap => ("Set-ImapSettings", "Get-ImapSettings"),
    };
    let property = "X509CertificateName";
    let name = name.map_or(Value::Null, |name| Value::Text(name.to_string()));
    let set = Cmdlet::new(set).on(target).with(property, name);
    Setting { set, read: Cmdlet::new(read).on(target), property }
}

/// `Set-UMService` or `Set-UMCallRouterSettings -UMStartupMode`. The first was `Set-UMServer` until the roles of Exchange
/// 2013.
pub fn set_um_startup_mode(target: Target<'_>, call_router: bool, mode: UmStartupMode) -> Setting {
    let old = target.release.is_some_and(|release| !release.has_back_end());
    let (set, read, which) = match (call_router, old) {
        (true, _) => ("Set-UMCallRouterSettings", "Get-UMCallRouterSettings", "Server"),
        (false, true) => ("Set-UMServer", "Get-UMServer", "Identity"),
        (false, false) => ("Set-UMService", "Get-UMService", "Identity"),
    };
    let property = "UMStartupMode";
    let of = |cmdlet| Cmdlet::new(cmdlet).text(which, target.server.as_str());
    Setting { set: of(set).with(property, Value::UmStartupMode(mode)), read: of(read), property }
}

/// `Set-SendConnector`, `Set-ReceiveConnector` or `Set-HybridConfiguration -TlsCertificateName`.
pub fn repoint(connector: &ConnectorRef, to: Option<&TlsName>) -> Setting {
    let (set, read) = match connector {
        ConnectorRef::Send { name } => {
            let of = |cmdlet| Cmdlet::new(cmdlet).text("Identity", name.as_str());
            (of("Set-SendConnector"), of("Get-SendConnector"))
        }
        ConnectorRef::Receive { server, name } => {
            let identity = format!("{server}\\{name}");
            let of = |cmdlet| Cmdlet::new(cmdlet).text("Identity", &identity);
            (of("Set-ReceiveConnector"), of("Get-ReceiveConnector"))
        }
        ConnectorRef::Hybrid {} => {
            (Cmdlet::new("Set-HybridConfiguration"), Cmdlet::new("Get-HybridConfiguration"))
        }
    };
    let name = match to {
        None => Value::Null,
        Some(TlsName::Exactly(name)) => Value::Text(name.to_string()),
        Some(TlsName::Of(certificate)) => Value::TlsCertificateName(*certificate),
    };
    let property = "TlsCertificateName";
    Setting { set: set.with(property, name), read, property }
}

/// `Start-EdgeSynchronization` on a Mailbox server of the subscribed site: it returns when the Edge server has what was set
/// (facts 10.1).
pub fn synchronize_edge(server: &ServerName) -> Cmdlet {
    Cmdlet::new("Start-EdgeSynchronization").text("Server", server.as_str())
}

/// `Set-AuthConfig` with the next certificate. From now on it takes `-Force` (facts 4.4).
pub fn stage_auth(certificate: CertRef, effective: Option<Timestamp>) -> Cmdlet {
    let cmdlet =
        Cmdlet::new("Set-AuthConfig").with("NewCertificateThumbprint", Value::Thumbprint(certificate));
    match effective {
        Some(at) => cmdlet.with("NewCertificateEffectiveDate", Value::Moment(at)),
        None => cmdlet.with("NewCertificateEffectiveDate", Value::Now).switch("Force"),
    }
}

/// `Set-AuthConfig -PublishCertificate`.
pub fn publish_auth() -> Cmdlet {
    Cmdlet::new("Set-AuthConfig").switch("PublishCertificate")
}

/// `Set-AuthConfig -ClearPreviousCertificate`.
pub fn clear_previous_auth() -> Cmdlet {
    Cmdlet::new("Set-AuthConfig").switch("ClearPreviousCertificate")
}

/// `Get-SettingOverride`, whose parameters the change repeats, and `Set-SettingOverride`, which takes all of them at once.
pub fn set_override(name: &OverrideName, certificate: CertRef) -> (Cmdlet, Cmdlet) {
    let read = Cmdlet::new("Get-SettingOverride").text("Identity", name.as_str());
    let set = Cmdlet::new("Set-SettingOverride")
        .text("Identity", name.as_str())
        .with("Parameters", Value::OverrideParameters(certificate))
        .text("Reason", "The certificate of IIS was renewed");
    (read, set)
}

/// `Get-ExchangeDiagnosticInfo -Argument Refresh`: the server reads setting overrides anew.
pub fn refresh_overrides(server: &ServerName) -> Cmdlet {
    Cmdlet::new("Get-ExchangeDiagnosticInfo")
        .text("Server", server.as_str())
        .with("Process", Value::Word("Microsoft.Exchange.Directory.TopologyService"))
        .with("Component", Value::Word("VariantConfiguration"))
        .with("Argument", Value::Word("Refresh"))
}
