//! A plan as a PowerShell script: for change tickets, and for hands where certwright may not act itself.
//!
//! It is the same plan: the same numbers, reasons, warnings and ways back, with the command of each step as the version of
//! its server takes it. The cmdlets of the Exchange Management Shell are functions of a module, which see the global error
//! preference only (facts 12.4): the script sets it and puts it back. Each step that was done is noted, so that the script
//! can be started again after whatever stopped it. What a command cannot do asks for Enter, so that a step after it is not
//! done unseen.

mod by_hand;
mod carried;
mod commands;
mod helpers;
mod machines;
mod special;
mod text;
mod value;

use std::{collections::BTreeMap, io};

use self::{
    commands::Commands,
    machines::Machines,
    text::{list, plain_signs, quoted, remark},
};
use super::{
    human::{self, describe, explains_step, undo},
    layout::wrap,
};
use crate::model::{
    action::Action,
    names::{DnsName, ServerName},
    organization::Organization,
    plan::{ChangeKind, Plan, Step},
    unfinished_run::UnfinishedRun,
};

/// Writes the script. The versions of the servers are those of the organization that the plan was made for.
pub fn plan(
    plan: &Plan,
    organization: &Organization,
    unfinished: Option<&UnfinishedRun>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    head(plan, unfinished, out)?;
    let unfinished = unfinished
        .map(|run| format!("Write-Warning {}\n", quoted(&plain_signs(&run.diagnostic().to_string()))));
    let unfinished = unfinished.unwrap_or_default();
    if plan.steps.is_empty() {
        return writeln!(out, "{unfinished}{}", last_words(plan, "No changes").join("\n"));
    }
    let machines = Machines::of(plan, organization);
    let commands = Commands::new(plan, organization, &machines);
    let mut script = Script::default();
    steps(plan, &machines, &commands, &mut script);
    writeln!(out, "\n{ONLY_64_BIT}\n{unfinished}")?;
    variables(plan, &machines, out)?;
    let used = script.lines.join("\n");
    let stops = ["Stop-Running", "Restart-Running"].iter().any(|call| used.contains(call));
    let called = if stops { format!("{used}\nStart-Left") } else { used.clone() };
    writeln!(out, "\n{}", helpers::needed(&called))?;
    writeln!(out, "\n# ---- Steps. The cmdlets of the management shell obey the global preference alone.\n")?;
    writeln!(out, "$preference = $global:ErrorActionPreference\ntry {{")?;
    writeln!(out, "    $ErrorActionPreference = 'Stop'\n    $global:ErrorActionPreference = 'Stop'")?;
    writeln!(out, "    Write-Host \"Notes, requests and backups of this plan are in $folder\"")?;
    if stops {
        writeln!(out, "    Start-Left")?;
    }
    for line in &script.lines {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "    Write-Host ''")?;
    for line in last_words(plan, "All steps are done") {
        writeln!(out, "    {line}")?;
    }
    writeln!(out, "}}\nfinally {{")?;
    if stops {
        writeln!(out, "    Start-Left")?;
    }
    if used.contains("$cleared[") {
        writeln!(out, "{RESTORE}")?;
    }
    writeln!(out, "    $global:ErrorActionPreference = $preference\n}}")
}

/// What stands for the script of a plan that there is not: run, it does nothing and says why.
pub(super) fn no_plan(why: &str, out: &mut dyn io::Write) -> io::Result<()> {
    comment(&format!("There is no plan: {why}."), out)?;
    writeln!(out, "throw {}", quoted(&plain_signs(&format!("There is no plan: {why}."))))
}

/// The lines between the helpers and the end.
#[derive(Default)]
struct Script {
    lines: Vec<String>,
    depth: usize,
}

impl Script {
    fn line(&mut self, text: &str) {
        self.lines.push(format!("{:indent$}{text}", "", indent = 4 * (self.depth + 1)));
    }

    fn blank(&mut self) {
        self.lines.push(String::new());
    }

    fn remark(&mut self, text: &str) {
        let indent = 4 * (self.depth + 1);
        for line in wrap(&remark(text), WIDTH - indent) {
            self.line(&format!("# {line}"));
        }
    }
}

fn steps(plan: &Plan, machines: &Machines<'_>, commands: &Commands<'_>, script: &mut Script) {
    let mut lane: Option<Option<&ServerName>> = None;
    for (machine, steps) in machines.groups(plan) {
        let guarded = !machines.own().is_empty();
        if guarded {
            let numbers: Vec<String> = steps
                .iter()
                .filter(|step| !matches!(step.action, Action::Gate { .. } | Action::CannotApply { .. }))
                .map(|step| step.id.to_string())
                .collect();
            let machine = quoted(machine.map_or("", ServerName::as_str));
            script.blank();
            script.line(&format!("if (Test-Here {machine} @({})) {{", numbers.join(", ")));
            script.depth += 1;
        }
        for step in steps {
            let server = step.action.server();
            if lane != Some(server) {
                let title = server.map_or(plan.organization.clone(), ToString::to_string);
                script.blank();
                script.line(&format!("# ==== {}", remark(&title)));
                lane = Some(server);
            }
            write_step(step, commands, script);
        }
        if guarded {
            script.depth -= 1;
            script.line("}");
        }
    }
}

/// The last words of the script: what it did, and what nobody can.
fn last_words(plan: &Plan, done: &str) -> Vec<String> {
    let obstacles = plan.obstacles();
    if obstacles.is_empty() {
        return vec![format!("Write-Host '{done}.'")];
    }
    let told = obstacles.iter().map(|own| quoted(&plain_signs(&format!("  {}", own.message))));
    let told = told.map(|text| format!("Write-Host {text}"));
    [format!("Write-Host '{done}, except for what cannot be done:'")].into_iter().chain(told).collect()
}

fn write_step(step: &Step, commands: &Commands<'_>, script: &mut Script) {
    let title = quoted(&plain_signs(&format!("{} {}", step.action.verb(), describe(&step.action))));
    script.blank();
    let again = match step.action {
        Action::Gate { .. } => {
            script.remark(&format!("{} {} {}", step.id, step.action.verb(), describe(&step.action)));
            return;
        }
        Action::CannotApply { .. } => {
            script.line(&format!("Write-Host {}", quoted(&format!("{} cannot be done:", step.id))));
            script.line(&format!("Write-Host {title}"));
            return;
        }
        Action::Verify { .. } | Action::VerifyBalancer { .. } => " -Again",
        _ => "",
    };
    script.line(&format!("if (Start-Step {} {title}{again}) {{", step.id));
    script.depth += 1;
    for reason in step.why.iter().filter(|reason| explains_step(reason)) {
        script.remark(&format!("why: {reason}"));
    }
    for effect in &step.side_effects {
        script.remark(&format!("note: {effect}"));
    }
    if let Some(back) = undo(&step.undo) {
        script.remark(&format!("undo: {back}"));
    }
    for line in commands.of(step) {
        script.line(&line);
    }
    script.line(&format!("Complete-Step {}", step.id));
    script.depth -= 1;
    script.line("}");
}

fn head(plan: &Plan, unfinished: Option<&UnfinishedRun>, out: &mut dyn io::Write) -> io::Result<()> {
    let title = format!(
        "Plan for {}, of {}. The servers were observed {}.",
        plan.organization, plan.planned_at, plan.observed_at
    );
    comment(&title, out)?;
    if let Some(only) = &plan.only {
        comment(&format!("Only {}. {}", only.names(), human::rest(only)), out)?;
    }
    if let Some(run) = unfinished {
        writeln!(out, "#")?;
        comment(&run.sentence(), out)?;
    }
    if !plan.steps.is_empty() {
        for paragraph in HEAD {
            writeln!(out, "#")?;
            comment(paragraph, out)?;
        }
    }
    for change in plan.changes.iter().filter(|change| change.kind != ChangeKind::NoOp) {
        writeln!(out, "#")?;
        for reason in &change.reasons {
            comment(&format!("{}: {reason}", change.certificate), out)?;
        }
    }
    for warning in &plan.warnings {
        writeln!(out, "#")?;
        comment(&format!("warning: {warning}"), out)?;
    }
    Ok(())
}

/// What the helpers have to know of the plan.
fn variables(plan: &Plan, machines: &Machines<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let word = |text: &str| -> String {
        text.chars().filter(|character| character.is_ascii_alphanumeric() || *character == '-').collect()
    };
    let folder = format!("certwright-{}-{}", word(&plan.organization), word(&plan.planned_at.to_string()));
    writeln!(out, "$plan_folder = {}", quoted(&folder))?;
    let own = machines.own().iter().map(|server| server.as_str());
    writeln!(out, "# Servers on which their own steps have to be run.")?;
    writeln!(
        out,
        "$own_machines = @({})",
        if machines.own().is_empty() { String::new() } else { list(own) }
    )?;
    writeln!(
        out,
        "# What is issued for this plan, as a PFX file, and the servers that make certificates themselves."
    )?;
    writeln!(out, "$issued = @{{}}")?;
    for step in &plan.steps {
        let Action::Issue { request, .. } = &step.action else { continue };
        let what = step.certificate.as_ref().map_or(String::new(), |id| format!("{id}, "));
        let what = quoted(&format!("{what}{}", request.subject));
        let names = list(request.names.iter().map(DnsName::as_str));
        writeln!(out, "$issued[{}] = @{{ What = {what}; Names = @({names}) }}", step.id)?;
    }
    let makers: BTreeMap<_, _> = machines.makers().iter().collect();
    let makers: Vec<String> = makers
        .iter()
        .map(|(step, machine)| format!("{step} = {}", quoted(machine.map_or("", ServerName::as_str))))
        .collect();
    writeln!(out, "$maker = @{{ {} }}", makers.join("; "))
}

fn comment(text: &str, out: &mut dyn io::Write) -> io::Result<()> {
    for line in wrap(&remark(text), WIDTH) {
        writeln!(out, "# {line}")?;
    }
    Ok(())
}

/// Exchange's cmdlets are for 64-bit processes; the snap-in loads into a 32-bit one all the same (facts 15, no. 39). The
/// PowerShell of Exchange 2007 and 2010 knows neither property, takes both for false, and goes on.
const ONLY_64_BIT: &str = "\
if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    throw 'This PowerShell is a 32-bit process, in which Exchange fails. Run it in the Exchange Management Shell.'
}";
/// A send connector does not stay without its name when the steps between end early.
const RESTORE: &str = "\
    foreach ($connector in @($cleared.Keys)) {
        $name = $cleared[$connector].Name
        try {
            Write-Host \"$connector gets its name back: $name\"
            Set-SendConnector -Identity $connector -TlsCertificateName $name -ErrorAction Stop
            [IO.File]::AppendAllText($record, \"$($cleared[$connector].Step) undone`r`n\")
        }
        catch { Write-Host \"It did not. Set TlsCertificateName of $connector by hand: $($_.Exception.Message)\" }
    }";
/// Columns of a comment, so that it fits a ticket.
const WIDTH: usize = 98;
const HEAD: [&str; 4] = [
    "Read it whole, then run it as a file in the Exchange Management Shell, as an account that may manage the organization \
     and is administrator on the servers (PowerShell remoting for IIS and for services). Where IIS of a server is restarted, \
     run it from another one.",
    "It stops at the first error. Started again, it goes on with the step that was not done; it writes into a folder of your \
     user's folder only. It waits for Enter where something has to be seen or done first. Go on only when it is so: the old \
     certificate is removed only after the new one was seen at every endpoint.",
    "Where Exchange asks to overwrite the default SMTP certificate, the answer is on the screen before it asks. Before each \
     removal Exchange asks too.",
    "`certwright apply` does the same steps with a journal, handshakes and rollback.",
];
