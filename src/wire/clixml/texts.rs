//! Texts of a document, one by one.

use super::document::{Content, Document, Object, Property, Value};

impl Document {
    /// Puts another text in the place of each one for which there is another: values, names of properties and of types.
    pub fn replace_texts(&mut self, other: &impl Fn(&str) -> Option<String>) {
        self.roots.iter_mut().for_each(|value| in_value(value, other));
        self.objects.iter_mut().for_each(|object| in_object(object, other));
        let streams = self.streams.iter_mut().flatten();
        streams.chain(self.type_lists.iter_mut().flatten()).for_each(|text| in_text(text, other));
    }
}

fn in_object(object: &mut Object, other: &impl Fn(&str) -> Option<String>) {
    let Object { type_list: _, to_string, content, adapted, extended } = object;
    if let Some(text) = to_string {
        in_text(text, other);
    }
    match content {
        Content::Nothing => {}
        Content::Value(value) => in_value(value, other),
        Content::List(_, items) => items.iter_mut().for_each(|value| in_value(value, other)),
        Content::Dictionary(entries) => {
            for (key, value) in entries {
                in_value(key, other);
                in_value(value, other);
            }
        }
    }
    for Property { name, value } in adapted.iter_mut().chain(extended) {
        if let Some(text) = other(name) {
            *name = text.into();
        }
        in_value(value, other);
    }
}

fn in_value(value: &mut Value, other: &impl Fn(&str) -> Option<String>) {
    match value {
        Value::Decimal(text)
        | Value::Text(text)
        | Value::Guid(text)
        | Value::Uri(text)
        | Value::Version(text)
        | Value::Xml(text)
        | Value::ScriptBlock(text) => in_text(text, other),
        Value::Null
        | Value::Boolean(_)
        | Value::Integer(_)
        | Value::Character(_)
        | Value::Float(_)
        | Value::Moment(_)
        | Value::Duration(_)
        | Value::Bytes(_)
        | Value::SecureString(_)
        | Value::Object(_) => {}
    }
}

fn in_text(text: &mut String, other: &impl Fn(&str) -> Option<String>) {
    if let Some(new) = other(text) {
        *text = new;
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_text_is_reached() {
        let xml = "<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\"><S>key</S>\
            <Obj RefId=\"0\"><TN RefId=\"0\"><T>key</T></TN><ToString>a key</ToString><Props><S N=\"key\">key</S>\
            <Version N=\"v\">1.0</Version><URI N=\"u\">https://k_0065_y/</URI></Props><MS><Obj N=\"list\" RefId=\"1\">\
            <LST><S>k&#101;y</S><SBK>key</SBK></LST></Obj><Obj N=\"table\" RefId=\"2\"><DCT><En><S N=\"Key\">key</S>\
            <S N=\"Value\">key</S></En></DCT></Obj><Obj N=\"wrapped\" RefId=\"3\"><S>key</S></Obj></MS></Obj></Objs>";
        let mut document = crate::wire::clixml::read(xml.as_bytes()).unwrap();
        assert!(format!("{document:?}").contains("key"));
        document.replace_texts(&|text| text.contains("key").then(|| text.replace("key", "-")));
        let shown = format!("{document:?}");
        assert!(!shown.contains("key") && shown.contains("a -"), "{shown}");
    }
}
