//! What `certwright doctor` finds: for each server what works on the way to it, what does not, and what to do.

use serde::Serialize;

use super::{
    names::{DnsName, ServerName},
    schema::JsonSchema,
    time::Timestamp,
};

/// What was found of all servers. It holds names and versions, and no secret: it can be sent to others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// The format of this file.
    #[schemars(extend("const" = 1))]
    pub version: u32,
    /// When it was found.
    pub at: Timestamp,
    /// The version of certwright.
    pub certwright: String,
    /// The organization, as the manifest calls it.
    pub organization: String,
    /// By which driver.
    pub driver: String,
    /// Whether nothing is bad.
    pub healthy: bool,
    /// What was found of each server, by name.
    pub servers: Vec<ServerDiagnosis>,
}

/// What was found of one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerDiagnosis {
    /// The server.
    pub server: ServerName,
    /// Its full name.
    pub fqdn: DnsName,
    /// The way to it, in words.
    pub way: String,
    /// What was examined, in this order.
    pub examined: Vec<Examined>,
}

/// What one examination found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Examined {
    /// What was examined.
    pub examination: Examination,
    /// How it is.
    pub result: ExaminationResult,
    /// What was found.
    pub found: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<String>,
}

/// What is examined of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Examination {
    /// Whether somebody answers and takes the account.
    Reachability,
    /// The version and the language mode of the PowerShell that answers.
    #[serde(rename = "powershell")]
    PowerShell,
    /// Whether its clock is ours. Kerberos allows five minutes.
    Clock,
    /// Whether a session with Exchange can be opened.
    ExchangeSession,
    /// Whether it is the server that the manifest names.
    Identity,
    /// What Exchange it runs.
    ExchangeVersion,
    /// Whether questions of cmdlets can be answered with No.
    Prompts,
    /// Whether the account has each cmdlet, with each parameter.
    Roles,
    /// Whether the bindings of IIS can be read.
    Iis,
    /// Whether the computer's certificate store can be read.
    CertificateStore,
    /// Whether Windows services can be read.
    Services,
    /// Which domain controller it asks, and whether the others ask the same.
    DomainController,
    /// In which form certificates come.
    Certificates,
    /// What can be observed.
    Observation,
    /// Questions about Exchange that nobody has answered yet and this server can.
    OpenQuestions,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ExaminationResult {
    /// As it has to be.
    Good,
    /// It works, with something to know.
    Warning,
    /// It does not work, and something cannot be done without it.
    Bad,
    /// It could not be examined, or has no meaning here.
    NotExamined,
}

impl Diagnosis {
    /// The format of these files.
    pub const VERSION: u32 = 1;
}

impl Examination {
    /// Its name, as it stands in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reachability => "reachability",
            Self::PowerShell => "powershell",
            Self::Clock => "clock",
            Self::ExchangeSession => "exchange-session",
            Self::Identity => "identity",
            Self::ExchangeVersion => "exchange-version",
            Self::Prompts => "prompts",
            Self::Roles => "roles",
            Self::Iis => "iis",
            Self::CertificateStore => "certificate-store",
            Self::Services => "services",
            Self::DomainController => "domain-controller",
            Self::Certificates => "certificates",
            Self::Observation => "observation",
            Self::OpenQuestions => "open-questions",
        }
    }
}

impl Examined {
    /// Something that is as it has to be.
    pub fn good(examination: Examination, found: impl Into<String>) -> Self {
        Self::new(examination, ExaminationResult::Good, found)
    }

    /// Something that works, with something to know.
    pub fn warning(examination: Examination, found: impl Into<String>) -> Self {
        Self::new(examination, ExaminationResult::Warning, found)
    }

    /// Something that does not work.
    pub fn bad(examination: Examination, found: impl Into<String>) -> Self {
        Self::new(examination, ExaminationResult::Bad, found)
    }

    /// Something that could not be examined.
    pub fn not_examined(examination: Examination, why: impl Into<String>) -> Self {
        Self::new(examination, ExaminationResult::NotExamined, why)
    }

    /// The same with what to do.
    #[must_use]
    pub fn advised(mut self, advice: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.advice.extend(advice.into_iter().map(Into::into));
        self
    }

    fn new(examination: Examination, result: ExaminationResult, found: impl Into<String>) -> Self {
        Self { examination, result, found: found.into(), advice: Vec::new() }
    }
}
