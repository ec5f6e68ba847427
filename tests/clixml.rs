//! What CLIXML means, in small documents of the form that PowerShell writes.
#![allow(clippy::unwrap_used, reason = "tests")]

use certwright::wire::clixml::{self, Content, Document, ListKind, Value};

fn read(text: &str) -> Document {
    clixml::read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The one value at the top.
fn root(document: &Document) -> &Value {
    let [root] = document.roots() else { panic!("one value at the top: {document:?}") };
    root
}

/// Puts values into a file as `Export-Clixml` does.
fn file(values: &str) -> String {
    format!(
        r#"<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">
  {values}
</Objs>"#
    )
}

const CONNECTOR: &str = r#"<Obj RefId="0">
    <TN RefId="0">
      <T>Deserialized.Microsoft.Exchange.Data.Directory.SystemConfiguration.ReceiveConnector</T>
      <T>Deserialized.System.Object</T>
    </TN>
    <ToString>EX01\Default Frontend EX01</ToString>
    <Props>
      <Obj N="AuthMechanism" RefId="1">
        <TN RefId="1"><T>Deserialized.AuthMechanisms</T><T>Deserialized.System.Enum</T></TN>
        <ToString>Tls, Integrated</ToString>
        <I32>3</I32>
      </Obj>
      <Obj N="Bindings" RefId="2">
        <TN RefId="2"><T>Deserialized.MultiValuedProperty</T></TN>
        <LST>
          <Obj RefId="3"><ToString>0.0.0.0:25</ToString><Props><I32 N="Port">25</I32></Props></Obj>
          <S>[::]:25</S>
        </LST>
        <Props><I32 N="Count">2</I32></Props>
      </Obj>
      <Nil N="TlsCertificateName" />
      <S N="Banner"></S>
      <B N="RequireTLS">false</B>
      <S N="With_x0020_Blank_x005F_">here</S>
      <Ref N="Self" RefId="0" />
    </Props>
    <MS>
      <S N="PSComputerName">ex01.contoso.com</S>
      <S N="banner">extended</S>
      <MS N="Set"><I32 N="Inner">7</I32></MS>
    </MS>
  </Obj>"#;

#[test]
fn properties_are_found_as_powershell_finds_them() {
    for text in [file(CONNECTOR), CONNECTOR.to_owned()] {
        let document = read(&text);
        let connector = root(&document);
        let get = |name: &str| document.get(connector, name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(
            document.text(connector),
            Some("EX01\\Default Frontend EX01"),
            "the ToString of an object"
        );
        assert_eq!(document.text(get("pscomputername")), Some("ex01.contoso.com"), "extended, in any case");
        assert_eq!(document.text(get("BANNER")), Some(""), "adapted comes first");
        assert_eq!(document.boolean(get("RequireTls")), Some(false));
        assert_eq!(document.text(get("With Blank_")), Some("here"), "names are escaped too");
        assert!(document.is_null(get("TlsCertificateName")));
        assert_eq!(get("Self"), connector, "a circle");
        assert_eq!(document.integer(document.get(get("Set"), "Inner").unwrap()), Some(7), "a member set");
        assert_eq!(document.get(connector, "Missing"), None);
        assert_eq!(document.get(get("Banner"), "Length"), None, "a text has no properties");
        let names: Vec<_> = document.properties(connector).map(|property| &*property.name).collect();
        assert_eq!(names.len(), 10, "{names:?}");
        let ends = "Microsoft.Exchange.Data.Directory.SystemConfiguration.ReceiveConnector";
        assert!(document.is_of_type(connector, ends) && document.is_of_type(connector, "system.object"));
        assert!(!document.is_of_type(connector, "ReceiveConnector"));
    }
}

#[test]
fn enums_have_a_number_and_a_text() {
    let document = read(CONNECTOR);
    let mechanism = document.get(root(&document), "AuthMechanism").unwrap();
    let enumeration = document.enumeration(mechanism).unwrap();
    assert_eq!((enumeration.number, enumeration.text), (3, "Tls, Integrated"));
    assert_eq!((document.integer(mechanism), document.text(mechanism)), (Some(3), Some("Tls, Integrated")));
    // Clients write the number first.
    let text = r#"<Obj RefId="0"><I32>2</I32><TN RefId="0"><T>ApartmentState</T><T>System.Enum</T></TN><ToString>Unknown</ToString></Obj>"#;
    let document = read(text);
    assert_eq!(document.enumeration(root(&document)).unwrap().number, 2);
    let document = read(r#"<Obj RefId="0"><ToString>2</ToString><I32>2</I32></Obj>"#);
    assert_eq!(document.enumeration(root(&document)), None, "a number is no enum");
}

#[test]
fn lists_hold_objects_and_what_was_cut_off_alike() {
    let document = read(CONNECTOR);
    let bindings = document.get(root(&document), "Bindings").unwrap();
    let texts: Vec<_> =
        document.items(bindings).unwrap().iter().map(|item| document.text(item).unwrap()).collect();
    assert_eq!(texts, ["0.0.0.0:25", "[::]:25"]);
    assert_eq!(document.integer(document.get(bindings, "Count").unwrap()), Some(2), "a list has properties");
    for (element, kind) in [
        ("LST", ListKind::List),
        ("IE", ListKind::Enumerable),
        ("STK", ListKind::Stack),
        ("QUE", ListKind::Queue),
    ] {
        let document =
            read(&format!(r#"<Obj RefId="0"><{element}><S>a</S><Nil /><I32>1</I32></{element}></Obj>"#));
        let values = vec![Value::Text("a".into()), Value::Null, Value::Integer(1)];
        let object = document.object(root(&document)).unwrap();
        assert_eq!(*object.content(), Content::List(kind, values), "{element}");
        let document = read(&format!(r#"<Obj RefId="0"><{element} /></Obj>"#));
        assert_eq!(document.items(root(&document)), Some(&[][..]), "{element}");
    }
}

#[test]
fn dictionaries_keep_their_order() {
    let document = read(
        r#"<Obj RefId="0"><TN RefId="0"><T>System.Collections.Hashtable</T></TN><DCT>
          <En><S N="Key">Name</S><I32 N="Value">1</I32></En>
          <En><I32 N="Key">2</I32><Obj N="value" RefId="1"><DCT /></Obj></En>
        </DCT></Obj>"#,
    );
    let table = root(&document);
    let entries = document.entries(table).unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(document.integer(document.entry(table, "NAME").unwrap()), Some(1));
    assert_eq!(document.entries(&entries[1].1), Some(&[][..]));
    assert_eq!(document.entry(table, "2"), None, "a number is no text");
}

#[test]
fn primitives_with_properties_are_still_primitives() {
    let document = read(r#"<Obj RefId="0"><S>C:\file</S><MS><S N="PSDrive">C</S></MS></Obj>"#);
    assert_eq!(document.text(root(&document)), Some("C:\\file"));
    assert_eq!(document.text(document.get(root(&document), "PSDrive").unwrap()), Some("C"));
    let document = read(
        r#"<Obj RefId="0"><Obj RefId="1"><TN RefId="0"><T>T</T></TN><BA>AAH/</BA><MS><I32 N="a">1</I32></MS></Obj></Obj>"#,
    );
    let outer = root(&document);
    assert_eq!(document.bytes(outer), Some(&[0, 1, 255][..]), "an object in an object");
    assert_eq!(
        (document.type_names(outer), document.get(outer, "a").is_some()),
        (&["T".to_owned()][..], true)
    );
}

#[test]
fn references_are_shared_and_may_lead_back() {
    let document = read(&file(
        r#"<Obj RefId="0"><TN RefId="0"><T>A</T></TN><LST><Obj RefId="1"><MS><Ref N="Up" RefId="0" /></MS></Obj><Ref RefId="1" /></LST></Obj>
           <Obj RefId="2"><TNRef RefId="0" /><LST><Ref RefId="1" /></LST></Obj>"#,
    ));
    let [first, second] = document.roots() else { panic!() };
    let inner = &document.items(first).unwrap()[0];
    assert_eq!(&document.items(first).unwrap()[1], inner);
    assert_eq!(&document.items(second).unwrap()[0], inner);
    assert_eq!(document.get(inner, "Up"), Some(first));
    assert_eq!(document.type_names(second), ["A"]);
    assert_eq!(document.object_count(), 3);
}

#[test]
fn all_streams_in_one_pipe_keep_their_names() {
    let document = read(
        r#"<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><Obj S="progress" RefId="0"><TN RefId="0"><T>System.Management.Automation.PSCustomObject</T></TN><MS><I64 N="SourceId">1</I64><PR N="Record"><AV>Preparing modules for first use.</AV><AI>0</AI><Nil /><PI>-1</PI><PC>-1</PC><T>Completed</T><SR>-1</SR><SD> </SD></PR></MS></Obj><S S="Error">not found_x000D__x000A_</S></Objs>"#,
    );
    assert_eq!((document.stream(0), document.stream(1)), (Some("progress"), Some("Error")));
    assert_eq!(document.text(&document.roots()[1]), Some("not found\r\n"));
    let record = document.get(&document.roots()[0], "Record").unwrap();
    assert!(document.is_of_type(record, "System.Management.Automation.ProgressRecord"));
    let get = |name: &str| document.get(record, name).unwrap();
    assert_eq!(document.text(get("Activity")), Some("Preparing modules for first use."));
    assert_eq!(document.text(get("RecordType")), Some("Completed"));
    assert_eq!(document.integer(get("PercentComplete")), Some(-1));
    assert!(document.is_null(get("CurrentOperation")));
}

#[test]
fn text_is_read_in_every_encoding_of_windows() {
    let text = file("<S>Zürich 😀</S>");
    let utf16 = |unit: fn(u16) -> [u8; 2], mark: &str| -> Vec<u8> {
        format!("{mark}{text}").encode_utf16().flat_map(unit).collect()
    };
    let declared =
        |encoding: &str| format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>\n{text}").into_bytes();
    for (row, bytes) in [
        ("UTF-8", text.clone().into_bytes()),
        ("UTF-8 with a mark", format!("\u{feff}{text}").into_bytes()),
        ("UTF-8 that says so", declared("UTF-8")),
        ("UTF-16, little end first", utf16(u16::to_le_bytes, "\u{feff}")),
        ("UTF-16, big end first", utf16(u16::to_be_bytes, "\u{feff}")),
        ("UTF-16 without a mark, little end first", utf16(u16::to_le_bytes, "")),
        ("UTF-16 without a mark, big end first", utf16(u16::to_be_bytes, "")),
    ] {
        let document = clixml::read(&bytes).unwrap_or_else(|error| panic!("{row}: {error}"));
        assert_eq!(document.text(root(&document)), Some("Zürich 😀"), "{row}");
    }
}

#[test]
fn text_in_xml_is_what_xml_says() {
    for (row, xml, text) in [
        ("the five entities", "&lt;&gt;&amp;&apos;&quot;", "<>&'\""),
        ("characters by number", "&#65;&#x1F600;", "A😀"),
        ("a CDATA section", "a<![CDATA[<b>&amp;]]>c", "a<b>&amp;c"),
        ("a comment in between", "a<!-- no -->b", "ab"),
        ("an instruction in between", "a<?no no?>b", "ab"),
        ("an escape made by an entity", "_x00&#52;1_", "A"),
        ("blanks count", "  a  ", "  a  "),
        ("a line end of Windows is one of XML", "a\r\nb", "a\nb"),
        ("nothing", "", ""),
    ] {
        let document = read(&format!("<S>{xml}</S>"));
        assert_eq!(document.text(root(&document)), Some(text), "{row}");
    }
    let document = read("<Obj RefId='0'><MS><S N='a&amp;_x0062_'>x</S></MS></Obj>");
    assert!(document.get(root(&document), "a&b").is_some(), "attributes as well");
}

#[test]
fn secure_strings_do_not_show() {
    let document = read(&file("<SS>01000000d08c9ddf</SS>"));
    assert!(format!("{document:?}").contains("[redacted]"), "{document:?}");
    assert!(!format!("{document:?}").contains("d08c"));
    assert_eq!(document.text(root(&document)), None);
    let Value::SecureString(secret) = root(&document) else { panic!() };
    assert_eq!(secret.expose(), b"01000000d08c9ddf");
}

/// Each row is a text, and what the error says of it.
fn assert_errors(rows: &[(&str, &str, &str)]) {
    for (row, text, says) in rows {
        let error = clixml::read(text.as_bytes()).map(|_| "no error").unwrap_err().to_string();
        assert!(error.contains(says), "{row}: {error}");
    }
}

#[test]
fn broken_xml_is_an_error_that_says_its_place() {
    let name = "a".repeat(200);
    let attributes: String = (0..17).map(|at| format!(" a{at}=''")).collect();
    assert_errors(&[
        ("empty", "", "there is no object in it: it is empty"),
        ("nothing but blanks", " \n", "there is no object in it"),
        (
            "not XML at all",
            "Access is denied.",
            "line 1, column 1: `Access is denied.` stands between elements",
        ),
        ("JSON", "{\"a\": 1}", "line 1, column 1: `{\"a\": 1}` stands between"),
        (
            "HTML",
            "<html><body/></html>",
            "line 1, column 1: <html> is no element of PowerShell's serialization",
        ),
        ("cut in an element", "<Obj RefId=\"0\">\n  <MS>", "line 2, column 7: the file ends inside <MS>"),
        (
            "cut in a tag",
            "<Obj RefId=\"0\">\n  <M",
            "line 2, column 3: the XML is broken (syntax error: tag not",
        ),
        (
            "closed wrongly",
            "<Obj RefId=\"0\">\n</Objs>",
            "line 2, column 1: the XML is broken (ill-formed document: exp",
        ),
        ("a long name", &format!("<{name}/>"), &format!("<{}…> is no element", &name[..100])),
        ("a lone end", "</Obj>", "line 1, column 1: the XML is broken"),
        ("an entity", "<S>&xxe;</S>", "column 4: the entity `&xxe;` is refused"),
        ("an entity in a name", "<Obj><MS><S N='&xxe;'/></MS></Obj>", "column 10: the XML is broken"),
        ("a character that does not exist", "<S>&#xD800;</S>", "column 4: the XML is broken"),
        (
            "a DTD",
            "<!DOCTYPE Objs [<!ENTITY a \"b\">]><S>&a;</S>",
            "column 1: a document type definition is refused",
        ),
        (
            "another encoding",
            "<?xml version='1.0' encoding='windows-1252'?><S/>",
            "its encoding is `windows-1252`",
        ),
        ("a name space", "<p:Obj xmlns:p='a'/>", "<p:Obj> is no element"),
        ("many attributes", &format!("<Obj{attributes}/>"), "more than 16 attributes"),
        ("an attribute twice", "<Obj RefId='0' RefId='0'/>", "the XML is broken"),
        ("an attribute that is not closed", "<Obj RefId='0/>", "the XML is broken"),
        ("control characters do not reach the terminal", "\u{1b}[2J", "`\\u{1b}[2J` stands between"),
    ]);
}

#[test]
fn what_powershell_does_not_write_is_an_error_that_says_its_place() {
    assert_errors(&[
        ("text in an object", "<Obj RefId='0'>text</Obj>", "column 16: `text` stands between elements"),
        ("text in Nil", "<Nil>text</Nil>", "`text` stands between"),
        ("an element in a primitive", "<S>a<S>b</S></S>", "column 5: <S> cannot stand in <S>"),
        ("a part without an object", "<TN/>", "column 1: <TN> cannot stand at the beginning"),
        ("two documents", "<S>a</S><S>b</S>", "column 9: <S> cannot stand after the end of the document"),
        ("Objs in Objs", "<Objs><Objs/></Objs>", "column 7: <Objs> cannot stand in <Objs>"),
        (
            "a property without a name",
            "<Obj><Props><I32>1</I32></Props></Obj>",
            "<I32> has no attribute N here",
        ),
        (
            "properties in adapted properties",
            "<Obj><Props><MS N='a'/></Props></Obj>",
            "<MS> cannot stand in <Props>",
        ),
        ("a value in a dictionary", "<Obj><DCT><S>a</S></DCT></Obj>", "<S> cannot stand in <DCT>"),
        (
            "an entry without anything",
            "<Obj><DCT><En/></DCT></Obj>",
            "one Key and one Value, and here is none",
        ),
        ("a key alone", "<Obj><DCT><En><S N='Key'/></En></DCT></Obj>", "and here is a Key without a Value"),
        ("a value alone", "<Obj><DCT><En><S N='Value'/></En></DCT></Obj>", "and here is none"),
        ("two keys", "<Obj><DCT><En><S N='Key'/><S N='Key'/></En></DCT></Obj>", "and here is a second Key"),
        ("another name", "<Obj><DCT><En><S N='k'/></En></DCT></Obj>", "called neither Key nor Value"),
        ("two values", "<Obj><S>a</S><S>b</S></Obj>", "<S> comes on top of another one"),
        ("a list and a value", "<Obj><S>a</S><LST/></Obj>", "<LST> comes on top of another one"),
        (
            "a reference that is wrapped",
            "<Obj RefId='0'><Ref RefId='0'/></Obj>",
            "<Ref> cannot stand in <Obj>",
        ),
        ("two ToString", "<Obj><ToString/><ToString/></Obj>", "<ToString> comes on top of another one"),
        ("two types", "<Obj><TN/><TN/></Obj>", "<TN> comes on top of another one"),
        ("a reference to nowhere", "<Obj><MS><Ref N='a' RefId='7'/></MS></Obj>", "<Ref> refers to RefId `7`"),
        ("a reference forward", "<Objs><Ref RefId='0'/><Obj RefId='0'/></Objs>", "<Ref> refers to RefId `0`"),
        ("a reference to nothing", "<Objs><Ref/></Objs>", "<Ref> has no attribute RefId here"),
        ("types of nowhere", "<Obj><TNRef RefId='1'/></Obj>", "<TNRef> refers to RefId `1`"),
        (
            "an object's number for types",
            "<Obj RefId='0'><TNRef RefId='0'/></Obj>",
            "<TNRef> refers to RefId `0`",
        ),
        (
            "two objects of a number",
            "<Objs><Obj RefId='0'/>\n<Obj RefId='0'/></Objs>",
            "line 2, column 1: a second <Obj> has RefId `0`",
        ),
        (
            "two types of a number",
            "<Objs><Obj><TN RefId='0'/></Obj><Obj><TN RefId='0'/></Obj></Objs>",
            "a second <TN> has RefId `0`",
        ),
        (
            "a number that is none",
            "<I32>\n12O</I32>",
            "`\\n12O` is not what <I32> holds, which is a whole number of 32 bits",
        ),
    ]);
}

#[test]
fn what_is_no_text_is_an_error_that_says_its_place() {
    for (row, bytes, says) in [
        ("Latin-1", &b"<S>\nZ\xfcrich</S>"[..], "line 2, column 2: the bytes from here on are not UTF-8"),
        ("half of UTF-16", b"\xff\xfe<\0S\0>", "line 1, column 3: the bytes from here on are not UTF-16"),
        (
            "a lone surrogate",
            b"\xff\xfe<\0S\0>\0\x3d\xd8a\0",
            "line 1, column 4: the bytes from here on are not UTF-16",
        ),
    ] {
        let error = clixml::read(bytes).unwrap_err().to_string();
        assert!(error.contains(says), "{row}: {error}");
    }
}
