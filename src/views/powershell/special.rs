//! The lines of actions that are more than their calls: each looks whether it is done, and leaves nothing half done.

use std::collections::BTreeSet;

use super::{
    by_hand,
    carried::taken_from_file,
    commands::{Commands, written},
    text::{list, quoted, reference},
};
use crate::{
    exchange::cmdlet::{self, Call, Cmdlet, Operation, Output, ServiceControl, Value},
    model::{
        action::{Action, BundleSource, CertRef, ConnectorRef, Drain, TlsName},
        names::{BalancerName, ConnectorName, ServerName},
        plan::Step,
    },
};

impl<'a> Commands<'a> {
    /// The lines of an action that is more than its calls; none for others.
    pub(super) fn special(&self, step: &'a Step) -> Option<Vec<String>> {
        let calls = || cmdlet::of_action(&step.action, step.id, self.home(step), self.organization);
        Some(match &step.action {
            Action::Request { file, .. } => requested(&calls(), file),
            Action::Complete { server, certificate, file, .. } => {
                self.completed(server, *certificate, file, &calls())
            }
            Action::Create { server, .. } => self.created(step.id, server, &calls()),
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
                self.repointed(step, name, to.as_ref())
            }
            Action::Restart { server, drain: Some(drain), .. } => self.drained(server, drain, &calls(), step),
            Action::PublishAuth { certificate } => self.published(step, *certificate),
            Action::BackUp { server, certificate, with_key } => {
                self.backed_up(server, *certificate, *with_key, &calls())?
            }
            Action::Remove { server, certificate, .. }
            | Action::RemoveRequest { server, request: certificate } => {
                let find = format!("Find-Certificate {} {}", reference(*certificate), self.on(server));
                let mut lines = vec![format!("if ({find}) {{")];
                lines.extend(self.removed(&calls()));
                lines.push(format!("    if ({find}) {{ {STILL_THERE} }}"));
                lines.push("}".into());
                lines
            }
            _ => return None,
        })
    }

    /// The import of a CA's answer.
    fn completed(
        &self,
        server: &ServerName,
        certificate: CertRef,
        file: &str,
        calls: &[Call],
    ) -> Vec<String> {
        let mut lines = vec![
            format!("$file = Get-Answer {}", quoted(&format!("{file}.cer"))),
            "$found = Get-ThumbprintOfFile $file".into(),
        ];
        match certificate {
            CertRef::FromStep(made) => {
                lines.push(format!("Save-Made {made} $found"));
                lines.push(format!("$certificate{made} = Get-Made {made}"));
            }
            CertRef::Known(thumbprint) => lines.push(format!(
                "if ($found -ne '{thumbprint}') {{ throw 'this answer is another one than the plan was made for' }}"
            )),
        }
        lines.extend(self.imported(server, certificate, calls));
        lines
    }

    /// A send connector whose name is cleared for a moment: whatever happens in between, it gets it back.
    fn repointed(&self, step: &'a Step, name: &ConnectorName, to: Option<&TlsName>) -> Vec<String> {
        let name = quoted(name.as_str());
        let mut lines = Vec::new();
        if to.is_none() {
            lines.push(format!(
                "$former = [string](Get-SendConnector -Identity {name} -ErrorAction Stop).TlsCertificateName"
            ));
            lines.push(format!(
                "if ($former) {{ $cleared[{name}] = @{{ Step = {}; Name = $former }} }}",
                step.id
            ));
        }
        lines.extend(self.plainly(step));
        if to.is_some() {
            lines.push(format!("$cleared.Remove({name})"));
        }
        lines
    }

    /// A restart of a server that is taken out of what sends it messages and clients. Whatever becomes of it, it comes back.
    fn drained(&self, server: &ServerName, drain: &Drain, calls: &[Call], step: &'a Step) -> Vec<String> {
        let mut lines = Vec::new();
        for call in calls {
            let Operation::Around { before, during, after } = &call.operation else {
                lines.extend(self.call(call, step));
                continue;
            };
            let indented = |calls: &[Call]| -> Vec<String> {
                let all = calls.iter().flat_map(|call| self.call(call, step));
                all.map(|line| format!("    {line}")).collect()
            };
            lines.extend(before.iter().flat_map(|call| self.call(call, step)));
            lines.push("try {".into());
            lines.extend(indented(during));
            lines.push("}".into());
            lines.push("finally {".into());
            lines.extend(indented(after));
            lines.push("}".into());
        }
        let balancers: Vec<&str> = drain.balancers.iter().map(BalancerName::as_str).collect();
        if balancers.is_empty() {
            return lines;
        }
        let balancers = balancers.join(", ");
        let mut around = vec![
            by_hand::pause(&format!(
                "Have {balancers} send no new clients to {server}, and wait until those that it has are gone. Go on then"
            )),
            "try {".into(),
        ];
        around.extend(lines.iter().map(|line| format!("    {line}")));
        around.push("}".into());
        let back = by_hand::pause(&format!("Have {balancers} send clients to {server} again. Go on then"));
        around.push(format!("finally {{ {back} }}"));
        around
    }

    fn published(&self, step: &'a Step, certificate: CertRef) -> Vec<String> {
        let current = "(Get-AuthConfig -ErrorAction Stop).CurrentCertificateThumbprint";
        let mut lines = vec![
            "# Exchange publishes it by itself within twelve hours of its date.".to_owned(),
            format!("if ({current} -ne {}) {{", reference(certificate)),
        ];
        lines.extend(self.plainly(step).iter().map(|line| format!("    {line}")));
        lines.push("}".into());
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
        lines.push("    $ran = @{}".into());
        lines.push("    try {".into());
        let mut on = BTreeSet::new();
        for (server, services) in stopped {
            let server = self.on(server);
            lines.push(format!("        Stop-Running {server} @({}) $ran", list(services)));
            on.insert(server);
        }
        lines.push(format!("        {remove}"));
        lines.push("    }".into());
        let started = on.iter().map(|on| format!("Start-Stopped {on} $ran[{on}]"));
        lines.push(format!("    finally {{ {} }}", started.collect::<Vec<_>>().join("; ")));
        lines
    }

    /// What is done only while services stand still and connectors have no name. Whatever becomes of it, each of them is set
    /// right again, and what could not be is said.
    pub(super) fn around(
        &self,
        before: &[Call],
        during: &[Call],
        after: &[Call],
        step: &Step,
    ) -> Vec<String> {
        let mut lines = vec!["$ran = @{}".to_owned(), "$failed = @()".into(), "try {".into()];
        let mut inner = |line: String| lines.push(format!("    {line}"));
        for call in before {
            match &call.operation {
                Operation::Services { server, services, .. } if self.has_own_machine(server) => {
                    inner(on_other(server, &format!("Stop-Service -Force -Name {}", list(services))));
                }
                Operation::Services { server, control: ServiceControl::Stop, services } => inner(format!(
                    "Stop-Running {on} @({names}) $ran",
                    on = self.on(server),
                    names = list(services)
                )),
                _ => self.call(call, step).into_iter().for_each(&mut inner),
            }
        }
        inner(by_hand::pause(
            "Every domain controller has to have the change: repadmin /syncall /AdeP. Go on when that is done",
        ));
        for (index, call) in during.iter().enumerate() {
            let server = match &step.action {
                Action::RemoveNamed { certificates, .. } => {
                    certificates.get(index).map(|stored| &stored.server)
                }
                _ => None,
            };
            if let Some(server) = server.filter(|server| self.has_own_machine(server)) {
                inner(on_other(server, &self.call(call, step).join("; ")));
                continue;
            }
            let there = match &call.operation {
                Operation::Cmdlet(cmdlet) => presence(cmdlet),
                _ => None,
            };
            let command = self.call(call, step).join("; ");
            inner(match there {
                Some(there) => format!("if ({there}) {{ {command}; if ({there}) {{ {STILL_THERE} }} }}"),
                None => command,
            });
        }
        lines.push("}".into());
        lines.push("finally {".into());
        let mut inner = |line: &str| lines.push(format!("    try {{ {line} }} catch {{ $failed += $_ }}"));
        let mut started = BTreeSet::new();
        for call in after {
            match &call.operation {
                Operation::Services { server, services, .. } if self.has_own_machine(server) => {
                    inner(&on_other(server, &format!("Start-Service -Name {}", list(services))));
                }
                Operation::Services { server, control: ServiceControl::Start, .. } => {
                    if started.insert(server) {
                        inner(&format!("Start-Stopped {on} $ran[{on}]", on = self.on(server)));
                    }
                }
                _ => self.call(call, step).iter().for_each(|line| inner(line)),
            }
        }
        lines.push(
            "    foreach ($failure in $failed) { Write-Host \"   NOT SET RIGHT AGAIN: $failure\" }".into(),
        );
        lines.push("}".into());
        lines.push("if ($failed) { throw \"not everything is as it was before: $($failed[0])\" }".into());
        lines
    }

    /// Whether a server's own steps are run on another computer than those of the organization.
    fn has_own_machine(&self, server: &ServerName) -> bool {
        self.machines.is_own(server) && self.machines.machine(None) != Some(server)
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

const STILL_THERE: &str = "throw 'it is still there: Exchange asks first, and the answer was no'";

/// A command in the middle of a step that has to be run on another computer.
fn on_other(server: &ServerName, command: &str) -> String {
    by_hand::pause(&format!("On {server}, in its own management shell: {command}. Go on when that is done"))
}

/// Whether what a removal takes is still there.
fn presence(cmdlet: &Cmdlet) -> Option<String> {
    let Some(Value::Thumbprint(certificate)) = cmdlet.value("Thumbprint") else { return None };
    let server = match cmdlet.value("Server") {
        Some(Value::Text(server)) => quoted(server),
        _ => "''".into(),
    };
    Some(format!("Find-Certificate {} {server}", reference(*certificate)))
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
