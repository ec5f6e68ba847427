//! The host: what a server asks the person in front of PowerShell (MS-PSRP sections 2.2.2.27, 2.2.3.14 and 2.2.3.17).

use super::{
    error::PsrpError,
    message_kind::MessageKind,
    records::{integer, read_one, required},
    writer::Writer,
};
use crate::wire::{
    clixml::{Document, Value},
    readable,
};

/// Who answers for a runspace pool or a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// Nobody. A cmdlet that wants to ask fails with `HostFunctionNotImplemented` and has done nothing.
    None,
    /// Somebody who can be asked.
    Present,
    /// For a pipeline: whoever answers for its runspace pool.
    OfThePool,
}

impl Host {
    pub(super) fn write(self, xml: &mut Writer) {
        let is_null = self != Self::Present;
        xml.object(Some("HostInfo"), |xml| {
            xml.element("MS", |xml| {
                xml.boolean(Some("_isHostNull"), is_null);
                xml.boolean(Some("_isHostUINull"), is_null);
                // Nobody has a screen of characters.
                xml.boolean(Some("_isHostRawUINull"), true);
                xml.boolean(Some("_useRunspaceHost"), self == Self::OfThePool);
            });
        });
    }
}

/// A question, or something to show.
#[derive(Clone, Debug, PartialEq)]
pub struct HostCall {
    /// The number that an answer has to carry.
    pub(super) id: i64,
    pub(super) method: i32,
    pub(super) method_name: String,
    arguments: Document,
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To `PromptForChoice`: the choice of this index.
    Choice(i32),
    /// To `Prompt`: none of the values that were asked for. The cmdlet then says which it lacks.
    NoValues,
}

impl HostCall {
    pub(super) fn read(kind: MessageKind, data: &[u8]) -> Result<Self, PsrpError> {
        let document = read_one(kind, data)?;
        let root = &document.roots()[0];
        let id = integer(&document, root, kind, "ci")?;
        let method = required(&document, root, kind, "mi")?;
        let method_name = document.to_string_text(method).unwrap_or("?").to_owned();
        let method = integer(&document, root, kind, "mi")?;
        Ok(Self { id, method, method_name, arguments: document })
    }

    /// The method of `PSHost` or its user interface, as the server names it: `PromptForChoice`.
    pub fn method(&self) -> &str {
        &self.method_name
    }

    /// The number of the call.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The document that holds the arguments, and the arguments.
    pub fn arguments(&self) -> (&Document, &[Value]) {
        let root = &self.arguments.roots()[0];
        let list = self.arguments.get(root, "mp").and_then(|list| self.arguments.items(list));
        (&self.arguments, list.unwrap_or_default())
    }

    /// Whether the server waits for an answer. What it only wants shown has the number -100
    /// (`ServerDispatchTable.VoidCallId`), and an answer to that would be an error.
    pub fn wants_answer(&self) -> bool {
        self.id != VOID
    }

    /// Whether values for parameters are asked for.
    pub fn is_prompt(&self) -> bool {
        self.method == PROMPT
    }

    /// Which choice is *No* of those that are offered, if this is a question that has one.
    ///
    /// Labels are in the server's language, so the number of choices decides: of two, *Yes* and *No*, the second; of
    /// four or five, *Yes*, *Yes to All*, *No*, *No to All* and perhaps *Suspend*, the third. Of other numbers nothing
    /// is known.
    pub fn no(&self) -> Option<i32> {
        let (document, arguments) = self.arguments();
        let choices = arguments.get(CHOICES).and_then(|choices| document.items(choices))?;
        match (self.method, choices.len()) {
            (PROMPT_FOR_CHOICE, 2) => Some(1),
            (PROMPT_FOR_CHOICE, 4 | 5) => Some(2),
            _ => None,
        }
    }

    /// What is asked, for a message: caption and text.
    pub fn question(&self) -> String {
        let (document, arguments) = self.arguments();
        let texts = arguments.iter().take(2).filter_map(|argument| document.text(argument));
        readable(&texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": "))
    }

    /// The data of PIPELINE_HOST_RESPONSE.
    pub(super) fn response(&self, answer: Answer) -> Vec<u8> {
        let mut xml = Writer::new();
        xml.object(None, |xml| {
            xml.element("MS", |xml| {
                xml.primitive("I64", Some("ci"), &self.id.to_string());
                // The name comes from the server, and goes back as it was.
                xml.object(Some("mi"), |xml| {
                    xml.integer(None, self.method);
                    xml.types(METHOD);
                    xml.shown_as(&self.method_name);
                });
                match answer {
                    Answer::Choice(index) => xml.integer(Some("mr"), index),
                    Answer::NoValues => {
                        xml.object(Some("mr"), |xml| {
                            xml.types(HASHTABLE);
                            xml.element("DCT", |_| ());
                        });
                    }
                }
            });
        });
        xml.finish()
    }
}

const VOID: i64 = -100;
// `RemoteHostMethodId`, section 2.2.3.17.
const PROMPT: i32 = 23;
const PROMPT_FOR_CHOICE: i32 = 26;
/// Which argument of `PromptForChoice` holds the choices.
const CHOICES: usize = 2;

const METHOD: &[&str] = &[
    "System.Management.Automation.Remoting.RemoteHostMethodId",
    "System.Enum",
    "System.ValueType",
    "System.Object",
];
const HASHTABLE: &[&str] = &["System.Collections.Hashtable", "System.Object"];

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: i32, choices: usize) -> HostCall {
        let choices = "<Obj><MS><S N=\"label\">?</S></MS></Obj>".repeat(choices);
        let data = format!(
            "<Obj><MS><I64 N=\"ci\">1</I64><Obj N=\"mi\"><ToString>PromptForChoice</ToString><I32>{method}</I32></Obj>\
             <Obj N=\"mp\"><LST><S>Confirm</S><S>Sure?</S><Obj><LST>{choices}</LST></Obj><I32>0</I32></LST></Obj></MS></Obj>"
        );
        HostCall::read(MessageKind::PipelineHostCall, data.as_bytes()).unwrap()
    }

    #[test]
    fn no_is_found_by_the_number_of_choices() {
        let expected = [(0, None), (1, None), (2, Some(1)), (3, None), (4, Some(2)), (5, Some(2)), (6, None)];
        for (choices, no) in expected {
            assert_eq!(call(PROMPT_FOR_CHOICE, choices).no(), no, "{choices} choices");
        }
        assert_eq!(call(PROMPT, 4).no(), None, "only PromptForChoice has choices");
        assert_eq!(call(PROMPT_FOR_CHOICE, 4).question(), "Confirm: Sure?");
    }
}
