//! Values of parameters, written in PowerShell.

use super::text::{in_this_folder, list, quoted, reference};
use crate::{
    exchange::cmdlet::{Content, Value},
    model::service,
};

/// A value as it stands after its parameter; none for a switch.
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
        Value::TlsCertificateName(_) => "\"<I>$($x.Issuer)<S>$($x.Subject)\"".into(),
        Value::Bytes(Content::Exported) => "$exported.FileData".into(),
        Value::Bytes(content) => format!("([IO.File]::ReadAllBytes({}))", path(content)),
        Value::Path(content) => path(content),
        Value::Password(Content::Issued(step)) => format!("$password{step}"),
        Value::Password(Content::File(_) | Content::Exported | Content::Backup) => "$password".into(),
        Value::OverrideParameters(_) => "$parameters".into(),
    })
}

fn path(content: &Content) -> String {
    match content {
        Content::File(file) => in_this_folder(file),
        Content::Issued(step) => format!("$pfx{step}"),
        Content::Exported => "$exported".into(),
        Content::Backup => "$backup".into(),
    }
}
