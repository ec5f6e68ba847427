//! `certwright verify`: what clients really get.

use std::path::Path;

use super::{CommandError, Exit, Terminal, session::Session};
use crate::{
    engine::{
        declared::{Declared, declared},
        verify::{self, Row},
    },
    probe::Network,
    views::Verdict,
};

/// Meets every endpoint that the manifest implies.
pub fn run(path: &Path, format: &str, terminal: Terminal) -> Result<Exit, CommandError> {
    let mut session = Session::open(path)?;
    let observed = session.observe()?;
    let now = session.driver.now();
    let Declared { checks, not_provable } = declared(&session.desired, &observed, now);
    let rows = verify::rows(&checks, session.driver.as_ref(), &Network::default());
    let good = rows.iter().all(Row::is_good) && not_provable.is_empty();
    let organization = session.desired.organization.clone();
    let verdict = Verdict { version: 1, organization, at: now, good, rows, not_provable };
    terminal.show(|out| terminal.view(format).verdict(&verdict, out))?;
    Ok(if verdict.good { Exit::Done } else { Exit::VerificationFailed })
}
