//! POP and IMAP where the manifest does not declare them: they choose by their name among all certificates (facts 3.4), so what
//! comes for others may become theirs.

use std::collections::BTreeMap;

use crate::{
    exchange::{
        binding_points::{BindingPoint, presented},
        selection::Presented,
    },
    model::{
        desired::Desired, organization::Organization, service::MailService, thumbprint::Thumbprint,
        warning::SelectionWarning,
    },
    plan::builder::PlanBuilder,
};

/// Tells of those that run and will present another certificate than today. `observed` is the organization before the plan.
pub(in crate::plan) fn warn(builder: &mut PlanBuilder, desired: &Desired, observed: &Organization) {
    for (name, own) in &desired.servers {
        let (Some(before), Some(after)) = (observed.servers.get(name), builder.server(name)) else {
            continue;
        };
        let mut changes: BTreeMap<(Thumbprint, Thumbprint), Vec<MailService>> = BTreeMap::new();
        for (service, place) in
            [(MailService::Pop, BindingPoint::Pop), (MailService::Imap, BindingPoint::Imap)]
        {
            if own.service(service.service()).is_some() || after.is_stopped(service) {
                continue;
            }
            let shown = |server| presented(server, &place, builder.now);
            if let (Presented::Certificate(was), Presented::Certificate(will)) = (shown(before), shown(after))
                && was != will
            {
                changes.entry((was, will)).or_default().push(service);
            }
        }
        for ((before, presented), services) in changes {
            builder.warn(SelectionWarning::UndeclaredChanges {
                server: name.clone(),
                services,
                before,
                presented,
            });
        }
    }
}
