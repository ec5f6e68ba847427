//! The lines of what carries a certificate with its key: backups, what an import reads, and the import.

use super::{
    commands::{Commands, answer, exported, written},
    text::{plain_signs, quoted, reference},
};
use crate::{
    exchange::cmdlet::{self, Call, Content, Operation, Output, Target, Value},
    model::{
        action::{Action, BundleSource, CertRef, StepId},
        names::ServerName,
    },
};

impl<'a> Commands<'a> {
    pub(super) fn backed_up(
        &self,
        server: &ServerName,
        certificate: CertRef,
        with_key: bool,
        calls: &[Call],
    ) -> Option<Vec<String>> {
        let Call { operation: Operation::Cmdlet(cmdlet), output: Output::Backup { file, .. } } =
            calls.first()?
        else {
            return None;
        };
        let file = quoted(file);
        let mut lines = vec![format!("if (-not [IO.File]::Exists((Get-PlanFile {file}))) {{")];
        lines.extend(match (with_key, cmdlet.value("Path").is_some()) {
            (false, _) => vec![
                format!("    $old = Find-Certificate {} {}", reference(certificate), self.on(server)),
                "    if (-not $old) { throw 'it is not there' }".into(),
                format!("    Save-Bytes {file} $old.Certificate.RawData"),
            ],
            (true, true) => {
                vec![format!("    $file = Get-PlanFile {file}"), format!("    $null = {}", written(cmdlet))]
            }
            (true, false) => vec![
                format!("    $exported = {}", written(cmdlet)),
                format!("    Save-Bytes {file} $exported.FileData"),
            ],
        });
        lines.push("}".into());
        Some(lines)
    }

    /// What an import reads.
    pub(super) fn opened(
        &self,
        certificate: CertRef,
        server: &ServerName,
        from: &BundleSource,
    ) -> Vec<String> {
        let open = match from {
            BundleSource::Issued(issued) => format!("Get-Issued {issued}"),
            BundleSource::Server(source) if self.is_elsewhere(source, server) => {
                let what = format!("{certificate}, exported on {source}");
                format!("Open-Pfx 'from {source}' {} ''", quoted(&plain_signs(&what)))
            }
            BundleSource::Server(_) => return Vec::new(),
            BundleSource::Backup { run: Some(run), step, .. } => {
                let key = quoted(&format!("{run} {step}"));
                let what = quoted(&format!("the backup of step {step} of run {run}"));
                format!("Open-Pfx {key} {what} ''")
            }
            BundleSource::Backup { run: None, step, .. } => {
                let backup = self.plan.step(*step).map(|step| &step.action);
                let Some(Action::BackUp { server, certificate: CertRef::Known(certificate), .. }) = backup
                else {
                    return vec![format!("throw 'the plan has no backup in its step {step}'")];
                };
                format!("Get-Backup {}", quoted(&format!("{server}-{certificate}.pfx")))
            }
        };
        let there = format!("Find-Certificate {} {}", reference(certificate), self.on(server));
        vec![format!("if (-not ({there})) {{ $pfx = {open} }}")]
    }

    /// Whether the cmdlets of the two have to be run on different computers.
    pub(super) fn is_elsewhere(&self, source: &'a ServerName, server: &'a ServerName) -> bool {
        self.machines.machine(Some(source)) != self.machines.machine(Some(server))
    }

    /// An import, unless it is there, and what it enables. Between the two SMTP would choose it and fail (facts 15, no. 10),
    /// so it does not stay when enabling fails.
    pub(super) fn imported(&self, server: &ServerName, certificate: CertRef, calls: &[Call]) -> Vec<String> {
        let thumbprint = reference(certificate);
        let on = self.on(server);
        let (enabling, importing): (Vec<&Call>, Vec<&Call>) =
            calls.iter().partition(|call| is_enabling(call));
        let commands = importing.iter().filter_map(|call| {
            let Operation::Cmdlet(cmdlet) = &call.operation else { return None };
            Some(match call.output {
                Output::Exported => exported(&written(cmdlet)),
                _ => vec![format!("$null = {}", written(cmdlet))],
            })
        });
        let mut lines = vec!["$stored = $false".to_owned()];
        lines.push(format!("if (-not (Find-Certificate {thumbprint} {on})) {{"));
        lines.extend(commands.flatten().map(|line| format!("    {line}")));
        lines.push("    $stored = $true".into());
        lines.push("}".into());
        lines.push(self.there(server, &thumbprint));
        lines.extend(self.enabled(server, certificate, &enabling));
        lines
    }

    /// A certificate that a server makes itself, unless an earlier start of the script has made it, and what it enables.
    pub(super) fn created(&self, made: StepId, server: &ServerName, calls: &[Call]) -> Vec<String> {
        let (enabling, creating): (Vec<&Call>, Vec<&Call>) = calls.iter().partition(|call| is_enabling(call));
        let on = self.on(server);
        let mut lines = vec![
            "$stored = $false".to_owned(),
            format!("if (-not ($made.ContainsKey({made}) -and (Find-Certificate $made[{made}] {on}))) {{"),
        ];
        for call in creating {
            let Operation::Cmdlet(cmdlet) = &call.operation else { continue };
            lines.push(format!("    $new = {}", written(cmdlet)));
        }
        lines.extend([
            format!("    Save-Made {made} (ConvertTo-Certificate $new).Thumbprint"),
            "    $stored = $true".into(),
            "}".into(),
            format!("$certificate{made} = Get-Made {made}"),
            self.there(server, &reference(CertRef::FromStep(made))),
        ]);
        lines.extend(self.enabled(server, CertRef::FromStep(made), &enabling));
        lines
    }

    /// What is enabled at once. What was stored for it is taken off again where it cannot be enabled.
    fn enabled(&self, server: &ServerName, certificate: CertRef, calls: &[&Call]) -> Vec<String> {
        let mut lines = Vec::new();
        for call in calls {
            let Operation::Cmdlet(cmdlet) = &call.operation else { continue };
            lines.extend(answer(cmdlet));
            let remove = cmdlet::remove(Target::of(self.organization, server), certificate);
            lines.extend([
                format!("try {{ {} }}", written(cmdlet)),
                "catch {".into(),
                "    # There and not enabled it would be chosen for its names, and every handshake would fail.".into(),
                format!(
                    "    if ($stored) {{ Write-Host '   It cannot be enabled and is taken off again: answer Y.'; {} }}",
                    written(&remove)
                ),
                "    throw".into(),
                "}".into(),
            ]);
        }
        lines
    }
}

fn is_enabling(call: &Call) -> bool {
    matches!(&call.operation, Operation::Cmdlet(cmdlet) if cmdlet.name == "Enable-ExchangeCertificate")
}

/// The call takes a PFX file that was carried here.
pub(super) fn taken_from_file(call: &mut Call) {
    let Operation::Cmdlet(cmdlet) = &mut call.operation else { return };
    for parameter in &mut cmdlet.parameters {
        if let Value::Bytes(content) | Value::Path(content) | Value::Password(content) = &mut parameter.value
            && *content == Content::Exported
        {
            *content = Content::Backup;
        }
    }
}
