//! The commands of each step: the calls of its action, written in PowerShell.

use std::collections::BTreeMap;

use super::{
    super::human::ports,
    text::{in_this_folder, list, quoted, reference},
    value,
};
use crate::{
    exchange::cmdlet::{self, Call, Cmdlet, Operation, Output, Question, ServiceControl, Target},
    model::{
        action::{
            Action, BundleSource, CertRef, CertificateRequest, ConnectorRef, DefaultSmtp, Expectation,
            StepId, TlsName,
        },
        names::{DnsName, ServerName},
        organization::Organization,
        plan::{Plan, Step},
        site::SiteBinding,
    },
};

/// A line of the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// For the reader.
    Comment(String),
    /// For PowerShell.
    Command(String),
}

/// What the commands of a plan depend on.
pub(super) struct Commands<'a> {
    plan: &'a Plan,
    organization: &'a Organization,
    /// The server on which each certificate that a step makes can be found first.
    homes: BTreeMap<StepId, &'a ServerName>,
}

impl<'a> Commands<'a> {
    pub(super) fn new(plan: &'a Plan, organization: &'a Organization) -> Self {
        let mut homes = BTreeMap::new();
        for step in &plan.steps {
            let made = match &step.action {
                Action::Create { server, .. } => Some((step.id, server)),
                Action::Import { server, certificate: CertRef::FromStep(made), .. }
                | Action::Complete { server, certificate: CertRef::FromStep(made), .. } => {
                    Some((*made, server))
                }
                _ => None,
            };
            if let Some((made, server)) = made {
                homes.entry(made).or_insert(server);
            }
        }
        Self { plan, organization, homes }
    }

    /// The lines of a step.
    pub(super) fn of(&self, step: &Step) -> Vec<Line> {
        let calls = cmdlet::of_action(&step.action, step.id, self.home(step), self.organization);
        if calls.is_empty() {
            return by_hand(step);
        }
        let mut lines: Vec<Line> = asked_beforehand(&step.action).into_iter().collect();
        lines.extend(calls.iter().flat_map(|call| self.call(call)));
        lines
    }

    /// Whether its cmdlets have to be run on the server itself.
    pub(super) fn is_local_only(&self, server: &ServerName) -> bool {
        Target::of(self.organization, server).is_local_only()
    }

    fn call(&self, call: &Call) -> Vec<Line> {
        match &call.operation {
            Operation::Cmdlet(cmdlet) => {
                let mut lines: Vec<Line> = answer(cmdlet).into_iter().collect();
                lines.extend(with_output(&written(cmdlet), cmdlet, &call.output));
                lines
            }
            Operation::BindSite { server, site, certificate } => vec![bind_site(server, site, *certificate)],
            Operation::Services { server, control, services } => {
                vec![self.there(server, &controlled(*control, services))]
            }
            Operation::RecyclePools { server, pools } => vec![self.there(
                server,
                &format!(
                    "Import-Module WebAdministration; {} | ForEach-Object {{ Restart-WebAppPool -Name $_ }}",
                    list(pools)
                ),
            )],
        }
    }

    /// A command that is run on the server.
    fn there(&self, server: &ServerName, command: &str) -> Line {
        if self.is_local_only(server) {
            return Line::Command(command.into());
        }
        Line::Command(format!("Invoke-Command -ComputerName {} {{ {command} }}", quoted(server.as_str())))
    }

    /// A server that has the certificate by which a connector of the organization is named.
    fn home(&self, step: &Step) -> Option<&'a ServerName> {
        let Action::Repoint {
            connector: ConnectorRef::Send { .. } | ConnectorRef::Hybrid {},
            to: Some(TlsName::Of(certificate)),
        } = &step.action
        else {
            return None;
        };
        match certificate {
            CertRef::FromStep(made) => self.homes.get(made).copied(),
            CertRef::Known(_) => {
                let id = step.certificate.as_ref()?;
                self.plan.changes.iter().find(|change| change.certificate == *id)?.servers.first()
            }
        }
    }
}

/// A cmdlet with its parameters.
fn written(cmdlet: &Cmdlet) -> String {
    let mut text = cmdlet.name.to_owned();
    for parameter in &cmdlet.parameters {
        text.push_str(&format!(" -{}", parameter.name));
        if let Some(value) = value::written(&parameter.value) {
            text.push_str(&format!(" {value}"));
        }
    }
    text
}

/// The command with what becomes of its result.
fn with_output(command: &str, cmdlet: &Cmdlet, output: &Output) -> Vec<Line> {
    // Exchange 2007 writes the file itself.
    let writes_file = cmdlet.value("Path").is_some();
    let line = match output {
        Output::None => command.into(),
        Output::Discarded | Output::Certificate(CertRef::Known(_)) => format!("$null = {command}"),
        Output::Certificate(CertRef::FromStep(step)) => {
            format!("$certificate{step} = ({command}).Thumbprint")
        }
        Output::Request { .. } | Output::Backup { .. } if writes_file => command.into(),
        Output::Request { file } => {
            format!("[IO.File]::WriteAllText({}, ({command}))", in_this_folder(file))
        }
        Output::Backup { file, with_key } => {
            let bytes = if *with_key { "FileData" } else { "RawData" };
            format!("[IO.File]::WriteAllBytes({}, ({command}).{bytes})", in_this_folder(file))
        }
        Output::Exported => format!("$exported = {command}"),
        Output::Names(_) => format!("$x = {command}"),
        Output::Override(certificate) => {
            return vec![
                Line::Command(format!(
                    "$parameters = @(({command}).Parameters | Where-Object {{ $_ -notlike \
                     'IMCertificateThumbprint=*' }})"
                )),
                Line::Command(format!(
                    "$parameters += 'IMCertificateThumbprint=' + {}",
                    reference(*certificate)
                )),
            ];
        }
    };
    vec![Line::Command(line)]
}

/// `Restart-Service` returns when the services run again, and `-PassThru` shows that they do.
fn controlled(control: ServiceControl, services: &[String]) -> String {
    let services = list(services);
    match control {
        ServiceControl::Stop => format!("Stop-Service -Force -Name {services}"),
        ServiceControl::Start => format!("Start-Service -Name {services}"),
        ServiceControl::RestartRunning => format!(
            "Get-Service -Name {services} | Where-Object {{ $_.Status -eq 'Running' }} | Restart-Service -Force -PassThru"
        ),
    }
}

fn answer(cmdlet: &Cmdlet) -> Option<Line> {
    let answer = match cmdlet.asks {
        Some(Question::DefaultSmtp(DefaultSmtp::Keep)) => "No",
        Some(Question::DefaultSmtp(DefaultSmtp::Replace)) => "Yes",
        Some(Question::Confirm) | None => return None,
    };
    Some(Line::Comment(format!(
        "When it asks to overwrite the default SMTP certificate, the answer is {answer}."
    )))
}

fn bind_site(server: &ServerName, site: &SiteBinding, certificate: CertRef) -> Line {
    let SiteBinding { site, address, port, host } = site;
    let address =
        address.as_ref().map_or(String::new(), |address| format!(" -IPAddress {}", quoted(address)));
    let host = host.as_ref().map_or(String::new(), |host| format!(" -HostHeader {}", quoted(host.as_str())));
    Line::Command(format!(
        "Invoke-Command -ComputerName {} -ArgumentList {} {{ param($thumbprint) Import-Module WebAdministration; \
         (Get-WebBinding -Name {} -Protocol https -Port {port}{address}{host}).AddSslCertificate($thumbprint, 'My') }}",
        quoted(server.as_str()),
        reference(certificate),
        quoted(site)
    ))
}

/// What the script asks for before the calls of a step.
fn asked_beforehand(action: &Action) -> Option<Line> {
    let Action::Import { from: BundleSource::Backup { run, step, der: _ }, .. } = action else { return None };
    let which = run.as_ref().map_or(String::new(), |run| format!(" of run {run}"));
    let file = quoted(&format!("PFX file: the backup of step {step}{which}"));
    Some(Line::Command(format!("$backup = Read-Host {file}")))
}

/// What is not done in PowerShell.
fn by_hand(step: &Step) -> Vec<Line> {
    match &step.action {
        Action::Issue { request, .. } => issued_by_hand(step.id, request),
        Action::Await { until } => vec![pause(&format!("Go on when this is there: {until}"))],
        Action::Verify { server, expect } => met(server.as_str(), expect),
        Action::VerifyBalancer { balancer, expect } => met(balancer.as_str(), expect),
        Action::Install { balancer, certificate, .. } => {
            vec![pause(&format!("Install {certificate} with its chain and key on {balancer}, and reload it"))]
        }
        Action::Manual { task: what, until, .. } => vec![pause(&format!("{what}. Done when: {until}"))],
        Action::CannotApply { .. } => vec![Line::Comment("Nothing here does it.".into())],
        // The script is gone through in its order: whoever comes here has done what is before.
        Action::Gate { .. }
        | Action::Request { .. }
        | Action::Complete { .. }
        | Action::RemoveRequest { .. }
        | Action::Create { .. }
        | Action::Import { .. }
        | Action::Bind { .. }
        | Action::BindSite { .. }
        | Action::SetX509CertificateName { .. }
        | Action::SetUmStartupMode { .. }
        | Action::SetInternalTransport { .. }
        | Action::Repoint { .. }
        | Action::SetImCertificate { .. }
        | Action::Restart { .. }
        | Action::BackUp { .. }
        | Action::StageAuth { .. }
        | Action::PublishAuth { .. }
        | Action::ClearPreviousAuth {}
        | Action::Remove { .. } => Vec::new(),
    }
}

/// What certwright does with its own hands: a key, and a CA that signs.
fn issued_by_hand(step: StepId, request: &CertificateRequest) -> Vec<Line> {
    let names: Vec<&str> = request.names.iter().map(DnsName::as_str).collect();
    vec![
        Line::Comment(format!(
            "Have it issued with the names {}, as a PFX file with its key.",
            names.join(", ")
        )),
        Line::Command(format!("$pfx{step} = Read-Host 'Path of the PFX file of step {step}'")),
        Line::Command(format!("$password{step} = Read-Host 'Its password' -AsSecureString")),
    ]
}

/// What is seen at each endpoint has to be seen by somebody.
fn met(host: &str, expect: &[Expectation]) -> Vec<Line> {
    let mut by_certificate: BTreeMap<CertRef, Vec<Expectation>> = BTreeMap::new();
    for expectation in expect {
        by_certificate.entry(expectation.certificate).or_default().push(expectation.clone());
    }
    let shown = by_certificate
        .iter()
        .map(|(certificate, expect)| Line::Comment(format!("{certificate} at {}", ports(expect))));
    let mut lines: Vec<Line> = shown.collect();
    if let Some(Expectation { endpoint, name, .. }) = expect.first() {
        let name = name.as_ref().map_or(String::new(), |name| format!(" --name {name}"));
        let scheme = endpoint.protocol.scheme();
        lines.push(Line::Comment(format!(
            "for example: certwright verify --endpoint {scheme}://{host}:{}{name}",
            endpoint.port
        )));
        lines.push(pause(&format!("Every endpoint of {host} has to show that")));
    }
    lines
}

fn pause(text: &str) -> Line {
    Line::Command(format!("$null = Read-Host {}", quoted(&format!("{text}; then Enter"))))
}
