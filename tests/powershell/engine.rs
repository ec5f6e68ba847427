//! The script in a real engine, where one is on PATH: Exchange is another PowerShell, reached as a remote runspace in
//! no-language mode, with stand-ins for its cmdlets and for those of Windows.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use certwright::{
    drivers::powershell::{
        Cancellation, Channel, PowerShell, Request, ServerAccess, StdioChannel, Timeouts, WindowsAccess,
        channel::PeerProgram, script,
    },
    exchange::refusal::Why,
    model::{
        action::{CertificateRequest, DefaultSmtp, ServiceGroup},
        bundle::Bundle,
        diagnosis::{Examination, ExaminationResult},
        key::KeySpec,
        names::ServerName,
        organization::Observed,
        server::Server,
        service::{MailService, Restartable, Service, Services},
        site::SiteBinding,
        thumbprint::Thumbprint,
    },
    pki::{
        keys::{self, Keys},
        mint::{self, CertificateContent},
    },
    ports::balancer::Balancers,
    ports::driver::{Driver, DriverError, Observer, Wanted},
    probe::Network,
    verify::{peers::Peers, run},
};
use serde_json::{Value as Json, json};

use super::{channel::hostile, sshd::Sshd};

const PATIENCE: Duration = Duration::from_secs(120);

/// The engine, and the state of its stand-ins.
struct Stage {
    engine: &'static str,
    directory: tempfile::TempDir,
}

impl Stage {
    /// Sets the stage; none where there is no engine, which is said.
    fn set() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let is_there = |name: &&str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
        let Some(engine) = ["powershell.exe", "pwsh"].into_iter().find(is_there) else {
            let name = std::thread::current().name().unwrap_or("a test").to_owned();
            let said =
                format!("\nSKIPPED: {name} needs `pwsh` or `powershell.exe`, which is not installed\n");
            std::io::stderr().write_all(said.as_bytes()).unwrap();
            return None;
        };
        let stage = Self { engine, directory: tempfile::tempdir().unwrap() };
        stage.powershell(&format!(
            "{START} | Export-Clixml -Depth 6 -LiteralPath '{}'",
            stage.state().display()
        ));
        Some(stage)
    }

    fn state(&self) -> PathBuf {
        self.directory.path().join("state.xml")
    }

    /// The driver script with the stand-ins in place of Exchange and Windows.
    fn script(&self) -> String {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/powershell/standin.ps1");
        let standins = fs::read_to_string(place).unwrap();
        let standins = standins.replace("@STATE@", &self.state().display().to_string());
        let standins = standins.replace("@ENGINE@", self.engine);
        let (main, definitions) = script::PARTS.split_last().unwrap();
        format!("{}\n{standins}\n{main}", definitions.join("\n"))
    }

    fn local(&self) -> PeerProgram {
        PeerProgram {
            program: self.engine.into(),
            arguments: script::arguments().into_iter().map(Into::into).collect(),
            host: "this computer".into(),
            is_ssh: false,
        }
    }

    fn channel(&self) -> StdioChannel {
        StdioChannel::start(&self.local(), &self.script(), Cancellation::default()).unwrap()
    }

    fn driver(&self) -> PowerShell {
        let (program, script) = (self.local(), self.script());
        let endpoint = ServerAccess {
            name: "EX01".parse().unwrap(),
            fqdn: "ex01.contoso.com".parse().unwrap(),
            edge: false,
            connect: Box::new(move || {
                Ok(Box::new(StdioChannel::start(&program, &script, Cancellation::default())?))
            }),
            windows: WindowsAccess::Same,
            credential: None,
            patience: Timeouts { opening: PATIENCE, request: PATIENCE },
        };
        PowerShell::new(vec![endpoint], std::collections::BTreeMap::new())
    }

    /// What a line of PowerShell prints.
    fn powershell(&self, line: &str) -> String {
        let output = Command::new(self.engine)
            .args(["-NoLogo", "-NoProfile", "-NonInteractive", "-Command", line])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Something of the stand-ins' state.
    fn ask(&self, what: &str) -> String {
        self.powershell(&format!("$state = Import-Clixml -LiteralPath '{}'; {what}", self.state().display()))
    }

    fn change(&self, how: &str) {
        let state = self.state().display().to_string();
        self.powershell(&format!(
            "$state = Import-Clixml -LiteralPath '{state}'; {how}; $state | Export-Clixml -Depth 6 -LiteralPath '{state}'"
        ));
    }
}

const START: &str = "New-Object PSObject -Property @{ Certificates = @(); Default = ''; Pop = ''; Trouble = ''; Log = @(); \
    Auth = (New-Object PSObject -Property @{ CurrentCertificateThumbprint = ''; NextCertificateThumbprint = ''; \
    PreviousCertificateThumbprint = ''; NextCertificateEffectiveDate = $null }); \
    SendConnectors = @((New-Object PSObject -Property @{ Name = 'Outbound'; Identity = 'Outbound'; \
    TlsCertificateName = $null; Enabled = $true })); \
    Bindings = @((New-Object PSObject -Property @{ Site = 'Default Web Site'; Information = '*:443:'; Hash = '' }), \
    (New-Object PSObject -Property @{ Site = 'Default Web Site'; Information = '*:443:mon.contoso.com'; Hash = 'AB' })); \
    Services = @((New-Object PSObject -Property @{ Name = 'MSExchangePOP3'; Status = 'Running' }), \
    (New-Object PSObject -Property @{ Name = 'MSExchangePOP3BE'; Status = 'Stopped' })) }";

fn server() -> ServerName {
    "EX01".parse().unwrap()
}

fn asked(name: &str, friendly_name: &str) -> CertificateRequest {
    CertificateRequest {
        subject: format!("CN={name}").parse().unwrap(),
        names: vec![name.parse().unwrap()],
        key: KeySpec::Rsa(2048),
        exportable: true,
        friendly_name: friendly_name.parse().unwrap(),
        lifetime: None,
    }
}

fn observed(driver: &PowerShell) -> Observed {
    driver.observe(Wanted::Everything).unwrap()
}

fn seen(observed: &Observed) -> &Server {
    &observed.organization.servers[&server()]
}

fn default_of(driver: &PowerShell) -> Option<Thumbprint> {
    *seen(&observed(driver)).internal_transport.known().unwrap()
}

#[test]
fn certificates_come_are_used_and_go() {
    let Some(stage) = Stage::set() else { return };
    let driver = stage.driver();
    let ex01 = server();
    let (first, _) = driver
        .create(&ex01, &asked("ex01.contoso.com", "it's \u{2018}mine\u{2019} $(calc) \u{1f600}"))
        .unwrap();
    let smtp = Services::from([Service::Smtp]);
    driver.bind(&ex01, first, &smtp, DefaultSmtp::Replace).unwrap();
    assert_eq!(default_of(&driver), Some(first), "yes was said");

    // One that was made here travels as a PFX file, and comes back with its key.
    let bundle = made("mail.contoso.com");
    let second = bundle.certificate.thumbprint;
    driver.import(&ex01, &bundle, &"mail".parse().unwrap(), true).unwrap();
    let again = driver.import(&ex01, &bundle, &"mail".parse().unwrap(), true);
    assert!(
        matches!(&again, Err(DriverError::Refused(refusal)) if refusal.why == Why::AlreadyExists(second)),
        "{again:?}"
    );
    driver.bind(&ex01, second, &Services::from([Service::Smtp, Service::Iis]), DefaultSmtp::Keep).unwrap();
    assert_eq!(default_of(&driver), Some(first), "no was said");
    let back = driver.export(&ex01, second, true).unwrap();
    assert_eq!(back.certificate.thumbprint, second);
    assert_eq!(back.key.as_ref().map(|key| key.expose().len() > 100), Some(true));

    let look = observed(&driver);
    assert!(look.answers_prompts);
    let stored = &seen(&look).certificates.known().unwrap().0;
    assert_eq!(stored[&first].friendly_name.known().unwrap(), "it's \u{2018}mine\u{2019} $(calc) \u{1f600}");
    assert_eq!(stored[&second].services.known(), Some(&Services::from([Service::Smtp, Service::Iis])));
    assert!(
        look.organization.accepted_domains.why_unknown().unwrap().contains("op\u{e9}ration"),
        "its own words"
    );
    let names = &seen(&look).client_names;
    assert_eq!(names.len(), 9, "{names:?}");
    assert!(names.values().all(|names| !names.internal.is_empty()), "{names:?}");
    assert_eq!(seen(&look).runs("MSExchangePOP3"), Some(true));
    assert_eq!(seen(&look).runs("MSExchangePOP3BE"), Some(false));
    assert!(
        look.organization.hybrid.why_unknown().is_some() && look.organization.federation.known().is_some()
    );

    let proof = run::verify(&[], &Peers::new(&driver, &Balancers::new()), &Network::default(), None).unwrap();
    let in_use = driver.remove(&ex01, first, &[], &proof);
    assert!(
        matches!(in_use, Err(DriverError::Failed { .. })),
        "it is the internal transport certificate: {in_use:?}"
    );
    let pop = ServiceGroup {
        service: Restartable::Pop,
        services: vec!["MSExchangePOP3".into(), "MSExchangePOP3BE".into()],
    };
    // It reports a failure and has done it: the certificate is gone, and so nothing failed.
    stage.change("$state.Trouble = 'remove'");
    driver.remove(&ex01, second, std::slice::from_ref(&pop), &proof).unwrap();
    assert_eq!(stage.ask("$state.Log -join ','"), "Stopped MSExchangePOP3,Running MSExchangePOP3");
    let gone = driver.remove(&ex01, second, &[pop], &proof);
    assert!(
        matches!(&gone, Err(DriverError::Refused(refusal)) if refusal.why == Why::NotFound(second)),
        "{gone:?}"
    );
}

#[test]
fn requests_are_answered_where_they_were_made() {
    let Some(stage) = Stage::set() else { return };
    let driver = stage.driver();
    let ex01 = server();
    let new = driver.request(&ex01, &asked("mail.contoso.com", "mail")).unwrap();
    assert!(new.request.starts_with(&[0x30]), "PKCS#10 in DER");
    let stranger = made("mail.contoso.com").certificate;
    let answer = certwright::model::bundle::Answer { certificate: stranger.clone(), chain: Vec::new() };
    let refused = driver.complete(&ex01, &answer, &"mail".parse().unwrap());
    assert!(
        matches!(&refused, Err(DriverError::Refused(refusal)) if refusal.why == Why::NoRequest(stranger.thumbprint)),
        "{refused:?}"
    );
    driver.remove_request(&ex01, new.thumbprint).unwrap();
    assert_eq!(stage.ask("@($state.Certificates).Count"), "0");
}

#[test]
fn bindings_settings_and_services() {
    let Some(stage) = Stage::set() else { return };
    let driver = stage.driver();
    let ex01 = server();
    let (certificate, _) = driver.create(&ex01, &asked("ex01.contoso.com", "ex01")).unwrap();
    let hashes = || stage.ask("($state.Bindings | ForEach-Object { $_.Hash }) -join ','");
    driver.bind_site(&ex01, &SiteBinding::default_web_site(), certificate).unwrap();
    assert_eq!(hashes(), format!("{certificate},AB"), "the one without a host name only");
    let missing = driver.bind_site(&ex01, &SiteBinding::back_end(), certificate);
    assert!(matches!(&missing, Err(DriverError::Refused(_))), "{missing:?}");
    // IIS takes the old certificate off and fails: the server puts it back.
    let (other, _) = driver.create(&ex01, &asked("other.contoso.com", "other")).unwrap();
    stage.change("$state.Trouble = 'bind'");
    assert!(driver.bind_site(&ex01, &SiteBinding::default_web_site(), other).is_err());
    assert_eq!(hashes(), format!("{certificate},AB"));

    driver
        .set_x509_certificate_name(&ex01, MailService::Pop, Some(&"pop.contoso.com".parse().unwrap()))
        .unwrap();
    assert_eq!(stage.ask("$state.Pop"), "pop.contoso.com");
    driver.set_x509_certificate_name(&ex01, MailService::Pop, None).unwrap();
    assert_eq!(stage.ask("$state.Pop"), "");
    driver
        .repoint_send(
            &"Outbound".parse().unwrap(),
            Some(&"<I>CN=O'Neill \u{2019}$(x)<S>CN=mail".parse().unwrap()),
        )
        .unwrap();
    assert_eq!(
        stage.ask("$state.SendConnectors[0].TlsCertificateName"),
        "<I>CN=O'Neill \u{2019}$(x)<S>CN=mail"
    );
    let no_connector = driver.repoint_send(&"Nowhere".parse().unwrap(), None);
    assert!(no_connector.is_err());

    driver.stage_auth(certificate, None).unwrap();
    driver.publish_auth().unwrap();
    assert_eq!(stage.ask("$state.Auth.CurrentCertificateThumbprint"), certificate.to_string());
    let none = driver.publish_auth();
    assert!(
        matches!(&none, Err(DriverError::Refused(refusal)) if refusal.why == Why::NoNextAuthCertificate),
        "{none:?}"
    );
    driver.clear_previous_auth().unwrap();

    let pop = ["MSExchangePOP3".to_owned(), "MSExchangePOP3BE".to_owned()];
    driver.restart(&ex01, Restartable::Pop, &pop).unwrap();
    assert_eq!(stage.ask("$state.Log -join ','"), "Stopped MSExchangePOP3,Running MSExchangePOP3");
    assert!(driver.restart(&ex01, Restartable::Pop, &["Spooler".into()]).is_err(), "not for this driver");
}

/// Nothing that travels as a value is ever taken for script, and what is no cmdlet of the table is not run.
#[test]
fn values_are_data_and_commands_are_of_the_table() {
    let Some(stage) = Stage::set() else { return };
    play(&mut stage.channel());
}

#[test]
fn the_same_through_a_real_sshd() {
    let Some(stage) = Stage::set() else { return };
    let Some(sshd) = Sshd::start() else { return };
    let command = [stage.engine.to_owned()].into_iter().chain(script::encoded_arguments()).collect();
    let program = sshd.ssh(command).program(Duration::from_secs(20)).unwrap();
    let mut channel = StdioChannel::start(&program, &stage.script(), Cancellation::default()).unwrap();
    play(&mut channel);
}

fn play(channel: &mut StdioChannel) {
    let mut number = 0;
    let mut ask = |operation: &'static str, arguments: Json, what_if: bool| -> Json {
        number += 1;
        let request = Request { operation, arguments, secrets: Vec::new(), changes: true, what_if };
        serde_json::from_slice(&channel.exchange(number, &request, PATIENCE).unwrap()).unwrap()
    };
    let hello = ask("session.hello", json!({}), false);
    assert_eq!(hello["result"]["language_mode"], "FullLanguage", "{hello}");
    let opened = ask("session.open", json!({ "mode": "remote" }), false);
    assert_eq!(opened["result"]["answers_prompts"], true, "{opened}");
    let set = |name: &str, text: &str| {
        json!({
            "call": { "name": name, "parameters": [
                { "name": "Identity", "kind": "text", "value": "Outbound" },
                { "name": "TlsCertificateName", "kind": "text", "value": text },
            ] },
            "read": { "name": "Get-SendConnector", "parameters": [{ "name": "Identity", "kind": "text", "value": "Outbound" }] },
            "property": "TlsCertificateName",
        })
    };
    for text in hostile() {
        let arguments = set("Set-SendConnector", &text);
        let would = ask("setting.set", arguments.clone(), true);
        assert_eq!(would["would"], json!(["Set-SendConnector"]), "{would}");
        let done = ask("setting.set", arguments.clone(), false);
        assert_eq!(done["result"]["changed"], true, "{text:?}: {done}");
        // It reads back what it has set, character for character.
        assert_eq!(ask("setting.set", arguments, false)["result"]["changed"], false, "{text:?}");
    }
    for name in ["Invoke-Expression", "Remove-Item", "Set-SendConnector; calc", "Get-Process"] {
        let refused = ask("setting.set", set(name, "x"), false);
        assert_eq!(refused["error"]["kind"], "bad_request", "{name}: {refused}");
        assert_eq!(refused["error"]["mutated"], "no", "{name}: {refused}");
    }
    assert_eq!(ask("no.such", json!({}), false)["error"]["kind"], "unknown_op");
}

/// A certificate with its key, made here.
fn made(name: &str) -> Bundle {
    let key = Keys::Fresh.make(KeySpec::Rsa(2048)).unwrap();
    let names = [name.parse().unwrap()];
    let content = CertificateContent {
        subject: &format!("CN={name}").parse().unwrap(),
        names: &names,
        not_before: "2026-01-01T00:00:00Z".parse().unwrap(),
        not_after: "2036-01-01T00:00:00Z".parse().unwrap(),
    };
    let certificate = mint::self_signed(&content, &key).unwrap();
    Bundle { certificate, chain: Vec::new(), key: Some(keys::to_pkcs8(&key)) }
}

/// A question that nobody expected stops the cmdlet, and nothing was done.
#[test]
fn an_unexpected_question_is_answered_by_nobody() {
    let Some(stage) = Stage::set() else { return };
    let driver = stage.driver();
    let (certificate, _) = driver.create(&server(), &asked("ex01.contoso.com", "ex01")).unwrap();
    let mut channel = stage.channel();
    let mut ask = |number, operation, arguments| -> Json {
        let request = Request { operation, arguments, secrets: Vec::new(), changes: true, what_if: false };
        serde_json::from_slice(&channel.exchange(number, &request, PATIENCE).unwrap()).unwrap()
    };
    ask(1, "session.open", json!({ "mode": "remote" }));
    let enabled = ask(
        2,
        "certificate.enable",
        json!({
            "server": { "name": "EX01", "fqdn": "ex01.contoso.com" }, "local_only": false, "keep_default": false,
            "thumbprint": certificate.to_string(),
            "call": { "name": "Enable-ExchangeCertificate", "parameters": [
                { "name": "Thumbprint", "kind": "text", "value": certificate.to_string() },
                { "name": "Services", "kind": "text", "value": "SMTP" },
            ] },
        }),
    );
    assert_eq!(enabled["error"]["kind"], "confirmation_required", "{enabled}");
    assert_eq!(enabled["error"]["mutated"], "no", "{enabled}");
    assert_eq!(stage.ask("$state.Default"), "");
}

/// What `doctor` asks of a real engine: the cmdlets that an account sees with their parameters, its clock, its version.
#[test]
fn the_way_is_examined() {
    let Some(stage) = Stage::set() else { return };
    let driver = stage.driver();
    driver.create(&server(), &asked("ex01.contoso.com", "ex01")).unwrap();
    let diagnoses = driver.examine().unwrap();
    let found = |examination: Examination| {
        let mut all = diagnoses[0].examined.iter();
        all.find(|examined| examined.examination == examination).unwrap_or_else(|| panic!("{diagnoses:#?}"))
    };
    for good in [
        Examination::Reachability,
        Examination::PowerShell,
        Examination::Clock,
        Examination::ExchangeSession,
        Examination::ExchangeVersion,
        Examination::Prompts,
        Examination::Services,
        Examination::DomainController,
        Examination::Certificates,
    ] {
        assert_eq!(found(good).result, ExaminationResult::Good, "{:?}", found(good));
    }
    let roles = found(Examination::Roles);
    assert!(
        roles.found.contains("Set-ImapSettings") && !roles.found.contains("Set-PopSettings"),
        "{roles:?}"
    );
    assert!(!roles.found.contains("New-ExchangeCertificate"), "{roles:?}");
    assert!(!roles.found.contains("Set-AuthConfig"), "{roles:?}");
}
