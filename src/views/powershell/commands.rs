//! The commands of each step: the calls of its action, written in PowerShell, with what has to be so before them.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    by_hand,
    machines::Machines,
    text::{list, plain_signs, quoted, reference},
    value,
};
use crate::{
    exchange::cmdlet::{self, Call, Cmdlet, Operation, Output, Question, ServiceControl, Value},
    exchange::shell,
    model::{
        action::{Action, CertRef, ConnectorRef, DefaultSmtp, Expectation, StepId, TlsName},
        names::ServerName,
        organization::Organization,
        plan::{Plan, Step},
        service::Service,
        site::SiteBinding,
    },
};

/// What the commands of a plan depend on.
pub(super) struct Commands<'a> {
    pub(super) plan: &'a Plan,
    pub(super) organization: &'a Organization,
    pub(super) machines: &'a Machines<'a>,
    /// The servers on which each certificate that a step makes can be found.
    homes: BTreeMap<StepId, Vec<&'a ServerName>>,
}

impl<'a> Commands<'a> {
    pub(super) fn new(plan: &'a Plan, organization: &'a Organization, machines: &'a Machines<'a>) -> Self {
        let mut homes: BTreeMap<StepId, Vec<&ServerName>> = BTreeMap::new();
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
                homes.entry(made).or_default().push(server);
            }
        }
        Self { plan, organization, machines, homes }
    }

    /// The lines of a step.
    pub(super) fn of(&self, step: &Step) -> Vec<String> {
        let mut lines: Vec<String> =
            used(&step.action).iter().map(|made| format!("$certificate{made} = Get-Made {made}")).collect();
        let commands = self.special(step).unwrap_or_else(|| self.plainly(step));
        match only_if_needed(&step.action) {
            Some(asked) => {
                lines.push(asked);
                lines.push("if ($answer -ne 'skip') {".into());
                lines.extend(commands.iter().map(|line| format!("    {line}")));
                lines.push("}".into());
            }
            None => lines.extend(commands),
        }
        lines
    }

    /// The lines of the calls of an action, or of what is done by hand.
    pub(super) fn plainly(&self, step: &Step) -> Vec<String> {
        let calls = cmdlet::of_action(&step.action, step.id, self.home(step), self.organization);
        if calls.is_empty() {
            return by_hand::lines(step, self.plan, self.organization);
        }
        calls.iter().flat_map(|call| self.call(call, step)).collect()
    }

    pub(super) fn call(&self, call: &Call, step: &Step) -> Vec<String> {
        match &call.operation {
            Operation::Cmdlet(cmdlet) => {
                let mut lines: Vec<String> = answer(cmdlet).into_iter().collect();
                let command = written(cmdlet);
                lines.extend(match &call.output {
                    Output::Names(certificate) => vec![self.named(*certificate, step)],
                    Output::Override(certificate) => overriding(&command, *certificate),
                    Output::Exported => exported(&command),
                    Output::Discarded
                    | Output::Certificate(_)
                    | Output::Request { .. }
                    | Output::Backup { .. } => vec![format!("$null = {command}")],
                    Output::None => vec![command],
                });
                lines
            }
            Operation::BindSite { server, site, certificate } => {
                let mut lines = Vec::new();
                if shell::require(self.organization, server).is_ok() {
                    lines.push(self.there(server, &reference(*certificate)));
                } else {
                    lines.push(format!("# {SHELL_IS_DOWN}"));
                }
                lines.push(self.bind_site(server, site, *certificate));
                lines
            }
            Operation::Services { server, control, services } => {
                let (server, services) = (self.on(server), list(services));
                vec![match control {
                    ServiceControl::RestartRunning => format!("Restart-Running {server} @({services})"),
                    ServiceControl::Stop => format!("Stop-Running {server} @({services}) @{{}}"),
                    ServiceControl::Start => format!("Start-Stopped {server} @({services})"),
                }]
            }
            Operation::AwaitQueues { server } => vec![format!("Wait-Queues {}", quoted(server.as_str()))],
            Operation::Around { before, during, after } => self.around(before, during, after, step),
            Operation::RecyclePools { server, pools } => {
                vec![format!("Restart-Pools {} @({})", self.on(server), list(pools))]
            }
        }
    }

    /// The server as an argument: none for one whose cmdlets are run on it.
    pub(super) fn on(&self, server: &ServerName) -> String {
        if self.machines.is_own(server) { "''".into() } else { quoted(server.as_str()) }
    }

    /// The line that looks whether a certificate is there with its key.
    pub(super) fn there(&self, server: &ServerName, thumbprint: &str) -> String {
        format!("Assert-Certificate {thumbprint} {}", self.on(server))
    }

    fn bind_site(&self, server: &ServerName, site: &SiteBinding, certificate: CertRef) -> String {
        let SiteBinding { site, address, port, host } = site;
        let address = address.as_deref().unwrap_or("*");
        let host = host.as_ref().map_or("", |host| host.as_str());
        format!(
            "Set-SiteCertificate {} {} {} {port} {} {}",
            self.on(server),
            quoted(site),
            quoted(address),
            quoted(host),
            reference(certificate)
        )
    }

    /// The name by which connectors know a certificate.
    fn named(&self, certificate: CertRef, step: &Step) -> String {
        let thumbprint = reference(certificate);
        let home = match &step.action {
            Action::Repoint { connector: ConnectorRef::Receive { server, .. }, .. } => Some(server),
            _ => self.home(step),
        };
        let machine = self.machines.machine(step.action.server());
        match home {
            Some(home) if self.machines.machine(Some(home)) == machine => {
                format!("$name = Get-TlsNameOf {thumbprint} {}", self.on(home))
            }
            _ => format!("$name = Get-TlsNameOf {thumbprint} '' -Elsewhere"),
        }
    }

    /// A server that has the certificate by which a connector of the organization is named; one that can be asked from
    /// anywhere before others.
    pub(super) fn home(&self, step: &Step) -> Option<&'a ServerName> {
        let Action::Repoint {
            connector: ConnectorRef::Send { .. } | ConnectorRef::Hybrid {},
            to: Some(TlsName::Of(certificate)),
        } = &step.action
        else {
            return None;
        };
        let servers: Vec<&ServerName> = match certificate {
            CertRef::FromStep(made) => self.homes.get(made)?.clone(),
            CertRef::Known(_) => {
                let id = step.certificate.as_ref()?;
                let change = self.plan.changes.iter().find(|change| change.certificate == *id)?;
                change.servers.iter().collect()
            }
        };
        let anywhere = servers.iter().find(|server| !self.machines.is_own(server));
        anywhere.or(servers.first()).copied()
    }
}

/// The certificates of steps that an action uses, those aside that it makes.
fn used(action: &Action) -> BTreeSet<StepId> {
    match action {
        // The answer to a request becomes the certificate, what is waited for is not there yet, and a restart names none.
        Action::Complete { .. } | Action::Await { .. } | Action::Restart { .. } => BTreeSet::new(),
        _ => action.made_by(),
    }
}

/// A cmdlet with its parameters.
pub(super) fn written(cmdlet: &Cmdlet) -> String {
    let mut text = cmdlet.name.to_owned();
    for parameter in &cmdlet.parameters {
        text.push_str(&format!(" -{}", parameter.name));
        if let Some(value) = value::written(&parameter.value) {
            text.push_str(&format!(" {value}"));
        }
    }
    text.push_str(" -ErrorAction Stop");
    text
}

/// The question whether a restart is needed, which it is not where the new certificate is served already.
fn only_if_needed(action: &Action) -> Option<String> {
    let Action::Restart { server, unless_served, .. } = action else { return None };
    let Expectation { endpoint, name, .. } = unless_served.first()?;
    let name = name.as_ref().map_or(String::new(), |name| format!(" --name {name}"));
    let look = format!(
        "certwright verify --endpoint {}://{server}:{}{name}",
        endpoint.protocol.scheme(),
        endpoint.port
    );
    Some(format!(
        "$answer = Read-Host {}",
        quoted(&plain_signs(&format!(
            "Look some minutes later what is shown there, for example: {look}. Enter restarts; type skip where the new \
             certificate is shown already"
        )))
    ))
}

pub(super) fn exported(command: &str) -> Vec<String> {
    vec![
        format!("$exported = {command}"),
        "if ($null -eq $exported -or $null -eq $exported.FileData) { throw 'Exchange exported nothing' }"
            .into(),
    ]
}

/// What a setting override has, with another certificate.
fn overriding(command: &str, certificate: CertRef) -> Vec<String> {
    vec![
        format!("$override = {command}"),
        "if ($null -eq $override) { throw 'there is no such setting override' }".into(),
        "$parameters = @($override.Parameters | Where-Object { $_ -notlike 'IMCertificateThumbprint=*' })"
            .into(),
        format!("$parameters += 'IMCertificateThumbprint=' + {}", reference(certificate)),
    ]
}

/// The answer to the question that a cmdlet asks, on the screen before it asks.
pub(super) fn answer(cmdlet: &Cmdlet) -> Option<String> {
    let Some(Question::DefaultSmtp(answer)) = cmdlet.asks else { return None };
    let text = match answer {
        DefaultSmtp::Keep => {
            "   If it asks to overwrite the default SMTP certificate, answer N (No). Enter alone would mean Yes."
        }
        DefaultSmtp::Replace => "   If it asks to overwrite the default SMTP certificate, answer Y (Yes).",
    };
    debug_assert!(cmdlet.value("Services").is_some_and(
        |value| matches!(value, Value::Services(services) if services.contains(&Service::Smtp))
    ));
    Some(format!("Write-Host {}", quoted(text)))
}

const SHELL_IS_DOWN: &str = "Without this binding the management shell does not open: start the script in a PowerShell of Windows, as administrator.";
