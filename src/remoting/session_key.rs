//! The RSA key with which the server hands over the session key. It lives for one exchange.

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rsa::{KeySize, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey},
};
use x509_parser::{prelude::FromDer, public_key::PublicKey, x509::SubjectPublicKeyInfo};
use zeroize::Zeroizing;

use crate::wire::psrp::{PsrpError, SessionKey};

/// A key pair for one exchange.
pub(super) struct ExchangeKey {
    private: Pkcs1PrivateDecryptingKey,
    pub(super) modulus: [u8; 256],
    pub(super) exponent: u32,
}

impl ExchangeKey {
    pub(super) fn generate() -> Result<Self, PsrpError> {
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).map_err(|_| PsrpError::SessionKey)?;
        let der: PublicKeyX509Der<'_> = private.public_key().as_der().map_err(|_| PsrpError::SessionKey)?;
        let (_, info) = SubjectPublicKeyInfo::from_der(der.as_ref()).map_err(|_| PsrpError::SessionKey)?;
        let Ok(PublicKey::RSA(public)) = info.parsed() else { return Err(PsrpError::SessionKey) };
        // DER puts a zero before a number whose first bit is set, as that of a modulus is.
        let modulus = public.modulus.strip_prefix(&[0]).unwrap_or(public.modulus);
        let modulus = modulus.try_into().map_err(|_| PsrpError::SessionKey)?;
        let exponent = public.try_exponent().ok().and_then(|exponent| u32::try_from(exponent).ok());
        let exponent = exponent.ok_or(PsrpError::SessionKey)?;
        let private = Pkcs1PrivateDecryptingKey::new(private).map_err(|_| PsrpError::SessionKey)?;
        Ok(Self { private, modulus, exponent })
    }

    /// The session key that the server encrypted for us.
    pub(super) fn open(self, encrypted: &[u8]) -> Result<SessionKey, PsrpError> {
        let mut room = Zeroizing::new([0; 256]);
        let key = self.private.decrypt(encrypted, &mut *room).map_err(|_| PsrpError::SessionKey)?;
        let key: &[u8; 32] = (&*key).try_into().map_err(|_| PsrpError::SessionKey)?;
        Ok(SessionKey::new(*key))
    }
}
