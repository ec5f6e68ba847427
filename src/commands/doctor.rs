//! `certwright doctor`: what works on the way to each server, what does not, and what to do.

use std::path::Path;

use super::{
    CommandError, Exit, Terminal, next,
    session::{Session, wall_clock},
};
use crate::{
    manifest::finding::{DocPath, Finding},
    model::{
        diagnosis::{Diagnosis, Examination, ExaminationResult, Examined, ServerDiagnosis},
        fact::Fact,
        names::ServerName,
        server::Server,
    },
    ports::driver::Observer,
};

/// Examines the way to every server of a manifest. Nothing is changed.
pub fn run(path: &Path, format: &str, terminal: Terminal) -> Result<Exit, CommandError> {
    let session = Session::open_to_examine(path)?;
    let (servers, contradictions) = match session.driver.examine() {
        Some(servers) => (servers, Vec::new()),
        // There is no way to anywhere; what there is can be seen or not.
        None => seen(&session)?,
    };
    let all = servers.iter().flat_map(|server| &server.examined);
    let healthy = all.into_iter().all(|examined| examined.result != ExaminationResult::Bad);
    let diagnosis = Diagnosis {
        version: Diagnosis::VERSION,
        at: wall_clock(),
        certwright: env!("CARGO_PKG_VERSION").into(),
        organization: session.desired.organization.clone(),
        driver: session.manifest.driver.name().into(),
        healthy,
        servers,
    };
    terminal.show(|out| terminal.view(format).diagnosis(&diagnosis, out))?;
    if !healthy && terminal.err_is_terminal {
        let manifest = next::argument(path);
        terminal
            .next(&[format!("correct what is marked bad, and examine again: certwright doctor{manifest}")]);
    }
    if !contradictions.is_empty() {
        return Err(CommandError::contradictions(contradictions));
    }
    Ok(if healthy { Exit::Done } else { Exit::Error })
}

/// What of each server is seen, and where the manifest contradicts that.
fn seen(session: &Session) -> Result<(Vec<ServerDiagnosis>, Vec<Finding>), CommandError> {
    let observed = session.look()?;
    let contradictions = session.contradictions(&observed);
    let unknown = |name: &ServerName| {
        let path = DocPath::of(&["servers"]).key(name);
        contradictions.iter().find(|finding| finding.id == "unknown-server" && finding.path == path)
    };
    let servers = session.desired.servers.iter().map(|(name, declared)| ServerDiagnosis {
        server: name.clone(),
        fqdn: declared.fqdn.clone(),
        way: format!("{} of the manifest", session.manifest.driver.name()),
        examined: vec![match unknown(name) {
            Some(finding) => {
                Examined::bad(Examination::Observation, finding.message.clone()).advised(finding.hint.clone())
            }
            None => observation(observed.organization.servers.get(name)),
        }],
    });
    Ok((servers.collect(), contradictions))
}

/// What of a server is seen, and what is not.
fn observation(server: Option<&Server>) -> Examined {
    fn why<T>(of: &str, fact: &Fact<T>) -> Option<String> {
        fact.why_unknown().map(|why| format!("{of} ({why})"))
    }
    let Some(server) = server else {
        return Examined::bad(Examination::Observation, "it is not there");
    };
    let unseen: Vec<String> = [
        why("certificates", &server.certificates),
        why("sites of IIS", &server.sites),
        why("receive connectors", &server.receive_connectors),
        why("internal transport", &server.internal_transport),
        why("version", &server.version),
    ]
    .into_iter()
    .flatten()
    .collect();
    if unseen.is_empty() {
        Examined::good(Examination::Observation, "all of it can be seen")
    } else {
        Examined::warning(Examination::Observation, format!("not seen: {}", unseen.join("; ")))
            .advised(["what is not seen is unknown, and what depends on it is not planned"])
    }
}
