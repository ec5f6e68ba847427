//! From records to a message. Objects that lie in each other are a list of frames and not the stack of the program.

use std::collections::HashMap;

use super::{
    cursor::Cursor,
    error::{NrbfError, Problem},
    holds,
    message::{Class, Message, Object, ObjectId, Value},
    primitive, record,
};

/// Reads a stream.
pub(super) fn read(bytes: &[u8]) -> Result<Message, NrbfError> {
    let mut reader = Reader {
        bytes: Cursor::new(bytes),
        message: Message::default(),
        shapes: Vec::new(),
        classes: HashMap::new(),
        frames: Vec::new(),
        values: 0,
    };
    reader.header()?;
    while reader.step()? {}
    let left = reader.bytes.left();
    if left > 0 {
        return Err(reader.bytes.error(Problem::TrailingBytes(left)));
    }
    reader.all_references_lead_somewhere()?;
    Ok(reader.message)
}

struct Reader<'a> {
    bytes: Cursor<'a>,
    message: Message,
    /// What the members of each class hold, beside the message's classes.
    shapes: Vec<Vec<Holds>>,
    /// The class that an object described, for those that are like it.
    classes: HashMap<i32, usize>,
    /// The objects that are not complete, outermost first.
    frames: Vec<Frame>,
    values: usize,
}

/// What a member or an element holds: a primitive by its code, or a record that says by itself what it is.
#[derive(Clone, Copy)]
enum Holds {
    Primitive(u8),
    Record,
}

/// An object that is not complete.
struct Frame {
    id: ObjectId,
    values: Vec<Value>,
    of: Of,
}

enum Of {
    Class(usize),
    Array { length: usize, holds: Holds },
}

impl Reader<'_> {
    /// The header (MS-NRBF section 2.6.1): root, header, and version 1.0.
    fn header(&mut self) -> Result<(), NrbfError> {
        let not_a_stream = self.bytes.error(Problem::NotAStream);
        if self.bytes.u8("its header")? != record::HEADER {
            return Err(not_a_stream);
        }
        self.message.root = ObjectId(self.bytes.i32("its header")?);
        let _header = self.bytes.i32("its header")?;
        let version = (self.bytes.i32("its header")?, self.bytes.i32("its header")?);
        if version == (1, 0) { Ok(()) } else { Err(not_a_stream) }
    }

    /// Reads the next value or record; false when that was the end.
    fn step(&mut self) -> Result<bool, NrbfError> {
        let next = match self.frames.last() {
            None => None,
            Some(frame) => {
                let Some(next) = self.next_of(frame) else {
                    self.complete();
                    return Ok(true);
                };
                Some(next)
            }
        };
        if let Some(Holds::Primitive(code)) = next {
            let value = self.primitive(code)?;
            self.put(value)?;
            return Ok(true);
        }
        let start = self.bytes.offset();
        let code = self.bytes.u8("a record")?;
        self.record(code, start)
    }

    /// What comes next in an object; nothing when it is complete.
    fn next_of(&self, frame: &Frame) -> Option<Holds> {
        match &frame.of {
            Of::Class(class) => self.shapes[*class].get(frame.values.len()).copied(),
            Of::Array { length, holds } => (frame.values.len() < *length).then_some(*holds),
        }
    }

    fn complete(&mut self) {
        let Some(Frame { id, values, of }) = self.frames.pop() else { return };
        let object = match of {
            Of::Class(class) => Object::Instance { class, values },
            Of::Array { .. } => Object::Array(values),
        };
        self.message.objects.insert(id, object);
    }

    fn record(&mut self, code: u8, start: usize) -> Result<bool, NrbfError> {
        let at = |problem| NrbfError::At { offset: start, problem };
        match code {
            record::LIBRARY => self.library()?,
            record::CLASS_WITH_MEMBERS_AND_TYPES => self.class(true)?,
            record::SYSTEM_CLASS_WITH_MEMBERS_AND_TYPES => self.class(false)?,
            record::CLASS_WITH_ID => self.class_like_another()?,
            record::STRING => {
                let id = self.new_object()?;
                let text = self.bytes.text()?;
                self.message.objects.insert(id, Object::Text(text));
            }
            record::BINARY_ARRAY => self.binary_array()?,
            record::PRIMITIVE_ARRAY => self.primitive_array()?,
            record::OBJECT_ARRAY | record::STRING_ARRAY => {
                let id = self.new_object()?;
                let length = self.array_length()?;
                self.open(id, Of::Array { length, holds: Holds::Record })?;
            }
            record::END if self.frames.is_empty() => return Ok(false),
            record::END => return Err(at(Problem::Misplaced("MessageEnd"))),
            record::PRIMITIVE | record::REFERENCE | record::NULL | record::NULLS_256 | record::NULLS
                if self.frames.is_empty() =>
            {
                return Err(at(Problem::Misplaced("of a value")));
            }
            record::PRIMITIVE => {
                let code = self.bytes.u8("a primitive")?;
                let value = self.primitive(code)?;
                self.put(value)?;
            }
            record::REFERENCE => {
                let id = ObjectId(self.bytes.i32("a reference")?);
                self.put(Value::Object(id))?;
            }
            record::NULL => self.put(Value::Null)?,
            record::NULLS_256 => {
                let count = self.bytes.u8("nulls")?;
                self.nulls(count.into(), start)?;
            }
            record::NULLS => {
                let count = self.bytes.i32("nulls")?;
                self.nulls(count.into(), start)?;
            }
            record::SYSTEM_CLASS_WITH_MEMBERS => {
                return Err(at(Problem::Unsupported("SystemClassWithMembers")));
            }
            record::CLASS_WITH_MEMBERS => return Err(at(Problem::Unsupported("ClassWithMembers"))),
            record::METHOD_CALL => return Err(at(Problem::Unsupported("MethodCall"))),
            record::METHOD_RETURN => return Err(at(Problem::Unsupported("MethodReturn"))),
            record::HEADER => return Err(at(Problem::Misplaced("SerializedStreamHeader"))),
            code => return Err(at(Problem::UnknownCode { what: "a record", code })),
        }
        Ok(true)
    }

    fn library(&mut self) -> Result<(), NrbfError> {
        let id = self.bytes.i32("a library")?;
        let name = self.bytes.text()?;
        self.count_values(1)?;
        if self.message.libraries.insert(id, name).is_some() {
            return Err(self.bytes.error(Problem::DuplicateObject(id)));
        }
        Ok(())
    }

    /// A class with its description (MS-NRBF sections 2.3.2.1 and 2.3.2.3).
    fn class(&mut self, with_library: bool) -> Result<(), NrbfError> {
        let id = self.new_object()?;
        let name = self.bytes.text()?;
        // A name takes a byte and so does what it holds.
        let count = self.bytes.count(2, "the list of a class's members")?;
        self.count_values(count)?;
        let members = (0..count).map(|_| self.bytes.text()).collect::<Result<Vec<_>, _>>()?;
        let codes = self.bytes.take(count, "the types of a class")?;
        let shape = codes.iter().map(|code| self.holds(*code)).collect::<Result<Vec<_>, _>>()?;
        let library = if with_library { Some(self.bytes.i32("a class")?) } else { None };
        let class = self.message.classes.len();
        self.message.classes.push(Class { name, library, members });
        self.shapes.push(shape);
        self.classes.insert(id.0, class);
        self.open(id, Of::Class(class))
    }

    /// A class like that of an object before it (MS-NRBF section 2.3.2.5).
    fn class_like_another(&mut self) -> Result<(), NrbfError> {
        let id = self.new_object()?;
        let like = self.bytes.i32("a class")?;
        let class = self.classes.get(&like).copied();
        let class = class.ok_or_else(|| self.bytes.error(Problem::UnknownClass(like)))?;
        self.open(id, Of::Class(class))
    }

    /// What a member or element holds, by its code, and what is said of it beside (MS-NRBF section 2.3.1.2). The names
    /// of classes are read over: each record says its own.
    fn holds(&mut self, code: u8) -> Result<Holds, NrbfError> {
        match code {
            holds::PRIMITIVE => {
                let code = self.bytes.u8("a type")?;
                if primitive_size(code) == 0 {
                    Err(self.no_primitive(code))
                } else {
                    Ok(Holds::Primitive(code))
                }
            }
            holds::STRING | holds::OBJECT | holds::OBJECT_ARRAY | holds::STRING_ARRAY => Ok(Holds::Record),
            holds::SYSTEM_CLASS => self.bytes.text().map(|_| Holds::Record),
            holds::CLASS => {
                self.bytes.text()?;
                self.bytes.i32("a type").map(|_| Holds::Record)
            }
            holds::PRIMITIVE_ARRAY => self.bytes.u8("a type").map(|_| Holds::Record),
            code => Err(self.bytes.error(Problem::UnknownCode { what: "a type", code })),
        }
    }

    /// An array that says what it holds (MS-NRBF section 2.4.3.1).
    fn binary_array(&mut self) -> Result<(), NrbfError> {
        let id = self.new_object()?;
        let kind = self.bytes.u8("an array")?;
        let rank = self.bytes.i32("an array")?;
        if !matches!((kind, rank), (SINGLE | JAGGED, 1)) {
            return Err(self.bytes.error(Problem::Array(rank)));
        }
        let length = self.array_length()?;
        let code = self.bytes.u8("a type")?;
        match self.holds(code)? {
            Holds::Primitive(code) => self.primitives(id, length, code),
            Holds::Record => self.open(id, Of::Array { length, holds: Holds::Record }),
        }
    }

    fn primitive_array(&mut self) -> Result<(), NrbfError> {
        let id = self.new_object()?;
        let length = self.array_length()?;
        let code = self.bytes.u8("a type")?;
        self.primitives(id, length, code)
    }

    fn primitives(&mut self, id: ObjectId, length: usize, code: u8) -> Result<(), NrbfError> {
        let size = primitive_size(code);
        if size == 0 {
            return Err(self.no_primitive(code));
        }
        let left = self.bytes.left();
        if length.saturating_mul(size) > left {
            let length = i64::try_from(length).unwrap_or(i64::MAX);
            return Err(self.bytes.error(Problem::Length { what: "an array", length, left }));
        }
        if code == primitive::BYTE {
            let bytes = self.bytes.take(length, "an array of bytes")?.to_vec();
            self.message.objects.insert(id, Object::Bytes(bytes));
            return Ok(());
        }
        self.open(id, Of::Array { length, holds: Holds::Primitive(code) })
    }

    /// How many elements an array has. One byte can stand for 255 of them, which are null, so this is no more than a
    /// promise; nothing is allocated by it.
    fn array_length(&mut self) -> Result<usize, NrbfError> {
        let length = self.bytes.i32("an array")?;
        let left = self.bytes.left();
        let bad = self.bytes.error(Problem::Length { what: "an array", length: length.into(), left });
        usize::try_from(length).map_err(|_| bad)
    }

    fn nulls(&mut self, count: i64, start: usize) -> Result<(), NrbfError> {
        let room = match self.frames.last() {
            Some(Frame { of: Of::Array { length, .. }, values, .. }) => length - values.len(),
            // Only arrays may have several nulls in one record (MS-NRBF section 2.5.5).
            Some(Frame { of: Of::Class(_), .. }) | None => 1,
        };
        let bad = NrbfError::At { offset: start, problem: Problem::Nulls { count, room } };
        let count = usize::try_from(count).ok().filter(|count| (1..=room).contains(count)).ok_or(bad)?;
        self.count_values(count)?;
        if let Some(frame) = self.frames.last_mut() {
            frame.values.extend(std::iter::repeat_n(Value::Null, count));
        }
        Ok(())
    }

    /// The number of an object that begins here, which its surroundings refer to.
    fn new_object(&mut self) -> Result<ObjectId, NrbfError> {
        let id = ObjectId(self.bytes.i32("the number of an object")?);
        let open = self.frames.iter().any(|frame| frame.id == id);
        if open || self.message.objects.contains_key(&id) {
            return Err(self.bytes.error(Problem::DuplicateObject(id.0)));
        }
        if self.frames.is_empty() {
            self.count_values(1)?
        } else {
            self.put(Value::Object(id))?
        }
        Ok(id)
    }

    fn open(&mut self, id: ObjectId, of: Of) -> Result<(), NrbfError> {
        if self.frames.len() >= DEEPEST {
            return Err(self.bytes.error(Problem::TooDeep(DEEPEST)));
        }
        self.frames.push(Frame { id, values: Vec::new(), of });
        Ok(())
    }

    fn put(&mut self, value: Value) -> Result<(), NrbfError> {
        self.count_values(1)?;
        if let Some(frame) = self.frames.last_mut() {
            frame.values.push(value);
        }
        Ok(())
    }

    fn count_values(&mut self, count: usize) -> Result<(), NrbfError> {
        self.values = self.values.saturating_add(count);
        if self.values > MOST_VALUES {
            return Err(self.bytes.error(Problem::TooManyValues(MOST_VALUES)));
        }
        Ok(())
    }

    fn primitive(&mut self, code: u8) -> Result<Value, NrbfError> {
        Ok(match code {
            primitive::BOOLEAN => Value::Boolean(self.bytes.u8("a truth")? != 0),
            primitive::BYTE | primitive::UINT16 | primitive::UINT32 | primitive::UINT64 => {
                Value::Integer(self.bytes.integer(primitive_size(code), false)?)
            }
            primitive::SBYTE | primitive::INT16 | primitive::INT32 | primitive::INT64 => {
                Value::Integer(self.bytes.integer(primitive_size(code), true)?)
            }
            primitive::CHARACTER => Value::Character(self.bytes.character()?),
            primitive::DECIMAL => Value::Decimal(self.bytes.text()?),
            primitive::SINGLE => Value::Float(self.bytes.f32()?.into()),
            primitive::DOUBLE => Value::Float(self.bytes.f64()?),
            primitive::TIME_SPAN => Value::Duration(self.bytes.i64("a span of time")?),
            primitive::DATE_TIME => Value::DateTime(self.bytes.i64("a date")?),
            code => return Err(self.no_primitive(code)),
        })
    }

    fn no_primitive(&self, code: u8) -> NrbfError {
        self.bytes.error(Problem::UnknownCode { what: "a primitive type", code })
    }

    fn all_references_lead_somewhere(&self) -> Result<(), NrbfError> {
        let objects = &self.message.objects;
        let values = objects.values().flat_map(|object| match object {
            Object::Instance { values, .. } | Object::Array(values) => values.as_slice(),
            Object::Bytes(_) | Object::Text(_) => &[],
        });
        let referred = values.filter_map(|value| if let Value::Object(id) = value { Some(id) } else { None });
        match std::iter::once(&self.message.root).chain(referred).find(|id| !objects.contains_key(id)) {
            Some(id) => Err(self.bytes.error(Problem::UnknownObject(id.0))),
            None => Ok(()),
        }
    }
}

/// How many bytes a primitive takes at least; zero for what is none.
fn primitive_size(code: u8) -> usize {
    match code {
        primitive::BOOLEAN
        | primitive::BYTE
        | primitive::SBYTE
        | primitive::CHARACTER
        | primitive::DECIMAL => 1,
        primitive::INT16 | primitive::UINT16 => 2,
        primitive::INT32 | primitive::UINT32 | primitive::SINGLE => 4,
        primitive::INT64 | primitive::UINT64 | primitive::DOUBLE => 8,
        primitive::TIME_SPAN | primitive::DATE_TIME => 8,
        _ => 0,
    }
}

/// The codes of arrays of one dimension that begin at zero (MS-NRBF section 2.4.1.1).
const SINGLE: u8 = 0;
const JAGGED: u8 = 1;

/// Objects are mostly referred to, and lie in each other for value types only.
const DEEPEST: usize = 100;
/// What one blob can make us keep.
const MOST_VALUES: usize = 100_000;
