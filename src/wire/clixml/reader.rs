//! From XML events to a document. The way down into the elements is a list of frames and not the stack of the program,
//! so that no file can exhaust it.

use std::borrow::Cow;

use quick_xml::events::{BytesStart, Event};

use super::{
    document::{Content, Document, ListKind, Object, ObjectId, Property, Value},
    element::{
        Attributes, CURRENT_OPERATION, Element, Names, PROGRESS_RECORD, PROGRESS_TYPE, Part, ProgressPart,
        ValueKind,
    },
    error::{ClixmlError, Inside, Problem},
    escape, input,
    primitive::Primitive,
    references::References,
};
use crate::wire::shown;

/// Reads a document.
pub(super) fn read(text: &str) -> Result<Document, ClixmlError> {
    let mut xml = quick_xml::Reader::from_str(text);
    xml.config_mut().expand_empty_elements = true;
    let mut reader = Reader::default();
    loop {
        let before = xml.buffer_position();
        let step = match xml.read_event() {
            Ok(Event::Eof) => break,
            Ok(event) => reader.take(event).map_err(|problem| (before, problem)),
            Err(error) => Err((xml.error_position(), Problem::malformed(&error))),
        };
        if let Err((offset, problem)) = step {
            return Err(input::at(text, usize::try_from(offset).unwrap_or(usize::MAX), problem));
        }
    }
    match reader.frames.last() {
        Some(open) => Err(input::at(text, text.len(), Problem::Truncated(open.element))),
        None if reader.began => Ok(reader.document),
        None => Err(ClixmlError::Empty),
    }
}

#[derive(Default)]
struct Reader<'a> {
    document: Document,
    /// The elements that are open, outermost first.
    frames: Vec<Open<'a>>,
    /// Whether the one element at the top has been seen.
    began: bool,
    // Each kind of reference has a room of its own, and PowerShell compares them as text.
    objects: References<ObjectId>,
    type_lists: References<usize>,
    names: Names,
    values: usize,
}

/// An element that is open.
struct Open<'a> {
    element: &'static str,
    frame: Frame<'a>,
}

/// What is known so far of an element that is open.
enum Frame<'a> {
    Objs,
    Object(ObjectId),
    Progress(ObjectId),
    TypeNames {
        object: ObjectId,
        reference: Option<String>,
        names: Vec<String>,
    },
    Adapted(ObjectId),
    Extended(ObjectId),
    List {
        object: ObjectId,
        kind: ListKind,
        items: Vec<Value>,
    },
    Dictionary {
        object: ObjectId,
        entries: Vec<(Value, Value)>,
    },
    Entry {
        key: Option<Value>,
        value: Option<Value>,
    },
    /// With text and without elements.
    Leaf {
        leaf: Leaf,
        attributes: Attributes,
        text: Cow<'a, str>,
    },
    /// With neither: `Nil`, `Ref`, `TNRef`.
    Void,
}

/// What the text of an element becomes.
#[derive(Clone, Copy)]
enum Leaf {
    TypeName,
    ToString(ObjectId),
    Primitive(&'static Primitive),
    ProgressPart(ObjectId, &'static ProgressPart),
}

impl<'a> Reader<'a> {
    fn take(&mut self, event: Event<'a>) -> Result<(), Problem> {
        match event {
            Event::Start(tag) | Event::Empty(tag) => self.open(&tag),
            Event::End(_) => self.close(),
            Event::Text(text) => self.text(text.xml10_content()),
            Event::CData(text) => self.text(text.xml10_content()),
            Event::GeneralRef(reference) => self.text(input::resolved(&reference)?.to_string().into()),
            Event::Decl(declaration) => input::encoding_is_ours(&declaration),
            Event::DocType(_) => Err(Problem::DocumentType),
            // PowerShell ignores them too (XmlReaderSettings.IgnoreComments, IgnoreProcessingInstructions).
            Event::Comment(_) | Event::PI(_) | Event::Eof => Ok(()),
        }
    }

    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), Problem> {
        if self.frames.len() >= DEEPEST {
            return Err(Problem::TooDeep(DEEPEST));
        }
        let (name, element) = Element::of(tag)?;
        let attributes = Attributes::of(tag, &mut self.names)?;
        let inside = match self.frames.last() {
            Some(open) => Inside::Element(open.element),
            None if self.began => Inside::AfterTheEnd,
            None => Inside::Nothing,
        };
        let leaf = |leaf, attributes| Frame::Leaf { leaf, attributes, text: Cow::default() };
        let frame = match (self.frames.last().map(|open| &open.frame), element) {
            (_, Element::Value(kind)) if self.admits(kind) => self.value(name, kind, attributes)?,
            (None, Element::Objs) if !self.began => Frame::Objs,
            (Some(Frame::Object(object)), Element::Part(part)) => {
                self.part(*object, name, part, attributes)?
            }
            (Some(Frame::Extended(_)), Element::Part(Part::Extended)) => {
                // A member set: a member that has members itself (MS-PSRP section 2.2.5.2.9).
                let set = self.new_object(name, None)?;
                self.deliver(name, Value::Object(set), attributes)?;
                Frame::Extended(set)
            }
            (Some(Frame::TypeNames { .. }), Element::T) => leaf(Leaf::TypeName, attributes),
            (Some(Frame::Dictionary { .. }), Element::Entry) => Frame::Entry { key: None, value: None },
            (Some(Frame::Progress(object)), Element::T) => {
                leaf(Leaf::ProgressPart(*object, &PROGRESS_TYPE), attributes)
            }
            (Some(Frame::Progress(object)), Element::ProgressPart(part)) => {
                leaf(Leaf::ProgressPart(*object, part), attributes)
            }
            (_, _) => return Err(Problem::Misplaced { element: name, inside }),
        };
        self.began = true;
        self.frames.push(Open { element: name, frame });
        Ok(())
    }

    /// Whether a value may stand where we are.
    fn admits(&self, kind: ValueKind) -> bool {
        match self.frames.last().map(|open| &open.frame) {
            None => !self.began,
            // What an object wraps stands in it, so that no object can wrap itself.
            Some(Frame::Object(_)) => !matches!(kind, ValueKind::Reference),
            Some(
                Frame::Objs
                | Frame::Progress(_)
                | Frame::Adapted(_)
                | Frame::Extended(_)
                | Frame::List { .. }
                | Frame::Entry { .. },
            ) => true,
            Some(Frame::TypeNames { .. } | Frame::Dictionary { .. } | Frame::Leaf { .. } | Frame::Void) => {
                false
            }
        }
    }

    fn value(
        &mut self,
        element: &'static str,
        kind: ValueKind,
        mut attributes: Attributes,
    ) -> Result<Frame<'a>, Problem> {
        let (value, frame) = match kind {
            ValueKind::Primitive(primitive) => {
                return Ok(Frame::Leaf {
                    leaf: Leaf::Primitive(primitive),
                    attributes,
                    text: Cow::default(),
                });
            }
            ValueKind::Nil => (Value::Null, Frame::Void),
            ValueKind::Reference => {
                (Value::Object(self.objects.target(element, attributes.reference.take())?), Frame::Void)
            }
            ValueKind::Object => {
                let object = self.new_object(element, attributes.reference.take())?;
                (Value::Object(object), Frame::Object(object))
            }
            ValueKind::Progress => {
                let object = self.new_object(element, None)?;
                let type_list = self.new_type_list(vec![PROGRESS_RECORD.to_owned()]);
                self.document.objects[object.0].type_list = Some(type_list);
                (Value::Object(object), Frame::Progress(object))
            }
        };
        // An object is handed over when it begins: what it holds may refer to it.
        self.deliver(element, value, attributes)?;
        Ok(frame)
    }

    fn part(
        &mut self,
        object: ObjectId,
        element: &'static str,
        part: Part,
        attributes: Attributes,
    ) -> Result<Frame<'a>, Problem> {
        let open = &mut self.document.objects[object.0];
        let taken = match part {
            Part::TypeNames | Part::TypeNamesReference => open.type_list.is_some(),
            Part::ToString => open.to_string.is_some(),
            Part::List(_) | Part::Dictionary => open.content != Content::Nothing,
            Part::Adapted | Part::Extended => false,
        };
        if taken {
            return Err(Problem::Twice(element));
        }
        Ok(match part {
            Part::TypeNames => {
                Frame::TypeNames { object, reference: attributes.reference, names: Vec::new() }
            }
            Part::TypeNamesReference => {
                open.type_list = Some(self.type_lists.target(element, attributes.reference)?);
                Frame::Void
            }
            Part::ToString => Frame::Leaf { leaf: Leaf::ToString(object), attributes, text: Cow::default() },
            Part::Adapted => Frame::Adapted(object),
            Part::Extended => Frame::Extended(object),
            Part::List(kind) => Frame::List { object, kind, items: Vec::new() },
            Part::Dictionary => Frame::Dictionary { object, entries: Vec::new() },
        })
    }

    fn text(&mut self, text: Cow<'a, str>) -> Result<(), Problem> {
        if let Some(Open { frame: Frame::Leaf { text: so_far, .. }, .. }) = self.frames.last_mut() {
            *so_far += text;
            return Ok(());
        }
        let stray = text.trim_matches([' ', '\t', '\r', '\n']);
        if stray.is_empty() { Ok(()) } else { Err(Problem::StrayText(shown(stray))) }
    }

    /// Closes the innermost element; quick-xml has seen to it that the end tag is that element's.
    fn close(&mut self) -> Result<(), Problem> {
        let Some(Open { element, frame }) = self.frames.pop() else { return Ok(()) };
        match frame {
            Frame::Leaf { leaf, attributes, text } => self.close_leaf(element, leaf, attributes, &text),
            Frame::TypeNames { object, reference, names } => {
                let list = self.new_type_list(names);
                self.document.objects[object.0].type_list = Some(list);
                match reference {
                    Some(id) => self.type_lists.register(element, id, list),
                    None => Ok(()),
                }
            }
            Frame::List { object, kind, items } => {
                self.document.objects[object.0].content = Content::List(kind, items);
                Ok(())
            }
            Frame::Dictionary { object, entries } => {
                self.document.objects[object.0].content = Content::Dictionary(entries);
                Ok(())
            }
            Frame::Entry { key: Some(key), value: Some(value) } => {
                if let Some(Open { frame: Frame::Dictionary { entries, .. }, .. }) = self.frames.last_mut() {
                    entries.push((key, value));
                }
                Ok(())
            }
            Frame::Entry { key: None, .. } => Err(Problem::Entry("none")),
            Frame::Entry { .. } => Err(Problem::Entry("a Key without a Value")),
            Frame::Objs
            | Frame::Object(_)
            | Frame::Progress(_)
            | Frame::Adapted(_)
            | Frame::Extended(_)
            | Frame::Void => Ok(()),
        }
    }
    fn close_leaf(
        &mut self,
        element: &'static str,
        leaf: Leaf,
        attributes: Attributes,
        text: &str,
    ) -> Result<(), Problem> {
        match leaf {
            Leaf::Primitive(primitive) => self.deliver(element, primitive.value(text)?, attributes),
            Leaf::ToString(object) => {
                self.document.objects[object.0].to_string = Some(escape::decode(text).into());
                Ok(())
            }
            Leaf::TypeName => {
                self.count_value()?;
                if let Some(Open { frame: Frame::TypeNames { names, .. }, .. }) = self.frames.last_mut() {
                    names.push(escape::decode(text).into());
                }
                Ok(())
            }
            Leaf::ProgressPart(object, part) => {
                self.count_value()?;
                let property =
                    Property { name: self.names.shared(part.property), value: part.primitive().value(text)? };
                self.document.objects[object.0].extended.push(property);
                Ok(())
            }
        }
    }

    /// Puts a value where it belongs: into the innermost element that is open.
    fn deliver(
        &mut self,
        element: &'static str,
        value: Value,
        attributes: Attributes,
    ) -> Result<(), Problem> {
        self.count_value()?;
        let document = &mut self.document;
        let name = || {
            let says = "how the property is called";
            attributes.name.ok_or(Problem::MissingAttribute { element, attribute: "N", says })
        };
        match self.frames.last_mut().map(|open| &mut open.frame) {
            None | Some(Frame::Objs) => {
                document.roots.push(value);
                document.streams.push(attributes.stream);
            }
            Some(Frame::Object(object)) => {
                let content = &mut document.objects[object.0].content;
                if *content != Content::Nothing {
                    return Err(Problem::Twice(element));
                }
                *content = Content::Value(value);
            }
            Some(Frame::Adapted(object)) => {
                document.objects[object.0].adapted.push(Property { name: name()?, value });
            }
            Some(Frame::Extended(object)) => {
                document.objects[object.0].extended.push(Property { name: name()?, value });
            }
            Some(Frame::Progress(object)) => {
                let name = self.names.shared(CURRENT_OPERATION);
                document.objects[object.0].extended.push(Property { name, value });
            }
            Some(Frame::List { items, .. }) => items.push(value),
            Some(Frame::Entry { key, value: slot }) => {
                let name = name()?;
                let (slot, twice) = match () {
                    () if name.eq_ignore_ascii_case("Key") => (key, "a second Key"),
                    () if name.eq_ignore_ascii_case("Value") => (slot, "a second Value"),
                    () => return Err(Problem::Entry("something that is called neither Key nor Value")),
                };
                if slot.replace(value).is_some() {
                    return Err(Problem::Entry(twice));
                }
            }
            Some(Frame::TypeNames { .. } | Frame::Dictionary { .. } | Frame::Leaf { .. } | Frame::Void) => {
                unreachable!("values are opened only where one is admitted")
            }
        }
        Ok(())
    }

    fn count_value(&mut self) -> Result<(), Problem> {
        self.values += 1;
        if self.values > MOST_VALUES { Err(Problem::TooManyValues(MOST_VALUES)) } else { Ok(()) }
    }

    fn new_object(&mut self, element: &'static str, reference: Option<String>) -> Result<ObjectId, Problem> {
        let object = ObjectId(self.document.objects.len());
        self.document.objects.push(Object::default());
        if let Some(id) = reference {
            self.objects.register(element, id, object)?;
        }
        Ok(object)
    }

    fn new_type_list(&mut self, names: Vec<String>) -> usize {
        self.document.type_lists.push(names);
        self.document.type_lists.len() - 1
    }
}

/// PowerShell reads and writes objects 50 deep at most (`MaxDepthBelowTopLevel` in its serialization.cs), and each
/// takes three elements where it lies in a dictionary.
const DEEPEST: usize = 200;
/// Of all kinds together. It bounds what a file of tiny elements can make of its 64 MiB.
const MOST_VALUES: usize = 1_000_000;
