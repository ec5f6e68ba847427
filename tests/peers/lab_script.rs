//! The driver script's operations, carried out by a lab: what a PowerShell would answer that runs the script.

use std::{
    thread,
    time::{Duration, SystemTime},
};

use base64::prelude::{BASE64_STANDARD, Engine};
use certwright::{
    drivers::lab::Lab,
    exchange::refusal::Why,
    model::{
        action::{DefaultSmtp, NamedConnector, ServerServices, ServiceGroup},
        names::{ConnectorName, ServerName},
        site::SiteBinding,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    ports::{
        FoundDrained,
        driver::{Driver, NamedRemoval, Observer, Wanted},
    },
};
use serde_json::{Value as Json, json};

use super::{
    base64,
    cmdlets::{self, Call, No, Output, set_standing, standing},
    restartable,
    script::Part,
    shown,
};
use crate::support::wall_clock;

/// What the peer answers.
pub fn answer(part: &Part, request: &Json) -> Json {
    let lab = Lab::open(part.lab.as_ref().unwrap(), wall_clock()).unwrap();
    let (operation, arguments) = (request["op"].as_str().unwrap(), &request["args"]);
    let id = &request["id"];
    let good = |result: Json| json!({ "v": 1, "id": id, "ok": true, "result": result });
    if request["what_if"] == json!(true) {
        if operation == "auth.publish" {
            return published(&lab, request);
        }
        let would = if is_there(&lab, operation, arguments) { json!([]) } else { json!([operation]) };
        return json!({ "v": 1, "id": id, "ok": true, "result": { "changed": false }, "would": would });
    }
    let is_change = is_change(request);
    part.may_fall(is_change, id, 0);
    let result = perform(part, &lab, operation, arguments);
    part.may_fall(is_change, id, 1);
    part.may_die_while(operation);
    let (message, kind) = match result {
        Ok(result) => return good(result),
        Err(No::Refused(Why::AlreadyExists(_))) => return good(json!({ "changed": false })),
        // The one that the script has no kind for: it gives on what the cmdlet said.
        Err(No::Refused(why @ Why::NotExportable)) => {
            let error = json!({ "message": why.to_string(), "kind": null, "mutated": "no",
                "cmdlet": "Export-ExchangeCertificate", "category": "InvalidOperation" });
            return json!({ "v": 1, "id": id, "ok": false, "error": error });
        }
        Err(No::Refused(why)) => (why.to_string(), kind(&why)),
        Err(No::Asks) => ("nobody answers".into(), "confirmation_required"),
        Err(No::Changed) => ("somebody has changed it since it was looked at".into(), "precondition_failed"),
        Err(No::UnknownCmdlet) => ("there is no such cmdlet".into(), "other"),
        Err(No::Other(message)) => (message, "other"),
    };
    json!({ "v": 1, "id": id, "ok": false,
        "error": { "message": message, "kind": kind, "mutated": "no", "cmdlet": operation } })
}

/// What publishing would do.
fn published(lab: &Lab, request: &Json) -> Json {
    let observed = lab.observe(Wanted::Organization).unwrap();
    let auth = observed.organization.auth.known().unwrap().clone().unwrap();
    let wanted = request["args"]["thumbprint"].as_str().and_then(|wanted| wanted.parse::<Thumbprint>().ok());
    let is_there = wanted.is_some() && auth.current == wanted;
    match auth.next.or(wanted.filter(|_| is_there)) {
        Some(next) => json!({ "v": 1, "id": request["id"], "ok": true,
            "result": { "changed": false, "next": next.to_string() },
            "would": if is_there { json!([]) } else { json!(["auth.publish"]) } }),
        None => json!({ "v": 1, "id": request["id"], "ok": false,
            "error": { "message": "no certificate is staged", "kind": "no_next", "mutated": "no" } }),
    }
}

/// Whether something is to be changed.
pub fn is_change(request: &Json) -> bool {
    let is_look = ["session.", "observe.", "iis.unused", "service.running"];
    let operation = request["op"].as_str().unwrap();
    request["what_if"] != json!(true) && !is_look.iter().any(|start| operation.starts_with(start))
}

/// What the script calls it.
fn kind(why: &Why) -> &'static str {
    match why {
        Why::NotFound(_)
        | Why::NoSuchConnector(_)
        | Why::NoSuchOverride(_)
        | Why::NoSuchBinding(_)
        | Why::NoHybridConfiguration
        | Why::NoAuthConfig => "not_found",
        Why::NoRequest(_) => "no_request",
        Why::NoNextAuthCertificate => "no_next",
        Why::IsInternalTransport => "in_use",
        _ => "other",
    }
}

/// Whether the goal of a change is there.
fn is_there(lab: &Lab, operation: &str, arguments: &Json) -> bool {
    let observed = lab.observe(Wanted::Everything).unwrap();
    let of = |name: &str| arguments[name].as_str().unwrap().to_owned();
    let server = arguments["server"]["name"].as_str().map(|name| name.parse::<ServerName>().unwrap());
    let server = server.and_then(|name| observed.organization.servers.get(&name));
    match operation {
        "certificate.import" | "certificate.complete" => {
            server.unwrap().certificate(of("thumbprint").parse().unwrap()).is_some()
        }
        "certificate.remove" => server.unwrap().certificate(of("thumbprint").parse().unwrap()).is_none(),
        "iis.bind" => {
            let bound = server.unwrap().sites.known().unwrap().get(&site(arguments)).copied().flatten();
            bound == Some(of("thumbprint").parse().unwrap())
        }
        _ => false,
    }
}

fn site(arguments: &Json) -> SiteBinding {
    let text =
        |name: &str| Some(arguments[name].as_str().unwrap().to_owned()).filter(|text| !text.is_empty());
    SiteBinding {
        site: text("site").unwrap(),
        address: text("address"),
        port: u16::try_from(arguments["port"].as_u64().unwrap()).unwrap(),
        host: text("host").map(|host| host.parse().unwrap()),
    }
}

const OF_WINDOWS: [&str; 4] =
    ["Get-WebBinding", "Win32_OperatingSystem", "Win32_Service", "certwright-roots"];

#[allow(clippy::too_many_lines, reason = "a table: an arm for each operation of the driver")]
fn perform(part: &Part, lab: &Lab, operation: &str, arguments: &Json) -> Result<Json, No> {
    let server = || arguments["server"]["name"].as_str().unwrap().parse::<ServerName>().unwrap();
    let thumbprint = || arguments["thumbprint"].as_str().unwrap().parse::<Thumbprint>().unwrap();
    let services = || texts(&arguments["services"]);
    let call = Call(&arguments["call"]);
    let changed = json!({ "changed": true });
    match operation {
        "session.hello" => {
            Ok(json!({ "ps_version": "5.1.20348.1", "language_mode": "FullLanguage", "bits": 64,
                "computer": "ADMIN01", "utc": now(part).to_string() }))
        }
        "session.open" => Ok(json!({ "answers_prompts": true })),
        "session.about" => {
            let observed = lab.observe(Wanted::Everything).unwrap();
            let seen = &observed.organization.servers[&server()];
            let count = seen.certificates.known().unwrap().0.len();
            let version = seen.version.known().map(ToString::to_string);
            Ok(json!({ "version": version, "domain_controller": "dc01.contoso.com",
                "certificates": count, "serialized": count, "with_services": count }))
        }
        "session.visible" if part.present => Ok(json!({ "visible": cmdlets::granted() })),
        "session.visible" => Ok(json!({ "visible": { "Get-ExchangeCertificate": ["Server"] } })),
        "observe.organization" => Ok(sections(lab, None, |_| true)),
        "observe.server" => Ok(sections(lab, Some(&server()), |cmdlet| !OF_WINDOWS.contains(&cmdlet))),
        "observe.windows" => Ok(sections(lab, Some(&server()), |cmdlet| OF_WINDOWS.contains(&cmdlet))),
        "certificate.create" => {
            let Output { made, text, .. } = cmdlets::run(lab, &call, None)?;
            Ok(json!({ "changed": true, "new": [base64(&made.unwrap().der.0)], "request": text }))
        }
        "certificate.export" => {
            let bundle = lab.export(&server(), thumbprint(), false)?;
            let file = if arguments["call"].is_null() { None } else { cmdlets::run(lab, &call, None)?.file };
            Ok(
                json!({ "certificate": base64(&bundle.certificate.der.0), "pfx": file.map(|file| base64(&file)) }),
            )
        }
        "certificate.enable" => {
            let keeps = arguments["keep_default"] == json!(true);
            assert!(!keeps || call.get("Force").is_none(), "-Force would say yes");
            cmdlets::run(lab, &call, keeps.then_some(DefaultSmtp::Keep)).map(|_| changed)
        }
        "certificate.remove" if arguments["is_request"] == json!(false) => {
            cmdlets::remove(lab, &server(), thumbprint(), &texts(&arguments["while_stopped"]))?;
            Ok(changed)
        }
        "certificate.import"
        | "certificate.complete"
        | "certificate.remove"
        | "setting.set"
        | "edge.synchronize"
        | "auth.stage"
        | "auth.publish"
        | "auth.clear" => cmdlets::run(lab, &call, None).map(|_| changed),
        "certificate.remove_named" => remove_named(lab, arguments).map(|()| changed),
        "override.set" => {
            let servers = arguments["refresh"].as_array().unwrap();
            let servers: Vec<ServerName> = servers.iter().map(|call| Call(call).parsed("Server")).collect();
            Ok(lab.set_im_certificate(&call.parsed("Identity"), thumbprint(), &servers).map(|()| changed)?)
        }
        "iis.bind" => {
            let observed = lab.observe(Wanted::Everything).unwrap();
            let sites = observed.organization.servers[&server()].sites.known().unwrap();
            let now = sites.get(&site(arguments)).copied().flatten();
            let shown = now.map_or_else(String::new, |own| own.to_string());
            if now != Some(thumbprint()) && arguments["expected"].as_str().is_some_and(|seen| seen != shown) {
                return Err(No::Changed);
            }
            Ok(lab.bind_site(&server(), &site(arguments), thumbprint()).map(|()| changed)?)
        }
        "iis.unused" => {
            let observed = lab.observe(Wanted::Everything).unwrap();
            let sites = observed.organization.servers[&server()].sites.known().unwrap();
            let is_bound = sites.values().flatten().any(|bound| *bound == thumbprint());
            if is_bound {
                Err(No::Other("an IIS binding has it".into()))
            } else {
                Ok(json!({ "changed": false }))
            }
        }
        "transport.drain" => {
            let target = Call(&arguments["redirect"]).parsed("Target");
            Ok(lab.drain_transport(&server(), &target, FoundDrained::Own).map(|()| changed)?)
        }
        "service.restart" => {
            let first = arguments["services"][0].as_str().unwrap();
            Ok(lab.restart(&server(), restartable(first), &[]).map(|()| changed)?)
        }
        "service.running" => {
            let still = standing(lab.path(), &server());
            let running: Vec<String> =
                services().into_iter().filter(|service| !still.contains(service)).collect();
            Ok(json!({ "running": running }))
        }
        "service.suspend" => {
            set_standing(lab.path(), &server(), &services());
            // They stand still until the certificate is gone, or somebody starts one of them.
            let is_there = || {
                let observed = lab.observe(Wanted::Store(&server())).unwrap();
                observed.organization.servers[&server()].certificate(thumbprint()).is_some()
            };
            for _ in 0..1200 {
                if !is_there() || standing(lab.path(), &server()).is_empty() {
                    break;
                }
                thread::sleep(Duration::from_millis(50));
            }
            set_standing(lab.path(), &server(), &[]);
            Ok(json!({ "changed": false }))
        }
        "service.resume" => {
            set_standing(lab.path(), &server(), &[]);
            Ok(changed)
        }
        other => Err(No::Other(format!("no such operation: {other}"))),
    }
}

fn now(part: &Part) -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    if part.present { Timestamp::from_unix(i64::try_from(since).unwrap()) } else { wall_clock() }
}

fn texts(list: &Json) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn remove_named(lab: &Lab, arguments: &Json) -> Result<(), No> {
    let list = |name: &str| arguments[name].as_array().unwrap().clone();
    let place = |entry: &Json| entry["server"]["name"].as_str().unwrap().parse::<ServerName>().unwrap();
    let connector = |call: &Json| NamedConnector {
        connector: Call(call).parsed::<ConnectorName>("Identity"),
        name: Call(call).parsed("TlsCertificateName"),
    };
    let connectors: Vec<NamedConnector> = list("name").iter().map(connector).collect();
    let certificate = |entry: &Json| (place(entry), entry["thumbprint"].as_str().unwrap().parse().unwrap());
    let certificates = list("removals").iter().map(certificate).collect();
    let group = |service: String| ServiceGroup { service: restartable(&service), services: vec![service] };
    let while_stopped: Vec<ServerServices> = list("still")
        .iter()
        .map(|entry| ServerServices {
            server: place(entry),
            groups: texts(&entry["services"]).into_iter().map(group).collect(),
        })
        .collect();
    let removal =
        NamedRemoval { certificates, connectors: &connectors, while_stopped: while_stopped.as_slice() };
    Ok(lab.remove_named(&removal, &[])?)
}

/// What is seen of a server or of the organization, as PowerShell writes it down.
fn sections(lab: &Lab, server: Option<&ServerName>, is_wanted: impl Fn(&str) -> bool) -> Json {
    let mut found = Vec::new();
    for (name, clixml) in shown(lab) {
        let of = name.split_once('.').map(|(server, _)| server);
        let cmdlet = name.split_once('.').map_or(name.as_str(), |(_, cmdlet)| cmdlet);
        if of == server.map(ServerName::as_str) && is_wanted(cmdlet) {
            found.push(json!({ "name": name, "clixml": BASE64_STANDARD.encode(clixml) }));
        }
    }
    json!({ "sections": found })
}
