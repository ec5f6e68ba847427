//! What actions name: certificates that exist or that a step makes, connectors, sources, conditions, requests.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{
    certificate::{Certificate, CertificateFacts, Der},
    dn::{DistinguishedName, TlsCertificateName},
    endpoint::Endpoint,
    key::{KeySpec, PublicKey, Signature},
    names::{BalancerName, ConnectorName, DnsName, FriendlyName, ServerName},
    schema::JsonSchema,
    service::Restartable,
    thumbprint::Thumbprint,
    time::{Span, Timestamp},
};

/// Something outside of certwright that a plan waits for. Each can be checked by a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Condition {
    /// The CA's answer to a request lies beside it.
    Answer {
        /// The file, without the ending.
        file: String,
        /// The server that holds the request.
        server: ServerName,
        /// The request, by its stand-in certificate.
        request: CertRef,
        /// SHA-256 of the request's public key, when the request is there already: an answer with another key belongs to
        /// another request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        public_key: Option<String>,
        /// Addresses that the answer has to have and that no request of a server asks for: the CA adds them.
        // facts 1.9
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        added: Vec<DnsName>,
    },
    /// Connectors are as the Hybrid Configuration Wizard leaves them.
    HybridApplied {},
    /// An Edge server and the servers of its site know each other's certificates.
    EdgeSubscribed {
        /// The Edge server.
        edge: ServerName,
        /// When the subscription was made that does not do any more, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Timestamp>,
    },
    /// The manifest says that somebody is ready to subscribe an Edge server anew. Nothing on the servers tells it.
    // facts 10.4
    EdgeAwaited {
        /// The Edge server.
        edge: ServerName,
    },
    /// The manifest says that Microsoft 365 knows this Auth certificate. Nothing on the servers tells it.
    AuthTold {
        /// The certificate.
        certificate: CertRef,
        /// When Exchange publishes it, whether Microsoft 365 knows it by then or not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Timestamp>,
    },
    /// The manifest says that Exchange Online knows a certificate with this subject. Nothing on the servers tells it.
    // facts 9.1
    OnlineTold {
        /// The subject.
        subject: DistinguishedName,
    },
    /// Services of a server were restarted: these endpoints serve what they should.
    // facts 3.7
    Served {
        /// The server.
        server: ServerName,
        /// What is to be seen there.
        expect: Vec<Expectation>,
    },
    /// A moment has come.
    Moment {
        /// Which.
        at: Timestamp,
    },
}

/// What is reached when a gate opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Milestone {
    /// Everything that serves the certificate was seen serving it, and what people had to do for it was done.
    Verified,
    /// Every server has the certificate.
    Deployed,
    /// Every copy of its predecessor is backed up.
    BackedUp,
    /// No send connector names its predecessor.
    Detached,
    /// Its predecessor is gone from every server.
    Removed,
    /// Everything that rests on what is to be taken back is taken back.
    TakenBack,
}

/// A certificate, possibly one that a step of the same plan makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CertRef {
    /// It exists.
    Known(Thumbprint),
    /// The certificate that this step makes.
    FromStep(StepId),
}

/// The certificate of a backup: its thumbprint alone, as plans have it since 0.1, or the step that makes it.
pub(super) mod backed_up {
    use crate::model::schema::JsonSchema;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{CertRef, StepId};
    use crate::model::thumbprint::Thumbprint;

    /// How it is written.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(untagged)]
    pub(in crate::model::action) enum Written {
        Known(Thumbprint),
        #[serde(rename_all = "camelCase")]
        New {
            from_step: StepId,
        },
    }

    pub(in crate::model::action) fn serialize<S: Serializer>(of: &CertRef, to: S) -> Result<S::Ok, S::Error> {
        match *of {
            CertRef::Known(thumbprint) => Written::Known(thumbprint),
            CertRef::FromStep(from_step) => Written::New { from_step },
        }
        .serialize(to)
    }

    pub(in crate::model::action) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<CertRef, D::Error> {
        Ok(match Written::deserialize(from)? {
            Written::Known(thumbprint) => CertRef::Known(thumbprint),
            Written::New { from_step } => CertRef::FromStep(from_step),
        })
    }
}

/// A step's number, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct StepId(pub u32);

/// What a connector's `TlsCertificateName` becomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TlsName {
    /// This text.
    Exactly(TlsCertificateName),
    /// The name of this certificate.
    Of(CertRef),
}

/// A connector of the organization or of a server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ConnectorRef {
    /// A send connector.
    Send {
        /// Its name.
        name: ConnectorName,
    },
    /// `Set-HybridConfiguration`: what the Hybrid Configuration Wizard works by. Setting it alone changes no mail flow.
    Hybrid {},
    /// A receive connector.
    Receive {
        /// Its server.
        server: ServerName,
        /// Its name.
        name: ConnectorName,
    },
}

/// Where the certificate and key of an import come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum BundleSource {
    /// The step that issued it.
    Issued(StepId),
    /// The server that has it already, whose key can be exported.
    Server(ServerName),
    /// The backup that a step of an earlier run made.
    Backup {
        /// The run; absent for the run that does this step.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<String>,
        /// Its step.
        step: StepId,
        /// The certificate, so that the plan can be checked without the file.
        der: Der,
    },
}

/// Exchange asks whether SMTP's new certificate becomes the default SMTP certificate, which is also the internal
/// transport certificate (Microsoft Learn, Enable-ExchangeCertificate). This is the answer.
// facts 3.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DefaultSmtp {
    /// No: the present one stays.
    Keep,
    /// Yes: the new one takes its place.
    Replace,
}

/// Windows services that are stopped and started together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceGroup {
    /// What they are.
    #[serde(alias = "what")]
    pub service: Restartable,
    /// The services, in their order.
    pub services: Vec<String>,
}

/// What a server is taken out of before something of it restarts. The same step puts it back, whatever becomes of the restart.
// facts 3.11
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Drain {
    /// The full name of the server that takes over the messages in its queues: transport takes no new ones until they are
    /// empty, or a while has passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_to: Option<DnsName>,
    /// Load balancers that send it no new clients until it has restarted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub balancers: Vec<BalancerName>,
    /// A run that was cut off may have left the server out already: what is found drained is certwright's own, and comes back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_out: bool,
}

/// Windows services of a server that are stopped and started together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServerServices {
    /// The server.
    pub server: ServerName,
    /// The services.
    pub groups: Vec<ServiceGroup>,
}

/// A send connector and the name by which it finds its certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamedConnector {
    /// The send connector.
    pub connector: ConnectorName,
    /// Its `TlsCertificateName`.
    pub name: TlsCertificateName,
}

/// A certificate in a server's store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredOn {
    /// The server.
    pub server: ServerName,
    /// The certificate.
    pub certificate: CertRef,
}

/// What a new certificate should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CertificateRequest {
    /// The subject.
    pub subject: DistinguishedName,
    /// The DNS names of its subject alternative name.
    pub names: Vec<DnsName>,
    /// The key.
    pub key: KeySpec,
    /// Whether the key may leave the server.
    pub exportable: bool,
    /// What Windows shows beside it.
    pub friendly_name: FriendlyName,
    /// How long it lives, when the requester decides that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<Span>,
}

/// An endpoint and the certificate it should serve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expectation {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The name that a client asks for (SNI) and finds in the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<DnsName>,
    /// The certificate.
    pub certificate: CertRef,
}

impl CertRef {
    /// The reference that a thumbprint in a foreseen organization stands for.
    pub fn of(thumbprint: Thumbprint) -> Self {
        thumbprint.placeholder_step().map_or(Self::Known(thumbprint), |step| Self::FromStep(StepId(step)))
    }
}

impl CertificateRequest {
    /// The certificate this would become, as far as it can be foreseen: what plans are checked against before anything
    /// is done.
    pub fn foreseen(
        &self,
        step: StepId,
        issuer: &DistinguishedName,
        now: Timestamp,
        lifetime: Span,
    ) -> Certificate {
        let key = match self.key {
            KeySpec::Rsa(bits) => PublicKey::Rsa(bits.into()),
            KeySpec::EcP256 => PublicKey::Ec(PublicKey::P256.into()),
        };
        CertificateFacts {
            thumbprint: Thumbprint::placeholder(step.0),
            subject: self.subject.clone(),
            issuer: issuer.clone(),
            serial: String::new(),
            names: self.names.clone(),
            only_in_subject: None,
            not_before: now,
            not_after: now.plus(lifetime),
            key,
            public_key: String::new(),
            signature: Signature::Strong("sha256RSA".into()),
            usages: Some(vec!["serverAuth".into()]),
            subject_key_id: None,
            is_ca: false,
            der: Der(Vec::new()),
        }
        .into()
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}", self.0)
    }
}

impl fmt::Display for CertRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(thumbprint) => f.write_str(&thumbprint.short()),
            Self::FromStep(step) => write!(f, "certificate of step {step}"),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer { file, added, .. } => {
                write!(f, "the CA's answer to {file}.csr as {file}.cer")?;
                let added: Vec<&str> = added.iter().map(DnsName::as_str).collect();
                if added.is_empty() {
                    return Ok(());
                }
                write!(f, ", with {} as iPAddress, which the request cannot ask for", added.join(", "))
            }
            Self::HybridApplied {} => {
                f.write_str("connectors as the Hybrid Configuration Wizard leaves them")
            }
            Self::EdgeSubscribed { edge, .. } => write!(f, "a new Edge subscription of {edge}"),
            Self::EdgeAwaited { edge } => write!(f, "`subscribeAnew: {{ {edge}: DAY }}`"),
            Self::AuthTold { certificate, .. } => {
                write!(f, "`authCertificate: {{ microsoft365: ... }}` with the thumbprint of {certificate}")
            }
            Self::OnlineTold { subject } => {
                write!(f, "`hybrid: {{ certificate: ..., microsoft365: \"{subject}\" }}`")
            }
            Self::Served { server, .. } => write!(f, "{server} serving the new certificate"),
            Self::Moment { at } => write!(f, "{at}"),
        }
    }
}

impl fmt::Display for Milestone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verified => "everything that serves it is verified",
            Self::Deployed => "every server has it",
            Self::BackedUp => "every copy is backed up",
            Self::Detached => "no send connector names the old certificate",
            Self::Removed => "the old certificate is gone from every server",
            Self::TakenBack => "everything that depends on it is rolled back",
        })
    }
}

impl fmt::Display for TlsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(name) => write!(f, "{name}"),
            Self::Of(certificate) => write!(f, "{certificate}"),
        }
    }
}

impl fmt::Display for ConnectorRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send { name } => write!(f, "{name}"),
            Self::Hybrid {} => f.write_str("the hybrid configuration"),
            Self::Receive { server, name } => write!(f, "{server}\\{name}"),
        }
    }
}
