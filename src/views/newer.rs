//! A plan that a newer certwright made, in each format in which plans are shown.

use std::io;

use maud::html;

use super::{
    html as pages,
    json::{self, PlanDocument},
    markdown,
    results::{NOTHING_KNOWN, NewerPlan, ResultFormat},
};

/// The formats of plans whose own format is not known, in the order users see them.
pub static NEWER_FORMATS: &[ResultFormat<NewerPlan>] = &[
    ResultFormat { name: "human", write: |_, plan, out| human(plan, out) },
    ResultFormat { name: "json", write: |_, plan, out| json::write(&PlanDocument::Newer(plan), out) },
    ResultFormat { name: "markdown", write: |_, plan, out| markdown::newer(plan, out) },
    ResultFormat { name: "html", write: |_, plan, out| html_page(plan, out) },
];

fn human(plan: &NewerPlan, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(
        out,
        "Its format is {}, which this certwright does not know. What it understands is shown.\n",
        plan.format
    )?;
    if plan.is_unknown() {
        return writeln!(out, "{NOTHING_KNOWN}");
    }
    for (name, fact) in plan.facts() {
        writeln!(out, "{name}: {}", plain(fact))?;
    }
    plan.steps.iter().try_for_each(|step| writeln!(out, "{:>3} {}", step.number(), plain(&step.what)))
}

/// Foreign text without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

fn html_page(plan: &NewerPlan, out: &mut dyn io::Write) -> io::Result<()> {
    let body = html! {
        header { h1 { (plan.title()) } }
        p.case.warning {
            "Its format is " (plan.format) ", which this certwright does not know. What it understands is shown."
        }
        @if plan.is_unknown() { p { (NOTHING_KNOWN) } }
        section {
            @for (name, fact) in plan.facts() { p { b { (name) } " " (fact) } }
        }
        @if !plan.steps.is_empty() {
            section {
                h2 { "Steps" }
                ul { @for step in &plan.steps { li { b { (step.number()) } " " (step.what) } } }
            }
        }
    };
    out.write_all(pages::whole(&plan.title(), &body).into_string().as_bytes())
}
