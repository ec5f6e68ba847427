//! The script in a real engine, where one is on PATH: what only an engine shows. What every driver does is the contract's
//! (`tests/driver_contract`).

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use certwright::{
    drivers::powershell::{AnswerKind, Channel, PowerShell, PowerShellError, Request, StdioChannel, script},
    exchange::refusal::Why,
    model::{
        action::{CertificateRequest, DefaultSmtp, NamedConnector, ServerServices, ServiceGroup},
        causes::with_causes,
        diagnosis::{Examination, ExaminationResult},
        dn::TlsCertificateName,
        key::KeySpec,
        names::ServerName,
        organization::Observed,
        server::Server,
        service::{Restartable, Service, Services},
        site::SiteBinding,
        thumbprint::Thumbprint,
    },
    ports::{
        FoundDrained,
        balancer::Balancers,
        driver::{Driver, DriverError, NamedRemoval, Observer, Wanted},
    },
    probe::Network,
    verify::{peers::Peers, run},
};
use serde_json::{Value as Json, json};

use super::peers::{
    engine::{PATIENCE, Stage},
    hostile::hostile,
    made,
    sshd::Sshd,
};

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

/// What a cmdlet shows is kept in memory, so it has an end; the session goes on.
#[test]
fn a_cmdlet_that_shows_no_end_is_stopped_and_hides_no_other() {
    let Some(stage) = Stage::set() else { return };
    stage.change("$state.Trouble = 'no end'");
    let look = observed(&stage.driver());
    let why = look.organization.accepted_domains.why_unknown().unwrap();
    assert!(why.contains("more objects than 20000"), "{why}");
    assert!(
        look.organization.send_connectors.why_unknown().is_none(),
        "{:?}",
        look.organization.send_connectors
    );
    assert_eq!(seen(&look).runs("MSExchangePOP3"), Some(true));
}

#[test]
fn what_is_seen_is_said_in_the_words_of_the_server() {
    let Some(stage) = Stage::set() else { return };
    let look = observed(&stage.driver());
    assert!(look.answers_prompts);
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
}

/// A cmdlet that reports a failure and has done it: the certificate is gone, and so nothing failed. What stood still for it
/// runs again, and what did not run does not.
#[test]
fn a_removal_that_reports_a_failure_is_looked_at() {
    let Some(stage) = Stage::set() else { return };
    let (driver, ex01) = (stage.driver(), server());
    let bundle = made("mail.contoso.com");
    driver.import(&ex01, &bundle, &"mail".parse().unwrap(), true).unwrap();
    let proof = run::verify(&[], &Peers::new(&driver, &Balancers::new()), &Network::default(), None).unwrap();
    let pop = ServiceGroup {
        service: Restartable::Pop,
        services: vec!["MSExchangePOP3".into(), "MSExchangePOP3BE".into()],
    };
    stage.change("$state.Trouble = 'remove'");
    driver.remove(&ex01, bundle.certificate.thumbprint, &[pop], &proof).unwrap();
    assert_eq!(stage.ask("$state.Log -join ','"), "Stopped MSExchangePOP3,Running MSExchangePOP3");
    assert_eq!(stage.ask("@($state.Certificates).Count"), "0");
}

/// IIS takes the old certificate off and fails: the server puts it back. Only the binding without a host name is meant.
#[test]
fn a_binding_that_fails_has_its_certificate_again() {
    let Some(stage) = Stage::set() else { return };
    let (driver, ex01) = (stage.driver(), server());
    let (certificate, _) = driver.create(&ex01, &asked("ex01.contoso.com", "ex01")).unwrap();
    let hashes = || stage.ask("($state.Bindings | ForEach-Object { $_.Hash }) -join ','");
    driver.bind_site(&ex01, &SiteBinding::default_web_site(), certificate).unwrap();
    assert_eq!(hashes(), format!("{certificate},{}", "AB".repeat(20)));
    let (other, _) = driver.create(&ex01, &asked("other.contoso.com", "other")).unwrap();
    stage.change("$state.Trouble = 'bind'");
    assert!(driver.bind_site(&ex01, &SiteBinding::default_web_site(), other).is_err());
    assert_eq!(hashes(), format!("{certificate},{}", "AB".repeat(20)));
}

/// The same where the old certificate is in another store than Exchange's: it comes back from there.
#[test]
fn a_binding_that_fails_has_the_certificate_of_another_store_again() {
    let Some(stage) = Stage::set() else { return };
    let (driver, ex01) = (stage.driver(), server());
    let (other, _) = driver.create(&ex01, &asked("other.contoso.com", "other")).unwrap();
    stage.change(
        "$own = $state.Bindings[0]; $own.Store = 'WebHosting'; $own.Kept = 'EF' * 20; $own.Hash = 'EF' * 20; \
         $state.Trouble = 'bind'",
    );
    assert!(driver.bind_site(&ex01, &SiteBinding::default_web_site(), other).is_err());
    assert_eq!(stage.ask("$state.Bindings[0].Hash"), "EF".repeat(20));
}

/// What remote management says is told by its number, as the engine's own exception brings it.
#[test]
fn a_session_that_cannot_be_opened_says_why() {
    let Some(stage) = Stage::set() else { return };
    for (code, kind) in [
        (5, AnswerKind::AuthenticationFailed),
        (1326, AnswerKind::AuthenticationFailed),
        (-2_144_108_485, AnswerKind::EndpointNotFound),
        (-2_144_108_526, AnswerKind::Unreachable),
    ] {
        let closed = format!(
            "Add-Type 'public class Closed {{ public void Open() {{ throw new \
             System.Management.Automation.Remoting.PSRemotingTransportException(\"x\") {{ ErrorCode = {code} }}; }} }}'\n\
             function New-ExchangeRunspace($Open, $Answers) {{ return New-Object Closed }}"
        );
        let (main, definitions) = script::PARTS.split_last().unwrap();
        let script = format!("{}\n{closed}\n{main}", definitions.join("\n"));
        let failed = Stage::driver_of(stage.local(), script).observe(Wanted::Everything).unwrap_err();
        let DriverError::Unreachable { source, lasts, .. } = &failed else { panic!("{failed:?}") };
        let Some(PowerShellError::Answered(answered)) = source.downcast_ref() else { panic!("{failed:?}") };
        assert_eq!((answered.kind, *lasts), (kind, kind != AnswerKind::Unreachable), "{code}: {answered:?}");
    }
}

/// Somebody has given the site another certificate since the driver looked: it is not taken away again.
#[test]
fn a_binding_that_somebody_changed_is_left_alone() {
    let Some(stage) = Stage::set() else { return };
    let (driver, ex01) = (stage.driver(), server());
    let (certificate, _) = driver.create(&ex01, &asked("ex01.contoso.com", "ex01")).unwrap();
    observed(&driver);
    stage.change("$state.Bindings[0].Hash = 'CD' * 20");
    let failed = driver.bind_site(&ex01, &SiteBinding::default_web_site(), certificate).unwrap_err();
    assert!(matches!(failed, DriverError::Failed { .. }) && !failed.may_pass(), "{failed:?}");
    // Whoever asks once more is refused once more, until somebody plans anew.
    let failed = driver.bind_site(&ex01, &SiteBinding::default_web_site(), certificate).unwrap_err();
    assert!(matches!(failed, DriverError::Failed { .. }), "{failed:?}");
    assert_eq!(stage.ask("$state.Bindings[0].Hash"), "CD".repeat(20));
    observed(&driver);
    driver.bind_site(&ex01, &SiteBinding::default_web_site(), certificate).unwrap();
    driver.bind_site(&ex01, &SiteBinding::default_web_site(), certificate).unwrap();
}

/// It is removed, and a service that does not start again is an error all the same. The others run.
#[test]
fn a_service_that_does_not_start_again_is_an_error() {
    let Some(stage) = Stage::set() else { return };
    let (driver, ex01) = (stage.driver(), server());
    let bundle = made("mail.contoso.com");
    driver.import(&ex01, &bundle, &"mail".parse().unwrap(), true).unwrap();
    let proof = run::verify(&[], &Peers::new(&driver, &Balancers::new()), &Network::default(), None).unwrap();
    let services = vec!["MSExchangePOP3".to_owned(), "MSExchangePOP3BE".to_owned()];
    let status = || stage.ask("($state.Services | ForEach-Object { $_.Status }) -join ','");
    stage.change("$state.Services[1].Status = 'Running'; $state.Trouble = 'start MSExchangePOP3'");
    let pop = ServiceGroup { service: Restartable::Pop, services: services.clone() };
    let failed = driver.remove(&ex01, bundle.certificate.thumbprint, &[pop], &proof).unwrap_err();
    assert!(matches!(failed, DriverError::OutcomeUnknown { .. }), "{failed:?}");
    assert!(with_causes(&failed).contains("MSExchangePOP3 (Service cannot be started)"), "{failed:?}");
    assert_eq!(stage.ask("@($state.Certificates).Count"), "0");
    assert_eq!(status(), "Stopped,Running");
    stage.change("$state.Services[0].Status = 'Running'; $state.Log = @()");
    let failed = driver.restart(&ex01, Restartable::Pop, &services).unwrap_err();
    assert!(with_causes(&failed).contains("not running again: MSExchangePOP3"), "{failed:?}");
    assert_eq!(status(), "Stopped,Running");
    assert!(stage.ask("$state.Log -join ','").ends_with("Stopped MSExchangePOP3BE,Running MSExchangePOP3BE"));
    // What was stopped counts as one that is not wanted, unless it is started.
    let failed = driver.start(&ex01, &services).unwrap_err();
    assert!(with_causes(&failed).contains("MSExchangePOP3 (Service cannot be started)"), "{failed:?}");
    stage.change("$state.Trouble = ''");
    driver.start(&ex01, &services).unwrap();
    assert_eq!(status(), "Running,Running");
}

/// A removal that reports success, and the certificate is there: there is an end, and what was cleared and stopped comes back.
#[test]
fn a_removal_that_does_nothing_comes_to_an_end() {
    let Some(stage) = Stage::set() else { return };
    let (driver, ex01) = (stage.driver(), server());
    let bundle = made("mail.contoso.com");
    driver.import(&ex01, &bundle, &"mail".parse().unwrap(), true).unwrap();
    let name = TlsCertificateName::of(&bundle.certificate);
    driver.repoint_send(&"Outbound".parse().unwrap(), Some(&name)).unwrap();
    stage.change(
        "$state.Trouble = 'stays'; $state.Services = @(New-Object PSObject -Property \
         @{ Name = 'MSExchangeTransport'; Status = 'Running' })",
    );
    let mut channel = stage.channel();
    let mut ask = |number, operation, what_if, arguments| -> Json {
        let request = Request { operation, arguments, secrets: Vec::new(), changes: true, what_if };
        serde_json::from_slice(&channel.exchange(number, &request, PATIENCE).unwrap()).unwrap()
    };
    ask(1, "session.open", false, json!({ "mode": "remote" }));
    let own = bundle.certificate.thumbprint.to_string();
    let place = json!({ "name": "EX01", "fqdn": "ex01.contoso.com" });
    let set = |kind: &str, value: Json| {
        json!({ "name": "Set-SendConnector", "parameters": [
            { "name": "Identity", "kind": "text", "value": "Outbound" },
            { "name": "TlsCertificateName", "kind": kind, "value": value }] })
    };
    let remove = json!({ "name": "Remove-ExchangeCertificate", "parameters": [
        { "name": "Thumbprint", "kind": "text", "value": own },
        { "name": "Confirm", "kind": "boolean", "value": false }] });
    let arguments = json!({
        "seconds": 30, "replication_seconds": 1,
        "still": [{ "server": place, "services": ["MSExchangeTransport"] }],
        "removals": [{ "server": place, "thumbprint": own }],
        "clear": [set("null", Json::Null)], "name": [set("text", json!(name.to_string()))], "remove": [remove],
    });
    let ended = ask(2, "certificate.remove_named", false, arguments);
    assert_eq!(ended["error"]["kind"], "not_reached", "{ended}");
    let whole = "$state.SendConnectors[0].TlsCertificateName + ' ' + $state.Services[0].Status";
    assert_eq!(stage.ask(whole), format!("{name} Running"));
    // A removal of what is gone already: whoever asks what would be done learns that nothing is left to do.
    let gone = json!({ "server": place, "local_only": false, "thumbprint": "AB".repeat(20), "is_request": false,
        "while_stopped": [], "seconds": 30, "call": remove });
    let would = ask(3, "certificate.remove", true, gone.clone());
    assert_eq!((&would["ok"], &would["would"]), (&json!(true), &json!([])), "{would}");
    assert_eq!(ask(4, "certificate.remove", false, gone)["error"]["kind"], "not_found");
}

/// Exchange ends a session while somebody looks: it is opened again, and nothing counts as gone.
#[test]
fn a_look_opens_a_session_again_that_was_cut() {
    let Some(stage) = Stage::set() else { return };
    let driver = stage.driver();
    let (own, _) = driver.create(&server(), &asked("ex01.contoso.com", "ex01")).unwrap();
    stage.change("$state.Trouble = 'cut look'");
    let look = observed(&driver);
    assert!(seen(&look).certificate(own).is_some());
    assert!(seen(&look).pop.known().is_some(), "{:?}", seen(&look).pop);
    assert!(look.organization.send_connectors.known().is_some());
}

/// Edge servers get what was set, or why not is said.
#[test]
fn edge_servers_are_synchronized() {
    let Some(stage) = Stage::set() else { return };
    let driver = stage.driver();
    driver.synchronize_edge(&server()).unwrap();
    assert_eq!(stage.ask("$state.Drained"), "copied EX01");
    stage.change("$state.Trouble = 'edge'");
    let failed = driver.synchronize_edge(&server()).unwrap_err();
    assert!(matches!(failed, DriverError::Failed { .. }) && failed.may_pass(), "{failed:?}");
    assert!(with_causes(&failed).contains("A value in the request is invalid"), "{failed:?}");
}

/// Its session is cut in the middle: the connector names what it named, and transport runs, whether it ran before or was left
/// stopped by a call that was cut off.
#[test]
fn what_was_cleared_and_stopped_comes_back_when_the_session_is_cut() {
    let Some(stage) = Stage::set() else { return };
    let (driver, ex01) = (stage.driver(), server());
    let bundle = made("mail.contoso.com");
    driver.import(&ex01, &bundle, &"mail".parse().unwrap(), true).unwrap();
    let (connector, name) = ("Outbound".parse().unwrap(), TlsCertificateName::of(&bundle.certificate));
    driver.repoint_send(&connector, Some(&name)).unwrap();
    stage.change(
        "$state.Trouble = 'cut'; $state.Services = @(New-Object PSObject -Property \
         @{ Name = 'MSExchangeTransport'; Status = 'Running' })",
    );
    let transport =
        ServiceGroup { service: Restartable::Transport, services: vec!["MSExchangeTransport".into()] };
    let while_stopped = [ServerServices { server: ex01.clone(), groups: vec![transport] }];
    let connectors = [NamedConnector { connector, name: name.clone() }];
    let removed = || {
        let certificates = vec![(ex01.clone(), bundle.certificate.thumbprint)];
        driver.remove_named(
            &NamedRemoval { certificates, connectors: &connectors, while_stopped: &while_stopped },
            &[],
        )
    };
    let whole = || stage.ask("$state.SendConnectors[0].TlsCertificateName + ' ' + $state.Services[0].Status");
    let failed = removed().unwrap_err();
    assert!(matches!(failed, DriverError::OutcomeUnknown { .. }), "{failed:?}");
    assert_eq!(whole(), format!("{name} Running"));
    assert_eq!(stage.ask("@($state.Certificates).Count"), "1");
    stage
        .change("$state.Services[0].Status = 'Stopped'; $state.SendConnectors[0].TlsCertificateName = $null");
    removed().unwrap();
    assert_eq!(whole(), format!("{name} Running"));
    assert_eq!(stage.ask("@($state.Certificates).Count"), "0");
}

/// Exchange itself removes what IIS has, whoever else names it: the driver looks before.
#[test]
fn what_iis_uses_is_not_removed_while_a_connector_names_it() {
    let Some(stage) = Stage::set() else { return };
    let (driver, ex01) = (stage.driver(), server());
    let bundle = made("mail.contoso.com");
    driver.import(&ex01, &bundle, &"mail".parse().unwrap(), true).unwrap();
    let own = bundle.certificate.thumbprint;
    let (connector, name) = ("Outbound".parse().unwrap(), TlsCertificateName::of(&bundle.certificate));
    driver.repoint_send(&connector, Some(&name)).unwrap();
    driver.bind_site(&ex01, &SiteBinding::default_web_site(), own).unwrap();
    let connectors = [NamedConnector { connector, name: name.clone() }];
    let removal =
        NamedRemoval { certificates: vec![(ex01, own)], connectors: &connectors, while_stopped: &[] };
    let failed = driver.remove_named(&removal, &[]).unwrap_err();
    assert!(with_causes(&failed).contains("the IIS binding"), "{failed:?}");
    assert_eq!(stage.ask("@($state.Certificates).Count"), "1");
    assert_eq!(stage.ask("$state.SendConnectors[0].TlsCertificateName"), name.to_string());
}

/// The caller of the first script is gone, and what it has begun goes on: whoever looks sees what comes of it.
#[test]
fn a_look_waits_for_a_change_that_goes_on() {
    let Some(stage) = Stage::set() else { return };
    stage.change("$state.Trouble = 'slow'");
    let making = stage.state().with_extension("xml.making");
    std::thread::scope(|scope| {
        let first = stage.driver();
        let begun = scope.spawn(move || first.create(&server(), &asked("ex01.contoso.com", "ex01")));
        let second = stage.driver();
        // It is there, and so is its session.
        assert!(second.examine().unwrap()[0].way.contains("this computer"));
        while !making.exists() && !begun.is_finished() {
            std::thread::sleep(Duration::from_millis(50));
        }
        let look = second.observe(Wanted::Store(&server())).unwrap();
        let (made, _) = begun.join().unwrap().unwrap();
        assert!(seen(&look).certificate(made).is_some());
    });
}

#[test]
fn services_that_run_are_restarted_and_others_are_not_touched() {
    let Some(stage) = Stage::set() else { return };
    let driver = stage.driver();
    let pop = ["MSExchangePOP3".to_owned(), "MSExchangePOP3BE".to_owned()];
    driver.restart(&server(), Restartable::Pop, &pop).unwrap();
    assert_eq!(stage.ask("$state.Log -join ','"), "Stopped MSExchangePOP3,Running MSExchangePOP3");
    assert!(driver.restart(&server(), Restartable::Pop, &["Spooler".into()]).is_err(), "not for this driver");
}

/// Nobody is left behind when certwright is gone: the script ends where its standard input does, which the system closes.
#[test]
fn the_script_ends_when_its_caller_is_gone() {
    let Some(stage) = Stage::set() else { return };
    let mut engine = Command::new(stage.engine);
    let mut engine =
        engine.args(script::arguments()).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let text = stage.script();
    let mut input = engine.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, format!("{}\n{text}", text.len()).as_bytes()).unwrap();
    drop(input);
    assert_eq!(engine.wait().unwrap().code(), Some(0));
}

/// Certificates that other programs use, and copies without a key, which Exchange does not show. What cannot be asked is unknown.
#[test]
fn windows_says_who_else_uses_a_certificate() {
    let Some(stage) = Stage::set() else { return };
    let driver = stage.driver();
    let [web, remoting, desktop] = ["web", "remoting", "desktop"].map(|name| Thumbprint::of(name.as_bytes()));
    // Where Exchange lists none at all, nobody knows what is there.
    driver.create(&server(), &asked("ex01.contoso.com", "ex01")).unwrap();
    let keyless = made("copy.contoso.com").certificate;
    let raw = BASE64_STANDARD.encode(&keyless.der.0);
    let other = BASE64_STANDARD.encode(&made("other.contoso.com").certificate.der.0);
    stage.change(&format!(
        "$state.Programs = @('{web}', '{remoting}', '{desktop}'); \
         $state.Keyless = @(, [Convert]::FromBase64String('{raw}')); \
         $state.Roots = @([Convert]::FromBase64String('{raw}'), [Convert]::FromBase64String('{other}'))"
    ));
    let observed = observed(&driver);
    let programs = seen(&observed)
        .other_programs
        .known()
        .unwrap_or_else(|| panic!("{:?}", seen(&observed).other_programs));
    let expected =
        [("Remote Desktop RDP-Tcp", desktop), ("WinRM Listener_2", remoting), ("http.sys 0.0.0.0:8443", web)];
    let found: Vec<_> = programs.iter().map(|(program, used)| (program.as_str(), *used)).collect();
    assert_eq!(found, expected);
    let copy = seen(&observed).certificate(keyless.thumbprint).unwrap();
    assert!(!copy.has_private_key);
    // It is its own CA; nothing of the store was issued by the other one.
    assert_eq!(*seen(&observed).authorities.known().unwrap(), [keyless]);
    stage.change("$state.Trouble = 'listener'");
    let unknown = self::observed(&driver);
    let why = seen(&unknown).other_programs.why_unknown();
    assert!(why.is_some_and(|why| why.contains("Access is denied")), "{why:?}");
}

/// Whatever becomes of it, transport is active again.
#[test]
fn transport_is_drained_and_active_again() {
    let Some(stage) = Stage::set() else { return };
    let driver = stage.driver();
    let (ex01, ex02) = (server(), "ex02.contoso.com".parse().unwrap());
    driver.drain_transport(&ex01, &ex02, FoundDrained::Foreign).unwrap();
    assert_eq!(stage.ask("$state.Drained"), "Draining to ex02.contoso.com Active");
    stage.change("$state.Trouble = 'redirect'; $state.Drained = ''");
    let failed = driver.drain_transport(&ex01, &ex02, FoundDrained::Foreign).unwrap_err();
    assert!(matches!(failed, DriverError::Failed { .. }), "{failed:?}");
    assert_eq!(stage.ask("$state.Drained"), "Draining Active");
    // What a run left that was cut off is taken up; what somebody else took out of service is left alone.
    stage.change("$state.Trouble = ''; $state.Component = 'Draining'; $state.Drained = ''");
    driver.drain_transport(&ex01, &ex02, FoundDrained::Own).unwrap();
    assert_eq!(stage.ask("$state.Component"), "Active");
    for (state, found) in [
        ("Inactive", FoundDrained::Foreign),
        ("Inactive", FoundDrained::Own),
        ("Draining", FoundDrained::Foreign),
    ] {
        stage.change(&format!("$state.Component = '{state}'; $state.Drained = ''"));
        let refused = driver.drain_transport(&ex01, &ex02, found).unwrap_err();
        assert!(
            matches!(&refused, DriverError::Refused(refusal) if refusal.why == Why::InMaintenance),
            "{refused:?}"
        );
        assert_eq!(stage.ask("$state.Component + $state.Drained"), state, "{found:?}");
    }
}

/// A cmdlet that never comes back: when the time for it is over, the script puts back what it has taken away before it is killed.
#[test]
fn what_is_given_up_is_put_back() {
    let Some(stage) = Stage::set() else { return };
    stage.change("$state.Trouble = 'queues hang'");
    let mut channel = stage.channel();
    let ask = |channel: &mut StdioChannel, number, operation, arguments, patience| {
        let request = Request { operation, arguments, secrets: Vec::new(), changes: true, what_if: false };
        channel.exchange(number, &request, patience)
    };
    ask(&mut channel, 1, "session.open", json!({ "mode": "remote" }), PATIENCE).unwrap();
    let component = |state: &str| {
        json!({ "name": "Set-ServerComponentState", "parameters": [
            { "name": "Identity", "kind": "text", "value": "EX01" },
            { "name": "Component", "kind": "text", "value": "HubTransport" },
            { "name": "State", "kind": "text", "value": state }] })
    };
    let arguments = json!({
        "seconds": 60, "own": false,
        "read": { "name": "Get-ServerComponentState", "parameters": [] },
        "drain": component("Draining"), "activate": component("Active"),
        "redirect": { "name": "Redirect-Message", "parameters": [
            { "name": "Server", "kind": "text", "value": "EX01" },
            { "name": "Target", "kind": "text", "value": "ex02.contoso.com" },
            { "name": "Confirm", "kind": "boolean", "value": false }] },
        "queues": { "name": "Get-Queue", "parameters": [] },
    });
    let late = ask(&mut channel, 2, "transport.drain", arguments, Duration::from_secs(20)).unwrap_err();
    assert!(matches!(late, PowerShellError::Deadline { .. }), "{late:?}");
    assert_eq!(stage.ask("$state.Drained"), "Draining to ex02.contoso.com Active");
    assert_eq!(stage.ask("$state.Component"), "Active");
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
    play(&mut StdioChannel::start(&stage.through(&sshd), &stage.script()).unwrap());
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

/// Who is asked after something was done does not know what was done.
#[test]
fn a_question_that_comes_late_leaves_doubt() {
    let Some(stage) = Stage::set() else { return };
    let (driver, ex01) = (stage.driver(), server());
    let bundle = made("mail.contoso.com");
    driver.import(&ex01, &bundle, &"mail".parse().unwrap(), true).unwrap();
    let own = bundle.certificate.thumbprint;
    stage.change("$state.Trouble = 'two questions'");
    let smtp = Services::from([Service::Smtp]);
    let enabled = driver.bind(&ex01, own, &smtp, DefaultSmtp::Keep).unwrap_err();
    assert!(matches!(enabled, DriverError::OutcomeUnknown { .. }), "{enabled:?}");
    assert_eq!(stage.ask("$state.Certificates[0].Services"), "SMTP");
    let (connector, name) = ("Outbound".parse().unwrap(), TlsCertificateName::of(&bundle.certificate));
    driver.repoint_send(&connector, Some(&name)).unwrap();
    stage.change("$state.Trouble = 'ask'");
    let connectors = [NamedConnector { connector, name }];
    let removal =
        NamedRemoval { certificates: vec![(ex01, own)], connectors: &connectors, while_stopped: &[] };
    let removed = driver.remove_named(&removal, &[]).unwrap_err();
    assert!(matches!(removed, DriverError::OutcomeUnknown { .. }), "{removed:?}");
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
