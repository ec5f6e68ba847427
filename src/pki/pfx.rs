//! PFX (PKCS#12): the form in which certificates and keys enter and leave Windows. The only file that names
//! p12-keystore.

use p12_keystore::{
    Certificate as P12Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, LocalKeyId, MacAlgorithm,
    Pkcs12ImportPolicy, PrivateKey, PrivateKeyChain,
};

use super::pfx_work::{self, TooManyRounds};
use crate::model::{
    bundle::Bundle,
    certificate::{Certificate, CertificateError, Der},
    secret::Secret,
    version::ServerVersion,
};

/// How a PFX is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// AES-256 and SHA-256.
    Modern,
    /// 3DES and SHA-1: what Windows 2012 R2 and 2016 can read (facts 8.2). For transport under a random password only.
    Readable,
}

impl Encryption {
    /// What a PFX for this server has to be, by what its Windows reads (facts 8.2; 15, no. 13); the older one where the
    /// version is not known.
    pub fn for_server(version: Option<ServerVersion>) -> Self {
        match version {
            Some(version) if version.release().reads_modern_pfx() => Self::Modern,
            Some(_) | None => Self::Readable,
        }
    }

    /// How a PFX is encrypted: PBES2 is what old Windows does not know (RFC 8018 section 6.2).
    pub fn of(pfx: &[u8]) -> Self {
        let is_modern = pfx.windows(PBES2.len()).any(|window| window == PBES2);
        if is_modern { Self::Modern } else { Self::Readable }
    }
}

/// Why a PFX could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PfxError {
    /// There is no key to put in.
    #[error("a PFX needs a private key, and there is none")]
    NoKey,
    /// Writing failed.
    #[error("writing the PFX failed")]
    Write(#[source] p12_keystore::error::Error),
    /// Not a PFX, or another password.
    #[error("the PFX cannot be read, or its password is another one")]
    Read(#[source] p12_keystore::error::Error),
    /// It asks for work without end.
    #[error(
        "the PFX asks for {0} rounds of hashing, which would take very long; more than a million for one key, or 5 million in \
         all, are not done"
    )]
    TooManyRounds(u64),
    /// The password is not text.
    #[error("the password is not UTF-8")]
    Password,
    /// No certificate with a key.
    #[error("the PFX holds no certificate with a private key")]
    Empty,
    /// Its certificate cannot be read.
    #[error("the certificate in the PFX cannot be read")]
    Certificate(#[from] CertificateError),
}

/// Writes a bundle as a PFX that is kept, under a password that a person may have thought of.
pub fn to_keep(bundle: &Bundle, password: &Secret, friendly_name: &str) -> Result<Vec<u8>, PfxError> {
    write(bundle, password, friendly_name, Encryption::Modern, KEPT_ITERATIONS)
}

/// Writes a bundle as a PFX that travels once, under a random password ([`super::ephemeral_password`]).
pub fn to_travel(
    bundle: &Bundle,
    password: &Secret,
    friendly_name: &str,
    encryption: Encryption,
) -> Result<Vec<u8>, PfxError> {
    write(bundle, password, friendly_name, encryption, TRANSPORT_ITERATIONS)
}

fn write(
    bundle: &Bundle,
    password: &Secret,
    friendly_name: &str,
    encryption: Encryption,
    iterations: u32,
) -> Result<Vec<u8>, PfxError> {
    let key = bundle.key.as_ref().ok_or(PfxError::NoKey)?;
    let key = PrivateKey::from_der(key.expose()).map_err(PfxError::Write)?;
    let ders = std::iter::once(&bundle.certificate.der).chain(&bundle.chain);
    let certificates = ders.map(|der| P12Certificate::from_der(&der.0)).collect::<Result<Vec<_>, _>>();
    let id = LocalKeyId::from(bundle.certificate.thumbprint.to_string());
    let chain = PrivateKeyChain::new(id, key, certificates.map_err(PfxError::Write)?);
    let mut store = KeyStore::new();
    store.add_entry(friendly_name, KeyStoreEntry::PrivateKeyChain(chain));
    let writer = store.writer(password.expose_text().ok_or(PfxError::Password)?);
    let (encryption, mac) = match encryption {
        Encryption::Modern => (EncryptionAlgorithm::PbeWithHmacSha256AndAes256, MacAlgorithm::HmacSha256),
        Encryption::Readable => (EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc, MacAlgorithm::HmacSha1),
    };
    let writer = writer.encryption_algorithm(encryption).encryption_iterations(iterations);
    writer.mac_algorithm(mac).mac_iterations(iterations).write().map_err(PfxError::Write)
}

/// Reads a PFX: the first certificate that has a key.
pub fn read(bytes: &[u8], password: &Secret) -> Result<Bundle, PfxError> {
    let password = password.expose_text().ok_or(PfxError::Password)?;
    pfx_work::check(bytes, password).map_err(|TooManyRounds(rounds)| PfxError::TooManyRounds(rounds))?;
    let store =
        KeyStore::from_pkcs12(bytes, password, Pkcs12ImportPolicy::Relaxed).map_err(PfxError::Read)?;
    let (_, chain) = store.private_key_chain().ok_or(PfxError::Empty)?;
    let mut ders = chain.certs().iter().map(|certificate| Der(certificate.as_der().to_vec()));
    let leaf = ders.next().ok_or(PfxError::Empty)?;
    Ok(Bundle {
        certificate: Certificate::from_der(&leaf.0)?,
        chain: ders.collect(),
        key: Some(Secret::new(chain.key().as_der().to_vec())),
    })
}

/// The object identifier 1.2.840.113549.1.5.13 in DER.
const PBES2: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
/// A file that is kept is guarded by a password of a person: guessing it has to cost something.
const KEPT_ITERATIONS: u32 = 100_000;
/// A random password of 256 bits cannot be guessed, whatever a guess costs.
const TRANSPORT_ITERATIONS: u32 = 2048;

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        model::{dn::DistinguishedName, key::KeySpec},
        pki::{ephemeral_password, keys, mint},
    };

    pub(in crate::pki) fn bundle() -> Bundle {
        let key = keys::Keys::Fresh.make(KeySpec::Rsa(2048)).unwrap();
        let subject = DistinguishedName::common_name_only("EX01");
        let content = mint::CertificateContent {
            subject: &subject,
            names: &[],
            not_before: "2026-03-02T09:14:07Z".parse().unwrap(),
            not_after: "2031-03-02T09:14:07Z".parse().unwrap(),
        };
        let certificate = mint::self_signed(&content, &key).unwrap();
        Bundle { certificate, chain: Vec::new(), key: Some(keys::to_pkcs8(&key)) }
    }

    #[test]
    fn what_goes_in_comes_out() {
        let (bundle, password) = (bundle(), ephemeral_password().unwrap());
        for encryption in [Encryption::Modern, Encryption::Readable] {
            let bytes = to_travel(&bundle, &password, "mail", encryption).unwrap();
            assert_eq!(Encryption::of(&bytes), encryption);
            let back = read(&bytes, &password).unwrap();
            assert_eq!((back.certificate, back.key), (bundle.certificate.clone(), bundle.key.clone()));
            assert!(matches!(read(&bytes, &ephemeral_password().unwrap()), Err(PfxError::Read(_))));
        }
        let kept = to_keep(&bundle, &password, "mail").unwrap();
        assert_eq!(Encryption::of(&kept), Encryption::Modern);
        assert_eq!(read(&kept, &password).unwrap().key, bundle.key);
    }

    #[test]
    fn old_windows_gets_what_it_reads() {
        for (version, encryption) in [
            ("2010", Encryption::Readable),
            ("2016 CU23", Encryption::Readable),
            ("2019 CU14", Encryption::Modern),
            ("SE", Encryption::Modern),
        ] {
            assert_eq!(Encryption::for_server(Some(version.parse().unwrap())), encryption, "{version}");
        }
        assert_eq!(Encryption::for_server(None), Encryption::Readable);
    }

    #[test]
    fn a_file_that_asks_for_endless_work_is_refused() {
        let password = ephemeral_password().unwrap();
        let bytes = to_keep(&bundle(), &password, "mail").unwrap();
        let rounds = [2, 3, 0x01, 0x86, 0xa0];
        let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(&rounds)).collect();
        assert!(places.len() >= 2, "of the encryption and of the MAC: {places:?}");
        for at in places {
            let mut bytes = bytes.clone();
            bytes[at + 2..at + 5].copy_from_slice(&[0x7f, 0xff, 0xff]);
            assert!(matches!(read(&bytes, &password), Err(PfxError::TooManyRounds(0x7f_ffff))));
        }
    }

    #[test]
    fn what_is_no_pfx_is_an_error() {
        let password = ephemeral_password().unwrap();
        for bytes in [&b""[..], b"\x30\x82\xff\xff", b"-----BEGIN", &[0x30; 4096]] {
            assert!(read(bytes, &password).is_err());
        }
    }
}
