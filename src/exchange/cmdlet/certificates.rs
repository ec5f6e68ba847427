//! The cmdlets of certificates (facts 1.1 to 1.7, 3).

use super::{Cmdlet, Content, Question, Target, Value};
use crate::model::{
    action::{CertRef, CertificateRequest, DefaultSmtp},
    key::KeySpec,
    names::FriendlyName,
    service::{Service, Services},
    version::Release,
};

/// `New-ExchangeCertificate`: a certificate that the server signs itself, for no service. That is always said, since the
/// default is IMAP, POP and SMTP (facts 1.1); what it is for is enabled by a call of its own, which asks its question alone.
pub fn create(target: Target<'_>, request: &CertificateRequest) -> Cmdlet {
    asked_for(Cmdlet::new("New-ExchangeCertificate").on(target), request)
        .with("Services", Value::Services(Services::new()))
}

/// `New-ExchangeCertificate -GenerateRequest`. Exchange 2007 writes the request into a file; later versions give it back.
pub fn request(target: Target<'_>, request: &CertificateRequest, file: &str) -> Cmdlet {
    let cmdlet = Cmdlet::new("New-ExchangeCertificate").switch("GenerateRequest").on(target);
    let cmdlet = asked_for(cmdlet, request);
    if takes_files(target) {
        return cmdlet.with("Path", Value::Path(Content::File(file.into())));
    }
    cmdlet
}

/// `Import-ExchangeCertificate` of a CA's answer.
pub fn complete(target: Target<'_>, answer: Content, friendly_name: &FriendlyName) -> Cmdlet {
    let cmdlet = content(Cmdlet::new("Import-ExchangeCertificate").on(target), target, answer);
    cmdlet.text("FriendlyName", friendly_name.as_str())
}

/// `Import-ExchangeCertificate` of a PFX file.
pub fn import(target: Target<'_>, from: Content, friendly_name: &FriendlyName, exportable: bool) -> Cmdlet {
    let cmdlet = content(Cmdlet::new("Import-ExchangeCertificate").on(target), target, from.clone())
        .with("Password", Value::Password(from))
        .text("FriendlyName", friendly_name.as_str());
    // Exchange 2007 has no such parameter (facts 1.8).
    if takes_files(target) { cmdlet } else { cmdlet.with("PrivateKeyExportable", Value::Boolean(exportable)) }
}

/// `Export-ExchangeCertificate`, as a PFX file. Exchange 2007 writes it into a file; later versions give it back.
pub fn export(target: Target<'_>, certificate: CertRef, file: &str) -> Cmdlet {
    let cmdlet = Cmdlet::new("Export-ExchangeCertificate").on(target);
    let cmdlet = cmdlet.with("Thumbprint", Value::Thumbprint(certificate));
    let cmdlet = if takes_files(target) {
        cmdlet.switch("BinaryEncoded").with("Path", Value::Path(Content::File(file.into())))
    } else {
        cmdlet.switch("BinaryEncoded")
    };
    cmdlet.with("Password", Value::Password(Content::Exported))
}

/// `Get-ExchangeCertificate` of one certificate; without a server, of the one that is asked.
pub fn read(target: Option<Target<'_>>, certificate: CertRef) -> Cmdlet {
    let cmdlet = Cmdlet::new("Get-ExchangeCertificate");
    let cmdlet = match target {
        Some(target) => cmdlet.on(target),
        None => cmdlet,
    };
    cmdlet.with("Thumbprint", Value::Thumbprint(certificate))
}

/// `Enable-ExchangeCertificate`. It asks wherever SMTP is among the services (facts 3.2). "Require SSL" of the Default Web
/// Site is left as it is (facts 3.5); where it is on, or nobody could turn it off, nothing has to be said.
pub fn enable(
    target: Target<'_>,
    certificate: CertRef,
    services: &Services,
    default_smtp: DefaultSmtp,
) -> Cmdlet {
    let cmdlet = Cmdlet::new("Enable-ExchangeCertificate")
        .on(target)
        .with("Thumbprint", Value::Thumbprint(certificate))
        .with("Services", Value::Services(services.clone()));
    let leaves_ssl = target.release.is_none_or(Release::can_leave_require_ssl) && !target.requires_ssl;
    let cmdlet = if services.contains(&Service::Iis) && leaves_ssl {
        cmdlet.switch("DoNotRequireSsl")
    } else {
        cmdlet
    };
    asking(cmdlet, services, default_smtp)
}

/// `Remove-ExchangeCertificate`, of a certificate or of a pending request.
pub fn remove(target: Target<'_>, certificate: CertRef) -> Cmdlet {
    Cmdlet::new("Remove-ExchangeCertificate")
        .on(target)
        .with("Thumbprint", Value::Thumbprint(certificate))
        .asking(Question::Confirm)
}

fn asked_for(cmdlet: Cmdlet, request: &CertificateRequest) -> Cmdlet {
    let names = request.names.iter().map(ToString::to_string).collect();
    let cmdlet =
        cmdlet.text("SubjectName", &request.subject.to_string()).with("DomainName", Value::Texts(names));
    let cmdlet = match request.key {
        KeySpec::Rsa(bits) => cmdlet.with("KeySize", Value::Number(bits.into())),
        // The cmdlet makes RSA keys only (facts 1.1); checks say so.
        KeySpec::EcP256 => cmdlet,
    };
    cmdlet
        .with("PrivateKeyExportable", Value::Boolean(request.exportable))
        .text("FriendlyName", request.friendly_name.as_str())
}

fn asking(cmdlet: Cmdlet, services: &Services, default_smtp: DefaultSmtp) -> Cmdlet {
    if services.contains(&Service::Smtp) {
        cmdlet.asking(Question::DefaultSmtp(default_smtp))
    } else {
        cmdlet
    }
}

/// The content of a file, as this version takes it.
fn content(cmdlet: Cmdlet, target: Target<'_>, content: Content) -> Cmdlet {
    if takes_files(target) {
        cmdlet.with("Path", Value::Path(content))
    } else {
        cmdlet.with("FileData", Value::Bytes(content))
    }
}

/// Exchange 2007 takes and writes files, later versions bytes (facts 1.1 to 1.3).
fn takes_files(target: Target<'_>) -> bool {
    target.release == Some(Release::Exchange2007)
}
