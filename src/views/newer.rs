//! A plan that a newer certwright made, in each format in which plans are shown.

use std::io;

use maud::html;

use super::{
    html as pages,
    json::{self, PlanDocument},
    markdown,
    results::{NewerPlan, NewerStep, ResultFormat},
};

/// The formats of plans whose own format is not known, in the order users see them.
pub static NEWER_FORMATS: &[ResultFormat<NewerPlan>] = &[
    ResultFormat { name: "human", write: |_, plan, out| human(plan, out) },
    ResultFormat { name: "json", write: |_, plan, out| json::write(&PlanDocument::Newer(plan), out) },
    ResultFormat { name: "markdown", write: |_, plan, out| markdown::newer(plan, out) },
    ResultFormat { name: "html", write: |_, plan, out| html_page(plan, out) },
];

impl NewerPlan {
    /// What is known of it beside its steps, each with its name.
    pub(super) fn facts(&self) -> Vec<(&'static str, &str)> {
        let Self { organization, planned_at, observed_at, driver, .. } = self;
        let facts = [
            ("organization", organization),
            ("planned at", planned_at),
            ("observed at", observed_at),
            ("driver", driver),
        ];
        facts.into_iter().filter_map(|(name, fact)| Some((name, fact.as_deref()?))).collect()
    }

    pub(super) fn is_unknown(&self) -> bool {
        self.steps.is_empty() && self.facts().is_empty()
    }

    pub(super) fn title(&self) -> String {
        let organization = self.organization.as_deref().unwrap_or("an organization");
        format!("Plan for {organization}, made by a newer certwright")
    }
}

impl NewerStep {
    /// Its number, or what stands for one.
    pub(super) fn number(&self) -> String {
        self.id.map_or_else(|| "?".to_owned(), |id| id.to_string())
    }
}

/// What is said of a plan of which nothing can be told.
pub(super) const NOTHING_KNOWN: &str = "nothing in it is known";

fn human(plan: &NewerPlan, out: &mut dyn io::Write) -> io::Result<()> {
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
