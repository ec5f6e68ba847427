//! Bindings of IIS sites.

use super::{lane::Lane, restarts::restart};
use crate::{
    exchange::{
        binding_points::{BindingPoint, presented},
        builtin,
        selection::Presented,
        shell,
    },
    model::{
        action::{Action, CertRef},
        cannot::Cannot,
        desired::{CertificateId, DesiredServer},
        names::ServerName,
        protection::Protection,
        reason::Reason,
        server::{BindingStore, Server, StoredCertificate},
        service::Restartable,
        site::SiteBinding,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    plan::{builder::PlanBuilder, lineage},
};

/// Binds every site to the certificate that the manifest says.
pub(super) fn bind(builder: &mut PlanBuilder, lane: &mut Lane<'_>) {
    for (wanted, id) in &lane.own.sites {
        bind_site(builder, lane, wanted, id);
    }
}

/// Without a working Exchange Back End the management shell does not answer, and no certificate cmdlet does anything
/// (facts 4.3). Its binding is IIS's and can be set all the same, so that comes before everything else: with the
/// certificate that belongs there when it is there already, or with another one until then.
pub(in crate::plan) fn repair_shell(
    builder: &mut PlanBuilder,
    own: &DesiredServer,
    name: &ServerName,
    protect: &[Protection],
) {
    let Some(server) = builder.server(name) else { return };
    let back_end = SiteBinding::back_end();
    let expired = match presented(server, &BindingPoint::Site(back_end.clone()), builder.now) {
        Presented::Certificate(thumbprint) => {
            server.certificate(thumbprint).is_some_and(|stored| stored.certificate.not_after < builder.now)
        }
        Presented::Failing { .. } | Presented::Nothing(_) | Presented::Unknown(_) => false,
    };
    let answers = shell::answers(server);
    if answers && !expired {
        return;
    }
    let have = server.sites.known().and_then(|sites| sites.get(&back_end).copied().flatten());
    let Some(id) = own.site(&back_end) else { return };
    let here = builder.thumbprint(id).filter(|_| builder.on_server(name, id).is_some());
    let stopgap = || (!answers).then(|| stopgap(server, own, protect, builder.now)).flatten();
    let Some(certificate) = here.or_else(stopgap) else { return };
    let why = if answers {
        Reason::SiteDiffers { server: name.clone(), site: back_end.clone(), have }
    } else {
        Reason::ShellDown { server: name.clone(), site: back_end.clone() }
    };
    let action =
        Action::BindSite { server: name.clone(), site: back_end, certificate: CertRef::Known(certificate) };
    if builder.push(Some(id), action, vec![why], []).is_some() {
        restart(builder, &[Restartable::Iis].into(), name, &[]);
    }
}

/// A certificate of the server that will do for Exchange Back End for the length of a run: the front end, which is its
/// only client, takes any that is valid; best is one with the server's own name.
fn stopgap(
    server: &Server,
    own: &DesiredServer,
    protect: &[Protection],
    now: Timestamp,
) -> Option<Thumbprint> {
    let store = server.certificates.known()?;
    let usable = store.0.values().filter(|stored| {
        let certificate = &stored.certificate;
        let may_be = certificate.is_valid_at(now) && certificate.is_for_servers() && stored.has_private_key;
        may_be && !lineage::may_be_protected(protect, stored) && builtin::recognise(certificate).is_none()
    });
    let best = usable.max_by_key(|stored| {
        let certificate = &stored.certificate;
        (certificate.covers(&own.fqdn), !certificate.names.is_empty(), certificate.not_after)
    });
    best.map(|stored| stored.certificate.thumbprint)
}

fn bind_site(builder: &mut PlanBuilder, lane: &mut Lane<'_>, wanted: &SiteBinding, id: &CertificateId) {
    let (Some(thumbprint), Some(chosen)) = (builder.thumbprint(id), builder.chosen(id)) else { return };
    let Some(server) = builder.server(lane.name) else { return };
    let Some(sites) = server.sites.known() else { return };
    let central = |binding| server.other_stores.get(binding) == Some(&BindingStore::Central);
    if sites.keys().any(|binding| means(wanted, binding) && central(binding)) {
        return;
    }
    let bindings: Vec<(SiteBinding, Option<Thumbprint>)> = sites
        .iter()
        .filter(|(binding, _)| means(wanted, binding) && lane.own.site(binding) == Some(id))
        .map(|(binding, hash)| (binding.clone(), *hash))
        .collect();
    // Exchange Back End serves no sign-in page (facts 8.4).
    let in_cng = server.certificate(thumbprint).is_some_and(StoredCertificate::is_rsa_in_cng);
    if bindings.is_empty() {
        builder.cannot(Some(id), Cannot::NoBinding { server: lane.name.clone(), site: wanted.clone() });
    }
    for (site, have) in bindings.into_iter().filter(|(_, hash)| *hash != Some(thumbprint)) {
        if in_cng && site.site != SiteBinding::BACK_END {
            builder.cannot(Some(id), Cannot::KeyInCngNotBound { server: lane.name.clone(), thumbprint });
            continue;
        }
        let why = vec![Reason::SiteDiffers { server: lane.name.clone(), site: site.clone(), have }];
        // http.sys serves it at once; only the cookie of Outlook on the web hangs on the front end's (facts 3.7, 11.2).
        if site.site == SiteBinding::DEFAULT_WEB_SITE {
            lane.restart.insert(Restartable::Iis);
        }
        let action = Action::BindSite { server: lane.name.clone(), site, certificate: chosen };
        builder.push(Some(id), action, why, []);
    }
}

/// Whether an entry of the manifest can mean this binding of a server.
fn means(wanted: &SiteBinding, binding: &SiteBinding) -> bool {
    wanted == binding || *wanted == SiteBinding { address: None, ..binding.clone() }
}
