//! Plans as PowerShell scripts: every scenario's script parses, says each step once, and holds nothing that was observed
//! as anything but text. A few are compared whole. Where an engine is on PATH every one of them runs to its end behind
//! stand-ins, stops at what fails, goes on when it is started again, and changes nothing the third time.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use base64::prelude::{BASE64_STANDARD, Engine};
use certwright::{
    exchange::cmdlet::{self, Call, Operation, ServiceControl, Target, Value},
    model::{
        action::Action,
        names::{DnsName, ServerName},
        organization::Organization,
        plan::Plan,
        service,
        site::SiteBinding,
    },
    views::powershell,
};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use support::Rig;
use tree_sitter::{Node, Parser};

/// What every engine has.
const POWERSHELLS_OWN: [&str; 4] = ["ForEach-Object", "New-Object", "Start-Sleep", "Where-Object"];

#[test]
fn every_scenario_has_a_script_that_parses() {
    let stand_ins = fs::read_to_string("tests/plan_script/standin.psm1").unwrap();
    let (mut seen, mut left) = (0, 0);
    for entry in fs::read_dir("tests/scenarios").unwrap() {
        let folder = entry.unwrap().path();
        let (plan, script) = of(&folder);
        let name = folder.display();
        let tree = parse(&script, &format!("{name}"));
        let mut commands = Vec::new();
        names_of_commands(&script, tree.root_node(), &mut commands);
        for command in commands.into_iter().filter(|command| !POWERSHELLS_OWN.contains(command)) {
            let defines = |text: &str| {
                [' ', '('].iter().any(|after| text.contains(&format!("function {command}{after}")))
            };
            assert!(
                defines(&script) || defines(&stand_ins),
                "{name}: {command} has no stand-in, so that an engine cannot run this script"
            );
        }
        assert!(
            script.is_ascii(),
            "{name}: Windows PowerShell reads other characters as those of its code page"
        );
        let obstacles = plan.obstacles();
        let says = script.contains(", except for what cannot be done:'");
        assert_eq!(says, !obstacles.is_empty(), "{name}");
        for obstacle in &obstacles {
            left += 1;
            // Signs that Windows PowerShell would misread are others in a script.
            let plain = obstacle.message.split(|sign: char| !sign.is_ascii() || sign == '\'').next().unwrap();
            assert!(script.contains(plain), "{name}: {obstacle}");
        }
        let code = script.lines().find(|line| !line.is_empty() && !line.starts_with('#')).unwrap();
        let refuses = "if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {";
        let nothing = if says {
            "Write-Host 'No changes, except for what cannot be done:'"
        } else {
            "Write-Host 'No changes.'"
        };
        assert_eq!(code, if plan.steps.is_empty() { nothing } else { refuses }, "{name}");
        for step in &plan.steps {
            let title = match step.action {
                Action::Gate { .. } => format!("# {} gate ", step.id),
                Action::CannotApply { .. } => format!("Write-Host '{} cannot be done:'", step.id),
                _ => format!("if (Start-Step {} '{} ", step.id, step.action.verb()),
            };
            assert_eq!(script.matches(&title).count(), 1, "{name}: {title}");
        }
        seen += plan.steps.len();
    }
    assert!(seen > 300, "there were only {seen} steps");
    assert!(left > 10, "there were only {left} things that cannot be done");
}

/// What versions take differently: one without `-Server` and with files, one that asks a CA, one before load balancers,
/// one on Edge servers, one with a setting override, one that drains.
#[test]
fn scripts_say_what_each_version_takes() {
    for folder in [
        "exchange-2007-one-smtp-certificate",
        "exchange-2010-renewal",
        "request-answered-later",
        "auth-rotation",
        "edge-default-certificate-renewed",
        "im-override-forgotten",
        "drained-before-restarts",
    ] {
        let folder = Path::new("tests/scenarios").join(folder);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(std::path::absolute(&folder).unwrap());
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.remove_description();
        settings.bind(|| insta::assert_snapshot!("plan.ps1", of(&folder).1));
    }
}

/// Names that try to get out of their string: what is in quotes stays there.
#[test]
fn a_name_is_text_and_no_command() {
    let manifest = fs::read_to_string("tests/scenarios/expired/manifest.yaml").unwrap();
    let name = "it\u{2019}s; Remove-Item x #";
    let manifest = manifest
        .replace("    issuer: corp-ca\n", &format!("    issuer: corp-ca\n    friendlyName: \"{name}\"\n"));
    let mut rig = Rig::of_folder(Path::new("tests/scenarios/expired"));
    rig.change_manifest(&manifest);
    let plan = rig.plan();
    let script = script(&plan, &rig.observe().organization);
    let tree = parse(&script, "a name");
    assert!(script.contains("-FriendlyName ('it' + [char]0x2019 + 's; Remove-Item x #')"), "{script}");
    let mut commands = Vec::new();
    names_of_commands(&script, tree.root_node(), &mut commands);
    assert!(commands.contains(&"Import-ExchangeCertificate"), "{commands:?}");
    assert!(!commands.contains(&"Remove-Item"), "{commands:?}");
}

/// What a run of a script came to.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Outcome {
    runs: Vec<Run>,
    again: Vec<Run>,
    stops: Vec<Stop>,
    blind: Option<Run>,
    refused: Option<Run>,
}

/// A script on one computer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Run {
    #[serde(default)]
    computer: String,
    calls: Vec<String>,
    #[serde(default)]
    said: Vec<String>,
    failed: String,
}

/// A script of which one call fails, and its next start.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stop {
    at: usize,
    calls: Vec<String>,
    failed: String,
    resumed: String,
    same: bool,
    end: String,
    expected: String,
    standing: Vec<String>,
}

#[test]
fn every_script_runs_to_its_end_stops_at_what_fails_and_goes_on() {
    let Some(engine) = support::powershell() else { return };
    let root = tempfile::tempdir().unwrap();
    let mut expected = BTreeMap::new();
    for entry in fs::read_dir("tests/scenarios").unwrap() {
        let folder = entry.unwrap().path();
        let mut rig = Rig::of_folder(&folder);
        let plan = rig.plan();
        let organization = rig.observe().organization;
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let stage = root.path().join(&name);
        fs::create_dir(&stage).unwrap();
        fs::write(stage.join("script.ps1"), script(&plan, &organization)).unwrap();
        let computers = computers(&plan, &organization);
        fs::write(stage.join("state.json"), state(&plan, &organization, &computers).to_string()).unwrap();
        expected.insert(name, calls(&plan, &organization, &computers));
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plan_script");
    let output = Command::new(engine)
        .args(["-NoLogo", "-NoProfile", "-NonInteractive", "-File"])
        .arg(here.join("run.ps1"))
        .arg(root.path())
        .arg(here.join("standin.psm1"))
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let mut problems = Vec::new();
    let mut count = 0;
    for (name, expected) in expected {
        let text = fs::read_to_string(root.path().join(&name).join("result.json")).unwrap();
        let outcome: Outcome =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        let mut problem = |text: String| problems.push(format!("{name}: {text}"));
        for run in &outcome.runs {
            count += run.calls.len();
            if !run.failed.is_empty() {
                problem(format!("on {}: {}", run.computer, run.failed));
            }
            if run.calls != expected[&run.computer] {
                problem(format!(
                    "on {}: {:#?} instead of {:#?}",
                    run.computer, run.calls, expected[&run.computer]
                ));
            }
            // Whoever is asked has just read the answer.
            for (index, line) in run.said.iter().enumerate().filter(|(_, line)| line.starts_with("ASK")) {
                let before = run.said[..index].iter().rev().find(|line| !line.starts_with("ASK"));
                if !before.is_some_and(|line| line.contains("default SMTP certificate, answer")) {
                    problem(format!("{line} after {before:?}"));
                }
            }
        }
        for run in outcome.again.iter().filter(|run| !run.calls.is_empty() || !run.failed.is_empty()) {
            problem(format!("the second run: {:?} {}", run.calls, run.failed));
        }
        for stop in outcome.stops {
            // What was half done may be taken back: that is the one call after the one that failed.
            let after = &stop.calls[stop.at.min(stop.calls.len())..];
            let takes_back = |call: &String| {
                let back = [
                    "Remove-ExchangeCertificate",
                    "Set-SendConnector",
                    "Set-ServerComponentState",
                    "AddSslCertificate",
                ];
                back.iter().any(|name| call.starts_with(name))
            };
            if !stop.failed.contains("could not be performed") || !after.iter().all(takes_back) {
                problem(format!("call {} failed: {:?} {}", stop.at, stop.calls, stop.failed));
            }
            if !stop.standing.is_empty() {
                problem(format!("after call {}: {:?} stand still", stop.at, stop.standing));
            }
            if !stop.resumed.is_empty() || !stop.same {
                problem(format!(
                    "after call {}: {} {} instead of {}",
                    stop.at, stop.resumed, stop.end, stop.expected
                ));
            }
        }
        // A removal that is answered with N is no step that was done.
        if let Some(run) = outcome.refused
            && run.calls.iter().any(|call| call.starts_with("Remove-ExchangeCertificate"))
            && (!run.failed.contains("it is still there")
                || run.said.iter().any(|line| line == "All steps are done."))
        {
            problem(format!("with a removal that is refused: {:?} {}", run.calls, run.failed));
        }
        if let Some(run) = outcome.blind
            && !run.failed.contains("could not be performed")
            && run.calls != expected[&outcome.runs[0].computer]
        {
            problem(format!("with a read that fails: {:?} {}", run.calls, run.failed));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(count > 300, "there were only {count} calls");
}

/// The computers on which a plan's script has to be run, the one for the organization first.
fn computers(plan: &Plan, organization: &Organization) -> Vec<String> {
    let is_own = |server: &ServerName| Target::of(organization, server).is_local_only();
    let servers: BTreeSet<&ServerName> = plan.steps.iter().filter_map(|step| step.action.server()).collect();
    let own = servers.iter().filter(|server| is_own(server)).map(ToString::to_string);
    let mut hubs = organization.servers.iter().filter(|(_, server)| !server.is_edge()).peekable();
    let all_own = hubs.peek().is_some() && hubs.all(|(name, _)| is_own(name));
    let first = if all_own { None } else { Some("MGMT".to_owned()) };
    first.into_iter().chain(own).collect()
}

/// The calls that change something, for each computer in their order.
fn calls(plan: &Plan, organization: &Organization, computers: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut calls: BTreeMap<String, Vec<String>> =
        computers.iter().map(|computer| (computer.clone(), Vec::new())).collect();
    for step in &plan.steps {
        let server = step.action.server();
        let computer = server.map(ToString::to_string).filter(|name| computers.contains(name));
        let computer = computer.unwrap_or_else(|| computers[0].clone());
        let to = calls.get_mut(&computer).unwrap();
        for call in flat(cmdlet::of_action(&step.action, step.id, None, organization)) {
            if server.is_none() && is_of_another(&call, organization, computers) {
                continue;
            }
            match call.operation {
                Operation::Around { .. } | Operation::AwaitQueues { .. } => {}
                Operation::Cmdlet(cmdlet) => {
                    let reads =
                        cmdlet.name.starts_with("Get-") && cmdlet.name != "Get-ExchangeDiagnosticInfo";
                    if reads || cmdlet.name.starts_with("Export-") {
                        continue;
                    }
                    let text = |name: &str| match cmdlet.value(name) {
                        Some(Value::Text(text)) => Some(text.clone()),
                        _ => None,
                    };
                    let local = || {
                        let of_server = cmdlet.name.contains("ExchangeCertificate")
                            || cmdlet.name.contains("PopSettings")
                            || cmdlet.name.contains("ImapSettings");
                        of_server.then(|| server.map(ToString::to_string)).flatten()
                    };
                    let on = text("Server").or_else(|| text("Identity")).or_else(local).unwrap_or_default();
                    let services = match cmdlet.value("Services") {
                        Some(Value::Services(services)) if cmdlet.name.starts_with("Enable") => {
                            format!(" {}", service::list(services).replace(' ', ""))
                        }
                        _ => String::new(),
                    };
                    to.push(format!("{} {on}{services}", cmdlet.name).trim_end().to_owned());
                }
                Operation::BindSite { server, site, .. } => {
                    to.push(format!("AddSslCertificate {server} {}", information(&site)));
                }
                Operation::Services { control: ServiceControl::Start, .. } => {}
                Operation::Services { server, control, services } => {
                    let verb = if control == ServiceControl::Stop { "Stop" } else { "Restart" };
                    let runs = |name: &&String| {
                        organization.servers.get(&server).and_then(|server| server.runs(name)) != Some(false)
                    };
                    to.extend(
                        services.iter().filter(runs).map(|name| format!("{verb}-Service {server} {name}")),
                    );
                }
                Operation::RecyclePools { server, pools } => {
                    to.extend(pools.iter().map(|pool| format!("Restart-WebAppPool {server} {pool}")));
                }
            }
        }
    }
    calls
}

/// Whether a person makes the call on a server of its own, in the middle of a step of the organization.
fn is_of_another(call: &Call, organization: &Organization, computers: &[String]) -> bool {
    let is_own = |server: &ServerName| {
        Target::of(organization, server).is_local_only() && computers.first() != Some(&server.to_string())
    };
    match &call.operation {
        Operation::Services { server, .. } => is_own(server),
        Operation::Cmdlet(cmdlet) => {
            cmdlet.name == "Remove-ExchangeCertificate" && cmdlet.value("Server").is_none()
        }
        _ => false,
    }
}

/// Calls with those inside of others, in the order in which they are made.
fn flat(calls: Vec<Call>) -> Vec<Call> {
    let of = |call: Call| match call.operation {
        Operation::Around { before, during, after } => [before, during, after].concat(),
        _ => vec![call],
    };
    calls.into_iter().flat_map(of).collect()
}

fn information(site: &SiteBinding) -> String {
    let host = site.host.as_ref().map_or("", DnsName::as_str);
    format!("{}:{}:{host}", site.address.as_deref().unwrap_or("*"), site.port)
}

/// What the stand-ins have to know.
fn state(plan: &Plan, organization: &Organization, computers: &[String]) -> Json {
    let mut services: BTreeMap<&ServerName, BTreeMap<String, &str>> = BTreeMap::new();
    let mut issued = Vec::new();
    let mut answer = json!({});
    for step in &plan.steps {
        for call in flat(cmdlet::of_action(&step.action, step.id, None, organization)) {
            let Operation::Services { server, services: names, .. } = call.operation else { continue };
            let (name, known) = organization.servers.get_key_value(&server).unwrap();
            let state =
                |service: &String| if known.runs(service) == Some(false) { "Stopped" } else { "Running" };
            let states = names.into_iter().map(|service| (service.clone(), state(&service)));
            services.entry(name).or_default().extend(states);
        }
        match &step.action {
            Action::Issue { request, .. } => {
                issued.push(json!({ "subject": request.subject.to_string(), "names": request.names }));
            }
            Action::Request { request, .. } => {
                answer = json!({ "subject": request.subject.to_string(), "names": request.names });
            }
            _ => {}
        }
    }
    let servers = organization.servers.iter().map(|(name, server)| {
        let store = server.certificates.known().into_iter().flat_map(|store| store.0.values());
        let certificates = store.map(|stored| {
            let certificate = &stored.certificate;
            json!({
                "thumbprint": certificate.thumbprint.to_string(),
                "raw": BASE64_STANDARD.encode(&certificate.der.0),
                "subject": certificate.subject.to_string(),
            })
        });
        let sites = server.sites.known().into_iter().flatten().map(|(site, hash)| {
            json!({
                "site": site.site,
                "information": information(site),
                "hash": hash.map(|hash| hash.to_string()),
                "first": hash.map(|hash| hash.to_string()),
                "store": "WebHosting",
            })
        });
        let server = json!({
            "certificates": certificates.collect::<Vec<_>>(),
            "sites": sites.collect::<Vec<_>>(),
            "services": services.get(name).cloned().unwrap_or_default(),
        });
        (name.to_string(), server)
    });
    json!({
        "computers": computers,
        "servers": servers.collect::<serde_json::Map<_, _>>(),
        "settings": send_connectors(organization),
        "issued": issued,
        "answer": answer,
        "files": {},
    })
}

fn send_connectors(organization: &Organization) -> Json {
    let connectors = organization.send_connectors.known().into_iter().flatten();
    let settings = connectors.map(|(name, connector)| {
        let tls = connector.tls_certificate_name.as_ref().map(ToString::to_string);
        (format!("SendConnector {name}"), json!({ "TlsCertificateName": tls }))
    });
    Json::Object(settings.collect())
}

fn of(folder: &Path) -> (Plan, String) {
    let mut rig = Rig::of_folder(folder);
    let plan = rig.plan();
    let organization = rig.observe().organization;
    let script = script(&plan, &organization);
    (plan, script)
}

fn script(plan: &Plan, organization: &Organization) -> String {
    let mut text = Vec::new();
    powershell::plan(plan, organization, None, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn parse(script: &str, name: &str) -> tree_sitter::Tree {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).unwrap();
    let tree = parser.parse(script, None).unwrap();
    assert!(!tree.root_node().has_error(), "{name}: {}", wrong(script, tree.root_node()));
    tree
}

/// The lines at which a script is wrong.
fn wrong(script: &str, node: Node<'_>) -> String {
    let mut cursor = node.walk();
    let inner: String =
        node.children(&mut cursor).filter(Node::has_error).map(|child| wrong(script, child)).collect();
    if !inner.is_empty() || !node.has_error() {
        return inner;
    }
    let line = script.lines().nth(node.start_position().row).unwrap_or_default();
    format!("line {}: {line}\n", node.start_position().row + 1)
}

fn names_of_commands<'a>(script: &'a str, node: Node<'_>, found: &mut Vec<&'a str>) {
    if node.kind() == "command_name" {
        found.push(&script[node.byte_range()]);
    }
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        names_of_commands(script, child, found);
    }
}
