//! Telling somebody: a POST to a webhook, or a program that reads standard input. Bounded in time, whoever is told.
#![expect(clippy::disallowed_methods, reason = "here somebody outside is told, and a clock bounds it")]

mod surroundings;

use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use url::Url;

use self::surroundings::{BadProxy, is_this_machine, proxy};
use crate::{
    model::secret::Secret,
    process::{self, ProcessError, Program},
    remoting::{self, Deadline, Endpoint, RemotingError, Trust},
};

/// A way to tell somebody.
#[derive(Debug)]
pub enum Route {
    /// A POST to the address in this secret.
    Post(Secret),
    /// A program.
    Program(Program),
}

/// Why somebody could not be told. No error repeats the address, which is a secret; the host is none.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// Not an address.
    #[error("its address cannot be used: {0}")]
    Address(&'static str),
    /// A proxy that is none.
    #[error(transparent)]
    Proxy(#[from] BadProxy),
    /// Nobody there, or nobody who is trusted.
    #[error("{host} cannot be told")]
    NotSent {
        /// The host.
        host: String,
        /// Why not.
        #[source]
        source: RemotingError,
    },
    /// Somebody who does not take it.
    #[error("{host} answers with HTTP status {status}")]
    Status {
        /// The host.
        host: String,
        /// The status.
        status: u16,
    },
    /// It took too long.
    #[error("it took longer than {} seconds", .0.as_secs())]
    TimedOut(Duration),
    /// The program.
    #[error(transparent)]
    Program(#[from] ProcessError),
    /// There is no such program.
    #[error("its program is not there")]
    NoProgram,
}

/// What can be said of a way before anything is to be told: the day that counts is a bad one to find out.
pub fn check(way: &Route) -> Result<(), NotifyError> {
    match way {
        Route::Post(address) => endpoint(address).map(drop),
        Route::Program(program) if program.is_there() => Ok(()),
        Route::Program(_) => Err(NotifyError::NoProgram),
    }
}

/// Tells somebody, in at most `time`. What fails before it could have arrived is tried once more.
pub fn send(way: &Route, body: &[u8], time: Duration) -> Result<(), NotifyError> {
    match way {
        Route::Program(program) => {
            process::run(program, Some(&Secret::new(body.to_vec())), time)?;
            Ok(())
        }
        Route::Post(address) => post_in_time(address, body, time),
    }
}

/// The system's resolver knows no deadline, so all of it is left behind when it takes too long.
fn post_in_time(address: &Secret, body: &[u8], time: Duration) -> Result<(), NotifyError> {
    let ends = Instant::now() + time;
    let endpoint = endpoint(address)?;
    let body = body.to_vec();
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        // Nobody listens any more when it took too long.
        let _ = send.send(post(&endpoint, &body, Deadline::after(time)));
    });
    receive
        .recv_timeout(ends.saturating_duration_since(Instant::now()))
        .unwrap_or(Err(NotifyError::TimedOut(time)))
}

fn post(endpoint: &Endpoint, body: &[u8], deadline: Deadline) -> Result<(), NotifyError> {
    let host = || endpoint.host().to_owned();
    let once = || match remoting::post(endpoint, "application/json", body, deadline) {
        Ok(200..=299) => Ok(()),
        Ok(status) => Err(NotifyError::Status { host: host(), status }),
        Err(source) => Err(NotifyError::NotSent { host: host(), source }),
    };
    match once() {
        // Nothing has arrived there, or a proxy says that nobody was behind it.
        Err(
            NotifyError::NotSent {
                source:
                    RemotingError::Unreachable { .. } | RemotingError::ProxyRefuses { status: 502..=504, .. },
                ..
            }
            | NotifyError::Status { status: 502..=504, .. },
        ) => {
            thread::sleep(PAUSE.min(deadline.left().unwrap_or_default()));
            once()
        }
        result => result,
    }
}

/// Where to. Without TLS everybody on the way could read the address and write there too.
fn endpoint(address: &Secret) -> Result<Endpoint, NotifyError> {
    let text = address.expose_text().ok_or(NotifyError::Address("it is no text"))?.trim();
    let url = Url::parse(text).map_err(|_| NotifyError::Address("it is no URL"))?;
    let host = match (url.scheme(), url.host()) {
        ("https", Some(host)) => host,
        ("http", Some(host)) if is_this_machine(&host) => host,
        ("http", Some(_)) => {
            return Err(NotifyError::Address("it begins with http://; only https:// leaves this machine"));
        }
        _ => return Err(NotifyError::Address("it does not begin with https:// and a host")),
    };
    let endpoint = Endpoint::new(text, Trust::System)
        .map_err(|_| NotifyError::Address("it holds a user, a password or a part after #"))?;
    let way = proxy(|name| std::env::var(name).ok(), &host, url.port_or_known_default().unwrap_or(443))?;
    Ok(match way {
        Some(proxy) => endpoint.through(proxy),
        None => endpoint,
    })
}

/// A server that restarts is back soon.
const PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_https_and_errors_do_not_repeat_them() {
        let of = |text: &str| endpoint(&Secret::new(text.as_bytes().to_vec()));
        for good in [
            "https://hooks.example.com/services/T/B/x?sig=y\n",
            "http://127.0.0.1:8080/x",
            "http://[::1]/x",
            "http://localhost:1/",
        ] {
            assert!(of(good).is_ok(), "{good}");
        }
        for wrong in [
            "http://hooks.example.com/hunter2",
            "https://me:hunter2@hooks.example.com/",
            "https://hooks.example.com/#hunter2",
            "file:///hunter2",
            "hunter2",
            "",
            "https://",
        ] {
            let error = of(wrong).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn who_never_answers_does_not_hold_anybody_up() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
        let address = format!("http://{}/", listener.local_addr().expect("bound"));
        let way = Route::Post(Secret::new(address.into_bytes()));
        let error = send(&way, b"{}", Duration::from_millis(50)).expect_err("nobody answers");
        let in_time = matches!(
            error,
            NotifyError::TimedOut(_)
                | NotifyError::NotSent { source: RemotingError::DeadlineExceeded { .. }, .. }
        );
        assert!(in_time, "{error:?}");
    }
}
