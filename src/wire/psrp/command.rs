//! Cmdlets with their parameters, and how they are asked for (CREATE_PIPELINE, MS-PSRP section 2.2.2.10). There is no
//! way to send script text: a cmdlet has a name that is one, and every argument is data.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{error::PsrpError, host::Host, secure_string::SessionKey, writer::Writer};
use crate::model::{secret::Secret, time::Timestamp};

/// A cmdlet with its parameters; or several, where the output of each is the input of the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    calls: Vec<Call>,
}

/// One cmdlet of a command.
#[derive(Clone, Debug, PartialEq)]
struct Call {
    cmdlet: String,
    parameters: Vec<(String, Argument)>,
}

/// What a parameter is given.
#[derive(Clone, PartialEq)]
pub enum Argument {
    /// `$null`.
    Null,
    /// `$true` or `$false`; for a switch, whether it is given.
    Boolean(bool),
    /// An `Int32`.
    Integer(i32),
    /// A `DateTime` in UTC.
    Moment(Timestamp),
    /// A text. PowerShell makes enums, identities and the like of it, on the server.
    Text(String),
    /// An array of texts.
    Texts(Vec<String>),
    /// A `Byte[]`.
    Bytes(Vec<u8>),
    /// A `SecureString`, from UTF-8. It is encrypted with the session key.
    Secret(Secret),
}

/// A name that no cmdlet or parameter has.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not the name of a cmdlet or parameter", name.escape_debug())]
pub struct NotAName {
    name: String,
}

impl Command {
    /// A cmdlet without parameters. Its name is `Verb-Noun`, in ASCII.
    pub fn new(cmdlet: &str) -> Result<Self, NotAName> {
        let parts: Vec<&str> = cmdlet.split('-').collect();
        if let [verb, noun] = parts[..]
            && is_word(verb)
            && is_word(noun)
        {
            return Ok(Self { calls: vec![Call { cmdlet: cmdlet.to_owned(), parameters: Vec::new() }] });
        }
        Err(NotAName { name: cmdlet.to_owned() })
    }

    /// The same with one more parameter, of the last cmdlet.
    pub fn with(mut self, parameter: &str, argument: Argument) -> Result<Self, NotAName> {
        if !is_word(parameter) {
            return Err(NotAName { name: parameter.to_owned() });
        }
        let last = self.calls.last_mut().expect("a command has a cmdlet");
        last.parameters.push((parameter.to_owned(), argument));
        Ok(self)
    }

    /// The same, and its output is the input of `next`.
    #[must_use]
    pub fn piped_into(mut self, next: Self) -> Self {
        self.calls.extend(next.calls);
        self
    }

    /// The cmdlets in their order, each with its parameters.
    pub fn cmdlets(&self) -> impl Iterator<Item = (&str, &[(String, Argument)])> {
        self.calls.iter().map(|call| (call.cmdlet.as_str(), call.parameters.as_slice()))
    }

    /// The cmdlets, for messages: `Get-ExchangeCertificate | Select-Object`.
    pub fn shown(&self) -> String {
        self.calls.iter().map(|call| call.cmdlet.as_str()).collect::<Vec<_>>().join(" | ")
    }

    /// Whether an argument is a secret, which needs a session key.
    pub fn holds_secret(&self) -> bool {
        self.calls
            .iter()
            .flat_map(|call| &call.parameters)
            .any(|(_, argument)| matches!(argument, Argument::Secret(_)))
    }

    /// The data of CREATE_PIPELINE.
    pub(super) fn create_pipeline(&self, host: Host, key: Option<&SessionKey>) -> Result<Vec<u8>, PsrpError> {
        if self.holds_secret() && key.is_none() {
            return Err(PsrpError::NoSessionKey);
        }
        let mut xml = Writer::new();
        xml.object(None, |xml| {
            xml.types(OBJECT);
            xml.element("MS", |xml| {
                xml.boolean(Some("NoInput"), true);
                xml.enumeration("ApartmentState", 2, APARTMENT_STATE, "Unknown");
                xml.enumeration("RemoteStreamOptions", 0, REMOTE_STREAM_OPTIONS, "None");
                xml.boolean(Some("AddToHistory"), false);
                host.write(xml);
                xml.object(Some("PowerShell"), |xml| xml.element("MS", |xml| self.power_shell(xml, key)));
                xml.boolean(Some("IsNested"), false);
            });
        });
        Ok(xml.finish())
    }

    fn power_shell(&self, xml: &mut Writer, key: Option<&SessionKey>) {
        xml.object(Some("Cmds"), |xml| {
            xml.types(ARRAY_LIST);
            xml.element("LST", |xml| self.calls.iter().for_each(|call| call.write(xml, key)));
        });
        xml.boolean(Some("IsNested"), false);
        xml.nil("History");
        xml.boolean(Some("RedirectShellErrorOutputPipe"), true);
    }
}

impl Call {
    fn write(&self, xml: &mut Writer, key: Option<&SessionKey>) {
        xml.object(None, |xml| {
            xml.element("MS", |xml| {
                xml.text(Some("Cmd"), &self.cmdlet);
                xml.object(Some("Args"), |xml| {
                    xml.types(ARRAY_LIST);
                    xml.element("LST", |xml| {
                        for (name, argument) in &self.parameters {
                            xml.object(None, |xml| {
                                xml.element("MS", |xml| {
                                    xml.text(Some("N"), name);
                                    argument.write(xml, key);
                                });
                            });
                        }
                    });
                });
                xml.boolean(Some("IsScript"), false);
                xml.nil("UseLocalScope");
                let none = xml.enumeration("MergeMyResult", 0, PIPELINE_RESULT_TYPES, "None");
                for stream in MERGED {
                    xml.reference(none, stream);
                }
            });
            xml.shown_as(&self.cmdlet);
        });
    }
}

impl Argument {
    fn write(&self, xml: &mut Writer, key: Option<&SessionKey>) {
        let name = Some("V");
        match self {
            Self::Null => xml.nil("V"),
            Self::Boolean(truth) => xml.boolean(name, *truth),
            Self::Integer(number) => xml.integer(name, *number),
            Self::Moment(at) => xml.primitive("DT", name, &at.to_string()),
            Self::Text(text) => xml.text(name, text),
            Self::Texts(texts) => {
                xml.object(name, |xml| {
                    xml.types(ARRAY_LIST);
                    xml.element("LST", |xml| texts.iter().for_each(|text| xml.text(None, text)));
                });
            }
            Self::Bytes(bytes) => xml.primitive("BA", name, &BASE64_STANDARD.encode(bytes)),
            Self::Secret(secret) => {
                let key = key.expect("create_pipeline asked for the key");
                xml.primitive("SS", name, &key.secure_string(secret));
            }
        }
    }
}

/// Bytes may be a key, and are not shown.
impl fmt::Debug for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Boolean(truth) => f.debug_tuple("Boolean").field(truth).finish(),
            Self::Integer(number) => f.debug_tuple("Integer").field(number).finish(),
            Self::Moment(at) => f.debug_tuple("Moment").field(at).finish(),
            Self::Text(text) => f.debug_tuple("Text").field(text).finish(),
            Self::Texts(texts) => f.debug_tuple("Texts").field(texts).finish(),
            Self::Bytes(bytes) => write!(f, "Bytes([{} bytes])", bytes.len()),
            Self::Secret(secret) => f.debug_tuple("Secret").field(secret).finish(),
        }
    }
}

/// Names of cmdlets and parameters are looked up, and wildcards and paths would be too.
fn is_word(text: &str) -> bool {
    text.starts_with(|char: char| char.is_ascii_alphabetic())
        && text.len() <= LONGEST_NAME
        && text.chars().all(|char| char.is_ascii_alphanumeric())
}

const LONGEST_NAME: usize = 100;

const OBJECT: &[&str] = &["System.Object"];
const ARRAY_LIST: &[&str] = &["System.Collections.ArrayList", "System.Object"];
pub(super) const APARTMENT_STATE: &[&str] =
    &["System.Threading.ApartmentState", "System.Enum", "System.ValueType", "System.Object"];
const REMOTE_STREAM_OPTIONS: &[&str] =
    &["System.Management.Automation.RemoteStreamOptions", "System.Enum", "System.ValueType", "System.Object"];
const PIPELINE_RESULT_TYPES: &[&str] = &[
    "System.Management.Automation.Runspaces.PipelineResultTypes",
    "System.Enum",
    "System.ValueType",
    "System.Object",
];
/// The streams that could be merged into another one, and are not.
const MERGED: &[&str] = &[
    "MergeToResult",
    "MergePreviousResults",
    "MergeError",
    "MergeWarning",
    "MergeVerbose",
    "MergeDebug",
    "MergeInformation",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_names() {
        for cmdlet in ["Get-ExchangeCertificate", "get-command", "Select-Object"] {
            assert!(Command::new(cmdlet).is_ok(), "{cmdlet}");
        }
        for text in
            ["", "dir", "Get-", "-X", "$x=1; $x", "Get-X;Y", "Get-X Y", "A\\Get-X", "Gét-X", "Get-*", "a-b-c"]
        {
            assert!(Command::new(text).is_err(), "{text}");
        }
        let command = Command::new("Get-ExchangeCertificate").unwrap();
        assert!(command.clone().with("Server", Argument::Null).is_ok());
        for text in ["", "-Server", "Server ", "Server:x", "1"] {
            assert!(command.clone().with(text, Argument::Null).is_err(), "{text}");
        }
    }

    #[test]
    fn a_secret_is_never_written_without_a_key_and_never_shown() {
        let secret = Argument::Secret(Secret::new(b"hunter2".to_vec()));
        let command = Command::new("Import-ExchangeCertificate").unwrap().with("Password", secret).unwrap();
        assert!(matches!(command.create_pipeline(Host::None, None), Err(PsrpError::NoSessionKey)));
        let key = SessionKey::new([7; 32]);
        let written = String::from_utf8(command.create_pipeline(Host::None, Some(&key)).unwrap()).unwrap();
        assert!(written.contains("<SS N=\"V\">") && !written.contains("hunter2"), "{written}");
        assert!(!format!("{command:?} {key:?}").contains("hunter2"));
    }

    #[test]
    fn bytes_are_not_shown() {
        let pfx = Argument::Bytes(vec![0x30; 3]);
        let command = Command::new("Import-ExchangeCertificate").unwrap().with("FileData", pfx).unwrap();
        assert!(format!("{command:?}").contains("Bytes([3 bytes])"), "{command:?}");
    }

    #[test]
    fn cmdlets_are_joined_by_pipes() {
        let first = Command::new("Get-ExchangeCertificate").unwrap();
        let second = Command::new("Select-Object").unwrap();
        let second = second.with("Property", Argument::Texts(vec!["Services".into()])).unwrap();
        let both = first.piped_into(second);
        assert_eq!(both.shown(), "Get-ExchangeCertificate | Select-Object");
        let written = String::from_utf8(both.create_pipeline(Host::None, None).unwrap()).unwrap();
        assert_eq!(written.matches("N=\"Cmd\"").count(), 2);
        assert!(crate::wire::clixml::read(written.as_bytes()).is_ok(), "{written}");
    }
}
