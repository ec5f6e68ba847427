//! Drift: what is different from the manifest now, by what the servers say and by what they serve.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::{row::Row, verdict::Verdict};
use crate::{
    manifest::{IgnoreSpec, fits},
    model::{
        desired::CertificateId,
        plan::{ChangeKind, Plan},
        reason::Reason,
        time::Timestamp,
    },
};

/// What is different from the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// The format of this file.
    pub version: u32,
    /// The organization.
    pub organization: String,
    /// When it was looked at.
    pub at: Timestamp,
    /// Whether anything is different that is not overlooked.
    pub drifted: bool,
    /// What is different.
    pub differences: Vec<Difference>,
    /// What is different and overlooked.
    pub ignored: Vec<Ignored>,
    /// What the endpoints serve, when they were met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

/// One thing that is different from the manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Its name, by which it can be overlooked: `EX01/siteDiffers/Default Web Site:443`, `EX01/served/smtp:25`.
    pub id: String,
    /// What is different, in one sentence without a full stop.
    pub message: String,
}

/// A difference that is overlooked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ignored {
    /// Its name.
    pub id: String,
    /// What is different.
    pub message: String,
    /// Why it is overlooked.
    pub because: String,
}

impl Drift {
    /// What the plan would change and what the endpoints serve wrongly, without what is overlooked.
    pub fn new(plan: &Plan, verdict: Option<Verdict>, ignore: &[IgnoreSpec], at: Timestamp) -> Self {
        let planned = plan
            .changes
            .iter()
            .filter(|change| change.kind != ChangeKind::NoOp)
            .flat_map(|change| change.reasons.iter().map(|reason| (Some(&change.certificate), reason)));
        let others = plan
            .steps
            .iter()
            .filter(|step| step.certificate.is_none())
            .flat_map(|step| step.why.iter().map(|reason| (None, reason)));
        let mut all: BTreeSet<Difference> = planned
            .chain(others)
            .filter_map(|(certificate, reason)| difference(certificate, reason))
            .collect();
        let rows = verdict.iter().flat_map(|verdict| &verdict.rows).filter(|row| !row.is_good());
        all.extend(rows.map(served));
        let unhealthy = verdict.iter().flat_map(|verdict| &verdict.health).filter(|row| !row.healthy);
        all.extend(unhealthy.map(|row| Difference {
            id: format!("{}/health{}", row.server, row.page),
            message: row.problem.clone().unwrap_or_default(),
        }));
        let (mut differences, mut ignored) = (Vec::new(), Vec::new());
        for Difference { id, message: says } in all {
            match ignore.iter().find(|rule| fits(&rule.difference, &id)) {
                Some(rule) => ignored.push(Ignored { id, message: says, because: rule.because.clone() }),
                None => differences.push(Difference { id, message: says }),
            }
        }
        Self {
            version: 1,
            organization: plan.organization.clone(),
            at,
            drifted: !differences.is_empty(),
            differences,
            ignored,
            verdict,
        }
    }
}

/// A reason as a difference, by the words that it has in JSON. None for what follows from other changes only.
fn difference(certificate: Option<&CertificateId>, reason: &Reason) -> Option<Difference> {
    let value = serde_json::to_value(reason).ok()?;
    let text = |key: &str| value.get(key).and_then(|value| value.as_str().map(ToOwned::to_owned));
    let code = text("code").filter(|code| !FOLLOWS.contains(&code.as_str()))?;
    let certificate = certificate.map(|id| id.name.to_string());
    let of_connector = || Some(value.get("connector")?.get("name")?.as_str()?.to_owned());
    let connector_server = || Some(value.get("connector")?.get("server")?.as_str()?.to_owned());
    let server = text("server").or_else(connector_server);
    let subject = ["site", "service", "place"].iter().find_map(|key| text(key)).or_else(of_connector);
    let says = match &certificate {
        Some(certificate) => format!("{certificate}: {reason}"),
        None => reason.to_string(),
    };
    let parts = [server.or(Some("organization".into())), Some(code), subject.or(certificate)];
    Some(Difference { id: parts.into_iter().flatten().collect::<Vec<_>>().join("/"), message: says })
}

fn served(row: &Row) -> Difference {
    let problems: Vec<String> = row.wrong().map(ToString::to_string).collect();
    let cause = row.cause.as_ref().map_or(String::new(), |cause| format!(" ({})", cause.message));
    Difference {
        id: format!("{}/served/{}", row.server, row.endpoint),
        message: format!("{}{cause}", problems.join("; ")),
    }
}

/// Reasons of steps that are there for the sake of other steps.
const FOLLOWS: [&str; 5] = ["proof", "restartNeeded", "blocksRemoval", "reattach", "defaultSmtpRestored"];
