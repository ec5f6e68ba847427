//! How much work reading a PFX is. Whoever wrote the file says how many rounds of hashing each of its keys takes, so it is
//! looked at before anything is opened: outside first, and then, with the rounds that were found to be few enough, inside of
//! what is encrypted, where keys can be encrypted once more.
//!
//! What opens the file bounds the rounds of one key, but not how many keys there are.

use ::der::{Decode, asn1::ObjectIdentifier};
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit, block_padding::Pkcs7};
use des::TdesEde3;
use pkcs12::kdf::{Pkcs12KeyType, derive_key_utf8};
use rc2::Rc2;
use sha1::Sha1;

use super::der as parts_of;
use crate::model::secret::Secret;

/// It asks for this many rounds, which is more than any honest file does.
#[derive(Debug)]
pub(super) struct TooManyRounds(pub(super) u64);

/// Refuses a PFX that asks for too much.
pub(super) fn check(pfx: &[u8], password: &str) -> Result<(), TooManyRounds> {
    let mut rounds = parts_of::rounds(pfx);
    bounded(&rounds)?;
    for layer in encrypted_layers(pfx).unwrap_or_default() {
        // What cannot be decrypted here cannot be by what opens the file either, which knows the same ways.
        let Some(inside) = layer.decrypted(password) else { continue };
        rounds.extend(rounds_of_bags(inside.expose()));
        bounded(&rounds)?;
    }
    Ok(())
}

fn bounded(rounds: &[u64]) -> Result<(), TooManyRounds> {
    let most = rounds.iter().copied().max().unwrap_or_default();
    if most > MOST_OF_ONE_KEY {
        return Err(TooManyRounds(most));
    }
    let total = rounds.iter().copied().fold(0, u64::saturating_add);
    if total > MOST_OF_ALL { Err(TooManyRounds(total)) } else { Ok(()) }
}

/// What is encrypted as a whole: bags of certificates and keys (RFC 7292 section 4.1, RFC 5652 section 8).
struct Layer<'a> {
    algorithm: ObjectIdentifier,
    parameters: &'a [u8],
    encrypted: &'a [u8],
}

fn encrypted_layers(pfx: &[u8]) -> Option<Vec<Layer<'_>>> {
    // version, authenticated safe, MAC
    let safe = content_of(parts(pfx)?.get(1).copied()?)?;
    let contents = parts(parts_of::contents(safe.1).ok()?)?;
    let layers = contents.into_iter().filter_map(|content| {
        let (kind, content) = content_of(content)?;
        if kind != ENCRYPTED_DATA {
            return None;
        }
        // version, and then type, algorithm, [0] what is encrypted
        let inner = parts(parts(content)?.get(1).copied()?)?;
        let algorithm = parts(inner.get(1)?)?;
        Some(Layer {
            algorithm: ObjectIdentifier::from_der(algorithm.first()?).ok()?,
            parameters: algorithm.get(1)?,
            encrypted: parts_of::contents(inner.get(2)?).ok()?,
        })
    });
    Some(layers.collect())
}

/// The kind of a content and the content itself: a sequence of an identifier and `[0]`.
fn content_of(info: &[u8]) -> Option<(ObjectIdentifier, &[u8])> {
    let info = parts(info)?;
    let kind = ObjectIdentifier::from_der(info.first()?).ok()?;
    Some((kind, parts_of::contents(info.get(1)?).ok()?))
}

fn parts(value: &[u8]) -> Option<Vec<&[u8]>> {
    parts_of::parts(parts_of::contents(value).ok()?).ok()
}

/// The rounds of the bags that are encrypted themselves: keys, and other secrets (RFC 7292 section 4.2). What is in a
/// certificate or a bare key counts for nothing.
fn rounds_of_bags(contents: &[u8]) -> Vec<u64> {
    let bags = parts(contents).unwrap_or_default();
    let encrypted = bags.into_iter().filter(|bag| {
        let kind = parts(bag).and_then(|bag| ObjectIdentifier::from_der(bag.first()?).ok());
        kind == Some(SHROUDED_KEY) || kind == Some(SECRET)
    });
    encrypted.flat_map(parts_of::rounds).collect()
}

impl Layer<'_> {
    fn decrypted(&self, password: &str) -> Option<Secret> {
        match self.algorithm {
            PBES2 => {
                let parameters = pkcs5::pbes2::Parameters::from_der(self.parameters).ok()?;
                parameters.decrypt(password.as_bytes(), self.encrypted).ok().map(Secret::new)
            }
            TRIPLE_DES => self.cbc::<TdesEde3>(password, 24),
            RC2_40 => self.cbc::<Rc2>(password, 5),
            _ => None,
        }
    }

    /// The older way (RFC 7292 appendices B and C).
    fn cbc<C: KeyInit + BlockCipherDecrypt>(&self, password: &str, size: usize) -> Option<Secret> {
        let parameters = parts(self.parameters)?;
        let salt = parts_of::contents(parameters.first()?).ok()?;
        let rounds = i32::from_der(parameters.get(1)?).ok()?;
        let derived = |what, size| derive_key_utf8::<Sha1>(password, salt, what, rounds, size).ok();
        let key = Secret::new(derived(Pkcs12KeyType::EncryptionKey, size)?);
        let vector = derived(Pkcs12KeyType::Iv, 8)?;
        let cipher = cbc::Decryptor::<C>::new_from_slices(key.expose(), &vector).ok()?;
        cipher.decrypt_padded_vec::<Pkcs7>(self.encrypted).ok().map(Secret::new)
    }
}

/// What is known of asks for a million at the most; what opens the file does no more.
const MOST_OF_ONE_KEY: u64 = 1_000_000;
/// A file has a MAC and a handful of keys.
const MOST_OF_ALL: u64 = 5_000_000;
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");
const TRIPLE_DES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3");
const RC2_40: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.6");
const SHROUDED_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.2");
const SECRET: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.5");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::bundle::Bundle,
        pki::{
            der::value,
            ephemeral_password,
            pfx::{Encryption, PfxError, read, tests::bundle, to_keep, to_travel},
        },
    };
    use ::der::{Encode, Tag, TagNumber};

    fn sequence(of: &[Vec<u8>]) -> Vec<u8> {
        value(Tag::Sequence, &of.concat()).unwrap()
    }

    fn explicit(of: &[u8]) -> Vec<u8> {
        value(Tag::ContextSpecific { constructed: true, number: TagNumber(0) }, of).unwrap()
    }

    fn identifier(of: ObjectIdentifier) -> Vec<u8> {
        of.to_der().unwrap()
    }

    /// What is encrypted with this password and few rounds, as a content of a PFX.
    fn encrypted(bags: &[u8], password: &str) -> Vec<u8> {
        let parameters =
            pkcs5::pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(2048, &[7; 16], [9; 16]).unwrap();
        let hidden = parameters.encrypt(password.as_bytes(), bags).unwrap();
        let hidden =
            value(Tag::ContextSpecific { constructed: false, number: TagNumber(0) }, &hidden).unwrap();
        let algorithm = sequence(&[identifier(PBES2), parameters.to_der().unwrap()]);
        let data = sequence(&[identifier(DATA), algorithm, hidden]);
        let data = sequence(&[value(Tag::Integer, &[0]).unwrap(), data]);
        sequence(&[identifier(ENCRYPTED_DATA), explicit(&data)])
    }

    /// A PFX without MAC whose bags are all in one encrypted content, each as often as is said.
    fn nested(bundle: &Bundle, times: usize, change: impl Fn(&mut Vec<u8>), password: &str) -> Vec<u8> {
        let secret = Secret::new(password.as_bytes().to_vec());
        let plain = to_keep(bundle, &secret, "mail").unwrap();
        let safe = content_of(parts(&plain).unwrap()[1]).unwrap().1;
        let contents = parts(parts_of::contents(safe).unwrap()).unwrap();
        let certificates = encrypted_layers(&plain).unwrap()[0].decrypted(password).unwrap();
        let keys = contents.iter().find_map(|content| {
            let (kind, content) = content_of(content)?;
            (kind == DATA).then(|| parts_of::contents(content).unwrap())
        });
        let mut keys = parts_of::contents(keys.unwrap()).unwrap().to_vec();
        change(&mut keys);
        let bags = [parts_of::contents(certificates.expose()).unwrap(), &keys.repeat(times)].concat();
        let bags = value(Tag::Sequence, &bags).unwrap();
        let safes = value(Tag::OctetString, &sequence(&[encrypted(&bags, password)])).unwrap();
        let version = value(Tag::Integer, &[3]).unwrap();
        sequence(&[version, sequence(&[identifier(DATA), explicit(&safes)])])
    }

    const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");

    #[test]
    fn a_key_within_what_is_encrypted_is_read() {
        let bundle = bundle();
        let pfx = nested(&bundle, 1, |_| (), "secret");
        assert!(parts_of::rounds(&pfx) == [2048], "the key's own rounds are not to be seen from outside");
        assert_eq!(read(&pfx, &Secret::new(b"secret".to_vec())).unwrap().key, bundle.key);
    }

    #[test]
    fn endless_work_that_is_encrypted_is_refused() {
        let password = Secret::new(b"secret".to_vec());
        // 100000 rounds, as this program writes it.
        let rounds = [2, 3, 0x01, 0x86, 0xa0];
        let pfx = nested(
            &bundle(),
            1,
            |keys| {
                let at = (0..keys.len()).find(|at| keys[*at..].starts_with(&rounds)).unwrap();
                keys[at + 2..at + 5].copy_from_slice(&[0x7f, 0xff, 0xff]);
            },
            "secret",
        );
        assert!(matches!(read(&pfx, &password), Err(PfxError::TooManyRounds(0x7f_ffff))));
        // Few rounds each, for a hundred keys.
        let pfx = nested(&bundle(), 100, |_| (), "secret");
        assert!(matches!(read(&pfx, &password), Err(PfxError::TooManyRounds(10_002_048))));
    }

    #[test]
    fn older_encryption_is_looked_into_too() {
        let password = ephemeral_password().unwrap();
        let pfx = to_travel(&bundle(), &password, "mail", Encryption::Readable).unwrap();
        let layers = encrypted_layers(&pfx).unwrap();
        let [layer] = layers.as_slice() else { panic!("one content is encrypted") };
        let text = password.expose_text().unwrap();
        assert!(parts(layer.decrypted(text).unwrap().expose()).is_some_and(|bags| !bags.is_empty()));
        assert!(layer.decrypted("another").is_none_or(|wrong| parts(wrong.expose()).is_none()));
    }
}
