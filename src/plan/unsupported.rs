//! Servers that are left as they are, with the reason: half of what was asked is worse than none of it.

use std::borrow::Cow;

use indexmap::IndexMap;

use crate::{
    exchange::{
        capability::{Lack, lacks},
        shell,
    },
    model::{
        cannot::Cannot,
        desired::{Desired, DesiredServer},
        names::ServerName,
        organization::Organization,
        server::Server,
        site::SiteBinding,
    },
};

/// Why servers are refused.
pub(super) type Refusals = IndexMap<ServerName, Vec<Cannot>>;

/// The servers that run Small Business Server, or are asked for what their version does not have.
pub(super) fn refusals(desired: &Desired, organization: &Organization) -> Refusals {
    let mut refused = Refusals::new();
    for (name, own) in &desired.servers {
        let Some(server) = organization.servers.get(name) else { continue };
        let why = if is_small_business_server(server) {
            vec![Cannot::SmallBusinessServer { server: name.clone() }]
        } else if !shell::answers(server) && own.sites.keys().all(|site| site.site != SiteBinding::BACK_END) {
            {
                let site = SiteBinding::back_end();
                vec![Cannot::BackEndWithoutCertificate { server: name.clone(), site }]
            }
        } else {
            lacking(desired, name, own, server)
        };
        if !why.is_empty() {
            refused.insert(name.clone(), why);
        }
    }
    refused
}

/// The manifest without these servers.
pub(super) fn without<'a>(desired: &'a Desired, refused: &Refusals) -> Cow<'a, Desired> {
    if refused.is_empty() {
        return Cow::Borrowed(desired);
    }
    let mut kept = desired.clone();
    kept.servers.retain(|name, _| !refused.contains_key(name));
    for certificate in kept.certificates.values_mut() {
        certificate.servers.retain(|name| !refused.contains_key(name));
    }
    if let Some(auth) = &mut kept.auth {
        auth.certificate.servers.retain(|name| !refused.contains_key(name));
    }
    Cow::Owned(kept)
}

/// Small Business Server has wizards that manage its certificates.
fn is_small_business_server(server: &Server) -> bool {
    let system = server.operating_system.known().and_then(Option::as_ref);
    system.is_some_and(|system| system.contains("Small Business Server"))
}

fn lacking(desired: &Desired, name: &ServerName, own: &DesiredServer, server: &Server) -> Vec<Cannot> {
    let Some(version) = server.version.known() else { return Vec::new() };
    let lacks = lacks(desired, own, *version, server.is_edge());
    let cannot = |Lack { what, release }| Cannot::VersionLacks { server: name.clone(), release, what };
    lacks.into_iter().map(cannot).collect()
}
