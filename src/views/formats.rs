//! The formats of each kind of result, in the order users see them.

use std::io;

use super::{
    diagnostics::Reported,
    html, human, icalendar, json, junit,
    layout::Layout,
    markdown, powershell, prometheus,
    results::{CheckResult, Organizations, PlanResult, ResultFormat},
    view::View,
};
use crate::{
    apply::forecast::Forecast,
    plan::outlook::{Calendar, Outlook},
    verify::{drift::Drift, verdict::Verdict},
};

/// A format, by the name it has on the command line.
pub struct Format {
    /// Its name.
    pub name: &'static str,
    /// Makes the view.
    pub view: fn(Layout) -> Box<dyn View>,
}

/// The formats of what `check` finds, in the order users see them.
pub static CHECK_FORMATS: &[ResultFormat<Reported<CheckResult>>] = &[
    ResultFormat {
        name: "human",
        write: |layout, reported, out| human::check(layout, &reported.result, out),
    },
    ResultFormat { name: "json", write: |_, reported, out| json::check(&reported.result, out) },
    ResultFormat::SARIF,
    ResultFormat::JUNIT,
    ResultFormat::GITHUB,
    ResultFormat::GITLAB,
    ResultFormat::AZURE,
];

/// The formats of plans, in the order users see them.
pub static PLAN_FORMATS: &[ResultFormat<Reported<PlanResult>>] = &[
    ResultFormat { name: "human", write: plan_for_people },
    ResultFormat { name: "json", write: |_, reported, out| json::plan(reported, out) },
    ResultFormat { name: "markdown", write: |_, reported, out| markdown::plan(&reported.result, out) },
    ResultFormat { name: "html", write: |_, reported, out| html::plan(&reported.result, out) },
    ResultFormat {
        name: "powershell",
        write: |_, Reported { result: PlanResult { plan, organization, unfinished_run, .. }, .. }, out| {
            let organization = organization.as_ref().ok_or_else(|| io::Error::other(NO_VERSIONS))?;
            powershell::plan(plan, organization, unfinished_run.as_ref(), out)
        },
    },
    ResultFormat::SARIF,
    ResultFormat::JUNIT,
    ResultFormat::GITHUB,
    ResultFormat::GITLAB,
    ResultFormat::AZURE,
];

/// The formats of plans that come from a file, in the order users see them.
pub static SHOWN_FORMATS: &[ResultFormat<Reported<PlanResult>>] = &[
    ResultFormat { name: "human", write: plan_for_people },
    ResultFormat { name: "json", write: |_, reported, out| json::plan(reported, out) },
    ResultFormat { name: "markdown", write: |_, reported, out| markdown::plan(&reported.result, out) },
    ResultFormat { name: "html", write: |_, reported, out| html::plan(&reported.result, out) },
];

const NO_VERSIONS: &str = "a script needs the versions of the servers, which this plan does not hold";

fn plan_for_people(
    layout: Layout,
    reported: &Reported<PlanResult>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    human::planned(layout, &reported.result, out)
}

/// The formats of the state of organizations, in the order users see them.
pub static STATUS_FORMATS: &[ResultFormat<Organizations<Outlook>>] = &[
    ResultFormat {
        name: "human",
        write: |layout, Organizations { list, failed }, out| {
            human::with_whole_thumbprints(layout, list, out, |out| human::status(layout, list, out))?;
            human::not_known(layout, failed, out)
        },
    },
    ResultFormat { name: "json", write: |_, organizations, out| json::status(organizations, out) },
];

/// The formats of what is due, in the order users see them.
pub static CALENDAR_FORMATS: &[ResultFormat<Organizations<Calendar>>] = &[
    ResultFormat {
        name: "human",
        write: |layout, Organizations { list, failed }, out| {
            human::with_whole_thumbprints(layout, list, out, |out| human::calendar(layout, list, out))?;
            human::not_known(layout, failed, out)
        },
    },
    ResultFormat { name: "json", write: |_, organizations, out| json::calendars(organizations, out) },
    ResultFormat { name: "ics", write: |_, calendars, out| icalendar::write(calendars, out) },
    ResultFormat { name: "html", write: |_, calendars, out| html::calendar(calendars, out) },
];

/// The formats of forecasts, in the order users see them.
pub static FORECAST_FORMATS: &[ResultFormat<Vec<Forecast>>] = &[
    ResultFormat { name: "human", write: |layout, forecasts, out| human::forecasts(layout, forecasts, out) },
    ResultFormat { name: "json", write: |_, forecasts, out| json::forecasts(forecasts, out) },
];

/// The formats of verdicts, in the order users see them.
pub static VERDICT_FORMATS: &[ResultFormat<Reported<Verdict>>] = &[
    ResultFormat {
        name: "human",
        write: |layout, reported, out| human::Human { layout }.verdict(&reported.result, out),
    },
    ResultFormat { name: "json", write: |_, reported, out| json::Json.verdict(&reported.result, out) },
    ResultFormat { name: "junit", write: |_, reported, out| junit::verdict(&reported.result, out) },
    ResultFormat { name: "html", write: |_, reported, out| html::verdict(&reported.result, out) },
    ResultFormat { name: "prometheus", write: |_, reported, out| prometheus::verdict(&reported.result, out) },
    ResultFormat::SARIF,
    ResultFormat::GITHUB,
    ResultFormat::GITLAB,
    ResultFormat::AZURE,
];

/// The formats of drift, in the order users see them.
pub static DRIFT_FORMATS: &[ResultFormat<Reported<Drift>>] = &[
    ResultFormat {
        name: "human",
        write: |layout, Reported { result, .. }, out| {
            human::with_whole_thumbprints(layout, result, out, |out| human::drift(layout, result, out))
        },
    },
    ResultFormat { name: "json", write: |_, reported, out| json::write(&reported.result, out) },
    ResultFormat { name: "prometheus", write: |_, reported, out| prometheus::drift(&reported.result, out) },
    ResultFormat::SARIF,
    ResultFormat::JUNIT,
    ResultFormat::GITHUB,
    ResultFormat::GITLAB,
    ResultFormat::AZURE,
];

/// The formats, in the order users see them.
pub static FORMATS: &[Format] = &[
    Format { name: "human", view: |layout| Box::new(human::Human { layout }) },
    Format { name: "json", view: |_| Box::new(json::Json) },
];
