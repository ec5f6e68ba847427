//! Basic inside TLS, and everything about sessions that does not depend on how one authenticates.

use std::time::Duration;

use certwright::remoting::{
    Argument, Credentials, Deadline, End, HostPolicy, Limits, PsrpSession, Refusal, RemotingError, Tickets,
    Trust,
};
use sha2::{Digest, Sha256};

use crate::hostile_texts::hostile;
use crate::peer::{
    HOST, Peer, Tls, basic, command, converse, endpoint, open, property, python, run, soon, texts,
};

const PASSWORD: &str = "pa:ss word";
const USER: &str = "CORP\\svc:pa:ss word";

/// A server with TLS and Basic, more arguments for it, and a session with it.
fn session(more: &[&str]) -> Option<(Peer, PsrpSession)> {
    let tls = Tls::for_name(HOST);
    let file = tls.file();
    let arguments = [&["--certificate", &file, "--basic", USER], more].concat();
    let peer = Peer::start(&python()?, &arguments);
    let session = open(&endpoint("https", peer.address, tls.trusted()), basic(PASSWORD)).unwrap();
    Some((peer, session))
}

#[test]
fn a_session_runs_cmdlets_and_deletes_its_shell() {
    let Some((peer, mut session)) = session(&[]) else { return };
    converse(&mut session);
    session.close();
    assert_eq!(peer.end(), ["shells 0"]);
}

#[test]
fn hostile_values_arrive_as_they_are() {
    let Some((_peer, mut session)) = session(&[]) else { return };
    for text in hostile() {
        let echo = run(&mut session, "Test-Echo", &[("Name", Argument::Text(text.clone()))]);
        assert_eq!(texts(&echo), [format!("Name PSString {text}")]);
    }
}

#[test]
fn chunked_answers_and_small_fragments_make_no_difference() {
    let Some((peer, mut session)) = session(&["--chunked", "--fragment", "100"]) else { return };
    converse(&mut session);
    drop(session);
    assert_eq!(peer.end(), ["shells 0"]);
}

#[test]
fn streams_are_told_apart() {
    let Some((_peer, mut session)) = session(&[]) else { return };
    let output = run(&mut session, "Test-Streams", &[("Bytes", Argument::Integer(600_000))]);
    assert_eq!((output.warnings, output.end), (vec!["mind the gap".to_owned()], End::Completed));
    let [error] = &output.errors[..] else { panic!("one error") };
    assert_eq!(
        (error.message.as_str(), error.fully_qualified_error_id.as_str(), error.category.name()),
        ("EX2 does not answer", "Timeout,Test.Streams", "ResourceUnavailable")
    );
    assert_eq!((error.target.as_deref(), error.reason.as_str()), (Some("EX2"), "TimeoutException"));
    assert_eq!(error.exceptions[0].types[0], "System.TimeoutException");
    let [null, bytes] = &output.objects[..] else { panic!("two objects") };
    assert!(null.is_null(&null.roots()[0]));
    assert_eq!(bytes.bytes(&bytes.roots()[0]).unwrap(), vec![7; 600_000]);
}

#[test]
fn two_cmdlets_make_a_pipeline() {
    let Some((_peer, mut session)) = session(&[]) else { return };
    let names = Argument::Texts(vec!["Thumbprint".into(), "Services".into()]);
    let both =
        command("Get-ExchangeCertificate", &[]).piped_into(command("Select-Object", &[("Property", names)]));
    let output = session.invoke(&both, HostPolicy::Nobody, soon()).unwrap();
    let object = &output.objects[0];
    assert_eq!((property(object, "Thumbprint"), property(object, "RawData")), (Some("AA"), None));
}

#[test]
fn nobody_answers_unless_asked_to_and_then_says_no() {
    let Some((_peer, mut session)) = session(&[]) else { return };
    let enable = command("Enable-ExchangeCertificate", &[("Services", Argument::Texts(vec!["SMTP".into()]))]);
    let output = session.invoke(&enable, HostPolicy::Nobody, soon()).unwrap();
    assert_eq!(output.error().unwrap().refusal(), Some(Refusal::ConfirmationRequired));

    let output = session.invoke(&enable, HostPolicy::AnswerNo, soon()).unwrap();
    assert_eq!((texts(&output), &output.end), (vec!["answered &No"], &End::Completed));
    assert_eq!(output.declined.len(), 1);
    assert!(output.declined[0].starts_with("Confirm: Overwrite the existing default SMTP certificate?"));

    let output = session.invoke(&enable, HostPolicy::Nobody, soon()).unwrap();
    assert_eq!(output.error().unwrap().refusal(), Some(Refusal::ConfirmationRequired), "for one call only");
    for choices in [2, 5] {
        let ask = command("Test-Prompt", &[("Choices", Argument::Integer(choices))]);
        let output = session.invoke(&ask, HostPolicy::AnswerNo, soon()).unwrap();
        assert_eq!(texts(&output), ["answered &No"], "{choices} choices");
    }
}

#[test]
fn a_question_that_nobody_expected_stops_the_command() {
    for (parameters, policy) in [
        (vec![("Choices", Argument::Integer(3))], HostPolicy::AnswerNo),
        (vec![("Choices", Argument::Integer(4)), ("Always", Argument::Boolean(true))], HostPolicy::Nobody),
    ] {
        let Some((peer, mut session)) = session(&[]) else { return };
        let error = session.invoke(&command("Test-Prompt", &parameters), policy, soon()).unwrap_err();
        let RemotingError::OutcomeUnknown { source, command, .. } = error else { panic!("{error}") };
        assert!(matches!(*source, RemotingError::UnexpectedPrompt { .. }), "{source}");
        assert_eq!(command, "Test-Prompt");
        let again = session.invoke(&crate::peer::command("Test-Echo", &[]), policy, soon());
        assert!(matches!(again, Err(RemotingError::SessionDied { .. })), "the session is over");
        drop(session);
        assert_eq!(peer.end(), ["stopped", "shells 0"]);
    }
}

#[test]
fn a_deadline_leaves_the_outcome_unknown_and_stops_the_command() {
    let Some((peer, mut session)) = session(&[]) else { return };
    let sleep = command("Start-Sleep", &[("Seconds", Argument::Integer(600))]);
    let error =
        session.invoke(&sleep, HostPolicy::Nobody, Deadline::after(Duration::from_secs(2))).unwrap_err();
    let RemotingError::OutcomeUnknown { source, .. } = error else { panic!("{error}") };
    assert!(matches!(*source, RemotingError::DeadlineExceeded { .. }), "{source}");
    drop(session);
    assert_eq!(peer.end(), ["stopped", "shells 0"]);
}

#[test]
fn a_connection_that_breaks_leaves_the_outcome_unknown() {
    let Some((_peer, mut session)) = session(&["--cut"]) else { return };
    let error = session.invoke(&command("Test-Echo", &[]), HostPolicy::Nobody, soon()).unwrap_err();
    let RemotingError::OutcomeUnknown { source, .. } = error else { panic!("{error}") };
    assert!(matches!(*source, RemotingError::SessionDied { .. }), "{source}");
}

#[test]
fn more_than_the_limits_is_refused() {
    let tls = Tls::for_name(HOST);
    let Some(python) = python() else { return };
    let peer = Peer::start(&python, &["--certificate", &tls.file(), "--basic", USER]);
    for (limits, bytes) in [
        (Limits { output: 100_000, ..Limits::default() }, 200_000),
        (Limits { records: 3, ..Limits::default() }, 1),
        (Limits { message: 100_000, ..Limits::default() }, 200_000),
        (Limits { answer: 50_000, ..Limits::default() }, 200_000),
    ] {
        let endpoint = endpoint("https", peer.address, tls.trusted());
        let mut session = PsrpSession::open(&endpoint, basic(PASSWORD), limits, soon()).unwrap();
        let command = command("Test-Streams", &[("Bytes", Argument::Integer(bytes))]);
        let error = session.invoke(&command, HostPolicy::Nobody, soon()).unwrap_err();
        let RemotingError::OutcomeUnknown { source, .. } = error else { panic!("{limits:?}: {error}") };
        let expected = matches!(*source, RemotingError::TooMuchOutput(_) | RemotingError::Protocol { .. });
        assert!(expected, "{limits:?}: {source}");
    }
}

#[test]
fn sessions_that_are_not_to_be_had_say_why() {
    let tls = Tls::for_name(HOST);
    let Some(python) = python() else { return };
    let file = tls.file();
    let peer = Peer::start(&python, &["--certificate", &file, "--basic", USER, "--most-shells", "1"]);
    let good = endpoint("https", peer.address, tls.trusted());
    let refused = |error: Result<PsrpSession, RemotingError>| error.err().expect("no session");

    let error = refused(open(&good, basic("hunter2")));
    assert!(matches!(error, RemotingError::AuthenticationFailed { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    let error = refused(open(&good, Credentials::Kerberos(Tickets::default())));
    assert!(error.to_string().contains("offers Basic"), "{error}");
    let error = refused(open(&endpoint("http", peer.address, Trust::System), basic(PASSWORD)));
    assert!(matches!(error, RemotingError::InsecureTransport(_)), "{error}");
    let elsewhere =
        certwright::remoting::Endpoint::new(&format!("https://{HOST}/wsman"), tls.trusted()).unwrap();
    let error = refused(open(&elsewhere.at(peer.address), basic(PASSWORD)));
    assert!(matches!(error, RemotingError::EndpointNotFound { .. }), "{error}");

    for trust in
        [Trust::Authorities(vec![Tls::for_name(HOST).authority]), Trust::Fingerprint([7; 32]), Trust::System]
    {
        let error = refused(open(&endpoint("https", peer.address, trust.clone()), basic(PASSWORD)));
        assert!(matches!(error, RemotingError::TlsUntrusted { .. }), "{trust:?}: {error}");
    }
    let other =
        certwright::remoting::Endpoint::new("https://ex2.corp.example/PowerShell", tls.trusted()).unwrap();
    let error = refused(open(&other.at(peer.address), basic(PASSWORD)));
    assert!(matches!(error, RemotingError::TlsUntrusted { .. }), "another name: {error}");

    let pin = Trust::Fingerprint(Sha256::digest(&tls.leaf).into());
    let held = open(&endpoint("https", peer.address, pin), basic(PASSWORD)).unwrap();
    let error = refused(open(&good, basic(PASSWORD)));
    assert!(matches!(error, RemotingError::TooManySessions { .. }) && error.is_transient(), "{error}");
    drop(held);
    drop(open(&good, basic(PASSWORD)).unwrap());

    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = refused(open(&endpoint("https", nowhere, tls.trusted()), basic(PASSWORD)));
    assert!(matches!(error, RemotingError::Unreachable { .. }) && error.is_transient(), "{error}");
}

#[test]
fn ntlm_is_never_spoken() {
    let tls = Tls::for_name(HOST);
    let Some(python) = python() else { return };
    let peer = Peer::start(&python, &["--certificate", &tls.file(), "--scheme", "NTLM"]);
    let credentials = Credentials::Kerberos(Tickets::default());
    let error = open(&endpoint("https", peer.address, tls.trusted()), credentials).err().unwrap();
    assert!(matches!(error, RemotingError::NoCommonAuthentication { .. }), "{error}");
    assert!(error.to_string().contains("NTLM, Basic"), "{error}");
}
