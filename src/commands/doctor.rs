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
        organization::Organization,
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
    let of_all = unseen_of_all(&observed.organization);
    let servers = session.desired.servers.iter().map(|(name, declared)| {
        let connection = session.driver.is_snapshot().then(|| {
            Examined::not_examined(
                Examination::Reachability,
                "a capture is read from files: there is no connection to examine, and apply needs one",
            )
        });
        let seen = match unknown(name) {
            Some(finding) => {
                Examined::bad(Examination::Observation, finding.message.clone()).advised(finding.hint.clone())
            }
            None => observation(observed.organization.servers.get(name), &of_all),
        };
        ServerDiagnosis {
            server: name.clone(),
            fqdn: declared.fqdn.clone(),
            way: format!("{} of the manifest", session.manifest.driver.name()),
            examined: connection.into_iter().chain([seen]).collect(),
        }
    });
    Ok((servers.collect(), contradictions))
}

fn why<T>(of: &str, fact: &Fact<T>) -> Option<String> {
    fact.why_unknown().map(|why| format!("{of} ({why})"))
}

/// The same of what a capture need not have.
fn failed<T>(of: &str, fact: &Fact<T>) -> Option<String> {
    why(of, fact).filter(|_| !fact.is_not_captured())
}

/// What of the organization could not be seen: it decides about every server.
fn unseen_of_all(organization: &Organization) -> Vec<String> {
    let Organization {
        servers: _,
        send_connectors,
        accepted_domains,
        hybrid,
        auth,
        federation,
        edge_subscriptions,
        im_overrides,
        dedicated_application,
        domain_security,
        balancers: _,
    } = organization;
    let unseen = [
        why("send connectors", send_connectors),
        failed("accepted domains", accepted_domains),
        why("the hybrid configuration", hybrid),
        why("the Auth configuration", auth),
        why("the federation trust", federation),
        why("Edge subscriptions", edge_subscriptions),
        failed("setting overrides", im_overrides),
        failed("the dedicated hybrid application", dedicated_application),
        failed("Domain Security", domain_security),
    ];
    unseen.into_iter().flatten().collect()
}

/// What of a server is seen, and what is not.
fn observation(server: Option<&Server>, of_all: &[String]) -> Examined {
    let Some(server) = server else {
        return Examined::bad(Examination::Observation, "it is not there");
    };
    let unseen = [
        why("certificates", &server.certificates),
        failed("requests", &server.requests),
        why("sites of IIS", &server.sites),
        why("receive connectors", &server.receive_connectors),
        why("internal transport", &server.internal_transport),
        why("settings of POP", &server.pop),
        why("settings of IMAP", &server.imap),
        failed("Unified Messaging", &server.um),
        why("version", &server.version),
        failed("web settings", &server.web),
        failed("services of Windows", &server.services),
        failed("other programs", &server.other_programs),
        failed("CA certificates", &server.authorities),
        failed("the root of Microsoft 365", &server.online_root),
        failed("EdgeSync", &server.connector_copies),
        failed("peers of Edge servers", &server.peers),
    ];
    let unseen: Vec<String> = unseen.into_iter().flatten().chain(of_all.iter().cloned()).collect();
    let cannot_be_read = failed("certificates", &server.certificates).is_some();
    if cannot_be_read {
        Examined::bad(Examination::Observation, format!("not seen: {}", unseen.join("; ")))
            .advised(["nothing is planned for a server whose certificates cannot be read"])
    } else if unseen.is_empty() {
        Examined::good(Examination::Observation, "all of it can be seen")
    } else {
        Examined::warning(Examination::Observation, format!("not seen: {}", unseen.join("; ")))
            .advised(["what is not seen is unknown, and what depends on it is not planned"])
    }
}
