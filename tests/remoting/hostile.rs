//! Servers that mean no good. Each answer ends in the right error, and none makes this side hold more than its limits.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use certwright::{
    remoting::{Deadline, HostPolicy, Limits, ProtocolError, PsrpSession, RemotingError},
    wire::psrp::Guid,
};

use crate::peer::{HOST, Tls, basic, command, endpoint, soon};

/// A request, as far as a server has to know it.
struct Request {
    action: String,
    message: String,
    pool: Guid,
    pipeline: Guid,
}

/// What a server says to a request, and what has to come of it.
type Script<T> = Box<dyn Fn(&Request) -> T + Send>;
type Expected = fn(&RemotingError) -> bool;

/// What a server does about a request.
enum Reply {
    /// It answers.
    Bytes(Vec<u8>),
    /// It answers, and then repeats itself for ever.
    Endless(Vec<u8>, Vec<u8>),
    /// It answers, and hangs up.
    Last(Vec<u8>),
    /// It says nothing.
    Silence,
}

struct Server {
    address: SocketAddr,
    tls: Tls,
    /// How much it could send.
    sent: Arc<AtomicUsize>,
}

impl Server {
    fn start(mut script: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        let tls = Tls::for_name(HOST);
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(
            rustls::crypto::aws_lc_rs::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![tls.leaf.clone().into()], tls.key.clone().try_into().unwrap())
        .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let sent = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        let config = Arc::new(config);
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                // A client that has had enough hangs up, which is no matter here.
                let _ = converse(socket.unwrap(), &config, &mut script, &count);
            }
        });
        Self { address, tls, sent }
    }

    fn open(&self, limits: Limits, deadline: Deadline) -> Result<PsrpSession, RemotingError> {
        PsrpSession::open(&endpoint("https", self.address, self.tls.trusted()), basic("x"), limits, deadline)
    }
}

fn converse(
    mut socket: TcpStream,
    config: &Arc<rustls::ServerConfig>,
    script: &mut impl FnMut(&Request) -> Reply,
    sent: &AtomicUsize,
) -> std::io::Result<()> {
    let mut connection = rustls::ServerConnection::new(Arc::clone(config)).unwrap();
    let mut stream = rustls::Stream::new(&mut connection, &mut socket);
    let mut known = (Guid::NIL, Guid::NIL);
    loop {
        let Some(request) = read_request(&mut stream, &mut known)? else { return Ok(()) };
        let mut send = |bytes: &[u8]| {
            stream.write_all(bytes)?;
            sent.fetch_add(bytes.len(), Ordering::Relaxed);
            stream.flush()
        };
        match script(&request) {
            Reply::Bytes(bytes) => send(&bytes)?,
            Reply::Last(bytes) => return send(&bytes),
            Reply::Endless(first, again) => {
                send(&first)?;
                loop {
                    send(&again)?;
                }
            }
            Reply::Silence => {
                let mut nothing = [0; 1];
                return stream.read_exact(&mut nothing);
            }
        }
    }
}

fn read_request(stream: &mut impl Read, known: &mut (Guid, Guid)) -> std::io::Result<Option<Request>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length: usize = between(head, "Content-Length: ", "\r\n")
            .or_else(|| between(head, "Content-Length: ", ""))
            .unwrap()
            .parse()
            .unwrap();
        if body.len() < length {
            continue;
        }
        let guid = |from: &str| between(body, from, "\"").and_then(|text| Guid::parse(&text));
        known.0 = guid("<rsp:Shell ShellId=\"").unwrap_or(known.0);
        known.1 = guid("CommandId=\"").unwrap_or(known.1);
        let action = between(body, "<a:Action s:mustUnderstand=\"true\">", "<").unwrap();
        return Ok(Some(Request {
            action: action.rsplit('/').next().unwrap().to_owned(),
            message: between(body, "<a:MessageID>", "<").unwrap(),
            pool: known.0,
            pipeline: known.1,
        }));
    }
}

fn between(text: &str, from: &str, to: &str) -> Option<String> {
    let rest = text.split_once(from)?.1;
    if to.is_empty() { Some(rest.to_owned()) } else { rest.split_once(to).map(|(found, _)| found.to_owned()) }
}

/// An HTTP answer.
fn http(status: &str, content_type: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn soap(request: &Request, body: &str) -> Vec<u8> {
    let xml = format!(
        "<s:Envelope xmlns:s='x'><s:Header><a:RelatesTo>{}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>",
        request.message
    );
    http("200 OK", "application/soap+xml;charset=UTF-8", &xml)
}

fn fault(request: &Request, code: u32) -> Vec<u8> {
    soap(
        request,
        &format!(
            "<s:Fault><s:Code><s:Subcode><s:Value>w:X</s:Value></s:Subcode></s:Code><s:Detail>\
             <f:WSManFault Code='{code}'><f:Message>no</f:Message></f:WSManFault></s:Detail></s:Fault>"
        ),
    )
}

/// A message of PSRP in one fragment.
fn fragment(kind: u32, pool: Guid, pipeline: Guid, xml: &str) -> Vec<u8> {
    let message =
        [&1_u32.to_le_bytes()[..], &kind.to_le_bytes(), &pool.to_wire(), &pipeline.to_wire(), xml.as_bytes()]
            .concat();
    let length = u32::try_from(message.len()).unwrap();
    [&1_u64.to_be_bytes()[..], &0_u64.to_be_bytes(), &[3], &length.to_be_bytes(), &message].concat()
}

fn received(request: &Request, command: bool, fragments: &[Vec<u8>]) -> Vec<u8> {
    let id = if command { format!(" CommandId='{}'", request.pipeline) } else { String::new() };
    let stream = |bytes: &Vec<u8>| {
        format!("<rsp:Stream Name='stdout'{id}>{}</rsp:Stream>", BASE64_STANDARD.encode(bytes))
    };
    let streams: String = fragments.iter().map(stream).collect();
    soap(request, &format!("<rsp:ReceiveResponse>{streams}</rsp:ReceiveResponse>"))
}

fn capability(version: &str) -> String {
    format!("<Obj RefId='0'><MS><Version N='protocolversion'>{version}</Version></MS></Obj>")
}

fn state(name: &str, number: u32) -> String {
    format!("<Obj RefId='0'><MS><I32 N='{name}'>{number}</I32></MS></Obj>")
}

/// Answers as a good server does, up to where a runspace is open and a command begun; what a command puts out is up to
/// the test.
fn good(request: &Request) -> Option<Reply> {
    Some(Reply::Bytes(match request.action.as_str() {
        "Create" => soap(request, "<w:Selector Name='ShellId'>SHELL</w:Selector>"),
        "Receive" if request.pipeline == Guid::NIL => {
            let say = |kind, xml: &str| fragment(kind, request.pool, Guid::NIL, xml);
            let opened = state("RunspaceState", 2);
            received(request, false, &[say(CAPABILITY, &capability("2.3")), say(POOL_STATE, &opened)])
        }
        "Receive" => return None,
        "Command" => soap(request, &format!("<rsp:CommandId>{}</rsp:CommandId>", request.pipeline)),
        _ => soap(request, ""),
    }))
}

#[test]
fn no_session_comes_of_a_server_that_is_none() {
    let deep = "<a>".repeat(100_000);
    let many = "<a/>".repeat(1_000_000);
    let bomb = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;'>]><s:Envelope>&b;</s:Envelope>";
    let soap_type = "application/soap+xml;charset=UTF-8";
    let protocol = |error: &RemotingError| matches!(error, RemotingError::Protocol { .. });
    let rows: Vec<(&str, Reply, Expected)> = vec![
        ("another protocol", Reply::Last(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), protocol),
        ("nothing", Reply::Last(Vec::new()), |error| matches!(error, RemotingError::SessionDied { .. })),
        (
            "half an answer",
            Reply::Last(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_vec()),
            protocol,
        ),
        ("no SOAP", Reply::Bytes(http("200 OK", "text/html", "<html>")), protocol),
        ("SOAP that is none", Reply::Bytes(http("200 OK", soap_type, "<html>")), protocol),
        ("an XML bomb", Reply::Bytes(http("200 OK", soap_type, bomb)), protocol),
        ("deep XML", Reply::Bytes(http("200 OK", soap_type, &deep)), protocol),
        ("much XML", Reply::Bytes(http("200 OK", soap_type, &many)), protocol),
        ("somewhere else", Reply::Bytes(http("302 Found", "text/html", "")), |error| {
            matches!(error, RemotingError::EndpointNotFound { .. })
        }),
        ("busy", Reply::Bytes(http("503 Service Unavailable", "text/html", "")), RemotingError::is_transient),
        (
            "endless headers",
            Reply::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), b"X: y\r\n".repeat(50)),
            protocol,
        ),
        ("an endless header", Reply::Endless(b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; 4096]), protocol),
        ("an endless body", Reply::Endless(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; 65536]), protocol),
        (
            "endless chunks",
            Reply::Endless(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
                [&b"1000\r\n"[..], &[b'x'; 4096], b"\r\n"].concat(),
            ),
            protocol,
        ),
        (
            "interim answers",
            Reply::Endless(Vec::new(), b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100)),
            protocol,
        ),
    ];
    for (row, reply, expected) in rows {
        let mut reply = Some(reply);
        let server = Server::start(move |_| reply.take().unwrap_or(Reply::Silence));
        let error =
            server.open(Limits::default(), Deadline::after(Duration::from_secs(20))).err().expect(row);
        assert!(expected(&error), "{row}: {error:?}");
        let sent = server.sent.load(Ordering::Relaxed);
        assert!(sent < 40 << 20, "{row}: {sent} bytes were taken");
    }
}

#[test]
fn no_runspace_comes_of_messages_that_are_wrong() {
    let other = Guid::from_random([7; 16]);
    let rows: Vec<(&str, Script<Vec<u8>>, Expected)> = vec![
        (
            "an answer to another question",
            Box::new(|request| {
                let message = format!("uuid:{}", Guid::NIL);
                soap(&Request { action: String::new(), message, ..*request }, "<rsp:ReceiveResponse/>")
            }),
            is_protocol,
        ),
        (
            "another version",
            Box::new(|request| pool(request, request.pool, CAPABILITY, &capability("3.0"))),
            is_protocol,
        ),
        (
            "a state before the version",
            Box::new(|request| pool(request, request.pool, POOL_STATE, &state("RunspaceState", 2))),
            is_protocol,
        ),
        (
            "another pool",
            Box::new(move |request| pool(request, other, CAPABILITY, &capability("2.3"))),
            is_protocol,
        ),
        ("an unknown message", Box::new(|request| pool(request, request.pool, 0x99, "<Nil/>")), is_protocol),
        ("no CLIXML", Box::new(|request| pool(request, request.pool, CAPABILITY, "<Obj>")), is_protocol),
        (
            "a bomb",
            Box::new(|request| {
                let bomb = "<!DOCTYPE x [<!ENTITY a 'ha'>]><S>&a;</S>";
                pool(request, request.pool, CAPABILITY, bomb)
            }),
            is_protocol,
        ),
        (
            "a fragment of 4 GiB",
            Box::new(|request| {
                let mut bytes = fragment(CAPABILITY, request.pool, Guid::NIL, "");
                bytes[17..21].copy_from_slice(&u32::MAX.to_be_bytes());
                received(request, false, &[bytes])
            }),
            is_protocol,
        ),
        (
            "output of a command",
            Box::new(|request| received(request, true, &[fragment(CAPABILITY, request.pool, Guid::NIL, "")])),
            is_protocol,
        ),
        (
            "a question",
            Box::new(|request| {
                let call = "<Obj RefId='0'><MS><I64 N='ci'>1</I64><Obj N='mi' RefId='1'><ToString>ReadLine</ToString>\
                            <I32>11</I32></Obj><Obj N='mp' RefId='2'><LST/></Obj></MS></Obj>";
                let capability = fragment(CAPABILITY, request.pool, Guid::NIL, &capability("2.3"));
                received(request, false, &[capability, fragment(POOL_CALL, request.pool, Guid::NIL, call)])
            }),
            |error| matches!(error, RemotingError::UnexpectedPrompt { .. }),
        ),
        (
            "a refusal",
            Box::new(|request| {
                let record = "<Obj RefId='0'><MS><I32 N='RunspaceState'>5</I32><Obj RefId='1' \
                              N='ExceptionAsErrorRecord'><ToString>too bad</ToString><MS>\
                              <S N='FullyQualifiedErrorId'>Bad</S></MS></Obj></MS></Obj>";
                let capability = fragment(CAPABILITY, request.pool, Guid::NIL, &capability("2.3"));
                received(request, false, &[capability, fragment(POOL_STATE, request.pool, Guid::NIL, record)])
            }),
            |error| matches!(error, RemotingError::NotOpened { reason, .. } if reason.message == "too bad"),
        ),
        ("a lost shell", Box::new(|request| fault(request, 2_150_858_843)), |error| {
            matches!(error, RemotingError::SessionDied { .. })
        }),
        ("nothing, again and again", Box::new(|request| fault(request, 2_150_858_793)), |error| {
            matches!(error, RemotingError::DeadlineExceeded { .. })
        }),
    ];
    for (row, answer, expected) in rows {
        let server = Server::start(move |request| match request.action.as_str() {
            "Receive" => Reply::Bytes(answer(request)),
            _ => good(request).unwrap(),
        });
        let error = server.open(Limits::default(), Deadline::after(Duration::from_secs(3))).err().expect(row);
        assert!(expected(&error), "{row}: {error:?}");
    }
}

#[test]
fn whether_a_command_ran_is_known_or_said_not_to_be() {
    // What answers the command, or its first question for output, and whether the outcome is known.
    let rows: Vec<(&str, &str, Script<Reply>, bool)> = vec![
        ("a fault", "Command", Box::new(|request| Reply::Bytes(fault(request, 2_150_859_174))), true),
        ("a broken connection", "Command", Box::new(|_| Reply::Last(Vec::new())), false),
        ("an answer that is cut", "Command", Box::new(|_| Reply::Last(b"HTTP/1.1 2".to_vec())), false),
        ("a status", "Command", Box::new(|_| Reply::Bytes(http("404 Gone", "text/html", ""))), false),
        (
            "a number that is none",
            "Command",
            Box::new(|request| Reply::Bytes(soap(request, "<rsp:CommandId>a b</rsp:CommandId>"))),
            false,
        ),
        ("silence", "Receive", Box::new(|_| Reply::Silence), false),
        ("a fault later", "Receive", Box::new(|request| Reply::Bytes(fault(request, 2_150_858_843))), false),
        (
            "an end without a state",
            "Receive",
            Box::new(|request| {
                let done = "<rsp:ReceiveResponse><rsp:CommandState State='x/CommandState/Done'/></rsp:ReceiveResponse>";
                Reply::Bytes(soap(request, done))
            }),
            false,
        ),
        (
            "another pipeline",
            "Receive",
            Box::new(|request| {
                let output = fragment(OUTPUT, request.pool, Guid::from_random([7; 16]), "<S>x</S>");
                Reply::Bytes(received(request, true, &[output]))
            }),
            false,
        ),
        (
            "output of the shell",
            "Receive",
            Box::new(|request| {
                Reply::Bytes(received(
                    request,
                    true,
                    &[fragment(POOL_STATE, request.pool, request.pipeline, "<Nil/>")],
                ))
            }),
            false,
        ),
        (
            "more after the end",
            "Receive",
            Box::new(|request| {
                let end =
                    fragment(PIPELINE_STATE, request.pool, request.pipeline, &state("PipelineState", 4));
                let more = fragment(OUTPUT, request.pool, request.pipeline, "<S>x</S>");
                Reply::Bytes(received(request, true, &[[end, more].concat()]))
            }),
            false,
        ),
    ];
    for (row, action, answer, known) in rows {
        let server = Server::start(move |request| match request.action.as_str() {
            "Receive" if request.pipeline == Guid::NIL => good(request).unwrap(),
            name if name == action && request.pipeline != Guid::NIL => answer(request),
            _ => good(request).unwrap_or(Reply::Silence),
        });
        let mut session = server.open(Limits::default(), soon()).unwrap();
        let deadline = Deadline::after(Duration::from_secs(3));
        let error = session.invoke(&command("Remove-ExchangeCertificate", &[]), HostPolicy::Nobody, deadline);
        let error = error.expect_err(row);
        let unknown = matches!(error, RemotingError::OutcomeUnknown { .. });
        assert_eq!(!unknown, known, "{row}: {error:?}");
        let again = session.invoke(&command("Get-ExchangeCertificate", &[]), HostPolicy::Nobody, deadline);
        assert!(matches!(again, Err(RemotingError::SessionDied { .. })), "{row}: the session is over");
    }
}

#[test]
fn a_million_objects_are_refused() {
    let server = Server::start(|request| match request.action.as_str() {
        "Receive" if request.pipeline != Guid::NIL => {
            let object = fragment(OUTPUT, request.pool, request.pipeline, "<S>again</S>");
            Reply::Bytes(received(request, true, &vec![object; 1000]))
        }
        _ => good(request).unwrap(),
    });
    let mut session = server.open(Limits { records: 5000, ..Limits::default() }, soon()).unwrap();
    let error =
        session.invoke(&command("Get-ExchangeCertificate", &[]), HostPolicy::Nobody, soon()).unwrap_err();
    let RemotingError::OutcomeUnknown { source, .. } = error else { panic!("{error}") };
    assert!(matches!(*source, RemotingError::TooMuchOutput(_)), "{source}");
}

#[test]
fn questions_without_end_are_not_answered_without_end() {
    let server = Server::start(|request| match request.action.as_str() {
        "Receive" if request.pipeline != Guid::NIL => {
            let call = "<Obj RefId='0'><MS><I64 N='ci'>1</I64><Obj N='mi' RefId='1'><ToString>PromptForChoice</ToString>\
                        <I32>26</I32></Obj><Obj N='mp' RefId='2'><LST><S>c</S><S>q</S><Obj RefId='3'><LST><S>y</S><S>n</S>\
                        </LST></Obj><I32>0</I32></LST></Obj></MS></Obj>";
            let call = fragment(PIPELINE_CALL, request.pool, request.pipeline, call);
            Reply::Bytes(received(request, true, &[call]))
        }
        _ => good(request).unwrap(),
    });
    let mut session = server.open(Limits::default(), soon()).unwrap();
    let error =
        session.invoke(&command("Get-ExchangeCertificate", &[]), HostPolicy::AnswerNo, soon()).unwrap_err();
    let RemotingError::OutcomeUnknown { source, .. } = error else { panic!("{error}") };
    assert!(matches!(*source, RemotingError::UnexpectedPrompt { .. }), "{source}");
}

fn pool(request: &Request, pool: Guid, kind: u32, xml: &str) -> Vec<u8> {
    received(request, false, &[fragment(kind, pool, Guid::NIL, xml)])
}

fn is_protocol(error: &RemotingError) -> bool {
    matches!(error, RemotingError::Protocol { source: ProtocolError::Psrp(_) | ProtocolError::Wsman(_), .. })
}

const CAPABILITY: u32 = 0x0001_0002;
const POOL_STATE: u32 = 0x0002_1005;
const POOL_CALL: u32 = 0x0002_1100;
const OUTPUT: u32 = 0x0004_1004;
const PIPELINE_STATE: u32 = 0x0004_1006;
const PIPELINE_CALL: u32 = 0x0004_1100;
