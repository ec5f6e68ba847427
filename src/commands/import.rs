//! `certwright import`: a manifest for what is there.

use std::path::Path;

use super::{
    captures::whole_capture,
    error::{CommandError, Exit},
    files, next,
    overwriting::{self, Inputs},
    session::wall_clock,
    terminal::Terminal,
};
use crate::{
    checks,
    import::{self, Choices},
    manifest::{
        finding::Severity,
        yaml::{self, Source},
    },
    model::{
        action::Action,
        names::ServerName,
        organization::Observed,
        plan::{ChangeKind, LeftBecause, Plan},
        policy::RenewBefore,
        reason::Reason,
        shown::ShowPath,
        time::{Span, Timestamp},
    },
    plan,
};

/// Writes a manifest of what a capture shows, plans it against the same capture, and says what is left.
pub fn run(
    capture: &Path,
    organization: Option<&str>,
    out: Option<&Path>,
    at: Option<Timestamp>,
    terminal: Terminal,
) -> Result<Exit, CommandError> {
    if let Some(file) = out {
        overwriting::refuse([file], Inputs { others: &[capture], ..Inputs::default() })?;
        overwriting::refuse_existing(file)?;
    }
    let observed = whole_capture(capture, organization, at, wall_clock())?;
    let unread = unread(&observed);
    if !unread.is_empty() && unread.len() == observed.organization.servers.len() {
        return Err(nothing_read(&unread));
    }
    let now = at.unwrap_or_else(wall_clock).max(observed.at);
    let driver = driver(capture, organization, out);
    let mut choices = Choices::default();
    let (mut text, notes) = import::manifest(&observed, &driver, &choices, now);
    let mut planned = look(&text, &observed, now);
    for _ in 0..MOST_LOOKS {
        let Ok(plan) = &planned else { break };
        if !choose(plan, &mut choices) {
            break;
        }
        text = import::manifest(&observed, &driver, &choices, now).0;
        planned = look(&text, &observed, now);
    }
    match out {
        Some(file) => files::write(file, text.as_bytes())?,
        None => terminal.show(|out| out.write_all(text.as_bytes()))?,
    }
    for note in observed.notes.iter().chain(&notes) {
        terminal.say(&format!("note: {note}"));
    }
    tell(planned, out, terminal);
    if !unread.is_empty() {
        terminal.warn(&format!(
            "what {} has is not in this manifest, since its certificates could not be read; {READ_AGAIN}",
            names(&unread)
        ));
        return Ok(Exit::Cannot);
    }
    if let Some(file) = out.filter(|_| terminal.err_is_terminal) {
        terminal.suggest(&next::after_import(file));
    }
    Ok(Exit::Done)
}

/// The servers whose certificates could not be read, and why.
fn unread(observed: &Observed) -> Vec<(&ServerName, &str)> {
    let servers = observed.organization.servers.iter();
    servers.filter_map(|(name, server)| Some((name, server.certificates.why_unknown()?))).collect()
}

fn names(servers: &[(&ServerName, &str)]) -> String {
    servers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

/// A manifest without a certificate would look as if all were well.
fn nothing_read(unread: &[(&ServerName, &str)]) -> CommandError {
    let what = format!("the certificates of {} could not be read, and no manifest is written", names(unread));
    let error = unread.iter().fold(CommandError::new(Exit::Error, what), |error, (name, why)| {
        error.detail(format!("- {name}: {why}"))
    });
    error.hint(READ_AGAIN)
}

/// What to do about a capture in which cmdlets failed.
const READ_AGAIN: &str = "run the script again in the Exchange Management Shell, as administrator of the server and with the rights to \
                          read certificates (the roles are in examples/least-privilege), and import the folder that it makes";

/// The plan of a manifest against what it was made of, or why there is none.
fn look(text: &str, observed: &Observed, now: Timestamp) -> Result<Plan, Vec<String>> {
    let source = Source { file: "manifest.yaml".into(), bytes: text.as_bytes().to_vec() };
    let told = |findings: Vec<crate::manifest::finding::Finding>| {
        findings.into_iter().map(|finding| finding.message).collect::<Vec<_>>()
    };
    let (manifest, _) = yaml::manifest(&[source]).map_err(told)?;
    let (findings, resolved) = checks::check(&manifest);
    let errors: Vec<_> = findings.into_iter().filter(|finding| finding.severity == Severity::Error).collect();
    let Some(resolved) = resolved else { return Err(told(errors)) };
    let desired = resolved.alone().with_names_of(&observed.organization);
    Ok(plan::plan(&desired, observed, now))
}

/// Learns from a plan which choices keep things as they are; false when there is nothing more to learn.
fn choose(plan: &Plan, choices: &mut Choices) -> bool {
    let mut learned = false;
    for change in &plan.changes {
        let name = &change.certificate.name;
        if change.kind == ChangeKind::Retire {
            learned |= choices.retire_never.insert(name.clone());
        }
        for reason in &change.reasons {
            let Reason::Expires { not_after, .. } = reason else { continue };
            let left = not_after.since(plan.planned_at);
            let sooner = RENEWALS.iter().map(|days| Span::days(*days)).find(|span| *span < left);
            if let Some(span) = sooner
                && choices.renew_before.get(name) != Some(&RenewBefore::Span(span))
            {
                choices.renew_before.insert(name.clone(), RenewBefore::Span(span));
                learned = true;
            }
        }
    }
    // A predecessor that only waits for its time is removed later all the same.
    let settled = plan
        .changes
        .iter()
        .all(|change| matches!(change.kind, ChangeKind::NoOp | ChangeKind::Update | ChangeKind::Retire));
    for left in plan.left_alone.iter().filter(|_| settled) {
        if matches!(
            left.why,
            LeftBecause::Until { .. }
                | LeftBecause::OverLimit { .. }
                | LeftBecause::StillUsed { .. }
                | LeftBecause::UseUnknown { .. }
        ) {
            let there = plan.changes.iter().filter(|change| change.servers.contains(&left.server));
            let named = there.filter(|change| {
                change
                    .names
                    .first()
                    .is_some_and(|first| left.subject.to_lowercase().contains(&first.as_str().to_lowercase()))
            });
            for change in named {
                learned |= choices.retire_never.insert(change.certificate.name.clone());
            }
        }
    }
    learned
}

/// Says whether the manifest is what is there, or what no manifest can make right.
fn tell(planned: Result<Plan, Vec<String>>, out: Option<&Path>, terminal: Terminal) {
    let written = out.map_or(String::new(), |file| format!("manifest saved in {}. ", file.shown()));
    match planned {
        Ok(plan) if plan.is_empty() && !plan.is_blocked() => {
            terminal.say(&format!("{written}Planned against the same capture: No changes."));
        }
        Ok(plan) => {
            terminal.say(&format!(
                "{written}Planned against the same capture. By hand, since no manifest changes it:"
            ));
            for change in plan.changes.iter().filter(|change| change.kind != ChangeKind::NoOp) {
                for reason in &change.reasons {
                    let why = match reason {
                        // It is in use, or it would not be in this manifest.
                        Reason::NotPresent => {
                            "it has the subject and the names of another one, and nothing that a \
                                               manifest says tells them apart: leave one of them out"
                                .into()
                        }
                        reason => reason.to_string(),
                    };
                    terminal.say(&format!("- {}: {why}", change.certificate));
                }
            }
            for step in &plan.steps {
                if let Action::CannotApply { why, .. } = &step.action {
                    terminal.say(&format!("- {why}"));
                }
            }
        }
        Err(mistakes) => {
            terminal.say(&format!("{written}It cannot be planned yet:"));
            for mistake in mistakes {
                terminal.say(&format!("- {mistake}"));
            }
        }
    }
}

/// The driver of the manifest: the capture, as it is seen from the manifest.
fn driver(capture: &Path, organization: Option<&str>, out: Option<&Path>) -> String {
    let folder = out.and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
    let path =
        folder.map_or_else(|| capture.to_owned(), |folder| super::saved_plan::relative(capture, folder));
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let organization = organization.map_or(String::new(), |name| format!(", organization: {}", quoted(name)));
    format!("{{ capture: {{ path: {}{organization} }} }}", quoted(&path.to_string_lossy()))
}

/// Days before the end, the most careful first.
const RENEWALS: [i64; 5] = [60, 30, 14, 7, 1];
const MOST_LOOKS: usize = 6;
