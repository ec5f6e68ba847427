//! How certificates come to a server, and into files (facts 1.1 to 1.7).

use super::{
    commands::{Commands, Line, reference},
    text::{list, quoted},
};
use crate::model::{
    action::{BundleSource, CertRef, CertificateRequest, StepId},
    key::KeySpec,
    names::{DnsName, ServerName},
    thumbprint::Thumbprint,
    version::Release,
};

impl Commands<'_> {
    pub(super) fn request(&self, server: &ServerName, request: &CertificateRequest, file: &str) -> Vec<Line> {
        let file = in_this_folder(&format!("{file}.csr"));
        let ask =
            format!("New-ExchangeCertificate -GenerateRequest{} {}", self.on(server), asked_for(request));
        if self.release(server) == Some(Release::Exchange2007) {
            return vec![Line::Command(format!("{ask} -Path {file}"))];
        }
        vec![Line::Command(format!("[IO.File]::WriteAllText({file}, ({ask}))"))]
    }

    /// Where the certificate and key of an import come from.
    pub(super) fn bundle(&self, certificate: CertRef, from: &BundleSource) -> Option<Line> {
        match from {
            BundleSource::Issued(_) => None,
            BundleSource::Server(server) => Some(Line::Command(format!(
                "$exported = Export-ExchangeCertificate{} -Thumbprint {} -BinaryEncoded -Password $password",
                self.on(server),
                reference(certificate)
            ))),
            BundleSource::Backup { run, step, der: _ } => {
                let which = run.as_ref().map_or(String::new(), |run| format!(" of run {run}"));
                let file = quoted(&format!("PFX file: the backup of step {step}{which}"));
                Some(Line::Command(format!("$backup = Read-Host {file}")))
            }
        }
    }

    pub(super) fn back_up(&self, server: &ServerName, certificate: Thumbprint, with_key: bool) -> String {
        let file = |ending: &str| in_this_folder(&format!("{server}-{certificate}.{ending}"));
        let (on, thumbprint) = (self.on(server), quoted(&certificate.to_string()));
        if !with_key {
            let get = format!("(Get-ExchangeCertificate{on} -Thumbprint {thumbprint}).RawData");
            return format!("[IO.File]::WriteAllBytes({}, {get})", file("cer"));
        }
        if self.release(server) == Some(Release::Exchange2007) {
            let export = "Export-ExchangeCertificate -Thumbprint";
            return format!(
                "{export} {thumbprint} -BinaryEncoded:$true -Path {} -Password $password",
                file("pfx")
            );
        }
        let export = format!(
            "Export-ExchangeCertificate{on} -Thumbprint {thumbprint} -BinaryEncoded -Password $password"
        );
        format!("[IO.File]::WriteAllBytes({}, ({export}).FileData)", file("pfx"))
    }

    /// The bytes of a file, as this version's import takes them: Exchange 2007 takes the file.
    pub(super) fn bytes_of(&self, server: &ServerName, file: &str) -> String {
        if self.release(server) == Some(Release::Exchange2007) {
            format!("-Path {file}")
        } else {
            format!("-FileData ([IO.File]::ReadAllBytes({file}))")
        }
    }
}

/// A command that makes a certificate; its thumbprint is kept for later steps.
pub(super) fn making(certificate: CertRef, command: &str) -> Line {
    Line::Command(match certificate {
        CertRef::Known(_) => format!("$null = {command}"),
        CertRef::FromStep(step) => format!("$certificate{step} = ({command}).Thumbprint"),
    })
}

/// A file of the folder that the shell is in. .NET has a current folder of its own, which is another one.
pub(super) fn in_this_folder(file: &str) -> String {
    format!("(Join-Path $PWD {})", quoted(file))
}

/// What certwright does with its own hands: a key, and a CA that signs.
pub(super) fn issued_by_hand(step: StepId, request: &CertificateRequest) -> Vec<Line> {
    let names: Vec<&str> = request.names.iter().map(DnsName::as_str).collect();
    vec![
        Line::Comment(format!(
            "Have it issued with the names {}, as a PFX file with its key.",
            names.join(", ")
        )),
        Line::Command(format!("$pfx{step} = Read-Host 'Path of the PFX file of step {step}'")),
        Line::Command(format!("$password{step} = Read-Host 'Its password' -AsSecureString")),
    ]
}

pub(super) fn asked_for(request: &CertificateRequest) -> String {
    let size = match request.key {
        KeySpec::Rsa(bits) => format!(" -KeySize {bits}"),
        // The cmdlet makes RSA keys only (facts 1.1); checks say so.
        KeySpec::EcP256 => String::new(),
    };
    format!(
        "-SubjectName {} -DomainName {}{size} -PrivateKeyExportable ${} -FriendlyName {}",
        quoted(&request.subject.to_string()),
        list(&request.names),
        request.exportable,
        quoted(request.friendly_name.as_str())
    )
}
