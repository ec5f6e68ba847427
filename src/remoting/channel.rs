//! Questions and answers of WS-Management: connected, authenticated, and safe against others on the way.

use std::sync::Arc;

use certwright_gssapi::{Context, GssError, Step};
use rustls::ClientConfig;
use zeroize::Zeroizing;

use super::{
    authentication::{self, Scheme},
    connection::Connection,
    deadline::Deadline,
    endpoint::{Credentials, Endpoint, Limits, Tickets},
    error::{ProtocolError, RemotingError},
    tls,
};
use crate::wire::{
    shown,
    wsman::{
        Question, Sealed, WsmanError,
        http::{self, Response},
        sealed,
    },
};

/// A way to ask, which connects again when it has to.
pub(super) struct Channel {
    endpoint: Endpoint,
    credentials: Credentials,
    limits: Limits,
    tls: Option<Arc<ClientConfig>>,
    connection: Option<Connection>,
    /// What seals messages over plain HTTP. It belongs to the connection.
    seal: Option<Context>,
}

impl Channel {
    /// A channel that is not connected. Refused here is what no connection could make safe.
    pub(super) fn new(
        endpoint: &Endpoint,
        credentials: Credentials,
        limits: Limits,
    ) -> Result<Self, RemotingError> {
        let tls = match (&credentials, endpoint.is_tls()) {
            (_, true) => Some(Arc::new(tls::config(&endpoint.trust)?)),
            (Credentials::Kerberos(_), false) => None,
            (Credentials::Basic { .. }, false) => {
                return Err(RemotingError::InsecureTransport(
                    "Basic would send the password in the clear over http; use https, or Kerberos",
                ));
            }
        };
        if let Credentials::Basic { user, .. } = &credentials
            && user.contains(':')
        {
            return Err(RemotingError::InsecureTransport("a user of Basic cannot have a colon in the name"));
        }
        let endpoint = endpoint.clone();
        Ok(Self { endpoint, credentials, limits, tls, connection: None, seal: None })
    }

    /// Connects and authenticates, unless that is done and the connection still stands.
    pub(super) fn prepare(&mut self, deadline: Deadline) -> Result<(), RemotingError> {
        if self.connection.as_mut().is_some_and(Connection::is_usable) {
            return Ok(());
        }
        self.seal = None;
        self.connect(deadline)?;
        if self.tls.is_none() {
            let response = self.exchange(b"", deadline)?;
            if self.seal.is_none() {
                return Err(self.no_common(&response));
            }
        }
        Ok(())
    }

    /// Asks, and returns the envelope of the answer, which may be a fault. On any error nobody knows whether the server
    /// heard the question.
    pub(super) fn ask(&mut self, question: &Question, deadline: Deadline) -> Result<Vec<u8>, RemotingError> {
        let xml = question.xml.as_bytes();
        let Some(seal) = &mut self.seal else {
            let response = self.exchange(xml, deadline)?;
            return self.envelope(response);
        };
        let sealed = seal.seal(xml).map_err(|source| kerberos(self.endpoint.host(), source))?;
        let plain_length = sealed.data.len();
        let body = Sealed { header: sealed.header, data: sealed.data, plain_length }.write();
        let response = self.post(&sealed::content_type(), &body, None, deadline)?;
        let Some(content_type) = response.header("Content-Type").map(str::to_owned) else {
            return Err(self.refused(&response));
        };
        if !content_type.to_ascii_lowercase().starts_with("multipart/encrypted") {
            return Err(self.refused(&response));
        }
        let parts = Sealed::read(&content_type, &response.body).map_err(|error| self.strange(error))?;
        let sealed = certwright_gssapi::Sealed { header: parts.header, data: parts.data };
        let seal = self.seal.as_mut().expect("it sealed the question");
        seal.open(&sealed).map_err(|source| self.strange(ProtocolError::Seal(source)))
    }

    /// Posts a body and authenticates when the server asks for it.
    fn exchange(&mut self, body: &[u8], deadline: Deadline) -> Result<Response, RemotingError> {
        let tickets = match &self.credentials {
            Credentials::Basic { user, password } => {
                let authorization = authentication::basic(user, password);
                return self.post(SOAP, body, Some(&authorization), deadline);
            }
            Credentials::Kerberos(tickets) => tickets.clone(),
        };
        let response = self.post(SOAP, body, None, deadline)?;
        if response.status != UNAUTHORIZED {
            return Ok(response);
        }
        let Some(scheme) = Scheme::best(&response, self.tls.is_some()) else {
            return Err(self.no_common(&response));
        };
        self.establish(scheme, &tickets, body, deadline)
    }

    /// Posts a body with token after token, until both sides know each other.
    fn establish(
        &mut self,
        scheme: Scheme,
        tickets: &Tickets,
        body: &[u8],
        deadline: Deadline,
    ) -> Result<Response, RemotingError> {
        if !self.connection.as_ref().is_some_and(Connection::is_open) {
            self.connect(deadline)?;
        }
        let host = self.endpoint.host().to_owned();
        let refused = |source| kerberos(&host, source);
        let binding = self.connection.as_ref().and_then(Connection::binding);
        let Tickets { source, principal } = tickets;
        let service = format!("HTTP@{host}");
        let context =
            Context::new(scheme.mechanism(), source, principal.as_deref(), &service, binding.as_deref());
        let mut context = context.map_err(refused)?;
        let mut step = context.step(None).map_err(refused)?;
        for _ in 0..MOST_LEGS {
            let (token, established) = match step {
                Step::Continue(token) => (Some(token), false),
                Step::Established(token) => (token, true),
            };
            let authorization = token.map(|token| Zeroizing::new(scheme.authorization(&token)));
            let response = self.post(SOAP, body, authorization.as_ref(), deadline)?;
            let denied = response.status == UNAUTHORIZED;
            step = match (established, scheme.token(&response)) {
                (false, Some(token)) => context.step(Some(&token)).map_err(refused)?,
                (true, _) if !denied => Step::Established(None),
                // Kerberos proves both ways who is who, and the server has not.
                (false, None) if !denied => return Err(self.unproved(&response)),
                (_, _) => break,
            };
            match step {
                Step::Established(_) if !denied => {
                    self.seal = self.tls.is_none().then_some(context);
                    return Ok(response);
                }
                Step::Continue(_) if !denied => return Err(self.unproved(&response)),
                Step::Established(None) => break,
                Step::Established(Some(_)) | Step::Continue(_) => (),
            }
        }
        Err(RemotingError::AuthenticationFailed { host })
    }

    fn connect(&mut self, deadline: Deadline) -> Result<(), RemotingError> {
        self.connection = Some(Connection::open(&self.endpoint, self.tls.as_ref(), deadline)?);
        Ok(())
    }

    fn post(
        &mut self,
        content_type: &str,
        body: &[u8],
        authorization: Option<&Zeroizing<String>>,
        deadline: Deadline,
    ) -> Result<Response, RemotingError> {
        let mut headers = vec![("Content-Type", content_type)];
        headers.extend(authorization.map(|value| ("Authorization", value.as_str())));
        let (target, authority) = (self.endpoint.target(), self.endpoint.authority());
        let head = Zeroizing::new(http::post(&target, &authority, &headers, body.len()));
        let Some(connection) = self.connection.as_mut().filter(|connection| connection.is_open()) else {
            let detail = "the server closed the connection".to_owned();
            return Err(RemotingError::SessionDied { host: self.endpoint.host().to_owned(), detail });
        };
        connection.request(&head, body, self.limits.answer, deadline)
    }

    /// The envelope in an answer inside TLS.
    fn envelope(&self, response: Response) -> Result<Vec<u8>, RemotingError> {
        let is_soap = response
            .header("Content-Type")
            .is_some_and(|media| media.to_ascii_lowercase().starts_with("application/soap+xml"));
        if is_soap { Ok(response.body) } else { Err(self.refused(&response)) }
    }

    /// What a status means that comes without an envelope. Over plain HTTP anybody may have sent it.
    fn refused(&self, response: &Response) -> RemotingError {
        let host = self.endpoint.host().to_owned();
        let status = response.status;
        match status {
            UNAUTHORIZED => RemotingError::AuthenticationFailed { host },
            403 => RemotingError::AccessDenied { host, detail: "HTTP status 403".to_owned() },
            404 | 405 => RemotingError::EndpointNotFound { host, detail: format!("HTTP status {status}") },
            429 | 503 => RemotingError::Busy { host, status },
            300..=399 => {
                let to = response.header("Location").map(shown).unwrap_or_default();
                RemotingError::EndpointNotFound { host, detail: format!("it points to {to}") }
            }
            200..=299 if self.seal.is_some() => self.strange(ProtocolError::NotSealed),
            200..=299 => self.strange(WsmanError::NotSoap("it has another content type".into())),
            _ => self.strange(ProtocolError::Status(status)),
        }
    }

    fn no_common(&self, response: &Response) -> RemotingError {
        if response.status != UNAUTHORIZED && !(200..300).contains(&response.status) {
            return self.refused(response);
        }
        RemotingError::NoCommonAuthentication {
            host: self.endpoint.host().to_owned(),
            offered: authentication::offered(response),
            transport: if self.tls.is_some() { "with Kerberos" } else { "over plain http" },
        }
    }

    /// A server that went on without having proved who it is.
    fn unproved(&self, response: &Response) -> RemotingError {
        if (200..300).contains(&response.status) {
            kerberos(self.endpoint.host(), GssError::NotProtected("proof of who the server is"))
        } else {
            self.refused(response)
        }
    }

    fn strange(&self, error: impl Into<ProtocolError>) -> RemotingError {
        RemotingError::Protocol { host: self.endpoint.host().to_owned(), source: error.into() }
    }
}

fn kerberos(host: &str, source: GssError) -> RemotingError {
    RemotingError::Kerberos { host: host.to_owned(), source }
}

const SOAP: &str = "application/soap+xml;charset=UTF-8";
const UNAUTHORIZED: u16 = 401;
/// Kerberos needs one, SPNEGO two, and three where it changes its mind.
const MOST_LEGS: usize = 5;
