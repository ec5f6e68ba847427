//! The commands of each step: the calls of its action, written in PowerShell, with what has to be so before them.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    by_hand,
    machines::Machines,
    text::{list, quoted, reference},
    value,
};
use crate::{
    exchange::cmdlet::{self, Call, Cmdlet, Content, Operation, Output, Question, ServiceControl, Value},
    exchange::shell,
    model::{
        action::{Action, BundleSource, CertRef, ConnectorRef, DefaultSmtp, StepId, TlsName},
        names::ServerName,
        organization::Organization,
        plan::{Plan, Step},
        service::Service,
        site::SiteBinding,
    },
};

/// What the commands of a plan depend on.
pub(super) struct Commands<'a> {
    plan: &'a Plan,
    organization: &'a Organization,
    machines: &'a Machines<'a>,
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
        lines.extend(self.special(step).unwrap_or_else(|| self.plainly(step)));
        lines
    }

    /// The lines of an action that is more than its calls.
    fn special(&self, step: &Step) -> Option<Vec<String>> {
        let calls = || cmdlet::of_action(&step.action, step.id, self.home(step), self.organization);
        Some(match &step.action {
            Action::Request { file, .. } => requested(&calls(), file),
            Action::Complete { server, certificate, file, .. } => {
                let mut lines = vec![format!("$file = Get-Answer {}", quoted(&format!("{file}.cer")))];
                let found = "$found = Get-ThumbprintOfFile $file";
                lines.push(found.into());
                lines.push(match certificate {
                    CertRef::FromStep(made) => {
                        format!("Save-Made {made} $found; $certificate{made} = Get-Made {made}")
                    }
                    CertRef::Known(thumbprint) => format!(
                        "if ($found -ne '{thumbprint}') {{ throw 'this answer is another one than the plan was made for' }}"
                    ),
                });
                lines.extend(self.imported(server, *certificate, &calls()));
                lines
            }
            Action::Create { server, .. } => {
                let mut lines = Vec::new();
                for call in calls() {
                    let Operation::Cmdlet(cmdlet) = &call.operation else { continue };
                    lines.extend(answer(cmdlet));
                    lines.push(format!("$new = {}", written(cmdlet)));
                }
                let made = step.id;
                lines.push(format!("Save-Made {made} (ConvertTo-Certificate $new).Thumbprint"));
                lines.push(self.there(server, &format!("(Get-Made {made})")));
                lines
            }
            Action::Import { server, certificate, from, .. } => {
                let mut lines = self.opened(*certificate, server, from);
                let mut calls = calls();
                if let BundleSource::Server(source) = from
                    && self.is_elsewhere(source, server)
                {
                    calls.retain(|call| call.output != Output::Exported);
                    calls.iter_mut().for_each(taken_from_file);
                }
                lines.extend(self.imported(server, *certificate, &calls));
                lines
            }
            Action::Bind { server, certificate, .. }
            | Action::SetInternalTransport { server, certificate } => {
                let mut lines = vec![self.there(server, &reference(*certificate))];
                lines.extend(self.plainly(step));
                lines
            }
            Action::Repoint { connector: ConnectorRef::Send { name }, to } if self.comes_back(step) => {
                let name = quoted(name.as_str());
                match to {
                    None => {
                        let mut lines = vec![
                            format!(
                                "$former = [string](Get-SendConnector -Identity {name} -ErrorAction Stop).TlsCertificateName"
                            ),
                            format!(
                                "if ($former) {{ $cleared[{name}] = @{{ Step = {}; Name = $former }} }}",
                                step.id
                            ),
                        ];
                        lines.extend(self.plainly(step));
                        lines
                    }
                    Some(_) => {
                        let mut lines = self.plainly(step);
                        lines.push(format!("$cleared.Remove({name})"));
                        lines
                    }
                }
            }
            Action::PublishAuth { certificate } => {
                let mut lines = vec![
                    "# Exchange publishes it by itself within twelve hours of its date.".into(),
                    format!(
                        "if ((Get-AuthConfig -ErrorAction Stop).CurrentCertificateThumbprint -ne {}) {{",
                        reference(*certificate)
                    ),
                ];
                lines.extend(self.plainly(step).iter().map(|line| format!("    {line}")));
                lines.push("}".into());
                lines
            }
            Action::BackUp { server, certificate, with_key } => {
                let thumbprint = quoted(&certificate.to_string());
                let on = self.on(server);
                let Some(Call { operation: Operation::Cmdlet(cmdlet), output: Output::Backup { file, .. } }) =
                    calls().into_iter().next()
                else {
                    return None;
                };
                let file = quoted(&file);
                let mut lines = vec![format!("if (-not [IO.File]::Exists((Get-PlanFile {file}))) {{")];
                lines.extend(match (*with_key, cmdlet.value("Path").is_some()) {
                    (false, _) => vec![
                        format!("    $old = Find-Certificate {thumbprint} {on}"),
                        "    if (-not $old) { throw 'it is not there' }".into(),
                        format!("    Save-Bytes {file} $old.Certificate.RawData"),
                    ],
                    (true, true) => {
                        vec![
                            format!("    $file = Get-PlanFile {file}"),
                            format!("    $null = {}", written(&cmdlet)),
                        ]
                    }
                    (true, false) => vec![
                        format!("    $exported = {}", written(&cmdlet)),
                        format!("    Save-Bytes {file} $exported.FileData"),
                    ],
                });
                lines.push("}".into());
                lines
            }
            Action::Remove { server, certificate, .. }
            | Action::RemoveRequest { server, request: certificate } => {
                let find = format!("Find-Certificate {} {}", reference(*certificate), self.on(server));
                let mut lines = vec![format!("if ({find}) {{")];
                lines.extend(self.removed(&calls()));
                lines.push(format!(
                    "    if ({find}) {{ throw 'it is still there: Exchange asks first, and the answer was no' }}"
                ));
                lines.push("}".into());
                lines
            }
            _ => return None,
        })
    }

    /// The lines of the calls of an action, or of what is done by hand.
    fn plainly(&self, step: &Step) -> Vec<String> {
        let calls = cmdlet::of_action(&step.action, step.id, self.home(step), self.organization);
        if calls.is_empty() {
            return by_hand::lines(step, self.plan, self.organization);
        }
        calls.iter().flat_map(|call| self.call(call, step)).collect()
    }

    fn call(&self, call: &Call, step: &Step) -> Vec<String> {
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
                    ServiceControl::Stop => format!("$null = Stop-Running {server} @({services})"),
                    ServiceControl::Start => format!("Start-Stopped {server} @({services})"),
                }]
            }
            Operation::RecyclePools { server, pools } => {
                vec![format!("Restart-Pools {} @({})", self.on(server), list(pools))]
            }
        }
    }

    /// The server as an argument: none for one whose cmdlets are run on it.
    fn on(&self, server: &ServerName) -> String {
        if self.machines.is_own(server) { "''".into() } else { quoted(server.as_str()) }
    }

    /// The line that looks whether a certificate is there with its key.
    fn there(&self, server: &ServerName, thumbprint: &str) -> String {
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

    /// What an import reads.
    fn opened(&self, certificate: CertRef, server: &ServerName, from: &BundleSource) -> Vec<String> {
        let open = match from {
            BundleSource::Issued(issued) => format!("Get-Issued {issued}"),
            BundleSource::Server(source) if self.is_elsewhere(source, server) => {
                let what = format!("{certificate}, exported on {source}");
                format!("Open-Pfx 'from {source}' {} ''", quoted(&super::text::plain_signs(&what)))
            }
            BundleSource::Server(_) => return Vec::new(),
            BundleSource::Backup { run: Some(run), step, .. } => {
                let key = quoted(&format!("{run} {step}"));
                let what = quoted(&format!("the backup of step {step} of run {run}"));
                format!("Open-Pfx {key} {what} ''")
            }
            BundleSource::Backup { run: None, step, .. } => {
                let backup = self.plan.step(*step).map(|step| &step.action);
                let Some(Action::BackUp { server, certificate, .. }) = backup else {
                    return vec![format!("throw 'the plan has no backup in its step {step}'")];
                };
                format!("Get-Backup {}", quoted(&format!("{server}-{certificate}.pfx")))
            }
        };
        let there = format!("Find-Certificate {} {}", reference(certificate), self.on(server));
        vec![format!("if (-not ({there})) {{ $pfx = {open} }}")]
    }

    /// Whether the cmdlets of the two have to be run on different computers.
    fn is_elsewhere(&self, source: &'a ServerName, server: &'a ServerName) -> bool {
        self.machines.machine(Some(source)) != self.machines.machine(Some(server))
    }

    /// An import, unless it is there, and what it enables. Between the two SMTP would choose it and fail (facts 15, no. 10),
    /// so it does not stay when enabling fails.
    fn imported(&self, server: &ServerName, certificate: CertRef, calls: &[Call]) -> Vec<String> {
        let thumbprint = reference(certificate);
        let on = self.on(server);
        let is_enabling = |call: &&Call| matches!(&call.operation, Operation::Cmdlet(cmdlet) if cmdlet.name == "Enable-ExchangeCertificate");
        let (enabling, importing): (Vec<&Call>, Vec<&Call>) = calls.iter().partition(is_enabling);
        let commands = importing.iter().filter_map(|call| {
            let Operation::Cmdlet(cmdlet) = &call.operation else { return None };
            Some(match call.output {
                Output::Exported => exported(&written(cmdlet)),
                _ => vec![format!("$null = {}", written(cmdlet))],
            })
        });
        let mut lines = vec!["$imported = $false".to_owned()];
        lines.push(format!("if (-not (Find-Certificate {thumbprint} {on})) {{"));
        lines.extend(commands.flatten().map(|line| format!("    {line}")));
        lines.push("    $imported = $true".into());
        lines.push("}".into());
        lines.push(self.there(server, &thumbprint));
        for call in enabling {
            let Operation::Cmdlet(cmdlet) = &call.operation else { continue };
            lines.extend(answer(cmdlet));
            let remove = cmdlet::remove(cmdlet::Target::of(self.organization, server), certificate);
            lines.extend([
                format!("try {{ {} }}", written(cmdlet)),
                "catch {".into(),
                "    # Imported and not enabled it would be chosen for its names, and every handshake would fail.".into(),
                format!(
                    "    if ($imported) {{ Write-Host '   It cannot be enabled and is taken off again: answer Y.'; {} }}",
                    written(&remove)
                ),
                "    throw".into(),
                "}".into(),
            ]);
        }
        lines
    }

    /// A removal, between stopping and starting what has loaded the certificate.
    fn removed(&self, calls: &[Call]) -> Vec<String> {
        let mut lines = Vec::new();
        let stopped: Vec<(&ServerName, &Vec<String>)> = calls
            .iter()
            .filter_map(|call| match &call.operation {
                Operation::Services { server, control: ServiceControl::Stop, services } => {
                    Some((server, services))
                }
                _ => None,
            })
            .collect();
        let remove = calls.iter().find_map(|call| match &call.operation {
            Operation::Cmdlet(cmdlet) => Some(written(cmdlet)),
            _ => None,
        });
        let remove = remove.unwrap_or_default();
        if stopped.is_empty() {
            lines.push(format!("    {remove}"));
            return lines;
        }
        lines.push("    $ran = @()".into());
        lines.push("    try {".into());
        let mut on = String::new();
        for (server, services) in stopped {
            on = self.on(server);
            lines.push(format!("        $ran += Stop-Running {on} @({})", list(services)));
        }
        lines.push(format!("        {remove}"));
        lines.push("    }".into());
        lines.push(format!("    finally {{ Start-Stopped {on} $ran }}"));
        lines
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
    fn home(&self, step: &Step) -> Option<&'a ServerName> {
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

    /// Whether a send connector's name is cleared for a moment and set again.
    fn comes_back(&self, step: &Step) -> bool {
        self.plan.steps.iter().any(|other| match (&step.action, &other.action) {
            (Action::Repoint { connector, to: None }, Action::Repoint { connector: again, to: Some(_) }) => {
                other.id > step.id && connector == again
            }
            (Action::Repoint { connector, to: Some(_) }, Action::Repoint { connector: again, to: None }) => {
                other.id < step.id && connector == again
            }
            _ => false,
        })
    }
}

/// The certificates of steps that an action uses, those aside that it makes.
fn used(action: &Action) -> BTreeSet<StepId> {
    let found = RefCell::new(BTreeSet::new());
    let _ = action.with_known(&|step| {
        found.borrow_mut().insert(step);
        None
    });
    match action {
        // The answer to a request becomes the certificate, and what is waited for is not there yet.
        Action::Complete { .. } | Action::Await { .. } => BTreeSet::new(),
        _ => found.into_inner(),
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
    text.push_str(" -ErrorAction Stop");
    text
}

/// `New-ExchangeCertificate -GenerateRequest`. Exchange 2007 writes the file itself.
fn requested(calls: &[Call], file: &str) -> Vec<String> {
    let file = quoted(&format!("{file}.csr"));
    let mut lines =
        vec![format!("$file = Get-PlanFile {file}"), "if (-not [IO.File]::Exists($file)) {".into()];
    for call in calls {
        let Operation::Cmdlet(cmdlet) = &call.operation else { continue };
        if cmdlet.value("Path").is_some() {
            lines.push(format!("    $null = {}", written(cmdlet)));
        } else {
            lines.push(format!("    $request = {}", written(cmdlet)));
            lines.push("    if (-not $request) { throw 'Exchange gave no request' }".into());
            lines.push("    [IO.File]::WriteAllText($file, [string]$request)".into());
        }
    }
    lines.push("}".into());
    lines.push("Write-Host \"   The request for the CA: $file\"".into());
    lines
}

fn exported(command: &str) -> Vec<String> {
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

/// The call takes a PFX file that was carried here.
fn taken_from_file(call: &mut Call) {
    let Operation::Cmdlet(cmdlet) = &mut call.operation else { return };
    for parameter in &mut cmdlet.parameters {
        if let Value::Bytes(content) | Value::Path(content) | Value::Password(content) = &mut parameter.value
            && *content == Content::Exported
        {
            *content = Content::Backup;
        }
    }
}

/// The answer to the question that a cmdlet asks, on the screen before it asks.
fn answer(cmdlet: &Cmdlet) -> Option<String> {
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
