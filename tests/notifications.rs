//! Who is told of drift and of runs, seen from the other end: a listener on loopback, and a program.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests touch the disk and listen on loopback"
)]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Output,
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
    thread,
};

use serde_json::Value;
use support::{certwright, copy_files, example, key_pool};

/// A web server that takes every request and answers with this status.
struct Listener {
    url: String,
    requests: Receiver<Request>,
}

struct Request {
    line: String,
    content_type: String,
    body: Value,
}

impl Listener {
    fn answering(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hooks/{SECRET}?sig={SECRET}", listener.local_addr().unwrap());
        let (send, requests) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let head = head(&mut stream);
                let field = |name: &str| {
                    head.iter().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap().to_owned()
                };
                let mut body = vec![0; field("Content-Length").parse().unwrap()];
                stream.read_exact(&mut body).unwrap();
                write!(stream.get_mut(), "HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nok").unwrap();
                let request = Request {
                    line: head[0].clone(),
                    content_type: field("Content-Type"),
                    body: serde_json::from_slice(&body).unwrap(),
                };
                if send.send(request).is_err() {
                    break;
                }
            }
        });
        Self { url, requests }
    }

    /// What came so far. Whoever sent it has ended.
    fn received(&self) -> Vec<Request> {
        self.requests.try_iter().collect()
    }
}

/// The lines before the empty one.
fn head(stream: &mut impl BufRead) -> Vec<String> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break head,
            line => head.push(line.to_owned()),
        }
    }
}

/// A proxy with a web server of its own behind it, which only it knows: whatever is asked for leads there.
struct ProxyListener {
    address: SocketAddr,
    /// The CA of the web server behind it, in a file.
    roots: tempfile::NamedTempFile,
    seen: Receiver<(Vec<String>, String)>,
}

impl ProxyListener {
    /// One that answers `CONNECT` with this status.
    fn answering(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["hooks.example.com".to_owned()]).unwrap();
        let mut roots = tempfile::NamedTempFile::new().unwrap();
        roots.write_all(made.cert.pem().as_bytes()).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let (send, seen) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let asked = head(&mut BufReader::new(&stream));
                write!(stream, "HTTP/1.1 {status} X\r\n\r\n").unwrap();
                let mut line = String::new();
                if status == 200 {
                    let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
                    let mut tls = BufReader::new(rustls::StreamOwned::new(connection, stream));
                    let inner = head(&mut tls);
                    inner[0].clone_into(&mut line);
                    let length = inner.iter().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
                    tls.read_exact(&mut vec![0; length.parse().unwrap()]).unwrap();
                    tls.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
                }
                if send.send((asked, line)).is_err() {
                    break;
                }
            }
        });
        Self { address, roots, seen }
    }
}

/// Who knows it could write there.
const SECRET: &str = "hunter2";

fn run(arguments: &[&str], directory: &Path, url: &str) -> Output {
    certwright(arguments, directory).env("HOOK", url).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A copy of the example whose manifest tells these.
fn telling(notify: &str) -> tempfile::TempDir {
    let directory = example("contoso");
    let manifest = directory.path().join("manifest.yaml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, format!("{text}\nnotify:\n{notify}")).unwrap();
    directory
}

/// The notification, which is as its schema says.
fn notification(request: &Request) -> &Value {
    let schema = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/notification.schema.json"));
    let validator = jsonschema::draft202012::new(&serde_json::from_str(&schema.unwrap()).unwrap()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&request.body).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{}: {errors:#?}", request.body);
    &request.body
}

#[test]
fn webhooks_of_each_shape_and_programs_are_told_of_drift() {
    let hook = Listener::answering(202);
    let directory = telling(
        "  all: { webhook: { url: { env: HOOK } } }\n  chat: { slack: { url: { env: HOOK } } }\n  \
         team: { teams: { url: { env: HOOK } } }\n  endings: { webhook: { url: { env: HOOK }, on: [done, failed] } }\n  \
         own: { command: { run: [sh, -c, \"cat > told.json\"] } }\n",
    );
    let output = run(&["drift", "--no-handshakes"], directory.path(), &hook.url);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(!stderr(&output).contains("warning"), "{}", stderr(&output));
    let requests = hook.received();
    assert_eq!(requests.len(), 3, "who wants to know of endings only is not told of drift");
    for request in &requests {
        assert_eq!(request.line, format!("POST /hooks/{SECRET}?sig={SECRET} HTTP/1.1"));
        assert_eq!(request.content_type, "application/json");
    }
    let told = notification(&requests[0]);
    assert_eq!((&told["event"], &told["organization"]), (&"drift".into(), &"contoso".into()));
    assert_eq!(told["exitCode"], 2);
    assert!(!told["differences"].as_array().unwrap().is_empty(), "{told}");
    assert!(told["title"].as_str().unwrap().contains("from the manifest"), "{told}");
    assert_eq!(requests[1].body["blocks"][0]["type"], "header");
    let card = &requests[2].body["attachments"][0];
    assert_eq!(card["contentType"], "application/vnd.microsoft.card.adaptive");
    assert_eq!(card["content"]["type"], "AdaptiveCard");
    let own: Value = serde_json::from_slice(&fs::read(directory.path().join("told.json")).unwrap()).unwrap();
    assert_eq!(own["differences"], told["differences"]);
}

/// What is written in the place of a recipient may be the address itself.
#[test]
fn a_wrong_recipient_is_not_repeated() {
    let directory = example("contoso");
    for (value, shown) in [
        (format!("https://hooks.contoso.com/{SECRET}"), "begins with https:"),
        (format!("teams=https://hooks.contoso.com/{SECRET}?sig={SECRET}"), "begins with teams=https:"),
        (format!("slack={SECRET}"), "begins with slack="),
        (SECRET.to_owned(), "'--notify' names nobody"),
        (format!("{SECRET}=env:HOOK"), "'--notify' names nobody"),
    ] {
        for format in ["human", "json"] {
            let words = ["drift", "--notify", &value, "--format", format];
            let output = run(&words, directory.path(), "");
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(64), "{said}");
            assert!(!said.contains(SECRET) && !said.contains("hooks.contoso.com"), "{said}");
            assert!(said.contains(shown) && said.contains("--notify"), "{said}");
        }
    }
}

#[test]
fn who_cannot_be_told_changes_nothing_and_no_address_is_shown() {
    let without = example("contoso");
    let plain = run(&["drift", "--no-handshakes", "--format", "json"], without.path(), "");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refusing = Listener::answering(404);
    for (url, why) in [
        (refusing.url.as_str(), "answers with HTTP status 404"),
        (&format!("http://{closed}/{SECRET}"), "cannot be told"),
        (&format!("http://example.com/{SECRET}"), "only https:// leaves this machine"),
        (SECRET, "it is no URL"),
        ("", "It is empty"),
    ] {
        let directory = telling("  ops: { webhook: { url: { env: HOOK } } }\n");
        let output = run(&["drift", "--no-handshakes", "--format", "json"], directory.path(), url);
        assert_eq!(output.status.code(), plain.status.code());
        let (told, untold): (Value, Value) =
            (serde_json::from_slice(&output.stdout).unwrap(), serde_json::from_slice(&plain.stdout).unwrap());
        assert_eq!(told["differences"], untold["differences"]);
        let said = stderr(&output);
        assert!(said.contains("warning: ops was not notified") && said.contains(why), "{url}: {said}");
        assert!(!said.contains(SECRET), "{said}");
    }
}

#[test]
fn a_proxy_leads_to_a_webhook_and_sees_no_more_than_its_host() {
    let hook = format!("https://hooks.example.com/hooks/{SECRET}");
    let drift = |proxy: &ProxyListener, address: &str| {
        let directory = telling("  ops: { webhook: { url: { env: HOOK } } }\n");
        let output = certwright(&["drift", "--no-handshakes"], directory.path())
            .env("HOOK", &hook)
            .env("HTTPS_PROXY", address)
            .env("SSL_CERT_FILE", proxy.roots.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(!said.contains(SECRET), "{said}");
        said
    };
    let proxy = ProxyListener::answering(200);
    let address = format!("http://me:{SECRET}@{}", proxy.address);
    let said = drift(&proxy, &address);
    assert!(!said.contains("warning"), "{said}");
    let (asked, line) = proxy.seen.try_recv().expect("the proxy was asked");
    assert_eq!(asked[0], "CONNECT hooks.example.com:443 HTTP/1.1");
    assert!(asked.contains(&"Proxy-Authorization: Basic bWU6aHVudGVyMg==".to_owned()), "{asked:?}");
    assert_eq!(line, format!("POST /hooks/{SECRET} HTTP/1.1"));
    // Who refuses is named, and who is no proxy.
    let refusing = ProxyListener::answering(407);
    let said = drift(&refusing, &format!("http://{}", refusing.address));
    assert!(said.contains("does not connect to hooks.example.com: HTTP status 407"), "{said}");
    let said = drift(&refusing, &format!("socks5://me:{SECRET}@{}", refusing.address));
    assert!(said.contains("HTTPS_PROXY names no proxy that can be used"), "{said}");
    assert_eq!(refusing.seen.try_iter().count(), 1);
}

#[test]
fn a_watch_tells_what_is_new() {
    let hook = Listener::answering(200);
    let directory = example("contoso");
    let watch =
        ["drift", "--no-handshakes", "--interval", "1s", "--rounds", "3", "--notify", "webhook=env:HOOK"];
    let output = run(&watch, directory.path(), &hook.url);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert_eq!(hook.received().len(), 1);
}

#[test]
fn runs_tell_how_they_ended() {
    let hook = Listener::answering(200);
    let directory = example("contoso");
    let lab = directory.path().join("lab/lab.yaml");
    let text = fs::read_to_string(&lab).unwrap();
    fs::write(&lab, text + "faults:\n  - { verb: restart, after: 1, times: 3, how: before }\n").unwrap();
    let apply = ["apply", "--auto-approve", "--notify", "webhook=env:HOOK"];
    let told = |arguments: &[&str], directory: &Path, code: i32| {
        let output = run(arguments, directory, &hook.url);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        let requests = hook.received();
        assert_eq!(requests.len(), 1, "{arguments:?}: {}", stderr(&output));
        let told = notification(&requests[0]).clone();
        assert_eq!(told["exitCode"], code, "{told}");
        assert!(!told.to_string().contains(SECRET), "{told}");
        told
    };
    let stopped = told(&apply, directory.path(), 6);
    assert_eq!(stopped["event"], "failed", "{stopped}");
    assert_eq!(stopped["counts"]["failed"], 1, "{stopped}");
    assert!(stopped["details"][0].as_str().unwrap().contains("failed"), "{stopped}");
    assert!(stopped["next"].to_string().contains("certwright apply"), "{stopped}");
    let done = told(&apply, directory.path(), 0);
    assert_eq!(done["event"], "done", "{done}");
    assert_eq!(done["run"], stopped["run"]);
    // Nothing to do is no news.
    assert_eq!(run(&apply, directory.path(), &hook.url).status.code(), Some(0));
    assert!(hook.received().is_empty());
    let back = told(&["rollback", "--auto-approve", "--notify", "webhook=env:HOOK"], directory.path(), 0);
    assert_eq!(back["rollsBack"], done["run"], "{back}");
    // An error that nobody is there to read.
    let manifest = directory.path().join("manifest.yaml");
    let good = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, good.replace("ex01.contoso.com", "ex77.contoso.com")).unwrap();
    let error = told(&apply, directory.path(), 3);
    assert_eq!(error["event"], "failed", "{error}");
    fs::write(&manifest, "organization: [\n").unwrap();
    let unread = told(&apply, directory.path(), 3);
    assert!(unread.get("organization").is_none(), "{unread}");
}

#[test]
fn a_run_that_waits_says_for_what() {
    let hook = Listener::answering(200);
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd/auth");
    let waiting = tempfile::tempdir().unwrap();
    copy_files(&cases, waiting.path());
    copy_files(&cases.join("lab"), &waiting.path().join("lab"));
    copy_files(&key_pool(), &waiting.path().join("keys"));
    let apply = ["apply", "--auto-approve", "--notify", "webhook=env:HOOK"];
    let output = run(&apply, waiting.path(), &hook.url);
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    let requests = hook.received();
    let told = notification(&requests[0]);
    assert_eq!(told["event"], "waiting", "{told}");
    assert!(told["details"].to_string().contains("waits for"), "{told}");
    assert!(!told["next"].as_array().unwrap().is_empty(), "{told}");
}
