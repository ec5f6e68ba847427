//! Bindings of IIS sites.

use super::{Lane, restart};
use crate::{
    exchange::{
        presenters::{Presenter, presented},
        selection::Presented,
    },
    model::{
        action::Action, desired::CertificateId, reason::Reason, service::Restartable, site::SiteBinding,
        thumbprint::Thumbprint,
    },
    plan::{draft::Draft, expect},
};

/// Binds every site to the certificate that the manifest says.
pub(super) fn bind(draft: &mut Draft, lane: &mut Lane<'_>) {
    for (wanted, id) in &lane.own.sites {
        bind_site(draft, lane, wanted, id);
    }
}

/// Without a working Exchange Back End the management shell does not answer, and no certificate cmdlet does anything
/// (facts 4.3). Its binding is IIS's and can be set all the same, so it comes first when it is broken.
pub(super) fn repair_back_end(draft: &mut Draft, lane: &mut Lane<'_>) {
    let back_end = SiteBinding::back_end();
    let Some(id) = lane.own.sites.get(&back_end) else { return };
    let Some(server) = draft.server(lane.name) else { return };
    let broken = match presented(server, &Presenter::Site(back_end.clone()), draft.now) {
        Presented::Failing { .. } | Presented::Nothing(_) => true,
        Presented::Certificate(_) | Presented::Unknown(_) => false,
    };
    if broken && draft.on_server(lane.name, id).is_some() {
        let before = draft.last_step(lane.name);
        bind_site(draft, lane, &back_end, id);
        if draft.last_step(lane.name) != before && lane.restart.remove(&Restartable::Iis) {
            restart(draft, &[Restartable::Iis].into(), lane.name, None);
        }
    }
}

fn bind_site(draft: &mut Draft, lane: &mut Lane<'_>, wanted: &SiteBinding, id: &CertificateId) {
    let (Some(thumbprint), Some(chosen)) = (draft.thumbprint(id), draft.chosen(id)) else { return };
    let Some(sites) = draft.server(lane.name).and_then(|server| server.sites.known()) else { return };
    let bindings: Vec<(SiteBinding, Option<Thumbprint>)> = sites
        .iter()
        .filter(|(binding, _)| expect::covers_binding(wanted, binding))
        .map(|(binding, hash)| (binding.clone(), *hash))
        .collect();
    if bindings.is_empty() {
        draft.cannot(Some(id), format!("{} has no https binding {wanted}", lane.name));
    }
    for (site, have) in bindings.into_iter().filter(|(_, hash)| *hash != Some(thumbprint)) {
        let why = vec![Reason::SiteDiffers { server: lane.name.clone(), site: site.clone(), have }];
        lane.restart.insert(Restartable::Iis);
        let action = Action::BindSite { server: lane.name.clone(), site, certificate: chosen };
        draft.push(Some(id), action, why, []);
    }
}
