//! What an account may, compared with what is called.

use std::collections::BTreeMap;

use super::super::cmdlets::{CMDLETS, UsedCmdlet, UsedFor};
use crate::model::{
    diagnosis::{Examination, Examined},
    version::{Release, ServerVersion},
};

/// What is missing of a cmdlet.
enum Missing {
    Cmdlet(&'static UsedCmdlet),
    Parameters(&'static UsedCmdlet, Vec<&'static str>),
}

/// Compares the cmdlets and parameters that an account sees with those that are called.
pub(super) fn compare(
    visible: &BTreeMap<String, Vec<String>>,
    version: Option<ServerVersion>,
    edge: bool,
) -> Examined {
    let wanted: Vec<&UsedCmdlet> = CMDLETS.iter().filter(|cmdlet| is_wanted(cmdlet, version, edge)).collect();
    let mut missing = Vec::new();
    let mut untold = 0;
    let mut uses: Vec<UsedFor> = Vec::new();
    for cmdlet in &wanted {
        let found = visible.iter().find(|(name, _)| name.eq_ignore_ascii_case(cmdlet.name));
        let lacks = match found {
            None => Some(Missing::Cmdlet(cmdlet)),
            // A server that tells no parameters leaves them unknown.
            Some((_, parameters)) if parameters.is_empty() => {
                untold += usize::from(of_version(cmdlet, edge).next().is_some());
                None
            }
            Some((_, parameters)) => {
                let has = |wanted: &str| parameters.iter().any(|own| own.eq_ignore_ascii_case(wanted));
                let lacks: Vec<&str> = of_version(cmdlet, edge).filter(|wanted| !has(wanted)).collect();
                (!lacks.is_empty()).then_some(Missing::Parameters(cmdlet, lacks))
            }
        };
        if let Some(lacks) = lacks {
            uses.push(cmdlet.used_for);
            missing.push(lacks);
        }
    }
    if missing.is_empty() {
        let draining = if edge || drains(visible) { "" } else { NO_DRAINING };
        if untold > 0 {
            let found = format!(
                "all {} cmdlets that are called; of {untold} the server does not tell the parameters{draining}",
                wanted.len()
            );
            return Examined::warning(Examination::Roles, found).advised([
                "see whether role assignments leave their parameters: Get-ManagementRoleEntry \"*\\Enable-ExchangeCertificate\"",
            ]);
        }
        return Examined::good(
            Examination::Roles,
            format!("all {} cmdlets that are called, with their parameters{draining}", wanted.len()),
        );
    }
    let names: Vec<String> = missing.iter().map(Missing::shown).collect();
    let found = format!("not there for this account: {}", names.join(", "));
    // Without these nothing can be seen or done; the others are for parts of a manifest.
    let needed = uses.iter().any(|used| matches!(used, UsedFor::Observation | UsedFor::Certificates));
    let examined = if needed {
        Examined::bad(Examination::Roles, found)
    } else {
        Examined::warning(Examination::Roles, found)
    };
    examined
        .advised(missing.iter().map(|lacks| lacks.advice(edge)).collect::<std::collections::BTreeSet<_>>())
}

impl Missing {
    fn shown(&self) -> String {
        match self {
            Self::Cmdlet(cmdlet) => cmdlet.name.to_owned(),
            Self::Parameters(cmdlet, parameters) => {
                let parameters: Vec<String> = parameters.iter().map(|name| format!("-{name}")).collect();
                format!("{} {}", cmdlet.name, parameters.join(" "))
            }
        }
    }

    fn advice(&self, edge: bool) -> String {
        let (Self::Cmdlet(cmdlet) | Self::Parameters(cmdlet, _)) = self;
        let purpose = cmdlet.used_for.purpose();
        // What may not be seen there is of the account's own machine.
        match cmdlet.role.filter(|_| !edge) {
            None if edge => format!(
                "{purpose}: let the account be a local administrator of the Edge server, which has no roles"
            ),
            Some(role) => format!("{purpose}: assign the role \"{role}\" (examples/least-privilege)"),
            None => format!("{purpose}: find its role with Get-ManagementRole -Cmdlet {}", cmdlet.name),
        }
    }
}

impl UsedFor {
    fn purpose(self) -> &'static str {
        match self {
            Self::Observation => "to see what there is",
            Self::Certificates => "for certificates",
            Self::Connectors => "for connectors that name a certificate",
            Self::PopAndImap => "for POP and IMAP",
            Self::ClientNames => "to compare names with what clients are sent to",
            Self::OAuth => "for the Auth certificate",
            Self::Hybrid => "for Microsoft 365",
            Self::SettingOverrides => "for instant messaging in Outlook on the web",
            Self::EdgeSubscriptions => "for Edge Transport servers",
            Self::UnifiedMessaging => "for Unified Messaging",
            Self::Draining => "to drain transport before it restarts",
        }
    }
}

/// Whether the account has what draining transport takes.
fn drains(visible: &BTreeMap<String, Vec<String>>) -> bool {
    let mut own = CMDLETS.iter().filter(|cmdlet| matches!(cmdlet.used_for, UsedFor::Draining));
    own.all(|cmdlet| visible.keys().any(|name| name.eq_ignore_ascii_case(cmdlet.name)))
}

const NO_DRAINING: &str = ", but not those that drain transport, which `restarts: { drain: true }` takes";

/// Whether a server of this version has the cmdlet at all.
fn is_wanted(cmdlet: &UsedCmdlet, version: Option<ServerVersion>, edge: bool) -> bool {
    let release = version.map(ServerVersion::release);
    if edge {
        let of_edge = [
            "Get-ExchangeServer",
            "Get-ReceiveConnector",
            "Get-TransportService",
            "Set-ReceiveConnector",
            "Set-SendConnector",
            "Get-SendConnector",
        ];
        return cmdlet.name.ends_with("ExchangeCertificate") || of_edge.contains(&cmdlet.name);
    }
    match cmdlet.used_for {
        UsedFor::UnifiedMessaging => {
            let is_old = cmdlet.name.ends_with("UMServer");
            release.is_some_and(|release| release < Release::Exchange2019 && is_old != release.has_back_end())
        }
        UsedFor::SettingOverrides => release.is_none_or(|release| release >= Release::Exchange2016),
        UsedFor::OAuth => release.is_none_or(Release::has_back_end),
        UsedFor::Observation
        | UsedFor::Certificates
        | UsedFor::Connectors
        | UsedFor::PopAndImap
        | UsedFor::Hybrid
        | UsedFor::EdgeSubscriptions => true,
        // Few manifests ask for it, and the step itself says what is missing.
        UsedFor::Draining => false,
        // One or the other of two names.
        UsedFor::ClientNames => cmdlet.name != "Get-ClientAccessServer",
    }
}

/// The parameters that are given on such a server.
fn of_version(cmdlet: &UsedCmdlet, edge: bool) -> impl Iterator<Item = &'static str> {
    cmdlet.parameters.iter().copied().filter(move |name| !(edge && *name == "Server"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::diagnosis::ExaminationResult;

    fn all() -> BTreeMap<String, Vec<String>> {
        let parameters =
            |cmdlet: &UsedCmdlet| cmdlet.parameters.iter().map(|name| (*name).to_owned()).collect();
        CMDLETS.iter().map(|cmdlet| (cmdlet.name.to_uppercase(), parameters(cmdlet))).collect()
    }

    #[test]
    fn what_an_account_lacks_is_told_by_cmdlet_and_parameter() {
        let version = Some("2019 CU14".parse().unwrap());
        assert_eq!(compare(&all(), version, false).result, ExaminationResult::Good);
        let mut fewer = all();
        fewer.get_mut("ENABLE-EXCHANGECERTIFICATE").unwrap().retain(|name| name != "Force");
        fewer.remove("SET-SENDCONNECTOR");
        let examined = compare(&fewer, version, false);
        assert_eq!(examined.result, ExaminationResult::Bad);
        assert!(
            examined.found.contains("Enable-ExchangeCertificate -Force, Set-SendConnector"),
            "{}",
            examined.found
        );
        assert!(
            examined.advice.iter().any(|advice| advice.contains("\"Send Connectors\"")),
            "{:?}",
            examined.advice
        );
        let mut connectors = all();
        connectors.remove("SET-SENDCONNECTOR");
        assert_eq!(
            compare(&connectors, version, false).result,
            ExaminationResult::Warning,
            "for a part of a manifest only"
        );
    }

    #[test]
    fn parameters_that_nobody_tells_are_not_all_right() {
        let version = Some("2019 CU14".parse().unwrap());
        let mut untold = all();
        for parameters in untold.values_mut() {
            parameters.clear();
        }
        let examined = compare(&untold, version, false);
        assert_eq!(examined.result, ExaminationResult::Warning, "{}", examined.found);
        assert!(examined.found.contains("does not tell the parameters"), "{}", examined.found);
    }

    #[test]
    fn what_a_version_does_not_have_is_not_missed() {
        let mut modern = all();
        modern.retain(|name, _| !name.contains("-UM"));
        assert_eq!(compare(&modern, Some("2019".parse().unwrap()), false).result, ExaminationResult::Good);
        assert_eq!(compare(&modern, Some("2013".parse().unwrap()), false).result, ExaminationResult::Warning);
        let mut edge = all();
        edge.retain(|name, _| {
            name.contains("CERTIFICATE")
                || name.contains("CONNECTOR")
                || name.contains("TRANSPORT")
                || name == "GET-EXCHANGESERVER"
        });
        assert_eq!(compare(&edge, Some("2019".parse().unwrap()), true).result, ExaminationResult::Good);
    }
}
