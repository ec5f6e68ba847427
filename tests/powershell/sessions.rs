//! What a session gives to whom, and what it makes of what it is told: channels that only answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use certwright::{
    drivers::powershell::{
        Channel, Credential, PowerShell, PowerShellError, Request, ServerAccess, Timeouts, WindowsAccess,
        channel::remoting::{OpenShell, RemotingChannel, Shell},
    },
    model::{
        action::DefaultSmtp,
        diagnosis::{Examination, Examined},
        names::ServerName,
        secret::Secret,
        service::{Service, Services},
        site::SiteBinding,
        thumbprint::Thumbprint,
    },
    ports::driver::{Driver, DriverError, Observer, Wanted},
    remoting::{Command, Deadline, End, HostPolicy, Output, RemotingError},
    wire::clixml,
};
use serde_json::{Value as Json, json};

use super::{
    peers::{
        cmdlets::granted,
        lab_driver::{OverPowerShell, Way},
        made,
        script::Part,
    },
    support::{copy_files, key_pool},
};

const PASSWORD: &str = "hunter2secret";

type Log = Arc<Mutex<Vec<String>>>;

/// Answers each operation as it is told, and notes what it was given.
struct Answers {
    name: &'static str,
    computer: Option<&'static str>,
    says: fn(&str) -> Option<Json>,
    log: Log,
}

impl Channel for Answers {
    fn exchange(&mut self, id: u64, request: &Request, _: Duration) -> Result<Vec<u8>, PowerShellError> {
        let secrets: Vec<&str> = request.secrets.iter().filter_map(Secret::expose_text).collect();
        let noted = format!("{} {} {}", self.name, request.operation, secrets.join(","));
        self.log.lock().unwrap().push(noted.trim().to_owned());
        let result = match request.operation {
            "session.hello" => json!({ "ps_version": "5.1.1", "language_mode": "FullLanguage", "bits": 64,
                "computer": self.name }),
            "session.open" => json!({ "answers_prompts": true }),
            _ => json!({ "sections": [] }),
        };
        let good = json!({ "v": 1, "id": id, "ok": true, "result": result });
        let mut answer = (self.says)(request.operation).unwrap_or(good);
        answer["id"] = json!(id);
        Ok(answer.to_string().into_bytes())
    }

    fn host(&self) -> &str {
        self.name
    }

    fn computer(&self) -> Option<&str> {
        self.computer
    }
}

type Says = fn(&str) -> Option<Json>;

fn to(
    name: &'static str,
    computer: Option<&'static str>,
    says: Says,
    log: &Log,
) -> certwright::drivers::powershell::Connect {
    let log = Arc::clone(log);
    Box::new(move || Ok(Box::new(Answers { name, computer, says, log: Arc::clone(&log) })))
}

fn driver(
    edge: bool,
    connect: certwright::drivers::powershell::Connect,
    windows: WindowsAccess,
) -> PowerShell {
    let password = Secret::new(PASSWORD.into());
    let access = ServerAccess {
        name: "EX01".parse().unwrap(),
        fqdn: "ex01.contoso.com".parse().unwrap(),
        edge,
        connect,
        windows,
        credential: Some(Credential { user: "CONTOSO\\svc".into(), password }),
        patience: Timeouts::default(),
    };
    PowerShell::new(vec![access], BTreeMap::new())
}

fn plain(_: &str) -> Option<Json> {
    None
}

/// The password goes to who opens a session with another computer, and to nobody else.
#[test]
fn a_password_goes_only_where_it_is_needed() {
    let asked = |edge: bool, windows: &dyn Fn(&Log) -> WindowsAccess| {
        let log = Log::default();
        let _ = driver(edge, to("EX01", None, plain, &log), windows(&log)).examine();
        let seen = log.lock().unwrap().clone();
        seen.into_iter().filter(|line| line.ends_with(PASSWORD)).collect::<BTreeSet<_>>()
    };
    let opened = |name: &str| format!("{name} session.open {PASSWORD}");
    let of = |names: &[&str]| names.iter().map(|name| opened(name)).collect::<BTreeSet<_>>();
    assert_eq!(asked(false, &|_| WindowsAccess::Same), of(&["EX01"]));
    assert!(asked(true, &|_| WindowsAccess::Same).is_empty(), "an Edge server is asked on itself");
    let apart = |log: &Log| WindowsAccess::Other(to("WIN01", None, plain, log));
    assert_eq!(asked(false, &apart), of(&["EX01"]), "and so are IIS and services of a server by its own ssh");
    let through = |log: &Log| WindowsAccess::Through(to("ADMIN01", None, plain, log));
    assert_eq!(asked(false, &through), of(&["EX01", "ADMIN01"]));
}

/// Where cmdlets act on whoever runs them, it has to be the one that was meant.
#[test]
fn another_computer_is_not_believed() {
    for (meant, is_believed) in [(None, true), (Some("ex01"), true), (Some("EX99"), false)] {
        let log = Log::default();
        let driver = driver(true, to("EX01", meant, plain, &log), WindowsAccess::Same);
        let error = driver.observe(Wanted::Everything).err();
        assert_eq!(error.is_none(), is_believed, "{error:?}");
        let opened = log.lock().unwrap().iter().any(|line| line.contains("session.open"));
        assert_eq!(opened, is_believed, "nothing more is said to it");
    }
}

fn found(driver: &PowerShell) -> Vec<Examined> {
    driver.examine().unwrap().remove(0).examined
}

/// Nothing that a server says shows the password, moves the cursor or has no end.
#[test]
fn what_a_server_says_is_made_harmless() {
    let says: Says = |operation| match operation {
        "session.hello" => Some(json!({ "v": 1, "ok": true, "result": { "ps_version": "5.1.2\u{1b}[31m",
            "language_mode": "FullLanguage", "bits": 64, "computer": "EX01\u{1b}[2J\r\nok all is well" } })),
        "session.open" => Some(json!({ "v": 1, "ok": true, "result": { "answers_prompts": false },
            "warnings": vec![format!("\u{1b}[31m{PASSWORD}\r\nok"); 200_000] })),
        "session.about" => {
            Some(json!({ "v": 1, "ok": true, "result": { "version": "Version 15.2 (Build 1544.4)",
            "domain_controller": "dc01\u{1b}[31m", "certificates": 1, "serialized": 1, "with_services": 1 } }))
        }
        _ => Some(json!({ "v": 1, "ok": false, "error": { "message": format!("{PASSWORD} is wrong"),
            "cmdlet": "\u{1b}[31mX", "fqid": PASSWORD, "kind": null } })),
    };
    let log = Log::default();
    let driver = driver(false, to("EX01", None, says, &log), WindowsAccess::Same);
    let all = found(&driver);
    let said = format!("{all:?}");
    assert!(!said.contains(PASSWORD) && !said.contains("\\u{1b}") && !said.contains("\\r"), "{said}");
    assert!(said.len() < 100_000, "{}", said.len());
    assert!(said.contains("[redacted] is wrong"), "{said}");
    assert!(all.iter().any(|one| one.examination == Examination::DomainController), "{said}");
}

/// Objects travel in Base64: what is in them is looked through too, and so is what is said of those that cannot be read.
#[test]
fn what_is_observed_does_not_show_the_password() {
    fn section(name: &str, form: &str, content: &str) -> Json {
        let xml = format!(
            "<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\"><Obj RefId=\"0\">\
             <MS>{content}</MS></Obj></Objs>"
        );
        let piece = BASE64_STANDARD.encode(xml);
        let value = if form == "objects" { json!([piece]) } else { json!(piece) };
        json!({ "name": name, form: value })
    }
    fn said(sections: &[Json]) -> Json {
        json!({ "v": 1, "ok": true, "result": { "sections": sections } })
    }
    let says: Says = |operation| {
        let text = |name: &str, value: &str| format!("<S N=\"{name}\">{value}</S>");
        let version = text("AdminDisplayVersion", &format!("is {PASSWORD}"));
        let name = text("Name", "EX01") + &text("Fqdn", "ex01.contoso.com");
        Some(match operation {
            "observe.organization" => said(&[
                section("Get-ExchangeServer", "clixml", &(name + &version)),
                section("Get-AcceptedDomain", "objects", &format!("<I32 N=\"x\">{PASSWORD}</I32>")),
            ]),
            "observe.server" => said(&[
                section(
                    "EX01.Get-PopSettings",
                    "objects",
                    &text("X509CertificateName", "hunter_x0032_secret"),
                ),
                section("EX01.Get-ReceiveConnector", "clixml", &text("Identity", PASSWORD)),
            ]),
            "observe.windows" => said(&[section("EX01.Win32_Service", "clixml", &text("Name", PASSWORD))]),
            _ => return None,
        })
    };
    let log = Log::default();
    let driver = driver(false, to("EX01", None, says, &log), WindowsAccess::Same);
    let observed = driver.observe(Wanted::Everything).unwrap();
    let shown = format!("{observed:?} {}", serde_json::to_string(&observed).unwrap());
    assert!(!shown.contains(PASSWORD), "{shown}");
    assert!(
        shown.contains("is [redacted]") && shown.contains("`[redacted]` is not what <I32> holds"),
        "{shown}"
    );
}

/// The account is compared with what the server itself says that it runs: the manifest need not know it.
#[test]
fn rights_are_compared_with_the_version_that_the_server_says() {
    fn says(operation: &str, version: &str) -> Option<Json> {
        let result = match operation {
            "session.about" => {
                json!({ "version": version, "certificates": 1, "serialized": 1, "with_services": 1 })
            }
            "session.visible" => {
                let mut visible = granted();
                visible.as_object_mut().unwrap().retain(|name, _| {
                    !name.contains("-UM") && !name.contains("AuthConfig") && !name.contains("SettingOverride")
                });
                json!({ "visible": visible })
            }
            _ => return None,
        };
        Some(json!({ "v": 1, "ok": true, "result": result }))
    }
    let of: [(Says, &[&str], &[&str]); 2] = [
        (
            |operation| says(operation, "Version 15.1 (Build 2507.6)"),
            &["Set-UMService", "Set-AuthConfig"],
            &[],
        ),
        (
            |operation| says(operation, "Version 14.3 (Build 123.4)"),
            &["Set-UMServer"],
            &["Set-AuthConfig", "Set-SettingOverride", "Set-UMService"],
        ),
    ];
    for (says, missed, not_missed) in of {
        let log = Log::default();
        let all = found(&driver(false, to("EX01", None, says, &log), WindowsAccess::Same));
        let roles = all.into_iter().find(|one| one.examination == Examination::Roles).unwrap();
        assert!(missed.iter().all(|name| roles.found.contains(name)), "{roles:?}");
        assert!(!not_missed.iter().any(|name| roles.found.contains(name)), "{roles:?}");
    }
}

/// There are not so many cmdlets as one server may want to show.
#[test]
fn an_observation_has_an_end() {
    let says: Says = |operation| {
        let is_look = operation.starts_with("observe.");
        is_look.then(|| {
            let section = json!({ "name": "EX01.\u{1b}[31mEvil", "objects": [] });
            json!({ "v": 1, "ok": true, "result": { "sections": vec![section; 600_000] } })
        })
    };
    let log = Log::default();
    let driver = driver(false, to("EX01", None, says, &log), WindowsAccess::Same);
    let error = driver.observe(Wanted::Everything).unwrap_err();
    assert!(matches!(error, DriverError::Unreachable { .. }), "{error:?}");
}

/// Sessions that end: each notes that it was opened, and what the first of them says after a while.
struct Ends {
    number: usize,
    /// From which session on they last.
    lasts: Arc<Mutex<usize>>,
    log: Log,
}

impl Channel for Ends {
    fn exchange(&mut self, id: u64, request: &Request, _: Duration) -> Result<Vec<u8>, PowerShellError> {
        let ended = self.number < *self.lasts.lock().unwrap();
        let error = json!({ "message": "the runspace is not open", "mutated": "no",
            "types": ["System.Management.Automation.Runspaces.InvalidRunspaceStateException"] });
        let result = match request.operation {
            "session.hello" => json!({ "ps_version": "5.1.1", "language_mode": "FullLanguage", "bits": 64 }),
            "session.open" => json!({ "answers_prompts": self.number != 2 }),
            "observe.server" if ended => {
                json!({ "sections": [{ "name": "EX01.Get-ExchangeCertificate", "error": error }] })
            }
            operation if operation.starts_with("observe.") => json!({ "sections": [] }),
            _ if ended => {
                let answer = json!({ "v": 1, "id": id, "ok": false, "error": error });
                return Ok(answer.to_string().into_bytes());
            }
            operation => {
                self.log.lock().unwrap().push(format!("{operation} in {}", self.number));
                json!({ "changed": true })
            }
        };
        Ok(json!({ "v": 1, "id": id, "ok": true, "result": result }).to_string().into_bytes())
    }

    fn host(&self) -> &'static str {
        "EX01"
    }
}

/// Exchange ends sessions that nobody uses: the next look, and the next change, which has not begun, open another one; once.
#[test]
fn a_session_that_ended_is_opened_again() {
    let (log, lasts, opened) = (Log::default(), Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (own, count, ends) = (Arc::clone(&log), Arc::clone(&opened), Arc::clone(&lasts));
    let connect: certwright::drivers::powershell::Connect = Box::new(move || {
        let mut count = count.lock().unwrap();
        *count += 1;
        Ok(Box::new(Ends { number: *count, lasts: Arc::clone(&ends), log: Arc::clone(&own) }))
    });
    let driver = driver(false, connect, WindowsAccess::Same);
    let ex01: ServerName = "EX01".parse().unwrap();
    driver.observe(Wanted::Everything).unwrap();
    assert_eq!(*opened.lock().unwrap(), 1);
    *lasts.lock().unwrap() = 2;
    driver.observe(Wanted::Servers(&[ex01.clone()].into())).unwrap();
    assert_eq!(*opened.lock().unwrap(), 2);
    // Nobody can answer No in that one, and the plan rests on it: nothing is replaced.
    let (own, smtp) = (Thumbprint::of(b"own"), Services::from([Service::Smtp]));
    let refused = driver.bind(&ex01, own, &smtp, DefaultSmtp::Keep).unwrap_err();
    assert!(matches!(refused, DriverError::Failed { lasts: true, .. }), "{refused:?}");
    assert!(log.lock().unwrap().is_empty(), "{:?}", log.lock().unwrap());
    *lasts.lock().unwrap() = 3;
    driver.start(&ex01, &["MSExchangeTransport".into()]).unwrap();
    assert_eq!(*log.lock().unwrap(), ["service.resume in 3"]);
    // One that never lasts is no session, and what it does not show is not gone.
    *lasts.lock().unwrap() = usize::MAX;
    let error = driver.observe(Wanted::Everything).unwrap_err();
    assert!(matches!(error, DriverError::Unreachable { lasts: false, .. }), "{error:?}");
    assert!(*opened.lock().unwrap() < 6, "and that is enough");
}

/// A server whose answer to a publishing is lost, done or not.
struct LosesItsAnswer {
    does: bool,
    published: Arc<Mutex<bool>>,
    log: Log,
}

impl Channel for LosesItsAnswer {
    fn exchange(
        &mut self,
        id: u64,
        request: &Request,
        patience: Duration,
    ) -> Result<Vec<u8>, PowerShellError> {
        let next = Thumbprint::of(b"next").to_string();
        let mut published = self.published.lock().unwrap();
        let (result, would) = match (request.operation, request.what_if) {
            ("session.hello", _) => {
                let hello = json!({ "ps_version": "5.1.1", "language_mode": "FullLanguage", "bits": 64, "computer": "EX01" });
                (hello, json!([]))
            }
            ("auth.publish", true) if *published => (json!({ "changed": false, "next": next }), json!([])),
            ("auth.publish", true) => (json!({ "changed": false, "next": next }), json!(["Set-AuthConfig"])),
            ("auth.publish", false) => {
                assert_eq!(request.arguments["thumbprint"], json!(next), "that one and no other");
                self.log.lock().unwrap().push("published".into());
                *published = self.does;
                return Err(PowerShellError::Deadline { host: "EX01".into(), after: patience });
            }
            _ => (json!({ "answers_prompts": true }), json!([])),
        };
        let answer = json!({ "v": 1, "id": id, "ok": true, "result": result, "would": would });
        Ok(answer.to_string().into_bytes())
    }

    fn host(&self) -> &'static str {
        "EX01"
    }
}

/// A look tells whether it was published; it is never asked for twice.
#[test]
fn a_publishing_whose_answer_is_lost_is_looked_at() {
    for does in [true, false] {
        let (log, published) = (Log::default(), Arc::new(Mutex::new(false)));
        let (own, shared) = (Arc::clone(&log), Arc::clone(&published));
        let connect: certwright::drivers::powershell::Connect = Box::new(move || {
            Ok(Box::new(LosesItsAnswer { does, published: Arc::clone(&shared), log: Arc::clone(&own) }))
        });
        let result = driver(false, connect, WindowsAccess::Same).publish_auth();
        match result {
            Ok(()) => assert!(does),
            Err(error) => {
                assert!(!does && matches!(error, DriverError::OutcomeUnknown { .. }), "{error:?}");
            }
        }
        assert_eq!(*log.lock().unwrap(), ["published"]);
    }
}

/// Somebody has given a site another certificate since the plan was made: that is so however often it is asked for, and however
/// often a step looks in between.
#[test]
fn a_binding_that_somebody_changed_stays() {
    let stage = of_lab();
    let (driver, ex01, site) = (&stage.1.driver, "EX01".parse().unwrap(), SiteBinding::default_web_site());
    let [first, stranger] = ["first", "stranger"].map(|name| {
        let bundle = made(&format!("{name}.contoso.com"));
        driver.import(&ex01, &bundle, &name.parse().unwrap(), true).unwrap();
        bundle.certificate.thumbprint
    });
    driver.observe(Wanted::Everything).unwrap();
    stage.1.lab.bind_site(&ex01, &site, stranger).unwrap();
    let own = [ex01.clone()].into();
    for _ in 0..3 {
        let refused = driver.bind_site(&ex01, &site, first).unwrap_err();
        assert!(matches!(refused, DriverError::Failed { .. }) && !refused.may_pass(), "{refused:?}");
        driver.bind(&ex01, first, &Services::from([Service::Smtp]), DefaultSmtp::Keep).unwrap();
        driver.observe(Wanted::Servers(&own)).unwrap();
    }
    let now = || {
        let seen = stage.1.lab.observe(Wanted::Everything).unwrap();
        seen.organization.servers[&ex01].sites.known().unwrap()[&site]
    };
    assert_eq!(now(), Some(stranger));
    driver.observe(Wanted::Everything).unwrap();
    driver.bind_site(&ex01, &site, first).unwrap();
    assert_eq!(now(), Some(first));
}

/// EX01 of a lab, reached by a peer.
fn of_lab() -> (tempfile::TempDir, OverPowerShell) {
    let directory = tempfile::tempdir().unwrap();
    copy_files(&key_pool(), &directory.path().join("keys"));
    let lab = "apiVersion: certwright.lab/v1\nkeys: keys\nacceptedDomains: [contoso.com]\n\
        servers:\n  EX01: { fqdn: ex01.contoso.com, version: 2019 CU14, installed: -400d }\n";
    std::fs::write(directory.path().join("lab.yaml"), lab).unwrap();
    let part = Part { lab: Some(directory.path().to_owned()), ..Part::default() };
    let driver = OverPowerShell::of_one(&part, &Way::Here);
    (directory, driver)
}

/// A session in which the connection is cut once, and which notes what it is asked.
struct Cut {
    is_cut: Arc<Mutex<bool>>,
    log: Log,
}

impl Shell for Cut {
    fn invoke(
        &mut self,
        command: &Command,
        _: HostPolicy,
        deadline: Deadline,
    ) -> Result<Output, RemotingError> {
        assert!(deadline.left().is_some(), "there is time for it");
        let (name, parameters) = command.cmdlets().next().unwrap();
        let clears = parameters
            .iter()
            .any(|(name, value)| name == "TlsCertificateName" && format!("{value:?}") == "Null");
        self.log.lock().unwrap().push(format!("{name}{}", if clears { " clears" } else { "" }));
        let mut is_cut = self.is_cut.lock().unwrap();
        if *is_cut && name == "Get-ExchangeCertificate" {
            *is_cut = false;
            return Err(RemotingError::SessionDied { host: "EX01".into(), detail: "it was cut".into() });
        }
        let (objects, written, errors, warnings, declined) = Default::default();
        Ok(Output { objects, written, errors, warnings, declined, end: End::Completed })
    }
}

/// The connection breaks while a connector names nothing: another session gives it its name back.
#[test]
fn a_cut_session_is_opened_again_to_give_a_name_back() {
    let (log, is_cut) = (Log::default(), Arc::new(Mutex::new(true)));
    let own = Arc::clone(&log);
    let open: OpenShell = Box::new(move |_| {
        own.lock().unwrap().push("opened".into());
        Ok(Box::new(Cut { is_cut: Arc::clone(&is_cut), log: Arc::clone(&own) }))
    });
    let mut channel = RemotingChannel::new("EX01".into(), open);
    let patience = Duration::from_secs(60);
    let mut ask = |id, operation, arguments| {
        let request = Request { operation, arguments, secrets: Vec::new(), changes: true, what_if: false };
        channel.exchange(id, &request, patience)
    };
    ask(1, "session.open", json!({})).unwrap();
    let set = |kind: &str, value: Json| {
        json!({ "name": "Set-SendConnector", "parameters": [
            { "name": "TlsCertificateName", "kind": kind, "value": value }] })
    };
    let error = ask(
        2,
        "certificate.remove_named",
        json!({
            "still": [], "replication_seconds": 1, "seconds": 1,
            "clear": [set("null", Json::Null)], "name": [set("text", json!("<I>CN=ca<S>CN=mail"))],
            "remove": [{ "name": "Remove-ExchangeCertificate", "parameters": [] }],
            "removals": [{ "server": { "name": "EX01" }, "thumbprint": "AB".repeat(20) }],
        }),
    )
    .unwrap_err();
    assert!(matches!(error, PowerShellError::RemotingInDoubt(_)), "{error:?}");
    let expected = [
        "opened",
        "Get-TransportService",
        "Get-AuthConfig",
        "Set-SendConnector clears",
        "Get-ExchangeCertificate",
        "opened",
        "Set-SendConnector",
    ];
    assert_eq!(*log.lock().unwrap(), expected);
}

/// A server that removes nothing and says that it did.
struct Keeps {
    shown: Vec<u8>,
    log: Log,
}

impl Shell for Keeps {
    fn invoke(&mut self, command: &Command, _: HostPolicy, _: Deadline) -> Result<Output, RemotingError> {
        let (name, _) = command.cmdlets().next().unwrap();
        self.log.lock().unwrap().push(name.to_owned());
        let is_store = name == "Get-ExchangeCertificate";
        let objects = if is_store { vec![clixml::read(&self.shown).unwrap()] } else { Vec::new() };
        let (written, errors, warnings, declined) = Default::default();
        Ok(Output { objects, written, errors, warnings, declined, end: End::Completed })
    }
}

/// It is told at the end of the time that there is, and asked a few times, not thousands of times.
#[test]
fn a_removal_that_does_nothing_comes_to_an_end() {
    let bundle = made("mail.contoso.com");
    let shown = format!(
        "<Obj RefId=\"0\"><MS><BA N=\"RawData\">{}</BA></MS></Obj>",
        BASE64_STANDARD.encode(&bundle.certificate.der.0)
    );
    let log = Log::default();
    let own = Arc::clone(&log);
    let open: OpenShell =
        Box::new(move |_| Ok(Box::new(Keeps { shown: shown.clone().into_bytes(), log: Arc::clone(&own) })));
    let mut channel = RemotingChannel::new("EX01".into(), open);
    let mut ask = |id, operation, arguments| -> Json {
        let request = Request { operation, arguments, secrets: Vec::new(), changes: true, what_if: false };
        serde_json::from_slice(&channel.exchange(id, &request, Duration::from_secs(60)).unwrap()).unwrap()
    };
    ask(1, "session.open", json!({}));
    let call = |name: &str| json!({ "name": name, "parameters": [] });
    let arguments = json!({
        "still": [], "replication_seconds": 1, "seconds": 1,
        "clear": [call("Set-SendConnector")], "name": [call("Set-SendConnector")],
        "remove": [call("Remove-ExchangeCertificate")],
        "removals": [{ "server": { "name": "EX01" }, "thumbprint": bundle.certificate.thumbprint.to_string() }],
    });
    let ended = ask(2, "certificate.remove_named", arguments);
    assert_eq!(ended["error"]["kind"], "not_reached", "{ended}");
    let asked = log.lock().unwrap().clone();
    assert_eq!(asked.last().unwrap(), "Set-SendConnector", "{asked:?}");
    let removals = asked.iter().filter(|name| *name == "Remove-ExchangeCertificate").count();
    assert!((1..=2).contains(&removals), "{asked:?}");
}
