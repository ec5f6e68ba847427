//! A plan as a page, for change tickets and for those who agree to it: what people fear first, then each certificate and
//! each step.

use std::io;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    style::STYLE,
    words::{sentence, several, symbol, unfinished},
};
use crate::{
    model::{
        action::Action,
        plan::{Change, ChangeKind, LeftBecause, Plan, Step},
    },
    verify::verdict::State,
    views::{
        against::{Against, WithoutPlan},
        human::{describe, explains_step, undo},
        markdown::{
            feared::{self, Counts, Listed},
            groups::{self, Group},
        },
        results::PlanResult,
    },
};

/// Writes the page.
pub fn plan(result: &PlanResult, out: &mut dyn io::Write) -> io::Result<()> {
    out.write_all(page(result).into_string().as_bytes())
}

fn page(result: &PlanResult) -> Markup {
    let PlanResult { plan, unfinished_run, against, refused, organization: _, budget: _ } = result;
    let counts = feared::counts(plan);
    let (state, words) = headline(plan, &counts, unfinished_run.is_some());
    html! {
        (DOCTYPE) "\n"
        html lang="en" {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            title { (plan.organization) ": plan, " (words) }
            style { (PreEscaped(STYLE)) }
            main {
                header {
                    h1 {
                        (plan.organization)
                        small { (subtitle(plan)) }
                    }
                    span.pill.(state.word()) { (symbol(state)) " " (words) }
                }
                @if let Some(only) = &plan.only {
                    p.case.warning {
                        "This is a part of the plan, for " (only.names()) ". "
                        (several(only.steps_left_out(), "step")) " left out."
                    }
                }
                @if let Some(refused) = refused { p.case.warning { "Not to be applied: " (refused.to_string()) "." } }
                (unfinished(unfinished_run.as_ref()))
                (tiles(plan, &counts))
                @if let Some(against) = against { (compared(against)) }
                (first(plan))
                (changes(plan))
                (steps(plan))
                (left_alone(plan))
                footer {
                    "certwright " (env!("CARGO_PKG_VERSION")) ". The same for programs: "
                    code { "certwright plan --format json" }
                }
            }
        }
        "\n"
    }
}

fn subtitle(plan: &Plan) -> Markup {
    let what =
        plan.rolls_back.as_ref().map_or_else(|| "Plan ".to_owned(), |run| format!("Rollback of run {run}, "));
    html! {
        (what) "made " span.date { (plan.planned_at) } " from what " (plan.driver) " showed "
        span.date { (plan.observed_at) }
    }
}

fn headline(plan: &Plan, counts: &Counts, unfinished: bool) -> (State, String) {
    if counts.impossible > 0 {
        (State::Wrong, format!("{} cannot be done", several(counts.impossible, "thing")))
    } else if plan.is_empty() && unfinished {
        (State::Warning, "a run is not finished".to_owned())
    } else if plan.is_empty() {
        (State::Good, "no changes".to_owned())
    } else if counts.irreversible > 0 {
        (State::Warning, format!("{} cannot be undone", several(counts.irreversible, "step")))
    } else if counts.by_hand > 0 {
        let steps = several(plan.steps.len(), "step");
        (State::Good, format!("{steps}, {} by hand or waiting", counts.by_hand))
    } else {
        (State::Good, format!("{}, all reversible", several(plan.steps.len(), "step")))
    }
}

fn tiles(plan: &Plan, counts: &Counts) -> Markup {
    let Counts { servers, removals, restarts, by_hand, irreversible, impossible } = counts;
    let tile = |state: &str, number: usize, words: &str| {
        let state = if number > 0 { state } else { "" };
        html! { div.tile.(state) { b { (number) } span { (words) } } }
    };
    html! {
        div.tiles {
            (tile("", plan.steps.len(), "steps"))
            (tile("", *servers, "servers changed"))
            (tile("", *restarts, "restarts"))
            (tile("warning", *removals, "removals"))
            (tile("warning", *by_hand, "by hand or waiting"))
            (tile("warning", *irreversible, "cannot be undone"))
            (tile("wrong", *impossible, "cannot be done"))
        }
    }
}

/// What somebody who agrees to a plan looks for first.
fn first(plan: &Plan) -> Markup {
    let lists = [
        (State::Wrong, "Cannot be done", feared::impossible(plan)),
        (State::Warning, "Removals", feared::removals(plan)),
        (State::Warning, "Cannot be undone", feared::irreversible(plan)),
        (State::Warning, "By hand, and waiting", feared::by_hand(plan)),
        (State::Warning, "Warnings", feared::warnings(plan)),
        (State::Good, "Restarts", feared::restarts(plan)),
    ];
    let lists: Vec<(State, &str, Vec<Listed>)> =
        lists.into_iter().filter(|(_, _, entries)| !entries.is_empty()).collect();
    html! {
        @if !lists.is_empty() {
            section {
                h2 { "What to look at first" }
                @for (state, title, entries) in &lists {
                    div.case.(state.word()) {
                        h3 { b { (title) } " " span { (feared::sum(entries)) } }
                        ul { @for entry in entries { li { (sentence(&entry.text)) } } }
                    }
                }
            }
        }
    }
}

/// What the change of the manifest means.
fn compared(against: &Against) -> Markup {
    let lines: Vec<String> = against.changed().collect();
    html! {
        section {
            h2 { "Compared with the plan of " (against.name) }
            @if against.without == Some(WithoutPlan::Mistakes) {
                "Nothing is compared: the manifest there has mistakes of its own."
            } @else if against.without == Some(WithoutPlan::NoManifest) {
                p { "There is no manifest there: all of this plan is new." }
            }
            @if against.without == Some(WithoutPlan::Mistakes) {
            } @else if lines.is_empty() {
                "The change of the manifest changes nothing in the plan."
            } @else {
                pre.diff { @for line in &lines { span.(if line.starts_with('+') { "added" } else { "removed" }) { (line) } "\n" } }
            }
        }
    }
}

fn changes(plan: &Plan) -> Markup {
    let changes: Vec<&Change> =
        plan.changes.iter().filter(|change| change.kind != ChangeKind::NoOp).collect();
    html! {
        @if !changes.is_empty() {
            section {
                h2 { "Certificates" }
                table.plain {
                    thead { tr { th { "Certificate" } th {} th { "Servers" } th { "Because" } } }
                    tbody { @for change in changes { (change_row(change)) } }
                }
            }
        }
    }
}

fn change_row(change: &Change) -> Markup {
    let Change { certificate, kind, reasons, current, names: _, servers, removes } = change;
    let (state, what) = match kind {
        ChangeKind::NoOp => ("", "= keep"),
        ChangeKind::Create => ("good", "+ create"),
        ChangeKind::Update => ("good", "~ bring into use"),
        ChangeKind::Replace => ("warning", "± replace"),
        ChangeKind::Retire => ("warning", "- retire predecessor"),
        ChangeKind::Blocked => ("wrong", "! blocked"),
    };
    let (shown, more) = reasons.split_at(reasons.len().min(MOST_REASONS));
    html! {
        tr {
            td { b { (certificate.name) } @if let Some(current) = current { br; code.quiet { (current.short()) } } }
            td { span.word.(state) { (what) } }
            td data-label="Servers" { (feared::servers(servers, 6)) }
            td data-label="Because" {
                @for reason in shown { div { (sentence(&reason.to_string())) } }
                @if !more.is_empty() { div.quiet { "and " (several(more.len(), "more reason")) } }
                @for own in removes {
                    div { "Removes " code { (own.certificate.short()) } " on " (feared::servers(&own.servers, 6)) ": " (own) }
                }
            }
        }
    }
}

fn steps(plan: &Plan) -> Markup {
    html! {
        @if !plan.steps.is_empty() {
            section {
                h2 { "Steps" small { "servers on which the same is done are shown once" } }
                @for group in groups::groups(plan) { (group_of(plan, &group)) }
            }
        }
    }
}

fn group_of(plan: &Plan, group: &Group<'_>) -> Markup {
    let (title, each) = match group.servers.as_slice() {
        [] => (plan.organization.clone(), ""),
        [one] => (one.to_string(), ""),
        many => (feared::servers(many, 6), " each"),
    };
    html! {
        details open {
            summary { (title) span { (several(group.steps.len(), "step")) (each) } }
            @if let (Some(first), true) = (group.servers.first(), group.servers.len() > 1) {
                p.quiet { "As on " (first) "; numbers and thumbprints differ on the others." }
            }
            ol.steps { @for step in &group.steps { (item(step)) } }
        }
    }
}

fn item(step: &Step) -> Markup {
    let name = match (&step.action, &step.certificate) {
        (Action::Issue { .. } | Action::Gate { .. }, Some(id)) => format!("{}: ", id.name),
        _ => String::new(),
    };
    html! {
        li value=(step.id) {
            b { (step.action.verb()) } " " (name) (sentence(&describe(&step.action)))
            @for reason in step.why.iter().filter(|reason| explains_step(reason)) {
                div.quiet { "why: " (sentence(&reason.to_string())) }
            }
            @for effect in &step.side_effects { div.quiet { "note: " (sentence(&effect.to_string())) } }
            @if let Some(back) = undo(&step.undo) { div.quiet { "undo: " (sentence(&back)) } }
        }
    }
}

fn left_alone(plan: &Plan) -> Markup {
    let telling: Vec<_> = plan
        .left_alone
        .iter()
        .filter(|left| !matches!(left.why, LeftBecause::Unmanaged | LeftBecause::Protected { .. }))
        .collect();
    html! {
        @if !telling.is_empty() {
            section {
                h2 { "Kept for now" }
                ul {
                    @for left in telling {
                        li { code { (left.certificate.short()) } " on " (left.server) ": " (sentence(&left.why.to_string())) }
                    }
                }
            }
        }
    }
}

/// In a large organization one reason comes once for each server.
const MOST_REASONS: usize = 8;
