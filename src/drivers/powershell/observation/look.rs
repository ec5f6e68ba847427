//! One look over a session, and again where Exchange has ended it meanwhile.

use super::sections::Sections;
use crate::{
    drivers::powershell::{
        answer::{AnswerKind, Facts, Good},
        error::PowerShellError,
        request::Request,
        session::Session,
    },
    model::names::ServerName,
};

/// What is seen over the session with Exchange. Exchange ends a session that nobody has used for a while, and then each section
/// says so: it is opened again, once.
pub(super) fn look(session: &Session, request: &Request) -> Result<Good<Sections>, PowerShellError> {
    let name = &session.endpoint.name;
    let good = few(name, session.call(request)?)?;
    if good.lost().is_none() {
        return Ok(good);
    }
    session.end();
    let good = few(name, session.call::<Sections>(request)?)?;
    match good.lost() {
        None => Ok(good),
        Some(facts) => Err(PowerShellError::Answered(Box::new(facts.clone().into()))),
    }
}

impl Good<Sections> {
    /// The section that says that there is no session any more.
    fn lost(&self) -> Option<&Facts> {
        self.result
            .sections
            .iter()
            .filter_map(|section| section.error.as_ref())
            .find(|facts| matches!(facts.kind(), AnswerKind::ConnectionLost | AnswerKind::Unreachable))
    }
}

/// Refuses what is no observation: there are not so many cmdlets.
pub(super) fn few(server: &ServerName, good: Good<Sections>) -> Result<Good<Sections>, PowerShellError> {
    let count = good.result.sections.len();
    if count > MOST_SECTIONS {
        let what = format!("it has {count} sections");
        return Err(PowerShellError::Protocol { host: server.to_string(), what });
    }
    Ok(good)
}

/// What one request may show, several times what there is.
const MOST_SECTIONS: usize = 300;
