//! Which server is asked for what is the organization's, and what becomes of a way that a server does not let in: channels that
//! only answer, and a real engine.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use certwright::{
    drivers::powershell::{
        Channel, PowerShell, PowerShellError, Request, ServerAccess, Timeouts, WindowsAccess, script,
    },
    exchange::cmdlet::Capability,
    model::{
        diagnosis::{Examination, ExaminationResult},
        names::ServerName,
        service::Restartable,
        thumbprint::Thumbprint,
    },
    ports::driver::{Driver, DriverError, Observer, Wanted},
};
use serde_json::{Value as Json, json};

use super::peers::engine::Stage;

/// A server that answers as it is told, and notes what it was asked.
struct Server {
    name: &'static str,
    says: fn(&str, &Request) -> Json,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Channel for Server {
    fn exchange(&mut self, id: u64, request: &Request, _: Duration) -> Result<Vec<u8>, PowerShellError> {
        let only = request.arguments["only"].as_array().cloned().unwrap_or_default();
        let only: Vec<&str> = only.iter().filter_map(Json::as_str).collect();
        let noted = format!("{} {} {}", self.name, request.operation, only.join(","));
        self.asked.lock().unwrap().push(noted.trim().to_owned());
        let mut answer = match request.operation {
            "session.hello" => {
                good(&json!({ "ps_version": "5.1.1", "language_mode": "FullLanguage", "bits": 64,
                "driver_sha256": "00" }))
            }
            "session.open" => {
                let open = request.arguments["open_timeout_s"].as_u64().unwrap();
                assert!(
                    open < Timeouts::default().opening.as_secs() / 2,
                    "a second try has to fit in: {open}"
                );
                good(&json!({ "answers_prompts": true }))
            }
            _ => (self.says)(self.name, request),
        };
        answer["id"] = json!(id);
        Ok(answer.to_string().into_bytes())
    }

    fn host(&self) -> &str {
        self.name
    }

    /// EX99 was sent another script than it says that it runs.
    fn script_sha256(&self) -> Option<&str> {
        (self.name == "EX99").then_some("11")
    }
}

fn good(result: &Json) -> Json {
    json!({ "v": 1, "ok": true, "result": result })
}

fn clixml(objects: &[&[(&str, &str)]]) -> String {
    let objects = objects.iter().enumerate().map(|(number, properties)| {
        let properties = properties.iter().map(|(name, value)| format!("<S N=\"{name}\">{value}</S>"));
        format!("<Obj RefId=\"{number}\"><MS>{}</MS></Obj>", properties.collect::<String>())
    });
    let text = format!(
        "<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">{}</Objs>",
        objects.collect::<String>()
    );
    BASE64_STANDARD.encode(text)
}

fn no_cmdlet(cmdlet: &str) -> Json {
    json!({ "message": "no such cmdlet", "kind": null, "mutated": "no", "cmdlet": cmdlet,
        "types": ["System.Management.Automation.CommandNotFoundException"] })
}

fn driver(names: &[&'static str], says: fn(&str, &Request) -> Json) -> (PowerShell, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let access = names.iter().map(|name| {
        let (name, asked) = (*name, Arc::clone(&asked));
        ServerAccess {
            name: name.parse().unwrap(),
            fqdn: format!("{name}.contoso.com").parse().unwrap(),
            edge: false,
            connect: Box::new(move || Ok(Box::new(Server { name, says, asked: Arc::clone(&asked) }))),
            windows: WindowsAccess::Same,
            credential: None,
            patience: Timeouts::default(),
        }
    });
    (PowerShell::new(access.collect(), BTreeMap::new()), asked)
}

const AUTH: &str = "7F3A7F3A7F3A7F3A7F3A7F3A7F3A7F3A7F3A7F3A";

/// EX01 and EX02 run Exchange 2010, which has no Auth configuration; EX03 runs 2016.
fn mixed(server: &str, request: &Request) -> Json {
    let is_old = server != "EX03";
    match request.operation {
        "observe.organization" => {
            let of = |name: &str, version| {
                let fqdn = format!("{name}.contoso.com");
                [
                    ("Name", name.to_owned()),
                    ("Fqdn", fqdn),
                    ("ServerRole", "Mailbox".to_owned()),
                    ("AdminDisplayVersion", version),
                ]
            };
            let old = || "Version 14.3 (Build 123.4)".to_owned();
            let servers =
                [of("EX01", old()), of("EX02", old()), of("EX03", "Version 15.1 (Build 2507.6)".into())];
            let servers: Vec<Vec<(&str, &str)>> = servers
                .iter()
                .map(|own| own.iter().map(|(name, value)| (*name, value.as_str())).collect())
                .collect();
            let servers: Vec<&[(&str, &str)]> = servers.iter().map(Vec::as_slice).collect();
            let auth = if is_old {
                json!({ "name": "Get-AuthConfig", "error": no_cmdlet("Get-AuthConfig") })
            } else {
                let shown = clixml(&[&[("CurrentCertificateThumbprint", AUTH)]]);
                json!({ "name": "Get-AuthConfig", "clixml": shown })
            };
            let listed = json!({ "name": "Get-ExchangeServer", "clixml": clixml(&servers) });
            let all = request.arguments["only"].is_null();
            good(&json!({ "sections": if all { vec![listed, auth] } else { vec![auth] } }))
        }
        "auth.stage" if is_old => json!({ "v": 1, "ok": false, "error": no_cmdlet("Set-AuthConfig") }),
        "auth.stage" => good(&json!({ "changed": true })),
        _ => good(&json!({ "sections": [] })),
    }
}

fn of_organization(asked: &Mutex<Vec<String>>) -> Vec<String> {
    let asked = std::mem::take(&mut *asked.lock().unwrap());
    asked.into_iter().filter(|line| line.contains("organization") || line.contains("auth.")).collect()
}

/// What one version lacks, another is asked for; one of each, and of the newest first.
#[test]
fn what_a_version_lacks_another_one_shows_and_sets() {
    let (driver, asked) = driver(&["EX01", "EX02", "EX03"], mixed);
    let certificate: Thumbprint = AUTH.parse().unwrap();
    driver.stage_auth(certificate, None).unwrap();
    assert_eq!(
        of_organization(&asked),
        ["EX01 auth.stage", "EX02 auth.stage", "EX03 auth.stage"],
        "nobody knows the versions yet"
    );
    let observed = driver.observe(Wanted::Everything).unwrap();
    let auth = observed.organization.auth.known().cloned().flatten().unwrap();
    assert_eq!(auth.current, Some(certificate));
    let looks = ["EX01 observe.organization", "EX03 observe.organization Get-AuthConfig"];
    assert_eq!(of_organization(&asked), looks, "EX02 runs what EX01 runs");
    driver.stage_auth(certificate, None).unwrap();
    assert_eq!(of_organization(&asked), ["EX03 auth.stage"], "it has shown it");
    driver.observe(Wanted::Organization).unwrap();
    assert_eq!(of_organization(&asked), ["EX03 observe.organization"], "the newest is asked first");
}

/// Nothing on the way has cut or changed the script.
#[test]
fn a_script_that_is_not_what_was_sent_is_not_asked() {
    let (driver, asked) = driver(&["EX99"], mixed);
    let DriverError::Unreachable { source, .. } = driver.observe(Wanted::Everything).unwrap_err() else {
        panic!("it is not believed")
    };
    let Some(PowerShellError::Protocol { what, .. }) = source.downcast_ref() else { panic!("{source:?}") };
    assert!(what.contains("SHA-256 00") && what.contains("11 was sent"), "{what}");
    assert_eq!(*asked.lock().unwrap(), ["EX99 session.hello"]);
}

/// The script of an engine whose Windows is another computer, and what stands in for that.
fn elsewhere(stand_ins: &str) -> String {
    let (main, definitions) = script::PARTS.split_last().unwrap();
    let windows = "function New-PSSessionOption($OpenTimeout) { }\nfunction Remove-PSSession($Session) { }\n";
    format!(
        "{}\n@STAND-INS@\n{windows}{stand_ins}\n$Session.Here = 'ADMIN01'\n{main}",
        definitions.join("\n")
    )
}

/// Windows remote management lets nobody in: that is known before anything is done, the account signs in once for each look, and
/// what was not begun leaves no doubt.
#[test]
fn windows_that_lets_nobody_in_is_no_way() {
    let Some(stage) = Stage::set() else { return };
    let log = stage.state().with_extension("signed-in");
    let refuses = format!(
        "Add-Type 'public class Refused {{ public static void Open() {{ throw new \
         System.Management.Automation.Remoting.PSRemotingTransportException(\"Access is denied.\") {{ ErrorCode = 5 }}; }} }}'\n\
         function New-PSSession($ComputerName, $Authentication, $SessionOption) {{\n\
         [System.IO.File]::AppendAllText('{}', \"$ComputerName`n\")\n[Refused]::Open() }}",
        log.display()
    );
    let driver = Stage::driver_of(stage.local(), stage.with_stand_ins(&elsewhere(&refuses)));
    let ex01: ServerName = "EX01".parse().unwrap();
    assert!(driver.capabilities(&ex01).contains(&Capability::Services), "nobody has looked");
    driver.observe(Wanted::Everything).unwrap();
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "ex01.contoso.com\n", "it signs in once");
    assert_eq!(driver.capabilities(&ex01), BTreeSet::from([Capability::ExchangeCmdlets]));
    let refusal = driver.refusal(&ex01, Capability::Services).unwrap();
    assert!(refusal.contains("Access is denied."), "{refusal}");
    let services = ["MSExchangePOP3".to_owned()];
    let refused = driver.restart(&ex01, Restartable::Pop, &services).unwrap_err();
    assert!(matches!(refused, DriverError::Unreachable { lasts: true, .. }), "{refused:?}");
    let refused = driver.start(&ex01, &services).unwrap_err();
    assert!(matches!(refused, DriverError::Unreachable { lasts: true, .. }), "{refused:?}");
}

/// Windows of another computer: one session for each request, which is closed.
#[test]
fn windows_of_another_computer_is_opened_once_and_closed() {
    let Some(stage) = Stage::set() else { return };
    let log = stage.state().with_extension("sessions");
    let opens = format!(
        "function New-PSSession($ComputerName, $Authentication, $SessionOption) {{\n\
         [System.IO.File]::AppendAllText('{0}', \"opened \")\nreturn @{{ State = 'Opened' }} }}\n\
         function Remove-PSSession($Session) {{ [System.IO.File]::AppendAllText('{0}', \"closed \") }}\n\
         function Invoke-Command($Session, $ScriptBlock, $ArgumentList) {{ & $ScriptBlock @ArgumentList }}",
        log.display()
    );
    let driver = Stage::driver_of(stage.local(), stage.with_stand_ins(&elsewhere(&opens)));
    let ex01: ServerName = "EX01".parse().unwrap();
    let observed = driver.observe(Wanted::Everything).unwrap();
    assert_eq!(
        observed.organization.servers[&ex01].runs("MSExchangePOP3"),
        Some(true),
        "{:?}",
        observed.notes
    );
    driver.restart(&ex01, Restartable::Pop, &["MSExchangePOP3".to_owned()]).unwrap();
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "opened closed opened closed ");
    assert_eq!(stage.ask("$state.Log -join ','"), "Stopped MSExchangePOP3,Running MSExchangePOP3");
}

/// Another computer answers in the place of the server.
#[test]
fn doctor_sees_another_computer() {
    let Some(stage) = Stage::set() else { return };
    let other = "function Get-CimInstance([string] $Class, [string] $Namespace) {\n\
        New-Object PSObject -Property @{ Caption = 'Windows'; CSName = 'EX02'; Name = 'X'; State = 'Running'; StartMode = 'Auto' } }";
    let (main, definitions) = script::PARTS.split_last().unwrap();
    let text = format!("{}\n@STAND-INS@\n{other}\n{main}", definitions.join("\n"));
    let driver = Stage::driver_of(stage.local(), stage.with_stand_ins(&text));
    let diagnosis = driver.examine().unwrap().remove(0);
    for each in [Examination::Iis, Examination::CertificateStore, Examination::Services] {
        let found = diagnosis.examined.iter().find(|one| one.examination == each).unwrap();
        assert_eq!(found.result, ExaminationResult::Bad, "{found:?}");
        assert!(found.found.contains("EX02"), "{found:?}");
    }
    assert!(diagnosis.examined.iter().all(|one| one.examination != Examination::Identity), "{diagnosis:?}");
}
