//! What each version takes, as a person would write it down.

use super::*;
use crate::model::{
    action::CertificateRequest,
    key::KeySpec,
    service::{MailService, Service},
};

fn target(server: &ServerName, release: Option<Release>, edge: bool) -> Target<'_> {
    Target { server, release, edge, requires_ssl: false }
}

fn names(cmdlet: &Cmdlet) -> String {
    let parameters = cmdlet.parameters.iter().map(|parameter| format!(" -{}", parameter.name));
    format!("{}{}", cmdlet.name, parameters.collect::<String>())
}

#[test]
fn each_version_gets_the_parameters_that_it_has() {
    let server: ServerName = "EX01".parse().unwrap();
    let now = target(&server, Some(Release::Exchange2019), false);
    let edge = target(&server, Some(Release::Exchange2019), true);
    let old = target(&server, Some(Release::Exchange2007), false);
    let (of_2010, unknown) =
        (target(&server, Some(Release::Exchange2010), false), target(&server, None, false));
    let certificate = CertRef::FromStep(StepId(1));
    let name = "mail".parse().unwrap();
    let issued = Content::Issued(StepId(1));
    let bundle = |target| names(&import(target, issued.clone(), &name, true));
    let mode = |target, router| names(&set_um_startup_mode(target, router, UmStartupMode::Dual).set);
    for (case, found, expected) in [
        (
            "bytes since 2010",
            bundle(now),
            "Import-ExchangeCertificate -Server -FileData -Password -FriendlyName -PrivateKeyExportable",
        ),
        ("files in 2007", bundle(old), "Import-ExchangeCertificate -Path -Password -FriendlyName"),
        (
            "an Edge server knows itself only",
            bundle(edge),
            "Import-ExchangeCertificate -FileData -Password -FriendlyName -PrivateKeyExportable",
        ),
        (
            "what is not known counts as present",
            names(&export(unknown, certificate, "x.pfx")),
            "Export-ExchangeCertificate -Server -Thumbprint -BinaryEncoded -Password",
        ),
        (
            "2007 exports into a file",
            names(&export(old, certificate, "x.pfx")),
            "Export-ExchangeCertificate -Thumbprint -BinaryEncoded -Path -Password",
        ),
        (
            "Require SSL stays as it is",
            names(&enable(now, certificate, &Services::from([Service::Iis]), DefaultSmtp::Keep)),
            "Enable-ExchangeCertificate -Server -Thumbprint -Services -DoNotRequireSsl",
        ),
        (
            "where it is on, nothing has to be said",
            names(&enable(
                Target { requires_ssl: true, ..now },
                certificate,
                &Services::from([Service::Iis]),
                DefaultSmtp::Keep,
            )),
            "Enable-ExchangeCertificate -Server -Thumbprint -Services",
        ),
        (
            "2007 has no such switch",
            names(&enable(old, certificate, &Services::from([Service::Iis]), DefaultSmtp::Keep)),
            "Enable-ExchangeCertificate -Thumbprint -Services",
        ),
        ("UM since 2013", mode(now, false), "Set-UMService -Identity -UMStartupMode"),
        ("UM until 2010", mode(of_2010, false), "Set-UMServer -Identity -UMStartupMode"),
        ("the call router", mode(now, true), "Set-UMCallRouterSettings -Server -UMStartupMode"),
        (
            "POP",
            names(&set_x509_certificate_name(now, MailService::Pop, None).set),
            "Set-PopSettings -Server -X509CertificateName",
        ),
        (
            "now takes -Force",
            names(&stage_auth(certificate, None)),
            "Set-AuthConfig -NewCertificateThumbprint -NewCertificateEffectiveDate -Force",
        ),
    ] {
        assert_eq!(found, expected, "{case}");
    }
}

/// Nobody answers a driver: what asks is silenced, and yes is said only where the plan says so.
#[test]
fn unattended_says_yes_only_where_the_plan_does() {
    let server: ServerName = "EX01".parse().unwrap();
    let now = target(&server, Some(Release::Exchange2019), false);
    let certificate = CertRef::FromStep(StepId(1));
    let smtp = Services::from([Service::Smtp]);
    let iis = Services::from([Service::Iis]);
    let forced = |services: &Services, answer| {
        let cmdlet = enable(now, certificate, services, answer).unattended();
        assert_eq!(cmdlet.value("Confirm"), Some(&Value::Boolean(false)));
        cmdlet.value("Force").is_some()
    };
    assert!(forced(&smtp, DefaultSmtp::Replace));
    assert!(!forced(&smtp, DefaultSmtp::Keep));
    assert!(!forced(&iis, DefaultSmtp::Replace), "without SMTP nothing asks");
    assert!(remove(now, certificate).unattended().value("Force").is_none());
}

/// The cmdlet enables IMAP, POP and SMTP unless it is told otherwise, and asks about SMTP then (facts 1.1).
#[test]
fn a_certificate_without_services_is_made_without_services() {
    let server: ServerName = "EX01".parse().unwrap();
    let request = CertificateRequest {
        subject: "CN=mail.contoso.com".parse().unwrap(),
        names: vec!["mail.contoso.com".parse().unwrap()],
        key: KeySpec::Rsa(2048),
        exportable: true,
        friendly_name: "mail".parse().unwrap(),
        lifetime: None,
    };
    let cmdlet = create(target(&server, None, false), &request);
    assert_eq!(cmdlet.value("Services"), Some(&Value::Services(Services::new())));
    assert_eq!(cmdlet.asks, None);
}
