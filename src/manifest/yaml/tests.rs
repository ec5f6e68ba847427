use super::*;

fn sources(texts: &[(&str, &str)]) -> Vec<Source> {
    texts
        .iter()
        .map(|(file, text)| Source { file: (*file).into(), bytes: text.as_bytes().to_vec() })
        .collect()
}

fn first_finding(text: &[u8]) -> Finding {
    let source = Source { file: "m.yaml".into(), bytes: text.to_vec() };
    manifest(&[source]).expect_err("the text is wrong").remove(0)
}

const HEAD: &str = "apiVersion: certwright/v1\norganization: contoso\ndriver: { lab: {} }\n";

#[test]
fn every_mistake_has_its_place_and_its_way_out() {
    let long = format!("{HEAD}certificates:\n  mail: {{ issuer: ca, names: [{}.com] }}\n", "a".repeat(253));
    let friendly =
        format!("{HEAD}certificates:\n  mail: {{ issuer: ca, friendlyName: {} }}\n", "x".repeat(64));
    for (text, place, path, what, hint) in [
        (String::new(), "m.yaml:1:1", "", "the file is empty", "certwright init"),
        ("# nothing\n".into(), "m.yaml:1:1", "", "the file is empty", "certwright init"),
        ("- a\n".into(), "m.yaml:1:1", "", "not a mapping", "certwright init"),
        (format!("{HEAD}servers:\n\tEX01: {{}}\n"), "m.yaml:5:2", "", "a tab stands", "spaces"),
        (
            format!("{HEAD}servces: {{}}\n"),
            "m.yaml:4:1",
            "servces",
            "unknown field `servces`",
            "did you mean `servers`?",
        ),
        (
            format!("{HEAD}servers:\n  EX01:\n    fqdn: ex01.contoso.com\n    profil: a\n"),
            "m.yaml:7:5",
            "servers.EX01.profil",
            "unknown field `profil`",
            "did you mean `profile`?",
        ),
        (
            format!("{HEAD}profiles:\n  a:\n    services: {{ ISS: mail }}\n"),
            "m.yaml:6:17",
            "profiles.a.services.ISS",
            "unknown value `ISS`",
            "did you mean `IIS`?",
        ),
        (
            format!("{HEAD}certificates:\n  mail:\n    issuer: ca\n    names:\n      - mail contoso\n"),
            "m.yaml:8:9",
            "certificates.mail.names[0]",
            "",
            "",
        ),
        (
            "apiVersion: certwright/v2\norganization: a\ndriver: { lab: {} }\n".into(),
            "m.yaml:1:13",
            "apiVersion",
            "is of format v2; this certwright knows `certwright/v1`",
            "use a newer certwright",
        ),
        (
            "apiVersion: certwright/v1\n".into(),
            "m.yaml:1:1",
            "",
            "has no `organization`",
            "organization: contoso",
        ),
        (format!("{HEAD}organization: b\n"), "m.yaml:4:1", "organization", "defined twice", "keep one"),
        (long, "m.yaml:5:32", "certificates.mail.names[0]", "", ""),
        (friendly, "m.yaml:5:37", "certificates.mail.friendlyName", "64 characters", ""),
        (
            format!("{HEAD}certificates:\n  mail: {{ issuer: ca, renewBefore: soon }}\n"),
            "m.yaml:5:36",
            "certificates.mail.renewBefore",
            "`soon` is not a length of time",
            "",
        ),
        (
            format!("{HEAD}certificates:\n  mail: {{ issuer: ca, retire: {{ afer: 7d }} }}\n"),
            "m.yaml:5:33",
            "certificates.mail.retire.afer",
            "unknown field `afer`",
            "did you mean `after`?",
        ),
    ] {
        if what.is_empty() {
            continue; // templates are turned into names later, where the server is known
        }
        let finding = first_finding(text.as_bytes());
        assert_eq!(finding.place.as_ref().unwrap().to_string(), place, "{text}");
        assert_eq!(finding.path.to_string(), path, "{text}");
        assert!(finding.message.contains(what), "{text}: {}", finding.message);
        assert!(finding.hint.unwrap_or_default().contains(hint), "{text}");
    }
}

#[test]
fn files_that_are_no_text() {
    for (bytes, what) in [
        (&b"\x7fELF\0\0"[..], "binary"),
        (&b"\xff\xfea\0p\0"[..], "UTF-16"),
        (&b"apiVersion: certwright/v1\norganization: M\xfcnchen\n"[..], "the byte 0xFC is not UTF-8"),
    ] {
        assert!(first_finding(bytes).message.contains(what), "{what}");
    }
    let latin1 = first_finding(b"apiVersion: certwright/v1\norganization: M\xfcnchen\n");
    assert_eq!(latin1.place.unwrap().to_string(), "m.yaml:2:16");
    assert!(first_finding(&vec![b'#'; 40_000_000]).message.contains("larger than 32 MiB"));
}

#[test]
fn hostile_texts_end_in_a_finding() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n\
                g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n";
    let deep = format!("a: {}1{}\n", "[".repeat(100), "]".repeat(100));
    for text in [
        bomb,
        deep.as_str(),
        "a: *nowhere\n",
        "a: [1\n",
        "? [a, b]\n: c\n",
        "443: mail\n",
        "a: 1\n---\nb: 2\n",
    ] {
        first_finding(text.as_bytes());
    }
}

#[test]
fn files_of_a_directory_are_joined() {
    let (manifest, _) = manifest(&sources(&[
        ("a.yaml", &format!("{HEAD}issuers: {{ ca: {{ selfSigned: {{}} }} }}\n")),
        ("b.yaml", "apiVersion: certwright/v1\nissuers: { other: { selfSigned: {} } }\n"),
    ]))
    .unwrap();
    assert_eq!(manifest.issuers.keys().map(ToString::to_string).collect::<Vec<_>>(), ["ca", "other"]);
}

#[test]
fn a_key_of_two_files_names_both_places() {
    let findings = manifest(&sources(&[
        ("a.yaml", &format!("{HEAD}issuers:\n  ca: {{ selfSigned: {{}} }}\n")),
        ("b.yaml", "issuers:\n\n  ca: { selfSigned: {} }\n"),
    ]))
    .unwrap_err();
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!(finding.place.as_ref().unwrap().to_string(), "b.yaml:3:3");
    assert_eq!(finding.related.as_ref().unwrap().to_string(), "a.yaml:5:3");
}
