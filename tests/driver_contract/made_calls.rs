//! A plan, its script and its run make the same calls. The script writes down what `cmdlet::of_action` says; here plans of the
//! scenarios are carried out by the PowerShell driver, and what each step asks for is compared with that. One plan is enough
//! for each form that a step can have: the cmdlets and their parameters, by their names.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use certwright::{
    apply::report::StepResult,
    drivers::powershell::{
        Channel, PowerShell, PowerShellError, Request, ServerAccess, Timeouts, WindowsAccess,
    },
    exchange::cmdlet::{self, Call, Cmdlet, Operation, ServiceControl, Value},
    model::{
        action::{Action, CertRef, StepId},
        dn::TlsCertificateName,
        entry::StepOutput,
        organization::Organization,
        plan::{Plan, Step},
        service,
        site::SiteBinding,
        thumbprint::Thumbprint,
        time::Span,
    },
    pki::pem,
    ports::driver::{Driver, Observer, Wanted},
};
use serde_json::{Value as Json, json};

use crate::{
    peers::{lab_driver::OverPowerShell, lab_script, script::Part},
    support::{Rig, folders, wall_clock},
};

#[test]
fn a_run_makes_the_calls_of_its_script() {
    let all = folders::each("scenarios", "manifest.yaml", |folder| {
        let mut rig = Rig::of_folder(folder);
        let plan = rig.plan();
        let organization = rig.observe().organization;
        (folder.to_owned(), forms(&plan, &organization))
    });
    let known: BTreeSet<String> = all.iter().flat_map(|(_, forms)| forms.keys().cloned()).collect();
    let mut seen = BTreeSet::new();
    for (folder, forms) in all {
        if forms.keys().any(|form| !seen.contains(form)) {
            seen.extend(compared(&folder));
        }
    }
    let unseen: Vec<_> = known.difference(&seen).filter(|form| !is_out_of_reach(form)).collect();
    assert!(unseen.is_empty(), "no run was compared of: {unseen:#?}");
}

/// What no run over this driver does: Exchange 2007 takes files.
fn is_out_of_reach(form: &str) -> bool {
    form.contains(" -Path")
}

/// The forms of the steps of a plan.
fn forms(plan: &Plan, organization: &Organization) -> BTreeMap<String, StepId> {
    let of = |step: &Step| (form(step, organization), step.id);
    plan.steps.iter().map(of).filter(|(form, _)| !form.is_empty()).collect()
}

fn form(step: &Step, organization: &Organization) -> String {
    let name = |line: Line| match line {
        Line::Cmdlet(cmdlet) => {
            let parameters = cmdlet.parameters.iter().map(|parameter| format!(" -{}", parameter.name));
            format!("{}{}", cmdlet.name, parameters.collect::<String>())
        }
        Line::Other(text) => text.split(' ').next().unwrap().to_owned(),
    };
    lines(step, organization).into_iter().map(name).collect::<Vec<_>>().join("; ")
}

/// One call that changes something.
enum Line {
    Cmdlet(Cmdlet),
    Other(String),
}

/// The calls of a step that change something, in their order. Nobody answers in a run, so that they are unattended.
fn lines(step: &Step, organization: &Organization) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut left = cmdlet::of_action(&step.action, step.id, None, organization);
    left.reverse();
    while let Some(Call { operation, output: _ }) = left.pop() {
        match operation {
            Operation::Cmdlet(cmdlet) if is_look(cmdlet.name) => {}
            // The script waits for its answers, and a run has given them.
            Operation::Cmdlet(cmdlet) if cmdlet.name == "Get-ExchangeDiagnosticInfo" => {
                lines.push(Line::Cmdlet(cmdlet));
            }
            Operation::Cmdlet(cmdlet) => lines.push(Line::Cmdlet(cmdlet.unattended())),
            Operation::BindSite { server, site, certificate: _ } => {
                lines.push(Line::Other(format!("bind {server} {}", information(&site))));
            }
            Operation::Services { server, control, services } => {
                let verb = match control {
                    ServiceControl::Stop => "stop",
                    ServiceControl::Start => "start",
                    ServiceControl::RestartRunning => "restart",
                };
                lines
                    .extend(services.iter().map(|service| Line::Other(format!("{verb} {server} {service}"))));
            }
            Operation::RecyclePools { server, pools } => {
                lines.extend(pools.iter().map(|pool| Line::Other(format!("recycle {server} {pool}"))));
            }
            Operation::AwaitQueues { server: _ } => {}
            Operation::Around { before, during, after } => {
                let inner = before.into_iter().chain(during).chain(after);
                left.extend(inner.collect::<Vec<_>>().into_iter().rev());
            }
        }
    }
    lines
}

fn is_look(name: &str) -> bool {
    name != "Get-ExchangeDiagnosticInfo" && (name.starts_with("Get-") || name.starts_with("Export-"))
}

fn information(site: &SiteBinding) -> String {
    let host = site.host.as_ref().map_or("", |host| host.as_str());
    format!("{} {}:{}:{host}", site.site, site.address.as_deref().unwrap_or(""), site.port)
}

/// Carries a plan out, and once more when requests of it were answered.
fn compared(folder: &Path) -> BTreeSet<String> {
    let mut rig = Rig::of_folder(folder);
    let mut compared = carried_out(folder, &mut rig);
    let requests = rig.session.requests();
    let open = requests.open(rig.session.desired.request_files()).unwrap();
    if !open.is_empty() {
        for (file, request) in open {
            let request = pem::request(&request).unwrap();
            let issuer = rig.session.desired.issuer_of(file);
            let answer = rig.lab.answer(&request, issuer, None, Span::days(90)).unwrap();
            requests.put_answer(file, &answer).unwrap();
        }
        rig.reopen();
        compared.extend(carried_out(folder, &mut rig));
    }
    compared
}

/// Carries a plan out and compares the calls of each step that was done. Returns the forms of those steps.
fn carried_out(folder: &Path, rig: &mut Rig) -> BTreeSet<String> {
    rig.session.desired.limits.servers_at_once = std::num::NonZero::new(1).unwrap();
    let plan = rig.plan();
    let observed = rig.observe();
    let asked = Arc::new(Asked::default());
    let driver = over(rig, &asked);
    let organization = observed.organization;
    let reaches = |step: &Step| {
        let needed = cmdlet::needs(&step.action, step.id, &organization);
        needed.iter().all(|(server, needed)| driver.capabilities(server).contains(needed))
    };
    // What a plan is made of: versions, and what bindings have.
    let _ = driver.driver.observe(Wanted::Everything);
    if !plan.steps.iter().all(reaches) {
        return BTreeSet::new();
    }
    let report = rig.apply_telling(&plan, &driver, &|step| *asked.step.lock().unwrap() = Some(step));
    let made: BTreeMap<StepId, Thumbprint> = report
        .steps
        .iter()
        .filter_map(|(step, result)| match result {
            StepResult::Done(StepOutput::Certificate { thumbprint, .. }) => Some((*step, *thumbprint)),
            _ => None,
        })
        .collect();
    let names = names(rig);
    let mut compared = BTreeSet::new();
    let calls = asked.calls.lock().unwrap();
    for step in &plan.steps {
        if !matches!(report.steps[&step.id], StepResult::Done(_)) {
            continue;
        }
        let expected: Vec<String> = lines(step, &organization)
            .into_iter()
            .map(|line| match line {
                Line::Cmdlet(cmdlet) => written(&cmdlet, &made, &names),
                Line::Other(text) => text,
            })
            .collect();
        let empty = Vec::new();
        let calls = calls.get(&step.id).unwrap_or(&empty);
        // What is served already is not restarted.
        let skips =
            matches!(&step.action, Action::Restart { unless_served, .. } if !unless_served.is_empty());
        if !(skips && calls.is_empty()) {
            assert_eq!(*calls, expected, "{}: step {} {}", folder.display(), step.id, step.action.verb());
            compared.insert(form(step, &organization));
        }
    }
    compared
}

/// The names of the certificates that servers have, by which connectors know them.
fn names(rig: &Rig) -> BTreeMap<Thumbprint, String> {
    let organization = rig.lab.observe(Wanted::Everything).unwrap().organization;
    let stores = organization.servers.values().filter_map(|server| server.certificates.known());
    stores
        .flat_map(|store| store.0.values())
        .map(|stored| {
            let certificate = &stored.certificate;
            (certificate.thumbprint, TlsCertificateName::of(certificate).to_string())
        })
        .collect()
}

/// A cmdlet, with what stands for contents that only its caller has.
fn written(
    cmdlet: &Cmdlet,
    made: &BTreeMap<StepId, Thumbprint>,
    names: &BTreeMap<Thumbprint, String>,
) -> String {
    let thumbprint = |certificate: CertRef| match certificate {
        CertRef::Known(thumbprint) => thumbprint,
        CertRef::FromStep(step) => made[&step],
    };
    let value = |value: &Value| match value {
        Value::Switch => json!("set"),
        Value::Boolean(value) => json!(value),
        Value::Number(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::Word(word) => json!(word),
        Value::Texts(texts) => json!(texts),
        Value::Null | Value::OverrideParameters(_) => Json::Null,
        Value::Moment(at) => json!(at.to_string()),
        Value::Now => json!("now"),
        Value::Services(services) if services.is_empty() => json!("None"),
        Value::Services(services) => json!(service::list(services)),
        Value::UmStartupMode(mode) => json!(mode.to_string()),
        Value::Thumbprint(certificate) => json!(thumbprint(*certificate).to_string()),
        Value::TlsCertificateName(certificate) => json!(names[&thumbprint(*certificate)]),
        Value::Bytes(_) | Value::Password(_) => json!("content"),
        Value::Path(_) => json!("path"),
    };
    line(cmdlet.name, cmdlet.parameters.iter().map(|own| (own.name, value(&own.value))))
}

fn line<'a>(name: &str, parameters: impl Iterator<Item = (&'a str, Json)>) -> String {
    let parameters = parameters.map(|(name, value)| format!(" -{name} {value}"));
    format!("{name}{}", parameters.collect::<String>())
}

/// What was asked for in each step.
#[derive(Default)]
struct Asked {
    step: Mutex<Option<StepId>>,
    calls: Mutex<BTreeMap<StepId, Vec<String>>>,
}

/// The driver over a lab, whose script is played in this process.
fn over(rig: &Rig, asked: &Arc<Asked>) -> OverPowerShell {
    let part = Part { lab: Some(rig.base.clone()), ..Part::default() };
    let lab = certwright::drivers::lab::Lab::open(&rig.base, wall_clock()).unwrap();
    let access = rig.session.desired.servers.iter().map(|(name, server)| {
        let (part, asked) = (part.clone(), Arc::clone(asked));
        ServerAccess {
            name: name.clone(),
            fqdn: server.fqdn.clone(),
            edge: server.edge,
            connect: Box::new(move || Ok(Box::new(Here { part: part.clone(), asked: Arc::clone(&asked) }))),
            windows: WindowsAccess::Same,
            credential: None,
            patience: Timeouts::default(),
        }
    });
    OverPowerShell { driver: PowerShell::new(access.collect(), BTreeMap::new()), lab }
}

struct Here {
    part: Part,
    asked: Arc<Asked>,
}

impl Channel for Here {
    fn exchange(&mut self, id: u64, request: &Request, _: Duration) -> Result<Vec<u8>, PowerShellError> {
        if request.changes
            && !request.what_if
            && let Some(step) = *self.asked.step.lock().unwrap()
        {
            let mut calls = self.asked.calls.lock().unwrap();
            calls.entry(step).or_default().extend(asked_for(request));
        }
        let mut arguments = with_secrets(&request.arguments, request);
        on_its_server(&mut arguments);
        let json = json!({ "v": 1, "id": id, "op": request.operation, "what_if": request.what_if,
            "args": arguments });
        // Some labs have what PowerShell cannot be made to show: their servers do not answer.
        let answer = catch_unwind(AssertUnwindSafe(|| lab_script::answer(&self.part, &json)));
        let died = |_| PowerShellError::Unreachable { host: self.host().into(), said: "its lab".into() };
        Ok(serde_json::to_vec(&answer.map_err(died)?).unwrap())
    }

    fn host(&self) -> &'static str {
        "this process"
    }
}

/// What runs on a server itself is about it, and the lab has to be told.
fn on_its_server(arguments: &mut Json) {
    let server = arguments["server"]["name"].clone();
    let parameters = arguments.get_mut("call").and_then(|call| call.get_mut("parameters"));
    let Some(parameters) = parameters.and_then(Json::as_array_mut) else { return };
    if server.is_string() && parameters.iter().all(|own| own["name"] != json!("Server")) {
        parameters.push(json!({ "name": "Server", "kind": "text", "value": server }));
    }
}

fn with_secrets(value: &Json, request: &Request) -> Json {
    match value {
        Json::Object(object) => match object.get("$secret").and_then(Json::as_u64) {
            Some(place) if object.len() == 1 => {
                let secret = &request.secrets[usize::try_from(place).unwrap()];
                json!(secret.expose_text().unwrap())
            }
            _ => Json::Object(
                object.iter().map(|(name, value)| (name.clone(), with_secrets(value, request))).collect(),
            ),
        },
        Json::Array(items) => items.iter().map(|item| with_secrets(item, request)).collect(),
        other => other.clone(),
    }
}

/// The calls of a request that changes something, in the order in which the script makes them.
fn asked_for(request: &Request) -> Vec<String> {
    let arguments = &request.arguments;
    let server = arguments["server"]["name"].as_str().unwrap_or_default();
    let list = |name: &str| arguments[name].as_array().cloned().unwrap_or_default();
    let services = |verb: &str, server: &str, services: &Json| -> Vec<String> {
        let services = services.as_array().into_iter().flatten();
        services.map(|service| format!("{verb} {server} {}", service.as_str().unwrap())).collect()
    };
    let of_still = |verb: &str| -> Vec<String> {
        let each = list("still").into_iter();
        each.flat_map(|still| services(verb, still["server"]["name"].as_str().unwrap(), &still["services"]))
            .collect()
    };
    let calls = |name: &str| list(name).iter().map(call).collect::<Vec<_>>();
    match request.operation {
        "certificate.remove" => [
            services("stop", server, &arguments["while_stopped"]),
            vec![call(&arguments["call"])],
            services("start", server, &arguments["while_stopped"]),
        ]
        .concat(),
        "certificate.remove_named" => {
            [of_still("stop"), calls("clear"), calls("remove"), calls("name"), of_still("start")].concat()
        }
        "transport.drain" => ["drain", "redirect", "activate"].map(|name| call(&arguments[name])).to_vec(),
        "iis.bind" => {
            let text = |name: &str| arguments[name].as_str().unwrap();
            vec![format!(
                "bind {server} {} {}:{}:{}",
                text("site"),
                text("address"),
                arguments["port"],
                text("host")
            )]
        }
        "service.restart" if arguments["pools"] == json!(true) => {
            services("recycle", server, &arguments["services"])
        }
        "service.restart" => services("restart", server, &arguments["services"]),
        "service.resume" => services("start", server, &arguments["services"]),
        _ => [vec![call(&arguments["call"])], calls("refresh")].concat(),
    }
}

/// A call of a request, as a line.
fn call(call: &Json) -> String {
    let value = |parameter: &Json| match parameter["kind"].as_str().unwrap() {
        "switch" => json!("set"),
        "now" => json!("now"),
        "bytes" | "secret" => json!("content"),
        _ => parameter["value"].clone(),
    };
    let parameters = call["parameters"].as_array().unwrap();
    let parameters =
        parameters.iter().map(|parameter| (parameter["name"].as_str().unwrap(), value(parameter)));
    line(call["name"].as_str().unwrap(), parameters)
}
