//! Certificates that lie in PFX files: what is in the file is what should be on the servers, once it does.

use super::{
    decision::{Decision, Supply},
    rules,
};
use crate::model::{
    certificate::Certificate, fact::Fact, organization::Organization, reason::Reason, time::Timestamp,
};

/// What becomes of a certificate when its file was looked at. `is_there` tells whether any server has what is in it.
pub(super) fn settle<'a>(
    decision: Decision<'a>,
    organization: &Organization,
    (file, holds): (&str, &Fact<Box<Certificate>>),
    is_there: bool,
    now: Timestamp,
) -> Decision<'a> {
    let held = match (holds, &decision.supply) {
        (_, Supply::Requested { .. } | Supply::Blocked) | (Fact::Unknown(_), Supply::Have { .. }) => {
            return decision;
        }
        (Fact::Unknown(unknown), Supply::New) => {
            let unread = Reason::FileUnread { file: file.to_owned(), why: unknown.why.clone() };
            return blocked(decision, [unread]);
        }
        (Fact::Known(held), _) => held,
    };
    let problems = rules::reasons_against(decision.certificate, held, &decision.reasons, now);
    let name = file.to_owned();
    match decision.supply {
        // The one in the file is there and does not do, or cannot get to every server.
        Supply::New if is_there => blocked(decision, [Reason::FileHoldsTheSame { file: name }]),
        Supply::New if problems.is_empty() => {
            let not_trusted = rules::not_trusted(decision.certificate, file, organization);
            if not_trusted.is_some() { blocked(decision, not_trusted) } else { decision }
        }
        Supply::New => blocked(decision, [Reason::FileDoesNotFit { file: name, problems }]),
        Supply::Have { .. } if is_there || !problems.is_empty() => decision,
        Supply::Have { .. } if rules::not_trusted(decision.certificate, file, organization).is_some() => {
            decision
        }
        Supply::Have { .. } => {
            let reasons = vec![Reason::FileHoldsAnother { file: name, not_after: held.not_after }];
            Decision { supply: Supply::New, reasons, ..decision }
        }
        Supply::Requested { .. } | Supply::Blocked => decision,
    }
}

fn blocked(decision: Decision<'_>, why: impl IntoIterator<Item = Reason>) -> Decision<'_> {
    let reasons = decision.reasons.iter().cloned().chain(why).collect();
    Decision { supply: Supply::Blocked, reasons, ..decision }
}
