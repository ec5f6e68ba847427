//! A plan in Markdown, for the comment of a pull request: what reviewers fear first, then each server. It keeps within a number
//! of bytes, since forges refuse longer comments; what is left out for that is said at the top.

mod cut;
pub(super) mod feared;
pub(super) mod groups;
mod placed;
mod text;

use std::{fmt::Write, io};

use self::{
    cut::cut,
    groups::{Group, groups},
    placed::{left_alone, removed},
    text::{code, counted, escaped, several},
};
use super::{
    against::{Against, WithoutPlan},
    human::{describe, explains_step, undo},
    no_result::NoResult,
    results::{NOTHING_KNOWN, NewerPlan, PlanResult},
};
use crate::model::{
    action::Action,
    plan::{Change, ChangeKind, Plan, Step},
    unfinished_run::UnfinishedRun,
};

/// What comments of GitHub may have, in bytes: one less than 64 KiB. Those of GitLab and Azure may be longer.
pub const BUDGET: usize = 65_535;

/// How much is told.
#[derive(Clone, Copy, Debug)]
struct Detail {
    /// What of the steps.
    steps: Steps,
    /// Whether certificates have all their reasons.
    reasons: bool,
    /// How many entries a list has at most.
    most: usize,
    /// What is left out compared with everything, as the end of a sentence.
    without: &'static str,
}

/// What is told of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Steps {
    /// Each with its reasons, notes and way back.
    Whole,
    /// Each in one line.
    Short,
    /// Each server in one line.
    Counted,
    /// Nothing.
    LeftOut,
}

/// From everything to little.
const DETAILS: [Detail; 7] = [
    Detail { steps: Steps::Whole, reasons: true, most: usize::MAX, without: "" },
    Detail {
        steps: Steps::Short,
        reasons: false,
        most: usize::MAX,
        without: "the reasons, notes and ways back of steps",
    },
    Detail { steps: Steps::Counted, reasons: false, most: usize::MAX, without: "the single steps" },
    Detail {
        steps: Steps::Counted,
        reasons: false,
        most: 100,
        without: "the single steps, and the ends of long lists",
    },
    Detail {
        steps: Steps::LeftOut,
        reasons: false,
        most: 50,
        without: "all steps, and the ends of long lists",
    },
    Detail { steps: Steps::LeftOut, reasons: false, most: 10, without: "all steps, and most of long lists" },
    Detail { steps: Steps::LeftOut, reasons: false, most: 3, without: "nearly everything" },
];

/// Writes the plan in as much detail as there is room for.
pub(super) fn plan(result: &PlanResult, out: &mut dyn io::Write) -> io::Result<()> {
    let budget = result.budget;
    let mut text = String::new();
    for detail in DETAILS {
        text = told(result, detail);
        if text.len() <= budget {
            break;
        }
    }
    out.write_all(cut(text, budget).as_bytes())
}

/// A plan whose format is not known, as far as it can be understood.
pub(super) fn newer(plan: &NewerPlan, out: &mut dyn io::Write) -> io::Result<()> {
    let mut text = format!(
        "## {}\n\n> **Its format is {}, which this certwright does not know.** What it understands is shown.\n\n",
        escaped(&plan.title()),
        plan.format
    );
    if plan.is_unknown() {
        text += &format!("{NOTHING_KNOWN}\n");
    }
    for (name, fact) in plan.facts() {
        text += &format!("- {name}: {}\n", escaped(fact));
    }
    if !plan.steps.is_empty() {
        text += "\n### Steps\n\n";
    }
    for step in &plan.steps {
        text += &format!("- **{}** {}\n", step.number(), escaped(&step.what));
    }
    out.write_all(cut(text, plan.budget).as_bytes())
}

/// What stands in the place of a plan that there is not. The first line is that of the plan, so that a pipeline replaces its comment.
pub(super) fn failure(failure: &NoResult, out: &mut dyn io::Write) -> io::Result<()> {
    let name = escaped(failure.name());
    let mut text = format!(
        "<!-- certwright {command} {name} -->\n## No {command} for {name}\n\n**Error:** {}\n\n",
        escaped(&failure.summary),
        command = failure.command,
    );
    for finding in failure.told() {
        let place =
            finding.place.as_ref().map_or(String::new(), |place| format!("{}: ", code(&place.to_string())));
        let hint = finding.hint.as_ref().map_or(String::new(), |hint| format!("; {}", escaped(hint)));
        text += &format!("- {place}{}{hint} ({})\n", escaped(&finding.message), code(&finding.id));
    }
    out.write_all(cut(text, failure.budget).as_bytes())
}

fn told(result: &PlanResult, detail: Detail) -> String {
    let PlanResult { plan, unfinished_run: unfinished, against, refused, budget, organization: _ } = result;
    let mut text = head(plan, unfinished.as_ref());
    if let Some(refused) = refused {
        text += &format!("\n> **Not to be applied:** {}\n", escaped(&refused.to_string()));
    }
    if let Some(unfinished) = unfinished {
        text += &format!("\n> **Not finished:** {}\n", escaped(&unfinished.diagnostic().to_string()));
    }
    if !detail.without.is_empty() {
        write!(
            text,
            "\n> **Shortened to {budget} bytes, without {}.** Everything is in the plan itself: `certwright plan`, or `certwright show` of the saved one\n",
            detail.without
        )
        .expect(MEMORY);
    }
    if let Some(against) = against {
        text += &compared(against, detail.most);
    }
    text += &feared::sections(plan, detail.most);
    text += &changes(plan, detail);
    text += &steps(plan, detail);
    text += &left_alone(plan, detail.most);
    writeln!(
        text,
        "\n---\n<sub>certwright {}, planned {} from what {} showed {}.</sub>",
        env!("CARGO_PKG_VERSION"),
        plan.planned_at,
        plan.driver,
        plan.observed_at,
    )
    .expect(MEMORY);
    text
}

/// The title, the sum and a table of what people fear, counted.
fn head(plan: &Plan, unfinished: Option<&UnfinishedRun>) -> String {
    let organization = escaped(&plan.organization);
    // By the first line a pipeline finds the comment that it wrote before.
    let mut text = format!("<!-- certwright plan {organization} -->\n## Plan for {organization}\n");
    if let Some(run) = &plan.rolls_back {
        text += &format!("\nIt rolls back run `{run}`.\n");
    }
    if let Some(only) = &plan.only {
        text += &format!(
            "\n**Only {}**: {} of the whole plan are left out.\n",
            escaped(&only.names()),
            counted(only.steps_left_out(), "step")
        );
    }
    if plan.is_empty() && !plan.is_blocked() {
        let unseen: Vec<String> = plan.not_seen().map(|not_seen| escaped(not_seen.server.as_str())).collect();
        let unseen = match unseen.as_slice() {
            [] => String::new(),
            unseen => format!(" **Not known of {}.**", unseen.join(", ")),
        };
        let (new, left) = match unfinished {
            None => ("", ""),
            Some(_) => ("new ", ", but for what the run has left to do"),
        };
        return text
            + &format!(
                "\n**No {new}changes.** {} on {} are as the manifest says{left}.{unseen}\n",
                counted(plan.seen.bindings, "binding"),
                counted(plan.seen.servers, "server")
            );
    }
    let feared::Counts { servers, removals, restarts, by_hand, irreversible, impossible } =
        feared::counts(plan);
    let kinds = [
        (ChangeKind::Create, "to create"),
        (ChangeKind::Replace, "to replace"),
        (ChangeKind::Update, "to bring into use"),
        (ChangeKind::Retire, "to retire"),
        (ChangeKind::Blocked, "blocked"),
    ];
    let parts: Vec<String> = kinds
        .iter()
        .map(|(kind, words)| (plan.changes.iter().filter(|change| change.kind == *kind).count(), words))
        .filter(|(number, _)| *number > 0)
        .map(|(number, words)| format!("{number} {words}"))
        .collect();
    let parts = if parts.is_empty() { "no certificate changes".to_owned() } else { parts.join(", ") };
    text += &format!("\n**{parts}**, in {}.\n", counted(plan.steps.len(), "step"));
    text += "\n| Servers | Removals | Restarts | By hand or waiting | Cannot be undone | Cannot be done |\n|---:|---:|---:|---:|---:|---:|\n";
    text += &format!("| {servers} | {removals} | {restarts} | {by_hand} | {irreversible} | {impossible} |\n");
    text
}

/// What the change of the manifest means.
fn compared(against: &Against, most: usize) -> String {
    let name = code(&against.name);
    let mut text = match against.without {
        None => format!("\n### Compared with the plan of {name}\n\n"),
        Some(WithoutPlan::NoManifest) => {
            format!("\n### Compared with {name}\n\nThere is no manifest there: all of this plan is new.\n\n")
        }
        Some(WithoutPlan::Mistakes) => {
            return format!(
                "\n### Compared with {name}\n\nNothing is compared: the manifest there has mistakes of its own.\n"
            );
        }
    };
    let lines: Vec<String> = against.changed().collect();
    if lines.is_empty() {
        return text + "The change of the manifest changes nothing in the plan.\n";
    }
    text += "```diff\n";
    for line in lines.iter().take(most) {
        // A fence of its own text would end the block.
        text += &format!("{}\n", line.replace("```", "'''"));
    }
    text += "```\n";
    if lines.len() > most {
        text += &format!("\n… and {}.\n", several(lines.len() - most, "more line"));
    }
    text
}

fn changes(plan: &Plan, detail: Detail) -> String {
    let changes: Vec<&Change> =
        plan.changes.iter().filter(|change| change.kind != ChangeKind::NoOp).collect();
    if changes.is_empty() {
        return String::new();
    }
    let mut text =
        "\n### Certificates\n\n| | Certificate | Servers | Because |\n|---|---|---|---|\n".to_owned();
    for change in changes.iter().take(detail.most) {
        let Change { certificate, kind, reasons, current, servers, removes: _, names: _ } = change;
        let what = match kind {
            ChangeKind::NoOp => "keep",
            ChangeKind::Create => "create",
            ChangeKind::Update => "bring into use",
            ChangeKind::Replace => "replace",
            ChangeKind::Retire => "retire the predecessor of",
            ChangeKind::Blocked => "**blocked**",
        };
        let current = current.map_or(String::new(), |thumbprint| format!(" {}", code(&thumbprint.short())));
        let shown = if detail.reasons { reasons.len().min(MOST_REASONS) } else { reasons.len().min(1) };
        let mut because: Vec<String> =
            reasons[..shown].iter().map(|reason| escaped(&reason.to_string())).collect();
        if reasons.len() > shown {
            because.push(counted(reasons.len() - shown, "more reason"));
        }
        text += &format!(
            "| {what} | {}{current} | {} | {} |\n",
            escaped(certificate.name.as_str()),
            feared::servers(servers, 6),
            because.join("; ")
        );
    }
    if changes.len() > detail.most {
        text += &format!("\n… and {}.\n", several(changes.len() - detail.most, "more certificate"));
    }
    text + &removed(&changes, detail.most)
}

fn steps(plan: &Plan, detail: Detail) -> String {
    if plan.steps.is_empty() || detail.steps == Steps::LeftOut {
        return String::new();
    }
    let mut text = "\n### Steps\n".to_owned();
    let groups = groups(plan);
    if detail.steps == Steps::Counted {
        text += "\n";
    }
    for group in groups.iter().take(detail.most) {
        text += &match detail.steps {
            Steps::Counted => format!("- {}: {}\n", title(plan, group), verbs(group)),
            _ => whole_group(plan, group, detail),
        };
    }
    if groups.len() > detail.most {
        text += &format!("\n… and {}.\n", several(groups.len() - detail.most, "more group of servers"));
    }
    text
}

fn whole_group(plan: &Plan, group: &Group<'_>, detail: Detail) -> String {
    let mut text = format!("\n<details><summary>{}</summary>\n\n", title(plan, group));
    if let (Some(first), true) = (group.servers.first(), group.servers.len() > 1) {
        text += &format!("As on {first}; numbers and thumbprints differ on the others.\n\n");
    }
    for step in &group.steps {
        text += &format!("- **{}** {}\n", step.id, line(step));
        if detail.steps == Steps::Whole {
            for told in asides(step) {
                text += &format!("  - {}\n", escaped(&told));
            }
        }
    }
    text + "\n</details>\n"
}

/// The servers of a group and how many steps each has.
fn title(plan: &Plan, group: &Group<'_>) -> String {
    let number = counted(group.steps.len(), "step");
    match group.servers.as_slice() {
        [] => format!("{}: {number}", escaped(&plan.organization)),
        [one] => format!("{one}: {number}"),
        many => format!("{}: the same {number} each", feared::servers(many, 6)),
    }
}

/// Each verb of a group once, in the order of its steps.
fn verbs(group: &Group<'_>) -> String {
    let mut verbs: Vec<&str> = Vec::new();
    for step in &group.steps {
        if !verbs.contains(&step.action.verb()) {
            verbs.push(step.action.verb());
        }
    }
    verbs.join(", ")
}

fn line(step: &Step) -> String {
    let name = match (&step.action, &step.certificate) {
        (Action::Issue { .. } | Action::Gate { .. }, Some(id)) => format!("{}: ", escaped(id.name.as_str())),
        _ => String::new(),
    };
    format!("{} {name}{}", step.action.verb(), escaped(&describe(&step.action)))
}

/// What is to be said of a step beside it.
fn asides(step: &Step) -> Vec<String> {
    let reasons =
        step.why.iter().filter(|reason| explains_step(reason)).map(|reason| format!("why: {reason}"));
    let effects = step.side_effects.iter().map(|effect| format!("note: {effect}"));
    let back = undo(&step.undo).map(|back| format!("undo: {back}"));
    reasons.chain(effects).chain(back).collect()
}

const MEMORY: &str = "a String takes all that is written";
/// In a large organization one reason comes once for each server.
const MOST_REASONS: usize = 8;
