//! Captures: what they show without a manifest, and how old they may be.

use std::path::Path;

use super::error::{CommandError, Exit};
use crate::{
    drivers,
    manifest::CaptureSpec,
    model::{
        organization::Observed,
        time::{Span, Timestamp},
    },
    ports::driver::{Observer, Wanted},
};

/// Everything that a capture shows, without a manifest.
pub(super) fn whole_capture(
    path: &Path,
    organization: Option<&str>,
    as_of: Option<Timestamp>,
    now: Timestamp,
) -> Result<Observed, CommandError> {
    let mut spec = CaptureSpec::at_path(path.to_owned());
    spec.organization = organization.map(str::to_owned);
    let observed = drivers::open_capture(&spec, Path::new(""), now, as_of)?.observe(Wanted::Everything)?;
    not_before_the_capture(&observed, as_of)?;
    Ok(observed)
}

/// Refuses to judge by a moment at which what was captured had not happened yet.
pub(super) fn not_before_the_capture(
    observed: &Observed,
    as_of: Option<Timestamp>,
) -> Result<(), CommandError> {
    match as_of {
        Some(at) if at < observed.at => Err(CommandError::new(
            Exit::Usage,
            format!("--at {at} is before the capture, which shows {}", observed.at),
        )
        .hint("name a later moment, or leave --at out to judge by now")),
        Some(_) | None => Ok(()),
    }
}

/// Refuses a plan of what may have changed long ago.
pub(super) fn check_age(
    observed: &Observed,
    limit: Option<Span>,
    now: Timestamp,
) -> Result<(), CommandError> {
    let age = now.since(observed.at);
    match limit {
        Some(limit) if age > limit => {
            Err(CommandError::new(Exit::LimitExceeded, "the capture is too old to plan from")
                .detail(format!(
                    "It was made at {}, {} ago; `limits.captureAge` allows {limit}.",
                    observed.at,
                    age.rounded()
                ))
                .detail("What was changed on the servers since then would be missing in the plan.")
                .hint("capture the organization again: certwright observe --print-script"))
        }
        _ => Ok(()),
    }
}
