//! What a session gives to whom, and what it makes of what it is told: channels that only answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use certwright::{
    drivers::powershell::{
        Channel, Credential, PowerShell, PowerShellError, Request, ServerAccess, Timeouts, WindowsAccess,
        channel::remoting::{OpenShell, RemotingChannel, Shell},
    },
    model::{
        diagnosis::{Examination, Examined},
        secret::Secret,
    },
    ports::driver::{DriverError, Observer, Wanted},
    remoting::{Command, Deadline, End, HostPolicy, Output, RemotingError},
};
use serde_json::{Value as Json, json};

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
