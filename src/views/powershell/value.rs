//! Values of parameters, written in PowerShell.

use super::text::{list, quoted, reference};
use crate::{
    exchange::cmdlet::{Content, Value},
    model::service,
};

/// A value as it stands after its parameter; none for a switch. The lines before the call have set the variables.
pub(super) fn written(value: &Value) -> Option<String> {
    Some(match value {
        Value::Switch => return None,
        Value::Boolean(value) => format!("${value}"),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => quoted(text),
        Value::Word(word) => (*word).into(),
        Value::Texts(texts) => list(texts),
        Value::Null => "$null".into(),
        Value::Moment(at) => format!("([datetime]{})", quoted(&at.to_string())),
        Value::Now => "(Get-Date)".into(),
        Value::Services(services) if services.is_empty() => "None".into(),
        Value::Services(services) => service::list(services).replace(' ', ""),
        Value::UmStartupMode(mode) => mode.to_string(),
        Value::Thumbprint(certificate) => reference(*certificate),
        Value::TlsCertificateName(_) => "$name".into(),
        Value::Bytes(Content::Exported) => "$exported.FileData".into(),
        Value::Bytes(Content::Issued(_) | Content::Backup) => "$pfx.Bytes".into(),
        Value::Bytes(Content::File(_)) => "([IO.File]::ReadAllBytes($file))".into(),
        Value::Path(Content::File(_)) => "$file".into(),
        Value::Path(Content::Issued(_) | Content::Backup | Content::Exported) => "$pfx.Path".into(),
        Value::Password(Content::Issued(_) | Content::Backup) => "$pfx.Password".into(),
        Value::Password(Content::File(_) | Content::Exported) => "(Get-Password)".into(),
        Value::OverrideParameters(_) => "$parameters".into(),
    })
}
