//! The elements of the serialization, and the attributes that mean something (MS-PSRP section 2.2.5).

use std::{collections::HashSet, sync::Arc};

use quick_xml::{XmlVersion, events::BytesStart};

use super::{document::ListKind, error::Problem, escape, primitive::Primitive};
use crate::wire::shown;

/// An element, by what it may stand for.
#[derive(Clone, Copy)]
pub(super) enum Element {
    /// `Objs`, around all the values of a file.
    Objs,
    /// A value by itself.
    Value(ValueKind),
    /// A part of an object.
    Part(Part),
    /// `En`, in a dictionary.
    Entry,
    /// `T`: a type name, and in `PR` the kind of a record.
    T,
    /// A part of `PR`.
    ProgressPart(&'static ProgressPart),
}

#[derive(Clone, Copy)]
pub(super) enum ValueKind {
    Object,
    Reference,
    Nil,
    Primitive(&'static Primitive),
    Progress,
}

#[derive(Clone, Copy)]
pub(super) enum Part {
    TypeNames,
    TypeNamesReference,
    ToString,
    Adapted,
    Extended,
    List(ListKind),
    Dictionary,
}

/// An element in `PR`, and the property of a `ProgressRecord` that it stands for.
pub(super) struct ProgressPart {
    element: &'static str,
    pub(super) property: &'static str,
    /// The primitive in whose form it is written.
    primitive: &'static str,
}

/// The attributes that mean something.
#[derive(Default)]
pub(super) struct Attributes {
    /// `N`: the name of a property, or `Key` and `Value`.
    pub(super) name: Option<Arc<str>>,
    /// `RefId`.
    pub(super) reference: Option<String>,
    /// `S`: the stream that the value was written to.
    pub(super) stream: Option<String>,
}

/// The names of properties: thousands of objects have the same few.
#[derive(Default)]
pub(super) struct Names(HashSet<Arc<str>>);

impl Names {
    pub(super) fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        let new: Arc<str> = name.into();
        self.0.insert(new.clone());
        new
    }
}

impl Element {
    /// The element of a tag, and its name.
    pub(super) fn of(tag: &BytesStart<'_>) -> Result<(&'static str, Self), Problem> {
        let name = tag.name();
        let name = name.as_ref();
        let structure = STRUCTURE.iter().find(|(element, _)| *element == name).copied();
        let primitive =
            || Primitive::of(name).map(|found| (found.element, Self::Value(ValueKind::Primitive(found))));
        let progress = || {
            let part = PROGRESS.iter().find(|part| part.element == name)?;
            Some((part.element, Self::ProgressPart(part)))
        };
        structure.or_else(primitive).or_else(progress).ok_or_else(|| Problem::UnknownElement(shown(name)))
    }
}

impl ProgressPart {
    pub(super) fn primitive(&self) -> &'static Primitive {
        Primitive::of(self.primitive).expect("the table names primitives only")
    }
}

impl Attributes {
    /// Others than these are none of our business, but their number is: quick-xml compares each with all before it.
    pub(super) fn of(tag: &BytesStart<'_>, names: &mut Names) -> Result<Self, Problem> {
        let mut attributes = Self::default();
        for (count, attribute) in tag.attributes().enumerate() {
            if count == MOST_ATTRIBUTES {
                return Err(Problem::TooManyAttributes(MOST_ATTRIBUTES));
            }
            let attribute = attribute.map_err(|error| Problem::malformed(&error))?;
            let key = attribute.key.as_ref();
            if !matches!(key, "N" | "RefId" | "S") {
                continue;
            }
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|error| Problem::malformed(&error))?;
            let value = escape::decode(&value);
            match key {
                "N" => attributes.name = Some(names.shared(&value)),
                "RefId" => attributes.reference = Some(value.into()),
                _ => attributes.stream = Some(value.into()),
            }
        }
        Ok(attributes)
    }
}

static STRUCTURE: &[(&str, Element)] = &[
    ("Objs", Element::Objs),
    ("Obj", Element::Value(ValueKind::Object)),
    ("Ref", Element::Value(ValueKind::Reference)),
    ("Nil", Element::Value(ValueKind::Nil)),
    ("PR", Element::Value(ValueKind::Progress)),
    ("TN", Element::Part(Part::TypeNames)),
    ("TNRef", Element::Part(Part::TypeNamesReference)),
    ("ToString", Element::Part(Part::ToString)),
    ("Props", Element::Part(Part::Adapted)),
    ("MS", Element::Part(Part::Extended)),
    ("LST", Element::Part(Part::List(ListKind::List))),
    ("IE", Element::Part(Part::List(ListKind::Enumerable))),
    ("STK", Element::Part(Part::List(ListKind::Stack))),
    ("QUE", Element::Part(Part::List(ListKind::Queue))),
    ("DCT", Element::Part(Part::Dictionary)),
    ("En", Element::Entry),
    ("T", Element::T),
];

/// How PowerShell writes progress records into a pipe; a value without a name in their midst is the current operation.
/// Messages of PSRP hold plain objects with the same properties instead (MS-PSRP section 2.2.2.25).
static PROGRESS: &[ProgressPart] = &[
    ProgressPart { element: "AV", property: "Activity", primitive: "S" },
    ProgressPart { element: "AI", property: "ActivityId", primitive: "I32" },
    ProgressPart { element: "PI", property: "ParentActivityId", primitive: "I32" },
    ProgressPart { element: "PC", property: "PercentComplete", primitive: "I32" },
    ProgressPart { element: "SR", property: "SecondsRemaining", primitive: "I32" },
    ProgressPart { element: "SD", property: "StatusDescription", primitive: "S" },
];
pub(super) static PROGRESS_TYPE: ProgressPart =
    ProgressPart { element: "T", property: "RecordType", primitive: "S" };
pub(super) const CURRENT_OPERATION: &str = "CurrentOperation";
pub(super) const PROGRESS_RECORD: &str = "System.Management.Automation.ProgressRecord";

/// `Objs` has two, and an object in a stream three.
const MOST_ATTRIBUTES: usize = 16;
