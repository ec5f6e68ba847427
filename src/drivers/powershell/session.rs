//! The session with one server: opened when it is first needed, and again when it was lost. One request at a time.

use std::{
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use super::{
    answer::{self, Good},
    channel::Channel,
    error::PowerShellError,
    request::{Request, turn},
    said::{optional_word, word},
    side::Side,
};
use crate::model::{
    names::{DnsName, ServerName},
    secret::Secret,
    time::Timestamp,
};

/// Makes a channel to a server.
pub type Connect = Box<dyn Fn() -> Result<Box<dyn Channel>, PowerShellError> + Send + Sync>;

/// A server, and how it is reached.
pub struct ServerAccess {
    /// Its name.
    pub name: ServerName,
    /// Its full name.
    pub fqdn: DnsName,
    /// Whether it is an Edge Transport server, whose cmdlets run on itself only.
    pub edge: bool,
    /// How a channel to its cmdlets is made.
    pub connect: Connect,
    /// How its IIS, its Windows services and its certificate store are reached.
    pub windows: WindowsAccess,
    /// The account for Exchange and Windows, where it is not the one that runs PowerShell.
    pub credential: Option<Credential>,
    /// How long things may take.
    pub patience: Timeouts,
}

/// How IIS, Windows services and certificate stores of a server are reached.
pub enum WindowsAccess {
    /// By the channel to its cmdlets.
    Same,
    /// By a channel of their own to the server itself, since the other one carries cmdlets of Exchange only.
    Other(Connect),
    /// By such a channel to another computer, which reaches the server by Windows remote management.
    Through(Connect),
    /// Not at all.
    None,
}

/// An account.
#[derive(Clone, Debug)]
pub struct Credential {
    /// `DOMAIN\user` or `user@domain`.
    pub user: String,
    /// Its password.
    pub password: Secret,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Starting PowerShell and opening its session with Exchange.
    pub opening: Duration,
    /// One request.
    pub request: Duration,
}

impl Default for Timeouts {
    /// A minute to start, and five for the slowest cmdlets.
    fn default() -> Self {
        Self { opening: Duration::from_secs(60), request: Duration::from_secs(300) }
    }
}

/// The session with a server.
pub(super) struct Session {
    pub(super) endpoint: ServerAccess,
    exchange: Mutex<Option<Open>>,
    /// Used only where Windows is reached in another way.
    windows: Mutex<Option<Open>>,
}

/// What a session turned out to be.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    /// Where it leads, for people.
    pub(super) host: String,
    /// What its PowerShell says of itself; nothing where no script runs.
    pub(super) hello: Option<Hello>,
    /// Whether questions of cmdlets can be answered.
    pub(super) answers_prompts: bool,
    /// What was said while it was opened.
    pub(super) warnings: Vec<String>,
}

struct Open {
    channel: Box<dyn Channel>,
    last: u64,
    opened: Opened,
    /// What its peer was given, and must not say.
    secrets: Vec<Secret>,
}

/// What a PowerShell says of itself.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Hello {
    #[serde(deserialize_with = "word")]
    pub(super) ps_version: String,
    #[serde(deserialize_with = "word")]
    pub(super) language_mode: String,
    pub(super) bits: u32,
    /// Its clock.
    #[serde(default)]
    pub(super) utc: Option<Timestamp>,
    /// The name of its computer.
    #[serde(default, deserialize_with = "optional_word")]
    pub(super) computer: Option<String>,
    /// The SHA-256 of the script that it runs.
    #[serde(default, deserialize_with = "optional_word")]
    driver_sha256: Option<String>,
}

#[derive(Deserialize)]
struct Prompts {
    answers_prompts: bool,
}

impl Session {
    pub(super) fn new(endpoint: ServerAccess) -> Self {
        Self { endpoint, exchange: Mutex::new(None), windows: Mutex::new(None) }
    }

    /// Carries out a request. Where something was to be changed and it cannot be told whether it was, the server is looked
    /// at once; a change is never asked for twice.
    pub(super) fn call<T: DeserializeOwned>(&self, request: &Request) -> Result<Good<T>, PowerShellError> {
        in_doubt(request, self.call_once(request))
    }

    /// The same, for a change whose goal the script can see: when it is there after all, the change was done.
    pub(super) fn change<T: DeserializeOwned + Default>(
        &self,
        request: &Request,
    ) -> Result<Good<T>, PowerShellError> {
        let unknown = match self.call(request) {
            Err(error @ PowerShellError::OutcomeUnknown(_)) => error,
            result => return result,
        };
        let look = Request { what_if: true, changes: false, ..request.clone() };
        match self.call_once::<serde_json::Value>(&look) {
            Ok(good) if good.would.is_empty() => {
                Ok(Good { result: T::default(), warnings: good.warnings, would: Vec::new() })
            }
            // It is not there, and may still come: whatever was cut off may still be running. And what cannot be seen is
            // not known either.
            Ok(_) | Err(_) => Err(unknown),
        }
    }

    /// Carries out a request over a channel of its own, beside whatever goes on.
    pub(super) fn call_aside<T: DeserializeOwned>(
        &self,
        request: &Request,
    ) -> Result<Good<T>, PowerShellError> {
        let mut open = Open::new(&self.endpoint, self.side_of(request))?;
        in_doubt(request, open.call(request, request.deadline(self.endpoint.patience.request)))
    }

    /// Whether questions of cmdlets can be answered.
    pub(super) fn answers_prompts(&self) -> Result<bool, PowerShellError> {
        self.opened(Side::Exchange).map(|opened| opened.answers_prompts)
    }

    /// Opens it, unless that is done, and says what it is.
    pub(super) fn opened(&self, side: Side) -> Result<Opened, PowerShellError> {
        self.with(side, |open| Ok(open.opened.clone()))
    }

    /// Whether IIS, Windows services and certificate stores are reached in another way than cmdlets of Exchange.
    pub(super) fn has_windows_apart(&self) -> bool {
        match self.endpoint.windows {
            WindowsAccess::Same => false,
            WindowsAccess::Other(_) | WindowsAccess::Through(_) | WindowsAccess::None => true,
        }
    }

    /// A session that turns out to be gone is opened again once, where nothing of the request was begun.
    fn call_once<T: DeserializeOwned>(&self, request: &Request) -> Result<Good<T>, PowerShellError> {
        let (side, patience) = (self.side_of(request), request.deadline(self.endpoint.patience.request));
        let was_open = self.is_open(side);
        match self.with(side, |open| open.call(request, patience)) {
            Err(error) if was_open && error.found_no_session(request.changes) => {
                self.with(side, |open| open.call(request, patience))
            }
            result => result,
        }
    }

    fn is_open(&self, side: Side) -> bool {
        self.place(side).lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Ends the session with Exchange: what comes next opens it again.
    pub(super) fn end(&self) {
        *self.place(Side::Exchange).lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn place(&self, side: Side) -> &Mutex<Option<Open>> {
        match side {
            Side::Exchange => &self.exchange,
            Side::Windows => &self.windows,
        }
    }

    fn side_of(&self, request: &Request) -> Side {
        if self.has_windows_apart() { request.side() } else { Side::Exchange }
    }

    /// Opens a session; where the server has no room for one just now, again after a pause. Nothing was begun.
    fn open(&self, side: Side) -> Result<Open, PowerShellError> {
        for pause in PAUSES {
            match Open::new(&self.endpoint, side) {
                Err(error) if error.is_transient() => thread::sleep(pause),
                result => return result,
            }
        }
        Open::new(&self.endpoint, side)
    }

    fn with<R>(
        &self,
        side: Side,
        act: impl FnOnce(&mut Open) -> Result<R, PowerShellError>,
    ) -> Result<R, PowerShellError> {
        let mut place = self.place(side).lock().unwrap_or_else(PoisonError::into_inner);
        let open = match &mut *place {
            Some(open) => open,
            empty @ None => empty.insert(self.open(side)?),
        };
        let result = act(open);
        if result.as_ref().is_err_and(|error| !error.leaves_session()) {
            *place = None;
        }
        result
    }
}

/// How long a server that has no room is given.
const PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(5)];

impl Open {
    /// Starts PowerShell, sees whether it can carry out the script, and opens its session with Exchange.
    fn new(endpoint: &ServerAccess, side: Side) -> Result<Self, PowerShellError> {
        let ServerAccess { name, fqdn, edge, connect, windows, credential, patience } = endpoint;
        let channel = match (side, windows) {
            (Side::Exchange, _) => connect()?,
            (Side::Windows, WindowsAccess::Other(connect) | WindowsAccess::Through(connect)) => connect()?,
            (Side::Windows, WindowsAccess::Same | WindowsAccess::None) => {
                return Err(PowerShellError::NoWindows { server: name.to_string() });
            }
        };
        let (host, runs_script) = (channel.host().to_owned(), channel.runs_script());
        let opened = Opened { host, hello: None, answers_prompts: false, warnings: Vec::new() };
        let mut open = Self { channel, last: 0, opened, secrets: Vec::new() };
        if runs_script {
            let request = Request::look("session.hello", json!({}));
            let hello = open.call::<Hello>(&request, patience.opening)?.result;
            hello.suits(open.channel.host())?;
            hello.is_of(open.channel.host(), open.channel.computer())?;
            hello.runs(open.channel.host(), open.channel.script_sha256())?;
            open.opened.hello = Some(hello);
        }
        let mode = match (side, edge) {
            (Side::Windows, _) => "windows",
            (Side::Exchange, true) => "local",
            (Side::Exchange, false) => "remote",
        };
        let mut request = Request::look(
            "session.open",
            json!({
                "mode": mode,
                "uri": format!("http://{fqdn}/PowerShell/?serializationLevel=Full"),
                // What is said of one that is not reached has to be heard, and a second try has to fit in.
                "open_timeout_s": (patience.opening / 3).as_secs().max(1),
                "turn_s": turn(patience.request).as_secs(),
            }),
        );
        // Only who goes on from there to another computer needs it. A server that is asked on itself does not get it.
        let goes_on = match (side, windows) {
            (Side::Exchange, _) => !edge,
            (Side::Windows, WindowsAccess::Through(_)) => true,
            (Side::Windows, WindowsAccess::Same | WindowsAccess::Other(_) | WindowsAccess::None) => false,
        };
        if let Some(Credential { user, password }) = credential.as_ref().filter(|_| goes_on) {
            open.secrets.push(password.clone());
            let password = request.secret(password.clone());
            request = request.with("credential", json!({ "user": user, "password": password }));
        }
        let answer = open.call::<Prompts>(&request, patience.opening)?;
        open.opened.answers_prompts = answer.result.answers_prompts;
        open.opened.warnings = answer.warnings;
        Ok(open)
    }

    fn call<T: DeserializeOwned>(
        &mut self,
        request: &Request,
        patience: Duration,
    ) -> Result<Good<T>, PowerShellError> {
        self.last += 1;
        let answer = self.channel.exchange(self.last, request, patience)?;
        let given = self.secrets.iter().chain(&request.secrets).cloned().collect::<Vec<_>>();
        answer::read(self.channel.host(), self.last, &answer, &given)
    }
}

/// Where something was to be changed, an error may leave doubt.
fn in_doubt<T>(request: &Request, result: Result<T, PowerShellError>) -> Result<T, PowerShellError> {
    match result {
        Err(error) if request.changes && error.leaves_doubt() => {
            Err(PowerShellError::OutcomeUnknown(Box::new(error)))
        }
        result => result,
    }
}

impl Hello {
    /// Whether the computer is the one that was meant, where one is. Windows cuts names of computers off after 15 characters.
    fn is_of(&self, host: &str, meant: Option<&str>) -> Result<(), PowerShellError> {
        let Some(meant) = meant else { return Ok(()) };
        let own: String = meant.chars().take(15).collect();
        let name = self.computer.as_deref().unwrap_or_default();
        if name.eq_ignore_ascii_case(meant) || name.eq_ignore_ascii_case(&own) {
            return Ok(());
        }
        let said = if name.is_empty() { "it does not say its name".into() } else { format!("it is {name}") };
        Err(PowerShellError::AnswersForAnother { host: host.into(), said })
    }

    /// Whether it runs the script that it was sent: nothing on the way has cut or changed it.
    fn runs(&self, host: &str, sent: Option<&str>) -> Result<(), PowerShellError> {
        match (&self.driver_sha256, sent) {
            (Some(told), Some(sent)) if told != sent => {
                let what = format!("it runs a script of the SHA-256 {told}, and {sent} was sent");
                Err(PowerShellError::Protocol { host: host.into(), what })
            }
            _ => Ok(()),
        }
    }

    fn suits(&self, host: &str) -> Result<(), PowerShellError> {
        let Self { ps_version, language_mode, bits, utc: _, computer: _, driver_sha256: _ } = self;
        let unsuitable =
            |what: String, needs| Err(PowerShellError::Unsuitable { host: host.into(), what, needs });
        let major = ps_version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        let minor = ps_version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
        if (major, minor) < (Some(5), Some(1)) {
            return unsuitable(format!("PowerShell {ps_version}"), "Windows PowerShell 5.1");
        }
        if language_mode != "FullLanguage" {
            return unsuitable(format!("PowerShell in {language_mode} mode"), "FullLanguage");
        }
        if *bits != 64 {
            return unsuitable(format!("a {bits}-bit PowerShell"), "a 64-bit one, as Exchange's cmdlets do");
        }
        Ok(())
    }
}
