//! Peers that do not behave: each ends in a verdict, and none holds a verdict up or takes memory as it likes.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests listen and connect")]

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::Duration,
};

use certwright::{
    model::{
        endpoint::Protocol,
        handshake::{
            probe_error::{Phase, ProbeError},
            tls::{Alert, TlsVersion},
        },
    },
    ports::{
        health::{Page, VirtualDirectory},
        prober::{Prober, Target, Unfinished},
    },
    probe::{Network, Patience},
};

/// Whether an error is the right one.
type Fits = Box<dyn Fn(&ProbeError) -> bool>;

type FitsPlainly = fn(&ProbeError) -> bool;

/// What a peer does with a connection. It ends when the client has left.
type Peer = fn(TcpStream) -> std::io::Result<()>;

/// Listens on loopback and treats everybody alike. The thread ends with the test's process.
fn listen(peer: Peer) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || peer(stream.unwrap()));
        }
    });
    address
}

/// Meets the peer. Whoever is held up longer than any deadline of this test waits for ever.
fn meet(peer: Peer, protocol: Protocol) -> ProbeError {
    let name = Some("mail.contoso.com".parse().unwrap());
    let target = Target { address: listen(peer), protocol, name, spent: Duration::ZERO };
    within_reason(move || network().probe(&target)).unwrap_err().error
}

fn within_reason<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || send.send(work()));
    receive.recv_timeout(Duration::from_secs(60)).expect("the meeting ends by itself")
}

fn network() -> Network {
    Network { patience: Patience::of(Duration::from_secs(2)) }
}

fn endless(mut stream: TcpStream, piece: &[u8]) -> std::io::Result<()> {
    loop {
        stream.write_all(piece)?;
    }
}

fn silent(mut stream: TcpStream) -> std::io::Result<()> {
    std::io::copy(&mut stream, &mut std::io::sink()).map(drop)
}

fn say_and_listen(mut stream: TcpStream, words: &[u8]) -> std::io::Result<()> {
    stream.write_all(words)?;
    silent(stream)
}

/// Waits for some words of the client, whatever they are.
fn hear(stream: &mut TcpStream) -> std::io::Result<()> {
    let count = stream.read(&mut [0; 4096])?;
    if count == 0 { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

fn drip(mut stream: TcpStream) -> std::io::Result<()> {
    loop {
        stream.write_all(b"2")?;
        thread::sleep(Duration::from_millis(30));
    }
}

/// A record of TLS with this type and body.
fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, 3, 3], &length[..], body].concat()
}

#[test]
fn words_in_the_clear() {
    use Protocol::{Imap, Pop, Smtp};
    let timed_out = |phase| move |error: &ProbeError| *error == ProbeError::TimedOut { phase };
    let rows: Vec<(&str, Protocol, Peer, Fits)> = vec![
        ("silence", Smtp, silent, Box::new(timed_out(Phase::Greeting))),
        ("a drip of bytes", Smtp, drip, Box::new(timed_out(Phase::Greeting))),
        (
            "an immediate close",
            Smtp,
            |_| Ok(()),
            Box::new(|error| *error == ProbeError::Closed { phase: Phase::Greeting }),
        ),
        (
            "a line without end",
            Smtp,
            |stream| endless(stream, &[b'x'; 4096]),
            Box::new(|error| matches!(error, ProbeError::Violation { .. })),
        ),
        (
            "lines without end",
            Smtp,
            |stream| endless(stream, b"220-welcome\r\n"),
            Box::new(|error| matches!(error, ProbeError::Violation { .. })),
        ),
        (
            "garbage",
            Smtp,
            |stream| say_and_listen(stream, b"\0\xff\x1b[2J\n"),
            Box::new(
                |error| matches!(error, ProbeError::Violation { why: what } if !what.contains('\u{1b}')),
            ),
        ),
        (
            "a polite no",
            Smtp,
            |stream| say_and_listen(stream, b"554 5.7.1 not for you\r\n"),
            Box::new(
                |error| matches!(error, ProbeError::NotOffered { words } if words.contains("not for you")),
            ),
        ),
        (
            "no STARTTLS",
            Smtp,
            |mut stream| {
                stream.write_all(b"220 mail\r\n")?;
                hear(&mut stream)?;
                say_and_listen(stream, b"250-mail\r\n250 SIZE 1000\r\n")
            },
            Box::new(|error| matches!(error, ProbeError::NotOffered { words } if words.contains("SIZE"))),
        ),
        (
            "words after the agreement",
            Smtp,
            |mut stream| {
                stream.write_all(b"220 mail\r\n")?;
                hear(&mut stream)?;
                stream.write_all(b"250-mail\r\n250 STARTTLS\r\n")?;
                hear(&mut stream)?;
                say_and_listen(stream, b"220 go ahead\r\n250 injected\r\n")
            },
            Box::new(
                |error| matches!(error, ProbeError::Violation { why: what } if what.contains("injected")),
            ),
        ),
        (
            "news without end",
            Imap,
            |mut stream| {
                stream.write_all(b"* OK ready\r\n")?;
                endless(stream, b"* 1 EXISTS\r\n")
            },
            Box::new(|error| matches!(error, ProbeError::Violation { .. })),
        ),
        (
            "a no of POP3",
            Pop,
            |mut stream| {
                stream.write_all(b"+OK ready\r\n")?;
                hear(&mut stream)?;
                say_and_listen(stream, b"-ERR no TLS here\r\n")
            },
            Box::new(|error| matches!(error, ProbeError::NotOffered { .. })),
        ),
    ];
    for (what, protocol, peer, fits) in rows {
        let error = meet(peer, protocol);
        assert!(fits(&error), "{what}: {error:?}");
    }
}

#[test]
fn handshakes() {
    let rows: [(&str, Peer, FitsPlainly); 10] = [
        ("silence", silent, |error| *error == ProbeError::TimedOut { phase: Phase::Handshake }),
        ("a drip of bytes", drip, |error| {
            matches!(error, ProbeError::NotTls { .. } | ProbeError::TimedOut { .. })
        }),
        ("an immediate close", |_| Ok(()), |error| *error == ProbeError::Closed { phase: Phase::Handshake }),
        (
            "HTTP in the clear",
            |stream| say_and_listen(stream, b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            |error| matches!(error, ProbeError::NotTls { starts } if starts.starts_with("HTTP/1.1 400")),
        ),
        (
            "garbage without end",
            |stream| endless(stream, &[0xa5; 4096]),
            |error| matches!(error, ProbeError::NotTls { .. } | ProbeError::Violation { .. }),
        ),
        (
            "the alert that the name is unknown",
            |stream| say_and_listen(stream, &record(21, &[2, 112])),
            |error| *error == ProbeError::Alert { alert: Alert::UNRECOGNIZED_NAME },
        ),
        (
            "the alert of a server of TLS 1.0",
            |stream| say_and_listen(stream, &[21, 3, 1, 0, 2, 2, 70]),
            |error| *error == ProbeError::LegacyOnly { version: TlsVersion::Tls10 },
        ),
        (
            "a hello of 16 MiB that never comes",
            |stream| {
                let hello = [&[2, 0xff, 0xff, 0xff][..], &[0; 1000]].concat();
                say_and_listen(stream, &record(22, &hello))
            },
            |error| matches!(error, ProbeError::Violation { .. } | ProbeError::TimedOut { .. }),
        ),
        (
            "empty records without end",
            |stream| endless(stream, &[22, 3, 3, 0, 0].repeat(800)),
            |error| matches!(error, ProbeError::Violation { .. } | ProbeError::TimedOut { .. }),
        ),
        (
            "alerts of no weight without end",
            |stream| endless(stream, &record(21, &[1, 90]).repeat(500)),
            |error| {
                matches!(
                    error,
                    ProbeError::Violation { .. } | ProbeError::Alert { .. } | ProbeError::TimedOut { .. }
                )
            },
        ),
    ];
    for (what, peer, fits) in rows {
        let error = meet(peer, Protocol::Https);
        assert!(fits(&error), "{what}: {error:?}");
    }
}

/// A hello of TLS 1.0 and then a chain with lengths that lie. The second look reads these bytes itself.
#[test]
fn chains_of_old_servers_that_lie_about_their_lengths() {
    fn hello() -> Vec<u8> {
        let body = [&[3, 1][..], &[7; 32], &[0], &[0, 0x2f], &[0]].concat();
        [&[2, 0, 0, u8::try_from(body.len()).unwrap()][..], &body].concat()
    }
    fn flight(mut stream: TcpStream, certificate: &[u8]) -> std::io::Result<()> {
        hear(&mut stream)?;
        let record = |body: &[u8]| {
            let length = u16::try_from(body.len()).unwrap().to_be_bytes();
            [&[22, 3, 1], &length[..], body].concat()
        };
        say_and_listen(stream, &[record(&hello()), record(certificate)].concat())
    }
    let rows: [(&str, Peer); 4] = [
        ("more than came", |stream| flight(stream, &[11, 0xff, 0xff, 0xff, 0, 0, 1])),
        ("a certificate beyond its list", |stream| {
            flight(stream, &[11, 0, 0, 7, 0, 0, 4, 0xff, 0xff, 0xff, 0])
        }),
        ("certificates of no bytes", |stream| {
            let list = vec![0; 3 * 4000];
            let length = u32::try_from(list.len()).unwrap().to_be_bytes();
            let body = [&length[1..], &list].concat();
            let total = u32::try_from(body.len()).unwrap().to_be_bytes();
            flight(stream, &[&[11][..], &total[1..], &body].concat())
        }),
        ("nothing at all", |stream| flight(stream, &[])),
    ];
    for (what, peer) in rows {
        let error = meet(peer, Protocol::Https);
        assert_eq!(error, ProbeError::LegacyOnly { version: TlsVersion::Tls10 }, "{what}");
    }
}

#[test]
fn pages_of_peers_that_are_none() {
    let target =
        Target { address: listen(silent), protocol: Protocol::Https, name: None, spent: Duration::ZERO };
    let Unfinished { error, .. } =
        within_reason(move || network().health(&target, Page::HealthCheck(VirtualDirectory::Owa)))
            .unwrap_err();
    assert_eq!(error, ProbeError::TimedOut { phase: Phase::Handshake });
}

#[test]
fn nobody_there() {
    // A port that was free a moment ago.
    let address = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let target =
        Target { address: address.clone(), protocol: Protocol::Smtp, name: None, spent: Duration::ZERO };
    let error = within_reason(move || network().probe(&target)).unwrap_err().error;
    assert_eq!(error, ProbeError::Refused { address });
}
