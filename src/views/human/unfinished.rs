//! A run that did not come to its end, told beside whatever else is shown of the organization.

use std::io;

use super::super::layout::{Layout, Tone};
use crate::model::unfinished_run::UnfinishedRun;

/// Says it, where there is one.
pub(super) fn write(layout: Layout, run: Option<&UnfinishedRun>, out: &mut dyn io::Write) -> io::Result<()> {
    let Some(run) = run else { return Ok(()) };
    write!(out, "{}", layout.paint(Tone::Change, &layout.paragraph(&run.sentence())))
}
