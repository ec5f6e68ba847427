//! What a stream says: objects by number, and the values that refer to them. Circles are harmless, since nothing here
//! follows a reference by itself.

use std::collections::BTreeMap;

/// Everything that one stream holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    pub(super) root: ObjectId,
    pub(super) objects: BTreeMap<ObjectId, Object>,
    pub(super) classes: Vec<Class>,
    pub(super) libraries: BTreeMap<i32, String>,
}

/// A value of a member or an element.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No object.
    Null,
    /// `Boolean`.
    Boolean(bool),
    /// `Byte`, `SByte`, `Int16`, `UInt16`, `Int32`, `UInt32`, `Int64`, `UInt64`.
    Integer(i128),
    /// `Single`, `Double`.
    Float(f64),
    /// `Char`.
    Character(char),
    /// `Decimal`, as it is written.
    Decimal(String),
    /// `TimeSpan`, in ticks of 100 nanoseconds.
    Duration(i64),
    /// `DateTime`: ticks since the year 1, and in the two highest bits the kind (MS-NRBF section 2.1.1.3).
    DateTime(i64),
    /// An object, by its number.
    Object(ObjectId),
}

/// The number of an object in its stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub(super) i32);

/// An object.
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    /// An instance of a class: the values of its members, in the order of the class.
    Instance {
        /// Where the message keeps the class.
        class: usize,
        /// The values.
        values: Vec<Value>,
    },
    /// An array.
    Array(Vec<Value>),
    /// An array of `Byte`.
    Bytes(Vec<u8>),
    /// A string.
    Text(String),
}

/// A class, as the stream describes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Class {
    pub(super) name: String,
    pub(super) library: Option<i32>,
    pub(super) members: Vec<String>,
}

impl Message {
    /// The object that was serialized.
    pub fn root(&self) -> Value {
        Value::Object(self.root)
    }

    /// The object that a value refers to.
    pub fn object(&self, value: &Value) -> Option<&Object> {
        let Value::Object(id) = value else { return None };
        self.objects.get(id)
    }

    /// The name of an instance's class.
    pub fn class_name(&self, value: &Value) -> Option<&str> {
        self.class(value).map(|(class, _)| class.name.as_str())
    }

    /// The library that an instance's class is from; none for those of .NET's core library.
    pub fn library(&self, value: &Value) -> Option<&str> {
        let (class, _) = self.class(value)?;
        self.libraries.get(&class.library?).map(String::as_str)
    }

    /// The members of an instance, in their order.
    pub fn members(&self, value: &Value) -> impl Iterator<Item = (&str, &Value)> {
        self.class(value)
            .into_iter()
            .flat_map(|(class, values)| class.members.iter().map(String::as_str).zip(values))
    }

    /// The member of this name, in this case.
    pub fn member(&self, value: &Value, name: &str) -> Option<&Value> {
        self.members(value).find(|(member, _)| *member == name).map(|(_, value)| value)
    }

    /// The text of a string.
    pub fn text(&self, value: &Value) -> Option<&str> {
        if let Object::Text(text) = self.object(value)? { Some(text) } else { None }
    }

    /// The bytes of an array of bytes.
    pub fn bytes(&self, value: &Value) -> Option<&[u8]> {
        if let Object::Bytes(bytes) = self.object(value)? { Some(bytes) } else { None }
    }

    /// The elements of any other array.
    pub fn items(&self, value: &Value) -> Option<&[Value]> {
        if let Object::Array(items) = self.object(value)? { Some(items) } else { None }
    }

    /// The whole number: of a number, or of an enum, which is an instance with the one member `value__`.
    pub fn integer(&self, value: &Value) -> Option<i128> {
        let number = if let Value::Object(_) = value { self.member(value, "value__")? } else { value };
        if let Value::Integer(number) = number { Some(*number) } else { None }
    }

    /// True or false.
    pub fn boolean(&self, value: &Value) -> Option<bool> {
        if let Value::Boolean(truth) = value { Some(*truth) } else { None }
    }

    fn class(&self, value: &Value) -> Option<(&Class, &[Value])> {
        let Object::Instance { class, values } = self.object(value)? else { return None };
        Some((self.classes.get(*class)?, values))
    }
}
