//! What streams of .NET's BinaryFormatter mean, record by record (MS-NRBF section 2).
#![allow(clippy::unwrap_used, reason = "tests")]

use certwright::wire::nrbf::{self, Message, Object, Value};

/// Bytes in the making.
#[derive(Clone)]
struct Bytes(Vec<u8>);

impl Bytes {
    /// A stream whose root is object 1.
    fn stream() -> Self {
        Self(vec![0]).i32(1).i32(-1).i32(1).i32(0)
    }

    fn u8(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    fn i32(self, number: i32) -> Self {
        self.raw(&number.to_le_bytes())
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    /// A text shorter than 128 bytes.
    fn text(self, text: &str) -> Self {
        assert!(text.len() < 128);
        self.u8(u8::try_from(text.len()).unwrap()).raw(text.as_bytes())
    }

    /// SystemClassWithMembersAndTypes, whose members are all objects.
    fn class(self, id: i32, name: &str, members: &[&str]) -> Self {
        let count = i32::try_from(members.len()).unwrap();
        let named =
            members.iter().fold(self.u8(4).i32(id).text(name).i32(count), |bytes, name| bytes.text(name));
        named.raw(&vec![2; members.len()])
    }

    /// ClassWithId.
    fn like(self, id: i32, other: i32) -> Self {
        self.u8(1).i32(id).i32(other)
    }

    /// BinaryLibrary.
    fn library(self, id: i32, name: &str) -> Self {
        self.u8(12).i32(id).text(name)
    }

    /// BinaryObjectString.
    fn string(self, id: i32, text: &str) -> Self {
        self.u8(6).i32(id).text(text)
    }

    /// MemberReference.
    fn reference(self, id: i32) -> Self {
        self.u8(9).i32(id)
    }

    /// ObjectNull.
    fn null(self) -> Self {
        self.u8(10)
    }

    /// ObjectNullMultiple256.
    fn nulls(self, count: u8) -> Self {
        self.u8(13).u8(count)
    }

    /// MemberPrimitiveTyped, up to its value.
    fn typed(self, code: u8) -> Self {
        self.u8(8).u8(code)
    }

    /// ArraySingleObject.
    fn objects(self, id: i32, length: i32) -> Self {
        self.u8(16).i32(id).i32(length)
    }

    /// ArraySingleString.
    fn strings(self, id: i32, length: i32) -> Self {
        self.u8(17).i32(id).i32(length)
    }

    /// ArraySinglePrimitive.
    fn primitives(self, id: i32, length: i32, code: u8) -> Self {
        self.u8(15).i32(id).i32(length).u8(code)
    }

    /// BinaryArray of one dimension, up to the type of its elements.
    fn array(self, kind: u8, length: i32) -> Self {
        self.u8(7).i32(1).u8(kind).i32(1).i32(length)
    }

    fn end(self) -> Vec<u8> {
        self.u8(11).0
    }
}

fn read(bytes: &[u8]) -> Message {
    nrbf::read(bytes).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn classes_have_members_and_others_are_like_them() {
    let members = |bytes: Bytes| bytes.text("Pair").i32(2).text("first").text("second").raw(&[0, 4]).u8(8);
    let pair = members(Bytes::stream().library(2, "Contoso").u8(5).i32(1)).text("Pair").i32(2).i32(2);
    let bytes = pair.i32(-7).like(3, 1).i32(9).null().end();
    let message = read(&bytes);
    let root = message.root();
    assert_eq!((message.class_name(&root), message.library(&root)), (Some("Pair"), Some("Contoso")));
    assert_eq!(message.integer(message.member(&root, "first").unwrap()), Some(-7));
    let second = message.member(&root, "second").unwrap();
    assert_eq!(message.class_name(second), Some("Pair"), "ClassWithId");
    assert_eq!(message.integer(message.member(second, "first").unwrap()), Some(9));
    assert_eq!(message.member(second, "second"), Some(&Value::Null));
    assert_eq!(message.member(second, "FIRST"), None);
}

#[test]
fn references_lead_forward_and_back() {
    let node = Bytes::stream().class(1, "Node", &["self", "name", "other"]).reference(1).reference(5);
    let other = node.reference(-3).like(-3, 1).reference(-3).reference(5).reference(1);
    let bytes = other.string(5, "Zürich").end();
    let message = read(&bytes);
    let root = message.root();
    assert_eq!(message.member(&root, "self"), Some(&root));
    let other = message.member(&root, "other").unwrap();
    assert_eq!(message.member(other, "other"), Some(&root));
    assert_eq!(message.text(message.member(other, "name").unwrap()), Some("Zürich"));
    assert_eq!(message.library(&root), None, "a class of .NET itself");
}

#[test]
fn every_primitive_is_read() {
    for (row, code, bytes, value) in [
        ("true", 1, &[1][..], Value::Boolean(true)),
        ("a byte", 2, &[255], Value::Integer(255)),
        ("a character", 3, "é".as_bytes(), Value::Character('é')),
        ("a decimal", 5, b"\x0512.34", Value::Decimal("12.34".into())),
        ("a double", 6, &1.5f64.to_le_bytes(), Value::Float(1.5)),
        ("16 bits", 7, &[0, 0x80], Value::Integer(-32768)),
        ("32 bits", 8, &[255; 4], Value::Integer(-1)),
        ("64 bits", 9, &i64::MIN.to_le_bytes(), Value::Integer(i64::MIN.into())),
        ("a byte with sign", 10, &[0x80], Value::Integer(-128)),
        ("a single", 11, &0.5f32.to_le_bytes(), Value::Float(0.5)),
        ("a span of time", 12, &6_000_000_000_i64.to_le_bytes(), Value::Duration(6_000_000_000)),
        ("a date", 13, &5_i64.to_le_bytes(), Value::DateTime(5)),
        ("16 bits without sign", 14, &[255; 2], Value::Integer(65535)),
        ("32 bits without sign", 15, &[255; 4], Value::Integer(u32::MAX.into())),
        ("64 bits without sign", 16, &[255; 8], Value::Integer(u64::MAX.into())),
    ] {
        let member = Bytes::stream().u8(4).i32(1).text("C").i32(1).text("m").u8(0).u8(code).raw(bytes).end();
        let message = read(&member);
        assert_eq!(message.member(&message.root(), "m"), Some(&value), "{row}, as a member");
        let typed = Bytes::stream().class(1, "C", &["m"]).typed(code).raw(bytes).end();
        let message = read(&typed);
        assert_eq!(message.member(&message.root(), "m"), Some(&value), "{row}, with its type");
        let array = Bytes::stream().primitives(1, 2, code).raw(bytes).raw(bytes).end();
        let message = read(&array);
        if code == 2 {
            assert_eq!(message.bytes(&message.root()), Some(&[255, 255][..]), "bytes stay together");
        } else {
            assert_eq!(
                message.items(&message.root()),
                Some(&[value.clone(), value][..]),
                "{row}, in an array"
            );
        }
    }
}

#[test]
fn arrays_are_read_and_their_nulls_counted() {
    let null = Value::Null;
    for (row, bytes, length) in [
        ("ArraySingleObject", Bytes::stream().objects(1, 4).null().nulls(2).null(), 4),
        ("ArraySingleString", Bytes::stream().strings(1, 300).nulls(255).u8(14).i32(45), 300),
        ("BinaryArray", Bytes::stream().array(0, 2).u8(1).null().null(), 2),
        ("an array of arrays", Bytes::stream().array(1, 1).u8(7).u8(2).null(), 1),
        ("an array of a class", Bytes::stream().array(0, 1).u8(3).text("C").null(), 1),
        ("an empty array", Bytes::stream().objects(1, 0), 0),
    ] {
        let message = read(&bytes.end());
        let items = message.items(&message.root()).unwrap();
        assert_eq!((items.len(), items.iter().all(|item| *item == null)), (length, true), "{row}");
    }
    let message = read(&Bytes::stream().strings(1, 1).string(2, "a").end());
    let items = message.items(&message.root()).unwrap();
    assert_eq!(message.text(&items[0]), Some("a"), "a string that lies in its array");
    let message = read(&Bytes::stream().array(0, 2).u8(0).u8(2).raw(&[7, 8]).end());
    assert_eq!(message.object(&message.root()), Some(&Object::Bytes(vec![7, 8])), "a BinaryArray of bytes");
    let long = "x".repeat(300);
    let message = read(&Bytes::stream().u8(6).i32(1).raw(&[0xac, 0x02]).raw(long.as_bytes()).end());
    assert_eq!(message.text(&message.root()), Some(long.as_str()), "a length of two bytes");
}

/// Each row is a stream, and what the error says of it.
fn assert_errors<const N: usize>(rows: [(&str, Vec<u8>, &str); N]) {
    for (row, bytes, says) in rows {
        let error = nrbf::read(&bytes).map(|_| "no error").unwrap_err().to_string();
        assert!(error.contains(says), "{row}: {error}");
    }
}

/// A stream that has read as far as the one member of an object.
fn class() -> Bytes {
    Bytes::stream().class(1, "C", &["m"])
}

#[test]
fn records_that_do_not_fit_are_errors_that_say_their_place() {
    assert_errors([
        ("nothing", vec![], "byte 0 of the serialized data: it ends within its header"),
        (
            "text",
            b"hello, world, hello".to_vec(),
            "byte 0 of the serialized data: it does not begin like a stream",
        ),
        (
            "another version",
            Bytes(vec![0]).i32(1).i32(-1).i32(2).i32(0).end(),
            "it does not begin like a stream",
        ),
        ("no root", Bytes::stream().end(), "object 1 is referred to, and nowhere"),
        ("no end", Bytes::stream().0, "byte 17 of the serialized data: it ends within a record"),
        ("more after the end", [class().null().end(), vec![0]].concat(), "something follows after the end"),
        (
            "an unknown record",
            Bytes::stream().u8(18).0,
            "byte 17 of the serialized data: 18 is no code of a record",
        ),
        ("a second header", Bytes::stream().u8(0).0, "SerializedStreamHeader cannot stand here"),
        ("a call", Bytes::stream().u8(21).0, "a record MethodCall is not supported"),
        ("a class without types", Bytes::stream().u8(3).0, "a record ClassWithMembers is not supported"),
        (
            "a class of .NET without types",
            Bytes::stream().u8(2).0,
            "a record SystemClassWithMembers is not supported",
        ),
        ("a value at the top", Bytes::stream().null().0, "of a value cannot stand here"),
        ("an end within a class", class().end(), "a record MessageEnd cannot stand here"),
        ("a reference to nowhere", class().reference(7).end(), "object 7 is referred to, and nowhere"),
        ("a class of nowhere", class().like(2, 9).end(), "a class is like that of object 9, which has none"),
        ("a class like a string", Bytes::stream().string(1, "").like(2, 1).end(), "like that of object 1"),
        ("two objects of a number", class().string(1, "a").end(), "a second object has the number 1"),
        (
            "an unknown type",
            Bytes::stream().u8(4).i32(1).text("C").i32(1).text("m").u8(8).0,
            "8 is no code of a type",
        ),
        ("an unknown primitive", class().typed(4).0, "4 is no code of a primitive type"),
        ("a primitive that is null", class().typed(17).0, "17 is no code of a primitive type"),
        (
            "an array of strings as primitives",
            Bytes::stream().primitives(1, 0, 18).0,
            "18 is no code of a primitive",
        ),
        ("a table", Bytes::stream().u8(7).i32(1).u8(2).i32(2).0, "an array of 2 dimensions"),
        (
            "an array that begins elsewhere",
            Bytes::stream().u8(7).i32(1).u8(3).i32(1).0,
            "does not begin at zero",
        ),
    ]);
}

#[test]
fn absurd_lengths_are_errors_that_say_their_place() {
    let deep = (0..200).fold(Bytes::stream(), |bytes, id| bytes.class(id + 1, "C", &["m"]));
    let shared = (0..400).fold(Bytes::stream(), |bytes, id| bytes.objects(id + 1, 255).nulls(255));
    assert_errors([
        (
            "many bytes",
            Bytes::stream().primitives(1, i32::MAX, 2).0,
            "an array has a length of 2147483647, and 0 bytes are left",
        ),
        ("many numbers", Bytes::stream().primitives(1, i32::MAX, 9).0, "an array has a length of 2147483647"),
        ("fewer than none", Bytes::stream().objects(1, -1).0, "an array has a length of -1"),
        (
            "many members",
            Bytes::stream().u8(4).i32(1).text("C").i32(i32::MAX).0,
            "the list of a class's members has a length",
        ),
        ("fewer members than none", Bytes::stream().u8(4).i32(1).text("C").i32(-1).0, "has a length of -1"),
        (
            "a long text",
            Bytes::stream().u8(6).i32(1).raw(&[255, 255, 255, 255, 7]).0,
            "a text has a length of 2147483647",
        ),
        (
            "a length without end",
            Bytes::stream().u8(6).i32(1).raw(&[255; 6]).0,
            "is no code of the length of a text",
        ),
        (
            "a text that is none",
            Bytes::stream().u8(6).i32(1).raw(&[2, 0xff, 0xfe]).0,
            "byte 23 of the serialized data: a text is not UTF-8",
        ),
        ("a character that is none", class().typed(3).u8(0xff).0, "a text is not UTF-8"),
        ("too many nulls", Bytes::stream().objects(1, 2).nulls(3).0, "3 nulls follow where 2 elements"),
        ("no nulls", Bytes::stream().objects(1, 2).nulls(0).0, "0 nulls follow"),
        ("nulls below zero", Bytes::stream().objects(1, 2).u8(14).i32(-1).0, "-1 nulls follow"),
        (
            "two thousand million nulls",
            Bytes::stream().objects(1, i32::MAX).u8(14).i32(i32::MAX).0,
            "there are more than 100000 values",
        ),
        ("many small arrays of nulls", shared.end(), "there are more than 100000 values"),
        ("objects in objects", deep.0, "the objects lie more than 100 deep"),
        (
            "two libraries of a number",
            Bytes::stream().library(2, "a").library(2, "b").0,
            "a second object has the number 2",
        ),
    ]);
    let error = nrbf::read(&vec![0; 5 << 20]).unwrap_err().to_string();
    assert!(error.contains("5242880 bytes are too many"), "{error}");
}

#[test]
fn a_stream_that_was_cut_is_an_error_at_every_byte() {
    let class = Bytes::stream().library(2, "Contoso").class(1, "C", &["a", "b", "c"]).string(3, "Zürich");
    let array = class.objects(4, 3).reference(3).nulls(2).typed(5).text("1.5");
    let whole = array.primitives(5, 4, 2).raw(&[1, 2, 3, 4]).end();
    read(&whole);
    for end in 0..whole.len() {
        assert!(nrbf::read(&whole[..end]).is_err(), "{end}");
    }
}
