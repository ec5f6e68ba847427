//! Whether a peer holds the key of its certificate: the check of the signature under a handshake. Old algorithms are
//! checked too, since the point is to know and not to trust.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA1_ASN1, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
    UnparsedPublicKey, VerificationAlgorithm,
};
use rustls::{
    SignatureScheme,
    crypto::{WebPkiSupportedAlgorithms, aws_lc_rs as provider},
    pki_types::{
        AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
    },
};
use webpki::{EndEntityCert, Error};

use crate::{
    model::{certificate::Certificate, handshake::probe_error::Unproved, key::PublicKey},
    ports::prober::Possession,
};

/// Whether this signature over the message was made with the key of the certificate.
pub(super) fn check(scheme: SignatureScheme, leaf: &[u8], message: &[u8], signature: &[u8]) -> Possession {
    let der = CertificateDer::from(leaf);
    let certificate = match EndEntityCert::try_from(&der) {
        Ok(certificate) => certificate,
        Err(error) => return Possession::Unproved(Unproved::Unreadable { why: format!("{error:?}") }),
    };
    let short = short_key(leaf);
    let mut refuted = false;
    for algorithm in algorithms(scheme, short.is_some()) {
        match certificate.verify_signature(algorithm, message, signature) {
            Ok(()) => return Possession::Proved,
            Err(Error::InvalidSignatureForPublicKey) => refuted = true,
            // An algorithm for another kind of key.
            Err(_) => {}
        }
    }
    match (refuted, short) {
        // Whether keys below 1024 bits fit any algorithm is not known.
        (true, None | Some(1024..)) => Possession::Refuted,
        (_, Some(bits)) => Possession::Unproved(Unproved::ShortKey { bits }),
        (false, None) => {
            let scheme =
                scheme.as_str().map_or_else(|| format!("0x{:04x}", u16::from(scheme)), str::to_owned);
            Possession::Unproved(Unproved::Algorithm { scheme })
        }
    }
}

/// The signature schemes to ask for: what is good, and at the end what is not, so that old peers answer too. Windows
/// looks at them for the signatures in its chain as well.
pub(super) fn schemes() -> Vec<SignatureScheme> {
    let mut schemes = supported().supported_schemes();
    schemes.extend([SignatureScheme::RSA_PKCS1_SHA1, SignatureScheme::ECDSA_SHA1_Legacy]);
    schemes
}

/// The length of an RSA key that is below what algorithms of today take.
fn short_key(leaf: &[u8]) -> Option<u32> {
    match Certificate::from_der(leaf).ok()?.key {
        PublicKey::Rsa(bits) if bits < 2048 => Some(bits),
        PublicKey::Rsa(_) | PublicKey::Ec(_) | PublicKey::Other(_) => None,
    }
}

fn algorithms(
    scheme: SignatureScheme,
    for_short_keys: bool,
) -> impl Iterator<Item = &'static dyn SignatureVerificationAlgorithm> {
    let good = supported().mapping.iter().filter(move |(of, _)| *of == scheme && !for_short_keys);
    let good = good.flat_map(|(_, algorithms)| algorithms.iter().copied());
    let old = OLD.iter().filter(move |(of, _)| *of == scheme);
    good.chain(old.map(|(_, algorithm)| algorithm as &dyn SignatureVerificationAlgorithm))
}

fn supported() -> WebPkiSupportedAlgorithms {
    provider::default_provider().signature_verification_algorithms
}

/// An algorithm that no client of today offers.
#[derive(Debug)]
struct Old {
    key: AlgorithmIdentifier,
    verify: &'static dyn VerificationAlgorithm,
}

impl SignatureVerificationAlgorithm for Old {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key = UnparsedPublicKey::new(self.verify, public_key);
        key.verify(message, signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    /// Only looked at for signatures in certificates, which are not checked with these.
    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }
}

static OLD: [(SignatureScheme, Old); 4] = [
    (
        SignatureScheme::RSA_PKCS1_SHA256,
        Old { key: alg_id::RSA_ENCRYPTION, verify: &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY },
    ),
    (
        SignatureScheme::RSA_PKCS1_SHA512,
        Old { key: alg_id::RSA_ENCRYPTION, verify: &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY },
    ),
    (
        SignatureScheme::RSA_PKCS1_SHA1,
        Old { key: alg_id::RSA_ENCRYPTION, verify: &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY },
    ),
    (SignatureScheme::ECDSA_SHA1_Legacy, Old { key: alg_id::ECDSA_P256, verify: &ECDSA_P256_SHA1_ASN1 }),
];
