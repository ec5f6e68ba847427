//! Words of the driver that no server could ever be reached with.

use std::path::Path;

use super::{
    driver_values::{Wrong, account, host, path, principal, ssh_user},
    driver_words::{Place, places},
};
use crate::{
    manifest::{
        Authentication, DriverSpec, Manifest, RemotingSpec, SshSpec,
        finding::{DocPath, Finding, Severity},
    },
    model::{desired::Desired, time::Span},
};

/// A host that is none, an account without a name, a port that nobody listens at, a path that is not one of a file, a time in which
/// nothing can be done.
pub(super) fn driver_word_cannot_work(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let DriverSpec::PowerShell(spec) = &manifest.driver else { return Vec::new() };
    let mut findings = Vec::new();
    // No time at all is a finding of its own.
    if spec.timeout != Span::ZERO && (spec.timeout < LEAST || spec.timeout > MOST) {
        findings.push(found(
            DocPath::of(&["driver", "powershell", "timeout"]),
            "`timeout` is not between 10 seconds and a day",
            "Making a certificate takes several seconds, and a request that is cut off leaves its outcome unknown.",
            "write a time such as 300s, or leave it out",
        ));
    }
    for Place { path, ssh, remoting, account: own, authentication } in places(spec) {
        for (path, ssh) in ssh {
            of_ssh(&path, ssh, &mut findings);
        }
        if let Some(remoting) = remoting {
            of_remoting(&path.key("remoting"), remoting, &mut findings);
        }
        if let Some(own) = own {
            let path = path.key("account").key("user");
            if let Some(wrong) = account(&own.user, authentication == Some(Authentication::Basic)) {
                findings.push(wrong_word(path, "`user` of `account` is no account's name", wrong));
            }
        }
    }
    findings
}

fn of_ssh(at: &DocPath, ssh: &SshSpec, findings: &mut Vec<Finding>) {
    let SshSpec { host: name, user, port, identity_file, known_hosts } = ssh;
    let names = [("host", name.as_deref().and_then(host)), ("user", user.as_deref().and_then(ssh_user))];
    for (word, wrong) in names {
        let Some(wrong) = wrong else { continue };
        findings.push(wrong_word(
            at.key(word),
            &format!("`{word}` of `ssh` is not a name that `ssh` accepts"),
            wrong,
        ));
    }
    port_is_none(at, *port, findings);
    files(at, [("identityFile", identity_file.as_deref()), ("knownHosts", known_hosts.as_deref())], findings);
}

fn of_remoting(at: &DocPath, remoting: &RemotingSpec, findings: &mut Vec<Finding>) {
    let RemotingSpec { port, tls, authentication: _, ticket_cache, keytab, principal: whose } = remoting;
    port_is_none(at, *port, findings);
    if let Some(wrong) = whose.as_deref().and_then(principal) {
        findings.push(wrong_word(at.key("principal"), "`principal` is not the name of an account", wrong));
    }
    files(at, [("ticketCache", ticket_cache.as_deref()), ("keytab", keytab.as_deref())], findings);
    let authorities = tls.as_ref().and_then(|tls| tls.ca.as_deref());
    files(&at.key("tls"), [("ca", authorities)], findings);
}

fn port_is_none(at: &DocPath, port: Option<u16>, findings: &mut Vec<Finding>) {
    if port == Some(0) {
        let (why, hint) = ("Nobody listens at it.", "write the port, or leave it out");
        findings.push(found(at.key("port"), "`port` is 0", why, hint));
    }
}

fn files<const N: usize>(
    at: &DocPath,
    words: [(&'static str, Option<&Path>); N],
    findings: &mut Vec<Finding>,
) {
    for (word, file) in words {
        if let Some(wrong) = file.and_then(path) {
            findings.push(wrong_word(at.key(word), &format!("`{word}` is not the path of a file"), wrong));
        }
    }
}

fn wrong_word(at: DocPath, what: &str, Wrong { why, hint }: Wrong) -> Finding {
    found(at, what, why, hint)
}

/// A host that is a URL may have a password in it, so the line is not shown.
fn found(at: DocPath, what: &str, why: &str, hint: &str) -> Finding {
    Finding::new("", Severity::Error, at, what, why).hinted(hint).hiding_its_line()
}

const LEAST: Span = Span::seconds(10);
const MOST: Span = Span::seconds(24 * 3600);
