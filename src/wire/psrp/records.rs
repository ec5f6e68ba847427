//! What streams and states carry (MS-PSRP sections 2.2.2 and 2.2.3): errors, warnings, how far a pool or pipeline is.

use super::{error::PsrpError, message_kind::MessageKind};
use crate::wire::clixml::{self, Document, Value};

/// An error: a record of the error stream, or why a pipeline failed. Messages are in the server's language; the rest is
/// not, and is what to decide by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorRecord {
    /// What happened, for people.
    pub message: String,
    /// `FullyQualifiedErrorId`, like `CommandNotFoundException` or `NamedParameterNotFound,Microsoft.Exchange…`.
    pub fully_qualified_error_id: String,
    /// `CategoryInfo.Category`.
    pub category: ErrorCategory,
    /// `CategoryInfo.Reason`, as a rule the name of the exception's type.
    pub reason: String,
    /// What the error is about, as the server writes it.
    pub target: Option<String>,
    /// The exception and those inside it, outermost first.
    pub exceptions: Vec<ExceptionFacts>,
}

/// What is known of an exception.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExceptionFacts {
    /// Its type and those that it derives from, nearest first, without `Deserialized.`
    pub types: Vec<String>,
    /// Its message.
    pub message: String,
}

/// `System.Management.Automation.ErrorCategory`, by its number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrorCategory(i32);

/// What PowerShell itself refused, before the cmdlet did anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The session does not have the cmdlet: no such cmdlet, or no role that grants it.
    CmdletUnavailable,
    /// The cmdlet does not have the parameter: no such parameter in this version, or no role that grants it.
    ParameterUnavailable,
    /// An argument does not fit its parameter, or a mandatory parameter is missing.
    BadArgument,
    /// The cmdlet wanted to ask, and there is nobody to be asked.
    ConfirmationRequired,
    /// The session takes no script text.
    ScriptRefused,
}

impl ErrorRecord {
    /// What PowerShell refused before the cmdlet began, if this error is of that kind. Told by identifiers only.
    pub fn refusal(&self) -> Option<Refusal> {
        let id = self.fully_qualified_error_id.split(',').next().unwrap_or_default();
        match id {
            "CommandNotFoundException" => Some(Refusal::CmdletUnavailable),
            "NamedParameterNotFound" => Some(Refusal::ParameterUnavailable),
            "HostFunctionNotImplemented" => Some(Refusal::ConfirmationRequired),
            "ScriptsNotAllowed" => Some(Refusal::ScriptRefused),
            "CannotConvertArgument"
            | "CannotConvertArgumentNoMessage"
            | "MissingMandatoryParameter"
            | "MissingArgument"
            | "AmbiguousParameterSet"
            | "ParameterArgumentTransformationError"
            | "ParameterArgumentValidationError" => Some(Refusal::BadArgument),
            _ => None,
        }
    }

    /// The record of a value: an `ErrorRecord`, or what stands in its place.
    pub(super) fn of(document: &Document, record: &Value) -> Self {
        let text = |name: &str| {
            document.get(record, name).and_then(|value| document.text(value)).unwrap_or_default()
        };
        let exception = document.get(record, "Exception");
        let exceptions = exception.map(|exception| chain(document, exception)).unwrap_or_default();
        let message = exceptions.first().map(|exception| exception.message.clone());
        let message = message.filter(|message| !message.is_empty());
        let category =
            document.get(record, "ErrorCategory_Category").and_then(|value| document.integer(value));
        let target = document.get(record, "TargetObject").filter(|target| !document.is_null(target));
        let target_name = text("ErrorCategory_TargetName");
        Self {
            message: message.or_else(|| document.text(record).map(str::to_owned)).unwrap_or_default(),
            fully_qualified_error_id: text("FullyQualifiedErrorId").to_owned(),
            category: ErrorCategory(category.and_then(|number| i32::try_from(number).ok()).unwrap_or(0)),
            reason: text("ErrorCategory_Reason").to_owned(),
            target: target
                .and_then(|target| document.text(target))
                .or(Some(target_name).filter(|name| !name.is_empty()))
                .map(str::to_owned),
            exceptions,
        }
    }
}

/// An exception and those inside it.
fn chain(document: &Document, exception: &Value) -> Vec<ExceptionFacts> {
    let inner = |exception: &&Value| {
        document.get(exception, "InnerException").filter(|inner| !document.is_null(inner))
    };
    // A reference may lead back, so the chain is cut.
    std::iter::successors(Some(exception), inner)
        .take(DEEPEST)
        .map(|exception| ExceptionFacts {
            types: document
                .type_names(exception)
                .iter()
                .map(|name| name.strip_prefix("Deserialized.").unwrap_or(name).to_owned())
                .collect(),
            message: document
                .get(exception, "Message")
                .and_then(|message| document.text(message))
                .unwrap_or_default()
                .to_owned(),
        })
        .collect()
}

impl ErrorCategory {
    /// The name in PowerShell's enum.
    pub fn name(self) -> &'static str {
        usize::try_from(self.0).ok().and_then(|number| CATEGORIES.get(number)).copied().unwrap_or("Unknown")
    }
}

/// How far a runspace pool is (`RunspacePoolState`, section 2.2.3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolState {
    /// Nothing was sent.
    BeforeOpen,
    /// Asked for, and not there yet.
    Opening,
    /// Takes pipelines.
    Opened,
    /// Ended as asked.
    Closed,
    /// On its way to the end.
    Closing,
    /// Ended by an error.
    Broken,
}

/// How far a pipeline is (`PSInvocationState`, section 2.2.3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PipelineState {
    /// Not begun.
    NotStarted,
    /// At work.
    Running,
    /// Told to stop, and not there yet.
    Stopping,
    /// Stopped before its end.
    Stopped,
    /// At its end; what it could not do is in the error stream.
    Completed,
    /// Ended by an error.
    Failed,
}

impl PipelineState {
    /// Whether nothing more comes.
    pub fn is_final(self) -> bool {
        match self {
            Self::Stopped | Self::Completed | Self::Failed => true,
            Self::NotStarted | Self::Running | Self::Stopping => false,
        }
    }

    /// The state that PIPELINE_STATE says, and the error that led to it.
    pub(super) fn read(data: &[u8]) -> Result<(Self, Option<ErrorRecord>), PsrpError> {
        let kind = MessageKind::PipelineState;
        let document = read_one(kind, data)?;
        let root = &document.roots()[0];
        let state = match integer::<i32>(&document, root, kind, "PipelineState")? {
            0 => Self::NotStarted,
            1 => Self::Running,
            2 => Self::Stopping,
            3 => Self::Stopped,
            4 => Self::Completed,
            5 => Self::Failed,
            _ => return Err(PsrpError::Missing { kind, property: "PipelineState" }),
        };
        Ok((state, reason(&document, root)))
    }
}

impl PoolState {
    /// The state that RUNSPACEPOOL_STATE says, and the error that led to it.
    pub(super) fn read(data: &[u8]) -> Result<(Self, Option<ErrorRecord>), PsrpError> {
        let kind = MessageKind::RunspacePoolState;
        let document = read_one(kind, data)?;
        let root = &document.roots()[0];
        let state = match integer::<i32>(&document, root, kind, "RunspaceState")? {
            0 => Self::BeforeOpen,
            // Negotiations are part of opening.
            1 | 6 | 7 => Self::Opening,
            2 => Self::Opened,
            3 => Self::Closed,
            4 => Self::Closing,
            5 => Self::Broken,
            _ => return Err(PsrpError::Missing { kind, property: "RunspaceState" }),
        };
        Ok((state, reason(&document, root)))
    }
}

fn reason(document: &Document, root: &Value) -> Option<ErrorRecord> {
    let record = document.get(root, "ExceptionAsErrorRecord").filter(|record| !document.is_null(record))?;
    Some(ErrorRecord::of(document, record))
}

/// The text of a warning, or of a verbose or debug record.
pub(super) fn informational(kind: MessageKind, data: &[u8]) -> Result<String, PsrpError> {
    let document = read_one(kind, data)?;
    let root = &document.roots()[0];
    let message = document.get(root, "InformationalRecord_Message").and_then(|text| document.text(text));
    Ok(message.or_else(|| document.text(root)).unwrap_or_default().to_owned())
}

/// The text of an information record.
pub(super) fn information(data: &[u8]) -> Result<String, PsrpError> {
    let kind = MessageKind::InformationRecord;
    let document = read_one(kind, data)?;
    let message = required(&document, &document.roots()[0], kind, "MessageData")?;
    Ok(document.text(message).unwrap_or_default().to_owned())
}

/// The document of a message, which holds one value. A message without data is `$null`.
pub(super) fn read_one(kind: MessageKind, data: &[u8]) -> Result<Document, PsrpError> {
    let data = if data.is_empty() { b"<Nil />" } else { data };
    let document = clixml::read(data).map_err(|source| PsrpError::Clixml { kind, source })?;
    if document.roots().len() == 1 {
        Ok(document)
    } else {
        Err(PsrpError::Missing { kind, property: "value" })
    }
}

/// A property that has to be there.
pub(super) fn required<'a>(
    document: &'a Document,
    value: &Value,
    kind: MessageKind,
    property: &'static str,
) -> Result<&'a Value, PsrpError> {
    document.get(value, property).ok_or(PsrpError::Missing { kind, property })
}

/// A number that has to be there.
pub(super) fn integer<T: TryFrom<i128>>(
    document: &Document,
    value: &Value,
    kind: MessageKind,
    property: &'static str,
) -> Result<T, PsrpError> {
    let number = document.integer(required(document, value, kind, property)?);
    number.and_then(|number| T::try_from(number).ok()).ok_or(PsrpError::Missing { kind, property })
}

/// Exceptions inside exceptions that are looked at.
const DEEPEST: usize = 8;

/// In the order of their numbers.
const CATEGORIES: &[&str] = &[
    "NotSpecified",
    "OpenError",
    "CloseError",
    "DeviceError",
    "DeadlockDetected",
    "InvalidArgument",
    "InvalidData",
    "InvalidOperation",
    "InvalidResult",
    "InvalidType",
    "MetadataError",
    "NotImplemented",
    "NotInstalled",
    "ObjectNotFound",
    "OperationStopped",
    "OperationTimeout",
    "SyntaxError",
    "ParserError",
    "PermissionDenied",
    "ResourceBusy",
    "ResourceExists",
    "ResourceUnavailable",
    "ReadError",
    "WriteError",
    "FromStdErr",
    "SecurityError",
    "ProtocolError",
    "ConnectionError",
    "AuthenticationError",
    "LimitsExceeded",
    "QuotaExceeded",
    "NotEnabled",
];
