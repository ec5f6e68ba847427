//! A plan as a PowerShell script: for change tickets, and for hands where certwright may not act itself.
//!
//! It is the same plan: the same numbers, reasons and warnings, with the command of each step as the version of its
//! server takes it. What a command cannot do asks for Enter, so that a step after it is not done unseen.

mod commands;
mod text;
mod value;

use std::io;

use self::{
    commands::{Commands, Line},
    text::on_one_line,
};
use super::{
    human::{self, describe},
    layout::wrap,
};
use crate::model::{
    action::{Action, BundleSource},
    names::ServerName,
    organization::Organization,
    plan::{ChangeKind, Plan, Step},
};

/// Writes the script. The versions of the servers are those of the organization that the plan was made for.
pub fn plan(plan: &Plan, organization: &Organization, out: &mut dyn io::Write) -> io::Result<()> {
    head(plan, out)?;
    let commands = Commands::new(plan, organization);
    let mut lane: Option<Option<&ServerName>> = None;
    for step in &plan.steps {
        let server = step.action.server();
        if lane != Some(server) {
            let title = server.map_or(plan.organization.clone(), ToString::to_string);
            let there = server.is_some_and(|server| commands.is_local_only(server));
            let there = if there { ", to be run on the server itself" } else { "" };
            writeln!(out, "\n# ==== {}{there}", on_one_line(&title))?;
            lane = Some(server);
        }
        write_step(step, &commands, out)?;
    }
    for warning in &plan.warnings {
        writeln!(out)?;
        comment(&format!("warning: {warning}"), out)?;
    }
    Ok(())
}

fn head(plan: &Plan, out: &mut dyn io::Write) -> io::Result<()> {
    let title = format!(
        "Plan for {}, of {}. The servers were observed {}.",
        plan.organization, plan.planned_at, plan.observed_at
    );
    comment(&title, out)?;
    if let Some(only) = &plan.only {
        comment(&format!("Only {}. {}", only.names(), human::rest(only)), out)?;
    }
    if plan.steps.is_empty() {
        return writeln!(out, "Write-Host 'No changes.'");
    }
    for paragraph in HEAD {
        writeln!(out, "#")?;
        comment(paragraph, out)?;
    }
    for change in plan.changes.iter().filter(|change| change.kind != ChangeKind::NoOp) {
        writeln!(out, "#")?;
        for reason in &change.reasons {
            comment(&format!("{}: {reason}", change.certificate), out)?;
        }
    }
    writeln!(out)?;
    comment("In a 32-bit shell the cmdlets of Exchange fail or are missing.", out)?;
    writeln!(out, "{ONLY_64_BIT}")?;
    writeln!(out, "\n$ErrorActionPreference = 'Stop'")?;
    if plan.steps.iter().any(|step| carries_a_key(&step.action)) {
        writeln!(
            out,
            "$password = Read-Host 'A password for PFX files: of backups, and from server to server' -AsSecureString"
        )?;
    }
    Ok(())
}

/// Whether a PFX file is written or read that has the script's own password.
fn carries_a_key(action: &Action) -> bool {
    matches!(
        action,
        Action::BackUp { with_key: true, .. }
            | Action::Import { from: BundleSource::Server(_) | BundleSource::Backup { .. }, .. }
    )
}

fn write_step(step: &Step, commands: &Commands<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out)?;
    comment(&format!("{} {} {}", step.id, step.action.verb(), describe(&step.action)), out)?;
    for effect in &step.side_effects {
        comment(&format!("  note: {effect}"), out)?;
    }
    for line in commands.of(step) {
        match line {
            Line::Comment(text) => comment(&format!("  {text}"), out)?,
            Line::Command(text) => writeln!(out, "{text}")?,
        }
    }
    Ok(())
}

fn comment(text: &str, out: &mut dyn io::Write) -> io::Result<()> {
    let text = on_one_line(text);
    let indent = text.len() - text.trim_start().len();
    for line in wrap(text.trim_start(), WIDTH - indent) {
        writeln!(out, "# {:indent$}{line}", "")?;
    }
    Ok(())
}

/// Exchange's cmdlets are for 64-bit processes; the snap-in loads into a 32-bit one all the same (facts 15, no. 39). The
/// PowerShell of Exchange 2007 and 2010 knows neither property, takes both for false, and goes on.
const ONLY_64_BIT: &str = "\
if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    throw 'This PowerShell is a 32-bit process, in which Exchange fails. Run it in the Exchange Management Shell.'
}";
/// Columns of a comment, so that it fits a ticket.
const WIDTH: usize = 98;
const HEAD: [&str; 3] = [
    "Read it whole, then run it in the Exchange Management Shell, step by step, as an account that may manage the \
     organization and is administrator on the servers (PowerShell remoting for IIS and for services).",
    "It stops at the first error, and waits for Enter where something has to be seen or done first. Go on only when it \
     is so: the old certificate is removed only after the new one was seen at every endpoint.",
    "Where Exchange asks to overwrite the default SMTP certificate, the answer stands beside the step. `certwright apply` \
     does the same steps with a journal and a way back.",
];
