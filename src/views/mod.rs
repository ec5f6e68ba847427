//! How results look: each format is a [`View`] on the same finished values. Views write what they are given and decide
//! nothing.

mod against;
mod diagnostics;
mod events;
mod formats;
pub mod html;
pub mod human;
mod icalendar;
pub mod json;
pub mod junit;
mod layout;
mod markdown;
mod newer;
pub mod notification;
pub mod powershell;
pub mod prometheus;
mod results;
mod view;

pub use self::{
    against::{Against, ComparedLine},
    diagnostics::{Accepted, Diagnostics, Reported},
    events::{Counts, RunEvent, Running, StepEnd, StepLine},
    formats::{
        CALENDAR_FORMATS, CHECK_FORMATS, DRIFT_FORMATS, FORECAST_FORMATS, FORMATS, Format, PLAN_FORMATS,
        SHOWN_FORMATS, STATUS_FORMATS, VERDICT_FORMATS,
    },
    json::{
        CalendarDocument, CheckDocument, ErrorDocument, ExplanationDocument, ForecastDocument,
        HistoryDocument, PlanDocument, ReportDocument, StatusDocument,
    },
    layout::{Layout, harmless},
    markdown::BUDGET as MARKDOWN_BUDGET,
    newer::NEWER_FORMATS,
    notification::{Notification, Occasion},
    results::{AcceptedFinding, CheckResult, NewerPlan, NewerStep, PlanResult, ResultFormat},
    view::View,
};
