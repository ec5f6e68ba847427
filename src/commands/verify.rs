//! `certwright verify`: what clients really get.

use std::{collections::BTreeMap, path::Path};

use super::{CommandError, Exit, Terminal, session::Session};
use crate::{
    engine::{
        driver::Observer,
        verify::{self, Check, Row},
    },
    model::{
        action::CertRef,
        desired::{CertificateId, Desired},
        organization::Observed,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    plan::{self, Supply, expect},
    probe::Network,
    views::Verdict,
};

/// Meets every endpoint that the manifest implies.
pub fn run(path: &Path, format: &str, terminal: Terminal) -> Result<Exit, CommandError> {
    let session = Session::open(path)?;
    let observed = session.observe()?;
    let verdict = verdict(&session.desired, &observed, session.driver.as_ref());
    terminal.show(|out| terminal.view(format).verdict(&verdict, out))?;
    Ok(if verdict.good { Exit::Done } else { Exit::VerificationFailed })
}

fn verdict(desired: &Desired, observed: &Observed, observer: &dyn Observer) -> Verdict {
    let now = observer.now();
    let standing = standing(desired, observed, now);
    let (mut checks, mut not_provable) = (Vec::new(), Vec::new());
    for (name, own) in &desired.servers {
        let Some(server) = observed.organization.servers.get(name) else {
            not_provable.push(format!("{name}: the server was not observed"));
            continue;
        };
        let chosen = |id: &CertificateId| standing.get(id).copied();
        let mut missing: Vec<&CertificateId> = own.uses().filter(|id| chosen(id).is_none()).collect();
        missing.sort_unstable();
        missing.dedup();
        not_provable.extend(
            missing.iter().map(|id| format!("{name}: {id} does not exist yet; `certwright plan` tells more")),
        );
        for expectation in expect::expectations(own, server, &chosen, now) {
            let CertRef::Known(expected) = expectation.certificate else { continue };
            checks.push(Check {
                server: name.clone(),
                fqdn: own.fqdn.clone(),
                endpoint: expectation.endpoint,
                name: expectation.name,
                expected,
            });
        }
    }
    let rows = verify::rows(&checks, observer, &Network::default());
    let good = rows.iter().all(Row::is_good) && not_provable.is_empty();
    Verdict { version: 1, organization: desired.organization.clone(), at: now, good, rows, not_provable }
}

/// The certificate that stands for each of the manifest today: the chosen one, or the one in use until it is replaced.
fn standing(desired: &Desired, observed: &Observed, now: Timestamp) -> BTreeMap<CertificateId, Thumbprint> {
    let mut standing = BTreeMap::new();
    for id in desired.certificates.keys() {
        let Some(decision) = plan::plan_certificate(id, desired, observed, now) else { continue };
        let thumbprint = match decision.supply {
            Supply::Have { thumbprint, .. } => Some(thumbprint),
            Supply::New | Supply::Blocked => decision.incumbent,
        };
        standing.extend(thumbprint.map(|thumbprint| (id.clone(), thumbprint)));
    }
    standing
}
