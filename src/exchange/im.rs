//! Instant messaging in Outlook on the web: the certificate with which it proves itself to Skype for Business (facts 11.2).
//!
//! Documented are the setting override and its parameters, and that it has to name the certificate of IIS. Inferred is
//! that nothing else of it tells a certificate. Exchange 2013 has it in `web.config`, which is not seen.

use std::collections::BTreeSet;

use super::refusal::{Refusal, Why};
use crate::model::{
    names::{OverrideName, ServerName},
    organization::{ImOverride, Organization},
    server::Server,
    thumbprint::Thumbprint,
    version::Release,
};

/// Whether setting overrides say something about this server. One of an unknown version may have them.
pub fn reads_overrides(server: &Server) -> bool {
    let has_them = |release: Release| release >= Release::Exchange2016;
    !server.is_edge() && server.version.known().is_none_or(|version| has_them(version.release()))
}

/// The servers that a setting override is for.
pub fn servers_of<'a>(organization: &'a Organization, setting: &ImOverride) -> Vec<&'a ServerName> {
    let patterns = &setting.servers;
    let reads = |(name, server): (&'a ServerName, &Server)| reads_overrides(server).then_some(name);
    // Most overrides name their servers in full: those are looked up and not searched for.
    if !patterns.is_empty() && !patterns.iter().any(|pattern| pattern.contains(['*', '?'])) {
        let names =
            patterns.iter().filter_map(|name| name.parse::<ServerName>().ok()).collect::<BTreeSet<_>>();
        let servers = names.iter().filter_map(|name| organization.servers.get_key_value(name));
        return servers.filter_map(reads).collect();
    }
    let named = |name: &ServerName| {
        patterns.is_empty() || patterns.iter().any(|pattern| is_like(pattern, name.as_str()))
    };
    organization.servers.iter().filter(|(name, _)| named(name)).filter_map(reads).collect()
}

/// `Set-SettingOverride` with another `IMCertificateThumbprint`. Whether the certificate is there is asked by nobody.
pub fn set_certificate(
    organization: &mut Organization,
    name: &OverrideName,
    thumbprint: Thumbprint,
) -> Result<(), Refusal> {
    let any = organization.servers.keys().next().cloned();
    let Some(overrides) = organization.im_overrides.known_mut() else { return Ok(()) };
    let refused = || Refusal {
        server: any.unwrap_or_else(|| "EXCHANGE".parse().expect("a server name")),
        why: Why::NoSuchOverride(name.clone()),
    };
    overrides.get_mut(name).ok_or_else(refused)?.certificate = Some(thumbprint);
    Ok(())
}

/// Whether a name fits a pattern in which `*` stands for any text and `?` for one character, as in PowerShell.
fn is_like(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_ascii_lowercase().into_bytes(), name.to_ascii_lowercase().into_bytes());
    // The place of the last `*`, and how much of the name it stands for so far.
    let (mut at, mut in_name, mut star) = (0, 0, None);
    while in_name < name.len() {
        match (pattern.get(at), star) {
            (Some(b'*'), _) => {
                star = Some((at, in_name));
                at += 1;
            }
            (Some(byte), _) if *byte == b'?' || *byte == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            (_, Some((star_at, until))) => {
                star = Some((star_at, until + 1));
                at = star_at + 1;
                in_name = until + 1;
            }
            (_, None) => return false,
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_by_patterns() {
        for (pattern, name, fits) in [
            ("EX01", "ex01", true),
            ("EX01", "EX011", false),
            ("EX*", "EX01", true),
            ("*01", "EX01", true),
            ("*0*1*", "EX0101", true),
            ("EX0?", "EX01", true),
            ("EX0?", "EX0", false),
            ("*", "EX01", true),
            ("", "EX01", false),
            ("DE*", "EX01", false),
        ] {
            assert_eq!(is_like(pattern, name), fits, "{name} like {pattern}");
        }
    }
}
