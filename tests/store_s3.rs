//! Runs in a bucket, over the protocol of S3: two processes race for files, for a counter and for the lock. The server is
//! moto (PyPI `moto[server]`), on loopback, and ends with the test. Not on Windows: a shell script
//! starts moto; what certwright does there is the same.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests start programs and touch the disk")]

#[path = "support/organization.rs"]
mod organization;
#[path = "support/race.rs"]
mod race;
#[path = "support/writers.rs"]
mod writers;

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use certwright::{
    journal::{LockOptions, Store, StoreError},
    model::{
        action::StepId,
        entry::{Entry, Outcome},
    },
    ports::journal::Journal,
};
use organization::Organization;
use race::Place;
use writers::{Part, holder, now};

#[test]
fn as_another_process() {
    writers::play();
}

/// A server of S3 with one bucket.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// None when the program is missing.
    fn start() -> Option<Self> {
        let Some(program) = std::env::var_os("CERTWRIGHT_MOTO_SERVER") else {
            let skipped =
                "\nSKIPPED: runs in a bucket need CERTWRIGHT_MOTO_SERVER, the path of moto_server\n";
            std::io::stderr().write_all(skipped.as_bytes()).unwrap();
            return None;
        };
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { child, port };
        let begun = Instant::now();
        while !server.make_bucket() {
            assert!(begun.elapsed() < Duration::from_secs(60), "moto does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(server)
    }

    fn make_bucket(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) else { return false };
        let request = format!(
            "PUT /runs HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            self.port
        );
        let mut answer = String::new();
        stream.write_all(request.as_bytes()).is_ok()
            && stream.read_to_string(&mut answer).is_ok()
            && answer.starts_with("HTTP/1.1 200")
    }

    fn part(&self, folder: &str, aside: &Path, rounds: u32) -> Part {
        Part {
            role: "",
            place: format!("s3://runs/{folder}"),
            variables: self.variables(),
            name: String::new(),
            rounds,
            beat: Duration::from_millis(10),
            aside: aside.display().to_string(),
        }
    }

    fn variables(&self) -> Vec<(String, String)> {
        [
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ENDPOINT", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn two_processes_and_one_bucket() {
    let Some(server) = Server::start() else { return };
    let aside = tempfile::tempdir().unwrap();
    writers::race_to_create(&server.part("create", aside.path(), 20));
    writers::race_to_replace(&server.part("replace", aside.path(), 20));
    writers::race_to_lock(&server.part("lock", aside.path(), 6));
    a_journal_in_a_bucket(&server);
    the_lock_says_who_holds_it(&server);
    of_two_programs_that_apply_one_works(&server);
}

fn of_two_programs_that_apply_one_works(server: &Server) {
    let template = Organization::contoso(&[]);
    let place = |_: &Organization, round| Place {
        state: format!("s3://runs/apply-{round}"),
        variables: server.variables(),
    };
    race::one_works_and_the_other_is_refused(&template, place);
    let organization = template.copy();
    race::one_works_and_the_other_waits(&organization, &place(&organization, 100));
}

fn a_journal_in_a_bucket(server: &Server) {
    let store = Store::open_with("s3://runs/journal", server.variables()).unwrap();
    let run = store.begin(now()).unwrap();
    let entries = [
        Entry::Started { at: now(), step: StepId(1) },
        Entry::Closed { at: now(), outcome: Outcome::Stopped },
    ];
    for entry in &entries {
        run.append(entry).unwrap();
    }
    assert_eq!(store.read(run.run()).unwrap(), entries);
    assert_eq!(store.runs().unwrap(), [run.run()]);
    let again = store.resume(run.run()).unwrap();
    again.append(&entries[0]).unwrap();
    assert!(run.append(&entries[1]).is_err(), "who was overtaken does not write any more");
    assert_eq!(store.read(run.run()).unwrap().len(), 3);
}

fn the_lock_says_who_holds_it(server: &Server) {
    let store = Store::open_with("s3://runs/held", server.variables()).unwrap();
    let lock = store.lock(&holder("anna"), now(), &LockOptions::default()).unwrap();
    lock.still_held().unwrap();
    let other = store.lock(&holder("boris"), now(), &LockOptions::default());
    let Err(StoreError::Locked(held)) = other else { panic!("{other:?}") };
    assert_eq!(held.by.unwrap().user, "anna");
    lock.release().unwrap();
    store.lock(&holder("boris"), now(), &LockOptions::default()).unwrap();
}
