//! Writes records, for those who make streams like Exchange's: tests, and labs.

use super::{holds, primitive, record};

/// A stream in the making. The caller puts the values of members after their class, in the order of the class.
pub(in crate::wire) struct Writer {
    bytes: Vec<u8>,
}

/// What a member holds.
#[derive(Clone, Copy)]
pub(in crate::wire) enum Member<'a> {
    Boolean,
    Int32,
    Text,
    Bytes,
    /// An instance of a class of .NET's core library.
    SystemClass(&'a str),
    /// An instance of a class of a library.
    Class(&'a str, i32),
}

impl Writer {
    /// A stream of the object with this number.
    pub(in crate::wire) fn new(root: i32) -> Self {
        let mut writer = Self { bytes: vec![record::HEADER] };
        for number in [root, -1, 1, 0] {
            writer.i32(number);
        }
        writer
    }

    pub(in crate::wire) fn library(&mut self, id: i32, name: &str) {
        self.begin(record::LIBRARY, id);
        self.string(name);
    }

    /// An instance of a class that is described here.
    pub(in crate::wire) fn class(
        &mut self,
        id: i32,
        name: &str,
        members: &[(&str, Member<'_>)],
        library: i32,
    ) {
        self.begin(record::CLASS_WITH_MEMBERS_AND_TYPES, id);
        self.description(name, members);
        self.i32(library);
    }

    /// An instance of a class of .NET's core library that is described here.
    pub(in crate::wire) fn system_class(&mut self, id: i32, name: &str, members: &[(&str, Member<'_>)]) {
        self.begin(record::SYSTEM_CLASS_WITH_MEMBERS_AND_TYPES, id);
        self.description(name, members);
    }

    /// An instance of the class that another one described.
    pub(in crate::wire) fn class_like(&mut self, id: i32, like: i32) {
        self.begin(record::CLASS_WITH_ID, id);
        self.i32(like);
    }

    /// An array of instances of a class.
    pub(in crate::wire) fn class_array(&mut self, id: i32, length: usize, class: &str, library: i32) {
        const SINGLE: u8 = 0;
        self.begin(record::BINARY_ARRAY, id);
        self.bytes.push(SINGLE);
        self.i32(1); // dimension
        self.length(length);
        self.bytes.push(holds::CLASS);
        self.string(class);
        self.i32(library);
    }

    pub(in crate::wire) fn byte_array(&mut self, id: i32, bytes: &[u8]) {
        self.begin(record::PRIMITIVE_ARRAY, id);
        self.length(bytes.len());
        self.bytes.push(primitive::BYTE);
        self.bytes.extend(bytes);
    }

    pub(in crate::wire) fn text(&mut self, id: i32, text: &str) {
        self.begin(record::STRING, id);
        self.string(text);
    }

    pub(in crate::wire) fn reference(&mut self, id: i32) {
        self.begin(record::REFERENCE, id);
    }

    pub(in crate::wire) fn null(&mut self) {
        self.bytes.push(record::NULL);
    }

    /// Nulls in a row, in the shortest of the three records for them.
    pub(in crate::wire) fn nulls(&mut self, count: usize) {
        match u8::try_from(count) {
            Ok(0) => {}
            Ok(1) => self.null(),
            Ok(count) => self.bytes.extend([record::NULLS_256, count]),
            Err(_) => {
                self.bytes.push(record::NULLS);
                self.length(count);
            }
        }
    }

    pub(in crate::wire) fn i32(&mut self, number: i32) {
        self.bytes.extend(number.to_le_bytes());
    }

    pub(in crate::wire) fn boolean(&mut self, truth: bool) {
        self.bytes.push(truth.into());
    }

    pub(in crate::wire) fn end(mut self) -> Vec<u8> {
        self.bytes.push(record::END);
        self.bytes
    }

    fn begin(&mut self, code: u8, id: i32) {
        self.bytes.push(code);
        self.i32(id);
    }

    fn description(&mut self, name: &str, members: &[(&str, Member<'_>)]) {
        self.string(name);
        self.length(members.len());
        for (name, _) in members {
            self.string(name);
        }
        self.bytes.extend(members.iter().map(|(_, member)| match member {
            Member::Boolean | Member::Int32 => holds::PRIMITIVE,
            Member::Text => holds::STRING,
            Member::Bytes => holds::PRIMITIVE_ARRAY,
            Member::SystemClass(_) => holds::SYSTEM_CLASS,
            Member::Class(..) => holds::CLASS,
        }));
        for (_, member) in members {
            match *member {
                Member::Boolean => self.bytes.push(primitive::BOOLEAN),
                Member::Int32 => self.bytes.push(primitive::INT32),
                Member::Bytes => self.bytes.push(primitive::BYTE),
                Member::Text => {}
                Member::SystemClass(name) => self.string(name),
                Member::Class(name, library) => {
                    self.string(name);
                    self.i32(library);
                }
            }
        }
    }

    /// A text with its length before it, in seven bits to a byte (MS-NRBF section 2.1.1.6).
    fn string(&mut self, text: &str) {
        let mut length = text.len();
        loop {
            let [digit, ..] = (length & 0x7f).to_le_bytes();
            length >>= 7;
            self.bytes.push(if length > 0 { 0x80 | digit } else { digit });
            if length == 0 {
                break;
            }
        }
        self.bytes.extend(text.as_bytes());
    }

    fn length(&mut self, length: usize) {
        self.i32(i32::try_from(length).expect("what we write is far below two gigabytes"));
    }
}
