//! How results look: each format is a [`View`] on the same finished values. Views write what they are given and decide
//! nothing.

mod against;
mod diagnostics;
mod events;
mod failure;
mod formats;
pub mod html;
pub mod human;
mod icalendar;
pub mod json;
mod json_error;
pub mod junit;
mod layout;
mod markdown;
mod newer;
mod no_result;
pub mod notification;
pub mod powershell;
pub mod prometheus;
mod results;
mod view;

pub use self::{
    against::{Against, ComparedLine, WithoutPlan},
    diagnostics::{Accepted, Diagnostics, Reported},
    events::{Counts, RunEvent, Running, StepEnd, StepLine},
    failure::FAILURE_FORMATS,
    formats::{
        CALENDAR_FORMATS, CHECK_FORMATS, DRIFT_FORMATS, FORECAST_FORMATS, FORMATS, Format, PLAN_FORMATS,
        SHOWN_FORMATS, STATUS_FORMATS, VERDICT_FORMATS,
    },
    json::{
        CalendarDocument, CheckDocument, ExplanationDocument, ForecastDocument, HistoryDocument,
        PlanDocument, ReportDocument, StatusDocument,
    },
    json_error::ErrorDocument,
    layout::{Layout, harmless},
    markdown::BUDGET as MARKDOWN_BUDGET,
    newer::NEWER_FORMATS,
    no_result::NoResult,
    notification::{Notification, Occasion},
    results::{
        AcceptedFinding, CheckResult, NewerPlan, NewerStep, Organizations, PlanResult, RefusedPlan,
        ResultFormat,
    },
    view::View,
};
