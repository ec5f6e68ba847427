//! What a manifest says about hybrid mail.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{IntoDeserializer, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::model::{dn::DistinguishedName, names::CertificateName, schema::JsonSchema};

/// The certificate that proves the organization to Microsoft 365: its name alone, or with what Exchange Online knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HybridSpec {
    /// The certificate: of a public CA, on every server that hybrid mail goes through.
    pub certificate: CertificateName,
    /// The subject of the certificate that Exchange Online's inbound connector takes. Whoever has told it of another one
    /// writes it here; nothing on the servers tells it.
    pub microsoft365: Option<DistinguishedName>,
}

/// The same, written in full.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    /// A key of `certificates`.
    certificate: CertificateName,
    /// The subject of the certificate that Exchange Online knows (`TlsSenderCertificateName` of its inbound connector).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    microsoft365: Option<DistinguishedName>,
}

impl Serialize for HybridSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { certificate, microsoft365 } = self.clone();
        match microsoft365 {
            None => certificate.serialize(serializer),
            Some(_) => Written { certificate, microsoft365 }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for HybridSpec {
    /// By hand and not untagged, so that an error inside keeps its own words and place.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Both;

        impl<'de> Visitor<'de> for Both {
            type Value = HybridSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a certificate, or `{ certificate, microsoft365 }`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<HybridSpec, E> {
                let certificate = CertificateName::deserialize(text.into_deserializer())?;
                Ok(HybridSpec { certificate, microsoft365: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<HybridSpec, A::Error> {
                let Written { certificate, microsoft365 } =
                    Written::deserialize(MapAccessDeserializer::new(map))?;
                Ok(HybridSpec { certificate, microsoft365 })
            }
        }

        deserializer.deserialize_any(Both)
    }
}

#[cfg(feature = "schemas")]
impl JsonSchema for HybridSpec {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HybridSpec".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let name = generator.subschema_for::<CertificateName>();
        schemars::json_schema!({ "anyOf": [name, Written::json_schema(generator)] })
    }
}
