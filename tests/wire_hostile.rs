//! Hostile input: every answer is an error or a result of bounded size, never a panic. The mutations are the same in
//! every run; `fuzz/` holds targets that look further.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests; figures are printed")]

mod support;

use certwright::{
    model::{
        bundle::{Answer, Bundle},
        certificate::{Certificate, Der},
        dn::DistinguishedName,
        secret::Secret,
    },
    pki::{answer, keys, mint, pem, pfx},
    wire::{
        clixml::{self, Document, Value},
        exchange_certificate::{self, ExchangeCertificateBlob},
        nrbf,
    },
};

/// Every element of the serialization at least once.
const EVERYTHING: &str = r#"<?xml version="1.0" encoding="utf-8"?><Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">
<Obj RefId="0"><TN RefId="0"><T>System.Enum</T><T>System.Object</T></TN><ToString>a_x000A_&lt;b&gt;_xD83D__xDE00__xD83D_</ToString><I32>3</I32>
<Props><S N="S">Z&#252;rich</S><C N="C">233</C><B N="B">true</B><DT N="DT">2026-03-02T09:14:07.5+01:00</DT><TS N="TS">-P1DT2H3M4.5S</TS>
<By N="By">255</By><SB N="SB">-128</SB><U16 N="U16">1</U16><I16 N="I16">-1</I16><U32 N="U32">1</U32><I64 N="I64">-1</I64><U64 N="U64">1</U64>
<Sg N="Sg">1.5</Sg><Db N="Db">-INF</Db><D N="D">12.34</D><BA N="BA">AAH/</BA><G N="G">4f1d6ed3-81ee-4120-9d38-b803867135e5</G></Props>
<MS><URI N="URI">https://mail.contoso.com/owa</URI><Version N="Version">15.2.1544.4</Version><XD N="XD">&lt;a /&gt;</XD><SBK N="SBK"><![CDATA[Get-Date]]></SBK>
<SS N="SS">0100</SS><Nil N="Nil" /><Ref N="Ref" RefId="0" /><MS N="Set"><I32 N="Inner">1</I32></MS></MS></Obj>
<Obj RefId="1"><TNRef RefId="0" /><LST><Obj RefId="2"><IE><S>a</S></IE></Obj><Obj RefId="3"><STK /></Obj><Obj RefId="4"><QUE><Nil /></QUE></Obj></LST></Obj>
<Obj RefId="5" S="output"><DCT><En><S N="Key">k</S><Obj N="Value" RefId="6"><S>v</S><MS /></Obj></En></DCT></Obj><!-- comment --><?pi?>
<PR><AV>Working</AV><AI>0</AI><Nil /><PI>-1</PI><PC>50</PC><T>Processing</T><SR>-1</SR><SD>half</SD></PR>
</Objs>"#;

fn certificate() -> Certificate {
    let file = support::key_pool().join("01.pem");
    #[allow(clippy::disallowed_methods, reason = "tests touch the disk")]
    let key = keys::from_pem(&Secret::new(std::fs::read(file).unwrap()), "test").unwrap();
    let subject = DistinguishedName::common_name_only("EX01");
    let names = ["ex01.contoso.com".parse().unwrap()];
    let content = mint::CertificateContent {
        subject: &subject,
        names: &names,
        not_before: "2026-03-02T09:14:07Z".parse().unwrap(),
        not_after: "2031-03-02T09:14:07Z".parse().unwrap(),
    };
    mint::self_signed(&content, &key).unwrap()
}

fn blob() -> Vec<u8> {
    exchange_certificate::encode(&ExchangeCertificateBlob {
        certificate: Der(b"not read here".to_vec()),
        friendly_name: Some("Zürich".into()),
        has_private_key: true,
        provider_type: Some(12),
        self_signed: true,
        status: 1,
        root_ca_type: 3,
        services: 27,
        iis_services: vec!["IIS://EX01/W3SVC/1".into(), "IIS://EX01/W3SVC/2".into()],
        private_key_exportable: true,
        identity: Some("ex01.contoso.com\\D868BC6CDDAE8424FC76F9188F232788DAF51B07".into()),
    })
}

/// Asks everything of a document that there is to ask. Whatever the file was, the answers end.
fn ask(document: &Document, length: usize) {
    assert!(document.object_count() <= length, "more objects than bytes");
    for root in document.roots() {
        let properties: Vec<&Value> = document.properties(root).map(|property| &property.value).collect();
        let items = document.items(root).unwrap_or_default();
        let entries = document.entries(root).unwrap_or_default();
        let nested = entries.iter().flat_map(|(key, value)| [key, value]);
        for value in properties.into_iter().chain(items).chain(nested).chain([root]) {
            let _ = (
                document.text(value),
                document.integer(value),
                document.boolean(value),
                document.bytes(value),
            );
            let _ = (document.get(value, "Ref"), document.enumeration(value), document.is_null(value));
            let _ = (document.type_names(value), document.entry(value, "k"), document.float(value));
            if let Some(moment) = document.moment(value) {
                let _ = (moment.timestamp(), moment.to_string());
            }
        }
    }
    let _ = format!("{document:?}");
}

#[test]
fn a_document_that_was_cut_is_an_error_at_every_byte() {
    ask(&clixml::read(EVERYTHING.as_bytes()).unwrap(), EVERYTHING.len());
    for end in 0..EVERYTHING.len() {
        assert!(clixml::read(&EVERYTHING.as_bytes()[..end]).is_err(), "{end}");
    }
    let utf16: Vec<u8> = EVERYTHING.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(clixml::read(&utf16).is_ok());
    for end in (0..utf16.len()).step_by(7) {
        assert!(clixml::read(&utf16[..end]).is_err(), "{end}");
    }
}

#[test]
fn a_million_elements_in_each_other() {
    for (row, opening) in [
        ("objects", "<Obj>"),
        ("lists", "<Obj><LST>"),
        ("dictionaries", "<Obj><DCT><En><S N='Key'/><Obj N='Value'><LST>"),
        ("members", "<Obj><MS><Obj N='a'>"),
        ("member sets", "<Obj><MS><MS N='a'>"),
        ("unknown elements", "<html>"),
        ("primitives", "<S>"),
    ] {
        let text = opening.repeat(1_000_000);
        let error = clixml::read(text.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("line 1, column"), "{row}: {error}");
    }
    let text = "<Obj>".repeat(1_000_000);
    let error = clixml::read(text.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("the elements lie more than 200 deep"), "{error}");
}

#[test]
fn a_million_elements_beside_each_other() {
    for (row, element) in [("nothing", "<Nil/>"), ("objects", "<Obj/>"), ("texts", "<S/>")] {
        let text = format!("<Objs>{}</Objs>", element.repeat(1_000_001));
        let error = clixml::read(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("there are more than 1000000 values"), "{row}: {error}");
    }
    let text = format!("<Obj><TN>{}</TN></Obj>", "<T/>".repeat(1_000_001));
    let error = clixml::read(text.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("there are more than 1000000 values"), "types: {error}");
    let attributes: String = (0..1_000_000).map(|at| format!(" a{at}=''")).collect();
    let error = clixml::read(format!("<Obj{attributes}/>").as_bytes()).unwrap_err().to_string();
    assert!(error.contains("more than 16 attributes"), "{error}");
}

#[test]
fn files_that_are_too_large_are_not_read_at_all() {
    let error = clixml::read(&vec![b' '; (64 << 20) + 1]).unwrap_err().to_string();
    assert!(error.starts_with("67108865 bytes are too many"), "{error}");
}

#[test]
fn entities_do_not_grow() {
    let mut bomb = "<!DOCTYPE Objs [<!ENTITY a0 \"ha\">".to_owned();
    for level in 1..=20 {
        bomb += &format!("<!ENTITY a{level} \"{}\">", format!("&a{};", level - 1).repeat(10));
    }
    bomb += "]><Objs><S>&a20;</S></Objs>";
    let error = clixml::read(bomb.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("a document type definition is refused"), "{error}");
    let external = "<!DOCTYPE Objs SYSTEM \"file:///etc/passwd\"><Objs/>";
    assert!(clixml::read(external.as_bytes()).unwrap_err().to_string().contains("is refused"));
}

#[test]
fn circles_end() {
    let circle = r#"<Obj RefId="0"><TN RefId="0"><T>A</T></TN><LST><Ref RefId="0" /></LST><MS><Ref N="Ref" RefId="0" /></MS></Obj>"#;
    let document = clixml::read(circle.as_bytes()).unwrap();
    ask(&document, circle.len());
    let mut value = &document.roots()[0];
    for _ in 0..1000 {
        value = document.get(value, "Ref").unwrap();
    }
    assert_eq!(value, &document.items(value).unwrap()[0]);
    // An object cannot be what it wraps itself: a reference has no place there.
    let wrapped = r#"<Obj RefId="0"><Ref RefId="0" /></Obj>"#;
    assert!(clixml::read(wrapped.as_bytes()).is_err());
}

/// A small generator of numbers (xorshift, Marsaglia 2003), so that every run tries the same.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }
}

/// What breaks parsers: borders of lengths, and pieces of our formats.
const PIECES: &[&[u8]] = &[
    &[0],
    &[0xff],
    &[0xff; 4],
    &[0, 0, 0, 0x80],
    &[0xff, 0xff, 0xff, 0x7f],
    &[0xff, 0xff, 0xff, 0xff, 7],
    b"<Obj RefId=\"0\">",
    b"</Obj>",
    b"<LST>",
    b"<Ref RefId=\"0\" />",
    b"<!DOCTYPE a>",
    b"<![CDATA[",
    b"<!---->",
    b"<?",
    b"&#x",
    b"&amp;",
    b"_xD83D_",
    b" N=\"",
    b"'",
    "é".as_bytes(),
];

fn mutated(original: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..=numbers.below(3) {
        let at = numbers.below(bytes.len());
        let end = (at + numbers.below(40)).min(bytes.len());
        match numbers.below(6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let copy = bytes[at..end].to_vec();
                let to = numbers.below(bytes.len());
                bytes.splice(to..to, copy);
            }
            3 => {
                let piece = PIECES[numbers.below(PIECES.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
            4 => {
                let piece = PIECES[numbers.below(PIECES.len())];
                let end = (at + piece.len()).min(bytes.len());
                bytes.splice(at..end, piece.iter().copied());
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << numbers.below(8);
                }
            }
        }
    }
    bytes
}

/// Tries mutations of an original, and says how many were read in spite of all.
fn smoke(original: &[u8], seed: u64, read: impl Fn(&[u8]) -> bool) -> usize {
    smoke_of(MUTATIONS, original, seed, read)
}

fn smoke_of(count: usize, original: &[u8], seed: u64, read: impl Fn(&[u8]) -> bool) -> usize {
    let mut numbers = Numbers(seed);
    assert!(read(original));
    let good = (0..count).filter(|_| read(&mutated(original, &mut numbers))).count();
    eprintln!("bad inputs: {count} tried, {} refused with a word, panics: 0", count - good);
    good
}

const MUTATIONS: usize = 4000;

#[test]
fn mutated_documents() {
    let read = |bytes: &[u8]| clixml::read(bytes).map(|document| ask(&document, bytes.len())).is_ok();
    let good = smoke(EVERYTHING.as_bytes(), 0x5eed_0001, read);
    assert!((1..MUTATIONS).contains(&good), "some can still be read, most cannot: {good}");
    let utf16: Vec<u8> = EVERYTHING.encode_utf16().flat_map(u16::to_be_bytes).collect();
    smoke(&utf16, 0x5eed_0002, read);
}

#[test]
fn mutated_blobs() {
    let plain = blob();
    let length = u32::try_from(plain.len()).unwrap();
    let signed = [b"#sig#", &length.to_le_bytes()[..], &plain, &[0xa5; 32]].concat();
    let read = |bytes: &[u8]| {
        let stream = nrbf::read(bytes).map(|message| format!("{message:?}"));
        exchange_certificate::decode(bytes).is_ok() && (stream.is_ok() || bytes.starts_with(b"#sig#"))
    };
    let good = smoke(&plain, 0x5eed_0003, read);
    assert!((1..MUTATIONS).contains(&good), "some can still be read, most cannot: {good}");
    smoke(&signed, 0x5eed_0004, read);
}

#[test]
fn mutated_certificates() {
    let certificate = certificate();
    let good = smoke(&certificate.der.0, 0x5eed_0005, |bytes| Certificate::from_der(bytes).is_ok());
    assert!((1..MUTATIONS).contains(&good), "some can still be read, most cannot: {good}");
}

/// What a CA answers, and what a server exports: in DER, in PEM, and encrypted.
#[test]
fn mutated_answers_and_pfx_files() {
    let own = certificate();
    let answer = Answer { certificate: own.clone(), chain: vec![own.der.clone()] };
    let pkcs7 = answer::to_pkcs7(&answer).unwrap();
    let pem = pem::of_certificate(&own.der.0);
    for (original, seed) in [(pkcs7.as_slice(), 0x5eed_0006), (pem.as_bytes(), 0x5eed_0007)] {
        let good = smoke(original, seed, |bytes| answer::read(bytes).is_ok());
        assert!((1..MUTATIONS).contains(&good), "some can still be read, most cannot: {good}");
    }
    let file = support::key_pool().join("01.pem");
    #[allow(clippy::disallowed_methods, reason = "tests touch the disk")]
    let key = keys::from_pem(&Secret::new(std::fs::read(file).unwrap()), "test").unwrap();
    let bundle = Bundle { certificate: own, chain: Vec::new(), key: Some(keys::to_pkcs8(&key)) };
    let password = Secret::new(b"correct horse".to_vec());
    let file = pfx::to_travel(&bundle, &password, "mail", pfx::Encryption::Readable).unwrap();
    // Each of them is hashed some thousand times.
    smoke_of(MUTATIONS / 10, &file, 0x5eed_0008, |bytes| pfx::read(bytes, &password).is_ok());
}
