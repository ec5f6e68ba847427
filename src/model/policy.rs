//! What a manifest settles about a certificate's life and about runs, as values: when to renew, when to retire, what is
//! protected, how much may happen at once.

use std::{fmt, num::NonZeroU32};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{
    schema::JsonSchema,
    service::Restartable,
    share::Share,
    time::{Span, Timestamp},
};

/// What becomes of services that a certificate was enabled for and the manifest does not want. Exchange has no way to
/// take a service off a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ExtraServices {
    /// They stay.
    #[default]
    Keep,
    /// The certificate is backed up, removed, imported again and enabled for what is wanted; only where nothing uses it
    /// meanwhile.
    Reimport,
}

/// How a request is written into its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RequestEncoding {
    /// Text, to be pasted into a CA's form.
    #[default]
    Pem,
    /// Binary (`New-ExchangeCertificate -BinaryEncoded`).
    Der,
}

impl RequestEncoding {
    /// Whether nothing has to be said of it.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How long before its end a certificate is renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenewBefore {
    /// So long before the end.
    Span(Span),
    /// When this many hundredths of the issued lifetime are left, but at most 90 days before the end: of five years a third
    /// would be twenty months.
    Percent(u8),
}

/// What becomes of a certificate that was replaced: `never` or when it is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retire {
    /// It stays in the store.
    Never,
    /// It is removed once nothing uses it.
    When(RetireWhen),
}

/// When a replaced certificate is removed, and whether it is kept as a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RetireWhen {
    /// How long after a run has proved that its successor serves in its places; `0d` removes it in the same run.
    #[serde(default = "RetireWhen::default_after")]
    pub after: Span,
    /// Whether it is exported into the run's folder before it is removed.
    #[serde(default = "yes")]
    pub backup: bool,
    /// Whether transport of the source servers is stopped for a moment where send connectors name both it and its
    /// successor, and Exchange removes neither while they do. Without it such a certificate stays until somebody
    /// removes it: Exchange presents the newer one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stop_transport: bool,
    /// What happens to it where a place that its successor serves cannot be probed.
    #[serde(default, skip_serializing_if = "WhereUnproved::is_default")]
    pub unproved: WhereUnproved,
}

/// What becomes of a certificate that was replaced, where nobody can meet a place of its successor from here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WhereUnproved {
    /// It stays.
    #[default]
    Keep,
    /// It is removed all the same.
    Remove,
}

/// Bounds that a plan or a run may not pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// How many servers are changed at the same time.
    #[serde(default = "Limits::default_servers_at_once")]
    pub servers_at_once: NonZeroU32,
    /// How old a capture may be to be planned from. Without it: of any age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"24h")]
    pub capture_age: Option<Span>,
    /// Whether one server comes first, and the others begin only when everything on it that does not wait for them is
    /// done and proved.
    #[serde(default = "Limits::default_canary")]
    pub canary: bool,
    /// How many certificates a plan may remove: a number, or a share of those in the stores of the servers, rounded up. Without
    /// it half of them; `100%` takes any number.
    #[serde(default = "Limits::default_removals")]
    #[schemars(example = &"20%")]
    pub removals: Share,
}

/// What is restarted so that services use their new certificate. POP and IMAP are restarted wherever they run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Restarts {
    /// For the certificate of IIS.
    #[serde(default)]
    pub iis: IisRestart,
    /// For a certificate of SMTP.
    #[serde(default)]
    pub transport: TransportRestart,
    /// Whether a server is drained before: transport hands its queues to another server of the manifest, and load
    /// balancers that know their `servers` send it no new clients. One server after the other, and none whose work no
    /// other server takes over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drain: bool,
}

/// What is restarted for the certificate of IIS, which http.sys serves at once.
// facts 3.7
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum IisRestart {
    /// The application pools of Outlook on the web and the admin center, whose cookie is encrypted with it.
    #[default]
    Pools,
    /// The whole of IIS, as Microsoft recommends behind load balancers of layer 4: all clients of the server drop.
    All,
    /// Nothing.
    Never,
}

/// When transport is restarted. Nothing documented says that it has to be.
// facts 3.7
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TransportRestart {
    /// Where a handshake still sees the old certificate after a while, or none can tell.
    #[default]
    IfNeeded,
    /// Each time.
    Always,
    /// Never: by a person, later.
    Never,
}

impl Restarts {
    /// What is restarted where the service's own restart would be this one; nothing where none is wanted.
    pub fn of(self, what: Restartable) -> Option<Restartable> {
        match what {
            Restartable::Iis => match self.iis {
                IisRestart::Pools => Some(Restartable::WebApps),
                IisRestart::All => Some(Restartable::Iis),
                IisRestart::Never => None,
            },
            Restartable::Transport | Restartable::MailboxTransport => {
                (self.transport != TransportRestart::Never).then_some(what)
            }
            Restartable::Pop
            | Restartable::Imap
            | Restartable::Um
            | Restartable::UmCallRouter
            | Restartable::ServiceHost
            | Restartable::WebApps => Some(what),
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How long before its end a certificate in use is warned of: `never`, or a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryWarning {
    /// Nothing is said of it before its end.
    Never,
    /// So long before the end.
    Before(Span),
}

impl ExpiryWarning {
    /// Whether a certificate of these dates is to be spoken of: one that has ended always is. A span that is longer than a third of its life would have one
    /// of 47 days spoken of from its first weeks on, so a third counts then.
    pub fn is_due(self, not_before: Timestamp, not_after: Timestamp, now: Timestamp) -> bool {
        match self {
            Self::Never => not_after < now,
            Self::Before(span) => {
                let third = not_after.since(not_before).percent(33);
                not_after < now.plus(span.min(third))
            }
        }
    }

    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for ExpiryWarning {
    fn default() -> Self {
        Self::Before(Span::days(30))
    }
}

impl fmt::Display for ExpiryWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str(NEVER),
            Self::Before(span) => write!(f, "{span}"),
        }
    }
}

impl std::str::FromStr for ExpiryWarning {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == NEVER {
            return Ok(Self::Never);
        }
        text.parse().map(Self::Before).map_err(|error| format!("{error}, or `never`"))
    }
}

text_type!(
    ExpiryWarning,
    "How long before its end a certificate in use is warned of: 30d, or never.",
    Some("^(never|[0-9]+[smhdw])$")
);

impl RenewBefore {
    /// The longest time that a share of the lifetime comes to; who wants more says a span.
    pub const LONGEST_SHARE: Span = Span::days(90);

    /// Whether it is a span that a certificate of this lifetime cannot have: a third of the lifetime counts in its place.
    pub fn is_too_long_for(self, lifetime: Span) -> bool {
        matches!(self, Self::Span(span) if span >= lifetime)
    }

    /// The span before the end, for a certificate issued with this lifetime. A span that is not shorter than the lifetime
    /// would renew at once and for ever, so it counts as a third of it.
    pub fn of_lifetime(self, lifetime: Span) -> Span {
        match self {
            Self::Span(span) if span < lifetime => span,
            Self::Span(_) => lifetime.percent(33),
            Self::Percent(percent) => lifetime.percent(percent).min(Self::LONGEST_SHARE),
        }
    }
}

impl Default for RenewBefore {
    fn default() -> Self {
        Self::Percent(33)
    }
}

impl ExtraServices {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde's skip_serializing_if hands over a reference"
    )]
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl WhereUnproved {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde's skip_serializing_if hands over a reference"
    )]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl RetireWhen {
    fn default_after() -> Span {
        Span::days(7)
    }
}

impl Default for Retire {
    fn default() -> Self {
        Self::When(RetireWhen {
            after: RetireWhen::default_after(),
            backup: true,
            stop_transport: false,
            unproved: WhereUnproved::Keep,
        })
    }
}

impl Limits {
    fn default_canary() -> bool {
        true
    }

    fn default_removals() -> Share {
        Share::Percent(50)
    }

    fn default_servers_at_once() -> NonZeroU32 {
        NonZeroU32::MIN
    }

    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            servers_at_once: Self::default_servers_at_once(),
            canary: Self::default_canary(),
            removals: Self::default_removals(),
            capture_age: None,
        }
    }
}

impl Serialize for Retire {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Never => serializer.serialize_str(NEVER),
            Self::When(when) => when.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Retire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NeverOrWhen;

        impl<'de> Visitor<'de> for NeverOrWhen {
            type Value = Retire;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`never`, or a mapping with `after`, `backup`, `stopTransport` and `unproved`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Retire, E> {
                if text == NEVER {
                    Ok(Retire::Never)
                } else {
                    Err(E::invalid_value(serde::de::Unexpected::Str(text), &self))
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Retire, A::Error> {
                RetireWhen::deserialize(MapAccessDeserializer::new(map)).map(Retire::When)
            }
        }

        deserializer.deserialize_any(NeverOrWhen)
    }
}

#[cfg(feature = "schemas")]
impl JsonSchema for Retire {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Retire".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let when = generator.subschema_for::<RetireWhen>();
        schemars::json_schema!({
            "description": "What becomes of the certificate that was replaced.",
            "anyOf": [{ "const": NEVER, "description": "It stays in the store." }, when],
        })
    }
}

impl fmt::Display for RenewBefore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Span(span) => write!(f, "{span}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl std::str::FromStr for RenewBefore {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(digits) = text.strip_suffix('%') else {
            return text
                .parse()
                .map(Self::Span)
                .map_err(|error| format!("{error}, or a part of the lifetime: 33%"));
        };
        let part =
            digits.parse().ok().filter(|percent| (1..=99).contains(percent) && !digits.starts_with('+'));
        part.map(Self::Percent)
            .ok_or_else(|| format!("`{text}` is not a part of a lifetime; write 1% to 99%"))
    }
}

text_type!(
    RenewBefore,
    "How long before its end a certificate is renewed: 30d, or a part of the issued lifetime and at most 90 days, 33%.",
    Some("^([0-9]+[smhdw]|[1-9][0-9]?%)$")
);

const NEVER: &str = "never";

const fn yes() -> bool {
    true
}
