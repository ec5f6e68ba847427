//! Looking what became of a step of which nobody saw the end, before it is done again.

use std::collections::BTreeSet;

use super::{error::StepError, outputs::Outputs};
use crate::{
    apply::ports::Ports,
    exchange::simulation::SimulatedOrganization,
    model::{
        action::{Action, DefaultSmtp},
        fact::Fact,
        names::ServerName,
        organization::Organization,
        plan::Step,
        thumbprint::Thumbprint,
    },
    ports::driver::{Driver, Wanted},
};

/// What a look shows of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::apply) enum Seen {
    /// What it was to bring about is there.
    Done,
    /// It is not there, or leaves no trace, and the step can be done again.
    NotDone,
    /// Nobody knows.
    Nothing,
}

/// Looks at what a step acts on.
pub(in crate::apply) fn seen(step: &Step, ports: &Ports<'_>, outputs: &Outputs) -> Seen {
    let action = step.action.with_known(&|step| outputs.made(step));
    let servers: BTreeSet<ServerName> = action.servers().into_iter().cloned().collect();
    let wanted = if servers.is_empty() { Wanted::Organization } else { Wanted::Servers(&servers) };
    let Ok(observed) = ports.driver.observe(wanted) else { return Seen::Nothing };
    let organization = observed.organization;
    if !is_shown(&organization, &servers, &action) {
        Seen::Nothing
    } else if shows_all_of_it(&action)
        && SimulatedOrganization::new(organization, ports.driver.now()).holds(&action)
    {
        Seen::Done
    } else {
        Seen::NotDone
    }
}

/// Refuses where a binding of IIS still names a certificate that is to be removed: Exchange removes it all the same, and the binding
/// keeps the hash of what is gone (facts 7.3). Where the bindings cannot be seen, one may name it.
pub(super) fn not_in_bindings(
    driver: &dyn Driver,
    removals: &BTreeSet<(&ServerName, Thumbprint)>,
) -> Result<(), StepError> {
    let servers: BTreeSet<ServerName> = removals.iter().map(|(server, _)| (*server).clone()).collect();
    let observed = driver.observe(Wanted::Servers(&servers))?;
    for (server, certificate) in removals {
        let own = observed.organization.servers.get(*server);
        let unseen = |why: &str| StepError::BindingsUnseen {
            server: (*server).clone(),
            certificate: *certificate,
            why: why.to_owned(),
        };
        let sites = match own.map(|own| &own.sites) {
            None => return Err(unseen("the server was not observed")),
            Some(Fact::Unknown(why)) => return Err(unseen(&why.why)),
            Some(Fact::Known(sites)) => sites,
        };
        if let Some((site, _)) = sites.iter().find(|(_, held)| **held == Some(*certificate)) {
            let (server, certificate, site) = ((*server).clone(), *certificate, site.clone());
            return Err(StepError::StillNamed { server, certificate, site });
        }
    }
    Ok(())
}

/// Whether what the step acts on can be seen at all.
fn is_shown(organization: &Organization, servers: &BTreeSet<ServerName>, action: &Action) -> bool {
    let of_iis = matches!(action, Action::BindSite { .. });
    let is_shown = |name| {
        let server = organization.servers.get(name);
        server.is_some_and(|server| {
            server.certificates.known().is_some() && (!of_iis || server.sites.known().is_some())
        })
    };
    let of_organization = servers.is_empty() && organization.send_connectors.known().is_none();
    servers.iter().all(is_shown) && !of_organization
}

/// Whether a step has done all that it does when what it leaves is there. The others do something more that cannot be seen, and
/// come to the same when they are done twice.
fn shows_all_of_it(action: &Action) -> bool {
    match action {
        Action::BindSite { .. }
        | Action::SetX509CertificateName { .. }
        | Action::SetUmStartupMode { .. }
        | Action::SetInternalTransport { .. }
        | Action::Bind { default_smtp: DefaultSmtp::Keep, .. } => true,
        // Edge servers get a copy, other servers read it anew, the default SMTP certificate becomes another one.
        Action::Bind { default_smtp: DefaultSmtp::Replace, .. }
        | Action::Repoint { .. }
        | Action::SetImCertificate { .. }
        | Action::Issue { .. }
        | Action::Request { .. }
        | Action::Complete { .. }
        | Action::RemoveRequest { .. }
        | Action::Create { .. }
        | Action::Import { .. }
        | Action::Install { .. }
        | Action::VerifyBalancer { .. }
        | Action::Restart { .. }
        | Action::StageAuth { .. }
        | Action::PublishAuth { .. }
        | Action::ClearPreviousAuth {}
        | Action::Verify { .. }
        | Action::BackUp { .. }
        | Action::Remove { .. }
        | Action::RemoveNamed { .. }
        | Action::Await { .. }
        | Action::Manual { .. }
        | Action::Gate { .. }
        | Action::CannotApply { .. } => false,
    }
}
