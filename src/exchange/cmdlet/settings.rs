//! The cmdlets of settings that name a certificate (facts 4.4, 6, 11.1).

use super::{Cmdlet, Target, Value};
use crate::model::{
    action::{CertRef, ConnectorRef, TlsName},
    names::{DnsName, OverrideName, ServerName},
    server::UmStartupMode,
    service::MailService,
    time::Timestamp,
};

/// `Set-PopSettings` or `Set-ImapSettings -X509CertificateName`.
pub fn set_x509_certificate_name(target: Target<'_>, service: MailService, name: Option<&DnsName>) -> Cmdlet {
    let cmdlet = match service {
        MailService::Pop => "Set-PopSettings",
        MailService::Imap => "Set-ImapSettings",
    };
    let name = name.map_or(Value::Null, |name| Value::Text(name.to_string()));
    Cmdlet::new(cmdlet).on(target).with("X509CertificateName", name)
}

/// `Set-UMService` or `Set-UMCallRouterSettings -UMStartupMode`. The first was `Set-UMServer` until the roles of Exchange
/// 2013.
pub fn set_um_startup_mode(target: Target<'_>, call_router: bool, mode: UmStartupMode) -> Cmdlet {
    let old = target.release.is_some_and(|release| !release.has_back_end());
    let cmdlet = match (call_router, old) {
        (true, _) => Cmdlet::new("Set-UMCallRouterSettings").text("Server", target.server.as_str()),
        (false, true) => Cmdlet::new("Set-UMServer").text("Identity", target.server.as_str()),
        (false, false) => Cmdlet::new("Set-UMService").text("Identity", target.server.as_str()),
    };
    cmdlet.with("UMStartupMode", Value::UmStartupMode(mode))
}

/// `Set-SendConnector`, `Set-ReceiveConnector` or `Set-HybridConfiguration -TlsCertificateName`.
pub fn repoint(connector: &ConnectorRef, to: Option<&TlsName>) -> Cmdlet {
    let cmdlet = match connector {
        ConnectorRef::Send { name } => Cmdlet::new("Set-SendConnector").text("Identity", name.as_str()),
        ConnectorRef::Receive { server, name } => {
            Cmdlet::new("Set-ReceiveConnector").text("Identity", &format!("{server}\\{name}"))
        }
        ConnectorRef::Hybrid {} => Cmdlet::new("Set-HybridConfiguration"),
    };
    let name = match to {
        None => Value::Null,
        Some(TlsName::Exactly(name)) => Value::Text(name.to_string()),
        Some(TlsName::Of(certificate)) => Value::TlsCertificateName(*certificate),
    };
    cmdlet.with("TlsCertificateName", name)
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
