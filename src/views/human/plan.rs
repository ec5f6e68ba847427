//! A plan for people: the changes with their reasons, the steps with their ways back, the sum.

use std::io;

use super::{
    super::layout::{Layout, Tone},
    part,
    steps::{describe, undo},
    unfinished,
    words::count,
};
use crate::model::{
    action::Action,
    names::ServerName,
    plan::{Change, ChangeKind, LeftBecause, Plan, Step},
    reason::Reason,
    unfinished_run::UnfinishedRun,
    warning::{RunWarning, Warning},
};

pub(super) fn write(
    layout: Layout,
    plan: &Plan,
    run: Option<&UnfinishedRun>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    head(layout, plan, out)?;
    for change in plan.changes.iter().filter(|change| change.kind != ChangeKind::NoOp) {
        writeln!(out)?;
        write_change(layout, change, out)?;
    }
    if !plan.steps.is_empty() {
        writeln!(out)?;
    }
    let mut lane: Option<Option<&ServerName>> = None;
    for step in &plan.steps {
        let server = step.action.server();
        if lane != Some(server) {
            let title = server.map_or(plan.organization.clone(), ToString::to_string);
            writeln!(out, "{}", layout.paint(Tone::Strong, &title))?;
            lane = Some(server);
        }
        write_step(layout, step, out)?;
    }
    left_alone(layout, plan, out)?;
    for warning in &plan.warnings {
        writeln!(out)?;
        write!(
            out,
            "{}",
            layout.paragraph(&format!("{} {warning}", layout.paint(Tone::Change, "warning:")))
        )?;
    }
    writeln!(out)?;
    unfinished::write(layout, run, out)?;
    sum(layout, plan, run.is_some(), out)
}

fn head(layout: Layout, plan: &Plan, out: &mut dyn io::Write) -> io::Result<()> {
    let seen = &plan.seen;
    let text = format!(
        "{}, observed {}: {}, {}, {}",
        plan.driver,
        observed_at(plan),
        count(seen.servers, "server"),
        count(seen.certificates, "certificate"),
        count(seen.bindings, "binding")
    );
    write!(out, "{}", layout.labelled(&plan.organization, &text))?;
    if let Some(run) = &plan.rolls_back {
        write!(out, "{}", layout.labelled("rollback", &format!("undoes what run {run} did")))?;
    }
    match &plan.only {
        None => Ok(()),
        Some(only) => part::head(layout, only, &plan.organization, out),
    }
}

/// When the organization was observed, and for a capture how long ago that was.
fn observed_at(plan: &Plan) -> String {
    let age = plan.planned_at.since(plan.observed_at);
    if plan.driver == CAPTURE {
        format!("{}, {} ago", plan.observed_at, age.rounded())
    } else {
        plan.observed_at.to_string()
    }
}

fn write_change(layout: Layout, change: &Change, out: &mut dyn io::Write) -> io::Result<()> {
    let Change { certificate, kind, reasons, current, names, servers, removes } = change;
    let (symbol, verb) = match kind {
        ChangeKind::NoOp => ("=", "keep"),
        ChangeKind::Create => ("+", "create"),
        ChangeKind::Update => ("~", "use"),
        ChangeKind::Replace => ("±", "replace"),
        ChangeKind::Retire => ("-", "retire the predecessor of"),
        ChangeKind::Blocked => ("!", "blocked"),
    };
    let tone = match kind {
        ChangeKind::NoOp => Tone::Quiet,
        ChangeKind::Create => Tone::Good,
        ChangeKind::Update | ChangeKind::Replace | ChangeKind::Retire => Tone::Change,
        ChangeKind::Blocked => Tone::Bad,
    };
    let current = current.map_or(String::new(), |thumbprint| format!(" {}", thumbprint.short()));
    let on = if servers.is_empty() { String::new() } else { format!(" on {}", list(servers, 6)) };
    let label = format!("{symbol} {}", certificate.name);
    let text = format!("{verb}{current}{on}");
    let line = layout.labelled(&label, &text);
    // Painted after it was measured.
    write!(out, "{}", line.replacen(symbol, &layout.paint(tone, symbol), 1))?;
    let (shown, more) = reasons.split_at(reasons.len().min(MOST_REASONS));
    for (index, reason) in shown.iter().enumerate() {
        let label = if index == 0 { "    because" } else { "        and" };
        write!(out, "{}", layout.labelled(label, &reason.to_string()))?;
    }
    if !more.is_empty() {
        write!(out, "{}", layout.labelled("        and", &count(more.len(), "more reason")))?;
    }
    if !names.is_empty() {
        write!(out, "{}", layout.labelled("    names", &list(names, 12)))?;
    }
    for (index, own) in removes.iter().enumerate() {
        let label = if index == 0 { "    removes" } else { "        and" };
        let text = format!("{} on {}: {own}", own.certificate.short(), list(&own.servers, 6));
        write!(out, "{}", layout.labelled(label, &text))?;
    }
    Ok(())
}

fn write_step(layout: Layout, step: &Step, out: &mut dyn io::Write) -> io::Result<()> {
    let label = format!("{:>3} {}", step.id, step.action.verb());
    let name = match (&step.action, &step.certificate) {
        (Action::Issue { .. }, Some(id)) => format!("{} ", id.name),
        (Action::Gate { .. }, Some(id)) => format!("{}: ", id.name),
        _ => String::new(),
    };
    let text = format!("{name}{}", describe(&step.action));
    write!(out, "{}", layout.labelled(&label, &text))?;
    for reason in step.why.iter().filter(|reason| explains_step(reason)) {
        write!(out, "{}", layout.labelled("", &format!("why: {reason}")))?;
    }
    for effect in &step.side_effects {
        write!(out, "{}", layout.labelled("", &format!("note: {effect}")))?;
    }
    match undo(&step.undo) {
        Some(back) => write!(out, "{}", layout.labelled("", &format!("undo: {back}"))),
        None => Ok(()),
    }
}

/// Whether a reason tells why there is this step; the others are told with the change that it belongs to.
pub(in crate::views) fn explains_step(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::ChosenBySmtp { .. }
            | Reason::HybridNotApplied { .. }
            | Reason::ImCertificateDiffers { .. }
            | Reason::AuthNotTold
            | Reason::OnlineNotTold { .. }
            | Reason::EdgeDistrusts { .. }
            | Reason::BalancerDiffers { .. }
            | Reason::RestartNeeded { .. }
            | Reason::ServesStill { .. }
            | Reason::NotRestarted { .. }
            | Reason::BlocksRemoval { .. }
            | Reason::Reattach
            | Reason::TakesBack { .. }
    )
}

/// What stays although it might surprise; certificates that no manifest names are only counted.
fn left_alone(layout: Layout, plan: &Plan, out: &mut dyn io::Write) -> io::Result<()> {
    let (plain, telling): (Vec<_>, Vec<_>) = plan
        .left_alone
        .iter()
        .partition(|left| matches!(left.why, LeftBecause::Unmanaged | LeftBecause::Protected { .. }));
    if !telling.is_empty() {
        writeln!(out)?;
    }
    for left in telling {
        let label = format!("  {}", left.certificate.short());
        write!(out, "{}", layout.labelled(&label, &format!("on {}: {}", left.server, left.why)))?;
    }
    if !plain.is_empty() {
        writeln!(out)?;
        let text =
            format!("Left alone: {} that the manifest does not name.", count(plain.len(), "certificate"));
        write!(out, "{}", layout.paint(Tone::Quiet, &layout.paragraph(&text)))?;
    }
    Ok(())
}

fn sum(layout: Layout, plan: &Plan, unfinished: bool, out: &mut dyn io::Write) -> io::Result<()> {
    let blocked = plan.changes.iter().filter(|change| change.kind == ChangeKind::Blocked).count();
    if plan.steps.is_empty() && blocked == 0 {
        if let Some(only) = &plan.only {
            return write!(out, "{}", layout.paragraph(&part::nothing(only)));
        }
        let seen = &plan.seen;
        let lost =
            |warning: &&Warning| matches!(warning, Warning::Run(RunWarning::CompromisedNotThere { .. }));
        let lost = plan.warnings.iter().filter(lost).count();
        if lost > 0 {
            let text =
                format!("Not found: {} to replace. Nothing else is to be done.", count(lost, "certificate"));
            return write!(out, "{}", layout.paragraph(&text));
        }
        let unseen = plan.not_seen().map(|not_seen| not_seen.server.to_string()).collect::<Vec<_>>();
        let so = match (unseen.as_slice(), plan.warnings.is_empty()) {
            ([], true) if unfinished => {
                "as the manifest says, but for what the run has left to do".to_owned()
            }
            ([], true) => "all as the manifest says".to_owned(),
            ([], false) => "mind the warnings".to_owned(),
            (unseen, _) => format!("of {} it is not known", list(unseen, MOST_REASONS)),
        };
        let text = format!(
            "No {}changes. {} looked at on {}: {so}.",
            if unfinished { "new " } else { "" },
            count(seen.bindings, "binding"),
            count(seen.servers, "server")
        );
        return write!(out, "{}", layout.paragraph(&text));
    }
    let kinds = [
        (ChangeKind::Create, "to create"),
        (ChangeKind::Replace, "to replace"),
        (ChangeKind::Update, "to bring into use"),
        (ChangeKind::Retire, "to retire"),
        (ChangeKind::Blocked, "blocked"),
    ];
    let parts: Vec<String> = kinds
        .iter()
        .filter_map(|(kind, words)| {
            let number = plan.changes.iter().filter(|change| change.kind == *kind).count();
            (number > 0).then(|| format!("{number} {words}"))
        })
        .collect();
    let irreversible: Vec<String> =
        plan.steps.iter().filter(|step| !step.undo.is_whole()).map(|step| step.id.to_string()).collect();
    let by_hand = plan.steps.iter().filter(|step| step.is_by_hand()).count();
    let way_back = match irreversible.as_slice() {
        [] if plan.steps.is_empty() => "nothing can be done".to_owned(),
        [] if by_hand == plan.steps.len() => "by hand or waiting".to_owned(),
        [] if by_hand > 0 => format!("{by_hand} by hand or waiting, the others reversible"),
        [] => "all reversible".to_owned(),
        [one] => format!("all reversible but step {one}"),
        many => format!("all reversible but steps {}", many.join(", ")),
    };
    let impossible =
        plan.steps.iter().filter(|step| matches!(step.action, Action::CannotApply { .. })).count();
    let parts = if parts.is_empty() { "no certificate changes".into() } else { parts.join(", ") };
    let possible = match plan.steps.len() - impossible {
        0 if impossible > 0 => String::new(),
        steps => format!(" {}, {way_back}.", count(steps, "step")),
    };
    let cannot = match impossible {
        0 => String::new(),
        1 => " 1 thing cannot be done.".into(),
        many => format!(" {many} things cannot be done."),
    };
    let rest = plan.only.as_ref().map_or(String::new(), |only| format!(" {}", part::rest(only)));
    let what = if plan.rolls_back.is_some() { "Rollback:".into() } else { format!("Plan: {parts}.") };
    let text = format!("{what}{possible}{cannot}{rest}");
    write!(out, "{}", layout.paragraph(&text))
}

fn list<T: std::fmt::Display>(items: &[T], most: usize) -> String {
    let shown: Vec<String> = items.iter().take(most).map(ToString::to_string).collect();
    let more = items.len().saturating_sub(most);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// The driver that shows how the servers were.
const CAPTURE: &str = "capture";
/// In a large organization one reason comes once for each server.
const MOST_REASONS: usize = 8;
