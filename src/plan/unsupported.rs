//! Servers that are left as they are, with the reason: half of what was asked is worse than none of it.

use std::borrow::Cow;

use indexmap::IndexMap;

use crate::{
    exchange::{capability::lacks, shell},
    model::{
        desired::{Desired, DesiredServer},
        names::ServerName,
        organization::Organization,
        server::Server,
        site::SiteBinding,
    },
};

/// Why servers are refused, a sentence for each reason.
pub(super) type Refusals = IndexMap<ServerName, Vec<String>>;

/// The servers that run Small Business Server, or are asked for what their version does not have.
pub(super) fn refusals(desired: &Desired, organization: &Organization) -> Refusals {
    let mut refused = Refusals::new();
    for (name, own) in &desired.servers {
        let Some(server) = organization.servers.get(name) else { continue };
        let why = if is_small_business_server(server) {
            vec![format!("{name} runs Windows Small Business Server: {SMALL_BUSINESS_SERVER}")]
        } else if !shell::answers(server) && own.sites.keys().all(|site| site.site != SiteBinding::BACK_END) {
            vec![format!("{name}: {} {WITHOUT_BACK_END}", SiteBinding::back_end())]
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

fn lacking(desired: &Desired, name: &ServerName, own: &DesiredServer, server: &Server) -> Vec<String> {
    let Some(version) = server.version.known() else { return Vec::new() };
    let lacks = lacks(desired, own, *version, server.is_edge());
    lacks.iter().map(|lack| format!("{name}: {lack}; {}", lack.what.advice())).collect()
}

const WITHOUT_BACK_END: &str = "has no certificate, and so the management shell does not answer and nothing can be done; \
                                say under `iis` which certificate belongs there";

/// The article's advice: its wizards set more than certificates and overwrite what others set.
const SMALL_BUSINESS_SERVER: &str = "its own wizard \"Add a trusted certificate\" (before 2008: \"Connect to the Internet\") \
                                     manages certificates there, and undoes what anything else sets";
