//! The organization of a fleet as an observation. One server is set up by the lab; the others are like it, with names and
//! certificates of their own.

use std::{collections::BTreeMap, fs, path::Path, thread};

use certwright::{
    drivers::lab::Lab,
    model::{
        certificate::Certificate,
        dn::DistinguishedName,
        names::{DnsName, ServerName},
        organization::Observed,
        secret::Secret,
        server::{CertificateStore, Server, StoredCertificate},
        thumbprint::Thumbprint,
    },
    pki::{
        keys,
        mint::{Authority, CertificateContent, self_signed},
        pem,
    },
    ports::driver::{Observer, Wanted},
};
use rcgen::KeyPair;

use super::{Fleet, Layout, name};

/// Writes what a driver would have seen, and returns it. The folder gets the CA's files too, where the manifest looks for
/// them.
pub fn observed(fleet: &Fleet, folder: &Path) -> Observed {
    let lab = folder.join("lab");
    super::write_lab(&Fleet { servers: 1, ..*fleet }, &lab);
    let opened = Lab::open(&lab, "2026-03-02T09:14:07Z".parse().unwrap()).unwrap();
    let mut observed = opened.observe(Wanted::Everything).unwrap();
    let (first, pattern) = observed.organization.servers.pop_first().unwrap();
    let mint = Mint::of(&lab);
    let numbers: Vec<usize> = (1..=fleet.servers).collect();
    let share = numbers.len().div_ceil(thread::available_parallelism().map_or(1, usize::from)).max(1);
    observed.organization.servers = thread::scope(|scope| {
        let parts: Vec<_> = numbers
            .chunks(share)
            .map(|part| {
                let (mint, first, pattern) = (&mint, &first, &pattern);
                let of = move |number: &usize| mint.server(fleet, first, pattern, *number);
                scope.spawn(move || part.iter().map(of).collect::<Vec<_>>())
            })
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    observed
}

struct Mint {
    authority: Authority,
    keys: Vec<KeyPair>,
}

impl Mint {
    fn of(lab: &Path) -> Self {
        let read =
            |extension: &str| fs::read(lab.join(format!("state/authorities/corp-ca.{extension}"))).unwrap();
        let certificate = pem::certificates(&read("crt")).unwrap().pop().unwrap();
        let key = keys::from_pem(&Secret::new(read("key")), "the CA").unwrap();
        let mut files: Vec<_> =
            fs::read_dir(lab.join("keys")).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let pem = files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "pem"));
        let keys = pem.map(|file| keys::from_pem(&Secret::new(fs::read(file).unwrap()), "a key").unwrap());
        Self { authority: Authority::new(certificate, Vec::new(), key).unwrap(), keys: keys.collect() }
    }

    /// The server of this number, like the first one.
    fn server(
        &self,
        fleet: &Fleet,
        first: &ServerName,
        pattern: &Server,
        number: usize,
    ) -> (ServerName, Server) {
        let (from, to) = (first.as_str().to_owned(), name(number));
        let rename = |text: &str| text.replace(&from, &to).replace(&from.to_lowercase(), &to.to_lowercase());
        let stored: Vec<(Thumbprint, StoredCertificate)> = (pattern.certificates.known().unwrap().0.values())
            .enumerate()
            .map(|(index, stored)| {
                let own = self.certificate(fleet, &stored.certificate, &rename, (number, index));
                (stored.certificate.thumbprint, StoredCertificate { certificate: own, ..stored.clone() })
            })
            .collect();
        let mut bare = pattern.clone();
        bare.certificates.known_mut().unwrap().0.clear();
        let mut text = rename(&serde_json::to_string(&bare).unwrap());
        for (before, stored) in &stored {
            text = text.replace(&before.to_string(), &stored.certificate.thumbprint.to_string());
        }
        let mut server: Server = serde_json::from_str(&text).unwrap();
        let store: BTreeMap<_, _> =
            stored.into_iter().map(|(_, stored)| (stored.certificate.thumbprint, stored)).collect();
        *server.certificates.known_mut().unwrap() = CertificateStore(store.into());
        (to.parse().unwrap(), server)
    }

    /// A certificate like this one for another server. That for tokens is the same everywhere.
    fn certificate(
        &self,
        fleet: &Fleet,
        like: &Certificate,
        rename: &dyn Fn(&str) -> String,
        (number, index): (usize, usize),
    ) -> Certificate {
        let subject: DistinguishedName = rename(&like.subject.to_string()).parse().unwrap();
        if subject.common_name().is_some_and(|common| common.contains("Auth Certificate")) {
            return like.clone();
        }
        let names: Vec<DnsName> =
            like.names.iter().map(|name| rename(name.as_str()).parse().unwrap()).collect();
        let content = CertificateContent {
            subject: &subject,
            names: &names,
            not_before: like.not_before,
            not_after: like.not_after,
        };
        let key = &self.keys[(fleet.seed + 6 * number + index) % self.keys.len()];
        let made = if like.is_self_signed() {
            self_signed(&content, key)
        } else {
            self.authority.sign(&content, key)
        };
        made.unwrap()
    }
}

/// The files of a fleet that is looked at through a saved observation or a capture: the manifest, and `observed.json` beside
/// it.
pub fn write(fleet: &Fleet, layout: Layout, folder: &Path) -> Observed {
    fs::create_dir_all(folder).unwrap();
    for (name, text) in super::manifest(fleet.servers, layout) {
        fs::write(folder.join(name), text).unwrap();
    }
    let observed = observed(fleet, folder);
    fs::write(folder.join("observed.json"), serde_json::to_vec_pretty(&observed).unwrap()).unwrap();
    observed
}
