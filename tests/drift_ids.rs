//! The ids of differences, one for each reason. People write them under `drift: { ignore }`, so none of them ever changes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use certwright::{
    model::{desired::CertificateId, reason::Reason},
    verify::drift,
};
use serde_json::{Value, json};
use strum::VariantNames;

const OTHER: &str = "DF3C24F9BFD666761B268073FE06D1CC8D4F82A4";
const AT: &str = "2026-03-02T09:00:00Z";

/// A reason of each code, as plans write it, and the id of its difference for the certificate `mail`.
#[allow(clippy::too_many_lines, reason = "a row for each reason")]
fn all() -> Vec<(Value, &'static str)> {
    let site = "Default Web Site:443";
    vec![
        (json!({ "code": "notPresent" }), "organization/notPresent/mail"),
        (json!({ "code": "privateKeyMissing" }), "organization/privateKeyMissing/mail"),
        (json!({ "code": "keyCompromised" }), "organization/keyCompromised/mail"),
        (json!({ "code": "revoked" }), "organization/revoked/mail"),
        (json!({ "code": "expired", "notAfter": AT }), "organization/expired/mail"),
        (json!({ "code": "expires", "notAfter": AT, "renewFrom": AT }), "organization/expires/mail"),
        (json!({ "code": "notYetValid", "notBefore": AT }), "organization/notYetValid/mail"),
        (json!({ "code": "namesNotCovered", "missing": ["a.example"] }), "organization/namesNotCovered/mail"),
        (
            json!({ "code": "keyTooWeak", "have": { "rsa": 1024 }, "want": { "rsa": 2048 } }),
            "organization/keyTooWeak/mail",
        ),
        (json!({ "code": "issuerDiffers", "have": "CN=A", "want": "ca" }), "organization/issuerDiffers/mail"),
        (
            json!({ "code": "subjectDiffers", "have": "CN=A", "want": "CN=B" }),
            "organization/subjectDiffers/mail",
        ),
        (json!({ "code": "notForServers" }), "organization/notForServers/mail"),
        (json!({ "code": "notDistributable", "missing": ["EX02"] }), "organization/notDistributable/mail"),
        (json!({ "code": "shadowed", "server": "EX01", "by": OTHER, "place": "POP" }), "EX01/shadowed/POP"),
        (json!({ "code": "answerOfAnotherRequest" }), "organization/answerOfAnotherRequest/mail"),
        (
            json!({ "code": "answerDoesNotFit", "file": "mail", "problems": [] }),
            "organization/answerDoesNotFit/mail",
        ),
        (
            json!({ "code": "cannotSee", "server": "EX01", "what": "its store", "why": "it is down" }),
            "EX01/cannotSee/mail",
        ),
        (json!({ "code": "notOnServer", "server": "EX01" }), "EX01/notOnServer/mail"),
        (json!({ "code": "notBound", "server": "EX01", "service": "IIS" }), "EX01/notBound/IIS"),
        (json!({ "code": "chosenBySmtp", "server": "EX01", "connectors": ["C"] }), "EX01/chosenBySmtp/mail"),
        (
            json!({ "code": "extraServices", "server": "EX01", "services": ["SMTP"] }),
            "EX01/extraServices/mail",
        ),
        (
            json!({ "code": "siteDiffers", "server": "EX01", "site": site }),
            "EX01/siteDiffers/Default Web Site:443",
        ),
        (
            json!({ "code": "shellDown", "server": "EX01", "site": site }),
            "EX01/shellDown/Default Web Site:443",
        ),
        (
            json!({ "code": "x509CertificateNameDiffers", "server": "EX01", "service": "POP", "want": "a.example" }),
            "EX01/x509CertificateNameDiffers/POP",
        ),
        (
            json!({ "code": "internalTransportDiffers", "server": "EX01" }),
            "EX01/internalTransportDiffers/mail",
        ),
        (
            json!({
                "code": "umStartupModeDiffers", "server": "EX01", "service": "UMCallRouter", "have": "TCP",
                "want": "Dual",
            }),
            "EX01/umStartupModeDiffers/UMCallRouter",
        ),
        (json!({ "code": "defaultSmtpRestored", "server": "EX01" }), "EX01/defaultSmtpRestored/mail"),
        (
            json!({ "code": "connectorDiffers", "connector": { "receive": { "server": "EX01", "name": "C" } } }),
            "organization/connectorDiffers/mail",
        ),
        (
            json!({ "code": "imCertificateDiffers", "name": "IM", "have": OTHER }),
            "organization/imCertificateDiffers/mail",
        ),
        (json!({ "code": "hybridNotApplied", "missing": ["it"] }), "organization/hybridNotApplied/mail"),
        (
            json!({ "code": "edgeDistrusts", "edge": "EDGE01", "why": ["so"] }),
            "organization/edgeDistrusts/mail",
        ),
        (json!({ "code": "authNotTold" }), "organization/authNotTold/mail"),
        (json!({ "code": "onlineNotTold", "known": "CN=a" }), "organization/onlineNotTold/mail"),
        (json!({ "code": "balancerDiffers", "balancer": "lb" }), "organization/balancerDiffers/mail"),
        (json!({ "code": "restartNeeded", "what": "transport" }), "organization/restartNeeded/mail"),
        (json!({ "code": "servesStill", "server": "EX01", "have": OTHER }), "EX01/servesStill/mail"),
        (json!({ "code": "proof" }), "organization/proof/mail"),
        (json!({ "code": "superseded", "since": AT }), "organization/superseded/mail"),
        (json!({ "code": "blocksRemoval", "certificate": OTHER }), "organization/blocksRemoval/mail"),
        (json!({ "code": "previousNotNeeded", "since": AT }), "organization/previousNotNeeded/mail"),
        (json!({ "code": "answerUnread", "file": "a", "why": "gone" }), "organization/answerUnread/mail"),
        (json!({ "code": "endsNoLater", "notAfter": AT, "replaced": AT }), "organization/endsNoLater/mail"),
        (json!({ "code": "notTrusted", "file": "a", "why": "so" }), "organization/notTrusted/mail"),
        (
            json!({ "code": "notRestarted", "server": "EX01", "service": "transport", "run": "r", "since": AT }),
            "EX01/notRestarted/transport",
        ),
        (json!({ "code": "fileUnread", "file": "a.pfx", "why": "gone" }), "organization/fileUnread/mail"),
        (
            json!({ "code": "fileDoesNotFit", "file": "a.pfx", "problems": [{ "code": "proof" }] }),
            "organization/fileDoesNotFit/mail",
        ),
        (json!({ "code": "fileHoldsTheSame", "file": "a.pfx" }), "organization/fileHoldsTheSame/mail"),
        (
            json!({ "code": "fileHoldsAnother", "file": "a.pfx", "notAfter": AT }),
            "organization/fileHoldsAnother/mail",
        ),
        (json!({ "code": "safeKeeping" }), "organization/safeKeeping/mail"),
        (json!({ "code": "reattach" }), "organization/reattach/mail"),
        (json!({ "code": "takesBack", "step": 3 }), "organization/takesBack/mail"),
    ]
}

#[test]
fn the_id_of_every_reason_stays_as_it_is() {
    let mail = CertificateId { name: "mail".parse().unwrap(), server: None };
    let mut shown = BTreeSet::new();
    for (written, id) in all() {
        let reason: Reason =
            serde_json::from_value(written.clone()).unwrap_or_else(|error| panic!("{written}: {error}"));
        assert_eq!(drift::id(Some(&mail), &reason), id);
        assert_eq!(certwright::explain::with_hyphens(written["code"].as_str().unwrap()), reason.code());
        shown.insert(reason.code());
    }
    let without: Vec<_> = Reason::VARIANTS.iter().filter(|code| !shown.contains(**code)).collect();
    assert!(without.is_empty(), "add these reasons to the list above: {without:?}");
}
