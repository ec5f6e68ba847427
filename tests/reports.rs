//! What administrators have reported in public, tried on certwright where no scenario does: small inputs, and the right value.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use certwright::{
    import::{self, Choices},
    manifest::format::formatted,
    model::{action::Action, fact::Fact, names::ServerName, organization::Observed},
    views::powershell,
};
use support::Rig;

const LAB: &str = r#"
apiVersion: certwright.lab/v1
clock: 2026-03-02T09:00:00Z
keys: keys
authorities:
  corp-ca: { subject: "CN=Contoso CA, O=Contoso, C=NL" }
  agent: { subject: "CN=MS-Organization-P2P-Access [2026]" }
servers:
  EX01: { fqdn: ex01.contoso.com, version: 2019 CU14 }
certificates:
  mail-2025:
    authority: corp-ca
    names: [mail.contoso.com]
    notBefore: 2025-03-20T00:00:00Z
    notAfter: 2026-12-20T00:00:00Z
    on: EX01
    services: [IIS, SMTP]
"#;

const AGENT: &str = r#"
  device:
    authority: agent
    subject: "CN=3f0d3cbb-9d5e-4b3c-8f0a-3a6d2c1f9e11"
    names: [ex01.contoso.com]
    notBefore: 2026-03-02T00:00:00Z
    notAfter: 2026-03-03T00:00:00Z
    on: EX01
"#;

const MANIFEST: &str = r"
apiVersion: certwright/v1
organization: contoso
driver: { lab: { directory: . } }
issuers:
  corp-ca: { localCa: { certificate: state/authorities/corp-ca.crt, key: { file: state/authorities/corp-ca.key } } }
certificates:
  mail: { issuer: corp-ca, names: [mail.contoso.com] }
servers:
  EX01: { fqdn: ex01.contoso.com, services: { IIS: mail, SMTP: mail } }
";

fn observed(lab: &str) -> Observed {
    Rig::of_texts(MANIFEST, lab).observe()
}

fn imported(observed: &Observed) -> (String, Vec<String>) {
    let (text, notes) =
        import::manifest(observed, "{ lab: { directory: . } }", &Choices::default(), observed.at);
    // A pipeline that checks the layout takes it as it is.
    assert_eq!(formatted(&text).unwrap(), text);
    (text, notes)
}

/// The certificate that an agent of Entra ID renews each day has the server's own name, so that connectors, POP and IMAP
/// choose it (microsoft/CSS-Exchange#1245). It is nobody's to declare.
#[test]
fn a_device_certificate_is_never_adopted() {
    let (manifest, notes) = imported(&observed(&format!("{LAB}{AGENT}")));
    let declared = manifest.split("# Not managed by this manifest").next().unwrap();
    for text in ["3f0d3cbb", "MS-Organization", "p2p-access"] {
        assert!(
            !declared.contains(&format!("  {text}")) && !declared.contains(&format!("CN={text}")),
            "{manifest}"
        );
    }
    assert!(
        manifest.contains("CN=3f0d3cbb-9d5e-4b3c-8f0a-3a6d2c1f9e11"),
        "it is listed as left alone: {manifest}"
    );
    let told = notes.iter().filter(|note| note.contains("the certificate of a device or its agent")).count();
    assert!(told > 0, "{notes:?}");
}

/// What enrols machines leaves certificates with the server's own name in the same store. Nobody enabled or bound them, and no list
/// of names tells them all: they are left out and named. Once somebody enables one, it is for Exchange.
#[test]
fn what_was_only_chosen_by_name_is_left_out_and_named() {
    for (issuer, subject) in [
        ("CN=Contoso Issuing CA, DC=contoso, DC=com", "CN=ex01.contoso.com"),
        ("CN=SMS Issuing", "CN=ex01.contoso.com"),
        ("CN=Microsoft Intune MDM Device CA", "CN=8f1f3a52-4c1e-4c07-9a39-0d1f4dd0a1aa"),
        (
            "OU=82dbaca4-3e81-46ca-9c73-0950c1eaca97, CN=MS-Organization-Access, DC=windows, DC=net",
            "CN=device",
        ),
        ("CN=Device CA of tomorrow", "CN=SenseCNC"),
    ] {
        let agent = AGENT.replace("CN=3f0d3cbb-9d5e-4b3c-8f0a-3a6d2c1f9e11", subject);
        let lab = LAB.replace("CN=MS-Organization-P2P-Access [2026]", issuer);
        let (manifest, notes) = imported(&observed(&format!("{lab}{agent}")));
        let declared = manifest.split("# Not managed by this manifest").next().unwrap();
        assert!(!declared.contains(&format!("# {issuer}")), "{issuer}: {manifest}");
        let told = notes.iter().filter(|note| note.starts_with("POP of EX01 uses ")).count();
        assert_eq!(told, 1, "{issuer}: {notes:?}");
        assert!(!plan_of(&manifest, &format!("{lab}{agent}")), "{issuer}");
    }
    let enabled = AGENT.replace("CN=3f0d3cbb-9d5e-4b3c-8f0a-3a6d2c1f9e11", "CN=ex01.contoso.com")
        + "    services: [SMTP]\n";
    let lab = LAB.replace("CN=MS-Organization-P2P-Access [2026]", "CN=Contoso Issuing CA");
    let (manifest, _) = imported(&observed(&format!("{lab}{enabled}")));
    assert!(manifest.contains("# CN=Contoso Issuing CA"), "{manifest}");
}

/// Whether the plan of an imported manifest enables or binds anything.
fn plan_of(manifest: &str, lab: &str) -> bool {
    let plan = Rig::of_texts(manifest, lab).plan();
    plan.steps.iter().any(|step| matches!(step.action, Action::Bind { .. } | Action::BindSite { .. }))
}

/// A single file of Get-ExchangeCertificate: what it says of services, and that their settings were not captured, is told in
/// one line for the server (microsoft/CSS-Exchange, test data).
#[test]
fn what_was_not_captured_is_one_line_for_each_server() {
    let mut observed = observed(LAB);
    let server = observed.organization.servers.get_mut(&"EX01".parse::<ServerName>().unwrap()).unwrap();
    server.sites = Fact::not_captured();
    server.pop = Fact::not_captured();
    server.imap = Fact::unknown("Get-ImapSettings failed: access denied");
    let (_, notes) = imported(&observed);
    let missing: Vec<&String> =
        notes.iter().filter(|note| note.contains("left out is what is unknown")).collect();
    let [line] = missing.as_slice() else { panic!("{notes:?}") };
    for part in [
        "EX01: ",
        "Get-WebBinding (not captured)",
        "Get-PopSettings (not captured)",
        "Get-ImapSettings (Get-ImapSettings failed: access denied)",
        "in use are ",
        "IIS ",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

/// One binding of a site among several on its port: those with a host name or an address keep their own certificates
/// (Microsoft KB2405568, and `Get-WebBinding`, whose parameters are filters).
#[test]
fn a_script_sets_exactly_the_binding_that_the_plan_names() {
    let lab = LAB.replace(
        "version: 2019 CU14",
        "version: 2019 CU14, sites: [\"Monitoring:8443\", \"Monitoring:8443:mon.contoso.com\", \
         \"Monitoring:10.0.0.9:8443\"]",
    );
    let manifest = MANIFEST.replace("SMTP: mail }", "SMTP: mail }, iis: { \"Monitoring:8443\": mail }");
    let mut rig = Rig::of_texts(&manifest, &lab);
    let plan = rig.plan();
    let mut script = Vec::new();
    powershell::plan(&plan, &rig.observe().organization, None, &mut script).unwrap();
    let script = String::from_utf8(script).unwrap();
    let calls: Vec<&str> =
        script.lines().map(str::trim).filter(|line| line.starts_with("Set-SiteCert")).collect();
    let planned = plan.steps.iter().filter(|step| matches!(step.action, Action::BindSite { .. })).count();
    assert!(planned > 0 && calls.len() == planned, "{calls:?}");
    assert!(calls.iter().any(|call| call.contains(" 'Monitoring' '*' 8443 '' ")), "{calls:?}");
    assert!(!calls.iter().any(|call| call.contains("mon.contoso.com")), "{calls:?}");
    assert!(script.contains("$wanted -contains $_.bindingInformation"), "{script}");
}

/// A certificate that is still to be issued has no thumbprint, and a warning makes none up.
#[test]
fn no_warning_shows_a_thumbprint_that_is_not_there() {
    let lab = LAB.split("certificates:").next().unwrap();
    let manifest = MANIFEST
        .replace("issuers:\n", "issuers:\n  exchange: { selfSigned: {} }\n")
        .replace("names: [mail.contoso.com] }", "names: [mail.contoso.com], includeServerFqdn: true }\n  transport: { issuer: exchange, names: [\"${server.name}\", \"${server.fqdn}\"], scope: server }")
        .replace("SMTP: mail } }", "SMTP: transport }, internalTransport: transport }");
    let plan = Rig::of_texts(&manifest, lab).plan();
    let warnings: Vec<String> = plan.warnings.iter().map(ToString::to_string).collect();
    let outranked = warnings.iter().find(|warning| warning.contains("takes precedence"));
    let outranked = outranked.unwrap_or_else(|| panic!("{warnings:?}"));
    assert!(outranked.contains("certificate of step ") && !outranked.contains("0000"), "{outranked}");
}

/// A send connector with a certificate that one of its source servers does not have: mail would wait there with 454 4.7.5
/// (win-acme#2811). That connector is refused with the server's name, and the rest goes on.
#[test]
fn a_send_connector_is_not_given_what_a_source_server_lacks() {
    let lab = format!(
        "{}{}",
        LAB.replace("certificates:\n", "  EX03: { fqdn: ex03.contoso.com, version: 2019 CU14 }\nsendConnectors:\n  To Internet: { sourceServers: [EX01, EX03], addressSpaces: [\"smtp:*;1\"] }\ncertificates:\n"),
        "    sendConnectors: [To Internet]\n"
    );
    let manifest = format!(
        "{MANIFEST}  EX03: {{ fqdn: ex03.contoso.com }}\nsendConnectors: {{ \"To Internet\": mail }}\n"
    );
    let plan = Rig::of_texts(&manifest, &lab).plan();
    let said: Vec<String> = plan
        .steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::CannotApply { why, .. } => Some(why.to_string()),
            _ => None,
        })
        .chain(plan.warnings.iter().map(ToString::to_string))
        .collect();
    assert!(said.iter().any(|text| text.contains("To Internet") && text.contains("EX03")), "{said:?}");
    let repoints = plan.steps.iter().any(|step| matches!(step.action, Action::Repoint { .. }));
    assert!(!repoints, "{:#?}", plan.steps);
}
