//! The words of TLS that certwright reports: versions and alerts.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::schema::JsonSchema;

/// A version of TLS, or of SSL before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum TlsVersion {
    /// SSL 3.0 of 1996, broken (RFC 7568).
    #[serde(rename = "SSL 3.0")]
    Ssl30,
    /// TLS 1.0 of 1999, withdrawn (RFC 8996).
    #[serde(rename = "TLS 1.0")]
    Tls10,
    /// TLS 1.1 of 2006, withdrawn (RFC 8996).
    #[serde(rename = "TLS 1.1")]
    Tls11,
    /// TLS 1.2.
    #[serde(rename = "TLS 1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "TLS 1.3")]
    Tls13,
}

/// An alert by which a peer ends a handshake, by its number (RFC 8446 section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Alert(pub u8);

impl TlsVersion {
    /// The version of this number, as it stands in a record or a hello.
    pub const fn from_wire(number: u16) -> Option<Self> {
        match number {
            0x0300 => Some(Self::Ssl30),
            0x0301 => Some(Self::Tls10),
            0x0302 => Some(Self::Tls11),
            0x0303 => Some(Self::Tls12),
            0x0304 => Some(Self::Tls13),
            _ => None,
        }
    }

    /// Whether clients of today refuse it: everything before TLS 1.2 (RFC 8996).
    pub fn is_legacy(self) -> bool {
        self < Self::Tls12
    }
}

impl Alert {
    /// The peer finds no parameters that both sides take.
    pub const HANDSHAKE_FAILURE: Self = Self(40);
    /// The peer does not speak the versions that were offered.
    pub const PROTOCOL_VERSION: Self = Self(70);
    /// The peer wants stronger parameters than were offered.
    pub const INSUFFICIENT_SECURITY: Self = Self(71);
    /// The peer knows no host of the name that was asked for.
    pub const UNRECOGNIZED_NAME: Self = Self(112);

    /// The name that RFC 8446 and its predecessors give it.
    pub const fn name(self) -> &'static str {
        match self.0 {
            0 => "close_notify",
            10 => "unexpected_message",
            20 => "bad_record_mac",
            21 => "decryption_failed",
            22 => "record_overflow",
            30 => "decompression_failure",
            40 => "handshake_failure",
            41 => "no_certificate",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            60 => "export_restriction",
            70 => "protocol_version",
            71 => "insufficient_security",
            80 => "internal_error",
            86 => "inappropriate_fallback",
            90 => "user_canceled",
            100 => "no_renegotiation",
            109 => "missing_extension",
            110 => "unsupported_extension",
            111 => "certificate_unobtainable",
            112 => "unrecognized_name",
            113 => "bad_certificate_status_response",
            115 => "unknown_psk_identity",
            116 => "certificate_required",
            120 => "no_application_protocol",
            _ => "unknown",
        }
    }
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ssl30 => "SSL 3.0",
            Self::Tls10 => "TLS 1.0",
            Self::Tls11 => "TLS 1.1",
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        })
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.0)
    }
}
