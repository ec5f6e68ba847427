//! What a document says: values, and the objects that they refer to by number. References cost nothing and circles are
//! harmless, since nothing here follows a reference by itself.

use std::sync::Arc;

use super::moment::Moment;
use crate::model::secret::Secret;

/// Everything that one file or message holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    pub(super) roots: Vec<Value>,
    pub(super) streams: Vec<Option<String>>,
    pub(super) objects: Vec<Object>,
    pub(super) type_lists: Vec<Vec<String>>,
}

/// A value: a primitive, or an object by its number.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `Nil`: `$null`.
    Null,
    /// `B`.
    Boolean(bool),
    /// `By`, `SB`, `U16`, `I16`, `U32`, `I32`, `U64`, `I64`.
    Integer(i128),
    /// `C`: a UTF-16 code unit, which may be half of a pair.
    Character(u16),
    /// `Sg`, `Db`.
    Float(f64),
    /// `D`, as it was written.
    Decimal(String),
    /// `S`.
    Text(String),
    /// `DT`.
    Moment(Moment),
    /// `TS`, in ticks of 100 nanoseconds.
    Duration(i64),
    /// `BA`.
    Bytes(Vec<u8>),
    /// `G`, in lower case with hyphens.
    Guid(String),
    /// `URI`.
    Uri(String),
    /// `Version`.
    Version(String),
    /// `XD`.
    Xml(String),
    /// `SBK`.
    ScriptBlock(String),
    /// `SS`, as it was written: encrypted on Windows, and only hexadecimal text where PowerShell has no DPAPI.
    SecureString(Secret),
    /// `Obj` or `Ref`.
    Object(ObjectId),
}

/// The number of an object in its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub(super) usize);

/// An object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object {
    pub(super) type_list: Option<usize>,
    pub(super) to_string: Option<String>,
    pub(super) content: Content,
    pub(super) adapted: Vec<Property>,
    pub(super) extended: Vec<Property>,
}

/// What an object is, beside its properties.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Content {
    /// Nothing: it has properties only.
    #[default]
    Nothing,
    /// A primitive that was given properties, a number that is an enum, or another object.
    Value(Value),
    /// Values in a row.
    List(ListKind, Vec<Value>),
    /// Keys and values, in the order in which they were written.
    Dictionary(Vec<(Value, Value)>),
}

/// Which element a list came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// `LST`: arrays and lists.
    List,
    /// `IE`: whatever can be enumerated.
    Enumerable,
    /// `STK`: a stack, the top first.
    Stack,
    /// `QUE`: a queue, the next first.
    Queue,
}

/// A property.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// Its name, which is that of many others.
    pub name: Arc<str>,
    /// Its value.
    pub value: Value,
}

/// An enum: its number is what counts, its text is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enumeration<'a> {
    /// The number.
    pub number: i128,
    /// The names of the values that make it up, with `, ` between them.
    pub text: &'a str,
}

impl Document {
    /// Several documents as one: their values at the top, one after the other. Each keeps its own references.
    pub fn joined(documents: impl IntoIterator<Item = Self>) -> Self {
        let mut whole = Self::default();
        for Self { roots, streams, objects, type_lists } in documents {
            let (before, lists) = (whole.objects.len(), whole.type_lists.len());
            whole.roots.extend(roots.into_iter().map(|value| value.behind(before)));
            whole.streams.extend(streams);
            whole.objects.extend(objects.into_iter().map(|object| object.behind(before, lists)));
            whole.type_lists.extend(type_lists);
        }
        whole
    }

    /// The values at the top, in their order.
    pub fn roots(&self) -> &[Value] {
        &self.roots
    }

    /// The stream that a value at the top was written to (`S`, as in `Error` and `progress`), which PowerShell says when
    /// it writes all its streams into one pipe.
    pub fn stream(&self, root: usize) -> Option<&str> {
        self.streams.get(root)?.as_deref()
    }

    /// How many objects there are.
    pub fn object_count(&self) -> usize {
        self.objects.len()
    }

    /// The object that a value is, when it is one.
    pub fn object(&self, value: &Value) -> Option<&Object> {
        let Value::Object(id) = value else { return None };
        self.objects.get(id.0)
    }

    /// The property of this name: an adapted one, else an extended one. As in PowerShell, case does not count.
    pub fn get(&self, value: &Value, name: &str) -> Option<&Value> {
        self.properties(value)
            .find(|property| same_name(&property.name, name))
            .map(|property| &property.value)
    }

    /// All properties, adapted ones first.
    pub fn properties<'a>(&'a self, value: &Value) -> impl Iterator<Item = &'a Property> + use<'a> {
        self.layers(value).flat_map(|object| object.adapted.iter().chain(&object.extended))
    }

    /// The text: of a string, GUID, URI, version, XML document or script; of any other object what it writes as its
    /// `ToString`. A property that PowerShell cut off for its depth is a string already, so that both read alike.
    pub fn text<'a>(&'a self, value: &'a Value) -> Option<&'a str> {
        match self.plain(value) {
            Value::Text(text)
            | Value::Guid(text)
            | Value::Uri(text)
            | Value::Version(text)
            | Value::Xml(text)
            | Value::ScriptBlock(text) => Some(text),
            Value::Null
            | Value::Boolean(_)
            | Value::Integer(_)
            | Value::Character(_)
            | Value::Float(_)
            | Value::Decimal(_)
            | Value::Moment(_)
            | Value::Duration(_)
            | Value::Bytes(_)
            | Value::SecureString(_)
            | Value::Object(_) => self.to_string_text(value),
        }
    }

    /// The whole number: of an integer, a character or an enum.
    pub fn integer(&self, value: &Value) -> Option<i128> {
        match *self.plain(value) {
            Value::Integer(number) => Some(number),
            Value::Character(unit) => Some(unit.into()),
            _ => None,
        }
    }

    /// The number of a single or double.
    pub fn float(&self, value: &Value) -> Option<f64> {
        if let Value::Float(number) = *self.plain(value) { Some(number) } else { None }
    }

    /// True or false.
    pub fn boolean(&self, value: &Value) -> Option<bool> {
        if let Value::Boolean(truth) = *self.plain(value) { Some(truth) } else { None }
    }

    /// The bytes of an array of bytes.
    pub fn bytes<'a>(&'a self, value: &'a Value) -> Option<&'a [u8]> {
        if let Value::Bytes(bytes) = self.plain(value) { Some(bytes) } else { None }
    }

    /// The date and time, which may be without a zone.
    pub fn moment(&self, value: &Value) -> Option<Moment> {
        if let Value::Moment(moment) = *self.plain(value) { Some(moment) } else { None }
    }

    /// The span of time, in ticks of 100 nanoseconds.
    pub fn ticks(&self, value: &Value) -> Option<i64> {
        if let Value::Duration(ticks) = *self.plain(value) { Some(ticks) } else { None }
    }

    /// The values of a list of any kind.
    pub fn items(&self, value: &Value) -> Option<&[Value]> {
        self.layers(value).find_map(|object| match &object.content {
            Content::List(_, items) => Some(items.as_slice()),
            Content::Nothing | Content::Value(_) | Content::Dictionary(_) => None,
        })
    }

    /// The entries of a dictionary.
    pub fn entries(&self, value: &Value) -> Option<&[(Value, Value)]> {
        self.layers(value).find_map(|object| match &object.content {
            Content::Dictionary(entries) => Some(entries.as_slice()),
            Content::Nothing | Content::Value(_) | Content::List(..) => None,
        })
    }

    /// The value of a dictionary under this key; as in PowerShell, case does not count.
    pub fn entry(&self, value: &Value, key: &str) -> Option<&Value> {
        let mut entries = self.entries(value)?.iter();
        entries
            .find(|(have, _)| self.text(have).is_some_and(|have| same_name(have, key)))
            .map(|(_, value)| value)
    }

    /// The names of the type and of those it derives from, nearest first; empty for primitives. Over the wire they begin
    /// with `Deserialized.`, in a file of `Export-Clixml` they do not.
    pub fn type_names(&self, value: &Value) -> &[String] {
        let list = self.layers(value).find_map(|object| object.type_list);
        list.and_then(|list| self.type_lists.get(list)).map_or(&[], Vec::as_slice)
    }

    /// Whether the value is of this type or one that derives from it, deserialized or not.
    pub fn is_of_type(&self, value: &Value, type_name: &str) -> bool {
        self.type_names(value).iter().any(|name| {
            let name = name.strip_prefix("Deserialized.").unwrap_or(name);
            same_name(name, type_name)
        })
    }

    /// What the object wrote as its `ToString`.
    pub fn to_string_text(&self, value: &Value) -> Option<&str> {
        self.layers(value).find_map(|object| object.to_string.as_deref())
    }

    /// The number and the text of an enum.
    pub fn enumeration(&self, value: &Value) -> Option<Enumeration<'_>> {
        let Value::Integer(number) = *self.plain(value) else { return None };
        let text = self.to_string_text(value).filter(|_| self.is_of_type(value, "System.Enum"))?;
        Some(Enumeration { number, text })
    }

    /// Whether it is `$null`.
    pub fn is_null(&self, value: &Value) -> bool {
        matches!(self.plain(value), Value::Null)
    }

    /// The primitive that an object wraps, else the value itself.
    fn plain<'a>(&'a self, value: &'a Value) -> &'a Value {
        let wrapped = self.layers(value).last().map(|object| &object.content);
        match wrapped {
            Some(Content::Value(value)) => value,
            Some(Content::Nothing | Content::List(..) | Content::Dictionary(_)) | None => value,
        }
    }

    /// The object, the object that it wraps, and so on; PowerShell takes them all for one. An object is only ever
    /// wrapped where it is written, so they are no more than the reader allows elements in each other.
    fn layers<'a>(&'a self, value: &Value) -> impl Iterator<Item = &'a Object> + use<'a> {
        std::iter::successors(self.object(value), |object| match &object.content {
            Content::Value(inner) => self.object(inner),
            Content::Nothing | Content::List(..) | Content::Dictionary(_) => None,
        })
    }
}

impl Value {
    /// The same value in a document that has so many objects before it.
    fn behind(self, objects: usize) -> Self {
        match self {
            Self::Object(id) => Self::Object(ObjectId(id.0 + objects)),
            primitive => primitive,
        }
    }
}

impl Object {
    fn behind(self, objects: usize, lists: usize) -> Self {
        let Self { type_list, to_string, content, adapted, extended } = self;
        let all = |values: Vec<Value>| values.into_iter().map(|value| value.behind(objects)).collect();
        let content = match content {
            Content::Nothing => Content::Nothing,
            Content::Value(value) => Content::Value(value.behind(objects)),
            Content::List(kind, items) => Content::List(kind, all(items)),
            Content::Dictionary(entries) => Content::Dictionary(
                entries
                    .into_iter()
                    .map(|(key, value)| (key.behind(objects), value.behind(objects)))
                    .collect(),
            ),
        };
        let moved = |properties: Vec<Property>| {
            let each = |Property { name, value }| Property { name, value: value.behind(objects) };
            properties.into_iter().map(each).collect()
        };
        Self {
            type_list: type_list.map(|list| list + lists),
            to_string,
            content,
            adapted: moved(adapted),
            extended: moved(extended),
        }
    }

    /// What it is, beside its properties.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The properties that its type has (`Props`).
    pub fn adapted(&self) -> &[Property] {
        &self.adapted
    }

    /// The properties that were added to it (`MS`).
    pub fn extended(&self) -> &[Property] {
        &self.extended
    }
}

/// Whether two names are the same to PowerShell.
fn same_name(one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other);
    }
    one.chars().flat_map(char::to_uppercase).eq(other.chars().flat_map(char::to_uppercase))
}
