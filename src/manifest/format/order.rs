//! The order of fields. Names that people choose keep theirs.

use super::super::foreign::FIELDS;

const DRIVER: &[&str] = &["lab", "capture", "powershell"];
const ISSUER: &[&str] = &["selfSigned", "localCa", "csr", "pfx"];
const CERTIFICATE: &[&str] = &[
    "issuer",
    "scope",
    "subject",
    "names",
    "includeAcceptedDomains",
    "includeAutodiscover",
    "includeServerFqdn",
    "includeServerNetbiosName",
    "friendlyName",
    "key",
    "renewBefore",
    "retire",
    "extraServices",
];
const SERVER: &[&str] = &[
    "fqdn",
    "version",
    "edge",
    "profile",
    "services",
    "internalTransport",
    "iis",
    "receiveConnectors",
    "x509CertificateName",
    "umStartupMode",
];
const KEY: &[&str] = &["algorithm", "size", "exportable"];
const LIMITS: &[&str] = &["serversAtOnce", "captureAge", "canary", "removals"];

/// The fields of the mapping at this path, in their order; none where people choose the names.
pub(super) fn fields(path: &[String]) -> &'static [&'static str] {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        [] => FIELDS,
        ["driver"] => DRIVER,
        ["issuers", _] => ISSUER,
        ["certificates", _] => CERTIFICATE,
        ["certificates", _, "key"] => KEY,
        ["servers" | "profiles", _] => SERVER,
        ["limits"] => LIMITS,
        _ => &[],
    }
}
