//! Answers: what is read out of SOAP envelopes.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{
    error::{Fault, WsmanError},
    xml::{self, Element},
};
use crate::wire::{psrp::Guid, readable, shown};

/// What a shell or a command put out.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// The streams, in their order: of a command, or of the shell, and the bytes.
    pub streams: Vec<(Option<String>, Vec<u8>)>,
    /// Whether the command has ended, and nothing more can come.
    pub done: bool,
}

/// The number of the shell, from the answer to its creation.
pub fn created(bytes: &[u8], message: Guid) -> Result<String, WsmanError> {
    let body = body(bytes, message)?;
    let selector = body.all("Selector").find(|selector| selector.attribute("Name") == Some("ShellId"));
    let id = selector.or_else(|| body.all("ShellId").next()).map(|element| element.text.trim());
    identifier(id, "ShellId")
}

/// The number of the command, from the answer to its creation.
pub fn command_created(bytes: &[u8], message: Guid) -> Result<String, WsmanError> {
    let body = body(bytes, message)?;
    identifier(body.all("CommandId").next().map(|element| element.text.trim()), "CommandId")
}

/// The output.
pub fn received(bytes: &[u8], message: Guid) -> Result<Received, WsmanError> {
    let body = body(bytes, message)?;
    let mut received = Received::default();
    for stream in body.all("Stream") {
        let text: String = stream.text.chars().filter(|char| !char.is_ascii_whitespace()).collect();
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| WsmanError::Missing("base64 in a Stream"))?;
        received.streams.push((stream.attribute("CommandId").map(str::to_owned), bytes));
    }
    let state = body.all("CommandState").find_map(|state| state.attribute("State"));
    received.done = state.is_some_and(|state| state.ends_with("/CommandState/Done"));
    Ok(received)
}

/// An answer that only says that it was done.
pub fn done(bytes: &[u8], message: Guid) -> Result<(), WsmanError> {
    body(bytes, message).map(drop)
}

/// The fault in an answer to whatever message, if it is one.
pub fn fault(bytes: &[u8]) -> Option<Fault> {
    let envelope = xml::read(bytes).ok()?;
    Some(read_fault(envelope.all("Fault").next()?))
}

/// The body of the answer to a message; a fault is an error.
fn body(bytes: &[u8], message: Guid) -> Result<Element, WsmanError> {
    let mut envelope = xml::read(bytes)?;
    if envelope.name != "Envelope" {
        return Err(WsmanError::NotSoap(format!("it begins with <{}>", shown(&envelope.name))));
    }
    let related = envelope.all("RelatesTo").next().map(|element| element.text.trim());
    if !related.is_some_and(|related| related.eq_ignore_ascii_case(&format!("uuid:{message}"))) {
        return Err(WsmanError::WrongMessage);
    }
    let at = envelope.children.iter().position(|child| child.name == "Body");
    let body = envelope.children.swap_remove(at.ok_or(WsmanError::Missing("Body"))?);
    match body.children.iter().find(|child| child.name == "Fault") {
        Some(fault) => Err(WsmanError::Fault(read_fault(fault))),
        None => Ok(body),
    }
}

fn read_fault(fault: &Element) -> Fault {
    let windows = fault.all("WSManFault").next();
    let code = windows.and_then(|fault| fault.attribute("Code")).and_then(|code| code.parse().ok());
    // `s:Value`, and in it another code with the subcode's.
    let subcode = fault.all("Subcode").flat_map(|subcode| subcode.all("Value")).next();
    let subcode = subcode.map_or("", |value| value.text.trim());
    let subcode = subcode.rsplit(':').next().unwrap_or_default();
    let message = windows.and_then(|fault| fault.all("Message").next()).map(Element::whole_text);
    let message = message.filter(|message| !message.is_empty());
    let reason = || fault.all("Text").next().map(Element::whole_text).unwrap_or_default();
    let message = readable(&message.unwrap_or_else(reason));
    Fault { code, subcode: shown(subcode), message }
}

/// Numbers that come from the server go back to it, so they have to be what numbers are.
fn identifier(text: Option<&str>, name: &'static str) -> Result<String, WsmanError> {
    let good = |text: &&str| {
        (1..=LONGEST_IDENTIFIER).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-{}:_".contains(&byte))
    };
    text.filter(good).map(str::to_owned).ok_or(WsmanError::Missing(name))
}

const LONGEST_IDENTIFIER: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::wsman::FaultKind;

    fn envelope(related: &str, body: &str) -> Vec<u8> {
        format!(
            "<s:Envelope xmlns:s=\"x\"><s:Header><a:RelatesTo>{related}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
        )
        .into_bytes()
    }

    const OURS: &str = "uuid:00000000-0000-0000-0000-000000000000";

    #[test]
    fn answers_are_read() {
        let body = "<x:ResourceCreated><a:ReferenceParameters><w:SelectorSet><w:Selector Name=\"ShellId\">AB-12</w:Selector>\
                    </w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>";
        assert_eq!(created(&envelope(OURS, body), Guid::NIL).unwrap(), "AB-12");
        let body = "<rsp:ReceiveResponse><rsp:Stream Name=\"stdout\" CommandId=\"C1\">AAE=</rsp:Stream>\
                    <rsp:Stream Name=\"stdout\">\r\n Ag==\r\n</rsp:Stream>\
                    <rsp:CommandState CommandId=\"C1\" State=\"http://x/CommandState/Done\"/></rsp:ReceiveResponse>";
        let streams = vec![(Some("C1".to_owned()), vec![0, 1]), (None, vec![2])];
        assert_eq!(received(&envelope(OURS, body), Guid::NIL).unwrap(), Received { streams, done: true });
    }

    #[test]
    fn faults_are_told_by_their_numbers() {
        let fault = |code: &str, subcode: &str| {
            let body = format!(
                "<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>w:{subcode}</s:Value></s:Subcode></s:Code>\
                 <s:Reason><s:Text>Nein.</s:Text></s:Reason><s:Detail><f:WSManFault Code=\"{code}\"><f:Message>Das geht \
                 <f:ProviderFault>nicht.</f:ProviderFault></f:Message></f:WSManFault></s:Detail></s:Fault>"
            );
            match done(&envelope(OURS, &body), Guid::NIL).unwrap_err() {
                WsmanError::Fault(fault) => fault,
                other => panic!("{other}"),
            }
        };
        for (code, subcode, kind) in [
            ("2150858793", "TimedOut", FaultKind::NothingYet),
            ("2150859173", "QuotaLimit", FaultKind::TooMany),
            ("2150858811", "DestinationUnreachable", FaultKind::NoSuchEndpoint),
            ("2150858843", "InvalidSelectors", FaultKind::ShellGone),
            ("5", "AccessDenied", FaultKind::AccessDenied),
            ("1234", "InternalError", FaultKind::Other),
            ("?", "QuotaLimit", FaultKind::TooMany),
        ] {
            assert_eq!(fault(code, subcode).kind(), kind, "{code} {subcode}");
        }
        assert_eq!(
            fault("5", "AccessDenied").to_string(),
            "Das geht nicht. (WS-Management fault 5, AccessDenied)"
        );
    }

    #[test]
    fn answers_to_others_and_nonsense_are_refused() {
        let other = envelope("uuid:11111111-0000-0000-0000-000000000000", "");
        assert!(matches!(done(&other, Guid::NIL), Err(WsmanError::WrongMessage)));
        assert!(matches!(done(b"<html></html>", Guid::NIL), Err(WsmanError::NotSoap(_))));
        for text in ["", "no XML", "<a>", "<!DOCTYPE x [<!ENTITY y \"z\">]><x>&y;</x>"] {
            assert!(done(text.as_bytes(), Guid::NIL).is_err(), "{text}");
        }
        let strange = envelope(OURS, "<rsp:ShellId>a b</rsp:ShellId>");
        assert!(matches!(created(&strange, Guid::NIL), Err(WsmanError::Missing("ShellId"))));
    }
}
