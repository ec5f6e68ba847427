//! A certificate that says what another one says, with another key.

use rcgen::{BasicConstraints, CustomExtension, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose};

use super::{Authority, CertificateContent, MintError, Unsigned, make_error, name, named, params};
use crate::model::certificate::Certificate;

/// Makes a certificate with the subject, names, dates and uses of `original`. Without an authority it signs itself.
pub fn like(
    original: &Certificate,
    authority: Option<&Authority>,
    key: &KeyPair,
) -> Result<Certificate, MintError> {
    let content = CertificateContent {
        subject: &original.subject,
        names: &original.names,
        not_before: original.not_before,
        not_after: original.not_after,
    };
    let mut params = params(&content, key)?;
    if original.is_ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    } else {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        let mut not_a_ca = CustomExtension::from_oid_content(&[2, 5, 29, 19], vec![0x30, 0]);
        not_a_ca.set_criticality(true);
        params.custom_extensions = vec![not_a_ca];
    }
    params.extended_key_usages =
        original.usages.iter().flatten().filter_map(|usage| purpose(usage)).collect();
    let subject = name(&original.subject)?;
    let Some(authority) = authority else {
        let minted = params.self_signed(&Unsigned(key)).map_err(|source| make_error(&content, source))?;
        return named(&minted, &subject, &subject, key, &content);
    };
    let issuer = authority.as_issuer();
    params.use_authority_key_identifier_extension = authority.certificate.subject_key_id.is_some();
    let minted = params.signed_by(key, &issuer).map_err(|source| make_error(&content, source))?;
    named(&minted, &name(&authority.certificate.subject)?, &subject, &authority.key, &content)
}

/// A use by the name it has in the model.
fn purpose(usage: &str) -> Option<ExtendedKeyUsagePurpose> {
    Some(match usage {
        "any" => ExtendedKeyUsagePurpose::Any,
        "serverAuth" => ExtendedKeyUsagePurpose::ServerAuth,
        "clientAuth" => ExtendedKeyUsagePurpose::ClientAuth,
        "codeSigning" => ExtendedKeyUsagePurpose::CodeSigning,
        "emailProtection" => ExtendedKeyUsagePurpose::EmailProtection,
        "timeStamping" => ExtendedKeyUsagePurpose::TimeStamping,
        "ocspSigning" => ExtendedKeyUsagePurpose::OcspSigning,
        oid => {
            let arcs: Option<Vec<u64>> = oid.split('.').map(|arc| arc.parse().ok()).collect();
            ExtendedKeyUsagePurpose::Other(arcs.filter(|arcs| arcs.len() > 1)?)
        }
    })
}
