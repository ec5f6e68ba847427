//! Certificates as servers in the field have them, right and wrong.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use certwright::model::thumbprint::Thumbprint;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use time::{Duration, OffsetDateTime};

/// The name that clients ask for.
pub(crate) const NAME: &str = "mail.contoso.test";

/// A certificate with its chain and key, as a server is configured with it.
pub(crate) struct Identity {
    /// What is right or wrong with it.
    pub(crate) case: Case,
    /// Certificates in the order in which they should be sent.
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
    /// Key and certificates in one file.
    pub(crate) all: PathBuf,
    pub(crate) thumbprints: Vec<Thumbprint>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Right,
    Expired,
    NotYetValid,
    WrongName,
    MissingIntermediate,
    RootSent,
    SelfSigned,
    WeakKey,
    UntrustedRoot,
    /// By its CA.
    Revoked,
    /// Its CA, by the root.
    RevokedIntermediate,
    /// Its extended key usage is that of clients alone.
    NotForServers,
}

impl Case {
    pub(crate) const ALL: [Self; 12] = [
        Self::Right,
        Self::Expired,
        Self::NotYetValid,
        Self::WrongName,
        Self::MissingIntermediate,
        Self::RootSent,
        Self::SelfSigned,
        Self::WeakKey,
        Self::UntrustedRoot,
        Self::Revoked,
        Self::RevokedIntermediate,
        Self::NotForServers,
    ];

    /// The words for what is wrong, and those for what is only a warning.
    pub(crate) const fn words(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Right => (&[], &[]),
            Self::Expired => (&["expired 2026-01-01"], &[]),
            Self::NotYetValid => (&["not yet valid"], &[]),
            Self::WrongName => (&["wrong name"], &[]),
            Self::MissingIntermediate => (&["intermediate missing"], &[]),
            Self::RootSent => (&[], &["root sent"]),
            Self::SelfSigned => (&["self-signed"], &[]),
            // The signatures of TLS 1.3 cannot be checked with so short a key.
            Self::WeakKey => (&[], &["key not proved", "weak key"]),
            Self::UntrustedRoot => (&["not trusted"], &["root sent"]),
            Self::Revoked | Self::RevokedIntermediate => (&["revoked"], &[]),
            Self::NotForServers => (&["not for servers"], &[]),
        }
    }
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: Vec<u8>,
}

/// One identity for each case, in this directory; the trusted root is in `root.pem`, what its CAs revoked in `crl.pem`.
pub(crate) fn identities(directory: &Path) -> Vec<Identity> {
    let (root, stranger) = (root("Test Root"), root("Strange Root"));
    let intermediate = intermediate(&root, "Test CA");
    let of_stranger = intermediate_of(&stranger);
    let (revoked, bad_ca) = (SerialNumber::from(4711_u64), SerialNumber::from(0x8000_0001_u64));
    let bad = intermediate_with(&root, "Test CA of before", Some(bad_ca.clone()));
    fs::write(directory.join("root.pem"), pem(&root.der)).unwrap();
    let lists = [
        list_of(&root, &[bad_ca]),
        list_of(&intermediate, std::slice::from_ref(&revoked)),
        list_of(&bad, &[]),
    ];
    fs::write(directory.join("crl.pem"), lists.concat()).unwrap();
    fs::write(directory.join("root-and-crl.pem"), pem(&root.der) + &lists.concat()).unwrap();
    let now = OffsetDateTime::now_utc();
    let days = Duration::days;
    let expired = OffsetDateTime::from_unix_timestamp(1_767_225_600).unwrap(); // 2026-01-01T00:00:00Z
    let good = (now - days(1), now + days(90));
    let make = |case: Case| {
        let key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
        let signed = |by: &Authority, name: &str, (from, to): (OffsetDateTime, OffsetDateTime)| {
            leaf(name, from, to).signed_by(&key, &by.issuer).unwrap().der().to_vec()
        };
        let (key_pem, chain) = match case {
            Case::WeakKey => {
                let (key, leaf) = weak(directory, &intermediate);
                return save(directory, case, &key, &[leaf, intermediate.der.clone()]);
            }
            Case::Right => {
                (key.serialize_pem(), vec![signed(&intermediate, NAME, good), intermediate.der.clone()])
            }
            Case::Expired => {
                let leaf = signed(&intermediate, NAME, (expired - days(200), expired));
                (key.serialize_pem(), vec![leaf, intermediate.der.clone()])
            }
            Case::NotYetValid => {
                let leaf = signed(&intermediate, NAME, (now + days(2), now + days(90)));
                (key.serialize_pem(), vec![leaf, intermediate.der.clone()])
            }
            Case::WrongName => {
                let leaf = signed(&intermediate, "other.contoso.test", good);
                (key.serialize_pem(), vec![leaf, intermediate.der.clone()])
            }
            Case::MissingIntermediate => (key.serialize_pem(), vec![signed(&intermediate, NAME, good)]),
            Case::RootSent => {
                let leaf = signed(&intermediate, NAME, good);
                (key.serialize_pem(), vec![leaf, intermediate.der.clone(), root.der.clone()])
            }
            Case::SelfSigned => {
                let leaf = leaf(NAME, good.0, good.1).self_signed(&key).unwrap().der().to_vec();
                (key.serialize_pem(), vec![leaf])
            }
            Case::UntrustedRoot => {
                let leaf = signed(&of_stranger, NAME, good);
                (key.serialize_pem(), vec![leaf, of_stranger.der.clone(), stranger.der.clone()])
            }
            Case::Revoked => {
                let mut params = leaf(NAME, good.0, good.1);
                params.serial_number = Some(revoked.clone());
                let leaf = params.signed_by(&key, &intermediate.issuer).unwrap().der().to_vec();
                (key.serialize_pem(), vec![leaf, intermediate.der.clone()])
            }
            Case::RevokedIntermediate => {
                (key.serialize_pem(), vec![signed(&bad, NAME, good), bad.der.clone()])
            }
            Case::NotForServers => {
                let mut params = leaf(NAME, good.0, good.1);
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
                let leaf = params.signed_by(&key, &intermediate.issuer).unwrap().der().to_vec();
                (key.serialize_pem(), vec![leaf, intermediate.der.clone()])
            }
        };
        save(directory, case, &key_pem, &chain)
    };
    Case::ALL.into_iter().map(make).collect()
}

fn root(name: &str) -> Authority {
    let key = KeyPair::generate().unwrap();
    let params = authority_params(name);
    let der = params.self_signed(&key).unwrap().der().to_vec();
    Authority { issuer: Issuer::new(params, key), der }
}

fn intermediate(root: &Authority, name: &str) -> Authority {
    intermediate_with(root, name, None)
}

fn intermediate_with(root: &Authority, name: &str, serial_number: Option<SerialNumber>) -> Authority {
    let key = KeyPair::generate().unwrap();
    let mut params = authority_params(name);
    params.serial_number = serial_number;
    let der = params.signed_by(&key, &root.issuer).unwrap().der().to_vec();
    Authority { issuer: Issuer::new(params, key), der }
}

fn intermediate_of(stranger: &Authority) -> Authority {
    intermediate(stranger, "Strange CA")
}

/// What a CA has revoked, in PEM.
fn list_of(authority: &Authority, revoked: &[SerialNumber]) -> String {
    let now = OffsetDateTime::now_utc();
    let revoked = revoked.iter().map(|serial_number| RevokedCertParams {
        serial_number: serial_number.clone(),
        revocation_time: now - Duration::days(2),
        reason_code: None,
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: now - Duration::days(1),
        next_update: now + Duration::days(7),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(&authority.issuer).unwrap().pem().unwrap()
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = OffsetDateTime::now_utc() - Duration::days(900);
    params.not_after = OffsetDateTime::now_utc() + Duration::days(900);
    params
}

fn leaf(name: &str, from: OffsetDateTime, to: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = from;
    params.not_after = to;
    params
}

/// A certificate with a key of 1024 bits. Only OpenSSL still makes them.
fn weak(directory: &Path, by: &Authority) -> (String, Vec<u8>) {
    let file = |name: &str| directory.join(name);
    fs::write(file("ca.pem"), pem(&by.der)).unwrap();
    fs::write(file("ca.key"), by.issuer.key().serialize_pem()).unwrap();
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).current_dir(directory).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let (subject, names) = (format!("/CN={NAME}"), format!("subjectAltName=DNS:{NAME}"));
    let request = ["req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", "weak.key", "-out", "weak.csr"];
    openssl(&[&request[..], &["-subj", &subject, "-addext", &names]].concat());
    openssl(&[
        "x509",
        "-req",
        "-in",
        "weak.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "90",
        "-copy_extensions",
        "copyall",
        "-outform",
        "DER",
        "-out",
        "weak.der",
    ]);
    (fs::read_to_string(file("weak.key")).unwrap(), fs::read(file("weak.der")).unwrap())
}

fn save(directory: &Path, case: Case, key: &str, chain: &[Vec<u8>]) -> Identity {
    let file = |ending: &str| directory.join(format!("{case:?}.{ending}"));
    let certificates: String = chain.iter().map(|der| pem(der)).collect();
    let identity = Identity {
        case,
        chain: file("pem"),
        key: file("key"),
        all: file("all"),
        thumbprints: chain.iter().map(|der| Thumbprint::of(der)).collect(),
    };
    fs::write(&identity.chain, &certificates).unwrap();
    fs::write(&identity.key, key).unwrap();
    fs::write(&identity.all, format!("{key}{certificates}")).unwrap();
    identity
}

pub(crate) fn pem(der: &[u8]) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<String> =
        text.as_bytes().chunks(64).map(|line| String::from_utf8(line.to_vec()).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
